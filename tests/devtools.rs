//! Distances, retainers, dominators, retained sizes, classes and differences, object by object
//! against DevTools' own heap worker (npm chrome-devtools-frontend) and memlab (npm
//! @memlab/heap-analysis), on snapshots that V8 wrote and on ours from the cores of the same
//! processes; and what DevTools in a Chromium shows of ours.

mod support;

use serde_json::{json, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use support::Core;
use v8rs::command::App;
use v8rs::graph::{
    diff, snapshot, Classes, EdgeType, HeapGraph, Identity, NodeId, SYSTEM_DISTANCE,
};
use v8rs::offline::OfflineHost;

/// The Node that runs DevTools' code.
const RUNNER: &str = "22.23.3";

/// DevTools' modules.
fn modules() -> PathBuf {
    installed("devtools", &["chrome-devtools-frontend", "esbuild"])
}

/// Modules of npm, installed once in a directory beside the Node builds.
fn installed(name: &str, packages: &[&str]) -> PathBuf {
    let cache = std::env::var_os("V8RS_CACHE").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache/v8rs"),
        PathBuf::from,
    );
    let directory = cache.join(name);
    if !directory.join("node_modules").join(packages[0]).exists() {
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join("package.json"), "{\"private\":true}").unwrap();
        let status = Command::new("npm")
            .args(["install", "--no-audit", "--no-fund", "--ignore-scripts"])
            .args(packages)
            // memlab would bring a browser along.
            .env("PUPPETEER_SKIP_DOWNLOAD", "1")
            .current_dir(&directory)
            .status()
            .expect("npm is needed for DevTools' and memlab's code");
        assert!(status.success(), "npm install");
    }
    directory
}

fn node(version: &str) -> PathBuf {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/node.sh");
    let output = Command::new(script).arg(version).output().unwrap();
    assert!(output.status.success());
    PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
}

fn oracle(files: &[&Path]) -> Vec<Value> {
    run("oracle.mjs", &modules(), files)
}

