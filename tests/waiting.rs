//! What waits in the heap, held against what the program says of it, and V8's own stack.

mod support;

use serde_json::Value;
use support::{core_with, nodes, Core};
use v8rs::command::App;
use v8rs::offline::OfflineHost;

fn run(core: &Core, words: &[&str]) -> Value {
    let host = OfflineHost {
        core: core.core.clone(),
        program: core.program.clone(),
    };
    let words: Vec<String> = words.iter().map(|w| w.to_string()).collect();
    let outcome = App::new().run(&host, "async", &words);
    assert_eq!(outcome.error, None, "{}", core.node);
    serde_json::from_str(&outcome.text).expect("JSON")
}

fn check(core: &Core) {
    let what = &core.node;
    let said: Value = serde_json::from_str(&core.output("waiting")).expect("JSON");
    let found = run(core, &["-n", "0", "--json"]);
    let groups = found["groups"].as_array().expect("groups");
    let own =
        |name: &str| -> Vec<&Value> { groups.iter().filter(|g| g["function"] == name).collect() };
    for (name, expected) in said["places"].as_object().expect("places") {
        let groups = own(name);
        assert_eq!(groups.len(), 1, "{what}: {name}: {groups:?}");
        assert_eq!(groups[0]["count"], expected[0], "{what}: {name}");
        let place = &groups[0]["place"];
        assert!(place["line"].is_u64(), "{what}: {name}: {}", groups[0]);
        if !expected[1].is_null() {
            assert_eq!(place["line"], expected[1]["line"], "{what}: {name}");
            assert_eq!(place["column"], expected[1]["column"], "{what}: {name}");
        }
    }
    // What V8 said of the same places while one of them went on.
    let stack = said["stack"].as_str().expect("a stack");
    let lines: Vec<String> = stack
        .lines()
        .filter_map(|l| l.trim().strip_prefix("at async "))
        .map(|l| format!("async {l}"))
        .collect();
    assert_eq!(lines.len(), 2, "{what}: {stack}");
    let query = own("query")[0];
    let chain: Vec<&str> = query["awaited_by"]
        .as_array()
        .expect("a chain")
        .iter()
        .filter_map(|l| l.as_str())
        .collect();
    // The sample may be one that others wait for.
    let others = ["async Promise.all", "async raceOf", "async thenOfQuery"];
    let is_other = others.iter().any(|o| chain[0].starts_with(o));
    assert!(
        is_other || chain == lines,
        "{what}: {chain:?} but {lines:?}"
    );
    assert_eq!(query["waits_for"][0]["kind"], "promise", "{what}");
    let request = own("request")[0];
    assert_eq!(request["waits_for"][0]["function"], "query", "{what}");
    assert_eq!(request["awaited_by"][0], lines[1].as_str(), "{what}");
    assert_eq!(own("handler")[0]["waits_for"][0]["function"], "request");
    // What finished is not there; plain generators are, behind all that waits.
    assert_eq!(own("done").len(), 0, "{what}");
    let plain = groups.iter().position(|g| g["function"] == "plain");
    let plain = plain.expect("the generator");
    assert_eq!(groups[plain]["count"], 1, "{what}");
    let idle = |g: &Value| g["kind"] == "generator" || g["kind"] == "idle_async_generator";
    assert!(groups[plain..].iter().all(idle), "{what}");
    assert!(!groups[..plain].iter().any(|g| g["kind"] == "generator"));
    // Of Promise.race and of what `then` made, what is behind them.
    let waits = |name: &str| own(name)[0]["waits_for"][0].clone();
    assert_eq!(waits("raceOf")["function"], "Promise.race", "{what}");
    assert_eq!(waits("allOf")["function"], "Promise.all", "{what}");
    assert_eq!(waits("thenOf")["kind"], "promise", "{what}");
    assert_eq!(waits("thenOfQuery")["function"], "query", "{what}");
    // The order: what waits for async functions comes behind what waits for none.
    let at = |name: &str| groups.iter().position(|g| g["function"] == name);
    for outside in ["query", "values", "thenOf", "raceOfOthers"] {
        for inside in [
            "request",
            "handler",
            "allOf",
            "raceOf",
            "thenOfQuery",
            "loop",
        ] {
            assert!(at(outside) < at(inside), "{what}: {outside} {inside}");
        }
    }
    assert!(at("loop") < at("plain"), "{what}");
}

#[test]
fn async_functions_by_where_they_wait() {
    for node in nodes() {
        check(&core_with("waiting", &node, &[]));
    }
}
