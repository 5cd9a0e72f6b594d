//! A core file as a [`Target`].

use super::notes::Notes;
use crate::error::{Error, Result};
use crate::memory::{CoreMap, InPlace, Memory, ModuleFile, Region};
use crate::target::{Architecture, Module, NativeFrame, Registers, Signal, Target, Thread};
use object::elf::{FileHeader64, PF_R, PF_W, PF_X, PT_NOTE};
use object::read::elf::{FileHeader, ProgramHeader};
use object::Endianness;
use std::collections::BTreeMap;
use std::path::Path;

/// An ELF core and the files it maps.
pub struct CoreFile {
    core: CoreMap,
    notes: Notes,
    modules: Vec<(Module, Option<ModuleFile>)>,
    architecture: Architecture,
}

impl CoreFile {
    /// Opens a core; `program` is where its executable lies on this machine.
    pub fn open(core: &Path, program: &Path) -> Result<CoreFile> {
        let say =
            |what: &dyn std::fmt::Display| Error::other(format!("{}: {what}", core.display()));
        let map = CoreMap::open(core)?;
        let bytes = map.file();
        let header = FileHeader64::<Endianness>::parse(bytes).map_err(|e| say(&e))?;
        let endian = header.endian().map_err(|e| say(&e))?;
        let architecture = match header.e_machine(endian) {
            object::elf::EM_X86_64 => Architecture::X64,
            object::elf::EM_AARCH64 => Architecture::Arm64,
            _ => Architecture::Other,
        };
        let mut notes = Notes::default();
        for ph in header.program_headers(endian, bytes).map_err(|e| say(&e))? {
            if ph.p_type(endian) != PT_NOTE {
                continue;
            }
            let Ok(Some(mut found)) = ph.notes(endian, bytes) else {
                continue;
            };
            while let Ok(Some(note)) = found.next() {
                let arm64 = architecture == Architecture::Arm64;
                notes.add(note.n_type(endian), note.desc(), arm64);
            }
        }
        let modules = modules(&notes, program);
        Ok(CoreFile {
            core: map,
            notes,
            modules,
            architecture,
        })
    }
}

/// The program and every other file mapped with its start.
fn modules(notes: &Notes, program: &Path) -> Vec<(Module, Option<ModuleFile>)> {
    let mut starts: BTreeMap<&str, u64> = BTreeMap::new();
    for f in &notes.files {
        let start = starts
            .entry(&f.path)
            .or_insert(f.start.saturating_sub(f.offset));
        *start = (*start).min(f.start.saturating_sub(f.offset));
    }
    let executable = notes
        .entry
        .and_then(|e| notes.files.iter().find(|f| f.start <= e && e < f.end))
        .or(notes.files.first())
        .map(|f| f.path.as_str());
    let mut out: Vec<_> = starts
        .into_iter()
        .map(|(path, load_address)| {
            let is_executable = Some(path) == executable;
            let path = if is_executable {
                program.display().to_string()
            } else {
                path.to_string()
            };
            let file = ModuleFile::open(Path::new(&path)).ok();
            let first = file.as_ref().map(ModuleFile::header_address);
            let module = Module {
                load_address,
                slide: load_address.wrapping_sub(first.unwrap_or(0)),
                build_id: file.as_ref().and_then(|f| f.build_id()).map(str::to_string),
                is_executable,
                path,
            };
            (module, file)
        })
        .filter(|(m, f)| m.is_executable || f.is_some())
        .collect();
    out.sort_by_key(|(m, _)| !m.is_executable);
    out
}

impl Memory for CoreFile {
    fn read_piece(&self, address: u64, buffer: &mut [u8]) -> usize {
        match self.core.read_piece(address, buffer) {
            0 => {}
            n => return n,
        }
        for (module, file) in &self.modules {
            let Some(file) = file else { continue };
            let n = file.read(address.wrapping_sub(module.slide), buffer);
            if n > 0 {
                return n;
            }
        }
        0
    }

