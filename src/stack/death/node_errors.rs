//! What Node's own errors are about, as the functions that made them still hold it.

use crate::metadata::InstanceType;
use crate::object::{Cx, JSObject, JSPromise, PromiseState, Tagged};
use crate::stack::backtrace::Frame;

/// JavaScript functions looked at, the innermost first.
const MAX_CALLS: usize = 3;
/// The same for the one that tells of a worker's end: the listeners of 'error' are before it.
const MAX_CALLS_TO_EXIT: usize = 32;
/// Longest error code of Node's.
const MAX_CODE: usize = 64;

/// A promise that nobody handled.
#[derive(Debug, Clone, Copy)]
pub struct Rejection {
    pub promise: Tagged,
    /// What it was rejected with.
    pub reason: Tagged,
}

/// The `code` of an Error.
pub fn code(cx: Cx, error: Tagged) -> Option<String> {
    let error = cx.object(error).ok()?;
    if error.instance_type().ok()? != InstanceType::JSError {
        return None;
    }
    JSObject(error).data_string("code", MAX_CODE).ok().flatten()
}

/// The promise that the functions at the end of the stack are about.
pub fn rejection(cx: Cx, frames: &[Frame]) -> Option<Rejection> {
    let calls = frames.iter().flat_map(|f| &f.calls).take(MAX_CALLS);
    let values = calls.flat_map(|call| {
        let passed = call.arguments.iter().flatten().flatten();
        passed.chain(&call.registers)
    });
    values.filter_map(|v| v.tagged()).find_map(|promise| {
        let object = cx.object(promise).ok()?;
        if object.instance_type().ok()? != InstanceType::JSPromise {
            return None;
        }
        let object = JSPromise(object);
        if object.state().ok()? != PromiseState::Rejected {
            return None;
        }
        let reason = object.reactions_or_result().ok()?;
        Some(Rejection { promise, reason })
    })
}

/// The Worker whose end is being told of.
pub fn ended_worker(frames: &[Frame]) -> Option<Tagged> {
    let calls = frames.iter().flat_map(|f| &f.calls);
    let mut calls = calls.take(MAX_CALLS_TO_EXIT);
    let is_it = |name: &str| name.ends_with("[kOnExit]");
    let call = calls.find(|c| c.site.name().as_deref().is_some_and(is_it))?;
    call.receiver.as_ref()?.tagged()
}
