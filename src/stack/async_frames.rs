//! Who awaits what runs: the async functions that stack traces show after the stack.
//!
//! An async function that goes on after an `await` is called by nobody on the stack. Its promise
//! knows who waits for it: the reaction of an async function that awaits it has a closure with
//! that function's generator in its context, and so on outwards, through Promise.all and the like.
//! Where the chain begins is told by the microtask that V8 is at: the reaction of a promise, to go
//! on with an async function or to call what `then` was given.

use super::location::bytecode_of;
use crate::error::Result;
use crate::memory::Memory;
use crate::metadata::InstanceType;
use crate::object::{
    Cx, GeneratorState, HeapObject, JSFunction, JSGeneratorObject, JSPromise, PromiseState,
};
use crate::program::Program;

/// Promises followed at most.
const MAX_STEPS: usize = 10_000;
/// Reactions of a promise, and of those behind it, that are looked at where a chain parts.
const MAX_BRANCHES: usize = 100_000;
/// Those that are kept of them.
const KEPT_BRANCHES: usize = 16;
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

/// Tells V8's closures that promises call from one another.
#[derive(Clone, Copy)]
pub struct Closures<'p> {
    /// V8's names of its builtins by number; without them a closure is told by its context.
    names: &'p [String],
}

/// Who waits for a promise, as one line of a chain.
#[derive(Debug, Clone)]
pub enum Awaiter<'a> {
    /// One does; and so many other things are called with the result, which nobody waits for.
    One(Waiting<'a>, usize),
    /// Several do, some of them here; so many that the chain ends.
    Several(Vec<Waiting<'a>>, usize),
}

/// What one of V8's closures is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    /// An async function or generator goes on.
    Await,
    /// Promise.all, allSettled or any gets a result: its name.
    Combinator(&'static str),
    /// The `resolve` that an executor is given.
    Resolve,
    Other,
}

/// Those of a reaction that are V8's own.
struct Handlers<'a> {
    fulfill: Option<JSFunction<'a>>,
    reject: Option<JSFunction<'a>>,
}

impl<'p> Closures<'p> {
    pub fn new(program: &'p Program, memory: &dyn Memory) -> Closures<'p> {
        Closures {
            names: program.builtin_names(memory),
        }
    }

    /// V8's name of a builtin function; `None` of another, and where the names are not known.
    fn name(self, function: JSFunction) -> Option<&'p str> {
        let number = function.shared().ok()?.function_data().ok()?;
        let number = usize::try_from(function.0.cx.smi(number)?).ok()?;
        self.names.get(number).map(String::as_str)
    }

    /// Whether it is the function that rejects a promise. Without V8's names it is not known.
    pub(super) fn is_reject(self, function: JSFunction) -> bool {
        self.name(function) == Some("PromiseCapabilityDefaultReject")
    }

    /// What a handler is for, which is called when the promise is fulfilled, or when it is not.
    fn use_of(self, handlers: &Handlers, fulfilled: bool) -> Use {
        let handler = match fulfilled {
            true => handlers.fulfill,
            false => handlers.reject,
        };
        let Some(handler) = handler else {
            return Use::Other;
        };
        match (self.name(handler), fulfilled) {
            (Some(name), true) => match name {
                "AsyncFunctionAwaitResolveClosure"
                | "AsyncGeneratorAwaitResolveClosure"
                | "AsyncGeneratorYieldResolveClosure"
                | "AsyncGeneratorYieldWithAwaitResolveClosure" => Use::Await,
                "PromiseAllResolveElementClosure" => Use::Combinator("all"),
                "PromiseAllSettledResolveElementClosure" => Use::Combinator("allSettled"),
                "PromiseCapabilityDefaultResolve" => Use::Resolve,
                _ => Use::Other,
            },
            (Some(name), false) => match name {
                "AsyncFunctionAwaitRejectClosure" | "AsyncGeneratorAwaitRejectClosure" => {
                    Use::Await
                }
                "PromiseAnyRejectElementClosure" => Use::Combinator("any"),
                _ => Use::Other,
            },
            (None, _) if awaiting_generator(handler).is_some() => Use::Await,
            (None, true) => match (capability_in(handler), handlers.reject) {
                (Some(_), Some(reject)) if same_context(handler, reject) => {
                    Use::Combinator("allSettled")
                }
                (Some(_), _) => Use::Combinator("all"),
                (None, _) if promise_in(handler).is_some() => Use::Resolve,
                (None, _) => Use::Other,
            },
            (None, false) if capability_in(handler).is_some() => Use::Combinator("any"),
            (None, false) => Use::Other,
        }
    }

