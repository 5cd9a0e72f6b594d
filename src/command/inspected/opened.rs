//! How `util.inspect` opens an object: what stands before its brackets, and what is between them
//! besides its properties.

use super::class::{function_name, Class};
use super::{error, Style, Writer, MAX_ITEMS};
use crate::metadata::InstanceType as T;
use crate::object::summary::{Brief, Content, Item, Key, Section, Value};
use crate::object::{
    number_text, HeapObject, JSArrayBuffer, JSArrayBufferView, JSObject, JSPromise, PromiseState,
    TypedElement,
};
use crate::render::escape;

/// An object opened: what stands before the brackets, and how it goes on.
pub(super) struct Opened {
    /// Of what has a text of its own, as a function or a date.
    pub(super) base: String,
    /// With a space at its end, or "".
    pub(super) prefix: String,
    pub(super) brackets: (char, char),
    pub(super) parts: Vec<String>,
    /// What there is of it when it is too deep to be opened.
    pub(super) is_deep: bool,
}

impl Opened {
    fn based(base: String) -> Opened {
        Opened {
            base,
            prefix: String::new(),
            brackets: ('{', '}'),
            parts: Vec::new(),
            is_deep: false,
        }
    }

    fn of(prefix: String, brackets: (char, char)) -> Opened {
        Opened {
            base: String::new(),
            prefix,
            brackets,
            parts: Vec::new(),
            is_deep: true,
        }
    }
}

impl<'a> Writer<'a> {
    /// What an object begins with; `None` of what is shown in our own form. `parts` has what is to be
    /// counted as inside.
    pub(super) fn opened(
        &mut self,
        object: HeapObject<'a>,
        brief: &Brief,
        class: &Class,
        sections: &[Section],
        depth: usize,
    ) -> Option<Opened> {
        let sized = |length: u64| format!("({length})");
        let collection_size = |length: u64| match self.style.numbered {
            true => sized(length),
            false => String::new(),
        };
        let with = |name: &str, text: String| {
            let prefix = class.prefix(name, "");
            match prefix == format!("{name} ") {
                true => text,
                false => format!("{prefix}{text}"),
            }
        };
        let some = |mut opened: Opened, is_full: bool| {
            if is_full {
                opened.parts.push(String::new());
            }
            Some(opened)
        };
        if self.is_error(object, brief) {
            return Some(Opened::based(error::shown(self, object, class)));
        }
        match brief {
            Brief::Function { kinds, .. } => {
                Some(Opened::based(function(object, kinds, class, &self.style)))
            }
            Brief::BoundFunction { name } => Some(Opened::based(format!(
                "[Function{}: {}]",
                null_prototype(class),
                escape(name)
            ))),
            Brief::Date { iso, .. } => {
                let iso = iso.clone().unwrap_or_else(|| "Invalid Date".into());
                Some(Opened::based(with("Date", iso)))
            }
            Brief::RegExp { source, flags } => {
                let text = format!("/{}/{flags}", escape(&source.text));
                Some(Opened::based(with("RegExp", text)))
            }
            Brief::Wrapper { primitive, .. } => {
                Some(Opened::based(self.boxed(primitive, class, depth)))
            }
            Brief::Promise { .. } => {
                some(Opened::of(class.prefix("Promise", ""), ('{', '}')), true)
            }
            Brief::Array { length, .. } => {
                let is_plain = class.is("Array") && class.tag.is_empty();
                let prefix = match is_plain {
                    true => String::new(),
                    false => class.prefix("Array", &sized(*length)),
                };
                some(Opened::of(prefix, ('[', ']')), *length > 0)
            }
            Brief::Collection {
                collection, size, ..
            } => {
                let is_weak = collection.starts_with("Weak");
                let size_text = match is_weak {
                    true => String::new(),
                    false => collection_size(*size),
                };
                let prefix = class.prefix(collection, &size_text);
                some(Opened::of(prefix, ('{', '}')), is_weak || *size > 0)
            }
            Brief::ArrayBuffer { class: name, .. } => {
                some(Opened::of(class.prefix(name, ""), ('{', '}')), true)
            }
            Brief::ArrayBufferView { length, .. } => match length {
                Some(length) => {
                    let name = self.view_name(object);
                    let tagged = Class {
                        constructor: class.constructor.clone(),
                        // A getter that gives the class.
                        tag: match class.constructor {
                            Some(_) => name.clone(),
                            None => String::new(),
                        },
                    };
                    let prefix = tagged.prefix(&name, &sized(*length));
                    some(Opened::of(prefix, ('[', ']')), *length > 0)
                }
                None => some(Opened::of(class.prefix("DataView", ""), ('{', '}')), true),
            },
            Brief::ModuleNamespace => {
                let prefix = "[Module: null prototype] ".to_string();
                Some(Opened::of(prefix, ('{', '}')))
            }
            Brief::Object { .. } | Brief::WeakRef { .. } | Brief::Generator { .. } => {
                let kind = object.instance_type().ok()?;
                if let Some(prefix) = iterator_prefix(kind) {
                    let is_full = sections.iter().any(|s| matches!(s, Section::Entries(_)));
                    return some(Opened::of(prefix.to_string(), ('{', '}')), is_full);
                }
                let prefix = match class {
                    _ if kind == T::JSArgumentsObject => "[Arguments] ".to_string(),
                    c if c.is("Object") && c.tag.is_empty() => String::new(),
                    c => c.prefix(&self.fallback(object, brief), ""),
                };
                let elements = sections.iter().any(|s| matches!(s, Section::Elements(_)));
                some(Opened::of(prefix, ('{', '}')), elements)
            }
            _ => None,
        }
    }

