//! Several isolates, held against what each thread said of itself: its counts, its stack, and V8's
//! own snapshot of its heap.

mod support;

use serde_json::Value;
use support::{core_with, nodes, trace_line, Core};
use v8rs::command::{App, Outcome};
use v8rs::offline::OfflineHost;

const THREADS: usize = 4;
const CLASSES: [&str; 6] = [
    "Shared",
    "MainOnly",
    "WorkerOnly",
    "OfOne",
    "OfTwo",
    "Basket",
];

fn run(core: &Core, app: &mut App, line: &str) -> Outcome {
    let host = OfflineHost {
        core: core.core.clone(),
        program: core.program.clone(),
    };
    let (name, rest) = match line.strip_prefix("source list ") {
        Some(rest) => ("source list", rest),
        None => line.split_once(' ').unwrap_or((line, "")),
    };
    let words: Vec<String> = rest.split(' ').map(str::to_string).collect();
    app.run(&host, name, &words)
}

fn ask(core: &Core, app: &mut App, line: &str) -> Value {
    let outcome = run(core, app, &format!("{line} --json"));
    assert_eq!(outcome.error, None, "node {}: {line}", core.node);
    serde_json::from_str(&outcome.text).expect("JSON")
}

fn cores() -> Vec<Core> {
    let make = |node: String| core_with("workers", &node, &[]);
    nodes().into_iter().map(make).collect()
}

/// What each thread said, by its number.
fn said(core: &Core) -> Vec<Value> {
    let output = core.output("workers");
    let mut all: Vec<Value> = output
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    all.sort_by_key(|v| v["thread"].as_u64());
    assert_eq!(all.len(), THREADS, "node {}", core.node);
    all
}

/// Instances and bytes of a class, as V8's snapshot of one thread's heap has them.
fn in_snapshot(snapshot: &Value, class: &str) -> (u64, u64) {
    let meta = &snapshot["snapshot"]["meta"];
    let fields = meta["node_fields"].as_array().expect("node_fields");
    let at = |name: &str| fields.iter().position(|f| f == name).expect("a field");
    let (kind, name, size) = (at("type"), at("name"), at("self_size"));
    let kinds = meta["node_types"][0].as_array().expect("node types");
    let object = kinds.iter().position(|k| k == "object").expect("object") as u64;
    let strings = snapshot["strings"].as_array().expect("strings");
    let nodes = snapshot["nodes"].as_array().expect("nodes");
    let number = |v: &Value| v.as_u64().expect("a number");
    nodes
        .chunks_exact(fields.len())
        .filter(|n| number(&n[kind]) == object && strings[number(&n[name]) as usize] == class)
        .fold((0, 0), |sum, n| (sum.0 + 1, sum.1 + number(&n[size])))
}

fn counted(found: &Value, class: &str) -> (u64, u64) {
    let classes = found["classes"].as_array().expect("classes");
    let row = classes.iter().find(|c| c["name"] == class);
    row.map_or((0, 0), |c| {
        let number = |key: &str| c[key].as_u64().expect("a number");
        (number("instances"), number("size"))
    })
}

#[test]
fn each_heap_is_counted_separately_and_together() {
    for core in cores() {
        let mut app = App::new();
        let said = said(&core);
        let mut sums = [(0, 0); CLASSES.len()];
        for (thread, own) in said.iter().enumerate() {
            let path = core.directory.join(format!("heap-{thread}.heapsnapshot"));
            let text = std::fs::read(path).expect("the thread wrote its snapshot");
            let snapshot: Value = serde_json::from_slice(&text).expect("a snapshot");
            let found = ask(
                &core,
                &mut app,
                &format!("findjsobjects --isolate {thread}"),
            );
            assert_eq!(found["covered"]["isolate"]["number"], thread);
            assert_eq!(found["covered"]["isolates"], THREADS);
            for (sum, class) in sums.iter_mut().zip(CLASSES) {
                let what = format!("node {}: {class} in thread {thread}", core.node);
                let ours = counted(&found, class);
                if class == "Basket" {
                    // By V8's account Basket.prototype is one, or its instances are of class Map.
                    assert_eq!(Some(ours.0), own["counts"][class].as_u64(), "{what}");
                } else {
                    assert_eq!(ours, in_snapshot(&snapshot, class), "{what}");
                    assert_eq!(Some(ours.0), own["counts"][class].as_u64(), "{what}");
                }
                sum.0 += ours.0;
                sum.1 += ours.1;
            }
        }
        let all = ask(&core, &mut app, "findjsobjects --isolate all");
        assert_eq!(all["covered"]["isolate"], Value::Null);
        for (sum, class) in sums.iter().zip(CLASSES) {
            assert_eq!(counted(&all, class), *sum, "node {}: {class}", core.node);
        }
        // Without the option: the selected thread's, which is the main one.
        let main = ask(&core, &mut app, "findjsobjects");
        let first = ask(&core, &mut app, "findjsobjects --isolate 0");
        assert!(main == first, "node {}", core.node);
        let text = run(&core, &mut app, "findjsobjects --isolate 2").text;
        assert!(text.contains("(isolate 2 of 4; "), "node {}", core.node);
        // As llnode has it, which knows no isolates.
        app.settings.compat_llnode = true;
        let compat = ask(&core, &mut app, "findjsobjects");
        assert!(compat["classes"] == all["classes"], "node {}", core.node);
    }
}

