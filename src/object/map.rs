//! Map: the hidden class.

use super::{HeapObject, Tagged};
use crate::error::{Error, Result};
use crate::metadata::{Constant, InstanceType};

/// A Map.
#[derive(Clone, Copy, Debug)]
pub struct Map<'a>(pub HeapObject<'a>);

impl<'a> Map<'a> {
    /// Fails where the object is no Map: its own map must be one whose map is itself.
    pub fn check(self) -> Result<()> {
        let cx = self.0.cx;
        let bad = || Error::malformed("heap object", self.0.address, "this is no Map");
        let meta = cx.object(self.0.tagged_at(0)?).map_err(|_| bad())?;
        let own = meta.tagged_at(0)?;
        // It may name itself by where it was before it was moved.
        let is_own =
            own == meta.tagged() || cx.object(own).is_ok_and(|o| o.address == meta.address);
        is_own.then_some(()).ok_or_else(bad)
    }

    /// Instance type of its objects, as V8 numbers it.
    #[inline]
    pub fn instance_type_number(self) -> Result<u16> {
        let layout = self.0.cx.layout;
        self.0
            .cx
            .memory
            .u16(self.0.slot(layout.map.instance_type.offset()?)?)
    }

    /// Instance type of its objects.
    pub fn instance_type(self) -> Result<InstanceType> {
        Ok(self.0.cx.layout.types.get(self.instance_type_number()?))
    }

    /// Bytes of its objects; 0 where each object knows its own.
    pub fn instance_size(self) -> Result<u64> {
        let layout = self.0.cx.layout;
        let slot = self.0.slot(layout.map.instance_size_in_words.offset()?)?;
        Ok(u64::from(self.0.cx.memory.u8(slot)?) * 8)
    }

    /// First word of its objects that is an in-object property (JSObject maps only).
    pub fn inobject_properties_start(self) -> Result<u64> {
        let layout = self.0.cx.layout;
        let slot = self
            .0
            .slot(layout.map.inobject_properties_start.offset()?)?;
        Ok(u64::from(self.0.cx.memory.u8(slot)?))
    }

    fn bits3(self) -> Result<i64> {
        Ok(i64::from(
            self.0.u32_field(self.0.cx.layout.map.bit_field3)?,
        ))
    }

    /// Its objects keep their properties in a dictionary.
    pub fn is_dictionary(self) -> Result<bool> {
        let shift = self.0.cx.layout.map.is_dictionary_shift.get()?;
        Ok(self.bits3()? >> shift.clamp(0, 31) & 1 == 1)
    }

    /// Number of descriptors that are its own.
    pub fn own_descriptors(self) -> Result<u64> {
        let map = &self.0.cx.layout.map;
        let shift = map.own_descriptors_shift.get()?.clamp(0, 31);
        Ok(((self.bits3()? & map.own_descriptors_mask.get()?) >> shift) as u64)
    }

    /// A bit of one of its 8-bit fields.
    fn bit(self, field: Constant, shift: Constant) -> Result<bool> {
        let bits = self.0.cx.memory.u8(self.0.slot(field.offset()?)?)?;
        Ok(bits >> shift.get()?.clamp(0, 7) & 1 == 1)
    }

    /// Its objects were made by their constructor itself, not for a subclass.
    pub fn new_target_is_base(self) -> Result<bool> {
        let map = &self.0.cx.layout.map;
        self.bit(map.bit_field2, map.new_target_is_base_shift)
    }

    /// It is the Map of a prototype.
    pub fn is_prototype(self) -> Result<bool> {
        let shift = self.0.cx.layout.map.is_prototype_shift.get()?;
        Ok(self.bits3()? >> shift.clamp(0, 31) & 1 == 1)
    }

    /// Its objects can be called.
    pub fn is_callable(self) -> Result<bool> {
        let map = &self.0.cx.layout.map;
        self.bit(map.bit_field, map.is_callable_shift)
    }

    /// Its objects can be called with `new`.
    pub fn is_constructor(self) -> Result<bool> {
        let map = &self.0.cx.layout.map;
        self.bit(map.bit_field, map.is_constructor_shift)
    }

    /// Its objects are functions with a slot for `prototype`.
    pub fn has_prototype_slot(self) -> Result<bool> {
        let map = &self.0.cx.layout.map;
        self.bit(map.bit_field, map.has_prototype_slot_shift)
    }

    /// ElementsKind of its objects, as V8 numbers it.
    pub fn elements_kind(self) -> Result<i64> {
        let map = &self.0.cx.layout.map;
        let bits = i64::from(
            self.0
                .cx
                .memory
                .u8(self.0.slot(map.bit_field2.offset()?)?)?,
        );
        Ok((bits & map.elements_kind_mask.get()?) >> map.elements_kind_shift.get()?.clamp(0, 7))
    }

    /// The prototype of its objects.
    pub fn prototype(self) -> Result<Tagged> {
        self.0.field(self.0.cx.layout.map.prototype)
    }

    /// Its DescriptorArray.
    pub fn descriptors(self) -> Result<HeapObject<'a>> {
        self.0.object_field(self.0.cx.layout.map.descriptors)
    }

    /// The constructor of its objects, found at the end of the chain of back pointers.
    pub fn constructor(self) -> Result<Tagged> {
        let cx = self.0.cx;
        let mut map = self.0;
        for _ in 0..LIMIT {
            let next = map.field(cx.layout.map.constructor_or_back_pointer)?;
            let Ok(object) = cx.object(next) else {
                return Ok(next);
            };
            let non_instance = cx.layout.map.has_non_instance_prototype_shift;
            if self
                .bit(cx.layout.map.bit_field, non_instance)
                .unwrap_or(false)
                && object.instance_type()? == InstanceType::Tuple2
            {
                return object.field(cx.layout.tuple2.value1);
            }
            // A back pointer is a Map, and only a Map has a Map's map.
            if object.tagged_at(0)? != self.0.tagged_at(0)? && Map(object).check().is_err() {
                return Ok(next);
            }
            map = object;
        }
        Err(Error::malformed(
            "Map",
            self.0.address,
            "back pointers without end",
        ))
    }
}

/// Links of a transition chain followed at most (V8 allows 1020 descriptors, so as many maps).
const LIMIT: usize = 4096;
