//! Fields of objects that no symbol gives: collections, promises, generators, modules, errors.
//!
//! Those from cores were found by what a program had put there: an object whose field holds a
//! value known to the program has that field where the value is.

use super::{Row, Table, GONE};

/// All lines, oldest first.
pub static OBJECTS: &[Table] = &[
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
        line: (12, 9),
        node: "23",
        rows: V12_9,
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
const BOTH: &str = "v8 source and cores of the official Node builds";

const V7_8: &[Row] = &[
    ("map.transitions", 72, SOURCE),
    ("map.prototype_validity_cell", 64, SOURCE),
    ("map.has_named_interceptor_shift", 2, SOURCE),
    ("map.has_indexed_interceptor_shift", 3, SOURCE),
    ("map.is_undetectable_shift", 4, SOURCE),
    ("map.is_access_check_needed_shift", 5, SOURCE),
    ("map.owns_descriptors_shift", 22, SOURCE),
    ("map.is_deprecated_shift", 24, SOURCE),
    ("map.is_extensible_shift", 27, SOURCE),
    ("js_function.code", 48, CORE),
    ("js_function.prototype_or_initial_map", 56, SOURCE),
    ("shared.is_toplevel_mask", 1 << 28, SOURCE),
    ("shared.is_class_constructor_mask", 1 << 10, BOTH),
    ("shared.parameter_count_has_receiver", 0, CORE),
    ("interpreter_data.bytecode_array", 8, SOURCE),
    ("bytecode_array.constant_pool", 16, CORE),
    ("bytecode_array.handler_table", 24, CORE),
    ("bytecode_array.register_size", 40, CORE),
    ("bytecode_array.parameter_size", 44, CORE),
    ("bytecode_array.parameter_size_is_count", 0, CORE),
    ("hash_table.elements", 16, CORE),
    ("hash_table.deleted", 24, CORE),
    ("hash_table.capacity", 32, CORE),
    ("hash_table.first", 40, CORE),
    ("hash_table.ephemeron_entry", 2, CORE),
    ("hash_table.simple_number_entry", 2, SOURCE),
    ("js_promise.status_mask", 3, CORE),
    ("js_promise.has_handler_mask", 4, CORE),
    ("promise_reaction.next", 8, CORE),
    ("promise_reaction.reject_handler", 16, BOTH),
    ("promise_reaction.fulfill_handler", 24, CORE),
    ("promise_reaction.promise_or_capability", 32, CORE),
    ("promise_capability.promise", 8, SOURCE),
    ("promise_capability.resolve", 16, SOURCE),
    ("promise_capability.reject", 24, SOURCE),
    ("js_generator.executing", -2, SOURCE),
    ("js_generator.closed", -1, CORE),
    ("js_generator.async_promise", 80, SOURCE),
    ("js_generator.async_queue", 80, SOURCE),
    ("module.status", 24, CORE),
    ("module.namespace", 32, CORE),
    ("module.exception", 40, CORE),
    ("module.code", 48, CORE),
    ("module.requested_modules", 72, BOTH),
    ("js_api_object.header_size", 24, CORE),
    ("js_arguments.length", 24, CORE),
    ("js_array_iterator.object", 24, CORE),
    ("js_array_iterator.next_index", 32, CORE),
    ("js_array_iterator.kind", 40, CORE),
    ("stack_trace_frame.frame_array", 8, CORE),
    ("stack_trace_frame.frame_index", 16, CORE),
    ("stack_trace_frame.first_element", 1, CORE),
    ("stack_trace_frame.frame_size", 6, CORE),
    ("stack_trace_frame.receiver_element", 0, CORE),
    ("stack_trace_frame.function_element", 1, CORE),
    ("stack_trace_frame.code_element", 2, CORE),
    ("stack_trace_frame.offset_element", 3, CORE),
    ("stack_trace_frame.flags_element", 4, CORE),
    ("stack_trace_frame.parameters_element", 5, CORE),
    ("js_message_object.message_type", 24, CORE),
    ("js_message_object.argument", 32, CORE),
    ("js_message_object.script", 40, CORE),
    ("js_message_object.stack_frames", 48, CORE),
    ("js_message_object.shared_info", 56, CORE),
    ("js_message_object.bytecode_offset", 64, CORE),
    ("js_message_object.start_position", 72, CORE),
    ("js_message_object.end_position", 80, CORE),
    ("accessor_info.name", 8, CORE),
    ("accessor_info.data", 56, CORE),
    ("foreign.address", 8, SOURCE),
    ("enum_cache.keys", 8, SOURCE),
    ("enum_cache.indices", 16, SOURCE),
    ("allocation_memento.allocation_site", 8, SOURCE),
    ("feedback_vector.length", 32, CORE),
    ("feedback_vector.shared", 8, CORE),
    ("feedback_vector.first_slot", 48, CORE),
];

const V8_4: &[Row] = &[
    ("map.prototype_validity_cell", 56, SOURCE),
    ("map.transitions", 64, SOURCE),
    ("weak_cell.finalization_registry", 8, SOURCE),
    ("weak_cell.target", 16, CORE),
    ("weak_cell.unregister_token", 24, CORE),
    ("weak_cell.holdings", 32, CORE),
    ("weak_cell.prev", 40, SOURCE),
    ("weak_cell.next", 48, SOURCE),
    ("js_finalization_registry.native_context", 24, CORE),
    ("js_finalization_registry.cleanup", 32, CORE),
    ("js_finalization_registry.active_cells", 40, CORE),
    ("js_finalization_registry.cleared_cells", 48, CORE),
    ("js_finalization_registry.key_map", 56, CORE),
];

const V9_4: &[Row] = &[
    ("shared.is_toplevel_mask", 1 << 27, SOURCE),
    ("stack_trace_frame.frame_array", GONE, SOURCE),
    ("stack_trace_frame.frame_index", GONE, SOURCE),
    ("stack_trace_frame.first_element", GONE, SOURCE),
    ("stack_trace_frame.frame_size", GONE, SOURCE),
    ("stack_trace_frame.receiver_element", GONE, SOURCE),
    ("stack_trace_frame.function_element", GONE, SOURCE),
    ("stack_trace_frame.code_element", GONE, SOURCE),
    ("stack_trace_frame.offset_element", GONE, SOURCE),
    ("stack_trace_frame.flags_element", GONE, SOURCE),
    ("stack_trace_frame.parameters_element", GONE, SOURCE),
    ("call_site_info.receiver_or_instance", 8, CORE),
    ("call_site_info.function", 16, CORE),
    ("call_site_info.code_object", 24, CORE),
    ("call_site_info.code_offset", 32, CORE),
    ("call_site_info.flags", 40, CORE),
    ("call_site_info.parameters", 48, CORE),
    ("feedback_vector.length", 8, CORE),
    ("feedback_vector.shared", 24, CORE),
    ("module.code", 56, CORE),
    ("module.requested_modules", 80, BOTH),
];

const V10_1: &[Row] = &[
    ("shared.parameter_count_has_receiver", 1, CORE),
    (
        "error_stack_data.call_site_infos_or_formatted_stack",
        8,
        SOURCE,
    ),
    ("error_stack_data.limit_or_stack_frame_infos", 16, SOURCE),
    ("js_external_object.value", 24, SOURCE),
];

const V11_3: &[Row] = &[
    ("accessor_info.data", 16, CORE),
    ("feedback_vector.first_slot", 56, CORE),
    ("code.instruction_start", 40, CORE),
    ("code.instruction_stream", 32, CORE),
];

const V12_4: &[Row] = &[
    ("js_function.code", 24, CORE),
    ("promise_reaction.next", 16, CORE),
    ("promise_reaction.reject_handler", 24, CORE),
    ("promise_reaction.fulfill_handler", 32, CORE),
    ("promise_reaction.promise_or_capability", 40, CORE),
    ("call_site_info.code_object", 8, CORE),
    ("call_site_info.receiver_or_instance", 16, CORE),
    ("call_site_info.function", 24, CORE),
    ("bytecode_array.constant_pool", 40, CORE),
    ("bytecode_array.handler_table", 32, CORE),
    ("bytecode_array.register_size", 48, CORE),
    ("bytecode_array.parameter_size", 52, CORE),
];

const V12_9: &[Row] = &[
    ("shared.untrusted_function_data", 16, "v8 12.9 source"),
    ("scope_info.flags_is_smi", 0, "v8 12.9 source"),
    ("scope_info.position_before_names", 1, "v8 12.9 source"),
    ("scope_info.module_count_before_names", 1, "v8 12.9 source"),
    ("scope_info.class_scope", 2, "v8 12.9 source"),
    ("scope_info.function_scope", 4, "v8 12.9 source"),
    ("scope_info.module_scope", 5, "v8 12.9 source"),
    ("js_date.value_is_double", 1, "v8 12.9 source"),
    ("js_array_buffer.extension", 64, "v8 12.9 source"),
    ("backing_store.in_extension", 0, "v8 12.9 source"),
    ("js_array_buffer.max_byte_length", 48, "v8 12.9 source"),
    ("js_array_buffer.bit_field", 72, "v8 12.9 source"),
    ("js_array_buffer_view.buffer", 32, "v8 12.9 source"),
    ("js_array_buffer_view.bit_field", 40, "v8 12.9 source"),
    ("js_module_namespace.module", 32, "v8 12.9 source"),
];

const V13_6: &[Row] = &[
    ("js_function.code", GONE, CORE),
    ("js_function.dispatch_handle", 24, CORE),
    ("bytecode_array.parameter_size_is_count", 1, CORE),
    ("js_api_object.header_size", 32, CORE),
    ("feedback_vector.first_slot", 48, CORE),
    ("error_stack_data.limit_or_stack_frame_infos", GONE, SOURCE),
];

const V14_6: &[Row] = &[
    ("weak_cell.holdings", 16, CORE),
    ("weak_cell.target", 24, CORE),
    ("weak_cell.unregister_token", 32, CORE),
    ("accessor_info.data", 8, CORE),
    ("accessor_info.name", 16, CORE),
    ("module.exception", 48, CORE),
    ("module.code", 64, CORE),
    ("module.requested_modules", 88, BOTH),
    ("flat_call_site.size", 6, CORE),
    ("flat_call_site.code", 0, CORE),
    ("flat_call_site.receiver", 1, CORE),
    ("flat_call_site.function", 2, CORE),
    ("flat_call_site.offset", 3, CORE),
    ("flat_call_site.parameters", 4, CORE),
    ("flat_call_site.flags", 5, CORE),
];
