//! What is inside objects of V8's own.

use super::details::{content, key, push};
use super::{Content, Item, Items, Key, Options, Section, Value};
use crate::error::Result;
use crate::metadata::{Constant, InstanceType as T};
use crate::object::{
    is_the_hole, Attributes, FixedArray, HeapObject, Map, PropertyDetails, PropertyValue,
    ScopeInfo, Script, SharedFunctionInfo, Tagged,
};

/// Adds the parts of an object that is no JSObject.
pub(super) fn fill(object: HeapObject, kind: T, options: Options, sections: &mut Vec<Section>) {
    match kind {
        T::Map => {
            push(sections, "fields", map_fields(Map(object), options));
            push(
                sections,
                "descriptors",
                map_descriptors(Map(object), options),
            );
        }
        T::DescriptorArray | T::StrongDescriptorArray => {
            push(sections, "descriptors", descriptor_array(object, options));
        }
        T::Script => push(sections, "fields", script(Script(object), options)),
        T::SharedFunctionInfo => {
            push(
                sections,
                "fields",
                shared(SharedFunctionInfo(object), options),
            );
        }
        T::ScopeInfo => push(sections, "fields", scope_info(ScopeInfo(object), options)),
        T::FixedDoubleArray => push(sections, "contents", doubles(object, options)),
        T::FixedArray
        | T::WeakFixedArray
        | T::TrustedFixedArray
        | T::TrustedWeakFixedArray
        | T::ProtectedFixedArray
        | T::ProtectedWeakFixedArray
        | T::ClosureFeedbackCellArray => push(sections, "contents", contents(object, options)),
        _ if kind.is_hash_table() => push(sections, "contents", contents(object, options)),
        _ => push(sections, "fields", fields(object, kind, options)),
    }
}

fn contents(object: HeapObject, options: Options) -> Result<Option<Section>> {
    let cx = object.cx;
    let array = FixedArray(object);
    let length = array.len()?;
    let limit = options.length.map_or(usize::MAX, |l| l.max(MIN_CONTENTS));
    let slots = array.slice(0, limit)?;
    let more = length.saturating_sub(slots.len() as u64);
    let items = slots
        .into_iter()
        .enumerate()
        .map(|(index, value)| {
            Item::new(
                Key::Index(index as u64),
                content(cx, Ok(PropertyValue::Tagged(value)), options),
            )
        })
        .collect();
    Ok(Some(Section::Contents(Items {
        items,
        more: (more > 0).then_some(more),
    })))
}

/// llnode shows all slots of a FixedArray; so do we, up to many.
const MIN_CONTENTS: usize = 10_000;

fn doubles(object: HeapObject, options: Options) -> Result<Option<Section>> {
    let cx = object.cx;
    let layout = &cx.layout.fixed_array;
    let length = u64::try_from(object.smi_field(layout.length)?).unwrap_or(0);
    let shown = length.min(
        options
            .length
            .map_or(u64::MAX, |l| l.max(MIN_CONTENTS) as u64),
    );
    let mut items = Vec::new();
    for index in 0..shown {
        let at = object.slot(
            layout
                .data
                .offset()?
                .saturating_add(index.saturating_mul(8)),
        )?;
        let value = cx.memory.u64(at)?;
        items.push(Item::new(
            Key::Index(index),
            Content::Value(Value::double(f64::from_bits(value))),
        ));
    }
    Ok(Some(Section::Contents(Items {
        items,
        more: (length > shown).then_some(length - shown),
    })))
}

fn item(object: HeapObject, name: &'static str, value: Result<Tagged>, options: Options) -> Item {
    Item::new(
        Key::Internal(name),
        content(object.cx, value.map(PropertyValue::Tagged), options),
    )
}

fn note(name: &'static str, text: impl Into<String>) -> Item {
    Item::new(Key::Internal(name), Content::Note(text.into()))
}