    /// The combinator that a reaction is of: its name, and the closure that is called.
    fn combinator<'a>(self, handlers: &Handlers<'a>) -> Option<(&'static str, JSFunction<'a>)> {
        if let Use::Combinator(name) = self.use_of(handlers, true) {
            return Some((name, handlers.fulfill?));
        }
        match self.use_of(handlers, false) {
            Use::Combinator(name) => Some((name, handlers.reject?)),
            _ => None,
        }
    }

    /// The combinator that a reaction is of: its name, and the address of its own promise.
    pub(super) fn combinator_of(self, reaction: HeapObject) -> Option<(&'static str, u64)> {
        let (name, closure) = self.combinator(&Handlers::of(reaction).ok()?)?;
        let promise = capability_promise(capability_in(closure)?)?;
        Some((name, promise.0.address))
    }

    /// The promise that a reaction settles: by the `resolve` of its executor, or as that of `then`.
    pub(super) fn settled_by(self, reaction: HeapObject<'_>) -> Option<JSPromise<'_>> {
        let handlers = Handlers::of(reaction).ok()?;
        match self.use_of(&handlers, true) {
            Use::Resolve => promise_in(handlers.fulfill?),
            _ => next_promise(reaction).ok()?,
        }
    }

    /// All that wait for a running generator, the nearest first.
    pub fn waiting_for(self, running: JSGeneratorObject<'_>) -> Vec<Waiting<'_>> {
        self.waiting_for_promise(promise_of(running))
    }

    /// All that wait for what a microtask settles, the nearest first.
    pub fn waiting_for_microtask<'a>(self, microtask: HeapObject<'a>) -> Result<Vec<Waiting<'a>>> {
        let cx = microtask.cx;
        let kind = microtask.instance_type()?;
        let settles = match kind {
            InstanceType::PromiseFulfillReactionJobTask
            | InstanceType::PromiseRejectReactionJobTask => {
                let layout = &cx.layout.promise_reaction_job_task;
                let handler = builtin(cx, microtask.field(layout.handler)?);
                let fulfilled = kind == InstanceType::PromiseFulfillReactionJobTask;
                let handlers = Handlers {
                    fulfill: handler.filter(|_| fulfilled),
                    reject: handler.filter(|_| !fulfilled),
                };
                if self.use_of(&handlers, fulfilled) == Use::Await {
                    let generator = handler.and_then(awaiting_generator);
                    let running = |g: &JSGeneratorObject| g.state() == Ok(GeneratorState::Running);
                    let generator = generator.filter(running);
                    return Ok(generator.map_or_else(Vec::new, |g| self.waiting_for(g)));
                }
                microtask.field(layout.promise_or_capability)?
            }
            InstanceType::PromiseResolveThenableJobTask
                if cx.layout.call_site.follows_thenables.known() == Some(1) =>
            {
                let layout = &cx.layout.promise_resolve_thenable_job_task;
                microtask.field(layout.promise_to_resolve)?
            }
            _ => return Ok(Vec::new()),
        };
        let promise = cx.object(settles).ok().and_then(as_promise);
        Ok(self.waiting_for_promise(promise))
    }

    fn waiting_for_promise<'a>(self, mut promise: Option<JSPromise<'a>>) -> Vec<Waiting<'a>> {
        let mut out = Vec::new();
        for _ in 0..MAX_STEPS {
            let Some(current) = promise else { break };
            promise = self.step(current, &mut out).unwrap_or(None);
        }
        out
    }

    /// As [`Self::waiting_for`], but on where V8 stops: at a promise with several reactions.
    pub fn awaiters<'a>(self, running: JSGeneratorObject<'a>) -> Vec<Awaiter<'a>> {
        let mut out = Vec::new();
        let mut promise = promise_of(running);
        for _ in 0..MAX_STEPS {
            let Some(current) = promise else { break };
            let mut branches = Branches::default();
            self.branches(current, &mut branches);
            let others = branches.others;
            match (branches.found.pop(), branches.count) {
                (Some((waiting, next)), 1) => {
                    out.push(Awaiter::One(waiting, others));
                    promise = next;
                }
                (Some(last), count) => {
                    branches.found.push(last);
                    let found = branches.found.into_iter().map(|b| b.0).collect();
                    out.push(Awaiter::Several(found, count));
                    break;
                }
                (None, _) => break,
            }
        }
        out
    }

    /// All that wait for a promise, also through the promises of `then` and the like.
    fn branches<'a>(self, promise: JSPromise<'a>, out: &mut Branches<'a>) {
        let layout = &promise.0.cx.layout.promise_reaction;
        let mut promises = vec![promise];
        let mut seen = 0;
        while let Some(promise) = promises.pop() {
            if promise.state() != Ok(PromiseState::Pending) {
                continue;
            }
            let mut next = promise.reactions_or_result();
            while let Ok(reaction) = next.and_then(|n| promise.0.cx.object(n)) {
                seen += 1;
                if seen > MAX_BRANCHES
                    || reaction.instance_type() != Ok(InstanceType::PromiseReaction)
                {
                    break;
                }
                match self.reaction(reaction, true).unwrap_or_default() {
                    (Some(waiting), next) => {
                        out.count += 1;
                        if out.found.len() < KEPT_BRANCHES {
                            out.found.push((waiting, next));
                        }
                    }
                    (None, Some(derived)) => {
                        let waited_for = derived.state() == Ok(PromiseState::Pending)
                            && derived.reactions_or_result().is_ok_and(|r| !r.is_smi());
                        match waited_for {
                            true => promises.push(derived),
                            false => out.others += 1,
                        }
                    }
                    (None, None) => out.others += 1,
                }
                next = reaction.field(layout.next);
            }
        }
    }

    /// Who waits for this promise goes into `out`; the result is the promise to go on with.
    fn step<'a>(
        self,
        promise: JSPromise<'a>,
        out: &mut Vec<Waiting<'a>>,
    ) -> Result<Option<JSPromise<'a>>> {
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
        let (waiting, next) = self.reaction(reaction, false)?;
        out.extend(waiting);
        Ok(next)
    }

    /// Who waits by a reaction, and the promise to go on with. `all` also where V8 does not say.
    fn reaction<'a>(
        self,
        reaction: HeapObject<'a>,
        all: bool,
    ) -> Result<(Option<Waiting<'a>>, Option<JSPromise<'a>>)> {
        let cx = reaction.cx;
        let handlers = Handlers::of(reaction)?;
        let used = self.use_of(&handlers, true);
        if let (Use::Await, Some(closure)) = (used, handlers.fulfill) {
            let Some(generator) = awaiting_generator(closure) else {
                return Ok((None, None));
            };
            return Ok((Some(Waiting::Function(generator)), promise_of(generator)));
        }
        let followed = |name: &str| {
            let rule = cx.layout.call_site.follows_all_settled;
            all || name != "allSettled" || rule.known() == Some(1)
        };
        let combinator = self.combinator(&handlers);
        if let Some((name, closure)) = combinator.filter(|(name, _)| followed(name)) {
            let waiting = Waiting::Combinator {
                closure,
                name,
                index: index_of(closure).unwrap_or(-1),
            };
            let promise = capability_in(closure).and_then(capability_promise);
            return Ok((Some(waiting), promise));
        }
        if let (Use::Resolve, Some(closure)) = (used, handlers.fulfill) {
            return Ok((None, promise_in(closure)));
        }
        Ok((None, next_promise(reaction)?))
    }
}

