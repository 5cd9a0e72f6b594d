//! Deoptimization translations: the opcodes of each version, in the order of their numbers.
//!
//! A translation says how the frames that optimized code stands for would look had nothing been
//! optimized. V8 has no symbol for any of it; the lists are from its sources, checked against the
//! opcode names that each Node binary holds.

use super::V8Version;

/// What an instruction of a translation tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opcode {
    Begin,
    /// A frame of bytecode.
    InterpretedFrame,
    /// A JavaScript builtin in whose middle a callback was inlined.
    JavaScriptBuiltinContinuation,
    /// Code between frames that JavaScript does not see.
    BuiltinContinuation,
    /// `new` of the function after it.
    ConstructStub,
    /// All arguments of the function after it, where they are not as many as declared.
    ExtraArguments,
    WasmInlined,
    Liftoff,
    // Values.
    ArgumentsElements,
    ArgumentsLength,
    RestLength,
    CapturedObject,
    DuplicatedObject,
    StringConcat,
    /// In a register: lost at a call.
    Register,
    Tagged,
    Int32,
    Int64,
    SignedBigInt64,
    UnsignedBigInt64,
    Uint32,
    Bool,
    Float,
    Double,
    HoleyDouble,
    Simd128,
    OptimizedOut,
    Literal,
    // Neither frames nor values.
    UpdateFeedback,
    MatchPrevious,
}

/// An opcode with its operands, a letter each: `o` bytecode offset, `f` the function's literal,
/// `a` the bytecode array's literal, `n` number of values that follow, `v` the value's place;
/// capital letters are written without a sign, `_` and `-` (without a sign) are of no use.
pub type OpcodeRow = (Opcode, &'static str);

/// How integers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Seven bits a byte, more follow where the lowest bit is set.
    LowBit,
    /// Seven bits a byte, more follow where the highest bit is set; opcodes are signed integers.
    HighBit,
    /// The same, but an opcode is a plain byte, and one past the last stands for a
    /// [`Opcode::MatchPrevious`] of that many.
    Bytes,
}

/// The translations of one version.
#[derive(Debug, Clone, Copy)]
pub struct Translations {
    pub encoding: Encoding,
    pub opcodes: &'static [OpcodeRow],
}

impl Translations {
    /// Those of the version's line.
    pub fn for_version(version: V8Version) -> Translations {
        let (encoding, opcodes) = match version.line() {
            line if line < (9, 0) => (Encoding::LowBit, V7_8),
            line if line < (11, 0) => (Encoding::HighBit, V9_4),
            line if line < (12, 0) => (Encoding::Bytes, V11_3),
            line if line < (13, 0) => (Encoding::Bytes, V12_4),
            _ => (Encoding::Bytes, V13_6),
        };
        Translations { encoding, opcodes }
    }
}

use Opcode::*;

const V7_8: &[OpcodeRow] = &[
    (Begin, "___"),
    (InterpretedFrame, "ofn__"),
    (BuiltinContinuation, "ofn"),
    (JavaScriptBuiltinContinuation, "ofn"),
    (JavaScriptBuiltinContinuation, "ofn"),
    (ConstructStub, "ofn"),
    (ExtraArguments, "fn"),
    (DuplicatedObject, "v"),
    (ArgumentsElements, "v"),
    (ArgumentsLength, "_"),
    (CapturedObject, "v"),
    (Register, "v"),
    (Register, "v"),
    (Register, "v"),
    (Register, "v"),
    (Register, "v"),
    (Register, "v"),
    (Register, "v"),
    (Tagged, "v"),
    (Int32, "v"),
    (Int64, "v"),
    (Uint32, "v"),
    (Bool, "v"),
    (Float, "v"),
    (Double, "v"),
    (Literal, "v"),
    (UpdateFeedback, "__"),
];

const V9_4: &[OpcodeRow] = &[
    (ExtraArguments, "fn"),
    (ArgumentsElements, "v"),
    (ArgumentsLength, ""),
    (Begin, "___"),
    (Register, "v"),
    (Bool, "v"),
    (BuiltinContinuation, "ofn"),
    (CapturedObject, "v"),
    (ConstructStub, "ofn"),
    (Register, "v"),
    (Double, "v"),
    (DuplicatedObject, "v"),
    (Register, "v"),
    (Float, "v"),
    (Register, "v"),
    (Int32, "v"),
    (Register, "v"),
    (Int64, "v"),
    (InterpretedFrame, "ofn__"),
    (JavaScriptBuiltinContinuation, "ofn"),
    (JavaScriptBuiltinContinuation, "ofn"),
    (BuiltinContinuation, "ofn_"),
    (Literal, "v"),
    (Register, "v"),
    (Tagged, "v"),
    (Register, "v"),
    (Uint32, "v"),
    (UpdateFeedback, "__"),
];

