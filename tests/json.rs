//! What the commands print with `--json`, held against docs/json.md: every key and its type, and
//! every key that is documented printed by something.

mod support;

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use support::{core_with, nodes, Core};
use v8rs::command::{App, TABLE};
use v8rs::offline::OfflineHost;

/// A documented key.
#[derive(Debug, Clone)]
struct Key {
    is_optional: bool,
    types: String,
}

/// Keys of each type and command ("v8 bt") by name.
type Schema = BTreeMap<String, BTreeMap<String, Key>>;

/// Commands whose JSON is of a type described elsewhere.
const AS: [(&str, &str); 2] = [("v8 print", "Value"), ("v8 inspect", "Value")];

fn schema() -> Schema {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/json.md");
    let text = std::fs::read_to_string(path).expect("docs/json.md");
    let mut schema = Schema::new();
    let mut names: Vec<String> = Vec::new();
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("### ") {
            names = title.split(", ").map(|n| n.replace('`', "")).collect();
            for name in &names {
                let old = schema.insert(name.clone(), BTreeMap::new());
                assert!(old.is_none(), "{name} is there twice");
            }
        }
        let Some(row) = line.strip_prefix("| `") else {
            continue;
        };
        let mut cells = row.split(" | ");
        let key = cells.next().expect("a key").trim_end_matches('`');
        let types = cells.next().expect("a type").to_string();
        let is_optional = key.starts_with('[');
        let key = key.trim_matches(['[', ']']).to_string();
        for name in &names {
            let entry = Key {
                is_optional,
                types: types.clone(),
            };
            let keys = schema.get_mut(name).expect("a title");
            assert!(keys.insert(key.clone(), entry).is_none(), "{name}.{key}");
        }
    }
    schema
}

/// Checks values, and remembers what of the schema was there.
struct Checker {
    schema: Schema,
    seen: BTreeSet<(String, String)>,
    problems: BTreeSet<String>,
}

impl Checker {
    /// Whether `value` is of one of the types that `types` names; notes its keys.
    fn is_of(&mut self, types: &str, value: &Value, at: &str) -> bool {
        let (types, may_be_null) = match types.strip_suffix('?') {
            Some(types) => (types, true),
            None => (types, false),
        };
        if value.is_null() {
            return may_be_null;
        }
        types.split(" or ").any(|t| self.is(t, value, at))
    }

    fn is(&mut self, name: &str, value: &Value, at: &str) -> bool {
        let list = name.strip_prefix('[').and_then(|n| n.strip_suffix(']'));
        if let (Some(of), Some(values)) = (list, value.as_array()) {
            return values.iter().all(|v| self.is_of(of, v, at));
        }
        match name {
            "text" => value.is_string(),
            "number" => value.is_number(),
            "bool" => value.is_boolean(),
            "hex" => value.as_str().is_some_and(|t| {
                let digits = t.strip_prefix("0x").unwrap_or("");
                u64::from_str_radix(digits, 16).is_ok() && digits == digits.to_lowercase()
            }),
            _ => match (self.schema.get(name).cloned(), value.as_object()) {
                // What is an Error has that one key; types of an own kind have others.
                (Some(_), Some(object)) if name == "Error" && object.len() != 1 => false,
                (Some(keys), Some(_)) => {
                    self.object(name, &keys, value, at);
                    true
                }
                _ => false,
            },
        }
    }

    fn object(&mut self, name: &str, keys: &BTreeMap<String, Key>, value: &Value, at: &str) {
        let object = value.as_object().expect("an object");
        for (key, value) in object {
            let Some(known) = keys.get(key) else {
                let short: String = value.to_string().chars().take(80).collect();
                self.problems
                    .insert(format!("{at}: {name}.{key} is not documented: {short}"));
                continue;
            };
            self.seen.insert((name.to_string(), key.clone()));
            if !self.is_of(&known.types, value, at) {
                let short: String = value.to_string().chars().take(80).collect();
                self.problems
                    .insert(format!("{at}: {name}.{key} is no {}: {short}", known.types));
            }
        }
        for (key, known) in keys {
            if !known.is_optional && !object.contains_key(key) {
                self.problems
                    .insert(format!("{at}: {name}.{key} is missing"));
            }
        }
    }

    /// What a command printed: an object of its keys, or a list of those.
    fn output(&mut self, command: &str, value: &Value, at: &str) {
        let name = format!("v8 {command}");
        let other = AS.iter().find(|(n, _)| *n == name).map(|(_, t)| *t);
        let name = other.unwrap_or(&name);
        let keys = self.schema.get(name).cloned();
        let keys = keys.unwrap_or_else(|| panic!("{name} is not documented"));
        match value {
            Value::Array(list) => {
                for value in list {
                    self.object(name, &keys, value, at);
                }
            }
            value => self.object(name, &keys, value, at),
        }
    }
}

struct Run<'a> {
    checker: &'a mut Checker,
    asked: &'a mut BTreeSet<String>,
    host: OfflineHost,
    app: App,
    what: String,
}

