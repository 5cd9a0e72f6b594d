//! References of contexts and of the tables of weak collections.

use super::*;

impl Visitor<'_, '_> {
    pub(super) fn ephemerons(&mut self, bytes: &[u8]) {
        let data = self.cx.layout.fixed_array.data.offset().unwrap_or(16) as usize;
        let mut at = self.shapes.ephemerons_start;
        let table = self.node;
        let mut edges = 0u32;
        while let (Some(key), Some(value)) = (word_at(bytes, at), word_at(bytes, at + 8)) {
            let index = at.saturating_sub(data) / 8;
            for (word, index) in [(key, index), (value, index + 1)] {
                if let Some((_, to)) = self.essential(word) {
                    let name = self.names.number(index);
                    self.edge(EdgeType::Weak, name, to);
                    edges += 1;
                }
            }
            if let (Some((key, from)), Some((_, to))) = (self.child(key), self.child(value)) {
                let old = !self.cx.layout.version.at_least(8, 0);
                // An entry that was never used has undefined for its key.
                if old || self.space.address(key) | 1 != self.plan.undefined {
                    let edge = (!old).then(|| {
                        edges += 1;
                        (self.out.edges_of_last() as u32, edges)
                    });
                    if !old {
                        self.edge(EdgeType::Internal, self.words.empty, to);
                    }
                    self.out.weak_entries.push(WeakEntry {
                        table,
                        key: from,
                        value: to,
                        edge,
                    });
                }
            }
            at += 16;
        }
    }

    pub(super) fn context(&mut self, bytes: &[u8], shape: &Shape) {
        use InstanceType as T;
        let cx = self.cx;
        let layout = &cx.layout.context;
        let slots = layout.slots.offset().unwrap_or(16) as usize;
        let offset = |index: Option<i64>| {
            index
                .and_then(|i| usize::try_from(i).ok())
                .map(|i| slots + i * 8)
        };
        let scope_info = offset(layout.scope_info_index.known());
        let previous = offset(layout.previous_index.known());
        let extension = offset(layout.extension_index.known());
        let info = scope_info.and_then(|at| word_at(bytes, at));
        let info = info.and_then(|w| cx.object(Tagged(w)).ok());
        let declaration = match shape.kind {
            T::FunctionContext | T::ScriptContext | T::ModuleContext => true,
            T::EvalContext | T::BlockContext => {
                info.is_some_and(|i| ScopeInfo(i).is_declaration_scope().unwrap_or(false))
            }
            _ => false,
        };
        if let (true, Some(info)) = (declaration, info) {
            for &(slot, name) in self.locals_of(info).iter() {
                let offset = slots.saturating_add((slot as usize).saturating_mul(8));
                let Some(word) = word_at(bytes, offset) else {
                    continue;
                };
                if let Some((_, to)) = self.child(word) {
                    self.edge(EdgeType::Context, name, to);
                    self.visit(offset);
                }
            }
        }
        let named = [
            (scope_info, self.words.scope_info),
            (previous, self.words.previous),
        ];
        for (offset, name) in named {
            if let Some(offset) = offset {
                self.internal(bytes, offset, name);
            }
        }
        let has_extension = shape.kind == T::NativeContext
            || info.is_some_and(|i| ScopeInfo(i).has_context_extension_slot().unwrap_or(false));
        if let (true, Some(offset)) = (has_extension, extension) {
            if !self.is_visited(offset) {
                self.internal(bytes, offset, self.words.extension);
            }
        }
        if !cx.layout.version.at_least(8, 0) && shape.kind != T::NativeContext {
            let at = slots + OLD_NATIVE_CONTEXT_INDEX * 8;
            if !self.is_visited(at) {
                self.internal(bytes, at, self.words.native_context);
            }
        }
        if shape.kind == T::NativeContext {
            self.native_context(bytes, slots);
        }
    }

    fn locals_of(&mut self, info: HeapObject) -> Rc<[(u64, StringId)]> {
        if let Some(known) = self.locals.get(&info.address) {
            return known.clone();
        }
        let locals = ScopeInfo(info).context_locals().unwrap_or_default();
        let locals: Rc<[_]> = locals
            .into_iter()
            .map(|l| (l.slot, self.names.intern(&l.name.unwrap_or_default())))
            .collect();
        if self.is_whole() {
            self.locals.insert(info.address, locals.clone());
        }
        locals
    }

    fn native_context(&mut self, bytes: &[u8], slots: usize) {
        let length = word_at(bytes, 8).and_then(|w| self.cx.smi(Tagged(w)));
        let count = usize::try_from(length.unwrap_or(0)).unwrap_or(0);
        let count = count.min(bytes.len() / 8);
        let embedder = self.cx.layout.context.embedder_data.offset().ok();
        // The list of all contexts, which holds none.
        if let Some(last) = count.checked_sub(1) {
            self.visit(slots + last * 8);
        }
        if let Some(word) = embedder.and_then(|at| word_at(bytes, at as usize)) {
            self.tag(word, "(context data)", None);
        }
        let plan = self.plan;
        for &(index, name) in &plan.native_context_names {
            let offset = slots.saturating_add(index.saturating_mul(8));
            if index + 1 < count && !self.is_visited(offset) {
                self.internal(bytes, offset, name);
            }
        }
        for index in 0..count {
            let offset = slots + index * 8;
            if !self.is_visited(offset) {
                let name = self.names.number(index);
                self.internal(bytes, offset, name);
            }
        }
    }
}
