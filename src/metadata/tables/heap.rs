//! Where the heap is: page headers and the isolate. Told apart from the other rows because no
//! symbol ever gives these; all were measured on cores of the official builds for linux-x64.

use super::{Table, GONE};

const CORE: &str = "measured on cores of the official Node builds";
const SOURCE: &str = "v8 source, confirmed on cores";
const CODE: &str = "code of Heap::SetGCState in the official Node builds";
const FREED: &str = "code of MemoryAllocator::PreFreeMemory in the official Node builds";

/// All lines that changed something, oldest first.
pub static HEAP: &[Table] = &[
    Table {
        line: (7, 8),
        node: "12",
        rows: &[
            ("page.metadata", GONE, SOURCE),
            ("page.size", 0, CORE),
            ("page.flags", 8, CORE),
            ("page.heap", 24, CORE),
            ("page.area_start", 40, CORE),
            ("page.area_end", 48, CORE),
            ("page.owner", 80, CORE),
            ("page.from_mask", 8, SOURCE),
            ("page.to_mask", 16, SOURCE),
            ("page.large_mask", 0x20, CORE),
            ("isolate.c_entry_fp", 0x3110, CORE),
            ("heap.gc_state", 0x188, CODE),
            ("page.freed_mask", 0x2000, FREED),
            ("heap_limits.semi_space_before", 3, SOURCE),
            ("oddball.to_string", 16, SOURCE),
        ],
    },
    Table {
        line: (8, 4),
        node: "14",
        rows: &[
            ("page.area_start", 32, CORE),
            ("page.area_end", 40, CORE),
            ("page.owner", 88, CORE),
            ("isolate.c_entry_fp", 0x32f0, CORE),
            ("heap.gc_state", 0x198, CODE),
        ],
    },
    Table {
        line: (9, 4),
        node: "16",
        rows: &[
            ("page.heap", 16, CORE),
            ("page.area_start", 24, CORE),
            ("page.area_end", 32, CORE),
            ("page.owner", 64, CORE),
            ("isolate.c_entry_fp", 0x36b8, CORE),
            ("heap.gc_state", 0x1d8, CODE),
            ("page.freed_mask", 0x10_2000, FREED),
        ],
    },
    Table {
        line: (10, 1),
        node: "18.0",
        rows: &[
            ("isolate.c_entry_fp", 0x44e0, CORE),
            ("heap.gc_state", 0x238, CODE),
            ("page.freed_mask", 0x8_2000, FREED),
        ],
    },
    Table {
        line: (10, 2),
        node: "18",
        rows: &[
            ("isolate.c_entry_fp", 0x4538, CORE),
            ("heap.gc_state", 0x240, CODE),
        ],
    },
    Table {
        line: (11, 3),
        node: "20",
        rows: &[
            ("page.large_mask", 0x80, CORE),
            ("isolate.c_entry_fp", 0x180, CORE),
            ("heap.gc_state", 0x228, CODE),
            ("page.freed_mask", 0x8_4000, FREED),
        ],
    },
    Table {
        line: (12, 4),
        node: "22",
        rows: &[
            ("page.metadata", 8, CORE),
            ("page.flags", 0, CORE),
            ("page.size", 16, CORE),
            ("page.heap", 24, CORE),
            ("page.area_start", 32, CORE),
            ("page.area_end", 40, CORE),
            ("page.owner", 72, CORE),
            ("isolate.c_entry_fp", 0x110, CORE),
            ("heap.gc_state", 0x198, CODE),
            ("page.freed_mask", 0x1_2000, FREED),
        ],
    },
    Table {
        line: (13, 6),
        node: "24",
        rows: &[
            ("page.large_mask", GONE, SOURCE),
            ("page.size", 48, CORE),
            ("page.heap", 64, CORE),
            ("page.area_start", 72, CORE),
            ("page.area_end", 56, CORE),
            ("page.owner", 80, CORE),
            ("isolate.c_entry_fp", 0x140, CORE),
            ("heap.gc_state", 0x220, CODE),
            ("page.freed_mask", 0x9_0000, FREED),
            ("heap_limits.semi_space_before", 4, SOURCE),
        ],
    },
    Table {
        line: (14, 1),
        node: "25, 26",
        rows: &[
            ("isolate.c_entry_fp", 0x148, CORE),
            ("heap.gc_state", 0x228, CODE),
            ("page.own_flags", 88, FREED),
            // IsPreFreed.
            ("page.freed_mask", 2, FREED),
        ],
    },
    Table {
        line: (14, 6),
        node: "26",
        rows: &[
            ("page.sweeping_state", 248, CORE),
            ("page.sweeping_pending", 1, SOURCE),
            ("page.sweeping_in_progress", 3, SOURCE),
            ("page.mark_bits", 320, CORE),
            ("heap_limits.semi_space_before", GONE, SOURCE),
            ("heap_limits.max_semi_space_size", 0x20, CORE),
            ("heap_limits.initial_max_old_generation_size", 0x10, SOURCE),
            ("heap_limits.max_old_generation_size", 0x30, SOURCE),
            ("heap_limits.max_global_memory_size", 0x40, SOURCE),
        ],
    },
];
