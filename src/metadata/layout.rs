//! The resolved constants of one target, as plain integers for hot loops.

use super::{InstanceTypes, V8Version};
use crate::error::{Error, Result};

pub use super::constants::Layout;

const MISSING: i32 = i32::MIN;

/// One constant: its value, or that it is not known for this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Constant {
    value: i32,
    id: u16,
}

impl Constant {
    pub(super) fn new(id: u16, value: Option<i32>) -> Constant {
        Constant {
            value: value.unwrap_or(MISSING),
            id,
        }
    }

    /// The value, or an error that names the constant.
    #[inline]
    pub fn get(self) -> Result<i64> {
        if self.value == MISSING {
            Err(Error::MissingConstant(self.name()))
        } else {
            Ok(i64::from(self.value))
        }
    }

    /// The value where it is known and not negative: an offset, a size, a shift.
    #[inline]
    pub fn offset(self) -> Result<u64> {
        u64::try_from(self.get()?).map_err(|_| Error::MissingConstant(self.name()))
    }

    /// The value where it is known.
    #[inline]
    pub fn known(self) -> Option<i64> {
        (self.value != MISSING).then_some(i64::from(self.value))
    }

    /// `group.field`.
    pub fn name(self) -> &'static str {
        super::constants::SPECS
            .get(usize::from(self.id))
            .map_or("?", |s| s.name)
    }
}

/// What the table of constants says of one constant.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    /// `group.field`, as in [`Layout`] and the version tables.
    pub name: &'static str,
    /// v8dbg names without the `v8dbg_` prefix, newest first. One that ends in `__` matches every
    /// symbol that starts so (V8 appends the field's C++ type, which it renames often).
    pub symbols: &'static [&'static str],
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A v8dbg symbol of the target (full name).
    Symbol(String),
    /// A version table (its V8 line, then what the row says of its evidence).
    Table(String, &'static str),
    /// Nowhere.
    Missing,
}

/// A constant with its value and source, for `v8 nodeinfo --metadata`.
#[derive(Debug, Clone)]
pub struct Resolved {
    pub name: &'static str,
    pub value: Option<i32>,
    pub source: Source,
}

impl Layout {
    /// Resolves every constant: symbol first, then the table of the version's line.
    pub fn resolve(version: V8Version, symbols: &super::V8dbg) -> (Layout, Vec<Resolved>) {
        Layout::resolve_as(version, version.line(), symbols)
    }

    /// As [`Layout::resolve`], with the heap's pages as in another line.
    pub fn resolve_as(
        version: V8Version,
        heap: (u32, u32),
        symbols: &super::V8dbg,
    ) -> (Layout, Vec<Resolved>) {
        let rows = super::tables::for_version(version, heap);
        let mut log = Vec::with_capacity(super::constants::SPECS.len());
        let types = InstanceTypes::for_version(version, symbols);
        let layout = Layout::build(version, types, |spec| {
            let mut resolved = Resolved {
                name: spec.name,
                value: None,
                source: Source::Missing,
            };
            if let Some((name, value)) = spec.symbols.iter().find_map(|s| symbols.find(s)) {
                resolved.value = Some(value);
                resolved.source = Source::Symbol(name.to_string());
            } else if let Some((line, value, evidence)) = rows.find(spec.name) {
                resolved.value = Some(value);
                resolved.source = Source::Table(line.to_string(), evidence);
            }
            let value = resolved.value;
            log.push(resolved);
            value
        });
        (layout, log)
    }
}
