//! What kind of thing every object is: its class as V8's heap snapshot names it, or for what is
//! no JavaScript object a name in parentheses.

use super::index::{HeapIndex, ObjectRef};
use super::parallel::Watch;
use super::scope::Scope;
use super::walk::{MapInfo, Tally};
use crate::error::Result;
use crate::metadata::InstanceType;
use crate::object::{class_name_of, class_name_of_map, ClassName, Cx, HeapObject, Map, Symbol};
use rustc_hash::FxHashMap;

/// A class: index in [`Classes::all`].
pub type ClassId = u32;

/// One class with what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Class {
    pub name: String,
    pub tally: Tally,
    /// Values that a program holds: objects, strings, symbols and numbers, not V8's own.
    pub is_value: bool,
}

/// The class of a Map's objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OfMap {
    All(ClassId),
    /// Another one for some, see [`Classes::exceptions`].
    ButExceptions(ClassId),
    /// Fillers.
    None,
}

/// The classes of a heap.
pub struct Classes {
    pub all: Vec<Class>,
    of_map: Vec<OfMap>,
    /// Objects that are of another class than their Map's others.
    exceptions: FxHashMap<u64, ClassId>,
    by_name: FxHashMap<String, ClassId>,
}

/// Names in parentheses, for what has no class.
fn kind_name(kind: InstanceType) -> (&'static str, bool) {
    use InstanceType::*;
    match kind {
        String => ("(String)", true),
        Symbol => ("(Symbol)", true),
        HeapNumber => ("(Number)", true),
        BigInt => ("(BigInt)", true),
        PropertyArray | NameDictionary | SwissNameDictionary | GlobalDictionary | PropertyCell => {
            ("(object properties)", false)
        }
        FixedArray | FixedDoubleArray | NumberDictionary | SloppyArgumentsElements => {
            ("(object elements)", false)
        }
        OrderedHashMap
        | OrderedHashSet
        | OrderedNameDictionary
        | SmallOrderedHashMap
        | SmallOrderedHashSet
        | SmallOrderedNameDictionary
        | EphemeronHashTable
        | HashTable => ("(collection tables)", false),
        Map
        | DescriptorArray
        | StrongDescriptorArray
        | TransitionArray
        | PrototypeInfo
        | EnumCache => ("(object shapes)", false),
        kind if kind.is_context() => ("(Context)", false),
        Code
        | CodeDataContainer
        | InstructionStream
        | BytecodeArray
        | SharedFunctionInfo
        | ScopeInfo
        | Script
        | FeedbackVector
        | FeedbackMetadata
        | FeedbackCell
        | ClosureFeedbackCellArray
        | PreparseData => ("(code)", false),
        _ => ("(system)", false),
    }
}

impl Classes {
    /// Names the classes of all Maps. Objects are looked at one by one only where their Map does
    /// not decide.
    pub fn of(heap: &HeapIndex, cx: Cx<'_>, watch: Watch<'_>) -> Result<Classes> {
        let mut classes = Classes {
            all: Vec::new(),
            of_map: Vec::with_capacity(heap.maps.len()),
            exceptions: FxHashMap::default(),
            by_name: FxHashMap::default(),
        };
        let mut ask: Vec<u32> = Vec::new();
        let mut tagged: Vec<u32> = Vec::new();
        for (i, (info, tally)) in heap.maps.iter().zip(&heap.tallies).enumerate() {
            if i % 1024 == 0 {
                watch("naming classes", i as f64 / heap.maps.len() as f64)?;
            }
            if info.is_free {
                classes.of_map.push(OfMap::None);
                continue;
            }
            let (id, how) = classes.class_of_map(cx, info);
            classes.all[id as usize].tally.add(tally);
            let of_map = match how {
                How::Sure => OfMap::All(id),
                How::UnlessTagged => {
                    tagged.push(i as u32);
                    OfMap::ButExceptions(id)
                }
                How::Ask => {
                    ask.push(i as u32);
                    OfMap::ButExceptions(id)
                }
            };
            classes.of_map.push(of_map);
        }
        classes.look_at_objects(heap, cx, &ask, &tagged, watch)?;
        Ok(classes)
    }

    /// The class of an object; None for a filler.
    #[inline]
    pub fn of_object(&self, object: ObjectRef) -> Option<ClassId> {
        match *self.of_map.get(object.map as usize)? {
            OfMap::All(id) => Some(id),
            OfMap::ButExceptions(id) => {
                Some(self.exceptions.get(&object.address).copied().unwrap_or(id))
            }
            OfMap::None => None,
        }
    }

