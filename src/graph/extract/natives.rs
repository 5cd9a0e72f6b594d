//! Node's own objects in C++, as its `BuildEmbedderGraph` adds them to a snapshot: the
//! Environment, what belongs to it, and the object behind every wrapper in JavaScript.
//!
//! What Node's `MemoryInfo` functions list is told from the objects' words: a field that is such
//! an object itself, a pointer to one, a handle of V8's. V8's names of the edges are known for
//! some of them only.

mod classes;
mod containers;

use super::roots::read_words;
use super::space::{word_at, Ordinal};
use super::{named, plain, EdgeType, Extraction, NodeId, NodeType, Result, NO_NODE, ROOT};
use crate::object::{Symbol, SymbolKind};
use classes::Class;
use rustc_hash::{FxHashMap, FxHashSet};

/// Instances of a class of which every word is looked at; of those that follow, only the words
/// that led somewhere.
const SAMPLE: u32 = 256;
/// Handles of a wrapper and the Environment or Realm stand in a BaseObject behind its table.
const PERSISTENT_HANDLE: usize = 1;
const OWNER: usize = 2;

/// Fields of the Environment that do not count for it.
const LEFT_OUT: [&str; 4] = ["AsyncHooks", "CleanupQueue", "TickInfo", "ImmediateInfo"];
/// Bytes of a CleanupQueue, and of each hook in it.
const CLEANUP_QUEUE: u64 = 72;
const CLEANUP_HOOK: u64 = 24;

/// What is seen of a class.
#[derive(Default)]
struct Seen {
    instances: u32,
    /// Words that led somewhere.
    used: Vec<bool>,
}

/// A C++ object with a node.
#[derive(Debug, Clone, Copy)]
struct Retainer {
    address: u64,
    table: u64,
    node: NodeId,
}

/// The walk through Node's objects.
struct Walk {
    classes: FxHashMap<u64, Class>,
    nodes: FxHashMap<u64, NodeId>,
    seen: FxHashMap<u64, Seen>,
    work: Vec<Retainer>,
    /// Behind wrappers in JavaScript.
    base_objects: Vec<Retainer>,
    /// `BaseObject::WrappedObject`.
    wrapped_object: u64,
    /// From an object to another it lists.
    lists: FxHashSet<(NodeId, NodeId)>,
    /// Those of HTTP that Node leaves out.
    parsers: u64,
    /// Names of the kinds of asynchronous work, by number.
    providers: Vec<String>,
}

impl Extraction<'_, '_> {
    /// Adds Node's objects; the root has that many edges so far.
    pub(super) fn node_natives(&mut self, root_edges: usize) -> Result<()> {
        let memory = self.source.target.memory();
        let mut walk = Walk {
            classes: classes::classes(self.source.program, memory),
            nodes: FxHashMap::default(),
            seen: FxHashMap::default(),
            work: Vec::new(),
            base_objects: Vec::new(),
            wrapped_object: 0,
            lists: FxHashSet::default(),
            parsers: 0,
            providers: Vec::new(),
        };
        if walk.classes.is_empty() {
            return Ok(());
        }
        let found = self.base_objects(&mut walk);
        let Some(environment) = self.environment(&walk, &found) else {
            return Ok(());
        };
        let mut roots = self.cpp_roots()?;
        let table = memory.u64(environment).unwrap_or(0);
        roots.push(self.retainer(&mut walk, environment, table, true)?);
        for (address, table, object) in found {
            let slot = memory.u64(address.wrapping_add(8)).unwrap_or(0);
            // Held from C++ only. Node 24 and later say so of no wrapper.
            let strong = self.roots.slots.get(&slot).is_some_and(|(_, weak)| !weak)
                && !self.source.layout.version.at_least(13, 0);
            let node = self.retainer(&mut walk, address, table, strong)?;
            if strong {
                roots.push(node);
            }
            let wrapper = self.nodes.of(object);
            let [to, from] = match self.source.layout.version.at_least(10, 2) {
                true => ["native_to_javascript", "javascript_to_native"],
                false => ["wrapped", "wrapper"],
            };
            self.internal_edge(node, to, wrapper)?;
            self.internal_edge(wrapper, from, node)?;
            walk.base_objects.push(Retainer {
                address,
                table,
                node,
            });
        }
        for (at, node) in roots.into_iter().enumerate() {
            let index = (root_edges + at + 1) as u32;
            self.builder
                .edge(ROOT, named(EdgeType::Element, index, node))?;
        }
        while let Some(one) = walk.work.pop() {
            self.visit_retainer(&mut walk, one)?;
        }
        self.name_servers(&walk);
        Ok(())
    }

