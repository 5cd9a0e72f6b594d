//! Deaths of errors by where they were thrown, held against what the process said on standard error.

mod support;

use serde_json::Value;
use std::path::{Path, PathBuf};
use support::{core_with, major, nodes, run, LAST};
use v8rs::command::App;
use v8rs::offline::OfflineHost;

const ABORT: &str = "--abort-on-uncaught-exception";

/// The last release of each line, unless told which.
fn releases() -> Vec<String> {
    let is_last = |node: &String| LAST.contains(&node.as_str());
    let all = nodes();
    match std::env::var_os("V8RS_NODES") {
        Some(_) => all,
        None => all.into_iter().filter(is_last).collect(),
    }
}

/// What is told of a core's death, and what the process said. The core is not kept: there are many.
fn death(program: &str, node: &str, arguments: &[&str]) -> (Value, String, String) {
    let core = core_with(program, node, arguments);
    let told: Value = serde_json::from_str(&run(&core, "bt", &["--json"])).expect("JSON");
    let text = run(&core, "bt", &[]);
    // Also where there is no JavaScript on the stack any more.
    let host = OfflineHost {
        core: core.core.clone(),
        program: core.program.clone(),
    };
    let detail = App::new().run(&host, "frame", &[]).text;
    let why = text.lines().next().unwrap_or("").trim_start();
    assert!(detail.starts_with(why), "node {node}: {why}: {detail}");
    let errors = std::fs::read(core.directory.join(format!("{program}.err")));
    let errors = String::from_utf8_lossy(&errors.expect("it was written")).into_owned();
    std::fs::remove_dir_all(&core.directory).expect("it was there");
    (told["died"].clone(), text, errors)
}

/// An error's text and, where Node.js wrote it, its calls are on standard error.
fn check(what: &str, died: &Value, text: &str, errors: &str) {
    assert_eq!(died["cause"], "uncaught_exception", "{what}");
    let exception = &died["exception"];
    let said = exception["text"].as_str().expect("text");
    let by_node = died["by_node"] == true;
    let head = match by_node {
        true => said.to_string(),
        false => format!("Uncaught {said}"),
    };
    // Node.js puts a name that is missing into the first line.
    let (first, rest) = head.split_once('\n').unwrap_or((&head, ""));
    let found = errors
        .lines()
        .any(|l| l.trim_start_matches('[').starts_with(first));
    assert!(found, "{what}: {first}: {errors}");
    for line in rest.lines() {
        assert!(
            errors.lines().any(|l| l == line),
            "{what}: {line}: {errors}"
        );
    }
    let shown = format!(" Uncaught {}", said.lines().next().unwrap_or(""));
    assert!(text.starts_with(&shown), "{what}: {text}");
    if by_node {
        for call in exception["stack"].as_array().expect("a stack") {
            let call = call.as_str().expect("text");
            assert!(errors.contains(call), "{what}: {call}: {errors}");
        }
    }
}

#[test]
fn errors_by_where_they_were_thrown() {
    let ways = [
        "timer",
        "tick",
        "microtask",
        "exit",
        "stream",
        "emitted",
        "asserted",
        "vm",
        "syntax",
        "missing",
        "domain",
    ];
    for node in releases() {
        for way in ways {
            let (died, text, errors) = death("deaths", &node, &[ABORT, "--", way]);
            check(&format!("node {node} {way}"), &died, &text, &errors);
        }
    }
}

#[test]
fn objects_of_other_contexts() {
    for node in releases() {
        let (died, text, errors) = death("deaths", &node, &[ABORT, "--", "vmObject"]);
        assert!(
            errors.contains("Uncaught #<Object>"),
            "node {node}: {errors}"
        );
        let said = "{ a: 1, list: [ 1, { b: 2 } ] }";
        assert_eq!(died["exception"]["text"], said, "node {node}");
        assert!(
            text.starts_with(&format!(" Uncaught {said} (")),
            "node {node}: {text}"
        );
    }
}

