//! Optimized stacks, held against what `Error.stack` said in the same process and what the
//! functions, inlined or not, were passed.

mod support;

use support::{core_with, nodes, Core};
use v8rs::deopt::{Tier, Value};
use v8rs::metadata::InstanceType;
use v8rs::object::{constructor_name, Cx, JSFunction, JSString, OddballKind, Tagged};
use v8rs::offline::CoreFile;
use v8rs::session::Session;
use v8rs::stack::{Call, Frame, FrameKind, Source};

/// Calls that stack traces show, innermost first.
fn calls<'a, 'b>(frames: &'b [Frame<'a>]) -> Vec<&'b Call<'a>> {
    frames
        .iter()
        .filter(|f| f.kind != Some(FrameKind::ApiExit))
        .flat_map(|f| f.calls.iter())
        .filter(|c| c.site.is_visible)
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
        Some(name) => format!("{name} ({place})"),
        None => place,
    }
}

/// A value as the program shows it.
fn show_tagged(cx: Cx, value: Tagged) -> String {
    if let Some(number) = cx.smi(value) {
        return number.to_string();
    }
    let object = cx.object(value).expect("an object");
    match object.instance_type().expect("a type") {
        InstanceType::String => {
            let string = JSString(object).read(4096).expect("text");
            format!("'{}'", string.text())
        }
        InstanceType::HeapNumber => {
            let at = cx.layout.heap_number.value;
            f64::from_bits(object.u64_field(at).expect("bits")).to_string()
        }
        InstanceType::Oddball => match OddballKind::of(object) {
            Ok(Some(OddballKind::Undefined)) => "undefined".to_string(),
            Ok(Some(OddballKind::Null)) => "null".to_string(),
            other => format!("{other:?}"),
        },
        InstanceType::JSGlobalProxy => "[globalThis]".to_string(),
        InstanceType::JSArray => {
            let length = object.field(cx.layout.js_array.length).expect("length");
            format!("[array {}]", cx.smi(length).unwrap_or(-1))
        }
        kind if kind.is_js_function() => {
            let function = JSFunction(object);
            let own = function.own_name().expect("name");
            let name =
                own.unwrap_or_else(|| function.shared().and_then(|s| s.name()).expect("name"));
            format!("[function {name}]")
        }
        _ => format!("[object {}]", constructor_name(object).expect("name")),
    }
}

/// The same; `None` for a value that is not there.
fn show(cx: Cx, value: &Value) -> Option<String> {
    Some(match value {
        Value::Tagged(value) => show_tagged(cx, *value),
        Value::Number(number) => number.to_string(),
        Value::Int64(number) => number.to_string(),
        Value::Bool(value) => value.to_string(),
        Value::Undefined => "undefined".to_string(),
        Value::Unreadable(error) => panic!("{error}"),
        _ => return None,
    })
}

/// What is right and what is not there, of the values of inlined functions.
#[derive(Debug, Default, Clone, Copy)]
struct Values {
    right: usize,
    absent: usize,
}

fn check_noted(cx: Cx, call: &Call, noted: &serde_json::Value, what: &str, seen: &mut Values) {
    let Some(said) = noted.as_array() else {
        return;
    };
    let what = format!("{what}: {}", text(call));
    let mut ours = vec![call.receiver.clone().expect("a receiver")];
    match &call.arguments {
        Some(Ok(values)) => ours.extend(values.iter().cloned()),
        other => panic!("{what}: {other:?}"),
    }
    let shown: Vec<_> = ours.iter().map(|v| show(cx, v)).collect();
    if shown.len() != said.len() {
        // Declared but not passed: undefined.
        let missing = &shown[said.len()..];
        assert!(
            call.inlined && missing.iter().flatten().all(|v| v == "undefined"),
            "{what}: {shown:?} but {said:?}"
        );
    }
    for (ours, said) in shown.iter().zip(said) {
        let (Some(ours), Some(said)) = (ours, said.as_str()) else {
            seen.absent += usize::from(call.inlined && !said.is_null());
            continue;
        };
        seen.right += usize::from(call.inlined);
        assert_eq!(ours, said, "{what}: {shown:?}");
    }
}

