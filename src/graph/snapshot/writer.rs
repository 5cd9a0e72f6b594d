//! Writing a graph as a `.heapsnapshot`, streaming; a file appears under its name only whole.

use super::output::{Failed, Output, Sections};
use super::text::escape;
use super::Schema;
use crate::error::{Error, Result};
use crate::graph::{EdgeType, Graph, NodeId, NodeType};
use std::fs::File;
use std::os::fd::IntoRawFd;
use std::path::{Path, PathBuf};

/// Called now and then with the share done, 0 to 1; `false` stops the writing.
pub type Progress<'a> = &'a mut dyn FnMut(f64) -> bool;

/// Writes `graph` to `path`: to a file beside it first, renamed at the end. On any error (disk
/// full, no permission, stopped) nothing is left behind, and what was under `path` stays.
pub fn write_file(path: &Path, graph: &Graph, schema: &Schema, progress: Progress) -> Result<u64> {
    let failed = |e: std::io::Error| Error::other(format!("cannot write {}: {e}", path.display()));
    if path.is_dir() {
        return Err(Error::other(format!(
            "cannot write {}: it is a directory",
            path.display()
        )));
    }
    if std::fs::metadata(path).is_ok_and(|m| !m.is_file()) {
        return Err(Error::other(format!(
            "cannot write {}: it is no regular file",
            path.display()
        )));
    }
    let (file, partial) = create_beside(path).map_err(failed)?;
    // Removes the partial file on every way out but the last.
    let mut partial = Partial(Some(partial));
    let written = write(&file, graph, schema, progress).map_err(|why| match why {
        Failed::Io(error) => failed(error),
        Failed::Stopped => Error::Interrupted,
        Failed::Thread => Error::other("a worker thread ended early"),
    })?;
    // Some file systems say only here that they have no room.
    // SAFETY: the descriptor is this file's own, and given up by it.
    if unsafe { libc::close(file.into_raw_fd()) } != 0 {
        return Err(failed(std::io::Error::last_os_error()));
    }
    if let Some(from) = &partial.0 {
        std::fs::rename(from, path).map_err(failed)?;
    }
    partial.0 = None;
    Ok(written)
}

struct Partial(Option<PathBuf>);

impl Drop for Partial {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // Nothing better can be done than to try.
            let _ = std::fs::remove_file(path);
        }
    }
}

fn create_beside(path: &Path) -> std::io::Result<(File, PathBuf)> {
    let name = path
        .file_name()
        .ok_or_else(|| std::io::Error::other("it has no file name"))?;
    let mut last = std::io::Error::other("no free name beside it");
    for attempt in 0..100 {
        let mut partial = name.to_os_string();
        partial.push(format!(".{}-{attempt}.partial", std::process::id()));
        let partial = path.with_file_name(partial);
        match File::options().write(true).create_new(true).open(&partial) {
            Ok(file) => return Ok((file, partial)),
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => last = e,
            Err(e) => return Err(e),
        }
    }
    Err(last)
}

/// Writes `graph` as JSON in `schema`; how many bytes it is.
fn write(
    output: &dyn Output,
    graph: &Graph,
    schema: &Schema,
    progress: Progress,
) -> std::result::Result<u64, Failed> {
    let total =
        graph.node_count() + graph.edge_count() + graph.strings().len() + graph.locations().len();
    let mut writer = Writer(Sections::new(output, total, progress));
    writer.all(graph, schema)?;
    Ok(writer.0.written())
}

struct Writer<'a, 'p>(Sections<'a, 'p>);

/// V8's number of a type that a schema does not list: what earlier V8 called such nodes.
fn node_type_number(kind: NodeType, schema: &Schema) -> u8 {
    let number = kind as u8;
    match usize::from(number) < schema.node_types {
        true => number,
        false => NodeType::Hidden as u8,
    }
}

