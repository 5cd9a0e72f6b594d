//! An executable or library on disk: the bytes that a core leaves out, the symbols, the build id.
//!
//! Addresses are the file's own (`p_vaddr`, `st_value`, Mach-O `vmaddr`); add the module's slide
//! for those of the target.

use super::symbols::{Entry, SymbolTable};
use super::Memory;
use crate::error::{Error, Result};
use memmap2::Mmap;
use object::read::elf::{ElfFile64, FileHeader as _, NoteIterator, ProgramHeader as _};
use object::read::macho::{FatArch as _, MachOFile64, Segment as _};
use object::{elf, macho, Endianness, Object as _, ObjectSegment as _};
use once_cell::sync::OnceCell;
use std::path::{Path, PathBuf};

/// What a symbol names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SymbolKind {
    /// Code.
    Function,
    /// Data.
    Object,
    /// Thread-local data: the address is an offset into the module's TLS block.
    Tls,
    /// Anything else (assembler labels, Mach-O symbols, which do not say).
    Other,
}

/// A defined symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symbol<'a> {
    /// As in the file (mangled), without Mach-O's leading underscore.
    pub name: &'a str,
    /// File address, or offset for [`SymbolKind::Tls`].
    pub address: u64,
    /// In bytes; 0 when the file does not say.
    pub size: u64,
    pub kind: SymbolKind,
}

/// A part of the file that is mapped when it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadSegment {
    /// File address of the first byte.
    pub address: u64,
    /// Size in memory.
    pub memory_size: u64,
    /// Where its bytes are in the file.
    pub file_offset: u64,
    /// How many of its bytes are in the file (the rest is zero at start).
    pub file_size: u64,
    pub readable: bool,
    pub writable: bool,
    pub executable: bool,
}

/// Size and alignment of a module's thread-local block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TlsBlock {
    pub size: u64,
    pub align: u64,
}

/// A 64-bit ELF or Mach-O file, mapped.
pub struct ModuleFile {
    path: PathBuf,
    map: Mmap,
    /// The part of the file for this processor (a fat Mach-O holds several).
    start: usize,
    end: usize,
    format: Format,
    segments: Vec<LoadSegment>,
    tls: Option<TlsBlock>,
    unwind_header: Option<u64>,
    build_id: Option<String>,
    /// By address, made when first asked for.
    by_address: OnceCell<Vec<Place>>,
    /// The data symbols of [`ASKED_FOR`], by number, found when the first is asked for.
    asked_for: OnceCell<Vec<u32>>,
}

/// How the names of data begin that is asked for again and again: one pass over the table, some
/// milliseconds, finds it all.
const ASKED_FOR: [&str; 4] = ["v8dbg_", "nodedbg_", "_ZN2v88internal", "_ZTVN4node"];

/// Where a symbol is, and its number in the table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    address: u64,
    size: u64,
    index: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Elf,
    MachO,
}

impl std::fmt::Debug for ModuleFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ModuleFile({})", self.path.display())
    }
}

/// e_shoff, e_shnum and e_shstrndx in the header of a 64-bit ELF file.
const SECTIONS_IN_HEADER: [std::ops::Range<usize>; 2] = [0x28..0x30, 0x3c..0x40];

impl ModuleFile {
    /// Maps and checks the file at `path`.
    pub fn open(path: impl AsRef<Path>) -> Result<ModuleFile> {
        let path = path.as_ref();
        let fail = |why: String| Error::other(format!("{}: {why}", path.display()));
        let file = std::fs::File::open(path).map_err(|e| fail(e.to_string()))?;
        if !file.metadata().is_ok_and(|m| m.is_file()) {
            return Err(fail("not a file".into()));
        }
        // SAFETY: a private read-only map; a program's file is replaced, not rewritten, when it
        // changes, and the kernel refuses writes to one that runs.
        let map = unsafe { Mmap::map(&file) }.map_err(|e| fail(e.to_string()))?;
        ModuleFile::parse(path.to_owned(), map).map_err(|e| fail(e.to_string()))
    }

