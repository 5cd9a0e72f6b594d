//! What is the same for all objects of a Map: type and name of their nodes, named fields,
//! properties, how they are visited. Worked out once a Map.

use super::dispatch::DispatchTable;
use super::mark::weak_offsets;
use super::names::{Key, Names};
use super::space::{jump_target, word_at, Ordinal, Space};
use crate::graph::{NodeType, StringId};
use crate::heap::{body, Body, Tally};
use crate::metadata::{snapshot_fields, FieldUse, InstanceType, Layout, TagKind};
use crate::object::{
    constructor_name_of_map, Cx, HeapObject, Map, MapName, PropertyDetails, Tagged,
};

/// A field of a Map's objects that snapshots name.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    pub offset: u16,
    pub usage: FieldUse,
    /// Name of the edge.
    pub name: StringId,
    /// What the node it leads to is called if it has no name, and what it becomes.
    pub tag: Option<(StringId, Option<TagKind>)>,
}

/// Where a property's value is.
#[derive(Debug, Clone, Copy)]
pub enum PropertyAt {
    /// In the object, at an offset.
    Inside(u32),
    /// In its PropertyArray.
    Outside(u32),
    /// In the descriptors: the same for all.
    Constant(Tagged),
}

/// A property of a Map's objects.
#[derive(Debug, Clone, Copy)]
pub struct ShapeProperty {
    pub key: Key,
    pub at: PropertyAt,
    pub is_accessor: bool,
}

/// How elements are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ElementsForm {
    /// Nothing that snapshots list one by one.
    None,
    Tagged,
    Dictionary,
}

/// How a node gets its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameOf {
    /// All have this one.
    Fixed(StringId),
    /// The constructor's, asked of each.
    Constructor,
    /// The same, and what it is.
    Global(&'static str),
    /// A string's own text.
    Text,
    /// That of one that holds it itself, a byte a character.
    OneByteText,
    Function,
    Shared,
    Script,
    RegExp,
    Oddball,
    Symbol,
    /// A Map, which is called after its objects' type if they are strings.
    Map,
}

/// What a Map tells of its objects.
#[derive(Debug, Clone)]
pub struct Shape {
    pub kind: InstanceType,
    pub number: u16,
    pub node_type: NodeType,
    pub name: NameOf,
    pub body: Body,
    pub fields: Vec<Field>,
    pub weak_offsets: Vec<u16>,
    pub is_js_object: bool,
    pub is_fixed_array: bool,
    pub is_dictionary: bool,
    pub properties: Vec<ShapeProperty>,
    pub elements: ElementsForm,
    pub prototype: Tagged,
    /// First embedder field's offset and how many.
    pub embedder: (u32, u32),
    pub has_prototype_slot: bool,
}

/// All shapes.
pub struct Shapes {
    list: Vec<Shape>,
    /// Offset of the first key in a WeakMap's table.
    pub ephemerons_start: usize,
    pub dispatch: Option<DispatchTable>,
}

impl Shapes {
    /// Works them out.
    pub fn new(cx: Cx, space: &Space, names: &mut Names) -> Shapes {
        let layout = cx.layout;
        let list = space
            .index
            .maps
            .iter()
            .map(|info| {
                let map = Map(HeapObject::new(cx, info.address));
                shape(cx, map, info.kind, info.number, names)
            })
            .collect();
        let start = layout.dictionary.start_index.offset().unwrap_or(3);
        let data = layout.fixed_array.data.offset().unwrap_or(16);
        Shapes {
            list,
            ephemerons_start: (data + start * 8) as usize,
            dispatch: None,
        }
    }

    /// The shape of a Map by its index.
    #[inline]
    pub fn of(&self, map: u32) -> &Shape {
        &self.list[map as usize]
    }

    /// How many objects are called by their text, by the number of each Map's objects.
    pub fn texts(&self, tallies: &[Tally]) -> usize {
        let texts = self.list.iter().zip(tallies);
        let texts = texts.filter(|(s, _)| matches!(s.name, NameOf::Text | NameOf::OneByteText));
        texts.map(|(_, tally)| tally.count as usize).sum()
    }

    /// The other code that machine code, which begins `start` bytes into its object, goes to at a
    /// place in it.
    #[inline]
    pub fn called(
        &self,
        space: &Space,
        object: Ordinal,
        bytes: &[u8],
        at: usize,
        start: usize,
    ) -> Option<Ordinal> {
        let address = space.address(object);
        let target = jump_target(bytes, at, address)?.checked_sub(start as u64)?;
        if target == address {
            return None;
        }
        let code = space.at(target)?;
        (space.map(code).kind == space.map(object).kind).then_some(code)
    }

