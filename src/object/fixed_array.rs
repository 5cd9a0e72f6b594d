//! FixedArray and the arrays that share its shape.

use super::{HeapObject, Tagged};
use crate::error::{Error, Result};

/// A FixedArray (or one of the same shape): a length as Smi, then tagged slots.
#[derive(Clone, Copy, Debug)]
pub struct FixedArray<'a>(pub HeapObject<'a>);

impl<'a> FixedArray<'a> {
    /// Number of slots.
    pub fn len(self) -> Result<u64> {
        let length = self.0.smi_field(self.0.cx.layout.fixed_array.length)?;
        u64::try_from(length)
            .map_err(|_| Error::malformed("FixedArray", self.0.address, "negative length"))
    }

    /// Whether it has no slots.
    pub fn is_empty(self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Slot `index`, checked against the length.
    pub fn get(self, index: u64) -> Result<Tagged> {
        let length = self.len()?;
        if index >= length {
            return Err(Error::malformed(
                "FixedArray",
                self.0.address,
                format!("index {index} is past its length {length}"),
            ));
        }
        let data = self.0.cx.layout.fixed_array.data.offset()?;
        let offset = index.checked_mul(8).and_then(|o| o.checked_add(data));
        self.0.tagged_at(
            offset
                .ok_or_else(|| Error::malformed("FixedArray", self.0.address, "index overflows"))?,
        )
    }

    /// The slots from `start` on, at most `limit`, read in one go.
    pub fn slice(self, start: u64, limit: usize) -> Result<Vec<Tagged>> {
        let count = self.len()?.saturating_sub(start).min(limit as u64);
        let data = self.0.cx.layout.fixed_array.data.offset()?;
        let at = start
            .checked_mul(8)
            .and_then(|o| o.checked_add(data))
            .ok_or_else(|| Error::malformed("FixedArray", self.0.address, "index overflows"))?;
        let bytes = count as usize * 8;
        let raw = self.0.cx.memory.bytes(self.0.slot(at)?, bytes, bytes)?;
        Ok(raw
            .chunks_exact(8)
            .map(|c| Tagged(u64::from_le_bytes(c.try_into().unwrap_or_default())))
            .collect())
    }
}
