//! What would settle a promise: found by going up from the promise through what refers to it.
//!
//! V8's functions that resolve a promise have it in their Context. Whoever has such a function can
//! settle the promise: a timer calls it back, a request of the file system has it in a closure, a
//! queue of the program keeps it for later. All promises are gone up from together, a level at a
//! time, each level one search of the heap. Only what is alive counts. A variable is followed to
//! the functions whose source takes its value, and no further where the source does not tell.

mod holders;
mod names;
mod nodes;
mod objects;

use super::async_frames::Closures;
use super::pending::Waits;
use crate::error::Result;
use crate::heap::{refs, HeapIndex, Scope, Watch};
use crate::object::{heap_number, Cx, HeapObject};
use holders::{Holders, Reference};
use names::{Held, Name};
use nodes::{End, Found, NodeId, What};
use rustc_hash::FxHashMap;

/// Number of a cause.
type CauseId = u32;

/// Levels gone up at most.
const MAX_LEVELS: usize = 32;
/// Things on the way, of all promises together.
const MAX_NODES: usize = 4_000_000;
/// Causes of one promise that are told of.
const MAX_CAUSES: usize = 3;

/// What is alive, and why.
pub trait Alive {
    fn is_alive(&self, address: u64) -> bool;
    /// A root holds the object itself.
    fn is_root(&self, address: u64) -> bool;
    /// C++ holds it by a handle of its own.
    fn is_handle(&self, address: u64) -> bool;
}

/// Where is searched.
pub(super) struct Search<'s> {
    pub heap: &'s HeapIndex,
    pub scope: Scope,
    pub alive: &'s dyn Alive,
    pub watch: Watch<'s>,
}

/// What may settle a promise.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Cause {
    /// A timer that calls back.
    Timer {
        repeats: bool,
    },
    Immediate,
    /// Something of Node's in C++ that is under way, by its class.
    Native(String),
    /// C++ holds the promise itself.
    Handle,
    /// A listener is called with the event.
    Event {
        name: String,
        class: String,
    },
    /// An async function (address of its SharedFunctionInfo) goes on.
    Function(u64),
    /// Promise.all or the like settles another.
    Combinator(&'static str),
    Microtask,
    /// Atomics.notify.
    WaitAsync,
    /// A read of a ReadableStream.
    StreamRead,
    /// The evaluation of a module.
    Module,
    /// The program has what resolves it: in something of a class (nothing: the function itself).
    Held {
        class: String,
        by: HeldBy,
    },
}

/// Where a program has something.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum HeldBy {
    Variable(String),
    Global(String),
    /// Of an object of a class; of one without it is empty.
    Property {
        of: String,
        name: String,
    },
}

/// What one promise waits for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Settles {
    /// By any of these; where there are more, the most telling.
    By(Vec<Cause>),
    /// Nothing was found, but not everything is known.
    Unknown,
    /// Nothing that is alive can settle it.
    Nothing,
}

/// What was found of many promises.
#[derive(Default)]
pub struct Settlers {
    pub list: Vec<Settles>,
    /// By address of the promise: the number in the list, and of a timer how long it is, in
    /// milliseconds.
    pub of: FxHashMap<u64, (u32, Option<f64>)>,
}

/// As [`Cause`], by numbers of names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Timer { repeats: bool },
    Immediate,
    Native(Name),
    Event { name: Name, class: Name },
    Function(u64),
    Combinator(&'static str),
    Microtask,
    WaitAsync,
    StreamRead,
    Module,
    Variable { class: Name, name: Name },
    Global { class: Name, name: Name },
    Property { class: Name, of: Name, name: Name },
}

/// How much an end tells, the most first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Rank {
    /// It settles the promise by itself.
    Sure,
    /// A collection of the program's has it.
    Held,
    Property,
    Variable,
    /// A suspended function has it in a register, or sees the variable.
    Register,
}

impl Rank {
    /// Whether something is named that has it, a variable apart.
    fn holds(self) -> bool {
        matches!(self, Rank::Held | Rank::Property)
    }
}

