//! The instructions of a translation.

use crate::error::{Error, Result};
use crate::metadata::translation::{Encoding, Opcode, OpcodeRow, Translations};

/// An instruction with its operands by what they tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    pub opcode: Opcode,
    /// Bytecode offset, or the number of a builtin.
    pub offset: i64,
    /// Index of the literal that is the function.
    pub function: i64,
    /// Index of the (protected) literal that is the bytecode array.
    pub bytecode_array: Option<i64>,
    /// Number of values.
    pub count: i64,
    /// Where the value is.
    pub value: i64,
}

/// Goes through a translation, one instruction at a time.
pub struct Reader<'b> {
    bytes: &'b [u8],
    translations: Translations,
    at: usize,
    /// Instructions still to be taken from an earlier translation, and where in it.
    remaining: u64,
    previous: usize,
    /// Instructions read since `previous` was right.
    behind: u64,
}

fn broken(why: &str) -> Error {
    Error::other(format!("the deoptimization translation {why}"))
}

impl<'b> Reader<'b> {
    /// Of the translation that begins at `index`; its first instruction is its beginning.
    pub fn new(bytes: &'b [u8], translations: Translations, index: usize) -> Result<Reader<'b>> {
        let mut reader = Reader {
            bytes,
            translations,
            at: index,
            remaining: 0,
            previous: 0,
            behind: 0,
        };
        match reader.next()? {
            Some(first) if first.opcode == Opcode::Begin => Ok(reader),
            _ => Err(broken("does not begin")),
        }
    }

    fn byte(&self, at: &mut usize) -> Result<u8> {
        let byte = self
            .bytes
            .get(*at)
            .ok_or_else(|| broken("ends too early"))?;
        *at += 1;
        Ok(*byte)
    }

    fn unsigned(&self, at: &mut usize) -> Result<u64> {
        let low = self.translations.encoding == Encoding::LowBit;
        let mut value = 0u64;
        for shift in (0..35).step_by(7) {
            let byte = self.byte(at)?;
            let (bits, more) = if low {
                (byte >> 1, byte & 1 != 0)
            } else {
                (byte & 0x7f, byte & 0x80 != 0)
            };
            value |= u64::from(bits) << shift;
            if !more {
                return Ok(value & u64::from(u32::MAX));
            }
        }
        Err(broken("holds too long a number"))
    }

    fn signed(&self, at: &mut usize) -> Result<i64> {
        let bits = self.unsigned(at)?;
        let value = (bits >> 1) as i64;
        Ok(if bits & 1 == 1 { -value } else { value })
    }

    fn row(&self, number: u64) -> Result<OpcodeRow> {
        let row = usize::try_from(number)
            .ok()
            .and_then(|n| self.translations.opcodes.get(n));
        row.copied().ok_or_else(|| broken("has an unknown opcode"))
    }

    /// The opcode at a place, and whether it stands for a match of that many.
    fn opcode(&self, at: &mut usize) -> Result<(OpcodeRow, Option<u64>)> {
        if self.translations.encoding != Encoding::Bytes {
            let number = u64::try_from(self.signed(at)?).map_err(|_| broken("is no opcode"))?;
            return Ok((self.row(number)?, None));
        }
        let number = u64::from(self.byte(at)?);
        let count = self.translations.opcodes.len() as u64;
        match number.checked_sub(count) {
            Some(matches) => Ok(((Opcode::MatchPrevious, ""), Some(matches))),
            None => Ok((self.row(number)?, None)),
        }
    }

    fn operands(&self, row: OpcodeRow, at: &mut usize) -> Result<Instruction> {
        let mut out = Instruction {
            opcode: row.0,
            offset: -1,
            function: -1,
            bytecode_array: None,
            count: 0,
            value: 0,
        };
        for letter in row.1.bytes() {
            let value = match letter {
                b'A'..=b'Z' | b'-' => self.unsigned(at)? as i64,
                _ => self.signed(at)?,
            };
            match letter.to_ascii_lowercase() {
                b'o' => out.offset = value,
                b'f' => out.function = value,
                b'a' => out.bytecode_array = Some(value),
                b'n' => out.count = value,
                b'v' => out.value = value,
                _ => {}
            }
        }
        Ok(out)
    }

    /// An instruction of the earlier translation; it has no matches of its own.
    fn next_previous(&mut self) -> Result<Instruction> {
        let mut at = self.previous;
        let (row, _) = self.opcode(&mut at)?;
        if row.0 == Opcode::MatchPrevious {
            return Err(broken("refers to one that refers on"));
        }
        let out = self.operands(row, &mut at)?;
        self.previous = at;
        Ok(out)
    }

    /// The next instruction; `None` at the end.
    pub fn next(&mut self) -> Result<Option<Instruction>> {
        if self.remaining > 0 {
            self.remaining -= 1;
            return self.next_previous().map(Some);
        }
        if self.at >= self.bytes.len() {
            return Ok(None);
        }
        let start = self.at;
        let mut at = self.at;
        let (row, matches) = self.opcode(&mut at)?;
        let matches = match (row.0, matches) {
            (Opcode::MatchPrevious, None) => Some(self.unsigned(&mut at)?),
            (_, matches) => matches,
        };
        if let Some(count) = matches {
            self.at = at;
            for _ in 0..std::mem::take(&mut self.behind) {
                self.next_previous()?;
            }
            self.remaining = count.saturating_sub(1);
            return self.next_previous().map(Some);
        }
        if row.0 == Opcode::Begin && self.translations.encoding == Encoding::Bytes {
            let mut lookback = at;
            let distance = self.unsigned(&mut lookback)? as usize;
            if distance > 0 {
                let previous = start.checked_sub(distance);
                self.previous = previous.ok_or_else(|| broken("refers to before its start"))?;
            }
            self.behind = 1;
        } else {
            self.behind += 1;
        }
        let out = self.operands(row, &mut at)?;
        self.at = at;
        Ok(Some(out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::V8Version;

    fn bytes_encoding() -> Translations {
        Translations::for_version(V8Version::new(13, 6, 0, 0))
    }

    fn number(opcode: Opcode) -> u8 {
        let all = bytes_encoding().opcodes;
        all.iter().position(|r| r.0 == opcode).unwrap() as u8
    }

    #[test]
    fn matches_take_from_the_earlier_translation() {
        let (begin, literal, tagged) = (
            number(Opcode::Begin),
            number(Opcode::Literal),
            number(Opcode::Tagged),
        );
        let matches = bytes_encoding().opcodes.len() as u8;
        #[rustfmt::skip]
        let bytes = [
            begin, 0, 2, 2, literal, 2, literal, 4, tagged, 7, literal, 8,
            // The first two values are the same, the third is not, the fourth is again.
            begin, 12, 2, 2, matches + 2, tagged, 10, matches + 1,
        ];
        let values = |index| {
            let mut reader = Reader::new(&bytes, bytes_encoding(), index).unwrap();
            let mut out = Vec::new();
            while let Some(i) = reader.next().unwrap() {
                if i.opcode == Opcode::Begin {
                    break;
                }
                out.push((i.opcode, i.value));
            }
            out
        };
        use Opcode::{Literal, Tagged};
        assert_eq!(
            values(0),
            [(Literal, 1), (Literal, 2), (Tagged, -3), (Literal, 4)]
        );
        assert_eq!(
            values(12),
            [(Literal, 1), (Literal, 2), (Tagged, 5), (Literal, 4)]
        );
    }

    #[test]
    fn low_bit_numbers() {
        let translations = Translations::for_version(V8Version::new(8, 4, 0, 0));
        // begin(1, 1, 0), frame(offset 100, function 3, 2 values, 0, 0)
        let bytes = [0, 4, 4, 0, 4, 0x91, 2, 12, 8, 0, 0];
        let mut reader = Reader::new(&bytes, translations, 0).unwrap();
        let frame = reader.next().unwrap().unwrap();
        assert_eq!(frame.opcode, Opcode::InterpretedFrame);
        assert_eq!((frame.offset, frame.function, frame.count), (100, 3, 2));
        assert_eq!(reader.next().unwrap(), None);
    }

    #[test]
    fn garbage_ends() {
        for seed in 0..2000u64 {
            let bytes: Vec<u8> = (0..64u64)
                .map(|i| (seed * 31 + i * i * 7 + (seed >> 3) * i) as u8)
                .collect();
            for version in [(8, 4), (9, 4), (11, 3), (12, 4), (14, 6)] {
                let t = Translations::for_version(V8Version::new(version.0, version.1, 0, 0));
                let Ok(mut reader) = Reader::new(&bytes, t, 0) else {
                    continue;
                };
                let mut count = 0;
                while let Ok(Some(_)) = reader.next() {
                    count += 1;
                    assert!(count < 100_000);
                }
            }
        }
    }
}
