//! What `v8 bt` tells first: why the process died.

use super::error_stack;
use super::value::short;
use crate::metadata::InstanceType;
use crate::object::summary::{Options, Section, StackEntry, Value as Summary};
use crate::object::{
    data_property, error_text, is_like_error, number_text, Cx, JSString, Symbol, Tagged,
};
use crate::program::Program;
use crate::render::escape;
use crate::stack::{Cause, Death, HeapUse};
use crate::target::Signal;
use serde_json::{json, Value};

/// Lines of an Error's stack shown.
const MAX_LINES: usize = 50;
/// Errors that caused one another, followed at most.
const MAX_CAUSES: usize = 8;
/// Longest thrown string shown.
const MAX_TEXT: usize = 4096;

/// An exception in words.
struct Exception {
    value: Tagged,
    text: String,
    /// Lines of its stack, each from "at" on.
    stack: Vec<String>,
    causes: Vec<String>,
}

/// The lines to show, without line ends.
pub fn lines(cx: Cx, program: &Program, death: &Death) -> Vec<String> {
    let mut out = Vec::new();
    let mut first = headline(cx, program, death);
    match &death.cause {
        Cause::Uncaught {
            exception: Some(value),
            ..
        } => {
            let found = exception(cx, program, *value);
            // A message of several lines stays in one place.
            out.extend(
                found
                    .stack
                    .iter()
                    .take(MAX_LINES)
                    .map(|l| format!("    {l}")),
            );
            let more = found.stack.len().saturating_sub(MAX_LINES);
            if more > 0 {
                out.push(format!("    … {more} more"));
            }
            out.extend(found.causes.iter().map(|c| format!("  [cause]: {c}")));
            out.push(format!("  exception: {}", short(cx, *value)));
        }
        Cause::OutOfMemory {
            heap,
            last_collection,
            ..
        } => {
            if let Some(text) = heap_text(heap) {
                out.push(format!("  {text}"));
            }
            if let Some(text) = last_collection {
                out.push(format!("  last collection: {}", escape(text)));
            }
        }
        Cause::Signal => {}
        _ => {}
    }
    if let (Some(signal), false) = (death.signal, matches!(death.cause, Cause::Signal)) {
        first += &format!(" ({})", signal_name(signal.number));
    }
    out.insert(0, first);
    out
}

/// Why it died, in a line, and the exception to go on with.
pub fn in_short(cx: Cx, program: &Program, death: &Death) -> Vec<String> {
    let keep = |(at, line): &(usize, String)| *at == 0 || line.starts_with("  exception: ");
    let lines = lines(cx, program, death).into_iter().enumerate();
    lines.filter(keep).map(|(_, line)| line).collect()
}

/// The first line.
fn headline(cx: Cx, program: &Program, death: &Death) -> String {
    let parts = |parts: [&Option<String>; 2]| {
        let all: Vec<_> = parts.into_iter().flatten().map(|t| escape(t)).collect();
        all.join(" ")
    };
    let or = |text: String| match text.is_empty() {
        true => "its text was not found".to_string(),
        false => text,
    };
    match &death.cause {
        Cause::Uncaught {
            exception: Some(value),
            ..
        } => format!("Uncaught {}", escape(&exception(cx, program, *value).text)),
        Cause::Uncaught {
            exception: None, ..
        } => "Uncaught exception; it was not found on the stack".to_string(),
        Cause::OutOfMemory {
            location, message, ..
        } => match (location, message) {
            (None, None) => "FATAL ERROR: out of memory".to_string(),
            _ => format!("FATAL ERROR: {}", parts([location, message])),
        },
        Cause::Fatal { location, message } => {
            format!("FATAL ERROR: {}", or(parts([location, message])))
        }
        Cause::Check { message } => {
            format!("Fatal error in V8: {}", or(parts([message, &None])))
        }
        Cause::Assertion {
            condition,
            function,
            place,
        } => {
            let mut text = format!("Assertion failed: {}", or(parts([condition, &None])));
            for (word, part) in [("in", function), ("at", place)] {
                if let Some(part) = part {
                    text += &format!(", {word} {}", escape(part));
                }
            }
            text
        }
        Cause::Abort => "process.abort() was called".to_string(),
        Cause::Signal => death.signal.map_or_else(String::new, signal_text),
    }
}

