//! Hash tables with one place per entry: NameDictionary, GlobalDictionary, NumberDictionary,
//! EphemeronHashTable, ObjectHashTable and so on. A FixedArray in shape.

use super::details::PropertyDetails;
use super::{FixedArray, HeapObject, Tagged};
use crate::error::Result;

/// Entries read at most from one table; V8's own limit is far below.
const MAX_SLOTS: usize = 1 << 27;

/// A hash table, by how its entries are cut.
#[derive(Clone, Copy, Debug)]
pub struct HashTable<'a> {
    pub array: FixedArray<'a>,
    /// Words of a prefix between the counts and the entries.
    pub prefix: u64,
    /// Words of an entry.
    pub entry: u64,
}

/// A property of a dictionary.
#[derive(Clone, Copy, Debug)]
pub struct DictionaryEntry {
    pub key: Tagged,
    pub value: Tagged,
    pub details: Option<PropertyDetails>,
}

impl<'a> HashTable<'a> {
    /// Properties by name.
    pub fn name_dictionary(object: HeapObject<'a>) -> Result<HashTable<'a>> {
        let d = &object.cx.layout.dictionary;
        Ok(HashTable {
            array: FixedArray(object),
            prefix: d.name_prefix.offset()?,
            entry: d.name_entry.offset()?,
        })
    }

    /// Properties of the global object: each entry is a PropertyCell.
    pub fn global_dictionary(object: HeapObject<'a>) -> Result<HashTable<'a>> {
        let d = &object.cx.layout.dictionary;
        Ok(HashTable {
            array: FixedArray(object),
            prefix: d.global_prefix.offset()?,
            entry: d.global_entry.offset()?,
        })
    }

    /// Elements by number.
    pub fn number_dictionary(object: HeapObject<'a>) -> Result<HashTable<'a>> {
        let d = &object.cx.layout.dictionary;
        Ok(HashTable {
            array: FixedArray(object),
            prefix: d.number_prefix.offset()?,
            entry: d.number_entry.offset()?,
        })
    }

    /// Key and value, no prefix: the table of a WeakMap, of module exports.
    pub fn object_hash_table(object: HeapObject<'a>) -> HashTable<'a> {
        HashTable {
            array: FixedArray(object),
            prefix: 0,
            entry: 2,
        }
    }

    /// Every entry in use, in table order: its words, of which the first is the key.
    pub fn entries(self) -> Result<Vec<Vec<Tagged>>> {
        let cx = self.array.0.cx;
        let start = cx.layout.dictionary.start_index.offset()? + self.prefix;
        let slots = self.array.slice(start, MAX_SLOTS)?;
        let words = self.entry.clamp(1, 8) as usize;
        // An unused place holds undefined, a deleted one the hole; both are oddballs (or, from V8
        // 13 on, a Hole), and no key is.
        let mut free: Vec<Tagged> = Vec::new();
        let mut entries = Vec::new();
        for entry in slots.chunks_exact(words) {
            let key = entry[0];
            if free.contains(&key) {
                continue;
            }
            if is_free(cx, key) {
                if free.len() < 4 {
                    free.push(key);
                }
                continue;
            }
            entries.push(entry.to_vec());
        }
        Ok(entries)
    }

    /// Entries of a dictionary of properties or elements, in table order.
    pub fn properties(self) -> Result<Vec<DictionaryEntry>> {
        let cx = self.array.0.cx;
        let entries = self.entries()?;
        Ok(entries
            .into_iter()
            .filter_map(|e| {
                Some(DictionaryEntry {
                    key: *e.first()?,
                    value: *e.get(1)?,
                    details: e.get(2).and_then(|d| cx.smi(*d)).map(PropertyDetails),
                })
            })
            .collect())
    }
}

/// Whether a key marks a place without an entry.
fn is_free(cx: super::Cx, key: Tagged) -> bool {
    use crate::metadata::InstanceType;
    let Ok(object) = cx.object(key) else {
        return key.is_cleared();
    };
    matches!(
        object.instance_type(),
        Ok(InstanceType::Oddball | InstanceType::Hole)
    )
}
