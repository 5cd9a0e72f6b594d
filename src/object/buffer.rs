//! ArrayBuffer, typed arrays, DataView (and Node's Buffer, a Uint8Array).

use super::{Cx, HeapObject, Tagged};
use crate::error::{Error, Result};

/// Kinds of typed arrays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TypedArrayKind {
    Uint8,
    Int8,
    Uint16,
    Int16,
    Uint32,
    Int32,
    Float16,
    Float32,
    Float64,
    Uint8Clamped,
    BigUint64,
    BigInt64,
}

/// One element of a typed array.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TypedElement {
    Integer(i64),
    Float(f64),
    BigInt(i128),
}

impl TypedArrayKind {
    /// Name of its constructor.
    pub fn name(self) -> &'static str {
        use TypedArrayKind::*;
        match self {
            Uint8 => "Uint8Array",
            Int8 => "Int8Array",
            Uint16 => "Uint16Array",
            Int16 => "Int16Array",
            Uint32 => "Uint32Array",
            Int32 => "Int32Array",
            Float16 => "Float16Array",
            Float32 => "Float32Array",
            Float64 => "Float64Array",
            Uint8Clamped => "Uint8ClampedArray",
            BigUint64 => "BigUint64Array",
            BigInt64 => "BigInt64Array",
        }
    }

    /// Bytes of an element.
    pub fn element_size(self) -> u64 {
        use TypedArrayKind::*;
        match self {
            Uint8 | Int8 | Uint8Clamped => 1,
            Uint16 | Int16 | Float16 => 2,
            Uint32 | Int32 | Float32 => 4,
            Float64 | BigUint64 | BigInt64 => 8,
        }
    }

    /// The element these bytes are; `None` where there are too few.
    pub fn element(self, bytes: &[u8]) -> Option<TypedElement> {
        use TypedArrayKind::*;
        use TypedElement::*;
        fn take<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
            bytes.get(..N)?.try_into().ok()
        }
        Some(match self {
            Uint8 | Uint8Clamped => Integer(i64::from(u8::from_le_bytes(take(bytes)?))),
            Int8 => Integer(i64::from(i8::from_le_bytes(take(bytes)?))),
            Uint16 => Integer(i64::from(u16::from_le_bytes(take(bytes)?))),
            Int16 => Integer(i64::from(i16::from_le_bytes(take(bytes)?))),
            Uint32 => Integer(i64::from(u32::from_le_bytes(take(bytes)?))),
            Int32 => Integer(i64::from(i32::from_le_bytes(take(bytes)?))),
            Float16 => Float(half(u16::from_le_bytes(take(bytes)?))),
            Float32 => Float(f64::from(f32::from_le_bytes(take(bytes)?))),
            Float64 => Float(f64::from_le_bytes(take(bytes)?)),
            BigUint64 => BigInt(i128::from(u64::from_le_bytes(take(bytes)?))),
            BigInt64 => BigInt(i128::from(i64::from_le_bytes(take(bytes)?))),
        })
    }
}

/// A 16-bit float.
fn half(bits: u16) -> f64 {
    let sign = if bits & 0x8000 != 0 { -1.0 } else { 1.0 };
    let exponent = i32::from(bits >> 10 & 0x1f);
    let fraction = f64::from(bits & 0x3ff);
    sign * match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction / 1024.0) * 2f64.powi(exponent - 15),
    }
}

/// The kind of typed array an ElementsKind stands for.
pub fn typed_array_kind(cx: Cx, elements_kind: i64) -> Option<TypedArrayKind> {
    let t = &cx.layout.typed_elements;
    let count = t.count.known()?;
    let mut index = elements_kind - cx.layout.elements.first_typed_array.known()?;
    // Those on resizable buffers follow, in the same order.
    if index >= count {
        index -= count;
    }
    use TypedArrayKind::*;
    let all = [
        (t.uint8, Uint8),
        (t.int8, Int8),
        (t.uint16, Uint16),
        (t.int16, Int16),
        (t.uint32, Uint32),
        (t.int32, Int32),
        (t.float16, Float16),
        (t.float32, Float32),
        (t.float64, Float64),
        (t.uint8_clamped, Uint8Clamped),
        (t.big_uint64, BigUint64),
        (t.big_int64, BigInt64),
    ];
    all.into_iter()
        .find(|(constant, _)| constant.known() == Some(index))
        .map(|(_, kind)| kind)
}

/// ArrayBuffer or SharedArrayBuffer.
#[derive(Clone, Copy, Debug)]
pub struct JSArrayBuffer<'a>(pub HeapObject<'a>);

impl JSArrayBuffer<'_> {
    /// Address of its bytes; 0 where it has none.
    pub fn backing_store(self) -> Result<u64> {
        self.0
            .u64_field(self.0.cx.layout.js_array_buffer.backing_store)
    }

    /// How many there are.
    pub fn byte_length(self) -> Result<u64> {
        let cx = self.0.cx;
        let layout = &cx.layout.js_array_buffer;
        // A SharedArrayBuffer that grows is as long as what all threads share says.
        if layout.extension.known().is_some() && self.is_shared()? && self.is_resizable()? {
            let extension = self.0.u64_field(layout.extension)?;
            let store = extension.wrapping_add(cx.layout.backing_store.in_extension.offset()?);
            let store = cx.memory.u64(store)?;
            let at = store.wrapping_add(cx.layout.backing_store.byte_length.offset()?);
            return cx.memory.u64(at);
        }
        self.0
            .u64_field(self.0.cx.layout.js_array_buffer.byte_length)
    }

    fn flag(self, mask: crate::metadata::Constant) -> Result<bool> {
        let flags = self
            .0
            .u32_field(self.0.cx.layout.js_array_buffer.bit_field)?;
        Ok(i64::from(flags) & mask.get()? != 0)
    }

    /// Its bytes were given away.
    pub fn was_detached(self) -> Result<bool> {
        self.flag(self.0.cx.layout.js_array_buffer.was_detached_mask)
    }

    /// It is a SharedArrayBuffer.
    pub fn is_shared(self) -> Result<bool> {
        self.flag(self.0.cx.layout.js_array_buffer.is_shared_mask)
    }

    /// Its length can change.
    pub fn is_resizable(self) -> Result<bool> {
        self.flag(self.0.cx.layout.js_array_buffer.is_resizable_mask)
    }

    /// How long it may become.
    pub fn max_byte_length(self) -> Result<u64> {
        self.0
            .u64_field(self.0.cx.layout.js_array_buffer.max_byte_length)
    }

    /// Its first bytes, at most `limit`.
    pub fn bytes(self, limit: u64) -> Result<Vec<u8>> {
        let length = self.byte_length()?.min(limit);
        read_bytes(self.0, self.backing_store()?, length)
    }
}

