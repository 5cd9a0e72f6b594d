//! What the commands need of the debugger that runs them.

use super::bridge::ffi;
use super::sb;
use super::target::LldbTarget;
use crate::command::Host;
use crate::error::{Error, Result};
use crate::target::Target;
use lldb_sys as sys;
use std::cell::Cell;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// The debugger, for as long as one of its commands runs.
pub struct LldbHost {
    debugger: sys::SBDebuggerRef,
    progress: Cell<Option<Instant>>,
}

impl LldbHost {
    /// # Safety
    /// `debugger` outlives the host.
    pub unsafe fn new(debugger: *mut ffi::SBDebugger) -> LldbHost {
        LldbHost {
            debugger: debugger.cast(),
            progress: Cell::new(None),
        }
    }

    pub fn debugger_id(&self) -> u64 {
        // SAFETY: a valid debugger.
        unsafe { sys::SBDebuggerGetID(self.debugger) }
    }

    /// The process of the selected target, in whatever state.
    fn process(&self) -> Option<sb::Process> {
        // SAFETY: a valid debugger; target and process are ours.
        unsafe {
            let target = sb::Target::from_raw(sys::SBDebuggerGetSelectedTarget(self.debugger))?;
            sb::Process::from_raw(sys::SBTargetGetProcess(target.raw()))
        }
    }
}

impl LldbHost {
    /// The process, if its memory can be looked at now.
    pub fn stopped_process(&self) -> Result<sb::Process> {
        let process = self.process().ok_or(Error::NoProcess)?;
        match state(&process) {
            sys::StateType::Stopped | sys::StateType::Crashed | sys::StateType::Suspended => {
                Ok(process)
            }
            sys::StateType::Running | sys::StateType::Stepping => Err(Error::other(
                "the process is running; stop it first (process interrupt)",
            )),
            _ => Err(Error::NoProcess),
        }
    }
}

/// What the process does. For a moment after it was resumed LLDB still calls it stopped, and its
/// memory is what it was at no one time; but of what runs, threads are not to be had.
fn state(process: &sb::Process) -> sys::StateType {
    // SAFETY: a valid process.
    let (state, threads) = unsafe {
        (
            sys::SBProcessGetState(process.raw()),
            sys::SBProcessGetNumThreads(process.raw()),
        )
    };
    match state {
        sys::StateType::Stopped | sys::StateType::Crashed | sys::StateType::Suspended
            if threads > 0 && process.threads().next().is_none() =>
        {
            sys::StateType::Running
        }
        state => state,
    }
}

impl Host for LldbHost {
    fn target(&self) -> Result<Box<dyn Target>> {
        Ok(Box::new(LldbTarget::new(self.stopped_process()?)?))
    }

    fn stop_key(&self) -> (u64, u64) {
        // SAFETY: a valid process.
        self.process().map_or((0, 0), |process| unsafe {
            let id = sys::SBProcessGetUniqueID(process.raw());
            let stop = sys::SBProcessGetStopID(process.raw(), true);
            // What LLDB knows of the target may change without a stop.
            let modules = process
                .target()
                .map_or(0, |t| sys::SBTargetGetNumModules(t.raw()));
            let state = state(&process) as u64;
            (
                u64::from(id) << 32 | u64::from(modules),
                u64::from(stop) << 8 | state,
            )
        })
    }

    fn is_terminal(&self) -> bool {
        // SAFETY: a valid debugger.
        let descriptor = unsafe { ffi::output_descriptor(self.debugger.cast()) };
        // SAFETY: isatty takes any number.
        unsafe { libc::isatty(descriptor) == 1 }
    }

    fn debugger_command(&self, command: &str) -> Result<String> {
        let command_line = sb::c_string(command);
        let gone = || Error::other(format!("LLDB did not run '{command}'"));
        // SAFETY: valid objects, each ours; the texts are LLDB's.
        unsafe {
            let interpreter = sys::SBDebuggerGetCommandInterpreter(self.debugger);
            let interpreter = sb::Interpreter::from_raw(interpreter).ok_or_else(gone)?;
            let result =
                sb::ReturnObject::from_raw(sys::CreateSBCommandReturnObject()).ok_or_else(gone)?;
            sys::SBCommandInterpreterHandleCommand(
                interpreter.raw(),
                command_line.as_ptr(),
                result.raw(),
                false,
            );
            if sys::SBCommandReturnObjectSucceeded(result.raw()) {
                let output = sb::text(sys::SBCommandReturnObjectGetOutput(result.raw()));
                return Ok(output.unwrap_or_default());
            }
            let error = sb::text(sys::SBCommandReturnObjectGetError(result.raw()));
            let error = error.filter(|e| !e.trim().is_empty()).ok_or_else(gone)?;
            let error = error.trim();
            Err(Error::other(error.strip_prefix("error: ").unwrap_or(error)))
        }
    }

    fn progress(&self, what: &str, fraction: f64) {
        let now = Instant::now();
        let recent = |then: Instant| now.duration_since(then) < Duration::from_millis(100);
        if self.progress.get().is_some_and(recent)
            || !self.is_terminal()
            || !std::io::stderr().is_terminal()
        {
            return;
        }
        self.progress.set(Some(now));
        let percent = (fraction.clamp(0.0, 1.0) * 100.0) as u32;
        let _ = write!(std::io::stderr(), "\r\x1b[K{what} {percent} %");
    }

    fn interrupted(&self) -> bool {
        sb::interrupted(self.debugger)
    }
}

impl Drop for LldbHost {
    fn drop(&mut self) {
        if self.progress.get().is_some() {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}