fn run(script: &str, modules: &Path, files: &[&Path]) -> Vec<Value> {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/devtools");
    let output = Command::new(node(RUNNER))
        .arg("--max-old-space-size=4096")
        .arg(scripts.join(script))
        .arg(modules)
        .args(files)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// DevTools' text of a class key.
fn key(classes: &Classes, class: usize) -> String {
    let key = &classes.list()[class].key;
    match key.location {
        Some((script, line, column)) => format!("{script},{line},{column},{}", key.name),
        None => format!(",{}", key.name),
    }
}

fn compare(file: &Path) {
    let graph = HeapGraph::new(snapshot::read_file(file).unwrap());
    let classes = graph.classes();
    let by_key: BTreeMap<String, usize> = (0..classes.list().len())
        .map(|at| (key(classes, at), at))
        .collect();
    let (mut nodes, mut seen_classes) = (0, 0);
    for line in oracle(&[file]) {
        if let Some(name) = line["class"].as_str().filter(|_| line["node"].is_null()) {
            let at = by_key
                .get(name)
                .unwrap_or_else(|| panic!("no class {name}"));
            let class = &classes.list()[*at];
            assert_eq!(Value::from(class.count), line["count"], "{line}");
            assert_eq!(Value::from(class.shallow_size), line["self"], "{line}");
            assert_eq!(Value::from(class.retained_size), line["retained"], "{line}");
            assert_eq!(Value::from(class.distance), line["distance"], "{line}");
            seen_classes += 1;
        } else if let Some(node) = line["node"].as_u64() {
            compare_node(&graph, node as NodeId, &line);
            nodes += 1;
        } else {
            let total = graph.dominators().retained_size(graph.graph().root())
                + graph.graph().extra_native_bytes();
            assert_eq!(Value::from(graph.graph().node_count()), line["nodes"]);
            assert_eq!(Value::from(total), line["total"]);
        }
    }
    let shown = classes.list().iter().filter(|c| c.count > 0).count();
    assert_eq!(seen_classes, shown);
    assert!(nodes >= 1000);
}

fn compare_node(graph: &HeapGraph, node: NodeId, line: &Value) {
    let g = graph.graph();
    let class = &graph.classes().list()[graph.classes().of(node) as usize];
    assert_eq!(Value::from(g.id(node)), line["id"], "{line}");
    assert_eq!(
        Value::from(graph.display_name(node)),
        line["name"],
        "{line}"
    );
    assert_eq!(Value::from(class.key.name.clone()), line["class"], "{line}");
    assert_eq!(
        Value::from(graph.distances().of(node)),
        line["distance"],
        "{line}"
    );
    let shallow = graph.ownership().shallow_size(node);
    assert_eq!(Value::from(shallow), line["self"], "{line}");
    let retained = graph.dominators().retained_size(node);
    assert_eq!(Value::from(retained), line["retained"], "{line}");
    let dominator = graph.dominators().dominator(node);
    assert_eq!(Value::from(dominator), line["dominator"], "{line}");
    let ours = graph.retaining_edges(node);
    assert_eq!(Value::from(ours.len()), line["retainerCount"], "{line}");
    // Equally near ones are in the order of their names there, so compare them as a set.
    let row = |distance: i64, from: u64, kind: &str, name: &str| {
        (distance, from, kind.to_string(), name.to_string())
    };
    let mut ours: Vec<_> = ours
        .iter()
        .map(|&(edge, from)| {
            let distance = i64::from(graph.distances().of(from));
            row(
                distance,
                from.into(),
                g.edge_type(edge).name(),
                &g.edge_name(edge),
            )
        })
        .collect();
    let theirs: Vec<_> = line["retainers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| {
            let text = |at: usize| r[at].as_str().unwrap_or_default();
            row(
                r[0].as_i64().unwrap(),
                r[1].as_u64().unwrap(),
                text(2),
                text(3),
            )
        })
        .collect();
    let last = theirs.last().map_or(0, |r| r.0);
    let whole = theirs.len() == ours.len();
    let mut theirs: Vec<_> = theirs.into_iter().filter(|r| whole || r.0 < last).collect();
    ours.retain(|r| whole || r.0 < last);
    ours.sort();
    theirs.sort();
    assert_eq!(ours, theirs, "{line}");
}

/// The snapshot that we write of a core.
fn ours(core: &Core) -> PathBuf {
    // Tests that run at the same time each write their own.
    static WRITTEN: AtomicUsize = AtomicUsize::new(0);
    let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
    let name = format!("v8rs-{}-{number}.heapsnapshot", std::process::id());
    let file = std::env::temp_dir().join(name);
    let host = OfflineHost {
        core: core.core.clone(),
        program: core.program.clone(),
    };
    let words = [file.to_string_lossy().into_owned()];
    let outcome = App::new().run(&host, "heapsnapshot", &words);
    assert_eq!(outcome.error, None, "{}", core.node);
    file
}

/// Every line's own snapshot and ours, with the schema of its V8.
#[test]
fn as_devtools_sees_every_snapshot() {
    for core in support::cores_of("heap") {
        eprintln!("{}", core.node);
        compare(&core.directory.join("heap.heapsnapshot"));
        let file = ours(&core);
        compare(&file);
        std::fs::remove_file(file).unwrap();
    }
}

/// What each node dominates, in bytes by the file itself: DevTools counts the size of what belongs to
/// one object alone as that object's, memlab does not.
fn own_sizes(graph: &HeapGraph) -> Vec<u64> {
    let g = graph.graph();
    let count = g.node_count() as NodeId;
    let dominator = |node| graph.dominators().dominator(node);
    let mut sizes: Vec<u64> = (0..count).map(|node| g.self_size(node)).collect();
    let mut waiting = vec![0u32; sizes.len()];
    for node in (0..count).filter(|n| *n != g.root()) {
        waiting[dominator(node) as usize] += 1;
    }
    let mut ready: Vec<NodeId> = (0..count).filter(|n| waiting[*n as usize] == 0).collect();
    while let Some(node) = ready.pop() {
        if node == g.root() {
            continue;
        }
        let above = dominator(node);
        sizes[above as usize] += sizes[node as usize];
        waiting[above as usize] -= 1;
        if waiting[above as usize] == 0 {
            ready.push(above);
        }
    }
    sizes
}

