//! What is shown of a value: a tree of plain data, which `render` turns into text and serde into
//! JSON. Nothing in it is cut or escaped for a terminal but by the limits in [`Options`]; what
//! could not be read is in its place, with the reason.

mod brief;
mod details;
mod error_stack;
mod internal;
#[cfg(test)]
mod tests;

use super::{Attributes, Cx, HeapObject, Location, Tagged};
use crate::error::{Error, Result};
use serde::{Serialize, Serializer};

/// How much to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Characters of a string, elements of an array, entries, bytes; `None`: all.
    pub length: Option<usize>,
    /// Characters of a string inside another value.
    pub child_length: Option<usize>,
    /// A function's source as well.
    pub source: bool,
}

/// What llnode shows where nothing else is asked for.
pub const DEFAULT_LENGTH: usize = 16;

impl Default for Options {
    fn default() -> Options {
        Options {
            length: Some(DEFAULT_LENGTH),
            child_length: Some(DEFAULT_LENGTH),
            source: false,
        }
    }
}

impl Options {
    fn limit(self) -> usize {
        self.length.unwrap_or(usize::MAX)
    }

    fn for_children(self) -> Options {
        Options {
            length: self.child_length,
            ..self
        }
    }
}

/// An address or a raw word: `"0x…"` in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hex(pub u64);

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:#x}", self.0))
    }
}

/// A value.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Value {
    /// Its tagged address; none for a Smi, and for a double that stands in another object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Hex>,
    /// Tagged address of its Map.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub map: Option<Hex>,
    #[serde(flatten)]
    pub brief: Brief,
    /// What is inside, where it was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sections: Vec<Section>,
}

/// Text of the target, or its beginning.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Text {
    pub text: String,
    /// Length of the whole in UTF-16 units.
    pub length: u64,
    /// There is more of it.
    #[serde(skip_serializing_if = "is_false")]
    pub truncated: bool,
    /// The rest could not be read, for this reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hole: Option<String>,
}

fn is_false(value: &bool) -> bool {
    !*value
}

