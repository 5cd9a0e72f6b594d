//! What settles the promises that async functions wait for, held against what the program says of it.

mod support;

use serde_json::{json, Value};
use support::{core_with, nodes, Core};
use v8rs::command::App;
use v8rs::offline::OfflineHost;

fn run(core: &Core, words: &[&str]) -> String {
    let host = OfflineHost {
        core: core.core.clone(),
        program: core.program.clone(),
    };
    let words: Vec<String> = words.iter().map(|w| w.to_string()).collect();
    let outcome = App::new().run(&host, "async", &words);
    assert_eq!(outcome.error, None, "{}", core.node);
    outcome.text
}

fn check(core: &Core) {
    let node = &core.node;
    let told: Value = serde_json::from_str(&core.output("settles")).expect("JSON");
    let found: Value = serde_json::from_str(&run(core, &["-n", "0", "--json"])).expect("JSON");
    let groups = found["groups"].as_array().expect("groups");
    let of = |name: &str| -> &Value {
        let mut own = groups.iter().filter(|g| g["function"] == name);
        let group = own.next();
        assert_eq!(own.count(), 0, "{node}: {name}");
        group.unwrap_or_else(|| panic!("{node}: no {name}"))
    };
    let mut wrong = Vec::new();
    for (name, expected) in told["said"].as_object().expect("what the program says") {
        let group = of(name);
        let waits = &group["waits_for"];
        let through = expected["through"] == true;
        let never = expected["never"] == true;
        let same = |by: &Value, key: &str| by[key] == expected["by"][key];
        let causes = waits[0]["settled_by"].as_array().cloned();
        let causes = causes.unwrap_or_default();
        let settled = match (never, &causes[..]) {
            (true, causes) => causes.is_empty(),
            (false, [by]) => ["kind", "class", "name", "of", "delay"].iter().all(|key| {
                match (&expected["by"][key], *key) {
                    (Value::Array(range), "delay") => {
                        let ours = by["delay"].as_array().cloned().unwrap_or_default();
                        let number = |v: &Value| v.as_f64();
                        ours.iter().map(number).eq(range.iter().map(number))
                    }
                    _ => same(by, key),
                }
            }),
            _ => false,
        };
        let right = settled
            && waits.as_array().map(Vec::len) == Some(1)
            && group["count"] == expected["count"]
            && waits[0]["kind"] == "promise"
            && waits[0]["never"] == never
            && (expected["through"] == "maybe" || waits[0]["through_then"] == through);
        if !right {
            wrong.push(format!("{name}: {waits}, but {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{node}:\n{}", wrong.join("\n"));
    // Chains go on where V8's stop, and say so.
    let by = |name: &str| of(name)["awaited_by"][0].as_str().unwrap_or("").to_string();
    assert!(
        by("guard").starts_with("async guardian ("),
        "{node}: {}",
        by("guard")
    );
    assert_eq!(of("first")["awaited_by"], json!([]), "{node}");
    // The words.
    let text = run(core, &["-n", "0"]);
    for line in [
        "waits for a promise held by Array in variable 'waiting'",
        "waits for a promise held by Array in Pool.queue",
        "waits for a promise held by variable 'wake'",
        "waits for a Timeout of 1000000 ms",
        "waits for a Timeout of 1000000 to 1003999 ms",
        "waits for an interval of 1400000 ms",
        "waits for a Timeout of 1600000 ms, through then",
        "waits for event 'go' of Bus",
        "waits for a promise that nothing can resolve any more",
    ] {
        let is_there = text.lines().any(|l| l.trim() == line);
        assert!(is_there, "{node}: {line}\n{text}");
    }
}

#[test]
fn promises_by_what_settles_them() {
    for node in nodes() {
        check(&core_with("settles", &node, &[]));
    }
}