/// The snapshot in which DevTools' rules give what memlab's do: the user's objects are all that the
/// roots reach, not what the global objects reach; and a WeakMap's table and its key hold a value
/// each for itself, not both together (which DevTools knows by the edges' names).
fn as_memlab_takes_it(file: &Path) -> HeapGraph {
    let text = std::fs::read_to_string(file).unwrap();
    let text = text.replace(" / part of key ", " / part of ");
    let mut json: Value = serde_json::from_str(&text).unwrap();
    let place = |of: &Value, what: &str| {
        let list = of.as_array().unwrap().iter();
        list.into_iter().position(|f| f == what).unwrap()
    };
    let meta = json["snapshot"]["meta"].clone();
    let fields = meta["edge_fields"].as_array().unwrap().len();
    let kind = place(&meta["edge_fields"], "type");
    let name = place(&meta["edge_fields"], "name_or_index");
    let shortcut = place(&meta["edge_types"][0], "shortcut");
    let of_root = json["nodes"][place(&meta["node_fields"], "edge_count")].as_u64();
    for edge in 0..of_root.unwrap() as usize {
        json["edges"][edge * fields + kind] = Value::from(shortcut);
        json["edges"][edge * fields + name] = Value::from(0);
    }
    let changed = file.with_extension("changed.heapsnapshot");
    // In V8's order: readers go by it.
    let parts = ["snapshot", "nodes", "edges", "locations", "strings"]
        .map(|part| format!("\"{part}\":{}", json[part]));
    std::fs::write(&changed, format!("{{{}}}", parts.join(","))).unwrap();
    let graph = HeapGraph::new(snapshot::read_file(&changed).unwrap());
    std::fs::remove_file(changed).unwrap();
    graph
}

/// An edge as memlab.cjs has it.
fn edge_of(graph: &HeapGraph, edge: usize, from: NodeId) -> Value {
    let g = graph.graph();
    let kind = g.edge_type(edge).name();
    json!([g.id(from), g.id(g.edge_to(edge)), kind, g.edge_name(edge)])
}

/// Our paths to a thousand objects, for memlab to find their edges in its graph. Each is as long as
/// DevTools' distance says.
fn write_paths(graph: &HeapGraph, file: &Path) {
    let count = graph.graph().node_count();
    let distance = |node| graph.distances().of(node);
    let mut paths = Vec::new();
    for node in (0..1000).map(|i| (i * count / 1000) as NodeId) {
        let path = graph.path(node);
        let mut to = node;
        for (_, from) in &path {
            if distance(to) < SYSTEM_DISTANCE {
                assert_eq!(distance(*from) + 1, distance(to), "{from} to {to}");
            }
            to = *from;
        }
        let edges = path.iter().map(|(edge, from)| edge_of(graph, *edge, *from));
        paths.push(Value::from(edges.collect::<Vec<_>>()));
    }
    let edges: usize = paths.iter().map(|p| p.as_array().map_or(0, Vec::len)).sum();
    assert!(edges > 2000, "{edges} edges in all of our paths");
    std::fs::write(file, Value::from(paths).to_string()).unwrap();
}

