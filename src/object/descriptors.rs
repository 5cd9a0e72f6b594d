//! DescriptorArray: the properties of a Map.

use super::details::PropertyDetails;
use super::{HeapObject, Tagged};
use crate::error::{Error, Result};

/// A DescriptorArray.
#[derive(Clone, Copy, Debug)]
pub struct DescriptorArray<'a>(pub HeapObject<'a>);

/// One of its entries.
#[derive(Clone, Copy, Debug)]
pub struct Descriptor {
    pub key: Tagged,
    /// The Smi could not be one: the entry is broken.
    pub details: Option<PropertyDetails>,
    /// A field's type, or the value itself.
    pub value: Tagged,
}

impl DescriptorArray<'_> {
    /// Entries there is room for.
    pub fn number_of_all(self) -> Result<u64> {
        let layout = &self.0.cx.layout.descriptors;
        let slot = self.0.slot(layout.number_of_all.offset()?)?;
        Ok(u64::from(self.0.cx.memory.u16(slot)?))
    }

    /// Entries in use, by all Maps that share it.
    pub fn number_of_descriptors(self) -> Result<u64> {
        let layout = &self.0.cx.layout.descriptors;
        let slot = self.0.slot(layout.number_of_descriptors.offset()?)?;
        Ok(u64::from(self.0.cx.memory.u16(slot)?))
    }

    /// The first `count` entries.
    pub fn entries(self, count: u64) -> Result<Vec<Descriptor>> {
        let cx = self.0.cx;
        let layout = &cx.layout.descriptors;
        if count > self.number_of_all()? {
            return Err(Error::malformed(
                "DescriptorArray",
                self.0.address,
                format!("it has no room for {count} descriptors"),
            ));
        }
        // Both numbers are 16 bits, so this stays small.
        let words = layout.size.offset()?.clamp(1, 16) as usize;
        let size = count as usize * words * 8;
        let bytes = cx
            .memory
            .bytes(self.0.slot(layout.header.offset()?)?, size, size)?;
        let (key, details, value) = (
            layout.key.offset()? as usize,
            layout.details.offset()? as usize,
            layout.value.offset()? as usize,
        );
        let word = |entry: &[u8], index: usize| {
            let bytes = entry.get(index * 8..index * 8 + 8);
            Tagged(bytes.map_or(0, |b| u64::from_le_bytes(b.try_into().unwrap_or_default())))
        };
        Ok(bytes
            .chunks_exact(words * 8)
            .map(|entry| Descriptor {
                key: word(entry, key),
                details: cx.smi(word(entry, details)).map(PropertyDetails),
                value: word(entry, value),
            })
            .collect())
    }
}
