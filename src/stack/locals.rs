//! The variables of a call by name: those in Contexts as V8 names them, those in registers by
//! the function's source.
//!
//! A name is told only where all that V8 keeps agrees with what the source says: the number of
//! parameters and registers, which variables are in the Context, where the function's own name is.

use super::backtrace::Call;
use super::scopes::{own_scopes, scopes, Scope, ScopeKind};
use crate::deopt::Value;
use crate::metadata::ScopeRules;
use crate::object::{
    is_the_hole, FixedArray, JSString, OddballKind, ScopeInfo, SharedFunctionInfo,
};
use crate::source::{
    self, Form, FunctionText, FunctionVariables, Initialized, Syntax, VariablePlace,
};
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::rc::Rc;

/// Longest source of a function looked at, in UTF-16 units.
const MAX_TEXT: u64 = 512 << 10;
/// Scopes around an `eval` looked at, at most.
const MAX_AROUND: usize = 256;
/// Names of parameters of a script that V8 wrapped in a function, at most.
const MAX_WRAPPED: u64 = 64;

/// What a variable holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Held {
    Value(Value),
    /// Its declaration has not run yet.
    Uninitialized,
    /// It has a value or not; which cannot be told.
    NotKnown,
}

/// A variable that can be named where a call is.
#[derive(Debug, Clone)]
pub struct NamedVariable {
    pub name: String,
    pub place: VariablePlace,
    pub held: Held,
}

impl NamedVariable {
    /// Whether it has a value that can be shown.
    pub fn value(&self) -> Option<&Value> {
        match &self.held {
            Held::Value(value) => Some(value),
            _ => None,
        }
    }
}

/// Names variables, keeping what is known of the functions.
#[derive(Debug, Default)]
pub struct VariableNames {
    /// By address of the SharedFunctionInfo.
    functions: RefCell<FxHashMap<u64, Option<Rc<FunctionVariables>>>>,
}

impl VariableNames {
    fn function(&self, shared: SharedFunctionInfo) -> Option<Rc<FunctionVariables>> {
        let mut functions = self.functions.borrow_mut();
        let found = functions.entry(shared.0.address);
        found
            .or_insert_with(|| function_variables(shared).map(Rc::new))
            .clone()
    }

    /// The variables of a call, its parameters first; `None` where they cannot be told for sure.
    pub fn of(&self, call: &Call) -> Option<Vec<NamedVariable>> {
        let found = self.function(call.shared)?;
        let (position, is_sure) = position_of(call, &found)?;
        if !call.registers.is_empty() && (call.registers.len() as u64) < u64::from(found.registers)
        {
            return None;
        }
        let list = call.context.and_then(|c| scopes(c).ok());
        let own = list.map_or_else(Vec::new, |mut list| {
            list.truncate(own_scopes(call, &list));
            list
        });
        let named = found.seen(position).into_iter().map(|local| {
            let held = match local.is_initialized(position) {
                // The scope may have no Context yet, and one around it a variable of that name.
                Initialized::No if is_sure => Held::Uninitialized,
                known if known != Initialized::Yes && found.shadows(&local.name, position) => {
                    Held::NotKnown
                }
                // Else the Context knows.
                _ if local.place == VariablePlace::Context && !own.is_empty() => {
                    in_context(call, &own, &local.name)
                }
                // What was declared since is not told by an earlier place, nor whether a block has been
                // left.
                known if !is_sure && (known != Initialized::Yes || !local.is_of_function) => {
                    Held::NotKnown
                }
                Initialized::No => Held::Uninitialized,
                Initialized::Unknown => Held::NotKnown,
                Initialized::Yes => match local.place {
                    VariablePlace::Register(register) => {
                        held(call, call.registers.get(register as usize))
                    }
                    VariablePlace::Parameter => {
                        let named =
                            |p: &(Option<String>, bool)| p.0.as_deref() == Some(&local.name);
                        let at = found.parameters.iter().rposition(named);
                        let values = call.parameters.as_ref();
                        held(call, at.and_then(|at| values?.get(at)))
                    }
                    VariablePlace::Context => in_context(call, &own, &local.name),
                    VariablePlace::Nowhere => Held::NotKnown,
                },
            };
            NamedVariable {
                name: local.name.clone(),
                place: local.place,
                held,
            }
        });
        let named = named.filter(|n| n.place != VariablePlace::Nowhere);
        Some(named.collect())
    }
}

