//! What a debugger gives: bytes, modules, threads. Implemented by `lldb::target` for LLDB and by
//! `offline` for an ELF core read directly (tests, benchmarks, fuzzing).

use crate::error::Result;
use crate::memory::{Memory, Region};

/// A module (executable or shared library) of the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    /// Path of the file on this machine.
    pub path: String,
    /// Address of the first mapped byte (of the ELF/Mach-O header) in the target.
    pub load_address: u64,
    /// `runtime address = file address + slide`.
    pub slide: u64,
    /// Build id or UUID as lower-case hex, where known.
    pub build_id: Option<String>,
    /// The program itself (where Node is, unless it is embedded).
    pub is_executable: bool,
}

/// The registers that stack walks need.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Registers {
    pub pc: u64,
    pub sp: u64,
    /// rbp on x64, x29 on arm64.
    pub fp: u64,
    /// Thread pointer: fs_base on x64, tpidr_el0 on arm64; 0 when not known.
    pub tls: u64,
}

/// A thread of the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    /// The debugger's number of the thread (LLDB's index id, from 1).
    pub index: u32,
    /// The system's id.
    pub id: u64,
    pub name: Option<String>,
    /// The debugger's one-line description: id, pc, stop reason.
    pub description: String,
    pub registers: Registers,
    /// Selected in the debugger.
    pub selected: bool,
}

/// A frame as the debugger's own unwinder sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NativeFrame {
    pub index: u32,
    pub pc: u64,
    pub sp: u64,
    pub fp: u64,
    /// Function or symbol name, where there is one.
    pub function: Option<String>,
    /// The debugger's text for the frame, without number and pc ("libc.so.6`abort + 178 at …").
    pub description: String,
    /// Selected in the debugger.
    pub selected: bool,
}

/// A signal that a thread was stopped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Signal {
    pub number: i32,
    /// The process that sent it; `None` where that is not known, or the kernel did.
    pub sender: Option<u64>,
    /// The address that the thread had no access to, or where it executed what it must not.
    pub address: Option<u64>,
}

/// Processor of the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    X64,
    Arm64,
    Other,
}

/// A process or core in the debugger. One stop of it: a `Target` is thrown away, with all that
/// was decoded from it, when the process runs.
pub trait Target {
    /// The bytes, with what a core leaves out filled in from module files.
    fn memory(&self) -> &dyn Memory;
    /// Mapped ranges in address order. Reading may still fail inside one.
    fn regions(&self) -> Result<Vec<Region>>;
    /// Modules, the executable first.
    fn modules(&self) -> Vec<Module>;
    fn architecture(&self) -> Architecture;
    fn process_id(&self) -> u64;
    fn threads(&self) -> Vec<Thread>;
    /// Frames of the thread with this [`Thread::index`]; may be empty (no unwinder).
    fn native_frames(&self, thread_index: u32, limit: usize) -> Vec<NativeFrame>;
    /// The signal that the thread with this [`Thread::index`] was stopped by.
    fn signal(&self, _thread_index: u32) -> Option<Signal> {
        None
    }
    /// Symbol that holds a runtime address: name and offset into it.
    fn symbolize(&self, address: u64) -> Option<(String, u64)>;
    /// Value of a debugger expression as a 64-bit word; the error is the debugger's own text.
    fn evaluate(&self, expression: &str) -> Result<u64>;
    /// A live process (it may run on, and it may be asked for more than a core holds).
    fn is_live(&self) -> bool;
    /// The user asked to stop the running command.
    fn interrupted(&self) -> bool {
        false
    }
}
