//! The frames that one frame of optimized code stands for.

use super::data::{DeoptimizationData, Tier};
use super::reader::{Instruction, Reader};
use super::value::{Captured, Value};
use crate::error::Result;
use crate::metadata::translation::Opcode;
use crate::object::{HeapObject, SharedFunctionInfo, Tagged};
use crate::stack::{bytecode_of, BytecodeArray, Code};
use std::rc::Rc;

/// Frames and values of one translation at most.
const MAX_FRAMES: usize = 1024;
const MAX_VALUES: usize = 1 << 20;
/// Captured objects within captured objects at most.
const MAX_DEPTH: usize = 64;

/// What a translated frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TranslatedKind {
    Interpreted,
    JavaScriptBuiltinContinuation,
    /// The next frame was called by `new`.
    ConstructStub,
    /// All arguments of the next frame.
    ExtraArguments,
    WasmInlined,
    /// Not seen by JavaScript.
    Other,
}

/// A frame of a translation.
#[derive(Debug, Clone)]
pub struct TranslatedFrame<'a> {
    pub kind: TranslatedKind,
    /// Of bytecode: from the first one.
    pub bytecode_offset: i64,
    pub shared: Result<HeapObject<'a>>,
    /// Where the translation names it (V8 13 on).
    pub bytecode_array: Option<HeapObject<'a>>,
    /// For bytecode: function, receiver, parameters, context, registers, accumulator.
    pub values: Vec<Value>,
}

/// Reads frames to the end of the translation.
pub(super) fn read<'a>(
    data: &DeoptimizationData<'a>,
    reader: &mut Reader<'_>,
    fp: u64,
) -> Result<Vec<TranslatedFrame<'a>>> {
    let mut frames: Vec<TranslatedFrame<'a>> = Vec::new();
    let mut objects = Objects::default();
    while let Some(instruction) = reader.next()? {
        let kind = match instruction.opcode {
            Opcode::Begin => break,
            Opcode::UpdateFeedback => continue,
            Opcode::InterpretedFrame => Some(TranslatedKind::Interpreted),
            Opcode::JavaScriptBuiltinContinuation => {
                Some(TranslatedKind::JavaScriptBuiltinContinuation)
            }
            Opcode::ConstructStub => Some(TranslatedKind::ConstructStub),
            Opcode::ExtraArguments => Some(TranslatedKind::ExtraArguments),
            Opcode::WasmInlined => Some(TranslatedKind::WasmInlined),
            Opcode::BuiltinContinuation | Opcode::Liftoff => Some(TranslatedKind::Other),
            _ => None,
        };
        match kind {
            Some(_) if frames.len() == MAX_FRAMES => {
                return Err(data.broken("a translation has too many frames"))
            }
            Some(kind) => frames.push(TranslatedFrame {
                kind,
                bytecode_offset: instruction.offset,
                shared: data.shared(instruction.function),
                bytecode_array: match instruction.bytecode_array {
                    Some(index) => Some(data.cx().object(data.protected_literal(index)?)?),
                    None => None,
                },
                values: Vec::new(),
            }),
            None => {
                let value = objects.value(data, reader, &instruction, fp, 0)?;
                let frame = frames
                    .last_mut()
                    .ok_or_else(|| data.broken("a translation has a value before any frame"))?;
                frame.values.push(value);
            }
        }
    }
    for value in frames.iter_mut().flat_map(|f| &mut f.values) {
        objects.resolve(value);
    }
    Ok(frames)
}

/// The objects of a translation by their numbers.
#[derive(Default)]
struct Objects {
    /// `None` for what is no captured object, or not yet read to its end.
    list: Vec<Option<Rc<Captured>>>,
    /// The first number of the same object: one that refers to an object gives it another number.
    first: Vec<u64>,
    /// Values read.
    count: usize,
}

impl Objects {
    /// The value of an instruction, with those that belong to it.
    fn value(
        &mut self,
        data: &DeoptimizationData<'_>,
        reader: &mut Reader<'_>,
        instruction: &Instruction,
        fp: u64,
        depth: usize,
    ) -> Result<Value> {
        self.count += 1;
        let children = Value::children(instruction)?;
        if self.count > MAX_VALUES || children > MAX_VALUES || depth > MAX_DEPTH {
            return Err(data.broken("a translation has too many values"));
        }
        let number = self.list.len();
        match instruction.opcode {
            Opcode::DuplicatedObject => {
                let same = usize::try_from(instruction.value).ok();
                let same = same.and_then(|at| self.first.get(at)).copied();
                let same = same.ok_or_else(|| data.broken("an object comes before its making"))?;
                self.list.push(None);
                self.first.push(same);
                return Ok(Value::Duplicated(same));
            }
            Opcode::CapturedObject | Opcode::ArgumentsElements | Opcode::StringConcat => {
                self.list.push(None);
                self.first.push(number as u64);
            }
            _ => {}
        }
        let mut words = Vec::new();
        for _ in 0..children {
            let next = reader
                .next()?
                .ok_or_else(|| data.broken("a translation ends in an object"))?;
            words.push(self.value(data, reader, &next, fp, depth + 1)?);
        }
        Ok(match instruction.opcode {
            Opcode::CapturedObject => {
                let object = Rc::new(Captured {
                    number: number as u64,
                    words,
                });
                if let Some(place) = self.list.get_mut(number) {
                    *place = Some(object.clone());
                }
                Value::Captured(object)
            }
            Opcode::StringConcat => Value::StringConcat(words),
            _ => Value::of(data, instruction, fp),
        })
    }

