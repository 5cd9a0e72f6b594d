//! What a command hands back to whoever ran it.

use crate::error::Error;

/// Text for the user, and whether it worked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Standard output of the command.
    pub text: String,
    /// Set: the command failed, with this for the user (shown after `error: `).
    pub error: Option<String>,
}

impl Outcome {
    /// A command that worked.
    pub fn ok(text: impl Into<String>) -> Outcome {
        Outcome {
            text: text.into(),
            error: None,
        }
    }

    /// A command that failed.
    pub fn failed(error: impl Into<String>) -> Outcome {
        Outcome {
            text: String::new(),
            error: Some(error.into()),
        }
    }
}

impl From<Error> for Outcome {
    fn from(error: Error) -> Outcome {
        Outcome::failed(error.to_string())
    }
}
