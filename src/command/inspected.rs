//! A value as Node.js writes it when nothing caught it, but in one line: as `util.inspect` does, five
//! levels deep and by no object's own method. Getters are not run.

mod class;
mod error;
mod opened;
mod quote;

use super::value::short;
use crate::metadata::InstanceType as T;
use crate::object::summary::{Brief, Content, Item, Items, Key, Options, Section, Text, Value};
use crate::object::{
    dom_exception, is_like_error, number_text, Cx, HeapObject, JSArrayBufferView, JSString, Tagged,
};
use crate::program::Program;
use crate::render::escape;
use class::Class;

/// Elements and entries shown of one value.
const MAX_ITEMS: usize = 100;
/// Characters shown of a string.
const MAX_STRING: usize = 10_000;
/// Characters of the whole.
const MAX_TEXT: usize = 1 << 15;
/// Values of the whole.
const MAX_VALUES: usize = 1 << 14;
/// Values in values.
const DEPTH: usize = 5;

const OPTIONS: Options = Options {
    length: Some(MAX_ITEMS),
    child_length: Some(MAX_STRING),
    source: false,
};

/// In what the releases differ, by their V8.
pub struct Style {
    /// `\x1B`, not `\u001b`.
    upper_hex: bool,
    /// Circular values have numbers, Maps and Sets sizes, functions are said to be anonymous.
    numbered: bool,
    own_constructor: bool,
    /// Strings are cut at [`MAX_STRING`].
    limited_strings: bool,
    /// Entries of Maps and Sets are limited as elements are.
    limited_entries: bool,
    /// `[byteLength]`, as of what does not enumerate.
    bracketed_sizes: bool,
    bracketed_symbols: bool,
    marked_proxies: bool,
    /// `cause` and `errors`, which do not enumerate.
    has_related: bool,
}

impl Style {
    fn of(cx: Cx) -> Style {
        let version = cx.layout.version;
        let is = |major, minor| version.at_least(major, minor);
        Style {
            upper_hex: is(8, 0),
            numbered: is(8, 0),
            own_constructor: !is(8, 0),
            limited_strings: is(9, 0),
            // Node 18 has not what 16 and 20 have.
            limited_entries: is(11, 0) || (is(9, 0) && !is(10, 0)),
            // Came within two lines: their first releases have it not, their last ones do.
            bracketed_sizes: match version.major {
                12 => version.patch > 14,
                13 => version.patch > 8,
                major => major > 13,
            },
            bracketed_symbols: !is(13, 0),
            marked_proxies: is(14, 0),
            has_related: is(9, 0),
        }
    }

    #[cfg(test)]
    fn newest() -> Style {
        Style {
            upper_hex: true,
            numbered: true,
            own_constructor: false,
            limited_strings: true,
            limited_entries: true,
            bracketed_sizes: true,
            bracketed_symbols: false,
            marked_proxies: true,
            has_related: true,
        }
    }
}

/// The value in a line without control characters.
pub fn inspected(cx: Cx, program: &Program, value: Tagged) -> String {
    let shown = Value::child(cx, value, OPTIONS);
    cut(Writer::new(cx, program).value(&shown, 0))
}

/// The properties that a program gave an Error, in the same form; `None` where there are none.
pub fn given_properties(program: &Program, object: HeapObject) -> Option<String> {
    let mut value = Value::detailed(object.cx, object.tagged(), OPTIONS).ok()?;
    let said = ["name", "message", "stack", "cause", "errors"];
    value.sections.retain_mut(|section| match section {
        Section::Properties(items) => {
            let is_new = |key: &Key| !matches!(key, Key::Name(n) if said.contains(&n.as_str()));
            items.items.retain(|i| is_new(&i.key));
            true
        }
        _ => false,
    });
    let mut writer = Writer::new(object.cx, program);
    writer.around.push(object.address);
    let parts = writer.properties(&value.sections, 0);
    (!parts.is_empty()).then(|| cut(format!("{{ {} }}", parts.join(", "))))
}

fn cut(text: String) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or("")),
        None => text,
    }
}

struct Writer<'a> {
    cx: Cx<'a>,
    program: &'a Program,
    style: Style,
    /// What the value being written is in.
    around: Vec<u64>,
    /// What was found to be in itself, in the order of finding.
    circular: Vec<u64>,
    values: usize,
}

