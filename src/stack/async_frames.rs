//! Who awaits what runs: the async functions that stack traces show after the stack.
//!
//! An async function that goes on after an `await` is called by nobody on the stack. Its promise
//! knows who waits for it: the reaction of an async function that awaits it has a closure with
//! that function's generator in its context, and so on outwards, through Promise.all and the like.

use super::location::bytecode_of;
use crate::error::Result;
use crate::metadata::InstanceType;
use crate::object::{Cx, HeapObject, JSFunction, JSGeneratorObject, JSPromise, PromiseState};

/// Promises followed at most.
const MAX_STEPS: usize = 10_000;
/// Slots of a builtin closure's context looked at; they have a handful.
const MAX_SLOTS: u64 = 16;

/// One that waits.
#[derive(Debug, Clone)]
pub enum Waiting<'a> {
    /// An async function or generator, at an `await`.
    Function(JSGeneratorObject<'a>),
    /// Promise.all, allSettled or any, for its promise of this index.
    Combinator {
        /// The closure that is called with the result.
        closure: JSFunction<'a>,
        name: &'static str,
        index: i64,
    },
}

/// The generator in the context of a closure that goes on after an `await`.
pub fn awaiting_generator<'a>(closure: JSFunction<'a>) -> Option<JSGeneratorObject<'a>> {
    let context = closure.context().ok()?;
    if context.0.instance_type().ok()? != InstanceType::AwaitContext {
        return None;
    }
    in_context(closure, |kind| {
        matches!(
            kind,
            InstanceType::JSGeneratorObject
                | InstanceType::JSAsyncFunctionObject
                | InstanceType::JSAsyncGeneratorObject
        )
    })
    .map(JSGeneratorObject)
}

/// The first object of some type in a closure's own context.
fn in_context(
    closure: JSFunction<'_>,
    wanted: impl Fn(InstanceType) -> bool,
) -> Option<HeapObject<'_>> {
    let context = closure.context().ok()?;
    let length = context.len().ok()?.min(MAX_SLOTS);
    // Before it: the scope and the context around.
    let previous = context.0.cx.layout.context.previous_index.offset().ok()?;
    (previous + 1..length).find_map(|i| {
        let object = context.0.cx.object(context.get(i).ok()?).ok()?;
        wanted(object.instance_type().ok()?).then_some(object)
    })
}

