//! The scopes around code, and their variables that V8 keeps in Contexts, modules and objects.

use super::backtrace::Call;
use crate::deopt::Value;
use crate::error::{Error, Result};
use crate::metadata::InstanceType;
use crate::object::{
    Context, ContextValue, HeapObject, JSObject, JSString, Property, PropertyValue, ScopeInfo,
    SourceTextModule,
};

/// Scopes followed outwards at most.
const MAX_SCOPES: usize = 256;
/// Properties of an object told as variables, at most.
const MAX_PROPERTIES: usize = 1000;
/// Longest name read.
const MAX_NAME: usize = 4096;

/// What a variable is to its scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Binding {
    /// In the Context.
    Local,
    /// Of a module, which exports it.
    Export,
    /// Of another module.
    Import,
    /// Added by `eval`.
    Added,
    /// A property of the object of a `with`.
    Property,
}

/// A variable of a scope.
#[derive(Debug, Clone)]
pub struct Variable {
    pub name: Result<String>,
    pub value: Value,
    pub binding: Binding,
}

/// A scope with variables that closures see.
#[derive(Debug, Clone)]
pub struct Scope<'a> {
    pub kind: ScopeKind,
    pub context: HeapObject<'a>,
    /// Of a function's scope: its name, where it has one.
    pub name: Option<String>,
    /// Of a `with`: its object.
    pub object: Option<HeapObject<'a>>,
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
        let extension = context.extension().ok().flatten();
        let mut variables = in_slots(context);
        match (kind, extension) {
            (ScopeKind::Module, Some(module)) => {
                variables.extend(scope_info.iter().flat_map(|i| in_cells(*i, module)));
            }
            (ScopeKind::With, Some(object)) => {
                variables.extend(properties(object, Binding::Property));
            }
            (_, Some(object)) => variables.extend(properties(object, Binding::Added)),
            (_, None) => {}
        }
        out.push(Scope {
            kind,
            context: context.0,
            name,
            object: extension.filter(|_| kind == ScopeKind::With),
            variables,
        });
        next = context.previous()?;
    }
    Ok(out)
}

fn in_slots(context: Context) -> Vec<Variable> {
    let variables = context.variables().unwrap_or_default();
    let variables = variables.into_iter().map(|v| Variable {
        name: v.name,
        value: match v.value {
            Ok(ContextValue::Tagged(value)) => Value::Tagged(value),
            Ok(ContextValue::Double(number)) => Value::Number(number),
            Err(error) => Value::Unreadable(error),
        },
        binding: Binding::Local,
    });
    variables.collect()
}

/// The variables of a module that it exports or imports.
fn in_cells(info: ScopeInfo, module: HeapObject) -> Vec<Variable> {
    if module.instance_type() != Ok(InstanceType::SourceTextModule) {
        return Vec::new();
    }
    let variables = info.module_variables().unwrap_or_default();
    let variables = variables.into_iter().map(|v| Variable {
        name: v.name.map(|name| match name.as_str() {
            // No variable of a program can have that name.
            ".default" | "*default*" => "default".to_string(),
            _ => name,
        }),
        value: match SourceTextModule(module).variable(v.cell) {
            Ok(Some(value)) => Value::Tagged(value),
            Ok(None) => Value::Unreadable(Error::other("its module is not linked yet")),
            Err(error) => Value::Unreadable(error),
        },
        binding: match v.cell > 0 {
            true => Binding::Export,
            false => Binding::Import,
        },
    });
    variables.collect()
}

/// The properties of an object that serve as variables; those that only a call would tell are left
/// out.
fn properties(object: HeapObject, binding: Binding) -> Vec<Variable> {
    let cx = object.cx;
    let number = object.instance_type_number();
    if !number.is_ok_and(|n| cx.layout.types.is_js_object(n)) {
        return Vec::new();
    }
    let list = JSObject(object).own_properties().unwrap_or_default();
    let variable = |property: Property| {
        let key = cx.object(property.key).ok()?;
        if !key.is_string().ok()? {
            return None;
        }
        let value = match property.value {
            Ok(PropertyValue::Tagged(value)) => Value::Tagged(value),
            Ok(PropertyValue::Double(number)) => Value::Number(number),
            Ok(_) => return None,
            Err(error) => Value::Unreadable(error),
        };
        let name = JSString(key).read(MAX_NAME).map(|name| name.marked());
        Some(Variable {
            name,
            value,
            binding,
        })
    };
    list.into_iter()
        .take(MAX_PROPERTIES)
        .filter_map(variable)
        .collect()
}

/// How many of a call's scopes, from the inside, are of the function itself.
pub fn own_scopes(call: &Call, list: &[Scope]) -> usize {
    // The Context of a module's own function, or a script's, is the one that it makes itself.
    let info = call.shared.scope_info().ok().flatten();
    if info.is_some_and(|info| info.is_module() == Ok(true) || info.is_script() == Ok(true)) {
        return list.len();
    }
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