#[test]
fn each_thread_has_its_role_and_its_stack() {
    for core in cores() {
        let mut app = App::new();
        let said = said(&core);
        let threads = ask(&core, &mut app, "threads");
        let stacks = ask(&core, &mut app, "bt --all");
        for (number, own) in said.iter().enumerate() {
            let what = format!("node {}: thread {number}", core.node);
            let role = match number {
                0 => "main".to_string(),
                n => format!("worker {n}"),
            };
            let of_role = |list: &Value, path: &dyn Fn(&Value) -> Value| {
                let list = list.as_array().expect("a list").iter();
                let mut found = list.filter(|v| path(v) == role.as_str()).cloned();
                let one = found.next().unwrap_or_else(|| panic!("{what}: no {role}"));
                assert_eq!(found.next(), None, "{what}: two of {role}");
                one
            };
            let thread = of_role(&threads, &|v| v["role"].clone());
            assert_eq!(thread["isolate_number"], number, "{what}");
            let stack = of_role(&stacks, &|v| v["thread"]["role"].clone());
            assert_eq!(stack["thread"]["index"], thread["index"], "{what}");
            let calls: Vec<&Value> = stack["frames"]
                .as_array()
                .expect("frames")
                .iter()
                .flat_map(|f| f["calls"].as_array().expect("calls"))
                .filter(|c| c["in_stack_traces"] == true && c["is_async"] == false)
                .collect();
            let names: Vec<&str> = calls
                .iter()
                .map(|c| c["name"].as_str().unwrap_or(""))
                .collect();
            let theirs: Vec<&str> = own["stack"]
                .as_array()
                .expect("a stack")
                .iter()
                .map(|line| line.as_str().expect("text"))
                .collect();
            // Its last own calls: what it waits in, below what it told.
            let from = match number {
                0 => calls
                    .iter()
                    .position(|c| c["name"].as_str().is_some_and(|n| n.contains("finish"))),
                3 => {
                    assert_eq!(thread["top"], Value::Null, "{what}");
                    assert!(names.is_empty(), "{what}: {names:?}");
                    continue;
                }
                _ => {
                    let park = names.iter().position(|n| *n == "park");
                    assert_eq!(names.first(), Some(&"Atomics.wait"), "{what}");
                    let top = thread["top"].as_str().expect("a function");
                    assert!(top.starts_with("Atomics.wait"), "{what}: {top}");
                    park.map(|at| at + 1)
                }
            };
            let from = from.unwrap_or_else(|| panic!("{what}: {names:?}"));
            // Commands about a frame go to the thread that runs the isolate they are given.
            let chosen = ask(&core, &mut app, &format!("bt --isolate {number}"));
            assert_eq!(chosen["frames"], stack["frames"], "{what}");
            let mut frames = stack["frames"].as_array().expect("frames").iter();
            let is_ours = |f: &&Value| {
                let file = f["calls"][0]["call"]["file"].as_str();
                file.is_some_and(|f| f.ends_with("/workers.js"))
            };
            let frame = frames.find(is_ours).expect("a frame of the program");
            let asked = format!("{} --isolate {number}", frame["number"]);
            let detail = ask(&core, &mut app, &format!("frame {asked}"));
            let function = &frame["calls"][0]["function"];
            assert_eq!(&detail["calls"][0]["function"], function, "{what}");
            let listed = ask(&core, &mut app, &format!("source list -f {asked} --call"));
            let lines = listed["lines"].as_array().expect("lines");
            let marked = lines.iter().find(|l| l["call"] == true).expect("the call");
            assert_eq!(marked["line"], frame["calls"][0]["call"]["line"], "{what}");
            let ours: Vec<String> = calls[from..].iter().map(|c| trace_line(c)).collect();
            // The main thread has gone on from the line where it told to the one where it dies.
            let skip = usize::from(number == 0);
            assert_eq!(ours[skip..], theirs[skip..], "{what}");
        }
    }
}