    /// The Code of a function whose Code is not in one of its words.
    #[inline]
    pub fn code_of(&self, shape: &Shape, bytes: &[u8]) -> Option<Ordinal> {
        let dispatch = self.dispatch.as_ref()?;
        if !shape.kind.is_js_function() {
            return None;
        }
        let word = word_at(bytes, dispatch.offset_in_function)?;
        dispatch.code(word as u32)
    }
}

fn shape(cx: Cx, map: Map, kind: InstanceType, number: u16, names: &mut Names) -> Shape {
    use InstanceType as T;
    let layout = cx.layout;
    let is_js_object = layout.types.is_js_object(number) && kind != T::JSGlobalProxy
        || layout.types.is_js_object(number);
    let (node_type, name) = node(cx, map, kind, number, names);
    let mut fields: Vec<Field> = snapshot_fields(layout.version, kind)
        .filter_map(|f| {
            let name = match f.usage {
                FieldUse::Internal(name) | FieldUse::Weak(name) => names.intern(name),
                FieldUse::Skip | FieldUse::Hidden | FieldUse::WeakHidden => 0,
            };
            Some(Field {
                offset: u16::try_from(f.offset(layout)?).ok()?,
                usage: f.usage,
                name,
                tag: f.tag.map(|tag| (names.intern(tag.name), tag.becomes)),
            })
        })
        .collect();
    let mut extra =
        |constant: crate::metadata::Constant, name: &'static str, tag: Option<&'static str>| {
            if let Ok(Ok(offset)) = constant.offset().map(u16::try_from) {
                fields.push(Field {
                    offset,
                    usage: FieldUse::Internal(name),
                    name: names.intern(name),
                    tag: tag.map(|name| (names.intern(name), None)),
                });
            }
        };
    if kind.is_js_function() {
        let f = &layout.js_function;
        extra(
            f.feedback_cell,
            "feedback_cell",
            Some("(function feedback cell)"),
        );
        extra(f.shared, "shared", Some("(shared function info)"));
        extra(f.context, "context", Some("(context)"));
        extra(f.code, "code", None);
    }
    if is_js_object && kind != T::JSGlobalProxy && kind != T::JSArrayBuffer {
        let f = &layout.js_object;
        extra(
            f.properties_or_hash,
            "properties",
            Some("(object properties)"),
        );
        extra(f.elements, "elements", Some("(object elements)"));
    }
    let weak_offsets = weak_offsets(&fields);
    let properties = match is_js_object {
        true => fast_properties(cx, map, names),
        false => Vec::new(),
    };
    Shape {
        kind,
        number,
        node_type,
        name,
        body: body(layout, kind, number),
        fields,
        weak_offsets,
        is_js_object,
        is_fixed_array: is_fixed_array(layout, kind),
        is_dictionary: is_js_object && map.is_dictionary().unwrap_or(false),
        properties,
        elements: match is_js_object {
            true => elements_form(layout, map),
            false => ElementsForm::None,
        },
        prototype: map.prototype().unwrap_or(Tagged(0)),
        embedder: match is_js_object {
            true => embedder_fields(map, kind, layout),
            false => (0, 0),
        },
        has_prototype_slot: kind.is_js_function() && map.has_prototype_slot().unwrap_or(false),
    }
}

/// V8's FixedArray and what derives from it (but contexts).
fn is_fixed_array(layout: &Layout, kind: InstanceType) -> bool {
    use InstanceType as T;
    let line = layout.version.line();
    match kind {
        T::FixedArray => true,
        T::EphemeronHashTable => false,
        T::ObjectBoilerplateDescription | T::ClosureFeedbackCellArray | T::ScriptContextTable => {
            line < (12, 0)
        }
        T::ScopeInfo => line < (9, 0),
        kind => kind.is_hash_table(),
    }
}

fn elements_form(layout: &Layout, map: Map) -> ElementsForm {
    let e = &layout.elements;
    let Ok(kind) = map.elements_kind() else {
        return ElementsForm::None;
    };
    let is = |c: crate::metadata::Constant| c.known() == Some(kind);
    let object = is(e.fast) || is(e.fast_holey);
    match () {
        _ if is(e.dictionary) => ElementsForm::Dictionary,
        _ if object => ElementsForm::Tagged,
        _ => ElementsForm::None,
    }
}

