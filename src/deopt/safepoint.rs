//! Safepoint tables: for each call in optimized code, its deoptimization entry.

use crate::error::{Error, Result};
use crate::metadata::Layout;

/// The place in a table of the fields a version needs.
struct Header {
    length: usize,
    size: usize,
    fixed: bool,
}

/// Largest table read.
pub const MAX_TABLE: u64 = 16 << 20;

fn broken(why: &str) -> Error {
    Error::other(format!("the safepoint table {why}"))
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32> {
    let field = at.checked_add(4).and_then(|end| bytes.get(at..end));
    let field: [u8; 4] = field
        .and_then(|f| f.try_into().ok())
        .ok_or_else(|| broken("ends too early"))?;
    Ok(u32::from_le_bytes(field))
}

/// A little-endian number of few bytes.
fn number(bytes: &[u8], at: &mut usize, length: usize) -> Result<i64> {
    let end = at.checked_add(length);
    let field = end.and_then(|end| bytes.get(*at..end));
    let field = field.ok_or_else(|| broken("ends too early"))?;
    *at += length;
    Ok(field.iter().rev().fold(0, |n, b| n << 8 | i64::from(*b)))
}

/// Index of the deoptimization entry for a return address; `None` where the table has none for
/// it. `bytes` begin at the table and may go on after it.
pub fn deoptimization_index(
    layout: &Layout,
    is_maglev: bool,
    bytes: &[u8],
    pc_offset: u64,
) -> Result<Option<u64>> {
    let table = &layout.safepoint_table;
    let header = Header {
        length: table.length.offset()? as usize,
        size: if is_maglev {
            table.maglev_header_size.offset()? as usize
        } else {
            table.header_size.offset()? as usize
        },
        fixed: table.has_fixed_entries.get()? != 0,
    };
    let pc = i64::try_from(pc_offset).map_err(|_| broken("does not reach this pc"))?;
    let length = u32_at(bytes, header.length)?;
    let index = if header.fixed {
        fixed(bytes, &header, length, pc)?
    } else {
        packed(bytes, &header, length, pc, is_maglev)?
    };
    Ok(index.and_then(|i| u64::try_from(i).ok()))
}

/// Entries of three words: pc, deoptimization index, pc of the trampoline.
fn fixed(bytes: &[u8], header: &Header, length: u32, pc: i64) -> Result<Option<i64>> {
    for i in 0..length as usize {
        let at = header.size + 12 * i;
        let own = u32_at(bytes, at)?;
        let trampoline = u32_at(bytes, at + 8)?;
        if own == u32::MAX || i64::from(own) == pc || i64::from(trampoline) == pc {
            let index = u32_at(bytes, at + 4)?;
            return Ok((index != u32::MAX).then_some(i64::from(index)));
        }
    }
    Ok(None)
}

/// Entries whose fields have as many bytes as the code's largest value needs; what may be -1 is
/// written plus 1.
fn packed(
    bytes: &[u8],
    header: &Header,
    length: u32,
    pc: i64,
    is_maglev: bool,
) -> Result<Option<i64>> {
    let configuration = u32_at(bytes, header.length + 4)?;
    let has_deopt_data = configuration & 1 != 0;
    let field = |shift: u32| (configuration >> shift & 7) as usize;
    let (registers, pcs, indexes) = (field(1), field(4), field(7));
    if !has_deopt_data {
        return Ok(None);
    }
    let mut at = header.size;
    for _ in 0..length {
        let own = number(bytes, &mut at, pcs)?;
        let index = number(bytes, &mut at, indexes)? - 1;
        let trampoline = number(bytes, &mut at, pcs)? - 1;
        at += registers + usize::from(is_maglev);
        // V8 takes the entry before a pc for it too, but for calls that may deoptimize (all that
        // end up on a stack trace) there is one for each.
        if own == pc || trampoline == pc {
            return Ok((index >= 0).then_some(index));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_both_forms() {
        let header = Header {
            length: 0,
            size: 8,
            fixed: false,
        };
        // Deoptimization data, one byte of registers, two of pc, one of index.
        let configuration = 1u32 | 1 << 1 | 2 << 4 | 1 << 7;
        let mut bytes = vec![2, 0, 0, 0];
        bytes.extend(configuration.to_le_bytes());
        bytes.extend([0x10, 0x01, 5, 0x01, 0x02, 0xff]);
        bytes.extend([0x20, 0x01, 0, 0, 0, 0xff]);
        let at = |pc| packed(&bytes, &header, 2, pc, false).unwrap();
        assert_eq!(at(0x110), Some(4));
        assert_eq!(at(0x200), Some(4));
        assert_eq!(at(0x120), None);
        assert_eq!(at(0x111), None);
        assert!(packed(&bytes, &header, 3, 0x111, false).is_err());

        let mut bytes = vec![1, 0, 0, 0, 0, 0, 0, 0];
        for word in [0x30u32, 7, 0x90] {
            bytes.extend(word.to_le_bytes());
        }
        assert_eq!(fixed(&bytes, &header, 1, 0x30).unwrap(), Some(7));
        assert_eq!(fixed(&bytes, &header, 1, 0x90).unwrap(), Some(7));
        assert_eq!(fixed(&bytes, &header, 1, 0x31).unwrap(), None);
    }
}
