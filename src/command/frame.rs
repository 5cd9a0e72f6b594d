//! `v8 frame`, and what `v8 bt -v` adds: the variables of a frame by name.

use super::app::{App, Host};
use super::bt::{call_json, call_text, is_hidden, selected_thread, stack_source, value_json};
use super::source_list::lines_around;
use super::value::kept;
use super::Outcome;
use crate::deopt::{Tier, Value as Kept};
use crate::error::{Error, Result};
use crate::object::{Cx, SharedFunctionInfo};
use crate::render::escape;
use crate::stack::{arguments, scopes, Argument, Call, Frame, Scope};
use serde_json::{json, Value};
use std::fmt::Write;

/// Help.
pub const DETAILS: &str = "Arguments are named by the parameters in the function's source; a \
    parameter that is a pattern has\nno name. Variables that closures see are told scope by scope: \
    first those of the function itself,\nthen those around it.\n\n\
    \x20 number      the frame as 'v8 bt' numbers it; the selected one if not given\n\
    \x20 -r, --registers  the registers of its bytecode too: they hold the local variables that no\n\
    \x20             closure sees, whose names V8 does not keep\n\
    \x20 --json      print the result as JSON";

/// Lines of source shown before and after that of the call.
const AROUND: u64 = 2;

/// Runs the command.
pub fn run(app: &mut App, host: &dyn Host, arguments: &[String]) -> Outcome {
    frame(app, host, arguments).unwrap_or_else(Outcome::from)
}

fn frame(app: &mut App, host: &dyn Host, words: &[String]) -> Result<Outcome> {
    let mut json = false;
    let mut with_registers = false;
    let mut wanted: Option<u32> = None;
    for word in words {
        match word.as_str() {
            "--help" | "-h" => return Ok(super::help::of("frame")),
            "--json" => json = true,
            "-r" | "--registers" => with_registers = true,
            text => {
                let number = text.trim_start_matches('#').parse();
                wanted = Some(number.map_err(|_| {
                    Error::other(format!("'{text}' is no number of a frame; see v8 bt"))
                })?);
            }
        }
    }
    let session = app.session(host)?;
    let thread = selected_thread(session)?;
    let source = stack_source(session)?;
    let frames = source.backtrace(&thread, usize::MAX);
    let shown = |f: &&Frame| f.calls.iter().any(|c| !is_hidden(f, c));
    let frame = match wanted {
        Some(number) => frames
            .iter()
            .find(|f| f.number == number)
            .ok_or_else(|| Error::other(format!("there is no frame #{number}; see v8 bt"))),
        None => frames
            .iter()
            .find(|f| f.selected)
            .filter(shown)
            .or_else(|| frames.iter().find(shown))
            .ok_or_else(|| Error::other("no JavaScript is on the stack of this thread")),
    }?;
    let calls: Vec<&Call> = frame
        .calls
        .iter()
        .filter(|c| !is_hidden(frame, c))
        .collect();
    if calls.is_empty() {
        let number = frame.number;
        return Err(Error::other(format!(
            "frame #{number} is none of a JavaScript function; 'frame select {number}' and the \
             debugger's own commands show it"
        )));
    }
    let cx = source.cx;
    if json {
        let calls: Vec<Value> = calls.iter().map(|c| detail_json(cx, c)).collect();
        let value = json!({ "number": frame.number, "kind": frame.kind, "calls": calls });
        return Ok(Outcome::ok(format!("{value:#}\n")));
    }
    let mut text = String::new();
    for call in calls {
        let _ = writeln!(
            text,
            "frame #{}: {}",
            frame.number,
            call_text(cx, call, false)
        );
        if let Some(run_by) = run_by(call) {
            let _ = writeln!(text, "  {run_by}");
        }
        for line in variable_lines(cx, call, true) {
            let _ = writeln!(text, "  {line}");
        }
        if with_registers {
            for (i, value) in call.registers.iter().enumerate() {
                let _ = writeln!(text, "  r{i} = {}", kept(cx, value));
            }
        }
        for line in lines_around(call, AROUND).unwrap_or_default() {
            let _ = writeln!(text, "{line}");
        }
    }
    Ok(Outcome::ok(text))
}

/// The innermost call that stack traces show.
pub(super) fn first_shown<'a, 'b>(frames: &'b [Frame<'a>]) -> Option<&'b Call<'a>> {
    let mut calls = frames
        .iter()
        .flat_map(|f| f.calls.iter().filter(|c| !is_hidden(f, c)));
    calls.next()
}

/// "turbofan, inlined".
fn run_by(call: &Call) -> Option<String> {
    let tier = match call.tier? {
        Tier::Interpreted => "interpreted",
        Tier::Baseline => "baseline",
        Tier::Maglev => "maglev",
        Tier::Turbofan => "turbofan",
    };
    let inlined = if call.inlined { ", inlined" } else { "" };
    Some(format!("({tier}{inlined})"))
}

