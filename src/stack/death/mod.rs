//! Why a process died, as its dying thread tells: the functions that end a process are on its
//! stack, and hold what they were given.

mod evidence;
mod fault;
mod handles;
mod heap_use;
mod node_errors;

pub use heap_use::{HeapUse, SpaceSizes};
pub use node_errors::{EndedWorker, Rejection, WorkerLimits};

use super::backtrace::{Frame, Source};
use super::walk::{FoundBy, FrameKind};
use crate::metadata::InstanceType;
use crate::object::{HeapObject, Tagged};
use crate::target::{Signal, Thread};
use evidence::{NativeStack, PendingCall};
use handles::newest_handles;

/// Why a process died.
#[derive(Debug, Clone)]
pub struct Death {
    pub cause: Cause,
    /// The signal that it got, or sent to itself.
    pub signal: Option<Signal>,
    /// The isolate of the thread, by its number (0 is the main thread's) and its address.
    pub isolate: Option<(usize, u64)>,
}

/// What ended it.
#[derive(Debug, Clone)]
pub enum Cause {
    /// An exception that nothing caught; `None` where it was not found.
    Uncaught {
        exception: Option<Tagged>,
        /// Node.js ended it itself: for a rejected promise that nobody handled, as a rule.
        by_node: bool,
        /// Of a promise that was rejected with what is no Error, so that Node.js made one.
        rejection: Option<Rejection>,
        /// The Worker that ran out of memory, which Node.js made this exception of.
        ended_worker: Option<EndedWorker>,
    },
    /// The heap, or the process, had no more memory to give.
    OutOfMemory {
        /// What V8 was doing.
        location: Option<String>,
        message: Option<String>,
        heap: HeapUse,
        /// V8's line on the last garbage collection.
        last_collection: Option<String>,
    },
    /// V8's or Node's interface was used wrongly.
    Fatal {
        location: Option<String>,
        message: Option<String>,
    },
    /// A check in V8 failed.
    Check { message: Option<String> },
    /// A check in Node.js failed.
    Assertion {
        condition: Option<String>,
        function: Option<String>,
        /// File and line.
        place: Option<String>,
    },
    /// `process.abort()` was called.
    Abort,
    /// Nothing but the signal.
    Signal,
}

/// Mark before the text of a failed check.
const FAILURE_MARK: u64 = 0xdeca_de10;
const FAILURE_END_MARK: u64 = 0xdeca_de11;
const MAX_FAILURE: usize = 4096;
/// Signals that leave a core, by their numbers on Linux and macOS alike: ILL, ABRT, FPE, SEGV,
/// and those that differ: BUS, SYS; XCPU, XFSZ.
const DEADLY: [i32; 10] = [3, 4, 6, 7, 8, 10, 11, 24, 25, 31];
/// TRAP: what debuggers stop a process with, so deadly only where another process sent it.
const TRAP: i32 = 5;
/// What V8 and C's abort() end a process with: ILL, TRAP, ABRT.
const ABORTS: [i32; 3] = [4, 5, 6];

/// Why the process died, by the stack of `thread` (its frames are those of
/// [`Source::backtrace`]); `None` where nothing says that it is this thread's doing.
pub fn death(source: &Source, thread: &Thread, frames: &[Frame]) -> Option<Death> {
    let mut signal = source.target.signal(thread.index);
    let innermost = frames.iter().find(|f| f.kind.is_some());
    // What only looks like a frame of V8's does not end the C++ before it.
    let certain = innermost.filter(|f| f.found_by != FoundBy::Scan);
    let end = certain.map(|f| f.fp);
    let stack = NativeStack::of(source.target, source.program, thread, end);
    let cause = stack
        .as_ref()
        .and_then(|stack| cause(source, thread, stack, frames, signal));
    let own = source.target.symbolize(thread.registers.pc);
    let is_abort = own.is_some_and(|(name, _)| is_abort(&name));
    let cause = match cause {
        Some(cause) => cause,
        None if DEADLY.contains(&signal?.number) => Cause::Signal,
        None if signal?.number == TRAP && (signal?.sender.is_some() || is_abort) => Cause::Signal,
        None => return None,
    };
    // Node.js sends itself again what its handler of faults was called for.
    let own_process = source.target.process_id();
    if let Some(sent) = signal.as_mut().filter(|s| s.sender == Some(own_process)) {
        let memory = source.target.memory();
        if let Some(address) = fault::handled(memory, thread.registers, sent.number) {
            (sent.sender, sent.address) = (None, Some(address));
        }
    }
    let isolate = source.isolates.and_then(|all| {
        let isolate = all.of_thread(thread.index)?;
        Some((all.number(isolate)?, isolate.address))
    });
    Some(Death {
        cause,
        signal,
        isolate,
    })
}