    /// Puts an object in the place of its number.
    fn resolve(&self, value: &mut Value) {
        let Value::Duplicated(number) = value else {
            return;
        };
        let found = usize::try_from(*number).ok().and_then(|n| self.list.get(n));
        if let Some(object) = found.cloned().flatten() {
            *value = Value::Captured(object);
        }
    }
}

/// A frame that JavaScript sees.
#[derive(Debug, Clone)]
pub struct InlinedFrame<'a> {
    pub shared: HeapObject<'a>,
    /// The closure, where there is one.
    pub function: Option<HeapObject<'a>>,
    /// Character offset in the script of the call being made; `None` for a builtin.
    pub script_offset: Option<Result<i64>>,
    /// Called by `new`; the outermost frame does not know.
    pub is_constructor: bool,
    pub receiver: Value,
    /// Those passed where they are not as many as declared; else the parameters are in `values`.
    pub extra_arguments: Option<Vec<Value>>,
    pub translated: TranslatedFrame<'a>,
}

/// What a frame of optimized code stands for.
#[derive(Debug, Clone)]
pub struct OptimizedFrame<'a> {
    pub tier: Tier,
    /// The functions in it, outermost first; one at least.
    pub frames: Vec<InlinedFrame<'a>>,
    /// The call being made is a `new`, without a frame of its own (V8 13 on).
    pub calls_constructor: bool,
}

/// The functions in the optimized frame at `fp` that goes on at `pc`; `None` where V8 keeps
/// nothing for this pc (it is no return address, or of the function's entry).
pub fn optimized_frame<'a>(
    code: &Code<'a>,
    pc: u64,
    fp: u64,
) -> Result<Option<OptimizedFrame<'a>>> {
    let tier = super::data::tier(code)?;
    let data = DeoptimizationData::of(code)?;
    let Some(entry) = data.entry(pc)? else {
        return Ok(None);
    };
    let mut out: Vec<InlinedFrame<'a>> = Vec::new();
    let mut is_constructor = false;
    let mut extra = None;
    for frame in data.frames(entry, fp)? {
        match frame.kind {
            TranslatedKind::ConstructStub => is_constructor = true,
            TranslatedKind::ExtraArguments => {
                extra = Some(frame.values.get(2..).unwrap_or(&[]).to_vec());
            }
            TranslatedKind::Interpreted | TranslatedKind::JavaScriptBuiltinContinuation => {
                let shared = frame.shared.clone()?;
                let script_offset =
                    (frame.kind == TranslatedKind::Interpreted).then(|| position(&frame, shared));
                let function = match frame.values.first() {
                    Some(Value::Tagged(value)) => closure(code, *value),
                    _ => None,
                };
                out.push(InlinedFrame {
                    shared,
                    function,
                    script_offset,
                    is_constructor: std::mem::take(&mut is_constructor),
                    receiver: frame.values.get(1).cloned().unwrap_or(Value::OptimizedOut),
                    extra_arguments: extra.take(),
                    translated: frame,
                });
            }
            TranslatedKind::WasmInlined | TranslatedKind::Other => extra = None,
        }
    }
    if out.is_empty() {
        return Err(data.broken("a translation has no frames"));
    }
    Ok(Some(OptimizedFrame {
        tier,
        frames: out,
        calls_constructor: is_constructor,
    }))
}

fn closure<'a>(code: &Code<'a>, value: Tagged) -> Option<HeapObject<'a>> {
    let object = code.object.cx.object(value).ok()?;
    object
        .instance_type()
        .ok()?
        .is_js_function()
        .then_some(object)
}

fn position(frame: &TranslatedFrame<'_>, shared: HeapObject<'_>) -> Result<i64> {
    let bytecode = match frame.bytecode_array {
        Some(array) => BytecodeArray::new(array)?,
        None => bytecode_of(SharedFunctionInfo(shared))?,
    };
    bytecode.position(frame.bytecode_offset)
}
