//! Names of the words of the roots table, in order: V8's own, from the array that
//! `v8::internal::RootsTable::root_names_` is in the official builds. For programs that have lost
//! that symbol.

/// (major, minor) of V8 and the names, one a line.
const NAMES: &[((u32, u32), &str)] = &[
    ((7, 8), include_str!("roots/7.8.txt")),
    ((8, 4), include_str!("roots/8.4.txt")),
    ((9, 4), include_str!("roots/9.4.txt")),
    ((10, 2), include_str!("roots/10.2.txt")),
    ((11, 3), include_str!("roots/11.3.txt")),
    ((12, 4), include_str!("roots/12.4.txt")),
    ((13, 6), include_str!("roots/13.6.txt")),
    ((14, 6), include_str!("roots/14.6.txt")),
];

/// The names for exactly this version; a neighbour's would be wrong ones.
pub fn names(major: u32, minor: u32) -> Option<impl Iterator<Item = &'static str>> {
    let (_, names) = NAMES.iter().find(|(line, _)| *line == (major, minor))?;
    Some(names.lines())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::tables::instance_types;

    #[test]
    fn every_line_that_has_types_has_names() {
        for ((major, minor), _) in NAMES {
            let names: Vec<_> = names(*major, *minor).into_iter().flatten().collect();
            assert!((600..2000).contains(&names.len()));
            assert!(names.contains(&"free_space_map"));
            assert_eq!(names.last(), Some(&"interpreter_entry_return_pc_offset"));
            assert!(instance_types::for_version(*major, *minor).1);
        }
    }
}
