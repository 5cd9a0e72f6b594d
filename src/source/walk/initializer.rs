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
    found: Option<ScopeId>,
}

impl<'s> Visit<'s> for Finder<'_, 's> {
    fn visit_class(&mut self, it: &Class<'s>) {
        // The innermost that it may be is the one.
        visit::walk_class(self, it);
        if self.found.is_none() && self.is_of(it) {
            self.found = Some(self.walker.initializer(it, self.is_static));
        }
    }
}

impl<'s> Finder<'_, 's> {
    /// Versions differ in whether the place is that of the class, of the last member, or from the
    /// first to the last.
    fn is_of(&self, class: &Class<'s>) -> bool {
        let elements = class.body.body.iter();
        let mut spans = elements.filter(|e| is_member(e, self.is_static));
        let Some(first) = spans.next().map(GetSpan::span) else {
            return false;
        };
        let last = spans.next_back().map_or(first, GetSpan::span);
        let (first, last) = ((self.at)(first), (self.at)(last));
        let is_of_members = (first.start..last.end).contains(&self.place.start)
            && last.start < self.place.end
            && self.place.end <= last.end;
        is_of_members || (!self.is_static && (self.at)(class.span) == *self.place)
    }
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
