//! What the threads were doing: V8's frames on a stack, and where in the source each one was.
//!
//! [`walk`](thread_frames) finds the frames, [`JsFrame`] reads one, [`CallSite`] and [`Place`]
//! give it the words of a stack trace, and [`Source::backtrace`] puts all together with the
//! debugger's own frames.

mod async_frames;
mod backtrace;
mod baseline;
mod builtins;
mod call_site;
mod causes;
mod code;
mod death;
mod frame;
mod frameless;
mod locals;
mod location;
mod merge;
mod parameters;
mod pending;
mod receiver;
mod scopes;
mod source_positions;
mod threads;
mod unwind;
mod variables;
mod walk;
mod wasm;
mod wasm_module;

pub use async_frames::{await_position, Awaiter, Closures, Waiting};
pub use backtrace::{Call, Frame, Source};
pub use baseline::BytecodeSizes;
pub use call_site::CallSite;
pub use causes::{Alive, Cause as SettledBy, HeldBy, Settles};
pub use code::{byte_array, BytecodeArray, Code, InlinedPosition};
pub use death::{death, Cause, Death, EndedWorker, HeapUse, SpaceSizes, WorkerLimits};
pub use frame::{JsFrame, MAX_ARGUMENTS};
pub use locals::{Held, NamedVariable, VariableNames};
pub use location::{bytecode_of, Place, Places};
pub use merge::{merge, Merged};
pub use parameters::{parameters, Parameter};
pub use pending::{
    name_of as pending_name_of, pending, Pending, PendingGroup, PendingKind, Section, Waiters,
    WaitsFor,
};
pub use receiver::{Identity, Receiver};
pub use scopes::{own_scopes, scopes, Binding, Scope, ScopeKind, Variable};
pub use threads::{roles, Role};
pub use variables::{arguments, parameters_of, Argument};
pub use walk::{thread_frames, FoundBy, FrameKind, V8Frame, Walker};
pub use wasm::WasmCall;
