//! The numbering of instance types, as each V8 printed it.
//!
//! The files are the output of `scripts/instance-types.sh` for the official
//! Node builds 12.22.12, 14.21.3, 16.20.2, 18.0.0 (10.1), 18.20.8 (10.2),
//! 20.20.2, 22.23.3, 24.21.0 and 26.10.0; 20.0.0, 22.0.0, 24.0.0 and 26.0.0
//! print the same as the last of their line.

/// (major, minor) of V8 and its table, oldest first.
pub const TABLES: &[((u32, u32), &str)] = &[
    ((7, 8), include_str!("instance_types/7.8.txt")),
    ((8, 4), include_str!("instance_types/8.4.txt")),
    ((9, 4), include_str!("instance_types/9.4.txt")),
    ((10, 1), include_str!("instance_types/10.1.txt")),
    ((10, 2), include_str!("instance_types/10.2.txt")),
    ((11, 3), include_str!("instance_types/11.3.txt")),
    ((12, 4), include_str!("instance_types/12.4.txt")),
    ((13, 6), include_str!("instance_types/13.6.txt")),
    ((14, 6), include_str!("instance_types/14.6.txt")),
];

/// Those of Node's short-lived lines, of which little else is in the tables: 13.14.0, 15.14.0,
/// 17.9.1, 21.7.3, 23.11.1 and 25.9.0 printed them.
pub const SHORT_LIVED: &[((u32, u32), &str)] = &[
    ((7, 9), include_str!("instance_types/7.9.txt")),
    ((8, 6), include_str!("instance_types/8.6.txt")),
    ((9, 6), include_str!("instance_types/9.6.txt")),
    ((11, 8), include_str!("instance_types/11.8.txt")),
    ((12, 9), include_str!("instance_types/12.9.txt")),
    ((14, 1), include_str!("instance_types/14.1.txt")),
];

/// The table of exactly this V8, where there is one.
pub fn exact(line: (u32, u32)) -> Option<&'static str> {
    let mut all = TABLES.iter().chain(SHORT_LIVED);
    all.find_map(|(of, table)| (*of == line).then_some(*table))
}

/// The table of V8 `major.minor`, or of the newest version before it (the
/// oldest there is if none is); the flag says whether it is exactly that one.
pub fn for_version(major: u32, minor: u32) -> (&'static str, bool) {
    let mut best = "";
    for (version, table) in TABLES {
        if best.is_empty() || *version <= (major, minor) {
            best = table;
        }
        if *version == (major, minor) {
            return (best, true);
        }
    }
    (best, false)
}
