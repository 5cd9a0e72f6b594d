//! SharedFunctionInfo: what all closures of one function share.

use super::scope_info::ScopeInfo;
use super::script::Script;
use super::{HeapObject, JSString};
use crate::error::{Error, Result};
use crate::metadata::InstanceType;

/// A SharedFunctionInfo.
#[derive(Clone, Copy, Debug)]
pub struct SharedFunctionInfo<'a>(pub HeapObject<'a>);

/// Longest function name read.
const MAX_NAME: usize = 16 << 10;

/// What V8 called the function that initializes a class's static fields (8.4 source).
const STATIC_INITIALIZER: &str = "<static_fields_initializer>";

/// V8 could not tell how far the `function` keyword is from the parameters.
const TOKEN_OUT_OF_RANGE: u16 = u16::MAX;

/// What kind of function it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FunctionKind {
    pub is_class_constructor: bool,
    pub is_arrow: bool,
    pub is_async: bool,
    pub is_generator: bool,
    /// Runs the initializers of a class's members.
    pub is_initializer: bool,
    /// Those of its static members.
    pub is_static_initializer: bool,
}

impl<'a> SharedFunctionInfo<'a> {
    /// Takes an object that must be a SharedFunctionInfo.
    pub fn new(object: HeapObject<'a>) -> Result<SharedFunctionInfo<'a>> {
        match object.instance_type()? {
            InstanceType::SharedFunctionInfo => Ok(SharedFunctionInfo(object)),
            other => Err(Error::WrongType {
                address: object.address,
                expected: "a SharedFunctionInfo",
                found: format!("a {}", other.name()),
            }),
        }
    }

    /// Its ScopeInfo, once it has been compiled.
    pub fn scope_info(self) -> Result<Option<ScopeInfo<'a>>> {
        let value = self.0.field(self.0.cx.layout.shared.name_or_scope_info)?;
        if value.is_smi() {
            return Ok(None);
        }
        let object = self.0.cx.object(value)?;
        Ok((object.instance_type()? == InstanceType::ScopeInfo).then_some(ScopeInfo(object)))
    }

    /// Its name as SharedFunctionInfo::Name gives it; "" where it has none.
    pub fn name(self) -> Result<String> {
        let value = self.0.field(self.0.cx.layout.shared.name_or_scope_info)?;
        if value.is_smi() {
            return Ok(String::new());
        }
        let object = self.0.cx.object(value)?;
        if object.is_string()? {
            return Ok(JSString(object).read(MAX_NAME)?.marked());
        }
        match object.instance_type()? {
            InstanceType::ScopeInfo => Ok(ScopeInfo(object).function_name()?.unwrap_or_default()),
            other => Err(Error::malformed(
                "SharedFunctionInfo",
                self.0.address,
                format!("its name is a {}", other.name()),
            )),
        }
    }

    /// What V8 calls it after where it was put, for a function without a name.
    pub fn inferred_name(self) -> Result<String> {
        if let Some(scope) = self.scope_info()? {
            return Ok(scope.inferred_name()?.unwrap_or_default());
        }
        let Some(data) = self.uncompiled_data()? else {
            return Ok(String::new());
        };
        let name = data.object_field(self.0.cx.layout.uncompiled_data.inferred_name)?;
        if !name.is_string()? {
            return Ok(String::new());
        }
        Ok(JSString(name).read(MAX_NAME)?.marked())
    }

    /// Its name as SharedFunctionInfo::DebugName gives it: the inferred one where it has none.
    pub fn debug_name(self) -> Result<String> {
        if self.0.cx.layout.naming.class_initializers.get()? == 1 {
            let kind = self.kind()?;
            if kind.is_static_initializer {
                return Ok("<static_initializer>".into());
            }
            if kind.is_initializer {
                return Ok("<instance_members_initializer>".into());
            }
        }
        let name = self.name()?;
        if name.is_empty() {
            return self.inferred_name();
        }
        Ok(name)
    }

    /// FunctionKind as V8 numbers it.
    pub fn kind_number(self) -> Result<i64> {
        let layout = &self.0.cx.layout.shared;
        let flags = i64::from(self.0.u32_field(layout.flags)?);
        Ok((flags & layout.kind_mask.get()?) >> layout.kind_shift.get()?.clamp(0, 31))
    }

    /// What kind of function it is.
    pub fn kind(self) -> Result<FunctionKind> {
        let kind = self.kind_number()?;
        let k = &self.0.cx.layout.function_kind;
        let within = |first: crate::metadata::Constant, last: crate::metadata::Constant| {
            Ok::<bool, Error>((first.get()?..=last.get()?).contains(&kind))
        };
        let is_class = within(k.first_class_constructor, k.last_class_constructor)?;
        let is_initializer = within(k.first_members_initializer, k.last_initializer)?;
        // Before V8 9 both are of one kind, and the name of V8's tells them apart.
        let is_named_static = || self.name().is_ok_and(|n| n == STATIC_INITIALIZER);
        let is_static_initializer = is_initializer
            && (within(k.first_static_initializer, k.last_initializer)? || is_named_static());
        Ok(FunctionKind {
            is_class_constructor: is_class,
            is_arrow: within(k.arrow, k.async_arrow)?,
            is_async: within(k.async_arrow, k.last_async)?,
            is_generator: within(k.first_generator, k.last_generator)?,
            is_initializer,
            is_static_initializer,
        })
    }

