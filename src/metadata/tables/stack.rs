//! What a stack walk needs: frames, bytecode, code objects, source positions.

use super::{Row, Table, GONE};

/// All lines, oldest first.
pub static STACK: &[Table] = &[
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
        node: "18.0",
        rows: V10_1,
    },
    Table {
        line: (10, 2),
        node: "18",
        rows: V10_2,
    },
    Table {
        line: (11, 3),
        node: "20",
        rows: V11_3,
    },
    Table {
        line: (11, 8),
        node: "21",
        rows: V11_8,
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
        line: (13, 7),
        node: "25",
        rows: V13_7,
    },
    Table {
        line: (14, 6),
        node: "26",
        rows: V14_6,
    },
];

const SOURCE: &str = "v8 source";
const MEASURED: &str = "stacks that Error.stack confirms";
const NAMES: &str = "V8's own native_context_names, read from the official builds";

const V7_8: &[Row] = &[
    ("primitive_functions.number", 107, NAMES),
    ("primitive_functions.string", 178, NAMES),
    ("primitive_functions.boolean", 30, NAMES),
    ("primitive_functions.symbol", 180, NAMES),
    ("primitive_functions.bigint", 27, NAMES),
    ("call_site.wasm_place", 0, MEASURED),
    ("frame.wasm_instance", -16, SOURCE),
    ("wasm_code.instructions", 0, SOURCE),
    ("wasm_code.instructions_size", 8, SOURCE),
    ("wasm_code.source_position_table", 32, SOURCE),
    ("wasm_code.native_module", 48, SOURCE),
    ("wasm_code.index", 56, SOURCE),
    ("source_positions.start", 0, MEASURED),
    ("source_positions.has_flags", 0, SOURCE),
    ("bytecode_array.length", 8, SOURCE),
    ("bytecode_array.source_position_table", 32, SOURCE),
    ("bytecode_array.data", 54, MEASURED),
    ("async_generator_request.promise", 32, SOURCE),
    ("byte_array.length", 8, SOURCE),
    ("byte_array.data", 16, SOURCE),
    ("source_position_table_with_frame_cache.table", 8, SOURCE),
    ("code.instruction_size", 40, SOURCE),
    ("code.deoptimization_data", 16, SOURCE),
    ("code.source_position_table", 24, SOURCE),
    ("deoptimization_data.literals_index", 2, SOURCE),
    ("deoptimization_data.inlining_positions_index", 7, SOURCE),
    ("call_site.type_before_identifiers_only", 0, SOURCE),
    ("call_site.functions_by_name", 0, SOURCE),
    ("call_site.method_by_inferred_name", 0, SOURCE),
    ("call_site.initializers_have_no_method", 0, SOURCE),
    ("call_site.shows_inlined_api", 1, MEASURED),
    ("call_site.accessors_are_named", 0, SOURCE),
    ("frame.builtin_argc", -24, SOURCE),
    ("call_site.by_display_name", 1, SOURCE),
    ("call_site.inherits_native_names", 0, MEASURED),
    ("call_site.offset_without_source_url", 0, SOURCE),
    ("call_site.constructors_of_stubs", 0, SOURCE),
    ("call_site.follows_thenables", 0, SOURCE),
    ("call_site.follows_all_settled", 0, MEASURED),
    // Node 12 alone makes such a call: that of an async function's promise, which hooks see.
    ("bytecode_array.position_of_none", 0, SOURCE),
    ("script.eval_mask", 1, SOURCE),
    ("script.type_normal", 2, SOURCE),
    ("script.eval_from_position", 80, SOURCE),
    ("frame.bytecode_array", -24, MEASURED),
    ("frame.bytecode_offset", -32, MEASURED),
    ("frame.arguments_reversed", 0, SOURCE),
    ("frame.adaptor_length", -24, SOURCE),
    ("frame.exit_sp", -16, SOURCE),
    ("frame.entry_c_entry_fp", -64, SOURCE),
    ("frame.entry_saved_r12", -24, SOURCE),
    ("frame.entry_saved_r13", -32, SOURCE),
    ("frame.entry_saved_r14", -40, SOURCE),
    ("frame.entry_saved_r15", -48, SOURCE),
    ("frame.entry_saved_rbx", -56, SOURCE),
    ("frame.builtin_exit_new_target", 16, SOURCE),
    ("frame.builtin_exit_target", 24, SOURCE),
    ("frame.builtin_exit_argc", 32, SOURCE),
    ("frame.builtin_exit_receiver", 48, SOURCE),
    ("frame.builtin_exit_extra", 4, SOURCE),
];

const V8_4: &[Row] = &[
    ("bytecode_array.position_of_none", GONE, MEASURED),
    ("primitive_functions.number", 122, NAMES),
    ("primitive_functions.string", 186, NAMES),
    ("primitive_functions.boolean", 30, NAMES),
    ("primitive_functions.symbol", 188, NAMES),
    ("primitive_functions.bigint", 27, NAMES),
    ("source_positions.start", -1, MEASURED),
    ("call_site.wasm_place", 1, MEASURED),
    ("wasm_code.source_position_table", GONE, SOURCE),
    ("wasm_code.native_module", 0, SOURCE),
    ("wasm_code.instructions", 8, SOURCE),
    ("wasm_code.meta_data", 24, SOURCE),
    ("wasm_code.instructions_size", 32, SOURCE),
    ("wasm_code.reloc_info_size", 36, SOURCE),
    ("wasm_code.source_positions_size", 40, SOURCE),
    ("wasm_code.protected_instructions_size", 44, SOURCE),
    ("wasm_code.index", 48, SOURCE),
];

