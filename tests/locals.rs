//! Variables by name, held against what the functions of tests/programs/locals.js, scopes.js and
//! random.js said of their own just before the process ended: each one shown is what it was, or is
//! marked as not there.

mod support;

use std::collections::BTreeMap;
use support::values::show;
use support::{core_with, nodes, Core};
use v8rs::deopt::Tier;
use v8rs::object::ScopeInfo;
use v8rs::offline::CoreFile;
use v8rs::session::Session;
use v8rs::source::VariablePlace;
use v8rs::stack::{scopes, Binding, Call, Held, Scope, ScopeKind, Source, VariableNames};

#[derive(serde::Deserialize)]
struct Noted {
    values: BTreeMap<String, String>,
    /// Those that have no value yet.
    without: Vec<String>,
}

#[derive(serde::Deserialize)]
struct Said {
    functions: BTreeMap<String, Noted>,
    /// What `this` is.
    #[serde(default)]
    thises: BTreeMap<String, String>,
    /// What `eval` added to a function's variables.
    #[serde(default)]
    added: BTreeMap<String, Noted>,
    /// What is in the scope of a function's `eval`.
    #[serde(default)]
    evaled: BTreeMap<String, Noted>,
    /// The properties of the innermost `with` of a function.
    #[serde(default)]
    properties: BTreeMap<String, Noted>,
    /// The variables of the innermost initializer of a class in a function.
    #[serde(default)]
    initializers: BTreeMap<String, Noted>,
}

#[derive(Debug, Default)]
struct Seen {
    /// Nothing was optimized: all must be told.
    all: bool,
    functions: usize,
    right: usize,
    /// Of them, in registers.
    in_registers: usize,
    absent: usize,
    uninitialized: usize,
    optimized: usize,
    /// Told what `this` is.
    thises: usize,
}

fn check_call(call: &Call, noted: &Noted, names: &VariableNames, what: &str, seen: &mut Seen) {
    let Some(named) = names.of(call) else {
        return;
    };
    let cx = call.shared.0.cx;
    seen.functions += 1;
    let optimized = matches!(call.tier, Some(Tier::Maglev | Tier::Turbofan));
    seen.optimized += usize::from(optimized);
    for variable in &named {
        let name = variable.name.as_str();
        let said = noted.values.get(name);
        match &variable.held {
            Held::Value(value) => {
                let Some(shown) = show(cx, value) else {
                    // What the optimizing compilers dropped stays so when they give up a frame.
                    assert!(!seen.all, "{what}: {name} is {value:?}");
                    seen.absent += 1;
                    continue;
                };
                if name == "arguments" {
                    assert_eq!(shown, "[object Arguments]", "{what}");
                    continue;
                }
                // Where there is an `eval`, a function expression's own name can be seen too.
                let is_own = call.shared.name().is_ok_and(|own| own == name);
                if said.is_none() && is_own && shown == format!("[function {name}]") {
                    continue;
                }
                let said = said.unwrap_or_else(|| panic!("{what}: {name} = {shown}?"));
                assert_eq!(&shown, said, "{what}: {name}");
                seen.right += 1;
                let register = matches!(variable.place, VariablePlace::Register(_));
                seen.in_registers += usize::from(register);
            }
            Held::Uninitialized => {
                let expected = noted.without.iter().any(|w| w == name);
                assert!(expected, "{what}: {name} has no value? {said:?}");
                seen.uninitialized += 1;
            }
            Held::NotKnown => seen.absent += 1,
        }
    }
    if seen.all {
        for name in noted.values.keys() {
            let found = named.iter().any(|v| v.name == *name && v.value().is_some());
            assert!(found, "{what}: {name} is not told, of {named:?}");
        }
    }
}