/// Those that wait for a promise.
#[derive(Default)]
struct Branches<'a> {
    /// Some of them, with the promise of each.
    found: Vec<(Waiting<'a>, Option<JSPromise<'a>>)>,
    count: usize,
    /// What else is called with the result.
    others: usize,
}

impl<'a> Handlers<'a> {
    fn of(reaction: HeapObject<'a>) -> Result<Handlers<'a>> {
        let layout = &reaction.cx.layout.promise_reaction;
        Ok(Handlers {
            fulfill: builtin(reaction.cx, reaction.field(layout.fulfill_handler)?),
            reject: builtin(reaction.cx, reaction.field(layout.reject_handler)?),
        })
    }
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

/// The promise that `then` returned for a reaction.
fn next_promise(reaction: HeapObject<'_>) -> Result<Option<JSPromise<'_>>> {
    let field = reaction.field(reaction.cx.layout.promise_reaction.promise_or_capability)?;
    let Ok(next) = reaction.cx.object(field) else {
        return Ok(None);
    };
    Ok(match next.instance_type()? {
        InstanceType::PromiseCapability => capability_promise(next),
        _ => as_promise(next),
    })
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

/// What Promise.all and the like settle, by one of their closures. A closure that was called has
/// it no more.
fn capability_in(closure: JSFunction<'_>) -> Option<HeapObject<'_>> {
    in_context(closure, |kind| kind == InstanceType::PromiseCapability)
}

fn promise_in(closure: JSFunction<'_>) -> Option<JSPromise<'_>> {
    in_context(closure, |kind| kind == InstanceType::JSPromise).map(JSPromise)
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
