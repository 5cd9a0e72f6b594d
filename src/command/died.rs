//! What `v8 bt` tells first: why the process died.

use super::exception::Exception;
use super::inspected::inspected;
use super::value::short;
use crate::object::Cx;
use crate::program::Program;
use crate::render::escape;
use crate::stack::{Cause, Death, EndedWorker, HeapUse};
use crate::target::Signal;
use serde_json::{json, Value};

/// The lines to show, without line ends.
pub fn lines(cx: Cx, program: &Program, death: &Death) -> Vec<String> {
    let mut out = Vec::new();
    let mut first = headline(cx, program, death);
    match &death.cause {
        Cause::Uncaught {
            exception: Some(value),
            rejection,
            ended_worker,
            ..
        } => {
            out.extend(Exception::new(cx, program, *value).lines(cx));
            if let Some(rejection) = rejection {
                out.push(format!(
                    "  reason: {}",
                    inspected(cx, program, rejection.reason)
                ));
                out.push(format!("  promise: {}", short(cx, rejection.promise)));
            }
            if let Some(worker) = ended_worker {
                out.extend(worker_lines(cx, worker));
            }
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
        _ => {}
    }
    if let Some((number, address)) = death.isolate.filter(|(number, _)| *number > 0) {
        out.insert(0, format!("  in worker {number} (isolate {address:#x})"));
    }
    if let (Some(signal), false) = (death.signal, matches!(death.cause, Cause::Signal)) {
        first += &format!(" ({})", signal_name(signal.number));
    }
    out.insert(0, first);
    out
}

/// Why it died, in a line, and the exception to go on with.
pub fn in_short(cx: Cx, program: &Program, death: &Death) -> Vec<String> {
    let keep = |(at, line): &(usize, String)| {
        let kept = ["  exception: ", "  in worker ", "  reason: "];
        *at == 0 || kept.iter().any(|k| line.starts_with(k))
    };
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
        } => format!(
            "Uncaught {}",
            escape(&Exception::new(cx, program, *value).text)
        ),
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
            "address": s.address.map(hex),
        })),
        "isolate": death.isolate.map(|(_, address)| hex(address)),
        "isolate_number": death.isolate.map(|(number, _)| number),
    });
    let mut put = |name: &str, value: Value| {
        if let Some(object) = out.as_object_mut() {
            object.insert(name.to_string(), value);
        }
    };
    match &death.cause {
        Cause::Uncaught {
            exception,
            by_node,
            rejection,
            ended_worker,
        } => {
            put("by_node", json!(by_node));
            let found = exception.map(|v| Exception::new(cx, program, v).to_json());
            put("exception", found.unwrap_or(Value::Null));
            if let Some(rejection) = rejection {
                put(
                    "rejection",
                    json!({
                        "promise": hex(rejection.promise.0),
                        "reason": hex(rejection.reason.0),
                        "text": inspected(cx, program, rejection.reason),
                    }),
                );
            }
            if let Some(worker) = ended_worker {
                put("ended_worker", json!(worker.worker.map(|w| hex(w.0))));
                put("worker_limits", json!(worker.limits));
            }
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

fn hex(word: u64) -> String {
    format!("{word:#x}")
}

/// What is told of a Worker that reached its limit.
fn worker_lines(cx: Cx, ended: &EndedWorker) -> Vec<String> {
    let whose = match ended.worker {
        Some(worker) => format!("  of the worker {}", short(cx, worker)),
        None => "  of a worker that is no longer on the stack".to_string(),
    };
    let mut out = vec![format!("{whose}, whose isolate and heap are gone")];
    out.push(match ended.limits {
        Some(limits) => format!(
            "  its limits: {} MiB for the old generation, {} MiB for the young one, {} MiB for \
             code, {} MiB of stack",
            limits.max_old_generation_size_mb,
            limits.max_young_generation_size_mb,
            limits.code_range_size_mb,
            limits.stack_size_mb
        ),
        None => "  its limits are gone too".to_string(),
    });
    out
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