/// The same for programs.
pub fn to_json(cx: Cx, program: &Program, death: &Death) -> Value {
    let mut out = json!({
        "cause": cause_name(&death.cause),
        "text": headline(cx, program, death),
        "signal": death.signal.map(|s| json!({
            "number": s.number,
            "name": signal_name(s.number),
            "sender": s.sender,
            "address": s.address.map(|a| format!("{a:#x}")),
        })),
    });
    let mut put = |name: &str, value: Value| {
        if let Some(object) = out.as_object_mut() {
            object.insert(name.to_string(), value);
        }
    };
    match &death.cause {
        Cause::Uncaught {
            exception: of,
            by_node,
        } => {
            put("by_node", json!(by_node));
            let found = of.map(|v| exception(cx, program, v));
            put(
                "exception",
                found.map_or(Value::Null, |e| {
                    json!({
                        "value": format!("{:#x}", e.value.0),
                        "text": e.text,
                        "stack": e.stack,
                        "causes": e.causes,
                    })
                }),
            );
        }
        Cause::OutOfMemory {
            location,
            message,
            heap,
            last_collection,
        } => {
            put("location", json!(location));
            put("message", json!(message));
            put("heap", json!(heap));
            put("last_collection", json!(last_collection));
        }
        Cause::Fatal { location, message } => {
            put("location", json!(location));
            put("message", json!(message));
        }
        Cause::Check { message } => put("message", json!(message)),
        Cause::Assertion {
            condition,
            function,
            place,
        } => {
            put("condition", json!(condition));
            put("function", json!(function));
            put("place", json!(place));
        }
        Cause::Abort | Cause::Signal => {}
    }
    out
}

fn cause_name(cause: &Cause) -> &'static str {
    match cause {
        Cause::Uncaught { .. } => "uncaught_exception",
        Cause::OutOfMemory { .. } => "out_of_memory",
        Cause::Fatal { .. } => "fatal_error",
        Cause::Check { .. } => "failed_check",
        Cause::Assertion { .. } => "failed_assertion",
        Cause::Abort => "abort",
        Cause::Signal => "signal",
    }
}

fn exception(cx: Cx, program: &Program, value: Tagged) -> Exception {
    let mut causes = Vec::new();
    let mut at = value;
    while causes.len() < MAX_CAUSES {
        let Some(next) = cause_of(cx, at) else { break };
        causes.push(value_text(cx, next));
        at = next;
    }
    Exception {
        value,
        text: value_text(cx, value),
        stack: stack(cx, program, value),
        causes,
    }
}

fn cause_of(cx: Cx, value: Tagged) -> Option<Tagged> {
    let object = cx.object(value).ok()?;
    if object.instance_type().ok()? != InstanceType::JSError {
        return None;
    }
    let cause = data_property(object, "cause").ok()??;
    let kind = cx.object(cause).ok()?.instance_type().ok()?;
    (kind == InstanceType::JSError).then_some(cause)
}

