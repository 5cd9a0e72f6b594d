//! What an Error captured: the calls, or the text they were made into once someone asked.

use super::{Options, Section, StackEntry, Value};
use crate::error::Result;
use crate::metadata::{Constant, InstanceType as T};
use crate::object::{
    Cx, FixedArray, HeapObject, JSObject, JSString, PropertyValue, Symbol, SymbolKind, Tagged,
};

/// Calls shown at most.
const MAX_FRAMES: usize = 1000;
/// Longest stack text shown.
const MAX_TEXT: usize = 1 << 20;

/// The captured stack of an Error (or of any object given to Error.captureStackTrace): it hangs on
/// a symbol that scripts cannot see.
pub(super) fn section(object: HeapObject, options: Options) -> Result<Option<Section>> {
    let cx = object.cx;
    for property in JSObject(object).own_properties()? {
        let Ok(key) = cx.object(property.key) else {
            continue;
        };
        if key.instance_type() != Ok(T::Symbol) || Symbol(key).kind() != Ok(SymbolKind::Private) {
            continue;
        }
        let Ok(PropertyValue::Tagged(value)) = property.value else {
            continue;
        };
        let Ok(mut holder) = cx.object(value) else {
            continue;
        };
        if holder.instance_type()? == T::ErrorStackData {
            let layout = &cx.layout.error_stack_data;
            holder = holder.object_field(layout.call_site_infos_or_formatted_stack)?;
        }
        if holder.is_string()? {
            return Ok(Some(Section::ErrorStack {
                frames: Vec::new(),
                text: Some(super::brief::read_text(JSString(holder), MAX_TEXT)?),
            }));
        }
        if holder.instance_type()? != T::FixedArray {
            continue;
        }
        let frames = frames(FixedArray(holder), options)?;
        if !frames.is_empty() {
            return Ok(Some(Section::ErrorStack { frames, text: None }));
        }
    }
    Ok(None)
}

fn frames(array: FixedArray, options: Options) -> Result<Vec<StackEntry>> {
    let cx = array.0.cx;
    let flat = &cx.layout.flat_call_site;
    let per_frame = flat
        .size
        .known()
        .map_or(1, |size| size.clamp(1, 64) as usize);
    let slots = array.slice(0, MAX_FRAMES * per_frame)?;
    let first = slots.first().and_then(|s| cx.object(*s).ok());
    let kind = first.and_then(|o| o.instance_type().ok());
    let is_site = match kind {
        Some(T::CallSiteInfo) => true,
        // V8 9 called it so; later the name went to what the inspector keeps.
        Some(T::StackFrameInfo) => cx.layout.types.number(T::CallSiteInfo).is_none(),
        _ => false,
    };
    if is_site {
        let sites = slots.into_iter().filter_map(|s| cx.object(s).ok());
        return Ok(sites.filter_map(|s| call_site(s, options).ok()).collect());
    }
    if kind == Some(T::StackTraceFrame) {
        let sites = slots.into_iter().filter_map(|s| cx.object(s).ok());
        return Ok(sites
            .filter_map(|s| stack_trace_frame(s, options).ok())
            .collect());
    }
    if flat.size.known().is_some() {
        return Ok(slots
            .chunks_exact(per_frame)
            .filter_map(|frame| flat_site(cx, frame, options))
            .collect());
    }
    // A FrameArray: how many, then the frames.
    if let (Some(count), true) = (
        slots.first().and_then(|s| cx.smi(*s)),
        cx.layout.stack_trace_frame.frame_size.known().is_some(),
    ) {
        let count = u64::try_from(count).unwrap_or(0).min(MAX_FRAMES as u64);
        return Ok((0..count)
            .filter_map(|index| frame_array_entry(array, index, options).ok())
            .collect());
    }
    Ok(Vec::new())
}

/// A function, with the flags of its call.
fn entry(cx: Cx, function: Tagged, options: Options) -> Result<StackEntry> {
    let object = cx.object(function)?;
    if !object.instance_type()?.is_js_function() {
        return Err(crate::error::Error::WrongType {
            address: object.address,
            expected: "a JSFunction",
            found: object.instance_type()?.name().to_string(),
        });
    }
    Ok(StackEntry {
        function: Value::child(cx, function, options),
        receiver: None,
        offset: None,
        is_source_position: false,
        is_constructor: false,
        is_async: false,
        code: None,
        call: None,
        location: None,
    })
}

fn bit(flags: i64, shift: Constant) -> bool {
    shift
        .known()
        .is_some_and(|s| flags >> s.clamp(0, 62) & 1 == 1)
}

fn call_site(site: HeapObject, options: Options) -> Result<StackEntry> {
    let layout = &site.cx.layout.call_site_info;
    let mut found = entry(site.cx, site.field(layout.function)?, options)?;
    let flags = site.smi_field(layout.flags)?;
    found.receiver = site.field(layout.receiver_or_instance).ok();
    found.code = site.field(layout.code_object).ok();
    found.offset = site.smi_field(layout.code_offset).ok();
    found.is_source_position = bit(flags, layout.is_position_computed_shift);
    found.is_constructor = bit(flags, layout.is_constructor_shift);
    found.is_async = bit(flags, layout.is_async_shift);
    Ok(found)
}

fn flat_site(cx: Cx, frame: &[Tagged], options: Options) -> Option<StackEntry> {
    let flat = &cx.layout.flat_call_site;
    let bits = &cx.layout.call_site_info;
    let slot =
        |c: Constant| -> Option<Tagged> { frame.get(usize::try_from(c.known()?).ok()?).copied() };
    let mut found = entry(cx, slot(flat.function)?, options).ok()?;
    let flags = slot(flat.flags).and_then(|f| cx.smi(f)).unwrap_or(0);
    found.receiver = slot(flat.receiver);
    found.code = slot(flat.code);
    found.offset = slot(flat.offset).and_then(|o| cx.smi(o));
    found.is_source_position = bit(flags, bits.is_position_computed_shift);
    found.is_constructor = bit(flags, bits.is_constructor_shift);
    found.is_async = bit(flags, bits.is_async_shift);
    Some(found)
}

fn stack_trace_frame(frame: HeapObject, options: Options) -> Result<StackEntry> {
    let layout = &frame.cx.layout.stack_trace_frame;
    let array = frame.object_field(layout.frame_array)?;
    let index = u64::try_from(frame.smi_field(layout.frame_index)?).unwrap_or(u64::MAX);
    frame_array_entry(FixedArray(array), index, options)
}

fn frame_array_entry(array: FixedArray, index: u64, options: Options) -> Result<StackEntry> {
    let cx = array.0.cx;
    let layout = &cx.layout.stack_trace_frame;
    let first = index
        .saturating_mul(layout.frame_size.offset()?)
        .saturating_add(layout.first_element.offset()?);
    let slot = |c: Constant| -> Result<Tagged> { array.get(first.saturating_add(c.offset()?)) };
    let mut found = entry(cx, slot(layout.function_element)?, options)?;
    let flags = cx.smi(slot(layout.flags_element)?).unwrap_or(0);
    found.receiver = slot(layout.receiver_element).ok();
    found.code = slot(layout.code_element).ok();
    found.offset = slot(layout.offset_element).ok().and_then(|o| cx.smi(o));
    found.is_constructor = bit(flags, layout.is_constructor_shift);
    found.is_async = bit(flags, layout.is_async_shift);
    Ok(found)
}
