//! Values as text, in llnode's shapes; richer where llnode says nothing, unless its exact forms
//! are asked for.

use super::{escape, escape_lines, escape_quoted, Paint, Style};
use crate::object::number_text;
use crate::object::summary::{
    Brief, Content, Item, Items, Key, NumberText, Section, StackEntry, Text, Value,
};
use std::fmt::Write;

/// A value: in one line, or with what is inside where that is there.
pub fn value(value: &Value, style: Style) -> String {
    let mut text = String::new();
    if let Some(address) = value.address {
        match value.map {
            Some(map) if style.print_map => {
                let shown = format!("{:#018x}(map={:#018x})", address.0, map.0);
                text.push_str(&Paint::Address.on(&shown, style));
            }
            _ => text.push_str(&Paint::Address.on(&format!("{:#x}", address.0), style)),
        }
        text.push(':');
    }
    // Only the value itself is shown with its Map.
    let style = Style {
        print_map: false,
        ..style
    };
    let inside = inside(value, style);
    let opening = brief(&value.brief, style);
    if inside.is_empty() {
        text.push_str(&Paint::Short.on(&format!("<{opening}>"), style));
        return text;
    }
    text.push_str(&Paint::Heading.on(&format!("<{opening}"), style));
    text.push_str(&inside);
    text.push('>');
    text
}

fn line(text: &str) -> String {
    escape(text).into_owned()
}

/// A number as llnode has it, with six decimals.
fn six_decimals(value: f64) -> String {
    if value.is_nan() {
        return "nan".into();
    }
    if value.is_infinite() {
        return if value < 0.0 { "-inf" } else { "inf" }.into();
    }
    format!("{value:.6}")
}

fn number(value: NumberText, style: Style) -> String {
    if style.compat {
        six_decimals(value.0)
    } else {
        number_text(value.0)
    }
}

fn quoted(text: &Text, style: Style) -> String {
    let shown = if style.compat {
        line(&text.text)
    } else {
        escape_quoted(&text.text)
    };
    let more = if text.truncated { "..." } else { "" };
    match &text.hole {
        Some(hole) => format!("\"{shown}...\" (the rest: {})", line(hole)),
        None => format!("\"{shown}{more}\""),
    }
}

fn other_constructor(constructor: &str, usual: &str, style: Style) -> String {
    if style.compat || constructor == usual || constructor.is_empty() {
        return String::new();
    }
    format!(", constructor={}", line(constructor))
}

/// What stands between `<` and `>` in one line.
fn brief(brief: &Brief, style: Style) -> String {
    match brief {
        Brief::Smi { value } => format!("Smi: {value}"),
        Brief::Number { value } => format!("Number: {}", number(*value, style)),
        Brief::BigInt { value } => format!("BigInt: {value}n"),
        Brief::String { text, external } => {
            if *external && style.compat {
                return "String: \"(external)\"".into();
            }
            format!("String: {}", quoted(text, style))
        }
        Brief::Symbol { description } => match description {
            Some(text) => format!("Symbol: {}", quoted(text, style)),
            None => "Symbol".into(),
        },
        Brief::Oddball { name } => (*name).into(),
        Brief::Function { name, location, .. } => {
            let name = if name.is_empty() {
                "(anonymous)".to_string()
            } else {
                line(name)
            };
            match location {
                Some(at) => format!(
                    "function: {name} at {}:{}:{}",
                    line(&at.script),
                    at.line,
                    at.column
                ),
                None => format!("function: {name} at (no script)"),
            }
        }
        Brief::BoundFunction { name } => format!("function: {}", line(name)),
        Brief::FixedArray { class, length } => format!("{class}, len={length}"),
        Brief::Context => "Context".into(),
        Brief::ScopeInfo { function } => match function.as_deref() {
            Some("") | None => "ScopeInfo".into(),
            Some(name) => format!("ScopeInfo: for function {}", line(name)),
        },
        Brief::Script { name } => format!("Script: {}", line(name)),
        Brief::SharedFunctionInfo { name, location } => {
            let at = location.as_ref().map_or(String::new(), |l| {
                format!(" at {}:{}:{}", line(&l.script), l.line, l.column)
            });
            format!("SharedFunctionInfo: {}{at}", line(name))
        }
        Brief::Code => "Code".into(),
        Brief::Internal { class } if style.compat || *class == "unknown" => "unknown".into(),
        Brief::Internal { class } => (*class).into(),
        Brief::Cleared => "cleared".into(),
        Brief::Unreadable { reason } => format!("unreadable: {}", line(reason)),
        Brief::HiddenClass { .. } => hidden_class(brief, style),
        Brief::Global => "Global".into(),
        Brief::GlobalProxy => "Global proxy".into(),
        _ => object(brief, style),
    }
}

