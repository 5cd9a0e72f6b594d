//! Which words of an object V8 visits. What looks like a pointer to the start of an object in
//! such a word is one: the raw words among them (lengths, flags, pointers of C++) never do, as long
//! as they have been set.

use crate::metadata::{Constant, InstanceType, Layout};
use std::ops::Range;

/// How V8 goes through an object's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// Nothing but the map.
    None,
    /// The words in a range of bytes, which ends with the object at the latest.
    Words(Range<usize>),
    /// All words but those in a range of bytes.
    Around(Range<usize>),
    /// Words, and behind them machine code with pointers anywhere in it.
    Instructions(usize),
    /// WeakMap's table: keys hold values.
    Ephemerons,
}

impl Body {
    /// Whether V8 visits the word at an offset.
    pub fn has(&self, offset: usize) -> bool {
        match self {
            Body::None => false,
            Body::Words(range) => range.contains(&offset),
            Body::Around(raw) => offset >= 8 && !raw.contains(&offset),
            // Those in machine code need not be aligned, and are not looked for.
            Body::Instructions(start) => (8..*start).contains(&offset),
            Body::Ephemerons => offset >= 8,
        }
    }
}

/// The body of a type's objects.
pub fn body(layout: &Layout, kind: InstanceType, number: u16) -> Body {
    use InstanceType as T;
    let all = Body::Words(8..usize::MAX);
    if layout.types.is_string(number) {
        let mask = layout.tagging.string_representation_mask.known();
        let shape = mask.map(|m| i64::from(number) & m);
        let pointers = [
            layout.tagging.cons_string_tag,
            layout.tagging.sliced_string_tag,
            layout.tagging.thin_string_tag,
        ];
        return match shape.is_some() && pointers.iter().any(|t| t.known() == shape) {
            true => Body::Words(16..usize::MAX),
            false => Body::None,
        };
    }
    match kind {
        T::ByteArray
        | T::TrustedByteArray
        | T::FixedDoubleArray
        | T::HeapNumber
        | T::BigInt
        | T::FeedbackMetadata
        | T::Foreign
        | T::TrustedForeign
        | T::CoverageInfo
        | T::Unknown
        | T::FreeSpace
        | T::Filler => Body::None,
        T::PreparseData => Body::Words(16..usize::MAX),
        // Lengths, flags and pointers of C++, and behind them embedder fields and properties. V8 10
        // leaves max_byte_length as the memory was, in the buffer of an array of up to 64 bytes.
        T::JSArrayBuffer => {
            let fields = &layout.js_array_buffer;
            around(fields.byte_length, fields.bit_field).unwrap_or(all)
        }
        T::JSTypedArray => {
            let fields = &layout.js_typed_array;
            around(
                layout.js_array_buffer_view.byte_offset,
                fields.external_pointer,
            )
            .unwrap_or(all)
        }
        T::BytecodeArray => match layout.bytecode_array.data.offset() {
            Ok(end) => Body::Words(8..end as usize),
            Err(_) => all,
        },
        T::InstructionStream => match layout.instruction_stream.instruction_start.offset() {
            Ok(start) => Body::Instructions(start as usize),
            Err(_) => Body::Instructions(64),
        },
        T::Code if layout.instruction_stream.code.known().is_none() => {
            match layout.code.instruction_start.offset() {
                Ok(start) => Body::Instructions(start as usize),
                Err(_) => Body::Instructions(64),
            }
        }
        T::EphemeronHashTable => Body::Ephemerons,
        _ => all,
    }
}

/// Words of which those from `first` to `last` are raw.
fn around(first: Constant, last: Constant) -> Option<Body> {
    let end = last.offset().ok()?.checked_add(8)?;
    Some(Body::Around(first.offset().ok()? as usize..end as usize))
}