/// Whether a function ends the process, called so by the linker or a debugger.
fn is_abort(name: &str) -> bool {
    name.contains("OS5Abort") || name.contains("OS::Abort") || name == "abort"
}

fn cause(
    source: &Source,
    thread: &Thread,
    stack: &NativeStack,
    frames: &[Frame],
    signal: Option<Signal>,
) -> Option<Cause> {
    let innermost = frames.iter().find(|f| f.kind.is_some());
    let calls = stack.calls();
    let own = source.target.symbolize(thread.registers.pc);
    let own = own.map_or(String::new(), |(name, _)| name);
    let is_in = |part: &str| calls.iter().find(|c| c.name.contains(part));
    let last_of = |parts: &[&str]| {
        let of = |c: &&PendingCall| parts.iter().any(|p| c.name.contains(p));
        calls.iter().rfind(of)
    };
    // These never return, so they are never left over from before.
    if is_in("AssertionInfo").is_some_and(|c| c.name.contains("Assert")) {
        return Some(assertion(source, stack, &calls));
    }
    if own.contains("V8_Fatal") || is_in("V8_Fatal").is_some() {
        return Some(Cause::Check {
            message: failure(stack),
        });
    }
    let report = [
        "OOMErrorHandler",
        "ReportOOMFailure",
        "V823FatalProcessOutOfMemory",
        "V8::FatalProcessOutOfMemory",
    ];
    if let Some(call) = last_of(&report) {
        let (location, message) = texts(stack, call.at);
        // A function that goes on with what it was given may keep it nowhere.
        let location = location.or_else(|| given_location(source, stack, &calls));
        let isolate = source.isolates.and_then(|i| i.of_thread(thread.index));
        let cx = source.cx;
        return Some(Cause::OutOfMemory {
            location,
            message,
            heap: heap_use::heap_use(stack, cx.memory, cx.layout, isolate),
            last_collection: last_collection(stack),
        });
    }
    if let Some(call) = last_of(&["OnFatalError", "ReportApiFailure"]) {
        let (location, message) = texts(stack, end_of_frame(&calls, call));
        return Some(Cause::Fatal { location, message });
    }
    // These may: it takes an end that is under way too.
    let ends = signal.is_none_or(|s| ABORTS.contains(&s.number))
        && (is_abort(&own)
            || signal.is_some_and(|s| s.number == 6 || s.number == 5)
            || calls.iter().any(|c| is_abort(&c.name)));
    if !ends {
        return None;
    }
    if is_in("TriggerUncaughtException").is_some() {
        let exception = first_argument(innermost).or_else(|| reported(source, thread));
        return Some(uncaught(source, frames, exception, true));
    }
    let is_throw = |c: &PendingCall| {
        c.name.contains("CreateMessageOrAbort")
            || c.name.contains("7Isolate5Throw")
            || c.name.contains("7Isolate13ThrowInternal")
            || c.name.contains("Isolate::Throw")
    };
    // Where the program's symbols do not name it, by the code that calls it: for a `throw` alone.
    let is_from_throw = || {
        let caller = frames.iter().filter(|f| f.kind.is_some()).nth(1);
        let code = caller.and_then(|f| f.code.as_deref());
        matches!(code, Some("ThrowHandler" | "ReThrowHandler"))
    };
    if is_abort(&own) && (calls.first().is_some_and(is_throw) || is_from_throw()) {
        let exception = reported(source, thread);
        return Some(uncaught(source, frames, exception, false));
    }
    let is_process_abort = |c: &PendingCall| {
        (c.name.starts_with("_ZN4node") && c.name.contains("5AbortERKN2v820FunctionCallbackInfo"))
            || c.name.starts_with("node::Abort(v8::FunctionCallbackInfo")
    };
    calls.iter().any(is_process_abort).then_some(Cause::Abort)
}

