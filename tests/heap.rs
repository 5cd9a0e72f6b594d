//! The heap, held against what V8 itself said of it.

mod support;

use serde_json::Value;
use std::collections::HashMap;
use support::cores_of;
use v8rs::command::{App, Outcome};
use v8rs::heap::referrers::Referrers;
use v8rs::heap::{ImageOver, RootName, Scope};
use v8rs::object::{Cx, Tagged};
use v8rs::offline::{CoreFile, OfflineHost};
use v8rs::session::Session;

#[test]
fn one_isolate_with_its_roots_on_the_main_thread() {
    for core in cores_of("heap") {
        let file = CoreFile::open(&core.core, &core.program).expect("core opens");
        let session = Session::new(Box::new(file));
        let layout = &session.v8().expect("V8").layout;
        let found = session.isolates().expect("isolates");
        assert_eq!(found.warnings, Vec::<String>::new(), "node {}", core.node);
        assert_eq!(found.isolates.len(), 1, "node {}", core.node);
        let isolate = &found.isolates[0];
        let threads = session.target().threads();
        let main = &threads[0];
        assert!(isolate.threads.contains(&main.index), "node {}", core.node);
        let cx = session.cx().expect("context");
        for (name, text) in [
            (RootName::Undefined, "undefined"),
            (RootName::Null, "null"),
            (RootName::True, "true"),
            (RootName::False, "false"),
        ] {
            let root: Tagged = isolate.root(name).expect("root");
            let oddball = cx.object(root).expect("object");
            let string = oddball
                .object_field(layout.oddball.to_string)
                .expect("its name");
            let said = v8rs::object::JSString(string).read(32).expect("text");
            assert_eq!(said.text(), text, "node {}", core.node);
        }
        let exit = isolate.exit_frame(session.target(), layout, main);
        let exit = exit.expect("stack").expect("in process.abort");
        let slot = isolate.address + layout.isolate.c_entry_fp.offset().expect("offset");
        let table = cx.memory.u64(slot).expect("word");
        assert_eq!(exit, table, "node {}: c_entry_fp moved", core.node);
    }
}

/// Counts and sizes by name, as V8's own snapshot of the same heap has them.
fn snapshot(core: &support::Core) -> HashMap<String, (u64, u64)> {
    let path = core.directory.join("heap.heapsnapshot");
    let text = std::fs::read(&path).expect("the program wrote its snapshot");
    let json: Value = serde_json::from_slice(&text).expect("a snapshot");
    let meta = &json["snapshot"]["meta"];
    let fields = meta["node_fields"].as_array().expect("node_fields");
    let at = |name: &str| fields.iter().position(|f| f == name).expect("a field");
    let (kind, name, size) = (at("type"), at("name"), at("self_size"));
    let kinds = meta["node_types"][0].as_array().expect("node types");
    let strings = json["strings"].as_array().expect("strings");
    let nodes: Vec<u64> = json["nodes"]
        .as_array()
        .expect("nodes")
        .iter()
        .map(|n| n.as_u64().expect("a number"))
        .collect();
    let mut sums: HashMap<String, (u64, u64)> = HashMap::new();
    for node in nodes.chunks_exact(fields.len()) {
        let kind = kinds[node[kind] as usize].as_str().expect("a type");
        let name = match kind {
            "object" => strings[node[name] as usize].as_str().expect("a name"),
            "regexp" => "RegExp",
            "bigint" => "(BigInt)",
            "number" => "(Number)",
            "string" | "concatenated string" | "sliced string" => "(String)",
            _ => continue,
        };
        let sum = sums.entry(name.to_string()).or_default();
        sum.0 += 1;
        sum.1 += node[size];
    }
    sums
}

fn run(core: &support::Core, app: &mut App, line: &str) -> Outcome {
    let host = OfflineHost {
        core: core.core.clone(),
        program: core.program.clone(),
    };
    let words: Vec<String> = line.split(' ').map(str::to_string).collect();
    app.run(&host, &words[0], &words[1..])
}

#[test]
fn the_walk_leaves_nothing_out() {
    for core in cores_of("heap") {
        let file = CoreFile::open(&core.core, &core.program).expect("core opens");
        let session = Session::new(Box::new(file));
        let heap = session.heap(&|_, _| Ok(())).expect("heap");
        assert_eq!(heap.coverage.unknown_bytes, 0, "node {}", core.node);
        assert_eq!(heap.image.missing, 0, "node {}", core.node);
        assert!(heap.coverage.objects > 270_000, "node {}", core.node);
    }
}

