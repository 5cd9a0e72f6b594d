//! The value that a script leaves: V8 keeps it in a temporary, and saves it in others where a
//! `finally` could be left before it is done (Processor in `parsing/rewriter.cc`).

use crate::source::scope::Scopes;
use oxc_ast::ast::*;
use rustc_hash::FxHashSet;

/// What that takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Completion {
    /// Some statement may leave a value.
    pub is_assigned: bool,
    /// Places where it is saved.
    pub saved: usize,
}

/// Of a script or module. Functions in blocks count where they are hoisted already.
pub(super) fn of(program: &Program, scopes: &Scopes) -> Completion {
    let mut processor = Processor {
        every_finally_saves: scopes.rules.every_finally_saves_result,
        hoisted: &scopes.hoisted,
        found: Completion::default(),
        is_set: false,
        may_be_left: false,
    };
    processor.list(&program.body);
    if !program.directives.is_empty() {
        processor.value();
    }
    processor.found
}

struct Processor<'p> {
    every_finally_saves: bool,
    hoisted: &'p FxHashSet<u32>,
    found: Completion,
    /// What comes after leaves a value.
    is_set: bool,
    /// In a loop, a `switch` or a block with a label.
    may_be_left: bool,
}

impl Processor<'_> {
    /// From the last on, until one leaves the value for sure.
    fn list(&mut self, statements: &[Statement]) {
        for statement in statements.iter().rev() {
            if self.is_set && !self.may_be_left {
                break;
            }
            self.statement(statement, &[]);
        }
    }

    fn breakable(&mut self, is: bool, what: impl FnOnce(&mut Self)) {
        let before = self.may_be_left;
        self.may_be_left |= is;
        what(self);
        self.may_be_left = before;
    }

    fn value(&mut self) {
        self.found.is_assigned |= !self.is_set;
        self.is_set = true;
    }

    fn body(&mut self, body: &Statement) {
        self.breakable(true, |p| p.statement(body, &[]));
        self.found.is_assigned = true;
        self.is_set = true;
    }

    /// `labels`: those right before it.
    fn statement(&mut self, statement: &Statement, labels: &[&str]) {
        match statement {
            Statement::ExpressionStatement(_) | Statement::ThrowStatement(_) => self.value(),
            Statement::BlockStatement(block) => {
                self.breakable(!labels.is_empty(), |p| p.list(&block.body));
            }
            Statement::LabeledStatement(labeled) => {
                let labels = [labels, &[labeled.label.name.as_str()]].concat();
                self.statement(&labeled.body, &labels);
            }
            Statement::IfStatement(it) => {
                let after = self.is_set;
                self.statement(&it.consequent, labels);
                let in_then = std::mem::replace(&mut self.is_set, after);
                if let Some(alternate) = &it.alternate {
                    self.statement(alternate, labels);
                }
                self.is_set &= in_then;
                self.value();
            }
            Statement::WithStatement(it) => {
                self.statement(&it.body, labels);
                self.value();
            }
            Statement::DoWhileStatement(it) => self.body(&it.body),
            Statement::WhileStatement(it) => self.body(&it.body),
            Statement::ForStatement(it) => self.body(&it.body),
            Statement::ForInStatement(it) => self.body(&it.body),
            Statement::ForOfStatement(it) => self.body(&it.body),
            Statement::SwitchStatement(it) => {
                self.breakable(true, |p| {
                    for case in it.cases.iter().rev() {
                        p.list(&case.consequent);
                    }
                });
                self.found.is_assigned = true;
                self.is_set = true;
            }
            Statement::TryStatement(it) => {
                self.breakable(!labels.is_empty(), |p| p.try_statement(it));
            }
            Statement::BreakStatement(it) => {
                let label = it.label.as_ref().map(|l| l.name.as_str());
                // `label: break label` does nothing.
                let is_own = label.is_some_and(|l| labels.contains(&l));
                self.is_set &= is_own;
            }
            Statement::ContinueStatement(_) => self.is_set = false,
            Statement::ReturnStatement(_) => self.is_set = true,
            Statement::FunctionDeclaration(it) if self.hoisted.contains(&it.span.start) => {
                self.value();
            }
            _ => {}
        }
    }

    fn try_statement(&mut self, it: &TryStatement) {
        if let (Some(finalizer), true) = (&it.finalizer, self.may_be_left) {
            self.is_set = true;
            self.list(&finalizer.body);
            if self.is_set || self.every_finally_saves {
                self.found.saved += 1;
            } else {
                self.found.is_assigned = true;
            }
            self.is_set = false;
        }
        if let Some(handler) = &it.handler {
            let after = self.is_set;
            self.list(&it.block.body);
            let in_try = std::mem::replace(&mut self.is_set, after);
            self.list(&handler.body.body);
            self.is_set &= in_try;
        } else {
            self.list(&it.block.body);
        }
        self.value();
    }
}
