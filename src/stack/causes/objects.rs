//! One step up from what an object of the program or of Node's holds.

use super::holders::{Holders, Reference};
use super::names::{Held, Name, NONE};
use super::nodes::{Link, Mode, NodeId, What};
use super::{Key, Rank};
use crate::metadata::InstanceType;
use crate::object::OddballKind;

impl<'a> Holders<'a, '_> {
    /// The class of what is held; of a function none.
    pub(super) fn class_of(&mut self, target: NodeId, mode: Mode) -> Name {
        match (mode, self.nodes.what(target).mode()) {
            (Mode::Function | Mode::Promise, _) => NONE,
            (Mode::Container(_), _) | (Mode::Object(_), _) | (Mode::Instance, _) => {
                let what = self.nodes.what(target);
                let is_part = matches!(
                    what,
                    What::Elements(_) | What::Stored(..) | What::Entry(..) | What::Cell(_)
                );
                match is_part {
                    // Of what is in the part it is not known any more.
                    true => NONE,
                    false => match self.target(target) {
                        Some(held) => self.names.class(held),
                        None => NONE,
                    },
                }
            }
        }
    }

    pub(super) fn in_object(
        &mut self,
        found: Reference<'a>,
        kind: InstanceType,
        what: What,
        mode: Mode,
        out: &mut Vec<Link>,
    ) {
        use InstanceType as T;
        let holder = found.holder;
        let layout = self.cx.layout;
        let is_properties = Self::is_at(found, layout.js_object.properties_or_hash);
        let is_table = matches!(kind, T::JSMap | T::JSSet | T::JSWeakMap | T::JSWeakSet)
            && Self::is_at(found, layout.js_collection.table);
        let is_elements = Self::is_at(found, layout.js_object.elements);
        // What a value of a property is called.
        let name = match what {
            _ if is_table || is_elements => NONE,
            What::Stored(offset, _) if is_properties => {
                self.names.property_stored(found.held(), u64::from(offset))
            }
            What::Entry(key, _) if is_properties => key,
            What::Elements(_) | What::Stored(..) | What::Entry(..) | What::Cell(_) => NONE,
            _ => self.names.property_at(found.held(), found.offset),
        };
        if mode == Mode::Promise {
            if self.names.is_native(found.held()) {
                let class = self.names.class(found.held());
                out.push(self.end(Rank::Sure, Key::Native(class)));
            }
            return;
        }
        if is_table {
            out.push(self.node(holder, What::Container(what.key())));
            return;
        }
        if is_elements && matches!(kind, T::JSArray) {
            let key = match mode {
                Mode::Container(key) | Mode::Object(key) => key,
                _ => NONE,
            };
            out.push(self.node(holder, What::Container(key)));
            return;
        }
        if !is_elements && name == NONE {
            out.push(Link::Unsure);
            return;
        }
        if kind.is_js_function() {
            self.as_property(found, mode, name, out);
            return;
        }
        if let Some(link) = self.special(found.held(), mode, name) {
            out.push(link);
            return;
        }
        if self.names.is_plain(found.held()) {
            self.in_plain(found, mode, name, out);
        } else {
            self.as_property(found, mode, name, out);
        }
    }

    /// What is known of Node's own classes.
    fn special(&mut self, holder: Held<'a>, mode: Mode, name: Name) -> Option<Link> {
        let class = self.names.class(holder);
        let event = match (mode, self.names.text(name)) {
            (Mode::Object(key), "_events") => key,
            (Mode::Container(key), "Symbol(kEvents)") => key,
            _ => NONE,
        };
        if event != NONE {
            return Some(self.end(Rank::Sure, Key::Event { name: event, class }));
        }
        let timer = match self.names.text(class) {
            "Timeout" => Some(true),
            "Immediate" => Some(false),
            _ => None,
        };
        if let Some(is_timeout) = timer {
            let destroyed = self.names.own(holder, "_destroyed")?;
            let destroyed = self.cx.object(destroyed).and_then(OddballKind::of);
            if destroyed == Ok(Some(OddballKind::True)) {
                return None;
            }
            if !is_timeout {
                return Some(self.end(Rank::Sure, Key::Immediate));
            }
            let repeat = self.names.own(holder, "_repeat")?;
            let repeats = !crate::object::is_null(self.cx, repeat);
            let cause = self.cause(Key::Timer { repeats });
            return Some(Link::End(cause, Rank::Sure, holder.object.address));
        }
        if matches!(
            self.names.text(class),
            "DefaultReadRequest" | "ReadIntoRequest"
        ) {
            return Some(self.end(Rank::Sure, Key::StreamRead));
        }
        // What something in C++ belongs to is not what it calls.
        let is_owner = mode == Mode::Instance && self.names.text(name).starts_with("Symbol(owner");
        if self.names.is_native(holder) && self.names.text(class) != "Object" && !is_owner {
            return Some(self.end(Rank::Sure, Key::Native(class)));
        }
        None
    }

    /// In an object without a class.
    fn in_plain(&mut self, found: Reference<'a>, mode: Mode, name: Name, out: &mut Vec<Link>) {
        let holder = found.holder;
        let key = match self.names.is_table(found.held()) {
            true => name,
            false => NONE,
        };
        match mode {
            Mode::Function | Mode::Object(_) => out.push(self.node(holder, What::Object(key))),
            Mode::Container(_) => {
                let class = self.class_of(found.target, mode);
                let of = NONE;
                out.push(self.end(Rank::Property, Key::Property { class, of, name }));
                out.push(self.node(holder, What::Object(key)));
            }
            Mode::Instance if self.is_of(found.target, "Listener") => {
                out.push(self.node(holder, What::Object(key)));
            }
            _ => {}
        }
    }

    /// In an object of a class, or as a property of a function.
    fn as_property(&mut self, found: Reference<'a>, mode: Mode, name: Name, out: &mut Vec<Link>) {
        let of = match found.kind.is_js_function() {
            true => NONE,
            false => self.names.class(found.held()),
        };
        let is_listener = self.names.text(of) == "Listener";
        let class = self.class_of(found.target, mode);
        let key = Key::Property { class, of, name };
        match mode {
            Mode::Container(_) => out.push(self.end(Rank::Held, key)),
            Mode::Function | Mode::Object(_) => {
                if !is_listener {
                    out.push(self.end(Rank::Property, key));
                }
                if !found.kind.is_js_function() {
                    out.push(self.node(found.holder, What::Instance));
                }
            }
            Mode::Instance if is_listener && self.is_of(found.target, "Listener") => {
                out.push(self.node(found.holder, What::Instance));
            }
            _ => {}
        }
    }

    /// Whether it is of a class of Node's.
    pub(super) fn is_of(&mut self, target: NodeId, name: &str) -> bool {
        let Some(held) = self.target(target) else {
            return false;
        };
        let class = self.names.class(held);
        self.names.text(class) == name
    }
}
