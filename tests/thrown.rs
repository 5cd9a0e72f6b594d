//! Deaths of what is no usual Error, and of workers, held against what the process said.

mod support;

use serde_json::Value;
use support::{core_with, major, nodes, run, Core};

const ABORT: &str = "--abort-on-uncaught-exception";

/// A process that died: what we say of it, in JSON and in words, and what it said.
struct Died {
    what: String,
    core: Core,
    ours: Value,
    text: String,
    said: Value,
}

/// On each release; `flags` are node's.
fn each(flags: &[&str], way: &str, check: impl Fn(&Died)) {
    for node in nodes() {
        let mut arguments = flags.to_vec();
        if way == "rejected" && major(&node) < 15 {
            arguments.push("--unhandled-rejections=strict");
        }
        arguments.extend(["--", way]);
        let core = core_with("thrown", &node, &arguments);
        let threads: Value =
            serde_json::from_str(&run(&core, "bt", &["--all", "--json"])).expect("JSON");
        let threads = threads.as_array().expect("threads");
        let dead: Vec<&Value> = threads.iter().filter(|t| !t["died"].is_null()).collect();
        assert_eq!(dead.len(), 1, "node {node} {way}: {dead:?}");
        // V8 tells of its last collections on standard output too.
        let output = core.output("thrown");
        let mut said = output
            .lines()
            .filter_map(|l| serde_json::from_str(l).ok())
            .filter(Value::is_object);
        check(&Died {
            what: format!("node {node} {way}"),
            ours: dead[0]["died"].clone(),
            text: run(&core, "bt", &[]),
            said: said.next().expect("it said something"),
            core,
        });
    }
}

fn lines(stack: &Value) -> Vec<&str> {
    let stack = stack.as_array().expect("a stack").iter();
    stack.map(|l| l.as_str().expect("text")).collect()
}

/// The calls of a stack's text.
fn calls(stack: &Value) -> Vec<&str> {
    let lines = stack.as_str().expect("text").lines();
    lines
        .map(str::trim_start)
        .filter(|l| l.starts_with("at "))
        .collect()
}

#[test]
fn objects_that_are_no_errors() {
    each(&[ABORT], "plain", |died| {
        let text = died.said["text"].as_str().expect("text");
        assert_eq!(died.ours["exception"]["text"], text, "{}", died.what);
        let first = format!(" Uncaught {text} (");
        assert!(died.text.starts_with(&first), "{}", died.what);
    });
}

/// Text with each run of spaces and line ends as one space.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn values_of_every_kind() {
    each(&[ABORT], "every", |died| {
        let what = &died.what;
        let said = died.said["text"].as_str().expect("text");
        let ours = died.ours["exception"]["text"].as_str().expect("text");
        let differs = ours.bytes().zip(said.bytes()).position(|(a, b)| a != b);
        if let Some(at) = differs {
            let around = |text: &str| {
                let from = at.saturating_sub(60);
                let bytes: Vec<u8> = text.bytes().skip(from).take(160).collect();
                String::from_utf8_lossy(&bytes).into_owned()
            };
            panic!("{what}:\n{}\n{}", around(ours), around(said));
        }
        assert_eq!(ours, said, "{what}");
        // And as Node.js says it itself, where it is let.
        let script = died.core.directory.join("thrown.js");
        let alone = std::process::Command::new(&died.core.program)
            .arg(script)
            .arg("every")
            .output()
            .expect("node runs");
        let errors = String::from_utf8_lossy(&alone.stderr).into_owned();
        let errors = flat(&errors);
        // Of the same calls it says them with the same places, but for the flag's.
        assert!(errors.contains(ours), "{what}: {errors}");
    });
}

