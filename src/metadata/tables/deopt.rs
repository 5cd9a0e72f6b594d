//! What optimized frames need: safepoint tables and deoptimization data.

use super::{Row, Table, GONE};

/// Lines at which something changed, oldest first.
pub static DEOPT: &[Table] = &[
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

const SOURCE: &str = "v8 source";
const MEASURED: &str = "optimized stacks that Error.stack confirms";
const IN_REGEXP: &str = "cores stopped in regular expressions";

const V7_8: &[Row] = &[
    ("code.flags", 44, SOURCE),
    ("code.kind_mask", 0x3e, SOURCE),
    ("code.kind_shift", 1, SOURCE),
    ("code_kind.turbofan", 0, SOURCE),
    ("code_kind.regexp", 4, IN_REGEXP),
    ("deoptimization_data.translation_index", 0, SOURCE),
    ("deoptimization_data.first_entry_index", 9, MEASURED),
    ("deoptimization_data.entry_size", 3, SOURCE),
    ("deoptimization_data.entry_translation", 1, SOURCE),
    ("frame.register_file", -40, MEASURED),
    ("frame.continuation_function", -16, SOURCE),
    ("frame.continuation_argc", -48, SOURCE),
    ("safepoint_table.offset_in_code", 48, SOURCE),
    ("safepoint_table.has_fixed_entries", 1, SOURCE),
    ("safepoint_table.length", 0, SOURCE),
    ("safepoint_table.header_size", 8, SOURCE),
];

const V8_4: &[Row] = &[("deoptimization_data.first_entry_index", 10, SOURCE)];

const V9_4: &[Row] = &[
    ("baseline_data.data", 16, SOURCE),
    ("frame.register_file", -48, MEASURED),
    ("code.flags", 48, SOURCE),
    ("code.kind_mask", 0xf, SOURCE),
    ("code.kind_shift", 0, SOURCE),
    ("code_kind.turbofan", 13, SOURCE),
    ("code_kind.regexp", 3, IN_REGEXP),
    ("deoptimization_data.first_entry_index", 11, SOURCE),
    ("safepoint_table.offset_in_code", GONE, SOURCE),
];

const V10_1: &[Row] = &[
    ("code_kind.maglev", 12, SOURCE),
    ("safepoint_table.has_fixed_entries", 0, MEASURED),
    ("safepoint_table.maglev_header_size", 16, SOURCE),
];

const V11_3: &[Row] = &[
    ("code.flags", 48, MEASURED),
    ("code_kind.regexp", GONE, "v8dbg_frametype_IrregexpFrame"),
];

const V12_4: &[Row] = &[
    ("frame.register_file", -56, MEASURED),
    ("code_kind.maglev", 11, "v8dbg_CodeKindBaseline is 10"),
    ("code_kind.turbofan", 12, "v8dbg_CodeKindBaseline is 10"),
];

const V13_6: &[Row] = &[
    ("deoptimization_data.protected_literals_index", 2, SOURCE),
    ("deoptimization_data.first_entry_index", 12, SOURCE),
    ("safepoint_table.length", 4, SOURCE),
    ("safepoint_table.header_size", 12, SOURCE),
];

const V14_6: &[Row] = &[
    ("code_kind.maglev", 12, "v8dbg_CodeKindBaseline is 11"),
    ("code_kind.turbofan", 13, "v8dbg_CodeKindBaseline is 11"),
];
