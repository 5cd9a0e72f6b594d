//! What commands remember between calls.

/// Where paged commands go on.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Paging {
    /// `findjsinstances`: type name, page size, index of the next instance.
    pub instances: Option<(String, usize, usize)>,
    /// `source list`: script or frame key, and the next line.
    pub source: Option<(String, u32)>,
}
