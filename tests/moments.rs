//! Cores that gdb takes at random moments: of a program that allocates without a pause, so that many
//! fall into garbage collections, and of one whose code is optimized. No two runs see the same cores,
//! so they are run when asked for: `scripts/moments.sh` prints a table. V8RS_MOMENTS says how many of
//! each a release (2 unless told otherwise, of the newest release under test).
#![cfg(target_os = "linux")]

mod support;

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::program::{Node, Program};
use v8rs::command::App;
use v8rs::graph::snapshot;
use v8rs::offline::OfflineHost;

/// How many, where asked for.
fn asked() -> Option<usize> {
    std::env::var("V8RS_MOMENTS").ok()?.parse().ok()
}

fn releases() -> Vec<String> {
    let mut all = support::nodes();
    if asked().is_none() {
        all.sort_by_key(|v| std::cmp::Reverse(support::major(v)));
        all.truncate(1);
    }
    all
}

struct Moment {
    core: PathBuf,
    program: PathBuf,
}

impl Moment {
    fn ask(&self, app: &mut App, line: &str) -> Result<Value, String> {
        let host = OfflineHost {
            core: self.core.clone(),
            program: self.program.clone(),
        };
        let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
        let mut words: Vec<String> = rest.split_whitespace().map(str::to_string).collect();
        words.push("--json".to_string());
        let outcome = app.run(&host, name, &words);
        match outcome.error {
            Some(error) => Err(format!("{line}: {error}")),
            None => serde_json::from_str(&outcome.text).map_err(|e| format!("{line}: {e}")),
        }
    }
}

/// Takes cores of a running program, one after the other, and says what each does not stand up to.
fn each_moment(
    version: &str,
    program: &str,
    arguments: &[&str],
    check: impl Fn(&Moment, &Program) -> Result<String, String>,
) -> Vec<String> {
    let node = Node::quick(version);
    let running = Program::start(&node.path, program, &[], arguments);
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).to_path_buf();
    let moment = Moment {
        core: directory.join(format!("moment-{program}-{}.core", std::process::id())),
        program: node.path.clone(),
    };
    let (mut failed, mut said) = (Vec::new(), std::collections::BTreeMap::new());
    let count = asked().unwrap_or(2);
    for number in 0..count {
        // No two alike, without a source of chance: the clock's last digits.
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let pause = now.map_or(0, |n| u64::from(n.subsec_nanos()) % 700);
        std::thread::sleep(std::time::Duration::from_millis(pause));
        let output = Command::new("gdb")
            .args(["-nx", "-batch", "-ex", "set debuginfod enabled off"])
            .args(["-p", &running.id().to_string()])
            .args([
                "-ex",
                &format!("generate-core-file {}", moment.core.display()),
            ])
            .output()
            .expect("gdb takes the cores");
        let text = String::from_utf8_lossy(&output.stderr);
        if text.contains("ptrace: Operation not permitted") {
            eprintln!("SKIPPED: no process may be attached to here");
            return failed;
        }
        assert!(moment.core.is_file(), "{version}: {text}");
        match check(&moment, &running) {
            Ok(what) => *said.entry(what).or_insert(0) += 1,
            Err(why) => {
                if let Some(keep) = std::env::var_os("V8RS_MOMENTS_KEEP") {
                    let kept = Path::new(&keep).join(format!("{program}-{version}-{number}.core"));
                    let _ = std::fs::copy(&moment.core, kept);
                }
                failed.push(format!("node {version}: core {number}: {why}"));
            }
        }
        let _ = std::fs::remove_file(&moment.core);
    }
    println!(
        "MOMENTS {program} {version}: {count} cores, {} failed; {said:?}",
        failed.len()
    );
    for line in &failed {
        println!("MOMENTS   {line}");
    }
    failed
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

