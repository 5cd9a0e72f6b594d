//! The module that V8 is in (the program itself, or a library it loaded), and what its symbols say.

mod names;

use crate::error::{Error, Result};
use crate::memory::{mapped_build_id, Memory, ModuleFile, Symbol, SymbolKind};
use crate::metadata::{V8Version, V8dbg};
use crate::target::{Module, Target};

/// A data symbol of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataSymbol {
    /// Address in the target, or the offset in the thread-local block.
    pub address: u64,
    pub size: u64,
    pub is_tls: bool,
}

/// The module V8 is in.
pub struct Program {
    pub module: Module,
    pub file: ModuleFile,
    pub v8dbg: V8dbg,
    pub version: V8Version,
    names: names::Names,
}

const V8DBG: &str = "v8dbg_";
const VERSION: &str = "_ZN2v88internal7Version";
const VERSION_PARTS: [&str; 4] = ["6major_E", "6minor_E", "6build_E", "6patch_E"];

impl Program {
    /// Finds V8 among the target's modules.
    pub fn find(target: &dyn Target) -> Result<Program> {
        let modules = target.modules();
        let mut missing = Vec::new();
        for module in &modules {
            match ModuleFile::open(&module.path) {
                Ok(file) => {
                    if module.is_executable {
                        check_same_build(module, &file, target.memory())?;
                    }
                    if let Some(program) = Program::of(module, file, target.memory())? {
                        return Ok(program);
                    }
                }
                // Others ([vdso]) have no file.
                Err(_) if module.path.starts_with('/') => missing.push(module.path.clone()),
                Err(_) => {}
            }
        }
        let mut why = match modules.iter().find(|m| m.is_executable) {
            Some(m) => format!("{} has no v8dbg symbols", m.path),
            None => {
                "no module is loaded (give lldb the program that ran; if it has it, the core is \
                     cut short: take it again)"
                    .to_string()
            }
        };
        if let Some(first) = missing.first() {
            why = format!("{why}; {first} is not on this machine (give lldb the same file)");
        }
        Err(Error::NoV8(why))
    }

    fn of(module: &Module, file: ModuleFile, memory: &dyn Memory) -> Result<Option<Program>> {
        let constants = file.data_symbols(V8DBG);
        let dbg: Vec<_> = constants
            .iter()
            .filter_map(|symbol| {
                // A zero may stand in .bss, which the file does not hold.
                let mut value = [0; 4];
                file.read(symbol.address, &mut value);
                let name = symbol.name.strip_prefix(V8DBG)?;
                Some((name.to_string(), i32::from_le_bytes(value)))
            })
            .collect();
        if dbg.is_empty() {
            return Ok(None);
        }
        check_same_build(module, &file, memory)?;
        let versions = file.data_symbols(VERSION);
        let mut parts = [0; 4];
        for (part, name) in parts.iter_mut().zip(VERSION_PARTS) {
            let symbol = versions
                .iter()
                .find(|s| s.name.strip_prefix(VERSION) == Some(name));
            let symbol = symbol.ok_or_else(|| {
                Error::NoV8(format!("{} does not tell its version of V8", module.path))
            })?;
            // The values are constants of the file; a core need not hold the page.
            let mut raw = [0; 4];
            *part = match file.read(symbol.address, &mut raw) {
                4 => u32::from_le_bytes(raw),
                _ => memory.u32(symbol.address.wrapping_add(module.slide))?,
            };
        }
        file.rest();
        Ok(Some(Program {
            module: module.clone(),
            v8dbg: V8dbg::new(dbg),
            version: V8Version::new(parts[0], parts[1], parts[2], parts[3]),
            file,
            names: names::Names::default(),
        }))
    }

    /// The data symbol of this mangled name. The first costs a pass over the program's symbols, some
    /// milliseconds.
    pub fn data_symbol(&self, mangled: &str) -> Option<DataSymbol> {
        let found = self.file.data_symbols(mangled);
        let symbol = found.iter().find(|s| s.name == mangled)?;
        let is_tls = symbol.kind == SymbolKind::Tls;
        let slide = if is_tls { 0 } else { self.module.slide };
        Some(DataSymbol {
            address: symbol.address.wrapping_add(slide),
            size: symbol.size,
            is_tls,
        })
    }

    /// The data symbols whose mangled names begin with `prefix`.
    pub fn data_symbols(&self, prefix: &str) -> Vec<(String, DataSymbol)> {
        let symbols = self.file.data_symbols(prefix);
        let of = |symbol: &Symbol| DataSymbol {
            address: symbol.address.wrapping_add(self.module.slide),
            size: symbol.size,
            is_tls: symbol.kind == SymbolKind::Tls,
        };
        symbols
            .iter()
            .filter(|s| s.kind != SymbolKind::Tls)
            .map(|s| (s.name.to_string(), of(s)))
            .collect()
    }

    /// Address in the target of an address in the file.
    pub fn runtime_address(&self, file_address: u64) -> u64 {
        file_address.wrapping_add(self.module.slide)
    }
}

/// Refuses a file that is not the one that ran: its addresses and constants would be taken for
/// the target's.
fn check_same_build(module: &Module, file: &ModuleFile, memory: &dyn Memory) -> Result<()> {
    // Files are mapped by pages. A debugger that was given the wrong program lays its entry point
    // over that of the right one, wherever that is.
    let by_pages = module.slide.is_multiple_of(4096);
    if by_pages && file.is_mapped_at(memory, module.load_address) != Some(false) {
        return Ok(());
    }
    let ran = mapped_build_id(memory, module.load_address).filter(|_| by_pages);
    Err(Error::NoV8(format!(
        "{} (build id {}) is not the build that ran{}; give lldb the very program that ran",
        module.path,
        file.build_id().unwrap_or("none"),
        ran.map_or(String::new(), |id| format!(" (build id {id})")),
    )))
}
