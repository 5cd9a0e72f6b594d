//! `v8 bt`.

use super::app::{App, Host};
use super::died;
use super::locals::{detail_json, variable_lines};
use super::value::{kept, short};
use super::Outcome;
use crate::deopt::Value as Kept;
use crate::error::{Error, Result};
use crate::object::Cx;
use crate::render::escape;
use crate::session::{Choice, Session};
use crate::stack::{
    death, roles, Call, FoundBy, Frame, FrameKind, Place, Role, Source, VariableNames, WasmCall,
};
use crate::target::Thread;
use serde_json::{json, Value};
use std::fmt::Write;

/// Frames shown at most without a number.
const MAX_FRAMES: usize = 100_000;

/// Runs the command.
pub fn run(app: &mut App, host: &dyn Host, arguments: &[String]) -> Outcome {
    backtrace(app, host, arguments).unwrap_or_else(Outcome::from)
}

/// What the user asked for.
struct Options {
    json: bool,
    verbose: bool,
    all: bool,
    /// Asked for: awaiting functions, which only llnode's forms leave out.
    with_async: bool,
    limit: usize,
}

fn backtrace(app: &mut App, host: &dyn Host, arguments: &[String]) -> Result<Outcome> {
    let compat = app.settings.compat_llnode;
    let mut options = Options {
        json: false,
        verbose: false,
        all: false,
        with_async: false,
        limit: MAX_FRAMES,
    };
    for argument in arguments {
        match argument.as_str() {
            "--help" | "-h" => return Ok(super::help::of("bt")),
            "--json" => options.json = true,
            "-v" | "--verbose" => options.verbose = true,
            "--all" => options.all = true,
            "--async" => options.with_async = true,
            text if text.starts_with('-')
                && !text[1..].starts_with(|c: char| c.is_ascii_digit()) =>
            {
                let why = format!("unknown option '{text}'; see 'v8 bt --help'");
                return Err(Error::other(why));
            }
            text if !compat && text.parse::<i64>().is_err() => {
                return Err(Error::other(format!(
                    "'{text}' is no number of frames; see 'v8 bt --help'"
                )));
            }
            text => options.limit = frame_count(text)?,
        }
    }
    let session = app.session(host)?;
    let source = stack_source(session)?;
    if !options.all {
        let thread = selected_thread(session)?;
        let (text, value) = thread_stack(&source, &thread, None, &options, compat);
        let text = match options.json {
            true => format!("{value:#}\n"),
            false => text,
        };
        let error = missing_stacks(&source, &[thread]);
        return Ok(Outcome { text, error });
    }
    let mut text = String::new();
    let mut values = Vec::new();
    let mut threads = Vec::new();
    for (thread, role) in roles(session.target(), source.isolates) {
        let (lines, value) = thread_stack(&source, &thread, Some(role), &options, compat);
        if !text.is_empty() {
            text.push('\n');
        }
        text += &lines;
        values.push(value);
        threads.push(thread);
    }
    let text = match options.json {
        true => format!("{:#}\n", Value::Array(values)),
        false => text,
    };
    let error = missing_stacks(&source, &threads);
    Ok(Outcome { text, error })
}

/// What to say where stacks are not there to be walked: what is shown of them is a frame each, from
/// the registers.
fn missing_stacks(source: &Source, threads: &[Thread]) -> Option<String> {
    let is_missing = |t: &&Thread| source.cx.memory.u64(t.registers.sp).is_err();
    let missing = threads.iter().filter(is_missing).count();
    let whose = match (missing, threads) {
        (0, _) => return None,
        (_, [one]) => format!("this thread's stack (at {:#x}) is", one.registers.sp),
        (n, all) => format!("the stacks of {n} of {} threads are", all.len()),
    };
    Some(format!(
        "{whose} not in the core, which may be cut short: there is no more of it than this; take \
         the core again"
    ))
}

