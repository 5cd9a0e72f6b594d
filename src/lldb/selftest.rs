//! `v8 selftest`, there only where `V8RS_SELFTEST` is set: what tests and benchmarks need to see
//! of this edge itself.

use super::host::LldbHost;
use super::memory::ProcessMemory;
use super::target::LldbTarget;
use crate::command::{Host, Outcome};
use crate::error::{Error, Result};
use crate::memory::Memory;
use crate::session::Session;
use crate::target::Target;
use std::fmt::Write;
use std::time::{Duration, Instant};

/// Runs one of them.
pub fn run(host: &LldbHost, arguments: &[String]) -> Outcome {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words[..] {
        ["panic"] => panic!("asked for"),
        ["target"] => target(host),
        ["read"] => read(host),
        ["pages"] => pages(host),
        ["evaluate", expression] => evaluate(host, expression),
        ["output", bytes] => Ok("0123456789abcdef\n".repeat(bytes.parse().unwrap_or(0) / 17)),
        ["wait", seconds] => wait(host, seconds.parse().unwrap_or(0)),
        _ => Err(Error::other(
            "panic | target | read | pages | evaluate EXPRESSION | output BYTES | wait SECONDS",
        )),
    };
    match result {
        Ok(text) => Outcome::ok(text),
        Err(error) => error.into(),
    }
}

fn lldb_target(host: &LldbHost) -> Result<LldbTarget> {
    LldbTarget::new(host.stopped_process()?)
}

/// Everything a [`Target`] says.
fn target(host: &LldbHost) -> Result<String> {
    let target = lldb_target(host)?;
    let mut out = String::new();
    let _ = writeln!(
        out,
        "process {} {:?} live={} local={} key={:?} terminal={}",
        target.process_id(),
        target.architecture(),
        target.is_live(),
        target.reads_locally(),
        host.stop_key(),
        host.is_terminal()
    );
    for module in target.modules() {
        let mut magic = [0; 4];
        let there = target.memory().read(module.load_address, &mut magic);
        let _ = writeln!(out, "module {module:x?} {there:?} {magic:x?}");
    }
    let regions = target.regions()?;
    let readable = |r: &&crate::memory::Region| {
        r.readable && target.memory().u8(r.start).is_ok() && target.memory().u8(r.end - 1).is_ok()
    };
    let _ = writeln!(
        out,
        "regions {} readable {} bytes {}",
        regions.len(),
        regions.iter().filter(readable).count(),
        regions.iter().map(|r| r.end - r.start).sum::<u64>()
    );
    let clock = Instant::now();
    let threads = target.threads();
    let _ = writeln!(out, "threads took {:?}", clock.elapsed());
    for thread in &threads {
        let _ = writeln!(out, "thread {thread:x?}");
    }
    if let Some(thread) = threads.iter().find(|t| t.selected) {
        let clock = Instant::now();
        let frames = target.native_frames(thread.index, 1000);
        let _ = writeln!(out, "frames took {:?}", clock.elapsed());
        for frame in frames {
            let _ = writeln!(out, "frame {frame:x?} {:x?}", target.symbolize(frame.pc));
        }
    }
    Ok(out)
}

/// How fast memory comes: the floor under every heap walk.
fn read(host: &LldbHost) -> Result<String> {
    const PIECE: usize = 256 << 10;
    let target = lldb_target(host)?;
    let plain = ProcessMemory::new(host.stopped_process()?);
    let regions = target.regions()?;
    let mut buffer = vec![0; PIECE];
    let mut out = String::new();
    for (name, memory) in [
        ("SBProcess", &plain as &dyn Memory),
        ("SBProcess again", &plain),
        ("target", target.memory()),
    ] {
        let (clock, mut bytes, mut sum) = (Instant::now(), 0, 0u64);
        for region in regions.iter().filter(|r| r.readable) {
            let mut at = region.start;
            while at < region.end && !host.interrupted() {
                let most = PIECE.min((region.end - at) as usize);
                let n = memory.read_partial(at, &mut buffer[..most]);
                sum += buffer[..n]
                    .iter()
                    .step_by(64)
                    .map(|b| u64::from(*b))
                    .sum::<u64>();
                bytes += n as u64;
                at += if n == 0 { PIECE } else { n } as u64;
            }
        }
        let seconds = clock.elapsed().as_secs_f64();
        let _ = writeln!(
            out,
            "{name}: {bytes} bytes in {seconds:.3} s, {:.0} MB/s (sum {sum})",
            bytes as f64 / seconds / 1e6
        );
    }
    Ok(out)
}

/// The same for the pages of V8's heap alone, into fresh memory: what a heap question is measured
/// by.
fn pages(host: &LldbHost) -> Result<String> {
    const PIECE: usize = 4 << 20;
    let session = Session::new(Box::new(lldb_target(host)?));
    let pages = &session.isolates()?.pages;
    let plain = ProcessMemory::new(host.stopped_process()?);
    let mut out = String::new();
    for _ in 0..2 {
        let (clock, mut bytes) = (Instant::now(), 0);
        let mut buffers = Vec::new();
        for page in pages.iter().filter(|p| p.is_live()) {
            let mut buffer = vec![0; page.area_end.saturating_sub(page.area_start) as usize];
            let mut at = page.area_start;
            for piece in buffer.chunks_mut(PIECE) {
                bytes += plain.read_partial(at, piece);
                at += piece.len() as u64;
            }
            buffers.push(buffer);
        }
        std::hint::black_box(&buffers);
        let _ = writeln!(
            out,
            "pages: {bytes} bytes in {} ns",
            clock.elapsed().as_nanos()
        );
    }
    Ok(out)
}

fn evaluate(host: &LldbHost, expression: &str) -> Result<String> {
    let target = lldb_target(host)?;
    let clock = Instant::now();
    let value = target.evaluate(expression)?;
    Ok(format!("{value:#x} in {:?}\n", clock.elapsed()))
}

fn wait(host: &LldbHost, seconds: u64) -> Result<String> {
    eprintln!("waiting");
    let (clock, whole) = (Instant::now(), Duration::from_secs(seconds));
    while clock.elapsed() < whole {
        if host.interrupted() {
            return Err(Error::Interrupted);
        }
        host.progress(
            "waiting",
            clock.elapsed().as_secs_f64() / whole.as_secs_f64(),
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok("waited\n".to_owned())
}
