//! `v8 retainers` and `v8 path`: who holds an object.

use super::app::{App, Host};
use super::heap_view::{distance, edge_label, label, node_of, place, warnings};
use super::Outcome;
use crate::error::{Error, Result};
use crate::graph::{HeapGraph, NodeId, NodeType};
use serde_json::{json, Value};
use std::fmt::Write;

const USAGE: &str = "USAGE: v8 retainers [-d DEPTH] [-w WIDTH] [--json] ADDR";
const PATH_USAGE: &str = "USAGE: v8 path [--json] ADDR";
const DEPTH: usize = 8;
const WIDTH: usize = 5;
/// Lines of a tree at most.
const MOST: usize = 2000;

/// Runs `v8 retainers`.
pub fn run(app: &mut App, host: &dyn Host, arguments: &[String]) -> Outcome {
    let (mut depth, mut width, mut json, mut what) = (DEPTH, WIDTH, false, None);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--help" | "-h" => return super::help::of("retainers"),
            "--json" => json = true,
            "-d" | "-w" => {
                let Some(number) = rest.next().and_then(|n| n.parse().ok()) else {
                    return Outcome::failed(format!("{argument} needs a number\n{USAGE}"));
                };
                match argument.as_str() {
                    "-d" => depth = number,
                    _ => width = number,
                }
            }
            option if option.starts_with('-') => {
                return Outcome::failed(format!("unknown option '{option}'\n{USAGE}"))
            }
            _ if what.is_none() => what = Some(argument),
            _ => return Outcome::failed(format!("one address only\n{USAGE}")),
        }
    }
    let Some(what) = what else {
        return Outcome::failed(USAGE);
    };
    let (view, node) = match node_of(app, host, what) {
        Ok(found) => found,
        Err(error) => return error.into(),
    };
    let mut tree = Tree {
        heap: &view.heap,
        depth,
        width,
        lines: 0,
        path: vec![node],
        shown: rustc_hash::FxHashSet::default(),
    };
    if json {
        return super::json(&json!({
            "object": tree.node_json(node),
            "retainers": tree.json(node, 1),
            "warnings": view.warnings,
        }));
    }
    let mut text = format!("{}{}\n", warnings(&view), tree.describe(node));
    tree.text(node, 1, &mut text);
    Outcome::ok(text)
}

struct Tree<'a> {
    heap: &'a HeapGraph,
    depth: usize,
    width: usize,
    lines: usize,
    path: Vec<NodeId>,
    shown: rustc_hash::FxHashSet<NodeId>,
}

