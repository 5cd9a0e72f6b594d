//! Every async function and generator of the heap that is not done, by where it waits.

use super::async_frames::{await_position, awaiting_generator, combinator_of, promise_of};
use super::location::{Place, Places};
use crate::error::Result;
use crate::heap::{HeapIndex, ObjectRef, Scope, Watch};
use crate::metadata::InstanceType;
use crate::object::{
    Cx, GeneratorState, HeapObject, JSFunction, JSGeneratorObject, JSPromise, PromiseState,
    SharedFunctionInfo,
};
use rustc_hash::FxHashMap;
use std::collections::hash_map::Entry;

/// Reactions of one promise looked at.
const MAX_REACTIONS: usize = 1 << 20;

/// What waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PendingKind {
    AsyncFunction,
    AsyncGenerator,
    /// Nobody asked it for more yet.
    IdleAsyncGenerator,
    Generator,
}

/// What the promise is that is awaited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WaitsFor {
    /// That of an async function (address of its SharedFunctionInfo).
    Function(u64),
    /// That of Promise.all or the like.
    Combinator(&'static str),
    /// Another promise.
    Promise,
    /// Nothing that was found: a generator that was not asked for more, or no promise of the
    /// heap knows it.
    Nothing,
}

/// All that wait at one place.
#[derive(Debug, Clone)]
pub struct PendingGroup<'a> {
    pub kind: PendingKind,
    pub function: JSFunction<'a>,
    /// Where in the source; `None` for a function without a script.
    pub place: Result<Option<Place>>,
    pub count: u64,
    /// One of them.
    pub sample: JSGeneratorObject<'a>,
    /// What they wait for, the most frequent first.
    pub waits_for: Vec<(WaitsFor, u64)>,
}

impl PendingGroup<'_> {
    /// Whether what most of them wait for is nothing that is pending itself.
    pub fn is_innermost(&self) -> bool {
        let first = self.waits_for.first().map(|(what, _)| *what);
        !matches!(first, Some(WaitsFor::Function(_) | WaitsFor::Combinator(_)))
    }
}

struct Collected<'a> {
    kind: PendingKind,
    sample: JSGeneratorObject<'a>,
    count: u64,
    waits_for: FxHashMap<WaitsFor, u64>,
}

impl Collected<'_> {
    fn add(&mut self, other: Self) {
        self.count += other.count;
        if other.sample.0.address < self.sample.0.address {
            self.sample =
                JSGeneratorObject(HeapObject::new(self.sample.0.cx, other.sample.0.address));
        }
        for (what, count) in other.waits_for {
            *self.waits_for.entry(what).or_default() += count;
        }
    }
}

/// The groups: first those that wait for something else than each other, then their callers, the
/// largest first.
pub fn pending<'a>(
    cx: Cx<'a>,
    heap: &HeapIndex,
    scope: Scope,
    watch: Watch<'_>,
) -> Result<Vec<PendingGroup<'a>>> {
    let mut generators = Vec::new();
    let mut promises = Vec::new();
    for page in 0..heap.page_count() {
        watch(
            "looking for async functions",
            page as f64 / heap.page_count().max(1) as f64,
        )?;
        for object in scope.objects_of(heap, page) {
            match kind_of(heap, object) {
                Some(InstanceType::JSPromise) => promises.push(object.address),
                Some(
                    InstanceType::JSGeneratorObject
                    | InstanceType::JSAsyncFunctionObject
                    | InstanceType::JSAsyncGeneratorObject,
                ) => generators.push(object.address),
                _ => {}
            }
        }
    }
    // Whose promise it is, and which promise each waits for.
    let mut owners: FxHashMap<u64, u64> = FxHashMap::default();
    let mut suspended = Vec::new();
    for address in generators {
        let generator = JSGeneratorObject(HeapObject::new(cx, address));
        if !matches!(generator.state(), Ok(GeneratorState::Suspended)) {
            continue;
        }
        let promise = promise_of(generator);
        let is_pending = promise.is_none_or(|p| matches!(p.state(), Ok(PromiseState::Pending)));
        if !is_pending {
            continue;
        }
        let shared = generator.function().and_then(|f| f.shared());
        if let (Some(promise), Ok(shared)) = (promise, shared) {
            owners.insert(promise.0.address, shared.0.address);
        }
        suspended.push(generator);
    }
    let mut waits = Waits::default();
    for (i, address) in promises.iter().enumerate() {
        if i % 4096 == 0 {
            let fraction = i as f64 / promises.len() as f64;
            watch("looking at promises", fraction)?;
        }
        let promise = JSPromise(HeapObject::new(cx, *address));
        let _ = waiters(promise, &mut waits);
    }
    let mut groups: FxHashMap<(u64, u64), Collected<'a>> = FxHashMap::default();
    for generator in suspended {
        let Ok(shared) = generator.function().and_then(|f| f.shared()) else {
            continue;
        };
        let position = generator.input_or_debug_position().map_or(0, |p| p.0);
        let waits_for = match waits.awaited.get(&generator.0.address) {
            Some(promise) => match (owners.get(promise), waits.combinators.get(promise)) {
                (Some(shared), _) => WaitsFor::Function(*shared),
                (None, Some(name)) => WaitsFor::Combinator(name),
                (None, None) => WaitsFor::Promise,
            },
            None => WaitsFor::Nothing,
        };
        let group = groups
            .entry((shared.0.address, position))
            .or_insert_with(|| Collected {
                kind: pending_kind(generator),
                sample: generator,
                count: 0,
                waits_for: FxHashMap::default(),
            });
        group.count += 1;
        *group.waits_for.entry(waits_for).or_default() += 1;
    }
    // A place may have several offsets: one for each time it stands in the bytecode.
    let mut by_place: FxHashMap<(u64, Option<i64>), Collected<'a>> = FxHashMap::default();
    for ((shared, _), group) in groups {
        let key = (shared, await_position(group.sample).ok());
        match by_place.entry(key) {
            Entry::Occupied(mut known) => known.get_mut().add(group),
            Entry::Vacant(free) => {
                free.insert(group);
            }
        }
    }
    let places = Places::default();
    let mut out: Vec<PendingGroup<'a>> = by_place
        .into_values()
        .filter_map(|g| group_of(g, &places))
        .collect();
    out.sort_by_key(|g| {
        let count = std::cmp::Reverse(g.count);
        (g.kind, !g.is_innermost(), count, g.sample.0.address)
    });
    Ok(out)
}

