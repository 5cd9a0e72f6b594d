//! What `v8 threads` says of the threads that help the garbage collector, in cores that gdb takes when
//! one begins to. Truth is gdb's own account of every thread's stack.
#![cfg(all(feature = "lldb", target_os = "linux"))]

mod support;

use std::collections::HashMap;
use std::path::Path;
use support::lldb::{lldb, Lldb};
use support::nodes;
use support::program::{Node, Program};

/// Stops at the first of V8's functions that mark and move objects beside the program, on a thread that
/// is not the program's; then takes a core and tells all stacks.
const SCRIPT: &str = r"
import gdb
pid = gdb.selected_inferior().pid
class Helper(gdb.Breakpoint):
    def stop(self):
        return gdb.selected_thread().ptid[1] != pid
names = ['ConcurrentMarking::RunMajor', 'ConcurrentMarking::Run', 'ConcurrentMarking::RunMinor',
    'ScavengerCollector::JobTask::ProcessItems', 'Scavenger::Process']
stops = [Helper('v8::internal::' + n) for n in names]
gdb.execute('quit 3' if all(s.pending for s in stops) else 'continue', to_string=True)
for stop in stops:
    stop.delete()
gdb.execute('generate-core-file ' + core, to_string=True)
gdb.execute('thread apply all bt 40')
";

/// The frames of each thread by the system's id.
fn stacks(text: &str) -> HashMap<u64, Vec<&str>> {
    let mut out: HashMap<u64, Vec<&str>> = HashMap::new();
    let mut thread = None;
    for line in text.lines() {
        if line.starts_with("Thread ") {
            let id = line.split("LWP ").nth(1);
            let id = id.and_then(|t| t.split(|c: char| !c.is_ascii_digit()).next());
            thread = id.and_then(|t| t.parse().ok());
        } else if let (Some(thread), true) = (thread, line.starts_with('#')) {
            out.entry(thread).or_default().push(line);
        }
    }
    out
}

fn check(version: &str, directory: &Path) -> bool {
    let node = Node::quick(version);
    let program = Program::start(&node.path, "churn.js", &[], &["0"]);
    let core = directory.join("core");
    let script = directory.join("helpers.py");
    let head = format!("core = '{}'\n", core.display());
    std::fs::write(&script, head + SCRIPT).expect("a script");
    let Some((text, errors)) = program.under_gdb(&script) else {
        return false;
    };
    let stacks = stacks(&text);
    assert!(core.is_file(), "node {version}: {text}\n{errors}");
    let lldb = lldb().expect("an lldb on the PATH");
    let [file, program_file] = [&core, &node.path].map(|p| p.to_str().expect("a path"));
    let mut session = Lldb::start(&lldb, &[program_file, "--core", file], &[]);
    let found = session.json("v8 threads --json");
    let threads = found.as_array().expect("threads");
    assert_eq!(
        threads.len(),
        stacks.len(),
        "node {version}: {found}\n{text}"
    );
    let collects = ["ConcurrentMarking::", "Scaveng", "MarkCompact", "Sweeper"];
    let (mut helping, mut idle) = (0, 0);
    for thread in threads {
        let id = thread["id"].as_u64().expect("an id");
        let stack = &stacks[&id];
        let has = |part: &str| stack.iter().any(|f| f.contains(part));
        let role = thread["role"].as_str().expect("a role");
        let say = format!("node {version}: {thread}\n{}", stack.join("\n"));
        if id == u64::from(program.id()) {
            assert_eq!(role, "main", "{say}");
        } else if has("PlatformWorkerThread") && collects.iter().any(|c| has(c)) {
            assert_eq!(role, "GC helper", "{say}");
            helping += 1;
        } else if has("PlatformWorkerThread") {
            assert_eq!(role, "platform worker", "{say}");
            idle += 1;
        } else {
            assert_ne!(role, "GC helper", "{say}");
        }
    }
    println!("node {version}: {helping} helping, {idle} idle");
    assert!(helping > 0, "node {version}: {text}");
    true
}

#[test]
fn threads_that_help_the_garbage_collector_are_told() {
    for version in nodes() {
        let name = format!("helpers-{version}-{}", std::process::id());
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&directory).expect("a directory");
        let checked = check(&version, &directory);
        let _ = std::fs::remove_dir_all(&directory);
        if !checked {
            return;
        }
    }
}