/// A thread's stack as text and, if asked for, as JSON.
fn thread_stack(
    source: &Source,
    thread: &Thread,
    role: Option<Role>,
    options: &Options,
    compat: bool,
) -> (String, Value) {
    let frames = source.backtrace(thread, options.limit);
    let names = VariableNames::default();
    let died = match options.json || !compat {
        true => death(source, thread, &frames),
        false => None,
    };
    if options.json {
        let died = died.map(|d| died::to_json(source.cx, source.program, &d));
        let frames = frames
            .iter()
            .map(|f| frame_json(source.cx, f, options, &names));
        let value = json!({
            "thread": {
                "index": thread.index,
                "id": thread.id,
                "name": thread.name,
                "description": thread.description,
                "role": role.map(Role::text),
            },
            "died": died,
            "frames": frames.collect::<Vec<_>>(),
        });
        return (String::new(), value);
    }
    let mut text = String::new();
    for line in died
        .iter()
        .flat_map(|d| died::lines(source.cx, source.program, d))
    {
        let _ = writeln!(text, " {line}");
    }
    let star = if thread.selected || role.is_none() {
        '*'
    } else {
        ' '
    };
    let role = role.map_or(String::new(), |r| format!(" ({})", r.text()));
    let _ = writeln!(text, " {star} {}{role}", escape(&thread.description));
    let with_async = options.with_async || !compat;
    let shown = |f: &&Frame| with_async || f.kind != Some(FrameKind::Async);
    for frame in frames.iter().filter(shown) {
        for (line, call) in lines(source.cx, frame, compat) {
            let star = if frame.selected { '*' } else { ' ' };
            let pc = frame.pc.unwrap_or(0);
            let _ = writeln!(text, "  {star} frame #{}: {pc:#018x} {line}", frame.number);
            if let (true, Some(call)) = (options.verbose, call) {
                for line in variable_lines(source.cx, call, false, &names) {
                    let _ = writeln!(text, "        {line}");
                }
            }
        }
    }
    (text, Value::Null)
}

/// As `strtol` reads it; -1 is all.
fn frame_count(text: &str) -> Result<usize> {
    let digits = text.trim_start();
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, digits.strip_prefix('+').unwrap_or(digits)),
    };
    let end = digits.find(|c: char| !c.is_ascii_digit());
    let number = sign * digits[..end.unwrap_or(digits.len())].parse().unwrap_or(0);
    match number {
        -1 => Ok(MAX_FRAMES),
        n => usize::try_from(n).map_err(|_| Error::other("Invalid number of frames")),
    }
}

/// The thread that runs the isolate of `--isolate`, else the one selected in the debugger.
pub(super) fn selected_thread(session: &Session) -> Result<Thread> {
    let mut threads = session.target().threads();
    let at = match session.choice() {
        Choice::Selected | Choice::All => threads.iter().position(|t| t.selected).unwrap_or(0),
        Choice::Number(_) | Choice::Address(_) => {
            let isolate = session.isolate()?;
            let runner = isolate.runner;
            let at = threads.iter().position(|t| Some(t.index) == runner);
            let address = isolate.address;
            at.ok_or_else(|| Error::other(format!("no thread runs the isolate at {address:#x}")))?
        }
    };
    if threads.is_empty() {
        return Err(Error::other("No valid thread, please start something"));
    }
    Ok(threads.swap_remove(at))
}

/// Where the stacks of a session's target are read from.
pub(super) fn stack_source(session: &Session) -> Result<Source<'_>> {
    Ok(Source {
        cx: session.cx()?,
        target: session.target(),
        program: &session.v8()?.program,
        isolates: session.isolates().ok(),
    })
}

