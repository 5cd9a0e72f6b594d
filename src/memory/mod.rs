//! Address to bytes. All decoding runs on [`Memory`]; who provides the bytes (LLDB, a core
//! file read directly, a heap image, a test) is plugged in from above.

mod cache;
mod core_map;
mod fill;
mod module_file;
mod sparse;
mod symbols;
mod thread_pointer;
pub use cache::CachedMemory;
pub use core_map::{CoreMap, CoreSegment};
pub use fill::FilledMemory;
pub use module_file::{mapped_build_id, LoadSegment, ModuleFile, Symbol, SymbolKind, TlsBlock};
pub use sparse::SparseMemory;
pub use thread_pointer::thread_pointer;

use crate::error::{Error, Result};
use memmap2::Mmap;
use std::rc::Rc;
use std::sync::Arc;

/// A mapped range of the target, as the core or process lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// First address.
    pub start: u64,
    /// First address after it.
    pub end: u64,
    pub readable: bool,
    pub writable: bool,
    pub executable: bool,
    /// File mapped here, where it is known.
    pub name: Option<String>,
}

impl Region {
    /// Whether `address` lies inside.
    pub fn contains(&self, address: u64) -> bool {
        self.start <= address && address < self.end
    }
}

/// Bytes of a target that lie in a file which is mapped here, and stay as they are.
#[derive(Debug, Clone)]
pub struct InPlace {
    pub map: Arc<Mmap>,
    /// Where they begin in it.
    pub from: usize,
}

/// The bytes of a target.
pub trait Memory {
    /// Reads some bytes from `address` on: at least one where there is one (0: there is none), but
    /// where they come from several places perhaps only those of the first.
    fn read_piece(&self, address: u64, buffer: &mut [u8]) -> usize;

    /// Reads as much as there is from `address` on, and says how much that was (0: nothing).
    fn read_partial(&self, address: u64, buffer: &mut [u8]) -> usize {
        let mut done = 0;
        while done < buffer.len() {
            let Some(at) = address.checked_add(done as u64) else {
                break;
            };
            match self.read_piece(at, &mut buffer[done..]) {
                0 => break,
                n => done += n,
            }
        }
        done
    }

    /// Fills `buffer` from `address`, or fails without having promised anything about its content.
    fn read(&self, address: u64, buffer: &mut [u8]) -> Result<()> {
        match self.read_partial(address, buffer) == buffer.len() {
            true => Ok(()),
            false => Err(Error::Unreadable {
                address,
                length: buffer.len(),
            }),
        }
    }

    /// As [`Self::read`], where nothing around the bytes will be asked for.
    fn read_alone(&self, address: u64, buffer: &mut [u8]) -> Result<()> {
        self.read(address, buffer)
    }

    /// Where the bytes can be read without a copy, if that is so for all of them (a core's).
    fn in_place(&self, _address: u64, _length: usize) -> Option<InPlace> {
        None
    }

    /// Where the object at `address` is, where a garbage collection was moving objects and it is
    /// known.
    fn moved_to(&self, address: u64) -> u64 {
        address
    }

    /// Numbers that [`Self::keep`] was given for an address.
    fn kept(&self, _address: u64) -> Option<Rc<[u64]>> {
        None
    }

    /// Keeps what was costly to find of the object at an address (a script's line ends), as long as
    /// the bytes stay what they are. It may be forgotten at once.
    fn keep(&self, _address: u64, _numbers: &Rc<[u64]>) {}

    /// The first address from `address` on that may hold anything but zeros, as far as that is
    /// known without reading.
    fn skip_hole(&self, address: u64) -> u64 {
        address
    }

    /// A little-endian u8.
    fn u8(&self, address: u64) -> Result<u8> {
        let mut b = [0; 1];
        self.read(address, &mut b)?;
        Ok(b[0])
    }

    /// A little-endian u16.
    fn u16(&self, address: u64) -> Result<u16> {
        let mut b = [0; 2];
        self.read(address, &mut b)?;
        Ok(u16::from_le_bytes(b))
    }

    /// A little-endian u32.
    fn u32(&self, address: u64) -> Result<u32> {
        let mut b = [0; 4];
        self.read(address, &mut b)?;
        Ok(u32::from_le_bytes(b))
    }

    /// A little-endian u64.
    fn u64(&self, address: u64) -> Result<u64> {
        let mut b = [0; 8];
        self.read(address, &mut b)?;
        Ok(u64::from_le_bytes(b))
    }

    /// `length` bytes, refused above `limit` so that no hostile length is allocated.
    fn bytes(&self, address: u64, length: usize, limit: usize) -> Result<Vec<u8>> {
        if length > limit {
            return Err(Error::malformed(
                "length",
                address,
                format!("{length} bytes is more than the limit of {limit}"),
            ));
        }
        let mut out = vec![0; length];
        self.read(address, &mut out)?;
        Ok(out)
    }
}

impl<M: Memory + ?Sized> Memory for &M {
    fn read(&self, address: u64, buffer: &mut [u8]) -> Result<()> {
        (**self).read(address, buffer)
    }
    fn read_piece(&self, address: u64, buffer: &mut [u8]) -> usize {
        (**self).read_piece(address, buffer)
    }
    fn read_partial(&self, address: u64, buffer: &mut [u8]) -> usize {
        (**self).read_partial(address, buffer)
    }
    fn read_alone(&self, address: u64, buffer: &mut [u8]) -> Result<()> {
        (**self).read_alone(address, buffer)
    }
    fn in_place(&self, address: u64, length: usize) -> Option<InPlace> {
        (**self).in_place(address, length)
    }
    fn skip_hole(&self, address: u64) -> u64 {
        (**self).skip_hole(address)
    }
    fn moved_to(&self, address: u64) -> u64 {
        (**self).moved_to(address)
    }
}
