//! From the syntax tree to V8's scopes: what V8's parser does in the order it does it.

mod completion;
mod functions;
pub(super) mod initializer;
mod module;
mod script;
mod statements;

use super::scope::{Mode, Range, ScopeId, ScopeKind, Scopes, VariableId};
use oxc_ast::ast::*;
use oxc_ast_visit::{walk, Visit};
use oxc_span::Span;
use oxc_syntax::scope::ScopeFlags;

/// What V8 calls `new.target` and the function itself as variables.
const NEW_TARGET: &str = ".new.target";
const THIS_FUNCTION: &str = ".this_function";
const CATCH: &str = ".catch";
const ARGUMENTS: &str = "arguments";

/// A class literal.
pub(super) struct ClassRecord {
    pub at: Range,
    /// Its last member that a static initializer runs.
    pub last_static: Option<Range>,
    /// It is made by the function itself, not by one within.
    pub is_own: bool,
}

/// A function being parsed.
struct FunctionState {
    /// A function or a direct `eval` was met in it, or in the loop being parsed.
    contains_function_or_eval: bool,
    is_derived_constructor: bool,
}

/// What is said of a function by where it stands.
#[derive(Clone, Copy, Default)]
pub(super) struct FunctionShape<'s> {
    pub kind: ScopeKind,
    pub is_resumable: bool,
    pub is_derived_constructor: bool,
    /// V8 makes it for a part of a class.
    pub is_of_class: bool,
    /// Of a named function expression.
    pub own_name: Option<&'s str>,
}

pub(super) struct Walker<'s> {
    pub scopes: Scopes<'s>,
    current: Option<ScopeId>,
    functions: Vec<FunctionState>,
    /// The class literal being walked has a superclass.
    in_derived_class: bool,
    clause: Option<Range>,
    /// The code around is.
    is_strict: bool,
    /// A derived constructor's `return` took a temporary.
    pub returns_with_temporary: bool,
    pub calls_super: bool,
    /// What `export * as` of a module exports.
    namespace_exports: Vec<VariableId>,
    /// Of the function itself.
    pub super_calls: Vec<Range>,
    /// Those in others first.
    pub classes: Vec<ClassRecord>,
    /// The code of a module, not of its functions, has an `await`.
    awaits: bool,
    /// The syntax tree has what this does not follow.
    pub unsure: bool,
}

fn range(span: Span) -> Range {
    span.start..span.end
}

impl<'s> Walker<'s> {
    pub fn new(scopes: Scopes<'s>, is_strict: bool) -> Walker<'s> {
        Walker {
            is_strict,
            scopes,
            current: None,
            functions: Vec::new(),
            in_derived_class: false,
            clause: None,
            returns_with_temporary: false,
            calls_super: false,
            namespace_exports: Vec::new(),
            super_calls: Vec::new(),
            classes: Vec::new(),
            awaits: false,
            unsure: false,
        }
    }

    fn scope(&self) -> ScopeId {
        self.current.unwrap_or_default()
    }

    fn is_strict(&self) -> bool {
        let current = self.current.map(|s| self.scopes.scopes[s].is_strict);
        current.unwrap_or(self.is_strict)
    }

    fn new_scope(&mut self, kind: ScopeKind, at: Range) -> ScopeId {
        let strict = self.is_strict();
        self.scopes.new_scope(kind, self.current, at, strict)
    }

    /// Does something in a scope.
    fn within<T>(&mut self, scope: ScopeId, what: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.current.replace(scope);
        let out = what(self);
        self.current = before;
        out
    }

    fn record_function_or_eval(&mut self) {
        if let Some(state) = self.functions.last_mut() {
            state.contains_function_or_eval = true;
        }
    }

    fn contains_function_or_eval(&self) -> bool {
        self.functions
            .last()
            .is_some_and(|s| s.contains_function_or_eval)
    }

    fn use_name(&mut self, name: &'s str) {
        let scope = self.scope();
        self.scopes.reference(scope, name);
    }

    /// A block with a scope of its own.
    fn block(&mut self, at: Range, what: impl FnOnce(&mut Self)) -> bool {
        let scope = self.new_scope(ScopeKind::Block, at);
        self.within(scope, what);
        self.scopes.finalize(scope)
    }

    // Declarations.

    /// Declares the names of a pattern. `has_value`: the pattern is assigned to where it stands.
    fn bind(
        &mut self,
        pattern: &BindingPattern<'s>,
        mode: Mode,
        declarator: &Range,
        has_value: bool,
    ) -> Vec<&'s str> {
        let mut names = Vec::new();
        let is_pattern = !pattern.kind.is_binding_identifier();
        self.bind_part(pattern, mode, declarator, has_value, is_pattern, &mut names);
        names
    }

