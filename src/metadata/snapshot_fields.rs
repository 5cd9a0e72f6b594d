//! Fields that V8's heap snapshots call by name, and what they call the objects in them; the rest
//! of an object's references are "hidden" ones. From V8's snapshot generator (8.4, 9.4, 10.3,
//! 11.4, 12.3, 13.6, 14.6 source), compared with the snapshots of Node 12 to 26.

use super::{Constant, InstanceType, Layout, V8Version};

/// Where a field is.
#[derive(Clone, Copy)]
pub enum FieldAt {
    /// A constant of the layout.
    Constant(fn(&Layout) -> Constant),
    /// Bytes from the object's start.
    Offset(u16),
}

/// What the snapshot does with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldUse {
    /// An internal edge of this name.
    Internal(&'static str),
    /// A weak edge of this name.
    Weak(&'static str),
    /// Left out.
    Skip,
    /// A hidden edge as of any field; only the tag counts.
    Hidden,
    /// The same, but what it leads to is not held.
    WeakHidden,
}

/// What an object without a name of its own is called after the field it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tag {
    pub name: &'static str,
    /// Becomes of this kind.
    pub becomes: Option<TagKind>,
}

/// Kinds a tag may give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagKind {
    Code,
    ObjectShape,
}

/// A field of the objects of some types.
#[derive(Clone, Copy)]
pub struct SnapshotField {
    /// Holds from this line on.
    pub from: (u32, u32),
    /// And before this one.
    pub before: (u32, u32),
    pub types: &'static [InstanceType],
    pub at: FieldAt,
    pub usage: FieldUse,
    pub tag: Option<Tag>,
}

impl SnapshotField {
    /// Offset in an object of this version.
    pub fn offset(&self, layout: &Layout) -> Option<u64> {
        match self.at {
            FieldAt::Constant(constant) => constant(layout).offset().ok(),
            FieldAt::Offset(offset) => Some(u64::from(offset)),
        }
    }
}

const ALWAYS: (u32, u32) = (0, 0);
const STILL: (u32, u32) = (u32::MAX, 0);

const fn field(
    types: &'static [InstanceType],
    at: FieldAt,
    usage: FieldUse,
    tag: Option<Tag>,
) -> SnapshotField {
    SnapshotField {
        from: ALWAYS,
        before: STILL,
        types,
        at,
        usage,
        tag,
    }
}

impl SnapshotField {
    const fn from(self, from: (u32, u32)) -> SnapshotField {
        SnapshotField { from, ..self }
    }
    const fn before(self, before: (u32, u32)) -> SnapshotField {
        SnapshotField { before, ..self }
    }
}

const fn tag(name: &'static str) -> Option<Tag> {
    Some(Tag {
        name,
        becomes: None,
    })
}

const fn code(name: &'static str) -> Option<Tag> {
    Some(Tag {
        name,
        becomes: Some(TagKind::Code),
    })
}

const fn shape(name: &'static str) -> Option<Tag> {
    Some(Tag {
        name,
        becomes: Some(TagKind::ObjectShape),
    })
}

use FieldAt::{Constant as At, Offset};
use FieldUse::{Hidden, Internal, Skip, Weak, WeakHidden};
use InstanceType as T;

/// V8 gives tags a kind from here on.
const KINDS: (u32, u32) = (10, 2);
/// Object shapes are a type of their own from here on.
const SHAPES: (u32, u32) = (11, 0);

