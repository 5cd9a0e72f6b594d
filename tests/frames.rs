//! Stacks, held against what `Error.stack` and the call sites said in the same process, and what
//! the functions on them said of their `this` and arguments.

mod support;

use serde_json::Value;
use support::{core_with, nodes, Core};
use v8rs::metadata::InstanceType;
use v8rs::object::{constructor_name, Cx, JSFunction, JSString, OddballKind, Tagged};
use v8rs::offline::CoreFile;
use v8rs::session::Session;
use v8rs::stack::{Call, Frame, FrameKind, Place, Source};

/// Calls that stack traces show, innermost first, with the frames they are in.
fn calls<'a, 'b>(frames: &'b [Frame<'a>]) -> Vec<(&'b Frame<'a>, &'b Call<'a>)> {
    frames
        .iter()
        .filter(|f| f.kind != Some(FrameKind::ApiExit))
        .flat_map(|f| f.calls.iter().map(move |c| (f, c)))
        .filter(|(_, c)| c.site.is_visible)
        .collect()
}

/// A line of a stack trace, without the "at".
fn text(call: &Call) -> String {
    let place = match &call.place {
        Ok(Some(place)) => place.to_string(),
        Ok(None) => "<anonymous>".to_string(),
        Err(error) => format!("({error})"),
    };
    match call.site.name() {
        Some(name) if call.site.combinator.is_some() => name,
        Some(name) => format!("{name} ({place})"),
        None if call.site.is_async => format!("async {place}"),
        None => place,
    }
}

/// A value as the program shows it; `None` where only the program can tell.
fn show(cx: Cx, value: Tagged) -> Option<String> {
    if let Some(number) = cx.smi(value) {
        return Some(number.to_string());
    }
    let object = cx.object(value).expect("an object");
    let kind = object.instance_type().expect("a type");
    Some(match kind {
        InstanceType::String => {
            let string = JSString(object).read(4096).expect("text");
            format!("'{}'", string.text())
        }
        InstanceType::HeapNumber => {
            let at = cx.layout.heap_number.value;
            f64::from_bits(object.u64_field(at).expect("bits")).to_string()
        }
        InstanceType::Oddball => match OddballKind::of(object) {
            Ok(Some(OddballKind::True)) => "true".to_string(),
            Ok(Some(OddballKind::False)) => "false".to_string(),
            Ok(Some(OddballKind::Null)) => "null".to_string(),
            Ok(Some(OddballKind::Undefined)) => "undefined".to_string(),
            other => format!("{other:?}"),
        },
        InstanceType::JSGlobalProxy => "[globalThis]".to_string(),
        InstanceType::JSArray => {
            let length = object.field(cx.layout.js_array.length).expect("length");
            format!("[array {}]", cx.smi(length).unwrap_or(-1))
        }
        // A callable one passes for the function behind it.
        InstanceType::JSProxy if object.map().and_then(|m| m.is_callable()) != Ok(false) => {
            return None
        }
        InstanceType::JSProxy => "[object Proxy]".to_string(),
        InstanceType::BigInt | InstanceType::Symbol | InstanceType::JSError => return None,
        kind if kind.is_js_function() => {
            let function = JSFunction(object);
            let own = function.own_name().expect("name");
            let name =
                own.unwrap_or_else(|| function.shared().and_then(|s| s.name()).expect("name"));
            format!("[function {name}]")
        }
        _ => format!("[object {}]", constructor_name(object).expect("name")),
    })
}

fn check_noted(cx: Cx, call: &Call, noted: &Value, what: &str) {
    if call.inlined || noted.is_null() {
        return;
    }
    let check = |said: &Value, value: Tagged, which: &str| {
        let (Some(said), Some(ours)) = (said.as_str(), show(cx, value)) else {
            return;
        };
        // The name of the constructor property where the class has none: V8 names it otherwise.
        if said != "[object ]" {
            assert_eq!(ours, said, "{what}: {which} of {}", noted["name"]);
        }
    };
    let receiver = call.receiver.as_ref().expect("a receiver");
    let receiver = receiver.tagged().expect("readable");
    check(&noted["this"], receiver, "this");
    let arguments = call
        .arguments
        .clone()
        .expect("arguments")
        .expect("readable");
    let said = noted["args"].as_array().expect("args");
    assert_eq!(
        arguments.len(),
        said.len(),
        "{what}: number of arguments of {}",
        noted["name"]
    );
    for (i, (value, said)) in arguments.iter().zip(said).enumerate() {
        let value = value.tagged().expect("readable");
        check(said, value, &format!("argument {i}"));
    }
}

