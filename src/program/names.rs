//! V8's own names of what it numbers: the slots of its table of roots and of a native context, its
//! builtins. Each is an array of the program.

use super::Program;
use crate::memory::{LoadSegment, Memory};
use crate::metadata::tables;
use memchr::memmem;

/// Longest name read.
const MAX_NAME: usize = 128;
/// Most bytes of an array looked at.
const MAX_ROOTS: u64 = 1 << 16;
const MAX_BUILTINS: u64 = 1 << 20;
/// Words of what V8 says of a builtin: name, kind, and where its code is, or what it needs.
const ENTRY: usize = 3;
/// Kinds of builtins that there are at most.
const MAX_KIND: u32 = 32;
/// Every V8 has more.
const MIN_BUILTINS: usize = 500;
/// A builtin of every V8, as its name stands among others.
const KNOWN_BUILTIN: &[u8] = b"\0InterpreterEntryTrampoline\0";
/// Bytes of the program's data looked at.
const MAX_DATA: u64 = 64 << 20;

/// Those that were asked for.
#[derive(Default)]
pub(super) struct Names {
    roots: once_cell::sync::OnceCell<Vec<String>>,
    builtins: once_cell::sync::OnceCell<Vec<String>>,
}

impl Program {
    /// V8's names of the slots of its table of roots, in order. Empty where neither the program
    /// nor the version's table tells.
    pub fn root_names(&self, memory: &dyn Memory) -> &[String] {
        self.names.roots.get_or_init(|| {
            let Some(symbol) = self.data_symbol("_ZN2v88internal10RootsTable11root_names_E") else {
                let known = tables::roots::names(self.version.major, self.version.minor);
                return known.into_iter().flatten().map(str::to_string).collect();
            };
            words(memory, symbol.address, symbol.size.min(MAX_ROOTS))
                .into_iter()
                .map_while(|pointer| c_string(memory, pointer))
                .collect()
        })
    }

    /// V8's names of its builtins, by number. Empty where the program does not tell.
    pub fn builtin_names(&self, memory: &dyn Memory) -> &[String] {
        self.names.builtins.get_or_init(|| {
            let symbol = [
                "_ZN2v88internal12_GLOBAL__N_1L16builtin_metadataE",
                "_ZN2v88internal12_GLOBAL__N_116builtin_metadataE",
            ]
            .iter()
            .find_map(|name| self.data_symbol(name));
            let Some(symbol) = symbol else {
                return self.unnamed_builtin_names(memory).unwrap_or_default();
            };
            words(memory, symbol.address, symbol.size.min(MAX_BUILTINS))
                .chunks_exact(ENTRY)
                .map_while(|entry| c_string(memory, entry[0]))
                .collect()
        })
    }

    /// The same where the program has no symbol of the array: around the entry of a builtin that
    /// every V8 has.
    fn unnamed_builtin_names(&self, memory: &dyn Memory) -> Option<Vec<String>> {
        let segments = || self.file.load_segments().iter();
        let constants = |s: &LoadSegment| self.file.bytes_at(s.address).unwrap_or(&[]);
        let names = segments().filter(|s| !s.writable).flat_map(|s| {
            let found = memmem::find_iter(constants(s), KNOWN_BUILTIN);
            found.filter_map(|at| s.address.checked_add(at as u64 + 1))
        });
        let names: Vec<u64> = names.map(|a| self.runtime_address(a)).take(8).collect();
        let entries = |bytes: &[u8], start: u64| {
            names.iter().find_map(|name| {
                let found = memmem::find(bytes, &name.to_le_bytes())?;
                builtins_around(memory, start.checked_add(found as u64)?)
            })
        };
        // Constants, unless the program is one that may lie anywhere.
        segments().find_map(|s| {
            let start = self.runtime_address(s.address);
            if !s.writable {
                return entries(constants(s), start);
            }
            let mut bytes = vec![0; usize::try_from(s.memory_size.min(MAX_DATA)).ok()?];
            let read = memory.read_partial(start, &mut bytes);
            entries(bytes.get(..read)?, start)
        })
    }

    /// V8's names of the slots of a native context, by number.
    pub fn native_context_names(&self, memory: &dyn Memory) -> Vec<(usize, String)> {
        let symbol = self.data_symbol("_ZN2v88internalL20native_context_namesE");
        let Some(symbol) = symbol else {
            return Vec::new();
        };
        words(memory, symbol.address, symbol.size.min(MAX_ROOTS))
            .chunks_exact(2)
            .filter_map(|entry| {
                let index = usize::try_from(entry[0] & 0xffff_ffff).ok()?;
                Some((index, c_string(memory, entry[1])?))
            })
            .collect()
    }
}

/// The names of an array of builtins that has an entry at `known`.
fn builtins_around(memory: &dyn Memory, known: u64) -> Option<Vec<String>> {
    let name = |entry: u64| {
        let kind = memory.u32(entry.checked_add(8)?).ok()?;
        let name = c_string(memory, memory.u64(entry).ok()?)?;
        let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        (kind < MAX_KIND && is_name).then_some(name)
    };
    let step = 8 * ENTRY as u64;
    let before = (1..MAX_BUILTINS / step).map_while(|n| {
        let entry = known.checked_sub(n * step)?;
        name(entry).map(|_| entry)
    });
    let first = before.last().unwrap_or(known);
    let entries = (0..MAX_BUILTINS / step).map_while(|n| first.checked_add(n * step));
    let names: Vec<String> = entries.map_while(name).collect();
    (names.len() > MIN_BUILTINS).then_some(names)
}

/// The whole words that can be read of an array.
fn words(memory: &dyn Memory, address: u64, size: u64) -> Vec<u64> {
    (0..size / 8)
        .map_while(|i| memory.u64(address.checked_add(i * 8)?).ok())
        .collect()
}

fn c_string(memory: &dyn Memory, address: u64) -> Option<String> {
    let mut bytes = [0u8; MAX_NAME];
    let n = memory.read_partial(address, &mut bytes);
    let end = memchr::memchr(0, &bytes[..n])?;
    let text = std::str::from_utf8(&bytes[..end]).ok()?;
    (!text.is_empty()).then(|| text.to_string())
}
