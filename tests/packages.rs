//! Packages of the npm registry at their own work (tests/programs/packages.js), none of them written with v8rs in
//! mind: stacks and variables at moments of their busy code, against what V8 says of the same moment. They have to
//! be fetched, and no two runs see the same moments, so this is run when asked for: `scripts/packages.sh`.
//! V8RS_PACKAGES is where they are, V8RS_PACKAGE the ones to take, V8RS_MOMENTS how many of each, V8RS_SEED which.
#![cfg(target_os = "linux")]

mod support;

use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use support::program::{Node, Program};
use support::trace_line;
use support::values::show;
use v8rs::command::App;
use v8rs::offline::{CoreFile, OfflineHost};
use v8rs::session::Session;
use v8rs::stack::{scopes, Call, Held, Source, VariableNames};

fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

const SLOWEST: &str = "slowest first bt, ms of processor time";

/// What this thread has used of it, in milliseconds: others are at work on the machine too.
fn processor_time() -> i64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: it writes to `time`.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    time.tv_sec * 1000 + time.tv_nsec / 1_000_000
}

/// What was seen, by what it is.
#[derive(Default)]
struct Seen {
    counts: BTreeMap<String, usize>,
    wrong: Vec<String>,
}

impl Seen {
    fn count(&mut self, what: &str, by: usize) {
        *self.counts.entry(what.to_string()).or_default() += by;
    }

    fn add(&mut self, other: Seen) {
        for (what, by) in other.counts {
            let now = self.counts.get(&what).copied().unwrap_or(0);
            let now = if what == SLOWEST {
                by.max(now)
            } else {
                now + by
            };
            self.counts.insert(what, now);
        }
        self.wrong.extend(other.wrong);
    }
}

struct Moment<'a> {
    core: &'a Path,
    program: &'a Path,
    what: String,
}

