//! The variables of a call or closure as `v8 frame`, `v8 bt -v` and `v8 closure` show them.

use super::bt::{call_json, value_json};
use super::value::kept;
use crate::deopt::Value as Kept;
use crate::object::{is_the_hole, Cx};
use crate::render::escape;
use crate::source::VariablePlace;
use crate::stack::{
    arguments, own_scopes, scopes, Argument, Binding, Call, Held, NamedVariable, Scope, Variable,
    VariableNames,
};
use serde_json::{json, Value};

const UNINITIALIZED: &str = "<uninitialized>";
const NOT_KNOWN: &str = "<not known>";

/// The variables a call can see, a line each; with `all` those around the function too.
pub(super) fn variable_lines(cx: Cx, call: &Call, all: bool, names: &VariableNames) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(receiver) = &call.receiver {
        out.push(format!("this = {}", kept(cx, receiver)));
    }
    let named = names.of(call);
    let mut shown: Vec<String> = Vec::new();
    match arguments(call) {
        Some(Ok(list)) => out.extend(argument_lines(cx, &list, named.as_deref(), &mut shown)),
        Some(Err(error)) => out.push(format!("arguments: ??? ({error})")),
        None => {}
    }
    let locals = named.iter().flatten().filter(|v| is_local(call, v, &shown));
    let locals: Vec<&NamedVariable> = locals.collect();
    // Between two places that the compiler describes nothing is known of any of them.
    let is_unknown = |v: &&NamedVariable| v.held == Held::NotKnown;
    let nothing = call.arguments.is_none() && locals.iter().any(is_unknown);
    let of_any = locals.iter().all(|v| !matches!(v.held, Held::Value(_)));
    if nothing && of_any && call.tier.is_some_and(|t| t.is_optimized()) {
        let names: Vec<_> = locals.iter().map(|v| escape(&v.name)).collect();
        out.push(format!("not known here: {}", names.join(", ")));
    } else if !locals.is_empty() {
        let locals = locals
            .iter()
            .map(|v| format!("  {} = {}", escape(&v.name), held_text(cx, &v.held)));
        out.push("locals:".to_string());
        out.extend(locals);
    }
    let Some(context) = call.context else {
        return out;
    };
    match scopes(context) {
        Ok(list) => {
            let own = own_scopes(call, &list);
            for (i, scope) in list.iter().enumerate() {
                if !has_lines(scope) || (i >= own && !all) {
                    continue;
                }
                out.push(scope_title(cx, scope, i < own));
                out.extend(scope_lines(cx, scope).map(|line| format!("  {line}")));
            }
        }
        Err(error) => out.push(format!("scopes: ??? ({error})")),
    }
    out
}

/// Whether a variable is told among the locals: those in Contexts are with their scopes.
fn is_local(call: &Call, variable: &NamedVariable, shown: &[String]) -> bool {
    let told_elsewhere = variable.place == VariablePlace::Context && call.context.is_some();
    !told_elsewhere && !shown.contains(&variable.name)
}

fn held_text(cx: Cx, held: &Held) -> String {
    match held {
        Held::Value(value) => kept(cx, value),
        Held::Uninitialized => UNINITIALIZED.to_string(),
        Held::NotKnown => NOT_KNOWN.to_string(),
    }
}

/// The lines of arguments; the names told go to `shown`.
fn argument_lines(
    cx: Cx,
    list: &[Argument],
    named: Option<&[NamedVariable]>,
    shown: &mut Vec<String>,
) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = 0;
    for (i, argument) in list.iter().enumerate() {
        if argument.name.is_none() && argument.value.is_none() {
            continue;
        }
        // A parameter may have been given another value since.
        let is_named = |v: &&NamedVariable| Some(&v.name) == argument.name.as_ref();
        let variable = named.and_then(|n| n.iter().find(is_named));
        let Some(variable) = variable.filter(|v| v.held != Held::NotKnown) else {
            shown.extend(argument.name.clone());
            out.push(argument_line(cx, argument, i, &mut rest));
            continue;
        };
        if shown.contains(&variable.name) {
            continue;
        }
        shown.push(variable.name.clone());
        let is_as_passed = variable.place == VariablePlace::Parameter;
        out.push(match (&argument.value, variable.value()) {
            (None, Some(value)) if is_as_passed && kept(cx, value).contains("undefined") => {
                format!("{} (not passed)", escape(&variable.name))
            }
            _ => format!(
                "{} = {}",
                escape(&variable.name),
                held_text(cx, &variable.held)
            ),
        });
    }
    out
}

fn argument_line(cx: Cx, argument: &Argument, index: usize, rest: &mut usize) -> String {
    let name = match &argument.name {
        Some(name) if argument.is_rest => {
            let line = format!("{}[{rest}]", escape(name));
            *rest += 1;
            line
        }
        Some(name) => escape(name).into_owned(),
        None => format!("arguments[{index}]"),
    };
    match &argument.value {
        // It may have been given another value since.
        Some(value) if argument.name.is_some() => {
            format!("{name} = {} (as passed)", kept(cx, value))
        }
        Some(value) => format!("{name} = {}", kept(cx, value)),
        None => format!("{name} (not passed)"),
    }
}

