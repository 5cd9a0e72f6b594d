//! `nodeinfo`, `getactivehandles` and `getactiverequests` against what the server said of itself.

mod support;

use serde_json::Value;
use support::{cores_of, Core};
use v8rs::command::App;
use v8rs::offline::OfflineHost;

fn run(core: &Core, command: &str) -> Value {
    let host = OfflineHost {
        core: core.core.clone(),
        program: core.program.clone(),
    };
    let outcome = App::new().run(&host, command, &["--json".to_string()]);
    assert_eq!(outcome.error, None, "{command} on {}", core.node);
    serde_json::from_str(&outcome.text).unwrap()
}

fn truth(core: &Core) -> Value {
    let output = core.output("server");
    let line = output.lines().find(|l| l.contains("\"requests\"")).unwrap();
    serde_json::from_str(line).unwrap()
}

/// Class names of what a queue command lists, in order.
fn classes(result: &Value) -> Vec<String> {
    let wraps = result["wraps"].as_array().unwrap();
    assert_eq!(result["total"], wraps.len());
    wraps
        .iter()
        .map(|w| {
            let name = &w["value"]["constructor"];
            name.as_str().unwrap_or_else(|| panic!("{w}")).to_string()
        })
        .collect()
}

fn names(list: &Value) -> Vec<&str> {
    let list = list.as_array().unwrap();
    list.iter().filter_map(Value::as_str).collect()
}

#[test]
fn handles_and_requests_are_those_of_node() {
    for core in cores_of("server") {
        let truth = truth(&core);
        assert_eq!(
            classes(&run(&core, "getactiverequests")),
            names(&truth["requests"]),
            "requests of {}",
            core.node
        );
        // Node tells only those that keep the loop alive; the queue holds the others too, and
        // both are in the order they were made.
        let mut handles = classes(&run(&core, "getactivehandles")).into_iter();
        for name in names(&truth["wraps"]) {
            assert!(
                handles.any(|h| h == name),
                "{name} is missing, or not in its place, on {}",
                core.node
            );
        }
    }
}

#[test]
fn nodeinfo_is_what_process_says() {
    for core in cores_of("server") {
        let truth = &truth(&core)["process"];
        let process = &run(&core, "nodeinfo")["process"];
        for (ours, theirs) in [
            ("pid", "pid"),
            ("platform", "platform"),
            ("arch", "arch"),
            ("version", "version"),
        ] {
            assert_eq!(process[ours], truth[theirs], "{ours} on {}", core.node);
        }
        assert_eq!(process["missing"].as_array().unwrap().len(), 0, "{process}");
        let pairs = process["versions"]["value"].as_array().unwrap();
        let theirs = truth["versions"].as_object().unwrap();
        assert_eq!(pairs.len(), theirs.len(), "versions on {}", core.node);
        for pair in pairs {
            assert_eq!(pair[1], theirs[pair[0].as_str().unwrap()]);
        }
        let argv = process["argv"]["value"].as_array().unwrap();
        assert_eq!(argv, truth["argv"].as_array().unwrap());
    }
}
