//! A value of a frame that V8 optimized away.

use super::data::DeoptimizationData;
use super::reader::Instruction;
use crate::error::{Error, Result};
use crate::metadata::translation::Opcode;
use crate::object::Tagged;
use std::rc::Rc;

/// A value as the deoptimizer would find it.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Tagged(Tagged),
    /// A number kept untagged.
    Number(f64),
    Int64(i64),
    /// BigInts that fit a word.
    BigInt(i64),
    UnsignedBigInt(u64),
    Bool(bool),
    Undefined,
    /// The compiler saw that nobody needs it.
    OptimizedOut,
    /// It was in a register at the time.
    InRegister,
    /// An object that was never made.
    Captured(Rc<Captured>),
    /// An object of the same translation, by its number; [`Value::Captured`] where that is known.
    Duplicated(u64),
    /// Of the arguments object or the rest parameter.
    Arguments,
    StringConcat(Vec<Value>),
    Unreadable(Error),
}

/// An object that was never made.
#[derive(Debug, Clone, PartialEq)]
pub struct Captured {
    /// Among the objects of its translation.
    pub number: u64,
    /// Its words, the first of which is its Map.
    pub words: Vec<Value>,
}

/// NaN that stands for a hole in an array of doubles; the older one is of 32-bit processors.
const HOLE_NANS: [u64; 2] = [0xfff7_ffff_fff7_ffff, 0x7ff7_ffff_7ff7_ffff];

impl From<Result<Tagged>> for Value {
    fn from(value: Result<Tagged>) -> Value {
        value.map_or_else(Value::Unreadable, Value::Tagged)
    }
}

impl Value {
    /// The tagged word, where it is one.
    pub fn tagged(&self) -> Option<Tagged> {
        match self {
            Value::Tagged(value) => Some(*value),
            _ => None,
        }
    }

    /// How many values that follow belong to it.
    pub(super) fn children(instruction: &Instruction) -> Result<usize> {
        match instruction.opcode {
            Opcode::CapturedObject => usize::try_from(instruction.value)
                .map_err(|_| Error::other("an object of less than no fields")),
            Opcode::StringConcat => Ok(2),
            _ => Ok(0),
        }
    }

    /// Of an instruction that stands for one value; the frame is at `fp`.
    pub(super) fn of(data: &DeoptimizationData<'_>, i: &Instruction, fp: u64) -> Value {
        Value::read(data, i, fp).unwrap_or_else(Value::Unreadable)
    }

    fn read(data: &DeoptimizationData<'_>, i: &Instruction, fp: u64) -> Result<Value> {
        let memory = data.cx().memory;
        // Slots are counted downwards from the return address's.
        let slot = || {
            let offset = i.value.checked_mul(-8).and_then(|o| o.checked_add(8));
            let at = offset.and_then(|o| fp.checked_add_signed(o));
            at.ok_or_else(|| data.broken("a stack slot is out of the world"))
        };
        let word = || memory.u64(slot()?);
        let half = || memory.u32(slot()?);
        Ok(match i.opcode {
            Opcode::Tagged => Value::Tagged(Tagged(word()?)),
            Opcode::Literal => Value::Tagged(data.literal(i.value)?),
            Opcode::Int32 => Value::Number(f64::from(half()? as i32)),
            Opcode::Uint32 => Value::Number(f64::from(half()?)),
            Opcode::Int64 => Value::Int64(word()? as i64),
            Opcode::SignedBigInt64 => Value::BigInt(word()? as i64),
            Opcode::UnsignedBigInt64 => Value::UnsignedBigInt(word()?),
            Opcode::Bool => match half()? {
                0 => Value::Bool(false),
                1 => Value::Bool(true),
                other => return Err(data.broken(&format!("{other} is no Boolean"))),
            },
            Opcode::Float => Value::Number(f64::from(f32::from_bits(half()?))),
            Opcode::Double => Value::Number(f64::from_bits(word()?)),
            Opcode::HoleyDouble => match word()? {
                // Read from a hole of an array: undefined.
                bits if HOLE_NANS.contains(&bits) => Value::Undefined,
                bits => Value::Number(f64::from_bits(bits)),
            },
            Opcode::OptimizedOut => Value::OptimizedOut,
            Opcode::Register | Opcode::Simd128 => Value::InRegister,
            Opcode::ArgumentsElements | Opcode::ArgumentsLength | Opcode::RestLength => {
                Value::Arguments
            }
            other => return Err(data.broken(&format!("{other:?} is no value"))),
        })
    }
}
