//! The parser, kept from harm by what it is given.

use super::locals::FunctionVariables;
use super::scope::{ScopeKind, Scopes};
use super::text::{Form, FunctionText, Wrapped};
use super::walk::{initializer, FunctionShape, Walker};
use crate::metadata::ScopeRules;
use oxc_allocator::Allocator;
use oxc_ast::ast::*;
use oxc_parser::{ParseOptions, Parser};
use oxc_span::{SourceType, Span};

/// Longest text parsed, in bytes.
const MAX_TEXT: usize = 512 << 10;
/// The parser calls itself for what is nested, and a target's text may be nothing but nesting: it
/// has a stack on which that fits, which costs addresses and no memory until it is used.
const STACK: usize = 8 << 20;
const STACK_BY_BYTE: usize = 4 << 10;
/// Open brackets at most; each costs the parser more than any other byte.
const MAX_NESTING: usize = 1000;

/// The variables of a function; `None` where its text is not understood for sure.
pub fn variables(text: &FunctionText, rules: ScopeRules) -> Option<FunctionVariables> {
    let wrapped = text.wrap();
    if wrapped.text.len() > MAX_TEXT || nests_deeply(&wrapped.text) {
        return None;
    }
    let stack = STACK + STACK_BY_BYTE * wrapped.text.len();
    std::thread::scope(|scope| {
        let parse = || parse(text, &wrapped, rules);
        let thread = std::thread::Builder::new().stack_size(stack);
        thread.spawn_scoped(scope, parse).ok()?.join().ok()?
    })
}

