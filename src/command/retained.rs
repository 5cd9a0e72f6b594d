//! `v8 retained`: what classes and objects keep alive.

use super::app::{App, Host};
use super::heap_view::{label, node_of, place, view, warnings};
use super::Outcome;
use crate::error::{Error, Result};
use crate::graph::{Class, HeapGraph, NodeId};
use crate::render::escape;
use serde_json::{json, Value};
use std::fmt::Write;

const USAGE: &str = "USAGE: v8 retained [-n ROWS] [-c CLASS] [--json] [ADDR]";
const ROWS: usize = 30;

/// Runs the command.
pub fn run(app: &mut App, host: &dyn Host, arguments: &[String]) -> Outcome {
    let (mut rows, mut json, mut class, mut what) = (ROWS, false, None, None);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--help" | "-h" => return super::help::of("retained"),
            "--json" => json = true,
            "-n" => match rest.next().and_then(|n| n.parse().ok()) {
                Some(number) => rows = number,
                None => return Outcome::failed(format!("-n needs a number\n{USAGE}")),
            },
            "-c" => match rest.next() {
                Some(name) => class = Some(name.as_str()),
                None => return Outcome::failed(format!("-c needs a class\n{USAGE}")),
            },
            option if option.starts_with('-') => {
                return Outcome::failed(format!("unknown option '{option}'\n{USAGE}"))
            }
            _ if what.is_none() => what = Some(argument.as_str()),
            _ => return Outcome::failed(format!("one address only\n{USAGE}")),
        }
    }
    let outcome = match (what, class) {
        (Some(what), _) => object(app, host, what, json),
        (None, Some(class)) => instances(app, host, class, rows, json),
        (None, None) => classes(app, host, rows, json),
    };
    outcome.unwrap_or_else(Outcome::from)
}

fn object(app: &mut App, host: &dyn Host, what: &str, json: bool) -> Result<Outcome> {
    let (view, node) = node_of(app, host, what)?;
    let heap = &view.heap;
    let retained = heap.dominators().retained_size(node);
    let shallow = heap.ownership().shallow_size(node);
    if json {
        let mut value = node_json(heap, node);
        value["warnings"] = json!(view.warnings);
        return Ok(super::json(&value));
    }
    Ok(Outcome::ok(format!(
        "{}{} retains {retained} bytes, {shallow} of them its own\n",
        warnings(&view),
        label(heap, node)
    )))
}

fn node_json(heap: &HeapGraph, node: NodeId) -> Value {
    let graph = heap.graph();
    json!({
        "address": graph.address(node).map(|a| format!("{:#x}", a | 1)),
        "id": graph.id(node),
        "name": heap.display_name(node),
        "self_size": heap.ownership().shallow_size(node),
        "retained_size": heap.dominators().retained_size(node),
        "place": place(graph, node),
    })
}

fn class_json(class: &Class) -> Value {
    json!({
        "class": class.key.name,
        "location": class.key.location.map(|(script, line, column)| {
            json!({"script_id": script, "line": line, "column": column})
        }),
        "count": class.count,
        "self_size": class.shallow_size,
        "retained_size": class.retained_size,
    })
}

fn classes(app: &mut App, host: &dyn Host, rows: usize, json: bool) -> Result<Outcome> {
    let view = view(app, host, false)?;
    let heap = &view.heap;
    let mut list: Vec<&Class> = heap
        .classes()
        .list()
        .iter()
        .filter(|c| c.count > 0)
        .collect();
    list.sort_by(|a, b| (b.retained_size, &a.key).cmp(&(a.retained_size, &b.key)));
    if json {
        let list: Vec<Value> = list.into_iter().take(rows).map(class_json).collect();
        return Ok(super::json(
            &json!({"classes": list, "warnings": view.warnings}),
        ));
    }
    let total = heap.dominators().retained_size(heap.graph().root()).max(1);
    let mut text = warnings(&view);
    let _ = writeln!(
        text,
        "{:>10} {:>12} {:>12} {:>6}  Class",
        "Count", "Shallow", "Retained", "%"
    );
    for class in list.iter().take(rows) {
        let _ = writeln!(
            text,
            "{:>10} {:>12} {:>12} {:>6.1}  {}",
            class.count,
            class.shallow_size,
            class.retained_size,
            class.retained_size as f64 * 100.0 / total as f64,
            escape(&class.key.name)
        );
    }
    let left = list.len().saturating_sub(rows);
    if left > 0 {
        let _ = writeln!(text, "... {left} more classes (-n {})", list.len());
    }
    Ok(Outcome::ok(text))
}

fn instances(
    app: &mut App,
    host: &dyn Host,
    class: &str,
    rows: usize,
    json: bool,
) -> Result<Outcome> {
    let view = view(app, host, false)?;
    let heap = &view.heap;
    let classes = heap.classes();
    // Also as it is shown, where that is with escapes.
    let exactly = |c: &Class| c.key.name == class;
    let is_exact = classes.list().iter().any(exactly);
    let is_meant = |c: &Class| exactly(c) || (!is_exact && escape(&c.key.name) == class);
    let wanted: Vec<bool> = classes.list().iter().map(is_meant).collect();
    let mut found: Vec<NodeId> = (0..heap.graph().node_count() as NodeId)
        .filter(|&n| wanted[classes.of(n) as usize] && heap.ownership().shallow_size(n) > 0)
        .collect();
    if found.is_empty() {
        return Err(Error::other(format!(
            "no object of class '{}' is alive; 'v8 retained' lists the classes",
            escape(class)
        )));
    }
    found.sort_by_key(|&n| (std::cmp::Reverse(heap.dominators().retained_size(n)), n));
    let retained: u64 = classes
        .list()
        .iter()
        .filter(|c| is_meant(c))
        .fold(0, |sum, c| sum.saturating_add(c.retained_size));
    if json {
        let list: Vec<Value> = found
            .iter()
            .take(rows)
            .map(|&n| node_json(heap, n))
            .collect();
        return Ok(super::json(&json!({
            "class": class,
            "count": found.len(),
            "retained_size": retained,
            "largest": list,
            "warnings": view.warnings,
        })));
    }
    let mut text = format!(
        "{}{} of class {} retain {retained} bytes together (nothing counted twice)\n",
        warnings(&view),
        found.len(),
        escape(class)
    );
    let _ = writeln!(text, "{:>12} {:>10}  Object", "Retained", "Shallow");
    for &node in found.iter().take(rows) {
        let _ = writeln!(
            text,
            "{:>12} {:>10}  {}",
            heap.dominators().retained_size(node),
            heap.ownership().shallow_size(node),
            label(heap, node)
        );
    }
    Ok(Outcome::ok(text))
}
