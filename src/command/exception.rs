//! An exception in words: what it says of itself, where it was made, and what it came of.

use super::error_stack;
use super::inspected::{given_properties, inspected};
use super::value::short;
use crate::metadata::InstanceType;
use crate::object::summary::{Options, Section, StackEntry, Value as Summary};
use crate::object::{
    data_property, dom_exception, error_text, is_like_error, number_text, Cx, HeapObject, JSObject,
    JSString, Symbol, Tagged,
};
use crate::program::Program;
use crate::render::escape;
use serde_json::{json, Value};

/// Lines of its stack shown.
const MAX_LINES: usize = 50;
/// The same of an error that it came of: where it was made.
const MAX_RELATED_LINES: usize = 3;
/// Errors that it came of, at most, and how far off.
const MAX_RELATED: usize = 20;
const MAX_DEPTH: usize = 8;
/// Errors of an AggregateError, at most.
const MAX_ERRORS: usize = 8;
/// Longest thrown string shown.
const MAX_TEXT: usize = 4096;
/// Longest text of a stack.
const MAX_STACK: usize = 1 << 16;

/// An exception in words.
pub struct Exception {
    value: Tagged,
    pub text: String,
    /// Lines of its stack, each from "at" on.
    stack: Vec<String>,
    /// What the program put on it besides.
    properties: Option<String>,
    related: Vec<Related>,
}

/// A value that an error names as what it came of.
struct Related {
    /// 0 of the exception itself.
    depth: usize,
    kind: Kind,
    value: Tagged,
    text: String,
    stack: Vec<String>,
    properties: Option<String>,
}

enum Kind {
    Cause,
    /// One of an AggregateError's, by its number.
    Error(u64),
    /// Those that are left out.
    More(u64),
}

impl Exception {
    pub fn new(cx: Cx, program: &Program, value: Tagged) -> Exception {
        let mut related = Vec::new();
        let mut around = vec![value];
        collect(cx, program, value, &mut around, &mut related);
        Exception {
            value,
            text: value_text(cx, program, value),
            stack: stack(cx, program, value),
            properties: properties(cx, program, value),
            related,
        }
    }

    /// All but the first line.
    pub fn lines(&self, cx: Cx) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        // A message of several lines stays in one place.
        let shown = self.stack.iter().take(MAX_LINES);
        out.extend(shown.map(|l| format!("    {l}")));
        let more = self.stack.len().saturating_sub(MAX_LINES);
        if more > 0 {
            out.push(format!("    … {more} more"));
        }
        if let Some(properties) = &self.properties {
            out.push(format!("  {properties}"));
        }
        for part in &self.related {
            part.push_lines(&self.stack, &mut out);
        }
        out.push(format!("  exception: {}", short(cx, self.value)));
        out
    }

    pub fn to_json(&self) -> Value {
        let causes = self.related.iter().enumerate().filter(|(at, r)| {
            let is_cause = |r: &Related| matches!(r.kind, Kind::Cause);
            // A cause of a cause, and so on from the exception.
            is_cause(r)
                && self
                    .related
                    .iter()
                    .take(*at)
                    .filter(|b| is_cause(b))
                    .count()
                    == r.depth
        });
        let causes: Vec<&str> = causes.map(|(_, r)| r.text.as_str()).collect();
        let related: Vec<Value> = self.related.iter().filter_map(Related::to_json).collect();
        json!({
            "value": format!("{:#x}", self.value.0),
            "text": self.text,
            "stack": self.stack,
            "properties": self.properties,
            "causes": causes,
            "related": related,
        })
    }
}

impl Related {
    fn push_lines(&self, outer: &[String], out: &mut Vec<String>) {
        let indent = "  ".repeat(self.depth.saturating_add(1));
        match self.kind {
            Kind::Cause => out.push(format!("{indent}[cause]: {}", escape(&self.text))),
            Kind::Error(n) => out.push(format!("{indent}[errors][{n}]: {}", escape(&self.text))),
            Kind::More(n) => {
                out.push(format!("{indent}[errors]: … {n} more"));
            }
        }
        // The calls that led to both are above.
        let own = self.stack.iter().filter(|l| !outer.contains(l));
        let own = own.take(MAX_RELATED_LINES);
        out.extend(own.map(|l| format!("{indent}    {l}")));
        if let Some(properties) = &self.properties {
            out.push(format!("{indent}  {properties}"));
        }
    }