/// `all`: what must be told of a function's variables, where nothing of it is optimized.
fn check(core: &Core, program: &str, all: &dyn Fn(&str) -> bool, what: &str) -> Seen {
    let said: Said = serde_json::from_str(core.output(program).trim()).expect("what it said");
    let file = CoreFile::open(&core.core, &core.program).expect("core opens");
    let session = Session::new(Box::new(file));
    let cx = session.cx().expect("V8");
    let source = Source {
        cx,
        target: session.target(),
        program: &session.v8().expect("V8").program,
        isolates: session.isolates().ok(),
    };
    let thread = session.target().threads()[0].clone();
    let frames = source.backtrace(&thread, usize::MAX);
    let names = VariableNames::default();
    let mut seen = Seen::default();
    let mut found = Vec::new();
    for call in frames.iter().flat_map(|f| &f.calls) {
        let mut name = call.shared.debug_name().expect("a name");
        if call.shared.prints_as_anonymous() == Ok(true) {
            name = "anonymous".to_string();
        }
        let info = call.shared.scope_info().ok().flatten();
        let is_toplevel =
            |i: ScopeInfo| [i.is_module(), i.is_script(), i.is_eval()].contains(&Ok(true));
        if info.is_some_and(is_toplevel) {
            let script = call.shared.script().ok().flatten();
            let script = script.expect("a script");
            name = script.name_or_source_url().expect("a name");
        }
        let Some(noted) = said.functions.get(&name) else {
            continue;
        };
        // Of several of one name the innermost was the last to say something.
        if found.contains(&name) {
            continue;
        }
        found.push(name.clone());
        let what = format!("{what}: {name} ({:?})", call.tier);
        seen.all = all(&name);
        check_call(call, noted, &names, &what, &mut seen);
        if let Some(said) = said.thises.get(&name) {
            let this = call.receiver.as_ref().and_then(|this| show(cx, this));
            assert!(this.is_some() || !seen.all, "{what}: {:?}", call.receiver);
            assert_eq!(this.as_ref().unwrap_or(said), said, "{what}: this");
            seen.thises += usize::from(this.is_some());
        }
    }
    seen.all = false;
    for name in said.functions.keys() {
        assert!(found.contains(name), "{what}: {name} is not on the stack");
    }
    let calls: Vec<&Call> = frames.iter().flat_map(|f| &f.calls).collect();
    check_scopes(&calls, &said, what);
    for (name, noted) in &said.initializers {
        let of = calls
            .iter()
            .position(|c| c.shared.debug_name().as_ref() == Ok(name));
        let of = of.unwrap_or_else(|| panic!("{what}: {name} is not on the stack"));
        let is_initializer = |c: &&&Call| {
            let kind = c.shared.kind().expect("a kind");
            kind.is_initializer || kind.is_static_initializer
        };
        // Those of the class in it are between what they call and it.
        let inner = calls[..of].iter().rev().take_while(|c| {
            let name = c.shared.debug_name().expect("a name");
            is_initializer(c) || name == "F"
        });
        let call = inner.filter(is_initializer).last().expect("an initializer");
        let what = format!("{what}: initializer in {name} ({:?})", call.tier);
        assert!(names.of(call).is_some(), "{what}: no names");
        check_call(call, noted, &names, &what, &mut seen);
    }
    seen
}

