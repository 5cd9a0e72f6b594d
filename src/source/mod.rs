//! The source text of a function, and what its variables are.
//!
//! V8 keeps the names of those variables only that closures see. The others are in registers of
//! the bytecode, given out in an order that follows from the source: the parser makes a scope for
//! each block and a variable for each declaration, finds what each name refers to, and then goes
//! through the scopes. The same is done here, so that a register can be told by name.

mod locals;
mod map;
mod parse;
mod scope;
mod text;
mod walk;

pub use locals::{FunctionVariables, Initialized, Local, VariablePlace};
pub use map::{OriginalPlace, SourceMap};
pub use parse::variables;
pub use text::{Form, FunctionText, Syntax};
