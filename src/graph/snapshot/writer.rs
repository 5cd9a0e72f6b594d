//! Writing a graph as a `.heapsnapshot`, streaming; a file appears under its name only whole.

use super::Schema;
use crate::error::{Error, Result};
use crate::graph::in_order::{in_order, Weight};
use crate::graph::{EdgeType, Graph, NodeId, NodeType};
use std::fs::File;
use std::io::Write;
use std::ops::Range;
use std::os::fd::IntoRawFd;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

const BUFFER: usize = 1 << 20;
/// Nodes, edges or strings that one thread makes the text of.
const BLOCK: usize = 1 << 13;

/// Bytes of text that may wait to be written.
const READY: usize = 4 << 20;

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
    let mut output = Counted {
        inner: file,
        written: 0,
        error: None,
    };
    let outcome = write(&mut output, graph, schema, progress);
    if let Some(error) = output.error.take() {
        return Err(failed(error));
    }
    outcome?;
    let written = output.written;
    // Some file systems say only here that they have no room.
    // SAFETY: the descriptor is this file's own, and given up by it.
    if unsafe { libc::close(output.inner.into_raw_fd()) } != 0 {
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
        total: (graph.node_count()
            + graph.edge_count()
            + graph.strings().len()
            + graph.locations().len())
        .max(1),
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

const EIGHT: u64 = 100_000_000;

/// The four digits of each number below ten thousand as text, the first in the lowest byte.
static FOUR: [u32; 10_000] = four_digits();

const fn four_digits() -> [u32; 10_000] {
    let mut table = [0; 10_000];
    let mut at = 0;
    while at < table.len() {
        let (a, b, c, d) = (at / 1000, at / 100 % 10, at / 10 % 10, at % 10);
        table[at] = 0x3030_3030 | (a | b << 8 | c << 16 | d << 24) as u32;
        at += 1;
    }
    table
}

/// The eight digits of a number below [`EIGHT`] as text, the first in the lowest byte, and how
/// many of them are zeros in front. All are made at once, so that nothing depends on how many
/// there are: most of a snapshot is numbers.
#[inline(always)]
fn eight_digits(value: u64) -> (u64, u32) {
    let (upper, lower) = (value / 10_000, value % 10_000);
    let four = |digits: u64| u64::from(FOUR.get(digits as usize).copied().unwrap_or(0));
    let digits = four(upper) | four(lower) << 32;
    // The last digit counts in any case.
    let zeros = ((digits ^ 0x3030_3030_3030_3030) | (1 << 56)).trailing_zeros() / 8;
    (digits, zeros)
}

/// Room that a line of seven numbers has.
const LINE: usize = 192;

/// Text in the making. What is made of it is in front; behind it there is room.
#[derive(Default)]
struct Text {
    bytes: Vec<u8>,
    length: usize,
}

impl Text {
    /// Empties it; its memory stays.
    fn clear(&mut self) {
        self.length = 0;
    }

    fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// Appends a line.
    #[inline(always)]
    fn line(&mut self, make: impl FnOnce(&mut Line)) {
        if self.bytes.len() < self.length + LINE {
            self.bytes.resize((self.length + LINE) * 2, 0);
        }
        let room = self.bytes.get_mut(self.length..self.length + LINE);
        if let Some(room) = room.and_then(|room| room.try_into().ok()) {
            let mut line = Line { room, length: 0 };
            make(&mut line);
            self.length += line.length;
        }
    }

    /// Text of any length.
    fn text(&mut self, text: &[u8]) {
        let end = self.length + text.len();
        if self.bytes.len() < end + LINE {
            self.bytes.resize((end + LINE) * 2, 0);
        }
        self.bytes[self.length..end].copy_from_slice(text);
        self.length = end;
    }
}

/// A line in the making: a few numbers, each written in one piece whatever its length. It knows
/// its place by itself, so that the processor need not ask memory for it byte by byte.
struct Line<'t> {
    room: &'t mut [u8; LINE],
    length: usize,
}

impl Line<'_> {
    #[inline(always)]
    fn push(&mut self, byte: u8) {
        if let Some(slot) = self.room.get_mut(self.length) {
            *slot = byte;
            self.length += 1;
        }
    }

    /// The digits but so many in front.
    #[inline(always)]
    fn digits(&mut self, digits: u64, zeros: u32) {
        if let Some(slot) = self.room.get_mut(self.length..self.length + 8) {
            slot.copy_from_slice(&(digits >> (8 * zeros)).to_le_bytes());
            self.length += 8 - zeros as usize;
        }
    }

    #[inline(always)]
    fn number(&mut self, value: u64) {
        if value < EIGHT {
            let (digits, zeros) = eight_digits(value);
            self.digits(digits, zeros);
        } else {
            self.large(value);
        }
    }

    #[inline(always)]
    fn large(&mut self, value: u64) {
        match value / EIGHT {
            upper @ 0..EIGHT => {
                let (digits, zeros) = eight_digits(upper);
                self.digits(digits, zeros);
            }
            upper => {
                let (digits, zeros) = eight_digits(upper / EIGHT);
                self.digits(digits, zeros);
                self.digits(eight_digits(upper % EIGHT).0, 0);
            }
        }
        self.digits(eight_digits(value % EIGHT).0, 0);
    }

    #[inline(always)]
    fn field(&mut self, value: u64) {
        self.push(b',');
        self.number(value);
    }

    /// A number that is mostly one digit.
    #[inline(always)]
    fn small(&mut self, value: u64) {
        match value {
            0..10 => self.push(b'0' + value as u8),
            _ => self.number(value),
        }
    }

    #[inline(always)]
    fn signed(&mut self, value: i32) {
        if value < 0 {
            self.push(b'-');
        }
        self.number(u64::from(value.unsigned_abs()));
    }
}

