//! Stopped in a stub of V8's that makes no frame: the function that called it is on top, whatever
//! its code. tests/programs/stubs.js is in one most of the time, and its calls are known.

mod support;

use serde_json::Value;
use support::{core_with, nodes};
use v8rs::command::App;
use v8rs::offline::OfflineHost;

#[test]
fn a_stub_without_a_frame_hides_no_function() {
    // Between its calls Maglev's code has no exact places.
    let baseline = ["--no-opt", "--always-sparkplug", "--no-maglev"];
    for node in nodes() {
        let major: u32 = node
            .split('.')
            .next()
            .and_then(|m| m.parse().ok())
            .expect("a number");
        let mut runs: Vec<&[&str]> = vec![&[]];
        match major {
            ..16 => {}
            16..22 => runs.push(&baseline[..2]),
            _ => runs.push(&baseline),
        }
        for flags in runs {
            let core = core_with("stubs", &node, flags);
            let host = OfflineHost {
                core: core.core.clone(),
                program: core.program.clone(),
            };
            let outcome = App::new().run(&host, "bt", &["--json".to_string()]);
            assert_eq!(outcome.error, None, "node {node} {flags:?}");
            let stacks: Value = serde_json::from_str(&outcome.text).expect("JSON");
            let frames = stacks["frames"].as_array().expect("frames");
            let calls = frames
                .iter()
                .flat_map(|f| f["calls"].as_array().expect("calls"));
            let ours: Vec<(&str, i64)> = calls
                .filter(|c| {
                    c["definition"]["file"]
                        .as_str()
                        .is_some_and(|f| f.ends_with("/stubs.js"))
                })
                .map(|c| {
                    (
                        c["name"].as_str().expect("a name"),
                        c["call"]["line"].as_i64().unwrap_or(0),
                    )
                })
                .collect();
            let what = format!("node {node} {flags:?}: {ours:?}");
            // The loop of `work` itself is a four-hundredth of the time.
            let (inner, outer) = ours.split_at(ours.len().saturating_sub(2));
            let (work, main) = (outer.first().expect(&what), outer.get(1).expect(&what));
            assert!(work.0 == "work" && main.0.contains("main"), "{what}");
            assert_eq!(main.1, 25, "{what}");
            // Code of Maglev's that makes no call at the moment has the loop for its place.
            assert!(matches!(work.1, 15 | 16), "{what}");
            assert!(matches!(inner, [("pick", 8 | 9)]), "{what}");
        }
    }
}
