//! Any object in V8's heap.

use super::{Cx, Map, Tagged};
use crate::error::{Error, Result};
use crate::metadata::{Constant, InstanceType};

/// An object in V8's heap, by its untagged address.
#[derive(Clone, Copy)]
pub struct HeapObject<'a> {
    pub cx: Cx<'a>,
    pub address: u64,
}

impl<'a> HeapObject<'a> {
    /// Nothing is read.
    #[inline]
    pub fn new(cx: Cx<'a>, address: u64) -> HeapObject<'a> {
        HeapObject { cx, address }
    }

    /// The tagged pointer to it.
    #[inline]
    pub fn tagged(self) -> Tagged {
        Tagged::from_address(self.address)
    }

    /// Address of the field at an offset.
    #[inline]
    pub fn slot(self, offset: u64) -> Result<u64> {
        self.address
            .checked_add(offset)
            .ok_or_else(|| Error::malformed("heap object", self.address, "offset overflows"))
    }

    /// Tagged field at the offset a constant holds.
    #[inline]
    pub fn field(self, offset: Constant) -> Result<Tagged> {
        self.tagged_at(offset.offset()?)
    }

    /// Tagged field at an offset that was computed from constants.
    #[inline]
    pub fn tagged_at(self, offset: u64) -> Result<Tagged> {
        self.cx.tagged(self.slot(offset)?)
    }

    /// Object in a tagged field.
    #[inline]
    pub fn object_field(self, offset: Constant) -> Result<HeapObject<'a>> {
        self.cx.object(self.field(offset)?)
    }

    /// Object in a tagged field; `None` for a Smi.
    pub fn object_or_smi(self, offset: Constant) -> Result<Option<HeapObject<'a>>> {
        let value = self.field(offset)?;
        if value.is_smi() {
            return Ok(None);
        }
        self.cx.object(value).map(Some)
    }

    /// Smi in a tagged field.
    pub fn smi_field(self, offset: Constant) -> Result<i64> {
        let value = self.field(offset)?;
        self.cx.smi(value).ok_or_else(|| {
            Error::malformed(
                offset.name(),
                self.address,
                format!("{:#x} is no Smi", value.0),
            )
        })
    }

    /// Raw 32-bit field.
    #[inline]
    pub fn u32_field(self, offset: Constant) -> Result<u32> {
        self.cx.memory.u32(self.slot(offset.offset()?)?)
    }

    /// Raw 64-bit field.
    #[inline]
    pub fn u64_field(self, offset: Constant) -> Result<u64> {
        self.cx.memory.u64(self.slot(offset.offset()?)?)
    }

    /// Its Map, checked to be one where the instance types are known.
    pub fn map(self) -> Result<Map<'a>> {
        let word = self.tagged_at(0)?;
        let map = Map(self.cx.object(word).map_err(|_| {
            Error::malformed("heap object", self.address, "its first word is no Map")
        })?);
        map.check()?;
        Ok(map)
    }

    /// Its instance type as V8 numbers it.
    pub fn instance_type_number(self) -> Result<u16> {
        self.map()?.instance_type_number()
    }

    /// Its instance type.
    pub fn instance_type(self) -> Result<InstanceType> {
        Ok(self.cx.layout.types.get(self.instance_type_number()?))
    }

    /// Whether it is a string of any form.
    pub fn is_string(self) -> Result<bool> {
        let first = self.cx.layout.tagging.first_nonstring_type.get()?;
        Ok(i64::from(self.instance_type_number()?) < first)
    }
}

impl std::fmt::Debug for HeapObject<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HeapObject({:#x})", self.address)
    }
}
