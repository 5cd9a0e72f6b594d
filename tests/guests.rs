//! Classes of unusual kinds, held against what V8 calls them in its own snapshot of the same heap.

mod support;

use serde_json::Value;
use std::collections::{HashMap, HashSet};
use support::{core_with, nodes, Core};
use v8rs::command::{App, Outcome};
use v8rs::offline::OfflineHost;

fn run(core: &Core, app: &mut App, words: &[&str]) -> Outcome {
    let host = OfflineHost {
        core: core.core.clone(),
        program: core.program.clone(),
    };
    let words: Vec<String> = words.iter().map(|w| w.to_string()).collect();
    app.run(&host, &words[0], &words[1..])
}

type Counts = HashMap<String, (u64, u64)>;

/// Objects and bytes by name.
fn ours(core: &Core) -> Counts {
    let outcome = run(core, &mut App::new(), &["findjsobjects", "--json"]);
    assert_eq!(outcome.error, None, "node {}", core.node);
    let json: Value = serde_json::from_str(&outcome.text).expect("JSON");
    let classes = json["classes"].as_array().expect("classes");
    let number = |class: &Value, key: &str| class[key].as_u64().expect("a number");
    classes
        .iter()
        .map(|c| {
            let name = c["name"].as_str().expect("a name").to_string();
            (name, (number(c, "instances"), number(c, "size")))
        })
        .collect()
}

/// The same by V8's account, and the prototypes it gives names of their own: V8 calls a prototype
/// by its own Symbol.toStringTag, which is meant for those that inherit it.
fn theirs(core: &Core) -> (Counts, Counts) {
    let path = core.directory.join("guests.heapsnapshot");
    let bytes = std::fs::read(path).expect("the program wrote its snapshot");
    // V8 writes halves of surrogate pairs where it cuts a name.
    let json: Value = serde_json::from_str(&String::from_utf8_lossy(&bytes)).expect("a snapshot");
    let meta = &json["snapshot"]["meta"];
    let numbers = |of: &str| -> Vec<usize> {
        let all = json[of].as_array().expect("a list").iter();
        all.map(|n| n.as_u64().expect("a number") as usize)
            .collect()
    };
    let place = |of: &str, name: &str| {
        let fields = meta[of].as_array().expect("fields");
        fields.iter().position(|f| f == name).expect("a field")
    };
    let text = |n: usize| json["strings"][n].as_str().expect("text");
    let kind_of = |of: &str, n: usize| meta[of][0][n].as_str().expect("a type");
    let (nodes, edges) = (numbers("nodes"), numbers("edges"));
    let width = meta["node_fields"].as_array().expect("fields").len();
    let edge_width = meta["edge_fields"].as_array().expect("fields").len();
    let count = place("node_fields", "edge_count");
    let mut prototypes = HashSet::new();
    let mut tagged = HashSet::new();
    let mut edges = edges.chunks_exact(edge_width);
    for (i, node) in nodes.chunks_exact(width).enumerate() {
        for edge in edges.by_ref().take(node[count]) {
            let kind = kind_of("edge_types", edge[place("edge_fields", "type")]);
            if !matches!(kind, "property" | "internal") {
                continue;
            }
            match text(edge[place("edge_fields", "name_or_index")]) {
                "__proto__" | "prototype" => {
                    prototypes.insert(edge[place("edge_fields", "to_node")] / width);
                }
                "<symbol Symbol.toStringTag>" => {
                    tagged.insert(i);
                }
                _ => {}
            }
        }
    }
    let (mut all, mut excluded) = (Counts::new(), Counts::new());
    for (i, node) in nodes.chunks_exact(width).enumerate() {
        if kind_of("node_types", node[place("node_fields", "type")]) != "object" {
            continue;
        }
        let name = text(node[place("node_fields", "name")]);
        let is_prototype = prototypes.contains(&i) && tagged.contains(&i);
        let sum = match is_prototype {
            true => excluded.entry(name.to_string()).or_default(),
            false => all.entry(name.to_string()).or_default(),
        };
        sum.0 += 1;
        sum.1 += node[place("node_fields", "self_size")] as u64;
    }
    (all, excluded)
}

fn cores() -> Vec<Core> {
    let make = |node: String| core_with("guests", &node, &["--expose-gc"]);
    nodes().into_iter().map(make).collect()
}

/// A name as V8's snapshot has it: cut, and without what its strings cannot hold.
fn in_snapshot(name: &str) -> String {
    name.replace("\\ud800", "???")
        .replace('\0', " ")
        .replace('\u{1f600}', "\u{f600}")
        .chars()
        .take(1024)
        .collect()
}

/// What the snapshot has as nodes of other types or under other names, and contexts, which it has
/// as objects.
fn is_named_otherwise(name: &str) -> bool {
    name.starts_with('(')
        || name.starts_with("global")
        || name.starts_with("Object (")
        || matches!(
            name,
            "Function"
                | "AsyncFunction"
                | "GeneratorFunction"
                | "AsyncGeneratorFunction"
                | "GuestFunction"
                | "RegExp"
                | "GuestPattern"
                | "Array"
                | "system / Context"
                // Up to Node 24; then one with the C++ object behind it.
                | "Script"
        )
}