#[test]
fn classes_are_counted_as_v8_counts_them() {
    for core in cores_of("heap") {
        let outcome = run(&core, &mut App::new(), "findjsobjects --json");
        assert_eq!(outcome.error, None, "node {}", core.node);
        let json: Value = serde_json::from_str(&outcome.text).expect("JSON");
        let ours: HashMap<&str, (u64, u64)> = json["classes"]
            .as_array()
            .expect("classes")
            .iter()
            .map(|c| {
                let number = |key: &str| c[key].as_u64().expect("a number");
                let name = c["name"].as_str().expect("a name");
                (name, (number("instances"), number("size")))
            })
            .collect();
        let get = |name: &str| ours.get(name).copied().unwrap_or_default();
        let snapshot = snapshot(&core);
        let theirs = |name: &str| snapshot.get(name).copied().unwrap_or_default();
        for name in [
            "Visit",
            "PageVisit",
            "VisitList",
            "VisitError",
            "VisitBytes",
            "Legacy",
            "Date",
            "RegExp",
            "(BigInt)",
            "Never",
            "Gone",
        ] {
            assert_eq!(get(name), theirs(name), "node {}: {name}", core.node);
        }
        // What came from a subclass of these was called like them up to V8 9. V8 also counts
        // prototypes that have the class's name as their own Symbol.toStringTag; here they are no
        // instances of their class.
        for names in [
            &["ArrayBuffer"][..],
            &["VisitMap", "Map", "ModuleMap"],
            &["VisitSet", "Set"],
            &["VisitPromise", "Promise"],
        ] {
            let sum = |of: &dyn Fn(&str) -> (u64, u64)| {
                let all = names.iter().map(|n| of(n));
                all.fold((0, 0), |s, n| (s.0 + n.0, s.1 + n.1))
            };
            let ((count, size), (all, all_size)) = (sum(&get), sum(&theirs));
            // The class's own prototype, and those that Node makes as copies of it (SafeMap's).
            let prototypes = all - count;
            assert!(
                (1..=3).contains(&prototypes),
                "node {}: {names:?}",
                core.node
            );
            let each = (all_size - size) / prototypes;
            assert!((24..=256).contains(&each), "node {}: {names:?}", core.node);
        }
        // And as the program itself made them. PageVisit.prototype is a Visit by V8's account:
        // its prototype's constructor is.
        let said: Value = serde_json::from_str(core.output("heap").lines().next().expect("a line"))
            .expect("JSON");
        for (name, count) in said["counts"].as_object().expect("counts") {
            let mut count = count.as_u64().expect("a number");
            if name == "Visit" {
                count += 1;
            }
            assert_eq!(get(name).0, count, "node {}: {name}", core.node);
        }
        // From V8 13 on the snapshot gives what is read-only, as some numbers are, no size.
        assert_eq!(get("(Number)").0, theirs("(Number)").0, "{}", core.node);
        // A few strings are made after the snapshot, on the way to the end.
        let strings = get("(String)").0.abs_diff(theirs("(String)").0);
        assert!(strings < 20, "node {}: {strings} strings apart", core.node);
    }
}

#[test]
fn shapes_tell_properties_apart() {
    for core in cores_of("heap") {
        let outcome = run(&core, &mut App::new(), "findjsobjects -d");
        assert_eq!(outcome.error, None, "node {}", core.node);
        let line = outcome
            .text
            .lines()
            .find(|l| l.ends_with("PageVisit: visit_id, headers, page, ..."))
            .unwrap_or_else(|| panic!("node {}: {}", core.node, outcome.text));
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(
            &words[1..5],
            ["10000", "560000", "4", "0"],
            "node {}",
            core.node
        );
    }
}

#[test]
fn instances_come_in_pages() {
    for core in cores_of("heap") {
        let mut app = App::new();
        let all = run(&core, &mut app, "findjsinstances VisitMap");
        assert_eq!(all.error, None, "node {}", core.node);
        assert_eq!(all.text.lines().count(), 2001, "node {}", core.node);
        assert!(all
            .text
            .lines()
            .take(2000)
            .all(|l| l.starts_with("0x") && l.contains(":<") && l.ends_with('>')));
        assert!(all
            .text
            .ends_with("(Showing 1 to 2000 of 2000 instances)\n"));
        let command = "findjsinstances -n 1500 VisitMap";
        let first = run(&core, &mut app, command).text;
        assert!(first.ends_with("..........\n(Showing 1 to 1500 of 2000 instances)\n"));
        let _ = run(&core, &mut app, "version");
        let second = run(&core, &mut app, command).text;
        assert!(second.ends_with("(Showing 1501 to 2000 of 2000 instances)\n"));
        assert!(!second.contains("....."));
        assert_eq!(first, run(&core, &mut app, command).text);
        let lines = first.lines().take(1500).chain(second.lines().take(500));
        assert!(lines.eq(all.text.lines().take(2000)), "node {}", core.node);
        let none = run(&core, &mut app, "findjsinstances Nope");
        assert_eq!(none.text, "No objects found with type name Nope\n");
        assert!(none.error.is_some());
        let usage = run(&core, &mut app, "findjsinstances").error;
        let wanted = "USAGE: v8 findjsinstances [flags] instance_name";
        assert_eq!(usage.as_deref(), Some(wanted));
    }
}