fn hidden_class(brief: &Brief, style: Style) -> String {
    let Brief::HiddenClass {
        own_descriptors,
        in_object_size,
        constructor_index,
        instance_size,
        instance_type,
        descriptors,
    } = brief
    else {
        return String::new();
    };
    let (what, count) = match (in_object_size, constructor_index) {
        (Some(words), _) => ("in_object_size", *words),
        (None, index) => ("constructor_index", index.unwrap_or(0)),
    };
    let at = descriptors.map_or("???".to_string(), |d| format!("{:#018x}", d.0));
    let kind = if style.compat {
        String::new()
    } else {
        format!(" instance_type={instance_type}")
    };
    format!(
        "Map own_descriptors={own_descriptors} {what}={count} instance_size={instance_size} \
         descriptors={at}{kind}"
    )
}

/// Objects, which llnode calls by their constructor if anything.
fn object(brief: &Brief, style: Style) -> String {
    let named = |constructor: &str| format!("Object: {}", line(constructor));
    match brief {
        Brief::Object { constructor } => named(constructor),
        Brief::Array {
            length,
            constructor,
        } => format!(
            "Array: length={length}{}",
            other_constructor(constructor, "Array", style)
        ),
        Brief::RegExp { source, flags } => {
            let mut text = format!("JSRegExp source=/{}/", line(&source.text));
            if !style.compat && !flags.is_empty() {
                let _ = write!(text, " flags={flags}");
            }
            text
        }
        Brief::Date { value, iso, is_smi } => {
            if style.compat {
                let ms = if *is_smi {
                    format!("{}", value.0)
                } else {
                    six_decimals(value.0)
                };
                return format!("JSDate: {ms}");
            }
            let iso = iso.as_deref().unwrap_or("Invalid Date");
            format!("JSDate: {} {iso}", number_text(value.0))
        }
        Brief::ArrayBuffer { .. } | Brief::ArrayBufferView { .. } => buffer(brief, style),
        Brief::Error { constructor, .. } | Brief::Wrapper { constructor, .. } if style.compat => {
            named(constructor)
        }
        Brief::Collection { constructor, .. } | Brief::Promise { constructor, .. }
            if style.compat =>
        {
            named(constructor)
        }
        Brief::Error {
            constructor,
            name,
            message,
            code,
        } => {
            let mut text = format!("Error: {}", line(constructor));
            if let Some(name) = name {
                let _ = write!(text, " [{}]", line(name));
            } else if let Some(code) = code {
                let _ = write!(text, " [{}]", line(code));
            }
            if let Some(message) = message {
                let _ = write!(text, " {}", quoted(message, style));
            }
            text
        }
        Brief::Collection {
            collection,
            size,
            constructor,
        } => format!(
            "{collection}: size={size}{}",
            other_constructor(constructor, collection, style)
        ),
        Brief::Promise { state, constructor } => format!(
            "Promise: {state}{}",
            other_constructor(constructor, "Promise", style)
        ),
        Brief::Wrapper {
            constructor,
            primitive,
        } => format!("{}: {}", line(constructor), value(primitive, style)),
        Brief::Generator { .. } if style.compat => named("Generator"),
        Brief::Generator { function, state } => {
            format!("Generator: {} {state}", line(function))
        }
        Brief::Proxy { revoked } => if *revoked { "Proxy: revoked" } else { "Proxy" }.into(),
        Brief::WeakRef { .. } if style.compat => named("WeakRef"),
        Brief::WeakRef { cleared } => if *cleared {
            "WeakRef: cleared"
        } else {
            "WeakRef"
        }
        .into(),
        Brief::ModuleNamespace => "Module".into(),
        _ => "unknown".into(),
    }
}

