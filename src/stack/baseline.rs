//! From a pc in baseline (Sparkplug) code to the bytecode it was made of.
//!
//! Baseline code has, in place of a source position table, the length of the machine code of
//! each bytecode in order, as unsigned variable-length integers; the first is that of the
//! prologue, which belongs to the function's entry. So the bytecodes have to be walked along,
//! and their lengths known: V8's own table of them is a data symbol of the program.

use super::source_positions::unsigned;
use crate::error::{Error, Result};
use crate::program::Program;

/// Prefixes that widen the operands of the bytecode after them: bytecode, scale index.
/// Their numbers have not changed from V8 7 to 14; the two after them are the debugger's.
const PREFIXES: [(u8, usize); 4] = [(0, 1), (1, 2), (2, 1), (3, 2)];

const SIZES_SYMBOL: &str = "_ZN2v88internal11interpreter9Bytecodes14kBytecodeSizesE";

/// Lengths of the bytecodes for each operand scale.
#[derive(Debug, Clone)]
pub struct BytecodeSizes {
    /// Three tables, one after the other.
    sizes: Vec<u8>,
    count: usize,
}

impl BytecodeSizes {
    /// From the program's table.
    pub fn of(program: &Program) -> Result<BytecodeSizes> {
        let missing = || Error::other("the program has no table of bytecode sizes");
        let symbol = program.data_symbol(SIZES_SYMBOL).ok_or_else(missing)?;
        let size = usize::try_from(symbol.size).unwrap_or(0);
        // Bytes for 256 bytecodes at most, in three scales; ints before V8 9.
        if !(3..=3 * 256 * 4).contains(&size) {
            return Err(missing());
        }
        let mut raw = vec![0; size];
        let address = symbol.address.wrapping_sub(program.module.slide);
        if program.file.read(address, &mut raw) != size {
            return Err(missing());
        }
        let ints = size > 3 * 256;
        let sizes: Vec<u8> = raw
            .chunks(if ints { 4 } else { 1 })
            .filter_map(|c| c.first().copied())
            .collect();
        Ok(BytecodeSizes {
            count: sizes.len() / 3,
            sizes,
        })
    }

    /// Length of the bytecode at the start of `bytes`, its prefix included.
    fn length(&self, bytes: &[u8]) -> Option<usize> {
        let first = *bytes.first()?;
        let (scale, prefix) = match PREFIXES.iter().find(|p| p.0 == first) {
            Some((_, scale)) => (*scale, 1),
            None => (0, 0),
        };
        let bytecode = usize::from(*bytes.get(prefix)?);
        if bytecode >= self.count {
            return None;
        }
        let length = usize::from(*self.sizes.get(scale * self.count + bytecode)?);
        (length > 0).then_some(prefix + length)
    }
}

/// Offset of the bytecode whose machine code ends at or after `pc_offset` (a return address
/// belongs to the call before it); -1 in the prologue.
pub fn bytecode_offset(
    table: &[u8],
    bytecodes: &[u8],
    sizes: &BytecodeSizes,
    pc_offset: u64,
) -> Result<i64> {
    let broken = |why: &str| Error::other(format!("the bytecode offset table {why}"));
    let mut rest = table;
    let mut end = unsigned(&mut rest).ok_or_else(|| broken("is empty"))?;
    let mut current = -1;
    let mut next = 0;
    while end < pc_offset {
        let length = unsigned(&mut rest).ok_or_else(|| broken("ends before the pc"))?;
        end = end.saturating_add(length);
        current = next as i64;
        let at = bytecodes.get(next..).unwrap_or(&[]);
        // The last bytecode may be followed by a length of its own, never used to go on.
        next = match sizes.length(at) {
            Some(length) => next + length,
            None if end >= pc_offset => next,
            None => return Err(broken("does not fit the bytecodes")),
        };
    }
    Ok(current)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes() -> BytecodeSizes {
        // Bytecodes 0..3 are prefixes; 4 has one operand, 5 none.
        BytecodeSizes {
            sizes: vec![1, 1, 1, 1, 2, 1, 1, 1, 1, 1, 3, 1, 1, 1, 1, 1, 5, 1],
            count: 6,
        }
    }

    #[test]
    fn walks_along_prefixes() {
        let bytecodes = [4, 9, 0, 4, 9, 9, 5, 1, 4, 9, 9, 9, 9, 5];
        let table = [10, 4, 0x80, 1, 2, 3, 4];
        let at = |pc| bytecode_offset(&table, &bytecodes, &sizes(), pc).unwrap();
        assert_eq!(at(1), -1);
        assert_eq!(at(10), -1);
        assert_eq!(at(11), 0);
        assert_eq!(at(14), 0);
        assert_eq!(at(15), 2);
        assert_eq!(at(142), 2);
        assert_eq!(at(143), 6);
        assert_eq!(at(145), 7);
        assert_eq!(at(148), 13);
    }

    #[test]
    fn broken_tables_are_refused() {
        assert!(bytecode_offset(&[], &[5], &sizes(), 1).is_err());
        assert!(bytecode_offset(&[1, 1], &[5], &sizes(), 9).is_err());
        assert!(bytecode_offset(&[1, 1, 1, 1], &[200], &sizes(), 4).is_err());
    }
}
