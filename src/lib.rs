//! v8rs: what a Node.js process was doing, and what filled its memory, from a core file or a
//! live process, as an LLDB plugin.
//!
//! One direction, top to bottom; a layer uses only those under it:
//!
//! ```text
//! lldb/      a command line arrives: session, panics, output          (the only place that names LLDB)
//! command/   parse, ask, return a result value  -> render/ text, colour, JSON
//! session    what is known of the target at this stop (stop, v8)
//! heap/ stack/ deopt/ object/   V8 decoded
//! source/    a function's text -> its variables
//! metadata/  v8dbg symbols and version tables -> Layout
//! memory/    address -> bytes
//! ```

pub mod command;
pub mod deopt;
pub mod error;
pub mod graph;
pub mod heap;
#[cfg(feature = "lldb")]
mod lldb;
pub mod memory;
pub mod metadata;
pub mod node;
pub mod object;
pub mod offline;
pub mod program;
pub mod render;
pub mod session;
pub mod source;
pub mod stack;
mod stop;
pub mod target;
mod v8;
