//! Notes of an ELF core: threads with their registers, and files mapped.

use crate::target::{Registers, Signal};

/// What the notes of a core tell.
#[derive(Debug, Default)]
pub struct Notes {
    pub threads: Vec<(u64, Registers)>,
    /// By the thread's system id.
    pub signals: Vec<(u64, Signal)>,
    pub files: Vec<MappedFile>,
    pub pid: u64,
    /// The program's entry point in memory (AT_ENTRY).
    pub entry: Option<u64>,
}

/// A row of NT_FILE.
#[derive(Debug, Clone)]
pub struct MappedFile {
    pub start: u64,
    pub end: u64,
    /// Offset in the file, in bytes.
    pub offset: u64,
    pub path: String,
}

const NT_PRSTATUS: u32 = 1;
const NT_PRPSINFO: u32 = 3;
const NT_AUXV: u32 = 6;
const NT_SIGINFO: u32 = 0x5349_4749;
const NT_FILE: u32 = 0x4649_4c45;
const AT_ENTRY: u64 = 9;
/// Offset of the registers in `struct elf_prstatus` on 64-bit Linux, and of `pr_pid`.
const PR_REG: usize = 112;
const PR_PID: usize = 32;
const PR_CURSIG: usize = 12;
/// Offset of the process's id in `struct elf_prpsinfo` on 64-bit Linux.
const PSINFO_PID: usize = 24;
/// `si_code` of `siginfo_t`: sent by a process (kill, sigqueue, tgkill), or by the kernel for
/// what has no address.
const SENT: [i32; 3] = [0, -1, -6];
const SI_KERNEL: i32 = 0x80;
/// Signals whose `siginfo_t` has an address: ILL, TRAP, BUS, FPE, SEGV.
const WITH_ADDRESS: [i32; 5] = [4, 5, 7, 8, 11];

fn word(bytes: &[u8], index: usize) -> Option<u64> {
    let at = index.checked_mul(8)?;
    let b = bytes.get(at..at.checked_add(8)?)?;
    Some(u64::from_le_bytes(b.try_into().ok()?))
}

impl Notes {
    /// Adds one note.
    pub fn add(&mut self, note_type: u32, data: &[u8], arm64: bool) {
        match note_type {
            NT_PRSTATUS => self.prstatus(data, arm64),
            NT_PRPSINFO => {
                let id = data.get(PSINFO_PID..PSINFO_PID + 4);
                let id = id.and_then(|b| b.try_into().ok());
                let id = id.map_or(0, |b| u64::from(u32::from_le_bytes(b)));
                if id != 0 {
                    self.pid = id;
                }
            }
            NT_SIGINFO => {
                let _ = self.siginfo(data);
            }
            NT_AUXV => {
                let pairs = (0..data.len() / 16)
                    .map_while(|i| Some((word(data, 2 * i)?, word(data, 2 * i + 1)?)));
                self.entry = pairs
                    .into_iter()
                    .find(|(k, _)| *k == AT_ENTRY)
                    .map(|(_, v)| v);
            }
            NT_FILE => {
                let _ = self.file(data);
            }
            _ => {}
        }
    }

    fn prstatus(&mut self, data: &[u8], arm64: bool) {
        let Some(regs) = data.get(PR_REG..) else {
            return;
        };
        let id = data
            .get(PR_PID..PR_PID + 4)
            .and_then(|b| b.try_into().ok())
            .map_or(0, |b| u64::from(u32::from_le_bytes(b)));
        let reg = |i| word(regs, i).unwrap_or(0);
        // Order of user_regs_struct of the processor.
        let registers = if arm64 {
            Registers {
                pc: reg(32),
                sp: reg(31),
                fp: reg(29),
                tls: 0,
            }
        } else {
            Registers {
                pc: reg(16),
                sp: reg(19),
                fp: reg(4),
                tls: reg(21),
            }
        };
        // Until the process itself is told of: a thread of it.
        if self.threads.is_empty() && self.pid == 0 {
            self.pid = id;
        }
        self.threads.push((id, registers));
        let number = data.get(PR_CURSIG..PR_CURSIG + 2);
        let number = number.and_then(|b| b.try_into().ok());
        let number = number.map_or(0, u16::from_le_bytes);
        // The kernel gives the number to all threads; the first one is the one that got it.
        if number != 0 && self.threads.len() == 1 {
            self.signals.push((
                id,
                Signal {
                    number: i32::from(number),
                    sender: None,
                    address: None,
                },
            ));
        }
    }

    /// Comes after the registers of its thread.
    fn siginfo(&mut self, data: &[u8]) -> Option<()> {
        let int = |at: usize| {
            let bytes = data.get(at..at.checked_add(4)?)?;
            Some(i32::from_le_bytes(bytes.try_into().ok()?))
        };
        let (number, code) = (int(0)?, int(8)?);
        let (id, _) = self.threads.last()?;
        let (_, signal) = self.signals.iter_mut().find(|(i, _)| i == id)?;
        if signal.number != number {
            return None;
        }
        if SENT.contains(&code) {
            signal.sender = u64::try_from(int(16)?).ok();
        } else if code > 0 && code != SI_KERNEL && WITH_ADDRESS.contains(&number) {
            signal.address = word(data, 2);
        }
        Some(())
    }

    fn file(&mut self, data: &[u8]) -> Option<()> {
        let count = usize::try_from(word(data, 0)?).ok()?;
        let page = word(data, 1)?;
        let mut names = data.get(count.checked_mul(24)?.checked_add(16)?..)?;
        for i in 0..count {
            let end = memchr::memchr(0, names)?;
            let path = String::from_utf8_lossy(&names[..end]).into_owned();
            names = &names[end + 1..];
            self.files.push(MappedFile {
                start: word(data, 2 + 3 * i)?,
                end: word(data, 3 + 3 * i)?,
                offset: word(data, 4 + 3 * i)?.checked_mul(page)?,
                path,
            });
        }
        Some(())
    }
}
