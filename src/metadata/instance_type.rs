//! Instance types: the number in every Map that says what its objects are.
//!
//! V8 numbers them anew in nearly every version, so nothing outside this file
//! keeps a number. [`InstanceType`] names a type once for all versions;
//! [`InstanceTypes`] is one version's numbering. The numbers are V8's own words:
//! `scripts/instance-types.sh` prints them from a build, and the files under
//! `tables/instance_types/` are that output. A `v8dbg_type_*` symbol of the
//! target wins over the file (see [`InstanceTypes::for_version`]).

use std::collections::HashMap;
use std::sync::OnceLock;

use super::{tables, V8Version, V8dbg};

mod names;

pub use names::InstanceType;

impl InstanceType {
    /// The type V8 calls `constant` (`"JS_ARRAY_TYPE"`); every string constant
    /// is [`InstanceType::String`].
    pub fn from_constant(constant: &str) -> Option<InstanceType> {
        static BY_CONSTANT: OnceLock<HashMap<&'static str, InstanceType>> = OnceLock::new();
        let map = BY_CONSTANT.get_or_init(|| names::CONSTANTS.iter().copied().collect());
        match map.get(constant) {
            Some(&found) => Some(found),
            None if constant.ends_with("STRING_TYPE") => Some(InstanceType::String),
            None => None,
        }
    }

    /// The type a v8dbg symbol is about: `v8dbg_type_JSArray__JS_ARRAY_TYPE`,
    /// with or without the prefix. Only the constant after `__` decides, since
    /// the class before it is sometimes an alias (`DependentCode` is a
    /// `WeakArrayList` and says so only by its number).
    pub fn from_v8dbg(symbol: &str) -> Option<InstanceType> {
        let (_, constant) = symbol.rsplit_once("__")?;
        InstanceType::from_constant(constant)
    }

    /// A function scope's variables: any kind of Context.
    pub fn is_context(self) -> bool {
        use InstanceType::*;
        matches!(
            self,
            AwaitContext
                | BlockContext
                | CatchContext
                | DebugEvaluateContext
                | EvalContext
                | FunctionContext
                | ModuleContext
                | NativeContext
                | ScriptContext
                | WithContext
        )
    }

    /// A JSFunction: since V8 9.4 some well-known constructors have types of
    /// their own, and since 10.1 classes do. Bound and wrapped functions are
    /// callable but have another layout, so they are not meant here.
    pub fn is_js_function(self) -> bool {
        use InstanceType::*;
        matches!(
            self,
            JSFunction
                | JSClassConstructor
                | JSArrayConstructor
                | JSPromiseConstructor
                | JSRegExpConstructor
                | BigInt64TypedArrayConstructor
                | BigUint64TypedArrayConstructor
                | Float16TypedArrayConstructor
                | Float32TypedArrayConstructor
                | Float64TypedArrayConstructor
                | Int8TypedArrayConstructor
                | Int16TypedArrayConstructor
                | Int32TypedArrayConstructor
                | Uint8TypedArrayConstructor
                | Uint8ClampedTypedArrayConstructor
                | Uint16TypedArrayConstructor
                | Uint32TypedArrayConstructor
        )
    }

    /// A hash table: a FixedArray in shape, its entries laid out by the
    /// dictionary constants.
    pub fn is_hash_table(self) -> bool {
        use InstanceType::*;
        matches!(
            self,
            HashTable
                | EphemeronHashTable
                | GlobalDictionary
                | NameDictionary
                | NameToIndexHashTable
                | NumberDictionary
                | OrderedHashMap
                | OrderedHashSet
                | OrderedNameDictionary
                | RegisteredSymbolTable
                | SimpleNameDictionary
                | SimpleNumberDictionary
                | StringTable
        )
    }
}

/// One V8 version's numbering of instance types.
#[derive(Clone, Debug)]
pub struct InstanceTypes {
    by_number: Vec<InstanceType>,
    numbers: HashMap<InstanceType, u16>,
    first_nonstring: u16,
    first_js_receiver: u16,
    first_js_object: u16,
    unsure: Vec<&'static str>,
}

impl InstanceTypes {
    /// The table of the version with the target's own symbols over it; where there is none, what
    /// the symbols make of the nearest older one.
    pub fn for_version(version: V8Version, symbols: &V8dbg) -> InstanceTypes {
        let exact = tables::instance_types::exact(version.line());
        let mut types = match exact {
            Some(table) => InstanceTypes::parse(table),
            None => {
                let (near, _) = tables::instance_types::for_version(version.major, version.minor);
                InstanceTypes::moved(near, symbols)
            }
        };
        types.apply_v8dbg(symbols.iter());
        types
    }

    /// Types of the table it was made from whose numbers are not known in this version.
    pub fn unsure(&self) -> &[&'static str] {
        &self.unsure
    }

