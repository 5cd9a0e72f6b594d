//! Releases whose V8 is not in the version tables, and releases of lines that are: what is answered
//! is right, the rest is refused, and a warning says which tables are used.

mod support;

use serde_json::Value;
use support::{core_with, Core};
use v8rs::command::App;
use v8rs::heap::Scope;
use v8rs::metadata::V8Version;
use v8rs::offline::{CoreFile, OfflineHost};
use v8rs::session::Session;

/// Releases, with the line of V8 whose tables are nearest; none where it has tables of its own.
const RELEASES: [(&str, Option<&str>); 3] = [
    ("25.9.0", Some("13.6")),
    ("23.11.1", Some("12.4")),
    ("18.12.0", None),
];

fn ask(core: &Core, app: &mut App, line: &str) -> (String, Option<String>) {
    let host = OfflineHost {
        core: core.core.clone(),
        program: core.program.clone(),
    };
    let words: Vec<String> = line.split(' ').map(str::to_string).collect();
    let outcome = app.run(&host, &words[0], &words[1..]);
    (outcome.text, outcome.error)
}

fn json(core: &Core, app: &mut App, line: &str) -> Value {
    let (text, error) = ask(core, app, &format!("{line} --json"));
    assert_eq!(error, None, "node {}: {line}", core.node);
    serde_json::from_str(&text).expect("JSON")
}

/// The releases that are asked for: all, or those among V8RS_OUTSIDE (by spaces).
fn releases() -> Vec<(&'static str, Option<&'static str>)> {
    let wanted = std::env::var("V8RS_OUTSIDE").ok();
    let is_wanted = |node: &str| {
        wanted
            .as_ref()
            .is_none_or(|w| w.split_whitespace().any(|w| w == node))
    };
    RELEASES
        .into_iter()
        .filter(|(node, _)| is_wanted(node))
        .collect()
}

#[test]
fn the_nearest_tables_are_used_with_a_warning() {
    for (node, nearest) in releases() {
        let core = core_with("heap", node, &["--", "20000", "--snapshot"]);
        let mut app = App::new();
        let (text, error) = ask(&core, &mut app, "bt 3");
        assert_eq!(error, None, "node {node}");
        let first = text.lines().next().unwrap_or_default();
        match nearest {
            Some(line) => {
                let wanted = format!("; the nearest, of {line}, is used");
                assert!(first.starts_with("warning: V8 "), "node {node}: {first}");
                assert!(first.contains(&wanted), "node {node}: {first}");
                // Told once, by whichever command came first.
                let (again, _) = ask(&core, &mut app, "bt 3");
                assert!(!again.contains("warning: "), "node {node}: {again}");
                let info = json(&core, &mut app, "nodeinfo");
                let told = info["warnings"][0].as_str().unwrap_or_default();
                assert!(told.contains(&wanted), "node {node}: {told}");
            }
            None => assert!(!text.contains("warning: "), "node {node}: {text}"),
        }
    }
}

#[test]
fn stacks_and_counts_are_the_programs() {
    for (node, _) in releases() {
        let core = core_with("frames", node, &["--", "sync"]);
        let output = core.output("frames");
        let last = output.lines().last().expect("a record");
        let said: Value = serde_json::from_str(last).expect("JSON");
        let bt = json(&core, &mut App::new(), "bt");
        let ours: Vec<String> = bt["frames"]
            .as_array()
            .expect("frames")
            .iter()
            .filter(|f| f["kind"] != "api_exit")
            .flat_map(|f| f["calls"].as_array().expect("calls"))
            .filter(|c| c["in_stack_traces"] == true)
            .map(|c| {
                let place = &c["call"];
                let place = match place["file"].as_str() {
                    Some(file) => format!("{file}:{}:{}", place["line"], place["column"]),
                    None => "<anonymous>".to_string(),
                };
                match c["name"].as_str() {
                    Some(name) => format!("{name} ({place})"),
                    None => place,
                }
            })
            .collect();
        let theirs: Vec<&str> = said["sites"]
            .as_array()
            .expect("sites")
            .iter()
            .filter_map(|s| s["text"].as_str())
            .collect();
        assert_eq!(ours, theirs, "node {node}");

        let core = core_with("heap", node, &["--", "20000", "--snapshot"]);
        let said: Value = serde_json::from_str(core.output("heap").lines().next().expect("a line"))
            .expect("JSON");
        let found = json(&core, &mut App::new(), "findjsobjects");
        let classes = found["classes"].as_array().expect("classes");
        for (name, count) in said["counts"].as_object().expect("counts") {
            // PageVisit.prototype is a Visit by V8's account.
            let count = count.as_u64().expect("a number") + u64::from(name == "Visit");
            let row = classes.iter().find(|c| c["name"] == name.as_str());
            let ours = row.map_or(0, |c| c["instances"].as_u64().expect("a number"));
            assert_eq!(ours, count, "node {node}: {name}");
        }
    }
}

/// A V8 that nobody has seen yet is like a known one with tables of another version: either the
/// answer is that of the right tables, or there is none.
#[test]
fn with_tables_of_another_version_nothing_wrong_is_said() {
    let node = support::nodes().pop().expect("a release");
    let core = core_with("heap", &node, &["--", "20000", "--snapshot"]);
    let open = || CoreFile::open(&core.core, &core.program).expect("core opens");
    let watch = |_: &str, _: f64| Ok(());
    let count = |session: &Session, class: &str| -> v8rs::error::Result<u64> {
        let heap = session.heap(&watch)?;
        let classes = session.classes(&watch)?;
        let id = classes.by_name(class);
        let all = id.map(|id| classes.instances(heap, Scope::All, id, &watch));
        Ok(all.transpose()?.map_or(0, |all| all.len() as u64))
    };
    let right = count(&Session::new(Box::new(open())), "Visit").expect("a count");
    assert_eq!(right, 20001);
    for (major, minor) in [
        (8, 0),
        (9, 0),
        (10, 5),
        (11, 9),
        (12, 6),
        (13, 9),
        (14, 9),
        (15, 2),
    ] {
        let version = V8Version::new(major, minor, 0, 0);
        let session = Session::pretending(Box::new(open()), version);
        match count(&session, "Visit") {
            Ok(count) => assert_eq!(count, right, "node {node} as V8 {version}"),
            Err(error) => {
                let text = error.to_string();
                assert!(!text.is_empty(), "node {node} as V8 {version}");
            }
        }
        let warnings = session.warnings();
        assert!(
            warnings
                .iter()
                .any(|w| w.contains("is not in the version tables")),
            "{warnings:?}"
        );
    }
}
