//! What leads up from promises to what would settle them, as far as it was followed.

use super::names::{Name, NONE};
use super::{CauseId, Rank};
use rustc_hash::{FxHashMap, FxHashSet};
use std::ops::Range;

/// What a thing is that is on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum What {
    Promise,
    /// The Context of functions of V8's own: those that resolve a promise, or that wait for another.
    Builtins,
    /// Whatever is called: functions, bound ones too.
    Function,
    /// An object without a class; where it may be a table by name, the key.
    Object(Name),
    /// An Array, Map or Set; the key in it, as above.
    Container(Name),
    /// Of a class.
    Instance,
    /// A variable, as functions of this Context see it.
    Variable(Name),
    /// Part of something else: its elements and the like.
    Elements(Mode),
    /// Properties: the offset in the PropertyArray.
    Stored(u32, Mode),
    /// An entry of a table, by its key.
    Entry(Name, Mode),
    Cell(Mode),
    Capability,
    Reaction,
    /// Of an async generator.
    Request,
}

/// What a part holds that is on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    Promise,
    Function,
    Object(Name),
    Container(Name),
    Instance,
}

impl What {
    /// As what it is held by others; `None` of what is held in ways of its own.
    pub fn mode(self) -> Option<Mode> {
        Some(match self {
            What::Promise => Mode::Promise,
            What::Function => Mode::Function,
            What::Object(key) => Mode::Object(key),
            What::Container(key) => Mode::Container(key),
            What::Instance => Mode::Instance,
            What::Elements(mode)
            | What::Stored(_, mode)
            | What::Entry(_, mode)
            | What::Cell(mode) => mode,
            _ => return None,
        })
    }

    /// The key of an entry.
    pub fn key(self) -> Name {
        match self {
            What::Entry(key, _) => key,
            _ => NONE,
        }
    }
}

pub type NodeId = u32;

/// What a step up leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    Up(NodeId),
    /// The same, by the function that rejects.
    Reject(NodeId),
    /// What would settle it, or holds it; of a suspended function or a timer also its address.
    End(CauseId, Rank, u64),
    /// There may be more than was understood.
    Unsure,
}

struct Node {
    address: u64,
    what: What,
    links: Range<u32>,
    is_done: bool,
}

/// All of them.
#[derive(Default)]
pub struct Nodes {
    list: Vec<Node>,
    by_place: FxHashMap<(u64, What), NodeId>,
    links: Vec<Link>,
    /// Not gone up from yet.
    fresh: Vec<NodeId>,
}

/// As in [`Link::End`]: how much it tells, what it is, and an address or 0.
pub type End = (Rank, CauseId, u64);

/// What one promise leads to.
#[derive(Debug, Default)]
pub struct Found {
    /// By rank, the nearest first; each cause once.
    pub ends: Vec<End>,
    /// Not all was followed or understood.
    pub is_open: bool,
    /// Things passed on the way.
    pub passed: Vec<u64>,
}

/// Things passed at most on the way up from one promise.
const MAX_PASSED: usize = 256;

impl Nodes {
    /// The node of a thing.
    pub fn node(&mut self, address: u64, what: What) -> NodeId {
        let Nodes {
            list,
            by_place,
            fresh,
            ..
        } = self;
        *by_place.entry((address, what)).or_insert_with(|| {
            let id = list.len() as NodeId;
            list.push(Node {
                address,
                what,
                links: 0..0,
                is_done: false,
            });
            fresh.push(id);
            id
        })
    }

    /// Its node, if it has one.
    pub fn find(&self, address: u64, what: What) -> Option<NodeId> {
        self.by_place.get(&(address, what)).copied()
    }

    pub fn len(&self) -> usize {
        self.list.len()
    }

    pub fn what(&self, id: NodeId) -> What {
        self.list[id as usize].what
    }

    pub fn address(&self, id: NodeId) -> u64 {
        self.list[id as usize].address
    }