    fn internal_edge(&mut self, from: NodeId, name: &str, to: NodeId) -> Result<()> {
        let name = self.names.intern(name);
        self.builder.edge(from, named(EdgeType::Internal, name, to))
    }

    /// The node of a C++ object, made now unless there is one.
    fn retainer(
        &mut self,
        walk: &mut Walk,
        address: u64,
        table: u64,
        is_root: bool,
    ) -> Result<NodeId> {
        if let Some(&node) = walk.nodes.get(&address) {
            return Ok(node);
        }
        let class = walk.classes.get(&table);
        let name = class.map_or("", |c| c.name.as_str());
        let kind = match is_root {
            true => NodeType::Synthetic,
            false => NodeType::Native,
        };
        let size = class.and_then(|c| c.size).unwrap_or(0);
        let name = self.names.intern(&format!("Node / {name}"));
        let node = self.builder.node(plain(kind, name, size))?;
        walk.nodes.insert(address, node);
        walk.work.push(Retainer {
            address,
            table,
            node,
        });
        Ok(node)
    }

    /// A socket's class does not tell whether it listens; its provider's number does, which comes
    /// first behind the words of a BaseObject.
    fn name_servers(&mut self, walk: &Walk) {
        let memory = self.source.target.memory();
        let number = |name: &str| walk.providers.iter().position(|p| p == name);
        for object in &walk.base_objects {
            let class = walk.classes.get(&object.table);
            if class.is_none_or(|c| c.name != "TCPWrap") {
                continue;
            }
            let (plain, server) = (number("TCPWRAP"), number("TCPSERVERWRAP"));
            let provider = (24..64).step_by(4).find_map(|at| {
                let number = memory.u32(object.address.checked_add(at)?).ok()? as usize;
                [plain, server].contains(&Some(number)).then_some(number)
            });
            let name = match provider.is_some() && provider == server {
                true => "TCPServerWrap",
                false => "TCPSocketWrap",
            };
            let name = self.names.intern(&format!("Node / {name}"));
            self.builder.set_name(object.node, name);
        }
    }

    /// Objects of C++ that have a wrapper which knows them and which they know.
    fn base_objects(&self, walk: &mut Walk) -> Vec<(u64, u64, Ordinal)> {
        let memory = self.source.target.memory();
        let mut found = Vec::new();
        for &object in &self.embedders {
            let (first, count) = self.shapes.of(self.space.map_index(object)).embedder;
            let bytes = self.space.bytes(object);
            for at in 0..count.min(2) as usize {
                let Some(address) = word_at(bytes, first as usize + at * 8) else {
                    break;
                };
                if address < 4096 || !address.is_multiple_of(8) {
                    continue;
                }
                let words = read_words(memory, address, 16);
                let Some((class, slot)) = words
                    .first()
                    .and_then(|table| walk.classes.get(table))
                    .zip(words.get(PERSISTENT_HANDLE))
                else {
                    continue;
                };
                let handle = self.roots.slots.get(slot);
                if handle.is_some_and(|(held, _)| *held == object) {
                    walk.wrapped_object = class.wrapped_object;
                    // A parser never counts as initialized.
                    match class.name == "Parser" {
                        true => walk.parsers += 1,
                        false => found.push((address, words[0], object)),
                    }
                    break;
                }
            }
        }
        found
    }

    /// The Environment that the objects belong to, directly or through their Realm.
    fn environment(&self, walk: &Walk, found: &[(u64, u64, Ordinal)]) -> Option<u64> {
        let memory = self.source.target.memory();
        let class_at = |address: u64| walk.classes.get(&memory.u64(address).ok()?);
        for &(address, _, _) in found {
            let owner = memory.u64(address.checked_add(OWNER as u64 * 8)?).ok()?;
            let Some(class) = class_at(owner) else {
                continue;
            };
            if class.name == "Environment" {
                return Some(owner);
            }
            if class.name.ends_with("Realm") {
                let words = read_words(memory, owner, class.size? as usize);
                let is_environment = |address: &u64| {
                    address.is_multiple_of(8)
                        && *address > 4096
                        && class_at(*address).is_some_and(|c| c.name == "Environment")
                };
                return words.into_iter().find(is_environment);
            }
        }
        None
    }

