//! Version tables: what the v8dbg symbols do not tell, one file a V8 line, a later line being an
//! earlier one plus changes. Keys are `group.field` of the table of constants.

use super::V8Version;

/// A row: constant, value, evidence.
pub type Row = (&'static str, i32, &'static str);

/// In place of a value: an earlier line had it, this one has not.
pub const GONE: i32 = i32::MIN;

/// A V8 line's own rows.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// `major.minor` of the first V8 this holds for.
    pub line: (u32, u32),
    /// Node releases that carry it, in words.
    pub node: &'static str,
    pub rows: &'static [Row],
}

mod deopt;
mod heap;
pub mod instance_types;
mod isolate;
mod objects;
pub mod roots;
mod rows;
mod snapshot;
mod stack;
mod v8dbg;
pub use rows::TABLES;

/// All tables; a topic's rows come in its own file.
static TOPICS: [&[Table]; 8] = [
    heap::HEAP,
    deopt::DEOPT,
    stack::STACK,
    isolate::ISOLATE,
    objects::OBJECTS,
    snapshot::SNAPSHOT,
    TABLES,
    v8dbg::V8DBG,
];

/// The tables that hold for a version, by topic.
#[derive(Debug, Clone, Copy)]
pub struct Rows {
    topics: [&'static [Table]; 8],
}

impl Rows {
    /// Line, value and evidence of a constant, from the newest table that names it; of tables
    /// of the same line the first topic's.
    pub fn find(&self, name: &str) -> Option<(String, i32, &'static str)> {
        let mut best: Option<(&Table, &Row)> = None;
        for topic in self.topics {
            let found = topic.iter().rev().find_map(|t| {
                let row = t.rows.iter().find(|r| r.0 == name)?;
                Some((t, row))
            });
            if let Some((table, row)) = found {
                if best.is_none_or(|(newest, _)| table.line > newest.line) {
                    best = Some((table, row));
                }
            }
        }
        let (table, row) = best?;
        (row.1 != GONE).then(|| (format!("{}.{}", table.line.0, table.line.1), row.1, row.2))
    }
}

/// All tables up to the version's line (the oldest where it is older than all); those of the heap's
/// pages up to `heap`.
pub fn for_version(version: V8Version, heap: (u32, u32)) -> Rows {
    Rows {
        topics: std::array::from_fn(|i| {
            let topic = TOPICS[i];
            // The first topic is the pages.
            let line = if i == 0 { heap } else { version.line() };
            let n = topic.iter().filter(|t| t.line <= line).count();
            &topic[..n.max(1).min(topic.len())]
        }),
    }
}

/// Whether a table was made for exactly this line.
pub fn has_line(line: (u32, u32)) -> bool {
    TABLES.iter().any(|t| t.line == line)
}

/// The line nearest to one that has no table: the newest that is older, else the oldest.
pub fn nearest(line: (u32, u32)) -> (u32, u32) {
    let lines = || TABLES.iter().map(|t| t.line);
    let older = lines().filter(|l| *l <= line).max();
    older.or(lines().min()).unwrap_or(line)
}

/// The oldest line that is newer.
pub fn newer(line: (u32, u32)) -> Option<(u32, u32)> {
    TABLES.iter().map(|t| t.line).filter(|l| *l > line).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::constants::SPECS;

    #[test]
    fn every_row_names_a_constant_and_lines_ascend() {
        for pair in TOPICS.iter().flat_map(|t| t.windows(2)) {
            assert!(pair[0].line < pair[1].line);
        }
        for t in TOPICS.into_iter().flatten() {
            for r in t.rows {
                assert!(
                    SPECS.iter().any(|s| s.name == r.0),
                    "{} in {:?}",
                    r.0,
                    t.line
                );
            }
        }
    }
}
