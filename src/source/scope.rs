//! Scopes and their variables as V8's parser makes them, and where V8 then puts each variable.

use crate::metadata::ScopeRules;
use rustc_hash::{FxHashMap, FxHashSet};

/// Index of a [`Scope`].
pub(super) type ScopeId = usize;
/// Index of a [`Variable`].
pub(super) type VariableId = usize;

/// What made a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum ScopeKind {
    #[default]
    Function,
    Arrow,
    /// The code of a module.
    Module,
    /// The code of a script that is none.
    Script,
    /// The code given to `eval`.
    Eval,
    /// The body of a function whose parameters are not simple, and a class's static block.
    VarBlock,
    Block,
    Catch,
    With,
    Class,
}

impl ScopeKind {
    pub(super) fn is_function(self) -> bool {
        matches!(
            self,
            ScopeKind::Function
                | ScopeKind::Arrow
                | ScopeKind::Module
                | ScopeKind::Script
                | ScopeKind::Eval
        )
    }

    /// `var` declares in it.
    pub(super) fn is_declaration(self) -> bool {
        self.is_function() || self == ScopeKind::VarBlock
    }
}

/// How a variable is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Var,
    /// `let`, `const`, `class`, and functions in blocks.
    Lexical,
    Temporary,
}

/// Where V8 puts a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Location {
    Unallocated,
    Parameter,
    Register(u32),
    Context,
    /// A cell of a module.
    Cell,
}

/// A range of the source, in bytes of the parsed text.
pub(super) type Range = std::ops::Range<u32>;

#[derive(Debug, Clone)]
pub(super) struct Variable<'s> {
    pub name: &'s str,
    pub scope: ScopeId,
    pub mode: Mode,
    pub is_parameter: bool,
    /// Of a function in a block of sloppy code.
    pub is_block_function: bool,
    pub is_used: bool,
    /// A closure sees it.
    pub in_context: bool,
    /// Made by the parser, or one that the program cannot see where it is.
    pub is_hidden: bool,
    /// Its declarator, where it must run before the variable has a value.
    pub declarator: Option<Range>,
    /// The declarator is a pattern: parts of it are done before others.
    pub in_pattern: bool,
    /// The clause of a `switch` that it is declared in.
    pub clause: Option<Range>,
    pub location: Location,
}

#[derive(Debug)]
pub(super) struct Scope {
    pub kind: ScopeKind,
    pub outer: Option<ScopeId>,
    /// In the order they were made.
    children: Vec<ScopeId>,
    pub locals: Vec<VariableId>,
    /// Where its variables are seen.
    pub range: Range,
    pub is_strict: bool,
    /// A direct `eval` is in it or within.
    calls_eval: bool,
    pub has_simple_parameters: bool,
    /// Functions in blocks of sloppy code, and where each begins.
    pub block_functions: Vec<(VariableId, u32)>,
    pub arguments: Option<VariableId>,
    pub function_variable: Option<VariableId>,
}