#[test]
fn commands_answer_for_the_isolate_that_is_asked_for() {
    for core in cores() {
        let mut app = App::new();
        let said = said(&core);
        for (number, own) in said.iter().enumerate() {
            let what = format!("node {}: isolate {number}", core.node);
            let only = ["MainOnly", "OfOne", "OfTwo"][number.min(2)];
            let list = |app: &mut App, class: &str, of: &str| {
                ask(
                    &core,
                    app,
                    &format!("findjsinstances {class} --isolate {of}"),
                )
            };
            let shared = list(&mut app, "Shared", &number.to_string());
            assert_eq!(shared["total"], own["counts"]["Shared"], "{what}");
            // An address says which isolate is meant: its own, or one in its heap.
            let sample = shared["instances"][0]["address"].as_str().expect("one");
            let same = list(&mut app, "Shared", sample);
            assert_eq!(same["total"], own["counts"]["Shared"], "{what}");
            // What holds it is in the same isolate, whichever thread is selected.
            let path = ask(&core, &mut app, &format!("path {sample}"));
            assert!(
                path["path"].as_array().is_some_and(|p| !p.is_empty()),
                "{what}: {path}"
            );
            let named = ask(
                &core,
                &mut app,
                &format!("findrefs -n text --isolate {number}"),
            );
            let owners = named["references"].as_array().expect("a list").iter();
            let owners = owners.filter(|r| r["type"] == "Shared").count();
            assert_eq!(
                Some(owners as u64),
                own["counts"]["Shared"].as_u64(),
                "{what}"
            );
            let refs = ask(&core, &mut app, &format!("findrefs {sample}"));
            let refs = refs["references"].as_array().expect("a list");
            assert_eq!(
                refs.iter().filter(|r| r["type"] == "(Array)").count(),
                1,
                "{what}"
            );
            let info = ask(&core, &mut app, &format!("nodeinfo --isolate {number}"));
            assert_eq!(info["process"]["argv"]["value"], own["argv"], "{what}");
            assert_eq!(info["isolates"][number]["number"], number, "{what}");
            let retained = ask(
                &core,
                &mut app,
                &format!("retained -c {only} --isolate {}", number.min(2)),
            );
            let count = said[number.min(2)]["counts"][only].as_u64();
            assert!(retained["count"].as_u64() >= count, "{what}");
            for queue in ["getactivehandles", "getactiverequests"] {
                let wraps = ask(&core, &mut app, &format!("{queue} --isolate {number}"));
                assert!(wraps["total"].is_u64(), "{what}");
            }
            // The async function that waits in worker 3.
            let waits = ask(&core, &mut app, &format!("async --isolate {number}"));
            let groups = waits["groups"].as_array().expect("groups").iter();
            let idle = groups.filter(|g| g["function"] == "idle").count();
            assert_eq!(idle, usize::from(number == 3), "{what}");
        }
        let file = core.directory.join("ours.heapsnapshot");
        let written = ask(
            &core,
            &mut app,
            &format!("heapsnapshot {} --isolate 1", file.display()),
        );
        let text = std::fs::read(&file).expect("a file");
        std::fs::remove_file(&file).expect("ours");
        let snapshot: Value = serde_json::from_slice(&text).expect("a snapshot");
        assert_eq!(in_snapshot(&snapshot, "OfOne").0, 21, "node {}", core.node);
        assert_eq!(in_snapshot(&snapshot, "OfTwo").0, 0, "node {}", core.node);
        let first = ask(&core, &mut app, "nodeinfo");
        assert_eq!(written["isolate"], first["isolates"][1]["address"]);
        for (command, wanted) in [
            (
                "findjsobjects --isolate 4",
                "there is no isolate 4: this process has 0 to 3; see 'v8 threads'",
            ),
            (
                "findjsobjects --isolate",
                "--isolate needs a number, an address or 'all' after it; see 'v8 threads'",
            ),
            (
                "heapsnapshot --isolate all",
                "--isolate needs a number or an address after it; see 'v8 threads'",
            ),
            (
                "leaks --isolate 0x123456",
                "0x123456 is in no isolate's heap, and no isolate itself; see 'v8 threads'",
            ),
        ] {
            let error = run(&core, &mut app, command).error;
            assert_eq!(error.as_deref(), Some(wanted), "{command}");
        }
    }
}

#[test]
fn an_idle_worker_shows_no_calls_that_have_returned() {
    for node in nodes() {
        let core = core_with("pool", &node, &[]);
        let mut app = App::new();
        let said: Value = serde_json::from_str(&core.output("pool")).expect("JSON");
        let threads = ask(&core, &mut app, "threads");
        let stacks = ask(&core, &mut app, "bt --all");
        let is_worker = |role: &Value| role.as_str().is_some_and(|r| r.starts_with("worker "));
        let threads = threads.as_array().expect("a list").iter();
        let idle: Vec<&Value> = threads.filter(|t| is_worker(&t["role"])).collect();
        assert_eq!(Some(idle.len() as u64), said["workers"].as_u64(), "{node}");
        assert!(idle.iter().all(|t| t["top"].is_null()), "{node}: {idle:?}");
        for stack in stacks.as_array().expect("a list") {
            let frames = stack["frames"].as_array().expect("frames");
            let calls = |f: &&Value| f["calls"].as_array().is_some_and(|c| !c.is_empty());
            let any = frames.iter().any(|f| calls(&f));
            let is_main = stack["thread"]["role"] == "main";
            let what = &stack["thread"];
            assert!(any == is_main, "{node}: {what}");
        }
    }
}
