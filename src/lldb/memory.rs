//! Bytes of a process in LLDB.

use super::sb;
use crate::error::{Error, Result};
use crate::memory::Memory;

/// `SBProcess::ReadMemory`, or the system's own call where the process is on this machine and
/// both give the same bytes (about fifty times as fast).
pub struct ProcessMemory {
    process: sb::Process,
    error: sb::Error,
    local: Option<u64>,
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

    /// Whether the system's call is used.
    pub fn is_local(&self) -> bool {
        self.local.is_some()
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
        if std::env::var_os("V8RS_NO_LOCAL_READS").is_none()
            && !samples.is_empty()
            && samples.iter().all(same)
        {
            self.local = Some(pid);
        }
    }
}

impl Memory for ProcessMemory {
    fn read(&self, address: u64, buffer: &mut [u8]) -> Result<()> {
        let mut done = 0;
        while done < buffer.len() {
            let n = address
                .checked_add(done as u64)
                .map_or(0, |at| self.read_partial(at, &mut buffer[done..]));
            if n == 0 {
                return Err(Error::Unreadable {
                    address,
                    length: buffer.len(),
                });
            }
            done += n;
        }
        Ok(())
    }

    fn read_partial(&self, address: u64, buffer: &mut [u8]) -> usize {
        if let Some(pid) = self.local {
            let n = read_local(pid, address, buffer);
            if n > 0 {
                return n;
            }
        }
        self.process.read(address, buffer, &self.error)
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
