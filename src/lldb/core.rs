//! The core file that LLDB has open: SB does not say where it is (before 18), and LLDB before 19
//! does not give the thread pointers it holds.

use crate::offline::{core_threads, CoreThreads};
use std::path::PathBuf;

/// A core file, and what it says of its threads.
pub struct Core {
    pub path: PathBuf,
    pub threads: CoreThreads,
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
        let own = core_threads(&path)?;
        let has = |id: &u64| own.registers.iter().any(|(other, _)| other == id);
        (!threads.is_empty() && threads.iter().all(has)).then_some(Core { path, threads: own })
    });
    found.next().filter(|_| found.next().is_none())
}
