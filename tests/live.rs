//! Live processes, through LLDB alone (`SBProcess`, not the system's own way to their memory), held
//! against what they said of themselves. Skipped, with a note, only where the system lets no process
//! attach to another.
#![cfg(all(feature = "lldb", target_os = "linux"))]

mod support;

use serde_json::Value as Json;
use std::io::Write;
use std::process::Command;
use support::lldb::{lldb, Lldb};
use support::program::{end, ends_with_us, Node, Program};

/// Ends a program that LLDB is attached to; killed while traced, it could not be waited for.
fn leave(lldb: &mut Lldb, program: Program) {
    lldb.ask("process detach");
    drop(program);
}

/// Attaches, unless this system forbids that to everybody. Nothing else is a reason to skip.
fn attach(lldb: &mut Lldb, program: &Program) -> bool {
    let said = lldb.ask(&format!("process attach --pid {}", program.id()));
    if said.contains("error: attach failed") {
        let forbidden = forbidden();
        assert!(forbidden.is_some(), "{said}");
        // Not through the macros, whose text is shown of failed tests only.
        let why = forbidden.unwrap_or_default();
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: no live process was tested: {why}"
        );
        return false;
    }
    lldb.wait_stopped();
    true
}

/// Why a process here may not attach to another of the same user, if it may not.
fn forbidden() -> Option<String> {
    let mut command = Command::new("sleep");
    command.arg("60");
    ends_with_us(&mut command);
    let mut child = command.spawn().expect("sleep runs");
    let pid = child.id() as libc::pid_t;
    let none = std::ptr::null_mut::<libc::c_void>();
    // SAFETY: about a child of ours; no pointer is followed.
    let result = unsafe { libc::ptrace(libc::PTRACE_SEIZE, pid, none, none) };
    let error = std::io::Error::last_os_error();
    end(&mut child);
    if result != 0 {
        return Some(format!("ptrace is not permitted here ({error})"));
    }
    let scope = std::fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").unwrap_or_default();
    let scope = scope.trim();
    (!matches!(scope, "" | "0" | "1"))
        .then(|| format!("kernel.yama.ptrace_scope is {scope}: only root may attach, or nobody"))
}

/// Calls that stack traces show, innermost first.
fn calls(stack: &Json) -> Vec<&Json> {
    let frames = stack["frames"].as_array().expect("frames");
    frames
        .iter()
        .filter(|f| f["kind"] != "api_exit")
        .flat_map(|f| f["calls"].as_array().expect("calls"))
        .filter(|c| c["in_stack_traces"] == true)
        .collect()
}

/// A line of a stack trace, without the "at".
fn text(call: &Json) -> String {
    let at = &call["call"];
    let place = match at["file"].as_str() {
        Some(file) => format!("{file}:{}:{}", at["line"], at["column"]),
        None => "<anonymous>".to_string(),
    };
    match call["name"].as_str() {
        Some(name) => format!("{name} ({place})"),
        None => place,
    }
}

fn check_frames(lldb: &mut Lldb, what: &str, program: &Program) {
    let said = program.said.last().expect("a record");
    let sites = said["sites"].as_array().expect("sites").iter();
    let sites: Vec<&str> = sites
        .filter(|s| s["isAsync"] != true)
        .map(|s| s["text"].as_str().expect("text"))
        .collect();
    let stack = lldb.json("v8 bt --json");
    // Above what was told are the calls that wait.
    let ours: Vec<String> = calls(&stack)
        .into_iter()
        .map(text)
        .skip_while(|t| !t.starts_with("finish "))
        .collect();
    assert_eq!(ours, sites, "{what}");
    let shown = lldb.ask("v8 bt");
    for name in sites.iter().filter_map(|s| s.split_once(" (")) {
        assert!(shown.contains(name.0), "{what}: {} in {shown}", name.0);
    }
}

