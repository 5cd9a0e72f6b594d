//! References of code: feedback, constant pools, deoptimization data, instructions.

use super::*;

impl Visitor<'_, '_> {
    pub(super) fn feedback_vector(&mut self, bytes: &[u8]) {
        use InstanceType as T;
        if !self.tags_parts_of_code() {
            return;
        }
        let becomes = self.kinds(TagKind::Code);
        for chunk in bytes.chunks_exact(8).skip(1) {
            let word = u64::from_le_bytes(chunk.try_into().unwrap_or_default());
            if !Tagged(word).is_strong() {
                continue;
            }
            let Some(target) = self.space.target(word) else {
                continue;
            };
            if matches!(
                self.space.map(target).kind,
                T::WeakFixedArray | T::FixedArray
            ) {
                self.tag(word, "(feedback)", becomes);
            }
        }
    }

    /// V8 names the parts of bytecode and feedback from 10.2 on.
    pub(super) fn tags_parts_of_code(&self) -> bool {
        self.cx.layout.version.at_least(10, 2)
    }

    pub(super) fn constant_pool(&mut self, bytes: &[u8]) {
        if !self.tags_parts_of_code() {
            return;
        }
        let layout = &self.cx.layout.bytecode_array;
        if let Some(word) = layout
            .constant_pool
            .offset()
            .ok()
            .and_then(|at| word_at(bytes, at as usize))
        {
            self.tag_constants(word, 3);
        }
    }

    /// RecursivelyTagConstantPool.
    pub(super) fn tag_constants(&mut self, word: u64, limit: u32) {
        use InstanceType as T;
        let Some(array) = self.space.target(word) else {
            return;
        };
        let becomes = self.kinds(TagKind::Code);
        match self.space.map(array).kind {
            T::FixedArray => self.tag(word, "(constant pool)", becomes),
            T::TrustedFixedArray => {
                if let Some((_, node)) = self.essential(word) {
                    let name = self.names.intern("(constant pool)");
                    self.tag_node(node, name, Some(TagKind::Code), true);
                }
            }
            T::NameDictionary | T::NumberDictionary => {
                self.tag(word, "(constant pool)", becomes);
                return;
            }
            _ => return,
        }
        if limit > 1 {
            for chunk in self.space.bytes(array).chunks_exact(8).skip(2) {
                let word = u64::from_le_bytes(chunk.try_into().unwrap_or_default());
                if Tagged(word).is_strong() {
                    self.tag_constants(word, limit - 1);
                }
            }
        }
    }

    pub(super) fn code(&mut self, object: Ordinal, bytes: &[u8]) {
        let layout = self.cx.layout;
        let Ok(stream) = layout.code.instruction_stream.offset() else {
            return self.code_with_instructions(object, bytes);
        };
        let has_stream = word_at(bytes, stream as usize)
            .is_some_and(|w| Tagged(w).is_strong() && self.space.target(w).is_some());
        if !has_stream {
            return;
        }
        if self.cx.layout.version.at_least(11, 4) {
            let name = self.names.intern("instruction_stream");
            self.internal(bytes, stream as usize, name);
        } else if let Ok(at) = layout.code.relocation_info.offset() {
            let becomes = self.kinds(TagKind::Code);
            self.tag(
                word_at(bytes, at as usize).unwrap_or(0),
                "(code relocation info)",
                becomes,
            );
            let name = self.names.intern("relocation_info");
            self.internal(bytes, at as usize, name);
        }
        let data = layout.code.deoptimization_data.offset().ok();
        let positions = layout.code.source_position_table.offset().ok();
        let (Some(data), Some(positions)) = (data, positions) else {
            return;
        };
        let (data, positions) = (data as usize, positions as usize);
        let Some(word) = word_at(bytes, data) else {
            return;
        };
        let kind = self.space.target(word).map(|o| self.space.map(o).kind);
        let becomes = self.kinds(TagKind::Code);
        let is_baseline = matches!(
            kind,
            Some(InstanceType::BytecodeArray | InstanceType::InterpreterData)
        );
        let table = word_at(bytes, positions).unwrap_or(0);
        if is_baseline {
            self.tag(table, "(bytecode offset table)", becomes);
            let name = self.names.intern("interpreter_data");
            self.internal(bytes, data, name);
            let name = self.names.intern("bytecode_offset_table");
            self.internal(bytes, positions, name)
        } else {
            self.tag(word, "(code deopt data)", becomes);
            self.deopt_parts(word, becomes);
            self.tag(table, "(source position table)", becomes);
            let name = self.names.intern("deoptimization_data");
            self.internal(bytes, data, name);
            let name = self.names.intern("source_position_table");
            self.internal(bytes, positions, name)
        }
    }

