//! Every async function and generator of the heap that is not done, by where it waits.

use super::async_frames::{await_position, awaiting_generator, promise_of, Closures};
use super::causes::{settlers, Alive, Cause, Search, Settles};
use super::location::{Place, Places};
use crate::error::Result;
use crate::heap::{HeapIndex, ObjectRef, Scope, Watch};
use crate::metadata::InstanceType;
use crate::object::{
    Cx, GeneratorState, HeapObject, JSFunction, JSGeneratorObject, JSPromise, PromiseState,
    SharedFunctionInfo,
};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::hash_map::Entry;

/// Reactions of one promise looked at.
const MAX_REACTIONS: usize = 1 << 20;
/// Promises followed from one that is awaited.
const MAX_CHAIN: usize = 10_000;
/// Promises looked at behind that of a combinator.
const MAX_SOURCES: usize = 10_000;

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
    /// That of Promise.all or the like. Promise.race leaves no trace of its own: "race" is what
    /// takes the first result of several promises.
    Combinator {
        name: &'static str,
        /// Whether one of its promises is that of an async function.
        of_functions: bool,
    },
    /// Another promise.
    Promise {
        /// What settles it, see [`Pending::settles`].
        settles: u32,
        /// It is behind the promises of `then` and the like.
        through_then: bool,
        /// Async functions settle it.
        of_functions: bool,
    },
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
    pub waits_for: Vec<(WaitsFor, Waiters)>,
}

/// Those that wait for the same.
#[derive(Debug, Clone, Copy, Default)]
pub struct Waiters {
    pub count: u64,
    /// Of timers: the shortest and the longest, in milliseconds.
    pub delay: Option<(f64, f64)>,
}

impl Waiters {
    fn add(&mut self, other: Waiters) {
        self.count += other.count;
        self.delay = match (self.delay, other.delay) {
            (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
            (a, b) => a.or(b),
        };
    }
}

/// All that wait.
pub struct Pending<'a> {
    pub groups: Vec<PendingGroup<'a>>,
    /// What settles the promises that they wait for.
    pub settles: Vec<Settles>,
}

impl PendingGroup<'_> {
    /// Where it belongs in the list, by what most of them wait for.
    pub fn section(&self) -> Section {
        if matches!(
            self.kind,
            PendingKind::IdleAsyncGenerator | PendingKind::Generator
        ) {
            return Section::Idle;
        }
        match self.waits_for.first() {
            Some((WaitsFor::Function(_), _)) => Section::Functions,
            Some((
                WaitsFor::Combinator { of_functions, .. } | WaitsFor::Promise { of_functions, .. },
                _,
            )) if *of_functions => Section::Functions,
            _ => Section::Outside,
        }
    }
}

/// What sort of thing is waited for, in the order of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// No async function: something outside the program, as a rule.
    Outside,
    Functions,
    /// To be run on.
    Idle,
}

struct Collected<'a> {
    kind: PendingKind,
    sample: JSGeneratorObject<'a>,
    count: u64,
    waits_for: FxHashMap<WaitsFor, Waiters>,
}

impl Collected<'_> {
    fn add(&mut self, other: Self) {
        self.count += other.count;
        if other.sample.0.address < self.sample.0.address {
            self.sample =
                JSGeneratorObject(HeapObject::new(self.sample.0.cx, other.sample.0.address));
        }
        for (what, waiters) in other.waits_for {
            self.waits_for.entry(what).or_default().add(waiters);
        }
    }
}

/// The groups: first those that wait for something else than each other, then their callers, then
/// generators that nobody runs; of each the largest first.
pub fn pending<'a>(
    cx: Cx<'a>,
    heap: &HeapIndex,
    scope: Scope,
    closures: Closures,
    alive: &dyn Alive,
    watch: Watch<'_>,
) -> Result<Pending<'a>> {
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
    let mut waits = Waits::default();
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
            let owner = (generator.0.address, shared.0.address);
            waits.owners.insert(promise.0.address, owner);
        }
        suspended.push(generator);
    }
    for (i, address) in promises.iter().enumerate() {
        if i % 4096 == 0 {
            let fraction = i as f64 / promises.len() as f64;
            watch("looking at promises", fraction)?;
        }
        let promise = JSPromise(HeapObject::new(cx, *address));
        let _ = waiters(promise, closures, &mut waits);
    }
    let what: Vec<Option<Settled>> = suspended
        .iter()
        .map(|g| Some(waits.settled(*waits.awaited.get(&g.0.address)?)))
        .collect();
    let roots = what.iter().flatten().filter_map(|what| match what {
        Settled::Other { root, .. } => Some(*root),
        _ => None,
    });
    let mut roots: Vec<u64> = roots.collect();
    roots.sort_unstable();
    roots.dedup();
    let search = Search {
        heap,
        scope,
        alive,
        watch,
    };
    let settlers = settlers(cx, &search, closures, &mut waits, &roots)?;
    let mut groups: FxHashMap<(u64, u64), Collected<'a>> = FxHashMap::default();
    for (generator, what) in suspended.into_iter().zip(what) {
        let Ok(shared) = generator.function().and_then(|f| f.shared()) else {
            continue;
        };
        let position = generator.input_or_debug_position().map_or(0, |p| p.0);
        let mut waiters = Waiters {
            count: 1,
            delay: None,
        };
        let waits_for = match what {
            Some(Settled::Function(shared)) => WaitsFor::Function(shared),
            Some(Settled::Combinator(name)) => {
                let promise = waits.awaited.get(&generator.0.address).copied();
                WaitsFor::Combinator {
                    name,
                    of_functions: promise.is_some_and(|p| waits.is_of_functions(p)),
                }
            }
            Some(Settled::Other { root, through_then }) => {
                let (settles, delay) = settlers.of.get(&root).copied().unwrap_or_default();
                waiters.delay = delay.map(|d| (d, d));
                let is_function = |c: &Cause| matches!(c, Cause::Function(_));
                let of_functions = match settlers.list.get(settles as usize) {
                    Some(Settles::By(causes)) => causes.iter().all(is_function),
                    _ => false,
                };
                WaitsFor::Promise {
                    settles,
                    through_then,
                    of_functions,
                }
            }
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
        group.waits_for.entry(waits_for).or_default().add(waiters);
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
        (g.section(), count, g.sample.0.address)
    });
    Ok(Pending {
        groups: out,
        settles: settlers.list,
    })
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
    waits_for.sort_by_key(|(what, waiters)| {
        let count = std::cmp::Reverse(waiters.count);
        // What the same number wait for comes as it was found.
        let order = match what {
            WaitsFor::Promise { settles, .. } => *settles,
            _ => 0,
        };
        (count, *what == WaitsFor::Nothing, order)
    });
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
pub(super) struct Waits {
    /// From the promise of an async function to its generator and its SharedFunctionInfo.
    owners: FxHashMap<u64, (u64, u64)>,
    /// From a generator to the promise it awaits.
    awaited: FxHashMap<u64, u64>,
    /// From a promise to those whose results settle it.
    sources: FxHashMap<u64, Sources>,
    /// Whether an async function is behind the promise of a combinator.
    known: FxHashMap<u64, bool>,
}

