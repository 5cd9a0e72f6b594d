//! Cores are hostile input: every command on cores whose bytes were changed, cut or shuffled must
//! end with an answer or an error, never a panic, never without end.

mod support;

use std::cell::Cell;
use std::time::{Duration, Instant};
use support::{cores_of, Core};
use v8rs::command::{App, Host, TABLE};
use v8rs::error::{Error, Result};
use v8rs::memory::{Memory, Region};
use v8rs::offline::CoreFile;
use v8rs::target::{Architecture, Module, NativeFrame, Target, Thread};

/// How the bytes of the core are spoilt.
#[derive(Clone, Copy, Debug)]
enum Damage {
    /// One word in `n` (by a hash of its address) is replaced by noise.
    Words(u64),
    /// One word in `n` becomes another small or huge number, as a length would.
    Lengths(u64),
    /// One page in `n` cannot be read.
    Holes(u64),
    /// Every read gives zeros from this many bytes into each region on.
    Zeros(u64),
}

struct Spoilt {
    core: CoreFile,
    damage: Damage,
    seed: u64,
    reads: Cell<u64>,
}

fn hash(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

impl Spoilt {
    fn spoil(&self, address: u64, bytes: &mut [u8]) {
        for (i, b) in bytes.iter_mut().enumerate() {
            let at = address.wrapping_add(i as u64);
            let h = hash((at >> 3) ^ self.seed);
            match self.damage {
                Damage::Words(n) if h.is_multiple_of(n) => *b ^= hash(h ^ (at & 7)) as u8,
                Damage::Lengths(n) if h.is_multiple_of(n) => {
                    let word = match (h >> 32) % 4 {
                        0 => u64::MAX,
                        1 => 0x7fff_ffff_0000_0000,
                        2 => 0xffff_ffff_0000_0000,
                        _ => 0x0000_0001_0000_0000,
                    };
                    *b = word.to_le_bytes()[(at & 7) as usize];
                }
                Damage::Zeros(n) if at & 0x3ffff > n => *b = 0,
                _ => {}
            }
        }
    }

    fn unreadable(&self, address: u64, length: usize) -> bool {
        let Damage::Holes(n) = self.damage else {
            return false;
        };
        let last = address.saturating_add(length as u64) >> 12;
        (address >> 12..=last).any(|p| hash(p ^ self.seed).is_multiple_of(n))
    }
}

impl Memory for Spoilt {
    fn read(&self, address: u64, buffer: &mut [u8]) -> Result<()> {
        self.reads.set(self.reads.get() + 1);
        if self.unreadable(address, buffer.len()) {
            return Err(Error::Unreadable {
                address,
                length: buffer.len(),
            });
        }
        self.core.read(address, buffer)?;
        self.spoil(address, buffer);
        Ok(())
    }

    fn read_piece(&self, address: u64, buffer: &mut [u8]) -> usize {
        if self.unreadable(address, buffer.len()) {
            return 0;
        }
        let n = self.core.read_piece(address, buffer);
        self.spoil(address, &mut buffer[..n]);
        n
    }
}

impl Target for Spoilt {
    fn memory(&self) -> &dyn Memory {
        self
    }
    fn regions(&self) -> Result<Vec<Region>> {
        self.core.regions()
    }
    fn modules(&self) -> Vec<Module> {
        self.core.modules()
    }
    fn architecture(&self) -> Architecture {
        self.core.architecture()
    }
    fn process_id(&self) -> u64 {
        self.core.process_id()
    }
    fn threads(&self) -> Vec<Thread> {
        self.core.threads()
    }
    fn native_frames(&self, thread: u32, limit: usize) -> Vec<NativeFrame> {
        self.core.native_frames(thread, limit)
    }
    fn symbolize(&self, address: u64) -> Option<(String, u64)> {
        self.core.symbolize(address)
    }
    fn evaluate(&self, expression: &str) -> Result<u64> {
        self.core.evaluate(expression)
    }
    fn is_live(&self) -> bool {
        false
    }
}

struct SpoiltHost<'a> {
    core: &'a Core,
    damage: Damage,
    seed: u64,
    started: Instant,
}

