//! V8's own frame chain on a thread's stack.
//!
//! Frames of generated code begin with the caller's frame pointer and the return address; below
//! them is either the context (a JavaScript frame) or a number that says what frame it is. C++
//! frames in between need not keep to that, so each stay in JavaScript is a chain of its own: it
//! begins at an exit frame (which the isolate names, for the innermost stay) and ends at an entry
//! frame, which holds the name of the exit frame before it.

use super::builtins::Builtins;
use super::code::{BytecodeArray, Code, CodeFinder};
use super::frameless::Innermost;
use super::unwind::Unwinder;
use crate::error::{Error, Result};
use crate::heap::Isolates;
use crate::metadata::{Constant, InstanceType, Layout};
use crate::object::{Cx, JSFunction, Tagged};
use crate::program::Program;
use crate::target::{NativeFrame, Registers, Target, Thread};
use std::ops::Range;

/// What a frame of generated code is, as V8 names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FrameKind {
    /// C++ called JavaScript here.
    Entry,
    ConstructEntry,
    /// JavaScript called C++ here.
    Exit,
    /// As [`FrameKind::Exit`], for a JavaScript function that V8 has in C++.
    BuiltinExit,
    /// As [`FrameKind::Exit`], for a function of the embedder.
    ApiExit,
    ArgumentsAdaptor,
    Construct,
    Internal,
    Stub,
    /// A JavaScript function that V8 brings along, in generated code.
    Builtin,
    /// A builtin to go on with after a deoptimization or in the middle.
    BuiltinContinuation,
    JavaScriptBuiltinContinuation,
    Interpreted,
    Baseline,
    /// Maglev or Turbofan code.
    Optimized,
    /// A function of WebAssembly, or a frame of V8's on its behalf.
    Wasm,
    /// Between JavaScript and WebAssembly.
    JsToWasm,
    WasmToJs,
    /// A C++ function that V8 made a frame for, or generated code of a regular expression.
    Native,
    Irregexp,
    /// No frame on the stack: the innermost code, which has not built one, has left it, or makes none.
    Frameless,
    /// No frame on the stack: an async function that waits for one that is.
    Async,
    /// A number that this version does not have.
    Unknown,
}

impl FrameKind {
    /// Whether C++ called JavaScript here.
    pub fn is_entry(self) -> bool {
        matches!(self, FrameKind::Entry | FrameKind::ConstructEntry)
    }
}

/// How a frame was found, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FoundBy {
    /// The registers of the thread.
    Registers,
    /// The isolate's record of where it left JavaScript.
    Isolate,
    /// The frame pointer of the frame before.
    FramePointer,
    /// The record in an entry frame of where JavaScript was left before.
    EntryFrame,
    /// The promise that it awaits.
    Promise,
    /// The debugger's unwinder.
    Unwinder,
    /// The unwind tables of the program's files, from the registers that an entry frame keeps.
    UnwindTables,
    /// It looked like a frame on the stack.
    Scan,
}

/// A frame of generated code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct V8Frame {
    pub fp: u64,
    /// Where it goes on: the pc, or the return address of its callee.
    pub pc: Option<u64>,
    /// Where its own code goes on, when `pc` is in a stub that makes no frame.
    pub resumes: Option<u64>,
    pub kind: FrameKind,
    pub found_by: FoundBy,
}

/// Frames walked at most; V8's stacks are of one megabyte.
const MAX_FRAMES: usize = 100_000;
/// Nothing is mapped below.
const LOWEST_CODE: u64 = 0x1000;
/// Words that a stub without a frame keeps on the stack at most: registers of its caller's.
const MAX_STUB_WORDS: u64 = 64;
/// Words looked at for an exit frame at most.
const MAX_SCAN: u64 = 1 << 20;

/// The stack of a thread.
pub struct Walker<'a> {
    pub cx: Cx<'a>,
    /// From the stack pointer to the end of the stack's mapping.
    pub stack: Range<u64>,
    /// Where the program's file is mapped; code in it is no code object.
    pub program: Vec<Range<u64>>,
    /// Mappings with code in them.
    executable: Vec<Range<u64>>,
    codes: CodeFinder<'a>,
}

impl<'a> Walker<'a> {
    fn word(&self, fp: u64, offset: i64) -> Option<u64> {
        self.cx.memory.u64(fp.wrapping_add_signed(offset)).ok()
    }

