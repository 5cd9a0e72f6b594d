//! What the commands about the heap's graph have in common.

use super::app::{App, Host};
use super::watch::Watched;
use crate::error::{Error, Result};
use crate::graph::{object_address, EdgeType, Graph, HeapGraph, NodeId, NodeType};
use crate::render::escape;
use crate::session::HeapView;
use std::rc::Rc;

/// Longest name shown.
const NAME: usize = 80;

/// The graph of the heap of the isolate that is asked for.
pub fn view(app: &mut App, host: &dyn Host, all: bool) -> Result<Rc<HeapView>> {
    let session = app.session(host)?;
    let watched = Watched::new(host);
    let watch = |what: &str, fraction: f64| watched.tick(what, fraction);
    session.graph(session.isolate()?, all, &watch)
}

/// As [`view`], of the isolate that an object is in.
fn view_of(app: &mut App, host: &dyn Host, address: u64, all: bool) -> Result<Rc<HeapView>> {
    let session = app.session(host)?;
    let watched = Watched::new(host);
    let watch = |what: &str, fraction: f64| watched.tick(what, fraction);
    session.graph(session.isolate_of(address)?, all, &watch)
}

/// What the user should know before trusting what follows, as the first lines of it.
pub fn warnings(view: &HeapView) -> String {
    let lines = view.warnings.iter().map(|w| format!("warning: {w}\n"));
    lines.collect()
}

/// An address of the user's: a number, or any expression of the debugger's.
pub fn address(app: &mut App, host: &dyn Host, text: &str) -> Result<u64> {
    app.session(host)?.target().evaluate(text)
}

/// The node of an object that is alive; an error says what else is known of the address.
pub fn node_of(app: &mut App, host: &dyn Host, text: &str) -> Result<(Rc<HeapView>, NodeId)> {
    if let Some(id) = text.strip_prefix('@') {
        let live = view(app, host, false)?;
        let id = id
            .parse()
            .map_err(|_| Error::other(format!("'{text}' is no id")))?;
        return match live.heap.node_by_id(id) {
            Some(node) => Ok((live, node)),
            None => Err(Error::other(format!("no object has the id {text}"))),
        };
    }
    let value = address(app, host, text)?;
    let address = object_address(value);
    let live = view_of(app, host, address, false)?;
    if let Some(node) = live.heap.node_at(address) {
        return Ok((live, node));
    }
    let all = view_of(app, host, address, true)?;
    let Some(node) = all.heap.node_at(address) else {
        return Err(Error::other(format!(
            "{value:#x} is no object of this isolate's heap (see 'v8 findjsinstances' for addresses)"
        )));
    };
    let last = all
        .heap
        .retaining_edges(node)
        .into_iter()
        .find(|&(_, from)| all.heap.graph().node_type(from) != NodeType::Synthetic)
        .map(|(edge, from)| {
            format!(
                "; {} of {} last pointed at it",
                edge_label(all.heap.graph(), edge),
                label(&all.heap, from)
            )
        });
    // What holds it may be in a part of the heap that is not there.
    let verdict = match all.warnings.is_empty() {
        true => "is garbage: nothing holds it",
        false => "has no holder in what there is of the heap",
    };
    Err(Error::other(format!(
        "{} {verdict}{}",
        label(&all.heap, node),
        last.unwrap_or_default()
    )))
}

/// `0x… Name`, or `@id Name` for what has no address.
pub fn label(heap: &HeapGraph, node: NodeId) -> String {
    let graph = heap.graph();
    let name = match graph.node_type(node) {
        NodeType::Closure => match graph.name(node) {
            "" => "(anonymous function)".to_string(),
            name => format!("{name}()"),
        },
        NodeType::String | NodeType::ConsString | NodeType::SlicedString => {
            format!("\"{}\"", shorten(&heap.display_name(node)))
        }
        NodeType::Array if graph.name(node).is_empty() => "(internal array)".to_string(),
        _ => shorten(&heap.display_name(node)),
    };
    let name = escape(&name).into_owned();
    match graph.address(node) {
        Some(address) => format!("{:#018x} {name}", address | 1),
        None if graph.node_type(node) == NodeType::Synthetic => name,
        None => format!("@{} {name}", graph.id(node)),
    }
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(NAME) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_string(),
    }
}

/// An edge as DevTools writes it: `.name`, `[3]`, `{map}`, `->variable`.
pub fn edge_label(graph: &Graph, edge: usize) -> String {
    let name = shorten(&graph.edge_name(edge));
    let name = escape(&name);
    match graph.edge_type(edge) {
        EdgeType::Context => format!("->{name}"),
        EdgeType::Element => format!("[{name}]"),
        EdgeType::Weak => format!("[[{name}]]"),
        EdgeType::Property | EdgeType::Shortcut if name.contains(' ') => format!("[\"{name}\"]"),
        EdgeType::Property | EdgeType::Shortcut => format!(".{name}"),
        EdgeType::Internal | EdgeType::Hidden | EdgeType::Invisible => format!("{{{name}}}"),
    }
}

/// `FILE:LINE:COLUMN` of a function or an object's constructor.
pub fn place(graph: &Graph, node: NodeId) -> Option<String> {
    let location = graph.location(node)?;
    let file = match graph.script_name(location.script_id) {
        Some(name) if !name.is_empty() => escape(name).into_owned(),
        _ => format!("script {}", location.script_id),
    };
    Some(format!(
        "{file}:{}:{}",
        location.line.saturating_add(1),
        location.column.saturating_add(1)
    ))
}

/// A distance as a user reads it.
pub fn distance(heap: &HeapGraph, node: NodeId) -> String {
    match heap.distances().of(node) {
        d if d >= crate::graph::SYSTEM_DISTANCE => "-".to_string(),
        d if d < 0 => "-".to_string(),
        d => d.to_string(),
    }
}