    fn parse(path: PathBuf, map: Mmap) -> object::Result<ModuleFile> {
        let (start, end) = native_slice(&map);
        let data = map.get(start..end).unwrap_or(&[]);
        let (format, segments, tls, build_id);
        let mut unwind_header = None;
        if data.starts_with(&elf::ELFMAG) {
            let elf = ElfFile64::<Endianness>::parse(data)?;
            let endian = elf.endian();
            format = Format::Elf;
            segments = elf_segments(&elf);
            tls = elf
                .elf_program_headers()
                .iter()
                .find(|p| p.p_type(endian) == elf::PT_TLS)
                .map(|p| TlsBlock {
                    size: p.p_memsz(endian),
                    align: p.p_align(endian).max(1),
                });
            unwind_header = elf
                .elf_program_headers()
                .iter()
                .find(|p| p.p_type(endian) == elf::PT_GNU_EH_FRAME)
                .map(|p| p.p_vaddr(endian));
            build_id = elf.build_id().ok().flatten().map(hex);
        } else {
            let macho = MachOFile64::<Endianness>::parse(data)?;
            format = Format::MachO;
            segments = macho_segments(&macho);
            tls = None;
            build_id = macho.mach_uuid().ok().flatten().map(|u| hex(&u));
        }
        Ok(ModuleFile {
            path,
            start,
            end,
            format,
            segments,
            tls,
            unwind_header,
            build_id,
            by_address: OnceCell::new(),
            asked_for: OnceCell::new(),
            map,
        })
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn data(&self) -> &[u8] {
        self.map.get(self.start..self.end).unwrap_or(&[])
    }

    /// Copies bytes from the file as they are mapped at `address`; returns how many there are
    /// (0: none). What is only in memory (zero-filled data) is not in the file.
    pub fn read(&self, address: u64, buffer: &mut [u8]) -> usize {
        let mut done = 0;
        while done < buffer.len() {
            let Some(bytes) = address
                .checked_add(done as u64)
                .and_then(|at| self.bytes_at(at))
            else {
                break;
            };
            let rest = &mut buffer[done..];
            let n = bytes.len().min(rest.len());
            rest[..n].copy_from_slice(&bytes[..n]);
            done += n;
        }
        done
    }

    /// The file's bytes from `address` to the end of its segment; never empty.
    pub fn bytes_at(&self, address: u64) -> Option<&[u8]> {
        let segment = self.segments.iter().find(|s| {
            address
                .checked_sub(s.address)
                .is_some_and(|at| at < s.file_size)
        })?;
        let at = address - segment.address;
        let from = usize::try_from(segment.file_offset.checked_add(at)?).ok()?;
        let length = usize::try_from(segment.file_size - at).ok()?;
        let data = self.data();
        let to = from.checked_add(length)?.min(data.len());
        data.get(from..to).filter(|b| !b.is_empty())
    }

    /// What is mapped when the file runs, in address order.
    pub fn load_segments(&self) -> &[LoadSegment] {
        &self.segments
    }

    /// File address that the first byte of the file (its header) is mapped at.
    pub fn header_address(&self) -> u64 {
        self.segments
            .iter()
            .find(|s| s.file_offset == 0 && s.file_size > 0)
            .or(self.segments.first())
            .map_or(0, |s| s.address.wrapping_sub(s.file_offset))
    }

    /// Size and alignment of the thread-local block (ELF `PT_TLS`).
    pub fn tls_size_align(&self) -> Option<TlsBlock> {
        self.tls
    }

    /// File address of the index of the unwind tables (`.eh_frame_hdr`).
    pub fn unwind_header(&self) -> Option<u64> {
        self.unwind_header
    }

    /// GNU build id or Mach-O UUID, lower-case hex.
    pub fn build_id(&self) -> Option<&str> {
        self.build_id.as_deref()
    }

    /// Whether what is mapped at `load_address` is this file: its first bytes (headers, and most
    /// often the build id) are there unchanged. `None` where there is nothing to compare.
    pub fn is_mapped_at(&self, memory: &dyn Memory, load_address: u64) -> Option<bool> {
        // Mach-O's loader may change the header.
        if self.format != Format::Elf {
            return None;
        }
        let (mut here, mut there) = (vec![0; 1024], vec![0; 1024]);
        let n = self.read(self.header_address(), &mut here);
        memory.read(load_address, &mut there[..n]).ok()?;
        here.truncate(n);
        there.truncate(n);
        // Zeros: a core whose writer left the page out.
        if there.iter().all(|b| *b == 0) {
            return None;
        }
        // Where the sections are is nothing that runs, and another place once it is stripped.
        for place in SECTIONS_IN_HEADER {
            for bytes in [&mut here, &mut there] {
                bytes.get_mut(place.clone())?.fill(0);
            }
        }
        Some(here == there)
    }

    fn table(&self) -> Option<SymbolTable<'_>> {
        match self.format {
            Format::Elf => SymbolTable::of_elf(self.data()),
            Format::MachO => SymbolTable::of_macho(self.data()),
        }
    }