const V9_4: &[Row] = &[
    ("primitive_functions.number", 139, NAMES),
    ("primitive_functions.string", 199, NAMES),
    ("primitive_functions.boolean", 51, NAMES),
    ("primitive_functions.symbol", 201, NAMES),
    ("primitive_functions.bigint", 50, NAMES),
    ("call_site.wasm_place", 2, MEASURED),
    ("call_site.method_by_inferred_name", 1, SOURCE),
    ("call_site.by_display_name", 0, SOURCE),
    ("call_site.offset_without_source_url", 1, SOURCE),
    ("frame.bytecode_array", -32, MEASURED),
    ("frame.bytecode_offset", -40, MEASURED),
    ("frame.argc", -24, MEASURED),
    ("frame.argc_has_receiver", 0, SOURCE),
    ("frame.arguments_reversed", 1, SOURCE),
];

const V10_1: &[Row] = &[
    ("call_site.shows_inlined_api", 0, MEASURED),
    ("primitive_functions.number", 148, NAMES),
    ("primitive_functions.string", 209, NAMES),
    ("primitive_functions.boolean", 47, NAMES),
    ("primitive_functions.symbol", 211, NAMES),
    ("primitive_functions.bigint", 46, NAMES),
    ("call_site.type_before_identifiers_only", 1, SOURCE),
    ("frame.argc_has_receiver", 1, SOURCE),
];

const V10_2: &[Row] = &[
    ("call_site.functions_by_name", 1, MEASURED),
    ("call_site.follows_all_settled", 1, MEASURED),
];

const V11_3: &[Row] = &[
    ("primitive_functions.number", 160, NAMES),
    ("primitive_functions.string", 221, NAMES),
    ("primitive_functions.boolean", 47, NAMES),
    ("primitive_functions.symbol", 223, NAMES),
    ("primitive_functions.bigint", 46, NAMES),
    ("wasm_code.meta_data", 16, SOURCE),
    ("wasm_code.instructions_size", 24, SOURCE),
    ("wasm_code.reloc_info_size", 28, SOURCE),
    ("wasm_code.source_positions_size", 32, SOURCE),
    ("wasm_code.inlining_positions_size", 36, SOURCE),
    ("wasm_code.inlining_entry_size", 12, SOURCE),
    ("wasm_code.protected_instructions_size", 40, SOURCE),
    ("wasm_code.index", 44, SOURCE),
    ("instruction_stream.code", 8, MEASURED),
    ("code.instruction_size", 56, MEASURED),
];

const V11_8: &[Row] = &[("naming.class_initializers", 1, MEASURED)];

const V12_4: &[Row] = &[
    ("primitive_functions.number", 162, NAMES),
    ("primitive_functions.string", 223, NAMES),
    ("primitive_functions.boolean", 49, NAMES),
    ("primitive_functions.symbol", 225, NAMES),
    ("primitive_functions.bigint", 48, NAMES),
    ("wasm_code.inlining_entry_size", 13, SOURCE),
    ("call_site.accessors_are_named", 1, MEASURED),
    ("call_site.initializers_have_no_method", 1, SOURCE),
    ("bytecode_array.source_position_table", 24, MEASURED),
    ("code.deoptimization_data", 8, SOURCE),
    ("code.source_position_table", 16, SOURCE),
    ("frame.api_callback_exit_target", 16, SOURCE),
    ("frame.api_callback_exit_receiver", 88, SOURCE),
];

const V13_6: &[Row] = &[
    ("primitive_functions.number", 172, NAMES),
    ("primitive_functions.string", 233, NAMES),
    ("primitive_functions.boolean", 53, NAMES),
    ("primitive_functions.symbol", 235, NAMES),
    ("primitive_functions.bigint", 52, NAMES),
    ("wasm_code.meta_data", 24, SOURCE),
    ("wasm_code.instructions_size", 32, SOURCE),
    ("wasm_code.reloc_info_size", 36, SOURCE),
    ("wasm_code.source_positions_size", 40, SOURCE),
    ("wasm_code.inlining_positions_size", 44, SOURCE),
    ("wasm_code.protected_instructions_size", 52, SOURCE),
    ("wasm_code.index", 56, SOURCE),
    ("call_site.constructors_of_stubs", 1, SOURCE),
    ("call_site.functions_by_name", 2, SOURCE),
    ("shared_function_info_wrapper.shared", 8, SOURCE),
    ("deoptimization_data.literals_index", 3, SOURCE),
    ("deoptimization_data.inlining_positions_index", 8, SOURCE),
    ("frame.api_callback_exit_target", 48, SOURCE),
    ("frame.api_callback_exit_receiver", 64, SOURCE),
];

const V13_7: &[Row] = &[("source_positions.has_flags", 1, MEASURED)];

const V14_6: &[Row] = &[
    ("primitive_functions.number", 175, NAMES),
    ("primitive_functions.string", 237, NAMES),
    ("primitive_functions.boolean", 53, NAMES),
    ("primitive_functions.symbol", 239, NAMES),
    ("primitive_functions.bigint", 52, NAMES),
    ("call_site.inherits_native_names", 1, SOURCE),
    ("call_site.follows_thenables", 1, SOURCE),
    ("frame.builtin_exit_receiver", 40, SOURCE),
    ("frame.builtin_exit_extra", 3, SOURCE),
    ("frame.api_callback_exit_target", 40, SOURCE),
    ("frame.api_callback_exit_receiver", 48, SOURCE),
];
