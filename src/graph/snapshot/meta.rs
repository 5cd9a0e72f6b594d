//! The `meta` of a snapshot: which columns a node and an edge have, and what types are called.

use crate::graph::NodeType;
use crate::metadata::V8Version;
use serde::Deserialize;

/// The header of a file.
#[derive(Deserialize)]
pub struct Header {
    pub meta: Meta,
    #[serde(default)]
    pub node_count: u64,
    #[serde(default)]
    pub edge_count: u64,
    #[serde(default)]
    pub root_index: u64,
    #[serde(default)]
    pub extra_native_bytes: u64,
}

/// Columns by name. Types are a list for enums, a word for the rest.
#[derive(Deserialize)]
pub struct Meta {
    pub node_fields: Vec<String>,
    pub node_types: Vec<serde_json::Value>,
    pub edge_fields: Vec<String>,
    pub edge_types: Vec<serde_json::Value>,
    #[serde(default)]
    pub location_fields: Vec<String>,
}

/// The names of an enum's values.
pub fn enum_names(types: &[serde_json::Value], field: usize) -> Vec<&str> {
    match types.get(field) {
        Some(serde_json::Value::Array(names)) => {
            names.iter().map(|n| n.as_str().unwrap_or("")).collect()
        }
        _ => Vec::new(),
    }
}

/// What a V8 writes: the columns and types of its snapshots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schema {
    /// `trace_node_id` (to V8 12).
    pub trace_node_id: bool,
    /// `detachedness` (from V8 9).
    pub detachedness: bool,
    /// How many node types are listed; see [`NodeType`] for their order.
    pub node_types: usize,
    /// Entries of `node_types`, which V8 13 has one more of than fields.
    pub node_type_entries: usize,
    /// `extra_native_bytes` in the header (from V8 13).
    pub extra_native_bytes: bool,
    /// A newline between nodes and edges (to V8 12).
    pub lines: bool,
}

impl Schema {
    /// The schema of V8 `version`, as snapshots written by Node 12 to 26 have it.
    pub fn of(version: V8Version) -> Schema {
        let (major, minor) = (version.major, version.minor);
        let at_least = |a: u32, b: u32| (major, minor) >= (a, b);
        Schema {
            trace_node_id: !at_least(13, 0),
            detachedness: at_least(9, 0),
            node_types: match () {
                _ if at_least(12, 0) => NodeType::ObjectShape as usize + 1,
                _ if at_least(11, 0) => NodeType::WasmObject as usize + 1,
                _ => NodeType::BigInt as usize + 1,
            },
            node_type_entries: match () {
                _ if at_least(14, 0) => 6,
                _ => 7,
            },
            extra_native_bytes: at_least(13, 0),
            lines: !at_least(13, 0),
        }
    }

    /// Fields of a node.
    pub fn node_fields(&self) -> Vec<&'static str> {
        let mut fields = vec!["type", "name", "id", "self_size", "edge_count"];
        fields.extend(self.trace_node_id.then_some("trace_node_id"));
        fields.extend(self.detachedness.then_some("detachedness"));
        fields
    }
}