fn token_place(call: &Call) -> Option<Place> {
    let script = call.shared.script().expect("script")?;
    let start = call.shared.token_position().expect("position")?;
    let places = v8rs::stack::Places::default();
    places.place(script, start as i64).ok()
}

/// Holds one core's stack against the truth; `kind` is what most of its frames must be.
fn check(core: &Core, kind: FrameKind) {
    let output = core.output("frames");
    let last = output.lines().last().expect("a record");
    let said: Value = serde_json::from_str(last).expect("JSON");
    let what = format!("node {} {}", core.node, said["variant"]);
    let file = CoreFile::open(&core.core, &core.program).expect("core opens");
    let session = Session::new(Box::new(file));
    let source = Source {
        cx: session.cx().expect("V8"),
        target: session.target(),
        program: &session.v8().expect("V8").program,
        isolates: session.isolates().ok(),
    };
    let thread = &session.target().threads()[0];
    let frames = source.backtrace(thread, usize::MAX);
    let ours = calls(&frames);
    let sites = said["sites"].as_array().expect("sites");
    for (site, (frame, call)) in sites.iter().zip(&ours) {
        assert_eq!(text(call), site["text"].as_str().expect("text"), "{what}");
        let place = call.place.as_ref().expect("a place");
        let line = place.as_ref().map(|p| p.line);
        assert_eq!(line, site["line"].as_i64(), "{what}");
        assert_eq!(
            place.as_ref().map(|p| p.column),
            site["column"].as_i64(),
            "{what}"
        );
        assert_eq!(
            call.site.is_constructor,
            site["isConstructor"] == true,
            "{what}: {}",
            site["text"]
        );
        if let (Some(line), Some(token)) = (site["definedLine"].as_i64(), token_place(call)) {
            assert_eq!(token.line, line, "{what}: {}", site["text"]);
            assert_eq!(
                Some(token.column),
                site["definedColumn"].as_i64(),
                "{what}: {}",
                site["text"]
            );
        }
        assert!(frame.kind.is_some(), "{what}");
        assert_eq!(call.site.is_async, site["isAsync"] == true, "{what}");
        if !call.site.is_async {
            check_noted(source.cx, call, &site["noted"], &what);
        }
    }
    assert_eq!(ours.len(), sites.len(), "{what}: number of frames");
    let of_kind = ours.iter().filter(|(f, _)| f.kind == Some(kind)).count();
    let of_functions = ours.iter().filter(|(_, c)| matches!(c.place, Ok(Some(_))));
    let wanted = if kind == FrameKind::Optimized {
        1
    } else {
        of_functions.count() / 2
    };
    assert!(of_kind >= wanted, "{what}: {of_kind} frames are {kind:?}");
    // The way out of JavaScript is known, and the way in.
    let first = frames.iter().find_map(|f| f.kind).expect("a frame of V8");
    assert!(
        matches!(first, FrameKind::ApiExit | FrameKind::BuiltinExit),
        "{what}: {first:?}"
    );
    let on_stack = frames.iter().filter(|f| f.kind != Some(FrameKind::Async));
    let last = on_stack.rev().find_map(|f| f.kind);
    assert_eq!(last, Some(FrameKind::Entry), "{what}");
}

fn check_all(kind: FrameKind, arguments: &[&str]) {
    for node in nodes() {
        let major: u32 = node.split('.').next().unwrap_or("").parse().unwrap_or(0);
        if kind == FrameKind::Baseline && major < 16 {
            continue;
        }
        check(&core_with("frames", &node, arguments), kind);
    }
}

#[test]
fn interpreted_frames() {
    check_all(FrameKind::Interpreted, &["--", "sync"]);
}

#[test]
fn baseline_frames() {
    let arguments = ["--always-sparkplug", "--no-opt", "--", "sync"];
    check_all(FrameKind::Baseline, &arguments);
}

#[test]
fn optimized_frames_and_the_calls_inlined_in_them() {
    check_all(FrameKind::Optimized, &["--", "hot"]);
}

#[test]
fn after_an_await() {
    check_all(FrameKind::Interpreted, &["--", "async"]);
}

#[test]
fn in_a_timer() {
    check_all(FrameKind::Interpreted, &["--", "timer"]);
}

#[test]
fn in_an_async_generator() {
    check_all(FrameKind::Interpreted, &["--", "generator"]);
}
