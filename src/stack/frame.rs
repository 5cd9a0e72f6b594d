//! What a JavaScript frame holds: function, receiver, arguments, and where in the source it is.

use super::baseline::BytecodeSizes;
use super::code::{BytecodeArray, InlinedPosition};
use super::walk::{FoundBy, FrameKind, V8Frame, Walker};
use crate::deopt::Value;
use crate::error::{Error, Result};
use crate::object::{HeapObject, JSFunction, SharedFunctionInfo, Tagged};

/// Arguments read of one frame at most.
pub const MAX_ARGUMENTS: u64 = 4096;

/// A frame of a JavaScript function.
#[derive(Debug, Clone)]
pub struct JsFrame<'a> {
    pub function: HeapObject<'a>,
    pub receiver: Result<Tagged>,
    /// Those actually passed, in order; at most [`MAX_ARGUMENTS`].
    pub arguments: Result<Vec<Tagged>>,
    /// How many were passed.
    pub argument_count: u64,
    /// Called by `new`.
    pub is_constructor: bool,
    /// Where in the script the call being made is, from the innermost function inlined here to
    /// the frame's own; empty for builtins, which have no source.
    pub positions: Result<Vec<InlinedPosition<'a>>>,
}

/// The arguments of a call, wherever they lie.
struct Arguments {
    receiver: u64,
    /// Address of the first, and the step to the next.
    first: u64,
    step: i64,
    count: u64,
}

impl<'a> Walker<'a> {
    fn read(&self, fp: u64, offset: i64) -> Result<u64> {
        let at = fp
            .checked_add_signed(offset)
            .ok_or_else(|| Error::malformed("frame", fp, "offset overflows".to_string()))?;
        self.cx.memory.u64(at)
    }

