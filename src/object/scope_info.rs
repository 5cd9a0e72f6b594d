//! ScopeInfo: what a function's (or block's) scope holds, and where it stands in the source.

use super::dictionary::HashTable;
use super::{HeapObject, JSString, Tagged};
use crate::error::{Error, Result};
use crate::metadata::scope_info::{ScopeInfoParts, ScopeInfoShape, ScopeNames, MODULE_VARIABLE};
use crate::metadata::InstanceType;

/// A ScopeInfo.
#[derive(Clone, Copy, Debug)]
pub struct ScopeInfo<'a>(pub HeapObject<'a>);

/// A variable that lives in a Context.
#[derive(Debug, Clone)]
pub struct ContextLocal {
    pub name: Result<String>,
    /// Its slot in the Context.
    pub slot: u64,
}

/// A variable of a module that is in a cell.
#[derive(Debug, Clone)]
pub struct ModuleVariable {
    /// `.default` is that of a default export without a name.
    pub name: Result<String>,
    /// Which cell: from 1 on those that the module exports, from -1 down those that it imports.
    pub cell: i64,
}

/// The name of a function expression as a variable in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionVariable {
    pub name: String,
    /// Where it is in a register; else it is in the Context.
    pub register: Option<u64>,
}

/// Longest name of a variable or function read.
const MAX_NAME: usize = 16 << 10;

/// VariableAllocationInfo.
const STACK: i64 = 1;
const CONTEXT: i64 = 2;

impl<'a> ScopeInfo<'a> {
    fn flags(self) -> Result<i64> {
        let layout = &self.0.cx.layout.scope_info;
        if layout.flags_is_smi.get()? == 1 {
            self.0.smi_field(layout.flags)
        } else {
            Ok(i64::from(self.0.u32_field(layout.flags)?))
        }
    }

    fn flag(self, shift: crate::metadata::Constant) -> Result<bool> {
        match shift.known() {
            Some(shift) => Ok(self.flags()? >> shift.clamp(0, 62) & 1 == 1),
            None => Ok(false),
        }
    }

    fn allocation(self, shift: crate::metadata::Constant) -> Result<i64> {
        Ok(self.flags()? >> shift.get()?.clamp(0, 62) & 3)
    }

    /// ScopeType as V8 numbers it.
    pub fn scope_type(self) -> Result<i64> {
        Ok(self.flags()? & self.0.cx.layout.scope_info.type_mask.get()?)
    }

    /// Variables declared with `var` land in it.
    pub fn is_declaration_scope(self) -> Result<bool> {
        self.flag(self.0.cx.layout.scope_info.declaration_scope_shift)
    }

    /// It describes a module.
    pub fn is_module(self) -> Result<bool> {
        Ok(self.scope_type()? == self.0.cx.layout.scope_info.module_scope.get()?)
    }

    /// It describes a script that is no module.
    pub fn is_script(self) -> Result<bool> {
        Ok(self.scope_type()? == self.0.cx.layout.scope_info.script_scope.get()?)
    }

    /// It describes what was given to `eval`.
    pub fn is_eval(self) -> Result<bool> {
        Ok(self.scope_type()? == self.0.cx.layout.scope_info.eval_scope.get()?)
    }

    /// FunctionKind of the function it is of, as V8 numbers it.
    pub fn function_kind(self) -> Result<i64> {
        let shift = self.0.cx.layout.scope_info.function_kind_shift.get()?;
        Ok(self.flags()? >> shift.clamp(0, 62) & 31)
    }

    /// Number of parameters of its function.
    pub fn parameter_count(self) -> Result<i64> {
        self.0
            .smi_field(self.0.cx.layout.scope_info.parameter_count)
    }

    fn parts(self) -> Result<ScopeInfoParts> {
        ScopeInfoShape::new(&self.0.cx.layout.scope_info)?
            .parts(|offset| {
                let at = self.0.slot(offset).ok()?;
                self.0.cx.memory.u64(at).ok()
            })
            .ok_or_else(|| {
                Error::malformed("ScopeInfo", self.0.address, "its parts cannot be told")
            })
    }

    fn name_at(self, offset: u64) -> Result<String> {
        let value = self.0.tagged_at(offset)?;
        Ok(JSString(self.0.cx.object(value)?).read(MAX_NAME)?.marked())
    }

    /// Name of the function it is of: `None` where the function has none of its own to share,
    /// "" where it is anonymous.
    pub fn function_name(self) -> Result<Option<String>> {
        let Some(at) = self.parts()?.function_variable else {
            return Ok(Some(String::new()));
        };
        if self.0.tagged_at(at)?.is_smi() {
            return Ok(None);
        }
        self.name_at(at).map(Some)
    }

    /// The variable that holds the name of a function expression within it; `None` where nothing
    /// uses that.
    pub fn function_variable(self) -> Result<Option<FunctionVariable>> {
        let Some(at) = self.parts()?.function_variable else {
            return Ok(None);
        };
        let allocation = self.allocation(self.0.cx.layout.scope_info.function_variable_shift)?;
        if !matches!(allocation, STACK | CONTEXT) {
            return Ok(None);
        }
        let slot = self.0.cx.smi(self.0.tagged_at(at + 8)?);
        let slot = slot.and_then(|s| u64::try_from(s).ok());
        Ok(Some(FunctionVariable {
            name: self.name_at(at)?,
            register: slot.filter(|_| allocation == STACK),
        }))
    }