    fn to_json(&self) -> Option<Value> {
        let (kind, index) = match self.kind {
            Kind::Cause => ("cause", None),
            Kind::Error(n) => ("error", Some(n)),
            Kind::More(_) => return None,
        };
        Some(json!({
            "kind": kind,
            "index": index,
            "depth": self.depth,
            "value": format!("{:#x}", self.value.0),
            "text": self.text,
            "stack": self.stack,
            "properties": self.properties,
        }))
    }
}

/// Adds what an error came of, in the order of a tree.
fn collect(
    cx: Cx,
    program: &Program,
    value: Tagged,
    around: &mut Vec<Tagged>,
    out: &mut Vec<Related>,
) {
    let depth = around.len().saturating_sub(1);
    let Some(object) = error_object(cx, value).filter(|_| depth < MAX_DEPTH) else {
        return;
    };
    let mut parts = Vec::new();
    if let Ok(Some(errors)) = data_property(object, "errors") {
        let (some, left) = elements(cx, errors).unwrap_or_default();
        parts.extend(some.into_iter().map(|(n, v)| (Kind::Error(n), v)));
        if left > 0 {
            parts.push((Kind::More(left), errors));
        }
    }
    if let Ok(Some(cause)) = data_property(object, "cause") {
        parts.push((Kind::Cause, cause));
    }
    for (kind, value) in parts {
        if out.len() >= MAX_RELATED {
            return;
        }
        let is_error = error_object(cx, value).is_some();
        let is_circular = around.contains(&value) && is_error;
        let is_more = matches!(kind, Kind::More(_));
        let opened = is_error && !is_circular && !is_more;
        let text = match is_error {
            true => value_text(cx, program, value),
            false => inspected(cx, program, value),
        };
        out.push(Related {
            depth,
            kind,
            value,
            text: match is_circular {
                true => format!("[Circular] {text}"),
                false => text,
            },
            stack: match opened {
                true => stack(cx, program, value),
                false => Vec::new(),
            },
            properties: opened.then(|| properties(cx, program, value)).flatten(),
        });
        if opened {
            around.push(value);
            collect(cx, program, value, around, out);
            around.pop();
        }
    }
}

/// Elements of an array with their numbers, and how many are left out.
fn elements(cx: Cx, array: Tagged) -> Option<(Vec<(u64, Tagged)>, u64)> {
    let array = cx.object(array).ok()?;
    if array.instance_type().ok()? != InstanceType::JSArray {
        return None;
    }
    let all = JSObject(array).array_length().ok()?;
    let found = JSObject(array).own_elements(MAX_ERRORS).ok()?;
    let mut some = Vec::new();
    for element in found.items.into_iter().take(MAX_ERRORS) {
        if let Ok(crate::object::PropertyValue::Tagged(value)) = element.value {
            some.push((element.index, value));
        }
    }
    Some((some, all.saturating_sub(MAX_ERRORS as u64)))
}

/// The object, where it is an Error or made like one.
fn error_object(cx: Cx, value: Tagged) -> Option<HeapObject> {
    let object = cx.object(value).ok()?;
    let is_error = object.instance_type().ok()? == InstanceType::JSError
        || is_like_error(object)
        || matches!(dom_exception(object), Ok(Some(_)));
    is_error.then_some(object)
}

fn properties(cx: Cx, program: &Program, value: Tagged) -> Option<String> {
    error_object(cx, value).and_then(|e| given_properties(program, e))
}

