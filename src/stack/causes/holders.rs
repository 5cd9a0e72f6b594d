//! One step up: what it means that an object holds something that is on the way to settle a promise.

use super::names::{Held, Name, Names, NONE};
use super::nodes::{Link, Mode, NodeId, Nodes, What};
use super::{CauseId, Key, Rank};
use crate::heap::place::{self, Inner};
use crate::metadata::{Constant, InstanceType};
use crate::object::{
    Context, Cx, HeapObject, JSFunction, JSGeneratorObject, JSPromise, OddballKind, PromiseState,
};
use crate::stack::async_frames::Closures;
use crate::stack::pending::{Settled, Waits};
use rustc_hash::FxHashMap;

pub struct Holders<'a, 'w> {
    pub cx: Cx<'a>,
    pub closures: Closures<'w>,
    pub waits: &'w mut Waits,
    pub names: Names<'a>,
    pub nodes: Nodes,
    keys: Vec<Key>,
    by_key: FxHashMap<Key, CauseId>,
}

/// A reference that was found, and what it is to.
#[derive(Clone, Copy)]
pub struct Reference<'a> {
    pub holder: HeapObject<'a>,
    /// Address of its Map, and its type.
    pub map: u64,
    pub kind: InstanceType,
    pub number: u16,
    pub offset: u64,
    pub target: NodeId,
}

impl<'a> Reference<'a> {
    pub(super) fn held(self) -> Held<'a> {
        Held {
            object: self.holder,
            map: self.map,
        }
    }
}

impl<'a, 'w> Holders<'a, 'w> {
    pub fn new(cx: Cx<'a>, closures: Closures<'w>, waits: &'w mut Waits) -> Holders<'a, 'w> {
        Holders {
            cx,
            closures,
            waits,
            names: Names::new(cx),
            nodes: Nodes::default(),
            keys: Vec::new(),
            by_key: FxHashMap::default(),
        }
    }

    pub fn key(&self, id: CauseId) -> Option<&Key> {
        self.keys.get(id as usize)
    }

    pub(super) fn cause(&mut self, key: Key) -> CauseId {
        let Holders { keys, by_key, .. } = self;
        *by_key.entry(key).or_insert_with_key(|key| {
            keys.push(key.clone());
            keys.len() as CauseId - 1
        })
    }

    pub(super) fn end(&mut self, rank: Rank, key: Key) -> Link {
        Link::End(self.cause(key), rank, 0)
    }

    pub(super) fn node(&mut self, object: HeapObject<'a>, what: What) -> Link {
        Link::Up(self.nodes.node(object.address, what))
    }

    /// What the reference leads to.
    pub fn links(&mut self, found: Reference<'a>, out: &mut Vec<Link>) {
        let what = self.nodes.what(found.target);
        match what {
            What::Promise => self.of_promise(found, out),
            What::Builtins => self.of_builtins(found, out),
            What::Variable(name) => self.of_variable(found, name, out),
            What::Capability => match found.kind {
                InstanceType::PromiseReaction => out.push(self.node(found.holder, What::Reaction)),
                kind if kind.is_context() => self.in_context(found, Mode::Function, out),
                _ => {}
            },
            What::Reaction => self.of_reaction(found, out),
            What::Request => self.of_request(found, out),
            _ => {
                if let Some(mode) = what.mode() {
                    self.of_value(found, what, mode, out);
                }
            }
        }
    }

    pub(super) fn is_at(found: Reference, field: Constant) -> bool {
        field.known() == i64::try_from(found.offset).ok()
    }

