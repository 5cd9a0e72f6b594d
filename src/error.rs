//! What can go wrong while reading a target, each with its cause.

/// The crate's result.
pub type Result<T> = std::result::Result<T, Error>;

/// An error with the address and the cause, as a user should read it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes are in no mapping that the core or process (or a module file) holds.
    #[error("cannot read {length} bytes at {address:#x}")]
    Unreadable { address: u64, length: usize },
    /// A V8 constant that this target's metadata does not have.
    #[error("V8 constant {0} is not known for this version of V8")]
    MissingConstant(&'static str),
    /// Something decoded does not look like what it must be.
    #[error("{what} at {address:#x}: {why}")]
    Malformed {
        what: &'static str,
        address: u64,
        why: String,
    },
    /// A value is of another type than the one asked for.
    #[error("{address:#x} is {found}, not {expected}")]
    WrongType {
        address: u64,
        expected: &'static str,
        found: String,
    },
    /// A tagged value that had to point to a heap object does not.
    #[error("{0:#x} is not a heap object pointer")]
    NotAHeapObject(u64),
    /// No process or core is loaded.
    #[error("No valid process, please start something")]
    NoProcess,
    /// The target holds no V8.
    #[error("no V8 found in this target: {0}")]
    NoV8(String),
    /// The user stopped the command.
    #[error("interrupted")]
    Interrupted,
    /// Anything else, told in full.
    #[error("{0}")]
    Other(String),
}

impl Error {
    /// An error about the object at `address`.
    pub fn malformed(what: &'static str, address: u64, why: impl Into<String>) -> Error {
        Error::Malformed {
            what,
            address,
            why: why.into(),
        }
    }

    /// An error in free words.
    pub fn other(text: impl Into<String>) -> Error {
        Error::Other(text.into())
    }
}
