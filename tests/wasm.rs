//! Stacks with WebAssembly in them, held against `Error.stack` of the same moment.

mod support;

use serde_json::Value;
use support::{core_with, nodes, Core};
use v8rs::command::App;
use v8rs::offline::OfflineHost;

fn bt(core: &Core) -> Value {
    let host = OfflineHost {
        core: core.core.clone(),
        program: core.program.clone(),
    };
    let outcome = App::new().run(&host, "bt", &["--json".to_string()]);
    assert_eq!(outcome.error, None, "{}", core.node);
    serde_json::from_str(&outcome.text).expect("JSON")
}

/// The lines of a frame as a stack trace prints them.
fn lines(frame: &Value) -> Vec<String> {
    let calls = frame["calls"].as_array().expect("calls").iter();
    let calls = calls.filter(|c| frame["kind"] != "api_exit" && c["in_stack_traces"] == true);
    let wasm = frame["wasm"].as_array().expect("calls").iter();
    let wasm = wasm.map(|c| c["text"].as_str().expect("text").to_string());
    let scripts = calls.map(|call| {
        let place = &call["call"];
        let place = match place["file"].as_str() {
            Some(file) => format!("{file}:{}:{}", place["line"], place["column"]),
            None => "<anonymous>".to_string(),
        };
        match call["name"].as_str() {
            Some(name) => format!("{name} ({place})"),
            None => place,
        }
    });
    scripts.chain(wasm).collect()
}

fn check_all(arguments: &[&str]) {
    for node in nodes() {
        let core = core_with("wasm", &node, arguments);
        let said: Value = serde_json::from_str(&core.output("wasm")).expect("JSON");
        let stack = said["stack"].as_str().expect("a stack");
        let theirs: Vec<&str> = stack
            .lines()
            .filter_map(|l| l.trim().strip_prefix("at "))
            .collect();
        assert_eq!(
            theirs
                .iter()
                .filter(|l| l.contains("wasm-function["))
                .count(),
            12,
            "node {node}: {stack}"
        );
        let found = bt(&core);
        let frames = found["frames"].as_array().expect("frames");
        let ours: Vec<String> = frames.iter().flat_map(lines).collect();
        assert_eq!(ours, theirs, "node {node} {arguments:?}");
    }
}

/// Every way in and out, by the program of them.
fn check_ways(arguments: &[&str]) {
    for node in nodes() {
        let core = core_with("wasmcalls", &node, arguments);
        let said: Value = serde_json::from_str(&core.output("wasmcalls")).expect("JSON");
        let stack = said["stack"].as_str().expect("a stack");
        // A name may have line ends of its own.
        let theirs: Vec<&str> = stack.split("\n    at ").skip(1).collect();
        assert!(theirs.len() > 350, "node {node}: {}", theirs.len());
        let found = bt(&core);
        let frames = found["frames"].as_array().expect("frames");
        let ours: Vec<String> = frames.iter().flat_map(lines).collect();
        for (at, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
            assert_eq!(ours, theirs, "node {node} {arguments:?}: call {at}");
        }
        assert_eq!(ours.len(), theirs.len(), "node {node} {arguments:?}");
    }
}

#[test]
fn every_way_in_and_out() {
    check_ways(&["--liftoff", "--no-wasm-tier-up"]);
    check_ways(&["--no-liftoff", "--", "1"]);
}

#[test]
fn in_code_of_the_first_tier() {
    check_all(&["--liftoff", "--no-wasm-tier-up"]);
}

#[test]
fn in_optimized_code() {
    check_all(&["--no-liftoff"]);
}

#[test]
fn after_many_rounds() {
    check_all(&["--", "20000"]);
}