    /// Only few things that hold a promise can settle it.
    fn of_promise(&mut self, found: Reference<'a>, out: &mut Vec<Link>) {
        use InstanceType as T;
        match found.kind {
            T::AsyncGeneratorRequest => out.push(self.node(found.holder, What::Request)),
            T::JSAsyncFunctionObject
                if Self::is_at(found, self.cx.layout.js_generator.async_function_promise) =>
            {
                out.extend(self.function(found.holder, Rank::Sure));
            }
            T::PromiseFulfillReactionJobTask
            | T::PromiseRejectReactionJobTask
            | T::PromiseResolveThenableJobTask => out.push(self.end(Rank::Sure, Key::Microtask)),
            T::SourceTextModule | T::SyntheticModule => {
                out.push(self.end(Rank::Sure, Key::Module));
            }
            T::OrderedHashSet | T::OrderedHashMap | T::PropertyArray => {
                self.in_part(found, found.kind, Mode::Promise, out);
            }
            T::Unknown => out.push(Link::Unsure),
            kind if kind.is_context() => {
                let context = Context(found.holder);
                let Some(is_first) = self.is_slot(found, self.cx.layout.promise_functions.promise)
                else {
                    return;
                };
                match self.names.is_synthetic(context) {
                    Some(true) if is_first && self.is_resolved(context) => return,
                    Some(true) => {}
                    Some(false) => return,
                    None => {
                        out.push(Link::Unsure);
                        return;
                    }
                }
                out.push(self.node(found.holder, What::Builtins));
            }
            // As a property: PromiseWrap has it in a field of its own, and settles nothing.
            kind if self.is_object(found) && !kind.is_js_function() => {
                let is_native = self.names.is_native(found.held());
                if is_native && self.names.property_at(found.held(), found.offset) != NONE {
                    let class = self.names.class(found.held());
                    out.push(self.end(Rank::Sure, Key::Native(class)));
                }
            }
            _ => {}
        }
    }

    /// Whether the reference is in a slot, counted from the first that is not every Context's.
    fn is_slot(&self, found: Reference, slot: Constant) -> Option<bool> {
        let layout = &self.cx.layout.context;
        let at = found.offset.checked_sub(layout.slots.offset().ok()?)? / 8;
        let own = at.checked_sub(layout.first_slot_index.offset().ok()?)?;
        Some(slot.offset().ok()? == own)
    }

    /// Whether the functions of a Context that resolve a promise have been called.
    fn is_resolved(&self, context: Context) -> bool {
        let layout = self.cx.layout;
        let read = || {
            let functions = &layout.promise_functions;
            let first = layout.context.first_slot_index.offset()?;
            if context.len()? != first.saturating_add(functions.slots.offset()?) {
                return Ok(None);
            }
            let slot = first.saturating_add(functions.already_resolved.offset()?);
            OddballKind::of(self.cx.object(context.get(slot)?)?)
        };
        read() == Ok(Some(OddballKind::True))
    }

    fn of_builtins(&mut self, found: Reference<'a>, out: &mut Vec<Link>) {
        if !found.kind.is_js_function() || !Self::is_at(found, self.cx.layout.js_function.context) {
            return;
        }
        let function = JSFunction(found.holder);
        let script = function.shared().and_then(|s| s.script());
        if !matches!(script, Ok(None)) {
            out.push(Link::Unsure);
            return;
        }
        let node = self.nodes.node(found.holder.address, What::Function);
        out.push(match self.closures.is_reject(function) {
            true => Link::Reject(node),
            false => Link::Up(node),
        });
    }

    fn of_variable(&mut self, found: Reference<'a>, name: Name, out: &mut Vec<Link>) {
        let layout = self.cx.layout;
        if found.kind.is_context() {
            let previous = layout.context.previous_index.offset();
            let slots = layout.context.slots.offset();
            if let (Ok(previous), Ok(slots)) = (previous, slots) {
                if found.offset == slots + previous * 8 {
                    out.push(self.node(found.holder, What::Variable(name)));
                }
            }
            return;
        }
        if found.kind.is_js_function() {
            if !Self::is_at(found, layout.js_function.context) {
                return;
            }
            match self.names.uses(JSFunction(found.holder), name) {
                Some(true) => out.push(self.node(found.holder, What::Function)),
                Some(false) => {}
                None => out.push(Link::Unsure),
            }
            return;
        }
        let is_generator = matches!(
            found.kind,
            InstanceType::JSGeneratorObject
                | InstanceType::JSAsyncFunctionObject
                | InstanceType::JSAsyncGeneratorObject
        );
        if is_generator {
            let function = JSGeneratorObject(found.holder).function();
            match function.ok().and_then(|f| self.names.uses(f, name)) {
                Some(true) => out.extend(self.function(found.holder, Rank::Register)),
                Some(false) => {}
                None => out.push(Link::Unsure),
            }
        }
    }

