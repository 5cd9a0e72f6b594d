//! Long work as the user sees it: it can be stopped, and after a second it shows how far it is.

use super::app::Host;
use crate::error::{Error, Result};
use std::cell::Cell;
use std::time::{Duration, Instant};

/// How long a command may be silent.
const QUIET: Duration = Duration::from_secs(1);
/// Time between two signs of life.
const BETWEEN: Duration = Duration::from_millis(250);

/// What a command hands to long work, as `&|what, fraction| watch.tick(what, fraction)`.
pub struct Watched<'a> {
    host: &'a dyn Host,
    start: Instant,
    shown: Cell<Option<Instant>>,
}

impl<'a> Watched<'a> {
    /// The clock starts now.
    pub fn new(host: &'a dyn Host) -> Watched<'a> {
        Watched {
            host,
            start: Instant::now(),
            shown: Cell::new(None),
        }
    }

    /// Fails when the user wants to stop.
    pub fn tick(&self, what: &str, fraction: f64) -> Result<()> {
        if self.host.interrupted() {
            return Err(Error::Interrupted);
        }
        let now = Instant::now();
        let is_due = self.shown.get().is_none_or(|at| now - at >= BETWEEN);
        if is_due && now - self.start >= QUIET {
            self.shown.set(Some(now));
            self.host.progress(what, fraction);
        }
        Ok(())
    }
}
