//! `.heapsnapshot` files: V8's JSON, read by what its own `meta` says and written in the schema
//! of a given V8.

mod json;
mod meta;
mod reader;
mod writer;

pub use meta::Schema;
pub use reader::{read, read_file};
pub use writer::{write, write_file, Progress};
