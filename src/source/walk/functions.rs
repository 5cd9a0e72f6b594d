//! Functions: the scope of each, and its parameters.

use super::{range, FunctionShape, FunctionState, Walker, ARGUMENTS, NEW_TARGET, THIS_FUNCTION};
use crate::source::scope::{Mode, Range, ScopeId, ScopeKind};
use oxc_ast::ast::*;
use oxc_ast_visit::Visit;
use oxc_span::GetSpan;

impl<'s> Walker<'s> {
    /// A function from its parameters on; its scope.
    pub fn function(
        &mut self,
        parameters: &FormalParameters<'s>,
        body: &FunctionBody<'s>,
        shape: FunctionShape<'s>,
        at: Range,
    ) -> ScopeId {
        let strict = self.is_strict() || body.directives.iter().any(is_use_strict);
        let (scope, inner) = self.begin_function(Some(parameters), shape, strict, at);
        let clause = self.clause.take();
        self.within(inner, |w| {
            for statement in &body.statements {
                w.visit_statement(statement);
            }
        });
        self.clause = clause;
        self.end_function(scope, inner, shape, strict);
        scope
    }

    /// A script that V8 compiled as the body of a function with these parameters.
    pub fn wrapped(&mut self, names: &[&'s str], program: &Program<'s>) -> ScopeId {
        let strict = self.is_strict() || program.directives.iter().any(is_use_strict);
        let shape = FunctionShape::default();
        let (scope, inner) = self.begin_function(None, shape, strict, range(program.span));
        self.within(scope, |w| {
            for name in names {
                w.declare_parameter(name);
            }
            for statement in &program.body {
                w.visit_statement(statement);
            }
        });
        self.end_function(scope, inner, shape, strict);
        scope
    }

    pub(super) fn begin_function(
        &mut self,
        parameters: Option<&FormalParameters<'s>>,
        shape: FunctionShape<'s>,
        strict: bool,
        at: Range,
    ) -> (ScopeId, ScopeId) {
        self.record_function_or_eval();
        self.functions.push(FunctionState {
            contains_function_or_eval: false,
            is_derived_constructor: shape.is_derived_constructor,
        });
        let kind = shape.kind;
        let scope = self
            .scopes
            .new_scope(kind, self.current, at.clone(), strict);
        if kind == ScopeKind::Function {
            for name in [NEW_TARGET, THIS_FUNCTION] {
                let id = self.scopes.declare(scope, name, Mode::Lexical);
                self.scopes.variables[id].is_hidden = true;
            }
        }
        let simple = parameters.is_none_or(|p| {
            let plain = |p: &FormalParameter| p.pattern.kind.is_binding_identifier();
            p.rest.is_none() && p.items.iter().all(plain)
        });
        self.scopes.scopes[scope].has_simple_parameters = simple;
        if let Some(parameters) = parameters {
            self.within(scope, |w| w.parameters(parameters, simple));
        }
        if shape.is_resumable {
            self.scopes.temporary(scope);
        }
        let inner = match simple {
            true => scope,
            false => self
                .scopes
                .new_scope(ScopeKind::VarBlock, Some(scope), at, strict),
        };
        (scope, inner)
    }

    pub(super) fn declare_parameter(&mut self, name: &'s str) {
        let scope = self.scope();
        let id = self.scopes.declare(scope, name, Mode::Var);
        self.scopes.variables[id].is_parameter = true;
        self.scopes.use_variable(id);
    }

    pub(super) fn parameters(&mut self, parameters: &FormalParameters<'s>, simple: bool) {
        if simple {
            for item in &parameters.items {
                if let BindingPatternKind::BindingIdentifier(name) = &item.pattern.kind {
                    self.declare_parameter(name.name.as_str());
                }
            }
            return;
        }
        for item in &parameters.items {
            let declarator = range(item.pattern.span());
            self.bind(&item.pattern, Mode::Lexical, &declarator, true);
        }
        if let Some(rest) = &parameters.rest {
            let declarator = range(rest.span);
            self.bind(&rest.argument, Mode::Lexical, &declarator, true);
            // The other parameters are where they were passed; the array is made first.
            let scope = self.scope();
            self.scopes.temporary(scope);
        }
    }

    pub(super) fn end_function(
        &mut self,
        scope: ScopeId,
        inner: ScopeId,
        shape: FunctionShape<'s>,
        strict: bool,
    ) {
        if !strict {
            self.scopes.hoist_block_functions(inner);
        }
        if inner != scope && self.scopes.finalize(inner) {
            // A `var` of a parameter's name begins with the parameter's value.
            for id in self.scopes.scopes[inner].locals.clone() {
                let variable = &self.scopes.variables[id];
                if variable.mode != Mode::Var {
                    continue;
                }
                if let Some(parameter) = self.scopes.lookup(scope, variable.name) {
                    self.scopes.use_variable(parameter);
                    self.scopes.use_variable(id);
                }
            }
        }
        if shape.kind == ScopeKind::Function && !shape.is_of_class {
            let id = self.scopes.declare(scope, ARGUMENTS, Mode::Var);
            self.scopes.scopes[scope].arguments = Some(id);
        }
        if let Some(name) = shape.own_name {
            if self.scopes.lookup(scope, name).is_none() {
                let id = self.scopes.function_variable(scope, name);
                self.scopes.scopes[scope].function_variable = Some(id);
            }
        }
        self.functions.pop();
    }

    pub(super) fn function_declaration(&mut self, function: &Function<'s>) {
        self.inner_function(function, FunctionShape::default());
        let Some(name) = &function.id else { return };
        let scope = self.scope();
        let name = name.name.as_str();
        if self.scopes.scopes[scope].kind.is_declaration() {
            self.scopes.declare(scope, name, Mode::Var);
            return;
        }
        let id = self.scopes.declare(scope, name, Mode::Lexical);
        if !self.is_strict() && !function.r#async && !function.generator {
            self.scopes.variables[id].is_block_function = true;
            self.scopes.declare_block_function(id, function.span.start);
        }
    }

    pub(super) fn inner_function(&mut self, function: &Function<'s>, shape: FunctionShape<'s>) {
        let Some(body) = &function.body else {
            self.unsure = true;
            return;
        };
        let shape = FunctionShape {
            is_resumable: function.r#async || function.generator,
            ..shape
        };
        self.function(&function.params, body, shape, range(function.span));
    }

    /// A function without parameters that V8 makes for a part of a class.
    pub(super) fn class_function(&mut self, at: Range, what: impl FnOnce(&mut Self)) -> ScopeId {
        let shape = FunctionShape {
            is_of_class: true,
            ..Default::default()
        };
        let (scope, inner) = self.begin_function(None, shape, true, at);
        let clause = self.clause.take();
        self.within(scope, what);
        self.clause = clause;
        self.end_function(scope, inner, shape, true);
        scope
    }
}

pub(super) fn is_use_strict(directive: &Directive) -> bool {
    directive.directive == "use strict"
}