    fn slot(&self, fp: u64, offset: Constant) -> Option<u64> {
        self.word(fp, offset.known()?)
    }

    fn on_stack(&self, fp: u64) -> bool {
        fp.is_multiple_of(8) && self.stack.start <= fp && fp.saturating_add(16) <= self.stack.end
    }

    /// What frame begins at `fp` and goes on at `pc`.
    pub fn kind(&self, fp: u64, pc: Option<u64>) -> Option<FrameKind> {
        let layout = self.cx.layout;
        let marker = self.slot(fp, layout.frame.context_or_type)?;
        if marker & 1 == 0 {
            return typed(layout, marker);
        }
        let code = pc.and_then(|pc| self.code(pc));
        // Before V8 10.8 its frames have no marker.
        if code.is_some_and(|c| c.is_of_regexp()) {
            return Some(FrameKind::Irregexp);
        }
        let function = self
            .cx
            .object(Tagged(self.slot(fp, layout.frame.function)?))
            .ok()?;
        if !is_function(function.instance_type().ok()?) {
            return None;
        }
        // Code entered in the middle of a loop keeps the frame of the bytecode, but not its use.
        if code.is_some_and(|c| c.is_optimized()) {
            return Some(FrameKind::Optimized);
        }
        // What a builtin spills may be anything, bytecode too.
        let data = JSFunction(function)
            .shared()
            .and_then(|s| s.function_data());
        if data.is_ok_and(|d| d.is_smi()) {
            return Some(FrameKind::Builtin);
        }
        let bytecode = self
            .slot(fp, layout.frame.bytecode_array)
            .and_then(|w| self.cx.object(Tagged(w)).ok())
            .is_some_and(|o| BytecodeArray::new(o).is_ok());
        if !bytecode {
            return Some(FrameKind::Builtin);
        }
        let offset = self.slot(fp, layout.frame.bytecode_offset)?;
        Some(if Tagged(offset).is_smi() {
            FrameKind::Interpreted
        } else {
            FrameKind::Baseline
        })
    }

    /// Where the compiled code of the innermost frame goes on, when the thread is in a stub of V8's
    /// that makes no frame (an inline cache's, a write barrier's): the return address nearest to the
    /// top of the stack. `None` where the code of the frame is what runs.
    fn return_of_stub(&self, fp: u64, pc: u64) -> Option<u64> {
        let maybe_baseline = match self.kind(fp, None)? {
            FrameKind::Baseline => true,
            // So look frames of optimized code without it: the latter if entered in a loop.
            FrameKind::Builtin | FrameKind::Interpreted => false,
            _ => return None,
        };
        if self.code(pc).is_some() {
            return None;
        }
        let end = fp.min(self.stack.start.saturating_add(8 * MAX_STUB_WORDS));
        (self.stack.start..end)
            .step_by(8)
            .filter_map(|at| self.word(at, 0))
            .filter(|word| self.executable.iter().any(|r| r.contains(word)))
            .find(|word| {
                let code = self.code(*word);
                code.is_some_and(|code| maybe_baseline || code.is_optimized())
            })
    }

