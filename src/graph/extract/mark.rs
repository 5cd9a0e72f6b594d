//! What is alive: reached from the roots without weak references; a WeakMap's value where both
//! its table and its key are.

use super::shapes::Shapes;
use super::space::{word_at, Ordinal, Space};
use crate::heap::Body;
use crate::metadata::FieldUse;
use crate::object::Tagged;

/// A bit for each object.
pub struct Marks(Vec<u64>);

impl Marks {
    /// None.
    pub fn new(count: usize) -> Marks {
        Marks(vec![0; count.div_ceil(64)])
    }

    /// All.
    pub fn all(count: usize) -> Marks {
        Marks(vec![u64::MAX; count.div_ceil(64)])
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.iter().map(|w| w.count_ones() as usize).sum()
    }

    #[inline]
    pub fn get(&self, object: Ordinal) -> bool {
        self.0[object as usize / 64] >> (object % 64) & 1 == 1
    }

    /// Sets a bit; whether it was new.
    #[inline]
    pub fn set(&mut self, object: Ordinal) -> bool {
        let word = &mut self.0[object as usize / 64];
        let bit = 1 << (object % 64);
        let new = *word & bit == 0;
        *word |= bit;
        new
    }
}

/// Marks everything the stack of `work` reaches.
pub struct Marker<'m, 'a> {
    pub space: &'m Space<'a>,
    pub shapes: &'m Shapes<'a>,
    pub marks: Marks,
    work: Vec<Ordinal>,
    tables: Vec<Ordinal>,
}

impl<'m, 'a> Marker<'m, 'a> {
    /// Nothing is marked.
    pub fn new(space: &'m Space<'a>, shapes: &'m Shapes<'a>) -> Marker<'m, 'a> {
        Marker {
            space,
            shapes,
            marks: Marks::new(space.len()),
            work: Vec::new(),
            tables: Vec::new(),
        }
    }

    /// Marks an object, to be gone through.
    #[inline]
    pub fn push(&mut self, object: Ordinal) {
        if self.marks.set(object) {
            self.work.push(object);
        }
    }

    /// Marks what a strong pointer is to.
    #[inline]
    pub fn push_word(&mut self, word: u64) {
        if Tagged(word).is_strong() {
            if let Some(object) = self.space.at(word & !1) {
                self.push(object);
            }
        }
    }

    /// Goes on until nothing new is reached.
    pub fn run(&mut self) {
        loop {
            while let Some(object) = self.work.pop() {
                self.visit(object);
            }
            // Values whose keys have been reached in the meantime.
            let tables = std::mem::take(&mut self.tables);
            for &table in &tables {
                self.ephemerons(table);
            }
            self.tables = tables;
            if self.work.is_empty() {
                return;
            }
        }
    }

    fn visit(&mut self, object: Ordinal) {
        let space = self.space;
        let shapes = self.shapes;
        let bytes = space.bytes(object);
        if let Some(map) = word_at(bytes, 0) {
            self.push_word(map);
        }
        let shape = shapes.of(space.map_index(object));
        match &shape.body {
            Body::None => {}
            Body::Words(range) => {
                self.words(bytes, range.clone(), &shape.weak_offsets);
            }
            Body::Around(raw) => {
                self.words(bytes, 8..raw.start, &shape.weak_offsets);
                self.words(bytes, raw.end..usize::MAX, &shape.weak_offsets);
            }
            Body::Instructions(start) => {
                self.words(bytes, 8..*start, &[]);
                for at in *start..bytes.len().saturating_sub(7) {
                    if let Some(word) = word_at(bytes, at) {
                        self.push_word(word);
                    }
                    if let Some(code) = shapes.called(space, object, bytes, at, *start) {
                        self.push(code);
                    }
                }
            }
            Body::Ephemerons => {
                self.tables.push(object);
                self.ephemerons(object);
            }
        }
        if let Some(code) = shapes.code_of(space, object) {
            self.push(code);
        }
    }

    fn words(&mut self, bytes: &[u8], range: std::ops::Range<usize>, skip: &[u16]) {
        let end = range.end.min(bytes.len());
        let Some(body) = bytes.get(range.start..end) else {
            return;
        };
        for (at, chunk) in body.chunks_exact(8).enumerate() {
            let word = u64::from_le_bytes(chunk.try_into().unwrap_or_default());
            if word & 3 != 1 {
                continue;
            }
            if !skip.is_empty() && skip.contains(&((range.start + at * 8) as u16)) {
                continue;
            }
            if let Some(object) = self.space.at(word & !1) {
                self.push(object);
            }
        }
    }

    fn ephemerons(&mut self, table: Ordinal) {
        let bytes = self.space.bytes(table);
        let start = self.shapes.ephemerons_start;
        let mut at = start;
        while let (Some(key), Some(value)) = (word_at(bytes, at), word_at(bytes, at + 8)) {
            at += 16;
            let alive = match self.space.target(key) {
                Some(key) => self.marks.get(key),
                None => true,
            };
            if alive {
                self.push_word(value);
            }
        }
    }
}

/// Offsets of the fields that hold nothing.
pub fn weak_offsets(fields: &[super::shapes::Field]) -> Vec<u16> {
    fields
        .iter()
        .filter(|f| matches!(f.usage, FieldUse::Weak(_) | FieldUse::Skip))
        .map(|f| f.offset)
        .collect()
}
