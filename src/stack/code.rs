//! The Code object of a pc, and bytecode: what maps an offset in them to a source position.

use super::baseline::{bytecode_offset, BytecodeSizes};
use super::source_positions::{Encoding, SourcePosition, SourcePositionTable};
use crate::error::{Error, Result};
use crate::heap::forwarding::forwarding_address;
use crate::metadata::{Constant, InstanceType};
use crate::object::{Cx, FixedArray, HeapObject};
use std::cell::RefCell;
use std::ops::Range;

/// Largest table read: far above what V8 makes for the largest function it compiles.
const MAX_TABLE: usize = 64 << 20;
/// How far before a pc the start of its code object is looked for.
const MAX_CODE: u64 = 16 << 20;
/// Inlining goes this deep at most (V8's own limits are far lower).
const MAX_INLINED: usize = 256;

/// Machine code, with its tables.
#[derive(Debug, Clone, Copy)]
pub struct Code<'a> {
    /// The object that has the tables.
    pub object: HeapObject<'a>,
    /// Address of the first instruction.
    pub start: u64,
    /// Length of the instructions in bytes.
    pub size: u64,
}

/// A step of a chain of inlined calls: where, in which function.
#[derive(Debug, Clone, Copy)]
pub struct InlinedPosition<'a> {
    pub script_offset: i64,
    /// The function inlined (its SharedFunctionInfo); `None` for the code's own function.
    pub shared: Option<HeapObject<'a>>,
}

/// Finds the code objects of return addresses, keeping what it has seen.
#[derive(Default)]
pub struct CodeFinder<'a> {
    found: RefCell<Vec<Code<'a>>>,
    /// Ranges known to hold no code object's start (V8's builtins, mostly).
    barren: RefCell<Vec<Range<u64>>>,
}

impl<'a> CodeFinder<'a> {
    /// The Code whose instructions hold `pc` (a return address: it may be the first byte after
    /// them), looked for backwards from it. Builtins in the program's own file have none.
    pub fn at(&self, cx: Cx<'a>, pc: u64) -> Option<Code<'a>> {
        let holds = |code: &Code| code.start < pc && pc - code.start <= code.size;
        if let Some(code) = self.found.borrow().iter().find(|c| holds(c)) {
            return Some(*code);
        }
        let (code, reached) = self.search(cx, pc);
        match code {
            Some(code) if holds(&code) => {
                self.found.borrow_mut().push(code);
                return Some(code);
            }
            // From the end of the code before it there is none.
            Some(code) => {
                let end = code.start.saturating_add(code.size).saturating_add(1);
                self.barren.borrow_mut().push(end.min(pc)..pc);
            }
            None => self.barren.borrow_mut().push(reached..pc),
        }
        None
    }

    /// The nearest code object before `pc`, and how far back there is none.
    fn search(&self, cx: Cx<'a>, pc: u64) -> (Option<Code<'a>>, u64) {
        // Guard pages lie between: what cannot be read in one go is read by pages.
        const CHUNK: u64 = 1 << 14;
        const PAGE: u64 = 1 << 12;
        let mut step = CHUNK;
        let separate = cx.layout.instruction_stream.code.known().is_some();
        let wanted = if separate {
            InstanceType::InstructionStream
        } else {
            InstanceType::Code
        };
        let mut map = None;
        let mut end = pc & !7;
        let lowest = pc.saturating_sub(MAX_CODE);
        let mut buffer = vec![0; CHUNK as usize];
        while end > lowest {
            let barren = self.barren.borrow();
            if let Some(range) = barren.iter().find(|r| r.start < end && end <= r.end) {
                return (None, range.start);
            }
            drop(barren);
            let start = (end - 1) & !(step - 1);
            let chunk = &mut buffer[..(end - start) as usize];
            if cx.memory.read(start, chunk).is_err() {
                if step == PAGE {
                    break;
                }
                step = PAGE;
                continue;
            }
            for (i, word) in chunk.chunks_exact(8).enumerate().rev() {
                let mut word = u64::from_le_bytes(word.try_into().unwrap_or_default());
                let here = HeapObject::new(cx, start + 8 * i as u64);
                let mut object = here;
                // A collection moved the code; the instructions that were to run on are still here.
                if forwarding_address(word).is_some_and(|to| to >> 47 == 0 && to >= 0x10000) {
                    object.address = cx.memory.moved_to(here.address);
                    if object.address != here.address {
                        word = cx.memory.u64(object.address).unwrap_or(0);
                    }
                }
                // A pointer to a heap object in user space: rare in machine code.
                if word & 7 != 1 || word >> 47 != 0 || word < 0x10000 {
                    continue;
                }
                if map != Some(word) {
                    if object.instance_type().ok() != Some(wanted) {
                        continue;
                    }
                    map = Some(word);
                }
                if let Ok(code) = Code::of(object, here, separate) {
                    return (Some(code), code.start);
                }
            }
            end = start;
        }
        (None, end)
    }
}

/// The bytes of a ByteArray (or TrustedByteArray).
pub fn byte_array(array: HeapObject<'_>) -> Result<Vec<u8>> {
    let layout = array.cx.layout;
    let length = usize::try_from(array.smi_field(layout.byte_array.length)?)
        .map_err(|_| Error::malformed("ByteArray", array.address, "negative length"))?;
    let data = array.slot(layout.byte_array.data.offset()?)?;
    array.cx.memory.bytes(data, length, MAX_TABLE)
}

/// A source position table in a field: `None` where V8 has not made one.
fn table_in(object: HeapObject<'_>, field: Constant) -> Result<Option<Vec<u8>>> {
    let cx = object.cx;
    let value = object.field(field)?;
    let Ok(mut table) = cx.object(value) else {
        return Ok(None);
    };
    let mut kind = table.instance_type()?;
    if kind == InstanceType::SourcePositionTableWithFrameCache {
        let inner = cx.layout.source_position_table_with_frame_cache.table;
        table = table.object_field(inner)?;
        kind = table.instance_type()?;
    }
    match kind {
        InstanceType::ByteArray | InstanceType::TrustedByteArray => byte_array(table).map(Some),
        InstanceType::Oddball | InstanceType::Hole => Ok(None),
        other => Err(Error::WrongType {
            address: table.address,
            expected: "a source position table",
            found: other.name().to_string(),
        }),
    }
}

/// A BytecodeArray.
#[derive(Debug, Clone, Copy)]
pub struct BytecodeArray<'a>(pub HeapObject<'a>);

