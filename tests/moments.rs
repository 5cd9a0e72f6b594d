//! Cores that gdb takes at random moments: of a program that allocates without a pause, so that many
//! fall into garbage collections, and of one whose code is optimized. No two runs see the same cores,
//! so they are run when asked for: `scripts/moments.sh` prints a table. V8RS_MOMENTS says how many of
//! each a release (2 unless told otherwise, of the newest release under test).
#![cfg(target_os = "linux")]

mod support;

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::program::{Node, Program};
use v8rs::command::App;
use v8rs::graph::snapshot;
use v8rs::offline::OfflineHost;

/// How many, where asked for.
fn asked() -> Option<usize> {
    std::env::var("V8RS_MOMENTS").ok()?.parse().ok()
}

fn releases() -> Vec<String> {
    let mut all = support::nodes();
    if asked().is_none() {
        all.sort_by_key(|v| std::cmp::Reverse(support::major(v)));
        all.truncate(1);
    }
    all
}

struct Moment {
    core: PathBuf,
    program: PathBuf,
    /// gdb's account of the main thread's stack.
    native: String,
}

impl Moment {
    /// Whether no JavaScript is on the stack by gdb's own unwinder: it gets to the program's start from
    /// C++ to C++. A collection that a task of V8's platform runs is such a moment.
    fn is_all_native(&self) -> bool {
        let frames = self.native.lines().filter(|l| l.starts_with('#'));
        let starts = self.native.contains(" _start ()") || self.native.contains(" main (");
        starts
            && frames
                .clone()
                .all(|l| !l.contains("?? ()") && !l.contains("Builtins_"))
    }

    fn ask(&self, app: &mut App, line: &str) -> Result<Value, String> {
        let host = OfflineHost {
            core: self.core.clone(),
            program: self.program.clone(),
        };
        let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
        let mut words: Vec<String> = rest.split_whitespace().map(str::to_string).collect();
        words.push("--json".to_string());
        let outcome = app.run(&host, name, &words);
        match outcome.error {
            Some(error) => Err(format!("{line}: {error}")),
            None => serde_json::from_str(&outcome.text).map_err(|e| format!("{line}: {e}")),
        }
    }
}

