//! Async functions that wait for what runs, held against `Error.stack` of the same moment.

mod support;

use serde_json::Value;
use support::{core_with, nodes, trace_lines};
use v8rs::command::App;
use v8rs::offline::OfflineHost;

fn check(way: &str) {
    for node in nodes() {
        let core = core_with("chains", &node, &["--", way]);
        let what = format!("node {node} {way}");
        // Promise.any came with Node 15.
        if way == "any" && core.major() < 15 {
            continue;
        }
        let said: Value = serde_json::from_str(&core.output("chains")).expect("JSON");
        let stack = said["stack"].as_str().expect("a stack");
        let theirs: Vec<String> = stack
            .lines()
            .filter_map(|l| Some(l.trim().strip_prefix("at ")?.to_string()))
            .collect();
        let host = OfflineHost {
            core: core.core.clone(),
            program: core.program.clone(),
        };
        let outcome = App::new().run(&host, "bt", &["--json".to_string()]);
        assert_eq!(outcome.error, None, "{what}");
        let found = serde_json::from_str(&outcome.text).expect("JSON");
        assert_eq!(trace_lines(&found).collect::<Vec<_>>(), theirs, "{what}");
    }
}

#[test]
fn through_promises_of_several() {
    for way in ["all", "any", "allSettled", "race"] {
        check(way);
    }
}

#[test]
fn through_then_and_finally() {
    check("then");
    check("finally");
}

#[test]
fn through_async_generators() {
    check("generator");
    check("loop");
}

#[test]
fn through_all_of_them() {
    check("nested");
}