/// Offset of the first embedder field and their number.
fn embedder_fields(map: Map, kind: InstanceType, layout: &Layout) -> (u32, u32) {
    use InstanceType as T;
    let header = layout.js_object.header_size.offset().unwrap_or(24);
    let first = match kind {
        T::JSApiObject | T::JSSpecialApiObject => header,
        T::JSArrayBuffer | T::JSTypedArray | T::JSDataView => {
            // Two, in front of a subclass's in-object properties; Node keeps no object in them.
            return (0, 0);
        }
        _ => return (0, 0),
    };
    let (Ok(size), Ok(start)) = (map.instance_size(), map.inobject_properties_start()) else {
        return (0, 0);
    };
    let end = (start * 8).min(size);
    let prefix = match layout.version.at_least(12, 9) {
        // JSAPIObjectWithEmbedderSlots keeps a pointer of C++ before the slots.
        true => 8,
        false => 0,
    };
    let first = first + prefix;
    (first as u32, (end.saturating_sub(first) / 8) as u32)
}

fn fast_properties(cx: Cx, map: Map, names: &mut Names) -> Vec<ShapeProperty> {
    if map.is_dictionary().unwrap_or(true) {
        return Vec::new();
    }
    let Ok(entries) = map.own_descriptor_entries() else {
        return Vec::new();
    };
    let start = map.inobject_properties_start().unwrap_or(0);
    let words = map.instance_size().unwrap_or(0) / 8;
    let inside = words.saturating_sub(start);
    entries
        .iter()
        .filter_map(|d| {
            let details = d.details?;
            let is_accessor = details.is_accessor(cx).ok()?;
            let at = if !details.is_field(cx).ok()? {
                PropertyAt::Constant(d.value)
            } else if is_number(cx, details) {
                return None;
            } else {
                let index = details.field_index(cx).ok()?;
                match index.checked_sub(inside) {
                    None => PropertyAt::Inside(((start + index) * 8) as u32),
                    Some(outside) => PropertyAt::Outside(outside as u32),
                }
            };
            Some(ShapeProperty {
                key: names.key(cx, d.key),
                at,
                is_accessor,
            })
        })
        .collect()
}

/// Small integers and doubles are left out.
fn is_number(cx: Cx, details: PropertyDetails) -> bool {
    let d = &cx.layout.details;
    let (Some(mask), Some(shift)) = (
        d.representation_mask.known(),
        d.representation_shift.known(),
    ) else {
        return false;
    };
    let representation = (details.0 & mask) >> shift.clamp(0, 31);
    let double = d.representation_double.known().unwrap_or(2);
    // Smi comes right before Double in every version.
    representation == double || representation == double - 1
}

fn node(
    cx: Cx,
    map: Map,
    kind: InstanceType,
    number: u16,
    names: &mut Names,
) -> (NodeType, NameOf) {
    use InstanceType as T;
    let layout = cx.layout;
    let line = layout.version.line();
    let mut fixed = |kind, name: &str| (kind, NameOf::Fixed(names.intern(name)));
    if layout.types.is_js_object(number) {
        if kind.is_js_function() {
            return (NodeType::Closure, NameOf::Function);
        }
        return match kind {
            T::JSBoundFunction => fixed(NodeType::Closure, "native_bind"),
            T::JSRegExp => (NodeType::RegExp, NameOf::RegExp),
            T::JSGlobalObject | T::JSGlobalProxy if line >= (14, 0) => {
                let suffix = match kind {
                    T::JSGlobalObject => " (global*)",
                    _ => " (global)",
                };
                (NodeType::Object, NameOf::Global(suffix))
            }
            _ => match constructor_name_of_map(map) {
                Ok(MapName::Name(name)) => fixed(NodeType::Object, &name),
                _ => (NodeType::Object, NameOf::Constructor),
            },
        };
    }
    if layout.types.is_string(number) {
        let mask = layout.tagging.string_representation_mask.known();
        let shape = mask.map(|m| i64::from(number) & m);
        return if shape == layout.tagging.cons_string_tag.known() {
            fixed(NodeType::ConsString, "(concatenated string)")
        } else if shape == layout.tagging.sliced_string_tag.known() {
            fixed(NodeType::SlicedString, "(sliced string)")
        } else {
            let tags = &layout.tagging;
            let encoding = tags.string_encoding_mask.known();
            let encoding = encoding.map(|m| i64::from(number) & m);
            let inside = shape.is_some()
                && shape == tags.seq_string_tag.known()
                && encoding.is_some()
                && encoding == tags.one_byte_string_tag.known();
            match inside {
                true => (NodeType::String, NameOf::OneByteText),
                false => (NodeType::String, NameOf::Text),
            }
        };
    }
    if kind.is_context() {
        return match kind {
            T::NativeContext => fixed(NodeType::Hidden, "system / NativeContext"),
            _ => fixed(NodeType::Object, "system / Context"),
        };
    }
    match kind {
        T::Symbol => (NodeType::Symbol, NameOf::Symbol),
        T::BigInt => fixed(NodeType::BigInt, "bigint"),
        T::Code | T::InstructionStream => fixed(NodeType::Code, ""),
        T::CodeDataContainer if line >= (11, 0) => fixed(NodeType::Code, ""),
        T::SharedFunctionInfo => (NodeType::Code, NameOf::Shared),
        T::Script => (NodeType::Code, NameOf::Script),
        T::HeapNumber if line < (9, 0) => fixed(NodeType::Number, "number"),
        T::HeapNumber => fixed(NodeType::Number, "heap number"),
        T::Oddball if line >= (13, 0) => (NodeType::Hidden, NameOf::Oddball),
        T::Map => (NodeType::Hidden, NameOf::Map),
        _ => {
            let name = system_name(layout, kind);
            let node_type = system_type(layout, kind);
            fixed(node_type, &name)
        }
    }
}

