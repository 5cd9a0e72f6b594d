//! Statements that make scopes, and classes.

use super::initializer::last_member;
use super::{range, ClassRecord, FunctionShape, Walker, CATCH};
use crate::source::scope::{Mode, ScopeId, ScopeKind};
use oxc_ast::ast::*;
use oxc_ast_visit::Visit;
use oxc_span::{GetSpan, Span};

impl<'s> Walker<'s> {
    pub(super) fn for_statement(&mut self, it: &ForStatement<'s>) {
        let declaration = match &it.init {
            Some(ForStatementInit::VariableDeclaration(d)) => Some(d),
            _ => None,
        };
        let lexical = declaration.filter(|d| d.kind != VariableDeclarationKind::Var);
        let Some(declaration) = lexical else {
            if let Some(init) = &it.init {
                self.visit_for_statement_init(init);
            }
            self.for_rest(it);
            return;
        };
        let outer = self.new_scope(ScopeKind::Block, range(it.span));
        let before = self.begin_recording();
        self.within(outer, |w| {
            let head = w.new_scope(ScopeKind::Block, range(it.span));
            w.within(head, |w| {
                let (mode, names) = w.declarations(declaration, false);
                let each = w.new_scope(ScopeKind::Block, declaration.span.end..it.span.end);
                w.within(each, |w| w.for_rest(it));
                if !names.is_empty() && w.contains_function_or_eval() {
                    w.copy_each_time(it, head, each, mode, &names);
                } else {
                    w.scopes.finalize(each);
                    w.scopes.finalize(head);
                }
            });
        });
        self.end_recording(before);
        self.scopes.finalize(outer);
    }

