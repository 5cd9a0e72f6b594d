//! The graph of an isolate from its heap, as V8's HeapSnapshotGenerator would make it.

mod dispatch;
mod edges;
mod mark;
mod names;
mod natives;
mod roots;
mod shapes;
mod space;

use super::{
    named, Builder, Detachedness, EdgeType, Graph, Location, Node, NodeId, NodeType, StringId,
};
use crate::error::{Error, Result};
use crate::heap::{HeapIndex, ImageOver, Isolate, RootName, Watch};
use crate::metadata::InstanceType;
use crate::object::{
    constructor_name, regexp_source, Cx, HeapObject, Script, SharedFunctionInfo, Tagged,
};
use crate::program::Program;
use crate::target::Target;
use edges::{Edges, NO_NODE};
use mark::{Marker, Marks};
use names::Names;
use roots::{Category, Roots};
use rustc_hash::FxHashMap;
use shapes::{NameOf, Shapes};
use space::{Ordinal, Space};

/// A graph, and what it covers.
pub struct Extracted {
    pub graph: Graph,
    /// Objects on the pages, and those of them that nothing holds.
    pub objects: u64,
    pub garbage: u64,
    pub garbage_bytes: u64,
}

/// Where the parts come from.
pub struct Source<'a> {
    pub target: &'a dyn Target,
    pub program: &'a Program,
    pub layout: &'a crate::metadata::Layout,
    pub index: &'a HeapIndex,
    pub isolate: &'a Isolate,
}

/// Node of the root, of "(GC roots)", and of the first category under it.
const ROOT: NodeId = 0;
const GC_ROOTS: NodeId = 1;
const FIRST_CATEGORY: NodeId = 2;

/// Objects V8 leaves out where it can, by their names in its table of roots.
const INESSENTIAL: [&str; 12] = [
    "the_hole_value",
    "empty_byte_array",
    "empty_fixed_array",
    "empty_weak_fixed_array",
    "empty_descriptor_array",
    "fixed_array_map",
    "cell_map",
    "global_property_cell_map",
    "shared_function_info_map",
    "free_space_map",
    "one_pointer_filler_map",
    "two_pointer_filler_map",
];

/// Builds the graph: of what is alive, or of everything on the pages if `all`.
pub fn extract(source: &Source, all: bool, watch: Watch) -> Result<Extracted> {
    let memory = source.memory();
    let cx = Cx {
        memory: &memory,
        layout: source.layout,
    };
    let mut names = Names::default();
    let found = Found::new(source, cx, &mut names, watch)?;
    watch("marking", 0.2)?;
    let marks = match all {
        true => Marks::all(found.space.len()),
        false => found.alive(),
    };
    watch("naming objects", 0.4)?;
    let mut extraction = Extraction {
        source,
        cx,
        space: found.space,
        shapes: found.shapes,
        names,
        roots: found.roots,
        marks,
        builder: Builder::new(),
        node_of: Vec::new(),
    };
    extraction.nodes()?;
    watch("following references", 0.6)?;
    extraction.edges(watch)?;
    extraction.finish()
}

/// How many objects nothing holds, and their bytes: the marking alone, without a graph.
pub fn count_garbage(source: &Source, watch: Watch) -> Result<(u64, u64)> {
    let memory = source.memory();
    let cx = Cx {
        memory: &memory,
        layout: source.layout,
    };
    let mut names = Names::default();
    let found = Found::new(source, cx, &mut names, watch)?;
    watch("marking", 0.2)?;
    let marks = found.alive();
    let (mut count, mut bytes) = (0, 0u64);
    for object in 0..found.space.len() as Ordinal {
        if !marks.get(object) {
            count += 1;
            bytes = bytes.saturating_add(found.space.size(object));
        }
    }
    Ok((count, bytes))
}

impl<'a> Source<'a> {
    fn memory(&self) -> ImageOver<'a> {
        ImageOver {
            image: &self.index.image,
            target: self.target.memory(),
        }
    }
}

/// Objects, how those of each Map look, and roots.
struct Found<'s> {
    space: Space<'s>,
    shapes: Shapes<'s>,
    roots: Roots,
}