    /// Those that are to be gone up from now.
    pub fn take_fresh(&mut self) -> Vec<NodeId> {
        std::mem::take(&mut self.fresh)
    }

    /// Notes what all of `done` lead to.
    pub fn link(&mut self, done: &[NodeId], mut found: Vec<(NodeId, Link)>) {
        found.sort_by_key(|(id, _)| *id);
        for id in done {
            self.list[*id as usize].is_done = true;
        }
        for (id, link) in found {
            let at = self.links.len() as u32;
            self.links.push(link);
            let links = &mut self.list[id as usize].links;
            match links.end == at {
                true => links.end += 1,
                false => *links = at..at + 1,
            }
        }
    }

    /// Goes up from one: by what resolves only, or by what rejects too. `skip` says which ends do
    /// not count.
    pub fn climb(&self, from: NodeId, rejects: bool, skip: &dyn Fn(u64) -> bool) -> Found {
        let mut found = Found::default();
        let mut seen = FxHashSet::default();
        let mut ends: Vec<(End, u8)> = Vec::new();
        let mut next = std::collections::VecDeque::from([(from, Way::default())]);
        seen.insert(from);
        while let Some((id, way)) = next.pop_front() {
            let Some(node) = self.list.get(id as usize) else {
                continue;
            };
            if seen.len() > MAX_PASSED || !node.is_done {
                found.is_open = true;
                break;
            }
            found.passed.push(node.address);
            let range = node.links.start as usize..node.links.end as usize;
            for link in self.links.get(range).unwrap_or_default() {
                match *link {
                    Link::Reject(_) if !rejects => {}
                    Link::Up(up) | Link::Reject(up) => {
                        let way = self.list.get(up as usize).and_then(|to| way.on(node, to));
                        if let Some(way) = way.filter(|_| seen.insert(up)) {
                            next.push_back((up, way));
                        }
                    }
                    Link::End(_, _, who) if who != 0 && skip(who) => {}
                    Link::End(_, rank, _) if rank.holds() && way.calls > 1 => {}
                    Link::End(cause, rank, who) => {
                        if !ends.iter().any(|(e, _)| (e.0, e.1) == (rank, cause)) {
                            ends.push(((rank, cause, who), way.calls));
                        }
                    }
                    Link::Unsure => found.is_open = true,
                }
            }
        }
        // Who holds a function that calls what settles it is told where nothing holds that itself.
        let is_itself = |(end, calls): &(End, u8)| *calls == 0 && end.0.holds();
        let is_held = ends.iter().any(is_itself);
        ends.retain(|end| !is_held || is_itself(end) || !end.0 .0.holds());
        found.ends = ends.into_iter().map(|(end, _)| end).collect();
        found.ends.sort_by_key(|e| e.0);
        found
    }
}

/// Functions gone up through at most, each called by the one after it: whatever begins a program calls
/// all of it in the end.
const MAX_CALLS: u8 = 3;

/// How a thing was come to.
#[derive(Debug, Clone, Copy, Default)]
struct Way {
    /// By how many functions that take the value of a variable.
    calls: u8,
    /// In how many things a collection is that was passed. What is in one waits until it is its turn:
    /// whatever sees the collection does not tell when.
    around: Option<u8>,
}

impl Way {
    /// The way on; none where it leads too far.
    fn on(self, from: &Node, to: &Node) -> Option<Way> {
        let is_call = matches!((from.what, to.what), (What::Variable(_), What::Function));
        let passed = match from.what {
            What::Container(_) => Some(0),
            _ => self.around,
        };
        let around = match to.what {
            What::Container(_) => None,
            What::Elements(_) | What::Stored(..) | What::Entry(..) | What::Cell(_) => passed,
            _ => passed.map(|n| n.saturating_add(1)),
        };
        let calls = self.calls.saturating_add(u8::from(is_call));
        (calls <= MAX_CALLS && around.is_none_or(|n| n <= 1)).then_some(Way { calls, around })
    }
}
