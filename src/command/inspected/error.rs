//! Errors as `util.inspect` writes them.

use super::class::Class;
use super::Writer;
use crate::command::exception::stack_text;
use crate::metadata::InstanceType;
use crate::object::summary::{Content, Item, Key};
use crate::object::{data_property, dom_exception, error_text, HeapObject, JSString};
use crate::render::escape;

/// Longest name of an error.
const MAX_NAME: usize = 256;

/// Its stack as it is shown, in one line.
pub fn shown(writer: &Writer, object: HeapObject, class: &Class) -> String {
    let stack = stack_text(writer.cx, writer.program, object);
    let stack = stack.unwrap_or_else(|| error_text(object).unwrap_or_default());
    let stack = improved(&stack, &name(object).unwrap_or_default(), class);
    let Some(at) = stack.find("\n    at") else {
        return format!("[{}]", escape(&stack));
    };
    let (head, calls) = stack.split_at(at);
    let mut calls: Vec<&str> = calls.lines().skip(1).collect();
    let cause = match writer.style.has_related {
        true => cause_stack(writer, object),
        false => None,
    };
    let shared = cause.and_then(|cause| {
        let at = cause.find("\n    at")?;
        let of_cause: Vec<&str> = cause[at..].lines().skip(1).collect();
        same(&calls, &of_cause)
    });
    let left_out;
    if let Some((at, length)) = shared {
        let skipped = length.saturating_sub(2);
        left_out = format!("... {skipped} lines matching cause stack trace ...");
        calls.splice(at + 1..at + 1 + skipped, [left_out.as_str()]);
    }
    let head = head.lines().map(str::trim_start);
    let all: Vec<&str> = head.chain(calls.iter().map(|c| c.trim_start())).collect();
    escape(&all.join(" ")).into_owned()
}

/// The stack of what an error came of, where that is an Error.
fn cause_stack(writer: &Writer, object: HeapObject) -> Option<String> {
    let cause = data_property(object, "cause").ok()??;
    let cause = writer.cx.object(cause).ok()?;
    let is_error = cause.instance_type().ok()? == InstanceType::JSError;
    is_error.then(|| stack_text(writer.cx, writer.program, cause))?
}

/// Where and how long lines are the same in both, when these are more than three.
fn same(lines: &[&str], others: &[&str]) -> Option<(usize, usize)> {
    const LEAST: usize = 4;
    (0..lines.len().saturating_sub(LEAST - 1)).find_map(|at| {
        let ours = lines.get(at..)?;
        let from = others.iter().position(|o| Some(o) == ours.first())?;
        let pairs = ours.iter().zip(others.get(from..)?);
        let length = pairs.take_while(|(a, b)| a == b).count();
        (length >= LEAST).then_some((at, length))
    })
}

/// What it is called: a string, without running a getter.
fn name(object: HeapObject) -> Option<String> {
    if let Ok(Some(dom)) = dom_exception(object) {
        return Some(dom.name);
    }
    let value = data_property(object, "name").ok()??;
    let value = object.cx.object(value).ok()?;
    let is_string = value.is_string().ok()?;
    is_string.then(|| Some(JSString(value).read(MAX_NAME).ok()?.text()))?
}

/// Names the class where the stack's text does not.
fn improved(stack: &str, name: &str, class: &Class) -> String {
    let after = stack.get(name.len()..).filter(|_| stack.starts_with(name));
    let ends = |rest: &str| rest.is_empty() || rest.starts_with([':', '\n']);
    let is_named = name.ends_with("Error") && after.is_some_and(ends);
    if class.constructor.is_some() && !is_named {
        return stack.to_string();
    }
    let rest = after.unwrap_or(stack);
    let prefix = class.prefix(if name.is_empty() { "Error" } else { name }, "");
    let prefix = prefix.trim_end();
    match prefix {
        _ if prefix == name => stack.to_string(),
        _ if prefix.contains(name) => format!("{prefix}{rest}"),
        _ => format!("{prefix} [{name}]{rest}"),
    }
}

/// Whether a property is shown after the stack: not what is part of that.
pub fn is_shown(item: &Item, stack: &str) -> bool {
    let Key::Name(key) = &item.key else {
        return true;
    };
    if !["name", "message", "stack"].contains(&key.as_str()) {
        return true;
    }
    let text = match &item.value {
        Content::Value(value) => match &value.brief {
            crate::object::summary::Brief::String { text, .. } => text.text.as_str(),
            _ => return true,
        },
        // The getter of the stack, or one that is not run.
        _ => return false,
    };
    let flat: Vec<&str> = text.lines().map(str::trim_start).collect();
    !stack.contains(&*escape(text)) && !stack.contains(&*escape(&flat.join(" ")))
}