/// The parts of a value in sections of one kind.
fn items<'a>(value: &'a Json, section: &str) -> Vec<&'a Json> {
    let sections = value["sections"].as_array().into_iter().flatten();
    sections
        .filter(|s| s["section"] == section)
        .filter_map(|s| s["items"].as_array())
        .flatten()
        .collect()
}

fn check_values(lldb: &mut Lldb, what: &str, program: &Program) {
    let record = |name: &str| program.said.iter().find(|r| r["name"] == name);
    let last = program.said.last().expect("a record");
    let names: Vec<&str> = last["arguments"]
        .as_array()
        .expect("arguments")
        .iter()
        .filter_map(Json::as_str)
        .collect();
    let stack = lldb.json("v8 bt --json");
    let finish = calls(&stack).into_iter().find(|c| c["name"] == "finish");
    let passed = finish.expect("finish")["arguments"].clone();
    let passed = passed.as_array().expect("arguments");
    assert_eq!(passed.len(), names.len(), "{what}");
    for (name, value) in names.iter().zip(passed) {
        let word = value["value"].as_str().expect("a word");
        let ours = lldb.json(&format!("v8 inspect --json -F {word}"));
        let what = format!("{what}: {name}");
        let Some(said) = record(name) else {
            // `held`, which has them all by name.
            assert_eq!(*name, "held");
            let text = ours.to_string();
            for name in names.iter().filter(|n| **n != "held") {
                assert!(text.contains(&format!("\"{name}\"")), "{what}: {name}");
            }
            continue;
        };
        check_value(&what, &ours, said);
    }
}

fn check_value(what: &str, ours: &Json, said: &Json) {
    let plain = |v: &Json| v.as_str().map_or_else(|| v.to_string(), str::to_string);
    match said["type"].as_str().expect("a type") {
        "number" => {
            let number = plain(&ours["value"]);
            let number = number.strip_suffix(".0").unwrap_or(&number);
            assert_eq!(number, plain(&said["value"]), "{what}");
        }
        "string" => assert_eq!(ours["text"], said["value"], "{what}"),
        "null" | "undefined" | "boolean" => assert_eq!(ours["name"], said["value"], "{what}"),
        "function" => {
            assert_eq!(ours["type"], "function", "{what}");
            assert_eq!(ours["name"], said["functionName"], "{what}");
        }
        _ => match said["kind"].as_str().expect("a kind") {
            "array" => {
                assert_eq!(ours["length"], said["length"], "{what}");
                let elements = said["properties"].as_array().expect("properties");
                let elements = elements.iter().filter(|p| p["index"] == true).count();
                assert_eq!(items(ours, "elements").len(), elements, "{what}");
            }
            "map" => {
                assert_eq!(ours["size"], said["size"], "{what}");
                let entries = said["entries"].as_array().expect("entries").len();
                assert_eq!(items(ours, "entries").len(), entries, "{what}");
            }
            "date" => {
                let ours_in_ms = plain(&ours["value"]);
                let in_ms = ours_in_ms.strip_suffix(".0").unwrap_or(&ours_in_ms);
                assert_eq!(in_ms, plain(&said["time"]), "{what}");
                assert_eq!(ours["iso"], said["iso"], "{what}");
            }
            _ => {
                assert_eq!(ours["constructor"], said["constructorName"], "{what}");
                let theirs = said["properties"].as_array().expect("properties");
                let properties = items(ours, "properties");
                assert_eq!(properties.len(), theirs.len(), "{what}: {ours}");
                for one in theirs {
                    let key = one["key"].as_str().expect("a key");
                    let found = properties
                        .iter()
                        .find(|p| p["key"].to_string().contains(&format!("\"{key}\"")));
                    let found = found.unwrap_or_else(|| panic!("{what}: no {key} in {ours}"));
                    check_value(
                        &format!("{what}.{key}"),
                        &found["value"]["value"],
                        &one["value"],
                    );
                }
            }
        },
    }
}

