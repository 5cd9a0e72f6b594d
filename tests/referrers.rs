//! `v8 findrefs` finds every way of being referred to: the program says who holds what.

mod support;

use support::{core_with, nodes};
use v8rs::command::{App, Outcome};
use v8rs::offline::OfflineHost;

#[test]
fn every_way_of_being_referred_to() {
    for node in nodes() {
        let core = core_with("referrers", &node, &[]);
        let host = OfflineHost {
            core: core.core.clone(),
            program: core.program.clone(),
        };
        let mut app = App::new();
        let mut run = |command: &str| -> Outcome {
            let words: Vec<String> = command.split(' ').map(str::to_string).collect();
            app.run(&host, &words[0], &words[1..])
        };
        let said: serde_json::Value =
            serde_json::from_str(core.output("referrers").trim()).expect("JSON");
        let mut missing = Vec::new();
        for way in said["wanted"].as_array().expect("ways") {
            let held = way["type"].as_str().expect("a class");
            let instances = run(&format!("findjsinstances -n 1 {held}")).text;
            let address = instances.split(':').next().expect("an address");
            let references = run(&format!("findrefs {address}"));
            assert_eq!(references.error, None, "node {node}: {held}");
            for found in way["found"].as_array().expect("places") {
                let found = found.as_str().expect("a place");
                let here = |line: &&str| line.contains(found) && line.ends_with(address);
                if references.text.lines().find(here).is_none() {
                    missing.push(format!("{held}: {found} not in\n{}", references.text));
                }
            }
        }
        assert!(missing.is_empty(), "node {node}: {}", missing.join("\n"));
    }
}
