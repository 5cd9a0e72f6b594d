//! Colours, those of llnode.

/// How to write values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Style {
    pub color: bool,
    /// llnode's exact forms.
    pub compat: bool,
    /// `0x…(map=0x…):` before the value itself.
    pub print_map: bool,
}

/// What a piece of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    Address,
    /// A value's short form.
    Short,
    /// The kind of a value whose parts follow, or a heading.
    Heading,
    /// A property's name.
    Key,
    /// What could not be read.
    Bad,
}

impl Paint {
    /// The text in its colour, where the style has any.
    pub fn on(self, text: &str, style: Style) -> String {
        if !style.color {
            return text.to_string();
        }
        let code = match self {
            Paint::Address => "36",
            Paint::Short => "33",
            Paint::Heading => "35",
            Paint::Key => "1;33",
            Paint::Bad => "31",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}
