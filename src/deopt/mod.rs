//! Optimized frames taken apart: the functions inlined at a pc, where each of them was, and their
//! values, as V8's deoptimizer would put them back.

mod data;
mod frames;
mod reader;
mod safepoint;
mod value;

pub use data::{tier, DeoptimizationData, Tier};
pub use frames::{optimized_frame, InlinedFrame, OptimizedFrame, TranslatedFrame, TranslatedKind};
pub use value::{Captured, Value};