/// All scopes of a parse.
pub(super) struct Scopes<'s> {
    pub rules: ScopeRules,
    pub scopes: Vec<Scope>,
    pub variables: Vec<Variable<'s>>,
    names: FxHashMap<(ScopeId, &'s str), VariableId>,
    references: Vec<(ScopeId, &'s str)>,
    /// Where the functions in blocks begin that are variables of the function (script) too.
    pub hoisted: FxHashSet<u32>,
}

impl<'s> Scopes<'s> {
    pub fn new(rules: ScopeRules) -> Scopes<'s> {
        Scopes {
            rules,
            scopes: Vec::new(),
            variables: Vec::new(),
            names: FxHashMap::default(),
            references: Vec::new(),
            hoisted: FxHashSet::default(),
        }
    }

    pub fn new_scope(
        &mut self,
        kind: ScopeKind,
        outer: Option<ScopeId>,
        range: Range,
        is_strict: bool,
    ) -> ScopeId {
        let id = self.scopes.len();
        self.scopes.push(Scope {
            kind,
            outer,
            children: Vec::new(),
            locals: Vec::new(),
            range,
            is_strict,
            calls_eval: false,
            has_simple_parameters: true,
            block_functions: Vec::new(),
            arguments: None,
            function_variable: None,
        });
        if let Some(outer) = outer {
            self.scopes[outer].children.push(id);
        }
        id
    }

    /// Scope::FinalizeBlockScope: one without variables goes, what is in it moves out. Whether
    /// it stays.
    pub fn finalize(&mut self, id: ScopeId) -> bool {
        if !self.scopes[id].locals.is_empty() {
            return true;
        }
        let Some(outer) = self.scopes[id].outer else {
            return true;
        };
        let children = std::mem::take(&mut self.scopes[id].children);
        for child in &children {
            self.scopes[*child].outer = Some(outer);
        }
        let of_outer = &mut self.scopes[outer].children;
        of_outer.retain(|c| *c != id);
        of_outer.extend(children);
        false
    }

    fn add(&mut self, name: &'s str, scope: ScopeId, mode: Mode) -> VariableId {
        let id = self.variables.len();
        self.variables.push(Variable {
            name,
            scope,
            mode,
            is_parameter: false,
            is_block_function: false,
            is_used: false,
            in_context: false,
            is_hidden: false,
            declarator: None,
            in_pattern: false,
            clause: None,
            location: Location::Unallocated,
        });
        id
    }

    pub fn lookup(&self, scope: ScopeId, name: &'s str) -> Option<VariableId> {
        self.names.get(&(scope, name)).copied()
    }

    /// Scope::GetDeclarationScope.
    pub fn declaration_scope(&self, mut scope: ScopeId) -> ScopeId {
        while !self.scopes[scope].kind.is_declaration() {
            match self.scopes[scope].outer {
                Some(outer) => scope = outer,
                None => break,
            }
        }
        scope
    }

    /// Scope::GetClosureScope.
    fn closure_scope(&self, mut scope: ScopeId) -> ScopeId {
        while !self.scopes[scope].kind.is_function() {
            match self.scopes[scope].outer {
                Some(outer) => scope = outer,
                None => break,
            }
        }
        scope
    }

    /// Declares a name; one that is declared already stays.
    pub fn declare(&mut self, scope: ScopeId, name: &'s str, mode: Mode) -> VariableId {
        let scope = match mode {
            Mode::Var => self.declaration_scope(scope),
            _ => scope,
        };
        if let Some(id) = self.lookup(scope, name) {
            return id;
        }
        let id = self.add(name, scope, mode);
        self.scopes[scope].locals.push(id);
        self.names.insert((scope, name), id);
        id
    }

    /// A variable that only the parser knows; it is used.
    pub fn temporary(&mut self, scope: ScopeId) -> VariableId {
        let scope = self.closure_scope(scope);
        let id = self.add("", scope, Mode::Temporary);
        self.variables[id].is_used = true;
        self.variables[id].is_hidden = true;
        self.scopes[scope].locals.push(id);
        id
    }

    /// Declares in just this scope, whatever it is.
    pub fn declare_in(&mut self, scope: ScopeId, name: &'s str) -> VariableId {
        self.declare(scope, name, Mode::Lexical)
    }

    /// The name of a function expression within it.
    pub fn function_variable(&mut self, scope: ScopeId, name: &'s str) -> VariableId {
        self.add(name, scope, Mode::Lexical)
    }

    pub fn reference(&mut self, scope: ScopeId, name: &'s str) {
        self.references.push((scope, name));
    }

    pub fn use_variable(&mut self, id: VariableId) {
        self.variables[id].is_used = true;
    }

    /// A direct call of `eval`: it may name any variable it can see.
    pub fn record_eval(&mut self, scope: ScopeId) {
        let mut next = Some(scope);
        while let Some(id) = next {
            if std::mem::replace(&mut self.scopes[id].calls_eval, true) {
                break;
            }
            next = self.scopes[id].outer;
        }
    }

    pub fn declare_block_function(&mut self, id: VariableId, start: u32) {
        let scope = self.declaration_scope(self.variables[id].scope);
        self.scopes[scope].block_functions.push((id, start));
    }

    /// DeclarationScope::HoistSloppyBlockFunctions.
    pub fn hoist_block_functions(&mut self, scope: ScopeId) {
        let functions = std::mem::take(&mut self.scopes[scope].block_functions);
        let parameters = match self.scopes[scope].kind.is_function() {
            true => scope,
            false => self.scopes[scope].outer.unwrap_or(scope),
        };
        for (id, start) in functions {
            let name = self.variables[id].name;
            let parameter = self.lookup(parameters, name);
            if parameter.is_some_and(|p| self.variables[p].is_parameter) {
                continue;
            }
            if self.conflicts(self.variables[id].scope, scope, name) {
                continue;
            }
            let var = self.declare(scope, name, Mode::Var);
            self.use_variable(var);
            self.use_variable(id);
            self.hoisted.insert(start);
        }
    }

    /// Whether a declaration between a block function's scope and the function's is in its way.
    fn conflicts(&self, own: ScopeId, last: ScopeId, name: &'s str) -> bool {
        let mut scope = self.scopes[own].outer;
        while let Some(id) = scope {
            if let Some(found) = self.lookup(id, name) {
                let found = &self.variables[found];
                let may_share = self.rules.hoists_over_block_functions && found.is_block_function;
                if found.mode == Mode::Lexical && !may_share {
                    return true;
                }
            }
            if id == last {
                break;
            }
            scope = self.scopes[id].outer;
        }
        false
    }

    /// Finds what each reference means.
    pub fn resolve(&mut self) {
        for (scope, name) in std::mem::take(&mut self.references) {
            let mut next = Some(scope);
            let mut from_closure = false;
            while let Some(id) = next {
                let found = self.lookup(id, name).or_else(|| {
                    let own = self.scopes[id].function_variable;
                    own.filter(|v| self.variables[*v].name == name)
                });
                if let Some(found) = found {
                    let variable = &mut self.variables[found];
                    variable.is_used = true;
                    variable.in_context |= from_closure;
                    break;
                }
                let kind = self.scopes[id].kind;
                // The object of a `with` may have the name too, which only running it tells.
                from_closure |= kind.is_function() || kind == ScopeKind::With;
                next = self.scopes[id].outer;
            }
        }
    }

    /// The scopes directly in a scope that are of the same function.
    pub fn inner(&self, scope: ScopeId) -> impl Iterator<Item = ScopeId> + '_ {
        let children = self.scopes[scope].children.iter().copied();
        children.filter(|c| !self.scopes[*c].kind.is_function())
    }

    /// Scope::AllocateVariablesRecursively, for one function. How many registers it took.
    pub fn allocate(&mut self, function: ScopeId) -> u32 {
        let mut registers = 0;
        self.allocate_parameters(function);
        let mut todo = vec![function];
        while let Some(scope) = todo.pop() {
            let kind = self.scopes[scope].kind;
            let locals = self.scopes[scope].locals.clone();
            let is_temporary = |id: &VariableId| self.variables[*id].mode == Mode::Temporary;
            let order: Vec<VariableId> = if kind == ScopeKind::Arrow
                && self.rules.arrow_temporaries_last
            {
                let (last, first): (Vec<_>, Vec<_>) = locals.into_iter().partition(is_temporary);
                first.into_iter().chain(last).collect()
            } else {
                locals
            };
            let own = self.scopes[scope].function_variable;
            for id in order.into_iter().chain(own) {
                self.allocate_local(scope, id, &mut registers);
            }
            // The last made comes first: the first is pushed first, and popped last.
            todo.extend(self.inner(scope));
        }
        registers
    }

    /// `var` makes properties of the global object, or variables of the function around an `eval`.
    pub fn has_vars_elsewhere(&self, scope: ScopeId) -> bool {
        let scope = &self.scopes[scope];
        scope.kind == ScopeKind::Script || scope.kind == ScopeKind::Eval && !scope.is_strict
    }

    pub fn calls_eval(&self, scope: ScopeId) -> bool {
        self.scopes[scope].calls_eval
    }

    fn must_allocate(&mut self, scope: ScopeId, id: VariableId) -> bool {
        let of = &self.scopes[scope];
        let by_eval = of.calls_eval || matches!(of.kind, ScopeKind::Catch | ScopeKind::Script);
        let variable = &mut self.variables[id];
        variable.is_used |= by_eval && !variable.name.is_empty();
        variable.is_used
    }

    fn must_be_in_context(&self, scope: ScopeId, id: VariableId) -> bool {
        let variable = &self.variables[id];
        let scope = &self.scopes[scope];
        let is_of_script = matches!(scope.kind, ScopeKind::Script | ScopeKind::Eval);
        variable.mode != Mode::Temporary
            && (scope.kind == ScopeKind::Catch
                || is_of_script && variable.mode == Mode::Lexical
                || variable.in_context
                || scope.calls_eval)
    }

    fn allocate_parameters(&mut self, function: ScopeId) {
        let scope = &self.scopes[function];
        let mapped = scope.has_simple_parameters
            && !scope.is_strict
            && scope.arguments.is_some_and(|a| {
                let arguments = &self.variables[a];
                (arguments.is_used || scope.calls_eval) && !arguments.is_parameter
            });
        let parameters: Vec<VariableId> = scope
            .locals
            .iter()
            .copied()
            .filter(|id| self.variables[*id].is_parameter)
            .collect();
        for id in parameters {
            self.variables[id].in_context |= mapped;
            let in_context = self.must_be_in_context(function, id);
            self.variables[id].location = match in_context {
                true => Location::Context,
                false => Location::Parameter,
            };
        }
    }

    fn allocate_local(&mut self, scope: ScopeId, id: VariableId, registers: &mut u32) {
        if self.variables[id].location != Location::Unallocated || !self.must_allocate(scope, id) {
            return;
        }
        if self.variables[id].mode == Mode::Var && self.has_vars_elsewhere(scope) {
            return;
        }
        self.variables[id].location = if self.must_be_in_context(scope, id) {
            Location::Context
        } else {
            *registers += 1;
            Location::Register(*registers - 1)
        };
    }
}