    /// The class of a Map's objects; None for fillers.
    pub fn of_map(&self, map: u32) -> Option<ClassId> {
        match *self.of_map.get(map as usize)? {
            OfMap::All(id) | OfMap::ButExceptions(id) => Some(id),
            OfMap::None => None,
        }
    }

    /// Name of a class.
    pub fn name(&self, id: ClassId) -> &str {
        self.all.get(id as usize).map_or("", |c| &c.name)
    }

    /// The class of this name.
    pub fn by_name(&self, name: &str) -> Option<ClassId> {
        self.by_name.get(name).copied()
    }

    /// What belongs to each class in one isolate's heap, or in all.
    pub fn tallies(&self, heap: &HeapIndex, scope: Scope, watch: Watch<'_>) -> Result<Vec<Tally>> {
        let pages = heap.image.pages();
        if pages.iter().all(|p| scope.has(&p.page)) {
            return Ok(self.all.iter().map(|c| c.tally).collect());
        }
        let states = super::parallel::for_each(
            "counting",
            heap.page_count(),
            watch,
            || vec![Tally::default(); self.all.len()],
            |tallies, page| {
                for object in scope.objects_of(heap, page) {
                    let class = self.of_object(object);
                    if let Some(tally) = class.and_then(|id| tallies.get_mut(id as usize)) {
                        tally.put(heap.size_of(object).unwrap_or(0));
                    }
                }
            },
        )?;
        let mut sum = vec![Tally::default(); self.all.len()];
        for state in &states {
            for (sum, tally) in sum.iter_mut().zip(state) {
                sum.add(tally);
            }
        }
        Ok(sum)
    }

    /// The objects of a class, by address.
    pub fn instances(
        &self,
        heap: &HeapIndex,
        scope: Scope,
        id: ClassId,
        watch: Watch<'_>,
    ) -> Result<Vec<u64>> {
        let wanted: Vec<bool> = self
            .of_map
            .iter()
            .map(|of| match of {
                OfMap::All(class) => *class == id,
                OfMap::ButExceptions(_) => true,
                OfMap::None => false,
            })
            .collect();
        let states = super::parallel::for_each(
            "collecting instances",
            heap.page_count(),
            watch,
            Vec::new,
            |found, page| {
                found.extend(
                    scope
                        .objects_of(heap, page)
                        .filter(|o| wanted.get(o.map as usize) == Some(&true))
                        .filter(|o| self.of_object(*o) == Some(id))
                        .map(|o| o.address),
                );
            },
        )?;
        let mut all: Vec<u64> = states.into_iter().flatten().collect();
        all.sort_unstable();
        Ok(all)
    }

    fn class_of_map(&mut self, cx: Cx<'_>, info: &MapInfo) -> (ClassId, How) {
        if !cx.layout.types.is_js_receiver(info.number) {
            let (name, is_value) = kind_name(info.kind);
            return (self.intern(name, is_value), How::Sure);
        }
        let named = class_name_of_map(Map(HeapObject::new(cx, info.address)));
        let (name, how) = match named {
            Ok(ClassName::Name(name)) => (name, How::Sure),
            Ok(ClassName::UnlessTagged(name)) => (name, How::UnlessTagged),
            Ok(ClassName::PerObject) => (String::new(), How::Ask),
            Err(_) => (String::new(), How::Sure),
        };
        let id = self.intern(&shown(info.kind, name), true);
        (id, how)
    }

    fn intern(&mut self, name: &str, is_value: bool) -> ClassId {
        if let Some(id) = self.by_name.get(name) {
            return *id;
        }
        let id = self.all.len() as ClassId;
        self.all.push(Class {
            name: name.to_string(),
            tally: Tally::default(),
            is_value,
        });
        self.by_name.insert(name.to_string(), id);
        id
    }