    /// What is inside, but for named properties.
    pub(super) fn parts(
        &mut self,
        object: HeapObject<'a>,
        brief: &Brief,
        sections: &[Section],
        depth: usize,
    ) -> Vec<String> {
        match brief {
            Brief::Array { length, .. } => self.elements(sections, *length, depth),
            Brief::Promise { .. } => {
                let shown = self.internal(sections, "[[PromiseResult]]", depth);
                vec![match (JSPromise(object).state(), shown) {
                    (Ok(PromiseState::Pending), _) => "<pending>".to_string(),
                    (Ok(PromiseState::Rejected), Some(text)) => format!("<rejected> {text}"),
                    (_, text) => text.unwrap_or_else(|| "<unreadable>".to_string()),
                }]
            }
            Brief::Collection {
                collection, size, ..
            } => match collection.starts_with("Weak") {
                true => vec!["<items unknown>".to_string()],
                false => self.entries(sections, *size, depth),
            },
            Brief::ArrayBuffer {
                byte_length,
                detached,
                ..
            } => {
                let contents = match detached {
                    true => "(detached)".to_string(),
                    false => self.bytes(object, *byte_length),
                };
                vec![contents, self.size("byteLength", *byte_length)]
            }
            Brief::ArrayBufferView {
                length: None,
                byte_length,
                byte_offset,
                ..
            } => {
                let buffer = self.internal(sections, "[[Buffer]]", depth);
                let buffer = buffer.unwrap_or_else(|| "<unreadable>".to_string());
                let key = self.size_key("buffer");
                vec![
                    self.size("byteLength", *byte_length),
                    self.size("byteOffset", *byte_offset),
                    format!("{key}: {buffer}"),
                ]
            }
            Brief::ArrayBufferView {
                length: Some(length),
                ..
            } => {
                let view = JSArrayBufferView(object);
                let elements = view.elements(MAX_ITEMS as u64).unwrap_or_default();
                let mut parts: Vec<String> = elements.iter().map(element).collect();
                let left = length.saturating_sub(parts.len() as u64);
                parts.extend((left > 0).then(|| more(left)));
                parts
            }
            _ => match iterator_prefix(object.instance_type().unwrap_or(T::JSObject)) {
                Some(_) => self.iterated(object, sections, depth),
                None => self.elements(sections, 0, depth),
            },
        }
    }

