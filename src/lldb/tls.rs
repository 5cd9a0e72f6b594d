//! Thread pointers of a core, which LLDB before 19 does not give although the core has them.

use crate::offline::core_threads;
use crate::target::Registers;
use std::path::Path;

/// Registers as the core's own notes have them, by the thread's system id. SB does not say where
/// the core is (before 18), but LLDB has it mapped: it is the file among our own mappings whose
/// notes name all of these `threads` (id and pc).
pub fn registers_from_core(threads: &[(u64, u64)]) -> Vec<(u64, Registers)> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let mut paths: Vec<&str> = maps
        .lines()
        .filter_map(|line| line.find('/').map(|at| &line[at..]))
        .collect();
    paths.sort_unstable();
    paths.dedup();
    let is_it = |notes: &Vec<(u64, Registers)>| {
        !threads.is_empty()
            && threads
                .iter()
                .all(|(id, pc)| notes.iter().any(|(i, r)| i == id && r.pc == *pc))
    };
    paths
        .iter()
        .filter_map(|path| core_threads(Path::new(path)))
        .find(is_it)
        .unwrap_or_default()
}