impl Run<'_> {
    fn ask(&mut self, command: &str, rest: &str) -> Value {
        self.asked.insert(command.to_string());
        let words: Vec<String> = rest
            .split_whitespace()
            .chain(["--json"])
            .map(str::to_string)
            .collect();
        let outcome = self.app.run(&self.host, command, &words);
        let at = format!("{}: {command} {rest}", self.what);
        assert_eq!(outcome.error, None, "{at}");
        let value: Value =
            serde_json::from_str(&outcome.text).unwrap_or_else(|e| panic!("{at}: {e}"));
        self.checker.output(command, &value, &at);
        value
    }

    /// Address of the first instance of a class.
    fn first(&mut self, class: &str) -> String {
        let found = self.ask("findjsinstances", &format!("-n 1 {class}"));
        let address = found["instances"][0]["address"].as_str();
        address.expect("an instance").to_string()
    }
}

#[test]
fn every_command_prints_what_the_documentation_says() {
    let mut checker = Checker {
        schema: schema(),
        seen: BTreeSet::new(),
        problems: BTreeSet::new(),
    };
    let mut asked = BTreeSet::new();
    // One release: what differs between them are values, not keys.
    let node = nodes().pop().expect("a release");
    let core = |program: &str, arguments: &[&str]| core_with(program, &node, arguments);
    let cores = [
        core("heap", &["--", "20000", "--snapshot"]),
        core("values", &["--expose-gc", "--expose-externalize-string"]),
        core("frames", &["--", "hot"]),
        core("server", &[]),
        core("workers", &[]),
        core("signup", &["--abort-on-uncaught-exception"]),
        core("visits", &["--expose-gc", "--", "4000", "--snapshot"]),
    ];
    let [heap, values, frames, server, workers, signup, visits] = &cores;
    let mut run = |core: &Core, what: &str, ask: &mut dyn FnMut(&mut Run)| {
        let mut run = Run {
            checker: &mut checker,
            asked: &mut asked,
            host: OfflineHost {
                core: core.core.clone(),
                program: core.program.clone(),
            },
            app: App::new(),
            what: format!("node {} {what}", core.node),
        };
        ask(&mut run);
    };
    run(heap, "heap", &mut |r| {
        r.ask("help", "");
        r.ask("help", "bt");
        r.ask("version", "");
        r.ask("settings show", "");
        r.ask("settings set", "tree-padding 3");
        r.ask("nodeinfo", "--metadata");
        r.ask("findjsobjects", "");
        r.ask("findjsobjects", "-d");
        let visit = r.first("Visit");
        r.ask("findrefs", &visit);
        let set = r.first("VisitSet");
        r.ask("findrefs", &format!("-r --limit 50000 {set}"));
        r.ask("findrefs", "-s key-77");
        r.ask("findrefs", "-n page");
        r.ask("retainers", &visit);
        r.ask("path", &visit);
        r.ask("dominators", "-n 3");
        r.ask("dominators", &visit);
        r.ask("retained", "");
        r.ask("retained", &visit);
        r.ask("retained", "-c Visit -n 3");
        r.ask("leaks", "");
        // Its stack was never read, so that it still stands there as V8 captured it.
        let error = r.first("VisitError");
        r.ask("inspect", &error);
        let before = core_path(heap, "heap.heapsnapshot");
        r.ask("heapdiff", &format!("-n 1000 {before}"));
        let ours = std::env::temp_dir().join(format!("v8rs-json-{}", std::process::id()));
        let ours = ours.to_str().expect("a path");
        let written = r.ask("heapsnapshot", ours);
        assert_eq!(written["file"], ours);
        std::fs::remove_file(ours).expect("the file that was written");
    });
    run(visits, "visits", &mut |r| {
        r.ask("findjsobjects", "--live --retained");
        r.ask("leaks", "");
        r.ask("heapdiff", &core_path(signup, "core"));
    });
    run(values, "values", &mut |r| {
        let global = r.ask("findrefs", "-n held");
        let held = global["references"]
            .as_array()
            .expect("a list")
            .iter()
            .find(|l| l["type"] == "Global")
            .expect("the variable");
        let held = held["value"].as_str().expect("an address").to_string();
        r.ask("print", &held);
        let held = r.ask("inspect", &format!("-F {held}"));
        let items = held["sections"]
            .as_array()
            .expect("sections")
            .iter()
            .flat_map(|s| s["items"].as_array().cloned().unwrap_or_default());
        for item in items {
            let Some(address) = item["value"]["value"]["address"].as_str() else {
                continue;
            };
            let value = r.ask("inspect", &format!("-s {address}"));
            if value["type"] == "function" {
                r.ask("closure", address);
            }
            // Its Map, and what that is made of.
            if let Some(map) = value["map"].as_str() {
                let map = r.ask("inspect", map);
                if let Some(descriptors) = map["descriptors"].as_str() {
                    r.ask("inspect", descriptors);
                }
            }
            for section in value["sections"].as_array().into_iter().flatten() {
                for item in section["items"].as_array().into_iter().flatten() {
                    if let Some(address) = item["value"]["value"]["address"].as_str() {
                        r.ask("inspect", address);
                    }
                }
            }
        }
    });
    run(frames, "frames", &mut |r| {
        r.ask("bt", "");
        let bt = r.ask("bt", "-v");
        let number = bt["frames"]
            .as_array()
            .expect("frames")
            .iter()
            .find(|f| f["calls"].as_array().is_some_and(|c| c.len() > 1))
            .expect("a frame with inlined functions")["number"]
            .to_string();
        let frame = r.ask("frame", &number);
        let shared = frame["calls"][0]["shared"].as_str().expect("an address");
        let context = frame["calls"][0]["scopes"][0]["context"].as_str();
        r.ask("inspect", shared);
        r.ask("inspect", context.expect("an address"));
    });
    run(server, "server", &mut |r| {
        r.ask("getactivehandles", "");
        r.ask("getactiverequests", "");
        r.ask("async", "");
    });
    run(workers, "workers", &mut |r| {
        r.ask("threads", "");
        r.ask("bt", "--all");
        r.ask("async", "--isolate 3");
        r.ask("findjsobjects", "--isolate all");
    });
    run(&core("wasm", &[]), "wasm", &mut |r| {
        r.ask("bt", "");
    });
    for (flag, way) in [
        ("--abort-on-uncaught-exception", "throw"),
        ("--max-old-space-size=32", "oom"),
        ("--expose-internals", "assert"),
    ] {
        let arguments = [flag, "--", way, "subclass"];
        run(&core("died", &arguments), way, &mut |r| {
            assert!(r.ask("bt", "")["died"].is_object(), "{way}");
        });
    }
    for way in ["rejected", "worker"] {
        let mut arguments = vec!["--abort-on-uncaught-exception"];
        if way == "rejected" {
            arguments.push("--unhandled-rejections=strict");
        }
        arguments.extend(["--", way]);
        run(&core("thrown", &arguments), way, &mut |r| {
            assert!(r.ask("bt", "")["died"].is_object(), "{way}");
        });
    }
    let problems: Vec<&String> = checker.problems.iter().take(40).collect();
    assert!(problems.is_empty(), "{problems:#?}");
    #[cfg(not(feature = "lldb"))]
    let _ = signup;
    #[cfg(feature = "lldb")]
    source_list(&mut checker, signup);
    let all: BTreeSet<&str> = TABLE.iter().map(|c| c.name).collect();
    let left: Vec<&&str> = all.iter().filter(|c| !asked.contains(**c)).collect();
    assert_eq!(left, [&"source list"]);
    let is_seldom = |name: &str, key: &str| {
        let full = format!("{name}.{key}");
        let list = cfg!(not(feature = "lldb")) && ["v8 source list", "Line"].contains(&name);
        list || SELDOM.contains(&full.as_str())
    };
    let unseen: Vec<String> = checker
        .schema
        .iter()
        .flat_map(|(name, keys)| keys.keys().map(move |k| (name.clone(), k.clone())))
        .filter(|k| !checker.seen.contains(k))
        .filter(|(name, key)| !is_seldom(name, key))
        .map(|(name, key)| format!("{name}.{key}"))
        .collect();
    // Older releases have not all kinds of values.
    let is_new = heap.major() >= 22;
    assert!(
        unseen.is_empty() || !is_new,
        "documented, never printed: {unseen:#?}"
    );
}

