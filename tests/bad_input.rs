//! What a user gets wrong, and what a core lacks: each ends with one clear line, a failed command
//! and nothing told as fact.

mod support;

use std::path::{Path, PathBuf};
use support::{core_with, Core};
use v8rs::command::{App, Host, Outcome, TABLE};
use v8rs::error::{Error, Result};
use v8rs::heap::RootName;
use v8rs::offline::{CoreFile, OfflineHost};
use v8rs::session::Session;
use v8rs::target::Target;

/// The demo server's core, of the first release under test.
fn core() -> Core {
    let node = support::nodes().pop().expect("a release to test");
    core_with("signup", &node, &["--abort-on-uncaught-exception"])
}

fn run(app: &mut App, host: &dyn Host, line: &str) -> Outcome {
    let mut best: Option<&str> = None;
    for command in TABLE {
        let fits = line == command.name || line.starts_with(&format!("{} ", command.name));
        if fits && best.is_none_or(|b| b.len() < command.name.len()) {
            best = Some(command.name);
        }
    }
    let name = best.unwrap_or_else(|| panic!("no command in '{line}'"));
    let words = line[name.len()..].split_whitespace();
    let words: Vec<String> = words.map(str::to_string).collect();
    app.run(host, name, &words)
}

/// One line of an error, which says what is wrong with `words`, and no output.
#[track_caller]
fn refused(outcome: &Outcome, line: &str, words: &[&str]) {
    let error = outcome.error.as_deref().unwrap_or_else(|| {
        panic!("'{line}' works: {}", outcome.text);
    });
    // These say on standard output what they know, and that is true: which V8 it is; as llnode, that
    // there is none of a class.
    let says = line.starts_with("nodeinfo") || line.starts_with("findjsinstances NoSuch");
    assert!(
        says || outcome.text.is_empty(),
        "'{line}': {}",
        outcome.text
    );
    assert!(!error.trim().is_empty(), "'{line}' says nothing");
    assert_eq!(error.trim_end().lines().count(), 1, "'{line}': {error}");
    let any = words.is_empty()
        || words
            .iter()
            .any(|w| error.contains(w) || outcome.text.contains(w));
    assert!(any, "'{line}': {error} (none of {words:?})");
}

/// Every command that needs a process, with what it needs on its line.
fn lines() -> Vec<String> {
    let own = ["help", "settings", "version", "heapdiff"];
    let of = |c: &v8rs::command::Command| {
        let words = match c.name {
            "print" | "inspect" | "findrefs" => " 0x1001",
            "findjsinstances" => " Object",
            _ => "",
        };
        format!("{}{words}", c.name)
    };
    TABLE
        .iter()
        .filter(|c| !own.iter().any(|o| c.name.starts_with(o)))
        .filter(|c| {
            // Those that write a file or take more than these words.
            [
                "bt",
                "source list",
                "findjsobjects",
                "findjsinstances",
                "findrefs",
                "print",
            ]
            .contains(&c.name)
                || [
                    "inspect",
                    "nodeinfo",
                    "getactivehandles",
                    "getactiverequests",
                ]
                .contains(&c.name)
        })
        .map(of)
        .collect()
}

struct NoProcess;

impl Host for NoProcess {
    fn target(&self) -> Result<Box<dyn Target>> {
        Err(Error::NoProcess)
    }
    fn stop_key(&self) -> (u64, u64) {
        (0, 0)
    }
    fn is_terminal(&self) -> bool {
        false
    }
    fn debugger_command(&self, _: &str) -> Result<String> {
        Err(Error::NoProcess)
    }
    fn progress(&self, _: &str, _: f64) {}
}

#[test]
fn without_a_process() {
    let mut app = App::new();
    for line in lines() {
        let outcome = run(&mut app, &NoProcess, &line);
        refused(
            &outcome,
            &line,
            &["No valid process, please start something"],
        );
    }
}

#[test]
fn words_that_are_wrong() {
    let core = core();
    let host = OfflineHost {
        core: core.core,
        program: core.program,
    };
    let mut app = App::new();
    for (line, words) in [
        ("print", "USAGE: v8 print expr"),
        ("inspect", "USAGE: v8 inspect [flags] expr"),
        (
            "findjsinstances",
            "USAGE: v8 findjsinstances [flags] instance_name",
        ),
        ("findrefs", "USAGE: v8 findrefs expr"),
        ("inspect --no-such-option 0x1001", "--no-such-option"),
        ("inspect -z 0x1001", "-z"),
        ("print -l many 0x1001", "many"),
        ("inspect -l", "-l needs a number"),
        ("findjsobjects --no-such-option", "--no-such-option"),
        (
            "findjsinstances --no-such-option Object",
            "--no-such-option",
        ),
        ("findjsinstances NoSuchClass", "NoSuchClass"),
        ("nodeinfo --no-such-option", "--no-such-option"),
        ("getactivehandles --no-such-option", "--no-such-option"),
        ("source list -l", "Expected line number after -l"),
        ("source list -l 0", "Expected line number after -l"),
        ("bt -3", "Invalid number of frames"),
        ("bt --no-such-option", "--no-such-option"),
        ("settings set tree-padding", "USAGE"),
        ("heapdiff /no/such/file /no/such/file", "/no/such/file"),
    ] {
        let outcome = run(&mut app, &host, line);
        refused(&outcome, line, &[words]);
    }
}

