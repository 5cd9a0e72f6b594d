//! Roots in vectors, tables and lists outside the heap, known by what is in them.

use super::{read_words, Category, Finder, MOST};
use crate::metadata::InstanceType;
use crate::object::Tagged;

/// A cache of the snapshot's objects has hundreds; what holds fewer is another vector.
const CACHE: usize = 100;

impl Finder<'_, '_> {
    /// Vectors of objects that the isolate and its heap hold: caches and external strings.
    pub(super) fn vectors(&mut self) {
        let mut caches: Vec<Vec<u64>> = Vec::new();
        let mut at = 0;
        while at + 2 < self.words.len() {
            let [begin, end, capacity] = [self.words[at], self.words[at + 1], self.words[at + 2]];
            at += 1;
            let sound = begin != 0
                && begin % 8 == 0
                && begin < end
                && end <= capacity
                && (end - begin) % 8 == 0
                && (end - begin) / 8 <= MOST
                && (capacity - begin) / 8 <= 4 * MOST;
            if !sound
                || !self
                    .memory()
                    .u64(begin)
                    .is_ok_and(|w| Tagged(w).is_strong())
            {
                continue;
            }
            let Some(items) = self.objects_between(begin, end) else {
                continue;
            };
            let all_code = items.iter().all(|w| {
                self.space
                    .target(*w)
                    .is_some_and(|o| self.space.map(o).kind == InstanceType::Code)
            });
            if all_code {
                // Another list of the builtins.
                continue;
            }
            let external = items.iter().all(|w| self.is_external(*w));
            at += 2;
            if external {
                for word in items {
                    self.add(Category::ExternalStrings, word, false, None);
                }
            } else if items.len() >= CACHE {
                caches.push(items);
            } else {
                for word in items {
                    self.add_once(Category::StackRoots, word);
                }
            }
        }
        // The caches stand last: the isolate's own one, then (from V8 10 on) the one for what
        // isolates can share.
        let categories: &[Category] = match self.layout.version.at_least(10, 0) {
            true => &[Category::StartupObjectCache, Category::ShareableObjectCache],
            false => &[Category::StartupObjectCache],
        };
        let others = caches.len().saturating_sub(categories.len());
        for (at, items) in caches.into_iter().enumerate() {
            let category = at.checked_sub(others).and_then(|at| categories.get(at));
            for word in items {
                match category {
                    Some(&category) => self.add(category, word, false, None),
                    None => self.add_once(Category::StackRoots, word),
                }
            }
        }
    }

    /// The words between two addresses, if they are objects and Smis, or objects of which a few
    /// are in no page of the core, as a cache may hold. Most are neither, and told by the first.
    fn objects_between(&self, begin: u64, end: u64) -> Option<Vec<u64>> {
        const PIECE: u64 = 4096;
        let (mut plain, mut tagged, mut objects) = (true, true, 0);
        let mut items = Vec::new();
        let mut at = begin;
        while at < end && (plain || tagged) {
            let size = (end - at).min(PIECE);
            let piece = read_words(self.memory(), at, size as usize);
            for &word in &piece {
                let is_object = self.is_object(word);
                objects += usize::from(is_object);
                plain &= is_object || Tagged(word).is_smi();
                tagged &= Tagged(word).is_strong();
            }
            items.extend_from_slice(&piece);
            if (piece.len() as u64) < size / 8 {
                break;
            }
            at += size;
        }
        let nearly = tagged && items.len() > CACHE && objects * 20 > items.len() * 19;
        (objects > 0 && (plain || nearly)).then_some(items)
    }

    pub(super) fn is_external(&self, word: u64) -> bool {
        let Some(object) = self.space.target(word) else {
            return Tagged(word).is_smi();
        };
        let map = self.space.map(object);
        let tags = &self.layout.tagging;
        let mask = tags.string_representation_mask.known().unwrap_or(0);
        map.kind == InstanceType::String
            && Some(i64::from(map.number) & mask) == tags.external_string_tag.known()
    }

