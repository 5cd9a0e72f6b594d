//! The memory in an ELF core, mapped: read where it lies, nothing copied.

use super::{InPlace, Memory};
use crate::error::{Error, Result};
use memmap2::Mmap;
use object::elf::{FileHeader64, PT_LOAD};
use object::read::elf::{FileHeader, ProgramHeader};
use object::Endianness;
use std::cell::Cell;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// Bytes of the core that hold a range of the process.
#[derive(Debug, Clone)]
pub struct CoreSegment {
    pub start: u64,
    pub end: u64,
    /// Where its bytes are in the core, and how many: those that the core leaves out are last.
    pub offset: u64,
    pub file_size: u64,
    /// `PF_R`, `PF_W`, `PF_X`.
    pub flags: u32,
}

/// A core file and what it holds of the process.
#[derive(Debug)]
pub struct CoreMap {
    file: File,
    map: Arc<Mmap>,
    segments: Vec<CoreSegment>,
    /// A part of the file that is known to hold data.
    data: Cell<(u64, u64)>,
    /// The number of the segment that an address was found in last, by some bits of the address: reads
    /// go to and fro between few places, and a core has thousands of segments.
    recent: Vec<Cell<usize>>,
}

/// Addresses that share a place in `recent` are in blocks of this size, that of a page of V8's heap.
const RECENT_BLOCK_BITS: u32 = 18;
const RECENT: usize = 512;

impl CoreMap {
    /// Maps the core at `path`.
    pub fn open(path: &Path) -> Result<CoreMap> {
        let say =
            |what: &dyn std::fmt::Display| Error::other(format!("{}: {what}", path.display()));
        let file = File::open(path).map_err(|e| say(&e))?;
        // SAFETY: the map is read-only. Who cuts the file short under us ends the process, which is
        // so for the debugger's own map of it as well.
        let map = unsafe { Mmap::map(&file) }.map_err(|e| say(&e))?;
        // Not by large pages, which would bring in what lies around what is asked for.
        #[cfg(target_os = "linux")]
        let _ = map.advise(memmap2::Advice::NoHugePage);
        let bytes: &[u8] = &map;
        let header = FileHeader64::<Endianness>::parse(bytes).map_err(|e| say(&e))?;
        let endian = header.endian().map_err(|e| say(&e))?;
        let headers = header.program_headers(endian, bytes).map_err(|e| say(&e))?;
        let mut segments: Vec<CoreSegment> = headers
            .iter()
            .filter(|h| h.p_type(endian) == PT_LOAD)
            .map(|h| CoreSegment {
                start: h.p_vaddr(endian),
                end: h.p_vaddr(endian).saturating_add(h.p_memsz(endian)),
                offset: h.p_offset(endian),
                file_size: h.p_filesz(endian),
                flags: h.p_flags(endian),
            })
            .collect();
        segments.sort_by_key(|s| s.start);
        Ok(CoreMap {
            file,
            map: Arc::new(map),
            segments,
            data: Cell::new((0, 0)),
            recent: vec![Cell::new(0); RECENT],
        })
    }

    /// The whole file.
    pub fn file(&self) -> &[u8] {
        &self.map
    }

    /// In address order.
    pub fn segments(&self) -> &[CoreSegment] {
        &self.segments
    }

    /// The last segment that begins at or before `address`.
    fn segment(&self, address: u64) -> Option<&CoreSegment> {
        let recent = self
            .recent
            .get((address >> RECENT_BLOCK_BITS) as usize % RECENT)?;
        let is_it = |i: usize| {
            let begins = |i| {
                self.segments
                    .get(i)
                    .is_some_and(|s: &CoreSegment| s.start <= address)
            };
            begins(i) && !begins(i + 1)
        };
        if !is_it(recent.get()) {
            let next = self.segments.partition_point(|s| s.start <= address);
            recent.set(next.checked_sub(1)?);
        }
        self.segments.get(recent.get())
    }