fn buffer(brief: &Brief, style: Style) -> String {
    match brief {
        Brief::ArrayBuffer {
            class,
            backing_store,
            byte_length,
            max_byte_length,
            detached,
        } => {
            let class = if style.compat { "ArrayBuffer" } else { class };
            if *detached {
                let word = if style.compat { "neutered" } else { "detached" };
                return format!("{class} [{word}]");
            }
            let mut text = format!(
                "{class}: backingStore={:#018x}, byteLength={byte_length}",
                backing_store.0
            );
            if let (Some(max), false) = (max_byte_length, style.compat) {
                let _ = write!(text, ", maxByteLength={max}");
            }
            text
        }
        Brief::ArrayBufferView {
            constructor,
            length,
            backing_store,
            byte_offset,
            byte_length,
            detached,
        } => {
            let class = if style.compat {
                "ArrayBufferView".into()
            } else {
                line(constructor)
            };
            if *detached {
                let word = if style.compat { "neutered" } else { "detached" };
                return format!("{class} [{word}]");
            }
            let length = match length {
                Some(length) if !style.compat => format!("length={length}, "),
                _ => String::new(),
            };
            format!(
                "{class}: {length}backingStore={:#018x}, byteOffset={byte_offset}, \
                 byteLength={byte_length}",
                backing_store.0
            )
        }
        _ => String::new(),
    }
}

/// Whether llnode shows such a part of such a value.
fn llnode_shows(brief: &Brief, section: &Section) -> bool {
    match brief {
        Brief::Function { .. } => {
            matches!(section, Section::Context { .. } | Section::Source { .. })
        }
        Brief::Array { .. } => matches!(section, Section::Elements(_)),
        Brief::ArrayBuffer { .. } | Brief::ArrayBufferView { .. } => {
            matches!(section, Section::Bytes { .. })
        }
        Brief::String { .. } | Brief::Number { .. } | Brief::Date { .. } => false,
        Brief::Global | Brief::GlobalProxy => false,
        Brief::HiddenClass { .. } => matches!(section, Section::Descriptors(_)),
        _ => matches!(
            section,
            Section::Elements(_)
                | Section::Properties(_)
                | Section::InternalFields { .. }
                | Section::Variables(_)
                | Section::Contents(_)
                | Section::ErrorStack { .. }
                | Section::Unreadable { .. }
        ),
    }
}

/// The parts, from after the opening to before the closing `>`.
fn inside(value: &Value, style: Style) -> String {
    let mut text = String::new();
    for section in &value.sections {
        if style.compat && !llnode_shows(&value.brief, section) {
            continue;
        }
        let first = text.is_empty();
        match (&value.brief, section) {
            // What every function has, and V8 computes, says nothing.
            (Brief::Function { .. }, Section::Properties(items)) => {
                let mut own = items.clone();
                own.items
                    .retain(|item| item.value != Content::NativeAccessor);
                if !own.items.is_empty() {
                    part(
                        &mut text,
                        &value.brief,
                        &Section::Properties(own),
                        first,
                        style,
                    );
                }
            }
            _ => part(&mut text, &value.brief, section, first, style),
        }
        if let (Brief::Function { kinds, .. }, Section::Context { .. }) = (&value.brief, section) {
            if !kinds.is_empty() && !style.compat {
                let _ = write!(
                    text,
                    "\n  {}={}",
                    Paint::Key.on("kind", style),
                    kinds.join(" ")
                );
            }
        }
    }
    text
}

