//! V8's own names of what it numbers: the slots of its table of roots and of a native context, its
//! builtins. Each is an array of the program.

use super::Program;
use crate::memory::Memory;
use crate::metadata::tables;

/// Longest name read.
const MAX_NAME: usize = 128;
/// Most bytes of an array looked at.
const MAX_ROOTS: u64 = 1 << 16;
const MAX_BUILTINS: u64 = 1 << 20;

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
                return Vec::new();
            };
            // Name, kind, and where its code is, or what it needs.
            const ENTRY: usize = 3;
            words(memory, symbol.address, symbol.size.min(MAX_BUILTINS))
                .chunks_exact(ENTRY)
                .map_while(|entry| c_string(memory, entry[0]))
                .collect()
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
