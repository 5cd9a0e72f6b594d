//! DeoptimizationData: what optimized code keeps for going back to unoptimized code.

use super::frames::TranslatedFrame;
use super::reader::Reader;
use super::safepoint::{deoptimization_index, MAX_TABLE};
use crate::error::{Error, Result};
use crate::metadata::translation::Translations;
use crate::metadata::InstanceType;
use crate::object::{FixedArray, HeapObject, Tagged};
use crate::stack::{byte_array, Code};

/// What runs a function: the interpreter, or code of one of the compilers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    Interpreted,
    Baseline,
    Maglev,
    Turbofan,
}

impl Tier {
    /// V8's name of it.
    pub fn name(self) -> &'static str {
        match self {
            Tier::Interpreted => "interpreted",
            Tier::Baseline => "baseline",
            Tier::Maglev => "maglev",
            Tier::Turbofan => "turbofan",
        }
    }

    /// Whether variables may be wherever the compiler put them.
    pub fn is_optimized(self) -> bool {
        matches!(self, Tier::Maglev | Tier::Turbofan)
    }
}

/// Which optimizing compiler made the code; an error where neither did.
pub fn tier(code: &Code<'_>) -> Result<Tier> {
    let layout = code.object.cx.layout;
    let kind = code.kind()?;
    if kind == layout.code_kind.turbofan.get()? {
        return Ok(Tier::Turbofan);
    }
    if layout.code_kind.maglev.known() == Some(kind) {
        return Ok(Tier::Maglev);
    }
    Err(Error::malformed(
        "Code",
        code.object.address,
        format!("kind {kind} is not optimized code"),
    ))
}

/// The DeoptimizationData of a code.
pub struct DeoptimizationData<'a> {
    code: Code<'a>,
    data: FixedArray<'a>,
    translations: Vec<u8>,
}

impl<'a> DeoptimizationData<'a> {
    /// Of optimized code.
    pub fn of(code: &Code<'a>) -> Result<DeoptimizationData<'a>> {
        let layout = code.object.cx.layout;
        let data = FixedArray(code.object.object_field(layout.code.deoptimization_data)?);
        let index = layout.deoptimization_data.translation_index.offset()?;
        let translations = byte_array(code.object.cx.object(data.get(index)?)?)?;
        Ok(DeoptimizationData {
            code: *code,
            data,
            translations,
        })
    }

    /// Index of the entry for the call that returns to `pc`; `None` where there is none, as at a
    /// pc that is no return address.
    pub fn entry(&self, pc: u64) -> Result<Option<u64>> {
        let code = self.code;
        let layout = code.object.cx.layout;
        let table = match layout.safepoint_table.offset_in_code.known() {
            Some(_) => {
                let field = layout.safepoint_table.offset_in_code;
                code.start + u64::from(code.object.u32_field(field)?)
            }
            None => code.start + code.size,
        };
        // How long it is stands in it; what cannot be read is not in it.
        let mut bytes = vec![0; 1 << 16];
        loop {
            let read = code.object.cx.memory.read_partial(table, &mut bytes);
            let whole = read == bytes.len();
            let bytes_read = bytes.get(..read).unwrap_or(&[]);
            let is_maglev = tier(&code)? == Tier::Maglev;
            match deoptimization_index(layout, is_maglev, bytes_read, code.offset(pc)) {
                Err(_) if whole && (bytes.len() as u64) < MAX_TABLE => {
                    let longer = bytes.len() * 8;
                    bytes.resize(longer, 0);
                }
                found => return found,
            }
        }
    }

    /// The frames of an entry, outermost first; their values are read from the frame at `fp`.
    pub fn frames(&self, entry: u64, fp: u64) -> Result<Vec<TranslatedFrame<'a>>> {
        let cx = self.code.object.cx;
        let layout = &cx.layout.deoptimization_data;
        let slot = entry
            .checked_mul(layout.entry_size.offset()?)
            .and_then(|at| at.checked_add(layout.first_entry_index.offset().ok()?))
            .and_then(|at| at.checked_add(layout.entry_translation.offset().ok()?))
            .ok_or_else(|| self.broken("its entries are too many"))?;
        let index = cx
            .smi(self.data.get(slot)?)
            .and_then(|i| usize::try_from(i).ok())
            .ok_or_else(|| self.broken("an entry has no translation"))?;
        let translations = Translations::for_version(cx.layout.version);
        let mut reader = Reader::new(&self.translations, translations, index)?;
        super::frames::read(self, &mut reader, fp)
    }

    /// The literal at an index.
    pub fn literal(&self, index: i64) -> Result<Tagged> {
        let cx = self.code.object.cx;
        self.literal_of(
            cx.layout.deoptimization_data.literals_index.offset()?,
            index,
        )
    }

    /// The literal at an index of those that the sandbox protects.
    pub fn protected_literal(&self, index: i64) -> Result<Tagged> {
        let layout = &self.code.object.cx.layout.deoptimization_data;
        self.literal_of(layout.protected_literals_index.offset()?, index)
    }

    fn literal_of(&self, array: u64, index: i64) -> Result<Tagged> {
        let literals = FixedArray(self.code.object.cx.object(self.data.get(array)?)?);
        let index = u64::try_from(index).map_err(|_| self.broken("a literal's index is < 0"))?;
        let value = literals.get(index)?;
        // Held weakly where the code dies with it.
        Ok(match value.address() {
            Some(address) if value.is_weak() => Tagged::from_address(address),
            _ => value,
        })
    }

    /// The function among the literals.
    pub fn shared(&self, index: i64) -> Result<HeapObject<'a>> {
        let object = self.code.object.cx.object(self.literal(index)?)?;
        match object.instance_type()? {
            InstanceType::SharedFunctionInfo => Ok(object),
            InstanceType::SharedFunctionInfoWrapper => {
                object.object_field(object.cx.layout.shared_function_info_wrapper.shared)
            }
            other => Err(Error::WrongType {
                address: object.address,
                expected: "a SharedFunctionInfo",
                found: format!("a {}", other.name()),
            }),
        }
    }

    /// What is wrong with it.
    pub fn broken(&self, why: &str) -> Error {
        Error::malformed("DeoptimizationData", self.data.0.address, why)
    }

    /// Where to read.
    pub fn cx(&self) -> crate::object::Cx<'a> {
        self.code.object.cx
    }
}
