//! Fields that only heap snapshots care for.

use super::{Table, GONE};

const SOURCE: &str = "v8 8.4 to 14.6 source";
const SNAPSHOTS: &str = "snapshots of this line";

/// All lines that changed something, oldest first.
pub static SNAPSHOT: &[Table] = &[
    Table {
        line: (7, 8),
        node: "12",
        rows: &[
            ("property_cell.dependent_code", 32, SOURCE),
            ("allocation_site.transition_info", 8, SOURCE),
            ("allocation_site.nested_site", 16, SOURCE),
            ("allocation_site.dependent_code", 24, SOURCE),
            ("allocation_site.weak_next", 40, SOURCE),
            (
                "array_boilerplate_description.constant_elements",
                16,
                SOURCE,
            ),
            ("prototype_info.prototype_users", 16, SOURCE),
            ("prototype_info.prototype_chain_enum_cache", GONE, SOURCE),
            ("js_global_object.native_context", 24, SOURCE),
            ("js_global_object.global_proxy", 32, SOURCE),
            ("descriptors.enum_cache", 16, SOURCE),
            ("script.context_data", 40, SOURCE),
            ("script.shared_function_infos", 88, SOURCE),
            ("script.host_defined_options", 120, SOURCE),
            ("scope_info.declaration_scope_shift", 6, SOURCE),
            ("scope_info.language_mode_shift", 5, SOURCE),
            ("code.relocation_info", 8, SOURCE),
            ("accessor_info.setter", 32, SOURCE),
            ("accessor_info.getter", 40, SOURCE),
            ("node_snapshot.array_buffer_allocator_size", 24, SNAPSHOTS),
            ("node_snapshot.platform_size", 8, SNAPSHOTS),
        ],
    },
    Table {
        line: (9, 4),
        node: "16",
        rows: &[("node_snapshot.array_buffer_allocator_size", 32, SNAPSHOTS)],
    },
    Table {
        line: (11, 3),
        node: "20",
        rows: &[
            ("script.host_defined_options", 128, SOURCE),
            ("accessor_info.setter", GONE, SOURCE),
            ("accessor_info.getter", GONE, SOURCE),
        ],
    },
    Table {
        line: (11, 4),
        node: "22",
        rows: &[
            ("code.relocation_info", GONE, "InstructionStream has it"),
            ("instruction_stream.relocation_info", 16, SOURCE),
        ],
    },
    Table {
        line: (13, 6),
        node: "24",
        rows: &[
            ("js_global_object.global_proxy", 24, SOURCE),
            ("node_snapshot.array_buffer_allocator_size", 24, SNAPSHOTS),
        ],
    },
    Table {
        line: (14, 1),
        node: "25, 26",
        rows: &[("descriptors.enum_cache", 24, SOURCE)],
    },
    Table {
        line: (14, 6),
        node: "26",
        rows: &[("script.host_defined_options", 136, SOURCE)],
    },
];