impl<'a> BytecodeArray<'a> {
    /// Checked to be one.
    pub fn new(object: HeapObject<'a>) -> Result<BytecodeArray<'a>> {
        match object.instance_type()? {
            InstanceType::BytecodeArray => Ok(BytecodeArray(object)),
            other => Err(Error::WrongType {
                address: object.address,
                expected: "a BytecodeArray",
                found: other.name().to_string(),
            }),
        }
    }

    /// Offset of the first bytecode from the tagged pointer: what frames count from.
    pub fn first_offset(self) -> Result<i64> {
        Ok(self.0.cx.layout.bytecode_array.data.get()? - 1)
    }

    /// The bytecodes.
    pub fn bytes(self) -> Result<Vec<u8>> {
        let layout = &self.0.cx.layout.bytecode_array;
        let length = usize::try_from(self.0.smi_field(layout.length)?)
            .map_err(|_| Error::malformed("BytecodeArray", self.0.address, "negative length"))?;
        let data = self.0.slot(layout.data.offset()?)?;
        self.0.cx.memory.bytes(data, length, MAX_TABLE)
    }

    /// Position in the script at an offset from the first bytecode.
    pub fn position(self, offset: i64) -> Result<i64> {
        let layout = self.0.cx.layout;
        let table = table_in(self.0, layout.bytecode_array.source_position_table)?;
        let bytes = table.ok_or_else(|| {
            Error::malformed(
                "BytecodeArray",
                self.0.address,
                "V8 has not made its source positions",
            )
        })?;
        let table = SourcePositionTable::new(&bytes, Encoding::of(layout)?);
        if let Some(found) = table.position_at(offset)? {
            return Ok(found.script_offset);
        }
        layout
            .bytecode_array
            .position_of_none
            .known()
            .ok_or_else(|| {
                Error::malformed(
                    "BytecodeArray",
                    self.0.address,
                    format!("no source position at offset {offset}"),
                )
            })
    }

    /// The same for the baseline code that was made of it, at a return address so far from the
    /// code's first instruction.
    pub fn position_in_baseline(
        self,
        code: HeapObject,
        pc_offset: u64,
        sizes: &BytecodeSizes,
    ) -> Result<i64> {
        let table = table_in(code, code.cx.layout.code.source_position_table)?;
        let table = table
            .ok_or_else(|| Error::malformed("Code", code.address, "it has no bytecode offsets"))?;
        self.position(bytecode_offset(&table, &self.bytes()?, sizes, pc_offset)?)
    }
}

impl<'a> Code<'a> {
    /// From the object that has the instructions, and where those are that run.
    fn of(stream: HeapObject<'a>, here: HeapObject<'a>, separate: bool) -> Result<Code<'a>> {
        let layout = stream.cx.layout;
        let (object, start) = if separate {
            (
                stream.object_field(layout.instruction_stream.code)?,
                layout.instruction_stream.instruction_start,
            )
        } else {
            (stream, layout.code.instruction_start)
        };
        if object.instance_type()? != InstanceType::Code {
            return Err(Error::malformed(
                "code",
                stream.address,
                "its Code is no Code",
            ));
        }
        Ok(Code {
            object,
            start: here.slot(start.offset()?)?,
            size: u64::from(object.u32_field(layout.code.instruction_size)?),
        })
    }