    /// DesugarLexicalBindingsInForStatement: a copy of the variables for each time around.
    fn copy_each_time(
        &mut self,
        it: &ForStatement<'s>,
        head: ScopeId,
        each: ScopeId,
        mode: Mode,
        names: &[&'s str],
    ) {
        // The first is seen by what gives the variables their first values.
        self.scopes.scopes[head].range.end = self.scopes.scopes[each].range.start;
        for name in names {
            self.use_name(name);
            self.scopes.temporary(head);
        }
        if it.update.is_some() {
            self.scopes.temporary(head);
        }
        for name in names {
            let id = self.scopes.declare(each, name, mode);
            self.scopes.use_variable(id);
        }
        self.scopes.temporary(head);
    }

    fn for_rest(&mut self, it: &ForStatement<'s>) {
        if let Some(test) = &it.test {
            self.visit_expression(test);
        }
        if let Some(update) = &it.update {
            self.visit_expression(update);
        }
        self.body(&it.body);
    }

    fn begin_recording(&mut self) -> bool {
        let state = self.functions.last_mut();
        state.is_some_and(|s| std::mem::replace(&mut s.contains_function_or_eval, false))
    }

    fn end_recording(&mut self, before: bool) {
        if let Some(state) = self.functions.last_mut() {
            state.contains_function_or_eval |= before;
        }
    }

    pub(super) fn for_each(
        &mut self,
        left: &ForStatementLeft<'s>,
        right: &Expression<'s>,
        body: &Statement<'s>,
        span: Span,
        is_await: bool,
    ) {
        let declaration = match left {
            ForStatementLeft::VariableDeclaration(d) => Some(d),
            _ => None,
        };
        let lexical = declaration.is_some_and(|d| d.kind != VariableDeclarationKind::Var);
        if !lexical && !is_await {
            match declaration {
                Some(d) => {
                    self.declarations(d, true);
                }
                None => self.visit_for_statement_left(left),
            }
            self.visit_expression(right);
            self.body(body);
            if declaration.is_some() {
                let scope = self.scope();
                self.scopes.temporary(scope);
            }
            return;
        }
        let outer = self.new_scope(ScopeKind::Block, range(span));
        let before = self.begin_recording();
        self.within(outer, |w| {
            // In the head the variables are there, without a value.
            let head = left.span().start..right.span().end;
            let each = w.new_scope(ScopeKind::Block, head.start..span.end);
            let names = w.within(each, |w| match declaration {
                Some(d) => w.declarations(d, true).1,
                None => {
                    w.visit_for_statement_left(left);
                    Vec::new()
                }
            });
            for name in &names {
                if let Some(id) = w.scopes.lookup(each, name) {
                    w.scopes.variables[id].declarator = Some(head.clone());
                }
            }
            w.visit_expression(right);
            w.within(each, |w| w.body(body));
            if declaration.is_some() {
                w.scopes.temporary(outer);
            }
            w.scopes.finalize(each);
            if lexical {
                for name in names {
                    let id = w.scopes.declare(outer, name, Mode::Lexical);
                    w.scopes.use_variable(id);
                    w.scopes.variables[id].is_hidden = true;
                }
            }
        });
        self.end_recording(before);
        self.scopes.finalize(outer);
    }

    /// A statement that may be a function of sloppy code, with a block around it.
    pub(super) fn body(&mut self, statement: &Statement<'s>) {
        match statement {
            Statement::FunctionDeclaration(f) => {
                self.block(range(f.span), |w| w.visit_statement(statement));
            }
            _ => self.visit_statement(statement),
        }
    }

    pub(super) fn catch_clause(&mut self, it: &CatchClause<'s>) {
        let Some(parameter) = &it.param else {
            self.visit_block_statement(&it.body);
            return;
        };
        let catch = self.new_scope(ScopeKind::Catch, range(it.span));
        self.within(catch, |w| {
            w.block(range(it.span), |w| {
                if let BindingPatternKind::BindingIdentifier(name) = &parameter.pattern.kind {
                    w.scopes.declare_in(catch, name.name.as_str());
                } else {
                    let id = w.scopes.declare_in(catch, CATCH);
                    w.scopes.variables[id].is_hidden = true;
                    let declarator = range(parameter.span);
                    w.bind(&parameter.pattern, Mode::Lexical, &declarator, true);
                }
                w.visit_block_statement(&it.body);
            });
        });
    }

    pub(super) fn class(&mut self, class: &Class<'s>) {
        let scope = self
            .scopes
            .new_scope(ScopeKind::Class, self.current, range(class.span), true);
        let derived = std::mem::replace(&mut self.in_derived_class, class.super_class.is_some());
        self.within(scope, |w| {
            if let Some(of) = &class.super_class {
                w.visit_expression(of);
            }
            for element in &class.body.body {
                w.class_element(element);
            }
        });
        self.in_derived_class = derived;
        if let Some(name) = &class.id {
            let id = self
                .scopes
                .declare(scope, name.name.as_str(), Mode::Lexical);
            let variable = &mut self.scopes.variables[id];
            variable.is_hidden = true;
            variable.is_used |= self.scopes.rules.class_name_is_used;
        }
        self.classes.push(ClassRecord {
            at: range(class.span),
            last_static: last_member(class, true).map(range),
            is_own: self.functions.len() == 1,
        });
        // Its constructor, which V8 makes where there is none.
        self.record_function_or_eval();
    }

    pub(super) fn static_block(&mut self, block: &StaticBlock<'s>) {
        let inner = self.new_scope(ScopeKind::VarBlock, range(block.span));
        self.within(inner, |w| {
            for statement in &block.body {
                w.visit_statement(statement);
            }
        });
        self.scopes.finalize(inner);
    }

    fn class_element(&mut self, element: &ClassElement<'s>) {
        match element {
            ClassElement::StaticBlock(block) => {
                self.class_function(range(block.span), |w| w.static_block(block));
            }
            ClassElement::MethodDefinition(method) => {
                if method.computed {
                    self.visit_property_key(&method.key);
                }
                let is_constructor = method.kind == MethodDefinitionKind::Constructor;
                let shape = FunctionShape {
                    is_derived_constructor: is_constructor && self.in_derived_class,
                    ..Default::default()
                };
                self.inner_function(&method.value, shape);
            }
            ClassElement::PropertyDefinition(property) => {
                if property.computed {
                    self.visit_property_key(&property.key);
                }
                if let Some(value) = &property.value {
                    self.class_function(range(property.span), |w| w.visit_expression(value));
                }
            }
            ClassElement::AccessorProperty(_) | ClassElement::TSIndexSignature(_) => {
                self.unsure = true;
            }
        }
    }
}
