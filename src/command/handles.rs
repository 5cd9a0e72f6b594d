//! `v8 getactivehandles` and `v8 getactiverequests`: what keeps the event loop alive.

use super::app::{App, Host};
use super::value_options::ValueOptions;
use super::Outcome;
use crate::error::{Error, Result};
use crate::node::{native_context, Environment, Queue};
use crate::object::summary::Value;
use crate::render::{self, Style};
use crate::session::Session;
use serde::Serialize;

/// Options of both commands.
pub const DETAILS: &str = "\
Handles are sockets, servers, pipes, timers and the like that keep the event loop alive; requests
are operations under way (file system, DNS, connect, write). Each is shown as v8 inspect shows it.

  -F, -l, -m, -s         as for v8 inspect
  --json                 print the result as JSON";

/// What a queue holds.
#[derive(Debug, Serialize)]
struct Wraps {
    total: usize,
    wraps: Vec<Wrap>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Wrap {
    Value(Box<Value>),
    /// It is in the list, but its object cannot be read, for this reason.
    Unreadable(String),
}

/// Runs `v8 getactivehandles`.
pub fn handles(app: &mut App, host: &dyn Host, arguments: &[String]) -> Outcome {
    run(app, host, arguments, "getactivehandles", Queue::Handles)
}

/// Runs `v8 getactiverequests`.
pub fn requests(app: &mut App, host: &dyn Host, arguments: &[String]) -> Outcome {
    run(app, host, arguments, "getactiverequests", Queue::Requests)
}

fn run(app: &mut App, host: &dyn Host, arguments: &[String], name: &str, queue: Queue) -> Outcome {
    let asked = match ValueOptions::parse(arguments) {
        Ok(asked) => asked,
        Err(why) => return Outcome::failed(why),
    };
    if asked.help {
        return super::help::of(name);
    }
    if let Some(extra) = asked.unknown.first().or(asked.words.first()) {
        return Outcome::failed(format!(
            "unexpected '{extra}'; 'v8 {name} --help' lists the options"
        ));
    }
    let style = Style {
        print_map: asked.print_map,
        ..app.style(host)
    };
    let found = app
        .session(host)
        .and_then(|session| collect(session, queue, &asked));
    match found {
        Ok(wraps) if asked.json => super::json(&wraps),
        Ok(wraps) => {
            let mut text = String::new();
            for wrap in &wraps.wraps {
                match wrap {
                    Wrap::Value(value) => text += &render::value::value(value, style),
                    Wrap::Unreadable(why) => text += &format!("<not read: {why}>"),
                }
                text.push('\n');
            }
            text += &format!("Total: {}\n", wraps.total);
            Outcome::ok(text)
        }
        Err(error) => error.into(),
    }
}

fn collect(session: &Session, queue: Queue, asked: &ValueOptions) -> Result<Wraps> {
    let cx = session.cx()?;
    let v8 = session.v8()?;
    let environment = session
        .isolate()
        .and_then(|isolate| native_context(cx, isolate))
        .and_then(|context| Environment::of_context(&v8.program, context))
        .map_err(|error| Error::other(format!("Couldn't get node's Environment: {error}")))?;
    let wraps: Vec<Wrap> = environment
        .wraps(queue)?
        .into_iter()
        .map(|object| {
            let value = object.and_then(|o| Value::detailed(cx, o, asked.options));
            match value {
                Ok(mut value) => {
                    super::error_stack::locate(cx, &v8.program, &mut value);
                    Wrap::Value(Box::new(value))
                }
                Err(error) => Wrap::Unreadable(error.to_string()),
            }
        })
        .collect();
    Ok(Wraps {
        total: wraps.len(),
        wraps,
    })
}
