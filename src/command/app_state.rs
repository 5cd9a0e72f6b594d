//! What commands remember between calls.

use crate::session::Choice;

/// The last page of instances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub type_name: String,
    pub choice: Choice,
    /// Instances on a page.
    pub size: usize,
    /// Index of the next instance.
    pub next: usize,
}

impl Page {
    /// Whether it was made by the same question.
    pub fn is_of(&self, type_name: &str, choice: Choice, size: usize) -> bool {
        self.type_name == type_name && self.choice == choice && self.size == size
    }
}

/// Where paged commands go on.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Paging {
    /// `findjsinstances`.
    pub instances: Option<Page>,
    /// `source list`: script or frame key, and the next line.
    pub source: Option<(String, u32)>,
}