    fn size_key(&self, name: &str) -> String {
        match self.style.bracketed_sizes {
            true => format!("[{name}]"),
            false => name.to_string(),
        }
    }

    fn size(&self, name: &str, size: u64) -> String {
        format!("{}: {size}", self.size_key(name))
    }

    fn bytes(&self, object: HeapObject, length: u64) -> String {
        let bytes = JSArrayBuffer(object).bytes(MAX_ITEMS as u64);
        let bytes = bytes.unwrap_or_default();
        format!("[Uint8Contents]: <{}>", hex(&bytes, length))
    }

    /// A primitive in an object.
    fn boxed(&mut self, primitive: &Value, class: &Class, depth: usize) -> String {
        let kind = match &primitive.brief {
            Brief::String { .. } => "String",
            Brief::BigInt { .. } => "BigInt",
            Brief::Symbol { .. } => "Symbol",
            Brief::Oddball { .. } => "Boolean",
            _ => "Number",
        };
        let other = match &class.constructor {
            None => " (null prototype)".to_string(),
            Some(name) if name != kind => format!(" ({})", escape(name)),
            Some(_) => String::new(),
        };
        let tag = match &class.tag {
            tag if tag.is_empty() || class.is(tag) => String::new(),
            tag => format!(" [{}]", escape(tag)),
        };
        format!("[{kind}{other}: {}]{tag}", self.value(primitive, depth))
    }

    fn elements(&mut self, sections: &[Section], length: u64, depth: usize) -> Vec<String> {
        let found = sections.iter().find_map(|s| match s {
            Section::Elements(items) => Some(items.items.as_slice()),
            _ => None,
        });
        let mut parts = Vec::new();
        let mut next = 0;
        for item in found.unwrap_or(&[]) {
            let Key::Index(index) = item.key else {
                continue;
            };
            if item.attributes.dont_enumerate {
                continue;
            }
            if length == 0 {
                let text = self.content(&item.value, depth);
                parts.push(format!("'{index}': {text}"));
                continue;
            }
            if parts.len() < MAX_ITEMS && index > next {
                parts.extend(holes(index.saturating_sub(next)));
                next = index;
            }
            if parts.len() >= MAX_ITEMS {
                break;
            }
            parts.push(self.content(&item.value, depth));
            next = index.saturating_add(1);
        }
        match length.saturating_sub(next) {
            0 => {}
            left if parts.len() >= MAX_ITEMS => parts.push(more(left)),
            left => parts.extend(holes(left)),
        }
        parts
    }

    fn entries(&mut self, sections: &[Section], size: u64, depth: usize) -> Vec<String> {
        let mut parts: Vec<String> = Vec::new();
        for item in entries(sections) {
            let Key::Entry(key) = &item.key else { continue };
            let key = self.value(key, depth);
            parts.push(match &item.value {
                Content::None => key,
                value => format!("{key} => {}", self.content(value, depth)),
            });
        }
        let left = size.saturating_sub(parts.len() as u64);
        parts.extend((left > 0).then(|| more(left)));
        parts
    }

    /// What an iterator of a Map or a Set has left.
    fn iterated(&mut self, object: HeapObject, sections: &[Section], depth: usize) -> Vec<String> {
        let kind = object.instance_type().unwrap_or(T::JSObject);
        let mut parts = Vec::new();
        for item in entries(sections) {
            let Key::Entry(key) = &item.key else { continue };
            let mut key = || self.value(key, depth);
            parts.push(match kind {
                T::JSMapKeyValueIterator => {
                    let key = key();
                    format!("[ {key}, {} ]", self.content(&item.value, depth))
                }
                T::JSSetKeyValueIterator => {
                    let key = key();
                    format!("[ {key}, {key} ]")
                }
                T::JSMapValueIterator => self.content(&item.value, depth),
                _ => key(),
            });
        }
        parts
    }
}