impl Writer<'_, '_> {
    fn all(&mut self, graph: &Graph, schema: &Schema) -> std::result::Result<(), Failed> {
        let out = &mut self.0;
        out.text(&header(graph, schema))?;
        out.text(",\n\"nodes\":[")?;
        let width = schema.node_fields().len() as u64;
        let line = schema.lines;
        out.section(graph.node_count(), &|range, text| {
            for node in range {
                let node = node as NodeId;
                text.line(|text| {
                    if node > 0 {
                        text.push(b',');
                    }
                    text.small(u64::from(node_type_number(graph.node_type(node), schema)));
                    // V8 keeps string 0 for a placeholder.
                    text.field(u64::from(graph.name_id(node)) + 1);
                    text.field(u64::from(graph.id(node)));
                    text.field(graph.self_size(node));
                    text.push(b',');
                    text.small(graph.edge_range(node).len() as u64);
                    if schema.trace_node_id {
                        text.push(b',');
                        text.push(b'0');
                    }
                    if schema.detachedness {
                        text.push(b',');
                        text.small(graph.detachedness(node) as u64);
                    }
                    if line {
                        text.push(b'\n');
                    }
                });
            }
        })?;
        out.text("],\n\"edges\":[")?;
        out.section(graph.edge_count(), &|range, text| {
            for number in range {
                let edge = graph.edge(number);
                text.line(|text| {
                    if number > 0 {
                        text.push(b',');
                    }
                    let kind = match edge.kind {
                        EdgeType::Invisible => EdgeType::Internal,
                        kind => kind,
                    };
                    text.small(kind as u64);
                    let named = u64::from(!edge.kind.is_indexed());
                    text.field(u64::from(edge.name_or_index) + named);
                    text.field(u64::from(edge.to) * width);
                    if line {
                        text.push(b'\n');
                    }
                });
            }
        })?;
        out.text(
            "],\n\"trace_function_infos\":[],\n\"trace_tree\":[],\n\"samples\":[],\n\"locations\":[",
        )?;
        let locations = graph.locations();
        out.section(locations.len(), &|range, text| {
            let first = range.start;
            let some = locations.get(range).unwrap_or_default();
            for (number, location) in some.iter().enumerate() {
                text.line(|text| {
                    if first + number > 0 {
                        text.push(b',');
                    }
                    text.number(u64::from(location.node) * width);
                    for value in [location.script_id, location.line, location.column] {
                        text.push(b',');
                        text.signed(value);
                    }
                    if line {
                        text.push(b'\n');
                    }
                });
            }
        })?;
        out.text("],\n\"strings\":[\"<dummy>\"")?;
        let strings = graph.strings();
        out.section(strings.len(), &|range, text| {
            for id in range {
                text.text(if line { b",\n" } else { b"," });
                escape(strings.get(id as u32), text);
            }
        })?;
        out.text("]}")
    }
}

/// What a snapshot begins with.
fn header(graph: &Graph, schema: &Schema) -> String {
    let node_types: Vec<&str> = NodeType::ALL
        .iter()
        .take(schema.node_types)
        .map(|t| t.name())
        .collect();
    let mut types = vec![serde_json::json!(node_types), "string".into()];
    types.resize(schema.node_type_entries, "number".into());
    let edge_types: Vec<&str> = EdgeType::ALL.iter().take(7).map(|t| t.name()).collect();
    // Field by field, in V8's order, which serde_json's maps do not keep.
    let meta = [
        ("node_fields", serde_json::json!(schema.node_fields())),
        ("node_types", serde_json::json!(types)),
        (
            "edge_fields",
            serde_json::json!(["type", "name_or_index", "to_node"]),
        ),
        (
            "edge_types",
            serde_json::json!([edge_types, "string_or_number", "node"]),
        ),
        (
            "trace_function_info_fields",
            serde_json::json!([
                "function_id",
                "name",
                "script_name",
                "script_id",
                "line",
                "column"
            ]),
        ),
        (
            "trace_node_fields",
            serde_json::json!(["id", "function_info_index", "count", "size", "children"]),
        ),
        (
            "sample_fields",
            serde_json::json!(["timestamp_us", "last_assigned_id"]),
        ),
        (
            "location_fields",
            serde_json::json!(["object_index", "script_id", "line", "column"]),
        ),
    ];
    let meta: Vec<String> = meta
        .iter()
        .map(|(name, value)| format!("\"{name}\":{value}"))
        .collect();
    let mut text = format!(
            "{{\"snapshot\":{{\"meta\":{{{}}},\"node_count\":{},\"edge_count\":{},\"trace_function_count\":0",
            meta.join(","),
            graph.node_count(),
            graph.edge_count()
        );
    if schema.extra_native_bytes {
        text += &format!(",\"extra_native_bytes\":{}", graph.extra_native_bytes());
    }
    text + "}"
}