    /// Where in the file the bytes from `address` to the end of its segment are.
    fn place(&self, address: u64) -> Option<(usize, usize)> {
        let s = self.segment(address)?;
        let at = address - s.start;
        if at >= s.file_size {
            return None;
        }
        let from = usize::try_from(s.offset.checked_add(at)?).ok()?;
        let to = usize::try_from(s.offset.checked_add(s.file_size)?).ok()?;
        let to = to.min(self.map.len());
        (from < to).then_some((from, to))
    }
}

impl Memory for CoreMap {
    fn read_piece(&self, address: u64, buffer: &mut [u8]) -> usize {
        let bytes = self
            .place(address)
            .and_then(|(from, to)| self.map.get(from..to))
            .unwrap_or_default();
        let n = bytes.len().min(buffer.len());
        buffer[..n].copy_from_slice(&bytes[..n]);
        n
    }

    fn in_place(&self, address: u64, length: usize) -> Option<InPlace> {
        let (from, to) = self.place(address)?;
        (length <= to - from).then(|| InPlace {
            map: self.map.clone(),
            from,
        })
    }

    /// Who writes a core leaves holes for pages that were never used, hundreds of megabytes where
    /// address space was only reserved. To look into them would make the system fill them.
    fn skip_hole(&self, address: u64) -> u64 {
        let Some((from, to)) = self.place(address) else {
            return address;
        };
        let (from, to) = (from as u64, to as u64);
        let (start, end) = self.data.get();
        if start <= from && from < end {
            return address;
        }
        let Some(data) = next_data(&self.file, from) else {
            return address;
        };
        self.data.set(data);
        address.saturating_add(data.0.clamp(from, to) - from)
    }
}

/// The next part of the file from `at` on that holds data; none where the system does not say.
#[cfg(target_os = "linux")]
fn next_data(file: &File, at: u64) -> Option<(u64, u64)> {
    use std::os::fd::AsRawFd;
    let seek = |at: u64, what| {
        let at = libc::off_t::try_from(at).ok()?;
        // SAFETY: an open file whose position nobody uses.
        let found = unsafe { libc::lseek(file.as_raw_fd(), at, what) };
        match found {
            -1 => (std::io::Error::last_os_error().raw_os_error() == Some(libc::ENXIO))
                .then_some(u64::MAX),
            found => u64::try_from(found).ok(),
        }
    };
    let start = seek(at, libc::SEEK_DATA)?;
    let end = match start {
        // Nothing more up to the end of the file.
        u64::MAX => u64::MAX,
        start => seek(start, libc::SEEK_HOLE)?,
    };
    Some((start, end))
}

