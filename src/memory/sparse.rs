//! Memory made of pieces, for tests and for images cut from a target.

use super::Memory;
use std::collections::BTreeMap;

/// Pieces of bytes at addresses; a later piece lies over an earlier one.
#[derive(Debug, Default, Clone)]
pub struct SparseMemory {
    pieces: BTreeMap<u64, Vec<u8>>,
}

impl SparseMemory {
    /// Without any bytes.
    pub fn new() -> SparseMemory {
        SparseMemory::default()
    }

    /// Puts `bytes` at `address`. Pieces must not overlap but by replacing one that starts here.
    pub fn insert(&mut self, address: u64, bytes: Vec<u8>) {
        self.pieces.insert(address, bytes);
    }

    /// Puts a little-endian word at `address`.
    pub fn insert_u64(&mut self, address: u64, value: u64) {
        if let Some((start, piece)) = self.pieces.range_mut(..=address).next_back() {
            let at = (address - start) as usize;
            if let Some(slot) = piece.get_mut(at..at + 8) {
                slot.copy_from_slice(&value.to_le_bytes());
                return;
            }
        }
        self.insert(address, value.to_le_bytes().to_vec());
    }
}

impl Memory for SparseMemory {
    fn read_piece(&self, address: u64, buffer: &mut [u8]) -> usize {
        let Some((start, piece)) = self.pieces.range(..=address).next_back() else {
            return 0;
        };
        let at = usize::try_from(address - start).unwrap_or(usize::MAX);
        let Some(rest) = piece.get(at..) else {
            return 0;
        };
        let n = rest.len().min(buffer.len());
        buffer[..n].copy_from_slice(&rest[..n]);
        n
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_across_pieces_and_refuses_gaps() {
        let mut m = SparseMemory::new();
        m.insert(0x1000, vec![1, 2, 3, 4]);
        m.insert(0x1004, vec![5, 6, 7, 8]);
        assert_eq!(m.u64(0x1000).unwrap(), 0x0807_0605_0403_0201);
        assert!(m.u64(0x1004).is_err());
        assert!(m.u64(u64::MAX - 2).is_err());
    }
}