/// As V8 says it after "Uncaught"; an object that is no Error as `v8 print` shows it.
fn value_text(cx: Cx, value: Tagged) -> String {
    let special = || -> Option<String> {
        if let Some(number) = cx.smi(value) {
            return Some(number.to_string());
        }
        let object = cx.object(value).ok()?;
        match object.instance_type().ok()? {
            // A DOMException has neither a name nor a message of its own.
            InstanceType::JSError => error_text(object).ok().filter(|t| !t.is_empty()),
            InstanceType::String => {
                let text = JSString(object).read(MAX_TEXT).ok()?;
                let more = if text.is_truncated() { "…" } else { "" };
                Some(format!("{}{more}", text.text()))
            }
            InstanceType::HeapNumber => {
                let bits = object.u64_field(cx.layout.heap_number.value).ok()?;
                Some(number_text(f64::from_bits(bits)))
            }
            InstanceType::Symbol => {
                let text = Symbol(object).description(MAX_TEXT).ok()?;
                let text = text.map_or_else(String::new, |t| t.text());
                Some(format!("Symbol({text})"))
            }
            InstanceType::Oddball => {
                let text = short(cx, value);
                let inner = text.split_once('<')?.1.strip_suffix('>')?;
                Some(inner.to_string())
            }
            _ if is_like_error(object) => error_text(object).ok().filter(|t| !t.is_empty()),
            _ => None,
        }
    };
    special().unwrap_or_else(|| short(cx, value))
}

/// The lines of the stack that an Error captured.
fn stack(cx: Cx, program: &Program, value: Tagged) -> Vec<String> {
    let Ok(mut shown) = Summary::detailed(cx, value, Options::default()) else {
        return Vec::new();
    };
    error_stack::locate(cx, program, &mut shown);
    for section in &shown.sections {
        let Section::ErrorStack { frames, text } = section else {
            continue;
        };
        if let Some(text) = text {
            let lines = text.text.lines().map(str::trim_start);
            let lines = lines.filter(|l| l.starts_with("at "));
            return lines.map(|l| escape(l).into_owned()).collect();
        }
        return frames.iter().map(frame_text).collect();
    }
    Vec::new()
}

fn frame_text(frame: &StackEntry) -> String {
    let place = frame.location.as_ref().map_or_else(
        || "<anonymous>".to_string(),
        |l| format!("{}:{}:{}", l.script, l.line, l.column),
    );
    let text = match frame.call.as_deref().filter(|c| !c.is_empty()) {
        Some(call) => format!("at {call} ({place})"),
        None => format!("at {place}"),
    };
    escape(&text).into_owned()
}

fn heap_text(heap: &HeapUse) -> Option<String> {
    let mib = |bytes: u64| format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20));
    let mut parts = Vec::new();
    match (heap.limit, heap.old_generation_limit) {
        (Some(limit), Some(old)) => parts.push(format!(
            "heap limit {} ({} for the old generation)",
            mib(limit),
            mib(old)
        )),
        _ => parts.push("the heap's limit was not found".to_string()),
    }
    if let Some(used) = heap.used {
        let spaces = [
            ("old space", used.old_space),
            ("large objects", used.large_object_space),
            ("new space", used.new_space),
            (
                "code",
                used.code_space.saturating_add(used.code_large_object_space),
            ),
            ("maps", used.map_space),
        ];
        let spaces: Vec<_> = spaces
            .into_iter()
            .filter(|(_, bytes)| *bytes > 0)
            .map(|(name, bytes)| format!("{name} {}", mib(bytes)))
            .collect();
        parts.push(format!(
            "in use {}: {}",
            mib(used.total()),
            spaces.join(", ")
        ));
    }
    (heap.limit.is_some() || heap.used.is_some()).then(|| parts.join("; "))
}

fn signal_text(signal: Signal) -> String {
    let mut text = format!("Killed by {}", signal_name(signal.number));
    if let Some(sender) = signal.sender {
        text += &format!(", sent by process {sender}");
    }
    if let Some(address) = signal.address {
        text += &format!(", address {address:#x}");
    }
    text
}

/// Numbers as Linux has them; those that macOS has otherwise are given as numbers there.
fn signal_name(number: i32) -> String {
    let name = match number {
        3 => "SIGQUIT",
        4 => "SIGILL",
        5 => "SIGTRAP",
        6 => "SIGABRT",
        8 => "SIGFPE",
        11 => "SIGSEGV",
        24 => "SIGXCPU",
        25 => "SIGXFSZ",
        7 if cfg!(target_os = "linux") => "SIGBUS",
        31 if cfg!(target_os = "linux") => "SIGSYS",
        _ => return format!("signal {number}"),
    };
    name.to_string()
}