fn kind_of(heap: &HeapIndex, object: ObjectRef) -> Option<InstanceType> {
    heap.map_of(object).map(|m| m.kind)
}

fn pending_kind(generator: JSGeneratorObject) -> PendingKind {
    match generator.0.instance_type() {
        Ok(InstanceType::JSAsyncFunctionObject) => PendingKind::AsyncFunction,
        Ok(InstanceType::JSAsyncGeneratorObject) if promise_of(generator).is_some() => {
            PendingKind::AsyncGenerator
        }
        Ok(InstanceType::JSAsyncGeneratorObject) => PendingKind::IdleAsyncGenerator,
        _ => PendingKind::Generator,
    }
}

fn group_of<'a>(group: Collected<'a>, places: &Places) -> Option<PendingGroup<'a>> {
    let function = group.sample.function().ok()?;
    let place = function.shared().and_then(|shared| {
        let script = shared.script()?;
        let at = await_position(group.sample)?;
        script.map(|s| places.place(s, at)).transpose()
    });
    let mut waits_for: Vec<_> = group.waits_for.into_iter().collect();
    waits_for.sort_by_key(|(what, count)| (std::cmp::Reverse(*count), *what == WaitsFor::Nothing));
    Some(PendingGroup {
        kind: group.kind,
        function,
        place,
        count: group.count,
        sample: group.sample,
        waits_for,
    })
}

/// Who waits for the promises of a heap.
#[derive(Default)]
struct Waits {
    /// From a generator to the promise it awaits.
    awaited: FxHashMap<u64, u64>,
    /// The promises of combinators.
    combinators: FxHashMap<u64, &'static str>,
}

/// Notes who waits for a promise.
fn waiters(promise: JSPromise, waits: &mut Waits) -> Result<()> {
    let cx = promise.0.cx;
    let layout = &cx.layout.promise_reaction;
    if promise.state()? != PromiseState::Pending {
        return Ok(());
    }
    let mut next = promise.reactions_or_result()?;
    for _ in 0..MAX_REACTIONS {
        if next.is_smi() {
            break;
        }
        let reaction = cx.object(next)?;
        if reaction.instance_type()? != InstanceType::PromiseReaction {
            break;
        }
        let handler = cx
            .object(reaction.field(layout.fulfill_handler)?)
            .and_then(JSFunction::new);
        if let Some(generator) = handler.ok().and_then(awaiting_generator) {
            waits.awaited.insert(generator.0.address, promise.0.address);
        } else if let Some((name, own)) = combinator_of(reaction) {
            waits.combinators.insert(own, name);
        }
        next = reaction.field(layout.next)?;
    }
    Ok(())
}

/// The name of a function that something waits for.
pub fn name_of(cx: Cx, shared: u64) -> String {
    let shared = SharedFunctionInfo(HeapObject::new(cx, shared));
    let name = shared.debug_name().unwrap_or_default();
    match name.is_empty() {
        true => "<anonymous>".to_string(),
        false => name,
    }
}
