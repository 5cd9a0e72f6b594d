//! The variables of ES modules, held against what the modules of tests/programs/modules.js said of
//! their own just before the process ended (and those of imports.js): what they export and import, what their functions see,
//! and what their own code has in registers.

mod support;

use std::collections::BTreeMap;
use support::values::show;
use support::{core_with, major, nodes, Core};
use v8rs::object::is_the_hole;
use v8rs::offline::{CoreFile, OfflineHost};
use v8rs::session::Session;
use v8rs::stack::{scopes, Binding, Call, Held, Scope, ScopeKind, Source, VariableNames};

#[derive(Clone, serde::Deserialize)]
struct Noted {
    values: BTreeMap<String, String>,
    /// Those that have no value yet.
    without: Vec<String>,
}

#[derive(serde::Deserialize)]
struct Said {
    /// By a function's name or a module's file; "FILE own" is the module's own code.
    places: BTreeMap<String, Noted>,
}

/// What was found of variables: their values, `None` for one without.
type Found = BTreeMap<String, Option<String>>;

fn file_of(call: &Call) -> Option<String> {
    let script = call.shared.script().ok()??;
    let name = script.name().ok()??;
    name.rsplit('/').next().map(str::to_string)
}

fn is_module_code(call: &Call) -> bool {
    let info = call.shared.scope_info().ok().flatten();
    info.is_some_and(|i| i.is_module() == Ok(true))
}

/// The variables of the module around a call.
fn module_of<'a>(call: &Call<'a>) -> Option<Scope<'a>> {
    let list = scopes(call.context?).expect("scopes");
    list.into_iter().find(|s| s.kind == ScopeKind::Module)
}

fn of_scope(call: &Call, scope: &Scope) -> Found {
    let cx = call.shared.0.cx;
    let own = |name: &str| name.starts_with('.') || name == "this";
    let found = scope.variables.iter().map(|variable| {
        let name = variable.name.clone().expect("a name");
        let hole = variable.value.tagged().is_some_and(|t| is_the_hole(cx, t));
        let value = (!hole).then(|| show(cx, &variable.value).expect("a value"));
        (name, value)
    });
    found.filter(|(name, _)| !own(name)).collect()
}

/// The variables of a call that can be named; `whole`: all of them must be there.
fn of_call(call: &Call, names: &VariableNames, whole: bool, what: &str) -> Found {
    let cx = call.shared.0.cx;
    let named = names.of(call).unwrap_or_else(|| panic!("{what}: no names"));
    let held = named.into_iter().filter_map(|variable| {
        let value = match &variable.held {
            Held::Value(value) => match show(cx, value) {
                Some(value) => Some(value),
                None if whole => panic!("{what}: {variable:?}"),
                None => return None,
            },
            Held::Uninitialized => None,
            Held::NotKnown if whole => panic!("{what}: {variable:?}"),
            Held::NotKnown => return None,
        };
        Some((variable.name, value))
    });
    held.collect()
}

fn compare(found: &Found, noted: &Noted, whole: bool, what: &str) {
    for (name, value) in found {
        match value {
            Some(value) => assert_eq!(Some(value), noted.values.get(name), "{what}: {name}"),
            None => assert!(noted.without.contains(name), "{what}: {name} has no value?"),
        }
    }
    let missing = |name: &&String| whole && !found.contains_key(*name);
    let missing: Vec<_> = noted.values.keys().filter(missing).collect();
    assert!(
        missing.is_empty(),
        "{what}: {missing:?} not told of {found:#?}"
    );
}

fn binding(scope: &Scope, name: &str) -> Option<Binding> {
    let mut found = scope
        .variables
        .iter()
        .filter(|v| v.name.as_deref() == Ok(name));
    found.next().map(|v| v.binding)
}

