//! SourceTextModule: the cells of a module's variables.

use super::{FixedArray, HeapObject, Tagged};
use crate::error::{Error, Result};
use crate::metadata::InstanceType;

/// An ES module.
#[derive(Clone, Copy, Debug)]
pub struct SourceTextModule<'a>(pub HeapObject<'a>);

impl<'a> SourceTextModule<'a> {
    /// What is in the cell of an index as its ScopeInfo tells it; the hole where the variable's
    /// declaration has not run, `None` where the module is not linked yet.
    pub fn variable(self, cell: i64) -> Result<Option<Tagged>> {
        let cx = self.0.cx;
        let layout = &cx.layout.module;
        let cells = match cell > 0 {
            true => layout.regular_exports,
            false => layout.regular_imports,
        };
        let index = cell.unsigned_abs().checked_sub(1).ok_or_else(|| {
            Error::malformed(
                "SourceTextModule",
                self.0.address,
                "no cell has the index 0",
            )
        })?;
        let word = FixedArray(self.0.object_field(cells)?).get(index)?;
        if word.is_smi() {
            return Ok(None);
        }
        let object = cx.object(word)?;
        match object.instance_type()? {
            InstanceType::Cell => object.field(cx.layout.cell.value).map(Some),
            _ => Ok(None),
        }
    }
}