    /// What V8's C++ heap adds: no objects here are of it, but its roots are listed.
    fn cpp_roots(&mut self) -> Result<Vec<NodeId>> {
        let names: &[&str] = match self.source.layout.version.line() {
            line if line >= (12, 0) => &[
                "C++ Persistent roots",
                "C++ CrossThreadPersistent roots",
                "C++ native stack roots",
            ],
            line if line >= (11, 0) => &["C++ roots", "C++ cross-thread roots"],
            _ => &[],
        };
        let mut nodes = Vec::new();
        for name in names {
            let name = self.names.intern(name);
            nodes.push(self.builder.node(plain(NodeType::Synthetic, name, 0))?);
        }
        Ok(nodes)
    }

    fn visit_retainer(&mut self, walk: &mut Walk, one: Retainer) -> Result<()> {
        let memory = self.source.target.memory();
        let Some(class) = walk.classes.get(&one.table).cloned() else {
            return Ok(());
        };
        let Some(size) = class.size else {
            return Ok(());
        };
        // The Environment leaves out of its size what has nodes of its own.
        let beyond: u64 = match class.name.as_str() {
            "Environment" => walk
                .classes
                .values()
                .filter(|c| LEFT_OUT.contains(&c.name.as_str()))
                .map(|c| c.size.unwrap_or(CLEANUP_QUEUE))
                .sum(),
            _ => 0,
        };
        let words = read_words(memory, one.address, (size + beyond) as usize);
        let is_base_object = class.wrapped_object == walk.wrapped_object;
        let taken = self.containers(walk, one, &class, &words)?;
        let (sampled, used) = {
            let seen = walk.seen.entry(one.table).or_default();
            seen.instances = seen.instances.saturating_add(1);
            seen.used.resize(words.len(), false);
            (seen.instances > SAMPLE, seen.used.clone())
        };
        let mut at = 1;
        while at < words.len() {
            let (here, word) = (at, words[at]);
            at += 1;
            let skip = taken.iter().any(|range| range.contains(&here))
                || is_base_object && matches!(here, PERSISTENT_HANDLE | OWNER)
                || sampled && !used.get(here).copied().unwrap_or(false);
            if skip || word == 0 {
                continue;
            }
            let mut led = true;
            if let Some(&(object, weak)) = self.roots.slots.get(&word) {
                let node = self.nodes.of(object);
                let unlisted = self.is_unlisted(&class, object);
                if !weak && node != NO_NODE && !unlisted {
                    let name = self.handle_name(&class.name, here, object);
                    self.internal_edge(one.node, &name, node)?;
                }
            } else if let Some(field) = walk.classes.get(&word) {
                // A field that is an object itself.
                let (size, name) = (field.size, field_name(&field.name));
                let base = field.wrapped_object == walk.wrapped_object;
                let inner = one.address.wrapping_add(here as u64 * 8);
                let words_left = (words.len() - here) as u64 * 8;
                if !base && size.is_none_or(|size| size <= words_left) {
                    let node = self.retainer(walk, inner, word, false)?;
                    self.lists(walk, one.node, &name, node)?;
                    self.owned_list(walk, one, inner, node)?;
                    at = here + (size.unwrap_or(8) / 8).max(1) as usize;
                }
            } else {
                led = self.pointer_field(walk, one, &class, word)?;
            }
            if led {
                if let Some(seen) = walk.seen.get_mut(&one.table) {
                    if let Some(used) = seen.used.get_mut(here) {
                        *used = true;
                    }
                }
            }
        }
        Ok(())
    }

    /// A pointer to another object; whether it is one.
    fn pointer_field(
        &mut self,
        walk: &mut Walk,
        one: Retainer,
        class: &Class,
        word: u64,
    ) -> Result<bool> {
        if word < 4096 || !word.is_multiple_of(8) {
            return Ok(false);
        }
        if let Some(&node) = walk.nodes.get(&word) {
            // Back to the owner: Node does not list it.
            let owners = ["Environment", "IsolateData", "PrincipalRealm", "Realm"];
            let name = self.class_name(walk, word);
            let backwards = owners.contains(&name.as_str())
                || owners.contains(&class.name.as_str())
                || name == class.name
                || walk.lists.contains(&(node, one.node));
            if !backwards {
                self.lists(walk, one.node, &field_name(&name), node)?;
            }
            return Ok(true);
        }
        let memory = self.source.target.memory();
        let Ok(table) = memory.u64(word) else {
            return Ok(false);
        };
        let Some(target) = walk.classes.get(&table) else {
            return Ok(false);
        };
        // Those with a wrapper have their nodes already; others are of another isolate.
        let foreign = target.wrapped_object == walk.wrapped_object
            || target.name == "Environment"
            || target.name == class.name
            || target.name.starts_with("Aliased")
            || class.name != "Environment"
                && (target.name == "IsolateData" || target.name.ends_with("Realm"));
        if !foreign {
            let name = field_name(&target.name);
            let node = self.retainer(walk, word, table, false)?;
            self.lists(walk, one.node, &name, node)?;
        }
        Ok(true)
    }

