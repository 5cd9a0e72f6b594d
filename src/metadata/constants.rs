//! The table of constants: our name for each, and every v8dbg spelling from old to new. This is
//! the only home of V8's offsets; what no symbol tells stands in the version tables under the
//! same names. Offsets are in bytes from the start of the object (untagged).

use super::layout::{Constant, Spec};
use super::{InstanceTypes, SizeRules, V8Version};

macro_rules! constants {
    ($($(#[$group_doc:meta])* $group:ident : $Group:ident {
        $($(#[$doc:meta])* $field:ident : [$($symbol:literal),*],)*
    })*) => {
        $($(#[$group_doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $Group { $($(#[$doc])* pub $field: Constant,)* })*

        /// Every constant of a target, and its instance types.
        #[derive(Debug, Clone)]
        pub struct Layout {
            pub version: V8Version,
            pub types: InstanceTypes,
            /// Sizes of objects.
            pub sizes: SizeRules,
            $($(#[$group_doc])* pub $group: $Group,)*
        }

        /// All constants in the order of [`Layout`].
        pub static SPECS: &[Spec] = &[$($(Spec {
            name: concat!(stringify!($group), ".", stringify!($field)),
            symbols: &[$($symbol),*],
        },)*)*];

        impl Layout {
            /// Asks `value` for each constant in order.
            pub(super) fn build(
                version: V8Version,
                types: InstanceTypes,
                mut value: impl FnMut(&'static Spec) -> Option<i32>,
            ) -> Layout {
                let mut id = 0u16;
                let mut next = || {
                    let spec = &SPECS[usize::from(id)];
                    let constant = Constant::new(id, value(spec));
                    id += 1;
                    constant
                };
                let sizes = SizeRules::new(version, &types);
                let mut layout = Layout {
                    version,
                    types,
                    sizes,
                    $($group: $Group { $($field: next(),)* },)*
                };
                let scope_info = layout.scope_info;
                layout.sizes.set_scope_info(&scope_info);
                layout
            }
        }
    };
}

constants! {
    /// Tagging.
    tagging: Tagging {
        heap_object_tag: ["HeapObjectTag"],
        heap_object_tag_mask: ["HeapObjectTagMask"],
        smi_tag_mask: ["SmiTagMask"],
        smi_value_shift: ["SmiValueShift"],
        smi_shift_size: ["SmiShiftSize"],
        /// Bytes in a tagged slot; absent before V8 9, then the system's pointer size.
        tagged_size: ["TaggedSize"],
        first_nonstring_type: ["FirstNonstringType"],
        string_encoding_mask: ["StringEncodingMask"],
        one_byte_string_tag: ["OneByteStringTag"],
        string_representation_mask: ["StringRepresentationMask"],
        seq_string_tag: ["SeqStringTag"],
        cons_string_tag: ["ConsStringTag"],
        external_string_tag: ["ExternalStringTag"],
        sliced_string_tag: ["SlicedStringTag"],
        thin_string_tag: ["ThinStringTag"],
        /// Bit of an external string's type that says the data pointer is not cached.
        uncached_external_mask: [],
        /// Bit of a string's type that is set unless it is internalized.
        not_internalized_mask: [],
    }
    /// Map (hidden class).
    map: MapLayout {
        instance_type: ["class_Map__instance_type__"],
        instance_size_in_words: ["class_Map__instance_size_in_words__"],
        inobject_properties_start: ["class_Map__inobject_properties_start_or_constructor_function_index__"],
        used_or_unused: [],
        bit_field: ["class_Map__bit_field__"],
        bit_field2: ["class_Map__bit_field2__"],
        bit_field3: ["class_Map__bit_field3__"],
        prototype: ["class_Map__prototype__"],
        constructor_or_back_pointer: ["class_Map__constructor_or_back_pointer__", "class_Map__constructor_or_backpointer__"],
        descriptors: ["class_Map__instance_descriptors__", "class_Map__instance_descriptors_offset"],
        transitions: ["class_Map__raw_transitions__", "class_Map__transitions__", "class_Map__raw_transitions_or_prototype_info__"],
        elements_kind_mask: ["bit_field2_elements_kind_mask"],
        elements_kind_shift: ["bit_field2_elements_kind_shift"],
        own_descriptors_mask: ["bit_field3_number_of_own_descriptors_mask"],
        own_descriptors_shift: ["bit_field3_number_of_own_descriptors_shift"],
        is_dictionary_shift: ["bit_field3_is_dictionary_map_shift"],
        /// Bit number in bit_field3 of is_prototype_map.
        is_prototype_shift: [],
        /// Bit number in bit_field2 of new_target_is_base.
        new_target_is_base_shift: [],
        /// Bit numbers in bit_field.
        has_non_instance_prototype_shift: [],
        is_callable_shift: [],
        is_constructor_shift: [],
        has_prototype_slot_shift: [],
        /// Which in-object fields are raw doubles; gone with V8 8.
        layout_descriptor: [],
        has_named_interceptor_shift: [],
        has_indexed_interceptor_shift: [],
        is_undetectable_shift: [],
        is_access_check_needed_shift: [],
        /// Bit numbers in bit_field3.
        owns_descriptors_shift: [],
        is_deprecated_shift: [],
        is_extensible_shift: [],
        dependent_code: ["class_Map__dependent_code__"],
        prototype_validity_cell: ["class_Map__prototype_validity_cell__"],
    }
    /// Elements kinds (ElementsKind values).
    elements: Elements {
        fast: ["elements_fast_elements"],
        fast_holey: ["elements_fast_holey_elements"],
        dictionary: ["elements_dictionary_elements"],
        smi: [],
        smi_holey: [],
        double: [],
        double_holey: [],
        sealed: [],
        sealed_holey: [],
        frozen: [],
        frozen_holey: [],
        fast_sloppy_arguments: [],
        slow_sloppy_arguments: [],
        fast_string_wrapper: [],
        slow_string_wrapper: [],
        first_typed_array: [],
        /// Both halves of the double that stands for a hole, for undefined.
        hole_nan_half: [],
        undefined_nan_half: [],
    }
    /// Elements of an `arguments` object that aliases parameters.
    sloppy_arguments: SloppyArgumentsLayout {
        length: [],
        /// Slots that the length counts besides the entries.
        length_beyond_entries: [],
        context: [],
        arguments: [],
        mapped_entries: [],
    }
    /// ElementsKind of each typed array, from `elements.first_typed_array`.
    typed_elements: TypedElements {
        uint8: [],
        int8: [],
        uint16: [],
        int16: [],
        uint32: [],
        int32: [],
        float16: [],
        float32: [],
        float64: [],
        uint8_clamped: [],
        big_uint64: [],
        big_int64: [],
        /// How many there are; those on resizable buffers come after, in the same order.
        count: [],
    }
    /// JSReceiver and JSObject.
    js_object: JSObjectLayout {
        properties_or_hash: ["class_JSReceiver__raw_properties_or_hash__"],
        elements: ["class_JSObject__elements__"],
        header_size: ["class_JSObject__internal_fields__uintptr_t"],
    }
    js_array: JSArrayLayout {
        length: ["class_JSArray__length__"],
    }
    /// Strings.
    string: StringLayout {
        raw_hash: [],
        length: ["class_String__length__"],
        one_byte_chars: ["class_SeqOneByteString__chars__"],
        two_byte_chars: ["class_SeqTwoByteString__chars__"],
        cons_first: ["class_ConsString__first__"],
        cons_second: ["class_ConsString__second__"],
        sliced_parent: ["class_SlicedString__parent__"],
        sliced_offset: ["class_SlicedString__offset__"],
        thin_actual: ["class_ThinString__actual__"],
        external_resource: ["class_ExternalString__resource__"],
        external_data: [],
    }
    symbol: SymbolLayout {
        /// Called `description` by V8.
        description: ["class_Symbol__name__"],
        flags: [],
        is_well_known_shift: [],
        /// Bits of flags of which any is set for a symbol that scripts cannot see.
        private_mask: [],
        /// Bits of flags, and what they are for a `#name`.
        private_name_mask: [],
        private_name_value: [],
        private_brand_mask: [],
        private_brand_value: [],
    }
    heap_number: HeapNumberLayout {
        value: ["class_HeapNumber__value__"],
    }
    oddball: OddballLayout {
        kind: ["class_Oddball__kind_offset__int", "class_Oddball__kind__int"],
        to_string: ["class_Oddball__to_string__"],
        kind_false: ["OddballFalse"],
        kind_true: ["OddballTrue"],
        kind_the_hole: ["OddballTheHole"],
        kind_null: ["OddballNull"],
        kind_undefined: ["OddballUndefined"],
        kind_uninitialized: ["OddballUninitialized"],
        kind_exception: ["OddballException"],
    }
    /// FixedArray and relatives (length is a Smi).
    fixed_array: FixedArrayLayout {
        length: ["class_FixedArrayBase__length__"],
        data: ["class_FixedArray__data__"],
    }
    /// DescriptorArray; entries of `size` words at `header`.
    descriptors: DescriptorsLayout {
        number_of_all: [],
        number_of_descriptors: [],
        enum_cache: [],
        header: ["class_DescriptorArray__header_size__"],
        size: ["prop_desc_size"],
        key: ["prop_desc_key"],
        details: ["prop_desc_details"],
        value: ["prop_desc_value"],
    }
    /// PropertyDetails.
    details: DetailsLayout {
        kind_mask: ["prop_kind_mask"],
        kind_accessor: ["prop_kind_Accessor"],
        location_mask: ["prop_location_mask"],
        location_shift: ["prop_location_shift"],
        location_field: ["prop_location_Field"],
        attributes_mask: ["prop_attributes_mask"],
        attributes_shift: ["prop_attributes_shift"],
        representation_mask: ["prop_representation_mask"],
        representation_shift: ["prop_representation_shift"],
        representation_double: ["prop_representation_double"],
        field_index_mask: ["prop_index_mask"],
        field_index_shift: ["prop_index_shift"],
    }
    /// PropertyDetails in a dictionary.
    dictionary_details: DictionaryDetailsLayout {
        enumeration_index_shift: [],
        enumeration_index_mask: [],
    }
    /// PropertyArray.
    property_array: PropertyArrayLayout {
        length_and_hash: [],
        length_mask: [],
        data: [],
    }
    /// Hash tables: where entries start and how they are cut.
    dictionary: DictionaryLayout {
        /// Element index of the first entry of a HashTable without prefix.
        start_index: ["namedictionary_prefix_start_index"],
        name_prefix: ["namedictionaryshape_prefix_size"],
        name_entry: ["namedictionaryshape_entry_size", "namedictionary_entry_size"],
        number_prefix: ["numberdictionaryshape_prefix_size"],
        number_entry: ["numberdictionaryshape_entry_size"],
        global_prefix: [],
        global_entry: ["globaldictionaryshape_entry_size"],
        /// NameToIndexHashTable.
        name_to_index_prefix: [],
        name_to_index_entry: [],
    }
    property_cell: PropertyCellLayout {
        name: [],
        details: [],
        value: [],
        dependent_code: [],
    }
    accessor_pair: AccessorPairLayout {
        getter: ["class_AccessorPair__getter__"],
        setter: ["class_AccessorPair__setter__"],
    }
    accessor_info: AccessorInfoLayout {
        /// Foreigns, to V8 10.
        getter: [],
        setter: [],
        name: ["class_AccessorInfo__name__"],
        data: ["class_AccessorInfo__data__"],
    }
    allocation_site: AllocationSiteLayout {
        transition_info: ["class_AllocationSite__transition_info_or_boilerplate__"],
        nested_site: ["class_AllocationSite__nested_site__"],
        dependent_code: ["class_AllocationSite__dependent_code__"],
        /// The list of all sites; holds none of them.
        weak_next: ["class_AllocationSite__weak_next__"],
    }
    array_boilerplate_description: ArrayBoilerplateDescriptionLayout {
        constant_elements: [],
    }
    enum_cache: EnumCacheLayout {
        keys: ["class_EnumCache__keys__"],
        indices: ["class_EnumCache__indices__"],
    }
    prototype_info: PrototypeInfoLayout {
        prototype_users: ["class_PrototypeInfo__prototype_users__"],
        prototype_chain_enum_cache: [],
    }
    js_global_object: JSGlobalObjectLayout {
        native_context: [],
        global_proxy: [],
    }
    js_function: JSFunctionLayout {
        shared: ["class_JSFunction__shared__"],
        context: ["class_JSFunction__context__"],
        feedback_cell: ["class_JSFunction__raw_feedback_cell__"],
        code: ["class_JSFunction__code__"],
        prototype_or_initial_map: ["class_JSFunction__prototype_or_initial_map__"],
        /// Index (u32) into the dispatch table, in place of the code from V8 13 on.
        dispatch_handle: [],
    }
    /// Where a class stands in the source.
    class_positions: ClassPositionsLayout {
        start: [],
        end: [],
    }
    function_template_info: FunctionTemplateInfoLayout {
        class_name: [],
    }
    /// How V8 names an object by its constructor (JSReceiver::GetConstructorName): 1 or 0 each.
    naming: Naming {
        /// Symbol.toStringTag and "constructor" are asked of each prototype in turn, not one after
        /// the other of the whole chain.
        by_prototype: [],
        /// After the class name of the template a native object was made from.
        by_template: [],
        /// After the constructor's own "name" property where that is data.
        by_own_name: [],
        /// After the template of what is behind a global proxy.
        by_hidden_prototype: [],
        /// A global proxy without a better name is "global".
        global_proxy: [],
        /// Initializers of class members have names of their own.
        class_initializers: [],
    }
    js_bound_function: JSBoundFunctionLayout {
        target: [],
        this: [],
        arguments: [],
    }
    shared: SharedFunctionInfoLayout {
        /// Where the function's bytecode or other data hangs (trusted data from V8 12 on).
        function_data: ["class_SharedFunctionInfo__function_data__"],
        untrusted_function_data: [],
        name_or_scope_info: ["class_SharedFunctionInfo__name_or_scope_info__"],
        outer_scope_info_or_feedback_metadata: ["class_SharedFunctionInfo__feedback_metadata__", "class_SharedFunctionInfo__raw_outer_scope_info_or_feedback_metadata__"],
        script: ["class_SharedFunctionInfo__raw_script__", "class_SharedFunctionInfo__script__", "class_SharedFunctionInfo__script_or_debug_info__"],
        formal_parameter_count: ["class_SharedFunctionInfo__internal_formal_parameter_count__"],
        function_token_offset: ["class_SharedFunctionInfo__raw_function_token_offset__"],
        flags: ["class_SharedFunctionInfo__flags__"],
        /// FunctionKind in flags.
        kind_mask: [],
        kind_shift: [],
        native_mask: [],
        name_should_print_as_anonymous_mask: [],
        is_toplevel_mask: [],
        /// 1 where the formal parameter count counts the receiver.
        parameter_count_has_receiver: [],
        is_class_constructor_mask: [],
    }
    debug_info: DebugInfoLayout {
        script: ["class_DebugInfo__script__"],
    }
    /// FunctionKind values.
    function_kind: FunctionKinds {
        first_class_constructor: [],
        last_class_constructor: [],
        arrow: [],
        async_arrow: [],
        last_async: [],
        first_generator: [],
        last_generator: [],
        last_concise_method: [],
        first_members_initializer: [],
        first_static_initializer: [],
        last_initializer: [],
    }
    uncompiled_data: UncompiledDataLayout {
        inferred_name: ["class_UncompiledData__inferred_name__"],
        start: ["class_UncompiledData__start_position__"],
        end: ["class_UncompiledData__end_position__"],
    }
    interpreter_data: InterpreterDataLayout {
        bytecode_array: ["class_InterpreterData__bytecode_array__"],
    }
    /// V8 9 to 9.4: between a function and its bytecode once it has baseline code.
    baseline_data: BaselineDataLayout {
        data: [],
    }
    script: ScriptLayout {
        source: ["class_Script__source__"],
        name: ["class_Script__name__"],
        line_offset: ["class_Script__line_offset__"],
        column_offset: ["class_Script__column_offset__"],
        type_: ["class_Script__type__"],
        line_ends: ["class_Script__line_ends__"],
        id: ["class_Script__id__"],
        eval_from_shared: ["class_Script__eval_from_shared_or_wrapped_arguments__"],
        eval_from_position: ["class_Script__eval_from_position__"],
        flags: ["class_Script__flags__"],
        source_url: ["class_Script__source_url__"],
        source_mapping_url: ["class_Script__source_mapping_url__"],
        context_data: ["class_Script__context_data__"],
        shared_function_infos: [],
        host_defined_options: ["class_Script__host_defined_options__"],
        /// Flag: compiled by `eval` or `Function`.
        eval_mask: [],
        /// The type of ordinary scripts.
        type_normal: [],
    }
    /// ScopeInfo. Before V8 9 it is a FixedArray.
    scope_info: ScopeInfoLayout {
        declaration_scope_shift: [],
        language_mode_shift: [],
        flags: [],
        /// 1 where flags are a Smi.
        flags_is_smi: [],
        parameter_count: [],
        context_local_count: [],
        /// Start of the variable part after the counts.
        variable_part: [],
        /// 1 where position info precedes the names (V8 13.6 on), as start and end.
        position_before_names: [],
        /// Number of names from which on they are in a hash table.
        inlined_names_limit: [],
        /// 1 where a module's variable count precedes the names.
        module_count_before_names: [],
        /// ScopeType in flags.
        type_mask: [],
        script_scope: [],
        eval_scope: [],
        function_scope: [],
        module_scope: [],
        class_scope: [],
        /// Bit t is set where a scope of ScopeType t has its position (where it follows the names).
        positioned_scopes: [],
        /// Bit numbers in flags; two bits for a variable's allocation.
        receiver_variable_shift: [],
        /// 1 where a receiver in the stack or context has its index here.
        has_receiver_info: [],
        saved_class_variable_shift: [],
        function_variable_shift: [],
        inferred_name_shift: [],
        function_kind_shift: [],
        outer_scope_info_shift: [],
        context_extension_shift: [],
        is_empty_shift: [],
        /// A list of locals that debuggers must not see follows.
        blocklist_shift: [],
        /// Dependent code follows.
        dependent_code_shift: [],
        /// 1 where a word on unused parameters ends a function's.
        has_unused_parameters: [],
        /// Flag bits of each variable's info: VariableMode and so on.
        variable_mode_mask: [],
    }
    context: ContextLayout {
        scope_info_index: ["context_idx_scope_info"],
        previous_index: ["context_idx_prev"],
        extension_index: ["context_idx_ext"],
        first_slot_index: ["context_min_slots"],
        /// FixedArray-like header: bytes before slot 0.
        slots: [],
        /// In a native context: the embedder's data.
        embedder_data: ["native_context_embedder_data_offset"],
    }
    embedder_data_array: EmbedderDataArrayLayout {
        slots: [],
        slot_size: [],
    }
    /// ContextCell: a variable that closures change, from V8 14 on.
    context_cell: ContextCellLayout {
        tagged_value: [],
        state: [],
        /// Holds the value of an int32 or float64 cell.
        double_value: [],
        int32_state: [],
        float64_state: [],
    }
    /// What stands for a BytecodeArray where no pointer into trusted space may be.
    bytecode_wrapper: BytecodeWrapperLayout {
        bytecode: [],
    }
    /// The same for a Code.
    code_wrapper: CodeWrapperLayout {
        code: [],
    }
    bytecode_array: BytecodeArrayLayout {
        length: ["class_BytecodeArray__length__"],
        source_position_table: ["class_BytecodeArray__source_position_table__"],
        constant_pool: ["class_BytecodeArray__constant_pool__"],
        data: ["class_BytecodeArray__data__"],
        parameter_size: [],
        register_size: [],
        handler_table: ["class_BytecodeArray__handler_table__"],
        /// 1 where the parameter size counts parameters, 0 where bytes; both with the receiver.
        parameter_size_is_count: [],
        /// Where V8 says that a call is which none of the positions is for (a script's offset).
        position_of_none: [],
    }
    code: CodeLayout {
        instruction_start: ["class_Code__instruction_start__"],
        instruction_size: ["class_Code__instruction_size__"],
        instruction_stream: ["class_Code__instruction_stream__"],
        /// To V8 10; later in the InstructionStream.
        relocation_info: ["class_Code__relocation_info__"],
        flags: ["class_Code__flags__"],
        kind_mask: ["CodeKindFieldMask"],
        kind_shift: ["CodeKindFieldShift"],
        deoptimization_data: ["class_Code__deoptimization_data__", "class_Code__deoptimization_data_or_interpreter_data__"],
        source_position_table: ["class_Code__source_position_table__"],
    }
    /// Numbers of code kinds.
    code_kind: CodeKinds {
        maglev: [],
        turbofan: [],
        /// To V8 10.2; later the frames of a regular expression's code have a type.
        regexp: [],
    }
    /// Safepoint tables; offsets from their start.
    safepoint_table: SafepointTableLayout {
        /// Where Code says how far from its first instruction the table is; absent where it
        /// follows the last.
        offset_in_code: [],
        /// 1 where entries are of whole words.
        has_fixed_entries: [],
        length: [],
        header_size: [],
        maglev_header_size: [],
    }
    /// Machine code where it is an object apart from its Code (V8 11 on).
    instruction_stream: InstructionStreamLayout {
        code: [],
        relocation_info: [],
        instruction_start: ["class_InstructionStream__instruction_start__"],
    }
    shared_function_info_wrapper: SharedFunctionInfoWrapperLayout {
        shared: [],
    }
    byte_array: ByteArrayLayout {
        length: [],
        data: [],
    }
    /// Before V8 9.
    source_position_table_with_frame_cache: SourcePositionTableWithFrameCacheLayout {
        table: [],
    }
    /// How source position tables are written.
    source_positions: SourcePositionsLayout {
        /// Code offset the first delta adds to.
        start: [],
        /// 1 where two flag bits are below the delta of the code offset, 0 where it has a sign.
        has_flags: [],
    }
    /// Slots of a native context: the classes of primitive values.
    primitive_functions: PrimitiveFunctions {
        number: [],
        string: [],
        boolean: [],
        symbol: [],
        bigint: [],
    }
    /// How stack traces name frames.
    call_site: CallSiteRules {
        /// 1 where the type name stands only before a function name that is an identifier, 0
        /// where it stands before all that do not begin with it.
        type_before_identifiers_only: [],
        /// A function as receiver goes by its own name: 1 where it is a class, 2 always.
        functions_by_name: [],
        /// A function without a name is looked for by its inferred name.
        method_by_inferred_name: [],
        /// "get name" is no other name than "name".
        accessors_are_named: [],
        /// How places in WebAssembly begin: 0 with nothing, 1 with no name, 2 with the script's.
        wasm_place: [],
        initializers_have_no_method: [],
        /// A function of the embedder's that optimized code calls by itself is in stack traces.
        shows_inlined_api: [],
        /// A function's own displayName comes first.
        by_display_name: [],
        /// A name that V8 computes counts where a prototype has it.
        inherits_native_names: [],
        /// Lines and columns of a script with a source URL are without the script's offset.
        offset_without_source_url: [],
        /// A constructor called by a frame whose translation ends with a construct stub is named so.
        constructors_of_stubs: [],
        /// A call of a thenable's `then` knows who awaits what it settles.
        follows_thenables: [],
        /// What Promise.allSettled waits for is known to be awaited by who awaits that.
        follows_all_settled: [],
    }
    /// Slots of a Code's DeoptimizationData.
    deoptimization_data: DeoptimizationDataLayout {
        literals_index: ["DeoptimizationDataLiteralArrayIndex"],
        inlining_positions_index: ["DeoptimizationDataInliningPositionsIndex"],
        translation_index: [],
        /// Literals that the sandbox protects (V8 13 on): bytecode arrays.
        protected_literals_index: [],
        first_entry_index: [],
        entry_size: [],
        /// In an entry: where its translation begins.
        entry_translation: [],
    }
    js_array_buffer: JSArrayBufferLayout {
        byte_length: ["class_JSArrayBuffer__byte_length__"],
        backing_store: ["class_JSArrayBuffer__backing_store__"],
        bit_field: ["class_JSArrayBuffer__bit_field__"],
        was_detached_mask: ["jsarray_buffer_was_detached_mask"],
        is_shared_mask: [],
        is_resizable_mask: [],
        max_byte_length: [],
        /// C++'s ArrayBufferExtension, which holds the bytes.
        extension: [],
        /// Number of the embedder's fields in each buffer and view.
        embedder_fields: [],
    }
    /// C++ objects behind a buffer.
    backing_store: BackingStoreLayout {
        /// Of ArrayBufferExtension: pointer to the BackingStore.
        in_extension: [],
        byte_length: [],
    }
    js_array_buffer_view: JSArrayBufferViewLayout {
        buffer: ["class_JSArrayBufferView__buffer__"],
        bit_field: [],
        is_length_tracking_mask: [],
        is_backed_by_resizable_mask: [],
        byte_offset: ["class_JSArrayBufferView__byte_offset__"],
        byte_length: ["class_JSArrayBufferView__byte_length__"],
    }
    js_typed_array: JSTypedArrayLayout {
        length: ["class_JSTypedArray__length__"],
        external_pointer: ["class_JSTypedArray__external_pointer__"],
        base_pointer: ["class_JSTypedArray__base_pointer__"],
    }
    js_collection: JSCollectionLayout {
        table: [],
    }
    js_collection_iterator: JSCollectionIteratorLayout {
        table: [],
        index: [],
    }
    /// Slots of an OrderedHashMap or OrderedHashSet.
    ordered_hash_table: OrderedHashTableLayout {
        number_of_elements: [],
        number_of_deleted: [],
        number_of_buckets: [],
        hash_table_start: [],
    }
    js_promise: JSPromiseLayout {
        reactions_or_result: [],
        flags: [],
        /// Status in flags: 0 pending, 1 fulfilled, 2 rejected.
        status_mask: [],
        has_handler_mask: [],
    }
    /// The Context of the functions that resolve and reject a promise: slots from the first that is
    /// not every Context's.
    promise_functions: PromiseFunctionsLayout {
        promise: [],
        /// true once one of them was called, in Contexts of that many such slots; with fewer, there
        /// is no promise any more then.
        already_resolved: [],
        slots: [],
    }
    js_proxy: JSProxyLayout {
        target: [],
        handler: [],
    }
    js_date: JSDateLayout {
        value: ["class_JSDate__value__"],
        /// 1 where it is a raw double.
        value_is_double: [],
    }
    js_reg_exp: JSRegExpLayout {
        data: [],
        source: ["class_JSRegExp__source__"],
        flags: [],
        last_index: ["class_JSRegExp__last_index__"],
    }
    /// Bit numbers of JSRegExp's flags.
    reg_exp_flags: RegExpFlags {
        has_indices: [],
        global: [],
        ignore_case: [],
        multiline: [],
        dot_all: [],
        unicode: [],
        unicode_sets: [],
        sticky: [],
    }
    js_module_namespace: JSModuleNamespaceLayout {
        module: [],
    }
    module: ModuleLayout {
        exports: [],
        status: [],
        namespace: [],
        exception: [],
        code: [],
        /// SourceTextModule: arrays of the cells of its own variables, and of those it imports.
        regular_exports: [],
        regular_imports: [],
        requested_modules: [],
    }
    js_generator: JSGeneratorLayout {
        async_function_promise: [],
        function: [],
        context: [],
        receiver: [],
        input_or_debug_pos: [],
        resume_mode: [],
        continuation: [],
        parameters_and_registers: [],
        /// Values of continuation: running, finished; not negative: suspended there.
        executing: [],
        closed: [],
        /// JSAsyncFunctionObject.
        async_promise: [],
        /// JSAsyncGeneratorObject.
        async_queue: [],
    }
    js_weak_ref: JSWeakRefLayout {
        target: [],
    }
    js_primitive_wrapper: JSPrimitiveWrapperLayout {
        value: [],
    }
    big_int: BigIntLayout {
        bitfield: [],
        digits: [],
    }
    cell: CellLayout {
        value: [],
    }
    tuple2: Tuple2Layout {
        value1: [],
        value2: [],
    }
    feedback_cell: FeedbackCellLayout {
        value: ["class_FeedbackCell__value__"],
    }
    /// HashTable: elements, deleted elements, capacity (Smis), prefix, entries.
    hash_table: HashTableLayout {
        elements: [],
        deleted: [],
        capacity: [],
        /// Where prefix and entries start.
        first: [],
        ephemeron_entry: [],
        simple_number_entry: ["simplenumberdictionaryshape_entry_size"],
    }
    promise_reaction: PromiseReactionLayout {
        next: [],
        reject_handler: [],
        fulfill_handler: [],
        promise_or_capability: [],
    }
    /// Of a microtask that is a promise's reaction.
    promise_reaction_job_task: PromiseReactionJobTaskLayout {
        handler: [],
        promise_or_capability: [],
    }
    promise_resolve_thenable_job_task: PromiseResolveThenableJobTaskLayout {
        promise_to_resolve: [],
    }
    async_generator_request: AsyncGeneratorRequestLayout {
        promise: [],
    }
    promise_capability: PromiseCapabilityLayout {
        promise: [],
        resolve: [],
        reject: [],
    }
    /// JSApiObject: an object made from a template of the embedder.
    js_api_object: JSApiObjectLayout {
        /// Where its embedder fields start.
        header_size: [],
    }
    js_arguments: JSArgumentsLayout {
        length: [],
    }
    js_array_iterator: JSArrayIteratorLayout {
        object: [],
        next_index: [],
        kind: [],
    }
    /// A frame of an Error's stack, as V8 keeps it until someone reads it. StackFrameInfo was its
    /// name in V8 9, CallSiteInfo since.
    call_site_info: CallSiteInfoLayout {
        receiver_or_instance: [],
        function: [],
        code_object: [],
        code_offset: [],
        flags: [],
        /// Bit numbers of flags.
        is_constructor_shift: [],
        is_async_shift: [],
        is_position_computed_shift: [],
        parameters: [],
    }
    /// From V8 14 on an Error keeps its frames in one FixedArray: so many elements a frame, and
    /// which of them is what. CallSiteInfo is made from it when someone asks.
    flat_call_site: FlatCallSiteLayout {
        size: [],
        code: [],
        receiver: [],
        function: [],
        offset: [],
        parameters: [],
        flags: [],
    }
    /// Before V8 9: an Error's stack is an array of these, each an index into a FrameArray.
    stack_trace_frame: StackTraceFrameLayout {
        frame_array: [],
        frame_index: [],
        /// FrameArray: element of the first frame, then words of a frame and where in it.
        first_element: [],
        frame_size: [],
        receiver_element: [],
        function_element: [],
        code_element: [],
        offset_element: [],
        flags_element: [],
        is_constructor_shift: [],
        is_async_shift: [],
        parameters_element: [],
    }
    error_stack_data: ErrorStackDataLayout {
        call_site_infos_or_formatted_stack: [],
        limit_or_stack_frame_infos: [],
    }
    js_message_object: JSMessageObjectLayout {
        message_type: [],
        argument: [],
        script: [],
        stack_frames: [],
        shared_info: [],
        bytecode_offset: [],
        start_position: [],
        end_position: [],
    }
    foreign: ForeignLayout {
        address: [],
    }
    js_external_object: JSExternalObjectLayout {
        value: [],
    }
    allocation_memento: AllocationMementoLayout {
        allocation_site: [],
    }
    feedback_vector: FeedbackVectorLayout {
        length: [],
        shared: [],
        first_slot: [],
    }
    weak_cell: WeakCellLayout {
        finalization_registry: [],
        target: [],
        unregister_token: [],
        holdings: [],
        prev: [],
        next: [],
    }
    js_finalization_registry: JSFinalizationRegistryLayout {
        native_context: [],
        cleanup: [],
        active_cells: [],
        cleared_cells: [],
        key_map: [],
    }
    /// GlobalHandles: blocks of nodes.
    global_handles: GlobalHandlesLayout {
        node_size: [],
        nodes_in_block: [],
    }
    /// C++ objects of Node's that snapshots know by their sizes only.
    node_snapshot: NodeSnapshotLayout {
        array_buffer_allocator_size: [],
        platform_size: [],
    }
    /// MicrotaskQueue: a ring of tagged pointers.
    microtask_queue: MicrotaskQueueLayout {
        size: [],
        capacity: [],
        start: [],
        ring_buffer: [],
        next: [],
        previous: [],
    }
    /// HandleScopeImplementer: blocks of so many handles.
    handle_scope_implementer: HandleScopeImplementerLayout {
        block_size: [],
    }
    /// EternalHandles: blocks of so many handles.
    eternal_handles: EternalHandlesLayout {
        block_size: [],
    }
    /// Frames, from the frame pointer.
    frame: FrameLayout {
        context_or_type: ["off_fp_context_or_frame_type", "off_fp_context"],
        function: ["off_fp_function"],
        argc: [],
        bytecode_array: ["off_fp_bytecode_array"],
        bytecode_offset: ["off_fp_bytecode_offset"],
        args: ["off_fp_args"],
        /// 1 where the count counts the receiver.
        argc_has_receiver: [],
        /// 1 where the receiver has the lowest address, 0 where the last argument has.
        arguments_reversed: [],
        /// Frame of a builtin: number of arguments without the receiver, where `argc` is not known.
        builtin_argc: [],
        /// Arguments adaptor frame: number of arguments (Smi).
        adaptor_length: [],
        /// Of bytecode: its first register; the others lie below it.
        register_file: [],
        /// Frame of a builtin continuation: function, number of arguments (Smi).
        continuation_function: [],
        continuation_argc: [],
        /// Exit frame: the stack pointer at the call.
        /// The instance of a frame of WebAssembly, or since V8 12 its trusted data.
        wasm_instance: [],
        exit_sp: [],
        /// Entry frame: the isolate's c_entry_fp at the time, which is to the next exit frame.
        entry_c_entry_fp: [],
        /// Entry frame: registers of the C++ function that called (System V ABI of x64).
        entry_saved_r12: [],
        entry_saved_r13: [],
        entry_saved_r14: [],
        entry_saved_r15: [],
        entry_saved_rbx: [],
        builtin_exit_new_target: [],
        builtin_exit_target: [],
        builtin_exit_argc: [],
        /// The receiver where arguments are reversed, else the last argument.
        builtin_exit_receiver: [],
        /// What the count counts over the receiver and the arguments.
        builtin_exit_extra: [],
        api_callback_exit_target: [],
        api_callback_exit_receiver: [],
    }
    /// Frame type markers (StackFrame::Type); -1 or missing where a version has no such frame.
    frame_type: FrameTypes {
        entry: ["frametype_EntryFrame"],
        construct_entry: ["frametype_ConstructEntryFrame"],
        exit: ["frametype_ExitFrame"],
        builtin_exit: ["frametype_BuiltinExitFrame"],
        api_callback_exit: ["frametype_ApiCallbackExitFrame"],
        api_construct_exit: ["frametype_ApiConstructExitFrame"],
        api_indexed_accessor_exit: ["frametype_ApiIndexedAccessorExitFrame"],
        api_accessor_exit: ["frametype_ApiAccessorExitFrame", "frametype_ApiNamedAccessorExitFrame"],
        internal: ["frametype_InternalFrame"],
        construct: ["frametype_ConstructFrame"],
        fast_construct: ["frametype_FastConstructFrame"],
        arguments_adaptor: ["frametype_ArgumentsAdaptorFrame"],
        stub: ["frametype_StubFrame"],
        builtin: ["frametype_BuiltinFrame"],
        interpreted: ["frametype_InterpretedFrame"],
        baseline: ["frametype_BaselineFrame"],
        maglev: ["frametype_MaglevFrame"],
        turbofan: ["frametype_TurbofanJSFrame", "frametype_TurbofanFrame", "frametype_OptimizedFrame"],
        builtin_continuation: ["frametype_BuiltinContinuationFrame"],
        java_script_builtin_continuation: ["frametype_JavaScriptBuiltinContinuationFrame"],
        java_script_builtin_continuation_with_catch: ["frametype_JavaScriptBuiltinContinuationWithCatchFrame"],
        native: ["frametype_NativeFrame"],
        irregexp: ["frametype_IrregexpFrame"],
        turbofan_stub_with_context: ["frametype_TurbofanStubWithContextFrame"],
        wasm: ["frametype_WasmFrame", "frametype_WasmCompiledFrame"],
        wasm_exit: ["frametype_WasmExitFrame"],
        wasm_to_js: ["frametype_WasmToJsFrame"],
        wasm_debug_break: ["frametype_WasmDebugBreakFrame"],
        wasm_compile_lazy: ["frametype_WasmCompileLazyFrame", "frametype_WasmLiftoffSetupFrame"],
        js_to_wasm: ["frametype_JsToWasmFrame"],
        c_wasm_entry: ["frametype_CWasmEntryFrame"],
        /// Where a promising export of WebAssembly goes on to a stack of its own: the last frame on the one
        /// stack and the first on the other.
        stack_switch: ["frametype_WasmJspiFrame", "frametype_StackSwitchFrame"],
    }
    /// Header of a 256 KiB page of the heap. Offsets are from the page's metadata, but `flags` and
    /// `metadata`, which are from the page itself.
    page: PageLayout {
        /// Where the pointer to the metadata is; the metadata is the header itself where absent.
        metadata: [],
        flags: [],
        size: [],
        heap: [],
        area_start: [],
        area_end: [],
        owner: [],
        /// Flag bits of the two halves of the young generation.
        from_mask: [],
        to_mask: [],
        /// Flag bit of a page that one large object has for itself; apart from these flags since V8 13.
        large_mask: [],
        /// Flags of the metadata's own, which are among `flags` before V8 14, and those that a page has all
        /// of once it is no longer of its space.
        own_flags: [],
        freed_mask: [],
        /// How far the sweeper is with it, a word, and its values.
        sweeping_state: [],
        sweeping_pending: [],
        sweeping_in_progress: [],
        /// A bit for each word of it, set where a live object begins until it is swept.
        mark_bits: [],
    }
    /// WasmCode, an object of C++. `meta_data` has protected instructions, relocations, source
    /// positions and inlining positions one after the other, where they are not apart.
    wasm_code: WasmCodeLayout {
        native_module: [],
        instructions: [],
        instructions_size: [],
        index: [],
        /// Its address, and 8 after that its length.
        source_position_table: [],
        meta_data: [],
        protected_instructions_size: [],
        reloc_info_size: [],
        source_positions_size: [],
        inlining_positions_size: [],
        inlining_entry_size: [],
    }
    /// Heap: offsets from its start.
    heap: HeapLayout {
        /// `gc_state_`.
        gc_state: [],
    }
    /// The most that a heap may hold.
    heap_limits: HeapLimitsLayout {
        /// How many words before max_old_generation_size_ max_semi_space_size_ is in the Heap.
        semi_space_before: [],
        /// Offset in the Heap, where its limits are in an object of their own (HeapLimits).
        max_semi_space_size: [],
        /// Offsets in HeapLimits.
        initial_max_old_generation_size: [],
        max_old_generation_size: [],
        max_global_memory_size: [],
    }
    /// Isolate: offsets from its start.
    isolate: IsolateLayout {
        heap: [],
        roots: [],
        c_entry_fp: [],
    }
}
