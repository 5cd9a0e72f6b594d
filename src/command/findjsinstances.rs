//! `v8 findjsinstances`: the objects of one class, page by page.

use super::app::{App, Host};
use super::app_state::Page;
use super::value_options::ValueOptions;
use super::watch::Watched;
use super::Outcome;
use crate::error::Result;
use crate::heap::{ClassId, ImageOver};
use crate::object::summary::Value;
use crate::object::{Cx, Tagged};
use crate::program::Program;
use crate::render::{self, Style};
use crate::session::Session;
use serde::Serialize;
use std::fmt::Write;

/// Help text.
pub const DETAILS: &str = "\
Type is a class as findjsobjects names it: Foo, (Array), (String).

With -n only that many are shown, and the same command again shows the next; after the last page
it begins anew.

  -n, --output-limit N   how many to show at a time (all, if not given)
  -d, -v                 each one in detail, as v8 inspect does
  -m, -F, -l, -s         as for v8 inspect
  --json                 print the result as JSON";

/// One instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Instance {
    /// Tagged address.
    #[serde(serialize_with = "super::json::address")]
    pub address: u64,
    pub text: String,
}

/// A page of instances.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Instances {
    #[serde(rename = "type")]
    pub type_name: String,
    pub total: usize,
    /// Number of the first shown, from 1.
    pub first: usize,
    pub instances: Vec<Instance>,
}

/// Runs the command.
pub fn run(app: &mut App, host: &dyn Host, arguments: &[String]) -> Outcome {
    let usage = || Outcome::failed("USAGE: v8 findjsinstances [flags] instance_name");
    if arguments.is_empty() {
        return usage();
    }
    let asked = match ValueOptions::parse(arguments) {
        Ok(asked) => asked,
        Err(why) => return Outcome::failed(why),
    };
    if asked.help {
        return super::help::of("findjsinstances");
    }
    let style = app.style(host);
    if let (Some(option), false) = (asked.unknown.first(), style.compat) {
        return Outcome::failed(format!(
            "unknown option {option}; 'v8 findjsinstances --help' lists the options"
        ));
    }
    if asked.words.is_empty() {
        return usage();
    }
    let style = Style {
        print_map: asked.print_map,
        ..style
    };
    let type_name = asked.words.join(" ");
    let limit = asked.output_limit;
    let choice = app.choice();
    let from = match &app.paging.instances {
        Some(last) if last.is_of(&type_name, choice, limit) => last.next,
        _ => 0,
    };
    let result = app
        .session(host)
        .and_then(|session| page(session, host, &type_name, &asked, style, from));
    match result {
        Ok(Some(found)) => {
            let next = found.first - 1 + found.instances.len();
            let next = if next >= found.total { 0 } else { next };
            app.paging.instances = Some(Page {
                type_name,
                choice,
                size: limit,
                next,
            });
            if asked.json {
                super::json(&found)
            } else {
                Outcome::ok(text(&found))
            }
        }
        Ok(None) => Outcome {
            // On standard output, as llnode has it.
            text: format!(
                "No objects found with type name {}\n",
                render::escape(&type_name)
            ),
            error: Some("see 'v8 findjsobjects' for the type names there are".to_string()),
        },
        Err(error) => error.into(),
    }
}

/// The instances from number `from` on; None where there is no such class.
fn page(
    session: &Session,
    host: &dyn Host,
    type_name: &str,
    asked: &ValueOptions,
    style: Style,
    from: usize,
) -> Result<Option<Instances>> {
    let watched = Watched::new(host);
    let watch = |what: &str, fraction: f64| watched.tick(what, fraction);
    let heap = session.heap(&watch)?;
    let classes = session.classes(&watch)?;
    // Also as it is shown, where that is with escapes.
    let as_shown = || {
        let mut all = classes.all.iter();
        let at = all.position(|c| render::escape(&c.name) == type_name);
        at.and_then(|at| ClassId::try_from(at).ok())
    };
    let Some(class) = classes.by_name(type_name).or_else(as_shown) else {
        return Ok(None);
    };
    let all = classes.instances(heap, session.scope()?, class, &watch)?;
    if all.is_empty() {
        return Ok(None);
    }
    let from = if from < all.len() { from } else { 0 };
    let rest = all.get(from..).unwrap_or_default();
    let limit = match asked.output_limit {
        0 => rest.len(),
        limit => limit.min(rest.len()),
    };
    let cx = session.cx()?;
    let memory = ImageOver {
        image: &heap.image,
        target: cx.memory,
    };
    let cx = Cx {
        memory: &memory,
        layout: cx.layout,
    };
    let program = &session.v8()?.program;
    let mut instances = Vec::new();
    for (i, address) in rest.iter().take(limit).enumerate() {
        watch("showing instances", i as f64 / limit as f64)?;
        instances.push(Instance {
            address: address | 1,
            text: show(cx, program, Tagged::from_address(*address), asked, style),
        });
    }
    Ok(Some(Instances {
        type_name: type_name.to_string(),
        total: all.len(),
        first: from + 1,
        instances,
    }))
}

/// A value as `v8 print` or, with `-d`, `v8 inspect` shows it.
fn show(
    cx: Cx<'_>,
    program: &Program,
    value: Tagged,
    asked: &ValueOptions,
    style: Style,
) -> String {
    let found = match asked.detailed {
        true => Value::detailed(cx, value, asked.options),
        false => Value::brief(cx, value, asked.options),
    };
    match found {
        Ok(mut value) => {
            super::error_stack::locate(cx, program, &mut value);
            render::value::value(&value, style)
        }
        Err(error) => format!(
            "{:#x}:<??? {}>",
            value.0,
            render::escape(&error.to_string())
        ),
    }
}

fn text(found: &Instances) -> String {
    let mut text = String::new();
    for instance in &found.instances {
        text.push_str(&instance.text);
        text.push('\n');
    }
    let last = found.first - 1 + found.instances.len();
    if last < found.total {
        text.push_str("..........\n");
    }
    let _ = writeln!(
        text,
        "(Showing {} to {last} of {} instances)",
        found.first, found.total
    );
    text
}
