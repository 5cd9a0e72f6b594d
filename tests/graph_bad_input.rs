//! What the commands about the heap's graph do with what they cannot use: files that are no
//! snapshots, addresses that are no objects, objects that are dead, cores without a part of the heap.

mod support;

use serde_json::Value;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use support::{core_with, nodes, Core};
use v8rs::command::{App, Outcome};
use v8rs::offline::{CoreFile, OfflineHost};
use v8rs::session::Session;

/// The leaking server's core, of the last release under test.
fn core() -> Core {
    let node = nodes().pop().expect("a release to test");
    core_with(
        "visits",
        &node,
        &["--expose-gc", "--", "4000", "--snapshot"],
    )
}

fn run(app: &mut App, host: &OfflineHost, line: &str) -> Outcome {
    let mut words = line.split_whitespace().map(str::to_string);
    let name = words.next().expect("a command");
    app.run(host, &name, &words.collect::<Vec<_>>())
}

fn host(core: &Core) -> OfflineHost {
    OfflineHost {
        core: core.core.clone(),
        program: core.program.clone(),
    }
}

/// A failed command: one line, which says one of `words`, and nothing told as fact.
#[track_caller]
fn refused(outcome: &Outcome, line: &str, words: &[&str]) {
    let error = outcome.error.as_deref();
    let error = error.unwrap_or_else(|| panic!("'{line}' works: {}", outcome.text));
    assert!(outcome.text.is_empty(), "'{line}': {}", outcome.text);
    assert_eq!(error.trim_end().lines().count(), 1, "'{line}': {error}");
    let any = words.iter().any(|w| error.contains(w));
    assert!(any, "'{line}': {error} (none of {words:?})");
}

fn scratch(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("v8rs-{}-{name}", std::process::id()))
}

/// A whole snapshot: a root, two nodes, three edges.
const GOOD: &str = r#"{"snapshot":{"meta":{
"node_fields":["type","name","id","self_size","edge_count","trace_node_id"],
"node_types":[["hidden","array","string","object"],"string","number","number","number","number"],
"edge_fields":["type","name_or_index","to_node"],
"edge_types":[["context","element","property"],"string_or_number","node"],
"location_fields":["object_index","script_id","line","column"]},
"node_count":3,"edge_count":3},
"nodes":[3,0,1,0,2,0,3,1,3,16,1,0,3,1,5,16,0,0],
"edges":[1,1,6,1,2,12,2,1,12],
"locations":[6,1,2,3],
"strings":["","Visit"]}"#;

