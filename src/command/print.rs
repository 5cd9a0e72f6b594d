//! `v8 print` and `v8 inspect`.

use super::app::{App, Host};
use super::value_options::ValueOptions;
use super::Outcome;
use crate::error::{Error, Result};
use crate::object::summary::{Options, Value};
use crate::object::{Cx, HeapObject, Tagged};
use crate::render::{self, Style};

/// Runs `v8 print`.
pub fn print(app: &mut App, host: &dyn Host, arguments: &[String]) -> Outcome {
    run(app, host, arguments, false)
}

/// Runs `v8 inspect`.
pub fn inspect(app: &mut App, host: &dyn Host, arguments: &[String]) -> Outcome {
    run(app, host, arguments, true)
}

fn run(app: &mut App, host: &dyn Host, arguments: &[String], detailed: bool) -> Outcome {
    let (name, usage) = if detailed {
        ("inspect", "USAGE: v8 inspect [flags] expr")
    } else {
        ("print", "USAGE: v8 print expr")
    };
    if arguments.is_empty() {
        return Outcome::failed(usage);
    }
    let mut asked = match ValueOptions::parse(arguments) {
        Ok(asked) => asked,
        Err(why) => return Outcome::failed(why),
    };
    if asked.help {
        return super::help::of(name);
    }
    let style = app.style(host);
    if let (Some(option), false) = (asked.unknown.first(), style.compat) {
        return Outcome::failed(format!(
            "unknown option {option}; 'v8 {name} --help' lists the options"
        ));
    }
    if asked.words.is_empty() {
        return Outcome::failed(usage);
    }
    if style.compat {
        asked.options.child_length = Options::default().child_length;
    }
    let style = Style {
        print_map: asked.print_map,
        ..style
    };
    // llnode puts the words together without spaces.
    let expression = asked.words.concat();
    let shown = app.session(host).and_then(|session| {
        let word = session.target().evaluate(&expression)?;
        let cx = session.cx()?;
        let program = &session.v8()?.program;
        value_of(cx, word, asked.options, detailed, style.compat).map(|mut value| {
            crate::command::error_stack::locate(cx, program, &mut value);
            value
        })
    });
    match shown {
        Ok(value) if asked.json => super::json(&value),
        Ok(value) => Outcome::ok(render::value::value(&value, style) + "\n"),
        Err(error) => error.into(),
    }
}

/// The value a word is; an error says what it is instead, and what to do.
fn value_of(cx: Cx, word: u64, options: Options, detailed: bool, compat: bool) -> Result<Value> {
    let tagged = Tagged(word);
    if tagged.is_smi() && !compat && word as u32 != 0 {
        return Err(Error::other(no_tagged_value(cx, word)));
    }
    if !tagged.is_smi() && !tagged.is_strong() {
        let hint = if compat {
            String::new()
        } else {
            format!(
                ": {word:#x} is no tagged value; an object's address ends in the bits 01 (its \
                 address in memory plus 1)"
            )
        };
        return Err(Error::other(format!("Not object and not smi{hint}")));
    }
    let found = if detailed {
        Value::detailed(cx, tagged, options)
    } else {
        Value::brief(cx, tagged, options)
    };
    found.map_err(|error| Error::other(no_object(cx, word, &error)))
}

/// Even numbers are Smis, but only those whose lower half is zero.
fn no_tagged_value(cx: Cx, word: u64) -> String {
    let at = Tagged(word | 1);
    if word & 7 == 0 && cx.object(at).and_then(HeapObject::map).is_ok() {
        return format!(
            "{word:#x} is the untagged address of an object; its tagged address is {:#x}",
            word | 1
        );
    }
    format!(
        "{word:#x} is no tagged value: an object's address is odd, and the Smi {word} is written \
         {word}<<32"
    )
}

/// Why a word that looks like an object is none.
pub(super) fn no_object(cx: Cx, word: u64, error: &Error) -> String {
    let address = word & !3;
    match error {
        Error::Malformed { why, .. } if address & 7 != 0 => {
            format!("{word:#x} is no object: {why}")
        }
        Error::MissingConstant(_) | Error::NoV8(_) | Error::Interrupted => error.to_string(),
        _ if cx.memory.u64(address).is_err() => format!(
            "{word:#x} is no object: the target has no memory there (or the core does not hold \
             it); check the address"
        ),
        _ => format!(
            "{word:#x} is no object: what is there does not start with a Map ({error}); it may \
             be freed memory or lie within an object"
        ),
    }
}
