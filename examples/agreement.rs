//! How far two heap snapshots agree, and where they differ, the largest difference first:
//! `agreement OURS THEIRS [ROWS]`.

use std::collections::{BTreeMap, BTreeSet};
use v8rs::graph::{snapshot, Graph, NodeId};

type Counts = BTreeMap<String, u64>;

#[derive(Default)]
struct Summary {
    nodes: Counts,
    sizes: Counts,
    edges: Counts,
    /// By the nodes' type and name at both ends, and the edge's name.
    details: Counts,
}

fn short(name: &str) -> String {
    name.chars().take(60).collect()
}

fn summary(graph: &Graph) -> Summary {
    let mut s = Summary::default();
    let label = |node: NodeId| {
        let kind = graph.node_type(node).name();
        let name = match kind {
            "string" => String::new(),
            _ => short(graph.name(node)),
        };
        format!("{kind} {name}")
    };
    for node in 0..graph.node_count() as NodeId {
        let key = format!("{} {}", graph.node_type(node).name(), graph.name(node));
        *s.nodes.entry(key.clone()).or_default() += 1;
        *s.sizes.entry(key).or_default() += graph.self_size(node);
        let from = label(node);
        for edge in graph.edge_range(node).map(|e| graph.edge(e)) {
            let kind = edge.kind.name();
            *s.edges.entry(kind.to_string()).or_default() += 1;
            let name = match edge.kind.is_indexed() {
                true => "#".to_string(),
                false => {
                    let name = graph.strings().get(edge.name_or_index);
                    let number = name.parse::<u32>().is_ok() || name.contains(" / ");
                    match number {
                        true => "#".to_string(),
                        false => short(name),
                    }
                }
            };
            let detail = format!("{kind}: {from} --{name}--> {}", label(edge.to));
            *s.details.entry(detail).or_default() += 1;
        }
    }
    s
}

fn differences(what: &str, ours: &Counts, theirs: &Counts, rows: usize) {
    let keys: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    let of = |counts: &Counts, key: &String| counts.get(key).copied().unwrap_or(0);
    let (mut low, mut high) = (0, 0);
    let mut list = Vec::new();
    for key in keys {
        let (a, b) = (of(ours, key), of(theirs, key));
        low += a.min(b);
        high += a.max(b);
        if a != b {
            list.push((a.abs_diff(b), a, b, key));
        }
    }
    list.sort_by_key(|row| std::cmp::Reverse(row.0));
    let share = low as f64 / high.max(1) as f64;
    println!("{what}: agreement {share:.5}, {} off of {high}", high - low);
    for (_, a, b, key) in list.into_iter().take(rows) {
        let key: String = key.chars().take(200).collect();
        println!(
            "{a:>10} {b:>10} {:>+8}  {}",
            a as i64 - b as i64,
            key.escape_debug()
        );
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [ours, theirs, rest @ ..] = &arguments[..] else {
        eprintln!("usage: agreement OURS THEIRS [ROWS]");
        std::process::exit(2);
    };
    let rows = rest.first().and_then(|r| r.parse().ok()).unwrap_or(20);
    let read = |file: &String| match snapshot::read_file(file.as_ref()) {
        Ok(graph) => summary(&graph),
        Err(error) => {
            eprintln!("{file}: {error}");
            std::process::exit(1);
        }
    };
    let (ours, theirs) = (read(ours), read(theirs));
    differences("nodes", &ours.nodes, &theirs.nodes, rows);
    differences("sizes", &ours.sizes, &theirs.sizes, rows);
    differences("edges by type", &ours.edges, &theirs.edges, rows);
    differences("edges in detail", &ours.details, &theirs.details, rows);
}
