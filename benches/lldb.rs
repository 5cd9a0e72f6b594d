//! How long the first questions take in a real LLDB, over what LLDB takes to start, and what they
//! cost in memory. LLDB is driven through its standard input; a question ends when the answer to
//! the next command (`version`) is there.
//!
//! `cargo bench --bench lldb -- [--runs N] [--lldb PATH] [--library PATH] NAME=DIRECTORY...`, each
//! directory as `scripts/core.sh` makes it of tests/programs/heap.js, or of crowd.js for stacks and
//! async functions. `scripts/bench.sh` does it all.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// What is given on the command line.
struct Options {
    runs: usize,
    lldb: PathBuf,
    library: PathBuf,
    cores: Vec<(String, PathBuf)>,
}

fn main() {
    let Some(options) = options() else {
        eprintln!("lldb: no core named (see scripts/bench.sh); nothing to measure");
        return;
    };
    let (crowds, heaps): (Vec<_>, Vec<_>) = options
        .cores
        .iter()
        .partition(|(_, directory)| directory.join("crowd.out").exists());
    let all = |cores: &[&(String, PathBuf)], how: fn(&Options, &Path) -> Measured| {
        let columns = cores.iter();
        let columns = columns.map(|(name, directory)| (name.clone(), how(&options, directory)));
        columns.collect::<Vec<(String, Measured)>>()
    };
    if !heaps.is_empty() {
        print_table(&options, &all(&heaps, measure));
    }
    if !crowds.is_empty() {
        print_crowds(&options, &all(&crowds, measure_crowd));
    }
}

fn options() -> Option<Options> {
    let mut options = Options {
        runs: 5,
        lldb: "lldb".into(),
        library: Path::new(env!("CARGO_MANIFEST_DIR")).join("target/release/libv8rs.so"),
        cores: Vec::new(),
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().unwrap_or_default();
        match word.as_str() {
            "--runs" => options.runs = value().parse().expect("a number of runs"),
            "--lldb" => options.lldb = value().into(),
            "--library" => options.library = value().into(),
            _ => {
                if let Some((name, directory)) = word.split_once('=') {
                    options.cores.push((name.into(), directory.into()));
                }
            }
        }
    }
    (!options.cores.is_empty()).then_some(options)
}

/// A running LLDB.
struct Lldb {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

/// What one question cost.
#[derive(Clone, Default)]
struct Cost {
    wall: Duration,
    /// Of all threads; the system counts it in hundredths of a second.
    processor: Duration,
    text: String,
}

/// Resident memory, in bytes.
#[derive(Clone, Copy, Default)]
struct Memory {
    anonymous: u64,
    file: u64,
    /// The most there was of both, since the last [`Lldb::forget_peak`].
    peak: u64,
}

impl Memory {
    fn above(self, base: Memory) -> Memory {
        let all = base.anonymous + base.file;
        Memory {
            anonymous: self.anonymous.saturating_sub(base.anonymous),
            file: self.file.saturating_sub(base.file),
            peak: self.peak.saturating_sub(all),
        }
    }
}

impl Lldb {
    /// Starts LLDB on a core and waits until it takes commands.
    fn start(options: &Options, directory: &Path) -> (Lldb, Cost) {
        let start = Instant::now();
        let mut child = Command::new(&options.lldb)
            .args(["--no-lldbinit", "-c"])
            .args([directory.join("core"), directory.join("node")])
            .env("V8RS_SELFTEST", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("lldb starts");
        let input = child.stdin.take().expect("a pipe");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut lldb = Lldb {
            child,
            input,
            output,
        };
        let mut cost = lldb.ask("version");
        cost.wall = start.elapsed();
        cost.processor = lldb.processor();
        (lldb, cost)
    }

    /// Runs a command.
    fn ask(&mut self, command: &str) -> Cost {
        let before = self.processor();
        let start = Instant::now();
        writeln!(self.input, "{command}\nversion").expect("lldb listens");
        let mut text = String::new();
        let mut line = Vec::new();
        // The answer of `version` to `version` itself comes first.
        let mut more = 1 + usize::from(command == "version");
        while more > 0 {
            line.clear();
            let n = self
                .output
                .read_until(b'\n', &mut line)
                .expect("lldb talks");
            assert!(n > 0, "lldb ended at '{command}': {text}");
            let line = String::from_utf8_lossy(&line);
            more -= usize::from(line.starts_with("lldb version"));
            text += &line;
        }
        Cost {
            wall: start.elapsed(),
            processor: self.processor().saturating_sub(before),
            text,
        }
    }

    fn proc(&self, file: &str) -> String {
        let path = format!("/proc/{}/{file}", self.child.id());
        std::fs::read_to_string(path).unwrap_or_default()
    }

    fn processor(&self) -> Duration {
        let stat = self.proc("stat");
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        let ticks = after_name.split_whitespace().skip(11).take(2);
        let ticks: u64 = ticks.map(|t| t.parse().unwrap_or(0)).sum();
        Duration::from_millis(ticks * 10)
    }

    fn memory(&self) -> Memory {
        let status = self.proc("status");
        let of = |key: &str| {
            let line = status.lines().find_map(|l| l.strip_prefix(key));
            let number = line.and_then(|l| l.trim_start_matches(':').split_whitespace().next());
            number.and_then(|n| n.parse::<u64>().ok()).unwrap_or(0) << 10
        };
        Memory {
            anonymous: of("RssAnon"),
            file: of("RssFile"),
            peak: of("VmHWM"),
        }
    }

    fn forget_peak(&self) {
        let _ = std::fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5");
    }
}

impl Drop for Lldb {
    fn drop(&mut self) {
        let _ = writeln!(self.input, "quit");
        let _ = self.child.wait();
    }
}

/// One figure of several runs.
#[derive(Clone, Default)]
struct Times(Vec<Cost>);

impl Times {
    fn wall(&self) -> Duration {
        self.0.iter().map(|c| c.wall).min().unwrap_or_default()
    }

