//! The code of a module.

use super::completion;
use super::{range, FunctionShape, Walker};
use crate::source::scope::{Location, Mode, ScopeId, ScopeKind};
use oxc_ast::ast::*;
use oxc_ast_visit::Visit;

/// What V8 calls what `export * as` exports, with a number.
const NAMESPACE: &str = ".ns-export";

/// Whether V8 made the name up: that of a default export without one, or of what `export * as` exports.
fn is_of_v8(name: &str) -> bool {
    name == "*default*" || name.starts_with('.')
}

impl<'s> Walker<'s> {
    /// A module, of whose variables the named ones are in `cells`.
    pub fn module(&mut self, program: &Program<'s>, cells: &[String]) -> ScopeId {
        let shape = FunctionShape {
            kind: ScopeKind::Module,
            // It runs as a generator does: at first to have its functions made.
            is_resumable: true,
            ..Default::default()
        };
        let (scope, inner) = self.begin_function(None, shape, true, range(program.span));
        self.within(scope, |w| {
            for statement in &program.body {
                w.visit_statement(statement);
            }
        });
        // A module's own variables have places even where nothing uses them.
        for id in self.scopes.scopes[scope].locals.clone() {
            self.scopes.use_variable(id);
        }
        if self.scopes.rules.module_result_temporary {
            self.scopes.temporary(scope);
            // What waits is in a function within, whose value is not the module's.
            if !self.awaits {
                let completion = completion::of(program, &self.scopes);
                for _ in 0..completion.saved {
                    self.scopes.temporary(scope);
                }
            }
        }
        self.end_function(scope, inner, shape, true);
        let exported = cells.iter().filter(|n| n.starts_with(NAMESPACE)).count();
        let namespaces = std::mem::take(&mut self.namespace_exports);
        // From V8 14.6 on the other module's namespace itself is exported, and this keeps it too.
        self.unsure |= exported != 0 && exported != namespaces.len();
        for id in namespaces.into_iter().filter(|_| exported != 0) {
            self.scopes.variables[id].location = Location::Cell;
        }
        for name in cells {
            let locals = self.scopes.scopes[scope].locals.iter();
            let found = locals
                .copied()
                .find(|id| self.scopes.variables[*id].name == name);
            match found {
                Some(id) => self.scopes.variables[id].location = Location::Cell,
                None => self.unsure |= !is_of_v8(name),
            }
        }
        scope
    }

    pub(super) fn import(&mut self, it: &ImportDeclaration<'s>) {
        let scope = self.scope();
        for specifier in it.specifiers.iter().flatten() {
            let name = specifier.local().name.as_str();
            let id = self.scopes.declare(scope, name, Mode::Lexical);
            // A namespace is put into its variable at the start, whoever uses it.
            self.scopes.use_variable(id);
        }
    }
}