/// Instances by class.
fn counts(lldb: &mut Lldb) -> Json {
    let found = lldb.json("v8 findjsobjects --json");
    let classes = found["classes"].as_array().expect("classes").iter();
    classes
        .map(|c| {
            (
                c["name"].as_str().expect("a name").to_string(),
                c["instances"].clone(),
            )
        })
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn check_heap(lldb: &mut Lldb, what: &str, program: &Program) {
    let said = program.said.last().expect("a record");
    let found = counts(lldb);
    for (name, count) in said["counts"].as_object().expect("counts") {
        // PageVisit.prototype's constructor is PageVisit, whose own prototype makes it a Visit.
        let extra = u64::from(name == "Visit");
        let ours = found[name].as_u64().unwrap_or(0);
        assert_eq!(
            Some(ours),
            count.as_u64().map(|n| n + extra),
            "{what}: {name}"
        );
    }
}

/// Each isolate has its thread; the program has a main thread and three workers.
fn check_threads(lldb: &mut Lldb, what: &str) {
    let threads = lldb.json("v8 threads --json");
    let threads = threads.as_array().expect("a list");
    for (number, role) in ["main", "worker 1", "worker 2", "worker 3"]
        .iter()
        .enumerate()
    {
        let found: Vec<&Json> = threads.iter().filter(|t| t["role"] == *role).collect();
        assert_eq!(found.len(), 1, "{what}: {role} in {threads:?}");
        assert_eq!(
            found[0]["isolate_number"], number,
            "{what}: {role}: {threads:?}"
        );
    }
}

/// What was known at one stop is not told at the next.
fn check_stops(lldb: &mut Lldb, what: &str, program: &mut Program) {
    let said = program.said.last().expect("a record")["Turn"].clone();
    assert_eq!(counts(lldb)["Turn"], said, "{what}: first stop");
    for _ in 0..2 {
        lldb.resume();
        program.tell("\n");
        let said = program.next()["Turn"].clone();
        for command in ["v8 findjsobjects", "v8 bt", "v8 print 1"] {
            let refused = lldb.ask(command);
            assert_eq!(
                refused.trim(),
                "error: the process is running; stop it first (process interrupt)",
                "{what}: {command}"
            );
        }
        lldb.interrupt();
        assert_eq!(counts(lldb)["Turn"], said, "{what}: after a turn");
    }
}

#[test]
fn live_processes_tell_what_they_are() {
    let path = lldb().expect("an lldb on the PATH");
    for version in support::nodes() {
        let node = Node::quick(&version);
        let node = node.path.as_path();
        let mut lldb = Lldb::start(&path, &[], &[("V8RS_NO_LOCAL_READS", "1")]);
        let what = format!("node {version}");

        let frames = Program::start(node, "frames.js", &[], &["sync", "--wait"]);
        if !attach(&mut lldb, &frames) {
            return;
        }
        check_frames(&mut lldb, &what, &frames);
        leave(&mut lldb, frames);

        let values = Program::start(node, "values.js", &["--expose-gc"], &["--wait"]);
        assert!(attach(&mut lldb, &values), "{what}");
        check_values(&mut lldb, &what, &values);
        leave(&mut lldb, values);

        let heap = Program::start(node, "heap.js", &[], &["2000", "--wait"]);
        assert!(attach(&mut lldb, &heap), "{what}");
        check_heap(&mut lldb, &what, &heap);
        leave(&mut lldb, heap);

        let workers = Program::start(node, "workers.js", &[], &["--wait"]);
        assert!(attach(&mut lldb, &workers), "{what}");
        check_threads(&mut lldb, &what);
        leave(&mut lldb, workers);

        let mut turns = Program::start(node, "turns.js", &[], &[]);
        assert!(attach(&mut lldb, &turns), "{what}");
        check_stops(&mut lldb, &what, &mut turns);
        leave(&mut lldb, turns);
    }
}