/// Puts a named part after what is there: behind the opening, or on a line of its own.
fn named(text: &mut String, name: &str, first: bool, style: Style) {
    text.push_str(if first { " " } else { "\n  " });
    text.push_str(&Paint::Heading.on(name, style));
}

fn part(text: &mut String, brief: &Brief, section: &Section, first: bool, style: Style) {
    let block = |text: &mut String, name: &str, items: &Items| {
        named(text, name, first, style);
        let _ = write!(text, " {{\n{}}}", list(items, 4, style));
    };
    match section {
        Section::Elements(items) if first && matches!(brief, Brief::Array { .. }) => {
            let _ = write!(text, " {{\n{}}}", list(items, 4, style));
        }
        Section::Elements(items) => block(text, "elements", items),
        Section::Properties(items) => block(text, "properties", items),
        Section::Entries(items) => block(text, "entries", items),
        Section::InternalSlots(items) => block(text, "internal slots", items),
        Section::Descriptors(items) => block(text, "descriptors", items),
        Section::Fields(items) => block(text, "fields", items),
        Section::Contents(items) => {
            text.push_str(&Paint::Heading.on(" contents", style));
            let _ = write!(text, "={{\n{}}}", list(items, 4, style));
        }
        Section::Variables(items) => {
            let _ = write!(text, ": {{\n{}}}", list(items, 2, style));
        }
        Section::InternalFields { words } => {
            named(text, "internal fields", false, style);
            text.push_str(" {\n");
            for (index, word) in words.iter().enumerate() {
                if index > 0 {
                    text.push_str(",\n  ");
                }
                text.push_str("    ");
                text.push_str(&Paint::Address.on(&format!("{:#018x}", word.0), style));
            }
            text.push('}');
        }
        Section::Bytes { bytes, more } => {
            text.push_str(if first { ": [\n  " } else { "\n  bytes [\n  " });
            for (index, byte) in bytes.iter().enumerate() {
                let comma = if index > 0 { ", " } else { "" };
                let _ = write!(text, "{comma}{byte:02x}");
            }
            text.push_str(if *more { " ...\n]" } else { "\n]" });
        }
        Section::Context { context } => {
            text.push_str("\n  ");
            text.push_str(&Paint::Key.on("context", style));
            text.push('=');
            text.push_str(&function_context(context, style));
        }
        Section::ErrorStack { frames, text: said } => error_stack(text, frames, said, style),
        Section::Source {
            source,
            name,
            parameters_at,
        } => {
            text.push_str("\n  source:\n");
            // llnode writes the keyword and the name before the parameters.
            let parameters = source.text.get(*parameters_at..);
            match (style.compat, parameters) {
                (true, Some(rest)) => {
                    let _ = write!(text, "function {}", line(name));
                    text.push_str(&escape_lines(rest));
                }
                _ => text.push_str(&escape_lines(&source.text)),
            }
            text.push('\n');
        }
        Section::Unreadable { part, reason } => {
            let shown = format!("{part}: <unreadable: {}>", line(reason));
            text.push_str("\n  ");
            text.push_str(&Paint::Bad.on(&shown, style));
        }
    }
}

/// A function's Context with its variables, one step further in than a Context by itself.
fn function_context(context: &Value, style: Style) -> String {
    let mut text = String::new();
    if let Some(address) = context.address {
        text.push_str(&Paint::Address.on(&format!("{:#x}", address.0), style));
        text.push(':');
    }
    text.push('<');
    text.push_str(&brief(&context.brief, style));
    for section in &context.sections {
        match section {
            Section::Variables(items) => {
                let _ = write!(text, ": {{\n{}}}", list(items, 4, style));
            }
            other => part(&mut text, &context.brief, other, false, style),
        }
    }
    text.push('>');
    text
}