/// As V8 says it after "Uncaught", and a DOMException as Node.js does; an object that is no Error
/// as `util.inspect` shows it.
fn value_text(cx: Cx, program: &Program, value: Tagged) -> String {
    let special = || -> Option<String> {
        if let Some(number) = cx.smi(value) {
            return Some(number.to_string());
        }
        let object = cx.object(value).ok()?;
        // It has neither a name nor a message of its own.
        if let Ok(Some(dom)) = dom_exception(object) {
            return Some(dom.text());
        }
        match object.instance_type().ok()? {
            InstanceType::JSError => error_text(object).ok().filter(|t| !t.is_empty()),
            InstanceType::String => {
                let text = JSString(object).read(MAX_TEXT).ok()?;
                let more = if text.is_truncated() { "…" } else { "" };
                Some(format!("{}{more}", text.text()))
            }
            InstanceType::HeapNumber => {
                let bits = object.u64_field(cx.layout.heap_number.value).ok()?;
                Some(number_text(f64::from_bits(bits)))
            }
            InstanceType::Symbol => {
                let text = Symbol(object).description(MAX_TEXT).ok()?;
                let text = text.map_or_else(String::new, |t| t.text());
                Some(format!("Symbol({text})"))
            }
            _ if is_like_error(object) => error_text(object).ok().filter(|t| !t.is_empty()),
            _ => Some(inspected(cx, program, value)),
        }
    };
    special().unwrap_or_else(|| short(cx, value))
}

/// The stack of an Error as its text: what it was given or made into, else what V8 would make of it.
/// `None` where it has captured none.
pub(super) fn stack_text(cx: Cx, program: &Program, object: HeapObject) -> Option<String> {
    if let Some(given) = given_stack(object) {
        return Some(given);
    }
    match captured(cx, program, object.tagged())? {
        Captured::Text(text) => Some(text),
        Captured::Calls(calls) => {
            let text = match dom_exception(object) {
                Ok(Some(dom)) if dom.message.is_empty() => dom.name,
                Ok(Some(dom)) => format!("{}: {}", dom.name, dom.message),
                _ => error_text(object).ok()?,
            };
            let calls: Vec<String> = calls.iter().map(|c| format!("\n    {c}")).collect();
            Some(text + &calls.concat())
        }
    }
}

/// A stack that is an own property, as any other.
fn given_stack(object: HeapObject) -> Option<String> {
    let own = JSObject(object).own_property_named("stack").ok()??;
    let crate::object::PropertyValue::Tagged(value) = own.value.ok()? else {
        return None;
    };
    let value = object.cx.object(value).ok()?;
    let is_string = value.is_string().ok()?;
    is_string.then(|| Some(JSString(value).read(MAX_STACK).ok()?.text()))?
}

/// What an Error captured.
enum Captured {
    Text(String),
    /// Each from "at" on.
    Calls(Vec<String>),
}

fn captured(cx: Cx, program: &Program, value: Tagged) -> Option<Captured> {
    let mut shown = Summary::detailed(cx, value, Options::default()).ok()?;
    error_stack::locate(cx, program, &mut shown);
    shown.sections.iter().find_map(|section| match section {
        Section::ErrorStack {
            text: Some(text), ..
        } => Some(Captured::Text(text.text.clone())),
        Section::ErrorStack { frames, .. } => {
            Some(Captured::Calls(frames.iter().map(frame_text).collect()))
        }
        _ => None,
    })
}

/// The lines of the stack that an Error captured, or that a copy of one has as text.
fn stack(cx: Cx, program: &Program, value: Tagged) -> Vec<String> {
    match captured(cx, program, value) {
        Some(Captured::Text(text)) => text_lines(&text),
        Some(Captured::Calls(calls)) => calls,
        None => {
            let text = error_object(cx, value)
                .and_then(|o| JSObject(o).data_string("stack", MAX_STACK).ok()?);
            text.map_or_else(Vec::new, |t| text_lines(&t))
        }
    }
}

fn text_lines(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim_start);
    let lines = lines.filter(|l| l.starts_with("at "));
    lines.map(|l| escape(l).into_owned()).collect()
}

fn frame_text(frame: &StackEntry) -> String {
    let place = frame.location.as_ref().map_or_else(
        || "<anonymous>".to_string(),
        |l| format!("{}:{}:{}", l.script, l.line, l.column),
    );
    let text = match frame.call.as_deref().filter(|c| !c.is_empty()) {
        Some(call) => format!("at {call} ({place})"),
        None => format!("at {place}"),
    };
    escape(&text).into_owned()
}
