//! `.heapsnapshot` files: V8's JSON, read by what its own `meta` says and written in the schema
//! of a given V8.

mod json;
mod meta;
mod output;
mod reader;
mod text;
mod writer;

pub use meta::Schema;
pub use reader::{read, read_file};
pub use writer::{write_file, Progress};
