//! Parts of results as JSON.

use serde::Serializer;

/// An address as a string of hexadecimal digits: JSON's numbers do not hold 64 bits.
pub fn address<S: Serializer>(value: &u64, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&format_args!("{value:#x}"))
}