impl<'s> Found<'s> {
    fn new(source: &Source<'s>, cx: Cx<'s>, names: &mut Names, watch: Watch) -> Result<Found<'s>> {
        watch("numbering objects", 0.0)?;
        let space = Space::new(source.index, source.isolate, source.target.memory())?;
        let mut shapes = Shapes::new(cx, &space, names);
        shapes.dispatch = dispatch::DispatchTable::find(source.target, source.layout, &space);
        watch("finding roots", 0.1)?;
        let roots = roots::find(
            source.target,
            source.program,
            source.layout,
            &space,
            source.isolate,
        );
        Ok(Found {
            space,
            shapes,
            roots,
        })
    }

    fn alive(&self) -> Marks {
        let mut marker = Marker::new(&self.space, &self.shapes);
        for root in self.roots.list.iter().filter(|r| r.retains) {
            marker.push(root.object);
        }
        // Read-only space lives for ever.
        for object in 0..self.space.len() as Ordinal {
            if !self.space.is_read_only(object) {
                break;
            }
            marker.push(object);
        }
        marker.run();
        marker.marks
    }
}

struct Extraction<'a, 's> {
    source: &'s Source<'a>,
    cx: Cx<'s>,
    space: Space<'s>,
    shapes: Shapes<'s>,
    names: Names,
    roots: Roots,
    marks: Marks,
    builder: Builder,
    node_of: Vec<NodeId>,
}

fn plain(kind: NodeType, name: StringId, self_size: u64) -> Node {
    Node {
        kind,
        name,
        self_size,
        detachedness: Detachedness::Unknown,
    }
}

impl Extraction<'_, '_> {
    fn nodes(&mut self) -> Result<()> {
        let empty = self.names.intern("");
        let gc_roots = self.names.intern("(GC roots)");
        self.builder.node(plain(NodeType::Synthetic, empty, 0))?;
        self.builder.node(plain(NodeType::Synthetic, gc_roots, 0))?;
        for name in roots::categories(self.source.layout.version) {
            let name = self.names.intern(&name);
            self.builder.node(plain(NodeType::Synthetic, name, 0))?;
        }
        self.node_of = vec![NO_NODE; self.space.len()];
        // Three references and a half is what an object has; room that is not used costs nothing.
        let alive = self.marks.count();
        self.builder.reserve(alive, alive.saturating_mul(7) / 2);
        let no_size_read_only = self.source.layout.version.at_least(13, 0);
        let mut shared_names: FxHashMap<u64, StringId> = FxHashMap::default();
        for object in 0..self.space.len() as Ordinal {
            if !self.marks.get(object) {
                continue;
            }
            let (kind, name) = self.node(object, &mut shared_names);
            let size = match no_size_read_only && self.space.is_read_only(object) {
                true => 0,
                false => self.space.size(object) + self.external_size(object),
            };
            let node = self.builder.node(plain(kind, name, size))?;
            self.builder.set_address(node, self.space.address(object));
            self.node_of[object as usize] = node;
        }
        Ok(())
    }

    /// An external string's characters count for it (from V8 13 on).
    fn external_size(&self, object: Ordinal) -> u64 {
        let map = self.space.map(object);
        let tags = &self.source.layout.tagging;
        let mask = tags.string_representation_mask.known().unwrap_or(7);
        if map.kind != InstanceType::String
            || Some(i64::from(map.number) & mask) != tags.external_string_tag.known()
            || !self.source.layout.version.at_least(13, 0)
        {
            return 0;
        }
        let length = crate::object::JSString(self.heap_object(object))
            .len()
            .unwrap_or(0);
        let encoding = tags.string_encoding_mask.known().unwrap_or(8);
        match Some(i64::from(map.number) & encoding) == tags.one_byte_string_tag.known() {
            true => length,
            false => length * 2,
        }
    }

