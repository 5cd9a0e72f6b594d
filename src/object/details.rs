//! PropertyDetails: what a property is besides its name and value.

use super::Cx;
use crate::error::Result;

/// Attributes of a property (V8's PropertyAttributes).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Attributes {
    pub read_only: bool,
    pub dont_enumerate: bool,
    pub dont_delete: bool,
}

/// The Smi that stands beside a property in a DescriptorArray or a dictionary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PropertyDetails(pub i64);

impl PropertyDetails {
    /// A getter and a setter, or a native accessor, in place of a value.
    pub fn is_accessor(self, cx: Cx) -> Result<bool> {
        let d = &cx.layout.details;
        Ok(self.0 & d.kind_mask.get()? == d.kind_accessor.get()?)
    }

    /// The value is in a field of the object (else in the descriptor).
    pub fn is_field(self, cx: Cx) -> Result<bool> {
        let d = &cx.layout.details;
        let shift = d.location_shift.get()?.clamp(0, 31);
        Ok((self.0 & d.location_mask.get()?) >> shift == d.location_field.get()?)
    }

    /// The field holds a double.
    pub fn is_double(self, cx: Cx) -> Result<bool> {
        let d = &cx.layout.details;
        let shift = d.representation_shift.get()?.clamp(0, 31);
        Ok((self.0 & d.representation_mask.get()?) >> shift == d.representation_double.get()?)
    }

    /// Number of the field among the object's fields.
    pub fn field_index(self, cx: Cx) -> Result<u64> {
        let d = &cx.layout.details;
        let shift = d.field_index_shift.get()?.clamp(0, 31);
        Ok(((self.0 & d.field_index_mask.get()?) >> shift) as u64)
    }

    /// Where a dictionary's property comes in the order of enumeration.
    pub fn enumeration_index(self, cx: Cx) -> Result<i64> {
        let d = &cx.layout.dictionary_details;
        let shift = d.enumeration_index_shift.get()?.clamp(0, 31);
        Ok((self.0 & d.enumeration_index_mask.get()?) >> shift)
    }

    /// Whether it may be written, enumerated, deleted.
    pub fn attributes(self, cx: Cx) -> Result<Attributes> {
        let d = &cx.layout.details;
        let shift = d.attributes_shift.get()?.clamp(0, 31);
        let bits = (self.0 & d.attributes_mask.get()?) >> shift;
        Ok(Attributes {
            read_only: bits & 1 != 0,
            dont_enumerate: bits & 2 != 0,
            dont_delete: bits & 4 != 0,
        })
    }
}