#[cfg(not(target_os = "linux"))]
fn next_data(_file: &File, _at: u64) -> Option<(u64, u64)> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Seek, SeekFrom, Write};
    use std::sync::atomic::{AtomicU32, Ordering};

    /// A core of one segment of 16 bytes at 0x1000, of which the file holds `held`.
    fn core(held: usize) -> (std::path::PathBuf, CoreMap) {
        let mut bytes = Vec::new();
        bytes.extend(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
        bytes.extend([4, 0, 62, 0, 1, 0, 0, 0]);
        for word in [0u64, 64, 0] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend([0, 0, 0, 0, 64, 0, 56, 0, 1, 0, 64, 0, 0, 0, 0, 0]);
        bytes.extend([1, 0, 0, 0, 6, 0, 0, 0]);
        for word in [120u64, 0x1000, 0, 16, 32, 1] {
            bytes.extend(word.to_le_bytes());
        }
        assert_eq!(bytes.len(), 120);
        bytes.extend((0..held).map(|i| i as u8 + 1));
        // Tests run at the same time.
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("v8rs-core-map-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        File::create(&path).unwrap().write_all(&bytes).unwrap();
        let map = CoreMap::open(&path).unwrap();
        (path, map)
    }

    #[test]
    fn holes_are_stepped_over_and_nothing_else() {
        let (path, core) = core(16);
        assert_eq!(core.skip_hole(0x1000), 0x1000);
        assert_eq!(core.skip_hole(0x1008), 0x1008);
        assert_eq!(core.skip_hole(0x5000), 0x5000);
        std::fs::remove_file(&path).unwrap();
        // A segment of 4 MiB at 0x1000, of which the file holds a word at 3 MiB.
        let mut bytes = core.file()[..120].to_vec();
        bytes[64 + 32..64 + 40].copy_from_slice(&(4u64 << 20).to_le_bytes());
        bytes[64 + 40..64 + 48].copy_from_slice(&(4u64 << 20).to_le_bytes());
        let mut file = File::create(&path).unwrap();
        file.write_all(&bytes).unwrap();
        file.set_len(120 + (4 << 20)).unwrap();
        file.seek(SeekFrom::Start(120 + (3 << 20))).unwrap();
        file.write_all(&7u64.to_le_bytes()).unwrap();
        drop(file);
        let core = CoreMap::open(&path).unwrap();
        let word = 0x1000 + (3 << 20);
        assert_eq!(core.u64(word).unwrap(), 7);
        for at in [0x1000, 0x100000, word - 8, word, word + 1, word + 0x100000] {
            let next = core.skip_hole(at);
            assert!(
                at <= next && next <= 0x1000 + (4 << 20),
                "{at:#x} {next:#x}"
            );
            assert!(next <= word || at > word, "{at:#x} {next:#x}");
        }
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn segments_that_share_a_place_in_what_is_remembered() {
        // Words of their own number, in turn and with a hole between the first two.
        let apart = (RECENT as u64) << RECENT_BLOCK_BITS;
        let starts = [0x1000, 0x3000, 0x4000, 0x1000 + apart, 0x1000 + 2 * apart];
        let (path, one) = core(0);
        std::fs::remove_file(path).unwrap();
        let mut bytes = one.file()[..64].to_vec();
        bytes[56] = starts.len() as u8;
        let data = 64 + 56 * starts.len() as u64;
        for (number, start) in (0..).zip(starts) {
            bytes.extend([1, 0, 0, 0, 6, 0, 0, 0]);
            for word in [data + 8 * number, start, 0, 8, 0x1000, 1] {
                bytes.extend(word.to_le_bytes());
            }
        }
        bytes.extend((0..starts.len() as u64).flat_map(u64::to_le_bytes));
        let path = std::env::temp_dir().join(format!("v8rs-core-recent-{}", std::process::id()));
        std::fs::write(&path, bytes).unwrap();
        let core = CoreMap::open(&path).unwrap();
        for round in 0..3 {
            for (number, start) in (0..).zip(starts) {
                assert_eq!(core.u64(start).ok(), Some(number), "{round}");
                assert!(core.u8(start + 8).is_err() && core.u8(start - 1).is_err());
                assert!(core.u8(0xfff).is_err() && core.u8(u64::MAX).is_err());
            }
        }
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn what_the_core_holds_and_no_more() {
        for held in [16, 10] {
            let (path, core) = core(held);
            let mut bytes = [0; 32];
            assert_eq!(core.read_partial(0x1004, &mut bytes), held - 4);
            assert_eq!(bytes[..3], [5, 6, 7]);
            assert_eq!(core.read_partial(0xfff, &mut bytes), 0);
            assert_eq!(core.read_partial(0x1000 + held as u64, &mut bytes), 0);
            assert!(core.read(0x1000, &mut bytes).is_err());
            assert_eq!(core.u64(0x1000).unwrap(), 0x0807_0605_0403_0201);
            let found = core.in_place(0x1002, held - 2).unwrap();
            assert_eq!(found.map.get(found.from), Some(&3));
            assert!(core.in_place(0x1002, held - 1).is_none());
            assert!(core.in_place(0x1010, 1).is_none());
            std::fs::remove_file(path).unwrap();
        }
    }
}
