//! Result values to text: knows nothing of V8.

mod escape;
mod paint;
pub mod value;

pub use escape::{escape, escape_lines, escape_quoted};
pub use paint::{Paint, Style};