fn heap(moment: &Moment, program: &Program) -> Result<String, String> {
    let mut app = App::new();
    let truth = program.said.last().ok_or("no truth")?;
    let found = moment.ask(&mut app, "findjsobjects")?;
    let warned = found["warnings"].to_string();
    let collecting = warned.contains("garbage collection");
    let covered = &found["covered"];
    if number(&covered["unknown_bytes"]) > number(&covered["object_bytes"]) / 1000 && !collecting {
        return Err(format!("{covered}"));
    }
    let live = moment.ask(&mut app, "findjsobjects --live")?;
    // No Keeper comes or goes. Turnovers that were just replaced may be in words of the stack that a
    // finished call left, which hold what they show.
    for (class, key, on_stack) in [("Keeper", "KEEPERS", 0), ("Turnover", "TURNOVERS", 32)] {
        let rows = live["classes"].as_array().ok_or("no classes")?;
        let row = rows.iter().find(|c| c["name"] == class);
        let ours = row.map_or(0, |c| number(&c["instances"]));
        let least = number(&truth[key]);
        if ours > least + on_stack || (ours < least && !collecting) {
            return Err(format!("{ours} {class}, {least} by the program; {warned}"));
        }
    }
    let listed = moment.ask(&mut app, "findjsinstances -n 5 Keeper")?;
    let text = listed.to_string();
    let address = text.split('"').find(|w| w.starts_with("0x"));
    let address = address.ok_or(format!("no address in {text}"))?.to_string();
    moment.ask(&mut app, &format!("findrefs {address}"))?;
    moment.ask(&mut app, "retained -c Keeper")?;
    moment.ask(&mut app, "leaks")?;
    moment.ask(&mut app, "bt")?;
    let file = moment.core.with_extension("heapsnapshot");
    let written = moment.ask(&mut app, &format!("heapsnapshot {}", file.display()))?;
    let graph = snapshot::read_file(&file).map_err(|e| e.to_string());
    let _ = std::fs::remove_file(&file);
    let nodes = graph?.node_count() as u64;
    if nodes < number(&truth["KEEPERS"]) || number(&written["nodes"]) != nodes {
        return Err(format!("{nodes} nodes in the file; {written}"));
    }
    Ok(match (collecting, warned == "[]") {
        (true, _) => "in a collection, said so",
        (false, true) => "whole",
        (false, false) => "parts not understood, said so",
    }
    .to_string())
}

/// Calls of our program, outermost first: name and line.
fn stack(moment: &Moment, program: &Program) -> Result<String, String> {
    let truth = program.said.last().ok_or("no truth")?;
    let mut app = App::new();
    let found = moment.ask(&mut app, "bt")?;
    let frames = found["frames"].as_array().ok_or("no frames")?;
    let short = || {
        let shown = |f: &Value| {
            let calls = f["calls"].as_array().into_iter().flatten();
            let names: Vec<String> = calls.map(|c| c["name"].to_string()).collect();
            format!("{}:{}{}", f["kind"], names.join("/"), f["native"])
        };
        let lines: Vec<String> = frames.iter().take(24).map(shown).collect();
        lines.join(" | ")
    };
    let top = frames.first().ok_or("an empty stack")?;
    let unnamed = |f: &Value| {
        let native = f["native"].as_str().unwrap_or("0x");
        f["kind"].is_null() && native.starts_with("0x")
    };
    // A file without symbols (the C library's) may be what C++ called.
    let in_native = frames
        .get(1)
        .is_some_and(|f| f["kind"].as_str().is_some_and(|k| k.ends_with("exit")));
    if unnamed(top) && !in_native {
        return Err(format!("top frame without a name: {top}; {}", short()));
    }
    let mut calls: Vec<(String, u64)> = Vec::new();
    for frame in frames.iter().rev() {
        // What waits for a promise is no call.
        if frame["kind"] == "async" {
            continue;
        }
        for call in frame["calls"].as_array().into_iter().flatten().rev() {
            if call["call"]["file"] == truth["file"] {
                let name = call["name"].as_str().unwrap_or("").to_string();
                calls.push((name, number(&call["call"]["line"])));
            }
        }
    }
    let named = |name: &str, call: &(String, u64)| call.0.split([' ', '.']).any(|w| w == name);
    let Some(first) = calls.first() else {
        return Ok("in no function of the program".to_string());
    };
    if named("waited", first)
        || first.1 == number(&truth["job"])
        || named("level1", first) && calls.len() == 1
    {
        return Ok("in a promise's job".to_string());
    }
    let bottom = truth["bottom"].as_array().ok_or("no bottom")?;
    for (expected, call) in bottom.iter().zip(&calls) {
        // level1 calls that one before it calls level2.
        if named("waited", call) {
            break;
        }
        let name = expected["name"].as_str().ok_or("no name")?;
        let lines = number(&expected["first"])..=number(&expected["last"]);
        if !named(name, call) || !lines.contains(&call.1) {
            return Err(format!("{call:?} where {expected} is; {}", short()));
        }
    }
    if !frames.iter().any(|f| f["kind"] == "entry") {
        return Err(format!("no entry frame; {}", short()));
    }
    Ok("whole".to_string())
}

#[test]
#[ignore = "cores at random moments: scripts/moments.sh"]
fn cores_in_the_middle_of_allocations_and_collections() {
    let releases = releases();
    let failed = releases
        .iter()
        .flat_map(|v| each_moment(v, "churn.js", &["1"], heap));
    let failed: Vec<String> = failed.collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
#[ignore = "cores at random moments: scripts/moments.sh"]
fn stacks_of_optimized_code_at_any_moment() {
    let releases = releases();
    let failed = releases
        .iter()
        .flat_map(|v| each_moment(v, "busy.js", &[], stack));
    let failed: Vec<String> = failed.collect();
    assert!(failed.is_empty(), "{failed:#?}");
}