fn uncaught(source: &Source, frames: &[Frame], exception: Option<Tagged>, by_node: bool) -> Cause {
    let code = exception.and_then(|e| node_errors::code(source.cx, e));
    let is = |wanted: &str| code.as_deref() == Some(wanted);
    Cause::Uncaught {
        exception,
        by_node,
        rejection: is("ERR_UNHANDLED_REJECTION")
            .then(|| node_errors::rejection(source.cx, frames))
            .flatten(),
        ended_worker: is("ERR_WORKER_OUT_OF_MEMORY")
            .then(|| node_errors::ended_worker(source.cx, frames)),
    }
}

/// The first argument of the embedder's function that JavaScript called last.
fn first_argument(innermost: Option<&Frame>) -> Option<Tagged> {
    let frame = innermost?;
    if !matches!(
        frame.kind,
        Some(FrameKind::ApiExit | FrameKind::BuiltinExit | FrameKind::Exit)
    ) {
        return None;
    }
    let arguments = frame.calls.first()?.arguments.as_ref()?.as_ref().ok()?;
    arguments.first()?.tagged()
}

/// The exception of the message that V8 made of it just before: C++ holds handles to both.
fn reported(source: &Source, thread: &Thread) -> Option<Tagged> {
    let cx = source.cx;
    let isolate = source.isolates?.of_thread(thread.index)?;
    let message = |word: u64| -> Option<HeapObject> {
        let object = cx.object(Tagged(word)).ok()?;
        (object.instance_type().ok()? == InstanceType::JSMessageObject).then_some(object)
    };
    let message = newest_handles(cx.memory, cx.layout, isolate)
        .into_iter()
        .find_map(message)?;
    message.field(cx.layout.js_message_object.argument).ok()
}

/// Largest frame of Node's handler of fatal errors.
const LARGEST_FRAME: u64 = 0x100;

/// Where the frame of a pending call's function ends, which keeps there what it was given: at the
/// next return address.
fn end_of_frame(calls: &[PendingCall], call: &PendingCall) -> u64 {
    let largest = call.at.saturating_add(LARGEST_FRAME);
    let next = calls.iter().map(|c| c.at).find(|at| *at > call.at);
    next.map_or(largest, |at| at.min(largest))
}

/// Location and message given to a fatal error: the last two string constants on the stack before
/// `end`.
fn texts(stack: &NativeStack, end: u64) -> (Option<String>, Option<String>) {
    let mut found: Vec<(u64, String)> = Vec::new();
    for (at, word) in stack.words() {
        if at >= end {
            break;
        }
        if let Some(text) = stack.constant_text(word) {
            found.retain(|(address, _)| *address != word);
            found.push((word, text));
        }
    }
    let mut last = found.into_iter().rev().map(|(_, text)| text);
    match (last.next(), last.next()) {
        (Some(one), Some(two)) if is_location(&one, &two) => (Some(one), Some(two)),
        (Some(one), Some(two)) => (Some(two), Some(one)),
        (Some(one), None) if one.starts_with(OF_MEMORY) => (None, Some(one)),
        (one, _) => (one, None),
    }
}