    fn bind_part(
        &mut self,
        pattern: &BindingPattern<'s>,
        mode: Mode,
        declarator: &Range,
        has_value: bool,
        in_pattern: bool,
        names: &mut Vec<&'s str>,
    ) {
        match &pattern.kind {
            BindingPatternKind::BindingIdentifier(name) => {
                let name = name.name.as_str();
                names.push(name);
                self.declare(name, mode, declarator, has_value, in_pattern);
            }
            BindingPatternKind::ObjectPattern(object) => {
                for property in &object.properties {
                    if property.computed {
                        self.visit_property_key(&property.key);
                    }
                    self.bind_part(&property.value, mode, declarator, has_value, true, names);
                }
                if let Some(rest) = &object.rest {
                    self.bind_part(&rest.argument, mode, declarator, has_value, true, names);
                }
            }
            BindingPatternKind::ArrayPattern(array) => {
                for element in array.elements.iter().flatten() {
                    self.bind_part(element, mode, declarator, has_value, true, names);
                }
                if let Some(rest) = &array.rest {
                    self.bind_part(&rest.argument, mode, declarator, has_value, true, names);
                }
            }
            BindingPatternKind::AssignmentPattern(pattern) => {
                self.bind_part(
                    &pattern.left,
                    mode,
                    declarator,
                    has_value,
                    in_pattern,
                    names,
                );
                self.visit_expression(&pattern.right);
            }
        }
    }

    fn declare(
        &mut self,
        name: &'s str,
        mode: Mode,
        declarator: &Range,
        has_value: bool,
        in_pattern: bool,
    ) -> VariableId {
        let scope = self.scope();
        let id = self.scopes.declare(scope, name, mode);
        if mode == Mode::Lexical {
            let variable = &mut self.scopes.variables[id];
            variable.declarator = Some(declarator.clone());
            variable.in_pattern = in_pattern;
            variable.clause = self.clause.clone();
        }
        if has_value {
            if mode == Mode::Var && self.scopes.declaration_scope(scope) != scope {
                // It may be that of a `catch` around.
                self.use_name(name);
            } else {
                self.scopes.use_variable(id);
            }
        }
        id
    }

    /// The names declared; `in_each` for the head of a `for` over something.
    fn declarations(
        &mut self,
        declaration: &VariableDeclaration<'s>,
        in_each: bool,
    ) -> (Mode, Vec<&'s str>) {
        let mode = match declaration.kind {
            VariableDeclarationKind::Var => Mode::Var,
            VariableDeclarationKind::Let | VariableDeclarationKind::Const => Mode::Lexical,
            VariableDeclarationKind::Using | VariableDeclarationKind::AwaitUsing => {
                self.unsure = true;
                Mode::Lexical
            }
        };
        let mut names = Vec::new();
        for declarator in &declaration.declarations {
            let has_value = in_each
                || declarator.init.is_some()
                || declaration.kind == VariableDeclarationKind::Let;
            names.extend(self.bind(&declarator.id, mode, &range(declarator.span), has_value));
            if let Some(value) = &declarator.init {
                self.visit_expression(value);
            }
        }
        (mode, names)
    }
}

/// Whether an argument before the last is spread.
fn spreads_before_last(arguments: &[Argument]) -> bool {
    let before = arguments.split_last().map_or(&[][..], |(_, before)| before);
    before.iter().any(|a| a.is_spread())
}