impl Moment<'_> {
    fn run(&self, app: &mut App, name: &str, words: &[&str]) -> Result<String, String> {
        let host = OfflineHost {
            core: self.core.to_path_buf(),
            program: self.program.to_path_buf(),
        };
        let words: Vec<String> = words.iter().map(|w| w.to_string()).collect();
        let outcome = app.run(&host, name, &words);
        match outcome.error {
            Some(error) => Err(format!("{name} {words:?}: {error}")),
            None => Ok(outcome.text),
        }
    }

    fn stack(&self, app: &mut App, seen: &mut Seen) -> Option<Json> {
        let started = processor_time();
        let text = self.run(app, "bt", &["--async", "--json"]);
        let millis = (processor_time() - started) as usize;
        let slowest = seen.counts.entry(SLOWEST.into()).or_default();
        *slowest = millis.max(*slowest);
        match text {
            Ok(text) => Some(serde_json::from_str(&text).expect("JSON")),
            Err(error) => {
                seen.wrong.push(format!("{}: {error}", self.what));
                None
            }
        }
    }

    /// Each line of the stack as `Error.stack` had it.
    fn check_stack(&self, stack: &Json, said: &Json, seen: &mut Seen) {
        let said = said["stack"].as_str().expect("a stack");
        let theirs: Vec<&str> = said.split("\n    at ").skip(1).collect();
        let first = theirs.first().copied().unwrap_or_default();
        let ours = lines_of(stack).skip_while(|l| l != first);
        let ours: Vec<String> = ours.collect();
        seen.count("stacks", 1);
        seen.count("lines", theirs.len());
        let is_async = |l: &&&str| l.starts_with("async ");
        seen.count("async lines", theirs.iter().filter(is_async).count());
        for call in calls_of(stack) {
            if call["in_stack_traces"] == true {
                let inlined = if call["inlined"] == true {
                    " inlined"
                } else {
                    ""
                };
                let tier = call["tier"].as_str().unwrap_or("builtin");
                seen.count(&format!("{tier}{inlined}"), 1);
            }
        }
        let count = ours.len().max(theirs.len());
        let differs =
            (0..count).find(|i| ours.get(*i).map(String::as_str) != theirs.get(*i).copied());
        if let Some(at) = differs {
            seen.count("stacks unequal", 1);
            let around = |lines: &[&str]| {
                lines[at.saturating_sub(1).min(lines.len())..(at + 2).min(lines.len())].join(" | ")
            };
            let ours: Vec<&str> = ours.iter().map(String::as_str).collect();
            seen.wrong.push(format!(
                "{}: line {at} of {}, {}:\n    ours {}\n  theirs {}",
                self.what,
                ours.len(),
                theirs.len(),
                around(&ours),
                around(&theirs)
            ));
        }
    }

    /// The source that is shown of each frame with a file, against the file.
    fn check_source(&self, app: &mut App, stack: &Json, seen: &mut Seen) {
        let mut files: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for frame in stack["frames"].as_array().expect("frames") {
            let calls = frame["calls"].as_array().expect("calls");
            // Those that wait are no frames.
            if frame["kind"] == "async" {
                continue;
            }
            for (at, call) in calls.iter().enumerate() {
                let (file, number) = (call["call"]["file"].as_str(), frame["number"].as_u64());
                let (Some(file), Some(number)) = (file.filter(|f| f.starts_with('/')), number)
                else {
                    continue;
                };
                let lines = files.entry(file.to_string()).or_insert_with(|| {
                    let text = std::fs::read(file).unwrap_or_default();
                    let text = String::from_utf8_lossy(&text).into_owned();
                    text.split('\n')
                        .map(|l| l.trim_end_matches('\r').to_string())
                        .collect()
                });
                let line = call["call"]["line"].as_u64().expect("a line");
                let expected = usize::try_from(line).ok().and_then(|l| lines.get(l - 1));
                let expected = expected.map_or("", String::as_str);
                let (frame, inlined) = (number.to_string(), (at + 1).to_string());
                let words = ["--call", "-f", &frame, "-i", &inlined, "--json"];
                seen.count("source lines", 1);
                let own = self.run(app, "source list", &words).map(|text| {
                    let shown: Json = serde_json::from_str(&text).expect("JSON");
                    let all = shown["lines"].as_array().cloned().unwrap_or_default();
                    let own = all.iter().find(|l| l["call"] == true && l["line"] == line);
                    own.cloned().unwrap_or_default()
                });
                let is_it = own.as_ref().is_ok_and(|own| {
                    let left_out = own["left_out"].as_u64().unwrap_or(0) as usize;
                    let text = own["text"].as_str().unwrap_or("(none)");
                    if expected.encode_utf16().count() <= 4096 {
                        return text == expected && left_out == 0;
                    }
                    let part = text
                        .strip_prefix("...")
                        .filter(|_| left_out > 0)
                        .unwrap_or(text);
                    let part = part.strip_suffix("...").unwrap_or(part);
                    let part: Vec<u16> = part.encode_utf16().collect();
                    let whole: Vec<u16> = expected.encode_utf16().collect();
                    let column = call["call"]["column"].as_u64().expect("a column") as usize;
                    let shown = left_out..left_out + part.len();
                    whole.get(shown.clone()) == Some(part.as_slice())
                        && shown.contains(&(column - 1))
                });
                if !is_it {
                    let expected: String = expected.chars().take(80).collect();
                    let own = own.map_or_else(|e| e, |o| o.to_string());
                    let own: String = own.chars().take(120).collect();
                    seen.wrong.push(format!(
                        "{}: {file}:{line}: shown {own}, has {expected}",
                        self.what
                    ));
                }
            }
        }
    }

    /// Variables as V8's inspector had them.
    fn check_variables(&self, said: &Json, seen: &mut Seen) {
        let file = CoreFile::open(self.core, self.program).expect("core opens");
        let session = Session::new(Box::new(file));
        let source = Source {
            cx: session.cx().expect("V8"),
            target: session.target(),
            program: &session.v8().expect("V8").program,
            isolates: session.isolates().ok(),
        };
        let frames = source.backtrace(&session.target().threads()[0], usize::MAX);
        let names = VariableNames::default();
        let calls: Vec<&Call> = frames.iter().flat_map(|f| &f.calls).collect();
        let mut next = 0;
        // The first one goes on since.
        for theirs in said["frames"].as_array().expect("frames").iter().skip(1) {
            let is_it = |c: &&Call| {
                let place = c.place.as_ref().ok().and_then(|p| p.as_ref());
                place.is_some_and(|p| theirs["line"] == p.line && theirs["column"] == p.column)
            };
            let Some(at) = calls[next..].iter().position(is_it) else {
                seen.count("calls not with the inspector", 1);
                continue;
            };
            let call = calls[next + at];
            next += at + 1;
            self.check_call(call, theirs, &names, seen);
        }
    }

    fn check_call(&self, call: &Call, theirs: &Json, names: &VariableNames, seen: &mut Seen) {
        let cx = call.shared.0.cx;
        let place = format!(
            "{} at {}:{} ({:?})",
            theirs["name"], theirs["line"], theirs["column"], call.tier
        );
        let scopes_said = theirs["scopes"].as_array().expect("scopes");
        let of = |name: &str, own: bool| {
            let is_own =
                |s: &&Json| matches!(s["type"].as_str(), Some("local" | "block" | "catch"));
            let all = scopes_said.iter().filter(|s| !own || is_own(s));
            let mut all = all.take_while(|s| s["values"].is_object());
            all.find_map(|s| s["values"].get(name)).cloned()
        };
        seen.count("calls with the inspector", 1);
        let tier = call
            .tier
            .map_or("builtin".to_string(), |t| format!("{t:?}").to_lowercase());
        // What the compilers dropped is undefined to the inspector.
        let optimized = matches!(tier.as_str(), "maglev" | "turbofan");
        let named = names.of(call);
        if named.is_none() {
            seen.count("calls without names", 1);
            seen.count(&format!("no names: {}", theirs["name"]), 1);
        }
        for variable in named.unwrap_or_default() {
            let name = &variable.name;
            let said = of(name, true);
            let (told, ours) = match &variable.held {
                Held::Value(value) => match show(cx, value) {
                    Some(ours) => ("value", ours),
                    None => ("optimized out", String::new()),
                },
                Held::Uninitialized => ("uninitialized", "undefined".to_string()),
                Held::NotKnown => ("not known", String::new()),
            };
            seen.count(&format!("{tier} variables: {told}"), 1);
            if matches!(told, "optimized out" | "not known") {
                continue;
            }
            let Some(said) = said else {
                seen.count(&format!("{told} that the inspector does not have"), 1);
                if told == "value" && setting("V8RS_SHOW").is_some() {
                    println!("NOT THERE {}: {place}: {name} = {ours}", self.what);
                }
                continue;
            };
            if said.is_null() || same(&ours, &said) {
                continue;
            }
            // In a loop the inspector may have what the last round left in the register.
            if told == "uninitialized" {
                seen.count("uninitialized that the inspector has a value of", 1);
                if setting("V8RS_SHOW").is_some() {
                    println!("STALE {}: {place}: {name}, said {said}", self.what);
                }
                continue;
            }
            if said == "undefined" && optimized && told == "value" {
                seen.count("value that the inspector says is undefined, optimized", 1);
                if setting("V8RS_SHOW").is_some() {
                    println!(
                        "UNDEFINED {}: {place}: {name} = {ours} {:?}",
                        self.what, variable.place
                    );
                }
                continue;
            }
            seen.wrong.push(format!(
                "{}: {place}: {name} is {ours} ({told}), said {said}",
                self.what
            ));
        }
        if let Some(receiver) = call.receiver.as_ref().and_then(|r| show(cx, r)) {
            let is_arrow = call.shared.kind().is_ok_and(|k| k.is_arrow);
            seen.count("receivers", 1);
            let dropped = theirs["self"] == "undefined" && optimized;
            if !is_arrow && !dropped && !same(&receiver, &theirs["self"]) {
                seen.wrong.push(format!(
                    "{}: {place}: this is {receiver}, said {}",
                    self.what, theirs["self"]
                ));
            }
        }
        let Some(Ok(list)) = call.context.map(scopes) else {
            return;
        };
        let mut told = std::collections::BTreeSet::new();
        for variable in list.iter().flat_map(|s| &s.variables) {
            let Ok(name) = &variable.name else { continue };
            // What is in a register hides what is further out.
            if name == "this" || !told.insert(name.clone()) || of(name, true).is_some() {
                continue;
            }
            let (Some(ours), Some(said)) = (show(cx, &variable.value), of(name, false)) else {
                continue;
            };
            if said.is_null() {
                continue;
            }
            seen.count("variables of scopes", 1);
            if !same(&ours, &said) {
                seen.wrong.push(format!(
                    "{}: {place}: scope's {name} is {ours}, said {said}",
                    self.what
                ));
            }
        }
    }

    /// What a stack at no special moment has to have.
    fn check_any(&self, stack: &Json, seen: &mut Seen) {
        seen.count("stacks", 1);
        let frames = stack["frames"].as_array().expect("frames");
        let calls: Vec<&Json> = calls_of(stack).collect();
        let is_main = |c: &&&Json| {
            c["call"]["file"]
                .as_str()
                .is_some_and(|f| f.ends_with("packages.js"))
        };
        if calls.is_empty() {
            seen.count("stacks without JavaScript", 1);
        } else if !calls.iter().any(|c| is_main(&c)) {
            seen.count("stacks not from the program's main function", 1);
        }
        let said = |line: String| format!("{}: {line}", self.what);
        for frame in frames {
            let found_by = frame["found_by"].as_str().unwrap_or("?");
            seen.count(&format!("frames by {found_by}"), 1);
            let own = frame["calls"].as_array().expect("calls");
            let wasm = frame["wasm"].as_array().is_some_and(|w| !w.is_empty());
            let kind = frame["kind"].as_str();
            if own.is_empty()
                && !wasm
                && kind.is_none()
                && frame["native"].as_str().is_none_or(|n| n.starts_with("0x"))
            {
                seen.wrong
                    .push(said(format!("a frame without a name: {frame}")));
            }
            if let Some(code) = frame["code"].as_str() {
                seen.count(
                    &format!(
                        "innermost code: {}",
                        if code.chars().next().is_some_and(char::is_uppercase) {
                            "a builtin"
                        } else {
                            code
                        }
                    ),
                    1,
                );
            }
        }
        for call in calls {
            let tier = call["tier"].as_str().unwrap_or("builtin");
            seen.count(
                &format!(
                    "{tier}{}",
                    if call["inlined"] == true {
                        " inlined"
                    } else {
                        ""
                    }
                ),
                1,
            );
            if call["call"]["error"].is_string()
                || call["arguments"]["error"].is_string()
                || call["definition"]["error"].is_string()
            {
                seen.wrong.push(said(format!("an error: {call}")));
            }
            if tier != "builtin"
                && call["call"]["file"].is_null()
                && call["in_stack_traces"] == true
            {
                seen.count(&format!("no place: {}", trace_line(call)), 1);
            }
        }
    }
}

