//! `v8 leaks`: what holds an outsized share of the heap, in words.

use super::app::{App, Host};
use super::heap_view::{edge_label, label, path, place, view};
use super::Outcome;
use crate::error::Result;
use crate::graph::{EdgeType, HeapGraph, NodeId, NodeType};
use crate::render::escape;
use rustc_hash::FxHashMap;
use serde_json::{json, Value};
use std::fmt::Write;

const USAGE: &str = "USAGE: v8 leaks [-n ROWS] [--json]";
const ROWS: usize = 5;
/// A share of the heap below which nothing is suspicious.
const SHARE: f64 = 0.05;
/// A part of what an object retains above which the part is looked at instead of the whole.
const MOST_OF_IT: f64 = 0.5;

/// Something that holds much.
struct Suspect {
    holder: NodeId,
    retained: u64,
    /// What most of the held objects are: class, how many, bytes they retain, one of them.
    held: Option<(String, u64, u64, NodeId)>,
}

/// Runs the command.
pub fn run(app: &mut App, host: &dyn Host, arguments: &[String]) -> Outcome {
    let (mut rows, mut json) = (ROWS, false);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--help" | "-h" => return super::help::of("leaks"),
            "--json" => json = true,
            "-n" => match rest.next().and_then(|n| n.parse().ok()) {
                Some(number) => rows = number,
                None => return Outcome::failed(format!("-n needs a number\n{USAGE}")),
            },
            other => return Outcome::failed(format!("unknown option '{other}'\n{USAGE}")),
        }
    }
    show(app, host, rows, json).unwrap_or_else(Outcome::from)
}

fn show(app: &mut App, host: &dyn Host, rows: usize, json: bool) -> Result<Outcome> {
    let view = view(app, host, false)?;
    let heap = &view.heap;
    let total = heap.dominators().retained_size(heap.graph().root()).max(1);
    let found = suspects(heap, total, rows);
    if json {
        let list: Vec<Value> = found.iter().map(|s| as_json(heap, s, total)).collect();
        return Ok(super::json(&json!({"heap": total, "suspects": list})));
    }
    let mut text = String::new();
    for (number, suspect) in found.iter().enumerate() {
        describe(&mut text, heap, suspect, total, number + 1);
    }
    if found.is_empty() {
        let _ = writeln!(
            text,
            "No object holds more than {:.0}% of the heap ({total} bytes) alone.",
            SHARE * 100.0
        );
    }
    Ok(Outcome::ok(text))
}

fn suspects(heap: &HeapGraph, total: u64, rows: usize) -> Vec<Suspect> {
    let graph = heap.graph();
    let (first, dominated) = heap.dominators().dominated();
    let children = |node: NodeId| {
        let range = first[node as usize] as usize..first[node as usize + 1] as usize;
        &dominated[range]
    };
    let least = (total as f64 * SHARE) as u64;
    let retained = |node: NodeId| heap.dominators().retained_size(node);
    let mut found = Vec::new();
    let mut work = vec![graph.root()];
    while let Some(node) = work.pop() {
        let large: Vec<NodeId> = children(node)
            .iter()
            .copied()
            .filter(|&c| retained(c) >= least)
            .collect();
        let sum = large
            .iter()
            .fold(0u64, |sum, &c| sum.saturating_add(retained(c)));
        let synthetic = graph.node_type(node) == NodeType::Synthetic || node == graph.root();
        // Many small things below one object: that is where they pile up.
        if !synthetic && (sum as f64) < retained(node) as f64 * MOST_OF_IT {
            found.push(Suspect {
                holder: node,
                retained: retained(node),
                held: most_held(heap, children(node)),
            });
            continue;
        }
        work.extend(large);
    }
    found.sort_by_key(|s| std::cmp::Reverse(s.retained));
    found.truncate(rows);
    found
}

