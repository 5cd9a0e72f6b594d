//! Containers in Node's objects that are nodes of their own: their bytes count for themselves and
//! no longer for the object they stand in.

use super::{Class, Extraction, Retainer, Walk};
use crate::graph::extract::names::string_text;
use crate::graph::extract::roots::read_words;
use crate::graph::extract::space::Ordinal;
use crate::graph::extract::{named, plain, EdgeType, NodeId, NodeType, Result, NO_NODE};
use std::ops::Range;

/// Bytes of a `std::set`, of a `std::vector`.
const SET: u64 = 48;
const VECTOR: u64 = 24;
/// A compressor allocates less; addresses are above it.
const ALLOCATED: u64 = 1 << 26;
/// Most elements of a set.
const MOST: u64 = 1 << 16;

impl Extraction<'_, '_> {
    /// Adds the containers of an object; which of its words they are.
    pub(super) fn containers(
        &mut self,
        walk: &mut Walk,
        one: Retainer,
        class: &Class,
        words: &[u64],
    ) -> Result<Vec<Range<usize>>> {
        let mut taken = Vec::new();
        let mut bytes = 0;
        match class.name.as_str() {
            "Environment" | "Realm" | "PrincipalRealm" => {
                self.string_sets(one, words, &mut taken, &mut bytes)?;
                if class.name == "Environment" && !self.source.layout.version.at_least(10, 0) {
                    let hooks = walk.base_objects.len() as u64 + walk.parsers + 1;
                    self.native(one.node, "cleanup_hooks", hooks * 24)?;
                }
            }
            "IsolateData" => self.isolate_data(walk, one, words, &mut taken, &mut bytes)?,
            "AsyncHooks" if self.source.layout.version.at_least(8, 0) => {
                bytes += 32;
                self.native(one.node, "js_promise_hooks", 32)?;
            }
            _ if class.has_parser_buffer => {
                // Once there is one it has this size.
                let vector = words.windows(3).position(|w| {
                    w[0] != 0 && w[0].checked_add(1 << 16) == Some(w[1]) && w[1] <= w[2]
                });
                if let Some(at) = vector {
                    taken.push(at..at + 3);
                    bytes += VECTOR;
                    let size = VECTOR + words[at + 1] - words[at];
                    self.native(one.node, "parser_buffer", size)?;
                }
            }
            name if name.ends_with("Stream") => {
                // What the compressor allocated stands before it: told V8 and not yet told. In
                // Node 24 flags and a handle came between.
                let context = words.iter().position(|word| {
                    let class = walk.classes.get(word);
                    class.is_some_and(|c| c.name.ends_with("Context"))
                });
                let sizes = context.and_then(|context| {
                    [2, 4].into_iter().find_map(|back| {
                        let at = context.checked_sub(back)?;
                        let (told, rest) = (*words.get(at)?, *words.get(at + 1)?);
                        (told < ALLOCATED && rest < ALLOCATED).then_some(told + rest)
                    })
                });
                if let Some(size) = sizes.filter(|size| *size > 0) {
                    self.native(one.node, "zlib_memory", size)?;
                }
            }
            _ => {}
        }
        if bytes > 0 {
            let size = class.size.unwrap_or(0).saturating_sub(bytes);
            self.builder.set_self_size(one.node, size);
        }
        Ok(taken)
    }

    fn native(&mut self, owner: NodeId, name: &str, size: u64) -> Result<NodeId> {
        let text = self.names.intern(&format!("Node / {name}"));
        let node = self.builder.node(plain(NodeType::Native, text, size))?;
        self.internal_edge(owner, name, node)?;
        Ok(node)
    }

