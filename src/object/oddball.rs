//! Oddballs: undefined, null, true, false, and the hole (an object of its own kind from V8 12 on).

use super::{Cx, HeapObject, Tagged};
use crate::error::Result;
use crate::metadata::InstanceType;

/// What an oddball stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OddballKind {
    False,
    True,
    TheHole,
    Null,
    Undefined,
    Uninitialized,
    Exception,
    Other,
}

impl OddballKind {
    /// Of an object that is an oddball or a hole; `None` for any other.
    pub fn of(object: HeapObject) -> Result<Option<OddballKind>> {
        match object.instance_type()? {
            InstanceType::Hole => Ok(Some(OddballKind::TheHole)),
            InstanceType::Oddball => {
                let layout = &object.cx.layout.oddball;
                let kind = object.smi_field(layout.kind)?;
                let is = |c: crate::metadata::Constant| c.known() == Some(kind);
                Ok(Some(if is(layout.kind_false) {
                    OddballKind::False
                } else if is(layout.kind_true) {
                    OddballKind::True
                } else if is(layout.kind_the_hole) {
                    OddballKind::TheHole
                } else if is(layout.kind_null) {
                    OddballKind::Null
                } else if is(layout.kind_undefined) {
                    OddballKind::Undefined
                } else if is(layout.kind_uninitialized) {
                    OddballKind::Uninitialized
                } else if is(layout.kind_exception) {
                    OddballKind::Exception
                } else {
                    OddballKind::Other
                }))
            }
            _ => Ok(None),
        }
    }
}

fn is_kind(cx: Cx, value: Tagged, wanted: OddballKind) -> bool {
    cx.object(value)
        .and_then(OddballKind::of)
        .is_ok_and(|kind| kind == Some(wanted))
}

/// Whether a tagged word is the hole.
pub fn is_the_hole(cx: Cx, value: Tagged) -> bool {
    is_kind(cx, value, OddballKind::TheHole)
}

/// Whether a tagged word is undefined.
pub fn is_undefined(cx: Cx, value: Tagged) -> bool {
    is_kind(cx, value, OddballKind::Undefined)
}

/// Whether a tagged word is null.
pub fn is_null(cx: Cx, value: Tagged) -> bool {
    is_kind(cx, value, OddballKind::Null)
}