fn error_stack(text: &mut String, frames: &[StackEntry], said: &Option<Text>, style: Style) {
    if frames.is_empty() && (style.compat || said.is_none()) {
        return;
    }
    text.push_str("\n  ");
    text.push_str(&Paint::Bad.on("error stack", style));
    text.push_str(" {\n");
    for frame in frames {
        text.push_str("    ");
        if style.compat {
            text.push_str(&value(&frame.function, style));
        } else {
            text.push_str(&stack_line(frame));
            if let Some(address) = frame.function.address {
                let shown = Paint::Address.on(&format!("{:#x}", address.0), style);
                let _ = write!(text, " fn={shown}");
            }
        }
        text.push('\n');
    }
    if let (true, Some(said)) = (frames.is_empty(), said) {
        for one in said.text.lines() {
            let _ = writeln!(text, "    {}", line(one));
        }
    }
    text.push_str("  }");
}

/// A call as a line of Error.stack.
pub fn stack_line(frame: &StackEntry) -> String {
    let place = frame.location.as_ref().map_or("<anonymous>".into(), |at| {
        format!("{}:{}:{}", line(&at.script), at.line, at.column)
    });
    match &frame.call {
        Some(call) if call == "async " => format!("at async {place}"),
        Some(call) => format!("at {} ({place})", line(call)),
        None => format!("at {place}"),
    }
}

/// Parts, a line each, as llnode parts them: a comma at each line's end but the last.
fn list(items: &Items, indent: usize, style: Style) -> String {
    let mut text = String::new();
    for one in &items.items {
        if !text.is_empty() {
            text.push_str(",\n");
        }
        text.push_str(&" ".repeat(indent));
        text.push_str(&item(one, style));
    }
    if let (Some(more), false) = (items.more, style.compat) {
        let _ = write!(text, ",\n{}... {more} more", " ".repeat(indent));
    }
    text
}

fn item(item: &Item, style: Style) -> String {
    let key = match &item.key {
        Key::Entry(key) => {
            let key = value(key, style);
            return match &item.value {
                Content::None => key,
                other => format!("{key} => {}", content(other, style)),
            };
        }
        Key::Name(name) => format!(".{}", line(name)),
        Key::Index(index) => format!("[{index}]"),
        Key::Symbol(Some(text)) => format!(".Symbol('{}')", line(text)),
        Key::Symbol(None) => ".Symbol()".into(),
        Key::Private(text) if text.is_empty() => ".Symbol()".into(),
        Key::Private(text) => format!(".{}", line(text)),
        Key::Variable(name) => line(name),
        Key::Internal(name) => (*name).into(),
        Key::Unreadable(reason) if !style.compat => {
            format!(".<unreadable: {}>", line(reason))
        }
        Key::Unreadable(_) => ".???".into(),
    };
    let shown = match (&item.key, &item.value) {
        // Nor of those that V8 keeps beside the object since it no longer puts them in it.
        (Key::Name(_) | Key::Symbol(_), Content::Value(one)) if style.compat => match &one.brief {
            Brief::Number { value } => six_decimals(value.0),
            _ => content(&item.value, style),
        },
        (_, value) => content(value, style),
    };
    format!("{}={shown}", Paint::Key.on(&key, style))
}

fn content(content: &Content, style: Style) -> String {
    match content {
        Content::Value(one) => match (&one.brief, one.address, style.compat) {
            // llnode writes a double of an object without saying what it is.
            (Brief::Number { value }, None, true) => six_decimals(value.0),
            _ => value(one, style),
        },
        Content::Accessor { getter, setter } => {
            let mut parts = Vec::new();
            if let Some(getter) = getter {
                parts.push(format!("get={}", value(getter, style)));
            }
            if let Some(setter) = setter {
                parts.push(format!("set={}", value(setter, style)));
            }
            format!("<accessor {}>", parts.join(", "))
        }
        Content::NativeAccessor => "<accessor>".into(),
        Content::Note(text) => line(text),
        Content::None => String::new(),
        Content::Unreadable { .. } if style.compat => "???".into(),
        Content::Unreadable { reason } => {
            let shown = format!("<unreadable: {}>", line(reason));
            Paint::Bad.on(&shown, style)
        }
    }
}
