//! How long the first questions about a heap take, without a debugger: the bare bulk read of its
//! pages, then findjsobjects and findrefs from nothing, then both again.
//!
//! `cargo bench --bench heap -- NODE CORE` for a core there is; without arguments one is made by
//! `scripts/core.sh` of a heap of V8RS_BENCH_N (330000: about five million objects).

use std::path::PathBuf;
use std::time::{Duration, Instant};
use v8rs::command::App;
use v8rs::heap::{Page, Scope};
use v8rs::offline::{CoreFile, OfflineHost};
use v8rs::session::Session;
use v8rs::target::Target;

fn main() {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with('-'))
        .collect();
    let (program, core) = match words.as_slice() {
        [program, core, ..] => (PathBuf::from(program), PathBuf::from(core)),
        _ => made(),
    };
    let open = || CoreFile::open(&core, &program).expect("the core opens");
    let say = |what: &str, time: Duration, objects: u64, floor: Duration| {
        println!(
            "{what:<28} {:>8.1} ms {:>7.1} ns/object {:>6.2} x the bulk read",
            time.as_secs_f64() * 1e3,
            time.as_secs_f64() * 1e9 / objects as f64,
            time.as_secs_f64() / floor.as_secs_f64()
        );
    };

    // Everything once, so that the file is in the system's cache; then the floor.
    let session = Session::new(Box::new(open()));
    let watch = |_: &str, _: f64| Ok(());
    let heap = session.heap(&watch).expect("a heap");
    let pages: Vec<Page> = heap.image.pages().iter().map(|p| p.page).collect();
    let objects = heap.coverage.objects;
    let size = heap.image.size();
    let overhead = heap.overhead();
    let class = session.classes(&watch).expect("classes");
    let visit = class.by_name("Visit").expect("the program's class");
    let visit = class
        .instances(heap, Scope::All, visit, &watch)
        .expect("instances")[1]
        | 1;
    drop(session);
    let mut floor = Duration::MAX;
    for _ in 0..3 {
        let target = open();
        let start = Instant::now();
        bulk_read(&target, &pages);
        floor = floor.min(start.elapsed());
    }
    println!(
        "{objects} objects, {} MB of pages, index {:.1}% of that",
        size >> 20,
        overhead as f64 * 100.0 / size as f64
    );
    say("bulk read", floor, objects, floor);

    let host = OfflineHost { core, program };
    for (what, command) in [
        ("findjsobjects", vec!["findjsobjects".to_string()]),
        (
            "findrefs",
            vec!["findrefs".to_string(), format!("{visit:#x}")],
        ),
    ] {
        let mut first = Duration::MAX;
        let mut again = Duration::MAX;
        for _ in 0..3 {
            let mut app = App::new();
            // What every first command of a session pays: the program's symbols.
            let _ = app.run(&host, "nodeinfo", &[]);
            for time in [&mut first, &mut again] {
                let start = Instant::now();
                let outcome = app.run(&host, &command[0], &command[1..]);
                assert_eq!(outcome.error, None);
                *time = (*time).min(start.elapsed());
            }
        }
        say(&format!("{what}, first"), first, objects, floor);
        say(&format!("{what}, again"), again, objects, floor);
    }
}

/// Reads the pages' objects into fresh memory, and does no more.
fn bulk_read(target: &dyn Target, pages: &[Page]) {
    const READ: usize = 4 << 20;
    let mut buffers = Vec::new();
    for page in pages {
        let mut buffer = vec![0u8; (page.area_end - page.area_start) as usize];
        let mut at = page.area_start;
        for piece in buffer.chunks_mut(READ) {
            let _ = target.memory().read_partial(at, piece);
            at += piece.len() as u64;
        }
        buffers.push(buffer);
    }
    std::hint::black_box(&buffers);
}

/// A core of tests/programs/heap.js with many objects.
fn made() -> (PathBuf, PathBuf) {
    let n = std::env::var("V8RS_BENCH_N").unwrap_or_else(|_| "330000".to_string());
    let node = std::env::var("V8RS_BENCH_NODE").unwrap_or_else(|_| "22.23.3".to_string());
    let root = env!("CARGO_MANIFEST_DIR");
    let output = std::process::Command::new(format!("{root}/scripts/core.sh"))
        .args(["heap", &node, "--max-old-space-size=8192", "--", &n])
        .output()
        .expect("scripts/core.sh runs");
    assert!(output.status.success(), "scripts/core.sh failed");
    let directory = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    (directory.join("node"), directory.join("core"))
}
