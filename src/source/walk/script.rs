//! The code of scripts that are no modules, and of `eval`.

use super::{completion, functions::is_use_strict, range, FunctionShape, Walker};
use crate::source::scope::{ScopeId, ScopeKind};
use oxc_ast::ast::*;
use oxc_ast_visit::Visit;

impl<'s> Walker<'s> {
    /// A script.
    pub fn script(&mut self, program: &Program<'s>) -> ScopeId {
        let (scope, shape, strict) = self.top_level(program, ScopeKind::Script);
        self.end_function(scope, scope, shape, strict);
        self.keep_result(scope, program);
        scope
    }

    /// What is given to `eval`; `around`: names of variables that it sees.
    pub fn eval(&mut self, program: &Program<'s>, around: &[String]) -> ScopeId {
        let (scope, shape, strict) = self.top_level(program, ScopeKind::Eval);
        // V8 hoists functions of blocks when it has found what the value is.
        self.keep_result(scope, program);
        for (id, _) in &self.scopes.scopes[scope].block_functions {
            // It is not hoisted over what `let` has declared around.
            let name = self.scopes.variables[*id].name;
            self.unsure |= around.iter().any(|n| n == name);
        }
        self.end_function(scope, scope, shape, strict);
        scope
    }

    fn top_level(
        &mut self,
        program: &Program<'s>,
        kind: ScopeKind,
    ) -> (ScopeId, FunctionShape<'s>, bool) {
        let strict = self.is_strict() || program.directives.iter().any(is_use_strict);
        let shape = FunctionShape {
            kind,
            ..Default::default()
        };
        let (scope, _) = self.begin_function(None, shape, strict, range(program.span));
        self.within(scope, |w| {
            for statement in &program.body {
                w.visit_statement(statement);
            }
        });
        (scope, shape, strict)
    }

    /// The temporaries for the value that the code leaves.
    fn keep_result(&mut self, scope: ScopeId, program: &Program<'s>) {
        let completion = completion::of(program, &self.scopes);
        // Where any name may be used, that of the first is.
        let is_used = completion.is_assigned
            || self.scopes.scopes[scope].kind == ScopeKind::Script
            || self.scopes.calls_eval(scope);
        for _ in 0..completion.saved + usize::from(is_used) {
            self.scopes.temporary(scope);
        }
    }
}
