//! Runs commands on a core without a debugger.

use super::CoreFile;
use crate::command::Host;
use crate::error::{Error, Result};
use crate::target::Target;
use std::path::PathBuf;

/// A host whose process is always the same core.
#[derive(Debug, Clone)]
pub struct OfflineHost {
    pub core: PathBuf,
    pub program: PathBuf,
}

impl Host for OfflineHost {
    fn target(&self) -> Result<Box<dyn Target>> {
        Ok(Box::new(CoreFile::open(&self.core, &self.program)?))
    }

    fn stop_key(&self) -> (u64, u64) {
        (1, 1)
    }

    fn is_terminal(&self) -> bool {
        false
    }

    fn debugger_command(&self, command: &str) -> Result<String> {
        Err(Error::other(format!("no debugger to run '{command}'")))
    }

    fn progress(&self, _what: &str, _fraction: f64) {}
}
