//! Symbol.

use super::{HeapObject, JSString, StringText};
use crate::error::Result;

/// A symbol.
#[derive(Clone, Copy, Debug)]
pub struct Symbol<'a>(pub HeapObject<'a>);

/// Who can see a symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SymbolKind {
    /// Symbol.iterator and so on.
    WellKnown,
    /// Any other that scripts can see.
    Public,
    /// The name of a class member that is called `#name`.
    PrivateName,
    /// What marks the instances of a class with private methods.
    PrivateBrand,
    /// V8's own.
    Private,
}

impl Symbol<'_> {
    /// Its description; `None` for `Symbol()`.
    pub fn description(self, limit: usize) -> Result<Option<StringText>> {
        let value = self.0.field(self.0.cx.layout.symbol.description)?;
        let object = self.0.cx.object(value)?;
        if !object.is_string()? {
            return Ok(None);
        }
        JSString(object).read(limit).map(Some)
    }

    /// Who can see it.
    pub fn kind(self) -> Result<SymbolKind> {
        let layout = &self.0.cx.layout.symbol;
        let flags = i64::from(self.0.u32_field(layout.flags)?);
        if flags & layout.private_mask.get()? != 0 {
            let name = layout.private_name_value.get()?;
            let brand = layout.private_brand_value.get()?;
            return Ok(if flags & layout.private_brand_mask.get()? == brand {
                SymbolKind::PrivateBrand
            } else if flags & layout.private_name_mask.get()? == name {
                SymbolKind::PrivateName
            } else {
                SymbolKind::Private
            });
        }
        let shift = layout.is_well_known_shift.get()?.clamp(0, 31);
        Ok(if flags >> shift & 1 == 1 {
            SymbolKind::WellKnown
        } else {
            SymbolKind::Public
        })
    }

    /// Whether it is the well-known symbol of this description ("Symbol.toStringTag").
    pub fn is_well_known(self, description: &str) -> Result<bool> {
        if self.kind()? != SymbolKind::WellKnown {
            return Ok(false);
        }
        let found = self.description(description.len() + 1)?;
        Ok(found.is_some_and(|d| d.text() == description))
    }
}
