//! Writing a graph as a `.heapsnapshot`, streaming; a file appears under its name only whole.

use super::Schema;
use crate::error::{Error, Result};
use crate::graph::{EdgeType, Graph, NodeId, NodeType};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

const BUFFER: usize = 1 << 20;

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
    let (file, partial) = create_beside(path).map_err(failed)?;
    // Removes the partial file on every way out but the last.
    let mut partial = Partial(Some(partial));
    let mut output = Counted {
        inner: BufWriter::with_capacity(BUFFER, file),
        written: 0,
        error: None,
    };
    let outcome = write(&mut output, graph, schema, progress);
    if let Some(error) = output.error.take() {
        return Err(failed(error));
    }
    outcome?;
    let written = output.written;
    let file = output
        .inner
        .into_inner()
        .map_err(|e| failed(e.into_error()))?;
    // A full disk may only show when the bytes are really given to it.
    file.sync_data().map_err(failed)?;
    drop(file);
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

/// Counts, and keeps the system's error, which says more than ours.
struct Counted<W> {
    inner: W,
    written: u64,
    error: Option<std::io::Error>,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        match self.inner.write(buffer) {
            Ok(n) => {
                self.written += n as u64;
                Ok(n)
            }
            Err(e) => {
                let kind = e.kind();
                self.error = Some(e);
                Err(kind.into())
            }
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

/// Writes `graph` as JSON in `schema`.
pub fn write(
    output: &mut dyn Write,
    graph: &Graph,
    schema: &Schema,
    progress: Progress,
) -> Result<()> {
    let mut writer = Writer {
        output,
        buffer: Vec::with_capacity(BUFFER + 4096),
        done: 0,
        total: (graph.node_count() + graph.edge_count() + graph.strings().len()).max(1),
        progress,
    };
    writer.all(graph, schema)
}

struct Writer<'a, 'p> {
    output: &'a mut dyn Write,
    buffer: Vec<u8>,
    done: usize,
    total: usize,
    progress: Progress<'p>,
}

/// V8's number of a type that a schema does not list: what earlier V8 called such nodes.
fn node_type_number(kind: NodeType, schema: &Schema) -> u8 {
    let number = kind as u8;
    match usize::from(number) < schema.node_types {
        true => number,
        false => NodeType::Hidden as u8,
    }
}

impl Writer<'_, '_> {
    fn flush(&mut self) -> Result<()> {
        self.output
            .write_all(&self.buffer)
            .map_err(|e| Error::other(format!("cannot write the snapshot: {e}")))?;
        self.buffer.clear();
        match (self.progress)(self.done as f64 / self.total as f64) {
            true => Ok(()),
            false => Err(Error::Interrupted),
        }
    }

    fn flush_when_full(&mut self) -> Result<()> {
        self.done += 1;
        match self.buffer.len() >= BUFFER {
            true => self.flush(),
            false => Ok(()),
        }
    }

    fn text(&mut self, text: &str) {
        self.buffer.extend_from_slice(text.as_bytes());
    }

    fn number(&mut self, mut value: u64) {
        let mut digits = [0u8; 20];
        let mut at = digits.len();
        loop {
            at -= 1;
            digits[at] = b'0' + (value % 10) as u8;
            value /= 10;
            if value == 0 {
                break;
            }
        }
        self.buffer.extend_from_slice(&digits[at..]);
    }

    fn field(&mut self, value: u64) {
        self.buffer.push(b',');
        self.number(value);
    }

    fn signed(&mut self, value: i32) {
        if value < 0 {
            self.buffer.push(b'-');
        }
        self.number(u64::from(value.unsigned_abs()));
    }

    fn all(&mut self, graph: &Graph, schema: &Schema) -> Result<()> {
        self.header(graph, schema);
        self.text(",\n\"nodes\":[");
        let width = schema.node_fields().len() as u64;
        let line = schema.lines;
        for node in 0..graph.node_count() as NodeId {
            if node > 0 {
                self.buffer.push(b',');
            }
            self.number(u64::from(node_type_number(graph.node_type(node), schema)));
            // V8 keeps string 0 for a placeholder.
            self.field(u64::from(graph.name_id(node)) + 1);
            self.field(u64::from(graph.id(node)));
            self.field(graph.self_size(node));
            self.field(graph.edge_range(node).len() as u64);
            if schema.trace_node_id {
                self.field(0);
            }
            if schema.detachedness {
                self.field(graph.detachedness(node) as u64);
            }
            if line {
                self.buffer.push(b'\n');
            }
            self.flush_when_full()?;
        }
        self.text("],\n\"edges\":[");
        for number in 0..graph.edge_count() {
            let edge = graph.edge(number);
            if number > 0 {
                self.buffer.push(b',');
            }
            let kind = match edge.kind {
                EdgeType::Invisible => EdgeType::Internal,
                kind => kind,
            };
            self.number(kind as u64);
            let named = u64::from(!edge.kind.is_indexed());
            self.field(u64::from(edge.name_or_index) + named);
            self.field(u64::from(edge.to) * width);
            if line {
                self.buffer.push(b'\n');
            }
            self.flush_when_full()?;
        }
        self.text("],\n\"trace_function_infos\":[],\n\"trace_tree\":[],\n\"samples\":[],\n");
        self.text("\"locations\":[");
        for (number, location) in graph.locations().iter().enumerate() {
            if number > 0 {
                self.buffer.push(b',');
            }
            self.number(u64::from(location.node) * width);
            for value in [location.script_id, location.line, location.column] {
                self.buffer.push(b',');
                self.signed(value);
            }
            if line {
                self.buffer.push(b'\n');
            }
        }
        self.text("],\n\"strings\":[\"<dummy>\"");
        for string in graph.strings().iter() {
            self.text(if line { ",\n" } else { "," });
            escape(string, &mut self.buffer);
            self.flush_when_full()?;
        }
        self.text("]}");
        self.flush()
    }

    fn header(&mut self, graph: &Graph, schema: &Schema) {
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
        self.text("{\"snapshot\":{\"meta\":{");
        self.text(&meta.join(","));
        self.text(&format!(
            "}},\"node_count\":{},\"edge_count\":{},\"trace_function_count\":0",
            graph.node_count(),
            graph.edge_count()
        ));
        if schema.extra_native_bytes {
            self.text(&format!(
                ",\"extra_native_bytes\":{}",
                graph.extra_native_bytes()
            ));
        }
        self.text("}");
    }
}

/// JSON as V8 writes it: control characters and all that is not ASCII as `\u` escapes.
fn escape(string: &str, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let unit = |unit: u16, out: &mut Vec<u8>| {
        out.extend_from_slice(b"\\u");
        for shift in [12, 8, 4, 0] {
            out.push(HEX[usize::from(unit >> shift & 15)]);
        }
    };
    out.push(b'"');
    for char in string.chars() {
        match char {
            '\u{8}' => out.extend_from_slice(b"\\b"),
            '\u{c}' => out.extend_from_slice(b"\\f"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            ' '..='~' => out.push(char as u8),
            _ => {
                for &mut code in char.encode_utf16(&mut [0; 2]) {
                    unit(code, out);
                }
            }
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::{write, write_file};
    use crate::error::Error;
    use crate::graph::snapshot::{read, Schema};
    use crate::graph::{named, Builder, Detachedness, EdgeType, Graph, Location, Node, NodeType};
    use crate::metadata::V8Version;

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
            let mut out = Vec::new();
            write(&mut out, &graph, &schema, &mut |_| true).unwrap();
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