/// Where gdb stops a program before it takes a core.
#[derive(Clone, Copy)]
enum Place {
    /// Wherever it is.
    Anywhere,
    /// At the entry of a function, after so many others of it.
    At(&'static str, u32),
}

/// Takes cores of a running program, one after the other, and says what each does not stand up to.
fn each_moment(
    version: &str,
    program: &str,
    arguments: &[&str],
    places: &[Place],
    check: impl Fn(&Moment, &Program) -> Result<String, String>,
) -> Vec<String> {
    let node = Node::quick(version);
    let running = Program::start(&node.path, program, &[], arguments);
    let directory = std::env::var_os("V8RS_MOMENTS_DIR");
    let directory = directory.map_or(PathBuf::from(env!("CARGO_TARGET_TMPDIR")), PathBuf::from);
    let mut moment = Moment {
        core: directory.join(format!("moment-{program}-{}.core", std::process::id())),
        program: node.path.clone(),
        native: String::new(),
    };
    let (mut failed, mut said) = (Vec::new(), std::collections::BTreeMap::new());
    let count = places.len();
    for (number, place) in places.iter().enumerate() {
        // No two alike, without a source of chance: the clock's last digits.
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let pause = now.map_or(0, |n| u64::from(n.subsec_nanos()) % 700);
        std::thread::sleep(std::time::Duration::from_millis(pause));
        // A function that is not reached would be waited for; a busy machine is slow to write.
        let most = if matches!(place, Place::At(..)) {
            "40"
        } else {
            "120"
        };
        let output = Command::new("timeout")
            .args(["-k", "5", most, "gdb"])
            .args(["-nx", "-batch", "-ex", "set debuginfod enabled off"])
            .args(["-p", &running.id().to_string()])
            .args(stop_at(*place))
            .args(["-ex", "bt 100", "-ex"])
            .arg(format!("generate-core-file {}", moment.core.display()))
            .output()
            .expect("gdb takes the cores");
        let text = String::from_utf8_lossy(&output.stderr);
        moment.native = String::from_utf8_lossy(&output.stdout).into_owned();
        if text.contains("ptrace: Operation not permitted") {
            eprintln!("SKIPPED: no process may be attached to here");
            return failed;
        }
        if !output.status.success() || !moment.core.is_file() {
            let _ = std::fs::remove_file(&moment.core);
            let what = match place {
                Place::At(function, others) => format!("not at {function} after {others}"),
                Place::Anywhere => "not written by gdb in time".to_string(),
            };
            *said.entry(what).or_insert(0) += 1;
            continue;
        }
        let checked = check(&moment, &running);
        if let (Place::At(function, others), Ok(what)) = (place, &checked) {
            println!("MOMENTS   at {function} after {others}: {what}");
        }
        match checked {
            Ok(what) => *said.entry(what).or_insert(0) += 1,
            Err(why) => {
                if let Some(keep) = std::env::var_os("V8RS_MOMENTS_KEEP") {
                    let kept = Path::new(&keep).join(format!("{program}-{version}-{number}.core"));
                    let _ = std::fs::copy(&moment.core, kept);
                }
                let at = match place {
                    Place::Anywhere => String::new(),
                    Place::At(function, others) => format!(" at {function} after {others}"),
                };
                failed.push(format!("node {version}: core {number}{at}: {why}"));
            }
        }
        let _ = std::fs::remove_file(&moment.core);
    }
    println!(
        "MOMENTS {program} {version}: {count} cores, {} failed; {said:?}",
        failed.len()
    );
    for line in &failed {
        println!("MOMENTS   {line}");
    }
    failed
}

/// gdb's commands that have the program run to a place. A release that has no such function would
/// never stop.
fn stop_at(place: Place) -> Vec<String> {
    let Place::At(function, others) = place else {
        return Vec::new();
    };
    let commands = [
        format!("b = gdb.Breakpoint('v8::internal::{function}')"),
        format!("b.ignore_count = {others}"),
        "gdb.execute('quit 3' if b.pending else 'continue')".to_string(),
        "b.delete()".to_string(),
    ];
    vec!["-ex".to_string(), format!("python {}", commands.join("; "))]
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

fn heap(moment: &Moment, program: &Program) -> Result<String, String> {
    let mut app = App::new();
    let truth = program.said.last().ok_or("no truth")?;
    let found = moment.ask(&mut app, "findjsobjects")?;
    let warned = found["warnings"].to_string();
    let collecting = warned.contains("garbage collection");
    let covered = &found["covered"];
    if number(&covered["unknown_bytes"]) > number(&covered["object_bytes"]) / 1000 && !collecting {
        return Err(format!("{covered}"));
    }
    let live = moment.ask(&mut app, "findjsobjects --live")?;
    // No Keeper comes or goes. Turnovers that were just replaced may be in words of the stack that a
    // finished call left, which hold what they show.
    let mut missing = 0;
    for (class, key, on_stack) in [("Keeper", "KEEPERS", 0), ("Turnover", "TURNOVERS", 32)] {
        let rows = live["classes"].as_array().ok_or("no classes")?;
        let row = rows.iter().find(|c| c["name"] == class);
        let ours = row.map_or(0, |c| number(&c["instances"]));
        let least = number(&truth[key]);
        if ours > least + on_stack || (ours < least && !collecting) {
            return Err(format!("{ours} {class}, {least} by the program; {warned}"));
        }
        missing += least.saturating_sub(ours);
    }
    let listed = moment.ask(&mut app, "findjsinstances -n 5 Keeper")?;
    let text = listed.to_string();
    let address = text.split('"').find(|w| w.starts_with("0x"));
    let address = address.ok_or(format!("no address in {text}"))?.to_string();
    moment.ask(&mut app, &format!("findrefs {address}"))?;
    moment.ask(&mut app, "retained -c Keeper")?;
    moment.ask(&mut app, "leaks")?;
    let mut seen = vec![address];
    for class in ["Keeper", "Turnover"] {
        let listed = moment.ask(&mut app, &format!("findjsinstances -n 40 {class}"))?;
        let rows = listed["instances"].as_array().ok_or("no instances")?;
        seen.extend(
            rows.iter()
                .filter_map(|r| r["address"].as_str().map(str::to_string)),
        );
    }
    without_index(moment, &seen)?;
    let file = moment.core.with_extension("heapsnapshot");
    let written = moment.ask(&mut app, &format!("heapsnapshot {}", file.display()))?;
    let graph = snapshot::read_file(&file).map_err(|e| e.to_string());
    let _ = std::fs::remove_file(&file);
    let nodes = graph?.node_count() as u64;
    if nodes < number(&truth["KEEPERS"]) || number(&written["nodes"]) != nodes {
        return Err(format!("{nodes} nodes in the file; {written}"));
    }
    let whole = match missing {
        0 => "with all objects".to_string(),
        missing => format!("{missing} objects missing"),
    };
    Ok(match (collecting, warned == "[]") {
        (true, _) => format!("in a collection, said so, {whole}"),
        (false, true) => "whole".to_string(),
        (false, false) => "parts not understood, said so".to_string(),
    })
}

/// `bt`, `frame` and `inspect`, each in a session that has no index of the heap to say what was moved.
/// `objects` are what the program keeps, by their addresses.
fn without_index(moment: &Moment, objects: &[String]) -> Result<(), String> {
    let found = moment.ask(&mut App::new(), "bt -v")?;
    let frames = found["frames"].as_array().ok_or("no frames")?;
    let calls = frames
        .iter()
        .flat_map(|f| f["calls"].as_array().into_iter().flatten());
    let places = calls
        .clone()
        .map(|c| c["call"]["file"].as_str().unwrap_or(""));
    let in_program = places.filter(|f| f.ends_with("churn.js")).count();
    let entered = frames.iter().any(|f| f["kind"] == "entry");
    for call in calls {
        // Builtins have no place.
        let own = call["definition"]["file"].is_string();
        if own && (call["name"].is_null() && call["function_name"].is_null()) {
            return Err(format!("no name: {call}"));
        }
        let text = call.to_string();
        if text.contains("\"error\":\"") || text.contains("???") {
            return Err(format!("not understood: {text}"));
        }
    }
    // A collection may be run by a task of V8's platform, without JavaScript.
    if entered && in_program == 0 {
        return Err(format!("no call of the program: {found}"));
    }
    if in_program > 0 {
        let at = frames.iter().find(|f| {
            let mut calls = f["calls"].as_array().into_iter().flatten();
            calls.any(|c| {
                c["call"]["file"]
                    .as_str()
                    .is_some_and(|f| f.ends_with("churn.js"))
            })
        });
        let number = at.map_or(0, |f| number(&f["number"]));
        let frame = moment.ask(&mut App::new(), &format!("frame {number}"))?;
        if frame.to_string().contains("???") {
            return Err(format!("frame {number}: {frame}"));
        }
    }
    let mut app = App::new();
    for address in objects {
        let shown = moment.ask(&mut app, &format!("inspect {address}"))?;
        as_made(&shown).map_err(|why| format!("{why}: {shown}"))?;
    }
    Ok(())
}

/// Whether a Keeper or a Turnover is as the program makes it.
fn as_made(object: &Value) -> Result<(), String> {
    let sections = object["sections"].as_array().ok_or("no sections")?;
    let items = sections
        .iter()
        .flat_map(|s| s["items"].as_array().into_iter().flatten());
    let items: Vec<&Value> = items.collect();
    let field = |name: &str| {
        let item = items.iter().find(|i| i["key"]["name"] == name);
        item.map(|i| i["value"]["value"].clone())
            .ok_or_else(|| format!("no {name}"))
    };
    let n = field("number")?["value"].as_u64().ok_or("no number")?;
    match object["constructor"].as_str() {
        Some("Keeper") => {
            let (name, next) = (field("name")?, field("next")?);
            let named = name["text"]
                .as_str()
                .is_some_and(|t| *t == *format!("keeper {n}"));
            let held = next["constructor"] == "Keeper" || next["name"] == "null";
            (named && held)
                .then_some(())
                .ok_or_else(|| "another Keeper".to_string())
        }
        Some("Turnover") => {
            let (half, parts) = (field("half")?, field("parts")?);
            let halved = half["value"].as_f64() == Some(n as f64 / 2.0 + 0.25);
            let three = parts["type"] == "array" && parts["length"] == 3;
            (halved && three)
                .then_some(())
                .ok_or_else(|| "another Turnover".to_string())
        }
        _ => Err("neither class".to_string()),
    }
}

/// Calls of our program, outermost first: name and line.
fn stack(moment: &Moment, program: &Program) -> Result<String, String> {
    let truth = program.said.last().ok_or("no truth")?;
    let mut app = App::new();
    let found = moment.ask(&mut app, "bt")?;
    let frames = found["frames"].as_array().ok_or("no frames")?;
    let short = || {
        let shown = |f: &Value| {
            let calls = f["calls"].as_array().into_iter().flatten();
            let names: Vec<String> = calls.map(|c| c["name"].to_string()).collect();
            format!("{}:{}{}", f["kind"], names.join("/"), f["native"])
        };
        let lines: Vec<String> = frames.iter().take(24).map(shown).collect();
        lines.join(" | ")
    };
    let top = frames.first().ok_or("an empty stack")?;
    if moment.is_all_native() {
        return match frames.iter().all(|f| f["kind"].is_null()) {
            true => Ok("no JavaScript on the stack, by gdb".to_string()),
            false => Err(format!("gdb has no JavaScript; {}", short())),
        };
    }
    let unnamed = |f: &Value| {
        let native = f["native"].as_str().unwrap_or("0x");
        f["kind"].is_null() && native.starts_with("0x")
    };
    // A file without symbols (the C library's) may be what C++ called.
    let in_native = frames
        .get(1)
        .is_some_and(|f| f["kind"].as_str().is_some_and(|k| k.ends_with("exit")));
    if unnamed(top) && !in_native {
        return Err(format!("top frame without a name: {top}; {}", short()));
    }
    let mut calls: Vec<Call> = Vec::new();
    let mut below = Vec::new();
    for frame in frames.iter().rev() {
        // What waits for a promise is no call.
        if frame["kind"] == "async" {
            continue;
        }
        for call in frame["calls"].as_array().into_iter().flatten().rev() {
            if call["call"]["file"] == truth["file"] {
                calls.push(Call::of(call)?);
            } else if calls.is_empty() {
                below.push(call["function_name"].as_str().unwrap_or("").to_string());
            }
        }
    }
    if !frames.iter().any(|f| f["kind"] == "entry") {
        return Err(format!("no entry frame; {}", short()));
    }
    // A frame lies deeper than the one it called.
    let places = frames
        .iter()
        .filter(|f| f["kind"] != "async" && !f["kind"].is_null());
    let places: Vec<u64> = places.filter_map(|f| hex(&f["fp"])).collect();
    if !places.is_sorted() {
        return Err(format!("frames out of order: {places:x?}; {}", short()));
    }
    let text = Text::read(truth)?;
    for pair in calls.windows(2) {
        text.check(&pair[0], &pair[1])
            .map_err(|e| format!("{e}; {}", short()))?;
    }
    let Some(first) = calls.first() else {
        return Ok("in no function of the program".to_string());
    };
    if first.is("waited") || first.line == number(&truth["job"]) {
        return Ok("in a promise's job".to_string());
    }
    let bottom = truth["bottom"].as_array().ok_or("no bottom")?;
    // level1 calls what waits before it calls level2.
    let whole = calls.iter().take_while(|c| !c.is("waited"));
    let mut whole: Vec<Option<&Call>> = whole.map(Some).collect();
    if whole.len() == calls.len() && calls.iter().any(|c| c.is("level3")) {
        whole.resize(whole.len().max(bottom.len()), None);
    }
    for (expected, call) in bottom.iter().zip(&whole) {
        let name = expected["name"].as_str().ok_or("no name")?;
        let lines = number(&expected["first"])..=number(&expected["last"]);
        if !call.is_some_and(|c| c.is(name) && lines.contains(&c.line)) {
            return Err(format!("{call:?} where {expected} is; {}", short()));
        }
    }
    if below.last().is_none_or(|name| name != "processImmediate") {
        return Err(format!("{below:?} below main; {}", short()));
    }
    Ok("whole".to_string())
}

fn hex(value: &Value) -> Option<u64> {
    u64::from_str_radix(value.as_str()?.strip_prefix("0x")?, 16).ok()
}

/// A call of a function of the program.
#[derive(Debug)]
struct Call {
    /// As `Error.stack` has it.
    name: String,
    /// Line of the call it makes, and of its definition.
    line: u64,
    defined: u64,
    /// Its first argument where that is a small integer.
    argument: Option<i64>,
}

impl Call {
    fn of(call: &Value) -> Result<Call, String> {
        let line = |place: &str| {
            let found = call[place]["line"].as_u64();
            found.ok_or_else(|| format!("no {place} of {call}"))
        };
        let first = call["arguments"][0]["text"].as_str().unwrap_or("");
        let integer = first
            .strip_prefix("<Smi: ")
            .and_then(|t| t.strip_suffix(">"));
        Ok(Call {
            name: call["name"].as_str().unwrap_or("").to_string(),
            line: line("call")?,
            defined: line("definition")?,
            argument: integer.and_then(|t| t.parse().ok()),
        })
    }

    fn is(&self, name: &str) -> bool {
        self.name.split([' ', '.']).any(|w| w == name)
    }
}

/// The program's own text, which says which function may call which.
struct Text(Vec<String>);

impl Text {
    fn read(truth: &Value) -> Result<Text, String> {
        let file = truth["file"].as_str().ok_or("no file")?;
        let text = std::fs::read_to_string(file).map_err(|e| e.to_string())?;
        Ok(Text(text.lines().map(str::to_string).collect()))
    }

    fn line(&self, number: u64) -> &str {
        let at = (number as usize).saturating_sub(1);
        self.0.get(at).map_or("", String::as_str)
    }

    /// The last line of what begins in a line: the next that ends something as far to the left.
    fn end(&self, first: u64) -> u64 {
        let indent = |line: &str| line.len() - line.trim_start().len();
        let start = self.line(first);
        if !start.trim_end().ends_with('{') {
            return first;
        }
        let after = first as usize;
        let ends =
            |line: &String| line.trim_start().starts_with('}') && indent(line) <= indent(start);
        let next = self.0.iter().skip(after).position(ends);
        next.map_or(first, |n| (after + n + 1) as u64)
    }

    /// The line of a call names what it calls, or calls a task; what is defined within the caller may
    /// be called back by a builtin. A recursion goes down one by one.
    fn check(&self, caller: &Call, callee: &Call) -> Result<(), String> {
        let end = self.end(caller.defined);
        if !(caller.defined..=end).contains(&caller.line) {
            return Err(format!(
                "{caller:?} calls outside of itself, which ends at {end}"
            ));
        }
        let line = self.line(caller.line);
        let words = || line.split(|c: char| !c.is_alphanumeric() && c != '_');
        let is_named = callee
            .name
            .split([' ', '.'])
            .any(|name| words().any(|w| w == name));
        let tasks = self
            .0
            .iter()
            .position(|l| l.starts_with("const tasks"))
            .unwrap_or(0) as u64
            + 1;
        let is_task = |callee: &Call| {
            let tasks = tasks
                ..=self
                    .0
                    .iter()
                    .skip(tasks as usize)
                    .position(|l| l == "];")
                    .unwrap_or(0) as u64
                    + tasks;
            let named = |line: u64| callee.is(self.line(line).trim().trim_end_matches(','));
            tasks.contains(&callee.defined) || tasks.clone().any(named)
        };
        let allowed = match () {
            () if line.contains("task(") => is_task(callee),
            () if line.contains("super") => is_named || callee.name.contains("Point"),
            () => {
                is_named || (callee.defined > caller.defined && callee.defined <= end)
                // A function of one line that is in that one.
                || (callee.defined == caller.defined && line.contains("=>"))
            }
        };
        if !allowed {
            return Err(format!("{caller:?} does not call {callee:?} in {line:?}"));
        }
        for (name, steps) in [("fibonacci", 1..=2), ("thrown", 1..=1)] {
            if let (Some(above), Some(below)) = (caller.argument, callee.argument) {
                let both = caller.is(name) && callee.is(name);
                if both && !steps.contains(&(above - below)) {
                    return Err(format!("{caller:?} calls {callee:?}"));
                }
            }
        }
        Ok(())
    }
}

/// Takes as many as asked for at any moment.
fn anywhere() -> Vec<Place> {
    vec![Place::Anywhere; asked().unwrap_or(2)]
}

/// Where V8 begins to move young objects, has moved some, has moved all.
const SCAVENGES: &[Place] = &[
    Place::At("ScavengerCollector::CollectGarbage", 0),
    Place::At("Scavenger::ScavengePage", 1),
    Place::At("Scavenger::IterateAndScavengePromotedObject", 10),
    Place::At("Scavenger::Finalize", 0),
];

/// The same for all objects; in the last but one it corrects the words that refer to them.
const COMPACTIONS: &[Place] = &[
    Place::At("MarkCompactCollector::EvacuatePrologue", 0),
    Place::At("EvacuateNewSpaceVisitor::Visit", 50),
    Place::At("EvacuateOldSpaceVisitor::Visit", 100),
    Place::At("MarkCompactCollector::UpdatePointersAfterEvacuation", 0),
    Place::At("MarkCompactCollector::EvacuateEpilogue", 0),
];

#[test]
#[ignore = "cores at random moments: scripts/moments.sh"]
fn cores_in_the_middle_of_allocations_and_collections() {
    let releases = releases();
    let failed = releases
        .iter()
        .flat_map(|v| each_moment(v, "churn.js", &["1"], &anywhere(), heap));
    let failed: Vec<String> = failed.collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
#[ignore = "cores at random moments: scripts/moments.sh"]
fn stacks_of_optimized_code_at_any_moment() {
    let releases = releases();
    let failed = releases
        .iter()
        .flat_map(|v| each_moment(v, "busy.js", &[], &anywhere(), stack));
    let failed: Vec<String> = failed.collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
#[ignore = "cores at chosen moments: scripts/moments.sh"]
fn cores_in_the_middle_of_a_move() {
    let releases = releases();
    let mut failed = Vec::new();
    for v in &releases {
        failed.extend(each_moment(v, "churn.js", &["0"], SCAVENGES, heap));
        let compacts = ["0", "compact"];
        failed.extend(each_moment(v, "churn.js", &compacts, COMPACTIONS, heap));
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

/// Where pages that all was moved from are free, and there still: Node 22 and 24 have such a function.
const FREED: &[Place] = &[Place::At("MemoryAllocator::ReleaseQueuedPages", 0); 2];

#[test]
#[ignore = "cores at chosen moments: scripts/moments.sh"]
fn pages_that_are_free_hold_no_objects() {
    let check = |moment: &Moment, program: &Program| {
        let said = heap(moment, program)?;
        let found = moment.ask(&mut App::new(), "findjsobjects")?;
        let covered = &found["covered"];
        let is_whole = number(&covered["unknown_bytes"]) <= number(&covered["object_bytes"]) / 1000;
        is_whole.then_some(said).ok_or(covered.to_string())
    };
    let releases = releases();
    let failed = releases
        .iter()
        .flat_map(|v| each_moment(v, "churn.js", &["0", "compact"], FREED, check));
    let failed: Vec<String> = failed.collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

/// V8RS_MOMENTS_AT: functions of V8's, each with `+N` for after so many others of it, by spaces.
/// V8RS_MOMENTS_ARGUMENTS: the arguments of the program.
#[test]
#[ignore = "cores where V8RS_MOMENTS_AT says"]
fn cores_where_it_is_said() {
    let of = |name: &str| std::env::var(name).unwrap_or_default();
    let places = of("V8RS_MOMENTS_AT");
    let places = places.split_whitespace().map(|place| {
        let (function, others) = place.split_once('+').unwrap_or((place, "0"));
        let function: &'static str = Box::leak(function.to_string().into_boxed_str());
        Place::At(function, others.parse().expect("a number"))
    });
    let places: Vec<Place> = places.collect();
    let arguments = of("V8RS_MOMENTS_ARGUMENTS");
    let arguments: Vec<&str> = arguments.split_whitespace().collect();
    let releases = releases();
    let failed = releases
        .iter()
        .flat_map(|v| each_moment(v, "churn.js", &arguments, &places, heap));
    let failed: Vec<String> = failed.collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

/// The checks see a call that is not there.
#[test]
fn a_frame_that_is_missing_is_seen() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = root.join("tests/programs/busy.js");
    let text = Text::read(&serde_json::json!({ "file": file })).unwrap();
    let find = |what: &str| {
        let at = text.0.iter().position(|l| l.contains(what));
        at.unwrap_or_else(|| panic!("{what}")) as u64 + 1
    };
    let call = |name: &str, line: &str, defined: &str, argument| Call {
        name: name.to_string(),
        line: find(line),
        defined: find(defined),
        argument,
    };
    let level2 = call("level2", "  level3(end);", "function level2", None);
    let level3 = call("level3", "Number(task(round))", "function level3", None);
    let arrow = call(
        "<anonymous>",
        "() => fibonacci(23)",
        "() => fibonacci(23)",
        None,
    );
    let outer = call(
        "fibonacci",
        "fibonacci(n - 1)",
        "function fibonacci",
        Some(9),
    );
    let inner = call(
        "fibonacci",
        "fibonacci(n - 1)",
        "function fibonacci",
        Some(7),
    );
    let deep = call(
        "fibonacci",
        "fibonacci(n - 1)",
        "function fibonacci",
        Some(6),
    );
    let sort = call("sorted", ".sort(", "function sorted", None);
    let compare = call("<anonymous>", ".sort(", ".sort(", None);
    for (caller, callee) in [
        (&level2, &level3),
        (&level3, &arrow),
        (&arrow, &outer),
        (&outer, &inner),
        (&level3, &sort),
        (&sort, &compare),
    ] {
        assert_eq!(text.check(caller, callee), Ok(()));
    }
    for (caller, callee) in [
        (&level2, &arrow),
        (&level2, &sort),
        (&level3, &outer),
        (&level3, &compare),
        (&outer, &deep),
        (&arrow, &compare),
    ] {
        assert!(text.check(caller, callee).is_err(), "{caller:?} {callee:?}");
    }
}
