//! A value as Node's `util.inspect` writes it, in one line and two levels deep: what Node.js says
//! after "Uncaught" of what is no Error.

use super::value::short;
use crate::metadata::InstanceType;
use crate::object::summary::{Brief, Content, Item, Items, Key, Options, Section, Text, Value};
use crate::object::{
    error_text, number_text, Cx, HeapObject, JSFunction, JSObject, JSPromise, PromiseState,
    PropertyValue, Tagged,
};
use crate::render::escape;

/// Elements, entries and properties shown of one value.
const MAX_ITEMS: usize = 20;
/// Characters shown of a string.
const MAX_STRING: usize = 200;
/// Characters of the whole.
const MAX_TEXT: usize = 2000;
/// Values in values.
const DEPTH: usize = 1;
/// Prototypes looked at for a constructor.
const MAX_CHAIN: usize = 64;

const OPTIONS: Options = Options {
    length: Some(MAX_ITEMS),
    child_length: Some(MAX_STRING),
    source: false,
};

/// The value in a line without control characters.
pub fn inspected(cx: Cx, value: Tagged) -> String {
    let shown = Value::child(cx, value, OPTIONS);
    cut(Writer::new(cx).value(&shown, 0))
}

/// The properties that a program gave an Error, in the same form; `None` where there are none.
pub fn given_properties(object: HeapObject) -> Option<String> {
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
    let parts = Writer::new(object.cx).properties(&value.sections, 0);
    (!parts.is_empty()).then(|| cut(braced(&parts)))
}

fn cut(text: String) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or("")),
        None => text,
    }
}

fn braced(parts: &[String]) -> String {
    match parts.is_empty() {
        true => "{}".to_string(),
        false => format!("{{ {} }}", parts.join(", ")),
    }
}

struct Writer<'a> {
    cx: Cx<'a>,
    /// What the value being written is in.
    around: Vec<u64>,
}

