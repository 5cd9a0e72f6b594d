//! Cores of the test programs, made by `scripts/core.sh` (Node builds and cores are cached outside
//! the repository; V8RS_NODES picks the Node releases, the last of every line by default).
#![allow(dead_code)] // each test program uses its own part

#[cfg(target_os = "linux")]
pub mod lldb;
#[cfg(target_os = "linux")]
pub mod program;
pub mod values;

use std::path::{Path, PathBuf};
use std::process::Command;
use v8rs::command::App;
use v8rs::offline::OfflineHost;

/// A core with the program it is of.
#[derive(Debug, Clone)]
pub struct Core {
    /// Node's version: "22.23.3".
    pub node: String,
    /// Where the core and the recorded truth are.
    pub directory: PathBuf,
    pub core: PathBuf,
    /// The node binary.
    pub program: PathBuf,
}

impl Core {
    /// What the program printed: the truth.
    pub fn output(&self, program: &str) -> String {
        let path = self.directory.join(format!("{program}.out"));
        std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }

    /// Major version of Node.
    pub fn major(&self) -> u32 {
        let first = self.node.split('.').next().unwrap_or("");
        first.parse().unwrap_or(0)
    }
}

/// The last release of each line that counts as supported.
pub const LAST: [&str; 8] = [
    "12.22.12", "14.21.3", "16.20.2", "18.20.8", "20.20.2", "22.23.3", "24.21.0", "26.10.0",
];

/// The first releases that count as supported.
pub const FIRST: [&str; 5] = ["18.0.0", "20.0.0", "22.0.0", "24.0.0", "26.0.0"];

/// Releases to test: V8RS_NODES (by spaces), else all of [`LAST`] and [`FIRST`].
pub fn nodes() -> Vec<String> {
    match std::env::var("V8RS_NODES") {
        Ok(list) => list.split_whitespace().map(str::to_string).collect(),
        Err(_) => LAST.iter().chain(&FIRST).map(|v| v.to_string()).collect(),
    }
}

/// The core of `program` (in tests/programs) on a Node release, made now unless it is cached.
/// `arguments` are node's flags, `--`, the program's arguments.
pub fn core_with(program: &str, node: &str, arguments: &[&str]) -> Core {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/core.sh");
    let output = Command::new(&script)
        .arg(program)
        .arg(node)
        .args(arguments)
        .output()
        .unwrap_or_else(|e| panic!("{}: {e}", script.display()));
    assert!(
        output.status.success(),
        "{} {program} {node}: {}",
        script.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    let directory = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    Core {
        node: node.to_string(),
        core: directory.join("core"),
        program: directory.join("node"),
        directory,
    }
}

/// The node binary of a release, fetched unless it is cached.
pub fn program_of(node: &str) -> PathBuf {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/node.sh");
    let output = Command::new(&script).arg(node).output();
    let output = output.unwrap_or_else(|e| panic!("{}: {e}", script.display()));
    assert!(output.status.success(), "{}: {output:?}", script.display());
    PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
}

/// The usual core of `program` on every release under test.
pub fn cores_of(program: &str) -> Vec<Core> {
    let arguments: &[&str] = match program {
        "heap" => &["--", "20000", "--snapshot"],
        "values" => &["--expose-gc", "--expose-externalize-string"],
        "frames" => &["--", "sync"],
        "signup" => &["--abort-on-uncaught-exception"],
        _ => &[],
    };
    let make = |node: String| core_with(program, &node, arguments);
    nodes().into_iter().map(make).collect()
}

/// What a command says of a core, without LLDB.
pub fn run(core: &Core, command: &str, words: &[&str]) -> String {
    let host = OfflineHost {
        core: core.core.clone(),
        program: core.program.clone(),
    };
    let words: Vec<String> = words.iter().map(|w| w.to_string()).collect();
    let outcome = App::new().run(&host, command, &words);
    assert_eq!(outcome.error, None, "{}", core.node);
    outcome.text
}

/// A call as a stack trace prints it.
pub fn trace_line(call: &serde_json::Value) -> String {
    let place = &call["call"];
    let place = match place["file"].as_str() {
        Some(file) => format!("{file}:{}:{}", place["line"], place["column"]),
        None => "<anonymous>".to_string(),
    };
    match call["name"].as_str() {
        Some(name) if name.starts_with("async Promise.") => name.to_string(),
        Some(name) => format!("{name} ({place})"),
        None if call["is_async"] == true => format!("async {place}"),
        None => place,
    }
}

/// The lines of a stack as a stack trace prints them.
pub fn trace_lines(stack: &serde_json::Value) -> impl Iterator<Item = String> + '_ {
    let frames = stack["frames"].as_array().expect("frames").iter();
    frames
        .filter(|f| f["kind"] != "api_exit")
        .flat_map(|f| f["calls"].as_array().expect("calls"))
        .filter(|c| c["in_stack_traces"] == true)
        .map(trace_line)
}

/// Major version of a release.
pub fn major(node: &str) -> u32 {
    node.split('.')
        .next()
        .and_then(|m| m.parse().ok())
        .unwrap_or(0)
}