/// Finds what would settle each of the promises.
pub(super) fn settlers(
    cx: Cx<'_>,
    search: &Search,
    closures: Closures,
    waits: &mut Waits,
    promises: &[u64],
) -> Result<Settlers> {
    let Search { alive, watch, .. } = *search;
    let mut holders = Holders::new(cx, closures, waits);
    for promise in promises {
        holders.nodes.node(*promise, What::Promise);
    }
    for _ in 0..MAX_LEVELS {
        let fresh = holders.nodes.take_fresh();
        if fresh.is_empty() || holders.nodes.len() > MAX_NODES {
            break;
        }
        level(&mut holders, search, &fresh)?;
    }
    let mut out = Settlers::default();
    let mut numbers: FxHashMap<Vec<CauseId>, u32> = FxHashMap::default();
    for (i, promise) in promises.iter().enumerate() {
        if i % 4096 == 0 {
            watch(
                "looking at what settles promises",
                i as f64 / promises.len() as f64,
            )?;
        }
        let (mut ends, timer, is_open) = ends(&mut holders, *promise);
        let is_handle = alive.is_handle(*promise);
        let state = match (ends.is_empty(), is_handle, is_open(alive)) {
            (false, ..) => &[][..],
            (_, true, _) => &[HANDLE],
            (_, _, true) => &[UNKNOWN],
            _ => &[NOTHING],
        };
        ends.extend(state);
        let number = match numbers.get(&ends) {
            Some(number) => *number,
            None => {
                let number = out.list.len() as u32;
                out.list.push(settles(&holders, &ends));
                numbers.insert(ends, number);
                number
            }
        };
        out.of.insert(*promise, (number, timer));
    }
    Ok(out)
}

/// In place of a cause.
const HANDLE: CauseId = CauseId::MAX;
const UNKNOWN: CauseId = CauseId::MAX - 1;
const NOTHING: CauseId = CauseId::MAX - 2;

/// Goes one step up from all of `fresh`.
fn level<'a>(holders: &mut Holders<'a, '_>, search: &Search, fresh: &[NodeId]) -> Result<()> {
    let Search {
        heap,
        scope,
        alive,
        watch,
    } = *search;
    let cx = holders.cx;
    let mut targets: Vec<(u64, NodeId)> = Vec::with_capacity(fresh.len());
    targets.extend(fresh.iter().map(|id| (holders.nodes.address(*id), *id)));
    targets.sort_unstable();
    let mut addresses: Vec<u64> = targets.iter().map(|t| t.0).collect();
    addresses.dedup();
    // The first of each address.
    let mut firsts: FxHashMap<u64, usize> = FxHashMap::default();
    firsts.reserve(addresses.len());
    for (at, (address, _)) in targets.iter().enumerate() {
        firsts.entry(*address).or_insert(at);
    }
    let hits = refs::find(heap, cx.layout, &addresses, refs::Words::Fields, watch)?;
    let mut found: Vec<(NodeId, nodes::Link)> = Vec::new();
    let mut links = Vec::new();
    for (i, hit) in hits.iter().enumerate() {
        if i % 4096 == 0 {
            watch("following promises", i as f64 / hits.len() as f64)?;
        }
        let Some(info) = heap.map_of(hit.object()) else {
            continue;
        };
        let first = firsts.get(&hit.target).copied().unwrap_or(targets.len());
        if !scope.has_address(heap, hit.holder) || !alive.is_alive(hit.holder) {
            continue;
        }
        let same = targets.iter().skip(first).take_while(|t| t.0 == hit.target);
        for (_, target) in same {
            let reference = Reference {
                holder: HeapObject::new(cx, hit.holder),
                map: info.address,
                kind: info.kind,
                number: info.number,
                offset: hit.offset(),
                target: *target,
            };
            holders.links(reference, &mut links);
            found.extend(links.drain(..).map(|link| (*target, link)));
        }
    }
    holders.nodes.link(fresh, found);
    Ok(())
}

