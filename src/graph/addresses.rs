//! Addresses of nodes in four bytes each: neighbours lie on one page of the heap, and so mostly
//! share the upper half.

use super::hints::room;
use super::NodeId;

/// Lower half of an address that is none.
const NONE: u32 = u32::MAX;
/// Addresses for which large pages are asked for.
const MANY: usize = 1 << 20;

/// Addresses by node.
#[derive(Default)]
pub struct Addresses {
    low: Vec<u32>,
    /// Upper halves, each from a node on.
    high: Vec<(NodeId, u32)>,
}

impl Addresses {
    /// Room for that many more.
    pub fn reserve(&mut self, nodes: usize) {
        match nodes > MANY {
            true => room(&mut self.low, nodes),
            false => self.low.reserve(nodes),
        }
    }

    /// Sets the address of a node behind all that have one.
    pub fn set(&mut self, node: NodeId, address: u64) {
        if (node as usize) < self.low.len() {
            return;
        }
        self.low.resize(node as usize, NONE);
        // No object is at the very end of four gigabytes.
        self.low.push(address as u32);
        let high = (address >> 32) as u32;
        if self.high.last().is_none_or(|&(_, last)| last != high) {
            self.high.push((node, high));
        }
    }

    /// Adds those of nodes from `first` on, behind all that have one.
    pub fn append(&mut self, first: NodeId, others: &Addresses) {
        if (first as usize) < self.low.len() {
            return;
        }
        self.low.resize(first as usize, NONE);
        self.low.extend_from_slice(&others.low);
        for &(node, high) in &others.high {
            if self.high.last().is_none_or(|&(_, last)| last != high) {
                self.high.push((first + node, high));
            }
        }
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.low.clear();
        self.high.clear();
    }

    /// The address of a node.
    pub fn get(&self, node: NodeId) -> Option<u64> {
        let low = self.low.get(node as usize).filter(|low| **low != NONE)?;
        let run = self.high.partition_point(|&(first, _)| first <= node);
        let (_, high) = self.high.get(run.checked_sub(1)?)?;
        Some(u64::from(*high) << 32 | u64::from(*low))
    }

    /// Whether no node has one.
    pub fn is_empty(&self) -> bool {
        self.low.is_empty()
    }

    /// Bytes held.
    pub fn memory(&self) -> usize {
        self.low.capacity() * 4 + self.high.capacity() * 8
    }
}

#[cfg(test)]
mod tests {
    use super::Addresses;

    #[test]
    fn addresses_come_back() {
        let mut addresses = Addresses::default();
        let list = [
            (2, 0x1000),
            (3, 0x7f00_0000_1008),
            (4, 0x7f00_0000_1010),
            (9, 0x2008),
        ];
        for (node, address) in list {
            addresses.set(node, address);
        }
        for node in 0..12 {
            let known = list.iter().find(|(n, _)| *n == node);
            assert_eq!(addresses.get(node), known.map(|(_, address)| *address));
        }
    }
}