    /// A reaction is run when its promise is settled.
    fn of_reaction(&mut self, found: Reference<'a>, out: &mut Vec<Link>) {
        match found.kind {
            InstanceType::PromiseReaction
                if Self::is_at(found, self.cx.layout.promise_reaction.next) =>
            {
                out.push(self.node(found.holder, What::Reaction));
            }
            InstanceType::JSPromise
                if JSPromise(found.holder).state() == Ok(PromiseState::Pending) =>
            {
                let link = match self.waits.settled(found.holder.address) {
                    Settled::Function(shared) => self.end(Rank::Sure, Key::Function(shared)),
                    Settled::Combinator(name) => self.end(Rank::Sure, Key::Combinator(name)),
                    Settled::Other { root, .. } => Link::Up(self.nodes.node(root, What::Promise)),
                };
                out.push(link);
            }
            _ => {}
        }
    }

    fn of_request(&mut self, found: Reference<'a>, out: &mut Vec<Link>) {
        match found.kind {
            InstanceType::AsyncGeneratorRequest => {
                out.push(self.node(found.holder, What::Request));
            }
            InstanceType::JSAsyncGeneratorObject => {
                out.extend(self.function(found.holder, Rank::Sure));
            }
            _ => {}
        }
    }

    /// The function of a generator.
    fn function(&mut self, generator: HeapObject<'a>, rank: Rank) -> Option<Link> {
        let function = JSGeneratorObject(generator).function().ok()?;
        let shared = function.shared().ok()?.0.address;
        let cause = self.cause(Key::Function(shared));
        Some(Link::End(cause, rank, generator.address))
    }

    fn of_value(&mut self, found: Reference<'a>, what: What, mode: Mode, out: &mut Vec<Link>) {
        use InstanceType as T;
        let holder = found.holder;
        let is_part = matches!(
            what,
            What::Elements(_) | What::Stored(..) | What::Entry(..) | What::Cell(_)
        );
        match found.kind {
            T::Unknown => out.push(Link::Unsure),
            // Weak, or what V8 keeps of shapes and code.
            T::WeakFixedArray | T::WeakArrayList | T::WeakCell | T::JSWeakRef => {}
            T::EphemeronHashTable | T::FeedbackVector | T::FeedbackCell => {}
            T::Map | T::DescriptorArray | T::StrongDescriptorArray | T::TransitionArray => {}
            T::AllocationSite | T::PrototypeInfo | T::Code | T::InstructionStream => {}
            T::PromiseReaction if mode == Mode::Function => {
                out.push(self.node(holder, What::Reaction));
            }
            T::PromiseCapability if mode == Mode::Function => {
                out.push(self.node(holder, What::Capability));
            }
            T::CallableTask
            | T::CallbackTask
            | T::PromiseResolveThenableJobTask
            | T::PromiseFulfillReactionJobTask
            | T::PromiseRejectReactionJobTask => {
                out.push(self.end(Rank::Sure, Key::Microtask));
            }
            T::PropertyCell if Self::is_at(found, self.cx.layout.property_cell.value) => {
                let name = holder.field(self.cx.layout.property_cell.name);
                let name = name.map_or(NONE, |n| self.names.key(n));
                let class = self.class_of(found.target, mode);
                out.push(self.end(Rank::Held, Key::Global { class, name }));
            }
            T::JSPromise => out.push(Link::Unsure),
            T::JSBoundFunction => {
                let calls = match mode {
                    Mode::Function | Mode::Object(_) => true,
                    Mode::Instance => self.is_of(found.target, "AsyncResource"),
                    _ => false,
                };
                out.push(match calls {
                    true => self.node(holder, What::Function),
                    false => Link::Unsure,
                });
            }
            T::JSGeneratorObject | T::JSAsyncFunctionObject | T::JSAsyncGeneratorObject => {
                let layout = &self.cx.layout.js_generator;
                if is_part && Self::is_at(found, layout.parameters_and_registers) {
                    out.extend(self.function(holder, Rank::Register));
                }
            }
            kind if kind.is_context() => self.in_context(found, mode, out),
            kind if self.is_object(found) => self.in_object(found, kind, what, mode, out),
            kind if !is_part || matches!(what, What::Cell(_)) => {
                self.in_part(found, kind, mode, out);
            }
            _ => out.push(Link::Unsure),
        }
    }