/// Where a call is, and whether that is sure: V8 gives the call of a class's initializer the place of
/// an earlier one.
fn position_of(call: &Call, found: &FunctionVariables) -> Option<(u64, bool)> {
    let at = call.position?;
    let Some(initializer) = call.initializer else {
        return Some((at, true));
    };
    let sure = || {
        let place = initializer.position().ok()??;
        if initializer.kind().ok()?.is_static_initializer {
            return found.calls_static_initializer(&(place.0..place.1));
        }
        let is_constructor = call.shared.kind().ok()?.is_class_constructor;
        let start = call.shared.position().ok()??.0;
        found.calls_members_initializer(is_constructor, start, at)
    };
    Some(sure().map_or((at, false), |sure| (sure, true)))
}

fn held(call: &Call, value: Option<&Value>) -> Held {
    let Some(value) = value else {
        return Held::NotKnown;
    };
    let Value::Tagged(tagged) = value else {
        return Held::Value(value.clone());
    };
    let cx = call.shared.0.cx;
    // What the deoptimizer leaves where nothing was kept: an oddball, a kind of hole since V8 12.
    // It is not that of a declaration to come, whose place in the source tells.
    if is_the_hole(cx, *tagged) {
        return Held::Value(Value::OptimizedOut);
    }
    let kind = cx.object(*tagged).and_then(OddballKind::of);
    match kind {
        Ok(Some(OddballKind::Other | OddballKind::Uninitialized | OddballKind::Exception)) => {
            Held::Value(Value::OptimizedOut)
        }
        _ => Held::Value(value.clone()),
    }
}

fn in_context(call: &Call, own: &[Scope], name: &str) -> Held {
    // What is a property of the object of a `with` is no variable of the function.
    let scopes = own.iter().filter(|s| s.kind != ScopeKind::With);
    let variables = scopes.flat_map(|s| &s.variables);
    let found = variables
        .into_iter()
        .find(|v| v.name.as_deref() == Ok(name));
    match found.map(|v| &v.value) {
        Some(Value::Tagged(tagged)) if is_the_hole(call.shared.0.cx, *tagged) => {
            Held::Uninitialized
        }
        value => held(call, value),
    }
}

/// The variables of a function, where what V8 keeps of it agrees.
fn function_variables(shared: SharedFunctionInfo) -> Option<FunctionVariables> {
    let cx = shared.0.cx;
    let info = shared.scope_info().ok()??;
    let is_module = info.is_module().ok()?;
    let function_scope = cx.layout.scope_info.function_scope.get().ok()?;
    let own_name = info.function_variable().ok()?;
    let is_strict = info.is_strict().ok()?;
    let text = if is_module {
        module_text(shared, info)?
    } else if info.scope_type().ok()? == function_scope {
        text_of(shared, is_strict, own_name.as_ref())?
    } else if info.is_script().ok()? {
        script_text(shared, is_strict, Form::Script)?
    } else if info.is_eval().ok()? {
        script_text(shared, is_strict, Form::Eval(names_around(info)?))?
    } else {
        return None;
    };
    let found = source::variables(&text, ScopeRules::of(cx.layout.version))?;
    let declared = found.parameters.iter().filter(|p| !p.1).count() as u64;
    let own_register = own_name.as_ref().and_then(|o| o.register);
    // A module's only argument is V8's own.
    let counts = is_module || shared.formal_parameter_count().ok()? == Some(declared);
    let name = own_name.as_ref().map(|o| o.name.as_str());
    let locals = info.context_locals().ok()?;
    let names: Option<Vec<String>> = locals.into_iter().map(|l| l.name.ok()).collect();
    // The others are V8's own.
    let is_plain = |n: &String| !n.contains('.') && n != "this" && Some(n.as_str()) != name;
    let mut in_context: Vec<String> = names?.into_iter().filter(is_plain).collect();
    let mut expected = found.in_context.clone();
    expected.retain(is_plain);
    in_context.sort_unstable();
    expected.sort_unstable();
    let agrees = counts && own_register == found.own_name.map(u64::from) && in_context == expected;
    agrees.then_some(found)
}

