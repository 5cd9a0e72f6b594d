//! Which words of an object V8 visits. What looks like a pointer to the start of an object in
//! such a word is one; raw words among them (lengths, flags, pointers of C++) never do.

use crate::metadata::{InstanceType, Layout};
use std::ops::Range;

/// How V8 goes through an object's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// Nothing but the map.
    None,
    /// The words in a range of bytes, which ends with the object at the latest.
    Words(Range<usize>),
    /// Words, and behind them machine code with pointers anywhere in it.
    Instructions(usize),
    /// WeakMap's table: keys hold values.
    Ephemerons,
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
        | T::Unknown
        | T::FreeSpace
        | T::Filler => Body::None,
        T::PreparseData => Body::Words(16..usize::MAX),
        // Behind the header are lengths, flags and pointers of C++.
        T::JSArrayBuffer => match layout.js_array_buffer.byte_length.offset() {
            Ok(end) => Body::Words(8..end as usize),
            Err(_) => all,
        },
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
