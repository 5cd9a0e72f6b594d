//! Taking the blocks that threads made, in the order of their nodes: names get the numbers they
//! keep, and what a block wants to have done to a node is done once that node is there.

use super::block::{Block, NativePart, Tag, WeakEntry, TEXT};
use super::names::Names;
use crate::error::Result;
use crate::graph::{Builder, EdgeType, NodeId, StringId, TO_BITS};
use std::ops::Range;

/// Texts between asking for what the table has of one and taking it.
const AHEAD: usize = 8;

/// What has been taken.
pub struct Commit<'c, 'n> {
    names: &'c mut Names<'n>,
    builder: &'c mut Builder,
    /// Names below have the same number for all.
    shared: StringId,
    /// Numbers of the names of each thread.
    known: Vec<Vec<StringId>>,
    empty: StringId,
    /// First node of each block, and what is wanted of those that are not there yet.
    firsts: Vec<NodeId>,
    waiting: Vec<Vec<Tag>>,
    /// Memory outside the heap, and entries of WeakMaps.
    pub natives: Vec<NativePart>,
    pub weak_entries: Vec<WeakEntry>,
    /// Objects with fields for the embedder.
    pub embedders: Vec<u32>,
    pub garbage: (u64, u64),
}

impl<'c, 'n> Commit<'c, 'n> {
    /// Nothing is taken yet; of so many threads, and blocks with those first nodes.
    pub fn new(
        names: &'c mut Names<'n>,
        builder: &'c mut Builder,
        shared: StringId,
        threads: usize,
        firsts: Vec<NodeId>,
    ) -> Commit<'c, 'n> {
        let empty = names.intern("");
        Commit {
            names,
            builder,
            shared,
            known: vec![Vec::new(); threads],
            empty,
            waiting: vec![Vec::new(); firsts.len()],
            firsts,
            natives: Vec::new(),
            weak_entries: Vec::new(),
            embedders: Vec::new(),
            garbage: (0, 0),
        }
    }

    /// Room for that many more names.
    pub fn reserve(&mut self, names: usize) {
        self.names.reserve(names);
    }

    /// Wants something done to a node before all blocks.
    pub fn ask(&mut self, tag: Tag) {
        self.tag(tag);
    }

    /// Takes the block with that number, after all before it; `left_out` makes what its thread
    /// could not.
    pub fn take(
        &mut self,
        number: usize,
        block: &Block,
        left_out: &mut dyn FnMut(u32) -> Block,
    ) -> Result<()> {
        self.learn(block);
        let first = self.builder.node_count() as NodeId;
        let mut from = 0;
        let mut others = Vec::with_capacity(block.left_out.len());
        for &(at, object) in &block.left_out {
            self.append(block, from..at as usize)?;
            let one = left_out(object);
            self.learn(&one);
            self.append(&one, 0..one.kinds.len())?;
            others.push((at, one));
            from = at as usize + 1;
        }
        self.append(block, from..block.kinds.len())?;
        self.builder.append_addresses(first, &block.addresses);
        // All nodes of this block are there, and what was asked of them before it comes first.
        for tag in self
            .waiting
            .get_mut(number)
            .map(std::mem::take)
            .unwrap_or_default()
        {
            self.tag(tag);
        }
        let mut tags = block.tags.as_slice();
        for (at, one) in &others {
            let (before, behind) = tags.split_at(tags.partition_point(|(node, _)| node < at));
            self.tags(block.worker, before);
            self.tags(one.worker, &one.tags);
            tags = behind;
        }
        self.tags(block.worker, tags);
        self.rest(block);
        for (_, one) in &others {
            self.rest(one);
        }
        Ok(())
    }

    /// What is not bound to an order.
    fn rest(&mut self, block: &Block) {
        for &part in &block.natives {
            self.natives.push(NativePart {
                name: self.name(block.worker, part.name),
                edge: self.name(block.worker, part.edge),
                ..part
            });
        }
        self.weak_entries.extend_from_slice(&block.weak_entries);
        self.embedders.extend_from_slice(&block.embedders);
        for &location in &block.locations {
            self.builder.location(location);
        }
        for (id, name) in &block.scripts {
            self.builder.script(*id, name.clone());
        }
        self.garbage.0 += block.garbage.0;
        self.garbage.1 = self.garbage.1.saturating_add(block.garbage.1);
    }

    /// Gives a thread's new names their numbers.
    fn learn(&mut self, block: &Block) {
        let known = &mut self.known[block.worker];
        // A thread's blocks come in the order it made them.
        known.truncate((block.new_names_from - self.shared) as usize);
        for name in block.new_names.iter() {
            known.push(self.names.intern(name));
        }
    }

    #[inline]
    fn name(&self, worker: usize, name: StringId) -> StringId {
        match name.checked_sub(self.shared) {
            None => name,
            Some(own) => self.known[worker].get(own as usize).copied().unwrap_or(0),
        }
    }

    fn append(&mut self, block: &Block, nodes: Range<usize>) -> Result<()> {
        let edges = block.edges_of(&nodes);
        let mut names = Vec::with_capacity(nodes.len());
        for &name in &block.names[nodes.clone()] {
            names.push(match name & TEXT {
                0 => self.name(block.worker, name),
                _ => {
                    if let Some(next) = block.hash_ahead(name, AHEAD) {
                        self.names.prefetch(next);
                    }
                    let (hashed, texts, at) = block.text_of(name);
                    self.names.intern_from(hashed, texts, at)
                }
            });
        }
        let known = &self.known[block.worker];
        let shared = self.shared;
        let words = &block.edge_words[edges.clone()];
        let edge_names =
            words
                .iter()
                .zip(&block.edge_names[edges.clone()])
                .map(|(&word, &name)| {
                    if name < shared || EdgeType::from_bits(word >> TO_BITS).is_indexed() {
                        return name;
                    }
                    known.get((name - shared) as usize).copied().unwrap_or(0)
                });
        let before = edges.start as u32;
        self.builder.append(
            &block.kinds[nodes.clone()],
            names.into_iter(),
            &block.sizes[nodes.clone()],
            block.edge_ends[nodes.clone()]
                .iter()
                .map(|end| end - before),
            words,
            edge_names,
        )
    }

    fn tags(&mut self, worker: usize, tags: &[(u32, Tag)]) {
        for &(_, mut tag) in tags {
            tag.name = self.name(worker, tag.name);
            self.tag(tag);
        }
    }

    fn tag(&mut self, tag: Tag) {
        if tag.node as usize >= self.builder.node_count() {
            let block = self.firsts.partition_point(|first| *first <= tag.node);
            if let Some(waiting) = self.waiting.get_mut(block.wrapping_sub(1)) {
                waiting.push(tag);
            }
            return;
        }
        if tag.always || self.builder.name_of(tag.node) == self.empty {
            self.builder.set_name(tag.node, tag.name);
        }
        if let Some(kind) = tag.becomes {
            self.builder.set_type(tag.node, kind);
        }
    }
}