fn text_of(
    shared: SharedFunctionInfo,
    is_strict: bool,
    own_name: Option<&crate::object::FunctionVariable>,
) -> Option<FunctionText> {
    let kind = shared.kind().ok()?;
    let (start, end) = shared.position().ok()??;
    if kind.is_initializer || kind.is_static_initializer {
        return initializer_text(shared, start..end, kind.is_static_initializer);
    }
    let wrapped = match start == 0 && !kind.is_arrow {
        true => wrapped_parameters(shared),
        false => None,
    };
    Some(FunctionText {
        units: units(shared, start, end)?,
        start,
        syntax: Syntax {
            is_arrow: kind.is_arrow,
            is_async: kind.is_async,
            is_generator: kind.is_generator,
            is_class_constructor: kind.is_class_constructor,
            is_strict,
        },
        own_name: own_name.map(|o| o.name.clone()),
        form: wrapped.map_or(Form::Function, Form::Wrapped),
    })
}

fn units(shared: SharedFunctionInfo, start: u64, end: u64) -> Option<Vec<u16>> {
    if end.saturating_sub(start) > MAX_TEXT {
        return None;
    }
    let script = shared.script().ok()??;
    let text = script.source_slice(start, end, MAX_TEXT as usize).ok()?;
    (text.hole.is_none() && !text.is_truncated()).then_some(text.units)
}

/// All of the script's text.
fn whole(shared: SharedFunctionInfo) -> Option<Vec<u16>> {
    let source = shared.script().ok()??.source().ok()??;
    units(shared, 0, source.len().ok()?)
}

/// A module's own code.
fn module_text(shared: SharedFunctionInfo, info: ScopeInfo) -> Option<FunctionText> {
    let cells = info.module_variables().ok()?;
    let cells: Option<Vec<String>> = cells.into_iter().map(|v| v.name.ok()).collect();
    Some(FunctionText {
        units: whole(shared)?,
        start: 0,
        syntax: Syntax::default(),
        own_name: None,
        form: Form::Module(cells?),
    })
}

/// The code of a script that is no module, or of `eval`.
fn script_text(shared: SharedFunctionInfo, is_strict: bool, form: Form) -> Option<FunctionText> {
    let kind = shared.kind().ok()?;
    // What a console evaluates is made a function that waits.
    if kind.is_async || kind.is_generator {
        return None;
    }
    Some(FunctionText {
        units: whole(shared)?,
        start: 0,
        syntax: Syntax {
            is_strict,
            ..Syntax::default()
        },
        own_name: None,
        form,
    })
}

/// The names of variables in the Contexts of scopes around one.
fn names_around(info: ScopeInfo) -> Option<Vec<String>> {
    let mut out = Vec::new();
    let mut next = info.outer().ok()?;
    for _ in 0..MAX_AROUND {
        let Some(info) = next else { break };
        let locals = info.context_locals().ok()?;
        for local in locals {
            out.push(local.name.ok()?);
        }
        next = info.outer().ok()?;
    }
    next.is_none().then_some(out)
}

/// The initializers of a class lie here and there in it, and V8's place of them is not the same in
/// all versions: they are looked for in all of the script.
fn initializer_text(
    shared: SharedFunctionInfo,
    place: std::ops::Range<u64>,
    is_static: bool,
) -> Option<FunctionText> {
    Some(FunctionText {
        units: whole(shared)?,
        start: 0,
        syntax: Syntax::default(),
        own_name: None,
        form: Form::Initializer { place, is_static },
    })
}

/// Parameters of the function that V8 made of a whole script (as Node has it do for a module).
fn wrapped_parameters(shared: SharedFunctionInfo) -> Option<Vec<String>> {
    let script = shared.script().ok()??;
    let cx = script.0.cx;
    let value = script
        .0
        .object_field(cx.layout.script.eval_from_shared)
        .ok()?;
    if value.instance_type().ok()? != crate::metadata::InstanceType::FixedArray {
        return None;
    }
    let names = FixedArray(value);
    let count = names.len().ok()?;
    let name = |i| {
        let name = cx.object(names.get(i).ok()?).ok()?;
        Some(JSString(name).read(256).ok()?.text())
    };
    (1..=MAX_WRAPPED)
        .contains(&count)
        .then(|| (0..count).map(name).collect())?
}
