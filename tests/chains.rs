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
        let mut theirs: Vec<String> = stack
            .lines()
            .filter_map(|l| Some(l.trim().strip_prefix("at ")?.to_string()))
            .collect();
        // V8 has followed it since 10.2; of those before we say what it says since then.
        let is_older = core.major() < 18 || node == "18.0.0";
        if way == "allSettled" && is_older {
            let script = core.directory.join("chains.js");
            let text = std::fs::read_to_string(&script).expect("the program");
            let place = |code: &str| {
                let mut lines = text.lines().enumerate();
                let found = lines.find_map(|(n, l)| Some((n, l.find(code)?)));
                let (line, column) = found.map(|(n, at)| (n + 1, at + 1)).expect("the code");
                format!("{}:{line}:{column}", script.display())
            };
            assert!(!stack.contains("allSettled"), "{what}: {stack}");
            theirs.extend([
                "async Promise.allSettled (index 0)".to_string(),
                format!(
                    "async Object.allSettled ({})",
                    place("await Promise.allSettled")
                ),
                format!("async outer ({})", place("await ways[way]()")),
            ]);
        }
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