impl Host for SpoiltHost<'_> {
    fn target(&self) -> Result<Box<dyn Target>> {
        Ok(Box::new(Spoilt {
            core: CoreFile::open(&self.core.core, &self.core.program)?,
            damage: self.damage,
            seed: self.seed,
            reads: Cell::new(0),
        }))
    }
    fn stop_key(&self) -> (u64, u64) {
        (1, 1)
    }
    fn is_terminal(&self) -> bool {
        false
    }
    fn debugger_command(&self, _: &str) -> Result<String> {
        Err(Error::other("no debugger"))
    }
    fn progress(&self, _: &str, _: f64) {}
    fn interrupted(&self) -> bool {
        // A command must answer to an interrupt; and the test must end.
        self.started.elapsed() > Duration::from_secs(20)
    }
}

/// Addresses that a user could ask about: objects of the sound core and noise.
fn addresses(core: &Core) -> Vec<u64> {
    let file = CoreFile::open(&core.core, &core.program).unwrap();
    let regions = file.regions().unwrap();
    let mut out = vec![0, 1, 3, 7, u64::MAX, u64::MAX - 6, 0x8000_0000_0000_0001];
    let writable: Vec<_> = regions.iter().filter(|r| r.writable).collect();
    for i in 0..24u64 {
        let region = writable[(hash(i) % writable.len() as u64) as usize];
        let at = region.start + hash(i ^ 77) % (region.end - region.start);
        out.push((at & !7) | 1);
        if let Ok(word) = file.u64(at & !7) {
            out.push(word | 1);
        }
    }
    out
}

fn torture(core: &Core, damage: Damage, seed: u64) {
    let started = Instant::now();
    let host = SpoiltHost {
        core,
        damage,
        seed,
        started,
    };
    let mut app = App::new();
    let addresses = addresses(core);
    for command in TABLE {
        if command.name.starts_with("settings") {
            continue;
        }
        let mut lines: Vec<Vec<String>> = vec![vec![], vec!["--json".into()]];
        match command.name {
            "print" | "inspect" | "findrefs" => {
                let some = if command.name == "findrefs" { 3 } else { 40 };
                let picked = addresses.iter().take(some);
                lines.extend(picked.map(|a| vec![format!("{a:#x}")]));
                if command.name == "inspect" {
                    let detailed = addresses.iter().take(12);
                    lines.extend(
                        detailed.map(|a| vec!["-m".into(), "-s".into(), format!("{a:#x}")]),
                    );
                }
            }
            "findjsinstances" => {
                lines.push(vec!["Object".into()]);
                lines.push(vec!["-d".into(), "-n".into(), "5".into(), "Visit".into()]);
            }
            "findjsobjects" => lines.push(vec!["-d".into()]),
            "heapsnapshot" => {
                let file = std::env::temp_dir().join(format!("v8rs-{}", std::process::id()));
                lines = vec![vec![file.display().to_string()]];
            }
            "retainers" | "path" | "dominators" | "retained" => {
                let picked = addresses.iter().take(3);
                lines.extend(picked.map(|a| vec![format!("{a:#x}")]));
            }
            _ => {}
        }
        for line in lines {
            let at = Instant::now();
            let outcome = app.run(&host, command.name, &line);
            assert!(
                at.elapsed() < Duration::from_secs(30),
                "{} {line:?} took {:?} ({damage:?}, seed {seed}, {})",
                command.name,
                at.elapsed(),
                core.node
            );
            assert!(
                !outcome.text.contains('\x1b'),
                "an escape of the target reached the output of {} {line:?}",
                command.name
            );
        }
    }
}

/// An old, a middle and the newest line where they are under test: decoding differs most there,
/// and every command on every kind of damage takes its time.
fn some(cores: Vec<Core>) -> Vec<Core> {
    let chosen: Vec<Core> = cores
        .iter()
        .filter(|c| ["12.22.12", "22.23.3", "26.10.0"].contains(&c.node.as_str()))
        .cloned()
        .collect();
    if chosen.is_empty() {
        cores.into_iter().take(1).collect()
    } else {
        chosen
    }
}

#[test]
fn no_damage_makes_a_command_panic() {
    let damages = [
        Damage::Words(50_000),
        Damage::Words(300),
        Damage::Words(3),
        Damage::Lengths(2_000),
        Damage::Lengths(40),
        Damage::Holes(100),
        Damage::Holes(3),
        Damage::Zeros(0x8000),
    ];
    for core in &some(cores_of("heap")) {
        for (seed, damage) in damages.into_iter().enumerate() {
            torture(core, damage, seed as u64 + 1);
        }
    }
    for core in &some(cores_of("values")) {
        torture(core, Damage::Words(300), 11);
        torture(core, Damage::Lengths(2_000), 12);
    }
}