    /// Translations, literals and inlining positions of optimized code.
    pub(super) fn deopt_parts(&mut self, word: u64, becomes: Option<TagKind>) {
        use InstanceType as T;
        let Some(data) = self.space.target(word) else {
            return;
        };
        for chunk in self.space.bytes(data).chunks_exact(8).skip(2) {
            let word = u64::from_le_bytes(chunk.try_into().unwrap_or_default());
            let Some(part) = self.space.target(word) else {
                continue;
            };
            if matches!(
                self.space.map(part).kind,
                T::TrustedByteArray
                    | T::ByteArray
                    | T::TrustedWeakFixedArray
                    | T::WeakFixedArray
                    | T::FixedArray
            ) {
                self.tag(word, "(code deopt data)", becomes);
            }
        }
    }

    /// Whether optimized code holds this object weakly: what its machine code has in it and may
    /// die without it.
    pub(super) fn is_weak_in_code(&self, object: Ordinal) -> bool {
        use InstanceType as T;
        let shape = self.shapes.of(self.space.map_index(object));
        shape.is_js_object
            || shape.kind.is_context()
            || matches!(shape.kind, T::PropertyCell | T::Map)
    }

    /// Whether the instructions are of optimized code, by what their Code has besides.
    pub(super) fn is_optimized(&self, bytes: &[u8]) -> bool {
        let layout = self.cx.layout;
        let code = layout.instruction_stream.code.offset().ok();
        let code = code.and_then(|at| self.space.target(word_at(bytes, at as usize)?));
        let owner = match code {
            Some(code) => self.space.bytes(code),
            None => bytes,
        };
        let data = layout.code.deoptimization_data.offset().ok();
        let data = data.and_then(|at| self.space.target(word_at(owner, at as usize)?));
        data.is_some_and(|data| {
            matches!(
                self.space.map(data).kind,
                InstanceType::FixedArray
                    | InstanceType::TrustedFixedArray
                    | InstanceType::ProtectedFixedArray
            ) && self.space.bytes(data).len() > 16
        })
    }

    /// Code that holds its instructions itself (to V8 10).
    pub(super) fn code_with_instructions(&mut self, object: Ordinal, bytes: &[u8]) {
        let version = self.cx.layout.version;
        let code = &self.cx.layout.code;
        let becomes = self.kinds(TagKind::Code);
        let word = |c: Constant| {
            let at = c.offset().ok()?;
            Some((at as usize, word_at(bytes, at as usize)?))
        };
        let is_baseline = word(code.deoptimization_data).is_some_and(|(_, w)| {
            let kind = self.space.target(w).map(|o| self.space.map(o).kind);
            matches!(
                kind,
                Some(InstanceType::BytecodeArray | InstanceType::InterpreterData)
            )
        });
        let baseline_data = is_baseline && version.at_least(10, 0);
        let is_baseline = is_baseline || self.plan.baseline.contains(&object);
        let parts = [
            (
                code.relocation_info,
                "relocation_info",
                "(code relocation info)",
            ),
            match baseline_data {
                true => (
                    code.deoptimization_data,
                    "interpreter_data",
                    "(interpreter data)",
                ),
                false => (
                    code.deoptimization_data,
                    "deoptimization_data",
                    "(code deopt data)",
                ),
            },
            match is_baseline {
                true => (
                    code.source_position_table,
                    "bytecode_offset_table",
                    "(bytecode offset table)",
                ),
                false => (
                    code.source_position_table,
                    "source_position_table",
                    "(source position table)",
                ),
            },
        ];
        for (at, name, tag) in parts {
            if let Some((offset, value)) = word(at) {
                self.tag(value, tag, becomes);
                let name = self.names.intern(name);
                self.internal(bytes, offset, name);
            }
        }
    }
}
