//! Reading a snapshot file: one pass, by the file's own `meta`, nothing trusted.

use super::json::Scanner;
use super::meta::{enum_names, Header};
use crate::error::{Error, Result};
use crate::graph::{
    Builder, Detachedness, Edge, EdgeType, Graph, Location, Node, NodeId, NodeType, Strings,
};
use std::io::Read;
use std::path::Path;

/// Longest header taken; real ones have about 1500 bytes.
const MAX_HEADER: usize = 1 << 20;
/// Most columns of a node or edge.
const MAX_FIELDS: usize = 64;

/// Reads the snapshot in `path`.
pub fn read_file(path: &Path) -> Result<Graph> {
    let open = |e| Error::other(format!("cannot read {}: {e}", path.display()));
    let file = std::fs::File::open(path).map_err(open)?;
    let length = file.metadata().map_err(open)?.len();
    read(file, length).map_err(|e| Error::other(format!("{}: {e}", path.display())))
}

/// Reads a snapshot of about `length` bytes; that bounds what is allocated in advance.
pub fn read(input: impl Read, length: u64) -> Result<Graph> {
    let mut reader = Reader {
        scanner: Scanner::new(input),
        length,
        header: None,
        builder: Builder::new(),
        edge_counts: Vec::new(),
        edges_read: false,
        root: 0,
        locations: Vec::new(),
        strings: None,
    };
    reader.members()?;
    reader.finish()
}

struct Reader<R> {
    scanner: Scanner<R>,
    length: u64,
    header: Option<Header>,
    builder: Builder,
    edge_counts: Vec<u32>,
    edges_read: bool,
    root: NodeId,
    locations: Vec<Location>,
    strings: Option<Strings>,
}

/// Where the columns of a row are.
struct Columns<const N: usize> {
    at: [Option<usize>; N],
    width: usize,
}

impl<const N: usize> Columns<N> {
    fn new(fields: &[String], names: [&str; N]) -> Result<Columns<N>> {
        if fields.is_empty() || fields.len() > MAX_FIELDS {
            return Err(Error::other("not a heap snapshot: no fields in its meta"));
        }
        Ok(Columns {
            at: names.map(|name| fields.iter().position(|f| f == name)),
            width: fields.len(),
        })
    }

    fn require(&self, needed: usize, what: &str) -> Result<()> {
        match self.at.iter().take(needed).all(Option::is_some) {
            true => Ok(()),
            false => Err(Error::other(format!(
                "not a heap snapshot: its meta lacks a field of every {what}"
            ))),
        }
    }

    fn get(&self, row: &[u64], column: usize) -> u64 {
        self.at
            .get(column)
            .copied()
            .flatten()
            .and_then(|at| row.get(at))
            .copied()
            .unwrap_or(0)
    }
}

fn number_u32(value: u64, what: &str) -> Result<u32> {
    u32::try_from(value)
        .map_err(|_| Error::other(format!("not a heap snapshot: {what} {value} is too large")))
}

impl<R: Read> Reader<R> {
    fn members(&mut self) -> Result<()> {
        self.scanner.expect(b'{')?;
        let mut first = true;
        while let Some(key) = self.scanner.key(first)? {
            first = false;
            match key.as_str() {
                "snapshot" => self.snapshot()?,
                "nodes" => self.nodes()?,
                "edges" => self.edges()?,
                "locations" => self.read_locations()?,
                "strings" => self.read_strings()?,
                _ => self.scanner.skip()?,
            }
        }
        Ok(())
    }

    fn snapshot(&mut self) -> Result<()> {
        let text = self.scanner.value_text(MAX_HEADER)?;
        let header = serde_json::from_slice(&text)
            .map_err(|e| Error::other(format!("not a heap snapshot: its header: {e}")))?;
        self.header = Some(header);
        Ok(())
    }

    fn header(&self) -> Result<&Header> {
        self.header
            .as_ref()
            .ok_or_else(|| Error::other("not a heap snapshot: no header before its data"))
    }

