//! `v8 heapdiff`: this heap against an earlier core of the program or a snapshot file, or two of
//! those with each other.

use super::app::{App, Host};
use super::watch::Watched;
use super::Outcome;
use crate::error::{Error, Result};
use crate::graph::{
    diff, is_users_place, snapshot, ClassDiff, Diff, HeapGraph, Identity, NodeId, NodeType,
};
use crate::offline::CoreFile;
use crate::render::escape;
use crate::session::{HeapView, Session};
use serde_json::{json, Value};
use std::fmt::Write;
use std::io::Read;
use std::path::Path;
use std::rc::Rc;

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
        _ => Err(usage("a snapshot or core is needed, or two".to_string())),
    }
}

/// A heap to compare.
enum Side {
    File(Box<HeapGraph>),
    Core(Rc<HeapView>),
}

impl Side {
    fn heap(&self) -> &HeapGraph {
        match self {
            Side::File(heap) => heap,
            Side::Core(view) => &view.heap,
        }
    }

    fn warnings(&self) -> &[String] {
        match self {
            Side::File(_) => &[],
            Side::Core(view) => &view.warnings,
        }
    }
}

fn compare(app: &mut App, host: &dyn Host, options: &Options) -> Result<Outcome> {
    let (before, after) = match &options.files[..] {
        [first, second] => (load(app, host, first)?, load(app, host, second)?),
        [first] => (
            load(app, host, first)?,
            Side::Core(super::heap_view::view(app, host, false)?),
        ),
        _ => return Err(Error::other(USAGE)),
    };
    let found = diff(before.heap(), after.heap(), options.identity);
    let mut warnings = before.warnings().to_vec();
    warnings.extend_from_slice(after.warnings());
    let comparison = Comparison {
        before: before.heap(),
        after: after.heap(),
        grown: grown(before.heap(), after.heap(), &found),
        found,
        warnings,
    };
    Ok(match options.json {
        true => super::json(&comparison.as_json(options)),
        false => Outcome::ok(comparison.text(options)),
    })
}

/// A snapshot file, or a core of the program that is open.
fn load(app: &mut App, host: &dyn Host, file: &str) -> Result<Side> {
    let path = Path::new(file);
    let mut magic = [0; 4];
    let is_core = std::fs::File::open(path)
        .and_then(|mut f| f.read_exact(&mut magic))
        .is_ok_and(|()| &magic == b"\x7fELF");
    if !is_core {
        return snapshot::read_file(path).map(|g| Side::File(Box::new(HeapGraph::new(g))));
    }
    let modules = app.session(host)?.target().modules();
    let program = modules
        .into_iter()
        .find(|m| m.is_executable)
        .ok_or_else(|| Error::other(format!("{file} is a core, and no program is open")))?;
    let core = CoreFile::open(path, Path::new(&program.path))?;
    let of_file = |e| match e {
        Error::Interrupted => e,
        e => Error::other(format!("{file}: {e}")),
    };
    let session = Session::new(Box::new(core));
    let watched = Watched::new(host);
    let watch = |what: &str, fraction: f64| watched.tick(what, fraction);
    let isolate = session.isolate().map_err(of_file)?;
    let view = session.graph(isolate, false, &watch).map_err(of_file)?;
    Ok(Side::Core(view))
}

/// The class of a user's script whose objects keep most more than they did.
fn grown(before: &HeapGraph, after: &HeapGraph, found: &Diff) -> Option<Grown> {
    let retained = |heap: &HeapGraph, name: &str| {
        let of_name = heap.classes().list().iter().filter(|c| c.key.name == name);
        of_name.fold(0u64, |sum, c| sum.saturating_add(c.retained_size))
    };
    let mut most: Option<Grown> = None;
    for (at, class) in found.classes.iter().enumerate() {
        let users = class.sample.is_some_and(|n| {
            is_users_place(after.graph(), n) && after.graph().node_type(n) == NodeType::Object
        });
        if !users || class.delta() <= 0 {
            continue;
        }
        let name = &class.key.name;
        let (old, new) = (retained(before, name), retained(after, name));
        let delta = new as i64 - old as i64;
        if delta > most.as_ref().map_or(0, |m| m.retained_delta) {
            most = Some(Grown {
                class: at,
                retained_delta: delta,
            });
        }
    }
    most
}

struct Grown {
    /// Its place in [`Diff::classes`].
    class: usize,
    retained_delta: i64,
}

struct Comparison<'a> {
    before: &'a HeapGraph,
    after: &'a HeapGraph,
    found: Diff,
    grown: Option<Grown>,
    warnings: Vec<String>,
}

/// `@id`, or the address where the object has one.
pub(super) fn handle(graph: &HeapGraph, node: NodeId) -> String {
    match graph.graph().address(node) {
        Some(address) => format!("{:#018x}", address | 1),
        None => format!("@{}", graph.graph().id(node)),
    }
}

impl Comparison<'_> {
    fn as_json(&self, options: &Options) -> Value {
        let (before, after, found) = (self.before, self.after, &self.found);
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
            "grown": self.grown.as_ref().map(|g| {
                let class = &found.classes[g.class];
                json!({
                    "class": class.key.name,
                    "delta": class.delta(),
                    "retained_delta": g.retained_delta,
                    "sample": class.sample.map(|n| handle(after, n)),
                })
            }),
            "changed_classes": found.classes.len(),
            "classes": classes,
            "warnings": self.warnings,
        })
    }

    fn text(&self, options: &Options) -> String {
        let mut out = String::new();
        // Writing to a String does not fail.
        let _ = self.write(&mut out, options);
        out
    }

    fn write(&self, out: &mut String, options: &Options) -> std::fmt::Result {
        let (before, after, found) = (self.before, self.after, &self.found);
        for warning in &self.warnings {
            writeln!(out, "warning: {warning}")?;
        }
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
        if let Some(grown) = &self.grown {
            let class = &found.classes[grown.class];
            let sample = class.sample.map(|n| handle(after, n)).unwrap_or_default();
            writeln!(
            out,
            "Of the program's own classes {} grew most: {:+} objects, which retain {:+} bytes; one is {sample}.",
            escape(&class.key.name),
            class.delta(),
            grown.retained_delta
        )?;
        }
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