#[test]
fn addresses_that_are_no_objects() {
    let core = core();
    let file = CoreFile::open(&core.core, &core.program).expect("core opens");
    let session = Session::new(Box::new(file));
    let isolates = session.isolates().expect("isolates");
    let undefined = isolates.isolates[0]
        .root(RootName::Undefined)
        .expect("root")
        .0;
    let regions = session.target().regions().expect("regions");
    let end = regions.iter().map(|r| r.end).filter(|e| *e < 1 << 47).max();
    let outside = end.expect("a region") + 0x10_0000;
    // Zeros, as freed memory often is, and a thread's stack.
    let stack = session.target().threads()[0].registers.sp & !7;
    let host = OfflineHost {
        core: core.core.clone(),
        program: core.program.clone(),
    };
    let mut app = App::new();
    for (what, word) in [
        ("untagged", undefined & !1),
        ("unaligned", undefined + 4),
        ("inside an object", undefined + 8),
        ("outside every mapping", outside | 1),
        ("the first page", 0x1001),
        ("the last word", u64::MAX - 6),
        ("no canonical address", 0x8000_0000_0000_0001),
        ("a stack", stack | 1),
    ] {
        for command in ["inspect", "print", "findrefs"] {
            let line = format!("{command} {word:#x}");
            let outcome = run(&mut app, &host, &line);
            if command == "findrefs" && outcome.error.is_none() {
                // To nothing nobody refers, and that is what it may say.
                assert!(!outcome.text.contains('='), "{what}: {}", outcome.text);
                continue;
            }
            // An even number is a Smi.
            let words = [format!("{word:#x}"), "Search value is an SMI".to_string()];
            let words = [words[0].as_str(), words[1].as_str()];
            refused(&outcome, &format!("{line} ({what})"), &words);
        }
    }
}

/// A core with another content, in a directory of its own.
fn spoilt(core: &Core, name: &str, spoil: impl FnOnce(&mut Vec<u8>)) -> PathBuf {
    let mut bytes = std::fs::read(&core.core).expect("the core");
    spoil(&mut bytes);
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let path = directory.join(format!("bad-input-{name}-{}", std::process::id()));
    std::fs::write(&path, bytes).expect("a file");
    path
}

/// Every command on a core: none panics, and what fails says so in a line.
fn every_command(core: PathBuf, program: &Path) -> Vec<(String, Outcome)> {
    let host = OfflineHost {
        core,
        program: program.to_path_buf(),
    };
    let mut app = App::new();
    let told = lines().into_iter().map(|line| {
        let outcome = run(&mut app, &host, &line);
        match outcome.error.as_deref() {
            None => {}
            // The frame that the registers tell is told, and that there is no more.
            Some(error) if line.starts_with("bt") && error.contains("not in the core") => {
                assert_eq!(error.trim_end().lines().count(), 1, "'{line}': {error}");
                let frames = outcome.text.lines().filter(|l| l.contains("frame #"));
                assert!(
                    frames.count() < 2 || line.contains("--all"),
                    "{}",
                    outcome.text
                );
            }
            Some(_) => refused(&outcome, &line, &[]),
        }
        (line, outcome)
    });
    told.collect()
}

fn word(bytes: &[u8], at: usize) -> usize {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes")) as usize
}

#[test]
fn cores_that_lack_what_is_asked_for() {
    let core = core();
    // Cut short: the notes are there, the memory is not.
    for (name, keep) in [("header", 64), ("notes", 16 << 10), ("half", usize::MAX)] {
        let path = spoilt(&core, name, |bytes| {
            let keep = if keep == usize::MAX {
                bytes.len() / 2
            } else {
                keep
            };
            bytes.truncate(keep);
        });
        let told = every_command(path.clone(), &core.program);
        std::fs::remove_file(path).expect("our file");
        if name != "half" {
            for (line, outcome) in &told {
                assert!(
                    outcome.error.is_some(),
                    "{name}: '{line}': {}",
                    outcome.text
                );
            }
        }
    }
    // Without the pages of V8's heap: every private writable segment of its size is empty.
    let path = spoilt(&core, "heapless", |bytes| {
        let (table, size) = (word(bytes, 32), 56);
        let count = usize::from(u16::from_le_bytes([bytes[56], bytes[57]]));
        for at in (0..count).map(|i| table + i * size) {
            let in_file = word(bytes, at + 32);
            // Anonymous memory away from the stack: V8's pages are 256 KiB and their like.
            let address = word(bytes, at + 16);
            if bytes[at] == 1 && address & 0x3ffff == 0 && in_file.is_multiple_of(0x1000) {
                bytes[at + 32..at + 40].fill(0);
            }
        }
    });
    let told = every_command(path.clone(), &core.program);
    std::fs::remove_file(path).expect("our file");
    for (line, outcome) in told {
        if line.starts_with("findjsobjects") && outcome.error.is_none() {
            assert!(
                outcome.text.contains("does not hold") || outcome.text.contains("missing"),
                "'{line}' counts what is not there and does not say so: {}",
                outcome.text
            );
        }
    }
}

#[test]
fn programs_that_are_not_the_one_that_ran() {
    let core = core();
    let file = |program: &Path| CoreFile::open(&core.core, program);
    // Another release's node, the test itself, a file that is no program, no file.
    let own = std::env::current_exe().expect("a path");
    for program in [own.as_path(), &core.core, Path::new("/no/such/node")] {
        for (line, outcome) in every_command(core.core.clone(), program) {
            if matches!(line.as_str(), "bt" | "source list") && outcome.error.is_none() {
                // Native frames are true whatever the program.
                assert!(!outcome.text.contains("fn=0x"), "{}", outcome.text);
                continue;
            }
            assert!(
                outcome.error.is_some(),
                "'{line}' with {}: {}",
                program.display(),
                outcome.text
            );
        }
    }
    assert!(file(&core.program).is_ok());
}