fn check(core: &Core, program: &str, what: &str) {
    let said: Said = serde_json::from_str(core.output(program).trim()).expect("what it said");
    let file = CoreFile::open(&core.core, &core.program).expect("core opens");
    let session = Session::new(Box::new(file));
    let source = Source {
        cx: session.cx().expect("V8"),
        target: session.target(),
        program: &session.v8().expect("V8").program,
        isolates: session.isolates().ok(),
    };
    let thread = session.target().threads()[0].clone();
    let frames = source.backtrace(&thread, usize::MAX);
    let calls: Vec<&Call> = frames.iter().flat_map(|f| &f.calls).collect();
    let names = VariableNames::default();
    for (place, noted) in &said.places {
        let what = format!("{what}: {place}");
        if let Some(file) = place.strip_suffix(" own") {
            let is_own = |c: &&&Call| is_module_code(c) && file_of(c).as_deref() == Some(file);
            let call = calls
                .iter()
                .find(is_own)
                .unwrap_or_else(|| panic!("{what}: no frame"));
            let mut noted = noted.clone();
            // Its functions changed some since.
            if let Some(since) = said.places.get(file) {
                noted.values.extend(since.values.clone());
            }
            if file == "importer.mjs" {
                // What nothing uses cannot be noted either: the source says what it is.
                for (name, value) in [("unheard", "undefined"), ("unasked", "[function unasked]")] {
                    noted.values.insert(name.to_string(), value.to_string());
                }
            }
            compare(&of_call(call, &names, true, &what), &noted, true, &what);
            let scope = module_of(call).expect("a module's scope");
            compare(&of_scope(call, &scope), &noted, false, &what);
        } else if place.ends_with(".mjs") {
            // Where the compiler keeps the Context, any function of the module has it.
            let of_file = calls.iter().filter(|c| file_of(c).as_ref() == Some(place));
            let mut scopes = of_file.filter_map(|c| Some((c, module_of(c)?)));
            let (call, scope) = scopes.next().unwrap_or_else(|| panic!("{what}: no scope"));
            compare(&of_scope(call, &scope), noted, true, &what);
        } else {
            let is_it = |c: &&&Call| c.shared.debug_name().as_ref() == Ok(place);
            let call = calls
                .iter()
                .find(is_it)
                .unwrap_or_else(|| panic!("{what}: no frame"));
            let optimized = call.tier.is_some_and(|t| t.is_optimized());
            let found = of_call(call, &names, !optimized, &what);
            compare(&found, noted, !optimized, &what);
        }
    }
    let Some(call) = calls.iter().find(|c| is_module_code(c)) else {
        return;
    };
    let scope = module_of(call).expect("a module's scope");
    if said.places.contains_key("importer.mjs own") {
        let of = |name| binding(&scope, name);
        assert_eq!(of("counter"), Some(Binding::Import), "{what}");
        assert_eq!(of("first"), Some(Binding::Export), "{what}");
        assert_eq!(of("local"), Some(Binding::Local), "{what}");
        // Only the module's own code sees it: it is in a register.
        assert_eq!(of("plain"), None, "{what}");
    }
}

fn run(node: &str, arguments: &[&str]) {
    let core = core_with("modules", node, arguments);
    check(&core, "modules", &format!("{node} modules {arguments:?}"));
}

#[test]
fn what_modules_export_and_import() {
    for node in nodes() {
        run(&node, &["--no-opt", "--", "plain"]);
        run(&node, &["--", "hot"]);
        run(&node, &["--allow-natives-syntax", "--", "turbofan"]);
        if major(&node) >= 16 {
            run(&node, &["--always-sparkplug", "--no-opt", "--", "plain"]);
        }
        if major(&node) >= 24 {
            let flags = ["--allow-natives-syntax", "--maglev", "--", "maglev"];
            run(&node, &flags);
        }
    }
}

/// CommonJS, JSON and Node's own modules, what `import()` gives, modules that failed.
#[test]
fn what_else_is_imported() {
    for node in nodes() {
        let mut ways: Vec<&[&str]> = vec![&["--no-opt"]];
        if major(&node) >= 16 {
            ways.push(&["--always-sparkplug", "--no-opt"]);
        }
        for flags in ways {
            let core = core_with("imports", &node, flags);
            check(&core, "imports", &format!("{node} imports {flags:?}"));
        }
    }
}

/// From Node 14 on a module may wait.
#[test]
fn modules_that_wait() {
    for node in nodes().iter().filter(|n| major(n) >= 14) {
        run(node, &["--", "await"]);
        run(node, &["--", "suspended"]);
        if major(node) >= 16 {
            run(node, &["--always-sparkplug", "--no-opt", "--", "await"]);
        }
    }
}

#[test]
fn as_the_commands_show_them() {
    for node in nodes() {
        let core = core_with("modules", &node, &["--no-opt", "--", "plain"]);
        let host = OfflineHost {
            core: core.core.clone(),
            program: core.program.clone(),
        };
        let outcome = v8rs::command::App::new().run(&host, "bt", &["-v".to_string()]);
        let lines: Vec<&str> = outcome.text.lines().map(str::trim).collect();
        for line in [
            "counter = <Smi: 3> (imported)",
            "first = <Smi: 12> (exported)",
            "lateExport = <uninitialized> (exported)",
            "plain = <Smi: 10>",
        ] {
            assert!(
                lines.contains(&line),
                "node {node}: {line}: {}",
                outcome.text
            );
        }
        let module = |l: &&str| l.starts_with("own module: (Context 0x");
        assert!(lines.iter().any(module), "node {node}");
    }
}
