//! Where to read, and what a tagged word is.

use super::HeapObject;
use crate::error::{Error, Result};
use crate::memory::Memory;
use crate::metadata::Layout;

/// What decoding needs: the bytes and the layout of the target's V8.
#[derive(Clone, Copy)]
pub struct Cx<'a> {
    pub memory: &'a dyn Memory,
    pub layout: &'a Layout,
}

/// A tagged word of V8: a Smi, a strong or a weak pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tagged(pub u64);

impl Tagged {
    /// Lowest bit 0.
    #[inline]
    pub fn is_smi(self) -> bool {
        self.0 & 1 == 0
    }

    /// A strong pointer to a heap object.
    #[inline]
    pub fn is_strong(self) -> bool {
        self.0 & 3 == 1
    }

    /// A weak pointer that is not cleared.
    #[inline]
    pub fn is_weak(self) -> bool {
        self.0 & 3 == 3 && !self.is_cleared()
    }

    /// A weak pointer whose object is gone.
    #[inline]
    pub fn is_cleared(self) -> bool {
        self.0 as u32 == 3
    }

    /// Address of the object a strong or weak pointer is to.
    #[inline]
    pub fn address(self) -> Option<u64> {
        (self.is_strong() || self.is_weak()).then_some(self.0 & !3)
    }

    /// The tagged pointer to the object at `address`.
    #[inline]
    pub fn from_address(address: u64) -> Tagged {
        Tagged(address | 1)
    }
}

impl<'a> Cx<'a> {
    /// The integer of a Smi.
    #[inline]
    pub fn smi(self, value: Tagged) -> Option<i64> {
        if !value.is_smi() {
            return None;
        }
        let shift = self.layout.tagging.smi_value_shift.known().unwrap_or(1)
            + self.layout.tagging.smi_shift_size.known().unwrap_or(31);
        Some((value.0 as i64) >> shift.clamp(0, 63))
    }

    /// The object a strong or weak pointer is to; nothing is read yet.
    #[inline]
    pub fn object(self, value: Tagged) -> Result<HeapObject<'a>> {
        let address = value.address().ok_or(Error::NotAHeapObject(value.0))?;
        if address % 8 != 0 {
            return Err(Error::malformed(
                "heap object",
                address,
                "the address is not aligned to a word",
            ));
        }
        Ok(HeapObject::new(self, self.memory.moved_to(address)))
    }

    /// A pointer by where its object is now: a collection that was moving objects may have left two
    /// pointers to one object different.
    #[inline]
    pub fn settled(self, value: Tagged) -> Tagged {
        match value.address() {
            Some(address) => Tagged(self.memory.moved_to(address) | (value.0 & 3)),
            None => value,
        }
    }

    /// The tagged word at an address.
    #[inline]
    pub fn tagged(self, address: u64) -> Result<Tagged> {
        self.memory.u64(address).map(Tagged)
    }
}

#[cfg(test)]
mod tests {
    use super::Tagged;

    #[test]
    fn tags() {
        assert!(Tagged(0x2a_0000_0000).is_smi());
        assert_eq!(Tagged(0x1001).address(), Some(0x1000));
        assert_eq!(Tagged(0x1003).address(), Some(0x1000));
        assert_eq!(Tagged(0x7f00_0000_0003).address(), None);
        assert_eq!(Tagged(3).address(), None);
    }
}