    /// The array of names of providers, which begins with "NONE", and what is known by its size
    /// only.
    fn isolate_data(
        &mut self,
        walk: &mut Walk,
        one: Retainer,
        words: &[u64],
        taken: &mut Vec<Range<usize>>,
        bytes: &mut u64,
    ) -> Result<()> {
        let slots = &self.roots.slots;
        let none = words.iter().position(|word| {
            slots
                .get(word)
                .is_some_and(|&(object, _)| string_text(self.heap_object(object)) == "NONE")
        });
        if let Some(start) = none {
            let objects: Vec<Ordinal> = words[start..]
                .iter()
                .map_while(|word| Some(slots.get(word)?.0))
                .collect();
            walk.providers = objects
                .iter()
                .map(|&object| string_text(self.heap_object(object)))
                .collect();
            let objects: Vec<NodeId> = objects
                .into_iter()
                .map(|object| self.nodes.of(object))
                .collect();
            let size = objects.len() as u64 * 8;
            taken.push(start..start + objects.len());
            *bytes += size;
            let node = self.native(one.node, "async_wrap_providers", size)?;
            for (at, object) in objects.into_iter().enumerate() {
                if object != NO_NODE {
                    let index = at as u32 + 1;
                    self.builder
                        .edge(node, named(EdgeType::Element, index, object))?;
                }
            }
        }
        let layout = &self.source.layout.node_snapshot;
        for (name, field, size) in [
            (
                "NodeArrayBufferAllocator",
                "node_allocator",
                layout.array_buffer_allocator_size,
            ),
            ("MultiIsolatePlatform", "platform", layout.platform_size),
        ] {
            if let Ok(size) = size.offset() {
                let name = self.names.intern(&format!("Node / {name}"));
                let node = self.builder.node(plain(NodeType::Native, name, size))?;
                self.internal_edge(one.node, field, node)?;
            }
        }
        Ok(())
    }

    /// Sets of strings: red-black trees whose topmost node points back to the set.
    fn string_sets(
        &mut self,
        one: Retainer,
        words: &[u64],
        taken: &mut Vec<Range<usize>>,
        bytes: &mut u64,
    ) -> Result<()> {
        let names = match self.source.layout.version.at_least(9, 0) {
            true => ["builtins_with_cache", "builtins_without_cache"],
            false => ["native_modules_with_cache", "native_modules_without_cache"],
        };
        let mut names = names.into_iter();
        let mut at = 0;
        while at + 6 <= words.len() {
            let start = at;
            at += 1;
            let header = one.address.wrapping_add(start as u64 * 8 + 8);
            let [_, colour, root, left, _, count] = words[start..start + 6] else {
                break;
            };
            let empty = root == 0 && left == header && count == 0;
            if colour as u32 > 1 || count > MOST || !empty && count == 0 {
                continue;
            }
            let lengths = match empty {
                true => Some(Vec::new()),
                false => self.strings_of(header, root, count),
            };
            let Some(lengths) = lengths else {
                continue;
            };
            let Some(name) = names.next() else {
                return Ok(());
            };
            at = start + 6;
            if lengths.is_empty() {
                continue;
            }
            taken.push(start..start + 6);
            *bytes += SET;
            let node = self.native(one.node, name, SET)?;
            let string = self.names.intern("Node / std::basic_string");
            for (index, length) in lengths.into_iter().enumerate() {
                let text = self.builder.node(plain(NodeType::Native, string, length))?;
                self.builder
                    .edge(node, named(EdgeType::Element, index as u32 + 1, text))?;
            }
        }
        Ok(())
    }

    /// Lengths of the strings of a tree, if it is one.
    fn strings_of(&self, header: u64, root: u64, count: u64) -> Option<Vec<u64>> {
        let memory = self.source.target.memory();
        // Where the text is, the two words behind that, whether it is right there.
        let mut strings = Vec::new();
        let mut left = vec![(root, header)];
        while let Some((node, parent)) = left.pop() {
            // Colour, parent, left, right; then the string.
            let words = read_words(memory, node, 56);
            let [_, up, one, other, text, length, room] = words[..] else {
                return None;
            };
            if up != parent || strings.len() as u64 >= count {
                return None;
            }
            strings.push((text, length, room, text == node.checked_add(48)?));
            let children = [other, one].into_iter().filter(|n| *n != 0);
            left.extend(children.map(|n| (n, node)));
        }
        if strings.len() as u64 != count {
            return None;
        }
        // Strings of the older library are a pointer: length, room and a count stand before the
        // text. In those of the newer one short texts stand in the string.
        let newer = strings.iter().any(|(_, _, _, inside)| *inside);
        strings
            .into_iter()
            .map(|(text, length, room, inside)| {
                let (length, room) = match newer {
                    true => (length, if inside { 15 } else { room }),
                    false => {
                        let header = text.checked_sub(24)?;
                        let (length, room) = (memory.u64(header), memory.u64(header + 8));
                        (length.ok()?, room.ok()?)
                    }
                };
                (length <= room && room < 4096).then_some(length)
            })
            .collect()
    }
}