    /// The data symbols (all symbols, of a Mach-O file) whose names begin with `prefix`.
    pub fn data_symbols(&self, prefix: &str) -> Vec<Symbol<'_>> {
        let Some(table) = self.table() else {
            return Vec::new();
        };
        let is_data = |s: &Entry| s.kind != SymbolKind::Function;
        if !ASKED_FOR.iter().any(|group| prefix.starts_with(group)) {
            let all = table.iter().filter(is_data);
            let found = all.filter(|s| s.starts_with(prefix));
            return found.filter_map(|s| s.symbol()).collect();
        }
        let some = self.asked_for.get_or_init(|| {
            let all = table.iter().filter(is_data);
            let some = all.filter(|s| ASKED_FOR.iter().any(|group| s.starts_with(group)));
            some.map(|s| s.index).collect()
        });
        let some = some.iter().filter_map(|&index| table.get(index));
        let found = some.filter(|s| s.starts_with(prefix));
        found.filter_map(|s| s.symbol()).collect()
    }

    /// The symbol of that (mangled) name. Each costs a pass over the table.
    pub fn symbol(&self, name: &str) -> Option<Symbol<'_>> {
        self.table()?.iter().find(|s| s.is(name))?.symbol()
    }

    /// Gives back the memory that passes over the symbols have taken; the file stays mapped, and
    /// what is asked for again comes from the system's cache.
    pub fn rest(&self) {
        // SAFETY: pages of a read-only map of a file come back as they were.
        #[cfg(target_os = "linux")]
        let _ = unsafe {
            self.map
                .unchecked_advise(memmap2::UncheckedAdvice::DontNeed)
        };
    }

    /// The function or object that holds a file address, and the offset into it. For a return
    /// address ask one byte before: the call may be the last thing in its function.
    pub fn symbol_at(&self, address: u64) -> Option<(Symbol<'_>, u64)> {
        // Modules are asked one after the other: no table for those that are not meant.
        let inside = |s: &LoadSegment| s.address <= address && address - s.address < s.memory_size;
        if !self.segments.iter().any(inside) {
            return None;
        }
        let table = self.by_address.get_or_init(|| self.places());
        let after = table.partition_point(|p| p.address <= address);
        // The nearest one that covers it; one without a size reaches to the next symbol.
        let place = table.get(..after)?.iter().rev().take(16).find(|p| {
            let offset = address - p.address;
            offset < p.size || p.size == 0
        })?;
        let symbol = self.table()?.get(place.index)?.symbol()?;
        Some((symbol, address - place.address))
    }

    fn places(&self) -> Vec<Place> {
        let table = self.table();
        let all = table.iter().flat_map(SymbolTable::iter);
        let mut places: Vec<Place> = all
            .filter(|s| s.kind != SymbolKind::Tls && s.address != 0)
            .map(|s| Place {
                address: s.address,
                size: s.size,
                index: s.index,
            })
            .collect();
        places.sort_unstable();
        self.rest();
        places
    }
}

/// GNU build id of the 64-bit ELF file mapped at `load_address`, from the target's memory.
pub fn mapped_build_id(memory: &dyn Memory, load_address: u64) -> Option<String> {
    let header = memory.bytes(load_address, 64, 64).ok()?;
    let header = elf::FileHeader64::<Endianness>::parse(&*header).ok()?;
    let endian = header.endian().ok()?;
    let size = 56 * u64::from(header.e_phnum(endian).min(64));
    let table = load_address.checked_add(header.e_phoff(endian))?;
    let table = memory.bytes(table, size as usize, 64 * 56).ok()?;
    let headers: &[elf::ProgramHeader64<Endianness>] =
        object::pod::slice_from_all_bytes(&table).ok()?;
    // The first segment starts with the header.
    let first = headers
        .iter()
        .find(|p| p.p_type(endian) == elf::PT_LOAD && p.p_offset(endian) == 0)?;
    let slide = load_address.wrapping_sub(first.p_vaddr(endian));
    headers
        .iter()
        .filter(|p| p.p_type(endian) == elf::PT_NOTE && p.p_filesz(endian) < 4096)
        .find_map(|p| {
            let at = p.p_vaddr(endian).wrapping_add(slide);
            let bytes = memory.bytes(at, p.p_filesz(endian) as usize, 4096).ok()?;
            let mut notes = NoteIterator::<elf::FileHeader64<Endianness>>::new(
                endian,
                p.p_align(endian),
                &bytes,
            )
            .ok()?;
            while let Ok(Some(note)) = notes.next() {
                if note.name() == elf::ELF_NOTE_GNU && note.n_type(endian) == elf::NT_GNU_BUILD_ID {
                    return Some(hex(note.desc()));
                }
            }
            None
        })
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut out, b| {
        let _ = write!(out, "{b:02x}");
        out
    })
}

