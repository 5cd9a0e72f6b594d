//! References as a user asks for them: which object, and where in it. What belongs to an object
//! (its elements, its properties, the table of a Map, a getter and setter) is looked through up
//! to the object itself.

use super::classes::Classes;
use super::index::{HeapIndex, ObjectRef};
use super::parallel::Watch;
use super::place::{self, Inner, Place};
use super::refs::{self, Hit, Words};
use super::scope::Scope;
use crate::error::Result;
use crate::metadata::InstanceType;
use crate::object::{Cx, HeapObject, JSString, Tagged};
use rustc_hash::{FxHashMap, FxHashSet};

/// Things in between an object and what it refers to, at most.
const MAX_DEPTH: usize = 5;
/// Owners of one array looked at: many literals may share one.
const MAX_OWNERS: usize = 1000;
/// Objects of one Map that a getter or setter of the Map's is told of.
const MAX_OF_MAP: u64 = 16;
/// Characters of a key shown.
const KEY: usize = 40;

/// A reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Address of the object that refers.
    pub holder: u64,
    /// What it is: a class, or a kind in parentheses.
    pub type_name: String,
    pub place: Place,
    /// Address of the object referred to.
    pub target: u64,
}

/// Answers who refers to what.
pub struct Referrers<'a> {
    pub heap: &'a HeapIndex,
    /// Whose references are looked for.
    pub scope: Scope,
    pub classes: &'a Classes,
    pub cx: Cx<'a>,
    pub watch: Watch<'a>,
}

/// A reference on its way up to an object that users know.
struct Pending {
    hit: Hit,
    /// What was looked through, outermost last.
    path: Vec<Inner>,
    target: u64,
}

impl<'a> Referrers<'a> {
    /// Every reference to the objects at these addresses, by address of the holder.
    pub fn of(&self, addresses: &[u64]) -> Result<Vec<Reference>> {
        let hits = self.find(addresses, Words::Fields)?;
        let pending = hits
            .into_iter()
            .map(|hit| Pending {
                hit,
                path: Vec::new(),
                target: hit.target,
            })
            .collect();
        self.resolve(pending)
    }

    fn find(&self, addresses: &[u64], words: Words) -> Result<Vec<Hit>> {
        let mut hits = refs::find(self.heap, self.cx.layout, addresses, words, self.watch)?;
        hits.retain(|hit| self.scope.has_address(self.heap, hit.holder));
        Ok(hits)
    }

    fn resolve(&self, mut pending: Vec<Pending>) -> Result<Vec<Reference>> {
        let mut found = Vec::new();
        // Maps that were reached through their descriptors.
        let mut by_map: FxHashMap<u64, Vec<Reference>> = FxHashMap::default();
        for depth in 0..=MAX_DEPTH {
            let mut through: FxHashMap<u64, Vec<Pending>> = FxHashMap::default();
            for (i, p) in pending.into_iter().enumerate() {
                if i % 4096 == 0 {
                    (self.watch)("naming references", 0.0)?;
                }
                let Some(info) = self.heap.map_of(p.hit.object()) else {
                    continue;
                };
                let object = HeapObject::new(self.cx, p.hit.holder);
                let inner = place::inner(object, info.kind, p.hit.offset());
                match inner.filter(|_| depth < MAX_DEPTH) {
                    Some(_) => through.entry(p.hit.holder).or_default().push(p),
                    None => {
                        let reference = self.reference(&p, info.kind);
                        let is_descriptor = info.kind == InstanceType::Map
                            && matches!(reference.place, Place::Property(_));
                        match is_descriptor {
                            true => by_map.entry(p.hit.holder).or_default().push(reference),
                            false => found.push(reference),
                        }
                    }
                }
            }
            if through.is_empty() {
                break;
            }
            pending = self.owners(through, &mut found)?;
        }
        self.objects_of_maps(by_map, &mut found)?;
        found.sort_by(|a, b| {
            (a.holder, a.target, &a.type_name).cmp(&(b.holder, b.target, &b.type_name))
        });
        found.dedup();
        Ok(found)
    }