    fn heap_object(&self, object: Ordinal) -> HeapObject<'_> {
        HeapObject::new(self.cx, self.space.address(object))
    }

    fn node(
        &mut self,
        object: Ordinal,
        shared_names: &mut FxHashMap<u64, StringId>,
    ) -> (NodeType, StringId) {
        let shape = self.shapes.of(self.space.map_index(object));
        let node_type = shape.node_type;
        let address = self.space.address(object);
        let cx = self.cx;
        let heap_object = HeapObject::new(cx, address);
        let names = &mut self.names;
        let name = match shape.name {
            NameOf::Fixed(name) => name,
            NameOf::Text => names.string(heap_object),
            NameOf::Constructor => names.intern(&constructor_name(heap_object).unwrap_or_default()),
            NameOf::Global(suffix) => {
                let name = constructor_name(heap_object).unwrap_or_default();
                names.intern(&(name + suffix))
            }
            NameOf::Function => {
                let shared = heap_object.object_field(cx.layout.js_function.shared);
                match shared {
                    Ok(shared) => shared_name(names, shared, shared_names),
                    Err(_) => names.intern(""),
                }
            }
            NameOf::Shared => shared_name(names, heap_object, shared_names),
            NameOf::Script => {
                let name = Script(heap_object).name().ok().flatten();
                names.intern(&name.unwrap_or_default())
            }
            NameOf::RegExp => match regexp_source(heap_object) {
                Ok(Some(source)) => names.string(source.0),
                _ => names.intern(""),
            },
            NameOf::Oddball => match heap_object.object_field(cx.layout.oddball.to_string) {
                Ok(text) => names.string(text),
                Err(_) => names.intern("system / Oddball"),
            },
            NameOf::Symbol => {
                let mask = cx.layout.symbol.private_mask.known().unwrap_or(1);
                let flags = heap_object.u32_field(cx.layout.symbol.flags).unwrap_or(0);
                return match i64::from(flags) & mask != 0 {
                    true => (NodeType::Hidden, names.intern("private symbol")),
                    false => (NodeType::Symbol, names.intern("symbol")),
                };
            }
            NameOf::Map => {
                let map = crate::object::Map(heap_object);
                let number = map.instance_type_number().unwrap_or(u16::MAX);
                let name = match cx.layout.types.is_string(number) {
                    true => format!("system / Map ({})", string_type_name(cx, number)),
                    false => "system / Map".to_string(),
                };
                let shape = cx.layout.version.at_least(11, 0) && !self.space.is_read_only(object);
                let kind = if shape {
                    NodeType::ObjectShape
                } else {
                    NodeType::Hidden
                };
                return (kind, names.intern(&name));
            }
        };
        (node_type, name)
    }

    fn edges(&mut self, watch: Watch) -> Result<()> {
        let root_edges = self.root_edges()?;
        let mut inessential = Marks::new(self.space.len());
        for object in 0..self.space.len() as Ordinal {
            let kind = self.space.map(object).kind;
            let any_hole = self.source.layout.version.at_least(14, 0);
            let oddball = kind == InstanceType::Oddball || (any_hole && kind == InstanceType::Hole);
            let named = self
                .roots
                .names
                .get(&self.space.address(object))
                .is_some_and(|n| INESSENTIAL.contains(&n.as_str()));
            if oddball || named {
                inessential.set(object);
            }
            if !self.space.is_read_only(object) {
                break;
            }
        }
        let the_hole = self.source.isolate.root(RootName::TheHole)?.0;
        self.tag_builtins();
        let memory = self.source.target.memory();
        let slots = roots::native_context_names(self.source.program, memory);
        let slots = slots
            .into_iter()
            .map(|(index, name)| (index, self.names.intern(&name)))
            .collect();
        let mut edges = Edges::new(
            &self.space,
            &self.shapes,
            &mut self.names,
            &mut self.builder,
            &self.node_of,
            inessential,
            the_hole,
        );
        edges.native_context_names = slots;
        edges.undefined = self.source.isolate.root(RootName::Undefined)?.0;
        for object in 0..self.space.len() as Ordinal {
            if object % (1 << 18) == 0 {
                let share = f64::from(object) / self.space.len() as f64;
                watch("following references", 0.6 + 0.3 * share)?;
            }
            if self.node_of[object as usize] != NO_NODE {
                edges.object(object)?;
            }
        }
        let natives = std::mem::take(&mut edges.natives);
        let key_edges = std::mem::take(&mut edges.key_edges);
        let mut by_address: FxHashMap<u64, NodeId> = FxHashMap::default();
        for part in natives {
            let node = match by_address.get(&part.address) {
                Some(&node) => node,
                None => {
                    let node = self
                        .builder
                        .node(plain(NodeType::Native, part.name, part.size))?;
                    by_address.insert(part.address, node);
                    node
                }
            };
            let edge = named(EdgeType::Internal, part.edge, node);
            self.builder.edge(part.owner, edge)?;
        }
        let mut counts: FxHashMap<NodeId, u32> = FxHashMap::default();
        for (from, to, text) in key_edges {
            let count = counts.entry(from).or_insert(0);
            *count += 1;
            // Any number will do that is new on this node; V8's goes on from its edges.
            let name = self.names.intern(&format!("{}{text}", 1000 + *count));
            self.builder
                .edge(from, named(EdgeType::Internal, name, to))?;
        }
        self.node_natives(root_edges)
    }

    fn tag_builtins(&mut self) {
        let builtins: Vec<(Ordinal, String)> = self
            .roots
            .list
            .iter()
            .filter(|r| r.category == Category::Builtins)
            .filter_map(|r| Some((r.object, r.description.clone()?)))
            .collect();
        let empty = self.names.intern("");
        for (object, name) in builtins {
            let node = self.node_of[object as usize];
            if node != NO_NODE && self.builder.name_of(node) == empty {
                let suffix = match self.source.layout.version.line() {
                    line if line >= (11, 4) => "builtin code",
                    line if line >= (11, 0) => "builtin handle",
                    _ => "builtin",
                };
                let name = format!("({name} {suffix})");
                let name = self.names.intern(&name);
                self.builder.set_name(node, name);
            }
        }
    }

    /// Edges of the roots; how many the topmost node has.
    fn root_edges(&mut self) -> Result<usize> {
        let list = roots::categories(self.source.layout.version);
        let names: Vec<&str> = list.iter().map(String::as_str).collect();
        let mut by_category: Vec<Vec<(EdgeType, Option<String>, NodeId)>> =
            vec![Vec::new(); names.len()];
        let mut globals: Vec<NodeId> = Vec::new();
        for root in &self.roots.list {
            let node = self.node_of[root.object as usize];
            let Some(at) = root.category.index(&names) else {
                continue;
            };
            if node == NO_NODE {
                continue;
            }
            let kind = match root.is_weak {
                true => EdgeType::Weak,
                false => EdgeType::Internal,
            };
            let address = self.space.address(root.object);
            let known = self.roots.names.get(&address).cloned();
            let number = by_category[at].len() + 1;
            let name = known.or_else(|| {
                let description = root.description.as_ref()?;
                Some(format!("{number} / {description}"))
            });
            by_category[at].push((kind, name, node));
            if !root.is_weak && self.space.map(root.object).kind == InstanceType::NativeContext {
                if let Some(global) = self.global_of(root.object) {
                    if !globals.contains(&global) {
                        globals.push(global);
                    }
                }
            }
        }
        self.builder
            .edge(ROOT, named(EdgeType::Element, 1, GC_ROOTS))?;
        let count = globals.len() + 1;
        for (at, global) in globals.into_iter().enumerate() {
            let name = self.names.number(at + 2);
            self.builder
                .edge(ROOT, named(EdgeType::Shortcut, name, global))?;
        }
        for at in 0..by_category.len() {
            let to = FIRST_CATEGORY + at as NodeId;
            self.builder
                .edge(GC_ROOTS, named(EdgeType::Element, at as u32 + 1, to))?;
        }
        for (at, list) in by_category.into_iter().enumerate() {
            for (number, (kind, name, node)) in list.into_iter().enumerate() {
                let name = match name {
                    Some(name) => self.names.intern(&name),
                    None => self.names.number(number + 1),
                };
                self.builder
                    .edge(FIRST_CATEGORY + at as NodeId, named(kind, name, node))?;
            }
        }
        Ok(count)
    }

    /// The global object of a native context; from V8 14 on the context stands for it.
    fn global_of(&self, context: Ordinal) -> Option<NodeId> {
        let layout = self.source.layout;
        let object = match layout.version.at_least(14, 0) {
            true => context,
            false => {
                let index = layout.context.extension_index.offset().ok()?;
                let slots = layout.context.slots.offset().ok()?;
                let word = self
                    .heap_object(context)
                    .tagged_at(slots + index * 8)
                    .ok()?;
                self.space.target(word.0)?
            }
        };
        Some(self.node_of[object as usize]).filter(|&n| n != NO_NODE)
    }

    fn finish(mut self) -> Result<Extracted> {
        self.locations();
        let mut garbage = (0, 0);
        for object in 0..self.space.len() as Ordinal {
            if self.node_of[object as usize] == NO_NODE {
                garbage.0 += 1;
                garbage.1 += self.space.size(object);
            }
        }
        let objects = self.space.len() as u64;
        if self.builder.node_count() <= FIRST_CATEGORY as usize {
            return Err(Error::other("no object was found from the roots"));
        }
        let graph = self.builder.finish_with(self.names.finish())?;
        Ok(Extracted {
            graph,
            objects,
            garbage: garbage.0,
            garbage_bytes: garbage.1,
        })
    }

    /// Where functions are defined, and the constructors of objects.
    fn locations(&mut self) {
        let mut places: FxHashMap<u64, Option<(i32, i32, i32)>> = FxHashMap::default();
        let mut lines: FxHashMap<u64, Vec<u64>> = FxHashMap::default();
        let layout = self.source.layout;
        let mut found = Vec::new();
        let mut scripts = rustc_hash::FxHashSet::default();
        let mut by_map: FxHashMap<u32, Option<u64>> = FxHashMap::default();
        for object in 0..self.space.len() as Ordinal {
            let node = self.node_of[object as usize];
            if node == NO_NODE {
                continue;
            }
            let map = self.space.map_index(object);
            let shape = self.shapes.of(map);
            if !shape.is_js_object {
                continue;
            }
            let function = match shape.kind {
                kind if kind.is_js_function() => Some(self.space.address(object)),
                InstanceType::JSGeneratorObject => {
                    let field = layout.js_generator.function;
                    let function = self.heap_object(object).object_field(field);
                    function.ok().map(|f| f.address)
                }
                _ => *by_map.entry(map).or_insert_with(|| {
                    let info = &self.source.index.maps[map as usize];
                    let map = crate::object::Map(HeapObject::new(self.cx, info.address));
                    let constructor = self.cx.object(map.constructor().ok()?).ok()?;
                    let kind = constructor.instance_type().ok()?;
                    kind.is_js_function().then_some(constructor.address)
                }),
            };
            let Some(function) = function else { continue };
            let function = HeapObject::new(self.cx, function);
            let Ok(shared) = function.object_field(layout.js_function.shared) else {
                continue;
            };
            let place = *places
                .entry(shared.address)
                .or_insert_with(|| place_of(shared, &mut lines));
            if let Some((script_id, line, column)) = place {
                if scripts.insert(script_id) {
                    let script = SharedFunctionInfo(shared).script().ok().flatten();
                    let name = script.and_then(|s| s.name_or_source_url().ok());
                    self.builder.script(script_id, name.unwrap_or_default());
                }
                found.push(Location {
                    node,
                    script_id,
                    line,
                    column,
                });
            }
        }
        for location in found {
            self.builder.location(location);
        }
    }
}