    /// The code object of a pc.
    pub fn code(&self, pc: u64) -> Option<Code<'a>> {
        if self.program.iter().any(|r| r.contains(&pc)) {
            return None;
        }
        self.codes.at(self.cx, pc)
    }

    /// Whether an exit frame begins at `fp`, by its marker and its links.
    pub fn is_exit(&self, fp: u64) -> bool {
        self.on_stack(fp)
            && self.word(fp, 0).is_some_and(|next| next > fp)
            && matches!(
                self.slot(fp, self.cx.layout.frame.context_or_type)
                    .filter(|m| m & 1 == 0)
                    .and_then(|m| typed(self.cx.layout, m)),
                Some(FrameKind::Exit | FrameKind::BuiltinExit | FrameKind::ApiExit)
            )
            && self
                .word(fp, 0)
                .is_some_and(|next| self.on_stack(next) && self.kind(next, None).is_some())
    }

    /// The first exit frame above the stack pointer, for want of an isolate that names it: one that
    /// goes on at what `is_code` takes for code, in a frame of a kind that V8 has.
    pub fn scan(&self, is_code: impl Fn(u64) -> bool) -> Option<u64> {
        let end = self
            .stack
            .end
            .min(self.stack.start.saturating_add(8 * MAX_SCAN));
        let start = self.stack.start.next_multiple_of(8);
        let has_caller = |fp: u64| {
            let next = self.word(fp, 0).and_then(|next| self.kind(next, None));
            next.is_some_and(|kind| kind != FrameKind::Unknown)
                && self.exit_pc(fp).is_some_and(&is_code)
        };
        (start..end)
            .step_by(8)
            .find(|fp| self.is_exit(*fp) && has_caller(*fp))
    }

    /// The return address into an exit frame, which is the pc of the code that called C++.
    fn exit_pc(&self, fp: u64) -> Option<u64> {
        // ExitFrameConstants: the stack pointer at the call is pushed first after the marker.
        let sp = self.word(fp, self.cx.layout.frame.exit_sp.known()?)?;
        let at = sp.checked_sub(8)?;
        (self.stack.start <= at && at < fp)
            .then(|| self.word(at, 0))
            .flatten()
    }

    /// Whether `fp` is of a frame on one of the stacks that promising exports of WebAssembly run on. Of
    /// JavaScript there are none, so all have a type.
    fn on_stack_of_wasm(&self, fp: u64) -> bool {
        let layout = self.cx.layout;
        let typed = |at| {
            let marker = self.slot(at, layout.frame.context_or_type);
            marker
                .filter(|m| m & 1 == 0 && *m != 0)
                .and_then(|m| typed(layout, m))
        };
        layout.frame_type.stack_switch.known().is_some()
            && fp.is_multiple_of(8)
            && !self.stack.contains(&fp)
            && typed(fp).is_some_and(|kind| kind != FrameKind::Unknown && !kind.is_entry())
    }

    /// The frame that went on to another stack: the first such on this one, after `inner` on it.
    fn switch_after(&self, inner: u64) -> Option<u64> {
        let layout = self.cx.layout;
        let wanted = u64::try_from(layout.frame_type.stack_switch.known()?).ok()? << 1;
        let end = self.stack.end.min(inner.saturating_add(8 * MAX_SCAN));
        let is_it = |fp: &u64| {
            self.slot(*fp, layout.frame.context_or_type) == Some(wanted)
                && self
                    .word(*fp, 0)
                    .is_some_and(|next| next > *fp && self.on_stack(next))
                && self
                    .word(*fp, 8)
                    .is_some_and(|pc| self.executable.iter().any(|r| r.contains(&pc)))
        };
        (inner.saturating_add(8)..end)
            .step_by(8)
            .find(|fp| is_it(fp))
    }

    /// All frames from the one at `fp` outwards, through every stay in JavaScript.
    pub fn walk(&self, fp: u64, pc: Option<u64>, found_by: FoundBy) -> Vec<V8Frame> {
        let mut out: Vec<V8Frame> = Vec::new();
        let mut next = Some((fp, pc, found_by));
        while let Some((fp, pc, found_by)) = next {
            if out.len() == MAX_FRAMES || !(self.on_stack(fp) || self.on_stack_of_wasm(fp)) {
                break;
            }
            // Outer frames lie deeper, on one stack.
            let before = out
                .iter()
                .rev()
                .find(|f| self.on_stack(f.fp) == self.on_stack(fp));
            if before.is_some_and(|before| fp <= before.fp) {
                break;
            }
            let resumes = match found_by {
                FoundBy::Registers => pc.and_then(|pc| self.return_of_stub(fp, pc)),
                _ => None,
            };
            let Some(kind) = self.kind(fp, resumes.or(pc)) else {
                break;
            };
            let is_exit = matches!(
                kind,
                FrameKind::Exit | FrameKind::BuiltinExit | FrameKind::ApiExit
            );
            let pc = pc.or_else(|| is_exit.then(|| self.exit_pc(fp)).flatten());
            out.push(V8Frame {
                fp,
                pc,
                resumes,
                kind,
                found_by,
            });
            next = if kind.is_entry() {
                self.slot(fp, self.cx.layout.frame.entry_c_entry_fp)
                    .filter(|outer| *outer > fp && self.is_exit(*outer))
                    .map(|outer| (outer, None, FoundBy::EntryFrame))
            } else if self.word(fp, 0) == Some(0) && self.on_stack_of_wasm(fp) {
                let inner = out.iter().rev().find(|f| self.on_stack(f.fp));
                inner
                    .and_then(|inner| self.switch_after(inner.fp))
                    .map(|outer| (outer, None, FoundBy::Scan))
            } else {
                self.word(fp, 0)
                    .map(|caller| (caller, self.word(fp, 8), FoundBy::FramePointer))
            };
        }
        out
    }
}