fn fields_section(items: Vec<Item>) -> Result<Option<Section>> {
    Ok((!items.is_empty()).then_some(Section::Fields(Items { items, more: None })))
}

fn map_fields(map: Map, options: Options) -> Result<Option<Section>> {
    let object = map.0;
    let layout = &object.cx.layout.map;
    let mut items = vec![
        note("instance_type", map.instance_type()?.name()),
        note("elements_kind", map.elements_kind()?.to_string()),
        item(object, "constructor", map.constructor(), options),
        item(object, "prototype", map.prototype(), options),
        item(
            object,
            "constructor_or_back_pointer",
            object.field(layout.constructor_or_back_pointer),
            options,
        ),
        item(
            object,
            "transitions",
            object.field(layout.transitions),
            options,
        ),
    ];
    let flags = [
        (map.is_dictionary(), "dictionary"),
        (map.is_prototype(), "prototype"),
        (map.is_callable(), "callable"),
        (map.is_constructor(), "constructor"),
    ];
    let set: Vec<&str> = flags
        .into_iter()
        .filter(|(is, _)| *is == Ok(true))
        .map(|(_, name)| name)
        .collect();
    if !set.is_empty() {
        items.push(note("flags", set.join(" ")));
    }
    fields_section(items)
}

fn map_descriptors(map: Map, options: Options) -> Result<Option<Section>> {
    descriptors(map.0, map.own_descriptor_entries()?, options)
}

fn descriptor_array(object: HeapObject, options: Options) -> Result<Option<Section>> {
    let array = crate::object::DescriptorArray(object);
    let entries = array.entries(array.number_of_descriptors()?)?;
    descriptors(object, entries, options)
}

fn descriptors(
    object: HeapObject,
    entries: Vec<crate::object::Descriptor>,
    options: Options,
) -> Result<Option<Section>> {
    let cx = object.cx;
    let describe = |details: PropertyDetails| -> Result<(String, bool)> {
        let field = details.is_field(cx)?;
        let what = if details.is_accessor(cx)? {
            "accessor".to_string()
        } else if field {
            let double = if details.is_double(cx)? {
                " double"
            } else {
                ""
            };
            format!("field {}{double}", details.field_index(cx)?)
        } else {
            "constant".to_string()
        };
        Ok((what, field))
    };
    let items = entries
        .into_iter()
        .map(|d| {
            let details = d.details.map(describe);
            let value = match details {
                Some(Ok((what, true))) => Content::Note(what),
                Some(Ok((_, false))) => content(cx, Ok(PropertyValue::Tagged(d.value)), options),
                Some(Err(error)) => Content::Unreadable {
                    reason: error.to_string(),
                },
                None => Content::Unreadable {
                    reason: "its details are no Smi".into(),
                },
            };
            let attributes = d.details.map(|d| d.attributes(cx));
            Item {
                key: key(cx, d.key),
                value,
                attributes: attributes
                    .and_then(|a| a.ok())
                    .unwrap_or_else(Attributes::default),
            }
        })
        .collect();
    Ok(Some(Section::Descriptors(Items { items, more: None })))
}

fn script(script: Script, options: Options) -> Result<Option<Section>> {
    let object = script.0;
    let layout = &object.cx.layout.script;
    let field = |name, constant: Constant| item(object, name, object.field(constant), options);
    fields_section(vec![
        field("name", layout.name),
        field("source", layout.source),
        field("id", layout.id),
        field("line_offset", layout.line_offset),
        field("column_offset", layout.column_offset),
        field("source_url", layout.source_url),
        field("source_mapping_url", layout.source_mapping_url),
        field("eval_from_shared", layout.eval_from_shared),
    ])
}

