//! What a core's notes tell, for debuggers that hide some of it: registers, signals, mapped files.

use super::notes::{MappedFile, Notes};
use crate::target::{Registers, Signal};
use object::elf::{FileHeader64, EM_AARCH64, ET_CORE, PT_NOTE};
use object::read::elf::{FileHeader, ProgramHeader};
use object::Endianness;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// What a core says of its threads, by their system ids.
#[derive(Debug, Default)]
pub struct CoreThreads {
    pub registers: Vec<(u64, Registers)>,
    pub signals: Vec<(u64, Signal)>,
    files: Vec<MappedFile>,
}

impl CoreThreads {
    /// The file that was mapped at `address`.
    pub fn file_at(&self, address: u64) -> Option<&str> {
        let mut files = self.files.iter();
        let found = files.find(|f| f.start <= address && address < f.end)?;
        Some(&found.path)
    }
}

/// What the notes of the core at `path` tell; `None` where that is no core.
pub fn core_threads(path: &Path) -> Option<CoreThreads> {
    // Most files asked about are none: look before mapping.
    let mut head = [0; 18];
    let mut file = File::open(path).ok()?;
    file.read_exact(&mut head).ok()?;
    let kind = u16::from_le_bytes([head[16], head[17]]);
    if !head.starts_with(b"\x7fELF") || kind != ET_CORE {
        return None;
    }
    // SAFETY: a read-only map of a file that the debugger has mapped in the same way.
    let map = unsafe { memmap2::Mmap::map(&file) }.ok()?;
    let bytes: &[u8] = &map;
    let header = FileHeader64::<Endianness>::parse(bytes).ok()?;
    let endian = header.endian().ok()?;
    let arm64 = header.e_machine(endian) == EM_AARCH64;
    let mut notes = Notes::default();
    for segment in header.program_headers(endian, bytes).ok()? {
        if segment.p_type(endian) != PT_NOTE {
            continue;
        }
        if let Ok(Some(mut found)) = segment.notes(endian, bytes) {
            while let Ok(Some(note)) = found.next() {
                notes.add(note.n_type(endian), note.desc(), arm64);
            }
        }
    }
    Some(CoreThreads {
        registers: notes.threads,
        signals: notes.signals,
        files: notes.files,
    })
}