    fn nodes(&mut self) -> Result<()> {
        if self.builder.node_count() > 0 {
            return Err(self.scanner.error("nodes are given twice"));
        }
        let header = self.header()?;
        let meta = &header.meta;
        let names = [
            "type",
            "name",
            "id",
            "self_size",
            "edge_count",
            "detachedness",
        ];
        let columns = Columns::new(&meta.node_fields, names)?;
        columns.require(5, "node")?;
        let types: Vec<NodeType> = enum_names(&meta.node_types, columns.at[0].unwrap_or(0))
            .into_iter()
            .map(NodeType::from_name)
            .collect();
        let width = columns.width;
        if header.root_index % width as u64 != 0 {
            return Err(Error::other("not a heap snapshot: its root is no node"));
        }
        let root = number_u32(header.root_index / width as u64, "root")?;
        // A number takes two bytes at least.
        let most = self.length / (2 * width as u64);
        let expected = header.node_count.min(most) as usize;
        let expected_edges = header.edge_count.min(self.length / 6) as usize;
        let builder = &mut self.builder;
        builder.reserve(expected, expected_edges);
        let mut edge_counts = Vec::with_capacity(expected);
        let mut row = [0u64; MAX_FIELDS];
        let mut filled = 0;
        self.scanner.integers(|value| {
            row[filled] = value;
            filled += 1;
            if filled < width {
                return Ok(());
            }
            filled = 0;
            let row = &row[..width];
            builder.node(Node {
                kind: types
                    .get(columns.get(row, 0) as usize)
                    .copied()
                    .unwrap_or(NodeType::Unknown),
                name: number_u32(columns.get(row, 1), "name")?,
                self_size: columns.get(row, 3),
                detachedness: match columns.get(row, 5) {
                    1 => Detachedness::Attached,
                    2 => Detachedness::Detached,
                    _ => Detachedness::Unknown,
                },
            })?;
            builder.push_id(number_u32(columns.get(row, 2), "id")?);
            edge_counts.push(number_u32(columns.get(row, 4), "edge count")?);
            Ok(())
        })?;
        if filled != 0 {
            return Err(self.scanner.error("the last node is incomplete"));
        }
        self.edge_counts = edge_counts;
        self.root = root;
        Ok(())
    }

    fn edges(&mut self) -> Result<()> {
        if self.edges_read {
            return Err(self.scanner.error("edges are given twice"));
        }
        self.edges_read = true;
        let header = self.header()?;
        let meta = &header.meta;
        let columns = Columns::new(&meta.edge_fields, ["type", "name_or_index", "to_node"])?;
        columns.require(3, "edge")?;
        let types: Vec<EdgeType> = enum_names(&meta.edge_types, columns.at[0].unwrap_or(0))
            .into_iter()
            .map(EdgeType::from_name)
            .collect();
        let width = columns.width;
        let node_width = meta.node_fields.len().max(1) as u64;
        let nodes = self.builder.node_count() as u64;
        let builder = &mut self.builder;
        let counts = &self.edge_counts;
        let (mut from, mut left) = (0usize, counts.first().copied().unwrap_or(0));
        let mut row = [0u64; MAX_FIELDS];
        let mut filled = 0;
        self.scanner.integers(|value| {
            row[filled] = value;
            filled += 1;
            if filled < width {
                return Ok(());
            }
            filled = 0;
            let row = &row[..width];
            while left == 0 {
                from += 1;
                left = *counts.get(from).ok_or_else(|| {
                    Error::other("not a heap snapshot: it has more edges than its nodes say")
                })?;
            }
            left -= 1;
            let to = columns.get(row, 2);
            if to % node_width != 0 || to / node_width >= nodes {
                return Err(Error::other(format!(
                    "not a heap snapshot: an edge leads to {to}, which is no node"
                )));
            }
            let kind = types
                .get(columns.get(row, 0) as usize)
                .copied()
                .unwrap_or(EdgeType::Invisible);
            let edge = Edge {
                kind,
                name_or_index: number_u32(columns.get(row, 1), "edge name")?,
                to: (to / node_width) as NodeId,
            };
            builder.edge(from as NodeId, edge)
        })?;
        if filled != 0 || left != 0 || counts.iter().skip(from + 1).any(|&c| c != 0) {
            return Err(self.scanner.error("edges are missing"));
        }
        self.edge_counts = Vec::new();
        Ok(())
    }

    fn read_locations(&mut self) -> Result<()> {
        let header = self.header()?;
        let fields = &header.meta.location_fields;
        if fields.is_empty() {
            return self.scanner.skip();
        }
        let columns = Columns::new(fields, ["object_index", "script_id", "line", "column"])?;
        let width = columns.width;
        let node_width = header.meta.node_fields.len().max(1) as u64;
        let locations = &mut self.locations;
        let mut row = [0u64; MAX_FIELDS];
        let mut filled = 0;
        self.scanner.integers(|value| {
            row[filled] = value;
            filled += 1;
            if filled == width {
                filled = 0;
                let row = &row[..width];
                locations.push(Location {
                    node: number_u32(columns.get(row, 0) / node_width, "location")?,
                    script_id: columns.get(row, 1) as i32,
                    line: columns.get(row, 2) as i32,
                    column: columns.get(row, 3) as i32,
                });
            }
            Ok(())
        })
    }

