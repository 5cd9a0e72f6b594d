//! `v8 leaks`: what holds an outsized share of the heap, in words.

use super::app::{App, Host};
use super::heap_view::{edge_label, label, place, view, warnings};
use super::variable::{variable, Variable};
use super::Outcome;
use crate::error::Result;
use crate::graph::{anchor, suspects, HeapGraph, NodeId, NodeType, Pattern, Suspect};
use crate::render::escape;
use crate::session::Session;
use serde_json::{json, Value};
use std::fmt::Write;

/// Help text.
pub const DETAILS: &str = "\
A suspect is what holds a twentieth of the heap or more: objects of one class that pile up, a chain
of them, one large object. Of each: how many of what, the object they are in, the variable that
leads to it with the place of its declaration, and the way from there to a root. What a user's
scripts hold comes first. Sizes are retained sizes: what would be freed with it.

  -n rows     how many suspects (5)
  --json      print the result as JSON";

const USAGE: &str = "USAGE: v8 leaks [-n ROWS] [--json]";
const ROWS: usize = 5;
/// A share of the heap below which nothing is suspicious.
const SHARE: f64 = 0.05;

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
    let mut found = suspects(heap, SHARE);
    found.truncate(rows);
    let session = app.session(host)?;
    let found: Vec<Finding> = found
        .into_iter()
        .map(|s| Finding::new(session, heap, s, total))
        .collect();
    if json {
        let list: Vec<Value> = found.iter().map(|f| f.as_json(heap)).collect();
        return Ok(super::json(
            &json!({"heap": total, "suspects": list, "warnings": view.warnings}),
        ));
    }
    let mut text = warnings(&view);
    for (number, finding) in found.iter().enumerate() {
        // Writing to a String does not fail.
        let _ = finding.describe(&mut text, heap, number + 1);
    }
    if found.is_empty() {
        let _ = writeln!(
            text,
            "Nothing holds more than {:.0}% of the heap ({total} bytes) alone.",
            SHARE * 100.0
        );
    }
    Ok(Outcome::ok(text))
}

/// A suspect, with what is known of its surroundings.
struct Finding {
    suspect: Suspect,
    share: f64,
    variable: Option<Variable>,
    /// From the holder (else from one of the held) to a root.
    path: Vec<(usize, NodeId)>,
}

impl Finding {
    fn new(session: &Session, heap: &HeapGraph, suspect: Suspect, total: u64) -> Finding {
        let from = suspect.holder.unwrap_or(suspect.sample);
        let anchor = anchor(heap, from);
        let variable = anchor.as_ref().and_then(|a| variable(session, heap, a));
        let mut steps = anchor.map(|a| a.steps).unwrap_or_default();
        let on = steps.last().map_or(from, |&(_, node)| node);
        steps.extend(heap.path(on));
        Finding {
            share: suspect.bytes as f64 / total as f64,
            suspect,
            variable,
            path: steps,
        }
    }

    /// "4000 Visit", "12 functions onData() (FILE:1:2)".
    fn held(&self, heap: &HeapGraph) -> String {
        let suspect = &self.suspect;
        let graph = heap.graph();
        let at = place(graph, suspect.sample).map_or(String::new(), |p| format!(" of {p}"));
        match graph.node_type(suspect.sample) {
            NodeType::Closure => {
                let name = match graph.name(suspect.sample) {
                    "" => "(anonymous)",
                    name => name,
                };
                format!("functions {}(){at}", escape(name))
            }
            _ => escape(&heap.classes().list()[suspect.class as usize].key.name).into_owned(),
        }
    }

    fn describe(&self, out: &mut String, heap: &HeapGraph, number: usize) -> std::fmt::Result {
        let suspect = &self.suspect;
        let (bytes, share) = (suspect.bytes, self.share * 100.0);
        let held = self.held(heap);
        let sample = label(heap, suspect.sample);
        let size = format!("{bytes} bytes, {share:.0}% of the heap");
        match suspect.pattern {
            Pattern::Pile => {
                writeln!(
                    out,
                    "{number}. {} {held}: {size}. One is {sample}.",
                    suspect.count
                )?;
            }
            Pattern::Chain => writeln!(
                out,
                "{number}. A chain of {} {held}: {size}. It begins with {sample}.",
                suspect.count
            )?,
            Pattern::Large => writeln!(out, "{number}. {sample}: {size}.")?,
            Pattern::Mixture => {
                writeln!(out, "{number}. {sample} holds {size}, of many kinds.")?;
            }
        }
        let piled = matches!(suspect.pattern, Pattern::Pile | Pattern::Chain);
        let mut is = "It is";
        if let Some(holder) = suspect.holder.filter(|&h| piled && h != suspect.sample) {
            let they = if suspect.pattern == Pattern::Pile {
                "They are"
            } else {
                "It is"
            };
            writeln!(out, "   {they} in {}.", label(heap, holder))?;
            is = "That is";
        } else if suspect.holder.is_none() {
            out.push_str("   No one object holds most of them; of that one:\n");
        }
        if let Some(variable) = &self.variable {
            writeln!(out, "   {is} {}.", variable.words())?;
        }
        for &(edge, from) in &self.path {
            let graph = heap.graph();
            write!(
                out,
                "     is {} of {}",
                edge_label(graph, edge),
                label(heap, from)
            )?;
            if let Some(place) = place(graph, from) {
                write!(out, " at {place}")?;
            }
            out.push('\n');
        }
        Ok(())
    }

    fn as_json(&self, heap: &HeapGraph) -> Value {
        let graph = heap.graph();
        let suspect = &self.suspect;
        let address = |n: NodeId| graph.address(n).map(|a| format!("{:#x}", a | 1));
        json!({
            "pattern": match suspect.pattern {
                Pattern::Pile => "pile",
                Pattern::Chain => "chain",
                Pattern::Large => "large",
                Pattern::Mixture => "mixture",
            },
            "class": heap.classes().list()[suspect.class as usize].key.name,
            "count": suspect.count,
            "retained_size": suspect.bytes,
            "share": self.share,
            "sample": address(suspect.sample),
            "place": place(graph, suspect.sample),
            "holder": suspect.holder.map(|h| label(heap, h)),
            "address": suspect.holder.and_then(address),
            "variable": self.variable.as_ref().map(Variable::as_json),
            "users": suspect.is_users,
            "path": self.path.iter()
                .map(|&(edge, from)| {
                    json!({
                        "edge": graph.edge_name(edge),
                        "edge_type": graph.edge_type(edge).name(),
                        "from": label(heap, from),
                        "address": address(from),
                        "place": place(graph, from),
                    })
                })
                .collect::<Vec<_>>(),
        })
    }
}
