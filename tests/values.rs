//! Values of every kind, held against what the same process said of them: util.inspect's data by
//! `describe.js`, and V8's debugger.

mod support;

use serde_json::Value as Json;
use std::collections::HashMap;
use support::{core_with, nodes, Core};
use v8rs::metadata::InstanceType;
use v8rs::object::summary::{Brief, Content, Item, Key, Options, Section, Value};
use v8rs::object::{
    constructor_name, is_undefined, number_text, Context, ContextValue, Cx, HeapObject,
    JSArrayBuffer, JSArrayBufferView, JSCollection, JSFunction, JSObject, JSString, Map,
    PropertyValue, Tagged, TypedElement,
};
use v8rs::offline::CoreFile;
use v8rs::program::Program;
use v8rs::session::Session;

/// What differs, by the name of the value.
struct Check<'a> {
    cx: Cx<'a>,
    program: &'a Program,
    held: HashMap<String, Tagged>,
    wrong: Vec<String>,
    checked: usize,
}

const ALL: Options = Options {
    length: None,
    child_length: None,
    source: true,
};

impl Check<'_> {
    fn same<T: PartialEq + std::fmt::Debug>(&mut self, path: &str, ours: T, said: T) {
        self.checked += 1;
        if ours != said {
            let (mut ours, mut said) = (format!("{ours:?}"), format!("{said:?}"));
            for text in [&mut ours, &mut said] {
                if text.len() > 400 {
                    *text = text.chars().take(400).collect();
                }
            }
            self.wrong.push(format!("{path}: {ours}, not {said}"));
        }
    }

    fn fail(&mut self, path: &str, why: impl std::fmt::Display) {
        self.wrong.push(format!("{path}: {why}"));
    }

    /// A value against what `describe` said of it.
    fn value(&mut self, path: &str, word: Tagged, said: &Json) {
        let kind = text(said, "type");
        match kind.as_str() {
            "number" => {
                let ours = number_of(self.cx, word);
                self.same(path, ours, Some(text(said, "value")));
            }
            "string" => {
                let ours = string_of(self.cx, word);
                self.same(path, ours, Some(text(said, "value")));
            }
            "object" | "function" => match self.cx.object(word) {
                Ok(object) => self.object(path, object, said),
                Err(error) => self.fail(path, error),
            },
            _ => match Value::brief(self.cx, word, ALL) {
                Ok(value) => self.primitive(path, &value.brief, said),
                Err(error) => self.fail(path, error),
            },
        }
    }

    fn primitive(&mut self, path: &str, brief: &Brief, said: &Json) {
        match brief {
            Brief::Smi { value } => self.same(path, value.to_string(), text(said, "value")),
            Brief::Number { value } => {
                self.same(path, number_text(value.0), text(said, "value"));
            }
            Brief::BigInt { value } => self.same(path, value.clone(), text(said, "value")),
            Brief::Oddball { name } => self.same(path, name.to_string(), text(said, "value")),
            Brief::String { text: ours, .. } => {
                self.same(path, ours.text.clone(), text(said, "value"));
            }
            Brief::Symbol { description } => {
                let ours = description.as_ref().map(|d| d.text.clone());
                let theirs = said["description"].as_str().map(str::to_string);
                self.same(path, ours, theirs);
            }
            other => self.fail(path, format!("{other:?}, not {said}")),
        }
    }

    fn object(&mut self, path: &str, object: HeapObject, said: &Json) {
        let details = match Value::detailed(self.cx, object.tagged(), ALL) {
            Ok(details) => details,
            Err(error) => return self.fail(path, error),
        };
        for section in &details.sections {
            if let Section::Unreadable { part, reason } = section {
                self.fail(path, format!("{part}: {reason}"));
            }
        }
        if let Brief::Unreadable { reason } = &details.brief {
            self.fail(path, reason);
        }
        self.particulars(path, object, &details, said);
        if said.get("properties").is_some_and(Json::is_array) {
            self.properties(path, &details, said);
        }
    }

    /// What only some kinds have.
    fn particulars(&mut self, path: &str, object: HeapObject, details: &Value, said: &Json) {
        let Some(kind) = said["kind"].as_str() else {
            return;
        };
        match (kind, &details.brief) {
            ("function", Brief::Function { .. }) => self.function(path, object, said),
            ("function", Brief::BoundFunction { name }) => {
                self.same(path, name.clone(), text(said, "functionName"));
            }
            ("array", Brief::Array { length, .. }) => {
                self.same(path, Some(*length), said["length"].as_u64());
            }
            ("map" | "set", Brief::Collection { size, .. }) => {
                self.same(path, Some(*size), said["size"].as_u64());
                self.entries(path, object, said);
            }
            ("weakmap", Brief::Collection { collection, .. }) => {
                self.same(path, *collection, "WeakMap");
            }
            ("weakset", Brief::Collection { collection, .. }) => {
                self.same(path, *collection, "WeakSet");
            }
            ("date", Brief::Date { value, iso, .. }) => {
                self.same(path, number_text(value.0), text(said, "time"));
                let theirs = said["iso"].as_str().map(str::to_string);
                self.same(path, iso.clone(), theirs);
            }
            ("regexp", Brief::RegExp { source, flags }) => {
                self.same(path, source.text.clone(), text(said, "source"));
                self.same(path, flags.clone(), text(said, "flags"));
            }
            ("error", Brief::Error { message, code, .. }) => {
                let own = said["properties"].as_array();
                if own.is_some_and(|p| p.iter().any(|p| p["key"] == "message")) {
                    let ours = message.as_ref().map(|m| m.text.clone());
                    self.same(path, ours, Some(text(said, "message")));
                }
                if let (Some(code), Some(theirs)) = (code, said["code"].as_str()) {
                    self.same(path, code.as_str(), theirs);
                }
            }
            ("arraybuffer" | "sharedarraybuffer", Brief::ArrayBuffer { .. }) => {
                self.array_buffer(path, object, said);
            }
            ("typedarray" | "dataview", Brief::ArrayBufferView { .. }) => {
                self.view(path, object, said);
            }
            ("promise", Brief::Promise { state, .. }) => {
                self.same(path, state.to_string(), text(said, "state"));
            }
            ("boxed", Brief::Wrapper { primitive, .. }) => {
                self.primitive(path, &primitive.brief, &said["primitive"]);
            }
            ("proxy", Brief::Proxy { .. })
            | ("generator", Brief::Generator { .. })
            | ("namespace", Brief::ModuleNamespace)
            | ("object", Brief::Object { .. } | Brief::GlobalProxy | Brief::WeakRef { .. })
            | ("object", Brief::Error { .. } | Brief::Generator { .. })
            | ("arguments" | "mapiterator" | "setiterator" | "external", Brief::Object { .. }) => {
                self.checked += 1;
            }
            (kind, brief) => self.fail(path, format!("{brief:?} is no {kind}")),
        }
    }

    fn function(&mut self, path: &str, object: HeapObject, said: &Json) {
        let function = JSFunction(object);
        if let Some(name) = said["functionName"].as_str() {
            // The name V8 infers is shown for a function without one, as in stack traces.
            match function.own_name().and_then(|own| match own {
                Some(own) => Ok(own),
                None if function.shared()?.prints_as_anonymous()? => Ok("anonymous".into()),
                None => function.shared()?.name(),
            }) {
                Ok(ours) => {
                    // What the accessor makes of a class member's kind is not in the name.
                    let plain = name.trim_start_matches("get ").trim_start_matches("set ");
                    self.same(
                        path,
                        ours.trim_start_matches("get ").trim_start_matches("set "),
                        plain,
                    );
                }
                Err(error) => self.fail(path, error),
            }
        }
        let source = said["source"].as_str().unwrap_or("");
        if source.contains("[native code]") || source.is_empty() {
            return;
        }
        match function.source(1 << 24) {
            Ok(Some(ours)) => {
                self.same(&format!("{path} source"), ours.text(), source.to_string());
            }
            Ok(None) => self.fail(path, "it has no source"),
            Err(error) => self.fail(path, error),
        }
        match function.shared().and_then(|s| s.kind()) {
            Ok(kind) => {
                self.same(
                    path,
                    Some(kind.is_class_constructor),
                    said["isClass"].as_bool(),
                );
                self.same(path, Some(kind.is_async), said["isAsync"].as_bool());
                self.same(path, Some(kind.is_generator), said["isGenerator"].as_bool());
            }
            Err(error) => self.fail(path, error),
        }
    }

    fn entries(&mut self, path: &str, object: HeapObject, said: &Json) {
        let entries = match JSCollection::new(object) {
            Ok(Some(collection)) => collection.entries(),
            _ => return self.fail(path, "no collection"),
        };
        let entries = match entries {
            Ok(entries) => entries,
            Err(error) => return self.fail(path, error),
        };
        let (list, is_map) = match said.get("entries") {
            Some(list) => (list, true),
            None => (&said["members"], false),
        };
        let list = list.as_array().cloned().unwrap_or_default();
        self.same(path, entries.len().min(50), list.len());
        for (index, (entry, (key, value))) in list.iter().zip(entries).enumerate() {
            if is_map {
                self.value(&format!("{path}[{index}].key"), key, &entry[0]);
                self.value(&format!("{path}[{index}].value"), value, &entry[1]);
            } else {
                self.value(&format!("{path}[{index}]"), key, entry);
            }
        }
    }

    fn array_buffer(&mut self, path: &str, object: HeapObject, said: &Json) {
        let buffer = JSArrayBuffer(object);
        let length = buffer.byte_length().ok();
        self.same(path, length, said["byteLength"].as_u64());
        if let Some(detached) = said["detached"].as_bool() {
            self.same(path, buffer.was_detached().ok(), Some(detached));
        }
        if said["resizable"] == true {
            let max = buffer.max_byte_length().ok();
            self.same(path, max, said["maxByteLength"].as_u64());
        }
        if length.unwrap_or(0) > 0 {
            let ours = buffer.bytes(256).map(|b| hex(&b)).unwrap_or_default();
            self.same(path, ours, text(said, "bytes"));
        }
    }

    fn view(&mut self, path: &str, object: HeapObject, said: &Json) {
        let view = JSArrayBufferView(object);
        let detached = view.buffer().and_then(|b| b.was_detached()) == Ok(true);
        if detached {
            return self.same(path, Some(0), said["byteLength"].as_u64());
        }
        let length = view.byte_length();
        self.same(path, length.clone().ok(), said["byteLength"].as_u64());
        if length.unwrap_or(0) == 0 {
            return;
        }
        self.same(path, view.byte_offset().ok(), said["byteOffset"].as_u64());
        let ours = view.bytes(256).map(|b| hex(&b)).unwrap_or_default();
        self.same(path, ours, text(said, "bytes"));
        if let Some(elements) = said["elements"].as_array() {
            let ours: Vec<String> = view
                .elements(32)
                .unwrap_or_default()
                .into_iter()
                .map(|e| match e {
                    TypedElement::Integer(n) => n.to_string(),
                    TypedElement::Float(n) => number_text(n),
                    TypedElement::BigInt(n) => n.to_string(),
                })
                .collect();
            let theirs: Vec<String> = elements
                .iter()
                .map(|e| e.as_str().unwrap_or("").to_string())
                .collect();
            self.same(path, ours, theirs);
        }
    }

    /// Own properties and elements, in order, with their attributes.
    fn properties(&mut self, path: &str, details: &Value, said: &Json) {
        let theirs = said["properties"].as_array().cloned().unwrap_or_default();
        let skip_elements = matches!(
            details.brief,
            Brief::ArrayBufferView { .. } | Brief::Wrapper { .. }
        );
        let mut ours: Vec<&Item> = Vec::new();
        for section in &details.sections {
            match section {
                Section::Elements(items) => ours.extend(items.items.iter().filter(|item| {
                    // The characters of a boxed string are told as the string.
                    !skip_elements
                        || matches!(&item.value, Content::Value(v) if v.address.is_some() || matches!(v.brief, Brief::Smi { .. }))
                            && !matches!(details.brief, Brief::ArrayBufferView { .. })
                })),
                Section::Properties(items) => ours.extend(items.items.iter()),
                _ => {}
            }
        }
        ours.retain(|item| !matches!(item.key, Key::Private(_)));
        let names = |list: &[&Item]| -> Vec<String> {
            list.iter()
                .take(200)
                .map(|item| key_text(&item.key))
                .collect()
        };
        let their_names: Vec<String> = theirs.iter().map(|p| text(p, "key")).collect();
        let our_names = names(&ours);
        if our_names != their_names {
            return self.same(&format!("{path} keys"), our_names, their_names);
        }
        for (item, said) in ours.into_iter().zip(&theirs) {
            let path = format!("{path}.{}", text(said, "key"));
            self.property(&path, item, said);
        }
    }

    fn property(&mut self, path: &str, item: &Item, said: &Json) {
        let theirs = text(said, "attributes");
        let letter = |is: bool, letter| if is { letter } else { '-' };
        let is_accessor = matches!(item.value, Content::Accessor { .. });
        let mut ours = String::new();
        ours.push(letter(!item.attributes.read_only && !is_accessor, 'w'));
        ours.push(letter(!item.attributes.dont_enumerate, 'e'));
        ours.push(letter(!item.attributes.dont_delete, 'c'));
        self.same(&format!("{path} attributes"), ours, theirs);
        match &item.value {
            Content::Value(value) => {
                let said = &said["value"];
                let is_object = matches!(text(said, "type").as_str(), "object" | "function");
                match value.address {
                    Some(address) if is_object => self.value(path, Tagged(address.0), said),
                    Some(address) => self.value(path, Tagged(address.0), said),
                    None => self.primitive(path, &value.brief, said),
                }
            }
            Content::Accessor { getter, setter } => {
                for (ours, said) in [(getter, &said["get"]), (setter, &said["set"])] {
                    self.same(path, ours.is_some(), !said.is_null());
                }
            }
            // V8 computes it.
            Content::NativeAccessor => {}
            other => self.fail(path, format!("{other:?}")),
        }
    }

    /// What V8's debugger said of an object.
    fn debugger(&mut self, path: &str, object: HeapObject, said: &Json) {
        if let Some(class) = said["className"].as_str() {
            let kind = object.instance_type().ok();
            if kind != Some(InstanceType::JSProxy) {
                match constructor_name(object) {
                    Ok(ours) => self.same(&format!("{path} className"), ours.as_str(), class),
                    Err(error) => self.fail(path, error),
                }
            }
        }
        if object
            .instance_type()
            .is_ok_and(InstanceType::is_js_function)
        {
            self.defined(path, JSFunction(object), said);
        }
        let Ok(details) = Value::detailed(self.cx, object.tagged(), ALL) else {
            return;
        };
        // What an iterator has yet to give, and what a weak collection holds.
        if let Some(entries) = said["internal"]["[[Entries]]"].as_array() {
            let ours = details.sections.iter().find_map(|s| match s {
                Section::Entries(items) => Some(items.items.len()),
                _ => None,
            });
            self.same(
                &format!("{path} [[Entries]]"),
                ours.unwrap_or(0).min(50),
                entries.len(),
            );
        }
        self.slots(path, &details, &said["internal"]);
        // util.inspect, asked after the debugger, makes them fill theirs in.
        let later = ["url", "abort_controller"].contains(&path);
        if let (Some(private), false) = (said["private"].as_array(), later) {
            self.private(path, &details, private);
        }
    }

    /// Where a function is defined, and the variables it sees.
    fn defined(&mut self, path: &str, function: JSFunction, said: &Json) {
        let location = function.shared().and_then(|s| s.location());
        if let Some(line) = said["location"]["line"].as_i64() {
            match location {
                Ok(Some(at)) => {
                    self.same(path, Some(at.line), Some(line));
                    self.same(path, Some(at.column), said["location"]["column"].as_i64());
                }
                other => self.fail(path, format!("defined at {other:?}")),
            }
        }
        let Some(scopes) = said["scopes"].as_array() else {
            return;
        };
        let mut context = function.context().ok();
        for scope in scopes {
            let Some(variables) = scope["variables"].as_object() else {
                continue;
            };
            // Contexts without variables to show are no scopes to the debugger.
            while let Some(current) = context {
                let is_with = current.0.instance_type() == Ok(InstanceType::WithContext);
                let is_shown = |name: &String| {
                    name.starts_with("made_by_eval")
                        || current.variables().is_ok_and(|v| {
                            v.iter().any(|v| v.name.as_ref().is_ok_and(|n| n == name))
                        })
                };
                if is_with || variables.keys().all(is_shown) {
                    break;
                }
                context = current.previous().ok().flatten();
            }
            let Some(current) = context else {
                return self.fail(path, format!("no context for {scope}"));
            };
            context = current.previous().ok().flatten();
            if current.0.instance_type() == Ok(InstanceType::WithContext) {
                continue;
            }
            self.variables(path, current, variables);
        }
    }

    fn variables(&mut self, path: &str, context: Context, said: &serde_json::Map<String, Json>) {
        let ours = match context.variables() {
            Ok(ours) => ours,
            Err(error) => return self.fail(path, error),
        };
        let mut found = HashMap::new();
        for variable in ours {
            match (variable.name, variable.value) {
                (Ok(name), Ok(value)) => {
                    found.insert(name, value);
                }
                other => self.fail(path, format!("{other:?}")),
            }
        }
        for (name, value) in said {
            let path = format!("{path} variable {name}");
            match found.get(name) {
                Some(ContextValue::Tagged(word)) => self.brief(&path, *word, value),
                Some(ContextValue::Double(number)) => {
                    self.same(&path, number_text(*number), number_said(value));
                }
                // What eval added is in the extension.
                None if name.starts_with("made_by_eval") => {}
                None => self.fail(&path, "it is not in the context"),
            }
        }
    }

    /// A value against the little that the debugger says of one.
    fn brief(&mut self, path: &str, word: Tagged, said: &Json) {
        match text(said, "type").as_str() {
            "number" => {
                let ours = number_of(self.cx, word);
                self.same(path, ours, Some(number_said(said)));
            }
            "string" => {
                let ours = string_of(self.cx, word);
                self.same(path, ours, Some(text(said, "value")));
            }
            "object" if said["subtype"] == "null" => {
                self.same(path, v8rs::object::is_null(self.cx, word), true);
            }
            // The debugger has no word for a variable before its declaration.
            "undefined" => {
                let hole = v8rs::object::is_the_hole(self.cx, word);
                self.same(path, hole || is_undefined(self.cx, word), true);
            }
            "object" | "function" if said["subtype"] != "proxy" => {
                let ours = self.cx.object(word).and_then(constructor_name).ok();
                let theirs = said["className"].as_str().map(str::to_string);
                self.same(path, ours, theirs);
            }
            _ => {}
        }
    }

    fn slots(&mut self, path: &str, details: &Value, said: &Json) {
        let Some(said) = said.as_object() else {
            return;
        };
        for section in &details.sections {
            let Section::InternalSlots(items) = section else {
                continue;
            };
            for item in &items.items {
                let Key::Internal(name) = item.key else {
                    continue;
                };
                let Some(said) = said.get(name) else {
                    continue;
                };
                let path = format!("{path} {name}");
                match &item.value {
                    Content::Note(ours) if ours == "cleared" => {
                        self.same(&path, text(said, "type"), "undefined".into());
                    }
                    Content::Note(ours) => self.same(&path, ours.clone(), text(said, "value")),
                    // The debugger makes an array of them.
                    Content::Value(_) if name == "[[BoundArgs]]" => {}
                    Content::Value(value) => match value.address {
                        Some(address) => self.brief(&path, Tagged(address.0), said),
                        None => self.primitive_said(&path, &value.brief, said),
                    },
                    other => self.fail(&path, format!("{other:?}")),
                }
            }
        }
    }

    fn primitive_said(&mut self, path: &str, brief: &Brief, said: &Json) {
        match brief {
            Brief::Smi { value } => self.same(path, value.to_string(), number_said(said)),
            other => self.fail(path, format!("{other:?}")),
        }
    }

    /// Fields called `#name`; methods and accessors are not the object's own.
    fn private(&mut self, path: &str, details: &Value, said: &[Json]) {
        let mut ours = HashMap::new();
        for section in &details.sections {
            if let Section::Properties(items) = section {
                for item in &items.items {
                    if let Key::Private(name) = &item.key {
                        ours.insert(name.clone(), item);
                    }
                }
            }
        }
        for one in said {
            let name = text(one, "name");
            if !one["value"].is_object() || text(&one["value"], "type") == "function" {
                continue;
            }
            let path = format!("{path} {name}");
            match ours.get(&name).map(|item| &item.value) {
                Some(Content::Value(value)) => match value.address {
                    Some(address) => self.brief(&path, Tagged(address.0), &one["value"]),
                    None => match &value.brief {
                        Brief::Smi { value } => {
                            self.same(&path, value.to_string(), number_said(&one["value"]));
                        }
                        Brief::Number { value } => {
                            self.same(&path, number_text(value.0), number_said(&one["value"]));
                        }
                        other => self.fail(&path, format!("{other:?}")),
                    },
                },
                other => self.fail(&path, format!("{other:?}")),
            }
        }
    }

    /// What only the program knows.
    fn known(&mut self, path: &str, object: HeapObject, said: &Json) {
        let Ok(details) = Value::detailed(self.cx, object.tagged(), ALL) else {
            return;
        };
        if let Some(form) = said["form"].as_str() {
            use v8rs::object::StringShape::*;
            let shape = JSString(object).shape().map(|s| s.0);
            let is = match form {
                "cons" => shape == Ok(Cons),
                "sliced" => shape == Ok(Sliced),
                "external" => shape == Ok(External),
                "thin" => shape == Ok(Thin),
                _ => shape == Ok(Sequential),
            };
            // A cons or thin string may be flattened at any time; what else it is, it stays.
            if !matches!(form, "cons" | "thin") {
                self.same(path, is, true);
            }
        }
        let slot = |name: &str| -> Option<Tagged> {
            details.sections.iter().find_map(|s| match s {
                Section::InternalSlots(items) => items.items.iter().find_map(|i| match &i.value {
                    Content::Value(v) if i.key == Key::Internal(leak(name)) => {
                        v.address.map(|a| Tagged(a.0))
                    }
                    _ => None,
                }),
                _ => None,
            })
        };
        if let Some(target) = said["target"].as_str() {
            if let Some(expected) = self.held.get(target).copied() {
                let ours = slot("[[Target]]").or_else(|| slot("[[WeakRefTarget]]"));
                self.same(path, ours, Some(expected));
            }
        }
        // Of a prepared or set one nothing is left.
        if let (Some(stack), Brief::Error { .. }) = (said["stack"].as_str(), &details.brief) {
            if stack.contains("\n    at ") {
                self.stack(path, details.clone(), stack);
            }
        }
        if let Some(entries) = said["entries"].as_array() {
            let ours = details.sections.iter().find_map(|s| match s {
                Section::Entries(items) => Some(items.items.clone()),
                _ => None,
            });
            let ours = ours.unwrap_or_default();
            self.same(path, ours.len(), entries.len());
            for entry in entries {
                let key = entry[0].as_str().and_then(|n| self.held.get(n)).copied();
                if let Some(key) = key {
                    let found = ours.iter().any(|item| match &item.key {
                        Key::Entry(value) => value.address.map(|a| a.0) == Some(key.0),
                        _ => false,
                    });
                    self.same(path, found, true);
                }
            }
        }
        if said["revoked"] == true {
            self.same(path, details.brief, Brief::Proxy { revoked: true });
        }
    }
}

