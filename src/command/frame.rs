//! `v8 frame`, and what `v8 bt -v` adds: the variables of a frame by name.

use super::app::{App, Host};
use super::bt::{call_text, is_hidden, selected_thread, stack_source};
use super::died;
use super::locals::{detail_json, variable_lines};
use super::source_list::lines_around;
use super::value::kept;
use super::Outcome;
use crate::error::{Error, Result};
use crate::stack::{death, Call, Frame, VariableNames};
use serde_json::{json, Value};
use std::fmt::Write;

/// Help.
pub const DETAILS: &str = "Arguments are named by the parameters in the function's source; a \
    parameter that is a pattern has\nno name. Local variables are those that can be named where the \
    call is. V8 keeps no names of those\nthat no closure sees: they are told from the function's source \
    where it agrees with all that V8\nkeeps. Variables that closures see are told scope by scope: first \
    those of the function itself, then\nthose around it; of a module also what it exports and imports, \
    of a function what 'eval' added,\nof a 'with' the properties of its object. <uninitialized>: its declaration has not run; \
    <not known>: it may or may not have;\n<optimized out>: the compiler has dropped it; (as passed): a parameter\n\
    that may have been given another value since.\n\n\
    Of a thread that ended the process it is said first why, with the exception.\n\n\
    \x20 number      the frame as 'v8 bt' numbers it; the selected one if not given\n\
    \x20 -r, --registers  the registers of its bytecode too\n\
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
    let cx = source.cx;
    let died = death(&source, &thread, &frames);
    let why = || {
        let died = died.iter();
        let lines = died.flat_map(|d| died::in_short(cx, source.program, d));
        lines.map(|line| line + "\n").collect::<String>()
    };
    let frame = match frame_of(&frames, wanted) {
        Ok(frame) => frame,
        // Why it died is told of any thread.
        Err(error) if !json => {
            let error = Some(error.to_string());
            return Ok(Outcome { text: why(), error });
        }
        Err(error) => return Err(error),
    };
    let calls = frame.calls.iter().filter(|c| !is_hidden(frame, c));
    let calls: Vec<&Call> = calls.collect();
    let names = VariableNames::default();
    if json {
        let died = died.map(|d| died::to_json(cx, source.program, &d));
        let calls: Vec<Value> = calls.iter().map(|c| detail_json(cx, c, &names)).collect();
        let value = json!({
            "number": frame.number,
            "kind": frame.kind,
            "calls": calls,
            "died": died,
        });
        return Ok(Outcome::ok(format!("{value:#}\n")));
    }
    let mut text = why();
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
        for line in variable_lines(cx, call, true, &names) {
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

/// The frame of a JavaScript function of this number, or the selected one, or the first.
fn frame_of<'a, 'b>(frames: &'b [Frame<'a>], wanted: Option<u32>) -> Result<&'b Frame<'a>> {
    let shown = |f: &&Frame| f.calls.iter().any(|c| !is_hidden(f, c));
    let Some(number) = wanted else {
        let selected = frames.iter().find(|f| f.selected).filter(shown);
        let found = selected.or_else(|| frames.iter().find(shown));
        return found.ok_or_else(|| Error::other("no JavaScript is on the stack of this thread"));
    };
    let found = frames.iter().find(|f| f.number == number);
    let frame =
        found.ok_or_else(|| Error::other(format!("there is no frame #{number}; see v8 bt")))?;
    match shown(&frame) {
        true => Ok(frame),
        false => Err(Error::other(format!(
            "frame #{number} is none of a JavaScript function; 'frame select {number}' and the \
             debugger's own commands show it"
        ))),
    }
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
    let tier = call.tier?.name();
    let inlined = if call.inlined { ", inlined" } else { "" };
    Some(format!("({tier}{inlined})"))
}
