//! Node.js itself: its Environment, and the handles and requests that keep it alive.

mod context;
mod environment;
mod process;

pub use context::native_context;
pub use environment::{Environment, Queue};
pub use process::{find_process, Field, ProcessInfo};
