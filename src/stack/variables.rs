//! The variables a function of a frame can see: its arguments by name, and those of the scopes
//! around it that V8 keeps in Contexts.

use super::backtrace::Call;
use super::parameters::{parameters, Parameter, MAX_LIST};
use crate::deopt::Value;
use crate::error::{Error, Result};
use crate::metadata::InstanceType;
use crate::object::{Context, ContextValue, HeapObject, ScopeInfo, SharedFunctionInfo};

/// Scopes followed outwards at most.
const MAX_SCOPES: usize = 256;

/// An argument of a call.
#[derive(Debug, Clone)]
pub struct Argument {
    /// The name of its parameter; `None` for a pattern, and for one more than is declared.
    pub name: Option<String>,
    /// Part of a rest parameter of this name.
    pub is_rest: bool,
    /// `None`: declared but not passed.
    pub value: Option<Value>,
}

/// A variable in a Context.
#[derive(Debug, Clone)]
pub struct Variable {
    pub name: Result<String>,
    pub value: Value,
}

/// A scope with variables that closures see.
#[derive(Debug, Clone)]
pub struct Scope<'a> {
    pub kind: ScopeKind,
    pub context: HeapObject<'a>,
    /// Of a function's scope: its name, where it has one.
    pub name: Option<String>,
    pub variables: Vec<Variable>,
}

/// What made a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ScopeKind {
    Block,
    Catch,
    With,
    Eval,
    Function,
    Module,
    Script,
    Other,
}

impl ScopeKind {
    fn of(kind: InstanceType) -> ScopeKind {
        match kind {
            InstanceType::BlockContext => ScopeKind::Block,
            InstanceType::CatchContext => ScopeKind::Catch,
            InstanceType::WithContext => ScopeKind::With,
            InstanceType::EvalContext | InstanceType::DebugEvaluateContext => ScopeKind::Eval,
            InstanceType::FunctionContext => ScopeKind::Function,
            InstanceType::ModuleContext => ScopeKind::Module,
            InstanceType::ScriptContext => ScopeKind::Script,
            _ => ScopeKind::Other,
        }
    }

    /// As DevTools names it.
    pub fn name(self) -> &'static str {
        match self {
            ScopeKind::Block => "block",
            ScopeKind::Catch => "catch block",
            ScopeKind::With => "with block",
            ScopeKind::Eval => "eval",
            ScopeKind::Function => "function",
            ScopeKind::Module => "module",
            ScopeKind::Script => "script",
            ScopeKind::Other => "internal",
        }
    }
}

/// The parameters of a function, from its source.
pub fn parameters_of(shared: SharedFunctionInfo) -> Option<Vec<Parameter>> {
    let script = shared.script().ok()??;
    let (start, end) = shared.position().ok()??;
    let limit = end.min(start.saturating_add(MAX_LIST as u64));
    let text = script.source_slice(start, limit, MAX_LIST).ok()?;
    let list = parameters(&text.text())?;
    // A default or a rest parameter ends what V8 counts, so no more may be declared before them.
    let declared = shared.formal_parameter_count().ok()??;
    (list.len() as u64 >= declared).then_some(list)
}

/// The arguments of a call by the names of their parameters.
pub fn arguments(call: &Call) -> Option<Result<Vec<Argument>>> {
    let passed = match call.arguments.as_ref()? {
        Ok(passed) => passed,
        Err(error) => return Some(Err(error.clone())),
    };
    let declared = parameters_of(call.shared).unwrap_or_default();
    let count = passed.len().max(declared.len());
    let mut out = Vec::new();
    for i in 0..count {
        let parameter = declared.get(i);
        let rest = declared
            .last()
            .filter(|p| p.is_rest && i + 1 >= declared.len());
        let value = passed.get(i).cloned();
        if value.is_none() && (rest.is_some() || parameter.is_none()) {
            continue;
        }
        out.push(Argument {
            name: rest.or(parameter).and_then(|p| p.name.clone()),
            is_rest: rest.is_some(),
            value,
        });
    }
    Some(Ok(out))
}

/// The scopes from a Context outwards, but the global one.
pub fn scopes(context: HeapObject<'_>) -> Result<Vec<Scope<'_>>> {
    let mut out = Vec::new();
    let mut next = Some(Context(context));
    while let Some(context) = next {
        let kind = context.0.instance_type()?;
        if !kind.is_context() {
            return Err(Error::WrongType {
                address: context.0.address,
                expected: "a Context",
                found: format!("a {}", kind.name()),
            });
        }
        if kind == InstanceType::NativeContext || out.len() == MAX_SCOPES {
            break;
        }
        let kind = ScopeKind::of(kind);
        let scope_info = context.scope_info();
        let name = match (kind, &scope_info) {
            (ScopeKind::Function, Ok(info)) => name_of(*info),
            _ => None,
        };
        let variables = context.variables().unwrap_or_default();
        let variables = variables.into_iter().map(|v| Variable {
            name: v.name,
            value: match v.value {
                Ok(ContextValue::Tagged(value)) => Value::Tagged(value),
                Ok(ContextValue::Double(number)) => Value::Number(number),
                Err(error) => Value::Unreadable(error),
            },
        });
        out.push(Scope {
            kind,
            context: context.0,
            name,
            variables: variables.collect(),
        });
        next = context.previous()?;
    }
    Ok(out)
}

/// How many of a call's scopes, from the inside, are of the function itself.
pub fn own_scopes(call: &Call, list: &[Scope]) -> usize {
    let around = call.function.and_then(|f| f.context().ok());
    let around = around.map(|c| c.0.address);
    list.iter()
        .position(|s| Some(s.context.address) == around)
        .unwrap_or(if around.is_some() { list.len() } else { 0 })
}

fn name_of(info: ScopeInfo) -> Option<String> {
    let own = info.function_name().ok().flatten();
    own.filter(|n| !n.is_empty())
        .or_else(|| info.inferred_name().ok().flatten())
        .filter(|n| !n.is_empty())
}