    /// Made by `new Function`: its name is "anonymous", though the source has none.
    pub fn prints_as_anonymous(self) -> Result<bool> {
        let layout = &self.0.cx.layout.shared;
        let mask = layout.name_should_print_as_anonymous_mask.get()?;
        Ok(i64::from(self.0.u32_field(layout.flags)?) & mask != 0)
    }

    /// V8's own JavaScript, left out of stack traces.
    pub fn is_native(self) -> Result<bool> {
        let layout = &self.0.cx.layout.shared;
        Ok(i64::from(self.0.u32_field(layout.flags)?) & layout.native_mask.get()? != 0)
    }

    /// Bytecode, UncompiledData, a builtin's number, and so on.
    pub fn function_data(self) -> Result<super::Tagged> {
        let layout = &self.0.cx.layout.shared;
        let value = self.0.field(layout.function_data)?;
        // From V8 12.5 on what scripts cannot break is in a field of its own, the other is 0.
        if value.0 == 0 && layout.untrusted_function_data.known().is_some() {
            return self.0.field(layout.untrusted_function_data);
        }
        Ok(value)
    }

    /// Whether it is a function of the embedder's, in C++.
    pub fn is_api_function(self) -> bool {
        let data = self.function_data().and_then(|d| self.0.cx.object(d));
        let kind = data.and_then(HeapObject::instance_type);
        kind == Ok(InstanceType::FunctionTemplateInfo)
    }

    /// What is known of it before it is compiled.
    pub fn uncompiled_data(self) -> Result<Option<HeapObject<'a>>> {
        let value = self.function_data()?;
        if value.is_smi() {
            return Ok(None);
        }
        let object = self.0.cx.object(value)?;
        use InstanceType::*;
        Ok(matches!(
            object.instance_type()?,
            UncompiledDataWithPreparseData
                | UncompiledDataWithPreparseDataAndJob
                | UncompiledDataWithoutPreparseData
                | UncompiledDataWithoutPreparseDataWithJob
        )
        .then_some(object))
    }

    /// Its script; `None` for a builtin or a native function.
    pub fn script(self) -> Result<Option<Script<'a>>> {
        let mut object = self.0.object_field(self.0.cx.layout.shared.script)?;
        if object.instance_type()? == InstanceType::DebugInfo {
            object = object.object_field(self.0.cx.layout.debug_info.script)?;
        }
        Ok((object.instance_type()? == InstanceType::Script).then_some(Script(object)))
    }

    /// Start and end in its script, in UTF-16 units: from the parameters' parenthesis (of an arrow
    /// function, from its first character) to after the body.
    pub fn position(self) -> Result<Option<(u64, u64)>> {
        if let Some(scope) = self.scope_info()? {
            if let Some(position) = scope.position()? {
                return Ok(Some(position));
            }
        }
        let Some(data) = self.uncompiled_data()? else {
            return Ok(None);
        };
        let layout = &self.0.cx.layout.uncompiled_data;
        let start = data.u32_field(layout.start)?;
        let end = data.u32_field(layout.end)?;
        Ok(Some((u64::from(start), u64::from(end))))
    }

    /// Where the text that `toString` gives starts: the `function` or `class` keyword, the name of
    /// a method, `async`.
    pub fn token_position(self) -> Result<Option<u64>> {
        let Some((start, _)) = self.position()? else {
            return Ok(None);
        };
        let slot = self
            .0
            .slot(self.0.cx.layout.shared.function_token_offset.offset()?)?;
        let offset = self.0.cx.memory.u16(slot)?;
        if offset == TOKEN_OUT_OF_RANGE {
            return Ok(Some(start));
        }
        Ok(Some(start.saturating_sub(u64::from(offset))))
    }

    /// Line and column (from 1) where it is defined: those of [`Self::position`]'s start.
    pub fn location(self) -> Result<Option<Location>> {
        let (Some(script), Some((start, _))) = (self.script()?, self.position()?) else {
            return Ok(None);
        };
        let (line, column) = script.line_and_column(start)?;
        Ok(Some(Location {
            script: script.name_or_source_url()?,
            line,
            column,
        }))
    }

    /// Its source text, as far as `limit` UTF-16 units.
    pub fn source(self, limit: usize) -> Result<Option<super::StringText>> {
        let (Some(script), Some((_, end)), Some(start)) =
            (self.script()?, self.position()?, self.token_position()?)
        else {
            return Ok(None);
        };
        script.source_slice(start, end, limit).map(Some)
    }

    /// Parameters declared, without the receiver; `None` where it takes any number as it is.
    pub fn formal_parameter_count(self) -> Result<Option<u64>> {
        let layout = &self.0.cx.layout.shared;
        let slot = self.0.slot(layout.formal_parameter_count.offset()?)?;
        let count = self.0.cx.memory.u16(slot)?;
        // kDontAdaptArgumentsSentinel: -1, or 0 once the receiver counts.
        let receiver = u16::from(layout.parameter_count_has_receiver.known() == Some(1));
        Ok(if count == u16::MAX {
            None
        } else {
            count.checked_sub(receiver).map(u64::from)
        })
    }
}

/// A place in a script, lines and columns from 1.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Location {
    /// URL or name of the script; "" where it has none.
    pub script: String,
    pub line: i64,
    pub column: i64,
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.script, self.line, self.column)
    }
}