static FIELDS: &[SnapshotField] = &[
    field(
        &[T::Symbol],
        At(|l| l.symbol.description),
        Internal("name"),
        None,
    ),
    field(
        &[T::Map],
        At(|l| l.map.prototype),
        Internal("prototype"),
        None,
    ),
    field(
        &[T::Map],
        At(|l| l.map.descriptors),
        Internal("descriptors"),
        tag("(map descriptors)"),
    ),
    field(
        &[T::Map],
        At(|l| l.map.dependent_code),
        Internal("dependent_code"),
        tag("(dependent code)"),
    ),
    field(
        &[T::Map],
        At(|l| l.map.prototype_validity_cell),
        Hidden,
        shape("(prototype validity cell)"),
    )
    .from(SHAPES),
    field(
        &[T::SharedFunctionInfo],
        At(|l| l.shared.name_or_scope_info),
        Internal("name_or_scope_info"),
        tag("(function scope info)"),
    ),
    field(
        &[T::SharedFunctionInfo],
        At(|l| l.shared.script),
        Internal("script_or_debug_info"),
        None,
    )
    .before((12, 0)),
    field(
        &[T::SharedFunctionInfo],
        At(|l| l.shared.script),
        Internal("script"),
        None,
    )
    .from((12, 0)),
    field(
        &[T::SharedFunctionInfo],
        At(|l| l.shared.function_data),
        Internal("function_data"),
        None,
    )
    .before((12, 5)),
    field(
        &[T::SharedFunctionInfo],
        At(|l| l.shared.function_data),
        Internal("trusted_function_data"),
        None,
    )
    .from((12, 5)),
    field(
        &[T::SharedFunctionInfo],
        At(|l| l.shared.untrusted_function_data),
        Internal("untrusted_function_data"),
        None,
    )
    .from((12, 5)),
    field(
        &[T::SharedFunctionInfo],
        At(|l| l.shared.outer_scope_info_or_feedback_metadata),
        Internal("raw_outer_scope_info_or_feedback_metadata"),
        None,
    ),
    field(
        &[T::Script],
        At(|l| l.script.source),
        Internal("source"),
        None,
    ),
    field(&[T::Script], At(|l| l.script.name), Internal("name"), None),
    field(
        &[T::Script],
        At(|l| l.script.context_data),
        Internal("context_data"),
        None,
    ),
    field(
        &[T::Script],
        At(|l| l.script.line_ends),
        Internal("line_ends"),
        tag("(script line ends)"),
    )
    .before(KINDS),
    field(
        &[T::Script],
        At(|l| l.script.line_ends),
        Internal("line_ends"),
        code("(script line ends)"),
    )
    .from(KINDS),
    field(
        &[T::Script],
        At(|l| l.script.shared_function_infos),
        Hidden,
        code("(shared function infos)"),
    )
    .from(KINDS)
    .before((13, 0)),
    field(
        &[T::Script],
        At(|l| l.script.shared_function_infos),
        Hidden,
        code("(infos)"),
    )
    .from((13, 0)),
    field(
        &[T::Script],
        At(|l| l.script.host_defined_options),
        Hidden,
        code("(host-defined options)"),
    )
    .from(KINDS),
    field(
        &[T::AccessorInfo],
        At(|l| l.accessor_info.name),
        Internal("name"),
        None,
    ),
    field(
        &[T::AccessorInfo],
        At(|l| l.accessor_info.data),
        Internal("data"),
        None,
    ),
    field(
        &[T::AccessorInfo],
        At(|l| l.accessor_info.getter),
        Internal("getter"),
        None,
    )
    .before((11, 0)),
    field(
        &[T::AccessorInfo],
        At(|l| l.accessor_info.setter),
        Internal("setter"),
        None,
    )
    .before((11, 0)),
    field(
        &[T::AccessorPair],
        At(|l| l.accessor_pair.getter),
        Internal("getter"),
        None,
    ),
    field(
        &[T::AccessorPair],
        At(|l| l.accessor_pair.setter),
        Internal("setter"),
        None,
    ),
    field(&[T::Cell], At(|l| l.cell.value), Internal("value"), None),
    field(
        &[T::FeedbackCell],
        At(|l| l.feedback_cell.value),
        Internal("value"),
        None,
    ),
    field(
        &[T::PropertyCell],
        At(|l| l.property_cell.value),
        Internal("value"),
        None,
    ),
    field(
        &[T::PropertyCell],
        At(|l| l.property_cell.dependent_code),
        Internal("dependent_code"),
        tag("(dependent code)"),
    ),
    field(
        &[T::AllocationSite],
        At(|l| l.allocation_site.transition_info),
        Internal("transition_info"),
        None,
    ),
    field(
        &[T::AllocationSite],
        At(|l| l.allocation_site.nested_site),
        Internal("nested_site"),
        None,
    ),
    field(
        &[T::AllocationSite],
        At(|l| l.allocation_site.dependent_code),
        Internal("dependent_code"),
        tag("(dependent code)"),
    )
    .before(KINDS),
    field(
        &[T::AllocationSite],
        At(|l| l.allocation_site.dependent_code),
        Internal("dependent_code"),
        code("(dependent code)"),
    )
    .from(KINDS),
    field(
        &[T::AllocationSite],
        At(|l| l.allocation_site.weak_next),
        Skip,
        None,
    ),
    field(
        &[T::ArrayBoilerplateDescription],
        At(|l| l.array_boilerplate_description.constant_elements),
        Internal("constant_elements"),
        None,
    )
    .before(KINDS),
    field(
        &[T::ArrayBoilerplateDescription],
        At(|l| l.array_boilerplate_description.constant_elements),
        Internal("constant_elements"),
        code("(constant elements)"),
    )
    .from(KINDS),
    field(
        &[T::RegExpBoilerplateDescription],
        Offset(8),
        Hidden,
        code("(RegExp data)"),
    )
    .from(KINDS)
    .before((13, 0)),
    field(
        &[T::RegExpBoilerplateDescription],
        Offset(8),
        Hidden,
        code("(RegExpData)"),
    )
    .from((13, 0)),
    field(
        &[T::DescriptorArray, T::StrongDescriptorArray],
        At(|l| l.descriptors.enum_cache),
        Internal("enum_cache"),
        None,
    ),
    field(
        &[T::EnumCache],
        At(|l| l.enum_cache.keys),
        Hidden,
        shape("(enum cache)"),
    )
    .from(SHAPES),
    field(
        &[T::EnumCache],
        At(|l| l.enum_cache.indices),
        Hidden,
        shape("(enum cache)"),
    )
    .from(SHAPES),
    field(
        &[T::PrototypeInfo],
        At(|l| l.prototype_info.prototype_users),
        Hidden,
        shape("(prototype users)"),
    )
    .from(SHAPES),
    field(
        &[T::PrototypeInfo],
        At(|l| l.prototype_info.prototype_chain_enum_cache),
        Hidden,
        shape("(prototype chain enum cache)"),
    )
    .from(SHAPES),
    field(
        &[T::WeakCell],
        At(|l| l.weak_cell.target),
        Weak("target"),
        None,
    ),
    field(
        &[T::WeakCell],
        At(|l| l.weak_cell.unregister_token),
        Weak("unregister_token"),
        None,
    ),
    field(
        &[T::JSWeakRef],
        At(|l| l.js_weak_ref.target),
        WeakHidden,
        None,
    )
    .before((10, 0)),
    field(
        &[T::JSWeakRef],
        At(|l| l.js_weak_ref.target),
        Weak("target"),
        None,
    )
    .from((10, 0)),
    field(
        &[T::JSMap, T::JSSet, T::JSWeakMap, T::JSWeakSet],
        At(|l| l.js_collection.table),
        Internal("table"),
        None,
    ),
    field(
        &[T::JSPromise],
        At(|l| l.js_promise.reactions_or_result),
        Internal("reactions_or_result"),
        None,
    ),
    field(
        GENERATORS,
        At(|l| l.js_generator.function),
        Internal("function"),
        None,
    ),
    field(
        GENERATORS,
        At(|l| l.js_generator.context),
        Internal("context"),
        None,
    ),
    field(
        GENERATORS,
        At(|l| l.js_generator.receiver),
        Internal("receiver"),
        None,
    ),
    field(
        GENERATORS,
        At(|l| l.js_generator.parameters_and_registers),
        Internal("parameters_and_registers"),
        None,
    ),
    field(
        &[T::JSBoundFunction],
        At(|l| l.js_bound_function.arguments),
        Internal("bindings"),
        tag("(bound arguments)"),
    ),
    field(
        &[T::JSBoundFunction],
        At(|l| l.js_bound_function.this),
        Internal("bound_this"),
        None,
    ),
    field(
        &[T::JSBoundFunction],
        At(|l| l.js_bound_function.target),
        Internal("bound_function"),
        None,
    ),
    field(
        &[T::JSTypedArray, T::JSDataView, T::JSRabGsabDataView],
        At(|l| l.js_array_buffer_view.buffer),
        Internal("buffer"),
        None,
    ),
    field(
        &[T::JSGlobalObject],
        At(|l| l.js_global_object.native_context),
        Internal("native_context"),
        None,
    )
    .before((13, 0)),
    field(
        &[T::JSGlobalProxy],
        At(|l| l.js_object.header_size),
        Internal("native_context"),
        None,
    )
    .before((13, 0)),
    field(
        &[T::JSGlobalObject],
        At(|l| l.js_global_object.global_proxy),
        Internal("global_proxy"),
        None,
    ),
    field(
        &[T::BytecodeArray],
        At(|l| l.bytecode_array.handler_table),
        Hidden,
        code("(handler table)"),
    )
    .from(KINDS),
    field(
        &[T::BytecodeArray],
        At(|l| l.bytecode_array.source_position_table),
        Hidden,
        code("(source position table)"),
    )
    .from(KINDS),
    field(
        &[T::InstructionStream],
        At(|l| l.instruction_stream.code),
        Internal("code"),
        code("(code)"),
    )
    .from((11, 4)),
    field(
        &[T::InstructionStream],
        At(|l| l.instruction_stream.relocation_info),
        Internal("relocation_info"),
        code("(code relocation info)"),
    ),
];

const GENERATORS: &[InstanceType] = &[
    T::JSGeneratorObject,
    T::JSAsyncFunctionObject,
    T::JSAsyncGeneratorObject,
];

/// The fields of a type's objects in a version.
pub fn snapshot_fields(
    version: V8Version,
    kind: InstanceType,
) -> impl Iterator<Item = &'static SnapshotField> {
    let line = version.line();
    FIELDS
        .iter()
        .filter(move |f| f.from <= line && line < f.before && f.types.contains(&kind))
}
