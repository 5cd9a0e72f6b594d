//! Map, Set, WeakMap, WeakSet, WeakRef, and iterators over them.

use super::dictionary::HashTable;
use super::{is_the_hole, FixedArray, HeapObject, Tagged};
use crate::error::{Error, Result};
use crate::metadata::InstanceType;

/// Slots of a table read at most.
const MAX_SLOTS: usize = 1 << 27;

/// The table behind a Map or Set: entries in the order they were put in.
#[derive(Clone, Copy, Debug)]
pub struct OrderedHashTable<'a> {
    array: FixedArray<'a>,
    /// Words of an entry: key, value (of a Map), the next of the chain.
    entry: u64,
}

impl<'a> OrderedHashTable<'a> {
    /// The table of a Map.
    pub fn of_map(object: HeapObject<'a>) -> OrderedHashTable<'a> {
        OrderedHashTable {
            array: FixedArray(object),
            entry: 3,
        }
    }

    /// The table of a Set.
    pub fn of_set(object: HeapObject<'a>) -> OrderedHashTable<'a> {
        OrderedHashTable {
            array: FixedArray(object),
            entry: 2,
        }
    }

    fn count(self, index: u64) -> Result<u64> {
        let value = self.array.get(index)?;
        let count = self.array.0.cx.smi(value);
        count.and_then(|c| u64::try_from(c).ok()).ok_or_else(|| {
            Error::malformed(
                "OrderedHashTable",
                self.array.0.address,
                "a count is no Smi",
            )
        })
    }

    /// Entries in use.
    pub fn len(self) -> Result<u64> {
        self.count(
            self.array
                .0
                .cx
                .layout
                .ordered_hash_table
                .number_of_elements
                .offset()?,
        )
    }

    /// Whether it has none.
    pub fn is_empty(self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Keys and values (a Set's value is its key), from entry `first` on, deleted ones left out.
    pub fn entries_from(self, first: u64) -> Result<Vec<(Tagged, Tagged)>> {
        let cx = self.array.0.cx;
        let layout = &cx.layout.ordered_hash_table;
        let elements = self.len()?;
        let deleted = self.count(layout.number_of_deleted.offset()?)?;
        let buckets = self.count(layout.number_of_buckets.offset()?)?;
        let start = layout.hash_table_start.offset()?.saturating_add(buckets);
        let used = elements.saturating_add(deleted);
        let skip = first.min(used);
        let words = (used - skip).saturating_mul(self.entry);
        let from = start.saturating_add(skip.saturating_mul(self.entry));
        let slots = self
            .array
            .slice(from, words.min(MAX_SLOTS as u64) as usize)?;
        let mut hole = None;
        let mut entries = Vec::new();
        for entry in slots.chunks_exact(self.entry as usize) {
            let key = entry[0];
            if hole == Some(key) {
                continue;
            }
            if hole.is_none() && !key.is_smi() && is_the_hole(cx, key) {
                hole = Some(key);
                continue;
            }
            let value = if self.entry == 3 { entry[1] } else { key };
            entries.push((key, value));
        }
        Ok(entries)
    }

    /// All keys and values.
    pub fn entries(self) -> Result<Vec<(Tagged, Tagged)>> {
        self.entries_from(0)
    }
}

/// What a collection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CollectionKind {
    Map,
    Set,
    WeakMap,
    WeakSet,
}

/// Map, Set, WeakMap or WeakSet.
#[derive(Clone, Copy, Debug)]
pub struct JSCollection<'a> {
    pub object: HeapObject<'a>,
    pub kind: CollectionKind,
}

impl<'a> JSCollection<'a> {
    /// `None` for an object that is none of them.
    pub fn new(object: HeapObject<'a>) -> Result<Option<JSCollection<'a>>> {
        let kind = match object.instance_type()? {
            InstanceType::JSMap => CollectionKind::Map,
            InstanceType::JSSet => CollectionKind::Set,
            InstanceType::JSWeakMap => CollectionKind::WeakMap,
            InstanceType::JSWeakSet => CollectionKind::WeakSet,
            _ => return Ok(None),
        };
        Ok(Some(JSCollection { object, kind }))
    }

    fn table(self) -> Result<HeapObject<'a>> {
        self.object
            .object_field(self.object.cx.layout.js_collection.table)
    }

    /// Number of entries.
    pub fn len(self) -> Result<u64> {
        let table = self.table()?;
        match self.kind {
            CollectionKind::Map => OrderedHashTable::of_map(table).len(),
            CollectionKind::Set => OrderedHashTable::of_set(table).len(),
            _ => Ok(self.entries()?.len() as u64),
        }
    }

    /// Whether it has none.
    pub fn is_empty(self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Keys and values; the value of a Set's member is the member.
    pub fn entries(self) -> Result<Vec<(Tagged, Tagged)>> {
        let table = self.table()?;
        match self.kind {
            CollectionKind::Map => OrderedHashTable::of_map(table).entries(),
            CollectionKind::Set => OrderedHashTable::of_set(table).entries(),
            CollectionKind::WeakMap | CollectionKind::WeakSet => {
                let entries = HashTable::object_hash_table(table).entries()?;
                Ok(entries
                    .into_iter()
                    .filter_map(|e| Some((*e.first()?, *e.get(1)?)))
                    .collect())
            }
        }
    }
}

/// What an iterator over a Map or Set has yet to give: keys and values. `None` for another object.
pub fn iterator_entries(object: HeapObject) -> Result<Option<Vec<(Tagged, Tagged)>>> {
    use InstanceType::*;
    let cx = object.cx;
    let kind = object.instance_type()?;
    let is_map = matches!(
        kind,
        JSMapKeyIterator | JSMapKeyValueIterator | JSMapValueIterator
    );
    if !is_map && !matches!(kind, JSSetKeyValueIterator | JSSetValueIterator) {
        return Ok(None);
    }
    let layout = &cx.layout.js_collection_iterator;
    let table = object.object_field(layout.table)?;
    let index = u64::try_from(object.smi_field(layout.index)?).unwrap_or(0);
    let table = if is_map {
        OrderedHashTable::of_map(table)
    } else {
        OrderedHashTable::of_set(table)
    };
    // A table that was outgrown keeps the newer one in place of the count.
    let mut current = table;
    let mut index = index;
    for _ in 0..64 {
        let at = cx.layout.ordered_hash_table.number_of_elements.offset()?;
        let word = current.array.get(at)?;
        if word.is_smi() {
            return current.entries_from(index).map(Some);
        }
        index = current.moved_index(index)?;
        current.array = super::FixedArray(cx.object(word)?);
    }
    Ok(None)
}

impl OrderedHashTable<'_> {
    /// Where an iterator at `index` stands in the table that took this one's place.
    fn moved_index(self, index: u64) -> Result<u64> {
        let layout = &self.array.0.cx.layout.ordered_hash_table;
        let deleted = self.array.get(layout.number_of_deleted.offset()?)?;
        let Some(deleted) = self.array.0.cx.smi(deleted) else {
            return Ok(index);
        };
        if deleted < 0 {
            // It was cleared.
            return Ok(0);
        }
        let start = layout.hash_table_start.offset()?;
        let mut before = 0;
        for removed in self.array.slice(start, deleted.min(1 << 24) as usize)? {
            let removed = self.array.0.cx.smi(removed).unwrap_or(i64::MAX);
            before += u64::from((removed as u64) < index);
        }
        Ok(index.saturating_sub(before))
    }
}

/// The target of a WeakRef; `None` once it is gone.
pub fn weak_ref_target(object: HeapObject) -> Result<Option<Tagged>> {
    let value = object.field(object.cx.layout.js_weak_ref.target)?;
    Ok((!super::is_undefined(object.cx, value)).then_some(value))
}