    /// Goes from what is looked through to what it belongs to. Where that is nothing, it stands for
    /// itself.
    fn owners(
        &self,
        through: FxHashMap<u64, Vec<Pending>>,
        found: &mut Vec<Reference>,
    ) -> Result<Vec<Pending>> {
        let mut addresses: Vec<u64> = through.keys().copied().collect();
        addresses.sort_unstable();
        let owners = self.find(&addresses, Words::Fields)?;
        let mut next = Vec::new();
        let mut owned: FxHashMap<u64, usize> = FxHashMap::default();
        for owner in owners {
            let Some(children) = through.get(&owner.target) else {
                continue;
            };
            let count = owned.entry(owner.target).or_default();
            *count += 1;
            if *count > MAX_OWNERS || owner.holder == owner.target {
                continue;
            }
            for child in children {
                let Some(info) = self.heap.map_of(child.hit.object()) else {
                    continue;
                };
                let object = HeapObject::new(self.cx, child.hit.holder);
                let Some(inner) = place::inner(object, info.kind, child.hit.offset()) else {
                    continue;
                };
                let mut path = child.path.clone();
                path.push(inner);
                next.push(Pending {
                    hit: owner,
                    path,
                    target: child.target,
                });
            }
        }
        for (address, children) in &through {
            if owned.contains_key(address) {
                continue;
            }
            for child in children {
                if let Some(info) = self.heap.map_of(child.hit.object()) {
                    found.push(self.reference(child, info.kind));
                }
            }
        }
        Ok(next)
    }

    /// Tells of the objects in the place of their Map, where they are few: a prototype's accessors
    /// are in its Map's descriptors.
    fn objects_of_maps(
        &self,
        by_map: FxHashMap<u64, Vec<Reference>>,
        found: &mut Vec<Reference>,
    ) -> Result<()> {
        let few = |map: &u64| {
            let index = self.heap.map_index(*map);
            let tally = index.and_then(|i| self.heap.tallies.get(i as usize));
            tally.is_some_and(|t| t.count > 0 && t.count <= MAX_OF_MAP)
        };
        let maps: Vec<u64> = by_map.keys().copied().filter(few).collect();
        let objects = self.find(&maps, Words::Map)?;
        let mut told: FxHashSet<u64> = FxHashSet::default();
        for object in objects {
            for reference in by_map.get(&object.target).into_iter().flatten() {
                told.insert(object.target);
                found.push(Reference {
                    holder: object.holder,
                    type_name: self.type_name(object.object()),
                    ..reference.clone()
                });
            }
        }
        for (map, references) in by_map {
            if !told.contains(&map) {
                found.extend(references);
            }
        }
        Ok(())
    }

    fn reference(&self, pending: &Pending, kind: InstanceType) -> Reference {
        let hit = &pending.hit;
        let object = HeapObject::new(self.cx, hit.holder);
        let place = if kind == InstanceType::String {
            Place::Internal(place::string_part(object, hit.offset()).to_string())
        } else if let (true, Some(Inner::Slot(index))) = (
            pending.path.is_empty(),
            place::inner(object, kind, hit.offset()),
        ) {
            Place::Index(index)
        } else {
            let write = |value| self.key(value);
            place::place(object, kind, hit.offset(), &pending.path, &write)
        };
        Reference {
            holder: hit.holder,
            type_name: self.type_name(hit.object()),
            place,
            target: pending.target,
        }
    }

    /// What an object is called: its class, or its kind in parentheses.
    pub fn type_name(&self, object: ObjectRef) -> String {
        let Some(info) = self.heap.map_of(object) else {
            return "(unknown)".to_string();
        };
        let kind = info.kind;
        if self.cx.layout.types.is_js_receiver(info.number) {
            let class = self.classes.of_object(object);
            return class.map_or(String::new(), |id| self.classes.name(id).to_string());
        }
        match kind {
            InstanceType::String => "(String)".to_string(),
            InstanceType::PropertyCell => "Global".to_string(),
            InstanceType::Map => {
                let index = self.heap.map_index(object.address);
                let class = index.and_then(|i| self.classes.of_map(i));
                match class {
                    Some(id) => format!("(Map of {})", self.classes.name(id)),
                    None => "(Map)".to_string(),
                }
            }
            kind if kind.is_context() => "Context".to_string(),
            kind => format!("({})", kind.name()),
        }
    }

    /// A key of a Map as text.
    fn key(&self, value: Tagged) -> String {
        if let Some(number) = self.cx.smi(value) {
            return number.to_string();
        }
        let read = || {
            let object = self.cx.object(value).ok()?;
            if object.is_string().ok()? {
                let text = JSString(object).read(KEY).ok()?;
                let dots = if text.is_truncated() { "..." } else { "" };
                return Some(format!("\"{}{dots}\"", text.text()));
            }
            None
        };
        read().unwrap_or_else(|| format!("{:#x}", value.0))
    }
}