impl Check<'_> {
    /// The calls an Error captured, as lines of its `stack`.
    fn stack(&mut self, path: &str, mut details: Value, said: &str) {
        v8rs::command::error_stack::locate(self.cx, self.program, &mut details);
        let ours = details.sections.iter().find_map(|section| match section {
            Section::ErrorStack {
                text: Some(text), ..
            } => Some(stack_lines(&text.text)),
            Section::ErrorStack { frames, .. } => Some(
                frames
                    .iter()
                    .map(v8rs::render::value::stack_line)
                    .collect::<Vec<_>>(),
            ),
            _ => None,
        });
        self.same(&format!("{path} stack"), ours, Some(stack_lines(said)));
    }
}

/// The calls in a stack's text.
fn stack_lines(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim);
    lines
        .filter(|l| l.starts_with("at "))
        .map(str::to_string)
        .collect()
}

fn leak(name: &str) -> &'static str {
    Box::leak(name.to_string().into_boxed_str())
}

fn text(said: &Json, field: &str) -> String {
    said[field].as_str().unwrap_or("").to_string()
}

/// A number as the debugger gives it.
fn number_said(said: &Json) -> String {
    if let Some(text) = said["unserializableValue"].as_str() {
        return text.to_string();
    }
    match said["value"].as_f64() {
        Some(number) => number_text(number),
        None => text(said, "description"),
    }
}