/// Whether objects of this type are JSFunctions (class constructors and V8's own have types of
/// their own since V8 9).
pub fn is_function(kind: InstanceType) -> bool {
    kind.is_js_function()
}

/// The frame of a marker.
fn typed(layout: &Layout, marker: u64) -> Option<FrameKind> {
    let number = i64::try_from(marker >> 1).ok().filter(|n| *n < 256)?;
    let t = &layout.frame_type;
    let table: &[(Constant, FrameKind)] = &[
        (t.entry, FrameKind::Entry),
        (t.construct_entry, FrameKind::ConstructEntry),
        (t.exit, FrameKind::Exit),
        (t.builtin_exit, FrameKind::BuiltinExit),
        (t.api_callback_exit, FrameKind::ApiExit),
        (t.api_accessor_exit, FrameKind::ApiExit),
        (t.api_indexed_accessor_exit, FrameKind::ApiExit),
        (t.api_construct_exit, FrameKind::ApiExit),
        (t.internal, FrameKind::Internal),
        (t.construct, FrameKind::Construct),
        (t.fast_construct, FrameKind::Construct),
        (t.arguments_adaptor, FrameKind::ArgumentsAdaptor),
        (t.stub, FrameKind::Stub),
        (t.turbofan_stub_with_context, FrameKind::Stub),
        (t.builtin, FrameKind::Builtin),
        (t.interpreted, FrameKind::Interpreted),
        (t.baseline, FrameKind::Baseline),
        (t.maglev, FrameKind::Optimized),
        (t.turbofan, FrameKind::Optimized),
        (t.builtin_continuation, FrameKind::BuiltinContinuation),
        (
            t.java_script_builtin_continuation,
            FrameKind::JavaScriptBuiltinContinuation,
        ),
        (
            t.java_script_builtin_continuation_with_catch,
            FrameKind::JavaScriptBuiltinContinuation,
        ),
        (t.native, FrameKind::Native),
        (t.irregexp, FrameKind::Irregexp),
        (t.wasm, FrameKind::Wasm),
        (t.wasm_exit, FrameKind::Wasm),
        (t.wasm_to_js, FrameKind::WasmToJs),
        (t.wasm_debug_break, FrameKind::Wasm),
        (t.wasm_compile_lazy, FrameKind::Wasm),
        (t.js_to_wasm, FrameKind::JsToWasm),
        (t.c_wasm_entry, FrameKind::Wasm),
        (t.stack_switch, FrameKind::JsToWasm),
    ];
    let found = table.iter().find(|(c, _)| c.known() == Some(number));
    Some(found.map_or(FrameKind::Unknown, |(_, kind)| *kind))
}

/// Where a thread is in generated code: its registers, or those of the call that left it for C++.
struct Generated {
    registers: Registers,
    found_by: FoundBy,
}

impl<'a> Walker<'a> {
    /// The frames from the innermost generated code outwards; none where they do not lead on.
    fn frames_of_generated(
        &self,
        target: &dyn Target,
        builtins: &Builtins,
        from: &Generated,
    ) -> Vec<V8Frame> {
        let Generated {
            registers,
            found_by,
        } = *from;
        let innermost = Innermost::new(self, target.architecture(), builtins, registers);
        if let Some(found) = innermost.frameless() {
            let mut frames = vec![V8Frame {
                fp: registers.fp,
                pc: Some(registers.pc),
                resumes: None,
                kind: FrameKind::Frameless,
                found_by,
            }];
            frames.extend(self.walk(found.caller, found.returns_to, FoundBy::FramePointer));
            if frames.len() > 2 {
                return frames;
            }
        }
        let frames = self.walk(registers.fp, Some(registers.pc), found_by);
        if frames.len() > 1 {
            return frames;
        }
        Vec::new()
    }
}