fn shared(shared: SharedFunctionInfo, options: Options) -> Result<Option<Section>> {
    let object = shared.0;
    let layout = &object.cx.layout.shared;
    let field = |name, constant: Constant| item(object, name, object.field(constant), options);
    let mut items = vec![
        field("name_or_scope_info", layout.name_or_scope_info),
        item(object, "function_data", shared.function_data(), options),
        field(
            "outer_scope_info_or_feedback_metadata",
            layout.outer_scope_info_or_feedback_metadata,
        ),
        field("script", layout.script),
    ];
    if let Ok(Some((start, end))) = shared.position() {
        items.push(note("position", format!("{start}..{end}")));
    }
    if let Ok(Some(count)) = shared.formal_parameter_count() {
        items.push(note("formal_parameter_count", count.to_string()));
    }
    fields_section(items)
}

fn scope_info(scope: ScopeInfo, options: Options) -> Result<Option<Section>> {
    let object = scope.0;
    let mut items = Vec::new();
    if let Ok(Some((start, end))) = scope.position() {
        items.push(note("position", format!("{start}..{end}")));
    }
    if let Ok(count) = scope.parameter_count() {
        items.push(note("parameter_count", count.to_string()));
    }
    if let Ok(Some(outer)) = scope.outer() {
        items.push(item(
            object,
            "outer_scope_info",
            Ok(outer.0.tagged()),
            options,
        ));
    }
    for local in scope.context_locals()? {
        let key = match local.name {
            Ok(name) => Key::Variable(name),
            Err(error) => Key::Unreadable(error.to_string()),
        };
        items.push(Item::new(
            key,
            Content::Note(format!("context slot {}", local.slot)),
        ));
    }
    fields_section(items)
}

/// Words of an object without a view of its own shown at most.
const MAX_WORDS: u64 = 64;

/// Fields by name where the table of constants has them.
fn fields(object: HeapObject, kind: T, options: Options) -> Result<Option<Section>> {
    let cx = object.cx;
    let l = cx.layout;
    let named: &[(&'static str, Constant)] = &match kind {
        T::PropertyCell => vec![
            ("name", l.property_cell.name),
            ("details", l.property_cell.details),
            ("value", l.property_cell.value),
        ],
        T::Cell => vec![("value", l.cell.value)],
        T::FeedbackCell => vec![("value", l.feedback_cell.value)],
        T::AccessorPair => vec![
            ("getter", l.accessor_pair.getter),
            ("setter", l.accessor_pair.setter),
        ],
        T::ContextCell => vec![("tagged_value", l.context_cell.tagged_value)],
        T::FunctionTemplateInfo => vec![("class_name", l.function_template_info.class_name)],
        T::Tuple2 => vec![("value1", l.tuple2.value1), ("value2", l.tuple2.value2)],
        _ => Vec::new(),
    };
    if !named.is_empty() {
        let items = named
            .iter()
            .map(|(name, constant)| item(object, name, object.field(*constant), options))
            .collect();
        return fields_section(items);
    }
    // Any other object of fixed size: its words that point somewhere or are Smis, by offset.
    let size = object.map()?.instance_size()?;
    if size <= 8 || is_raw(kind) {
        return Ok(None);
    }
    let mut items = Vec::new();
    for word in 1..(size / 8).min(MAX_WORDS) {
        let value = object.tagged_at(word * 8)?;
        if value.is_smi() || cx.object(value).and_then(|o| o.map()).is_err() {
            continue;
        }
        if is_the_hole(cx, value) {
            continue;
        }
        items.push(Item::new(
            Key::Index(word),
            content(cx, Ok(PropertyValue::Tagged(value)), options),
        ));
    }
    fields_section(items)
}

/// Objects whose words are not tagged.
fn is_raw(kind: T) -> bool {
    matches!(
        kind,
        T::ByteArray
            | T::TrustedByteArray
            | T::BytecodeArray
            | T::Foreign
            | T::FreeSpace
            | T::Filler
            | T::Code
            | T::InstructionStream
            | T::FeedbackMetadata
            | T::PreparseData
    )
}
