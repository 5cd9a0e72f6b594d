//! Strings of every form.

use super::{HeapObject, Tagged};
use crate::error::{Error, Result};
use std::fmt::Write;

/// A string.
#[derive(Clone, Copy, Debug)]
pub struct JSString<'a>(pub HeapObject<'a>);

/// How a string holds its characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StringShape {
    Sequential,
    Cons,
    External,
    Sliced,
    Thin,
}

/// The text of a string, or its beginning.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StringText {
    /// UTF-16 code units that were read.
    pub units: Vec<u16>,
    /// Length of the whole string in code units.
    pub length: u64,
    /// Parts that could not be read were left out, for this reason.
    pub hole: Option<String>,
}

impl StringText {
    /// As Rust text; a lone surrogate is written out as `util.inspect` does it: `\ud83d`.
    pub fn text(&self) -> String {
        let units = match self.units.split_last() {
            // Only the limit on the text parted it from its other half.
            Some((0xd800..=0xdbff, rest)) if self.is_truncated() => rest,
            _ => &self.units,
        };
        unit_text(units)
    }

    /// As Rust text; lone surrogates become U+FFFD.
    pub fn lossy_text(&self) -> String {
        String::from_utf16_lossy(&self.units)
    }

    /// The text, with an ellipsis where not all of the string was read.
    pub fn marked(&self) -> String {
        let mut out = self.text();
        if self.is_truncated() {
            out.push('…');
        }
        out
    }

    /// Not all of the string was read.
    pub fn is_truncated(&self) -> bool {
        (self.units.len() as u64) < self.length
    }
}

/// UTF-16 as Rust text, see [`StringText::text`].
pub fn unit_text(units: &[u16]) -> String {
    let mut out = String::with_capacity(units.len());
    for c in char::decode_utf16(units.iter().copied()) {
        match c {
            Ok(c) => out.push(c),
            // Writing to a String does not fail.
            Err(lone) => {
                let _ = write!(out, "\\u{:04x}", lone.unpaired_surrogate());
            }
        }
    }
    out
}

/// Nodes of cons strings visited at most in one read: deeper ropes exist only in broken heaps or
/// in reads without a limit on the text, which are cut there and say so.
const MAX_PARTS: usize = 4 << 20;

impl<'a> JSString<'a> {
    /// Length in UTF-16 code units.
    pub fn len(self) -> Result<u64> {
        let layout = self.0.cx.layout;
        Ok(u64::from(self.0.u32_field(layout.string.length)?))
    }

