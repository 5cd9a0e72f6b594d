//! How long the graph of a heap takes and how much memory, beside V8's own writeHeapSnapshot of the
//! very same heap (the program tells its time before it dies).
//!
//! `cargo bench --no-default-features --bench graph -- NODE CORE` for a core there is; without
//! arguments one is made by `scripts/core.sh` of a heap of V8RS_BENCH_N (430000: about 5.7 million
//! nodes). Times are wall and processor time (of all threads): on a busy machine only the second
//! says something.

use std::path::{Path, PathBuf};
use std::time::Instant;
use v8rs::graph::snapshot;
use v8rs::offline::CoreFile;
use v8rs::session::Session;

fn main() {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with('-'))
        .collect();
    let (program, core) = match words.as_slice() {
        [program, core, ..] => (PathBuf::from(program), PathBuf::from(core)),
        _ => made(),
    };
    let watch = |_: &str, _: f64| Ok(());
    let whole = Clock::start();
    let session = Session::new(Box::new(
        CoreFile::open(&core, &program).expect("the core opens"),
    ));
    let clock = Clock::start();
    let isolate = session.isolate().expect("an isolate");
    clock.say("symbols, isolates");
    let clock = Clock::start();
    let heap = session.heap(&watch).expect("a heap");
    clock.say("reading and walking");
    let pages = heap.image.size();
    let used = heap.coverage.object_bytes;
    let clock = Clock::start();
    let phase = std::cell::RefCell::new((String::new(), Clock::start()));
    let phases = |what: &str, _: f64| {
        let mut phase = phase.borrow_mut();
        if phase.0 != what {
            let last = std::mem::replace(&mut *phase, (what.to_string(), Clock::start()));
            if !last.0.is_empty() {
                last.1.say(&format!("  {}", last.0));
            }
        }
        Ok(())
    };
    let view = session.graph(isolate, false, &phases).expect("a graph");
    phase.borrow().1.say(&format!("  {}", phase.borrow().0));
    clock.say("graph");
    let graph = view.heap.graph();
    let clock = Clock::start();
    let file = std::env::temp_dir().join(format!("v8rs-bench-{}.heapsnapshot", std::process::id()));
    let schema = snapshot::Schema::of(session.v8().expect("V8").program.version);
    snapshot::write_file(&file, graph, &schema, &mut |_| true).expect("written");
    clock.say("writing the snapshot");
    let (seconds, cpu) = whole.say("core to snapshot");
    let bytes = std::fs::metadata(&file).map_or(0, |m| m.len());
    match std::env::var_os("V8RS_BENCH_KEEP") {
        Some(to) => std::fs::rename(&file, to).expect("kept"),
        None => drop(std::fs::remove_file(&file)),
    }
    let before = peak();
    let clock = Clock::start();
    std::hint::black_box(view.heap.dominators().retained_size(graph.root()));
    clock.say("dominators, retained sizes");
    let clock = Clock::start();
    std::hint::black_box(view.heap.distances().of(graph.root()));
    std::hint::black_box(view.heap.classes().list().len());
    std::hint::black_box(view.heap.retainers().count(graph.root()));
    clock.say("distances, classes, holders");
    println!(
        "{} nodes, {} edges, {used} bytes of objects on {pages} bytes of pages, file of {bytes}",
        graph.node_count(),
        graph.edge_count()
    );
    println!(
        "resident at most: {before} bytes to the snapshot, {:.2} x the objects; {} with retained sizes and holders, {:.2} x",
        before as f64 / used as f64,
        peak(),
        peak() as f64 / used as f64
    );
    if let Some((wall, processor)) = told(&core) {
        println!(
            "V8's writeHeapSnapshot: {wall:.1} s ({processor:.1} s of processor): {:.1} x ours ({:.1} x)",
            wall / seconds,
            processor / cpu
        );
    }
}

struct Clock(Instant, f64);

impl Clock {
    fn start() -> Clock {
        Clock(Instant::now(), processor())
    }

    fn say(&self, what: &str) -> (f64, f64) {
        let times = (self.0.elapsed().as_secs_f64(), processor() - self.1);
        println!(
            "{what:<28} {:>7.2} s {:>7.2} s of processor",
            times.0, times.1
        );
        times
    }
}

/// Processor time of this process.
fn processor() -> f64 {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: getrusage fills the struct it is given.
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr());
        usage.assume_init()
    };
    let seconds = |t: libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 / 1e6;
    seconds(usage.ru_utime) + seconds(usage.ru_stime)
}

/// Largest resident size so far, without the pages of the core file that are mapped.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let of = |name: &str| {
        let line = status.lines().find(|l| l.starts_with(name));
        let number = line.and_then(|l| l.split_whitespace().nth(1)?.parse().ok());
        number.unwrap_or(0u64) * 1024
    };
    of("VmHWM:").saturating_sub(of("RssFile:"))
}

/// What the program told of its own snapshot: seconds, and of processor.
fn told(core: &Path) -> Option<(f64, f64)> {
    let output = std::fs::read_to_string(core.parent()?.join("big.out")).ok()?;
    let line = output.lines().find(|l| l.contains("cpuSeconds"))?;
    let value: serde_json::Value = serde_json::from_str(line).ok()?;
    let told = &value["snapshot"];
    Some((told["seconds"].as_f64()?, told["cpuSeconds"].as_f64()?))
}

/// A core of tests/programs/big.js.
fn made() -> (PathBuf, PathBuf) {
    let n = std::env::var("V8RS_BENCH_N").unwrap_or_else(|_| "430000".to_string());
    let node = std::env::var("V8RS_BENCH_NODE").unwrap_or_else(|_| "22.23.3".to_string());
    let root = env!("CARGO_MANIFEST_DIR");
    let output = std::process::Command::new(format!("{root}/scripts/core.sh"))
        .args([
            "big",
            &node,
            "--max-old-space-size=8192",
            "--",
            &n,
            "--snapshot",
        ])
        .output()
        .expect("scripts/core.sh runs");
    assert!(output.status.success(), "scripts/core.sh failed");
    let directory = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    (directory.join("node"), directory.join("core"))
}