/// memlab's path to a node is one in our graph too, and no shorter than ours: memlab begins at other
/// roots and leaves other edges out than DevTools does.
fn check_path(graph: &HeapGraph, line: &Value) -> usize {
    let g = graph.graph();
    let node_of = |id: &Value| graph.node_by_id(id.as_u64().unwrap() as u32).unwrap();
    let path = line["path"].as_array().unwrap();
    for step in path {
        let (from, to) = (node_of(&step[0]), node_of(&step[1]));
        let same = |edge: &usize| edge_of(graph, *edge, from) == *step;
        let edge = g.edge_range(from).find(same);
        let edge = edge.unwrap_or_else(|| panic!("{step} is not in our graph"));
        let (above, below) = (graph.distances().of(from), graph.distances().of(to));
        // What DevTools does not follow from a root has a distance of its own.
        let is_followed = (0..SYSTEM_DISTANCE).contains(&above) && below < SYSTEM_DISTANCE;
        if is_followed && g.edge_type(edge) != EdgeType::Hidden {
            assert!(below <= above + 1, "{below} from {above} by {step}");
        }
    }
    let end = path.last().map(|step| node_of(&step[1]));
    let node = line["node"].as_u64().unwrap() as NodeId;
    assert!(end.is_none_or(|end| end == node), "{line}");
    path.len()
}

/// Retained sizes of a thousand objects and the hundred largest, as memlab computes them from the
/// same file; and paths to them, ours in memlab's graph and memlab's in ours.
fn compare_with_memlab(file: &Path) {
    let modules = installed("memlab", &["@memlab/heap-analysis"]);
    let as_it_is = HeapGraph::new(snapshot::read_file(file).unwrap());
    let paths = file.with_extension("paths.json");
    write_paths(&as_it_is, &paths);
    let graph = as_memlab_takes_it(file);
    let g = graph.graph();
    let retained = own_sizes(&graph);
    let (mut nodes, mut steps) = (0, 0);
    let lines = run("memlab.cjs", &modules, &[file, &paths]);
    std::fs::remove_file(paths).unwrap();
    for line in lines {
        assert!(line["lacks"].is_null(), "memlab has no such edge: {line}");
        let Some(node) = line["node"].as_u64() else {
            assert_eq!(Value::from(g.node_count()), line["nodes"]);
            continue;
        };
        let node = node as NodeId;
        assert_eq!(Value::from(g.id(node)), line["id"], "{line}");
        assert_eq!(Value::from(g.self_size(node)), line["self"], "{line}");
        let retained = retained[node as usize];
        assert_eq!(Value::from(retained), line["retained"], "{line}");
        steps += check_path(&as_it_is, &line);
        nodes += 1;
    }
    assert!(
        nodes >= 1000 && steps > 2000,
        "{nodes} nodes, {steps} steps"
    );
}

/// Every line's own snapshot and ours: memlab loads them, and says the same of them. A line's first
/// release writes what its last does.
#[test]
fn as_memlab_sees_every_snapshot() {
    let last = |c: &Core| !support::FIRST.contains(&c.node.as_str());
    for core in support::cores_of("heap").into_iter().filter(last) {
        eprintln!("{}", core.node);
        let file = ours(&core);
        let theirs = file.with_extension("v8.heapsnapshot");
        std::fs::copy(core.directory.join("heap.heapsnapshot"), &theirs).unwrap();
        compare_with_memlab(&theirs);
        std::fs::remove_file(theirs).unwrap();
        compare_with_memlab(&file);
        std::fs::remove_file(file).unwrap();
    }
}

/// A size as DevTools shows it: "847 kB", three digits where it can.
fn shown(bytes: u64) -> f64 {
    let kilobytes = bytes as f64 / 1000.0;
    match kilobytes < 99.95 {
        true => (kilobytes * 10.0).round() / 10.0,
        false => kilobytes.round(),
    }
}

