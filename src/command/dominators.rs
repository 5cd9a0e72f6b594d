//! `v8 dominators`: what keeps most memory.

use super::app::{App, Host};
use super::heap_view::{edge_label, label, node_of, place, view, warnings};
use super::Outcome;
use crate::error::Result;
use crate::graph::{HeapGraph, NodeId, NodeType};
use serde_json::{json, Value};
use std::fmt::Write;

const USAGE: &str = "USAGE: v8 dominators [-n ROWS] [--json] [ADDR]";
const ROWS: usize = 20;

/// Runs the command.
pub fn run(app: &mut App, host: &dyn Host, arguments: &[String]) -> Outcome {
    let (mut rows, mut json, mut what) = (ROWS, false, None);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--help" | "-h" => return super::help::of("dominators"),
            "--json" => json = true,
            "-n" => match rest.next().and_then(|n| n.parse().ok()) {
                Some(number) => rows = number,
                None => return Outcome::failed(format!("-n needs a number\n{USAGE}")),
            },
            option if option.starts_with('-') => {
                return Outcome::failed(format!("unknown option '{option}'\n{USAGE}"))
            }
            _ if what.is_none() => what = Some(argument.as_str()),
            _ => return Outcome::failed(format!("one address only\n{USAGE}")),
        }
    }
    show(app, host, what, rows, json).unwrap_or_else(Outcome::from)
}

fn show(
    app: &mut App,
    host: &dyn Host,
    what: Option<&str>,
    rows: usize,
    json: bool,
) -> Result<Outcome> {
    let (view, node) = match what {
        Some(text) => node_of(app, host, text)?,
        None => {
            let view = view(app, host, false)?;
            let root = view.heap.graph().root();
            (view, root)
        }
    };
    let heap = &view.heap;
    let chain: Vec<NodeId> = heap.dominators().chain(node).collect();
    let held = largest(heap, node, rows);
    if json {
        let list = |nodes: &[NodeId]| -> Vec<Value> {
            nodes.iter().map(|&n| describe_json(heap, n)).collect()
        };
        return Ok(super::json(&json!({
            "object": describe_json(heap, node),
            "dominators": list(&chain),
            "dominated": list(&held),
            "warnings": view.warnings,
        })));
    }
    let mut text = warnings(&view);
    if what.is_some() {
        let _ = writeln!(text, "{}", line(heap, node));
        for above in chain {
            let _ = writeln!(text, "  goes with {}", line(heap, above));
        }
        let _ = writeln!(text, "Of what it alone holds, the largest:");
    } else {
        let _ = writeln!(text, "Objects that keep most memory alive:");
    }
    let _ = writeln!(
        text,
        "{:>12} {:>6} {:>10}  Object",
        "Retained", "%", "Shallow"
    );
    let total = heap.dominators().retained_size(heap.graph().root()).max(1);
    for held in held {
        let retained = heap.dominators().retained_size(held);
        let _ = write!(
            text,
            "{retained:>12} {:>6.1} {:>10}  {}",
            retained as f64 * 100.0 / total as f64,
            heap.ownership().shallow_size(held),
            label(heap, held)
        );
        if let Some((edge, from)) = heap.retaining_edges(held).first() {
            let _ = write!(
                text,
                ", {} of {}",
                edge_label(heap.graph(), *edge),
                label(heap, *from)
            );
        }
        if let Some(place) = place(heap.graph(), held) {
            let _ = write!(text, " at {place}");
        }
        text.push('\n');
    }
    Ok(Outcome::ok(text))
}

fn line(heap: &HeapGraph, node: NodeId) -> String {
    format!(
        "{} (retains {} bytes)",
        label(heap, node),
        heap.dominators().retained_size(node)
    )
}

fn describe_json(heap: &HeapGraph, node: NodeId) -> Value {
    let graph = heap.graph();
    json!({
        "address": graph.address(node).map(|a| format!("{:#x}", a | 1)),
        "id": graph.id(node),
        "type": graph.node_type(node).name(),
        "name": heap.display_name(node),
        "self_size": heap.ownership().shallow_size(node),
        "retained_size": heap.dominators().retained_size(node),
        "place": place(graph, node),
    })
}

/// What `node` alone holds, most first; below the root its categories are looked through.
pub fn largest(heap: &HeapGraph, node: NodeId, rows: usize) -> Vec<NodeId> {
    let (first, dominated) = heap.dominators().dominated();
    let graph = heap.graph();
    let mut found = Vec::new();
    let mut look_through = vec![node];
    while let Some(at) = look_through.pop() {
        let range = first[at as usize] as usize..first[at as usize + 1] as usize;
        for &child in &dominated[range] {
            match graph.node_type(child) {
                NodeType::Synthetic => look_through.push(child),
                _ => found.push(child),
            }
        }
    }
    found.sort_by_key(|&n| (std::cmp::Reverse(heap.dominators().retained_size(n)), n));
    found.truncate(rows);
    found
}