    /// Reads a table: a line is `number CONSTANT`. Lines that do not read so, or
    /// name a type unknown to us, are left out (they become
    /// [`InstanceType::Unknown`]).
    pub fn parse(table: &str) -> InstanceTypes {
        let mut types = InstanceTypes {
            by_number: Vec::new(),
            numbers: HashMap::new(),
            first_nonstring: 0,
            first_js_receiver: u16::MAX,
            first_js_object: u16::MAX,
            unsure: Vec::new(),
        };
        for line in table.lines() {
            let mut words = line.split_whitespace();
            let (Some(number), Some(constant)) = (words.next(), words.next()) else {
                continue;
            };
            let (Ok(number), Some(found)) =
                (number.parse::<u16>(), InstanceType::from_constant(constant))
            else {
                continue;
            };
            types.put(number, found);
        }
        types.settle();
        types
    }

    /// Another version's table, by the target's own numbers: V8 puts new types in between and keeps
    /// the order of the old ones, so that a type between two that moved equally far moved with
    /// them. Where they moved by different distances its number is not known.
    fn moved(table: &'static str, symbols: &V8dbg) -> InstanceTypes {
        let rows: Vec<(i32, &'static str)> = table
            .lines()
            .filter_map(|line| {
                let (number, constant) = line.split_once(' ')?;
                Some((number.parse().ok()?, constant))
            })
            .collect();
        let known = anchors(&rows, symbols);
        let mut types = InstanceTypes::parse("");
        let distance = |at: usize| known.get(rows[at].1).map(|number| number - rows[at].0);
        let before = scan(0..rows.len(), distance);
        let mut after = scan((0..rows.len()).rev(), distance);
        after.reverse();
        for (i, (number, constant)) in rows.iter().enumerate() {
            let is_string = constant.ends_with("STRING_TYPE");
            let moved = match (before[i], after[i]) {
                _ if is_string => Some(0),
                (Some(before), Some(after)) if before == after => Some(before),
                _ => None,
            };
            let number = moved.and_then(|d| u16::try_from(number + d).ok());
            match (number, InstanceType::from_constant(constant)) {
                (Some(number), Some(found)) => types.put(number, found),
                _ => types.unsure.push(constant),
            }
        }
        types.settle();
        types
    }

    /// Takes the target's own `v8dbg_type_*` numbers over the table's. Pairs are
    /// (symbol without `v8dbg_`, value); those not about types are passed over.
    fn apply_v8dbg<'a>(&mut self, symbols: impl IntoIterator<Item = (&'a str, i32)>) {
        for (symbol, value) in symbols {
            if !symbol.starts_with("type_") {
                continue;
            }
            let Some(found) = InstanceType::from_v8dbg(symbol) else {
                continue;
            };
            let Ok(number) = u16::try_from(value) else {
                continue;
            };
            if self.get(number) == found {
                continue;
            }
            if let Some(&old) = self.numbers.get(&found) {
                if let Some(slot) = self.by_number.get_mut(usize::from(old)) {
                    *slot = InstanceType::Unknown;
                }
            }
            self.put(number, found);
        }
        self.settle();
    }

    /// What `number` means.
    pub fn get(&self, number: u16) -> InstanceType {
        if self.is_string(number) {
            return InstanceType::String;
        }
        self.by_number
            .get(usize::from(number))
            .copied()
            .unwrap_or(InstanceType::Unknown)
    }

    /// The number of `kind`, if this version has it and it has just one.
    pub fn number(&self, kind: InstanceType) -> Option<u16> {
        self.numbers.get(&kind).copied()
    }

    /// Is it a string? All of them are numbered below all else.
    pub fn is_string(&self, number: u16) -> bool {
        number < self.first_nonstring
    }

    /// Does it have properties and a prototype (proxies and Wasm GC objects included)?
    pub fn is_js_receiver(&self, number: u16) -> bool {
        number >= self.first_js_receiver
    }

    /// Does it have a JSObject's header (properties, elements)?
    pub fn is_js_object(&self, number: u16) -> bool {
        number >= self.first_js_object
    }

    /// The lowest number that is not a string's.
    pub fn first_nonstring(&self) -> u16 {
        self.first_nonstring
    }

    fn put(&mut self, number: u16, kind: InstanceType) {
        let index = usize::from(number);
        if self.by_number.len() <= index {
            self.by_number.resize(index + 1, InstanceType::Unknown);
        }
        if let Some(slot) = self.by_number.get_mut(index) {
            *slot = kind;
        }
        if kind != InstanceType::String {
            self.numbers.insert(kind, number);
        }
    }

    /// Sets what follows from the numbers.
    fn settle(&mut self) {
        // Symbol has been the first type after the strings in every version.
        self.first_nonstring = self.number(InstanceType::Symbol).unwrap_or(0);
        if let Some(proxy) = self.number(InstanceType::JSProxy) {
            // JSProxy is the last receiver that is no JSObject. Wasm's structs and
            // arrays come right before it once they are receivers (9.4 on).
            self.first_js_object = proxy.saturating_add(1);
            self.first_js_receiver = proxy;
            while self.first_js_receiver > 0
                && matches!(
                    self.get(self.first_js_receiver - 1),
                    InstanceType::WasmArray | InstanceType::WasmStruct
                )
            {
                self.first_js_receiver -= 1;
            }
        }
        // Embedders number their own objects in this range since 10.1.
        if let (Some(first), Some(last)) = (
            self.number(InstanceType::JSApiObject),
            self.number(InstanceType::JSLastDummyApiObject),
        ) {
            for index in usize::from(first)..=usize::from(last) {
                if let Some(slot) = self.by_number.get_mut(index) {
                    *slot = InstanceType::JSApiObject;
                }
            }
        }
    }
}

