//! The isolate's table of roots, and what hangs from the isolate outside V8's heap. No symbol
//! gives these. Offsets from the isolate beyond its IsolateData change with each patch release,
//! so there are none: what is there is told from its words.

use super::{Row, Table};

/// All lines, oldest first.
pub static ISOLATE: &[Table] = &[
    Table {
        line: (7, 8),
        node: "12",
        rows: V7_8,
    },
    Table {
        line: (8, 4),
        node: "14",
        rows: V8_4,
    },
    Table {
        line: (9, 4),
        node: "16",
        rows: V9_4,
    },
    Table {
        line: (10, 1),
        node: "18",
        rows: V10_1,
    },
    Table {
        line: (11, 3),
        node: "20",
        rows: V11_3,
    },
    Table {
        line: (12, 4),
        node: "22",
        rows: V12_4,
    },
    Table {
        line: (13, 6),
        node: "24",
        rows: V13_6,
    },
    Table {
        line: (14, 6),
        node: "26",
        rows: V14_6,
    },
];

const CORE: &str = "measured on cores of the official Node builds";
const SOURCE: &str = "v8 source";

const V7_8: &[Row] = &[
    ("isolate.roots", 0x38, CORE),
    ("global_handles.node_size", 32, CORE),
    ("global_handles.nodes_in_block", 256, SOURCE),
    ("microtask_queue.size", 8, CORE),
    ("microtask_queue.capacity", 16, CORE),
    ("microtask_queue.start", 24, CORE),
    ("microtask_queue.ring_buffer", 32, CORE),
    ("microtask_queue.next", 48, CORE),
    ("microtask_queue.previous", 56, CORE),
    ("handle_scope_implementer.block_size", 1022, CORE),
    ("eternal_handles.block_size", 256, SOURCE),
];

const V8_4: &[Row] = &[("isolate.roots", 0x80, CORE)];

const V9_4: &[Row] = &[("isolate.roots", 0x70, CORE)];

const V10_1: &[Row] = &[("isolate.roots", 0x120, CORE)];

const V11_3: &[Row] = &[("isolate.roots", 0x1f0, CORE)];

const V12_4: &[Row] = &[("isolate.roots", 0x250, CORE)];

const V13_6: &[Row] = &[("isolate.roots", 0x280, CORE)];

const V14_6: &[Row] = &[("isolate.roots", 0x2b0, CORE)];