impl<'s> Visit<'s> for Walker<'s> {
    fn visit_identifier_reference(&mut self, it: &IdentifierReference<'s>) {
        self.use_name(it.name.as_str());
    }

    fn visit_meta_property(&mut self, it: &MetaProperty<'s>) {
        if it.meta.name == "new" {
            self.use_name(NEW_TARGET);
        }
    }

    fn visit_static_member_expression(&mut self, it: &StaticMemberExpression<'s>) {
        self.super_property(&it.object);
        walk::walk_static_member_expression(self, it);
    }

    fn visit_computed_member_expression(&mut self, it: &ComputedMemberExpression<'s>) {
        self.super_property(&it.object);
        walk::walk_computed_member_expression(self, it);
    }

    fn visit_call_expression(&mut self, it: &CallExpression<'s>) {
        match &it.callee {
            Expression::Super(_) => {
                self.calls_super = true;
                if self.functions.len() == 1 {
                    self.super_calls.push(range(it.span));
                }
                self.use_name(NEW_TARGET);
                self.use_name(THIS_FUNCTION);
            }
            Expression::Identifier(name) if name.name == "eval" && !it.optional => {
                self.record_function_or_eval();
                let scope = self.scope();
                self.scopes.record_eval(scope);
            }
            _ => {}
        }
        walk::walk_call_expression(self, it);
        if self.scopes.rules.spread_temporary && spreads_before_last(&it.arguments) {
            if let Some(member) = it.callee.as_member_expression() {
                if !matches!(member.object(), Expression::Super(_)) {
                    let scope = self.scope();
                    self.scopes.temporary(scope);
                }
            }
        }
    }

    fn visit_return_statement(&mut self, it: &ReturnStatement<'s>) {
        walk::walk_return_statement(self, it);
        let derived = self
            .functions
            .last()
            .is_some_and(|f| f.is_derived_constructor);
        if it.argument.is_some() && derived && self.scopes.rules.return_temporary {
            self.returns_with_temporary = true;
            let scope = self.scope();
            self.scopes.temporary(scope);
        }
    }

    fn visit_variable_declaration(&mut self, it: &VariableDeclaration<'s>) {
        self.declarations(it, false);
    }

    fn visit_function(&mut self, it: &Function<'s>, _: ScopeFlags) {
        if it.r#type == FunctionType::FunctionDeclaration {
            self.function_declaration(it);
            return;
        }
        let own_name = it.id.as_ref().map(|n| n.name.as_str());
        let shape = FunctionShape {
            own_name,
            ..Default::default()
        };
        self.inner_function(it, shape);
    }

    fn visit_arrow_function_expression(&mut self, it: &ArrowFunctionExpression<'s>) {
        let shape = FunctionShape {
            kind: ScopeKind::Arrow,
            is_resumable: it.r#async,
            ..Default::default()
        };
        self.function(&it.params, &it.body, shape, range(it.span));
    }

    fn visit_class(&mut self, it: &Class<'s>) {
        self.class(it);
        if it.r#type == ClassType::ClassDeclaration {
            if let Some(name) = &it.id {
                self.declare(
                    name.name.as_str(),
                    Mode::Lexical,
                    &range(it.span),
                    true,
                    false,
                );
            }
        }
    }

    fn visit_block_statement(&mut self, it: &BlockStatement<'s>) {
        let clause = self.clause.take();
        self.block(range(it.span), |w| {
            for statement in &it.body {
                w.visit_statement(statement);
            }
        });
        self.clause = clause;
    }

    fn visit_if_statement(&mut self, it: &IfStatement<'s>) {
        self.visit_expression(&it.test);
        self.body(&it.consequent);
        if let Some(alternate) = &it.alternate {
            self.body(alternate);
        }
    }

    fn visit_for_statement(&mut self, it: &ForStatement<'s>) {
        let clause = self.clause.take();
        self.for_statement(it);
        self.clause = clause;
    }

    fn visit_for_in_statement(&mut self, it: &ForInStatement<'s>) {
        let clause = self.clause.take();
        self.for_each(&it.left, &it.right, &it.body, it.span, false);
        self.clause = clause;
    }

    fn visit_await_expression(&mut self, it: &AwaitExpression<'s>) {
        self.awaits |= self.functions.len() == 1;
        walk::walk_await_expression(self, it);
    }

    fn visit_for_of_statement(&mut self, it: &ForOfStatement<'s>) {
        self.awaits |= it.r#await && self.functions.len() == 1;
        let clause = self.clause.take();
        self.for_each(&it.left, &it.right, &it.body, it.span, it.r#await);
        self.clause = clause;
    }

    fn visit_switch_statement(&mut self, it: &SwitchStatement<'s>) {
        self.visit_expression(&it.discriminant);
        let clause = self.clause.take();
        let stays = self.block(range(it.span), |w| {
            for case in &it.cases {
                if let Some(test) = &case.test {
                    w.visit_expression(test);
                }
                w.clause = Some(range(case.span));
                for statement in &case.consequent {
                    w.visit_statement(statement);
                }
                w.clause = None;
            }
        });
        self.clause = clause;
        if stays {
            let scope = self.scope();
            self.scopes.temporary(scope);
        }
    }

    fn visit_try_statement(&mut self, it: &TryStatement<'s>) {
        self.visit_block_statement(&it.block);
        if let Some(handler) = &it.handler {
            let clause = self.clause.take();
            self.catch_clause(handler);
            self.clause = clause;
        }
        if let Some(finalizer) = &it.finalizer {
            self.visit_block_statement(finalizer);
        }
    }

    fn visit_with_statement(&mut self, it: &WithStatement<'s>) {
        self.visit_expression(&it.object);
        let scope = self.new_scope(ScopeKind::With, range(it.span));
        self.within(scope, |w| w.body(&it.body));
    }

    fn visit_import_declaration(&mut self, it: &ImportDeclaration<'s>) {
        self.import(it);
    }

    fn visit_export_all_declaration(&mut self, it: &ExportAllDeclaration<'s>) {
        if it.exported.is_some() {
            // V8 imports it by a name of its own.
            let scope = self.scope();
            let id = self.scopes.temporary(scope);
            self.namespace_exports.push(id);
        }
    }

    fn visit_export_named_declaration(&mut self, it: &ExportNamedDeclaration<'s>) {
        // What is listed is exported by name, and that is no use of it.
        if let Some(declaration) = &it.declaration {
            self.visit_declaration(declaration);
        }
    }
}

impl<'s> Walker<'s> {
    fn super_property(&mut self, object: &Expression<'s>) {
        if matches!(object, Expression::Super(_)) && self.scopes.rules.super_property_uses_function
        {
            self.use_name(THIS_FUNCTION);
        }
    }
}