    /// Whether it is "".
    pub fn is_empty(self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Its form and whether it holds one byte a character.
    pub fn shape(self) -> Result<(StringShape, bool)> {
        let number = i64::from(self.0.instance_type_number()?);
        let t = &self.0.cx.layout.tagging;
        if number >= t.first_nonstring_type.get()? {
            return Err(Error::WrongType {
                address: self.0.address,
                expected: "a string",
                found: format!("of instance type {number}"),
            });
        }
        let one_byte = number & t.string_encoding_mask.get()? == t.one_byte_string_tag.get()?;
        let bits = number & t.string_representation_mask.get()?;
        let shape = if bits == t.seq_string_tag.get()? {
            StringShape::Sequential
        } else if bits == t.cons_string_tag.get()? {
            StringShape::Cons
        } else if bits == t.external_string_tag.get()? {
            StringShape::External
        } else if bits == t.sliced_string_tag.get()? {
            StringShape::Sliced
        } else if bits == t.thin_string_tag.get()? {
            StringShape::Thin
        } else {
            return Err(Error::malformed(
                "string",
                self.0.address,
                format!("representation {bits} is none of V8's"),
            ));
        };
        Ok((shape, one_byte))
    }

    /// Its first `limit` code units. A part that cannot be read ends the text, with the reason.
    pub fn read(self, limit: usize) -> Result<StringText> {
        self.read_from(0, limit)
    }

    /// At most `limit` code units from `start` on.
    pub fn read_from(self, start: u64, limit: usize) -> Result<StringText> {
        let mut text = StringText {
            length: self.len()?,
            ..StringText::default()
        };
        let start = start.min(text.length);
        // (string, first unit, units wanted), the next one to read last.
        let mut work: Vec<(JSString<'a>, u64, u64)> =
            vec![(self, start, (text.length - start).min(limit as u64))];
        let mut parts = 0;
        while let Some((string, start, count)) = work.pop() {
            parts += 1;
            if count == 0 {
                continue;
            }
            let step = if parts > MAX_PARTS {
                Err(Error::malformed("string", self.0.address, "too many parts"))
            } else {
                string.step(start, count, &mut work, &mut text.units)
            };
            if let Err(error) = step {
                text.hole = Some(error.to_string());
                break;
            }
        }
        Ok(text)
    }

    /// Adds `count` units from `start` on to `units`, or puts the parts that hold them on `work`.
    fn step(
        self,
        start: u64,
        count: u64,
        work: &mut Vec<(JSString<'a>, u64, u64)>,
        units: &mut Vec<u16>,
    ) -> Result<()> {
        let layout = self.0.cx.layout;
        let length = self.len()?;
        if start.checked_add(count).is_none_or(|end| end > length) {
            return Err(Error::malformed(
                "string",
                self.0.address,
                "a part of it is shorter than the whole says",
            ));
        }
        let part = |value: Tagged| self.0.cx.object(value).map(JSString);
        let (shape, one_byte) = self.shape()?;
        match shape {
            StringShape::Sequential => {
                let chars = if one_byte {
                    layout.string.one_byte_chars
                } else {
                    layout.string.two_byte_chars
                };
                self.chars(self.0.slot(chars.offset()?)?, one_byte, start, count, units)
            }
            StringShape::External => {
                let number = i64::from(self.0.instance_type_number()?);
                let mask = layout.tagging.uncached_external_mask.get()?;
                if number & mask != 0 {
                    return Err(Error::malformed(
                        "string",
                        self.0.address,
                        "external, and V8 keeps no pointer to its characters",
                    ));
                }
                let data = self.0.u64_field(layout.string.external_data)?;
                self.chars(data, one_byte, start, count, units)
            }
            StringShape::Thin => {
                work.push((
                    part(self.0.field(layout.string.thin_actual)?)?,
                    start,
                    count,
                ));
                Ok(())
            }
            StringShape::Sliced => {
                let parent = part(self.0.field(layout.string.sliced_parent)?)?;
                let offset = u64::try_from(self.0.smi_field(layout.string.sliced_offset)?)
                    .map_err(|_| Error::malformed("string", self.0.address, "negative offset"))?;
                let from = offset.saturating_add(start);
                work.push((parent, from, count));
                Ok(())
            }
            StringShape::Cons => {
                let first = part(self.0.field(layout.string.cons_first)?)?;
                let second = part(self.0.field(layout.string.cons_second)?)?;
                let split = first.len()?.min(length);
                if start + count > split {
                    let from = start.max(split);
                    work.push((second, from - split, start + count - from));
                }
                if start < split {
                    work.push((first, start, count.min(split - start)));
                }
                Ok(())
            }
        }
    }

    /// Reads characters in bounded pieces, so that a hostile length allocates nothing big.
    fn chars(
        self,
        data: u64,
        one_byte: bool,
        start: u64,
        count: u64,
        units: &mut Vec<u16>,
    ) -> Result<()> {
        let width = if one_byte { 1 } else { 2 };
        let overflow = || Error::malformed("string", self.0.address, "address overflows");
        let mut at = start
            .checked_mul(width)
            .and_then(|o| o.checked_add(data))
            .ok_or_else(overflow)?;
        let mut left = count * width;
        let mut piece = vec![0; left.min(64 << 10) as usize];
        while left > 0 {
            let n = left.min(piece.len() as u64) as usize;
            let piece = &mut piece[..n];
            self.0.cx.memory.read(at, piece)?;
            if one_byte {
                units.extend(piece.iter().map(|b| u16::from(*b)));
            } else {
                let pairs = piece.chunks_exact(2);
                units.extend(pairs.map(|c| u16::from_le_bytes([c[0], c[1]])));
            }
            left -= n as u64;
            at = at.checked_add(n as u64).ok_or_else(overflow)?;
        }
        Ok(())
    }
}