/// What is told of a frame: a line for each function, else one.
fn lines<'a, 'b>(
    cx: Cx,
    frame: &'b Frame<'a>,
    compat: bool,
) -> Vec<(String, Option<&'b Call<'a>>)> {
    let trust = match frame.found_by {
        FoundBy::Scan => " [found by scanning the stack]",
        _ => "",
    };
    let calls: Vec<_> = frame
        .calls
        .iter()
        .filter(|c| !is_hidden(frame, c))
        .filter(|c| !(compat && c.inlined))
        .map(|c| {
            let tier = c.tier.filter(|_| !compat);
            let tier = tier.map_or(String::new(), |t| format!(" [{}]", t.name()));
            (call_text(cx, c, compat) + &tier + trust, Some(c))
        })
        .collect();
    if !calls.is_empty() {
        return calls;
    }
    if !compat && !frame.wasm.is_empty() {
        let wasm = frame.wasm.iter();
        return wasm.map(|c| (wasm_text(c) + trust, None)).collect();
    }
    let native = frame.native.as_ref();
    let native = native.map(|n| escape(&n.description).into_owned());
    let text = match frame.kind {
        None => native.unwrap_or_default(),
        // Not told apart in llnode's forms.
        Some(FrameKind::JsToWasm | FrameKind::WasmToJs) if compat => "<wasm>".to_string() + trust,
        Some(kind) => match label(kind) {
            Some(label) => {
                let code = frame.code.as_ref().filter(|_| !compat && is_told(kind));
                let code = code.map_or(String::new(), |name| format!(" {}", escape(name)));
                label.to_string() + &code + trust
            }
            None => native.unwrap_or_else(|| "<unknown>".to_string()) + trust,
        },
    };
    vec![(text, None)]
}

/// Functions that stack traces leave out: the embedder's in C++, V8's internal closures.
pub(super) fn is_hidden(frame: &Frame, call: &Call) -> bool {
    match frame.kind {
        Some(FrameKind::BuiltinExit | FrameKind::Builtin) => !call.site.is_visible,
        Some(FrameKind::ApiExit) => true,
        _ => false,
    }
}

/// A function of WebAssembly as a stack trace has it.
fn wasm_text(call: &WasmCall) -> String {
    let inlined = if call.inlined { " inlined" } else { "" };
    escape(&call.text).into_owned() + inlined
}

fn label(kind: FrameKind) -> Option<&'static str> {
    Some(match kind {
        FrameKind::Entry => "<entry>",
        FrameKind::ConstructEntry => "<entry_construct>",
        FrameKind::Exit | FrameKind::BuiltinExit | FrameKind::ApiExit => "<exit>",
        FrameKind::ArgumentsAdaptor => "<adaptor>",
        FrameKind::Construct => "<constructor>",
        FrameKind::Internal => "<internal>",
        FrameKind::Stub => "<stub>",
        FrameKind::Builtin
        | FrameKind::BuiltinContinuation
        | FrameKind::JavaScriptBuiltinContinuation => "<builtin>",
        FrameKind::Wasm => "<wasm>",
        FrameKind::JsToWasm => "<js-to-wasm>",
        FrameKind::WasmToJs => "<wasm-to-js>",
        FrameKind::Irregexp => "<regexp>",
        // A function whose frame does not decode.
        FrameKind::Interpreted | FrameKind::Baseline | FrameKind::Optimized => "<non-function>",
        FrameKind::Async => "<async>",
        FrameKind::Frameless => "<frameless>",
        FrameKind::Native | FrameKind::Unknown => return None,
    })
}

/// Whether the name of a frame's code tells more than its label. Those of entry and exit are V8's way
/// to call C++ and back, and that of a function's frame is what runs its bytecode.
fn is_told(kind: FrameKind) -> bool {
    use FrameKind::*;
    matches!(
        kind,
        Construct
            | Internal
            | Stub
            | Builtin
            | BuiltinContinuation
            | JavaScriptBuiltinContinuation
            | ArgumentsAdaptor
            | JsToWasm
            | WasmToJs
            | Frameless
    )
}