/// What is printed where memory is broken, or an Error's call had no place.
const SELDOM: [&str; 13] = [
    "CapturedCall.is_async",
    "CapturedCall.is_constructor",
    "Content.unreadable",
    "Error.error",
    "Kept.error",
    "Key.unreadable",
    "Section.part",
    "Section.reason",
    "Text.hole",
    "Unreadable.reason",
    "Value.hole",
    "Value.reason",
    "Wrap.unreadable",
];

/// `v8 source list` needs a debugger that has a frame of the program's selected.
#[cfg(feature = "lldb")]
fn source_list(checker: &mut Checker, core: &Core) {
    use support::lldb::{lldb, Lldb};
    let path = lldb().expect("an LLDB");
    let program = core.program.to_str().expect("a path");
    let file = core.core.to_str().expect("a path");
    let mut lldb = Lldb::start(&path, &["--core", file, program], &[]);
    let bt = lldb.json("v8 bt --json");
    let frames = bt["frames"].as_array().expect("frames");
    let own = frames.iter().find(|f| f["calls"][0]["name"] == "welcome");
    let number = &own.expect("the function that failed")["number"];
    lldb.ask(&format!("frame select {number}"));
    let found = lldb.json("v8 source list --json");
    assert_eq!(found["lines"].as_array().map(Vec::len), Some(4));
    checker.output("source list", &found, "source list");
}

fn core_path(core: &Core, file: &str) -> String {
    let path = core.directory.join(file);
    path.to_str().expect("a path").to_string()
}

#[test]
fn every_command_is_documented() {
    let schema = schema();
    for command in TABLE {
        let name = format!("v8 {}", command.name);
        assert!(schema.contains_key(&name), "{name} is not in docs/json.md");
    }
}
