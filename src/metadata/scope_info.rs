//! The shape of a ScopeInfo: what parts it has and where, which its flags decide. Its decoder
//! and the heap walk, which has to know its size, both ask here.

use super::constants::ScopeInfoLayout;
use super::Constant;
use crate::error::Result;

/// More locals or module variables than any program has: the object is spoilt.
const MAX_COUNT: u64 = 1 << 20;

/// Words of a module variable's entry: name, index, properties.
pub const MODULE_VARIABLE: u64 = 3;

/// A version's ScopeInfo: the `scope_info` constants as plain numbers. Offsets in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScopeInfoShape {
    flags: u64,
    flags_is_smi: bool,
    local_count: u64,
    variable_part: u64,
    position_first: bool,
    module_count_first: bool,
    inline_names: u64,
    type_mask: u64,
    function_scope: u64,
    module_scope: u64,
    class_scope: u64,
    positioned: u64,
    saved_class_variable: Option<u32>,
    receiver_info: bool,
    receiver: u32,
    function_variable: u32,
    inferred_name: u32,
    outer: u32,
    blocklist: Option<u32>,
    is_empty: Option<u32>,
    dependent_code: Option<u32>,
    unused_parameters: bool,
}

/// Where the names of the context's locals are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScopeNames {
    /// As many strings as there are locals from this offset, in the order of the context's slots.
    Inline(u64),
    /// At this offset a NameToIndexHashTable: name to index of the local.
    Table(u64),
}

/// The parts of one ScopeInfo: offsets from its start, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScopeInfoParts {
    /// Number of variables that live in the Context.
    pub local_count: u64,
    pub names: ScopeNames,
    /// Name of a named function expression; its slot's index is the word after.
    pub function_variable: Option<u64>,
    pub inferred_name: Option<u64>,
    /// Start position as a Smi; the end is the word after.
    pub position: Option<u64>,
    pub outer: Option<u64>,
    pub module_info: Option<u64>,
    /// Entries of a module's variables ([`MODULE_VARIABLE`] words each), and how many.
    pub module_variables: Option<(u64, u64)>,
    /// Size of the object.
    pub size: u64,
}

impl ScopeInfoShape {
    /// The shape the constants tell; the error names the one that is missing.
    pub fn new(layout: &ScopeInfoLayout) -> Result<ScopeInfoShape> {
        let bit = |c: Constant| Ok(c.offset()?.min(31) as u32);
        let known = |c: Constant| c.known().map(|n| n.clamp(0, 31) as u32);
        let yes = |c: Constant| Ok(c.get()? == 1);
        Ok(ScopeInfoShape {
            flags: layout.flags.offset()?,
            flags_is_smi: yes(layout.flags_is_smi)?,
            local_count: layout.context_local_count.offset()?,
            variable_part: layout.variable_part.offset()?,
            position_first: yes(layout.position_before_names)?,
            module_count_first: yes(layout.module_count_before_names)?,
            inline_names: layout.inlined_names_limit.offset().unwrap_or(u64::MAX),
            type_mask: layout.type_mask.offset()?,
            function_scope: layout.function_scope.offset()?,
            module_scope: layout.module_scope.offset()?,
            class_scope: layout.class_scope.offset()?,
            positioned: layout.positioned_scopes.offset()?,
            saved_class_variable: known(layout.saved_class_variable_shift),
            receiver_info: yes(layout.has_receiver_info)?,
            receiver: bit(layout.receiver_variable_shift)?,
            function_variable: bit(layout.function_variable_shift)?,
            inferred_name: bit(layout.inferred_name_shift)?,
            outer: bit(layout.outer_scope_info_shift)?,
            blocklist: known(layout.blocklist_shift),
            is_empty: known(layout.is_empty_shift),
            dependent_code: known(layout.dependent_code_shift),
            unused_parameters: yes(layout.has_unused_parameters)?,
        })
    }