/// What a value is, in one line.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Brief {
    Smi {
        value: i64,
    },
    Number {
        /// As JavaScript writes it; -0 is "-0".
        value: NumberText,
    },
    BigInt {
        value: String,
    },
    String {
        #[serde(flatten)]
        text: Text,
        /// Its characters are outside V8's heap.
        #[serde(skip_serializing_if = "is_false")]
        external: bool,
    },
    Symbol {
        /// None for `Symbol()`.
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<Text>,
    },
    /// "true", "undefined", "hole" and so on.
    Oddball {
        name: &'static str,
    },
    Function {
        name: String,
        /// Where it is defined.
        #[serde(skip_serializing_if = "Option::is_none")]
        location: Option<Location>,
        /// "class", "async", "arrow", "generator".
        #[serde(skip_serializing_if = "Vec::is_empty")]
        kinds: Vec<&'static str>,
    },
    BoundFunction {
        name: String,
    },
    Object {
        constructor: String,
    },
    Error {
        constructor: String,
        /// Of a DOMException, which has it beside it.
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<Text>,
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<String>,
    },
    Array {
        length: u64,
        constructor: String,
    },
    /// Map, Set, WeakMap or WeakSet.
    Collection {
        collection: &'static str,
        size: u64,
        constructor: String,
    },
    Promise {
        state: &'static str,
        constructor: String,
    },
    Proxy {
        #[serde(skip_serializing_if = "is_false")]
        revoked: bool,
    },
    Generator {
        /// Name of its function.
        function: String,
        state: &'static str,
    },
    Date {
        /// Milliseconds since 1970, as JavaScript writes them.
        value: NumberText,
        /// None for an invalid date.
        #[serde(skip_serializing_if = "Option::is_none")]
        iso: Option<String>,
        #[serde(skip)]
        is_smi: bool,
    },
    RegExp {
        source: Text,
        flags: String,
    },
    /// A boxed primitive.
    Wrapper {
        constructor: String,
        primitive: Box<Value>,
    },
    ArrayBuffer {
        /// "ArrayBuffer" or "SharedArrayBuffer".
        class: &'static str,
        backing_store: Hex,
        byte_length: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        max_byte_length: Option<u64>,
        #[serde(skip_serializing_if = "is_false")]
        detached: bool,
    },
    /// A typed array or a DataView.
    ArrayBufferView {
        constructor: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        length: Option<u64>,
        /// Address of the buffer's bytes.
        backing_store: Hex,
        byte_offset: u64,
        byte_length: u64,
        #[serde(skip_serializing_if = "is_false")]
        detached: bool,
    },
    WeakRef {
        #[serde(skip_serializing_if = "is_false")]
        cleared: bool,
    },
    ModuleNamespace,
    Global,
    GlobalProxy,
    Context,
    ScopeInfo {
        /// Name of the function it is of.
        #[serde(skip_serializing_if = "Option::is_none")]
        function: Option<String>,
    },
    FixedArray {
        /// FixedArray or one of its kind.
        class: &'static str,
        length: u64,
    },
    /// A Map, V8's hidden class.
    HiddenClass {
        own_descriptors: u64,
        /// Words of in-object properties, for the Map of a JSObject.
        #[serde(skip_serializing_if = "Option::is_none")]
        in_object_size: Option<u64>,
        /// Number of the constructor in the native context, for the Map of a primitive.
        #[serde(skip_serializing_if = "Option::is_none")]
        constructor_index: Option<u64>,
        instance_size: u64,
        instance_type: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        descriptors: Option<Hex>,
    },
    Script {
        name: String,
    },
    SharedFunctionInfo {
        name: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        location: Option<Location>,
    },
    Code,
    /// Any other object of V8's own, by its class.
    Internal {
        class: &'static str,
    },
    /// A weak pointer whose object is gone.
    Cleared,
    /// It could not be decoded.
    Unreadable {
        reason: String,
    },
}

/// A number, which JSON gets as text where it has no form for it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NumberText(pub f64);

impl Serialize for NumberText {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let value = self.0;
        if value.is_finite() && !(value == 0.0 && value.is_sign_negative()) {
            serializer.serialize_f64(value)
        } else {
            serializer.serialize_str(&super::number_text(value))
        }
    }
}

/// A part of what is inside a value.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "section", rename_all = "snake_case")]
pub enum Section {
    Elements(Items),
    Properties(Items),
    /// Of a Map, Set and the like; a Set's have no value.
    Entries(Items),
    /// `[[Target]]` and so on, as DevTools names them.
    InternalSlots(Items),
    /// Raw words of an object made by C++.
    InternalFields {
        words: Vec<Hex>,
    },
    /// Bytes of a buffer.
    Bytes {
        bytes: Vec<u8>,
        #[serde(skip_serializing_if = "is_false")]
        more: bool,
    },
    /// The Context of a function.
    Context {
        context: Box<Value>,
    },
    /// Of a Context: what is around it, and its variables.
    Variables(Items),
    /// Slots of a FixedArray.
    Contents(Items),
    /// Properties that a Map describes.
    Descriptors(Items),
    /// Fields of an object of V8's own.
    Fields(Items),
    /// What an Error captured.
    ErrorStack {
        frames: Vec<StackEntry>,
        /// The text it was made into, once it has been read.
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<Text>,
    },
    Source {
        source: Text,
        /// The function's own name and where its parameters begin in the source (in bytes).
        #[serde(skip)]
        name: String,
        #[serde(skip)]
        parameters_at: usize,
    },
    /// A part that could not be decoded.
    Unreadable {
        part: &'static str,
        reason: String,
    },
}

/// Parts of one kind.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Items {
    pub items: Vec<Item>,
    /// Left out by the limit on length: how many, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub more: Option<u64>,
}