#[test]
fn files_that_are_no_snapshots() {
    let core = core();
    let (mut app, host) = (App::new(), host(&core));
    let good = scratch("good.heapsnapshot");
    std::fs::write(&good, GOOD).unwrap();
    let line = format!("heapdiff {0} {0}", good.display());
    assert_eq!(run(&mut app, &host, &line).error, None);

    let deep = "[".repeat(1 << 20);
    let huge = GOOD.replace(r#""node_count":3"#, r#""node_count":4000000000"#);
    let files: Vec<(&str, String)> = vec![
        ("empty", String::new()),
        ("text", "no snapshot\n".to_string()),
        ("json", r#"{"a":[1,2,3]}"#.to_string()),
        ("list", "[]".to_string()),
        ("deep", deep),
        ("count", huge),
        ("edge-out", GOOD.replace("2,1,12]", "2,1,18]")),
        ("edge-askew", GOOD.replace("2,1,12]", "2,1,13]")),
        ("edge-negative", GOOD.replace("2,1,12]", "2,1,-6]")),
        ("edge-type", GOOD.replace("2,1,12]", "7,1,12]")),
        ("edges-short", GOOD.replace(",2,1,12]", ",2]")),
        ("edges-few", GOOD.replace("[3,0,1,0,2,", "[3,0,1,0,3,")),
        (
            "edges-many",
            GOOD.replace("[3,0,1,0,2,", "[3,0,1,0,99999999,"),
        ),
        ("nodes-short", GOOD.replace("16,0,0],", "16,0],")),
        ("node-type", GOOD.replace("3,1,5,16", "77,1,5,16")),
        ("name-out", GOOD.replace("3,1,5,16", "3,4000,5,16")),
        (
            "number",
            GOOD.replace("3,1,5,16", "3,1,99999999999999999999,16"),
        ),
        ("fraction", GOOD.replace("3,1,5,16", "3,1,5.5,16")),
        ("no-fields", GOOD.replace("node_fields", "node_feels")),
        ("no-strings", GOOD.replace(r#""strings""#, r#""strongs""#)),
        ("escape", GOOD.replace("Visit", r"Vis\u12")),
        ("utf8", GOOD.replace("Visit", "Vis\u{0}")),
    ];
    for (name, text) in &files {
        let path = scratch(name);
        std::fs::write(&path, text).unwrap();
        let start = Instant::now();
        for line in [
            format!("heapdiff {} {}", good.display(), path.display()),
            format!("heapdiff {} {}", path.display(), good.display()),
        ] {
            let outcome = run(&mut app, &host, &line);
            // What can still be made sense of need not be refused.
            let lenient = [
                "count",
                "edge-type",
                "node-type",
                "fraction",
                "name-out",
                "utf8",
            ];
            if outcome.error.is_some() || !lenient.contains(name) {
                refused(&outcome, &line, &[&path.display().to_string(), "snapshot"]);
            }
        }
        assert!(start.elapsed() < Duration::from_secs(20), "{name}");
        std::fs::remove_file(&path).unwrap();
    }
    // Cut anywhere.
    let cut = scratch("cut.heapsnapshot");
    for at in (0..GOOD.len() - 1).step_by(7) {
        std::fs::write(&cut, &GOOD[..at]).unwrap();
        let line = format!("heapdiff {} {}", good.display(), cut.display());
        refused(&run(&mut app, &host, &line), &line, &["snapshot"]);
    }
    // V8's own, not whole.
    let whole = std::fs::read(core.directory.join("visits.heapsnapshot")).unwrap();
    std::fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
    let line = format!("heapdiff {}", cut.display());
    refused(&run(&mut app, &host, &line), &line, &["snapshot"]);
    // Nothing, a directory, a core of nothing.
    let line = "heapdiff /no/such/file";
    refused(&run(&mut app, &host, line), line, &["/no/such/file"]);
    let line = "heapdiff /proc";
    refused(&run(&mut app, &host, line), line, &["/proc"]);
    std::fs::write(&cut, b"\x7fELF and no more").unwrap();
    let line = format!("heapdiff {}", cut.display());
    refused(&run(&mut app, &host, &line), &line, &["cut.heapsnapshot"]);
    std::fs::remove_file(&cut).unwrap();
    std::fs::remove_file(&good).unwrap();
}

#[test]
fn addresses_without_a_node() {
    let core = core();
    let (mut app, host) = (App::new(), host(&core));
    for command in ["retainers", "path", "dominators", "retained"] {
        for (what, says) in [
            ("0x1001", "no object"),
            ("0xffffffffffffffff", "no object"),
            ("0", "no object"),
            ("@4000000000", "no object"),
            ("@x", "no id"),
            ("@", "no id"),
        ] {
            let line = format!("{command} {what}");
            refused(&run(&mut app, &host, &line), &line, &[says]);
        }
        let line = format!("{command} 1 2");
        let outcome = run(&mut app, &host, &line);
        assert!(outcome.error.is_some() && outcome.text.is_empty(), "{line}");
    }
}

#[test]
fn objects_that_nothing_holds() {
    for node in nodes() {
        let core = core_with(
            "visits",
            &node,
            &["--expose-gc", "--", "4000", "--snapshot"],
        );
        let (mut app, host) = (App::new(), host(&core));
        let text = run(&mut app, &host, "findjsinstances -n 1 Gone").text;
        let address = text.split(':').next().unwrap();
        for command in ["retainers", "path", "dominators", "retained"] {
            let line = format!("{command} {address}");
            let outcome = run(&mut app, &host, &line);
            // Where a few bytes of the heap were not understood it is not said for sure.
            let verdicts = [
                "is garbage: nothing holds it",
                "has no holder in what there is",
            ];
            refused(&outcome, &line, &verdicts);
            // The array it was in is dead too, and still points at it.
            refused(&outcome, &line, &["last pointed at it"]);
        }
    }
}

fn word(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

/// The core without what follows `address` in its segment; how many bytes that is.
fn without(core: &Core, address: u64, name: &str) -> (PathBuf, u64) {
    let mut bytes = std::fs::read(&core.core).unwrap();
    let table = word(&bytes, 32) as usize;
    let count = usize::from(u16::from_le_bytes([bytes[56], bytes[57]]));
    let mut lost = 0;
    for at in (0..count).map(|i| table + i * 56) {
        let (start, size) = (word(&bytes, at + 16), word(&bytes, at + 32));
        if bytes[at] == 1 && start <= address && address < start + size {
            lost = start + size - address;
            bytes[at + 32..at + 40].copy_from_slice(&(address - start).to_le_bytes());
        }
    }
    assert!(lost > 0);
    let path = scratch(name);
    std::fs::write(&path, bytes).unwrap();
    (path, lost)
}

#[test]
fn cores_without_a_part_of_the_heap() {
    let core = core();
    let file = CoreFile::open(&core.core, &core.program).unwrap();
    let session = Session::new(Box::new(file));
    let isolates = session.isolates().unwrap();
    assert!(isolates.warnings.is_empty(), "{:?}", isolates.warnings);
    // The page that a visit in the middle is on.
    let text = run(&mut App::new(), &host(&core), "findjsinstances Visit").text;
    let visit = text.lines().nth(2000).unwrap().split(':').next().unwrap();
    let visit = u64::from_str_radix(&visit[2..], 16).unwrap();
    let page = isolates.pages.iter().find(|p| p.contains(visit)).unwrap();
    // Its header is there and its objects are not; and nothing of it.
    let half = page.area_start + 0x2000;
    for (name, from) in [("half.core", half), ("none.core", page.address)] {
        let (path, lost) = without(&core, from, name);
        let host = OfflineHost {
            core: path.clone(),
            program: core.program.clone(),
        };
        let mut app = App::new();
        for line in ["leaks", "retained", "dominators", "findjsobjects"] {
            let outcome = run(&mut app, &host, line);
            if outcome.error.is_some() {
                refused(&outcome, line, &["core", "roots"]);
                continue;
            }
            let first = outcome.text.lines().next().unwrap_or_default();
            let says = first.starts_with("warning: ") && first.contains("not in the core");
            assert!(says, "{name} {line}: {}", outcome.text);
            let outcome = run(&mut app, &host, &format!("{line} --json"));
            let found: Value = serde_json::from_str(&outcome.text).unwrap();
            let warnings = found["warnings"].as_array().unwrap();
            let told: u64 = warnings
                .iter()
                .filter_map(|w| w.as_str())
                .filter(|w| w.contains("not in the core"))
                .filter_map(|w| w.split(' ').next()?.parse::<u64>().ok())
                .sum();
            assert!(told > 0 && told <= lost, "{name} {line}: {told} of {lost}");
        }
        std::fs::remove_file(path).unwrap();
    }
}
