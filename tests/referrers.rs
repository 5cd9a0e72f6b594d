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
            // What has one for its prototype counts as of its class too; a collection may have changed
            // their order, and taken what nothing holds (Node 12 has no WeakRef).
            let instances = run(&format!("findjsinstances {held}")).text;
            let addresses = instances.lines().filter(|l| l.starts_with("0x"));
            let mut references = String::new();
            for address in addresses.filter_map(|l| l.split(':').next()) {
                let found = run(&format!("findrefs {address}"));
                assert_eq!(found.error, None, "node {node}: {held}");
                let whole = |line: &&str| line.ends_with(address);
                references.extend(found.text.lines().filter(whole).map(|l| format!("{l}\n")));
            }
            for found in way["found"].as_array().expect("places") {
                let found = found.as_str().expect("a place");
                if !references.lines().any(|line| line.contains(found)) {
                    missing.push(format!("{held}: {found} not in\n{references}"));
                }
            }
        }
        assert!(missing.is_empty(), "node {node}: {}", missing.join("\n"));
    }
}