fn most_held(heap: &HeapGraph, children: &[NodeId]) -> Option<(String, u64, u64, NodeId)> {
    let mut by_class: FxHashMap<u32, (u64, u64, NodeId)> = FxHashMap::default();
    for &child in children {
        let entry = by_class
            .entry(heap.classes().of(child))
            .or_insert((0, 0, child));
        entry.0 += 1;
        entry.1 += heap.dominators().retained_size(child);
    }
    let (class, (count, bytes, sample)) = by_class.into_iter().max_by_key(|(_, v)| v.1)?;
    let name = heap.classes().list()[class as usize].key.name.clone();
    Some((name, count, bytes, sample))
}

/// The object a user knows that an internal store belongs to.
fn owner(heap: &HeapGraph, node: NodeId) -> NodeId {
    let graph = heap.graph();
    let mut at = node;
    for _ in 0..8 {
        if !matches!(
            graph.node_type(at),
            NodeType::Array | NodeType::Hidden | NodeType::Code
        ) {
            return at;
        }
        match heap.retaining_edges(at).first() {
            Some(&(_, from)) if graph.node_type(from) != NodeType::Synthetic => at = from,
            _ => return at,
        }
    }
    at
}

/// The variable that holds it: its name, and where a function that sees it is defined.
fn variable(heap: &HeapGraph, steps: &[(usize, NodeId)]) -> Option<(String, Option<String>)> {
    let graph = heap.graph();
    let &(edge, context) = steps
        .iter()
        .find(|(edge, _)| graph.edge_type(*edge) == EdgeType::Context)?;
    let closure = heap.retainers().of(context).find(|&(edge, from)| {
        graph.node_type(from) == NodeType::Closure
            && graph.edge_name(edge as usize) == "context"
            && graph.location(from).is_some()
    });
    let place = closure.and_then(|(_, from)| place(graph, from));
    Some((graph.edge_name(edge).into_owned(), place))
}

fn describe(out: &mut String, heap: &HeapGraph, suspect: &Suspect, total: u64, number: usize) {
    let holder = owner(heap, suspect.holder);
    let share = suspect.retained as f64 * 100.0 / total as f64;
    let _ = writeln!(
        out,
        "{number}. {} holds {} bytes, {share:.0}% of the heap.",
        label(heap, holder),
        suspect.retained
    );
    if let Some((class, count, bytes, sample)) = &suspect.held {
        let _ = writeln!(
            out,
            "   Most of it: {count} of class {} ({bytes} bytes), such as {}.",
            escape(class),
            label(heap, *sample)
        );
    }
    let steps = path(heap, holder);
    if let Some((name, place)) = variable(heap, &steps) {
        let _ = write!(out, "   The variable '{}' leads to it", escape(&name));
        if let Some(place) = place {
            let _ = write!(out, "; the function at {place} sees it");
        }
        out.push_str(".\n");
    }
    for (edge, from) in steps {
        let _ = write!(
            out,
            "     is {} of {}",
            edge_label(heap.graph(), edge),
            label(heap, from)
        );
        if let Some(place) = place(heap.graph(), from) {
            let _ = write!(out, " at {place}");
        }
        out.push('\n');
    }
}

fn as_json(heap: &HeapGraph, suspect: &Suspect, total: u64) -> Value {
    let graph = heap.graph();
    let holder = owner(heap, suspect.holder);
    let steps = path(heap, holder);
    let variable = variable(heap, &steps);
    json!({
        "holder": label(heap, holder),
        "address": graph.address(holder).map(|a| format!("{:#x}", a | 1)),
        "retained_size": suspect.retained,
        "share": suspect.retained as f64 / total as f64,
        "held": suspect.held.as_ref().map(|(class, count, bytes, sample)| {
            json!({
                "class": class,
                "count": count,
                "retained_size": bytes,
                "sample": graph.address(*sample).map(|a| format!("{:#x}", a | 1)),
            })
        }),
        "variable": variable.as_ref().map(|v| v.0.clone()),
        "place": variable.and_then(|v| v.1),
        "path": steps
            .iter()
            .map(|&(edge, from)| format!("{} of {}", edge_label(graph, edge), label(heap, from)))
            .collect::<Vec<_>>(),
    })
}
