//! `v8 heapsnapshot`.

use super::app::{App, Host};
use super::watch::Watched;
use super::Outcome;
use crate::error::{Error, Result};
use crate::graph::snapshot::{write_file, Schema};
use crate::render::escape;
use serde_json::json;
use std::path::PathBuf;

const USAGE: &str = "USAGE: v8 heapsnapshot [--all] [--json] [FILE]";

struct Options {
    file: PathBuf,
    all: bool,
    json: bool,
}

/// Runs the command.
pub fn run(app: &mut App, host: &dyn Host, arguments: &[String]) -> Outcome {
    match parse(arguments) {
        Ok(Some(options)) => snapshot(app, host, &options).unwrap_or_else(Outcome::from),
        Ok(None) => super::help::of("heapsnapshot"),
        Err(error) => error.into(),
    }
}

fn parse(arguments: &[String]) -> Result<Option<Options>> {
    let usage = |why: String| Error::other(format!("{why}\n{USAGE}"));
    let (mut file, mut all, mut json) = (None, false, false);
    for argument in arguments {
        match argument.as_str() {
            "--help" | "-h" => return Ok(None),
            "--all" => all = true,
            "--json" => json = true,
            option if option.starts_with('-') => {
                return Err(usage(format!("unknown option '{option}'")))
            }
            path if file.is_none() => file = Some(PathBuf::from(path)),
            path => return Err(usage(format!("one file only, not '{path}' too"))),
        }
    }
    Ok(Some(Options {
        file: file.unwrap_or_else(|| PathBuf::from("v8rs.heapsnapshot")),
        all,
        json,
    }))
}

fn snapshot(app: &mut App, host: &dyn Host, options: &Options) -> Result<Outcome> {
    let session = app.session(host)?;
    let isolate = session.isolate()?;
    let watched = Watched::new(host);
    let watch = |what: &str, fraction: f64| watched.tick(what, fraction);
    let view = session.graph(isolate, options.all, &watch)?;
    let graph = view.heap.graph();
    let schema = Schema::of(session.v8()?.program.version);
    let written = write_file(&options.file, graph, &schema, &mut |fraction| {
        watch("writing the snapshot", fraction).is_ok()
    })?;
    let file = options.file.display().to_string();
    if options.json {
        return Ok(super::json(&json!({
            "file": file,
            "bytes": written,
            "isolate": format!("{:#x}", isolate.address),
            "nodes": graph.node_count(),
            "edges": graph.edge_count(),
            "size": graph.total_size(),
            "all": options.all,
            "garbage": {"objects": view.garbage, "size": view.garbage_bytes},
            "warnings": view.warnings,
        })));
    }
    let mut text = super::heap_view::warnings(&view);
    text += &format!(
        "{} nodes and {} edges, {} bytes of heap, written to {} ({written} bytes)\n",
        graph.node_count(),
        graph.edge_count(),
        graph.total_size(),
        escape(&file),
    );
    if view.garbage > 0 {
        text += &format!(
            "{} objects ({} bytes) that nothing holds are left out; --all takes them in\n",
            view.garbage, view.garbage_bytes
        );
    }
    let others = session.isolates()?.isolates.len() - 1;
    if others > 0 {
        text += &format!(
            "this is isolate {:#x}; {others} more in this process (select another thread)\n",
            isolate.address
        );
    }
    Ok(Outcome::ok(text))
}