impl<'a> Writer<'a> {
    fn new(cx: Cx<'a>) -> Writer<'a> {
        Writer {
            cx,
            around: Vec::new(),
        }
    }

    fn value(&mut self, value: &Value, depth: usize) -> String {
        let object = value.address.and_then(|a| self.cx.object(Tagged(a.0)).ok());
        match (&value.brief, object) {
            (Brief::Smi { value }, _) => value.to_string(),
            (Brief::Number { value }, _) => number_text(value.0),
            (Brief::BigInt { value }, _) => format!("{value}n"),
            (Brief::String { text, .. }, _) => quoted_text(text),
            (Brief::Symbol { description }, _) => {
                let text = description.as_ref().map_or("", |t| t.text.as_str());
                format!("Symbol({})", escape(text))
            }
            (Brief::Oddball { name }, _) => name.to_string(),
            (_, Some(object)) => self.object(object, &value.brief, depth),
            _ => "<unreadable>".to_string(),
        }
    }

    fn object(&mut self, object: HeapObject<'a>, brief: &Brief, depth: usize) -> String {
        if self.around.contains(&object.address) {
            return "[Circular]".to_string();
        }
        self.around.push(object.address);
        let text = self.open(object, brief, depth);
        self.around.pop();
        text
    }

    fn open(&mut self, object: HeapObject<'a>, brief: &Brief, depth: usize) -> String {
        let plain = || short(self.cx, object.tagged());
        let sections = Value::detailed(self.cx, object.tagged(), OPTIONS);
        let sections = sections.map_or_else(|_| Vec::new(), |v| v.sections);
        let name = constructor(object);
        // With properties of its own, where it has some.
        let with = |this: &mut Self, base: String| {
            let parts = this.properties(&sections, depth);
            match parts.is_empty() || depth > DEPTH {
                true => base,
                false => format!("{{ {base} {}", braced(&parts).trim_start_matches("{ ")),
            }
        };
        match brief {
            Brief::Function { name, kinds, .. } => {
                let base = function(object, name, kinds);
                with(self, base)
            }
            Brief::BoundFunction { name } => with(self, format!("[Function: {}]", escape(name))),
            Brief::Error { .. } => {
                let text = error_text(object).unwrap_or_default();
                with(self, format!("[{}]", escape(&text)))
            }
            Brief::Date { iso, .. } => {
                with(self, iso.clone().unwrap_or_else(|| "Invalid Date".into()))
            }
            Brief::RegExp { source, flags } => {
                with(self, format!("/{}/{flags}", escape(&source.text)))
            }
            Brief::Wrapper {
                constructor,
                primitive,
            } => {
                let inner = self.value(primitive, depth + 1);
                format!("[{}: {inner}]", escape(constructor))
            }
            Brief::Proxy { revoked: true } => "<Revoked Proxy>".to_string(),
            Brief::Proxy { .. } if depth > DEPTH => "Proxy [Array]".to_string(),
            Brief::Proxy { .. } => {
                let parts = self.internal(&sections, &["[[Target]]", "[[Handler]]"], depth + 1);
                format!("Proxy [ {} ]", parts.join(", "))
            }
            Brief::Promise { .. } if depth <= DEPTH => {
                let inner = match JSPromise(object).state() {
                    Ok(PromiseState::Pending) => vec!["<pending>".to_string()],
                    state => {
                        let parts = self.internal(&sections, &["[[PromiseResult]]"], depth + 1);
                        let mark = |p: String| match state {
                            Ok(PromiseState::Rejected) => format!("<rejected> {p}"),
                            _ => p,
                        };
                        parts.into_iter().map(mark).collect()
                    }
                };
                format!("{} {{ {} }}", escape(&name), inner.join(", "))
            }
            Brief::Array { length, .. } => {
                let prefix = match name.as_str() {
                    "Array" => String::new(),
                    _ => format!("{}({length}) ", escape(&name)),
                };
                let parts = self.elements(&sections, *length, depth);
                self.group(&prefix, parts, &sections, depth, ('[', ']'), &name)
            }
            Brief::Collection {
                collection, size, ..
            } => {
                if collection.starts_with("Weak") {
                    return format!("{} {{ <items unknown> }}", escape(&name));
                }
                let parts = self.entries(&sections, *size, depth);
                let prefix = format!("{}({size}) ", escape(&name));
                self.group(&prefix, parts, &sections, depth, ('{', '}'), &name)
            }
            Brief::Object { .. } => {
                let prefix = match name.as_str() {
                    "Object" => String::new(),
                    _ => format!("{} ", escape(&name)),
                };
                let parts = self.elements(&sections, 0, depth);
                self.group(&prefix, parts, &sections, depth, ('{', '}'), &name)
            }
            _ => plain(),
        }
    }

    /// Parts between brackets, or only the class where that is too deep.
    fn group(
        &mut self,
        prefix: &str,
        mut parts: Vec<String>,
        sections: &[Section],
        depth: usize,
        (open, close): (char, char),
        name: &str,
    ) -> String {
        parts.extend(self.properties(sections, depth));
        if parts.is_empty() {
            return format!("{prefix}{open}{close}");
        }
        if depth > DEPTH {
            return match name.strip_prefix('[') {
                Some(_) => name.to_string(),
                None => format!("[{}]", escape(name)),
            };
        }
        format!("{prefix}{open} {} {close}", parts.join(", "))
    }

    fn elements(&mut self, sections: &[Section], length: u64, depth: usize) -> Vec<String> {
        let Some(items) = sections.iter().find_map(|s| match s {
            Section::Elements(items) => Some(items),
            _ => None,
        }) else {
            return holes(length).into_iter().collect();
        };
        if depth > DEPTH {
            return vec![String::new()];
        }
        let is_array = length > 0;
        let mut parts = Vec::new();
        let mut next = 0;
        for item in items.items.iter().take(MAX_ITEMS) {
            let text = self.content(&item.value, depth);
            match item.key {
                Key::Index(index) if is_array => {
                    parts.extend(holes(index.saturating_sub(next)));
                    next = index.saturating_add(1);
                    parts.push(text);
                }
                Key::Index(index) => parts.push(format!("'{index}': {text}")),
                _ => parts.push(text),
            }
        }
        let left = items.items.len().saturating_sub(MAX_ITEMS) as u64;
        let left = match is_array {
            true => length.saturating_sub(next),
            false => left,
        };
        match (
            left,
            items.more.is_some() || !is_array || next as usize >= MAX_ITEMS,
        ) {
            (0, _) => {}
            (left, true) => parts.push(more(left)),
            (left, false) => parts.extend(holes(left)),
        }
        parts
    }

    fn entries(&mut self, sections: &[Section], size: u64, depth: usize) -> Vec<String> {
        let Some(items) = sections.iter().find_map(|s| match s {
            Section::Entries(items) => Some(items),
            _ => None,
        }) else {
            return Vec::new();
        };
        if depth > DEPTH {
            return vec![String::new()];
        }
        let mut parts: Vec<String> = Vec::new();
        for item in items.items.iter().take(MAX_ITEMS) {
            let Key::Entry(key) = &item.key else { continue };
            let key = self.value(key, depth + 1);
            parts.push(match &item.value {
                Content::None => key,
                value => format!("{key} => {}", self.content(value, depth)),
            });
        }
        let left = size.saturating_sub(parts.len() as u64);
        if left > 0 {
            parts.push(more(left));
        }
        parts
    }

    /// What `key: value` an object has, those that enumerate.
    fn properties(&mut self, sections: &[Section], depth: usize) -> Vec<String> {
        let none = Items::default();
        let items = sections.iter().find_map(|s| match s {
            Section::Properties(items) => Some(items),
            _ => None,
        });
        let shown = |item: &&Item| {
            !item.attributes.dont_enumerate
                && matches!(item.key, Key::Name(_) | Key::Symbol(_) | Key::Index(_))
        };
        let all: Vec<&Item> = items.unwrap_or(&none).items.iter().filter(shown).collect();
        if depth > DEPTH && !all.is_empty() {
            return vec![String::new()];
        }
        let mut parts = Vec::new();
        for item in all.iter().take(MAX_ITEMS) {
            let key = match &item.key {
                Key::Name(name) if is_identifier(name) => name.clone(),
                Key::Name(name) => quoted(name),
                Key::Index(index) => format!("'{index}'"),
                Key::Symbol(text) => format!("[Symbol({})]", escape(text.as_deref().unwrap_or(""))),
                _ => continue,
            };
            parts.push(format!("{key}: {}", self.content(&item.value, depth)));
        }
        let left = all.len().saturating_sub(MAX_ITEMS) as u64;
        if left > 0 {
            parts.push(more(left));
        }
        parts
    }

    fn internal(&mut self, sections: &[Section], names: &[&str], depth: usize) -> Vec<String> {
        let items = sections.iter().find_map(|s| match s {
            Section::InternalSlots(items) => Some(items),
            _ => None,
        });
        let mut parts = Vec::new();
        for name in names {
            let item = items.and_then(|all| {
                let is_it = |i: &&Item| matches!(i.key, Key::Internal(n) if n == *name);
                all.items.iter().find(is_it)
            });
            if let Some(Content::Value(value)) = item.map(|i| &i.value) {
                parts.push(self.value(value, depth));
            }
        }
        parts
    }

    fn content(&mut self, content: &Content, depth: usize) -> String {
        match content {
            Content::Value(value) => self.value(value, depth + 1),
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

fn more(count: u64) -> String {
    format!("... {count} more item{}", if count == 1 { "" } else { "s" })
}

fn holes(count: u64) -> Option<String> {
    let plural = if count == 1 { "" } else { "s" };
    (count > 0).then(|| format!("<{count} empty item{plural}>"))
}

fn function(object: HeapObject, name: &str, kinds: &[&str]) -> String {
    let name = escape(name);
    if kinds.contains(&"class") {
        let base = object.map().and_then(|m| m.prototype());
        let base = base.and_then(|p| object.cx.object(p));
        let base = base.and_then(JSFunction::new).and_then(|f| f.debug_name());
        let base = base.unwrap_or_default();
        let name = if name.is_empty() {
            "(anonymous)"
        } else {
            &name
        };
        return match base.is_empty() {
            true => format!("[class {name}]"),
            false => format!("[class {name} extends {}]", escape(&base)),
        };
    }
    let (is_async, is_generator) = (kinds.contains(&"async"), kinds.contains(&"generator"));
    let kind = match (is_async, is_generator) {
        (true, true) => "AsyncGeneratorFunction",
        (true, false) => "AsyncFunction",
        (false, true) => "GeneratorFunction",
        (false, false) => "Function",
    };
    match name.is_empty() {
        true => format!("[{kind} (anonymous)]"),
        false => format!("[{kind}: {name}]"),
    }
}

/// The name of the first constructor on the chain of prototypes.
fn constructor(object: HeapObject) -> String {
    let cx = object.cx;
    let found = JSObject(object).chain().take(MAX_CHAIN).find_map(|holder| {
        let property = holder.own_property_named("constructor").ok()??;
        let Ok(PropertyValue::Tagged(class)) = property.value else {
            return None;
        };
        let class = cx.object(class).ok()?;
        if !class.instance_type().ok()?.is_js_function() {
            return None;
        }
        let name = JSFunction(class).debug_name().ok()?;
        (!name.is_empty()).then_some(name)
    });
    let class = match object.instance_type() {
        Ok(InstanceType::JSArray) => "Array",
        Ok(InstanceType::JSMap) => "Map",
        Ok(InstanceType::JSSet) => "Set",
        _ => "Object",
    };
    found.unwrap_or_else(|| format!("[{class}: null prototype]"))
}

fn is_identifier(name: &str) -> bool {
    let mut bytes = name.bytes();
    let first = bytes
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    first && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn quoted_text(text: &Text) -> String {
    let shown = quoted(&text.text);
    match (&text.hole, text.truncated) {
        (Some(hole), _) => format!("{shown}... (the rest: {})", escape(hole)),
        (None, true) => {
            let left = text.length.saturating_sub(MAX_STRING as u64);
            let plural = if left == 1 { "" } else { "s" };
            format!("{shown}... {left} more character{plural}")
        }
        (None, false) => shown,
    }
}

/// In the quotes that need the least escapes.
fn quoted(text: &str) -> String {
    let quote = match text {
        t if !t.contains('\'') => '\'',
        t if !t.contains('"') => '"',
        t if !t.contains('`') && !t.contains("${") => '`',
        _ => '\'',
    };
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for c in text.chars() {
        if c == quote || c == '\\' {
            out.push('\\');
        }
        out.push(c);
    }
    out.push(quote);
    escape(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn strings_are_quoted_as_node_does() {
        for (text, shown) in [
            ("plain", "'plain'"),
            ("it's", "\"it's\""),
            ("it's \"so\"", "`it's \"so\"`"),
            ("a\\b\n", "'a\\\\b\\n'"),
            ("`'\"", "'`\\'\"'"),
        ] {
            assert_eq!(quoted(text), shown);
        }
    }
}
