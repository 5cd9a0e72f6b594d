//! How V8's parser makes and orders the variables of a function, where its versions differ.
//! All of it from V8's source (`parsing/parser.cc`, `parsing/parser-base.h`, `parsing/rewriter.cc`, `ast/scopes.cc`).

use super::V8Version;

/// What differs among versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScopeRules {
    /// The name that a class has within it takes a register though nothing uses it (measured on
    /// 7.8; not in the source of 8.1).
    pub class_name_is_used: bool,
    /// An arrow function's temporaries come after its variables (8.4 on).
    pub arrow_temporaries_last: bool,
    /// A `return` with a value in a derived constructor has a temporary (gone in 12.3).
    pub return_temporary: bool,
    /// A call of a method with a spread argument before the last has one (gone in 9.4).
    pub spread_temporary: bool,
    /// `super.name` finds its home by the function (until a Context held it, 9.4).
    pub super_property_uses_function: bool,
    /// A module has temporaries for the value that its last statement leaves, as scripts have
    /// (`parsing/rewriter.cc`; measured on 7.8 to 12.9, gone on 13.6).
    pub module_result_temporary: bool,
    /// A function in a block is hoisted over one of the same name in a block around (11.3 on).
    pub hoists_over_block_functions: bool,
    /// A `finally` in what may be left saves the completion value even where it does not end in
    /// what gives one (8.4 to 8.7, not 8.9).
    pub every_finally_saves_result: bool,
}

impl ScopeRules {
    /// Those of a version.
    pub fn of(version: V8Version) -> ScopeRules {
        ScopeRules {
            class_name_is_used: !version.at_least(8, 1),
            arrow_temporaries_last: version.at_least(8, 4),
            return_temporary: !version.at_least(12, 3),
            spread_temporary: !version.at_least(9, 4),
            super_property_uses_function: !version.at_least(9, 4),
            module_result_temporary: !version.at_least(13, 0),
            hoists_over_block_functions: version.at_least(11, 3),
            every_finally_saves_result: !version.at_least(8, 9),
        }
    }
}