/// Script, line and column (from 0) of a function.
fn place_of(shared: HeapObject, lines: &mut FxHashMap<u64, Vec<u64>>) -> Option<(i32, i32, i32)> {
    let info = SharedFunctionInfo(shared);
    let script = info.script().ok()??;
    let (start, _) = info.position().ok()??;
    let ends = lines
        .entry(script.0.address)
        .or_insert_with(|| script.line_ends().unwrap_or_default());
    let (line, column) = script.line_and_column_in(ends, start).ok()?;
    let id = script.id().ok()?;
    Some((id as i32, line as i32 - 1, column as i32 - 1))
}

fn shared_name(
    names: &mut Names,
    shared: HeapObject,
    known: &mut FxHashMap<u64, StringId>,
) -> StringId {
    *known.entry(shared.address).or_insert_with(|| {
        let name = SharedFunctionInfo(shared).name().unwrap_or_default();
        names.intern(&name)
    })
}

/// V8's name of a string type, from the bits of its number.
fn string_type_name(cx: Cx, number: u16) -> String {
    let tags = &cx.layout.tagging;
    let n = i64::from(number);
    let mask = tags.string_representation_mask.known().unwrap_or(7);
    let form = Some(n & mask);
    let one_byte = Some(n & tags.string_encoding_mask.known().unwrap_or(8))
        == tags.one_byte_string_tag.known();
    let not_internalized = tags.not_internalized_mask.known().unwrap_or(0x20);
    let internalized = n & not_internalized == 0;
    let mut name = String::new();
    let shared = n & 0xff80 == 0 && n & 0x40 != 0;
    if shared {
        name += "Shared";
    }
    if tags
        .uncached_external_mask
        .known()
        .is_some_and(|m| n & m != 0)
        && form == tags.external_string_tag.known()
    {
        name += "Uncached";
    }
    let shape = if form == tags.cons_string_tag.known() {
        "Cons"
    } else if form == tags.external_string_tag.known() {
        "External"
    } else if form == tags.sliced_string_tag.known() {
        "Sliced"
    } else if form == tags.thin_string_tag.known() {
        "Thin"
    } else {
        ""
    };
    // V8 12 turned the names' order about, and said TwoByte and Seq where there was no word.
    let internalized = if internalized { "Internalized" } else { "" };
    if cx.layout.version.at_least(12, 0) {
        let shape = match (shape, internalized) {
            ("", "") => "Seq",
            _ => shape,
        };
        let bytes = if one_byte { "OneByte" } else { "TwoByte" };
        return format!("{name}{shape}{internalized}{bytes}String");
    }
    let thin = form == tags.thin_string_tag.known() && cx.layout.version.at_least(11, 0);
    let bytes = if one_byte && !thin { "OneByte" } else { "" };
    format!("{name}{shape}{bytes}{internalized}String")
}

/// The object at an address of the user's.
pub fn object_address(value: u64) -> u64 {
    match Tagged(value).address() {
        Some(address) => address,
        None => value & !7,
    }
}