#[test]
fn dom_exceptions_in_print_and_inspect() {
    for node in nodes() {
        let what = format!("node {node}");
        let core = core_with("thrown", &node, &["--", "doms"]);
        let said: Value =
            serde_json::from_str(core.output("thrown").lines().next().expect("a line"))
                .expect("JSON");
        let found = ["DOMException", "Error"]
            .map(|class| run(&core, "findjsinstances", &["-n", "0", class]));
        let all = found.concat();
        let objects = all
            .lines()
            .filter_map(|l| l.split_once(":<Error: DOMException"));
        let mut ours: Vec<Value> = objects
            .map(|(address, _)| {
                let shown = run(&core, "inspect", &["-F", "--json", address]);
                let brief = run(&core, "print", &["-F", address]);
                let value: Value = serde_json::from_str(&shown).expect("JSON");
                let name = value["name"].as_str().expect("a name");
                let message = value["message"]["text"].as_str().unwrap_or("");
                assert!(brief.contains(&format!("[{name}]")), "{what}: {brief}");
                assert!(brief.contains(message), "{what}: {brief}");
                let sections = value["sections"].as_array().expect("sections");
                let part = |wanted: &str| {
                    let found = sections.iter().find(|s| s["section"] == wanted);
                    found.unwrap_or_else(|| panic!("{what}: {wanted}: {value}"))
                };
                let slots = part("internal_slots")["items"].as_array().expect("items");
                assert_eq!(slots[0]["value"]["value"]["text"], name, "{what}");
                assert_eq!(slots[1]["value"]["value"]["text"], message, "{what}");
                let stack = part("error_stack");
                let calls = stack["frames"].as_array().map_or(0, Vec::len);
                assert!(calls > 3 || stack["text"].is_object(), "{what}: {stack}");
                serde_json::json!([name, message, slots[2]["value"]["value"]["value"]])
            })
            .collect();
        let theirs = said.as_array().expect("a list").iter();
        let mut theirs: Vec<Value> = theirs
            .map(|d| serde_json::json!([d[0], d[1], d[2]]))
            .collect();
        ours.sort_by_key(Value::to_string);
        theirs.sort_by_key(Value::to_string);
        assert_eq!(ours, theirs, "{what}");
    }
}

#[test]
fn what_an_error_came_of() {
    each(&[ABORT], "many", |died| {
        let what = &died.what;
        let exception = &died.ours["exception"];
        assert_eq!(exception["text"], "Error: outer", "{what}");
        assert_eq!(exception["properties"], died.said["given"], "{what}");
        let related = exception["related"].as_array().expect("a list");
        let said = |n: usize| died.said["errors"][n].as_array().expect("a list");
        for depth in [0, 1] {
            let ours = related
                .iter()
                .filter(|r| r["kind"] == "error" && r["depth"] == depth);
            let ours: Vec<_> = ours.map(|r| r["text"].as_str().expect("text")).collect();
            let theirs = said(depth).iter().map(|t| t.as_str().expect("text"));
            let theirs: Vec<_> = theirs.collect();
            assert_eq!(ours, theirs, "{what}");
        }
        // The cause of the cause is the error itself.
        let causes = serde_json::json!(["TypeError: inner", "[Circular] Error: outer"]);
        assert_eq!(exception["causes"], causes, "{what}");
        for line in [
            "\n   [errors][4]: 'only \"a\" string'\n",
            "\n   [cause]: TypeError: inner\n",
            "\n     [errors][1]: 42n\n",
            "\n     [cause]: [Circular] Error: outer\n",
        ] {
            assert!(died.text.contains(line), "{what}: {line}{}", died.text);
        }
        assert!(!died.text.contains('\u{1b}'), "{what}");
    });
}

#[test]
fn dom_exceptions() {
    for node in nodes() {
        // These abort in the middle of postMessage, which makes its exception in JavaScript: the
        // process says nothing before.
        let core = core_with("thrown", &node, &[ABORT, "--", "dom"]);
        let told = run(&core, "bt", &["--json"]);
        let told: Value = serde_json::from_str(&told).expect("JSON");
        let exception = &told["died"]["exception"];
        let text = exception["text"].as_str().expect("text");
        assert_eq!(
            text, "DOMException [DataCloneError]: () => {} could not be cloned.",
            "node {node}"
        );
        let said = core.output("thrown");
        match said.lines().next() {
            Some(said) => {
                let said: Value = serde_json::from_str(said).expect("JSON");
                assert_eq!(said["text"], text, "node {node}");
                assert_eq!(
                    lines(&exception["stack"]),
                    calls(&said["stack"]),
                    "node {node}"
                );
            }
            None => assert!(major(&node) >= 22, "node {node} said nothing"),
        }
    }
}

