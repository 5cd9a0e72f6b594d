//! Why processes died, held against what they, node and V8 said of it just before.

mod support;

use serde_json::Value;
use support::{core_with, nodes, Core};
use v8rs::command::App;
use v8rs::offline::OfflineHost;

const ABORT: &str = "--abort-on-uncaught-exception";

fn run(core: &Core, compat: bool, words: &[&str]) -> String {
    run_command(core, compat, "bt", words)
}

fn run_command(core: &Core, compat: bool, command: &str, words: &[&str]) -> String {
    let host = OfflineHost {
        core: core.core.clone(),
        program: core.program.clone(),
    };
    let words: Vec<String> = words.iter().map(|w| w.to_string()).collect();
    let mut app = App::new();
    app.settings.compat_llnode = compat;
    let outcome = app.run(&host, command, &words);
    assert_eq!(outcome.error, None, "{}", core.node);
    outcome.text
}

/// A process that died: what we say of it, what it said, and its standard error.
struct Died {
    what: String,
    ours: Value,
    text: String,
    said: Value,
    errors: String,
    output: String,
    script: String,
}

/// On each release; `flags` are node's, `way` is the program's arguments.
fn each(flags: &[&str], way: &[&str], check: impl Fn(&Died)) {
    for node in nodes() {
        let major: u32 = node.split('.').next().unwrap_or("").parse().unwrap_or(0);
        let mut arguments = flags.to_vec();
        if way[0] == "reject" && major < 15 {
            arguments.push("--unhandled-rejections=strict");
        }
        arguments.push("--");
        arguments.extend(way);
        let core = core_with("died", &node, &arguments);
        let threads: Value =
            serde_json::from_str(&run(&core, false, &["--all", "--json"])).expect("JSON");
        let threads = threads.as_array().expect("threads");
        let dead: Vec<&Value> = threads.iter().filter(|t| !t["died"].is_null()).collect();
        assert_eq!(dead.len(), 1, "node {node}: one thread ended it: {dead:?}");
        let read = |name: &str| {
            let bytes = std::fs::read(core.directory.join(name)).expect("it was written");
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let told = run(&core, false, &[]);
        // A frame's detail begins with the same words.
        let detail = run_command(&core, false, "frame", &[]);
        let why = told.lines().next().filter(|why| !why.contains("thread #"));
        let repeated = why.is_none_or(|why| detail.starts_with(why.trim_start()));
        assert!(repeated, "node {node}: {why:?} and {detail}");
        let compat = run(&core, true, &[]);
        assert!(compat.starts_with(" * thread #"), "node {node}: {compat}");
        check(&Died {
            what: format!("node {node} {way:?}"),
            ours: dead[0]["died"].clone(),
            text: run(&core, false, &[]),
            // V8 tells of its last collections on standard output too.
            said: serde_json::from_str(read("died.out").lines().next().expect("a line"))
                .expect("JSON"),
            errors: read("died.err"),
            output: read("died.out"),
            script: read("died.js"),
        });
    }
}

/// The calls of a stack's text.
fn calls(stack: &str) -> Vec<&str> {
    let lines = stack.lines().map(str::trim_start);
    lines.filter(|l| l.starts_with("at ")).collect()
}

fn check_uncaught(died: &Died) {
    let what = &died.what;
    let exception = &died.ours["exception"];
    assert_eq!(died.ours["cause"], "uncaught_exception", "{what}");
    assert_eq!(exception["text"], died.said["text"], "{what}");
    let text = died.said["text"].as_str().expect("text");
    let first = text.lines().next().unwrap_or("");
    assert!(
        died.text.starts_with(&format!(" Uncaught {first}")),
        "{what}: {}",
        died.text
    );
    assert!(!died.text.contains('\u{1b}'), "{what}");
    let ours: Vec<&str> = exception["stack"]
        .as_array()
        .expect("a stack")
        .iter()
        .map(|l| l.as_str().expect("text"))
        .collect();
    let theirs = calls(died.said["stack"].as_str().unwrap_or(""));
    // Node.js may have read the stack of the one that died: then it is the text of that time.
    assert_eq!(ours, theirs, "{what}");
    match died.said["cause"].as_str() {
        Some(cause) => assert_eq!(exception["causes"][0], cause, "{what}"),
        None => assert_eq!(
            exception["causes"].as_array().map(Vec::len),
            Some(0),
            "{what}"
        ),
    }
}

#[test]
fn thrown_errors_and_values() {
    for value in ["error", "subclass", "string", "undefined"] {
        each(&[ABORT], &["throw", value], |died| {
            check_uncaught(died);
            assert_eq!(died.ours["by_node"], false, "{}", died.what);
            let text = died.said["text"].as_str().expect("text");
            assert!(
                died.errors.contains(&format!("Uncaught {text}")),
                "{}",
                died.what
            );
        });
    }
}

/// What V8 says of a value stands in its first line.
fn check_as_v8_says(died: &Died) {
    let text = died.ours["exception"]["text"].as_str().expect("text");
    let said = format!("Uncaught {text}");
    assert!(
        died.errors.lines().any(|l| l == said),
        "{}: {said}",
        died.what
    );
}

#[test]
fn values_that_v8_says_without_running_code() {
    for value in ["oddName", "oldStyle"] {
        each(&[ABORT], &["throw", value], check_as_v8_says);
    }
}

#[test]
fn stacks_without_end() {
    // V8 prints all of the stack as it dies, which of a deep one takes half a minute.
    each(&[ABORT, "--stack-size=200"], &["overflow"], |died| {
        check_as_v8_says(died);
        let first = &died.ours["exception"]["stack"][0];
        let first = first.as_str().expect("a call");
        assert!(first.starts_with("at again ("), "{}: {first}", died.what);
    });
}

#[test]
fn errors_that_v8_threw() {
    each(&[ABORT], &["builtin"], |died| {
        let what = &died.what;
        let exception = &died.ours["exception"];
        assert_eq!(exception["text"], died.said["text"], "{what}");
        let text = died.said["text"].as_str().expect("text");
        assert!(died.errors.contains(&format!("Uncaught {text}")), "{what}");
        let line = died.script.lines().collect::<Vec<_>>();
        let line = line.iter().rposition(|l| l.trim() == "null.property;");
        let place = format!("died.js:{}:10)", line.expect("the line") + 1);
        let first = exception["stack"][0].as_str().expect("a call");
        assert!(first.ends_with(&place), "{what}: {first}");
    });
}

#[test]
fn rejections_that_nobody_handled() {
    each(&[ABORT], &["reject", "error"], |died| {
        check_uncaught(died);
        assert_eq!(died.ours["by_node"], true, "{}", died.what);
    });
    // Node.js makes an Error of other reasons.
    each(&[ABORT], &["reject", "string"], |died| {
        let what = &died.what;
        let text = died.ours["exception"]["text"].as_str().expect("text");
        assert!(died.errors.contains(text), "{what}: {text}");
        assert!(
            text.contains(died.said["text"].as_str().expect("text")),
            "{what}"
        );
    });
}

#[test]
fn heaps_that_were_full() {
    each(&["--max-old-space-size=32"], &["oom"], |died| {
        let what = &died.what;
        let part = |name: &str| died.ours[name].as_str().unwrap_or("?");
        assert_eq!(died.ours["cause"], "out_of_memory", "{what}");
        let told = format!("FATAL ERROR: {} {}", part("location"), part("message"));
        assert_eq!(part("text"), told, "{what}");
        assert!(died.errors.lines().any(|l| l == told), "{what}: {told}");
        let heap = &died.ours["heap"];
        assert_eq!(heap["limit"], died.said["heap_size_limit"], "{what}");
        assert_eq!(heap["old_generation_limit"], 32 << 20, "{what}");
        // What V8 said of its last collection, and the megabytes that were left after it.
        let told = died.errors.clone() + &died.output;
        assert!(told.contains(part("last_collection")), "{what}");
        let (_, after) = part("last_collection")
            .split_once(" -> ")
            .expect("an arrow");
        let after = after.split(' ').next().and_then(|n| n.parse::<f64>().ok());
        let used = heap["used"].as_object().expect("spaces").values();
        let used: u64 = used.map(|v| v.as_u64().expect("bytes")).sum();
        let mib = used as f64 / f64::from(1 << 20);
        assert!(mib > after.expect("a number") - 2.0, "{what}: {mib}");
        assert!(Some(used) <= heap["limit"].as_u64(), "{what}: {mib}");
    });
}

#[test]
fn fatal_errors() {
    each(&["--expose-internals"], &["fatal"], |died| {
        let what = &died.what;
        assert_eq!(died.ours["cause"], "fatal_error", "{what}");
        let text = died.ours["text"].as_str().expect("text");
        assert!(died.errors.lines().any(|l| l == text), "{what}: {text}");
    });
    each(&["--allow-natives-syntax"], &["check"], |died| {
        let what = &died.what;
        assert_eq!(died.ours["cause"], "failed_check", "{what}");
        let message = died.ours["message"].as_str().expect("a message");
        let told = format!("# {message}");
        assert!(died.errors.lines().any(|l| l == told), "{what}: {message}");
    });
    each(&["--expose-internals"], &["assert"], |died| {
        let what = &died.what;
        assert_eq!(died.ours["cause"], "failed_assertion", "{what}");
        for part in ["condition", "function", "place"] {
            let text = died.ours[part].as_str().expect("text");
            assert!(
                text.len() > 8 && died.errors.contains(text),
                "{what}: {text}"
            );
        }
    });
}

#[test]
fn signals_that_were_sent() {
    for signal in ["SIGQUIT", "SIGTRAP", "SIGXCPU"] {
        each(&[], &["kill", signal], |died| {
            let what = &died.what;
            assert_eq!(died.ours["cause"], "signal", "{what}");
            assert_eq!(died.ours["signal"]["name"], signal, "{what}");
            assert_eq!(died.ours["signal"]["sender"], died.said["pid"], "{what}");
        });
    }
}

#[test]
fn ends_on_purpose() {
    each(&[], &["abort"], |died| {
        assert_eq!(died.ours["cause"], "abort", "{}", died.what);
        assert_eq!(died.ours["signal"]["name"], "SIGABRT", "{}", died.what);
    });
    each(&[], &["segv"], |died| {
        assert_eq!(died.ours["cause"], "signal", "{}", died.what);
        assert_eq!(died.ours["signal"]["name"], "SIGSEGV", "{}", died.what);
        assert_eq!(
            died.ours["signal"]["sender"], died.said["pid"],
            "{}",
            died.what
        );
    });
}
