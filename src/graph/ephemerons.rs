//! Edges of WeakMap entries, known by their names: V8 writes each entry as two edges to the
//! value, one from the table and one from the key, whose names differ in their number only.

use super::{Graph, StringId};
use rustc_hash::FxHashMap;

/// What an ephemeron edge's name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ephemeron {
    /// Equal for the two edges of an entry.
    pub entry: u32,
    /// Id of the table.
    pub table_id: u32,
}

/// Ephemeron names of a graph, by string.
#[derive(Default)]
pub struct Ephemerons {
    by_name: FxHashMap<StringId, Ephemeron>,
}

impl Ephemerons {
    /// Finds them among the names of `graph`.
    pub fn new(graph: &Graph) -> Ephemerons {
        let mut by_name = FxHashMap::default();
        let mut entries: FxHashMap<&str, u32> = FxHashMap::default();
        for (number, name) in graph.strings().iter().enumerate() {
            if let Some((entry, table_id)) = parse(name) {
                let next = entries.len() as u32;
                let entry = *entries.entry(entry).or_insert(next);
                by_name.insert(number as StringId, Ephemeron { entry, table_id });
            }
        }
        Ephemerons { by_name }
    }

    /// What the name of an internal edge says.
    #[inline]
    pub fn get(&self, name: StringId) -> Option<Ephemeron> {
        if self.by_name.is_empty() {
            return None;
        }
        self.by_name.get(&name).copied()
    }
}

/// `N / part of key (K @ID) -> value (V @ID) pair in WeakMap (table @ID)`: all but N, and the
/// table's id.
fn parse(name: &str) -> Option<(&str, u32)> {
    let inner = name.strip_suffix(')')?;
    if !name.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let entry = name.trim_start_matches(|c: char| c.is_ascii_digit());
    entry.strip_prefix(" / part of key (")?;
    let (pair, table) = inner.rsplit_once(" pair in WeakMap (table @")?;
    let table_id = digits(table)?;
    let pair = pair.strip_suffix(')')?;
    let (_, value_id) = pair.rsplit_once(" @")?;
    digits(value_id)?;
    // DevTools' pattern stops at line ends.
    let one_line = |s: &str| !s.contains(['\n', '\r', '\u{2028}', '\u{2029}']);
    let key_and_value = pair.match_indices(") -> value (").any(|(at, _)| {
        let key = &pair[..at];
        key.rsplit_once(" @")
            .and_then(|(_, id)| digits(id))
            .is_some()
    });
    (key_and_value && one_line(name)).then_some((entry, table_id))
}

fn digits(text: &str) -> Option<u32> {
    match !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        true => text.parse().ok(),
        false => None,
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn names() {
        let name = "12 / part of key (A (x) @5) -> value (B @77) pair in WeakMap (table @9)";
        assert_eq!(parse(name), Some((&name[2..], 9)));
        for bad in [
            " / part of key (A @5) -> value (B @77) pair in WeakMap (table @9)",
            "1 / part of key (A @) -> value (B @77) pair in WeakMap (table @9)",
            "1 / part of key (A @5) -> value (B @7) pair in WeakMap (table @x)",
            "1 / part of key (A\n @5) -> value (B @7) pair in WeakMap (table @3)",
            "map",
            "",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