fn number_of(cx: Cx, word: Tagged) -> Option<String> {
    match Value::brief(cx, word, ALL).ok()?.brief {
        Brief::Smi { value } => Some(value.to_string()),
        Brief::Number { value } => Some(number_text(value.0)),
        _ => None,
    }
}

fn string_of(cx: Cx, word: Tagged) -> Option<String> {
    let string = JSString(cx.object(word).ok()?);
    let read = string.read(usize::MAX).ok()?;
    read.hole.is_none().then(|| read.text())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn key_text(key: &Key) -> String {
    match key {
        Key::Name(name) => name.clone(),
        Key::Index(index) => index.to_string(),
        Key::Symbol(Some(text)) => format!("Symbol({text})"),
        Key::Symbol(None) => "Symbol()".into(),
        other => format!("{other:?}"),
    }
}

/// `globalThis.NAME`, found by going through all memory for global objects.
fn global_property(session: &Session, name: &str) -> Tagged {
    let cx = session.cx().unwrap();
    let mut maps: HashMap<u64, bool> = HashMap::new();
    for region in session.target().regions().unwrap() {
        let size = (region.end - region.start) as usize;
        if !region.readable || size > 1 << 31 {
            continue;
        }
        let mut bytes = vec![0; size];
        let there = cx.memory.read_partial(region.start, &mut bytes);
        for (index, word) in bytes[..there].chunks_exact(8).enumerate() {
            let word = u64::from_le_bytes(word.try_into().unwrap());
            if word & 3 != 1 {
                continue;
            }
            let is_global = *maps.entry(word).or_insert_with(|| {
                cx.object(Tagged(word)).is_ok_and(|o| {
                    Map(o).check().is_ok()
                        && Map(o).instance_type() == Ok(InstanceType::JSGlobalObject)
                })
            });
            if !is_global {
                continue;
            }
            let object = HeapObject::new(cx, region.start + index as u64 * 8);
            if let Ok(Some(property)) = JSObject(object).own_property_named(name) {
                if let Ok(PropertyValue::Tagged(value)) = property.value {
                    return value;
                }
            }
        }
    }
    panic!("no global object has {name}");
}

/// Lone surrogates, which JSON.stringify escapes, are no text to serde: they are text of the kind
/// that util.inspect makes of them.
fn parse(line: &str) -> Json {
    let mut clean = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("\\u") {
        let (before, escape) = rest.split_at(at);
        clean.push_str(before);
        let is_escape = before.chars().rev().take_while(|c| *c == '\\').count() % 2 == 0;
        let lone = is_escape
            && escape.len() >= 6
            && escape[2..].starts_with(['d', 'D'])
            && escape.as_bytes()[3] >= b'8';
        if lone {
            clean.push('\\');
        }
        clean.push_str(&escape[..2]);
        rest = &escape[2..];
    }
    clean.push_str(rest);
    serde_json::from_str(&clean).unwrap_or_else(|e| panic!("{e}: {line}"))
}

/// They go on changing after they were told, or are all of Node.
const NOT_COMPARED: [&str; 2] = ["global", "process"];

fn check(core: &Core) -> Vec<String> {
    let target = CoreFile::open(&core.core, &core.program).unwrap();
    let session = Session::new(Box::new(target));
    let cx = session.cx().unwrap();
    let held = cx.object(global_property(&session, "held")).unwrap();
    let mut words = HashMap::new();
    for property in JSObject(held).own_properties().unwrap() {
        let name = string_of(cx, property.key).expect("a name");
        match property.value {
            Ok(PropertyValue::Tagged(value)) => words.insert(name, value),
            other => panic!("{name}: {other:?}"),
        };
    }
    let mut check = Check {
        cx,
        program: &session.v8().unwrap().program,
        held: words.clone(),
        wrong: Vec::new(),
        checked: 0,
    };
    let mut seen = 0;
    for line in core.output("values").lines() {
        let said = parse(line);
        let Some(name) = said["name"].as_str() else {
            continue;
        };
        let Some(word) = words.get(name).copied() else {
            check.fail(name, "it is not held");
            continue;
        };
        seen += 1;
        if NOT_COMPARED.contains(&name) {
            continue;
        }
        check.value(name, word, &said);
        if let Ok(object) = cx.object(word) {
            if matches!(text(&said, "type").as_str(), "object" | "function") {
                check.debugger(name, object, &said["debugger"]);
            }
            check.known(name, object, &said["known"]);
        }
    }
    println!(
        "node {}: {seen} values, {} comparisons, {} differences",
        core.node,
        check.checked,
        check.wrong.len()
    );
    assert!(seen > 250, "only {seen} values were told");
    check.wrong
}

#[test]
fn every_value_is_what_the_process_said() {
    let mut failed = 0;
    for node in nodes() {
        let flags = [
            "--expose-gc",
            "--expose-externalize-string",
            "--allow-natives-syntax",
        ];
        let core = core_with("values", &node, &flags);
        let wrong = check(&core);
        failed += wrong.len();
        for one in wrong.iter().take(60) {
            println!("  node {node}: {one}");
        }
    }
    assert_eq!(failed, 0, "differences; see above");
}

/// What errors captured, where nobody has read their stack yet: calls of functions as V8 runs them
/// by itself, of baseline code, and of optimized code.
#[test]
fn captured_stacks_are_what_the_process_said() {
    let mut failed = Vec::new();
    for node in nodes() {
        let major = support::major(&node);
        let optimized = match major {
            ..=18 => "--always-opt",
            20..=24 => "--always-turbofan",
            _ => "--stress-maglev",
        };
        let mut tiers: Vec<&[&str]> = vec![&[]];
        if major >= 16 {
            tiers.push(&["--always-sparkplug", "--no-opt"]);
        }
        let optimized = [optimized];
        tiers.push(&optimized);
        for flags in tiers {
            failed.extend(captured_stacks(&core_with("errors", &node, flags), flags));
        }
    }
    assert!(failed.is_empty(), "{} differences; see above", failed.len());
}

fn captured_stacks(core: &support::Core, flags: &[&str]) -> Vec<String> {
    let node = &core.node;
    let target = CoreFile::open(&core.core, &core.program).unwrap();
    let session = Session::new(Box::new(target));
    let cx = session.cx().unwrap();
    let held = cx.object(global_property(&session, "held")).unwrap();
    let mut check = Check {
        cx,
        program: &session.v8().unwrap().program,
        held: HashMap::new(),
        wrong: Vec::new(),
        checked: 0,
    };
    let output = core.output("errors");
    let said = parse(output.lines().last().expect("a line"));
    let stacks = said["stacks"].as_object().expect("stacks");
    for (name, stack) in stacks {
        let property = JSObject(held).own_property_named(name).unwrap();
        let Ok(PropertyValue::Tagged(error)) = property.expect("it is held").value else {
            panic!("{name} is not held");
        };
        let details = Value::detailed(cx, error, ALL).unwrap();
        let is_raw = details
            .sections
            .iter()
            .any(|s| matches!(s, Section::ErrorStack { text: None, .. }));
        check.same(name, is_raw, true);
        check.stack(name, details, stack.as_str().unwrap_or(""));
    }
    println!("node {node} {flags:?}: {} stacks", stacks.len());
    for one in &check.wrong {
        println!("  node {node} {flags:?}: {one}");
    }
    check.wrong
}
