//! V8's version.

use std::fmt;
use std::str::FromStr;

/// V8's version as `process.versions.v8` gives it; the embedder's suffix is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct V8Version {
    pub major: u32,
    pub minor: u32,
    pub build: u32,
    pub patch: u32,
}

impl V8Version {
    /// Version `major.minor.build.patch`.
    pub const fn new(major: u32, minor: u32, build: u32, patch: u32) -> V8Version {
        V8Version {
            major,
            minor,
            build,
            patch,
        }
    }

    /// `major` and `minor`, which decide on a table.
    pub fn line(self) -> (u32, u32) {
        (self.major, self.minor)
    }

    /// At least `major.minor`.
    pub fn at_least(self, major: u32, minor: u32) -> bool {
        self.line() >= (major, minor)
    }
}

impl fmt::Display for V8Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{}.{}.{}",
            self.major, self.minor, self.build, self.patch
        )
    }
}

impl FromStr for V8Version {
    type Err = ();

    /// `"12.4.254.21-node.57"`: three or four numbers, then whatever.
    fn from_str(text: &str) -> Result<V8Version, ()> {
        let numbers = text.split('-').next().unwrap_or("");
        let mut parts = numbers.split('.').map(|p| p.parse::<u32>());
        let mut next = || parts.next().and_then(|p| p.ok());
        let version = V8Version {
            major: next().ok_or(())?,
            minor: next().ok_or(())?,
            build: next().ok_or(())?,
            patch: next().unwrap_or(0),
        };
        Ok(version)
    }
}
