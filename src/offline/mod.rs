//! An ELF core read directly, without a debugger: for tests, benchmarks and fuzzing of all that
//! lies under the debugger's edge.

mod core_file;
mod host;
mod notes;
mod threads;

pub use core_file::CoreFile;
pub use host::OfflineHost;
pub use threads::{core_threads, CoreThreads};