const V11_3: &[OpcodeRow] = &[
    (ArgumentsElements, "v"),
    (ArgumentsLength, ""),
    (Begin, "-__"),
    (Begin, "-__"),
    (Register, "V"),
    (Bool, "v"),
    (BuiltinContinuation, "ofn"),
    (CapturedObject, "v"),
    (ConstructStub, "ofn"),
    (Register, "V"),
    (Double, "v"),
    (DuplicatedObject, "v"),
    (Register, "V"),
    (Float, "v"),
    (ExtraArguments, "fn"),
    (Register, "V"),
    (Int32, "v"),
    (Register, "V"),
    (Int64, "v"),
    (Register, "V"),
    (SignedBigInt64, "v"),
    (Register, "V"),
    (UnsignedBigInt64, "v"),
    (InterpretedFrame, "ofn__"),
    (InterpretedFrame, "ofn"),
    (JavaScriptBuiltinContinuation, "ofn"),
    (JavaScriptBuiltinContinuation, "ofn"),
    (BuiltinContinuation, "ofn_"),
    (OptimizedOut, ""),
    (Literal, "v"),
    (Register, "V"),
    (Tagged, "v"),
    (Register, "V"),
    (Uint32, "v"),
    (UpdateFeedback, "__"),
    (MatchPrevious, "V"),
];

const V12_4: &[OpcodeRow] = &[
    (InterpretedFrame, "ofn__"),
    (InterpretedFrame, "ofn"),
    (JavaScriptBuiltinContinuation, "ofn"),
    (JavaScriptBuiltinContinuation, "ofn"),
    (ConstructStub, "fn"),
    (ConstructStub, "f"),
    (BuiltinContinuation, "ofn"),
    (BuiltinContinuation, "ofn_"),
    (WasmInlined, "ofn"),
    (ExtraArguments, "fn"),
    (ArgumentsElements, "v"),
    (ArgumentsLength, ""),
    (Begin, "-__"),
    (Begin, "-__"),
    (Register, "V"),
    (Bool, "v"),
    (CapturedObject, "v"),
    (Register, "V"),
    (Double, "v"),
    (Register, "V"),
    (HoleyDouble, "v"),
    (DuplicatedObject, "v"),
    (Register, "V"),
    (Float, "v"),
    (Register, "V"),
    (Int32, "v"),
    (Register, "V"),
    (Int64, "v"),
    (Register, "V"),
    (SignedBigInt64, "v"),
    (Register, "V"),
    (UnsignedBigInt64, "v"),
    (OptimizedOut, ""),
    (Literal, "v"),
    (Register, "V"),
    (Tagged, "v"),
    (Register, "V"),
    (Uint32, "v"),
    (UpdateFeedback, "__"),
    (MatchPrevious, "V"),
];

const V13_6: &[OpcodeRow] = &[
    (InterpretedFrame, "ofaN__"),
    (InterpretedFrame, "ofaN"),
    (JavaScriptBuiltinContinuation, "ofN"),
    (JavaScriptBuiltinContinuation, "ofN"),
    (ConstructStub, "fN"),
    (ConstructStub, "f"),
    (BuiltinContinuation, "ofN"),
    (BuiltinContinuation, "ofN_"),
    (WasmInlined, "ofN"),
    (Liftoff, "oN-"),
    (ExtraArguments, "fN-"),
    (ArgumentsElements, "v"),
    (ArgumentsLength, ""),
    (RestLength, ""),
    (Begin, "-__"),
    (Begin, "-__"),
    (Register, "V"),
    (Bool, "v"),
    (CapturedObject, "v"),
    (StringConcat, ""),
    (Register, "V"),
    (Double, "v"),
    (Simd128, "v"),
    (Register, "V"),
    (HoleyDouble, "v"),
    (Register, "V"),
    (DuplicatedObject, "v"),
    (Register, "V"),
    (Float, "v"),
    (Register, "V"),
    (Int32, "v"),
    (Register, "V"),
    (Int64, "v"),
    (Register, "V"),
    (SignedBigInt64, "v"),
    (Register, "V"),
    (UnsignedBigInt64, "v"),
    (OptimizedOut, ""),
    (Literal, "v"),
    (Register, "V"),
    (Tagged, "v"),
    (Register, "V"),
    (Uint32, "v"),
    (UpdateFeedback, "__"),
    (MatchPrevious, "V"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_has_what_a_reader_needs() {
        for line in [
            (7, 8),
            (8, 4),
            (9, 4),
            (10, 2),
            (11, 3),
            (12, 4),
            (13, 6),
            (14, 6),
        ] {
            let t = Translations::for_version(V8Version::new(line.0, line.1, 0, 0));
            for wanted in [Begin, InterpretedFrame, Literal, Tagged, CapturedObject] {
                assert!(
                    t.opcodes.iter().any(|r| r.0 == wanted),
                    "{wanted:?} {line:?}"
                );
            }
            for (opcode, operands) in t.opcodes {
                assert!(operands.len() <= 6, "{opcode:?}");
            }
        }
        assert_eq!(V7_8.len(), 27);
        assert_eq!(V9_4.len(), 28);
        assert_eq!(V11_3.len(), 36);
        assert_eq!(V12_4.len(), 40);
        assert_eq!(V13_6.len(), 45);
    }
}