/// Bytes of a buffer shown at most.
const MAX_BYTES: usize = 1 << 30;

fn read_bytes(object: HeapObject, at: u64, length: u64) -> Result<Vec<u8>> {
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length == 0 {
        return Ok(Vec::new());
    }
    if length > MAX_BYTES {
        return Err(Error::malformed(
            "ArrayBuffer",
            object.address,
            format!("{length} bytes are more than can be shown"),
        ));
    }
    // The length is the target's word: it is read in pieces, so that a wrong one costs little.
    let mut bytes = Vec::new();
    let mut piece = vec![0; length.min(64 << 10)];
    while bytes.len() < length {
        let n = (length - bytes.len()).min(piece.len());
        object
            .cx
            .memory
            .read(at.wrapping_add(bytes.len() as u64), &mut piece[..n])?;
        bytes.extend_from_slice(&piece[..n]);
    }
    Ok(bytes)
}

/// What looks into an ArrayBuffer: a typed array or a DataView.
#[derive(Clone, Copy, Debug)]
pub struct JSArrayBufferView<'a>(pub HeapObject<'a>);

impl<'a> JSArrayBufferView<'a> {
    /// The buffer it looks into.
    pub fn buffer(self) -> Result<JSArrayBuffer<'a>> {
        self.0
            .object_field(self.0.cx.layout.js_array_buffer_view.buffer)
            .map(JSArrayBuffer)
    }

    /// Where it starts in the buffer.
    pub fn byte_offset(self) -> Result<u64> {
        self.0
            .u64_field(self.0.cx.layout.js_array_buffer_view.byte_offset)
    }

    fn flag(self, mask: crate::metadata::Constant) -> Result<bool> {
        let Some(mask) = mask.known() else {
            return Ok(false);
        };
        let flags = self
            .0
            .u32_field(self.0.cx.layout.js_array_buffer_view.bit_field)?;
        Ok(i64::from(flags) & mask != 0)
    }

    /// Bytes it spans: none once its buffer is gone or has become too short.
    pub fn byte_length(self) -> Result<u64> {
        let layout = &self.0.cx.layout.js_array_buffer_view;
        let own = self.0.u64_field(layout.byte_length)?;
        let tracks = self.flag(layout.is_length_tracking_mask)?;
        if !tracks && !self.flag(layout.is_backed_by_resizable_mask)? {
            return Ok(own);
        }
        let there = self.buffer()?.byte_length()?;
        let offset = self.byte_offset()?;
        Ok(if tracks {
            there.saturating_sub(offset)
        } else if offset.saturating_add(own) > there {
            0
        } else {
            own
        })
    }

    /// Kind of its elements; `None` for a DataView.
    pub fn kind(self) -> Result<Option<TypedArrayKind>> {
        let kind = self.0.map()?.elements_kind()?;
        Ok(typed_array_kind(self.0.cx, kind))
    }

    /// Number of its elements.
    pub fn length(self) -> Result<u64> {
        let size = self.kind()?.map_or(1, TypedArrayKind::element_size);
        Ok(self.byte_length()? / size)
    }

    /// Address of its first byte. A small typed array has its bytes on the heap, without a buffer
    /// of its own yet.
    pub fn data(self) -> Result<u64> {
        let cx = self.0.cx;
        if self.0.instance_type()? == crate::metadata::InstanceType::JSTypedArray {
            let layout = &cx.layout.js_typed_array;
            let external = self.0.u64_field(layout.external_pointer)?;
            let base = self.0.field(layout.base_pointer)?;
            let base = if base == Tagged(0) { 0 } else { base.0 };
            return Ok(external.wrapping_add(base));
        }
        Ok(self
            .buffer()?
            .backing_store()?
            .wrapping_add(self.byte_offset()?))
    }

    /// Its first bytes, at most `limit`.
    pub fn bytes(self, limit: u64) -> Result<Vec<u8>> {
        let length = self.byte_length()?.min(limit);
        read_bytes(self.0, self.data()?, length)
    }

    /// Its first elements, at most `limit`.
    pub fn elements(self, limit: u64) -> Result<Vec<TypedElement>> {
        let Some(kind) = self.kind()? else {
            return Ok(Vec::new());
        };
        let size = kind.element_size();
        let bytes = self.bytes(limit.saturating_mul(size))?;
        Ok(bytes
            .chunks_exact(size as usize)
            .filter_map(|b| kind.element(b))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn halves() {
        assert_eq!(super::half(0x3c00), 1.0);
        assert_eq!(super::half(0xc000), -2.0);
        assert_eq!(super::half(0x0001), 2f64.powi(-24));
        assert!(super::half(0x7e00).is_nan());
    }
}