    /// Finds the objects that are of another class than their Map says.
    fn look_at_objects(
        &mut self,
        heap: &HeapIndex,
        cx: Cx<'_>,
        ask: &[u32],
        tagged: &[u32],
        watch: Watch<'_>,
    ) -> Result<()> {
        let mut what = vec![SURE; heap.maps.len()];
        for map in ask {
            what[*map as usize] = ASK;
        }
        for map in tagged {
            what[*map as usize] = TAGGED;
        }
        let count = |maps: &[u32]| -> u64 {
            let tallies = maps.iter().filter_map(|m| heap.tallies.get(*m as usize));
            tallies.map(|t| t.count).sum()
        };
        if count(ask) + count(tagged) == 0 {
            return Ok(());
        }
        if count(tagged) > 0 {
            for (what, info) in what.iter_mut().zip(&heap.maps) {
                if info.kind == InstanceType::Symbol {
                    *what = SYMBOL;
                }
            }
        }
        // All cores look for the objects; naming them reads the target, and is for this thread.
        let states = super::parallel::for_each(
            "naming classes",
            heap.page_count(),
            watch,
            Vec::new,
            |found: &mut Vec<ObjectRef>, page| {
                found.extend(
                    heap.objects_of(page)
                        .filter(|o| what.get(o.map as usize).is_some_and(|w| *w != SURE)),
                );
            },
        )?;
        let mut found: Vec<ObjectRef> = states.into_iter().flatten().collect();
        found.sort_unstable_by_key(|o| o.address);
        let kind = |o: &ObjectRef| what.get(o.map as usize).copied().unwrap_or(SURE);
        let tags: Vec<u64> = found
            .iter()
            .filter(|o| kind(o) == SYMBOL)
            .filter(|o| is_to_string_tag(cx, o.address))
            .map(|o| o.address | 1)
            .collect();
        for (i, object) in found.iter().copied().enumerate() {
            if i % 1024 == 0 {
                watch("naming classes", i as f64 / found.len() as f64)?;
            }
            let is_asked = match kind(&object) {
                ASK => true,
                TAGGED => has_tag(heap, cx, object, &tags),
                _ => false,
            };
            if !is_asked {
                continue;
            }
            let Ok(name) = class_name_of(HeapObject::new(cx, object.address)) else {
                continue;
            };
            let kind = heap.maps[object.map as usize].kind;
            let id = self.intern(&shown(kind, name), true);
            let Some(old) = self.of_object(object).filter(|old| *old != id) else {
                continue;
            };
            let bytes = heap.size_of(object).unwrap_or(0);
            self.all[old as usize].tally.take(bytes);
            self.all[id as usize].tally.put(bytes);
            self.exceptions.insert(object.address, id);
        }
        Ok(())
    }
}

/// What is to be done with the objects of a Map.
const SURE: u8 = 0;
const ASK: u8 = 1;
const TAGGED: u8 = 2;
const SYMBOL: u8 = 3;

enum How {
    Sure,
    UnlessTagged,
    Ask,
}

/// Plain arrays stand out from a class that a program may call Array. A class that it calls
/// "(String)" is no kind of ours.
fn shown(kind: InstanceType, name: String) -> String {
    match (kind, name.as_str()) {
        (InstanceType::JSArray, "Array") => "(Array)".to_string(),
        (_, "") => "(Object)".to_string(),
        _ if name.starts_with('(') && name.ends_with(')') => format!("class {name}"),
        _ => name,
    }
}

/// Whether a Symbol is an isolate's Symbol.toStringTag.
fn is_to_string_tag(cx: Cx<'_>, address: u64) -> bool {
    Symbol(HeapObject::new(cx, address))
        .is_well_known("Symbol.toStringTag")
        .unwrap_or(false)
}

/// Whether the dictionary of an object's properties holds one of these keys.
fn has_tag(heap: &HeapIndex, cx: Cx<'_>, object: ObjectRef, tags: &[u64]) -> bool {
    let Ok(at) = cx.layout.js_object.properties_or_hash.offset() else {
        return false;
    };
    let Some(word) = heap.image.word(object.address.saturating_add(at)) else {
        return false;
    };
    let Some(dictionary) = heap.object_at(word & !3).filter(|_| word & 3 == 1) else {
        return false;
    };
    let Some(size) = heap.size_of(dictionary) else {
        return false;
    };
    let bytes = heap
        .image
        .slice_from(dictionary.address)
        .unwrap_or_default();
    let bytes = bytes.get(..size as usize).unwrap_or_default();
    bytes
        .chunks_exact(8)
        .any(|c| tags.contains(&u64::from_le_bytes(c.try_into().unwrap_or_default())))
}

impl Tally {
    /// Adds another's.
    pub fn add(&mut self, other: &Tally) {
        self.count += other.count;
        self.bytes += other.bytes;
    }

    fn put(&mut self, bytes: u64) {
        self.count += 1;
        self.bytes += bytes;
    }

    fn take(&mut self, bytes: u64) {
        self.count = self.count.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}
