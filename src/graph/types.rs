//! Types of nodes and edges, as heap snapshots name them.

/// Type of a node, in the order V8's `HeapEntry` numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum NodeType {
    Hidden = 0,
    Array,
    String,
    Object,
    Code,
    Closure,
    RegExp,
    Number,
    Native,
    Synthetic,
    ConsString,
    SlicedString,
    Symbol,
    BigInt,
    ObjectShape,
    WasmObject,
    /// A name that no known V8 writes.
    Unknown,
}

impl NodeType {
    /// Every type, by number.
    pub const ALL: [NodeType; 17] = [
        NodeType::Hidden,
        NodeType::Array,
        NodeType::String,
        NodeType::Object,
        NodeType::Code,
        NodeType::Closure,
        NodeType::RegExp,
        NodeType::Number,
        NodeType::Native,
        NodeType::Synthetic,
        NodeType::ConsString,
        NodeType::SlicedString,
        NodeType::Symbol,
        NodeType::BigInt,
        NodeType::ObjectShape,
        NodeType::WasmObject,
        NodeType::Unknown,
    ];

    /// The name in a snapshot's `node_types`.
    pub fn name(self) -> &'static str {
        match self {
            NodeType::Hidden => "hidden",
            NodeType::Array => "array",
            NodeType::String => "string",
            NodeType::Object => "object",
            NodeType::Code => "code",
            NodeType::Closure => "closure",
            NodeType::RegExp => "regexp",
            NodeType::Number => "number",
            NodeType::Native => "native",
            NodeType::Synthetic => "synthetic",
            NodeType::ConsString => "concatenated string",
            NodeType::SlicedString => "sliced string",
            NodeType::Symbol => "symbol",
            NodeType::BigInt => "bigint",
            NodeType::ObjectShape => "object shape",
            NodeType::WasmObject => "wasm object",
            NodeType::Unknown => "unknown",
        }
    }

    /// From a name in `node_types`.
    pub fn from_name(name: &str) -> NodeType {
        NodeType::ALL
            .into_iter()
            .find(|t| t.name() == name)
            .unwrap_or(NodeType::Unknown)
    }

    pub(super) fn from_bits(bits: u8) -> NodeType {
        NodeType::ALL
            .get(usize::from(bits))
            .copied()
            .unwrap_or(NodeType::Unknown)
    }
}

/// Type of an edge, in the order V8's `HeapGraphEdge` numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum EdgeType {
    Context = 0,
    Element,
    Property,
    Internal,
    Hidden,
    Shortcut,
    Weak,
    /// DevTools' own, never in a file; stands for a name that no known V8 writes.
    Invisible,
}

impl EdgeType {
    /// Every type, by number.
    pub const ALL: [EdgeType; 8] = [
        EdgeType::Context,
        EdgeType::Element,
        EdgeType::Property,
        EdgeType::Internal,
        EdgeType::Hidden,
        EdgeType::Shortcut,
        EdgeType::Weak,
        EdgeType::Invisible,
    ];

    /// The name in a snapshot's `edge_types`.
    pub fn name(self) -> &'static str {
        match self {
            EdgeType::Context => "context",
            EdgeType::Element => "element",
            EdgeType::Property => "property",
            EdgeType::Internal => "internal",
            EdgeType::Hidden => "hidden",
            EdgeType::Shortcut => "shortcut",
            EdgeType::Weak => "weak",
            EdgeType::Invisible => "invisible",
        }
    }

    /// From a name in `edge_types`.
    pub fn from_name(name: &str) -> EdgeType {
        EdgeType::ALL
            .into_iter()
            .find(|t| t.name() == name)
            .unwrap_or(EdgeType::Invisible)
    }

    pub(super) fn from_bits(bits: u32) -> EdgeType {
        match bits {
            0 => EdgeType::Context,
            1 => EdgeType::Element,
            2 => EdgeType::Property,
            3 => EdgeType::Internal,
            4 => EdgeType::Hidden,
            5 => EdgeType::Shortcut,
            6 => EdgeType::Weak,
            _ => EdgeType::Invisible,
        }
    }

    /// Whether the edge's name is a number and not a string.
    pub fn is_indexed(self) -> bool {
        matches!(self, EdgeType::Element | EdgeType::Hidden)
    }
}

/// What the embedder says of a node's link to the page (DevTools: DOM link state).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum Detachedness {
    #[default]
    Unknown = 0,
    Attached = 1,
    Detached = 2,
}

impl Detachedness {
    pub(super) fn from_bits(bits: u8) -> Detachedness {
        match bits {
            1 => Detachedness::Attached,
            2 => Detachedness::Detached,
            _ => Detachedness::Unknown,
        }
    }
}