#[test]
fn errors_of_workers() {
    for node in releases() {
        let what = format!("node {node}");
        let (died, text, errors) = death("deaths", &node, &[ABORT, "--", "worker"]);
        check(&what, &died, &text, &errors);
        assert_eq!(
            died["exception"]["text"], "TypeError: in a worker",
            "{what}"
        );
    }
}

#[test]
fn rejections_in_each_mode() {
    for node in releases() {
        let modes: &[&str] = match major(&node) {
            ..15 => &["--unhandled-rejections=strict"],
            _ => &[
                "--unhandled-rejections=strict",
                "--unhandled-rejections=throw",
            ],
        };
        for mode in modes {
            for way in ["rejected", "iterator", "any"] {
                // Node 14 has no Promise.any.
                if way == "any" && major(&node) < 16 {
                    continue;
                }
                let what = format!("node {node} {way} {mode}");
                let (died, text, errors) = death("deaths", &node, &[ABORT, mode, "--", way]);
                check(&what, &died, &text, &errors);
                assert_eq!(died["by_node"], true, "{what}");
            }
        }
    }
}

/// A library that writes to address 8 when it is loaded; `None` where there is no compiler.
fn faulty_library() -> Option<PathBuf> {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (source, library) = (directory.join("fault.c"), directory.join("fault.so"));
    let code = "__attribute__((constructor)) static void f(void) { *(volatile int *)8 = 1; }\n";
    std::fs::write(&source, code).expect("a source");
    let made = std::process::Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .args([&library, &source])
        .status();
    made.is_ok_and(|s| s.success()).then_some(library)
}

/// Node.js has a handler of faults, which sends the process the signal again.
#[test]
fn faults_in_native_code() {
    let Some(library) = faulty_library() else {
        eprintln!("SKIPPED: there is no C compiler");
        return;
    };
    let library = library.to_str().expect("text");
    for node in releases() {
        let what = format!("node {node}");
        let (died, text, _) = death("deaths", &node, &["--", "fault", library]);
        assert_eq!(died["cause"], "signal", "{what}: {text}");
        assert_eq!(died["signal"]["name"], "SIGSEGV", "{what}");
        assert_eq!(died["signal"]["address"], "0x8", "{what}: {text}");
        assert_eq!(died["signal"]["sender"], Value::Null, "{what}: {text}");
    }
}

#[test]
fn rejections_that_modules_await() {
    for node in releases() {
        // Before there is no `await` in modules.
        if major(&node) < 16 {
            continue;
        }
        let what = format!("node {node}");
        let (died, text, errors) = death("deaths", &node, &[ABORT, "--", "module"]);
        check(&what, &died, &text, &errors);
        assert_eq!(died["exception"]["text"], "URIError: in a module", "{what}");
    }
}

/// Of a process that lives nothing is told, whatever it has caught.
#[cfg(target_os = "linux")]
#[test]
fn errors_that_were_caught() {
    use support::program::{Node, Program};
    for node in releases() {
        let program = Node::official(&node).path.clone();
        for way in ["idle", "busy"] {
            let what = format!("node {node} {way}");
            let living = Program::start(&program, "caught.js", &[], &[way]);
            let name = format!("caught-{node}-{way}-{}", std::process::id());
            let core = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
            let gdb = std::process::Command::new("gdb")
                .args(["-nx", "-batch", "-ex", "set debuginfod enabled off"])
                .args(["-p", &living.id().to_string(), "-ex"])
                .arg(format!("gcore {}", core.display()))
                .output()
                .expect("gdb runs");
            if String::from_utf8_lossy(&gdb.stderr).contains("Operation not permitted") {
                eprintln!("SKIPPED: no process may be attached to here");
                return;
            }
            let host = OfflineHost {
                core: core.clone(),
                program: program.clone(),
            };
            let words = ["--all", "--json"].map(str::to_string);
            let told = App::new().run(&host, "bt", &words);
            std::fs::remove_file(&core).expect("a core");
            assert_eq!(told.error, None, "{what}");
            let told: Value = serde_json::from_str(&told.text).expect("JSON");
            for thread in told.as_array().expect("threads") {
                assert_eq!(thread["died"], Value::Null, "{what}");
            }
        }
    }
}