/// The slice of a fat Mach-O for this processor (else its first); the whole of any other file.
fn native_slice(map: &[u8]) -> (usize, usize) {
    let wanted = if cfg!(target_arch = "aarch64") {
        object::Architecture::Aarch64
    } else {
        object::Architecture::X86_64
    };
    let range = |(offset, size): (u64, u64)| {
        let start = usize::try_from(offset).ok()?;
        let end = start.checked_add(usize::try_from(size).ok()?)?;
        (end <= map.len()).then_some((start, end))
    };
    let fat = object::read::macho::MachOFatFile32::parse(map).ok();
    fat.and_then(|fat| {
        let arches = fat.arches();
        arches
            .iter()
            .find(|a| a.architecture() == wanted)
            .or(arches.first())
            .and_then(|a| range(a.file_range()))
    })
    .unwrap_or((0, map.len()))
}

fn elf_segments(elf: &ElfFile64<'_, Endianness>) -> Vec<LoadSegment> {
    let endian = elf.endian();
    let mut segments: Vec<LoadSegment> = elf
        .elf_program_headers()
        .iter()
        .filter(|p| p.p_type(endian) == elf::PT_LOAD)
        .map(|p| {
            let flags = p.p_flags(endian);
            LoadSegment {
                address: p.p_vaddr(endian),
                memory_size: p.p_memsz(endian),
                file_offset: p.p_offset(endian),
                file_size: p.p_filesz(endian),
                readable: flags & elf::PF_R != 0,
                writable: flags & elf::PF_W != 0,
                executable: flags & elf::PF_X != 0,
            }
        })
        .collect();
    segments.sort_by_key(|s| s.address);
    segments
}

fn macho_segments(file: &MachOFile64<'_, Endianness>) -> Vec<LoadSegment> {
    let mut segments: Vec<LoadSegment> = file
        .segments()
        .filter_map(|segment| {
            let endian = file.endian();
            let raw = segment.macho_segment();
            let protection = raw.initprot(endian);
            // __PAGEZERO maps nothing.
            (raw.maxprot(endian) != 0).then(|| LoadSegment {
                address: segment.address(),
                memory_size: segment.size(),
                file_offset: segment.file_range().0,
                file_size: segment.file_range().1,
                readable: protection & macho::VM_PROT_READ != 0,
                writable: protection & macho::VM_PROT_WRITE != 0,
                executable: protection & macho::VM_PROT_EXECUTE != 0,
            })
        })
        .collect();
    segments.sort_by_key(|s| s.address);
    segments
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> ModuleFile {
        ModuleFile::open(std::env::current_exe().unwrap()).unwrap()
    }

    #[test]
    fn reads_what_is_in_the_file() {
        let file = own();
        let raw = std::fs::read(file.path()).unwrap();
        let mut header = [0; 64];
        assert_eq!(file.read(file.header_address(), &mut header), 64);
        assert_eq!(header[..], raw[..64]);
        let last = file.load_segments().last().unwrap();
        let end = last.address + last.file_size;
        let mut tail = [0; 16];
        assert_eq!(file.read(end - 4, &mut tail), 4);
        assert_eq!(file.read(end, &mut tail), 0);
        assert_eq!(file.read(u64::MAX - 3, &mut tail), 0);
    }

    #[test]
    fn finds_symbols_both_ways() {
        let file = own();
        let main = file.symbol("main").unwrap();
        let (symbol, offset) = file.symbol_at(main.address + 1).unwrap();
        assert_eq!((symbol.address, offset), (main.address, 1));
        assert!(file.symbol_at(1 << 60).is_none());
        assert!(file.symbol("no such symbol").is_none());
    }

    /// This process, through its own pointers.
    struct Own;
    impl Memory for Own {
        fn read_piece(&self, address: u64, buffer: &mut [u8]) -> usize {
            use std::os::unix::fs::FileExt;
            let memory = std::fs::File::open("/proc/self/mem").unwrap();
            memory.read_at(buffer, address).unwrap_or(0)
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn tells_whether_it_is_what_is_mapped() {
        let file = own();
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let path = file.path().to_str().unwrap();
        let first = maps.lines().find(|l| l.ends_with(path)).unwrap();
        let start = u64::from_str_radix(first.split('-').next().unwrap(), 16).unwrap();
        assert_eq!(file.is_mapped_at(&Own, start), Some(true));
        assert_eq!(mapped_build_id(&Own, start).as_deref(), file.build_id());
        let other = ModuleFile::open("/proc/self/exe").unwrap();
        let libc = maps.lines().find(|l| l.contains("libc.so")).unwrap();
        let libc = u64::from_str_radix(libc.split('-').next().unwrap(), 16).unwrap();
        assert_eq!(other.is_mapped_at(&Own, libc), Some(false));
        assert_eq!(other.is_mapped_at(&Own, 0), None);
        assert!(mapped_build_id(&Own, libc).is_some());
    }

    #[test]
    fn refuses_other_files() {
        assert!(ModuleFile::open("/").is_err());
        assert!(ModuleFile::open("no such file").is_err());
        assert!(ModuleFile::open("Cargo.toml").is_err());
    }
}