impl<'a> Writer<'a> {
    fn new(cx: Cx<'a>, program: &'a Program) -> Writer<'a> {
        Writer {
            cx,
            program,
            style: Style::of(cx),
            around: Vec::new(),
            circular: Vec::new(),
            values: 0,
        }
    }

    fn value(&mut self, value: &Value, depth: usize) -> String {
        self.values += 1;
        if self.values > MAX_VALUES {
            return "…".to_string();
        }
        let object = value.address.and_then(|a| self.cx.object(Tagged(a.0)).ok());
        match (&value.brief, object) {
            (Brief::Smi { value }, _) => value.to_string(),
            (Brief::Number { value }, _) => number_text(value.0),
            (Brief::BigInt { value }, _) => format!("{value}n"),
            (Brief::String { text, .. }, object) => self.string(text, object),
            (Brief::Symbol { description }, _) => {
                let text = description.as_ref().map_or("", |t| t.text.as_str());
                format!("Symbol({})", quote::marked(text, &self.style))
            }
            (Brief::Oddball { name }, _) => name.to_string(),
            (_, Some(object)) => self.object(object, &value.brief, depth),
            _ => "<unreadable>".to_string(),
        }
    }

    fn string(&self, text: &Text, object: Option<HeapObject>) -> String {
        let limit = match self.style.limited_strings {
            true => MAX_STRING,
            false => MAX_TEXT,
        };
        let units = object.and_then(|o| JSString(o).read(limit).ok());
        let units = units.map_or_else(|| text.text.encode_utf16().collect(), |t| t.units);
        let shown = quote::quoted(&units, &self.style);
        let left = text.length.saturating_sub(units.len() as u64);
        let plural = if left == 1 { "" } else { "s" };
        match &text.hole {
            Some(hole) => format!("{shown}... (the rest: {})", escape(hole)),
            None if left > 0 => format!("{shown}... {left} more character{plural}"),
            None => shown,
        }
    }

    fn object(&mut self, object: HeapObject<'a>, brief: &Brief, depth: usize) -> String {
        if let Brief::Proxy { revoked } = brief {
            return self.proxy(object, *revoked, depth);
        }
        if self.around.contains(&object.address) {
            if !self.style.numbered {
                return "[Circular]".to_string();
            }
            let known = self.circular.iter().position(|c| *c == object.address);
            let number = known.unwrap_or_else(|| {
                self.circular.push(object.address);
                self.circular.len() - 1
            });
            return format!("[Circular *{}]", number + 1);
        }
        self.around.push(object.address);
        let text = self.open(object, brief, depth);
        self.around.pop();
        match self.circular.iter().position(|c| *c == object.address) {
            Some(number) => format!("<ref *{}> {text}", number + 1),
            None => text,
        }
    }

    /// A proxy is shown as what it stands for.
    fn proxy(&mut self, object: HeapObject<'a>, revoked: bool, depth: usize) -> String {
        let target = crate::object::proxy_parts(object).map(|(target, _)| target);
        let Ok(target) = target.map_err(|_| ()).and_then(|t| match revoked {
            true => Err(()),
            false => Ok(t),
        }) else {
            return "<Revoked Proxy>".to_string();
        };
        let value = Value::child(self.cx, target, OPTIONS);
        let shown = self.value(&value, depth);
        match self.style.marked_proxies {
            true => format!("Proxy({shown})"),
            false => shown,
        }
    }

    fn open(&mut self, object: HeapObject<'a>, brief: &Brief, depth: usize) -> String {
        let class = Class::of(object, self.style.own_constructor);
        let sections = self.sections(object);
        let inside = depth + 1;
        let Some(mut opened) = self.opened(object, brief, &class, &sections, depth) else {
            return short(self.cx, object.tagged());
        };
        let error = opened.base.clone();
        let is_error = self.is_error(object, brief);
        let is_shown = |item: &Item| !is_error || error::is_shown(item, &error);
        let count = self
            .own(&sections)
            .into_iter()
            .filter(|i| is_shown(i))
            .count();
        let related = match is_error && self.style.has_related {
            true => self.related(&sections),
            false => Vec::new(),
        };
        if opened.parts.is_empty() && count == 0 && related.is_empty() {
            let (open, close) = opened.brackets;
            return match opened.base.is_empty() {
                true => format!("{}{open}{close}", opened.prefix),
                false => opened.base,
            };
        }
        if depth > DEPTH {
            // A regular expression says all of itself.
            if matches!(brief, Brief::RegExp { .. }) {
                return opened.base;
            }
            let name = class.prefix(&self.fallback(object, brief), "");
            let name = match opened.prefix.starts_with("[Arguments]") {
                true => "Object",
                false => name.trim_end(),
            };
            return match class.constructor {
                Some(_) => format!("[{}]", escape(name)),
                None => escape(name).into_owned(),
            };
        }
        if opened.is_deep {
            opened.parts = self.parts(object, brief, &sections, inside);
        }
        let own: Vec<Item> = self.own(&sections).into_iter().cloned().collect();
        for item in own.iter().filter(|i| is_shown(i)) {
            let part = self.property(item, inside);
            opened.parts.push(part);
        }
        for (name, value) in related {
            let shown = self.content(&value, inside);
            opened.parts.push(format!("[{name}]: {shown}"));
        }
        let (open, close) = opened.brackets;
        let base = match opened.base.is_empty() {
            true => String::new(),
            false => format!("{} ", opened.base),
        };
        let parts = opened.parts.join(", ");
        format!("{base}{}{open} {parts} {close}", opened.prefix)
    }

    fn sections(&self, object: HeapObject<'a>) -> Vec<Section> {
        let is_collection = matches!(object.instance_type(), Ok(T::JSMap | T::JSSet));
        let options = match is_collection && !self.style.limited_entries {
            true => Options {
                length: Some(MAX_VALUES),
                ..OPTIONS
            },
            false => OPTIONS,
        };
        let found = Value::detailed(self.cx, object.tagged(), options);
        found.map_or_else(|_| Vec::new(), |v| v.sections)
    }

    fn is_error(&self, object: HeapObject, brief: &Brief) -> bool {
        matches!(brief, Brief::Error { .. })
            || (matches!(brief, Brief::Object { .. })
                && matches!(dom_exception(object), Ok(Some(_))))
            || (matches!(brief, Brief::Object { .. }) && is_like_error(object))
    }

    /// V8's own name of a class.
    fn fallback(&self, object: HeapObject, brief: &Brief) -> String {
        match brief {
            Brief::Array { .. } => "Array".to_string(),
            Brief::Collection { collection, .. } => collection.to_string(),
            Brief::Object { constructor } => constructor.clone(),
            Brief::ArrayBufferView { .. } => self.view_name(object),
            _ => "Object".to_string(),
        }
    }

    fn view_name(&self, object: HeapObject) -> String {
        let kind = JSArrayBufferView(object).kind().ok().flatten();
        kind.map_or("DataView", |k| k.name()).to_string()
    }

    /// The properties of an object's own that enumerate.
    fn own<'s>(&self, sections: &'s [Section]) -> Vec<&'s Item> {
        let shown = |item: &&Item| {
            !item.attributes.dont_enumerate
                && matches!(item.key, Key::Name(_) | Key::Symbol(_) | Key::Index(_))
        };
        properties_of(sections).iter().filter(shown).collect()
    }

    /// `cause` and `errors`, where they do not enumerate.
    fn related(&self, sections: &[Section]) -> Vec<(&'static str, Content)> {
        let find = |name: &'static str| {
            let is_it = |i: &&Item| {
                i.attributes.dont_enumerate && matches!(&i.key, Key::Name(n) if n == name)
            };
            let item = properties_of(sections).iter().find(is_it)?;
            Some((name, item.value.clone()))
        };
        ["cause", "errors"].into_iter().filter_map(find).collect()
    }

    fn properties(&mut self, sections: &[Section], depth: usize) -> Vec<String> {
        let own: Vec<Item> = self.own(sections).into_iter().cloned().collect();
        own.iter().map(|i| self.property(i, depth + 1)).collect()
    }

    fn property(&mut self, item: &Item, depth: usize) -> String {
        let key = match &item.key {
            Key::Name(name) => quote::key(name, &self.style),
            Key::Index(index) => format!("'{index}'"),
            Key::Symbol(text) => {
                let text = quote::marked(text.as_deref().unwrap_or(""), &self.style);
                match self.style.bracketed_symbols {
                    true => format!("[Symbol({text})]"),
                    false => format!("Symbol({text})"),
                }
            }
            _ => String::new(),
        };
        format!("{key}: {}", self.content(&item.value, depth))
    }

    fn internal(&mut self, sections: &[Section], name: &str, depth: usize) -> Option<String> {
        let items = sections.iter().find_map(|s| match s {
            Section::InternalSlots(items) => Some(&items.items),
            _ => None,
        })?;
        let is_it = |i: &&Item| matches!(i.key, Key::Internal(n) if n == name);
        match &items.iter().find(is_it)?.value {
            Content::Value(value) => Some(self.value(value, depth)),
            _ => None,
        }
    }

    fn content(&mut self, content: &Content, depth: usize) -> String {
        match content {
            Content::Value(value) => self.value(value, depth),
            Content::Accessor { getter, setter } => match (getter, setter) {
                (Some(_), Some(_)) => "[Getter/Setter]".to_string(),
                (Some(_), None) => "[Getter]".to_string(),
                (None, Some(_)) => "[Setter]".to_string(),
                (None, None) => "undefined".to_string(),
            },
            Content::NativeAccessor => "[Getter/Setter]".to_string(),
            Content::Note(text) => escape(text).into_owned(),
            Content::None => String::new(),
            Content::Unreadable { reason } => format!("<unreadable: {}>", escape(reason)),
        }
    }
}

fn properties_of(sections: &[Section]) -> &[Item] {
    let found = sections.iter().find_map(|s| match s {
        Section::Properties(Items { items, .. }) => Some(items.as_slice()),
        _ => None,
    });
    found.unwrap_or(&[])
}
