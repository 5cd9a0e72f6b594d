//! Interned strings: one buffer, an end offset each, and (while building) a table to find them.

use hashbrown::hash_table::{Entry, HashTable};
use rustc_hash::FxHasher;
use std::hash::Hasher;

/// Number of an interned string.
pub type StringId = u32;

/// Strings by number.
#[derive(Default, Clone)]
pub struct Strings {
    bytes: Vec<u8>,
    ends: Vec<u64>,
}

impl Strings {
    /// How many.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The string, empty for a number that is none.
    pub fn get(&self, id: StringId) -> &str {
        std::str::from_utf8(self.bytes_of(id)).unwrap_or_default()
    }

    fn bytes_of(&self, id: StringId) -> &[u8] {
        let id = id as usize;
        let Some(&end) = self.ends.get(id) else {
            return &[];
        };
        let start = match id {
            0 => 0,
            _ => self.ends[id - 1],
        };
        self.bytes
            .get(start as usize..end as usize)
            .unwrap_or_default()
    }

    /// Appends without looking for an equal one.
    pub fn push(&mut self, string: &str) -> StringId {
        self.bytes.extend_from_slice(string.as_bytes());
        self.ends.push(self.bytes.len() as u64);
        (self.ends.len() - 1) as StringId
    }

    /// Forgets all; the memory stays.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    /// All, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len() as StringId).map(|id| self.get(id))
    }

    /// Number of the first string equal to `string`.
    pub fn find(&self, string: &str) -> Option<StringId> {
        (0..self.len() as StringId).find(|&id| self.bytes_of(id) == string.as_bytes())
    }

    /// Bytes held.
    pub fn memory(&self) -> usize {
        self.bytes.capacity() + self.ends.capacity() * 8
    }
}

/// [`Strings`] with a table, so that equal ones get one number.
#[derive(Default, Clone)]
pub struct Interner {
    strings: Strings,
    table: HashTable<StringId>,
}

/// The hash that [`Interner`] finds a string by.
#[inline]
pub fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(bytes);
    hasher.write_usize(bytes.len());
    hasher.finish()
}

impl Interner {
    /// The number of `string`, a new one if it is new.
    pub fn intern(&mut self, string: &str) -> StringId {
        self.intern_hashed(hash(string.as_bytes()), string)
    }

    /// The same for a string whose hash is known.
    pub fn intern_hashed(&mut self, hashed: u64, string: &str) -> StringId {
        let strings = &self.strings;
        let is_it = |&id: &StringId| strings.bytes_of(id) == string.as_bytes();
        let hash_of = |&id: &StringId| hash(strings.bytes_of(id));
        match self.table.entry(hashed, is_it, hash_of) {
            Entry::Occupied(found) => *found.get(),
            Entry::Vacant(free) => {
                let id = self.strings.len() as StringId;
                free.insert(id);
                self.strings.push(string)
            }
        }
    }

    /// The number of a string that is there, by its hash.
    pub fn find_hashed(&self, hashed: u64, string: &str) -> Option<StringId> {
        let is_it = |&id: &StringId| self.strings.bytes_of(id) == string.as_bytes();
        self.table.find(hashed, is_it).copied()
    }

    /// Room for that many more.
    pub fn reserve(&mut self, count: usize) {
        let strings = &self.strings;
        self.table.reserve(count, |&id| hash(strings.bytes_of(id)));
    }

    /// The strings so far.
    pub fn strings(&self) -> &Strings {
        &self.strings
    }

    /// The strings, without the table.
    pub fn finish(mut self) -> Strings {
        self.strings.bytes.shrink_to_fit();
        self.strings.ends.shrink_to_fit();
        self.strings
    }
}

#[cfg(test)]
mod tests {
    use super::Interner;

    #[test]
    fn equal_strings_share_a_number() {
        let mut interner = Interner::default();
        let ids: Vec<u32> = ["", "a", "ab", "a", "", "b"]
            .into_iter()
            .map(|s| interner.intern(s))
            .collect();
        assert_eq!(ids, [0, 1, 2, 1, 0, 3]);
        let strings = interner.finish();
        assert_eq!(strings.iter().collect::<Vec<_>>(), ["", "a", "ab", "b"]);
        assert_eq!(strings.get(99), "");
    }
}