/// The Summary view of DevTools itself, in a headless Chromium.
#[test]
#[ignore = "needs Chromium (V8RS_CHROMIUM, else chromium): cargo test --test devtools -- --ignored"]
fn as_the_summary_view_shows() {
    let chromium = std::env::var("V8RS_CHROMIUM").unwrap_or_else(|_| "chromium".to_string());
    for node_version in support::nodes() {
        let arguments = ["--expose-gc", "--", "4000", "--snapshot"];
        let core = support::core_with("visits", &node_version, &arguments);
        let file = ours(&core);
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/devtools/summary.mjs");
        let output = Command::new(node(RUNNER))
            .args([script.as_path(), Path::new(&chromium), &file])
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{node_version}: {error}");
        let heap = HeapGraph::new(snapshot::read_file(&file).unwrap());
        std::fs::remove_file(&file).unwrap();
        let classes = heap.classes().list();
        let mut rows = 0;
        let mut visits = None;
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let row: Value = serde_json::from_str(line).unwrap();
            let kilobytes = |cell: usize| -> f64 {
                let text = row["cells"][cell].as_str().unwrap();
                let number = text.split("kB").next().unwrap().trim().replace(',', "");
                number.parse().unwrap_or_else(|_| panic!("{row}"))
            };
            let (shallow, retained) = (kilobytes(1), kilobytes(2));
            let alike = classes.iter().any(|c| {
                row["name"] == c.key.name
                    && row["count"] == c.count
                    && (shown(c.shallow_size) - shallow).abs() < 0.11
                    && (shown(c.retained_size) - retained).abs() < 0.11
            });
            assert!(alike, "{node_version}: {row}");
            rows += 1;
            if row["name"] == "Visit" {
                visits = row["count"].as_u64();
            }
        }
        assert!(rows >= 10, "{node_version}: {rows} rows");
        let truth = core.output("visits");
        let truth: Value = serde_json::from_str(truth.lines().next().unwrap()).unwrap();
        assert_eq!(visits, truth["visits"].as_u64(), "{node_version}");
    }
}

/// Two snapshots of one process: what came and went is known by id.
#[test]
fn as_devtools_compares() {
    let directory = std::env::temp_dir().join(format!("v8rs-diff-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let program = "
        const v8 = require('v8');
        class Visit { constructor(id) { this.id = id; this.tags = { id, at: 1.5 + id }; } }
        class Gone { constructor(id) { this.id = id; } }
        globalThis.kept = [];
        globalThis.gone = [];
        for (let i = 0; i < 3000; i++) { kept.push(new Visit(i)); gone.push(new Gone(i)); }
        v8.writeHeapSnapshot('a.heapsnapshot');
        gone.length = 100;
        for (let i = 0; i < 5000; i++) kept.push(new Visit(i), { plain: i, other: [i] });
        v8.writeHeapSnapshot('b.heapsnapshot');";
    let status = Command::new(node(RUNNER))
        .args(["-e", program])
        .current_dir(&directory)
        .status()
        .unwrap();
    assert!(status.success());
    let (a, b) = (
        directory.join("a.heapsnapshot"),
        directory.join("b.heapsnapshot"),
    );
    let load = |path: &Path| HeapGraph::new(snapshot::read_file(path).unwrap());
    let found = diff(&load(&a), &load(&b), None);
    assert_eq!(found.identity, Identity::Ids);
    let ours: BTreeMap<String, [u64; 4]> = found
        .classes
        .iter()
        .map(|d| {
            let key = match d.key.location {
                Some((s, l, c)) => format!("{s},{l},{c},{}", d.key.name),
                None => format!(",{}", d.key.name),
            };
            (key, [d.added, d.removed, d.added_size, d.removed_size])
        })
        .collect();
    let theirs: BTreeMap<String, [u64; 4]> = oracle(&[&b, &a])
        .iter()
        .filter_map(|line| {
            let fields = ["added", "removed", "addedSize", "removedSize"];
            let key = line["diff"].as_str()?.to_string();
            Some((key, fields.map(|f| line[f].as_u64().unwrap())))
        })
        .collect();
    assert_eq!(ours, theirs);
    assert!(ours.values().any(|d| d[0] == 5000) && ours.values().any(|d| d[1] == 2900));
    std::fs::remove_dir_all(&directory).unwrap();
}