#[test]
fn every_reference_to_an_object_is_found_where_it_is() {
    for core in cores_of("heap") {
        let file = CoreFile::open(&core.core, &core.program).expect("core opens");
        let session = Session::new(Box::new(file));
        let watch = |_: &str, _: f64| Ok(());
        let heap = session.heap(&watch).expect("heap");
        let classes = session.classes(&watch).expect("classes");
        let memory = ImageOver {
            image: &heap.image,
            target: session.target().memory(),
        };
        let referrers = Referrers {
            heap,
            scope: Scope::All,
            classes,
            cx: Cx {
                memory: &memory,
                layout: &session.v8().expect("V8").layout,
            },
            watch: &watch,
        };
        let class = classes.by_name("Visit").expect("the class");
        let visits = classes
            .instances(heap, Scope::All, class, &watch)
            .expect("instances");
        let mut by_target: HashMap<u64, Vec<String>> = HashMap::new();
        for found in referrers.of(&visits).expect("references") {
            let text = format!("{}{}", found.type_name, found.place);
            by_target.entry(found.target).or_default().push(text);
        }
        let wanted = "VisitMap.<value of \"key-100\">".to_string();
        let mut places = by_target
            .into_values()
            .find(|places| places.contains(&wanted))
            .unwrap_or_else(|| panic!("node {}: no {wanted}", core.node));
        places.sort();
        // What the program did with the visit number 100, and nothing else.
        assert_eq!(
            places,
            [
                "(Array)[100000]",
                "(Array)[100]",
                "Object.entry 100",
                "Object.visit",
                "VisitList[1]",
                "VisitMap.<value of \"key-100\">",
                "VisitPromise.<reactions or result>",
                "VisitSet.<member>",
                "WeakMap.<key>",
            ],
            "node {}",
            core.node
        );
    }
}

#[test]
fn references_by_name_and_by_string() {
    for core in cores_of("heap") {
        let mut app = App::new();
        let named = run(&core, &mut app, "findrefs -n page");
        assert_eq!(named.error, None, "node {}", core.node);
        let pages = named
            .text
            .lines()
            .filter(|l| l.contains(": PageVisit.page=0x"));
        assert_eq!(pages.count(), 10000, "node {}", core.node);
        let global = run(&core, &mut app, "findrefs -n held").text;
        assert!(
            global.contains(": Global.held=0x"),
            "node {}: {global}",
            core.node
        );
        let said = run(&core, &mut app, "findrefs -s /page/77").text;
        let line = said.lines().find(|l| l.contains(": PageVisit.page=0x"));
        assert!(line.is_some_and(|l| l.ends_with(" '/page/77'")), "{said}");
        for (command, wanted) in [
            ("findrefs", "USAGE: v8 findrefs expr"),
            ("findrefs -n", "Missing search parameter"),
            ("findrefs 10", "Search value is an SMI."),
            (
                "findrefs -n a b",
                "Extra search parameter or unquoted string specified.",
            ),
            ("findrefs -x f", "Invalid search type"),
            (
                "findrefs 0x1",
                "0x1 is no object of V8's heap (see 'v8 findjsinstances' for addresses of objects)",
            ),
        ] {
            let error = run(&core, &mut app, command).error;
            assert_eq!(error.as_deref(), Some(wanted), "{command}");
        }
    }
}

#[test]
fn who_refers_to_those_who_refer() {
    for core in cores_of("heap") {
        let mut app = App::new();
        let instances = run(&core, &mut app, "findjsinstances -n 1 VisitSet").text;
        let address = instances.split(':').next().expect("an address");
        let tree = run(
            &core,
            &mut app,
            &format!("findrefs -r --limit 50000 {address}"),
        )
        .text;
        let lines: Vec<&str> = tree.lines().collect();
        let first = lines.iter().position(|l| l.contains(": (Array)["));
        let first = first.unwrap_or_else(|| panic!("node {}: {tree}", core.node));
        assert!(lines[first + 1].starts_with("+ 0x"), "node {}", core.node);
        assert!(
            lines[first + 1].contains(": Object.sets=0x"),
            "node {}",
            core.node
        );
        assert!(
            // Where the walk up ends before it comes to the global object, it says so.
            tree.contains("\n  + 0x")
                && (tree.contains(": Global.held=0x") || tree.contains("(there are more; ")),
            "node {}",
            core.node
        );
        assert!(tree.contains(" [seen above]\n"), "node {}", core.node);
    }
}
