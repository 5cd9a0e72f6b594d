//! What Node's own errors are about, as the functions that made them still hold it.

use crate::metadata::InstanceType;
use crate::object::{Cx, JSObject, JSPromise, PromiseState, Tagged};
use crate::stack::backtrace::{Call, Frame};
use serde::Serialize;

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

/// A Worker that ended.
#[derive(Debug, Clone, Copy, Default)]
pub struct EndedWorker {
    /// `None` where the functions that tell of its end have returned.
    pub worker: Option<Tagged>,
    pub limits: Option<WorkerLimits>,
}

/// What a Worker might use, as `worker.resourceLimits` tells it while it runs: in MiB.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct WorkerLimits {
    pub max_young_generation_size_mb: f64,
    pub max_old_generation_size_mb: f64,
    pub code_range_size_mb: f64,
    pub stack_size_mb: f64,
}

/// The Worker whose end is being told of.
pub fn ended_worker(cx: Cx, frames: &[Frame]) -> EndedWorker {
    let calls = frames.iter().flat_map(|f| &f.calls);
    let mut calls = calls.take(MAX_CALLS_TO_EXIT);
    let is_it = |name: &str| name.ends_with("[kOnExit]");
    let of = |call: &Call| call.receiver.as_ref()?.tagged();
    let call = calls.find(|c| c.site.name().as_deref().is_some_and(is_it));
    EndedWorker {
        worker: call.and_then(of),
        // Called by its handle, which C++ still has.
        limits: call.and_then(|_| limits(cx, of(calls.next()?)?)),
    }
}

/// Bytes of C++'s Worker looked at.
const WORKER: u64 = 0x400;
/// No limit is larger.
const MOST: f64 = (1u64 << 32) as f64;

/// The limits in the C++ object of a handle: four numbers, and then the last one again in bytes.
fn limits(cx: Cx, handle: Tagged) -> Option<WorkerLimits> {
    let object = cx.object(handle).ok()?;
    let mut fields = JSObject(object).embedder_fields().ok()?.step_by(8);
    let word = |at: u64| cx.memory.u64(at).ok();
    let number = |bits: u64| {
        let value = f64::from_bits(bits);
        (value.is_sign_positive() && (0.0..MOST).contains(&value)).then_some(value)
    };
    fields.find_map(|field| {
        let worker = object.tagged_at(field).ok()?.0;
        if worker % 8 != 0 || worker < 0x1000 {
            return None;
        }
        (0..WORKER / 8).find_map(|n| {
            let at = worker.checked_add(8 * n)?;
            let part = |n: u64| word(at.checked_add(8 * n)?);
            let bytes = part(4).filter(|b| *b > 0 && *b < 1 << 40)?;
            let stack = number(part(3)?)?;
            let megabyte = f64::from(1 << 20);
            if (stack * megabyte) as u64 != bytes {
                return None;
            }
            Some(WorkerLimits {
                max_young_generation_size_mb: number(part(0)?)?,
                max_old_generation_size_mb: number(part(1)?).filter(|v| *v > 0.0)?,
                code_range_size_mb: number(part(2)?)?,
                stack_size_mb: stack,
            })
        })
    })
}
