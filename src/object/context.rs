//! Context: the variables of a scope that closures see.

use super::scope_info::ScopeInfo;
use super::{HeapObject, Tagged};
use crate::error::{Error, Result};
use crate::metadata::InstanceType;

/// A Context of any kind.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a>(pub HeapObject<'a>);

/// A variable of a Context.
#[derive(Debug, Clone)]
pub struct ContextVariable {
    pub name: Result<String>,
    pub slot: u64,
    pub value: Result<ContextValue>,
}

/// What a Context's slot holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ContextValue {
    Tagged(Tagged),
    /// A number that stands in a ContextCell.
    Double(f64),
}

/// Contexts followed outwards at most.
const MAX_DEPTH: usize = 1 << 16;

impl<'a> Context<'a> {
    /// Number of slots.
    pub fn len(self) -> Result<u64> {
        let length = self.0.smi_field(self.0.cx.layout.fixed_array.length)?;
        u64::try_from(length)
            .map_err(|_| Error::malformed("Context", self.0.address, "negative length"))
    }

    /// Whether it has no slots.
    pub fn is_empty(self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// A slot as it is.
    pub fn get(self, index: u64) -> Result<Tagged> {
        let length = self.len()?;
        if index >= length {
            return Err(Error::malformed(
                "Context",
                self.0.address,
                format!("slot {index} is past its length {length}"),
            ));
        }
        let slots = self.0.cx.layout.context.slots.offset()?;
        self.0.tagged_at(slots + index * 8)
    }

    /// Its ScopeInfo.
    pub fn scope_info(self) -> Result<ScopeInfo<'a>> {
        let cx = self.0.cx;
        let value = self.get(cx.layout.context.scope_info_index.offset()?)?;
        let object = cx.object(value)?;
        match object.instance_type()? {
            InstanceType::ScopeInfo => Ok(ScopeInfo(object)),
            other => Err(Error::WrongType {
                address: object.address,
                expected: "a ScopeInfo",
                found: format!("a {}", other.name()),
            }),
        }
    }

    /// What its extension slot holds: the module of a module's Context, the object of a `with`, an
    /// object with the variables that `eval` added to a function's. `None` where it has no such slot.
    pub fn extension(self) -> Result<Option<HeapObject<'a>>> {
        let cx = self.0.cx;
        let layout = &cx.layout.context;
        let index = layout.extension_index.offset()?;
        let is_everywhere = layout.first_slot_index.offset()? > index;
        if !is_everywhere && !self.scope_info()?.has_context_extension_slot()? {
            return Ok(None);
        }
        let value = self.get(index)?;
        match value.is_smi() {
            true => Ok(None),
            false => cx.object(value).map(Some),
        }
    }

    /// The Context around it; `None` for the outermost.
    pub fn previous(self) -> Result<Option<Context<'a>>> {
        let cx = self.0.cx;
        let value = self.get(cx.layout.context.previous_index.offset()?)?;
        if value.is_smi() {
            return Ok(None);
        }
        let object = cx.object(value)?;
        Ok(object
            .instance_type()?
            .is_context()
            .then_some(Context(object)))
    }

    /// The NativeContext it belongs to: the end of the chain of previous Contexts.
    pub fn native_context(self) -> Result<Context<'a>> {
        let mut context = self;
        for _ in 0..MAX_DEPTH {
            if context.0.instance_type()? == InstanceType::NativeContext {
                return Ok(context);
            }
            match context.previous()? {
                Some(previous) => context = previous,
                None => break,
            }
        }
        Err(Error::malformed(
            "Context",
            self.0.address,
            "it leads to no NativeContext",
        ))
    }

    /// Its variables by name, in the order of their slots.
    pub fn variables(self) -> Result<Vec<ContextVariable>> {
        let locals = self.scope_info()?.context_locals()?;
        Ok(locals
            .into_iter()
            .map(|local| ContextVariable {
                name: local.name,
                slot: local.slot,
                value: self.value(local.slot),
            })
            .collect())
    }

    /// The variable in a slot, out of the ContextCell it may be in.
    pub fn value(self, slot: u64) -> Result<ContextValue> {
        let cx = self.0.cx;
        let word = self.get(slot)?;
        let layout = &cx.layout.context_cell;
        if layout.state.known().is_none() || word.is_smi() {
            return Ok(ContextValue::Tagged(word));
        }
        let cell = cx.object(word)?;
        if cell.instance_type()? != InstanceType::ContextCell {
            return Ok(ContextValue::Tagged(word));
        }
        let state = i64::from(cell.u32_field(layout.state)?);
        if state == layout.int32_state.get()? {
            let value = cell.u32_field(layout.double_value)? as i32;
            return Ok(ContextValue::Double(f64::from(value)));
        }
        if state == layout.float64_state.get()? {
            let bits = cell.u64_field(layout.double_value)?;
            return Ok(ContextValue::Double(f64::from_bits(bits)));
        }
        Ok(ContextValue::Tagged(cell.field(layout.tagged_value)?))
    }
}