/// V8's frames on a thread's stack, innermost first; none where it runs no JavaScript. `native` are the
/// debugger's.
pub fn thread_frames<'a>(
    cx: Cx<'a>,
    target: &dyn Target,
    program: &Program,
    isolates: Option<&Isolates>,
    thread: &Thread,
    native: &[NativeFrame],
    unwinder: &mut Unwinder,
) -> Result<(Walker<'a>, Vec<V8Frame>)> {
    let registers = thread.registers;
    let regions = target.regions()?;
    let stack = regions
        .iter()
        .find(|r| r.contains(registers.sp))
        .ok_or_else(|| {
            Error::malformed(
                "stack",
                registers.sp,
                "the stack pointer is in no mapping".to_string(),
            )
        })?;
    let slide = program.module.slide;
    let segments = program.file.load_segments().iter();
    let walker = Walker {
        cx,
        stack: registers.sp..stack.end,
        program: segments
            .map(|s| {
                let start = s.address.wrapping_add(slide);
                start..start.saturating_add(s.memory_size)
            })
            .collect(),
        executable: regions
            .iter()
            .filter(|r| r.executable)
            .map(|r| r.start..r.end)
            .collect(),
        codes: CodeFinder::default(),
    };
    // V8 maps the builtins of its file a second time, near its code; a core may leave that out as it
    // is unmodified, and nothing is known of the place then.
    let is_code = |pc: u64| {
        let region = regions.iter().find(|r| r.contains(pc));
        region.is_none_or(|r| r.executable)
    };
    let is_generated =
        |unwinder: &mut Unwinder, pc| pc >= LOWEST_CODE && is_code(pc) && unwinder.is_generated(pc);
    let builtins = || Builtins::find(target, program, isolates);
    let is_whole = |frames: &[V8Frame]| frames.iter().any(|f| f.kind.is_entry());
    // What does not lead to an entry frame counts where there is nothing else.
    let mut broken = Vec::new();
    // In JavaScript at this moment: the registers are those of its innermost frame.
    if is_generated(unwinder, registers.pc) {
        let here = Generated {
            registers,
            found_by: FoundBy::Registers,
        };
        let frames = walker.frames_of_generated(target, &builtins(), &here);
        if is_whole(&frames) {
            return Ok((walker, frames));
        }
        broken = frames;
    }
    let from_isolate = isolates
        .into_iter()
        .flat_map(|i| i.isolates.iter())
        .find_map(|i| i.exit_frame(target, cx.layout, thread).ok().flatten());
    // C++ that was called without an exit frame: the isolate's is of an outer stay in JavaScript then.
    let called_by = unwinder.generated_caller(registers).or_else(|| {
        let mut of_debugger = native.iter();
        let n = of_debugger.find(|n| is_generated(unwinder, n.pc))?;
        Some(Registers {
            pc: n.pc,
            sp: n.sp,
            fp: n.fp,
            ..registers
        })
        .filter(|_| from_isolate.is_none())
    });
    let is_inner = |r: &Registers| walker.on_stack(r.fp) && from_isolate.is_none_or(|e| r.fp < e);
    if let Some(registers) = called_by.filter(is_inner) {
        let there = Generated {
            registers,
            found_by: FoundBy::UnwindTables,
        };
        let frames = match walker.is_exit(registers.fp) {
            true => walker.walk(registers.fp, Some(registers.pc), FoundBy::UnwindTables),
            false => walker.frames_of_generated(target, &builtins(), &there),
        };
        if is_whole(&frames) {
            return Ok((walker, frames));
        }
        if broken.is_empty() {
            broken = frames;
        }
    }
    // What looks like a frame then is left over from before.
    let outside = || {
        isolates
            .into_iter()
            .flat_map(|i| i.isolates.iter())
            .filter(|i| i.runner == Some(thread.index))
            .any(|i| i.is_outside_javascript(target, cx.layout, thread))
    };
    let frames = match from_isolate {
        Some(fp) => walker.walk(fp, None, FoundBy::Isolate),
        None if !broken.is_empty() => broken,
        None if outside() => Vec::new(),
        None => match walker.scan(|pc| pc >= LOWEST_CODE && is_code(pc)) {
            Some(fp) => walker.walk(fp, None, FoundBy::Scan),
            None => Vec::new(),
        },
    };
    Ok((walker, frames))
}