/// The lines of a stack as a stack trace prints them.
fn lines_of(stack: &Json) -> impl Iterator<Item = String> + '_ {
    let frames = stack["frames"].as_array().expect("frames").iter();
    frames.filter(|f| f["kind"] != "api_exit").flat_map(|f| {
        let calls = f["calls"].as_array().expect("calls").iter();
        let calls = calls
            .filter(|c| c["in_stack_traces"] == true)
            .map(trace_line);
        let wasm = f["wasm"].as_array().into_iter().flatten();
        let wasm = wasm.map(|w| w["text"].as_str().unwrap_or_default().to_string());
        calls.chain(wasm).collect::<Vec<_>>()
    })
}

fn calls_of(stack: &Json) -> impl Iterator<Item = &Json> {
    let frames = stack["frames"].as_array().expect("frames").iter();
    frames.flat_map(|f| f["calls"].as_array().expect("calls"))
}

/// What we show, against what the inspector said.
fn same(ours: &str, said: &Json) -> bool {
    if let Some(text) = said.as_str() {
        let is_function = ours.starts_with("[function ") || ours == "[object Function]";
        return match text {
            // Values that are shown by what they are alone, or by another name.
            "[function ?]" => is_function,
            "[symbol]" => matches!(ours, "[object Object]" | "[object Symbol]"),
            "[object global]" | "[object Object]" if ours == "[globalThis]" => true,
            // What has a length and elements is an array to the inspector.
            _ if text.starts_with("[array ") && ours.starts_with("[object ") => true,
            _ if ours == "[object Function]" => text.starts_with("[function bound "),
            _ => text == ours,
        };
    }
    if let Some(number) = said["number"].as_str() {
        return match (
            ours.parse::<f64>(),
            number.replace("Infinity", "inf").parse::<f64>(),
        ) {
            (Ok(ours), Ok(theirs)) => {
                ours.to_bits() == theirs.to_bits() || ours.is_nan() && theirs.is_nan()
            }
            _ => ours.replace("inf", "Infinity") == number,
        };
    }
    let Some(text) = said["text"].as_str() else {
        return false;
    };
    let Some(ours) = ours.strip_prefix('\'').and_then(|o| o.strip_suffix('\'')) else {
        return false;
    };
    if text.encode_utf16().count() < 1000 {
        ours == text
    } else {
        ours.starts_with(text)
    }
}