/// A part with its key.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Item {
    pub key: Key,
    pub value: Content,
    #[serde(skip_serializing_if = "is_plain")]
    pub attributes: Attributes,
}

fn is_plain(attributes: &Attributes) -> bool {
    *attributes == Attributes::default()
}

impl Item {
    fn new(key: Key, value: Content) -> Item {
        Item {
            key,
            value,
            attributes: Attributes::default(),
        }
    }
}

/// What a part is called.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Key {
    /// A string key.
    Name(String),
    Index(u64),
    /// A symbol's description; null for `Symbol()`.
    Symbol(Option<String>),
    /// A private name or another private symbol.
    Private(String),
    /// A variable of a Context.
    Variable(String),
    /// Part of the object that JavaScript does not see: `[[Target]]`, `(previous)`.
    Internal(&'static str),
    /// A Map's key or a Set's member.
    Entry(Box<Value>),
    Unreadable(String),
}

/// What a part holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    Value(Value),
    Accessor {
        #[serde(skip_serializing_if = "Option::is_none")]
        getter: Option<Box<Value>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        setter: Option<Box<Value>>,
    },
    /// V8 computes it when asked.
    NativeAccessor,
    /// Plain words about it.
    Note(String),
    /// The member of a Set is its key.
    None,
    /// It could not be decoded.
    Unreadable {
        reason: String,
    },
}

/// A call that an Error captured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StackEntry {
    pub function: Value,
    #[serde(skip)]
    pub receiver: Option<Tagged>,
    /// Position in the source or offset in the code, and whether it is the former.
    #[serde(skip)]
    pub offset: Option<i64>,
    #[serde(skip)]
    pub is_source_position: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub is_constructor: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub is_async: bool,
    /// BytecodeArray or code that the offset counts in.
    #[serde(skip)]
    pub code: Option<Tagged>,
    /// The call as a line of Error.stack names it, without the place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// Where the call is, where it could be found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
}

impl Value {
    fn bare(brief: Brief) -> Value {
        Value {
            address: None,
            map: None,
            brief,
            sections: Vec::new(),
        }
    }

    /// A double that stands in another object.
    pub fn double(value: f64) -> Value {
        Value::bare(Brief::Number {
            value: NumberText(value),
        })
    }

    fn unreadable(error: &Error) -> Value {
        Value::bare(Brief::Unreadable {
            reason: error.to_string(),
        })
    }

    /// The value in one line. Fails only where there is no object.
    pub fn brief(cx: Cx, value: Tagged, options: Options) -> Result<Value> {
        if let Some(value) = cx.smi(value) {
            return Ok(Value::bare(Brief::Smi { value }));
        }
        if value.is_cleared() {
            return Ok(Value::bare(Brief::Cleared));
        }
        let object = check(cx, value)?;
        let mut found = Value::bare(brief::brief(object, options));
        found.address = Some(Hex(object.tagged().0));
        found.map = object.tagged_at(0).ok().map(|m| Hex(m.0));
        Ok(found)
    }

    /// The value in one line, as a part of another: never fails.
    pub fn child(cx: Cx, value: Tagged, options: Options) -> Value {
        Value::brief(cx, value, options.for_children()).unwrap_or_else(|error| {
            let mut found = Value::unreadable(&error);
            found.address = Some(Hex(value.0));
            found
        })
    }

    /// The value with what is inside.
    pub fn detailed(cx: Cx, value: Tagged, options: Options) -> Result<Value> {
        let mut found = Value::brief(cx, value, options)?;
        if let Ok(object) = cx.object(value) {
            found.sections = details::sections(object, options);
        }
        Ok(found)
    }
}

/// The object a tagged pointer is to, once it looks like one.
fn check<'a>(cx: Cx<'a>, value: Tagged) -> Result<HeapObject<'a>> {
    let object = cx.object(value)?;
    object.map()?.instance_type_number()?;
    Ok(object)
}