#[test]
fn errors_that_a_worker_died_of() {
    each(&[ABORT], "copied", |died| {
        let what = &died.what;
        let exception = &died.ours["exception"];
        assert_eq!(exception["text"], died.said["text"], "{what}");
        assert_eq!(
            lines(&exception["stack"]),
            calls(&died.said["stack"]),
            "{what}"
        );
    });
}

#[test]
fn rejections_with_what_is_no_error() {
    each(&[ABORT], "rejected", |died| {
        let what = &died.what;
        assert_eq!(died.ours["by_node"], true, "{what}");
        let text = died.said["text"].as_str().expect("text");
        assert_eq!(died.ours["rejection"]["text"], text, "{what}");
        assert!(
            died.text.contains(&format!("\n   reason: {text}\n")),
            "{what}"
        );
        let promise = died.ours["rejection"]["promise"].as_str().expect("hex");
        let shown = run(&died.core, "print", &[promise]);
        assert!(shown.contains("<Promise: rejected>"), "{what}: {shown}");
    });
}

#[test]
fn workers_that_reached_their_limit() {
    each(&[ABORT], "worker", |died| {
        let what = &died.what;
        let text = died.ours["exception"]["text"].as_str().expect("text");
        let message = died.said["message"].as_str().expect("text");
        assert_eq!(text, format!("Error: {message}"), "{what}");
        assert_eq!(died.ours["isolate_number"], 0, "{what}");
        let worker = died.ours["ended_worker"].as_str().expect("hex");
        let shown = run(&died.core, "print", &[worker]);
        assert!(shown.contains("<Object: Worker>"), "{what}: {shown}");
        assert!(died.text.contains("\n   of the worker 0x"), "{what}");
        let limits = &died.ours["worker_limits"];
        for (ours, theirs) in [
            ("max_young_generation_size_mb", "maxYoungGenerationSizeMb"),
            ("max_old_generation_size_mb", "maxOldGenerationSizeMb"),
            ("code_range_size_mb", "codeRangeSizeMb"),
            ("stack_size_mb", "stackSizeMb"),
        ] {
            let said = died.said["limits"][theirs].as_f64();
            assert!(said.is_some(), "{what}: {}", died.said);
            assert_eq!(limits[ours].as_f64(), said, "{what}: {ours}");
        }
    });
}

#[test]
fn processes_that_died_in_a_worker() {
    each(&["--allow-natives-syntax"], "fatal", |died| {
        let what = &died.what;
        assert_eq!(died.ours["cause"], "out_of_memory", "{what}");
        assert_eq!(died.ours["isolate_number"], 2, "{what}");
        assert_eq!(died.ours["location"], "invalid array length", "{what}");
        let errors = died.core.directory.join("thrown.err");
        let errors = std::fs::read(errors).expect("it was written");
        let errors = String::from_utf8_lossy(&errors).into_owned();
        let text = died.ours["text"].as_str().expect("text");
        assert!(errors.lines().any(|l| l == text), "{what}: {text}");
        let isolate = died.ours["isolate"].as_str().expect("hex");
        let line = format!("\n   in worker 2 (isolate {isolate})\n");
        assert!(died.text.contains(&line), "{what}: {}", died.text);
        let heap = &died.ours["heap"];
        assert_eq!(heap["limit"], died.said["heap_size_limit"], "{what}");
        assert_eq!(heap["old_generation_limit"], 24 << 20, "{what}");
        let threads: Value =
            serde_json::from_str(&run(&died.core, "threads", &["--json"])).expect("JSON");
        let threads = threads.as_array().expect("threads");
        let role = |role: &str| threads.iter().filter(|t| t["role"] == role).count();
        for wanted in ["main", "worker 1", "worker 2"] {
            assert_eq!(role(wanted), 1, "{what}: {wanted}: {threads:?}");
        }
        let it = threads.iter().find(|t| t["selected"] == true);
        assert_eq!(it.expect("a thread")["role"], "worker 2", "{what}");
    });
}
