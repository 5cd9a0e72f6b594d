//! What is found out of a function's variables.

use super::scope::{Location, Range, ScopeId};
use super::walk::initializer::{ends_initializer, holds_initializer};
use super::walk::{ClassRecord, Walker};

/// Where a variable is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VariablePlace {
    /// A register of the bytecode.
    Register(u32),
    /// Among the arguments.
    Parameter,
    /// The Context of its scope, or a cell of the module.
    Context,
    /// Nowhere: nothing uses it.
    Nowhere,
}

/// A variable of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Local {
    pub name: String,
    pub place: VariablePlace,
    /// Where in the script it is seen, in UTF-16 units.
    pub seen: std::ops::Range<u64>,
    /// Whether that is the whole function.
    pub is_of_function: bool,
    /// Its declarator, where it has no value before it has run.
    declarator: Option<std::ops::Range<u64>>,
    in_pattern: bool,
    clause: Option<std::ops::Range<u64>>,
}

/// Whether a variable has a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Initialized {
    Yes,
    No,
    /// It cannot be told by the position.
    Unknown,
}

impl Local {
    /// Whether it has its value at a position in the script where it is seen.
    pub fn is_initialized(&self, position: u64) -> Initialized {
        let Some(declarator) = &self.declarator else {
            return Initialized::Yes;
        };
        if position < declarator.start {
            Initialized::No
        } else if position < declarator.end {
            match self.in_pattern {
                true => Initialized::Unknown,
                false => Initialized::No,
            }
        } else if self.clause.as_ref().is_some_and(|c| position >= c.end) {
            // Another clause may have been entered straight.
            Initialized::Unknown
        } else {
            Initialized::Yes
        }
    }
}

/// The variables of a function as V8 has them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FunctionVariables {
    /// Those a program can name, from the outer scopes to the inner.
    pub locals: Vec<Local>,
    /// Registers that hold variables; those after them hold intermediate values.
    pub registers: u32,
    /// Variables of the function's own scope that are in a Context, in its order.
    pub in_context: Vec<String>,
    /// Register of the function's own name, where the name of a function expression has one.
    pub own_name: Option<u32>,
    /// Declared parameters: names where they are plain, and whether it is the rest.
    pub parameters: Vec<(Option<String>, bool)>,
    /// Where in the script its calls of `super` are.
    super_calls: Vec<std::ops::Range<u64>>,
    /// It or an arrow function in it calls `super`.
    is_derived: bool,
    /// The classes in its text, those within others first.
    classes: Vec<ClassPlace>,
}

/// A class in a function's text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ClassPlace {
    at: std::ops::Range<u64>,
    /// Its last member that a static initializer runs.
    last_static: Option<std::ops::Range<u64>>,
    /// The function makes it, not one within.
    is_own: bool,
}

impl FunctionVariables {
    /// Those that can be named at a position in the script, outer scopes first.
    pub fn seen(&self, position: u64) -> Vec<&Local> {
        let seen = |l: &&Local| l.seen.contains(&position);
        let mut out: Vec<&Local> = Vec::new();
        for local in self.locals.iter().filter(seen) {
            out.retain(|l| l.name != local.name);
            out.push(local);
        }
        out
    }

    /// Whether more than one variable of a name is around a position in the script.
    pub fn shadows(&self, name: &str, position: u64) -> bool {
        let around = |l: &&Local| l.name == name && l.seen.contains(&position);
        self.locals.iter().filter(around).nth(1).is_some()
    }

    /// The position of the call of a class's static initializer that V8 gives this place: it is made
    /// when all else of the class is. `None` where it cannot be told.
    pub fn calls_static_initializer(&self, place: &std::ops::Range<u64>) -> Option<u64> {
        let mut classes = self.classes.iter();
        let class = classes.find(|c| holds_initializer(&c.at, place))?;
        let is_it = class.is_own && ends_initializer(&class.at, class.last_static.as_ref(), place);
        is_it.then(|| class.at.end.saturating_sub(1))
    }

    /// The position of the call of the initializer of an object's members: in a class's constructor
    /// before all else, or once `super` has returned. `at` is the place that V8 gives that.
    pub fn calls_members_initializer(
        &self,
        is_constructor: bool,
        start: u64,
        at: u64,
    ) -> Option<u64> {
        if is_constructor && !self.is_derived {
            return Some(start);
        }
        let mut of = self.super_calls.iter().filter(|c| c.contains(&at));
        match (of.next(), of.next()) {
            (Some(_), None) => Some(at),
            _ => None,
        }
    }

    pub(super) fn of(
        walker: &Walker<'_>,
        function: ScopeId,
        registers: u32,
        position: impl Fn(u32) -> u64,
    ) -> FunctionVariables {
        let scopes = &walker.scopes;
        let map = |r: &Range| position(r.start)..position(r.end);
        let class = |c: &ClassRecord| ClassPlace {
            at: map(&c.at),
            last_static: c.last_static.as_ref().map(map),
            is_own: c.is_own,
        };
        let mut out = FunctionVariables {
            registers,
            super_calls: walker.super_calls.iter().map(map).collect(),
            is_derived: walker.calls_super,
            classes: walker.classes.iter().map(class).collect(),
            ..Default::default()
        };
        let own = scopes.scopes[function].function_variable;
        let mut todo = vec![function];
        while let Some(scope) = todo.pop() {
            let of_scope = &scopes.scopes[scope];
            for id in own
                .iter()
                .filter(|_| scope == function)
                .chain(&of_scope.locals)
            {
                let variable = &scopes.variables[*id];
                let place = match variable.location {
                    Location::Register(register) => VariablePlace::Register(register),
                    Location::Context | Location::Cell => VariablePlace::Context,
                    Location::Parameter => VariablePlace::Parameter,
                    Location::Unallocated => VariablePlace::Nowhere,
                };
                if let (true, VariablePlace::Register(register)) = (own == Some(*id), place) {
                    out.own_name = Some(register);
                }
                if variable.is_hidden {
                    continue;
                }
                let in_context = variable.location == Location::Context;
                if in_context && scope == function && own != Some(*id) {
                    out.in_context.push(variable.name.to_string());
                }
                out.locals.push(Local {
                    name: variable.name.to_string(),
                    place,
                    seen: map(&of_scope.range),
                    is_of_function: scope == function,
                    declarator: variable.declarator.as_ref().map(map),
                    in_pattern: variable.in_pattern,
                    clause: variable.clause.as_ref().map(map),
                });
            }
            todo.extend(scopes.inner(scope));
        }
        // A scope within another lies within its text too.
        let length = |l: &Local| l.seen.end.saturating_sub(l.seen.start);
        out.locals.sort_by_key(|l| std::cmp::Reverse(length(l)));
        out
    }
}
