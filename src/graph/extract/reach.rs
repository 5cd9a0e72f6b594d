//! What is alive, without a graph: for questions about objects that something holds.

use super::roots::Category;
use super::{Found, Names, Source, Space};
use crate::error::Result;
use crate::heap::Watch;
use crate::object::Cx;
use rustc_hash::FxHashSet;

/// What the roots of an isolate reach.
pub struct Reach<'a> {
    space: Space<'a>,
    /// A bit for each word where an object starts that something holds.
    alive: Vec<u64>,
    roots: FxHashSet<u64>,
    handles: FxHashSet<u64>,
}

impl<'a> Reach<'a> {
    /// Marks what is alive.
    pub fn new(source: &Source<'a>, watch: Watch) -> Result<Reach<'a>> {
        let memory = source.memory();
        let cx = Cx {
            memory: &memory,
            layout: source.layout,
        };
        let mut names = Names::default();
        let found = Found::new(source, cx, &mut names, watch)?;
        watch("marking", 0.2)?;
        let alive = found.alive(watch)?;
        let held = |is_handle: bool| {
            let roots = found.roots.list.iter().filter(|r| r.retains);
            roots
                .filter(|r| !is_handle || r.category == Category::GlobalHandles)
                .map(|r| found.space.address(r.object))
                .collect()
        };
        Ok(Reach {
            roots: held(false),
            handles: held(true),
            alive,
            space: found.space,
        })
    }

    /// Whether the object at an address is alive.
    #[inline]
    pub fn is_alive(&self, address: u64) -> bool {
        let Some(number) = self.space.at(address) else {
            return false;
        };
        let bits = self.alive.get(number as usize / 64).copied();
        bits.unwrap_or(0) >> (number % 64) & 1 == 1
    }

    /// Whether a root holds the object itself.
    pub fn is_root(&self, address: u64) -> bool {
        self.roots.contains(&address)
    }

    /// Whether C++ holds it by a handle of its own.
    pub fn is_handle(&self, address: u64) -> bool {
        self.handles.contains(&address)
    }
}