/// What settles a promise, how long it takes where that is a timer, and whether there may be more.
fn ends<'x>(
    holders: &mut Holders<'_, '_>,
    promise: u64,
) -> (Vec<CauseId>, Option<f64>, impl Fn(&dyn Alive) -> bool + 'x) {
    let node = holders.nodes.find(promise, What::Promise);
    let climb = |rejects: bool| match node {
        Some(node) => {
            let skip = |generator: u64| holders.waits.waits_on(generator, promise);
            holders.nodes.climb(node, rejects, &skip)
        }
        None => Found::default(),
    };
    let mut found = climb(false);
    if found.ends.is_empty() {
        found = climb(true);
    }
    // What tells of a failure only, and is of no weight beside what succeeds.
    let fails = |end: &&End| match holders.key(end.1) {
        Some(Key::Event { name, .. }) => matches!(holders.names.text(*name), "abort" | "error"),
        _ => false,
    };
    let (failures, others): (Vec<&End>, Vec<&End>) = found.ends.iter().partition(fails);
    let best = others.first().map(|e| e.0);
    let best = best.filter(|rank| *rank != Rank::Variable || failures.is_empty());
    let tells = matches!(best, Some(Rank::Sure | Rank::Held));
    let most = if tells { MAX_CAUSES } else { 1 };
    let mut chosen: Vec<&End> = others
        .into_iter()
        .filter(|e| Some(e.0) == best)
        .take(most)
        .collect();
    if !tells {
        chosen.extend(failures.into_iter().take(MAX_CAUSES - chosen.len()));
    }
    let is_timer = |end: &&&End| matches!(holders.key(end.1), Some(Key::Timer { .. }));
    let timer = chosen.iter().find(is_timer).map(|e| e.2);
    let chosen: Vec<CauseId> = chosen.into_iter().map(|e| e.1).collect();
    let timer = timer.and_then(|t| {
        let cx = holders.cx;
        let object = HeapObject::new(cx, t);
        let map = object.map().ok()?.0.address;
        let value = holders.names.own(Held { object, map }, "_idleTimeout")?;
        match cx.smi(value) {
            Some(number) => Some(number as f64),
            None => heap_number(cx.object(value).ok()?).ok(),
        }
    });
    let Found {
        is_open, passed, ..
    } = found;
    let open = move |alive: &dyn Alive| is_open || passed.iter().any(|a| alive.is_root(*a));
    (chosen, timer, open)
}

fn settles(holders: &Holders, ends: &[CauseId]) -> Settles {
    match ends {
        [HANDLE] => return Settles::By(vec![Cause::Handle]),
        [UNKNOWN] => return Settles::Unknown,
        [NOTHING] => return Settles::Nothing,
        _ => {}
    }
    let text = |name: &Name| holders.names.text(*name).to_string();
    let held = |class: &Name, by: HeldBy| Cause::Held {
        class: text(class),
        by,
    };
    let causes = ends.iter().filter_map(|id| {
        Some(match holders.key(*id)? {
            Key::Timer { repeats } => Cause::Timer { repeats: *repeats },
            Key::Immediate => Cause::Immediate,
            Key::Native(class) => Cause::Native(text(class)),
            Key::Event { name, class } => Cause::Event {
                name: text(name),
                class: text(class),
            },
            Key::Function(shared) => Cause::Function(*shared),
            Key::Combinator(name) => Cause::Combinator(name),
            Key::Microtask => Cause::Microtask,
            Key::WaitAsync => Cause::WaitAsync,
            Key::StreamRead => Cause::StreamRead,
            Key::Module => Cause::Module,
            Key::Variable { class, name } => held(class, HeldBy::Variable(text(name))),
            Key::Global { class, name } => held(class, HeldBy::Global(text(name))),
            Key::Property { class, of, name } => held(
                class,
                HeldBy::Property {
                    of: text(of),
                    name: text(name),
                },
            ),
        })
    });
    Settles::By(causes.collect())
}
