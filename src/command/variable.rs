//! The variable that leads to an object, and where its source declares and uses it.

use super::heap_view::place;
use crate::error::Result;
use crate::graph::{functions_of, Anchor, EdgeType, Graph, HeapGraph, NodeId, NodeType};
use crate::object::{declaration, mentions, Context, Cx, HeapObject, JSFunction, JSString, Script};
use crate::render::escape;
use crate::session::Session;
use serde_json::{json, Value};

/// Characters of a script that are looked through.
const MAX_SOURCE: usize = 1 << 24;
/// Functions that are asked whether they use a variable.
const FUNCTIONS: usize = 200;
/// Those of them that are named.
const USERS: usize = 3;

/// What a name belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Home {
    /// A scope: the variable is one of it.
    Scope,
    Global,
    /// A property of a function (a static field of a class).
    Function,
}

/// A variable and the way from it to an object.
pub struct Variable {
    home: Home,
    pub name: String,
    /// As a program would write it: `visits`, `server.visits[0]`.
    expression: String,
    /// `FILE:LINE:COLUMN` of the declaration.
    declared: Option<String>,
    /// Functions that use it (or, where the source is not known, one that could), and their places.
    users: Vec<(String, String)>,
    is_certain: bool,
}

impl Variable {
    /// "the variable 'visits', declared at …, used by remember() at …".
    pub fn words(&self) -> String {
        let name = escape(&self.name);
        let mut text = match self.home {
            _ if self.expression == self.name => String::new(),
            _ => format!("{}, of ", escape(&self.expression)),
        };
        text += &match self.home {
            Home::Scope => format!("the variable '{name}'"),
            Home::Global => format!("the global '{name}'"),
            Home::Function => format!("the function {name}()"),
        };
        if let Some(declared) = &self.declared {
            text += &format!(", declared at {}", escape(declared));
        }
        for (number, (function, place)) in self.users.iter().enumerate() {
            text += match (number, self.is_certain) {
                (0, true) => ", used by",
                (0, false) => ", seen by",
                _ => " and",
            };
            text += &format!(" {}() at {place}", escape(function));
        }
        text
    }

    /// The same as data.
    pub fn as_json(&self) -> Value {
        json!({
            "name": self.name,
            "expression": self.expression,
            "kind": match self.home {
                Home::Scope => "variable",
                Home::Global => "global",
                Home::Function => "function",
            },
            "declared": self.declared,
            "users": self.users.iter()
                .map(|(name, place)| json!({"function": name, "place": place}))
                .collect::<Vec<_>>(),
        })
    }
}

/// The variable at the end of `anchor`.
pub fn variable(session: &Session, heap: &HeapGraph, anchor: &Anchor) -> Option<Variable> {
    let graph = heap.graph();
    let (&(edge, from), inner) = anchor.steps.split_last()?;
    let (home, name) = match (graph.edge_type(edge), graph.node_type(from)) {
        (EdgeType::Context, _) => (Home::Scope, graph.edge_name(edge).into_owned()),
        (_, NodeType::Closure) => (Home::Function, graph.name(from).to_string()),
        _ => (Home::Global, graph.edge_name(edge).into_owned()),
    };
    let mut found = Variable {
        expression: name.clone(),
        name,
        declared: None,
        users: Vec::new(),
        is_certain: false,
        home,
    };
    let rest = match found.home {
        Home::Function => &anchor.steps[..],
        _ => inner,
    };
    for &(edge, _) in rest.iter().rev() {
        extend(&mut found.expression, graph, edge);
    }
    match found.home {
        Home::Scope => scope(session, heap, from, &mut found),
        Home::Function => found.declared = place(graph, from),
        Home::Global => {}
    }
    Some(found)
}

fn extend(expression: &mut String, graph: &Graph, edge: usize) {
    let name = graph.edge_name(edge);
    let is_word = name
        .chars()
        .all(|c| c.is_alphanumeric() || c == '_' || c == '$')
        && !name.starts_with(|c: char| c.is_ascii_digit());
    match graph.edge_type(edge) {
        EdgeType::Property if is_word => *expression += &format!(".{name}"),
        EdgeType::Property => *expression += &format!("[{name:?}]"),
        EdgeType::Element => *expression += &format!("[{name}]"),
        // A step within an object (to its elements, to a table's entries).
        _ => {}
    }
}

fn scope(session: &Session, heap: &HeapGraph, context: NodeId, found: &mut Variable) {
    let graph = heap.graph();
    let functions = functions_of(heap, context);
    let (Ok(cx), Some(&first)) = (session.cx(), functions.first()) else {
        return;
    };
    let named = |function: NodeId| {
        let name = match graph.name(function) {
            "" => "(anonymous)",
            name => name,
        };
        place(graph, function).map(|place| (name.to_string(), place))
    };
    let address = |node| graph.address(node);
    if let (Some(context), Some(first)) = (address(context), address(first)) {
        found.declared = declared(cx, context, first, &found.name).ok().flatten();
    }
    let uses = |&&function: &&NodeId| {
        address(function).is_some_and(|a| uses(cx, a, &found.name).unwrap_or(false))
    };
    let some = functions.iter().take(FUNCTIONS);
    let mut users: Vec<_> = some.filter(uses).filter_map(|&f| named(f)).collect();
    users.dedup();
    users.truncate(USERS);
    found.is_certain = !users.is_empty();
    if users.is_empty() {
        users.extend(named(first));
    }
    found.users = users;
}

fn script_of<'a>(cx: Cx<'a>, function: u64) -> Result<Option<Script<'a>>> {
    JSFunction::new(HeapObject::new(cx, function))?
        .shared()?
        .script()
}

fn declared(cx: Cx<'_>, context: u64, function: u64, name: &str) -> Result<Option<String>> {
    let Some(script) = script_of(cx, function)? else {
        return Ok(None);
    };
    let Some(source) = script.source()? else {
        return Ok(None);
    };
    let text = JSString(source.0).read(MAX_SOURCE)?;
    let scope = Context(HeapObject::new(cx, context)).scope_info()?;
    let (start, end) = scope.position()?.unwrap_or((0, u64::MAX));
    let clamp = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let Some(at) = declaration(&text.units, clamp(start), clamp(end), name) else {
        return Ok(None);
    };
    let (line, column) = script.line_and_column(at as u64)?;
    Ok(Some(format!(
        "{}:{line}:{column}",
        script.name_or_source_url()?
    )))
}

fn uses(cx: Cx<'_>, function: u64, name: &str) -> Result<bool> {
    let function = JSFunction::new(HeapObject::new(cx, function))?;
    let source = function.source(MAX_SOURCE)?;
    Ok(source.is_some_and(|text| mentions(&text.units, name)))
}