    /// The table of internalized strings outside the heap (from V8 9 on).
    pub(super) fn string_table(&mut self) {
        const HEADER: u64 = 24;
        for table in self.words.clone() {
            if table == 0 || table % 8 != 0 {
                continue;
            }
            let Ok(data) = self.memory().u64(table) else {
                continue;
            };
            if data == 0 || data % 8 != 0 {
                continue;
            }
            let header = read_words(self.memory(), data, HEADER as usize);
            let [_, counts, capacity] = header[..] else {
                continue;
            };
            let capacity = capacity & 0xffff_ffff;
            let used = (counts & 0xffff_ffff) + (counts >> 32);
            let sound = capacity.is_power_of_two()
                && (256..=MOST).contains(&capacity)
                && used > 0
                && used <= capacity;
            if !sound {
                continue;
            }
            let items = read_words(self.memory(), data + HEADER, capacity as usize * 8);
            let strings = items.iter().filter(|w| self.is_object(**w)).count() as u64;
            let plain = items
                .iter()
                .all(|w| Tagged(*w).is_smi() || self.is_object(*w));
            if plain && strings == counts & 0xffff_ffff {
                for word in items {
                    self.add(Category::InternalizedStrings, word, false, None);
                }
                return;
            }
        }
    }

    /// CompilationCache: its isolate, then for each kind of script the isolate and a table.
    pub(super) fn compilation_cache(&mut self) {
        let isolate = self.isolate.address;
        for cache in self.words.clone() {
            if cache == 0 || cache % 8 != 0 || self.on_a_stack(cache) {
                continue;
            }
            let words = read_words(self.memory(), cache, 0x100);
            let isolates = words.iter().filter(|w| **w == isolate).count();
            if words.first() != Some(&isolate) || isolates < 3 {
                continue;
            }
            let tables: Vec<u64> = words.into_iter().filter(|w| self.is_object(*w)).collect();
            for word in tables {
                self.add_once(Category::CompilationCache, word);
            }
            return;
        }
    }

    /// Lists of roots that others registered (to V8 8: the code that deoptimization enters):
    /// each tells where its roots begin and end, and the next list.
    pub(super) fn strong_roots_list(&mut self) {
        if self.layout.version.at_least(9, 0) {
            return;
        }
        for list in self.words.clone() {
            if list == 0 || list % 8 != 0 || self.on_a_stack(list) {
                continue;
            }
            let words = read_words(self.memory(), list, 24);
            let [start, end, _next] = words[..] else {
                continue;
            };
            let near = start % 8 == 0 && start < end && end - start <= 16 * 8;
            if start == 0 || !near || (end - start) % 8 != 0 {
                continue;
            }
            let items = read_words(self.memory(), start, (end - start) as usize);
            let code = |word: &u64| {
                let object = self.space.target(*word);
                object.is_some_and(|o| self.space.map(o).kind == InstanceType::Code)
            };
            if items.is_empty() || !items.iter().all(code) {
                continue;
            }
            for word in items {
                self.add(Category::StrongRootsList, word, false, None);
            }
            return;
        }
    }

    /// Bootstrapper: its isolate, how deep it is nested, and the compiled extensions: the type of
    /// their scripts and an array.
    pub(super) fn extensions(&mut self) {
        let isolate = self.isolate.address;
        for bootstrapper in self.words.clone() {
            if bootstrapper == 0 || bootstrapper % 8 != 0 || self.on_a_stack(bootstrapper) {
                continue;
            }
            let words = read_words(self.memory(), bootstrapper, 32);
            let [owner, nesting, kind, scripts] = words[..] else {
                continue;
            };
            let is_array = |o| self.space.map(o).kind == InstanceType::FixedArray;
            if owner == isolate
                && nesting as u32 == 0
                && (kind as u32) < 8
                && Tagged(scripts).is_strong()
                && self.space.target(scripts).is_some_and(is_array)
            {
                self.add(Category::Extensions, scripts, false, None);
                return;
            }
        }
    }
}