fn is_array(layout: &Layout, kind: InstanceType) -> bool {
    use InstanceType as T;
    is_fixed_array(layout, kind)
        || matches!(
            kind,
            T::EphemeronHashTable | T::FixedDoubleArray | T::ByteArray
        )
}

fn system_name(layout: &Layout, kind: InstanceType) -> String {
    if is_array(layout, kind) {
        return String::new();
    }
    if !layout.version.at_least(9, 0) && !has_name_before_9(kind) {
        return "system".to_string();
    }
    format!("system / {}", kind.name())
}

/// Before V8 9 only Structs and a few others had names.
fn has_name_before_9(kind: InstanceType) -> bool {
    use InstanceType as T;
    matches!(
        kind,
        T::Map
            | T::Cell
            | T::PropertyCell
            | T::Foreign
            | T::Oddball
            | T::AllocationSite
            | T::PromiseFulfillReactionJobTask
            | T::PromiseRejectReactionJobTask
            | T::CallableTask
            | T::CallbackTask
            | T::PromiseResolveThenableJobTask
            | T::FunctionTemplateInfo
            | T::ObjectTemplateInfo
            | T::AccessCheckInfo
            | T::AccessorInfo
            | T::AccessorPair
            | T::AliasedArgumentsEntry
            | T::AllocationMemento
            | T::ArrayBoilerplateDescription
            | T::AsmWasmData
            | T::AsyncGeneratorRequest
            | T::BreakPoint
            | T::BreakPointInfo
            | T::CachedTemplateObject
            | T::ClassPositions
            | T::DebugInfo
            | T::EnumCache
            | T::FunctionTemplateRareData
            | T::InterceptorInfo
            | T::InterpreterData
            | T::PromiseCapability
            | T::PromiseReaction
            | T::PrototypeInfo
            | T::Script
            | T::StackFrameInfo
            | T::StackTraceFrame
            | T::TemplateObjectDescription
            | T::Tuple2
    )
}

fn system_type(layout: &Layout, kind: InstanceType) -> NodeType {
    use InstanceType as T;
    let typed = layout.version.at_least(10, 2);
    let shapes = layout.version.at_least(11, 0);
    match kind {
        T::AllocationSite
        | T::ArrayBoilerplateDescription
        | T::BytecodeArray
        | T::ClosureFeedbackCellArray
        | T::FeedbackCell
        | T::FeedbackMetadata
        | T::FeedbackVector
        | T::InterpreterData
        | T::LoadHandler
        | T::ObjectBoilerplateDescription
        | T::PreparseData
        | T::RegExpBoilerplateDescription
        | T::ScopeInfo
        | T::StoreHandler
        | T::TemplateObjectDescription
        | T::UncompiledDataWithPreparseData
        | T::UncompiledDataWithPreparseDataAndJob
        | T::UncompiledDataWithoutPreparseData
        | T::UncompiledDataWithoutPreparseDataWithJob
            if typed =>
        {
            NodeType::Code
        }
        T::CodeDataContainer if typed => NodeType::Code,
        T::BytecodeWrapper | T::CodeWrapper if layout.version.at_least(12, 5) => NodeType::Code,
        kind if is_array(layout, kind) => NodeType::Array,
        T::DescriptorArray
        | T::StrongDescriptorArray
        | T::TransitionArray
        | T::PrototypeInfo
        | T::EnumCache
            if shapes =>
        {
            NodeType::ObjectShape
        }
        _ => NodeType::Hidden,
    }
}