    /// Whether it is of Maglev or Turbofan: only their code can be deoptimized.
    pub fn is_optimized(&self) -> bool {
        let layout = self.object.cx.layout;
        let length = self
            .object
            .object_field(layout.code.deoptimization_data)
            .and_then(|o| match o.instance_type()? {
                InstanceType::BytecodeArray | InstanceType::InterpreterData => Ok(0),
                _ => FixedArray(o).len(),
            });
        let needed = layout.deoptimization_data.inlining_positions_index;
        matches!((length, needed.offset()), (Ok(length), Ok(needed)) if length > needed)
    }

    /// Whether it is of a regular expression. `false` for V8s whose frames say so themselves.
    pub fn is_of_regexp(&self) -> bool {
        let layout = self.object.cx.layout;
        let wanted = layout.code_kind.regexp.known();
        wanted.is_some() && self.kind().ok() == wanted
    }

    /// V8's number of its kind.
    pub fn kind(&self) -> Result<i64> {
        let layout = &self.object.cx.layout.code;
        let flags = i64::from(self.object.u32_field(layout.flags)?);
        let shift = layout.kind_shift.get()?.clamp(0, 31);
        Ok((flags & layout.kind_mask.get()?) >> shift)
    }

    /// Offset of a pc from the first instruction.
    pub fn offset(&self, pc: u64) -> u64 {
        pc.wrapping_sub(self.start)
    }

    /// The table in the Code: of source positions, for baseline code of bytecode offsets.
    pub fn position_table(&self) -> Result<Option<Vec<u8>>> {
        table_in(
            self.object,
            self.object.cx.layout.code.source_position_table,
        )
    }

    /// Position of the call that returns to `pc`, from the innermost inlined function to the
    /// code's own.
    pub fn positions(&self, pc: u64) -> Result<Vec<InlinedPosition<'a>>> {
        let layout = self.object.cx.layout;
        let broken = |why: &str| Error::malformed("Code", self.object.address, why.to_string());
        let bytes = self
            .position_table()?
            .ok_or_else(|| broken("it has no source positions"))?;
        let table = SourcePositionTable::new(&bytes, Encoding::of(layout)?);
        let mut at = table
            .position_at(self.offset(pc) as i64 - 1)?
            .ok_or_else(|| broken("no source position at this pc"))?;
        let mut out = Vec::new();
        while at.inlining_id >= 0 {
            if out.len() == MAX_INLINED {
                return Err(broken("inlined without end"));
            }
            let (call, function) = self.inlining(at.inlining_id)?;
            out.push(InlinedPosition {
                script_offset: at.script_offset,
                shared: function,
            });
            at = call;
        }
        out.push(InlinedPosition {
            script_offset: at.script_offset,
            shared: None,
        });
        Ok(out)
    }

    /// Where a function was inlined, and which.
    fn inlining(&self, id: i64) -> Result<(SourcePosition, Option<HeapObject<'a>>)> {
        let cx = self.object.cx;
        let layout = cx.layout;
        let broken = |why: &str| Error::malformed("Code", self.object.address, why.to_string());
        let data = FixedArray(self.object.object_field(layout.code.deoptimization_data)?);
        let indexes = &layout.deoptimization_data;
        let slot = |index: Constant| cx.object(data.get(index.offset()?)?);
        let positions = byte_array(slot(indexes.inlining_positions_index)?)?;
        // struct InliningPosition: the packed position, then the index of a literal.
        let entry = usize::try_from(id)
            .ok()
            .and_then(|id| positions.chunks_exact(16).nth(id))
            .ok_or_else(|| broken("no such inlining"))?;
        let word = |at: usize| {
            let bytes: Option<[u8; 8]> = entry.get(at..at + 8).and_then(|b| b.try_into().ok());
            bytes.map_or(0, i64::from_le_bytes)
        };
        let call = SourcePosition::unpack(word(0)).ok_or_else(|| broken("inlined from C++"))?;
        let literal = i64::from(word(8) as i32);
        let function = match u64::try_from(literal) {
            Ok(index) => Some(self.literal(slot(indexes.literals_index)?, index)?),
            Err(_) => None,
        };
        Ok((call, function))
    }

    /// A function among the literals; V8 12 on may wrap it.
    fn literal(&self, literals: HeapObject<'a>, index: u64) -> Result<HeapObject<'a>> {
        let value = FixedArray(literals).get(index)?;
        let object = self.object.cx.object(value)?;
        if object.instance_type()? == InstanceType::SharedFunctionInfoWrapper {
            return object.object_field(object.cx.layout.shared_function_info_wrapper.shared);
        }
        Ok(object)
    }
}
