//! Names of nodes as DevTools shows them.

use super::{EdgeType, Graph, NodeId, NodeType};

/// DevTools joins a concatenated string's parts up to here.
const MAX_JOINED: usize = 1024;
/// Properties are added to a plain object's name up to here.
const MAX_PLAIN: usize = 100;

impl Graph {
    /// A node's name as DevTools shows it: concatenated strings joined, plain objects by their
    /// properties.
    pub fn display_name(&self, node: NodeId) -> String {
        match self.node_type(node) {
            NodeType::ConsString => self.joined(node),
            NodeType::Object if self.name(node) == "Object" => self.plain_object_name(node),
            _ => self.name(node).to_string(),
        }
    }

    fn joined(&self, node: NodeId) -> String {
        let mut stack = vec![node];
        let mut name = String::new();
        // Parts may be empty for ever in a hostile file.
        let mut steps = 0;
        while let Some(node) = stack.pop() {
            steps += 1;
            if name.len() >= MAX_JOINED || steps > 4 * MAX_JOINED {
                break;
            }
            if self.node_type(node) != NodeType::ConsString {
                name.push_str(self.name(node));
                continue;
            }
            let mut parts = [None; 2];
            for edge in self.edge_range(node) {
                if self.edge_type(edge) == EdgeType::Internal {
                    match self.strings().get(self.edge_name_or_index(edge)) {
                        "first" => parts[0] = parts[0].or(Some(self.edge_to(edge))),
                        "second" => parts[1] = parts[1].or(Some(self.edge_to(edge))),
                        _ => {}
                    }
                }
            }
            stack.extend(parts.into_iter().rev().flatten());
        }
        name
    }

    /// `{first, second, …, last}`.
    fn plain_object_name(&self, node: NodeId) -> String {
        let properties: Vec<usize> = self
            .edge_range(node)
            .filter(|&e| {
                self.edge_type(e) == EdgeType::Property && self.edge_name(e) != "__proto__"
            })
            .collect();
        let (mut start, mut end) = (String::from("{"), String::from("}"));
        let (mut low, mut high) = (0, properties.len());
        let mut from_end = false;
        while low < high {
            let at = if from_end { high - 1 } else { low };
            let name = format_property(&self.edge_name(properties[at]));
            let length = utf16(&start) + utf16(&end) + utf16(&name);
            if start.len() > 1 && length > MAX_PLAIN {
                break;
            }
            if from_end {
                high -= 1;
                if end.len() > 1 {
                    end.insert_str(0, ", ");
                }
                end.insert_str(0, &name);
            } else {
                low += 1;
                if start.len() > 1 {
                    start.push_str(", ");
                }
                start.push_str(&name);
            }
            from_end = !from_end;
        }
        if low < high {
            start.push_str(", …");
        }
        if end.len() > 1 {
            start.push_str(", ");
        }
        start + &end
    }
}

/// Length as JavaScript counts it.
pub fn utf16(text: &str) -> usize {
    match text.is_ascii() {
        true => text.len(),
        false => text.encode_utf16().count(),
    }
}

/// A property's name, quoted if it would blur the list.
pub fn format_property(name: &str) -> String {
    match name.contains([',', '\'', '"', '{', '}']) {
        true => serde_json::Value::from(name).to_string(),
        false => name.to_string(),
    }
}
