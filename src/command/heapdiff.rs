//! `v8 heapdiff`.

use super::app::{App, Host};
use super::Outcome;
use crate::error::{Error, Result};
use crate::graph::{diff, snapshot, ClassDiff, Diff, HeapGraph, Identity, NodeId};
use crate::render::escape;
use serde_json::{json, Value};
use std::fmt::Write;
use std::path::Path;

const USAGE: &str = "USAGE: v8 heapdiff [-n ROWS] [--by ids|counts] [--json] BEFORE [AFTER]";
/// Classes shown unless told otherwise.
const ROWS: usize = 40;

struct Options {
    files: Vec<String>,
    rows: usize,
    identity: Option<Identity>,
    json: bool,
}

/// Runs the command.
pub fn run(app: &mut App, host: &dyn Host, arguments: &[String]) -> Outcome {
    let options = match parse(arguments) {
        Ok(Some(options)) => options,
        Ok(None) => return super::help::of("heapdiff"),
        Err(error) => return error.into(),
    };
    compare(app, host, &options).unwrap_or_else(Outcome::from)
}

fn parse(arguments: &[String]) -> Result<Option<Options>> {
    let usage = |why: String| Error::other(format!("{why}\n{USAGE}"));
    let mut options = Options {
        files: Vec::new(),
        rows: ROWS,
        identity: None,
        json: false,
    };
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--help" | "-h" => return Ok(None),
            "--json" => options.json = true,
            "-n" => {
                options.rows = arguments
                    .next()
                    .and_then(|n| n.parse().ok())
                    .ok_or_else(|| usage("-n needs a number".to_string()))?;
            }
            "--by" => {
                options.identity = Some(match arguments.next().map(String::as_str) {
                    Some("ids") => Identity::Ids,
                    Some("counts") => Identity::Counts,
                    _ => return Err(usage("--by needs 'ids' or 'counts'".to_string())),
                });
            }
            option if option.starts_with('-') => {
                return Err(usage(format!("unknown option '{option}'")))
            }
            file => options.files.push(file.to_string()),
        }
    }
    match options.files.len() {
        1 | 2 => Ok(Some(options)),
        _ => Err(usage("a snapshot is needed, or two".to_string())),
    }
}

fn compare(app: &mut App, host: &dyn Host, options: &Options) -> Result<Outcome> {
    let load = |file: &String| snapshot::read_file(Path::new(file)).map(HeapGraph::new);
    let (before, file, live);
    let after = match &options.files[..] {
        [first, second] => {
            before = load(first)?;
            file = load(second)?;
            &file
        }
        [first] => {
            before = load(first)?;
            live = super::heap_view::view(app, host, false)?;
            &live.heap
        }
        _ => return Err(Error::other(USAGE)),
    };
    let found = diff(&before, after, options.identity);
    Ok(match options.json {
        true => super::json(&as_json(&before, after, &found, options)),
        false => Outcome::ok(text(&before, after, &found, options)),
    })
}

/// `@id`, or the address where the object has one.
pub(super) fn handle(graph: &HeapGraph, node: NodeId) -> String {
    match graph.graph().address(node) {
        Some(address) => format!("{:#018x}", address | 1),
        None => format!("@{}", graph.graph().id(node)),
    }
}

fn as_json(before: &HeapGraph, after: &HeapGraph, found: &Diff, options: &Options) -> Value {
    let classes: Vec<Value> = found
        .classes
        .iter()
        .take(options.rows)
        .map(|c| {
            json!({
                "class": c.key.name,
                "location": c.key.location.map(|(script, line, column)| {
                    json!({"script_id": script, "line": line, "column": column})
                }),
                "added": c.added,
                "removed": c.removed,
                "delta": c.delta(),
                "added_size": c.added_size,
                "removed_size": c.removed_size,
                "size_delta": c.size_delta(),
                "sample": c.sample.map(|n| handle(after, n)),
            })
        })
        .collect();
    json!({
        "identity": match found.identity {
            Identity::Ids => "ids",
            Identity::Counts => "counts",
        },
        "before": {"nodes": before.graph().node_count(), "size": before.graph().total_size()},
        "after": {"nodes": after.graph().node_count(), "size": after.graph().total_size()},
        "changed_classes": found.classes.len(),
        "classes": classes,
    })
}

fn text(before: &HeapGraph, after: &HeapGraph, found: &Diff, options: &Options) -> String {
    let mut out = String::new();
    // Writing to a String does not fail.
    let _ = write_text(&mut out, before, after, found, options);
    out
}

fn write_text(
    out: &mut String,
    before: &HeapGraph,
    after: &HeapGraph,
    found: &Diff,
    options: &Options,
) -> std::fmt::Result {
    let (old, new) = (before.graph(), after.graph());
    writeln!(
        out,
        "{} -> {} objects, {} -> {} bytes ({:+})",
        old.node_count(),
        new.node_count(),
        old.total_size(),
        new.total_size(),
        new.total_size() as i64 - old.total_size() as i64
    )?;
    writeln!(
        out,
        "{}",
        match found.identity {
            Identity::Ids =>
                "Both carry the same ids: new and deleted are the very objects that came and went.",
            Identity::Counts =>
                "No common ids: only counts and sizes are compared, not which object is which.",
        }
    )?;
    writeln!(
        out,
        "{:>10} {:>10} {:>10} {:>14}  {:<20} Class",
        "New", "Deleted", "Delta", "Size delta", "Sample"
    )?;
    for class in found.classes.iter().take(options.rows) {
        write_class(out, after, class)?;
    }
    let left = found.classes.len().saturating_sub(options.rows);
    if left > 0 {
        writeln!(
            out,
            "... {left} more classes changed (-n {})",
            found.classes.len()
        )?;
    }
    Ok(())
}

fn write_class(out: &mut String, after: &HeapGraph, class: &ClassDiff) -> std::fmt::Result {
    let sample = class.sample.map(|n| handle(after, n)).unwrap_or_default();
    writeln!(
        out,
        "{:>10} {:>10} {:>+10} {:>+14}  {sample:<20} {}",
        class.added,
        class.removed,
        class.delta(),
        class.size_delta(),
        escape(&class.key.name)
    )
}