/// What is told of the scopes of calls besides the variables that the functions declare.
fn check_scopes(calls: &[&Call], said: &Said, what: &str) {
    let of = |name: &str| {
        let at = calls
            .iter()
            .position(|c| c.shared.debug_name().as_deref() == Ok(name));
        at.unwrap_or_else(|| panic!("{what}: {name} is not on the stack"))
    };
    let compare = |scope: Option<&Scope>, binding: Binding, noted: &Noted, what: &str| {
        let scope = scope.unwrap_or_else(|| panic!("{what}: no scope"));
        let cx = scope.context.cx;
        let found: BTreeMap<String, String> = scope
            .variables
            .iter()
            .filter(|v| v.binding == binding && v.name.as_deref() != Ok("this"))
            .map(|v| {
                let name = v.name.clone().expect("a name");
                (name, show(cx, &v.value).expect("a value"))
            })
            .collect();
        assert_eq!(found, noted.values, "{what}");
    };
    // The optimizing compilers may have dropped the Context.
    for (name, noted) in &said.added {
        let Some(context) = calls[of(name)].context else {
            continue;
        };
        let list = scopes(context).expect("scopes");
        let has = |s: &&Scope| s.variables.iter().any(|v| v.binding == Binding::Added);
        let what = format!("{what}: added to {name}");
        compare(list.iter().find(has), Binding::Added, noted, &what);
    }
    for (name, noted) in &said.evaled {
        let Some(context) = calls[of(name) - 1].context else {
            continue;
        };
        let list = scopes(context).expect("scopes");
        let own = list.iter().find(|s| s.kind == ScopeKind::Eval);
        compare(
            own,
            Binding::Local,
            noted,
            &format!("{what}: eval in {name}"),
        );
    }
    for (name, noted) in &said.properties {
        let Some(context) = calls[of(name)].context else {
            continue;
        };
        let list = scopes(context).expect("scopes");
        let with = list.iter().find(|s| s.kind == ScopeKind::With);
        assert!(with.is_some_and(|w| w.object.is_some()), "{what}: {name}");
        compare(
            with,
            Binding::Property,
            noted,
            &format!("{what}: with in {name}"),
        );
    }
}

fn run(node: &str, arguments: &[&str], what: &str) -> Seen {
    let core = core_with("locals", node, arguments);
    let what = format!("{node} {what}");
    let all = arguments.contains(&"--no-opt");
    let seen = check(&core, "locals", &|_| all, &what);
    println!("{what}: {seen:?}");
    // One function has a `with`, whose variables are not told.
    assert!(seen.functions >= 35, "{what}: {seen:?}");
    assert!(seen.uninitialized >= 5, "{what}: {seen:?}");
    seen
}

#[test]
fn interpreted() {
    for node in nodes() {
        let seen = run(&node, &["--no-opt"], "interpreted");
        assert!(seen.in_registers > 70 && seen.absent == 0, "{seen:?}");
    }
}

#[test]
fn baseline() {
    for node in nodes().iter().filter(|n| support::major(n) >= 16) {
        let seen = run(node, &["--always-sparkplug", "--no-opt"], "baseline");
        assert!(seen.in_registers > 70 && seen.absent == 0, "{seen:?}");
    }
}

#[test]
fn turbofan() {
    for node in nodes() {
        let arguments = ["--allow-natives-syntax", "--", "turbofan"];
        let seen = run(&node, &arguments, "turbofan");
        assert!(seen.right > 60 && seen.optimized >= 20, "{seen:?}");
    }
}

#[test]
fn maglev() {
    for node in nodes().iter().filter(|n| support::major(n) >= 24) {
        let arguments = ["--allow-natives-syntax", "--maglev", "--", "maglev"];
        let seen = run(node, &arguments, "maglev");
        assert!(seen.right > 60 && seen.optimized >= 20, "{seen:?}");
    }
}

/// Functions of scopes.js that call the initializers of classes: all of their variables are told.
const CALLERS: [&str; 6] = [
    "FieldBase",
    "FieldDefault",
    "FieldDerived",
    "callsSuper",
    "StaticOuter",
    "staticSwitch",
];

/// The same of another program, of which not all variables must be told.
fn run_other(program: &str, node: &str, arguments: &[&str]) {
    let core = core_with(program, node, arguments);
    let what = format!("{node} {program} {arguments:?}");
    let told = |name: &str| arguments.contains(&"--no-opt") && CALLERS.contains(&name);
    let seen = check(&core, program, &told, &what);
    println!("{what}: {seen:?}");
    assert!(seen.functions > 25 && seen.right > 80, "{what}: {seen:?}");
}