    /// The JavaScript function whose frame this is; `None` for a frame of no function. `caller`
    /// is the next frame outwards.
    pub fn js_frame(
        &self,
        frame: &V8Frame,
        caller: Option<&V8Frame>,
        beyond: Option<&V8Frame>,
        sizes: &dyn Fn() -> Result<BytecodeSizes>,
    ) -> Result<Option<JsFrame<'a>>> {
        let layout = &self.cx.layout.frame;
        let function_slot = match frame.kind {
            FrameKind::Builtin
            | FrameKind::Interpreted
            | FrameKind::Baseline
            | FrameKind::Optimized => layout.function,
            FrameKind::JavaScriptBuiltinContinuation => layout.continuation_function,
            FrameKind::BuiltinExit => layout.builtin_exit_target,
            FrameKind::ApiExit => layout.api_callback_exit_target,
            _ => return Ok(None),
        };
        let word = self.read(frame.fp, function_slot.get()?)?;
        let function = self.cx.object(Tagged(word))?;
        if !function.instance_type()?.is_js_function() {
            return Ok(None);
        }
        let mut out = JsFrame {
            function,
            receiver: Err(Error::other("not known")),
            arguments: Ok(Vec::new()),
            argument_count: 0,
            is_constructor: false,
            positions: Ok(Vec::new()),
        };
        let arguments = match frame.kind {
            FrameKind::BuiltinExit => {
                let new_target = self.read(frame.fp, layout.builtin_exit_new_target.get()?)?;
                out.is_constructor = self.is_receiver(Tagged(new_target));
                self.builtin_exit_arguments(frame.fp)
            }
            FrameKind::ApiExit => {
                let receiver = layout.api_callback_exit_receiver.get()?;
                let receiver = frame.fp.wrapping_add_signed(receiver);
                Ok(Arguments {
                    receiver,
                    first: receiver.wrapping_add(8),
                    step: 8,
                    count: 0,
                })
            }
            _ => {
                let adaptor = caller.filter(|c| c.kind == FrameKind::ArgumentsAdaptor);
                let outer = if adaptor.is_some() { beyond } else { caller };
                out.is_constructor = outer.is_some_and(|c| c.kind == FrameKind::Construct);
                match adaptor {
                    _ if frame.kind == FrameKind::JavaScriptBuiltinContinuation => {
                        self.continuation_arguments(frame.fp)
                    }
                    Some(adaptor) => self.adapted_arguments(adaptor.fp),
                    None => self.arguments(frame, function),
                }
            }
        };
        match arguments {
            Ok(a) => {
                out.receiver = self.cx.tagged(a.receiver);
                out.argument_count = a.count;
                out.arguments = (0..a.count.min(MAX_ARGUMENTS))
                    .map(|i| {
                        let offset = a.step.wrapping_mul(i as i64);
                        self.cx.tagged(a.first.wrapping_add_signed(offset))
                    })
                    .collect();
            }
            Err(error) => {
                out.receiver = Err(error.clone());
                out.arguments = Err(error);
            }
        }
        out.positions = self.positions(frame, sizes);
        Ok(Some(out))
    }

    fn is_receiver(&self, value: Tagged) -> bool {
        let types = &self.cx.layout.types;
        self.cx
            .object(value)
            .and_then(HeapObject::instance_type_number)
            .is_ok_and(|n| types.is_js_receiver(n))
    }

    /// Arguments above a frame: `count` of them and the receiver, from `base` on.
    fn above(&self, base: u64, count: u64) -> Result<Arguments> {
        if base.saturating_add(count.saturating_mul(8)) >= self.stack.end {
            return Err(Error::malformed(
                "frame",
                base,
                format!("{count} arguments do not fit on the stack"),
            ));
        }
        Ok(
            if self.cx.layout.frame.arguments_reversed.known() == Some(1) {
                Arguments {
                    receiver: base,
                    first: base.saturating_add(8),
                    step: 8,
                    count,
                }
            } else {
                Arguments {
                    receiver: base + 8 * count,
                    first: (base + 8 * count).saturating_sub(8),
                    step: -8,
                    count,
                }
            },
        )
    }

    /// Of a standard frame. Before V8 9 as many as the function declares are there, the callee's
    /// adaptor frame having seen to that; a builtin's frame counts them.
    fn arguments(&self, frame: &V8Frame, function: HeapObject<'a>) -> Result<Arguments> {
        let layout = &self.cx.layout.frame;
        let base = frame.fp.wrapping_add_signed(layout.args.get()?);
        let count = if let Some(offset) = layout.argc.known() {
            let receiver = layout.argc_has_receiver.offset()?;
            self.read(frame.fp, offset)?.saturating_sub(receiver)
        } else if frame.kind == FrameKind::Builtin {
            self.read(frame.fp, layout.builtin_argc.get()?)?
        } else {
            let shared = JSFunction(function).shared()?;
            shared.formal_parameter_count()?.unwrap_or(0)
        };
        self.above(base, count)
    }

    fn adapted_arguments(&self, fp: u64) -> Result<Arguments> {
        let layout = &self.cx.layout.frame;
        let length = Tagged(self.read(fp, layout.adaptor_length.get()?)?);
        let count = self.cx.smi(length).and_then(|n| u64::try_from(n).ok());
        let count = count.ok_or_else(|| {
            Error::malformed("adaptor frame", fp, "its length is no Smi".to_string())
        })?;
        self.above(fp.wrapping_add_signed(layout.args.get()?), count)
    }

    /// The registers of a frame of bytecode, whether it is interpreted or baseline code runs it.
    pub fn registers(&self, fp: u64) -> Result<Vec<Value>> {
        let layout = self.cx.layout;
        let word = self.read(fp, layout.frame.bytecode_array.get()?)?;
        let array = BytecodeArray::new(self.cx.object(Tagged(word))?)?;
        let size = u64::from(array.0.u32_field(layout.bytecode_array.register_size)?);
        let first = fp.wrapping_add_signed(layout.frame.register_file.get()?);
        let count = (size / 8).min(MAX_ARGUMENTS);
        if first.saturating_sub(8 * count) < self.stack.start {
            return Err(Error::malformed(
                "frame",
                fp,
                format!("{count} registers do not fit on the stack"),
            ));
        }
        Ok((0..count)
            .map(|i| Value::from(self.cx.tagged(first.wrapping_sub(8 * i))))
            .collect())
    }

    /// Where the declared parameters are: where they were passed, or copied to by an adaptor.
    fn declared(&self, fp: u64, shared: SharedFunctionInfo) -> Result<Arguments> {
        let count = shared.formal_parameter_count()?.unwrap_or(0);
        let base = fp.wrapping_add_signed(self.cx.layout.frame.args.get()?);
        self.above(base, count.min(MAX_ARGUMENTS))
    }

    /// What `this` is now.
    pub fn receiver(&self, fp: u64, shared: SharedFunctionInfo) -> Result<Tagged> {
        self.cx.tagged(self.declared(fp, shared)?.receiver)
    }

    /// What the declared parameters hold now.
    pub fn parameters(&self, fp: u64, shared: SharedFunctionInfo) -> Result<Vec<Value>> {
        let a = self.declared(fp, shared)?;
        Ok((0..a.count)
            .map(|i| {
                let offset = a.step.wrapping_mul(i as i64);
                Value::from(self.cx.tagged(a.first.wrapping_add_signed(offset)))
            })
            .collect())
    }

    fn continuation_arguments(&self, fp: u64) -> Result<Arguments> {
        let layout = &self.cx.layout.frame;
        let argc = Tagged(self.read(fp, layout.continuation_argc.get()?)?);
        let receiver = layout.argc_has_receiver.known().unwrap_or(0);
        let count = self
            .cx
            .smi(argc)
            .and_then(|n| u64::try_from(n - receiver).ok())
            .ok_or_else(|| {
                Error::malformed(
                    "continuation frame",
                    fp,
                    "its argument count is broken".to_string(),
                )
            })?;
        self.above(fp.wrapping_add_signed(layout.args.get()?), count)
    }

    fn builtin_exit_arguments(&self, fp: u64) -> Result<Arguments> {
        let layout = &self.cx.layout.frame;
        let argc = Tagged(self.read(fp, layout.builtin_exit_argc.get()?)?);
        let extra = layout.builtin_exit_extra.get()? + 1;
        let count = self
            .cx
            .smi(argc)
            .and_then(|n| u64::try_from(n - extra).ok())
            .ok_or_else(|| {
                Error::malformed("exit frame", fp, "its argument count is broken".to_string())
            })?;
        self.above(
            fp.wrapping_add_signed(layout.builtin_exit_receiver.get()?),
            count,
        )
    }

    /// Position of the call that a frame of bytecode or compiled code is making.
    fn positions(
        &self,
        frame: &V8Frame,
        sizes: &dyn Fn() -> Result<BytecodeSizes>,
    ) -> Result<Vec<InlinedPosition<'a>>> {
        let layout = &self.cx.layout.frame;
        let bytecode = || {
            let word = self.read(frame.fp, layout.bytecode_array.get()?)?;
            BytecodeArray::new(self.cx.object(Tagged(word))?)
        };
        // A return address belongs to the call before it; the pc of the registers to itself.
        let itself = u64::from(frame.found_by == FoundBy::Registers);
        let own_pc = || frame.pc.map(|pc| pc.saturating_add(itself));
        let pc = || {
            frame
                .resumes
                .or_else(own_pc)
                .ok_or_else(|| Error::malformed("frame", frame.fp, "its pc is not known"))
        };
        let code = |pc| {
            let found = self.code(pc);
            found.ok_or_else(|| Error::malformed("code", pc, "it is in no code object"))
        };
        let own = |script_offset| {
            vec![InlinedPosition {
                script_offset,
                shared: None,
            }]
        };
        match frame.kind {
            FrameKind::Interpreted => {
                let array = bytecode()?;
                let word = Tagged(self.read(frame.fp, layout.bytecode_offset.get()?)?);
                let offset = self.cx.smi(word).ok_or_else(|| {
                    Error::malformed("frame", frame.fp, "its bytecode offset is no Smi")
                })?;
                array.position(offset - array.first_offset()?).map(own)
            }
            FrameKind::Baseline => {
                let array = bytecode()?;
                let pc = pc()?;
                let code = code(pc)?;
                array
                    .position_in_baseline(code.object, code.offset(pc), &sizes()?)
                    .map(own)
            }
            FrameKind::Optimized => {
                let pc = pc()?;
                code(pc)?.positions(pc)
            }
            _ => Ok(Vec::new()),
        }
    }
}
