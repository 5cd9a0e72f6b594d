//! Interned strings: one buffer, an end offset each, and (while building) a table to find them.

use hashbrown::HashTable;
use rustc_hash::FxHasher;
use std::hash::Hasher;

/// Number of an interned string.
pub type StringId = u32;

/// Strings by number.
#[derive(Default)]
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
#[derive(Default)]
pub struct Interner {
    strings: Strings,
    table: HashTable<StringId>,
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(bytes);
    hasher.write_usize(bytes.len());
    hasher.finish()
}

impl Interner {
    /// The number of `string`, a new one if it is new.
    pub fn intern(&mut self, string: &str) -> StringId {
        let bytes = string.as_bytes();
        let hashed = hash(bytes);
        let strings = &self.strings;
        if let Some(&id) = self.table.find(hashed, |&id| strings.bytes_of(id) == bytes) {
            return id;
        }
        let id = self.strings.push(string);
        let strings = &self.strings;
        self.table
            .insert_unique(hashed, id, |&id| hash(strings.bytes_of(id)));
        id
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
