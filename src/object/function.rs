//! JSFunction and bound functions.

use super::context::Context;
use super::js_object::{JSObject, PropertyValue};
use super::shared::SharedFunctionInfo;
use super::{FixedArray, HeapObject, JSString, StringText, Symbol, SymbolKind, Tagged};
use crate::error::{Error, Result};
use crate::metadata::InstanceType;

/// A closure.
#[derive(Clone, Copy, Debug)]
pub struct JSFunction<'a>(pub HeapObject<'a>);

/// Longest function name read.
const MAX_NAME: usize = 16 << 10;

impl<'a> JSFunction<'a> {
    /// Takes an object that must be a JSFunction.
    pub fn new(object: HeapObject<'a>) -> Result<JSFunction<'a>> {
        let kind = object.instance_type()?;
        if kind.is_js_function() {
            return Ok(JSFunction(object));
        }
        Err(Error::WrongType {
            address: object.address,
            expected: "a JSFunction",
            found: format!("a {}", kind.name()),
        })
    }

    /// What it shares with all closures of the same function.
    pub fn shared(self) -> Result<SharedFunctionInfo<'a>> {
        SharedFunctionInfo::new(self.0.object_field(self.0.cx.layout.js_function.shared)?)
    }

    /// The variables it sees.
    pub fn context(self) -> Result<Context<'a>> {
        let object = self.0.object_field(self.0.cx.layout.js_function.context)?;
        let kind = object.instance_type()?;
        if kind.is_context() {
            return Ok(Context(object));
        }
        Err(Error::WrongType {
            address: object.address,
            expected: "a Context",
            found: format!("a {}", kind.name()),
        })
    }

    /// Its name as JSFunction::GetDebugName gives it: its property "name" where that is a string
    /// (a deleted one leaves that of its prototypes), else the name in the source, else the
    /// inferred one.
    pub fn debug_name(self) -> Result<String> {
        if let Ok(Some(name)) = JSObject(self.0).data_string("name", MAX_NAME) {
            return Ok(name);
        }
        if let Ok(Some(name)) = self.inherited_native_name() {
            return Ok(name);
        }
        self.shared()?.debug_name()
    }

    /// The name of the function that it inherits the accessor "name" from, where that counts.
    fn inherited_native_name(self) -> Result<Option<String>> {
        let rules = &self.0.cx.layout.call_site;
        if rules.inherits_native_names.known() != Some(1) {
            return Ok(None);
        }
        let found = JSObject(self.0).inherited_property("name")?;
        match found {
            Some((JSObject(holder), property))
                if holder.address != self.0.address
                    && matches!(property.value, Ok(PropertyValue::Native(_))) =>
            {
                JSFunction::new(holder)?.shared()?.name().map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Its name as its property `name` gives it, or the inferred one where that is "".
    pub fn display_name(self) -> Result<String> {
        if let Ok(Some(name)) = self.own_name() {
            return Ok(name);
        }
        let shared = self.shared()?;
        if shared.prints_as_anonymous().unwrap_or(false) {
            return Ok("anonymous".into());
        }
        shared.debug_name()
    }

    /// Its own property "name", where it is data and a string.
    pub fn own_name(self) -> Result<Option<String>> {
        let Some(property) = JSObject(self.0).own_property_named("name")? else {
            return Ok(None);
        };
        let PropertyValue::Tagged(value) = property.value? else {
            return Ok(None);
        };
        let Ok(object) = self.0.cx.object(value) else {
            return Ok(None);
        };
        if !object.is_string()? {
            return Ok(None);
        }
        Ok(Some(JSString(object).read(MAX_NAME)?.marked()))
    }

    /// Its source as `toString` gives it, at most `limit` UTF-16 units: for a class, all of it.
    pub fn source(self, limit: usize) -> Result<Option<StringText>> {
        let shared = self.shared()?;
        if shared.kind()?.is_class_constructor {
            if let (Some(script), Some((start, end))) = (shared.script()?, self.class_position()?) {
                return script.source_slice(start, end, limit).map(Some);
            }
        }
        shared.source(limit)
    }

    /// Start and end of the class it is the constructor of: on a symbol that scripts cannot see.
    fn class_position(self) -> Result<Option<(u64, u64)>> {
        let cx = self.0.cx;
        let mut found = Vec::new();
        for property in JSObject(self.0).own_properties()? {
            let Ok(key) = cx.object(property.key) else {
                continue;
            };
            if key.instance_type()? != InstanceType::Symbol
                || Symbol(key).kind()? != SymbolKind::Private
            {
                continue;
            }
            let Ok(PropertyValue::Tagged(value)) = property.value else {
                continue;
            };
            if let Some(position) = cx.smi(value) {
                // Before V8 8, two Smis.
                found.push(position);
                continue;
            }
            let object = cx.object(value)?;
            if object.instance_type()? == InstanceType::ClassPositions {
                let layout = &cx.layout.class_positions;
                found = vec![
                    object.smi_field(layout.start)?,
                    object.smi_field(layout.end)?,
                ];
                break;
            }
        }
        found.sort_unstable();
        Ok(match found[..] {
            [start, end] => u64::try_from(start).ok().zip(u64::try_from(end).ok()),
            _ => None,
        })
    }

    /// Its `prototype` or the initial Map of what it constructs, where it has such a slot.
    pub fn prototype_or_initial_map(self) -> Result<Option<Tagged>> {
        if !self.0.map()?.has_prototype_slot()? {
            return Ok(None);
        }
        let layout = &self.0.cx.layout.js_function;
        self.0.field(layout.prototype_or_initial_map).map(Some)
    }
}

/// What `Function.prototype.bind` makes.
#[derive(Clone, Copy, Debug)]
pub struct JSBoundFunction<'a>(pub HeapObject<'a>);

impl<'a> JSBoundFunction<'a> {
    /// Takes an object that must be a JSBoundFunction.
    pub fn new(object: HeapObject<'a>) -> Result<JSBoundFunction<'a>> {
        match object.instance_type()? {
            InstanceType::JSBoundFunction => Ok(JSBoundFunction(object)),
            other => Err(Error::WrongType {
                address: object.address,
                expected: "a JSBoundFunction",
                found: format!("a {}", other.name()),
            }),
        }
    }

    /// The function it calls.
    pub fn target(self) -> Result<HeapObject<'a>> {
        self.0
            .object_field(self.0.cx.layout.js_bound_function.target)
    }

    /// The receiver it passes.
    pub fn this(self) -> Result<Tagged> {
        self.0.field(self.0.cx.layout.js_bound_function.this)
    }

    /// The arguments it passes first.
    pub fn arguments(self) -> Result<FixedArray<'a>> {
        self.0
            .object_field(self.0.cx.layout.js_bound_function.arguments)
            .map(FixedArray)
    }
}