/// What settles a promise.
#[derive(Default)]
struct Sources {
    /// By Promise.all or the like.
    combinator: Option<&'static str>,
    promises: Vec<u64>,
}

/// What settles a promise, through the promises of `then` and the like.
#[derive(Debug, Clone, Copy)]
pub(super) enum Settled {
    /// That of an async function (address of its SharedFunctionInfo).
    Function(u64),
    Combinator(&'static str),
    /// Something else settles the promise at the root.
    Other {
        root: u64,
        through_then: bool,
    },
}

impl Waits {
    fn add(&mut self, settled: u64, by: u64, combinator: Option<&'static str>) {
        let sources = self.sources.entry(settled).or_default();
        sources.combinator = sources.combinator.or(combinator);
        // The reactions of a promise come one after the other.
        if sources.promises.last() != Some(&by) {
            sources.promises.push(by);
        }
    }

    /// What settles a promise.
    pub(super) fn settled(&self, promise: u64) -> Settled {
        let mut at = promise;
        for _ in 0..MAX_CHAIN {
            if let Some((_, shared)) = self.owners.get(&at) {
                return Settled::Function(*shared);
            }
            let Some(sources) = self.sources.get(&at) else {
                break;
            };
            match (sources.combinator, &sources.promises[..]) {
                (Some(name), _) => return Settled::Combinator(name),
                (None, [one]) => at = *one,
                (None, _) => return Settled::Combinator("race"),
            }
        }
        Settled::Other {
            root: at,
            through_then: at != promise,
        }
    }

    /// Whether a suspended function goes on only once a promise is settled.
    pub(super) fn waits_on(&self, generator: u64, promise: u64) -> bool {
        let mut next = self.awaited.get(&generator).copied();
        for _ in 0..MAX_CHAIN {
            let Some(at) = next else { return false };
            if at == promise {
                return true;
            }
            next = match (self.owners.get(&at), self.sources.get(&at)) {
                (Some((owner, _)), _) => self.awaited.get(owner).copied(),
                (None, Some(sources)) => match sources.promises[..] {
                    [one] => Some(one),
                    _ => None,
                },
                (None, None) => None,
            };
        }
        false
    }

    /// Whether the promise of an async function is among those that settle a promise.
    fn is_of_functions(&mut self, promise: u64) -> bool {
        if let Some(known) = self.known.get(&promise) {
            return *known;
        }
        let mut seen = FxHashSet::default();
        let mut next = vec![promise];
        let mut found = false;
        while let Some(at) = next.pop() {
            if self.owners.contains_key(&at) {
                found = true;
                break;
            }
            if seen.len() < MAX_SOURCES && seen.insert(at) {
                let sources = self.sources.get(&at);
                next.extend(sources.iter().flat_map(|s| &s.promises));
            }
        }
        self.known.insert(promise, found);
        found
    }
}

/// Notes who waits for a promise.
fn waiters(promise: JSPromise, closures: Closures, waits: &mut Waits) -> Result<()> {
    let cx = promise.0.cx;
    let layout = &cx.layout.promise_reaction;
    if promise.state()? != PromiseState::Pending {
        return Ok(());
    }
    let own = promise.0.address;
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
            waits.awaited.insert(generator.0.address, own);
        } else if let Some((name, settled)) = closures.combinator_of(reaction) {
            waits.add(settled, own, Some(name));
        } else if let Some(settled) = closures.settled_by(reaction) {
            waits.add(settled.0.address, own, None);
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