    pub(super) fn is_object(&self, found: Reference) -> bool {
        self.cx.layout.types.is_js_object(found.number)
    }

    /// What is on the way itself.
    pub(super) fn target(&self, target: NodeId) -> Option<Held<'a>> {
        let object = HeapObject::new(self.cx, self.nodes.address(target));
        let map = object.map().ok()?.0.address;
        Some(Held { object, map })
    }

    /// In something that belongs to an object.
    fn in_part(
        &mut self,
        found: Reference<'a>,
        kind: InstanceType,
        mode: Mode,
        out: &mut Vec<Link>,
    ) {
        let Some(inner) = place::inner(found.holder, kind, found.offset) else {
            out.push(Link::Unsure);
            return;
        };
        let what = match (kind, inner) {
            (InstanceType::PropertyArray, Inner::Slot(_)) => {
                What::Stored(found.offset as u32, mode)
            }
            (_, Inner::Slot(_)) => What::Elements(mode),
            (InstanceType::NameDictionary, Inner::Value(key)) => {
                What::Entry(self.names.key(key), mode)
            }
            // Only tables of listeners are told by their keys.
            (InstanceType::OrderedHashMap, Inner::Value(key)) if mode != Mode::Function => {
                What::Entry(self.names.key(key), mode)
            }
            (_, Inner::Key(_) | Inner::Value(_)) => What::Entry(NONE, mode),
            (_, Inner::Cell) => What::Cell(mode),
            _ => {
                out.push(Link::Unsure);
                return;
            }
        };
        out.push(self.node(found.holder, what));
    }

    fn in_context(&mut self, found: Reference<'a>, mode: Mode, out: &mut Vec<Link>) {
        let context = Context(found.holder);
        let layout = &self.cx.layout.context;
        let (Ok(slots), Ok(first)) = (layout.slots.offset(), layout.first_slot_index.offset())
        else {
            return;
        };
        let Some(slot) = found.offset.checked_sub(slots).map(|o| o / 8) else {
            return;
        };
        if found.kind == InstanceType::NativeContext {
            // V8 keeps there what Atomics.waitAsync gave.
            if mode == Mode::Promise {
                out.push(self.end(Rank::Sure, Key::WaitAsync));
            }
            return;
        }
        if mode == Mode::Promise || slot < first.min(2) {
            return;
        }
        if self.names.is_synthetic(context) == Some(true) {
            out.push(self.node(found.holder, What::Builtins));
            return;
        }
        let name = self.names.variable(context, slot);
        if name == NONE {
            out.push(Link::Unsure);
            return;
        }
        let class = self.class_of(found.target, mode);
        let key = Key::Variable { class, name };
        match mode {
            Mode::Container(_) => out.push(self.end(Rank::Held, key)),
            Mode::Instance => out.push(self.end(Rank::Property, key)),
            Mode::Object(_) => {
                out.push(self.end(Rank::Property, key));
                out.push(self.node(found.holder, What::Variable(name)));
            }
            _ => {
                out.push(self.end(Rank::Variable, key));
                out.push(self.node(found.holder, What::Variable(name)));
            }
        }
    }
}
