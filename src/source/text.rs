//! A function's text in a shape that a parser takes, and positions in it.

/// How a function is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Syntax {
    pub is_arrow: bool,
    pub is_async: bool,
    pub is_generator: bool,
    pub is_class_constructor: bool,
    pub is_strict: bool,
}

/// What of a script a text is, and what of it is a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// Of an arrow function all of it, of others from the parenthesis before the parameters.
    Function,
    /// A whole script, compiled as the body of a function with these parameters.
    Wrapped(Vec<String>),
    /// A whole module; the names of its variables that are in cells.
    Module(Vec<String>),
    /// A whole script that is no module.
    Script,
    /// All of what was given to `eval`; the names of variables in Contexts around it, up to the
    /// function that it is in.
    Eval(Vec<String>),
    /// A whole script; the function is what initializes the static or the other members of the
    /// class in it that V8 gives this place, in UTF-16 units.
    Initializer {
        place: std::ops::Range<u64>,
        is_static: bool,
    },
}

/// The text of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionText {
    pub units: Vec<u16>,
    /// Where in the script it starts, in UTF-16 units.
    pub start: u64,
    pub syntax: Syntax,
    /// The name of a function expression, where V8 has made a variable of it.
    pub own_name: Option<String>,
    pub form: Form,
}

/// What is given to the parser.
pub(super) struct Wrapped {
    pub text: String,
    /// Length of what was put before the function's text, in bytes.
    prefix: usize,
    /// Byte offset of each unit where not all of them are one byte.
    offsets: Option<Vec<u32>>,
}

impl FunctionText {
    /// Put where the parser takes it as what it is. Anything that is allowed in a method is
    /// allowed in other functions or is an error that V8 has found.
    pub(super) fn wrap(&self) -> Wrapped {
        let Syntax {
            is_arrow,
            is_async,
            is_generator,
            is_class_constructor,
            is_strict,
        } = self.syntax;
        let modifiers = match (is_async, is_generator) {
            _ if is_arrow => "",
            (true, true) => "async *",
            (true, false) => "async ",
            (false, true) => "*",
            (false, false) => "",
        };
        let (before, after) = match (is_arrow, is_class_constructor || is_strict) {
            _ if self.form != Form::Function => (String::new(), ""),
            (true, false) => ("({m(){(".to_string(), ")}})"),
            (true, true) => ("(class extends X{constructor(){(".to_string(), ")}})"),
            (false, false) => (format!("({{{modifiers}m"), "})"),
            (false, true) if is_class_constructor => {
                ("(class extends X{constructor".to_string(), "})")
            }
            (false, true) => (format!("(class extends X{{{modifiers}m"), "})"),
        };
        let mut text = before;
        let prefix = text.len();
        let mut units = self.units.clone();
        // A script's first line may say who runs it.
        if self.form != Form::Function && units.starts_with(&[0x23, 0x21]) {
            units[..2].fill(0x2f);
        }
        let is_ascii = units.iter().all(|u| *u < 0x80);
        let mut offsets = (!is_ascii).then(|| Vec::with_capacity(units.len()));
        for c in char::decode_utf16(units) {
            // Half a pair may be in a string or a comment only, where it means nothing.
            let c = c.unwrap_or(char::REPLACEMENT_CHARACTER);
            if let Some(offsets) = &mut offsets {
                let at = text.len() as u32;
                offsets.extend(std::iter::repeat_n(at, c.len_utf16()));
            }
            text.push(c);
        }
        text.push_str(after);
        Wrapped {
            text,
            prefix,
            offsets,
        }
    }

    /// Position in the script of a byte of the wrapped text.
    pub(super) fn position(&self, wrapped: &Wrapped, byte: u32) -> u64 {
        let at = match &wrapped.offsets {
            None => (byte as usize).saturating_sub(wrapped.prefix),
            Some(offsets) => offsets.partition_point(|o| *o < byte),
        };
        self.start.saturating_add(at.min(self.units.len()) as u64)
    }
}