/// All that wait for a running generator, the nearest first.
pub fn waiting_for(running: JSGeneratorObject<'_>) -> Vec<Waiting<'_>> {
    let mut out = Vec::new();
    let mut promise = promise_of(running);
    for _ in 0..MAX_STEPS {
        let Some(current) = promise else { break };
        promise = step(current, &mut out).unwrap_or(None);
    }
    out
}

/// The promise of an async function, or of an async generator's present request.
pub(super) fn promise_of(generator: JSGeneratorObject<'_>) -> Option<JSPromise<'_>> {
    let cx = generator.0.cx;
    if let Ok(Some(value)) = generator.promise() {
        return as_promise(cx.object(value).ok()?);
    }
    if generator.0.instance_type().ok()? != InstanceType::JSAsyncGeneratorObject {
        return None;
    }
    let request = generator
        .0
        .object_field(cx.layout.js_generator.async_queue)
        .ok()?;
    if request.instance_type().ok()? != InstanceType::AsyncGeneratorRequest {
        return None;
    }
    let promise = request.object_field(cx.layout.async_generator_request.promise);
    as_promise(promise.ok()?)
}

fn as_promise(object: HeapObject<'_>) -> Option<JSPromise<'_>> {
    (object.instance_type().ok()? == InstanceType::JSPromise).then_some(JSPromise(object))
}

fn capability_promise(object: HeapObject<'_>) -> Option<JSPromise<'_>> {
    let field = object.cx.layout.promise_capability.promise;
    as_promise(object.object_field(field).ok()?)
}

/// A function of V8's own (it has no script).
fn builtin(cx: Cx<'_>, value: crate::object::Tagged) -> Option<JSFunction<'_>> {
    let function = JSFunction::new(cx.object(value).ok()?).ok()?;
    function
        .shared()
        .ok()?
        .script()
        .ok()?
        .is_none()
        .then_some(function)
}

/// Whether a closure is one of those that Promise.all and the like give their promises.
fn capability_in(closure: JSFunction<'_>) -> Option<HeapObject<'_>> {
    in_context(closure, |kind| kind == InstanceType::PromiseCapability)
}

/// Who waits for this promise goes into `out`; the result is the promise to go on with.
fn step<'a>(promise: JSPromise<'a>, out: &mut Vec<Waiting<'a>>) -> Result<Option<JSPromise<'a>>> {
    let cx = promise.0.cx;
    let layout = &cx.layout.promise_reaction;
    if promise.state()? != PromiseState::Pending {
        return Ok(None);
    }
    // Only with exactly one reaction it is clear who waits.
    let Ok(reaction) = cx.object(promise.reactions_or_result()?) else {
        return Ok(None);
    };
    if reaction.instance_type()? != InstanceType::PromiseReaction
        || !reaction.field(layout.next)?.is_smi()
    {
        return Ok(None);
    }
    let fulfill = builtin(cx, reaction.field(layout.fulfill_handler)?);
    let reject = builtin(cx, reaction.field(layout.reject_handler)?);
    if let Some(closure) = fulfill {
        if let Some(generator) = awaiting_generator(closure) {
            out.push(Waiting::Function(generator));
            return Ok(promise_of(generator));
        }
    }
    if let Some((name, closure, capability)) = combinator(fulfill, reject) {
        out.push(Waiting::Combinator {
            closure,
            name,
            index: index_of(closure).unwrap_or(-1),
        });
        return Ok(capability_promise(capability));
    }
    if let Some(closure) = fulfill {
        if let Some(next) = in_context(closure, |kind| kind == InstanceType::JSPromise) {
            return Ok(as_promise(next));
        }
    }
    let Ok(next) = cx.object(reaction.field(layout.promise_or_capability)?) else {
        return Ok(None);
    };
    Ok(match next.instance_type()? {
        InstanceType::PromiseCapability => capability_promise(next),
        _ => as_promise(next),
    })
}

/// The combinator whose closures these are: its name, the one that is called, its capability.
fn combinator<'a>(
    fulfill: Option<JSFunction<'a>>,
    reject: Option<JSFunction<'a>>,
) -> Option<(&'static str, JSFunction<'a>, HeapObject<'a>)> {
    let all = fulfill.and_then(|f| Some((f, capability_in(f)?)));
    let any = reject.and_then(|f| Some((f, capability_in(f)?)));
    let name = match (&all, &any) {
        (Some((f, _)), Some((r, _))) if same_context(*f, *r) => "allSettled",
        (Some(_), _) => "all",
        _ => "any",
    };
    let (closure, capability) = all.or(any)?;
    Some((name, closure, capability))
}

/// The combinator that a reaction is of: its name, and the address of its own promise.
pub(super) fn combinator_of(reaction: HeapObject<'_>) -> Option<(&'static str, u64)> {
    let cx = reaction.cx;
    let layout = &cx.layout.promise_reaction;
    let handler = |field| builtin(cx, reaction.field(field).ok()?);
    let (fulfill, reject) = (
        handler(layout.fulfill_handler),
        handler(layout.reject_handler),
    );
    let (name, _, capability) = combinator(fulfill, reject)?;
    Some((name, capability_promise(capability)?.0.address))
}

fn same_context(a: JSFunction, b: JSFunction) -> bool {
    let of = |f: JSFunction| f.context().map(|c| c.0.address).ok();
    of(a) == of(b)
}

/// Which promise a combinator's closure is for: V8 keeps it as the closure's hash.
fn index_of(closure: JSFunction) -> Option<i64> {
    let cx = closure.0.cx;
    let hash = closure.0.field(cx.layout.js_object.properties_or_hash);
    Some(cx.smi(hash.ok()?)? - 1)
}

/// Where in its script a suspended async function awaits.
pub fn await_position(generator: JSGeneratorObject) -> Result<i64> {
    let cx = generator.0.cx;
    let offset = generator
        .0
        .smi_field(cx.layout.js_generator.input_or_debug_pos)?;
    let bytecode = bytecode_of(generator.function()?.shared()?)?;
    bytecode.position(offset - bytecode.first_offset()?)
}