    /// Its code is strict.
    pub fn is_strict(self) -> Result<bool> {
        self.flag(self.0.cx.layout.scope_info.language_mode_shift)
    }

    /// What V8 calls a function without a name, after where it was put.
    pub fn inferred_name(self) -> Result<Option<String>> {
        let Some(at) = self.parts()?.inferred_name else {
            return Ok(None);
        };
        let value = self.0.cx.object(self.0.tagged_at(at)?)?;
        if !value.is_string()? {
            return Ok(None);
        }
        self.name_at(at).map(Some)
    }

    /// Start and end in the source, in UTF-16 units; `None` for a scope without a place of its own.
    pub fn position(self) -> Result<Option<(u64, u64)>> {
        let Some(at) = self.parts()?.position else {
            return Ok(None);
        };
        let read = |offset| -> Result<u64> {
            let word = self.0.tagged_at(offset)?;
            self.0
                .cx
                .smi(word)
                .and_then(|v| u64::try_from(v).ok())
                .ok_or_else(|| {
                    Error::malformed("ScopeInfo", self.0.address, "its position is no Smi")
                })
        };
        Ok(Some((read(at)?, read(at + 8)?)))
    }

    /// The ScopeInfo around it.
    pub fn outer(self) -> Result<Option<ScopeInfo<'a>>> {
        let Some(at) = self.parts()?.outer else {
            return Ok(None);
        };
        let object = self.0.cx.object(self.0.tagged_at(at)?)?;
        Ok((object.instance_type()? == InstanceType::ScopeInfo).then_some(ScopeInfo(object)))
    }

    /// First slot of a Context of this scope that holds a variable.
    pub fn context_header_length(self) -> Result<u64> {
        let layout = self.0.cx.layout;
        let extension = self.flag(layout.scope_info.context_extension_shift)?;
        Ok(layout.context.first_slot_index.offset()? + u64::from(extension))
    }

    /// Whether a Context of this scope has an extension slot.
    pub fn has_context_extension_slot(self) -> Result<bool> {
        self.flag(self.0.cx.layout.scope_info.context_extension_shift)
    }

    /// The variables that live in a Context of this scope, by slot.
    pub fn context_locals(self) -> Result<Vec<ContextLocal>> {
        let cx = self.0.cx;
        let layout = &cx.layout.scope_info;
        let parts = self.parts()?;
        if parts.local_count == 0 && parts.function_variable.is_none() {
            // The empty one of old versions has no flags.
            return Ok(Vec::new());
        }
        let first = self.context_header_length()?;
        let mut locals = Vec::new();
        match parts.names {
            ScopeNames::Inline(names) => {
                for index in 0..parts.local_count {
                    locals.push(ContextLocal {
                        name: self.name_at(names + index * 8),
                        slot: first + index,
                    });
                }
            }
            ScopeNames::Table(at) => {
                let table = cx.object(self.0.tagged_at(at)?)?;
                let table = HashTable {
                    array: super::FixedArray(table),
                    prefix: cx.layout.dictionary.name_to_index_prefix.offset()?,
                    entry: cx.layout.dictionary.name_to_index_entry.offset()?,
                };
                for entry in table.entries()? {
                    let (Some(key), Some(index)) = (entry.first(), entry.get(1)) else {
                        continue;
                    };
                    let index = cx.smi(*index).and_then(|i| u64::try_from(i).ok());
                    let name = cx.object(*key).and_then(|k| JSString(k).read(MAX_NAME));
                    locals.push(ContextLocal {
                        name: name.map(|t| t.marked()),
                        slot: first.saturating_add(index.unwrap_or(u64::MAX)),
                    });
                }
                locals.sort_by_key(|l| l.slot);
            }
        }
        if let Some(at) = parts.function_variable {
            if self.allocation(layout.function_variable_shift)? == CONTEXT {
                let slot = cx.smi(self.0.tagged_at(at + 8)?);
                if let Some(slot) = slot.and_then(|s| u64::try_from(s).ok()) {
                    locals.push(ContextLocal {
                        name: self.name_at(at),
                        slot,
                    });
                }
            }
        }
        Ok(locals)
    }

    /// The variables of a module that are in cells: what it exports and imports.
    pub fn module_variables(self) -> Result<Vec<ModuleVariable>> {
        let Some((at, count)) = self.parts()?.module_variables else {
            return Ok(Vec::new());
        };
        let mut out = Vec::new();
        for index in 0..count {
            let entry = at + index * MODULE_VARIABLE * 8;
            let cell = self.0.cx.smi(self.0.tagged_at(entry + 8)?);
            out.push(ModuleVariable {
                name: self.name_at(entry),
                cell: cell.ok_or_else(|| {
                    Error::malformed("ScopeInfo", self.0.address, "a cell's index is no Smi")
                })?,
            });
        }
        Ok(out)
    }

    /// The SourceTextModuleInfo of a module's scope.
    pub fn module_info(self) -> Result<Option<Tagged>> {
        let at = self.parts()?.module_info;
        at.map(|at| self.0.tagged_at(at)).transpose()
    }
}
