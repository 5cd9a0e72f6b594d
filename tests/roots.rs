//! Stacks by what they began with, each in a worker of its own, held against `Error.stack` of the
//! same moment: timers, events, modules, hooks, reactions of promises with who awaits them.

mod support;

use serde_json::Value;
use std::collections::HashMap;
use support::{core_with, major, nodes, trace_lines};
use v8rs::command::App;
use v8rs::offline::OfflineHost;

/// The cases of the program that are held here: each of its kind. `roots.js --list` has hundreds.
const CASES: &str = "asyncThenCallback,asyncThenCallbackChain,asyncCatchCallback,\
    asyncFinallyCallback,asyncAllOfThen,asyncThenTwoWaiters,asyncThenSubclass,asyncThenable,\
    fromAsync,fromAsyncIterator,asyncGeneratorBreakSync,asyncGeneratorReturnBefore,\
    asyncGeneratorReturnDone,asyncDisposableStack,asyncOtherContextAll,topLevelAll,\
    vmOffsetsNegative,vmMicrotaskAsync,elementAccessors,hookBefore,hookPromiseInit,storageRun,exit,nested,\
    nestedEval,esmWorker,importDataTla,httpServer,evalInAsync,deep5000";

/// The lines of a stack as a stack trace prints them, from `finish` on.
fn lines(stack: &Value) -> Vec<String> {
    trace_lines(stack)
        .skip_while(|l| !l.starts_with("finish (") && !l.starts_with("run ("))
        .collect()
}

/// Flags that have V8 compile in other ways than it would by itself, where a release has them.
fn compilers(node: &str) -> &'static [&'static [&'static str]] {
    match major(node) {
        ..=18 => &[&["--always-opt"]],
        20 => &[&["--maglev"], &["--stress-maglev"], &["--always-turbofan"]],
        22..=24 => &[&["--stress-maglev"], &["--always-turbofan"]],
        _ => &[&["--stress-maglev"]],
    }
}

#[test]
fn stacks_by_what_they_began_with() {
    for node in nodes() {
        check(&node, &[]);
    }
}

#[test]
fn the_same_of_optimizing_compilers() {
    for node in nodes() {
        for flags in compilers(&node) {
            check(&node, flags);
        }
    }
}

fn check(node: &str, flags: &[&str]) {
    // V8RS_CASES: others of `roots.js --list`, by commas.
    let others = std::env::var("V8RS_CASES").ok();
    let cases = others.as_deref().unwrap_or(CASES);
    let arguments = [flags, &["--experimental-vm-modules", "--", cases]].concat();
    let core = core_with("roots", node, &arguments);
    let host = OfflineHost {
        core: core.core.clone(),
        program: core.program.clone(),
    };
    let words = ["--all", "--json"].map(str::to_string);
    let outcome = App::new().run(&host, "bt", &words);
    assert_eq!(outcome.error, None, "node {node} {flags:?}");
    let found: Value = serde_json::from_str(&outcome.text).expect("JSON");
    let mut ours: HashMap<Vec<String>, usize> = HashMap::new();
    for stack in found.as_array().expect("stacks") {
        *ours.entry(lines(stack)).or_default() += 1;
    }
    let mut equal = 0;
    let mut wrong = Vec::new();
    for line in core.output("roots").lines() {
        let said: Value = serde_json::from_str(line).expect("JSON");
        let Some(stack) = said["stack"].as_str() else {
            continue;
        };
        let theirs: Vec<String> = stack.split("\n    at ").skip(1).map(Into::into).collect();
        let near = || {
            let mut all: Vec<_> = ours.keys().filter(|l| l.len() > 1).collect();
            all.sort_by_key(|l| l.iter().zip(&theirs).take_while(|(a, b)| a == b).count());
            all.pop().cloned()
        };
        match ours.get(&theirs).copied().unwrap_or(0) {
            0 => wrong.push(format!("{}: {theirs:#?} not {:#?}", said["name"], near())),
            left => {
                ours.insert(theirs, left - 1);
                equal += 1;
            }
        };
    }
    println!("node {node} {flags:?}: {equal} stacks");
    assert!(
        wrong.is_empty(),
        "node {node} {flags:?}: {}",
        wrong.join("\n")
    );
    // Some need a newer release.
    assert!(
        equal >= 18 || others.is_some(),
        "node {node} {flags:?}: {equal}"
    );
}
