//! The functions that V8 makes of what initializes a class: one of the static fields and blocks, one
//! of the other fields.

use super::{range, Walker};
use crate::source::scope::ScopeId;
use oxc_ast::ast::*;
use oxc_ast_visit::{walk as visit, Visit};
use oxc_span::{GetSpan, Span};
use std::ops::Range;

/// Walks the initializer that V8 gives a place in the script; `at` gives a span's.
pub fn walk<'s>(
    walker: &mut Walker<'s>,
    program: &Program<'s>,
    place: &Range<u64>,
    is_static: bool,
    at: &dyn Fn(Span) -> Range<u64>,
) -> Option<ScopeId> {
    let mut finder = Finder {
        walker,
        place,
        is_static,
        at,
        is_over: false,
        found: None,
    };
    finder.visit_program(program);
    finder.found
}

struct Finder<'f, 's> {
    walker: &'f mut Walker<'s>,
    place: &'f Range<u64>,
    is_static: bool,
    at: &'f dyn Fn(Span) -> Range<u64>,
    /// The class of the place was met.
    is_over: bool,
    found: Option<ScopeId>,
}

impl<'s> Visit<'s> for Finder<'_, 's> {
    fn visit_class(&mut self, it: &Class<'s>) {
        visit::walk_class(self, it);
        let at = (self.at)(it.span);
        // The innermost that the place lies in is the one.
        let holds = holds_initializer(&at, self.place);
        if holds && !std::mem::replace(&mut self.is_over, true) && self.is_of(it) {
            self.found = Some(self.walker.initializer(it, self.is_static));
        }
    }
}

impl<'s> Finder<'_, 's> {
    fn is_of(&self, class: &Class<'s>) -> bool {
        let last = last_member(class, self.is_static).map(self.at);
        ends_initializer(&(self.at)(class.span), last.as_ref(), self.place)
    }
}

/// The last of the members that an initializer runs.
pub(super) fn last_member(class: &Class, is_static: bool) -> Option<Span> {
    let mut elements = class.body.body.iter();
    let last = elements.rfind(|e| is_member(e, is_static));
    last.map(|e| e.span())
}

/// Whether the place of an initializer is within a class.
pub fn holds_initializer(class: &Range<u64>, place: &Range<u64>) -> bool {
    class.start <= place.start && place.end <= class.end
}

/// Versions differ in where the place begins: with the class, its brace, or a member. It ends with
/// the last member, or with the class.
pub fn ends_initializer(class: &Range<u64>, last: Option<&Range<u64>>, place: &Range<u64>) -> bool {
    let end = place.end;
    last.is_some_and(|last| last.start < end && end <= last.end || end == class.end)
}

/// Whether a class's element is run by the initializer.
fn is_member(element: &ClassElement, is_static: bool) -> bool {
    match element {
        ClassElement::StaticBlock(_) => is_static,
        ClassElement::PropertyDefinition(property) => property.r#static == is_static,
        _ => false,
    }
}

impl<'s> Walker<'s> {
    fn initializer(&mut self, class: &Class<'s>, is_static: bool) -> ScopeId {
        self.class_function(range(class.span), |w| {
            for element in class.body.body.iter().filter(|e| is_member(e, is_static)) {
                match element {
                    ClassElement::StaticBlock(block) => w.static_block(block),
                    ClassElement::PropertyDefinition(property) => {
                        if let Some(value) = &property.value {
                            w.visit_expression(value);
                        }
                    }
                    _ => {}
                }
            }
        })
    }
}
