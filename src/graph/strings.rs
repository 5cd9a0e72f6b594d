//! Interned strings: one buffer, an end offset each, and (while building) a table to find them.

use super::hints::{huge, prefetch, room};
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

    /// Room for that many more, of a length that most stay below; what is not used costs nothing.
    fn reserve(&mut self, count: usize) {
        const LENGTH: usize = 48;
        room(&mut self.ends, count);
        room(&mut self.bytes, count.saturating_mul(LENGTH));
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
        self.push_bytes(string.as_bytes())
    }

    fn push_bytes(&mut self, bytes: &[u8]) -> StringId {
        self.bytes.extend_from_slice(bytes);
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

/// [`Strings`] with a table, so that equal ones get one number. The table is of open addressing
/// and keeps each hash: a new string, which most are, costs one access to memory, which
/// can be asked for beforehand ([`Self::prefetch`]), and growing never looks at the strings.
#[derive(Default, Clone)]
pub struct Interner {
    strings: Strings,
    /// A string's hash and its number; a power of two of them, at most three
    /// quarters in use.
    table: Vec<(u32, StringId)>,
    /// How many are in the table.
    known: usize,
}

/// No string.
const NONE: StringId = StringId::MAX;

/// The hash that [`Interner`] finds a string by.
#[inline]
pub fn hash(bytes: &[u8]) -> u32 {
    let mut hasher = FxHasher::default();
    hasher.write(bytes);
    hasher.write_usize(bytes.len());
    let hashed = hasher.finish();
    (hashed ^ hashed >> 32) as u32
}

impl Interner {
    /// The number of `string`, a new one if it is new.
    pub fn intern(&mut self, string: &str) -> StringId {
        self.intern_hashed(hash(string.as_bytes()), string)
    }

    /// The same for a string whose hash is known.
    pub fn intern_hashed(&mut self, hashed: u32, string: &str) -> StringId {
        self.intern_bytes(hashed, string.as_bytes())
    }

    /// The same for one of other strings.
    pub fn intern_from(&mut self, hashed: u32, others: &Strings, id: StringId) -> StringId {
        self.intern_bytes(hashed, others.bytes_of(id))
    }

    fn intern_bytes(&mut self, hashed: u32, bytes: &[u8]) -> StringId {
        if self.table.len() / 4 * 3 < self.known + 1 {
            self.grow(self.known + 1);
        }
        match self.find(hashed, bytes) {
            Ok(id) => id,
            Err(slot) => {
                let id = self.strings.push_bytes(bytes);
                self.table[slot] = (hashed, id);
                self.known += 1;
                id
            }
        }
    }

    /// A new number for a string, which is not looked for and will not be found.
    pub fn push(&mut self, string: &str) -> StringId {
        self.strings.push(string)
    }

    /// The number of a string that is there, by its hash.
    pub fn find_hashed(&self, hashed: u32, string: &str) -> Option<StringId> {
        match self.table.is_empty() {
            true => None,
            false => self.find(hashed, string.as_bytes()).ok(),
        }
    }

    /// The number of a string, or where it belongs in the table.
    #[inline]
    fn find(&self, hashed: u32, bytes: &[u8]) -> std::result::Result<StringId, usize> {
        let mask = self.table.len() - 1;
        let mut slot = hashed as usize & mask;
        loop {
            let (found, id) = self.table[slot];
            if id == NONE {
                return Err(slot);
            }
            if found == hashed && self.strings.bytes_of(id) == bytes {
                return Ok(id);
            }
            slot = (slot + 1) & mask;
        }
    }

    /// Asks the processor for what will be looked at for a string of that hash.
    #[inline]
    pub fn prefetch(&self, hashed: u32) {
        if let Some(mask) = self.table.len().checked_sub(1) {
            prefetch(&self.table[hashed as usize & mask..]);
        }
    }

    /// Room for the texts of that many more.
    pub fn reserve_texts(&mut self, count: usize) {
        self.strings.reserve(count);
    }

    /// Room for that many more in the table.
    pub fn reserve(&mut self, count: usize) {
        self.grow(self.known.saturating_add(count));
    }

    fn grow(&mut self, count: usize) {
        // A quarter stays free at least.
        let size = (count.saturating_mul(4) / 3 + 1)
            .next_power_of_two()
            .max(64);
        if size <= self.table.len() {
            return;
        }
        let mut table = Vec::with_capacity(size);
        huge(&mut table);
        table.resize(size, (0, NONE));
        for &(hashed, id) in self.table.iter().filter(|(_, id)| *id != NONE) {
            let mut slot = hashed as usize & (size - 1);
            while table[slot].1 != NONE {
                slot = (slot + 1) & (size - 1);
            }
            table[slot] = (hashed, id);
        }
        self.table = table;
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
