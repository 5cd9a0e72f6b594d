//! `v8 closure`: the variables of the scopes that a function was made in.

use super::app::{App, Host};
use super::bt::value_json;
use super::locals::{has_lines, scope_json, scope_lines, scope_title};
use super::value::kept;
use super::Outcome;
use crate::deopt::Value as Kept;
use crate::error::{Error, Result};
use crate::object::SharedFunctionInfo;
use crate::render::escape;
use crate::stack::scopes;
use serde_json::json;
use std::fmt::Write;

const NO_FUNCTION: &str = "the word is no function: give the address of a function object";

/// Help.
pub const DETAILS: &str = "The variables of the scopes that the function was made in, \
    innermost first, and where it is defined.\n\n\
    \x20 --json      print the result as JSON";

/// Runs `v8 closure`.
pub fn run(app: &mut App, host: &dyn Host, arguments: &[String]) -> Outcome {
    show_closure(app, host, arguments).unwrap_or_else(Outcome::from)
}

fn show_closure(app: &mut App, host: &dyn Host, words: &[String]) -> Result<Outcome> {
    let mut json = false;
    let mut expression = String::new();
    for word in words {
        match word.as_str() {
            "--help" | "-h" => return Ok(super::help::of("closure")),
            "--json" => json = true,
            text => expression += text,
        }
    }
    if expression.is_empty() {
        return Err(Error::other("USAGE: v8 closure expr"));
    }
    let session = app.session(host)?;
    let cx = session.cx()?;
    let word = session.target().evaluate(&expression)?;
    let value = crate::object::Tagged(word);
    let kind = cx.object(value).and_then(|o| Ok((o, o.instance_type()?)));
    let (object, kind) =
        kind.map_err(|error| Error::other(super::print::no_object(cx, word, &error)))?;
    if !kind.is_js_function() {
        return Err(Error::other(NO_FUNCTION));
    }
    let function = crate::object::JSFunction(object);
    let list = scopes(function.context()?.0)?;
    if json {
        let value = json!({
            "function": value_json(cx, &Kept::Tagged(value)),
            "scopes": list.iter().map(|s| scope_json(cx, s, false)).collect::<Vec<_>>(),
        });
        return Ok(Outcome::ok(format!("{value:#}\n")));
    }
    let mut text = format!("{}\n", kept(cx, &Kept::Tagged(value)));
    if let Some(names) = function.shared().ok().and_then(parameter_names) {
        let _ = writeln!(text, "  parameters: {names}");
    }
    for scope in list.iter().filter(|s| has_lines(s)) {
        let _ = writeln!(text, "  {}", scope_title(cx, scope, false));
        for line in scope_lines(cx, scope) {
            let _ = writeln!(text, "    {line}");
        }
    }
    Ok(Outcome::ok(text))
}

fn parameter_names(shared: SharedFunctionInfo) -> Option<String> {
    let list = crate::stack::parameters_of(shared)?;
    let names: Vec<String> = list
        .iter()
        .map(|p| {
            let dots = if p.is_rest { "..." } else { "" };
            format!("{dots}{}", p.name.as_deref().map_or("{…}".into(), escape))
        })
        .collect();
    (!names.is_empty()).then(|| names.join(", "))
}