#[cfg(test)]
mod tests {
    use super::{write, write_file, Output};
    use crate::error::Error;
    use crate::graph::snapshot::{read, Schema};
    use crate::graph::{named, Builder, Detachedness, EdgeType, Graph, Location, Node, NodeType};
    use crate::metadata::V8Version;
    use std::sync::Mutex;

    impl Output for Mutex<Vec<u8>> {
        fn write_at(&self, bytes: &[u8], at: u64) -> std::io::Result<()> {
            let mut all = self.lock().unwrap();
            let (at, end) = (at as usize, at as usize + bytes.len());
            let length = all.len().max(end);
            all.resize(length, 0);
            all[at..end].copy_from_slice(bytes);
            Ok(())
        }
    }

    fn graph() -> Graph {
        let mut builder = Builder::new();
        for (kind, name) in [
            (NodeType::Synthetic, ""),
            (NodeType::Object, "A\n\"é😀"),
            (NodeType::ObjectShape, "system / Map"),
        ] {
            let name = builder.intern(name);
            builder
                .node(Node {
                    kind,
                    name,
                    self_size: 24,
                    detachedness: Detachedness::Unknown,
                })
                .unwrap();
        }
        let map = builder.intern("map");
        builder.edge(1, named(EdgeType::Internal, map, 2)).unwrap();
        builder.edge(0, named(EdgeType::Element, 1, 1)).unwrap();
        builder.location(Location {
            node: 1,
            script_id: 3,
            line: -1,
            column: 7,
        });
        builder.finish().unwrap()
    }

    #[test]
    fn every_schema_reads_back() {
        let graph = graph();
        for (major, minor) in [
            (7, 8),
            (8, 4),
            (9, 4),
            (10, 2),
            (11, 3),
            (12, 4),
            (13, 6),
            (14, 6),
        ] {
            let schema = Schema::of(V8Version::new(major, minor, 0, 0));
            let out = Mutex::new(Vec::new());
            let written = write(&out, &graph, &schema, &mut |_| true).unwrap();
            let out = out.into_inner().unwrap();
            assert_eq!(out.len() as u64, written);
            let back = read(&out[..], out.len() as u64).unwrap();
            assert_eq!(back.name(1), graph.name(1));
            assert_eq!(back.location(1), graph.location(1));
            let edges: Vec<_> = (0..2).map(|e| back.edge_name(e).into_owned()).collect();
            assert_eq!(edges, ["1", "map"]);
            let shape = match major >= 11 {
                true => NodeType::ObjectShape,
                false => NodeType::Hidden,
            };
            assert_eq!(back.node_type(2), shape);
        }
    }

    #[test]
    fn no_half_file_stays() {
        let directory = std::env::temp_dir().join(format!("v8rs-writer-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let path = directory.join("a.heapsnapshot");
        let schema = Schema::of(V8Version::new(12, 4, 0, 0));
        let graph = graph();
        std::fs::write(&path, "old").unwrap();
        let stopped = write_file(&path, &graph, &schema, &mut |_| false);
        assert_eq!(stopped, Err(Error::Interrupted));
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 1);
        let written = write_file(&path, &graph, &schema, &mut |_| true).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().len(), written);
        assert!(write_file(&directory, &graph, &schema, &mut |_| true).is_err());
        let nowhere = directory.join("no/such/a");
        assert!(write_file(&nowhere, &graph, &schema, &mut |_| true).is_err());
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