/// Ways to run a program: flags, what it is told, the first Node that has it.
const WAYS: [(&[&str], &str, u32); 5] = [
    (&["--no-opt"], "plain", 12),
    (&["--always-sparkplug", "--no-opt"], "plain", 16),
    (&[], "hot", 12),
    (&["--allow-natives-syntax"], "turbofan", 12),
    (&["--allow-natives-syntax", "--maglev"], "maglev", 24),
];

/// And of random.js: the code of modules, of scripts and of `eval`.
const MODULES: [(&[&str], &str, u32); 6] = [
    (&["--no-opt", "--experimental-vm-modules"], "module", 12),
    (
        &[
            "--always-sparkplug",
            "--no-opt",
            "--experimental-vm-modules",
        ],
        "module",
        16,
    ),
    (&["--no-opt"], "script", 12),
    (&["--always-sparkplug", "--no-opt"], "script", 16),
    (&["--no-opt"], "eval", 12),
    (&["--always-sparkplug", "--no-opt"], "eval", 16),
];

fn run_each_way(program: &str, first: &[&str]) {
    for node in nodes() {
        for (flags, way, since) in WAYS {
            if support::major(&node) >= since {
                run_other(program, &node, &[flags, &["--"], first, &[way]].concat());
            }
        }
    }
}

#[test]
fn odd_places() {
    run_each_way("scopes", &[]);
}

/// V8RS_SEEDS ("1-100") has other programs made too, each run one of the ways (V8RS_WAYS="script,eval":
/// only of these), and not kept.
#[test]
fn functions_made_at_random() {
    run_each_way("random", &["7"]);
    for node in nodes() {
        for (flags, way, since) in MODULES {
            if support::major(&node) >= since {
                run_other("random", &node, &[flags, &["--"], &["7", way]].concat());
            }
        }
    }
    let Ok(seeds) = std::env::var("V8RS_SEEDS") else {
        return;
    };
    let (first, last) = seeds.split_once('-').expect("two numbers");
    let number = |text: &str| -> usize { text.parse().expect("a number") };
    let asked = std::env::var("V8RS_WAYS").unwrap_or_default();
    let is_asked = |way: &str| asked.is_empty() || asked.split(',').any(|a| a == way);
    let mut wrong = Vec::new();
    for node in nodes() {
        for seed in number(first)..=number(last) {
            let ways = WAYS.iter().chain(&MODULES);
            let mut ways = ways.filter(|w| support::major(&node) >= w.2 && is_asked(w.1));
            let count = ways.clone().count();
            let (flags, way, _) = ways.nth(seed % count).expect("one of them");
            let seed = seed.to_string();
            let arguments = [*flags, &["--"], &[&seed, way]].concat();
            let core = core_with("random", &node, &arguments);
            let what = format!("{node} random {arguments:?}");
            match std::panic::catch_unwind(|| check(&core, "random", &|_| false, &what)) {
                Ok(seen) => println!("{what}: {seen:?}"),
                Err(_) => wrong.push(what),
            }
            std::fs::remove_dir_all(&core.directory).expect("the core goes");
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What `with` may change is told by what it holds, not by what was passed.
#[test]
fn parameters_that_changed_behind_with() {
    for node in nodes() {
        let core = core_with("scopes", &node, &["--no-opt", "--", "plain"]);
        let said: Said = serde_json::from_str(core.output("scopes").trim()).expect("JSON");
        let noted = &said.functions["anonymous"].values;
        let host = v8rs::offline::OfflineHost {
            core: core.core.clone(),
            program: core.program.clone(),
        };
        let outcome = v8rs::command::App::new().run(&host, "bt", &["-v".to_string()]);
        let lines: Vec<&str> = outcome.text.lines().map(str::trim).collect();
        for (name, passed) in [("p", 1), ("q", 2)] {
            let passed = format!("{name} = <Smi: {passed}> (as passed)");
            let held = format!("{name} = <Smi: {}>", noted[name]);
            assert!(!lines.contains(&passed.as_str()), "node {node}: {passed}");
            assert!(lines.contains(&held.as_str()), "node {node}: {held}");
        }
    }
}
