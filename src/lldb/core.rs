//! The core file that LLDB has open: SB does not say where it is (before 18), and LLDB before 19
//! does not give the thread pointers it holds.

use crate::offline::core_threads;
use crate::target::Registers;
use std::path::PathBuf;

/// A core file, and its threads' registers by the thread's system id.
pub struct Core {
    pub path: PathBuf,
    pub registers: Vec<(u64, Registers)>,
}

/// The one core that has all of `threads` (system ids), among the files that this process has
/// mapped; none where several do.
pub fn find(threads: &[u64]) -> Option<Core> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let mut paths: Vec<&str> = maps
        .lines()
        .filter_map(|line| line.find('/').map(|at| &line[at..]))
        .collect();
    paths.sort_unstable();
    paths.dedup();
    let mut found = paths.iter().filter_map(|path| {
        let path = PathBuf::from(path);
        let registers = core_threads(&path)?;
        let has = |id: &u64| registers.iter().any(|(other, _)| other == id);
        (!threads.is_empty() && threads.iter().all(has)).then_some(Core { path, registers })
    });
    found.next().filter(|_| found.next().is_none())
}
