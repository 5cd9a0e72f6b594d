//! `v8 threads`.

use super::app::{App, Host};
use super::bt::stack_source;
use super::frame::first_shown;
use super::Outcome;
use crate::error::{Error, Result};
use crate::render::escape;
use crate::stack::roles;
use serde_json::{json, Value};
use std::fmt::Write;

/// Help.
pub const DETAILS: &str = "For each thread: the debugger's number (as 'thread select' takes it), \
    the system's id, what it is for,\nthe isolate it runs (the number is what \
    --isolate takes), and the innermost JavaScript\nfunction on its stack.\n\n\
    \x20 --json      print the result as JSON";

/// Runs the command.
pub fn run(app: &mut App, host: &dyn Host, arguments: &[String]) -> Outcome {
    threads(app, host, arguments).unwrap_or_else(Outcome::from)
}

fn threads(app: &mut App, host: &dyn Host, words: &[String]) -> Result<Outcome> {
    let mut as_json = false;
    for word in words {
        match word.as_str() {
            "--help" | "-h" => return Ok(super::help::of("threads")),
            "--json" => as_json = true,
            other => return Err(Error::other(format!("unknown option '{other}'"))),
        }
    }
    let session = app.session(host)?;
    let source = stack_source(session)?;
    let isolates = session.isolates();
    let mut text = String::new();
    let mut out = Vec::new();
    for (thread, role) in roles(session.target(), source.isolates) {
        let isolate = isolates
            .as_ref()
            .ok()
            .and_then(|i| i.of_thread(thread.index));
        // A thread that works for one after another still names the last.
        let isolate = isolate.filter(|i| i.runner == Some(thread.index));
        let number = isolate.and_then(|i| isolates.as_ref().ok()?.number(i));
        let isolate = isolate.map(|i| i.address);
        let frames = match isolate {
            Some(_) => source.backtrace(&thread, usize::MAX),
            None => Vec::new(),
        };
        let top = first_shown(&frames).map(|call| {
            let name = call.site.name();
            let name = name.unwrap_or_else(|| "<anonymous>".to_string());
            match &call.place {
                Ok(Some(place)) => format!("{name} ({place})"),
                _ => name,
            }
        });
        let star = if thread.selected { '*' } else { ' ' };
        let _ = write!(
            text,
            " {star} thread #{}: tid = {}, {}",
            thread.index,
            thread.id,
            role.text()
        );
        if let (Some(address), Some(number)) = (isolate, number) {
            let _ = write!(text, ", isolate {number} ({address:#x})");
        }
        match &top {
            Some(top) => {
                let _ = write!(text, ", at {}", escape(top));
            }
            None if isolate.is_some() => text += ", no JavaScript on its stack",
            None => {}
        }
        text.push('\n');
        out.push(json!({
            "index": thread.index,
            "id": thread.id,
            "name": thread.name,
            "role": role.text(),
            "isolate": isolate.map(|a| format!("{a:#x}")),
            "isolate_number": number,
            "top": top,
            "selected": thread.selected,
        }));
    }
    if let Err(error) = &isolates {
        let _ = writeln!(text, "(no isolates: {})", escape(&error.to_string()));
    }
    if as_json {
        return Ok(Outcome::ok(format!("{:#}\n", Value::Array(out))));
    }
    Ok(Outcome::ok(text))
}