/// What the outermost of V8's functions that tell of exhausted memory was given as the location.
fn given_location(source: &Source, stack: &NativeStack, calls: &[PendingCall]) -> Option<String> {
    let tells = |callee: u64| {
        let symbol = source.target.symbolize(callee);
        symbol.is_some_and(|(name, at)| at == 0 && name.contains("FatalProcessOutOfMemory"))
    };
    let call = calls.iter().rfind(|c| c.callee.is_some_and(tells))?;
    stack.second_argument_text(call.pc)
}

/// How V8's two messages about memory begin.
const OF_MEMORY: &str = "Allocation failed";

/// Whether of two texts the first one is the location: the name of a function where the other
/// one is a sentence, or what V8 did when memory ran out.
fn is_location(one: &str, two: &str) -> bool {
    let rank = |text: &str| match text {
        _ if text.starts_with(OF_MEMORY) => 3,
        _ if text.contains("::") => 0,
        _ if !text.contains(' ') => 1,
        _ => 2,
    };
    rank(one) < rank(two)
}

/// The text of V8's failed check, which it puts on the stack between marks.
fn failure(stack: &NativeStack) -> Option<String> {
    stack.words().find_map(|(at, word)| {
        if word != FAILURE_MARK {
            return None;
        }
        let bytes = stack.bytes_from(at.checked_add(8)?);
        let bytes = bytes.get(..bytes.len().min(MAX_FAILURE))?;
        let end = FAILURE_END_MARK.to_le_bytes();
        memchr::memmem::find(bytes, &end)?;
        let text = bytes.get(..memchr::memchr(0, bytes)?)?;
        (!text.is_empty()).then(|| String::from_utf8_lossy(text).trim_end().to_string())
    })
}

/// What Node's assertion was about: constants that the call of `node::Assert` names.
fn assertion(source: &Source, stack: &NativeStack, calls: &[PendingCall]) -> Cause {
    let is_assert = |callee: u64| {
        let symbol = source.target.symbolize(callee);
        symbol.is_some_and(|(name, at)| {
            at == 0 && name.contains("Assert") && name.contains("AssertionInfo")
        })
    };
    let call = calls.iter().find(|c| c.callee.is_some_and(is_assert));
    let info = call.and_then(|c| stack.constant_argument(c.pc));
    let part = |n: u64| {
        let at = info?.checked_add(8 * n)?;
        stack.text(source.cx.memory.u64(at).ok()?)
    };
    Cause::Assertion {
        place: part(0),
        condition: part(1),
        function: part(2),
    }
}

/// The last line of V8's account of its garbage collections, which is on the stack where it tells
/// of them.
fn last_collection(stack: &NativeStack) -> Option<String> {
    let bytes = stack.bytes_from(stack.start);
    let is_text = |b: &u8| matches!(b, b' '..=b'~' | b'\n');
    let at = memchr::memmem::find(bytes, b") -> ")?;
    let after = bytes.get(at..)?;
    let length = after.iter().take_while(|b| is_text(b)).count();
    let before = bytes.get(..at)?.iter().rev();
    let from = at - before.take_while(|b| is_text(b)).count();
    let text = std::str::from_utf8(bytes.get(from..at.checked_add(length)?)?).ok()?;
    let line = text
        .lines()
        .rev()
        .map(str::trim)
        .find(|l| l.contains(" MB"))?;
    // The buffer is a ring: the line may have lost its beginning.
    let start = line.rfind(" ms: ").map_or(0, |at| at + " ms: ".len());
    line.get(start..).map(str::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_are_told_from_messages() {
        for (location, message) in [
            (
                "Reached heap limit",
                "Allocation failed - JavaScript heap out of memory",
            ),
            ("v8::FromJust", "Maybe value is Nothing"),
            (
                "v8::HandleScope::CreateHandle()",
                "Cannot create a handle without a HandleScope",
            ),
        ] {
            assert!(is_location(location, message), "{location}");
            assert!(!is_location(message, location), "{message}");
        }
    }
}
