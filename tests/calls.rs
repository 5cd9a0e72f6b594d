//! Two stacks held line by line against `Error.stack` of the same moment. One has thousands of calls
//! of every kind: names, receivers, builtins that call back, conversions, proxies, `eval`, modules. On
//! the other are methods whose `this` an optimizing compiler can do without.

mod support;

use serde_json::Value;
use support::{core_with, major, nodes, trace_line};
use v8rs::command::App;
use v8rs::offline::OfflineHost;

/// The lines of a frame as a stack trace prints them, and whether `this` is an object or a boxed
/// value.
fn lines(frame: &Value) -> Vec<(String, bool)> {
    let calls = frame["calls"].as_array().expect("calls").iter();
    let calls = calls.filter(|c| frame["kind"] != "api_exit" && c["in_stack_traces"] == true);
    calls
        .map(|call| {
            let has_this = call["inlined"] == false || call["this"]["value"].is_string();
            (trace_line(call), has_this)
        })
        .collect()
}

/// How many calls had no such `this`.
fn check_program(program: &str, least: usize, node: &str, arguments: &[&str]) -> usize {
    let core = core_with(program, node, arguments);
    let said: Value = serde_json::from_str(&core.output(program)).expect("JSON");
    let stack = said["stack"].as_str().expect("a stack");
    // A name may have line ends of its own.
    let theirs: Vec<&str> = stack.split("\n    at ").skip(1).collect();
    assert!(theirs.len() > least, "node {node}: {}", theirs.len());
    let host = OfflineHost {
        core: core.core.clone(),
        program: core.program.clone(),
    };
    let outcome = App::new().run(&host, "bt", &["--json".to_string()]);
    assert_eq!(outcome.error, None, "{node}");
    let found: Value = serde_json::from_str(&outcome.text).expect("JSON");
    let frames = found["frames"].as_array().expect("frames");
    let ours: Vec<(String, bool)> = frames.iter().flat_map(lines).collect();
    for (at, ((ours, _), theirs)) in ours.iter().zip(&theirs).enumerate() {
        assert_eq!(
            ours, theirs,
            "{program}, node {node} {arguments:?}: call {at}"
        );
    }
    let without_this = ours.iter().filter(|o| !o.1).count();
    println!(
        "{program}, node {node} {arguments:?}: {} calls, {without_this} without this",
        ours.len()
    );
    assert_eq!(ours.len(), theirs.len(), "node {node} {arguments:?}");
    without_this
}

fn check(node: &str, arguments: &[&str]) {
    check_program("calls", 2000, node, arguments);
    let without = check_program("receivers", 450, node, arguments);
    // Else it tries nothing.
    let some = arguments.contains(&"turbofan");
    assert!(!some || without > 0, "node {node} {arguments:?}");
}

#[test]
fn interpreted() {
    for node in nodes() {
        check(&node, &["--no-opt"]);
    }
}

#[test]
fn baseline() {
    for node in nodes().iter().filter(|n| major(n) >= 16) {
        check(node, &["--always-sparkplug", "--no-opt"]);
    }
}

#[test]
fn after_many_rounds() {
    for node in nodes() {
        check(&node, &["--", "hot"]);
    }
}

#[test]
fn turbofan() {
    for node in nodes() {
        check(&node, &["--allow-natives-syntax", "--", "turbofan"]);
    }
}

#[test]
fn maglev() {
    for node in nodes().iter().filter(|n| major(n) >= 24) {
        let arguments = ["--allow-natives-syntax", "--maglev", "--", "maglev"];
        check(node, &arguments);
    }
}