/// What the target itself says of the numbers, by constant: of single types, and of the first and
/// last of the groups that it gives as ranges.
fn anchors<'t>(rows: &[(i32, &'t str)], symbols: &V8dbg) -> HashMap<&'t str, i32> {
    let own: HashMap<&str, i32> = symbols
        .iter()
        .filter(|(name, _)| name.starts_with("type_"))
        .filter_map(|(name, number)| Some((name.rsplit_once("__")?.1, number)))
        .collect();
    let mut known: HashMap<&str, i32> = rows
        .iter()
        .filter_map(|(_, constant)| Some((*constant, *own.get(constant)?)))
        .collect();
    type Group = (&'static str, &'static str, fn(InstanceType) -> bool);
    let groups: [Group; 2] = [
        (
            "FirstContextType",
            "LastContextType",
            InstanceType::is_context,
        ),
        (
            "FirstJSFunctionType",
            "LastJSFunctionType",
            InstanceType::is_js_function,
        ),
    ];
    for (first, last, is_in) in groups {
        let is_member = |row: &&(i32, &str)| InstanceType::from_constant(row.1).is_some_and(is_in);
        let mut members = rows.iter().filter(is_member);
        let ends = (members.next(), members.next_back());
        let (Some(start), Some(end)) = ends else {
            continue;
        };
        for (row, symbol) in [(start, first), (end, last)] {
            if let Some((_, number)) = symbols.find(symbol) {
                known.insert(row.1, number);
            }
        }
    }
    known
}

/// For each row the distance of the nearest one that is known, in the order of `rows`.
fn scan(
    rows: impl Iterator<Item = usize>,
    distance: impl Fn(usize) -> Option<i32>,
) -> Vec<Option<i32>> {
    let step = |last: &mut Option<i32>, at: usize| {
        *last = distance(at).or(*last);
        Some(*last)
    };
    rows.scan(None, step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::tables::instance_types;

    /// Every name V8 printed is one we know: an unknown one would silently
    /// become a hole in the numbering.
    #[test]
    fn every_constant_of_every_table_is_known() {
        for (line, table) in instance_types::TABLES {
            for row in table.lines() {
                let (number, constant) = row.split_once(' ').expect("number NAME");
                number.parse::<u16>().expect("a number");
                assert!(
                    InstanceType::from_constant(constant).is_some(),
                    "{line:?}: {constant}"
                );
            }
        }
    }

    #[test]
    fn numbers_go_both_ways() {
        for (line, table) in instance_types::TABLES {
            let types = InstanceTypes::parse(table);
            for &kind in InstanceType::ALL {
                if let Some(number) = types.number(kind) {
                    let expected = match kind {
                        InstanceType::JSLastDummyApiObject => InstanceType::JSApiObject,
                        other => other,
                    };
                    assert_eq!(types.get(number), expected, "{line:?} {number}");
                }
            }
        }
    }

    #[test]
    fn node_22_as_v8_says() {
        let types = InstanceTypes::parse(instance_types::for_version(12, 4).0);
        assert_eq!(types.get(2066), InstanceType::JSFunction);
        assert_eq!(types.get(40), InstanceType::String);
        assert_eq!(types.get(127), InstanceType::String);
        assert_eq!(types.get(128), InstanceType::Symbol);
        assert_eq!(types.get(1500), InstanceType::JSApiObject);
        assert_eq!(types.get(60000), InstanceType::Unknown);
        assert_eq!(types.number(InstanceType::JSPromise), Some(2063));
        assert!(types.is_js_object(1057));
        assert!(!types.is_js_object(types.number(InstanceType::JSProxy).unwrap_or(0)));
    }

    #[test]
    fn symbols_win() {
        let mut types = InstanceTypes::parse(instance_types::for_version(12, 4).0);
        let old = types.number(InstanceType::JSMap).expect("JSMap");
        let weak_array_list = i32::from(types.number(InstanceType::WeakArrayList).expect("it"));
        types.apply_v8dbg([
            ("type_JSMap__JS_MAP_TYPE", 2999),
            ("type_DependentCode__WEAK_ARRAY_LIST_TYPE", weak_array_list),
            ("class_Map__instance_type__uint16_t", 12),
        ]);
        assert_eq!(types.get(2999), InstanceType::JSMap);
        assert_eq!(types.number(InstanceType::JSMap), Some(2999));
        assert_eq!(types.get(old), InstanceType::Unknown);
    }

    #[test]
    fn newest_and_nearest() {
        assert!(instance_types::for_version(12, 4).1);
        let (table, exact) = instance_types::for_version(14, 9);
        assert!(!exact);
        assert_eq!(table, instance_types::for_version(14, 6).0);
        assert_eq!(
            instance_types::for_version(5, 0).0,
            instance_types::for_version(7, 8).0
        );
    }
}