fn entries(sections: &[Section]) -> &[Item] {
    let found = sections.iter().find_map(|s| match s {
        Section::Entries(items) => Some(items.items.as_slice()),
        _ => None,
    });
    found.unwrap_or(&[])
}

fn iterator_prefix(kind: T) -> Option<&'static str> {
    Some(match kind {
        T::JSMapKeyValueIterator => "[Map Entries] ",
        T::JSMapKeyIterator | T::JSMapValueIterator => "[Map Iterator] ",
        T::JSSetKeyValueIterator => "[Set Entries] ",
        T::JSSetValueIterator => "[Set Iterator] ",
        _ => return None,
    })
}

fn element(element: &TypedElement) -> String {
    match element {
        TypedElement::Integer(value) => value.to_string(),
        TypedElement::Float(value) => number_text(*value),
        TypedElement::BigInt(value) => format!("{value}n"),
    }
}

/// Bytes, and how many of `length` are left.
fn hex(bytes: &[u8], length: u64) -> String {
    let shown: Vec<String> = bytes.iter().map(|b| format!("{b:02x}")).collect();
    let left = length.saturating_sub(bytes.len() as u64);
    let plural = if left == 1 { "" } else { "s" };
    match left {
        0 => shown.join(" "),
        _ => format!("{} ... {left} more byte{plural}", shown.join(" ")),
    }
}

fn more(count: u64) -> String {
    format!("... {count} more item{}", if count == 1 { "" } else { "s" })
}

fn holes(count: u64) -> Option<String> {
    let plural = if count == 1 { "" } else { "s" };
    (count > 0).then(|| format!("<{count} empty item{plural}>"))
}

fn null_prototype(class: &Class) -> &'static str {
    match class.constructor {
        None => " (null prototype)",
        Some(_) => "",
    }
}

fn function(object: HeapObject, kinds: &[&str], class: &Class, style: &Style) -> String {
    let name = function_name(object.cx, object.tagged()).unwrap_or_default();
    let name = escape(&name);
    let tagged = |kind: &str| {
        let constructor = class.constructor.as_deref().filter(|c| *c != kind);
        let constructor = constructor.map_or(String::new(), |c| format!(" {}", escape(c)));
        match &class.tag {
            tag if tag.is_empty() || class.is(tag) => constructor,
            tag => format!("{constructor} [{}]", escape(tag)),
        }
    };
    if kinds.contains(&"class") {
        let base = JSObject(object).chain().nth(1).map(|p| p.0.tagged());
        let base = base.and_then(|p| function_name(object.cx, p));
        let name = match name.is_empty() {
            true => "(anonymous)",
            false => &name,
        };
        let base = match (&class.constructor, base) {
            (None, _) => " extends [null prototype]".to_string(),
            (_, Some(base)) if !base.is_empty() => format!(" extends {}", escape(&base)),
            _ => String::new(),
        };
        let constructor = class.constructor.as_deref().filter(|c| *c != "Function");
        let constructor = constructor.map_or(String::new(), |c| format!(" [{}]", escape(c)));
        return format!("[class {name}{constructor}{base}]");
    }
    let (is_async, is_generator) = (kinds.contains(&"async"), kinds.contains(&"generator"));
    let kind = match (is_async, is_generator) {
        (true, true) => "AsyncGeneratorFunction",
        (true, false) => "AsyncFunction",
        (false, true) => "GeneratorFunction",
        (false, false) => "Function",
    };
    let null = null_prototype(class);
    let name = match (name.is_empty(), style.numbered) {
        (true, true) => " (anonymous)".to_string(),
        (true, false) => String::new(),
        (false, _) => format!(": {name}"),
    };
    format!("[{kind}{null}{name}]{}", tagged(kind))
}
