//! Where the calls that an Error captured were made, and what they are called.

use crate::error::{Error, Result};
use crate::metadata::InstanceType;
use crate::object::summary::{Section, StackEntry, Value};
use crate::object::{Cx, JSFunction, Location, Tagged};
use crate::program::Program;
use crate::stack::{bytecode_of, BytecodeArray, BytecodeSizes, CallSite, Place, Places, Receiver};
use std::cell::OnceCell;

/// Fills in names and places of captured calls.
pub fn locate(cx: Cx, program: &Program, value: &mut Value) {
    let places = Places::default();
    let sizes = OnceCell::new();
    let sizes = || sizes.get_or_init(|| BytecodeSizes::of(program)).clone();
    for section in &mut value.sections {
        let Section::ErrorStack { frames, .. } = section else {
            continue;
        };
        for frame in frames {
            let Some(function) = frame.function.address else {
                continue;
            };
            let Ok(object) = cx.object(Tagged(function.0)) else {
                continue;
            };
            let Ok(function) = JSFunction::new(object) else {
                continue;
            };
            frame.call = name(function, frame);
            frame.location = place(cx, function, frame, &places, &sizes).ok().flatten();
        }
    }
}

fn name(function: JSFunction, frame: &StackEntry) -> Option<String> {
    let site = CallSite::new(
        function,
        frame.receiver.map(Receiver::Tagged),
        frame.is_constructor,
    );
    let name = site.name();
    if frame.is_async {
        return Some(format!("async {}", name.unwrap_or_default()));
    }
    name
}

fn place(
    cx: Cx,
    function: JSFunction,
    frame: &StackEntry,
    places: &Places,
    sizes: &dyn Fn() -> Result<BytecodeSizes>,
) -> Result<Option<Location>> {
    let Some(script) = function.shared()?.script()? else {
        return Ok(None);
    };
    let offset = frame
        .offset
        .ok_or_else(|| Error::malformed("CallSiteInfo", function.0.address, "no offset"))?;
    let position = if frame.is_source_position {
        offset
    } else {
        let mut code = cx.object(frame.code.unwrap_or(Tagged(0)))?;
        match code.instance_type()? {
            InstanceType::BytecodeWrapper => {
                code = code.object_field(cx.layout.bytecode_wrapper.bytecode)?;
            }
            InstanceType::CodeWrapper => code = code.object_field(cx.layout.code_wrapper.code)?,
            _ => {}
        }
        if code.instance_type()? == InstanceType::Code {
            // V8 14 notes a call of baseline code by its pc.
            let pc_offset = u64::try_from(offset).map_err(|_| {
                Error::malformed("CallSiteInfo", function.0.address, "a pc below 0")
            })?;
            bytecode_of(function.shared()?)?.position_in_baseline(code, pc_offset, &sizes()?)?
        } else {
            BytecodeArray::new(code)?.position(offset)?
        }
    };
    let Place { file, line, column } = places.place(script, position)?;
    Ok(Some(Location {
        script: file,
        line,
        column,
    }))
}
