//! Variables by name, held against what the test program says of itself: the values are those
//! written in its source.

mod support;

use support::{core_with, nodes, Core};
use v8rs::deopt::Value;
use v8rs::metadata::InstanceType;
use v8rs::object::{Cx, JSString, OddballKind, Tagged};
use v8rs::offline::CoreFile;
use v8rs::session::Session;
use v8rs::stack::{arguments, scopes, Call, ScopeKind, Source};

fn show(cx: Cx, value: &Value) -> String {
    match value {
        Value::Tagged(value) => show_tagged(cx, *value),
        Value::Number(number) => number.to_string(),
        other => format!("{other:?}"),
    }
}

fn show_tagged(cx: Cx, value: Tagged) -> String {
    if let Some(number) = cx.smi(value) {
        return number.to_string();
    }
    let object = cx.object(value).expect("an object");
    match object.instance_type().expect("a type") {
        InstanceType::String => JSString(object).read(64).expect("text").text(),
        InstanceType::HeapNumber => {
            let at = cx.layout.heap_number.value;
            f64::from_bits(object.u64_field(at).expect("bits")).to_string()
        }
        InstanceType::Oddball => match OddballKind::of(object) {
            Ok(Some(kind)) => format!("{kind:?}"),
            other => format!("{other:?}"),
        },
        kind => kind.name().to_string(),
    }
}

/// `name=value`, `name` for one not passed.
fn named(cx: Cx, call: &Call) -> Vec<String> {
    let list = arguments(call).expect("known").expect("readable");
    list.iter()
        .map(|a| {
            let name = a.name.as_deref().unwrap_or("?");
            let rest = if a.is_rest { "..." } else { "" };
            match &a.value {
                Some(value) => format!("{rest}{name}={}", show(cx, value)),
                None => format!("{rest}{name}"),
            }
        })
        .collect()
}

fn check(core: &Core) {
    let file = CoreFile::open(&core.core, &core.program).expect("core opens");
    let session = Session::new(Box::new(file));
    let cx = session.cx().expect("V8");
    let source = Source {
        cx,
        target: session.target(),
        program: &session.v8().expect("V8").program,
        isolates: session.isolates().ok(),
    };
    let frames = source.backtrace(&session.target().threads()[0], usize::MAX);
    let call = |name: &str| {
        let mut calls = frames.iter().flat_map(|f| &f.calls);
        calls
            .find(|c| c.site.function_name.as_deref() == Some(name))
            .unwrap_or_else(|| panic!("node {}: no {name}", core.node))
    };
    let what = &core.node;
    let of = |name: &str| named(cx, call(name));
    assert_eq!(
        of("finish"),
        [
            "steps=JSArray",
            "mark=a mark",
            "half=1.5",
            "nothing=Undefined"
        ],
        "{what}"
    );
    assert_eq!(of("recursion"), ["depth=0", "text=down..."], "{what}");
    assert_eq!(of("fewer"), ["a=only one", "b", "c"], "{what}");
    assert_eq!(
        of("rest"),
        ["first=first", "...others=second", "...others=third"],
        "{what}"
    );
    assert_eq!(of("defaults"), ["a=d", "b", "?"], "{what}");
    assert_eq!(of("none"), ["?=True", "?=False", "?=BigInt"], "{what}");
    assert_eq!(
        of("assigned.deep.deeper.deepest"),
        ["a=from class"],
        "{what}"
    );
    assert_eq!(of("audit")[1..], ["extra=7"], "{what}");

    // Its loop goes through both steps; the second ends the program.
    let registers = &call("finish").registers;
    let shown: Vec<String> = registers
        .iter()
        .filter(|v| v.tagged().is_some_and(|t| cx.smi(t).is_some()))
        .map(|v| show(cx, v))
        .collect();
    assert_eq!(
        shown.first().map(String::as_str),
        Some("1"),
        "{what}: {shown:?}"
    );

    // `arguments` of a sloppy function keeps its parameter in a Context.
    let own = scopes(call("usesArguments").context.expect("a context")).expect("scopes");
    let first = &own[0];
    assert_eq!(first.kind, ScopeKind::Function, "{what}");
    let variable = &first.variables[0];
    assert_eq!(variable.name.as_deref(), Ok("a"), "{what}");
    assert_eq!(show(cx, &variable.value), "1", "{what}");
    // The module around it.
    let module = own.last().expect("the module's function");
    let holder = module
        .variables
        .iter()
        .find(|v| v.name.as_deref() == Ok("variant"));
    assert_eq!(
        show(cx, &holder.expect("a variable").value),
        "sync",
        "{what}"
    );
}

#[test]
fn arguments_and_scopes_by_name() {
    for node in nodes() {
        check(&core_with("frames", &node, &["--", "sync"]));
    }
}
