//! Edges of objects of classes that extend the language's own, which lay their fields out in ways of
//! their own, against V8's snapshot of the same process.

mod support;

use serde_json::Value;
use v8rs::command::App;
use v8rs::graph::{snapshot, EdgeType, Graph, NodeId, NodeType};
use v8rs::offline::OfflineHost;

/// An edge, and what it is to.
type Edge = (String, String, String, String);

/// What a snapshot says of an object: type, name, size, edges.
#[derive(PartialEq, Default)]
struct Object {
    kind: String,
    name: String,
    size: u64,
    edges: Vec<Edge>,
}

/// The objects that the program keeps, in its order.
fn objects(graph: &Graph) -> Vec<Object> {
    let nodes = 0..graph.node_count() as NodeId;
    let edges = |node| graph.edge_range(node);
    let kept = |edge: &usize| {
        let to = graph.edge_to(*edge);
        let is_array = graph.node_type(to) == NodeType::Object && graph.name(to) == "Array";
        graph.edge_type(*edge) == EdgeType::Property && graph.edge_name(*edge) == "kept" && is_array
    };
    let kept = nodes.into_iter().flat_map(edges).find(kept).expect("kept");
    let mut found = Vec::new();
    for element in graph.edge_range(graph.edge_to(kept)) {
        if graph.edge_type(element) != EdgeType::Element {
            continue;
        }
        let node = graph.edge_to(element);
        let edge = |edge: usize| -> Edge {
            let to = graph.edge_to(edge);
            (
                graph.edge_type(edge).name().to_string(),
                graph.edge_name(edge).into_owned(),
                graph.node_type(to).name().to_string(),
                graph.name(to).to_string(),
            )
        };
        let mut edges: Vec<Edge> = graph.edge_range(node).map(edge).collect();
        edges.sort();
        let object = Object {
            kind: graph.node_type(node).name().to_string(),
            name: graph.name(node).to_string(),
            size: graph.self_size(node),
            edges,
        };
        let at: usize = graph.edge_name(element).parse().unwrap();
        found.resize_with(found.len().max(at + 1), Object::default);
        found[at] = object;
    }
    found
}

#[test]
fn edges_of_what_extends_the_languages_own() {
    let mut wrong = Vec::new();
    for node in support::nodes() {
        let core = support::core_with("subclasses", &node, &[]);
        let truth: Value = serde_json::from_str(core.output("subclasses").trim()).unwrap();
        let classes: Vec<String> = serde_json::from_value(truth["classes"].clone()).unwrap();
        let host = OfflineHost {
            core: core.core.clone(),
            program: core.program.clone(),
        };
        let name = format!("v8rs-sub-{}-{node}.heapsnapshot", std::process::id());
        let file = std::env::temp_dir().join(name);
        let words = [file.to_string_lossy().into_owned()];
        let outcome = App::new().run(&host, "heapsnapshot", &words);
        assert_eq!(outcome.error, None, "{node}");
        let ours = objects(&snapshot::read_file(&file).unwrap());
        std::fs::remove_file(&file).unwrap();
        let theirs = core.directory.join("subclasses.heapsnapshot");
        let theirs = objects(&snapshot::read_file(&theirs).unwrap());
        assert_eq!(ours.len(), 3 * classes.len(), "{node}");
        assert_eq!(theirs.len(), 3 * classes.len(), "{node}");
        for (at, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
            let what = format!("{node} {}[{}]", classes[at / 3], at % 3);
            if (&ours.kind, &ours.name, ours.size) != (&theirs.kind, &theirs.name, theirs.size) {
                wrong.push(format!(
                    "{what}: {} {:?} of {}, not {} {:?} of {}",
                    ours.kind, ours.name, ours.size, theirs.kind, theirs.name, theirs.size
                ));
            }
            for edge in ours.edges.iter().filter(|e| !theirs.edges.contains(e)) {
                wrong.push(format!("{what}: only ours: {edge:?}"));
            }
            for edge in theirs.edges.iter().filter(|e| !ours.edges.contains(e)) {
                wrong.push(format!("{what}: only V8's: {edge:?}"));
            }
            if ours.edges.len() != theirs.edges.len() {
                let (ours, theirs) = (ours.edges.len(), theirs.edges.len());
                wrong.push(format!("{what}: {ours} edges, not {theirs}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