    fn read_strings(&mut self) -> Result<()> {
        let mut strings = Strings::default();
        let mut text = Vec::new();
        self.scanner.expect(b'[')?;
        if !self.scanner.accept(b']')? {
            loop {
                self.scanner.string(&mut text)?;
                match std::str::from_utf8(&text) {
                    Ok(text) => strings.push(text),
                    Err(_) => strings.push(&String::from_utf8_lossy(&text)),
                };
                if self.scanner.accept(b']')? {
                    break;
                }
                self.scanner.expect(b',')?;
            }
        }
        self.strings = Some(strings);
        Ok(())
    }

    fn finish(mut self) -> Result<Graph> {
        let missing = |what| Error::other(format!("not a heap snapshot: it has no {what}"));
        let extra = self.header()?.extra_native_bytes;
        let strings = self.strings.ok_or_else(|| missing("strings"))?;
        if self.builder.node_count() == 0 {
            return Err(missing("nodes"));
        }
        if !self.edges_read && self.edge_counts.iter().any(|&c| c != 0) {
            return Err(missing("edges"));
        }
        if self.root as usize >= self.builder.node_count() {
            return Err(Error::other("not a heap snapshot: its root is no node"));
        }
        self.builder.extra_native_bytes(extra);
        for location in self.locations {
            self.builder.location(location);
        }
        let mut graph = self.builder.finish_with(strings)?;
        graph.root = self.root;
        Ok(graph)
    }
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::graph::{EdgeType, NodeType};

    const SMALL: &str = r#"{"snapshot":{"meta":{"node_fields":["type","name","id","self_size","edge_count","detachedness"],"node_types":[["hidden","object","synthetic","new kind"],"string","number","number","number","number"],"edge_fields":["type","name_or_index","to_node"],"edge_types":[["element","property"],"string_or_number","node"],"location_fields":["object_index","script_id","line","column"]},"node_count":99999999999,"edge_count":3},
"nodes":[2,0,1,0,2,0,1,1,3,5000000000,1,2,3,2,5,16,0,0],
"edges":[0,7,6,1,1,12,1,0,6],"trace_tree":[1,{"a":"]"}],"samples":[],
"locations":[6,3,10,-1],
"strings":["","A\u00e9","\ud83d\ude00"]}"#;

    fn read_text(text: &str) -> crate::error::Result<crate::graph::Graph> {
        read(text.as_bytes(), text.len() as u64)
    }

    #[test]
    fn by_its_own_meta() {
        let graph = read_text(SMALL).unwrap();
        assert_eq!((graph.node_count(), graph.edge_count()), (3, 3));
        assert_eq!(graph.node_type(1), NodeType::Object);
        assert_eq!(graph.node_type(2), NodeType::Unknown);
        assert_eq!((graph.name(1), graph.self_size(1)), ("Aé", 5_000_000_000));
        assert_eq!(graph.name(2), "😀");
        assert_eq!(graph.edge_range(0), 0..2);
        assert_eq!(
            (graph.edge_type(0), graph.edge_name(0).as_ref()),
            (EdgeType::Element, "7")
        );
        assert_eq!((graph.edge_from(2), graph.edge_to(2)), (1, 1));
        assert_eq!(
            graph.location(1).map(|l| (l.line, l.column)),
            Some((10, -1))
        );
    }

    #[test]
    fn hostile_files_are_refused() {
        for cut in 0..SMALL.len() {
            if SMALL.is_char_boundary(cut) {
                assert!(read_text(&SMALL[..cut]).is_err(), "cut at {cut}");
            }
        }
        for (good, bad) in [
            ("\"edges\":[0,7,6", "\"edges\":[0,7,60"),
            ("\"edges\":[0,7,6", "\"edges\":[0,7,5"),
            ("\"nodes\":[2,0,1,0,2", "\"nodes\":[2,0,1,0,1"),
            ("\"nodes\":[2,0,1,0,2", "\"nodes\":[2,0,1,0,4000000000"),
            ("\"self_size\"", "\"size\""),
            ("[2,0,1", "[2,99999999999,1"),
        ] {
            let text = SMALL.replacen(good, bad, 1);
            assert_ne!(text, SMALL);
            assert!(read_text(&text).is_err(), "{bad}");
        }
    }
}
