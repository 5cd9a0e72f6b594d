//! The leaking server: from its core alone to the array, the variable and the line; from two of its
//! cores to the class that grew. What is expected is what the server said of itself.

mod support;

use serde_json::Value;
use support::{core_with, nodes, Core};
use v8rs::command::App;
use v8rs::offline::OfflineHost;

fn run(core: &Core, command: &str, arguments: &[&str]) -> Value {
    let host = OfflineHost {
        core: core.core.clone(),
        program: core.program.clone(),
    };
    let mut words: Vec<String> = arguments.iter().map(|w| w.to_string()).collect();
    words.push("--json".to_string());
    let outcome = App::new().run(&host, command, &words);
    assert_eq!(outcome.error, None, "{command} on {}", core.node);
    serde_json::from_str(&outcome.text).unwrap()
}

fn truth(core: &Core) -> Value {
    serde_json::from_str(core.output("visits").lines().next().unwrap()).unwrap()
}

fn text(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
}

/// The class that an address is of, as `inspect` has it.
fn class_at(core: &Core, address: &Value) -> Value {
    run(core, "inspect", &[text(address)])["constructor"].clone()
}

#[test]
fn from_the_core_to_the_line() {
    for node in nodes() {
        let core = core_with(
            "visits",
            &node,
            &["--expose-gc", "--", "4000", "--snapshot"],
        );
        let truth = truth(&core);
        let found = run(&core, "leaks", &[]);
        let first = &found["suspects"][0];
        assert_eq!(first["pattern"], "pile", "{node}: {first}");
        assert_eq!(first["class"], "Visit", "{node}: {first}");
        assert_eq!(first["count"], truth["visits"], "{node}");
        assert_eq!(class_at(&core, &first["sample"]), "Visit", "{node}");
        // The array itself.
        let array = run(&core, "inspect", &[text(&first["address"])]);
        assert_eq!(array["length"], truth["visits"], "{node}: {array}");
        // The variable, and where the file has it.
        let variable = &first["variable"];
        assert_eq!(variable["expression"], truth["variable"], "{node}");
        let declared = text(&variable["declared"]).rsplit_once(':').unwrap().0;
        let expected = format!("{}:{}", text(&truth["file"]), truth["line"]);
        assert_eq!(declared, expected, "{node}");
        let file = text(&truth["file"]);
        let users = variable["users"].as_array().unwrap();
        assert!(!users.is_empty(), "{node}");
        assert!(users.iter().all(|u| text(&u["place"]).starts_with(file)));
        // What the heap grew by with each visit, and what the visits hold: V8 keeps a little more
        // of its own (feedback, cached texts) than hangs on them.
        let each = first["retained_size"].as_f64().unwrap() / truth["visits"].as_f64().unwrap();
        let of_each = each / truth["eachHolds"].as_f64().unwrap();
        assert!((0.75..=1.05).contains(&of_each), "{node}: {of_each}");
        let share = first["retained_size"].as_f64().unwrap() / found["heap"].as_f64().unwrap();
        let off = first["share"].as_f64().unwrap() - share;
        assert!(off.abs() < 1e-9 && share > 0.2, "{node}: {share}");
        // Edges and holders from the array to a root.
        let path = first["path"].as_array().unwrap();
        assert_eq!(path[0]["edge"], truth["variable"], "{node}: {path:?}");
        assert_eq!(path[0]["edge_type"], "context", "{node}");
    }
}

#[test]
fn from_two_cores_to_the_class() {
    for node in nodes() {
        let make = |visits: &str| {
            core_with(
                "visits",
                &node,
                &["--expose-gc", "--", visits, "--snapshot"],
            )
        };
        let (before, after) = (make("1000"), make("4000"));
        let [old, new] = [&before, &after].map(|c| truth(c)["visits"].as_i64().unwrap());
        // The earlier core itself, and the snapshot that V8 wrote at that time.
        let snapshot = before.directory.join("visits.heapsnapshot");
        for file in [&before.core, &snapshot] {
            let found = run(&after, "heapdiff", &[&file.to_string_lossy()]);
            assert_eq!(found["identity"], "counts", "{node}");
            let grown = &found["grown"];
            assert_eq!(grown["class"], "Visit", "{node}: {grown}");
            assert_eq!(grown["delta"], new - old, "{node}: {grown}");
            assert_eq!(class_at(&after, &grown["sample"]), "Visit", "{node}");
            let each = grown["retained_delta"].as_f64().unwrap() / (new - old) as f64;
            let of_each = each / truth(&after)["eachHolds"].as_f64().unwrap();
            assert!((0.75..=1.05).contains(&of_each), "{node}: {of_each}");
        }
        // And back: nothing has grown.
        let files = [&after.core, &before.core].map(|c| c.to_string_lossy().into_owned());
        let found = run(&before, "heapdiff", &[&files[0], &files[1]]);
        assert_eq!(found["grown"], Value::Null, "{node}");
        let classes = found["classes"].as_array().unwrap();
        let visit = classes.iter().find(|c| c["class"] == "Visit");
        assert!(visit.is_none_or(|v| v["delta"] == old - new), "{node}");
    }
}

/// The row of a class in `findjsobjects`, null where there is none.
fn row(found: &Value, class: &str) -> Value {
    let rows = found["classes"].as_array().unwrap();
    let row = rows.iter().find(|r| r["name"] == class);
    row.cloned().unwrap_or_default()
}

#[test]
fn the_dead_and_the_living() {
    for node in nodes() {
        let core = core_with(
            "visits",
            &node,
            &["--expose-gc", "--", "4000", "--snapshot"],
        );
        let truth = truth(&core);
        let all = run(&core, "findjsobjects", &[]);
        assert_eq!(row(&all, "Gone")["instances"], truth["gone"], "{node}");
        let live = run(&core, "findjsobjects", &["--live", "--retained"]);
        assert_eq!(row(&live, "Gone"), Value::Null, "{node}");
        for found in [&all, &live] {
            assert_eq!(row(found, "Visit")["instances"], truth["visits"], "{node}");
            // The 500, and the array that they were in.
            let garbage = found["garbage"]["objects"].as_u64().unwrap();
            assert!(garbage > truth["gone"].as_u64().unwrap(), "{node}");
        }
        assert_eq!(all["garbage"], live["garbage"], "{node}");
        let sum = |found: &Value| {
            let rows = found["classes"].as_array().unwrap();
            rows.iter()
                .map(|r| r["instances"].as_u64().unwrap())
                .sum::<u64>()
        };
        let dead = live["garbage"]["objects"].as_u64().unwrap();
        assert_eq!(sum(&all) - sum(&live), dead, "{node}");
        let visits = row(&live, "Visit");
        let suspect = &run(&core, "leaks", &[])["suspects"][0];
        assert_eq!(visits["retained"], suspect["retained_size"], "{node}");
        assert!(
            visits["retained"].as_u64() > visits["size"].as_u64(),
            "{node}"
        );
    }
}