pub(super) fn call_text(cx: Cx, call: &Call, compat: bool) -> String {
    let debug_name = || call.site.function_name.clone();
    let anonymous = match call.site.is_async {
        true => "async <anonymous>",
        false => "<anonymous>",
    };
    let name = if compat {
        debug_name().unwrap_or_else(|| "(anonymous)".to_string())
    } else {
        call.site.name().unwrap_or_else(|| anonymous.to_string())
    };
    let mut out = escape(&name).into_owned();
    if call.site.combinator.is_some() {
        return out;
    }
    out.push('(');
    let mut parts = Vec::new();
    if let Some(value) = &call.receiver {
        parts.push(format!("this={}", kept(cx, value)));
    }
    match &call.arguments {
        Some(Ok(values)) => {
            parts.extend(values.iter().map(|v| kept(cx, v)));
            let left = call.argument_count.saturating_sub(values.len() as u64);
            if left > 0 {
                parts.push(format!("... {left} more"));
            }
        }
        Some(Err(error)) => parts.push(format!("??? ({error})")),
        None => parts.push("...".to_string()),
    }
    out += &parts.join(", ");
    out.push(')');
    let shown = if compat {
        &call.definition
    } else {
        &call.place
    };
    match shown {
        Ok(Some(place)) => {
            let _ = write!(out, " at {}", escape(&place.to_string()));
        }
        Ok(None) if compat => out += " at (no script)",
        Ok(None) => out += " at <anonymous>",
        Err(error) => {
            let _ = write!(out, " at ??? ({error})");
        }
    }
    match call.function {
        Some(function) => {
            let _ = write!(out, " fn={:#018x}", function.0.tagged().0);
        }
        None => out += " inlined",
    }
    if let (false, Ok(Some(place))) = (compat, &call.definition) {
        let base = Place {
            file: base_name(&place.file).to_string(),
            ..place.clone()
        };
        let _ = write!(out, " ({})", escape(&base.to_string()));
    }
    out
}

fn base_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

fn hex(value: u64) -> Value {
    json!(format!("{value:#x}"))
}

fn frame_json(cx: Cx, frame: &Frame, options: &Options, names: &VariableNames) -> Value {
    let calls = frame.calls.iter().map(|c| match options.verbose {
        true => detail_json(cx, c, names),
        false => call_json(cx, c),
    });
    json!({
        "number": frame.number,
        "pc": frame.pc.map(hex),
        "fp": hex(frame.fp),
        "kind": frame.kind,
        "code": frame.code,
        "found_by": frame.found_by,
        "native": frame.native.as_ref().map(|n| n.description.clone()),
        "selected": frame.selected,
        "calls": calls.collect::<Vec<_>>(),
        "wasm": frame.wasm,
    })
}

pub(super) fn value_json(cx: Cx, value: &Kept) -> Value {
    match value {
        Kept::Tagged(value) => json!({ "value": hex(value.0), "text": short(cx, *value) }),
        Kept::Unreadable(error) => json!({ "error": error.to_string() }),
        other => json!({ "text": kept(cx, other) }),
    }
}

fn place_json(place: &Result<Option<Place>>) -> Value {
    match place {
        Ok(place) => json!(place),
        Err(error) => json!({ "error": error.to_string() }),
    }
}

pub(super) fn call_json(cx: Cx, call: &Call) -> Value {
    let arguments = call.arguments.as_ref().map(|a| match a {
        Ok(values) => values.iter().map(|v| value_json(cx, v)).collect(),
        Err(error) => json!({ "error": error.to_string() }),
    });
    json!({
        "name": call.site.name(),
        "function_name": call.site.function_name,
        "type_name": call.site.type_name,
        "method_name": call.site.method_name,
        "is_async": call.site.is_async,
        "is_constructor": call.site.is_constructor,
        "is_toplevel": call.site.is_toplevel,
        "is_eval": call.site.is_eval,
        "in_stack_traces": call.site.is_visible,
        "inlined": call.inlined,
        "tier": call.tier,
        "function": call.function.map(|f| hex(f.0.tagged().0)),
        "shared": hex(call.shared.0.tagged().0),
        "this": call.receiver.as_ref().map(|r| value_json(cx, r)),
        "arguments": arguments,
        "argument_count": call.argument_count,
        "call": place_json(&call.place),
        "definition": place_json(&call.definition),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_frames_as_strtol_reads_them() {
        assert_eq!(frame_count("3").unwrap(), 3);
        assert_eq!(frame_count("abc").unwrap(), 0);
        assert_eq!(frame_count("-1").unwrap(), MAX_FRAMES);
        assert_eq!(
            frame_count("-3").unwrap_err().to_string(),
            "Invalid number of frames"
        );
        assert_eq!(frame_count("7x").unwrap(), 7);
    }
}