    fn lists(&mut self, walk: &mut Walk, from: NodeId, name: &str, to: NodeId) -> Result<()> {
        walk.lists.insert((from, to));
        self.internal_edge(from, name, to)
    }

    fn class_name(&self, walk: &Walk, address: u64) -> String {
        let memory = self.source.target.memory();
        let table = memory.u64(address).unwrap_or(0);
        let class = walk.classes.get(&table);
        class.map_or_else(String::new, |c| c.name.clone())
    }

    /// A Realm's list of its objects.
    fn owned_list(
        &mut self,
        walk: &mut Walk,
        owner: Retainer,
        list: u64,
        node: NodeId,
    ) -> Result<()> {
        let memory = self.source.target.memory();
        let name = self.class_name(walk, list);
        let realm = walk
            .classes
            .get(&owner.table)
            .is_some_and(|c| c.name.ends_with("Realm"));
        if name == "CleanupQueue" {
            // A hash set: a header, and a callback for each element.
            let count = memory.u64(list.wrapping_add(32)).unwrap_or(0);
            let size = CLEANUP_QUEUE.saturating_add(count.min(1 << 32) * CLEANUP_HOOK);
            self.builder.set_self_size(node, size);
        }
        if realm && matches!(name.as_str(), "CleanupQueue" | "BaseObjectList") {
            let objects = walk.base_objects.clone();
            for (at, object) in objects.into_iter().enumerate() {
                let index = at as u32 + 1;
                self.builder
                    .edge(node, named(EdgeType::Element, index, object.node))?;
            }
        }
        Ok(())
    }

    /// Node lists no handles of undefined and of modules, and of IsolateData no templates and private symbols.
    fn is_unlisted(&self, class: &Class, object: Ordinal) -> bool {
        use crate::metadata::InstanceType as T;
        let private = || {
            let kind = Symbol(self.heap_object(object)).kind();
            !matches!(kind, Ok(SymbolKind::Public))
        };
        match self.space.map(object).kind {
            T::Oddball | T::SourceTextModule | T::SyntheticModule => true,
            _ if class.name != "IsolateData" => false,
            T::Symbol => private(),
            T::FunctionTemplateInfo | T::ObjectTemplateInfo | T::DictionaryTemplateInfo => true,
            _ => false,
        }
    }

    /// Names of IsolateData's handles are those of the strings; of others only the place is known.
    fn handle_name(&self, class: &str, at: usize, object: Ordinal) -> String {
        if class == "IsolateData" {
            let heap_object = self.heap_object(object);
            let text = match Symbol(heap_object).description(64) {
                Ok(Some(text)) => text.units,
                _ => Vec::new(),
            };
            let text = match text.is_empty() {
                true => super::names::string_text(heap_object),
                false => String::from_utf16_lossy(&text),
            };
            let is_name = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
            if !text.is_empty() && text.len() < 64 && text.chars().all(is_name) {
                return format!("{text}_string");
            }
        }
        match class {
            "MessagePort" => "emit_message_fn".to_string(),
            class if class.starts_with("Aliased") => "js_array".to_string(),
            _ => format!("+{:#x}", at * 8),
        }
    }
}

/// "isolate_data" of "IsolateData".
fn field_name(class: &str) -> String {
    let mut name = String::new();
    let mut after_small = false;
    for c in class.chars() {
        if c.is_ascii_uppercase() && after_small {
            name.push('_');
        }
        after_small = !c.is_ascii_uppercase();
        name.push(c.to_ascii_lowercase());
    }
    match name.as_str() {
        "message_port_data" => "data".to_string(),
        "realm" => "principal_realm".to_string(),
        _ => name,
    }
}