    fn median(&self) -> Duration {
        let mut all: Vec<_> = self.0.iter().map(|c| c.wall).collect();
        all.sort_unstable();
        all.get(all.len() / 2).copied().unwrap_or_default()
    }

    fn processor(&self) -> Duration {
        self.0.iter().map(|c| c.processor).min().unwrap_or_default()
    }
}

#[derive(Default)]
struct Measured {
    /// V8's own figure, from what the program said before it died.
    used: u64,
    core: u64,
    objects: u64,
    /// Functions on the stack.
    frames: u64,
    pages: u64,
    /// By row of the table.
    times: Vec<(&'static str, Times)>,
    memory: Vec<(&'static str, Memory)>,
}

const START: &str = "LLDB itself, to its first prompt";
const OWN_BT: &str = "LLDB's own `bt`";
const LOAD: &str = "`plugin load`";
const BT: &str = "first `v8 bt`";
const BT_AGAIN: &str = "again";
const BT_VERBOSE: &str = "then `v8 bt -v`";
const ASYNC: &str = "first `v8 async`";
const ASYNC_AGAIN: &str = "again   ";
const COUNT: &str = "first `v8 findjsobjects`";
const COUNT_AGAIN: &str = "again ";
const REFS_SECOND: &str = "then `v8 findrefs`";
const REFS: &str = "first `v8 findrefs`";
const REFS_AGAIN: &str = "again  ";
const FLOOR: &str = "bulk read of the heap's pages (`SBProcess`)";

impl Measured {
    fn add(&mut self, row: &'static str, cost: Cost) -> String {
        let text = cost.text.clone();
        match self.times.iter_mut().find(|(name, _)| *name == row) {
            Some((_, times)) => times.0.push(cost),
            None => self.times.push((row, Times(vec![cost]))),
        }
        text
    }

    fn of(&self, row: &str) -> Option<&Times> {
        let found = self.times.iter().find(|(name, _)| *name == row);
        found.map(|(_, times)| times)
    }

    /// The least of each kind of memory: what a run needs, not what the system happened to give.
    fn note(&mut self, row: &'static str, now: Memory) {
        match self.memory.iter_mut().find(|(name, _)| *name == row) {
            Some((_, least)) => {
                if now.anonymous + now.file < least.anonymous + least.file {
                    *least = now;
                }
            }
            None => self.memory.push((row, now)),
        }
    }
}

fn measure(options: &Options, directory: &Path) -> Measured {
    let mut out = Measured::default();
    let size = std::fs::metadata(directory.join("core")).map(|m| m.len());
    out.core = size.expect("a core");
    let said = std::fs::read_to_string(directory.join("heap.out")).unwrap_or_default();
    let said: serde_json::Value = said
        .lines()
        .find_map(|line| serde_json::from_str(line).ok())
        .unwrap_or_default();
    out.used = said["heap"]["used_heap_size"].as_u64().unwrap_or(0);
    let load = format!("plugin load {}", options.library.display());
    for _ in 0..options.runs {
        // The stack.
        let (mut lldb, cost) = Lldb::start(options, directory);
        out.add(START, cost);
        let cost = lldb.ask(&load);
        assert!(cost.text.contains("V8 "), "{}", cost.text);
        out.add(LOAD, cost);
        let cost = lldb.ask("v8 bt");
        assert!(cost.text.contains("<entry>"), "{}", cost.text);
        out.add(BT, cost);
        let cost = lldb.ask("v8 bt");
        out.add(BT_AGAIN, cost);
        drop(lldb);
        let (mut lldb, cost) = Lldb::start(options, directory);
        out.add(START, cost);
        let cost = lldb.ask("bt");
        out.add(OWN_BT, cost);
        drop(lldb);
        // The heap: counted first.
        let (mut lldb, cost) = Lldb::start(options, directory);
        out.add(START, cost);
        let base = lldb.memory();
        let cost = lldb.ask(&load);
        out.add(LOAD, cost);
        lldb.forget_peak();
        let cost = lldb.ask("v8 findjsobjects");
        let text = out.add(COUNT, cost);
        out.note(COUNT, lldb.memory().above(base));
        let total = text.lines().rev().find_map(|line| {
            let mut words = line.split_whitespace();
            let count: u64 = words.next()?.parse().ok()?;
            let _bytes: u64 = words.next()?.parse().ok()?;
            Some(count)
        });
        out.objects = total.expect("a count of objects");
        let cost = lldb.ask("v8 findjsobjects");
        out.add(COUNT_AGAIN, cost);
        let listed = lldb.ask("v8 findjsinstances -n 2 Visit").text;
        let visit = listed
            .lines()
            .filter(|line| line.starts_with("0x"))
            .nth(1)
            .and_then(|line| line.split(':').next())
            .expect("a Visit")
            .to_owned();
        let refs = format!("v8 findrefs {visit}");
        let cost = lldb.ask(&refs);
        let text = out.add(REFS_SECOND, cost);
        assert!(text.contains("(Array)["), "{text}");
        out.note(REFS_SECOND, lldb.memory().above(base));
        let text = lldb.ask("v8 selftest pages").text;
        for line in text.lines() {
            if let Some((bytes, nanoseconds)) = line
                .strip_prefix("pages: ")
                .and_then(|rest| rest.split_once(" bytes in "))
                .and_then(|(b, ns)| Some((b.parse().ok()?, ns.strip_suffix(" ns")?.parse().ok()?)))
            {
                out.pages = bytes;
                let wall = Duration::from_nanos(nanoseconds);
                let cost = Cost {
                    wall,
                    ..Cost::default()
                };
                out.add(FLOOR, cost);
            }
        }
        drop(lldb);
        // And referrers looked for first.
        let (mut lldb, cost) = Lldb::start(options, directory);
        out.add(START, cost);
        let base = lldb.memory();
        let cost = lldb.ask(&load);
        out.add(LOAD, cost);
        lldb.forget_peak();
        let cost = lldb.ask(&refs);
        out.add(REFS, cost);
        out.note(REFS, lldb.memory().above(base));
        let cost = lldb.ask(&refs);
        out.add(REFS_AGAIN, cost);
    }
    out
}

/// A deep stack, and many async functions that wait.
fn measure_crowd(options: &Options, directory: &Path) -> Measured {
    let mut out = Measured::default();
    let said = std::fs::read_to_string(directory.join("crowd.out")).unwrap_or_default();
    let said: serde_json::Value = serde_json::from_str(said.trim()).unwrap_or_default();
    out.used = said["heap"].as_u64().unwrap_or(0);
    out.objects = said["functions"].as_u64().expect("what the program said");
    let frames = said["frames"].as_u64().expect("what the program said");
    out.frames = frames;
    let load = format!("plugin load {}", options.library.display());
    for _ in 0..options.runs {
        let (mut lldb, cost) = Lldb::start(options, directory);
        out.add(START, cost);
        out.add(LOAD, lldb.ask(&load));
        let text = out.add(BT, lldb.ask("v8 bt"));
        let shown = text.lines().filter(|l| l.contains("/crowd.js:")).count();
        assert!(shown as u64 + 50 > frames, "{shown} of {frames} frames");
        out.add(BT_AGAIN, lldb.ask("v8 bt"));
        out.add(BT_VERBOSE, lldb.ask("v8 bt -v"));
        drop(lldb);
        let (mut lldb, cost) = Lldb::start(options, directory);
        out.add(START, cost);
        out.add(OWN_BT, lldb.ask("bt"));
        drop(lldb);
        let (mut lldb, cost) = Lldb::start(options, directory);
        out.add(START, cost);
        out.add(LOAD, lldb.ask(&load));
        let text = out.add(ASYNC, lldb.ask("v8 async"));
        let total = format!("{} unfinished", out.objects);
        assert!(text.contains(&total), "no {total} in {text}");
        out.add(ASYNC_AGAIN, lldb.ask("v8 async"));
    }
    out
}

fn print_crowds(options: &Options, columns: &[(String, Measured)]) {
    println!(
        "\nMilliseconds: the least of {} runs, (the median), [the least processor time of all threads].",
        options.runs
    );
    let names: Vec<_> = columns.iter().map(|(name, _)| name.as_str()).collect();
    println!("\n| | {} |", names.join(" | "));
    println!("| --- |{}", " --- |".repeat(columns.len()));
    let row = |name: &str, cell: &dyn Fn(&Measured) -> String| {
        let cells: Vec<_> = columns.iter().map(|(_, m)| cell(m)).collect();
        println!("| {} | {} |", name.trim_end(), cells.join(" | "));
    };
    row("frames of functions, async functions that wait", &|m| {
        format!("{}, {}", m.frames, m.objects)
    });
    row("used heap (MB)", &|m| megabytes(m.used));
    let rows = [
        START,
        OWN_BT,
        LOAD,
        BT,
        BT_AGAIN,
        BT_VERBOSE,
        ASYNC,
        ASYNC_AGAIN,
    ];
    for name in rows {
        row(name, &|m| {
            let Some(times) = m.of(name) else {
                return "?".to_owned();
            };
            let (least, median) = (milliseconds(times.wall()), milliseconds(times.median()));
            format!("{least} ({median}) [{}]", milliseconds(times.processor()))
        });
    }
}

fn milliseconds(time: Duration) -> String {
    format!("{:.0}", time.as_secs_f64() * 1e3)
}

fn megabytes(bytes: u64) -> String {
    format!("{:.0}", bytes as f64 / 1e6)
}

fn print_table(options: &Options, columns: &[(String, Measured)]) {
    let row = |name: &str, cell: &dyn Fn(&Measured) -> String| {
        print!("| {} |", name.trim_end());
        for (_, measured) in columns {
            print!(" {} |", cell(measured));
        }
        println!();
    };
    println!(
        "Milliseconds: the least of {} runs, (the median), [the least processor time of all threads].",
        options.runs
    );
    print!("\n| |");
    for (name, _) in columns {
        print!(" {name} |");
    }
    println!("\n| --- |{}", " --- |".repeat(columns.len()));
    row("objects", &|m| {
        format!("{:.2} million", m.objects as f64 / 1e6)
    });
    row("used heap, its pages, core (MB)", &|m| {
        let (used, pages, core) = (megabytes(m.used), megabytes(m.pages), megabytes(m.core));
        format!("{used}, {pages}, {core}")
    });
    let rows = [
        START,
        OWN_BT,
        LOAD,
        BT,
        BT_AGAIN,
        COUNT,
        COUNT_AGAIN,
        REFS_SECOND,
        REFS,
        REFS_AGAIN,
        FLOOR,
    ];
    for name in rows {
        row(name, &|m| {
            let Some(times) = m.of(name) else {
                return "?".to_owned();
            };
            let mut cell = milliseconds(times.wall());
            cell += &format!(" ({})", milliseconds(times.median()));
            if name != FLOOR {
                cell += &format!(" [{}]", milliseconds(times.processor()));
            }
            if name == COUNT || name == REFS {
                let wall = times.wall().as_secs_f64();
                let floor = m.of(FLOOR).map_or(f64::NAN, |f| f.wall().as_secs_f64());
                cell += &format!(
                    ": {:.0} ns an object, {:.1} x the bulk read",
                    wall * 1e9 / m.objects as f64,
                    wall / floor
                );
            }
            cell
        });
    }
    for name in [COUNT, REFS_SECOND, REFS] {
        let title = format!("memory above LLDB's, {name} (MB)");
        row(&title, &|m| {
            let found = m.memory.iter().find(|(n, _)| *n == name);
            let memory = found.map_or(Memory::default(), |(_, memory)| *memory);
            let all = memory.anonymous + memory.file;
            format!(
                "{} + {} of files = {:.2} x used; at most {}",
                megabytes(memory.anonymous),
                megabytes(memory.file),
                all as f64 / m.used.max(1) as f64,
                megabytes(memory.peak)
            )
        });
    }
}