    fn in_place(&self, address: u64, length: usize) -> Option<InPlace> {
        self.core.in_place(address, length)
    }

    fn skip_hole(&self, address: u64) -> u64 {
        self.core.skip_hole(address)
    }
}

impl Target for CoreFile {
    fn memory(&self) -> &dyn Memory {
        self
    }

    fn regions(&self) -> Result<Vec<Region>> {
        Ok(self
            .core
            .segments()
            .iter()
            .map(|s| Region {
                start: s.start,
                end: s.end,
                readable: s.flags & PF_R != 0,
                writable: s.flags & PF_W != 0,
                executable: s.flags & PF_X != 0,
                name: self
                    .notes
                    .files
                    .iter()
                    .find(|f| f.start <= s.start && s.start < f.end)
                    .map(|f| f.path.clone()),
            })
            .collect())
    }

    fn modules(&self) -> Vec<Module> {
        self.modules.iter().map(|(m, _)| m.clone()).collect()
    }

    fn architecture(&self) -> Architecture {
        self.architecture
    }

    fn process_id(&self) -> u64 {
        self.notes.pid
    }

    fn threads(&self) -> Vec<Thread> {
        let threads = self.notes.threads.iter().enumerate();
        threads
            .map(|(i, (id, registers))| Thread {
                index: i as u32 + 1,
                id: *id,
                name: None,
                description: format!("thread #{}: tid = {id}", i + 1),
                registers: *registers,
                selected: i == 0,
            })
            .collect()
    }

    /// The frame-pointer chain, as a debugger without unwind information would walk it.
    fn native_frames(&self, thread_index: u32, limit: usize) -> Vec<NativeFrame> {
        let threads = &self.notes.threads;
        let Some((_, r)) = threads.get((thread_index as usize).wrapping_sub(1)) else {
            return Vec::new();
        };
        let Registers {
            mut pc,
            mut sp,
            mut fp,
            ..
        } = *r;
        let mut frames = Vec::new();
        while frames.len() < limit.min(100_000) {
            let symbol = self.symbolize(pc);
            // As far as debuggers get for sure; beyond is the business of V8's own chain.
            let is_generated = symbol
                .as_ref()
                .is_none_or(|(name, _)| name.starts_with("Builtins_"));
            frames.push(NativeFrame {
                index: frames.len() as u32,
                pc,
                sp,
                fp,
                description: symbol.as_ref().map_or_else(
                    || format!("{pc:#018x}"),
                    |(name, at)| format!("{name} + {at}"),
                ),
                function: symbol.map(|(name, _)| name),
                selected: frames.is_empty(),
            });
            if is_generated {
                break;
            }
            let (Ok(next), Ok(back)) = (self.u64(fp), self.u64(fp.wrapping_add(8))) else {
                break;
            };
            if next <= fp {
                break;
            }
            (pc, sp, fp) = (back, fp.wrapping_add(16), next);
        }
        frames
    }

    fn signal(&self, thread_index: u32) -> Option<Signal> {
        let at = usize::try_from(thread_index).ok()?.checked_sub(1)?;
        let (id, _) = self.notes.threads.get(at)?;
        let found = self.notes.signals.iter().find(|(i, _)| i == id);
        found.map(|(_, signal)| *signal)
    }

    fn symbolize(&self, address: u64) -> Option<(String, u64)> {
        self.modules.iter().find_map(|(module, file)| {
            let at = address.wrapping_sub(module.slide);
            let (symbol, offset) = file.as_ref()?.symbol_at(at)?;
            Some((symbol.name.to_string(), offset))
        })
    }

    /// Numbers only: there is no debugger to ask.
    fn evaluate(&self, expression: &str) -> Result<u64> {
        let text = expression.trim();
        let parsed = match text.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16).ok(),
            None => text.parse::<i64>().ok().map(|v| v as u64),
        };
        parsed.ok_or_else(|| {
            Error::other(format!(
                "<user expression 0>:1:1: use of undeclared identifier '{text}'"
            ))
        })
    }

    fn is_live(&self) -> bool {
        false
    }
}