fn nests_deeply(text: &str) -> bool {
    let mut open = 0usize;
    text.bytes().any(|byte| {
        match byte {
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        open > MAX_NESTING
    })
}

fn parse(text: &FunctionText, wrapped: &Wrapped, rules: ScopeRules) -> Option<FunctionVariables> {
    let allocator = Allocator::default();
    let tree = |kind: SourceType| {
        let options = ParseOptions {
            allow_return_outside_function: matches!(
                text.form,
                Form::Wrapped(_) | Form::Initializer { .. }
            ),
            preserve_parens: false,
            allow_v8_intrinsics: true,
        };
        let parsed = Parser::new(&allocator, &wrapped.text, kind)
            .with_options(options)
            .parse();
        (!parsed.panicked && parsed.errors.is_empty()).then_some(parsed.program)
    };
    let program = match &text.form {
        Form::Module(_) => tree(SourceType::mjs())?,
        Form::Initializer { .. } => tree(SourceType::cjs()).or_else(|| tree(SourceType::mjs()))?,
        Form::Function | Form::Wrapped(_) | Form::Script | Form::Eval(_) => {
            tree(SourceType::cjs())?
        }
    };
    let mut walker = Walker::new(Scopes::new(rules), text.syntax.is_strict);
    let mut parameters = Vec::new();
    let function = match &text.form {
        Form::Wrapped(names) => {
            let plain = |n: &String| (Some(n.clone()), false);
            parameters.extend(names.iter().map(plain));
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            walker.wrapped(&names, &program)
        }
        Form::Module(cells) => walker.module(&program, cells),
        Form::Script => walker.script(&program),
        Form::Eval(around) => walker.eval(&program, around),
        Form::Initializer { place, is_static } => {
            let at = |span: Span| {
                let position = |byte| text.position(wrapped, byte);
                position(span.start)..position(span.end)
            };
            initializer::walk(&mut walker, &program, place, *is_static, &at)?
        }
        Form::Function => {
            let found = find(&program, text.syntax.is_arrow)?;
            parameters = declared(found.parameters);
            let shape = FunctionShape {
                own_name: text.own_name.as_deref(),
                ..found.shape
            };
            let end = found.body.span.end;
            let at = found.parameters.span.start..end;
            walker.function(found.parameters, found.body, shape, at)
        }
    };
    // Without a call of `super` it may as well be of a class that extends none.
    let unsure_temporaries = walker.returns_with_temporary && !walker.calls_super;
    if walker.unsure || unsure_temporaries {
        return None;
    }
    walker.scopes.resolve();
    let registers = walker.scopes.allocate(function);
    let position = |byte| text.position(wrapped, byte);
    let mut out = FunctionVariables::of(&walker, function, registers, position);
    out.parameters = parameters;
    Some(out)
}

fn declared(parameters: &FormalParameters) -> Vec<(Option<String>, bool)> {
    let items = parameters.items.iter();
    let mut out: Vec<_> = items.map(|p| (plain_name(&p.pattern), false)).collect();
    let rest = parameters.rest.as_ref();
    out.extend(rest.map(|r| (plain_name(&r.argument), true)));
    out
}

fn plain_name(pattern: &BindingPattern) -> Option<String> {
    match &pattern.kind {
        BindingPatternKind::BindingIdentifier(name) => Some(name.name.to_string()),
        BindingPatternKind::AssignmentPattern(pattern) => plain_name(&pattern.left),
        _ => None,
    }
}

/// The function that was wrapped.
struct Found<'f, 'a> {
    parameters: &'f FormalParameters<'a>,
    body: &'f FunctionBody<'a>,
    shape: FunctionShape<'a>,
}

fn find<'f, 'a>(program: &'f Program<'a>, is_arrow: bool) -> Option<Found<'f, 'a>> {
    let [Statement::ExpressionStatement(statement)] = program.body.as_slice() else {
        return None;
    };
    let (method, is_constructor) = match &statement.expression {
        Expression::ObjectExpression(object) => match object.properties.as_slice() {
            [ObjectPropertyKind::ObjectProperty(property)] => match &property.value {
                Expression::FunctionExpression(function) => (function, false),
                _ => return None,
            },
            _ => return None,
        },
        Expression::ClassExpression(class) => match class.body.body.as_slice() {
            [ClassElement::MethodDefinition(method)] => (
                &method.value,
                method.kind == MethodDefinitionKind::Constructor,
            ),
            _ => return None,
        },
        _ => return None,
    };
    let body = method.body.as_ref()?;
    if is_arrow {
        let [Statement::ExpressionStatement(inner)] = body.statements.as_slice() else {
            return None;
        };
        let Expression::ArrowFunctionExpression(arrow) = &inner.expression else {
            return None;
        };
        return Some(Found {
            parameters: &arrow.params,
            body: &arrow.body,
            shape: FunctionShape {
                kind: ScopeKind::Arrow,
                is_resumable: arrow.r#async,
                ..Default::default()
            },
        });
    }
    Some(Found {
        parameters: &method.params,
        body,
        shape: FunctionShape {
            is_resumable: method.r#async || method.generator,
            is_derived_constructor: is_constructor,
            ..Default::default()
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::V8Version;
    use crate::source::{Initialized, Syntax, VariablePlace};

    fn of(text: &str) -> Option<FunctionVariables> {
        let text = FunctionText {
            units: text.encode_utf16().collect(),
            start: 100,
            syntax: Syntax::default(),
            own_name: None,
            form: Form::Function,
        };
        variables(&text, ScopeRules::of(V8Version::new(12, 4, 0, 0)))
    }

    #[test]
    fn nesting_ends_in_no_names() {
        for part in [
            "(",
            "[",
            "{",
            "!",
            "- ",
            "a=>",
            "x=",
            "if(x)",
            "a?b:",
            "a?",
            "new ",
            "`${",
            "a:",
            "for(;;)",
            "async()=>",
            "class{[",
            "function f(){",
            "a**",
            "(/*)*/",
            "else ",
            "x.y(",
            "do ",
            "with(a)",
            "label:",
            "typeof ",
            "({a:",
            "[...",
            "switch(a){case 1:",
            "try{",
            "a=(b=",
            "<a>",
            "import(",
            "yield ",
            "a?.[",
            "@",
            "\\u{",
            "/(/.x(",
            "'",
            "${",
        ] {
            for length in [200, 20_000, MAX_TEXT] {
                let text = format!("(){{{}", part.repeat(length / part.len()));
                let _ = of(&text);
            }
        }
    }

    #[test]
    fn positions_count_in_units() {
        let found = of("(p) { let a = '\u{1f642}'; use(a); { let b = 1; use(p); } }").unwrap();
        let (a, b) = (&found.locals[0], found.locals.last().unwrap());
        assert_eq!((a.name.as_str(), b.name.as_str()), ("p", "b"));
        assert_eq!(b.place, VariablePlace::Register(1));
        assert_eq!(b.seen, 128..150);
        assert_eq!(b.is_initialized(130), Initialized::No);
        assert_eq!(b.is_initialized(140), Initialized::Yes);
    }

    #[test]
    fn names_within_hide_those_around() {
        let found = of("() { let a = 1; { let a = 2; use(() => a); } use(a); }").unwrap();
        let at = |position: u64| {
            let seen = found.seen(100 + position);
            let local = seen.iter().find(|l| l.name == "a");
            local.map(|l| l.place)
        };
        assert_eq!(at(20), Some(VariablePlace::Context));
        assert_eq!(at(48), Some(VariablePlace::Register(0)));
        assert_eq!(at(80), None);
    }

    #[test]
    fn what_with_may_see_is_in_the_context() {
        let found = of("(p, q) { let a = 1; with (q) { let b = 2; use(a, b); } }").unwrap();
        let places: Vec<_> = found.locals.iter().map(|l| (&*l.name, l.place)).collect();
        assert!(
            places.contains(&("p", VariablePlace::Parameter)),
            "{places:?}"
        );
        assert!(
            places.contains(&("a", VariablePlace::Context)),
            "{places:?}"
        );
        assert!(
            places.contains(&("b", VariablePlace::Register(0))),
            "{places:?}"
        );
    }

    fn whole(text: &str, form: Form) -> Option<FunctionVariables> {
        let text = FunctionText {
            units: text.encode_utf16().collect(),
            start: 0,
            syntax: Syntax::default(),
            own_name: None,
            form,
        };
        variables(&text, ScopeRules::of(V8Version::new(12, 4, 0, 0)))
    }

    /// A module's generator is in its first register.
    #[test]
    fn a_module_has_cells_and_registers() {
        let text = "import { a } from 'a'; export let b = 1; let c = 2; use(c); await 0;";
        let cells = ["a", "b"].map(str::to_string).to_vec();
        let found = whole(text, Form::Module(cells.clone())).unwrap();
        let places: Vec<_> = found.locals.iter().map(|l| (&*l.name, l.place)).collect();
        let expected = [
            ("a", VariablePlace::Context),
            ("b", VariablePlace::Context),
            ("c", VariablePlace::Register(1)),
        ];
        assert_eq!(places, expected);
        assert!(found.in_context.is_empty());
        assert_eq!(whole("let a;", Form::Module(cells)), None);
    }

    /// The registers of the variables named.
    fn registers(text: &str, form: Form) -> Vec<(String, u32)> {
        let found = whole(text, form).expect("it is understood");
        let locals = found.locals.iter().filter_map(|l| match l.place {
            VariablePlace::Register(register) => Some((l.name.clone(), register)),
            _ => None,
        });
        locals.collect()
    }

    /// What a script leaves is in a register before those of blocks, and so is what is saved of it.
    #[test]
    fn scripts_and_eval_leave_a_value() {
        let a = |register| vec![("a".to_string(), register)];
        let block = "{ let a = 1; use(a); }";
        let eval = || Form::Eval(Vec::new());
        assert_eq!(registers(block, Form::Script), a(1));
        assert_eq!(registers(block, eval()), a(1));
        // Nothing is left.
        let nothing = "function f() {} var b; { let a = f(); }";
        assert_eq!(registers(nothing, Form::Script), a(1));
        assert_eq!(registers(nothing, eval()), a(0));
        let finally = format!("while (t()) try {{ u(); }} finally {{ v(); }} {block}");
        assert_eq!(registers(&finally, eval()), a(1));
        let finally = format!("while (t()) {{ try {{ u(); }} finally {{ v(); }} {block} }}");
        assert_eq!(registers(&finally, eval()), a(2));
        let left = format!("l: {{ try {{ u(); }} finally {{ break l; }} {block} }}");
        assert_eq!(registers(&left, eval()), a(1));
    }

    #[test]
    fn what_scripts_declare_is_elsewhere() {
        let text = "let a = 1; var b = 2; function f() { return a; } { let c = 3; use(c, b); }";
        let c = vec![("c".to_string(), 1)];
        assert_eq!(registers(text, Form::Script), c);
        assert_eq!(registers(text, Form::Eval(Vec::new())), c);
        let strict = format!("'use strict'; {text}");
        let of_strict = registers(&strict, Form::Eval(Vec::new()));
        let expected = [("b", 0), ("c", 2)].map(|(n, r)| (n.to_string(), r));
        assert_eq!(of_strict, expected);
    }

    #[test]
    fn eval_may_use_what_its_function_may() {
        for text in [
            "new.target; { let a = 1; use(a); }",
            "super.m(); { let a = 1; use(a); }",
            "super(); { let a = 1; use(a); }",
            "this.#p; { let a = 1; use(a); }",
            "arguments[0]; { let a = 1; use(a); }",
        ] {
            let found = whole(text, Form::Eval(Vec::new()));
            assert!(found.is_some(), "{text}");
        }
        // Whether it is hoisted depends on what `f` is.
        let text = "{ function f() {} let a = 1; use(a); }";
        assert!(whole(text, Form::Eval(vec!["g".into()])).is_some());
        assert_eq!(whole(text, Form::Eval(vec!["f".into()])), None);
    }

    #[test]
    fn the_innermost_class_of_a_place_is_meant() {
        let text = "class A { static x = class { static { let y = 1; use(y); } }; static { let z = 2; use(z); } }";
        let names = |from: &str, to: &str| {
            let place = text.find(from).unwrap() as u64..(text.find(to).unwrap() + to.len()) as u64;
            let form = Form::Initializer {
                place,
                is_static: true,
            };
            let found = whole(text, form)?;
            let names = found.locals.iter().map(|l| (l.name.clone(), l.place));
            Some(names.collect::<Vec<_>>())
        };
        let register = |name: &str| vec![(name.to_string(), VariablePlace::Register(0))];
        assert_eq!(names("static {", "use(y); }"), Some(register("y")));
        assert_eq!(names("static x", "use(z); }"), Some(register("z")));
        assert_eq!(names("{ static x", "use(z); } }"), Some(register("z")));
        assert_eq!(names("{ static {", "use(y); } }"), Some(register("y")));
        assert_eq!(names("static x", "use(y); }"), None);
    }

    #[test]
    fn what_is_not_sure_is_none() {
        assert_eq!(of("() { let a = ; }"), None);
        assert_eq!(of(""), None);
        assert_eq!(of("() {} "), of("() {}"));
        assert_eq!(of("() {} }, { m() {}"), None);
    }
}