/// The variables a call can see, a line each; with `all` those around the function too.
pub(super) fn variable_lines(cx: Cx, call: &Call, all: bool) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(receiver) = &call.receiver {
        out.push(format!("this = {}", kept(cx, receiver)));
    }
    match arguments(call) {
        Some(Ok(list)) => {
            let mut rest = 0;
            for (i, argument) in list.iter().enumerate() {
                if argument.name.is_none() && argument.value.is_none() {
                    continue;
                }
                out.push(argument_line(cx, argument, i, &mut rest));
            }
        }
        Some(Err(error)) => out.push(format!("arguments: ??? ({error})")),
        None => {}
    }
    let Some(context) = call.context else {
        return out;
    };
    match scopes(context) {
        Ok(list) => {
            let own = own_scopes(call, &list);
            for (i, scope) in list.iter().enumerate() {
                if scope.variables.is_empty() || (i >= own && !all) {
                    continue;
                }
                out.push(scope_title(scope, i < own));
                for variable in &scope.variables {
                    let name = match &variable.name {
                        Ok(name) => escape(name).into_owned(),
                        Err(error) => format!("??? ({error})"),
                    };
                    out.push(format!("  {name} = {}", kept(cx, &variable.value)));
                }
            }
        }
        Err(error) => out.push(format!("scopes: ??? ({error})")),
    }
    out
}

fn argument_line(cx: Cx, argument: &Argument, index: usize, rest: &mut usize) -> String {
    let name = match &argument.name {
        Some(name) if argument.is_rest => {
            let line = format!("{}[{rest}]", escape(name));
            *rest += 1;
            line
        }
        Some(name) => escape(name).into_owned(),
        None => format!("arguments[{index}]"),
    };
    match &argument.value {
        Some(value) => format!("{name} = {}", kept(cx, value)),
        None => format!("{name} (not passed)"),
    }
}

/// How many scopes from the inside are the function's own.
fn own_scopes(call: &Call, list: &[Scope]) -> usize {
    let around = call.function.and_then(|f| f.context().ok());
    let around = around.map(|c| c.0.address);
    list.iter()
        .position(|s| Some(s.context.address) == around)
        .unwrap_or(if around.is_some() { list.len() } else { 0 })
}

fn scope_title(scope: &Scope, own: bool) -> String {
    let mut out = match &scope.name {
        Some(name) if !own => format!("{} {}", scope.kind.name(), escape(name)),
        _ => scope.kind.name().to_string(),
    };
    if own {
        out = format!("own {out}");
    }
    format!("{out}: (Context {:#x})", scope.context.tagged().0)
}

fn argument_json(cx: Cx, argument: &Argument) -> Value {
    json!({
        "name": argument.name,
        "rest": argument.is_rest,
        "passed": argument.value.is_some(),
        "value": argument.value.as_ref().map(|v| value_json(cx, v)),
    })
}

fn scope_json(cx: Cx, scope: &Scope, own: bool) -> Value {
    let variables = scope.variables.iter().map(|v| {
        json!({
            "name": v.name.as_ref().ok(),
            "error": v.name.as_ref().err().map(|e| e.to_string()),
            "value": value_json(cx, &v.value),
        })
    });
    json!({
        "kind": scope.kind,
        "function": scope.name,
        "own": own,
        "context": format!("{:#x}", scope.context.tagged().0),
        "variables": variables.collect::<Vec<_>>(),
    })
}

/// A call with its variables.
pub(super) fn detail_json(cx: Cx, call: &Call) -> Value {
    let mut out = call_json(cx, call);
    let named = match arguments(call) {
        Some(Ok(list)) => json!(list
            .iter()
            .map(|a| argument_json(cx, a))
            .collect::<Vec<_>>()),
        Some(Err(error)) => json!({ "error": error.to_string() }),
        None => Value::Null,
    };
    let scopes = match call.context.map(scopes) {
        Some(Ok(list)) => {
            let own = own_scopes(call, &list);
            let list = list.iter().enumerate();
            json!(list
                .map(|(i, s)| scope_json(cx, s, i < own))
                .collect::<Vec<_>>())
        }
        Some(Err(error)) => json!({ "error": error.to_string() }),
        None => Value::Null,
    };
    if let Some(object) = out.as_object_mut() {
        object.insert("named_arguments".to_string(), named);
        object.insert("scopes".to_string(), scopes);
        let registers = call.registers.iter().map(|v| value_json(cx, v));
        object.insert("registers".to_string(), registers.collect());
    }
    out
}

const CLOSURE_LINES: &str = "the word is no function: give the address of a function object";

/// Help.
pub const CLOSURE_DETAILS: &str = "The variables of the scopes that the function was made in, \
    innermost first, and where it is defined.\n\n\
    \x20 --json      print the result as JSON";

/// Runs `v8 closure`.
pub fn closure(app: &mut App, host: &dyn Host, arguments: &[String]) -> Outcome {
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
    let object = cx.object(value)?;
    if !object.instance_type()?.is_js_function() {
        return Err(Error::other(CLOSURE_LINES));
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
    for scope in list.iter().filter(|s| !s.variables.is_empty()) {
        let _ = writeln!(text, "  {}", scope_title(scope, false));
        for variable in &scope.variables {
            let name = match &variable.name {
                Ok(name) => escape(name).into_owned(),
                Err(error) => format!("??? ({error})"),
            };
            let _ = writeln!(text, "    {name} = {}", kept(cx, &variable.value));
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