/// A scope's variables, a line each.
pub(super) fn scope_lines<'a>(cx: Cx<'a>, scope: &'a Scope) -> impl Iterator<Item = String> + 'a {
    // Names that begin with a dot are V8's own.
    let own = |v: &&Variable| !v.name.as_ref().is_ok_and(|n| n.starts_with('.'));
    scope.variables.iter().filter(own).map(move |variable| {
        let name = match &variable.name {
            Ok(name) => escape(name).into_owned(),
            Err(error) => format!("??? ({error})"),
        };
        let suffix = match variable.binding {
            Binding::Local | Binding::Property => "",
            Binding::Export => " (exported)",
            Binding::Import => " (imported)",
            Binding::Added => " (by eval)",
        };
        let value = in_context_text(cx, &variable.value);
        format!("{name} = {value}{suffix}")
    })
}

/// Whether there is something to say of a scope.
pub(super) fn has_lines(scope: &Scope) -> bool {
    !scope.variables.is_empty() || scope.object.is_some()
}

fn in_context_text(cx: Cx, value: &Kept) -> String {
    match value {
        Kept::Tagged(tagged) if is_the_hole(cx, *tagged) => UNINITIALIZED.to_string(),
        other => kept(cx, other),
    }
}

/// "own block: (Context 0x…)"; of a `with` also its object.
pub(super) fn scope_title(cx: Cx, scope: &Scope, own: bool) -> String {
    let mut out = match &scope.name {
        Some(name) if !own => format!("{} {}", scope.kind.name(), escape(name)),
        _ => scope.kind.name().to_string(),
    };
    if own {
        out = format!("own {out}");
    }
    let object = scope.object.map_or_else(String::new, |object| {
        format!(" of {}", kept(cx, &Kept::Tagged(object.tagged())))
    });
    format!("{out}: (Context {:#x}){object}", scope.context.tagged().0)
}

fn argument_json(cx: Cx, argument: &Argument) -> Value {
    json!({
        "name": argument.name,
        "rest": argument.is_rest,
        "passed": argument.value.is_some(),
        "value": argument.value.as_ref().map(|v| value_json(cx, v)),
    })
}

/// A scope with its variables.
pub(super) fn scope_json(cx: Cx, scope: &Scope, own: bool) -> Value {
    let variables = scope.variables.iter().map(|v| {
        json!({
            "name": v.name.as_ref().ok(),
            "error": v.name.as_ref().err().map(|e| e.to_string()),
            "binding": v.binding,
            "value": value_json(cx, &v.value),
        })
    });
    let object = scope
        .object
        .map(|o| value_json(cx, &Kept::Tagged(o.tagged())));
    json!({
        "kind": scope.kind,
        "object": object,
        "function": scope.name,
        "own": own,
        "context": format!("{:#x}", scope.context.tagged().0),
        "variables": variables.collect::<Vec<_>>(),
    })
}

fn local_json(cx: Cx, variable: &NamedVariable) -> Value {
    let (state, value) = match &variable.held {
        Held::Value(Kept::OptimizedOut | Kept::InRegister) => ("optimized_out", Value::Null),
        Held::Value(value) => ("value", value_json(cx, value)),
        Held::Uninitialized => ("uninitialized", Value::Null),
        Held::NotKnown => ("not_known", Value::Null),
    };
    json!({
        "name": variable.name,
        "parameter": variable.place == VariablePlace::Parameter,
        "in_context": variable.place == VariablePlace::Context,
        "state": state,
        "value": value,
    })
}

/// A call with its variables.
pub(super) fn detail_json(cx: Cx, call: &Call, names: &VariableNames) -> Value {
    let mut out = call_json(cx, call);
    let named = match arguments(call) {
        Some(Ok(list)) => json!(list
            .iter()
            .map(|a| argument_json(cx, a))
            .collect::<Vec<_>>()),
        Some(Err(error)) => json!({ "error": error.to_string() }),
        None => Value::Null,
    };
    let locals = names
        .of(call)
        .map(|list| list.iter().map(|v| local_json(cx, v)).collect::<Vec<_>>());
    let scopes = match call.context.map(scopes) {
        Some(Ok(list)) => {
            let own = own_scopes(call, &list);
            let list = list.iter().enumerate();
            json!(list
                .map(|(i, s)| scope_json(cx, s, i < own))
                .collect::<Vec<_>>())
        }
        Some(Err(error)) => json!({ "error": error.to_string() }),
        None => Value::Null,
    };
    if let Some(object) = out.as_object_mut() {
        object.insert("named_arguments".to_string(), named);
        object.insert("locals".to_string(), json!(locals));
        object.insert("scopes".to_string(), scopes);
        let registers = call.registers.iter().map(|v| value_json(cx, v));
        object.insert("registers".to_string(), registers.collect());
    }
    out
}