    /// Finds the parts; `word` reads the 8 bytes at an offset of the object. None where something
    /// is not readable or no ScopeInfo can be so.
    pub fn parts(&self, word: impl Fn(u64) -> Option<u64>) -> Option<ScopeInfoParts> {
        // A FixedArray in old versions, and the empty one has no elements.
        if self.flags == 16 && word(8)? == 0 {
            return Some(ScopeInfoParts {
                local_count: 0,
                names: ScopeNames::Inline(self.flags),
                function_variable: None,
                inferred_name: None,
                position: None,
                outer: None,
                module_info: None,
                module_variables: None,
                size: self.flags,
            });
        }
        let raw = word(self.flags)?;
        let flags = if self.flags_is_smi { raw >> 32 } else { raw } & 0xffff_ffff;
        let bit = |n: Option<u32>| n.is_some_and(|n| flags >> n & 1 != 0);
        let count = |offset: u64| {
            let n = word(offset)? >> 32;
            (n <= MAX_COUNT).then_some(n)
        };
        let scope = flags & self.type_mask;
        let local_count = count(self.local_count)?;
        let is_module = scope == self.module_scope;

        let mut at = self.variable_part;
        let mut take = |words: u64| {
            let offset = at;
            at += words * 8;
            offset
        };
        let mut position = self.position_first.then(|| take(2));
        let mut module_count = 0;
        if is_module && self.module_count_first {
            module_count = count(take(1))?;
        }
        let names = if local_count < self.inline_names {
            ScopeNames::Inline(take(local_count))
        } else {
            ScopeNames::Table(take(1))
        };
        // A Smi of properties for each local.
        take(local_count);
        if bit(self.saved_class_variable) {
            take(1);
        }
        // Allocated on the stack (1) or in the context (2).
        if self.receiver_info && matches!(flags >> self.receiver & 3, 1 | 2) {
            take(1);
        }
        let function_variable = (flags >> self.function_variable & 3 != 0).then(|| take(2));
        let inferred_name = bit(Some(self.inferred_name)).then(|| take(1));
        let placeless = scope == self.class_scope && bit(self.is_empty);
        if !self.position_first && self.positioned >> scope.min(63) & 1 != 0 && !placeless {
            position = Some(take(2));
        }
        let outer = bit(Some(self.outer)).then(|| take(1));
        if bit(self.blocklist) {
            take(1);
        }
        let module_info = is_module.then(|| take(1));
        let mut module_variables = None;
        if is_module {
            if !self.module_count_first {
                module_count = count(take(1))?;
            }
            let at = take(module_count * MODULE_VARIABLE);
            module_variables = Some((at, module_count));
        }
        if bit(self.dependent_code) {
            take(1);
        }
        if self.unused_parameters && scope == self.function_scope {
            take(1);
        }
        Some(ScopeInfoParts {
            local_count,
            names,
            function_variable,
            inferred_name,
            position,
            outer,
            module_info,
            module_variables,
            size: take(0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::{Layout, V8Version, V8dbg};

    fn parts(version: V8Version, words: &[u64]) -> Option<ScopeInfoParts> {
        let (layout, _) = Layout::resolve(version, &V8dbg::default());
        ScopeInfoShape::new(&layout.scope_info)
            .expect("all constants")
            .parts(|offset| words.get((offset / 8) as usize).copied())
    }

    fn smi(n: u64) -> u64 {
        n << 32
    }

    /// Words of a module's with four variables, as node 22 had them (pointers replaced by 1).
    #[test]
    fn module_of_node_22() {
        let mut words = vec![
            1,
            smi(0x050231e3),
            smi(0),
            smi(0),
            smi(4),
            1,
            u64::MAX << 32,
        ];
        words.extend([smi(0), smi(0x66), 1]);
        for index in 1..5 {
            words.extend([1, smi(index), smi(0x3fffc1)]);
        }
        let version = V8Version::new(12, 4, 254, 21);
        let parts = parts(version, &words).expect("a ScopeInfo");
        assert_eq!(parts.size, 176);
        assert_eq!(parts.module_info, Some(72));
        assert_eq!(parts.module_variables, Some((80, 4)));
        assert_eq!(parts.position, Some(56));
    }

    /// Words of `function namedExpr(p1, p2)` that closes over three variables, as node 12 had them
    /// (pointers replaced by 1).
    #[test]
    fn named_function_expression_of_node_12() {
        let words = [
            1,
            smi(15),
            smi(0x20b1e2),
            smi(2),
            smi(3),
            1,
            1,
            1,
            smi(18),
            smi(0x3fffc0),
            smi(0x3fffc0),
            1,
            smi(7),
            1,
            smi(5579),
            smi(5746),
            1,
        ];
        let p = parts(V8Version::new(7, 8, 279, 23), &words).expect("decodes");
        assert_eq!(p.names, ScopeNames::Inline(40));
        assert_eq!(p.function_variable, Some(88));
        assert_eq!(p.inferred_name, Some(104));
        assert_eq!(p.position, Some(112));
        assert_eq!(p.outer, Some(128));
        assert_eq!(p.size, 16 + 15 * 8);
    }

    /// The same function on node 16.
    #[test]
    fn named_function_expression_of_node_16() {
        let words = [1, smi(0x4161e2), smi(2), smi(3)];
        let p = parts(V8Version::new(9, 4, 146, 26), &words).expect("decodes");
        assert_eq!(p.names, ScopeNames::Inline(32));
        assert_eq!(p.function_variable, Some(80));
        assert_eq!(p.position, Some(104));
        assert_eq!(p.outer, Some(120));
        assert_eq!(p.size, 128);
    }

    #[test]
    fn the_empty_one_of_node_14_has_no_parts() {
        let p = parts(V8Version::new(8, 4, 371, 23), &[1, 0]).expect("decodes");
        assert_eq!(p.size, 16);
        assert_eq!(p.position, None);
    }

    #[test]
    fn a_spoilt_count_is_refused() {
        let words = [1, smi(0x4161e2), 0, u64::MAX];
        assert_eq!(parts(V8Version::new(9, 4, 146, 26), &words), None);
    }
}