/// `depth4` keeps a local variable across its call: its second argument and a half.
fn check_sum(cx: Cx, call: &Call, noted: &serde_json::Value, what: &str) {
    let number = noted[2].as_str().and_then(|n| n.parse::<f64>().ok());
    let (Some("depth4"), Some(number)) = (call.site.function_name.as_deref(), number) else {
        return;
    };
    let wanted = (number + 0.5).to_string();
    let shown: Vec<_> = call.registers.iter().filter_map(|v| show(cx, v)).collect();
    assert!(shown.contains(&wanted), "{what}: {wanted} in {shown:?}");
}

/// Holds one core's stack against the truth; so many of its calls at least are of the tier.
fn check(core: &Core, tiers: &[Tier], wanted: usize) -> usize {
    let output = core.output("optimized");
    let last = output.lines().last().expect("a record");
    let said: serde_json::Value = serde_json::from_str(last).expect("JSON");
    let what = format!("node {} {}", core.node, said["variant"]);
    let file = CoreFile::open(&core.core, &core.program).expect("core opens");
    let session = Session::new(Box::new(file));
    let source = Source {
        cx: session.cx().expect("V8"),
        target: session.target(),
        program: &session.v8().expect("V8").program,
        isolates: session.isolates().ok(),
    };
    let frames = source.backtrace(&session.target().threads()[0], usize::MAX);
    let ours = calls(&frames);
    let sites = said["sites"].as_array().expect("sites");
    let mut seen = Values::default();
    for (site, call) in sites.iter().zip(&ours) {
        assert_eq!(text(call), site["text"].as_str().expect("text"), "{what}");
        let place = call.place.as_ref().expect("a place").as_ref();
        assert_eq!(place.map(|p| p.line), site["line"].as_i64(), "{what}");
        assert_eq!(place.map(|p| p.column), site["column"].as_i64(), "{what}");
        let constructor = site["isConstructor"] == true;
        assert_eq!(call.site.is_constructor, constructor, "{what}: {site}");
        check_noted(source.cx, call, &site["noted"], &what, &mut seen);
        check_sum(source.cx, call, &site["noted"], &what);
    }
    assert_eq!(ours.len(), sites.len(), "{what}: number of frames");
    let of_tier = |c: &&&Call| c.tier.is_some_and(|t| tiers.contains(&t));
    let count = ours.iter().filter(of_tier).count();
    let inlined = ours.iter().filter(of_tier).filter(|c| c.inlined).count();
    println!(
        "{what}: {} calls, {count} {tiers:?}, {inlined} inlined, {seen:?}",
        ours.len()
    );
    assert!(count >= wanted, "{what}: {count} calls are {tiers:?}");
    assert!(inlined >= wanted / 3, "{what}: {inlined} calls are inlined");
    count
}

/// Of each release from `first` on. Returns how many optimized calls there were in all.
fn check_all(flags: &[&str], variant: &str, first: u32, tiers: &[Tier], wanted: usize) -> usize {
    let major = |node: &str| node.split('.').next()?.parse().ok();
    let cores = nodes()
        .into_iter()
        .filter(|node| major(node).unwrap_or(0) >= first);
    cores
        .map(|node| {
            let arguments = [&["--allow-natives-syntax"], flags, &["--", variant]].concat();
            check(&core_with("optimized", &node, &arguments), tiers, wanted)
        })
        .sum()
}

/// Else V8 optimizes when its threads find the time, and how much is optimized is a matter of luck.
const AT_ONCE: &[&str] = &["--no-concurrent-recompilation"];

#[test]
fn turbofan() {
    check_all(AT_ONCE, "turbofan", 12, &[Tier::Turbofan], 40);
}

#[test]
fn maglev() {
    check_all(AT_ONCE, "maglev", 24, &[Tier::Maglev], 60);
    // The one release of line 22 here that has Maglev; it compiles on its own threads only.
    if nodes().iter().any(|node| node == "22.0.0") {
        let arguments = ["--allow-natives-syntax", "--", "maglev"];
        let core = core_with("optimized", "22.0.0", &arguments);
        check(&core, &[Tier::Maglev], 20);
    }
}

#[test]
fn hot_loops() {
    check_all(AT_ONCE, "hot", 12, &[Tier::Maglev, Tier::Turbofan], 40);
}

#[test]
fn as_v8_decides() {
    let some = check_all(&[], "hot", 12, &[Tier::Maglev, Tier::Turbofan], 0);
    assert!(some > 0, "V8 optimized nothing on any release");
}