fn check(version: &str, package: &str, packages: &Path, way: &[&str]) -> Seen {
    let node = Node::official(version);
    let directory = tempdir(version, package);
    let mut seen = Seen::default();
    let seed = setting("V8RS_SEED").unwrap_or("1".to_string());
    let count = setting("V8RS_MOMENTS").unwrap_or("3".to_string());
    let addon = packages.join("forked.node");
    let words = [
        addon.to_str().expect("a path"),
        packages.to_str().expect("a path"),
        package,
        &seed,
        &count,
    ];
    let arguments: Vec<&str> = words.iter().chain(way).copied().collect();
    let mut running = Program::start_in(&directory, &node.path, "packages.js", &[], &arguments);
    for number in 0.. {
        let said = running.next();
        if said["over"] == true {
            break;
        }
        let core = directory.join("core");
        let moment = Moment {
            core: &core,
            program: &node.path,
            what: format!("{version} {package} {seed}/{number}"),
        };
        let before = seen.wrong.len();
        let mut app = App::new();
        if let Some(stack) = moment.stack(&mut app, &mut seen) {
            if way.is_empty() {
                moment.check_stack(&stack, &said, &mut seen);
                moment.check_variables(&said, &mut seen);
                if number == 0 {
                    moment.check_source(&mut app, &stack, &mut seen);
                }
            } else {
                moment.check_any(&stack, &mut seen);
            }
        }
        match setting("V8RS_MOMENTS_KEEP") {
            Some(keep) if seen.wrong.len() > before => {
                let to = Path::new(&keep).join(format!("{version}-{package}-{seed}-{number}.core"));
                std::fs::rename(&core, &to).expect("it is kept");
                std::fs::write(to.with_extension("json"), said.to_string()).expect("it is kept");
            }
            _ => std::fs::remove_file(&core).expect("a core"),
        }
        running.tell("\n");
    }
    let _ = std::fs::remove_dir_all(&directory);
    seen
}