impl Tree<'_> {
    fn describe(&self, node: NodeId) -> String {
        let mut text = format!(
            "{}  (distance {}, retains {} bytes)",
            label(self.heap, node),
            distance(self.heap, node),
            self.heap.dominators().retained_size(node)
        );
        if let Some(place) = place(self.heap.graph(), node) {
            let _ = write!(text, " at {place}");
        }
        text
    }

    fn node_json(&self, node: NodeId) -> Value {
        let graph = self.heap.graph();
        json!({
            "address": graph.address(node).map(|a| format!("{:#x}", a | 1)),
            "id": graph.id(node),
            "type": graph.node_type(node).name(),
            "name": self.heap.display_name(node),
            "distance": self.heap.distances().of(node),
            "self_size": self.heap.ownership().shallow_size(node),
            "retained_size": self.heap.dominators().retained_size(node),
            "place": place(graph, node),
        })
    }

    fn ends(&self, node: NodeId) -> bool {
        self.heap.graph().node_type(node) == NodeType::Synthetic
            || self.heap.distances().of(node) <= 1
    }

    fn text(&mut self, node: NodeId, depth: usize, out: &mut String) {
        if self.ends(node) {
            return;
        }
        let edges = self.heap.retaining_edges(node);
        let indent = "  ".repeat(depth);
        for &(edge, from) in edges.iter().take(self.width) {
            self.lines += 1;
            if self.lines > MOST {
                let _ = writeln!(out, "{indent}... (more than {MOST} lines)");
                return;
            }
            let name = edge_label(self.heap.graph(), edge);
            let _ = write!(out, "{indent}{name} in {}", self.describe(from));
            if self.path.contains(&from) {
                out.push_str(" (cycle)\n");
                continue;
            }
            if self.shown.contains(&from) && !self.ends(from) {
                out.push_str(" (shown above)\n");
                continue;
            }
            out.push('\n');
            if depth < self.depth {
                self.shown.insert(from);
                self.path.push(from);
                self.text(from, depth + 1, out);
                self.path.pop();
            }
        }
        let left = edges.len().saturating_sub(self.width);
        if left > 0 {
            let _ = writeln!(out, "{indent}... {left} more (-w)");
        }
    }

    fn json(&mut self, node: NodeId, depth: usize) -> Vec<Value> {
        if self.ends(node) || depth > self.depth {
            return Vec::new();
        }
        let edges = self.heap.retaining_edges(node);
        let mut list = Vec::new();
        for &(edge, from) in edges.iter().take(self.width) {
            self.lines += 1;
            if self.lines > MOST {
                break;
            }
            let graph = self.heap.graph();
            let cycle = self.path.contains(&from);
            let mut value = json!({
                "edge": graph.edge_name(edge),
                "edge_type": graph.edge_type(edge).name(),
                "cycle": cycle,
                "from": self.node_json(from),
            });
            if !cycle {
                self.path.push(from);
                let retainers = self.json(from, depth + 1);
                self.path.pop();
                value["retainers"] = retainers.into();
            }
            list.push(value);
        }
        list
    }
}

/// Runs `v8 path`.
pub fn run_path(app: &mut App, host: &dyn Host, arguments: &[String]) -> Outcome {
    let (mut json, mut what) = (false, None);
    for argument in arguments {
        match argument.as_str() {
            "--help" | "-h" => return super::help::of("path"),
            "--json" => json = true,
            option if option.starts_with('-') => {
                return Outcome::failed(format!("unknown option '{option}'\n{PATH_USAGE}"))
            }
            _ if what.is_none() => what = Some(argument),
            _ => return Outcome::failed(format!("one address only\n{PATH_USAGE}")),
        }
    }
    let Some(what) = what else {
        return Outcome::failed(PATH_USAGE);
    };
    show_path(app, host, what, json).unwrap_or_else(Outcome::from)
}

fn show_path(app: &mut App, host: &dyn Host, what: &str, json: bool) -> Result<Outcome> {
    let (view, node) = node_of(app, host, what)?;
    let heap = &view.heap;
    let graph = heap.graph();
    let steps = heap.path(node);
    if steps.is_empty() && heap.distances().of(node) > 1 {
        return Err(Error::other(format!(
            "{} is held by weak references only",
            label(heap, node)
        )));
    }
    if json {
        let steps: Vec<Value> = steps
            .iter()
            .map(|&(edge, from)| {
                json!({
                    "edge": graph.edge_name(edge),
                    "edge_type": graph.edge_type(edge).name(),
                    "from": label(heap, from),
                    "address": graph.address(from).map(|a| format!("{:#x}", a | 1)),
                    "place": place(graph, from),
                })
            })
            .collect();
        return Ok(super::json(
            &json!({"object": label(heap, node), "path": steps, "warnings": view.warnings}),
        ));
    }
    let mut text = format!("{}{}\n", warnings(&view), label(heap, node));
    for (edge, from) in steps {
        let _ = write!(
            text,
            "  is {} of {}",
            edge_label(graph, edge),
            label(heap, from)
        );
        if let Some(place) = place(graph, from) {
            let _ = write!(text, " at {place}");
        }
        text.push('\n');
    }
    Ok(Outcome::ok(text))
}
