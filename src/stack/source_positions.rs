//! Tables from code offset to source position: of bytecode, and of compiled code.
//!
//! V8 writes them as deltas in variable-length integers of 7 bits, lowest first. Up to V8 13 the
//! delta of the code offset is zigzag (negative: the position is of an expression, no
//! statement); from V8 14 on it is unsigned with two flag bits below it.

use crate::error::{Error, Result};
use crate::metadata::Layout;

/// A position as the tables hold it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourcePosition {
    /// Character offset in the script; -1 where V8 knew none.
    pub script_offset: i64,
    /// Index into the code's inlining positions; -1 for the function's own code.
    pub inlining_id: i64,
}

impl SourcePosition {
    /// From the packed form: 1 bit kind, 30 bits script offset + 1, 16 bits inlining id + 1.
    /// `None` for a position outside JavaScript (V8's own C++ or Torque files).
    pub fn unpack(raw: i64) -> Option<SourcePosition> {
        (raw & 1 == 0).then_some(SourcePosition {
            script_offset: (raw >> 1 & 0x3fff_ffff) - 1,
            inlining_id: (raw >> 31 & 0xffff) - 1,
        })
    }
}

/// How a version of V8 writes the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoding {
    /// Offset that the first delta adds to: that of the function's entry.
    pub start: i64,
    /// Flag bits below the code offset instead of its sign.
    pub flags: bool,
}

impl Encoding {
    /// The encoding of the target's V8.
    pub fn of(layout: &Layout) -> Result<Encoding> {
        Ok(Encoding {
            start: layout.source_positions.start.get()?,
            flags: layout.source_positions.has_flags.get()? != 0,
        })
    }
}

/// An entry: from this code offset on, this position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    pub code_offset: i64,
    /// Packed, see [`SourcePosition::unpack`].
    pub raw: i64,
    pub is_statement: bool,
}

/// Iterates over a table; ends after an error.
#[derive(Debug, Clone)]
pub struct SourcePositionTable<'a> {
    bytes: &'a [u8],
    encoding: Encoding,
    code_offset: i64,
    raw: i64,
}

impl<'a> SourcePositionTable<'a> {
    /// Over the bytes of a table.
    pub fn new(bytes: &'a [u8], encoding: Encoding) -> SourcePositionTable<'a> {
        SourcePositionTable {
            bytes,
            encoding,
            code_offset: encoding.start,
            raw: 0,
        }
    }

    fn entry(&mut self) -> Option<Entry> {
        let first = unsigned(&mut self.bytes)?;
        let (delta, is_statement) = if self.encoding.flags {
            ((first >> 2) as i64, first & 1 == 1)
        } else {
            match zigzag(first) {
                value @ 0.. => (value, true),
                value => (-(value + 1), false),
            }
        };
        let position = zigzag(unsigned(&mut self.bytes)?);
        self.code_offset = self.code_offset.checked_add(delta)?;
        self.raw = self.raw.checked_add(position)?;
        Some(Entry {
            code_offset: self.code_offset,
            raw: self.raw,
            is_statement,
        })
    }

    /// The position that holds at `code_offset`: that of the last entry at or before it, of
    /// those in JavaScript.
    pub fn position_at(self, code_offset: i64) -> Result<Option<SourcePosition>> {
        let mut found = None;
        for entry in self {
            let entry = entry?;
            if entry.code_offset > code_offset {
                break;
            }
            found = SourcePosition::unpack(entry.raw).or(found);
        }
        Ok(found)
    }
}

impl Iterator for SourcePositionTable<'_> {
    type Item = Result<Entry>;

    fn next(&mut self) -> Option<Result<Entry>> {
        if self.bytes.is_empty() {
            return None;
        }
        let entry = self.entry();
        if entry.is_none() {
            self.bytes = &[];
        }
        Some(entry.ok_or_else(|| Error::other("the source position table is broken")))
    }
}

/// Reads an unsigned variable-length integer of at most 64 bits.
pub(super) fn unsigned(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn zigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: Encoding = Encoding {
        start: -1,
        flags: false,
    };
    const NEW: Encoding = Encoding {
        start: -1,
        flags: true,
    };

    fn put(out: &mut Vec<u8>, mut value: u64) {
        loop {
            let more = value > 0x7f;
            out.push((value & 0x7f) as u8 | if more { 0x80 } else { 0 });
            value >>= 7;
            if !more {
                return;
            }
        }
    }

    fn fold(value: i64) -> u64 {
        ((value << 1) ^ (value >> 63)) as u64
    }

    fn table(encoding: Encoding, entries: &[(i64, i64, bool)]) -> Vec<u8> {
        let (mut offset, mut raw) = (encoding.start, 0);
        let mut out = Vec::new();
        for &(code_offset, script_offset, statement) in entries {
            let delta = code_offset - offset;
            let packed = (script_offset + 1) << 1;
            match (encoding.flags, statement) {
                (true, _) => put(&mut out, (delta << 2) as u64 | u64::from(statement)),
                (false, true) => put(&mut out, fold(delta)),
                (false, false) => put(&mut out, fold(-delta - 1)),
            }
            put(&mut out, fold(packed - raw));
            (offset, raw) = (code_offset, packed);
        }
        out
    }

    #[test]
    fn both_encodings_give_the_last_entry_before() {
        let entries = [
            (-1, 10, true),
            (3, 40, false),
            (300, 20, true),
            (300, 21, false),
        ];
        for encoding in [OLD, NEW] {
            let bytes = table(encoding, &entries);
            let at = |offset| {
                SourcePositionTable::new(&bytes, encoding)
                    .position_at(offset)
                    .unwrap()
                    .map(|p| (p.script_offset, p.inlining_id))
            };
            assert_eq!(at(-2), None);
            assert_eq!(at(-1), Some((10, -1)));
            assert_eq!(at(2), Some((10, -1)));
            assert_eq!(at(3), Some((40, -1)));
            assert_eq!(at(299), Some((40, -1)));
            assert_eq!(at(300), Some((21, -1)));
            let statements: Vec<_> = SourcePositionTable::new(&bytes, encoding)
                .map(|e| e.unwrap().is_statement)
                .collect();
            assert_eq!(statements, [true, false, true, false]);
        }
    }

    #[test]
    fn inlined_and_external() {
        let p = SourcePosition::unpack(((2 + 1) << 31) | ((5 + 1) << 1)).unwrap();
        assert_eq!((p.script_offset, p.inlining_id), (5, 2));
        assert_eq!(SourcePosition::unpack(7), None);
    }

    #[test]
    fn broken_tables_end() {
        for bytes in [&[0x80][..], &[0xff; 32], &[2], &[2, 0x80]] {
            for encoding in [OLD, NEW] {
                let all: Vec<_> = SourcePositionTable::new(bytes, encoding).collect();
                assert!(all.last().unwrap().is_err());
                assert!(all.len() <= bytes.len());
            }
        }
    }
}