/// The classes that the prototypes with names of their own are counted with here.
const WITH_PROTOTYPES: [&str; 9] = [
    "Object",
    "Map",
    "Error",
    "Event",
    "EventTarget",
    "DOMException",
    "AbstractModuleSource",
    "PerformanceEntry",
    "JSTransferable",
];

/// Up to V8 9 an instance of a class below one of these has no name but theirs, by V8's account.
/// And the older snapshots do not show which of them is a prototype.
const TAGGED: [&str; 13] = [
    "Array Iterator",
    "AsyncGenerator",
    "Generator",
    "Set",
    "ArrayBuffer",
    "SharedArrayBuffer",
    "DataView",
    "Promise",
    "WeakMap",
    "WeakSet",
    "WeakRef",
    "FinalizationRegistry",
    "DataTag",
];

#[test]
fn classes_have_v8s_names() {
    for core in cores() {
        let (ours, (theirs, prototypes)) = (ours(&core), theirs(&core));
        let said = core.output("guests");
        let said: Value = serde_json::from_str(said.lines().next().expect("a line")).expect("JSON");
        let made = said["made"].as_object().expect("counts");
        let major = core.node.split('.').next().and_then(|m| m.parse().ok());
        let is_old = matches!(major, Some(..=16));
        let prototypes: u64 = prototypes.values().map(|(count, _)| count).sum();
        let mut compared = 0;
        for (name, count) in &ours {
            let what = format!("node {}: {name:.60}", core.node);
            let made = made.get(name).and_then(Value::as_u64);
            let (theirs_too, known) = match name.as_str() {
                "(Object)" => (theirs.get(""), true),
                "class (Array)" => (theirs.get("(Array)"), true),
                "class (String)" => (theirs.get("(String)"), true),
                _ => (theirs.get(&in_snapshot(name)), !is_named_otherwise(name)),
            };
            let other = theirs_too.copied().unwrap_or_default();
            if !known || (is_old && other.0 == 0) {
                // The program's own account.
                assert!(made.is_none_or(|made| made == count.0), "{what}: {count:?}");
            } else if WITH_PROTOTYPES.contains(&name.as_str()) {
                // Node makes a few objects more before it dies.
                let most = other.0 + prototypes + 20;
                assert!(is_old || (other.0..=most).contains(&count.0), "{what}");
            } else if is_old && TAGGED.contains(&name.as_str()) {
                assert!(count.0 <= other.0, "{what}");
            } else if is_old && made.is_none() {
                let extra = other.0.checked_sub(count.0);
                assert!(
                    extra.is_some_and(|n| n <= 3),
                    "{what}: {count:?}, {other:?}"
                );
                compared += 1;
            } else {
                assert_eq!(*count, other, "{what}");
                assert!(made.is_none_or(|made| made <= count.0), "{what}: {count:?}");
                compared += 1;
            }
        }
        assert!(compared > 100, "node {}: {compared}", core.node);
        // Of the names that V8 has there is none that is not here.
        for (name, count) in theirs.iter().filter(|(_, (count, _))| *count > 2) {
            let missing = !is_named_otherwise(name) && !name.is_empty();
            let is_here = ours.keys().any(|n| in_snapshot(n) == *name);
            assert!(!missing || is_here, "node {}: {name}: {count:?}", core.node);
        }
    }
}

/// A class is asked for by its name as it is, or as it is shown.
#[test]
fn hostile_names_are_shown_with_escapes() {
    for core in cores() {
        let mut app = App::new();
        let all = run(&core, &mut app, &["findjsobjects"]);
        assert_eq!(all.error, None, "node {}", core.node);
        let is_safe =
            |c: char| c == '\n' || !(c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c));
        assert!(all.text.chars().all(is_safe), "node {}", core.node);
        for (shown, name) in [
            ("escape\\x1b[31mred\\x1b[0m", "escape\x1b[31mred\x1b[0m"),
            ("line\\nfeed\\r\\ttab", "line\nfeed\r\ttab"),
            ("bidi\\u202eevil\\u202c", "bidi\u{202e}evil\u{202c}"),
        ] {
            let rows = all
                .text
                .lines()
                .filter(|l| l.ends_with(&format!(" {shown}")));
            assert_eq!(rows.count(), 1, "node {}: {shown}", core.node);
            let one = run(&core, &mut app, &["findjsinstances", "-n", "2", shown]);
            let other = run(
                &core,
                &mut App::new(),
                &["findjsinstances", "-n", "2", name],
            );
            assert_eq!(one.error, None, "node {}: {shown}", core.node);
            assert!(one.text == other.text, "node {}: {shown}", core.node);
            let one = run(&core, &mut app, &["retained", "-c", shown]);
            let other = run(&core, &mut app, &["retained", "-c", name]);
            assert_eq!(one.error, None, "node {}: {shown}", core.node);
            assert!(one.text == other.text, "node {}: {shown}", core.node);
            assert!(one.text.chars().all(is_safe), "node {}", core.node);
        }
    }
}