impl Writer<'_, '_> {
    fn text(&mut self, text: &str) {
        self.buffer.extend_from_slice(text.as_bytes());
    }

    fn flush(&mut self) -> Result<()> {
        let text = std::mem::take(&mut self.buffer);
        let written = self.give(&text, 0);
        self.buffer = text;
        self.buffer.clear();
        written
    }

    /// Writes the text of so many nodes, edges or strings.
    fn give(&mut self, text: &[u8], items: usize) -> Result<()> {
        self.output
            .write_all(text)
            .map_err(|e| Error::other(format!("cannot write the snapshot: {e}")))?;
        self.done += items;
        match (self.progress)(self.done as f64 / self.total as f64) {
            true => Ok(()),
            false => Err(Error::Interrupted),
        }
    }

    /// Writes `count` items, whose text all cores make while what is ready is written.
    fn section(
        &mut self,
        count: usize,
        make: &(dyn Fn(Range<usize>, &mut Text) + Sync),
    ) -> Result<()> {
        // Buffers that were written, to be filled again.
        let spare: Mutex<Vec<Text>> = Mutex::default();
        let spares = || spare.lock().unwrap_or_else(PoisonError::into_inner);
        let block = |_: &mut (), number: usize| {
            let range = number * BLOCK..count.min((number + 1) * BLOCK);
            let mut text = spares().pop().unwrap_or_default();
            text.clear();
            let items = range.len();
            make(range, &mut text);
            (items, text)
        };
        let take = |_, (items, text): (usize, Text)| {
            self.give(text.as_bytes(), items)?;
            spares().push(text);
            Ok(())
        };
        let weight = Weight {
            of: |made: &(usize, Text)| made.1.length,
            most: READY,
        };
        let blocks = count.div_ceil(BLOCK);
        in_order(blocks, weight, |_| (), block, || Ok(()), take)
    }

    fn all(&mut self, graph: &Graph, schema: &Schema) -> Result<()> {
        self.header(graph, schema);
        self.text(",\n\"nodes\":[");
        self.flush()?;
        let width = schema.node_fields().len() as u64;
        let line = schema.lines;
        self.section(graph.node_count(), &|range, text| {
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
        self.text("],\n\"edges\":[");
        self.flush()?;
        self.section(graph.edge_count(), &|range, text| {
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
        self.text(
            "],\n\"trace_function_infos\":[],\n\"trace_tree\":[],\n\"samples\":[],\n\"locations\":[",
        );
        self.flush()?;
        let locations = graph.locations();
        self.section(locations.len(), &|range, text| {
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
        self.text("],\n\"strings\":[\"<dummy>\"");
        self.flush()?;
        let strings = graph.strings();
        self.section(strings.len(), &|range, text| {
            for id in range {
                text.text(if line { b",\n" } else { b"," });
                escape(strings.get(id as u32), text);
            }
        })?;
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
fn escape(string: &str, out: &mut Text) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let unit = |unit: u16, out: &mut Text| {
        out.text(b"\\u");
        for shift in [12, 8, 4, 0] {
            out.text(&[HEX[usize::from(unit >> shift & 15)]]);
        }
    };
    out.text(b"\"");
    let mut rest = string;
    loop {
        let plain = |b: &u8| matches!(b, b' '..=b'~') && !matches!(b, b'"' | b'\\');
        let run = rest.bytes().take_while(|b| plain(b)).count();
        // What is plain is ASCII: the cut is between characters.
        let (text, special) = rest.split_at(run);
        out.text(text.as_bytes());
        let mut chars = special.chars();
        match chars.next() {
            None => break,
            Some('\u{8}') => out.text(b"\\b"),
            Some('\u{c}') => out.text(b"\\f"),
            Some('\n') => out.text(b"\\n"),
            Some('\r') => out.text(b"\\r"),
            Some('\t') => out.text(b"\\t"),
            Some('"') => out.text(b"\\\""),
            Some('\\') => out.text(b"\\\\"),
            Some(char) => {
                for &mut code in char.encode_utf16(&mut [0; 2]) {
                    unit(code, out);
                }
            }
        }
        rest = chars.as_str();
    }
    out.text(b"\"");
}

#[cfg(test)]
mod tests {
    use super::{write, write_file, Text};
    use crate::error::Error;
    use crate::graph::snapshot::{read, Schema};
    use crate::graph::{named, Builder, Detachedness, EdgeType, Graph, Location, Node, NodeType};
    use crate::metadata::V8Version;

    #[test]
    fn numbers_are_written_as_everyone_writes_them() {
        let mut values: Vec<u64> = (0..20).map(|n| 10u64.pow(n)).collect();
        values.extend(
            values
                .clone()
                .iter()
                .flat_map(|v| [v - 1, v / 8 * 9, v / 3 * 2]),
        );
        values.extend((0..100_000u64).map(|n| n * 2_654_435_761 % 100_000_000));
        values.extend([0, 90, 99_999_999, 100_000_000, 1 << 32, u64::MAX]);
        for value in values {
            for small in [false, true] {
                let mut text = Text::default();
                text.line(|line| match small {
                    true => line.small(value),
                    false => line.number(value),
                });
                assert_eq!(text.as_bytes(), value.to_string().as_bytes());
            }
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