fn tempdir(version: &str, package: &str) -> PathBuf {
    let name = format!("packages-{version}-{package}-{}", std::process::id());
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&directory).expect("a directory");
    directory
}

fn run(way: &[&str]) {
    let packages = PathBuf::from(setting("V8RS_PACKAGES").expect("V8RS_PACKAGES"));
    let list = setting("V8RS_PACKAGE").expect("V8RS_PACKAGE");
    let mut failed = false;
    for version in support::nodes() {
        let mut total = Seen::default();
        for package in list.split_whitespace() {
            let of = std::panic::catch_unwind(|| check(&version, package, &packages, way));
            match of {
                Ok(seen) => {
                    let count = |what: &str| seen.counts.get(what).copied().unwrap_or(0);
                    println!(
                        "PACKAGES {version} {package}: {} stacks, {} lines, {} wrong, {} ms",
                        count("stacks"),
                        count("lines"),
                        seen.wrong.len(),
                        count(SLOWEST)
                    );
                    for wrong in &seen.wrong {
                        println!("WRONG {wrong}");
                    }
                    total.add(seen);
                }
                Err(_) => println!(
                    "WRONG {version} {package}: the program did not run, or the check panicked"
                ),
            }
        }
        println!("PACKAGES {version}: {:#?}", total.counts);
        failed |= !total.wrong.is_empty();
    }
    assert!(!failed);
}

#[test]
#[ignore = "fetched packages: scripts/packages.sh"]
fn chosen_moments() {
    run(&[]);
}

#[test]
#[ignore = "fetched packages: scripts/packages.sh"]
fn any_moment() {
    run(&["soon"]);
}
