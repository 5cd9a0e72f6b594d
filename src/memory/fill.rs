//! What a core leaves out (file-backed pages that were never written) from the files themselves.

use super::{InPlace, Memory, ModuleFile};
use once_cell::unsync::OnceCell;
use std::path::PathBuf;

/// A module whose bytes may be missing.
struct Source {
    path: PathBuf,
    slide: u64,
    file: OnceCell<Option<ModuleFile>>,
}

/// `M`, and where it has nothing the modules' read-only segments.
pub struct FilledMemory<M> {
    inner: M,
    modules: Vec<Source>,
}

impl<M: Memory> FilledMemory<M> {
    /// `modules`: path and slide of each. Files are opened when first needed.
    pub fn new<'a>(inner: M, modules: impl IntoIterator<Item = (&'a str, u64)>) -> FilledMemory<M> {
        FilledMemory {
            inner,
            modules: modules
                .into_iter()
                .map(|(path, slide)| Source {
                    path: path.into(),
                    slide,
                    file: OnceCell::new(),
                })
                .collect(),
        }
    }

    /// The memory underneath.
    pub fn inner(&self) -> &M {
        &self.inner
    }

    /// The function or object of a module that holds `address`, by its mangled name.
    pub fn symbol_at(&self, address: u64) -> Option<(String, u64)> {
        self.modules.iter().find_map(|module| {
            let (symbol, offset) = module
                .open()?
                .symbol_at(address.wrapping_sub(module.slide))?;
            Some((symbol.name.to_owned(), offset))
        })
    }

    fn file_bytes(&self, address: u64, buffer: &mut [u8]) -> usize {
        for module in &self.modules {
            let Some(file) = module.open() else { continue };
            let at = address.wrapping_sub(module.slide);
            // A writable page that is missing was cut off: what it held is not in the file.
            let inside = file
                .load_segments()
                .iter()
                .find(|s| !s.writable && s.address <= at && at - s.address < s.file_size);
            if let Some(segment) = inside {
                let most = segment.file_size - (at - segment.address);
                let most = usize::try_from(most)
                    .unwrap_or(usize::MAX)
                    .min(buffer.len());
                return file.read(at, &mut buffer[..most]);
            }
        }
        0
    }
}

impl Source {
    fn open(&self) -> Option<&ModuleFile> {
        self.file
            .get_or_init(|| ModuleFile::open(&self.path).ok())
            .as_ref()
    }
}

impl<M: Memory> Memory for FilledMemory<M> {
    fn read_piece(&self, address: u64, buffer: &mut [u8]) -> usize {
        match self.inner.read_piece(address, buffer) {
            0 => self.file_bytes(address, buffer),
            n => n,
        }
    }

    fn in_place(&self, address: u64, length: usize) -> Option<InPlace> {
        self.inner.in_place(address, length)
    }

    fn skip_hole(&self, address: u64) -> u64 {
        self.inner.skip_hole(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::SparseMemory;

    #[test]
    fn core_first_then_read_only_segments() {
        let path = std::env::current_exe().unwrap();
        let file = ModuleFile::open(&path).unwrap();
        let slide = 0x5555_0000_0000;
        let mut core = SparseMemory::new();
        let header = file.header_address() + slide;
        core.insert(header + 4, vec![0xaa; 4]);
        let memory = FilledMemory::new(core, [(path.to_str().unwrap(), slide)]);
        let mut bytes = [0; 12];
        memory.read(header + 4, &mut bytes[..4]).unwrap();
        assert_eq!(bytes[..4], [0xaa; 4]);
        memory.read(header, &mut bytes[..4]).unwrap();
        assert_eq!(bytes[..4], *b"\x7fELF");
        for segment in file.load_segments() {
            let there = memory.u8(segment.address + slide + 0x10);
            assert_eq!(there.is_ok(), !segment.writable, "{segment:?}");
        }
        assert!(memory.u8(0x10).is_err());
    }
}
