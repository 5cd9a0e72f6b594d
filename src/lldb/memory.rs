//! Bytes of a process in LLDB.

use super::sb;
use crate::memory::{CoreMap, InPlace, Memory};

/// Places of a core that are compared with what LLDB reads there.
const SAMPLES: usize = 64;

/// `SBProcess::ReadMemory`; or, where both give the same bytes, the system's own call for a process
/// on this machine (about fifty times as fast) and the core file itself, which needs no copy.
pub struct ProcessMemory {
    process: sb::Process,
    error: sb::Error,
    local: Option<Local>,
}

enum Local {
    Process(u64),
    Core(CoreMap),
}

impl ProcessMemory {
    /// Reads through LLDB only.
    pub fn new(process: sb::Process) -> ProcessMemory {
        ProcessMemory {
            process,
            error: sb::Error::new(),
            local: None,
        }
    }

    pub fn process(&self) -> &sb::Process {
        &self.process
    }

    /// Whether LLDB is gone round.
    pub fn is_local(&self) -> bool {
        self.local.is_some()
    }

    /// Whether memory is read from the core file.
    pub fn is_core(&self) -> bool {
        matches!(self.local, Some(Local::Core(_)))
    }

    /// Takes the core file from now on, if it holds the same at each of `samples` as LLDB reads
    /// there, or nothing.
    pub fn try_core(&mut self, core: CoreMap, samples: &[u64]) {
        let same = |address: u64| {
            let (mut ours, mut theirs) = ([0; 64], [1; 64]);
            let n = core.read_partial(address, &mut ours);
            n > 0
                && self.process.read(address, &mut theirs[..n], &self.error) == n
                && ours[..n] == theirs[..n]
        };
        // The largest mappings, where a heap is.
        let mut segments: Vec<_> = core.segments().iter().filter(|s| s.file_size > 0).collect();
        segments.sort_by_key(|s| std::cmp::Reverse(s.file_size));
        let middles = segments.iter().map(|s| s.start + s.file_size / 2);
        // A core that is cut short has not all it promises.
        let held = middles.filter(|at| core.u8(*at).is_ok()).take(SAMPLES);
        if local_reads_allowed() && samples.iter().copied().chain(held).all(same) {
            self.local = Some(Local::Core(core));
        }
    }

    /// Takes the system's call for process `pid` from now on, if what it reads at each of
    /// `samples` is what LLDB reads there. A stack's content tells processes apart.
    pub fn try_local(&mut self, pid: u64, samples: &[u64]) {
        let same = |&address: &u64| {
            let (mut ours, mut theirs) = ([0; 256], [1; 256]);
            self.process.read(address, &mut theirs, &self.error) == theirs.len()
                && read_local(pid, address, &mut ours) == ours.len()
                && ours == theirs
        };
        if local_reads_allowed() && !samples.is_empty() && samples.iter().all(same) {
            self.local = Some(Local::Process(pid));
        }
    }
}

fn local_reads_allowed() -> bool {
    std::env::var_os("V8RS_NO_LOCAL_READS").is_none()
}

impl Memory for ProcessMemory {
    fn read_piece(&self, address: u64, buffer: &mut [u8]) -> usize {
        match &self.local {
            Some(Local::Process(pid)) => {
                let n = read_local(*pid, address, buffer);
                if n > 0 {
                    return n;
                }
            }
            // LLDB may give zeros for what the core leaves out; the modules' files know better.
            Some(Local::Core(core)) => return core.read_piece(address, buffer),
            None => {}
        }
        self.process.read(address, buffer, &self.error)
    }

    fn in_place(&self, address: u64, length: usize) -> Option<InPlace> {
        match &self.local {
            Some(Local::Core(core)) => core.in_place(address, length),
            _ => None,
        }
    }

    fn skip_hole(&self, address: u64) -> u64 {
        match &self.local {
            Some(Local::Core(core)) => core.skip_hole(address),
            _ => address,
        }
    }
}

/// Bytes of another process of this machine; 0 where that is not allowed or there are none.
#[cfg(target_os = "linux")]
fn read_local(pid: u64, address: u64, buffer: &mut [u8]) -> usize {
    let (Ok(pid), Ok(remote)) = (libc::pid_t::try_from(pid), usize::try_from(address)) else {
        return 0;
    };
    let to = libc::iovec {
        iov_base: buffer.as_mut_ptr().cast(),
        iov_len: buffer.len(),
    };
    let from = libc::iovec {
        iov_base: remote as *mut libc::c_void,
        iov_len: buffer.len(),
    };
    // SAFETY: the kernel writes at most `iov_len` bytes to `buffer`; it checks the other side.
    let n = unsafe { libc::process_vm_readv(pid, &to, 1, &from, 1, 0) };
    usize::try_from(n).map_or(0, |n| n.min(buffer.len()))
}

#[cfg(not(target_os = "linux"))]
fn read_local(_pid: u64, _address: u64, _buffer: &mut [u8]) -> usize {
    0
}
