//! How large an object is: what V8 works out from a Map and the object's own length fields.
//!
//! A Map that says 0 words means "see the object", and then the instance type decides. The rules
//! are data, oldest first, a later line's rule replacing an earlier one's. Evidence: V8's own
//! size functions (8.4, 9.4, 10.3, 11.4, 12.3, 13.6, 14.6 source; 7.8 measured), and linear walks
//! of heaps of node 12, 14, 16, 18, 20, 22, 24 and 26 that come out without a gap. They hold for
//! 8-byte tagged words (no pointer compression), which is what Node is built with.

use super::constants::ScopeInfoLayout;
use super::scope_info::ScopeInfoShape;
use super::{InstanceType, InstanceTypes, V8Version};

/// Where an object says how many elements it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// A Smi.
    Smi(u8),
    U8(u8),
    U16(u8),
    U32(u8),
    /// PropertyArray: the low 10 bits of a Smi that holds a hash as well.
    PropertyArray(u8),
    /// BigInt: 30 bits above the sign bit.
    BigInt(u8),
}

/// How the size of one instance type's objects is found where the Map does not say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SizeRule {
    /// Not known: no such type in this version, or none that is ever allocated.
    Unknown,
    /// Always this many bytes.
    Bytes(u32),
    /// `header + count * element`, rounded up to `align`.
    Counted {
        header: u16,
        count: Count,
        element: u16,
        align: u16,
    },
    /// `header + first + 8 * second`, both i32 in bytes and words, rounded up to a word.
    PreparseData,
    /// 5 bits a slot in 32-bit words (6 to a word); 2 bytes more for each closure if `closures`.
    FeedbackMetadata { closures: bool },
    /// Code with its instructions behind the header (to V8 10): i32 sizes at these offsets.
    Code {
        header: u16,
        instruction_size: u8,
        metadata_size: Option<u8>,
        /// Flags whose lowest bit says that unwinding information follows the instructions.
        unwinding_flags: Option<u8>,
        align: u16,
    },
    /// InstructionStream of V8 11: the sizes stand in the Code object at offset 8.
    StreamOfCode {
        header: u16,
        instruction_size: u8,
        metadata_size: u8,
    },
    /// The flags decide on the parts.
    ScopeInfo(ScopeInfoShape),
    /// Size in two bytes of the Map, in units of `1 << shift`.
    WasmStruct { shift: u8 },
    /// Element size in a byte of the Map.
    WasmArray { header: u16, length: u8 },
}

/// Largest count believed; a bigger one is a spoilt object.
const MAX_COUNT: u64 = 1 << 32;

/// Alignment of code objects on x64; of their sizes as well.
const CODE_ALIGNMENT_OLD: u16 = 32;
const CODE_ALIGNMENT: u16 = 64;

const fn smi(header: u16, length: u8, element: u16) -> SizeRule {
    SizeRule::Counted {
        header,
        count: Count::Smi(length),
        element,
        align: 8,
    }
}

const fn u32(header: u16, length: u8, element: u16) -> SizeRule {
    SizeRule::Counted {
        header,
        count: Count::U32(length),
        element,
        align: 8,
    }
}

const fn counted(header: u16, count: Count, element: u16) -> SizeRule {
    SizeRule::Counted {
        header,
        count,
        element,
        align: 8,
    }
}

type Rule = ((u32, u32), &'static [InstanceType], SizeRule);

use InstanceType as T;

/// First line it holds for, types, rule.
const RULES: &[Rule] = &[
    (
        (7, 8),
        &[
            T::FixedArray,
            T::HashTable,
            T::EphemeronHashTable,
            T::GlobalDictionary,
            T::NameDictionary,
            T::NameToIndexHashTable,
            T::NumberDictionary,
            T::OrderedHashMap,
            T::OrderedHashSet,
            T::OrderedNameDictionary,
            T::RegisteredSymbolTable,
            T::SimpleNumberDictionary,
            T::SimpleNameDictionary,
            T::StringTable,
            T::ClosureFeedbackCellArray,
            T::ObjectBoilerplateDescription,
            T::ScriptContextTable,
            T::EmbedderDataArray,
            T::WeakFixedArray,
            T::TransitionArray,
            T::FixedDoubleArray,
            T::ExternalPointerArray,
            T::TrustedFixedArray,
            T::TrustedWeakFixedArray,
            T::ProtectedFixedArray,
            T::ProtectedWeakFixedArray,
            T::AwaitContext,
            T::BlockContext,
            T::CatchContext,
            T::DebugEvaluateContext,
            T::EvalContext,
            T::FunctionContext,
            T::ModuleContext,
            T::ScriptContext,
            T::WithContext,
        ],
        smi(16, 8, 8),
    ),
    // The pointer to the microtask queue follows the slots.
    ((7, 8), &[T::NativeContext], smi(24, 8, 8)),
    ((7, 8), &[T::ByteArray, T::TrustedByteArray], smi(16, 8, 1)),
    ((7, 8), &[T::WeakArrayList], smi(24, 8, 8)),
    (
        (7, 8),
        &[T::PropertyArray],
        counted(16, Count::PropertyArray(8), 8),
    ),
    ((7, 8), &[T::BigInt], counted(16, Count::BigInt(8), 8)),
    (
        (7, 8),
        &[T::DescriptorArray, T::StrongDescriptorArray],
        counted(24, Count::U16(8), 24),
    ),
    (
        (14, 0),
        &[T::DescriptorArray, T::StrongDescriptorArray],
        counted(32, Count::U16(8), 24),
    ),
    ((7, 8), &[T::BytecodeArray], smi(54, 8, 1)),
    ((10, 2), &[T::BytecodeArray], smi(56, 8, 1)),
    ((11, 3), &[T::BytecodeArray], smi(54, 8, 1)),
    ((12, 4), &[T::BytecodeArray], smi(64, 8, 1)),
    ((7, 8), &[T::FeedbackVector], u32(48, 32, 8)),
    ((9, 4), &[T::FeedbackVector], u32(48, 8, 8)),
    ((11, 3), &[T::FeedbackVector], u32(56, 8, 8)),
    ((13, 0), &[T::FeedbackVector], u32(48, 8, 8)),
    (
        (7, 8),
        &[T::FeedbackMetadata],
        SizeRule::FeedbackMetadata { closures: false },
    ),
    (
        (13, 0),
        &[T::FeedbackMetadata],
        SizeRule::FeedbackMetadata { closures: true },
    ),
    // Its size, whole: in bytes, later in words.
    ((7, 8), &[T::FreeSpace], smi(0, 8, 1)),
    ((13, 0), &[T::FreeSpace], smi(0, 8, 8)),
    ((7, 8), &[T::PreparseData], SizeRule::PreparseData),
    ((8, 4), &[T::CoverageInfo], u32(12, 8, 16)),
    // A bucket: two entries, a byte of hash table, two of chains.
    (
        (7, 8),
        &[T::SmallOrderedHashSet],
        counted(16, Count::U8(10), 16 + 3),
    ),
    (
        (7, 8),
        &[T::SmallOrderedHashMap],
        counted(16, Count::U8(10), 32 + 3),
    ),
    (
        (7, 8),
        &[T::SmallOrderedNameDictionary],
        counted(24, Count::U8(18), 48 + 3),
    ),
    // 16: the width of a group of control bytes on x64.
    ((9, 4), &[T::SwissNameDictionary], u32(24 + 16, 12, 18)),
    // Context and arguments before the mapped entries.
    ((9, 4), &[T::SloppyArgumentsElements], smi(32, 8, 8)),
    (
        (7, 8),
        &[T::Code],
        SizeRule::Code {
            header: 64,
            instruction_size: 40,
            metadata_size: None,
            unwinding_flags: Some(44),
            align: CODE_ALIGNMENT_OLD,
        },
    ),
    (
        (8, 4),
        &[T::Code],
        SizeRule::Code {
            header: 96,
            instruction_size: 40,
            metadata_size: None,
            unwinding_flags: Some(44),
            align: CODE_ALIGNMENT_OLD,
        },
    ),
    (
        (9, 4),
        &[T::Code],
        SizeRule::Code {
            header: 96,
            instruction_size: 40,
            metadata_size: Some(44),
            unwinding_flags: None,
            align: CODE_ALIGNMENT_OLD,
        },
    ),
    (
        (10, 1),
        &[T::Code],
        SizeRule::Code {
            header: 128,
            instruction_size: 40,
            metadata_size: Some(44),
            unwinding_flags: None,
            align: CODE_ALIGNMENT,
        },
    ),
    (
        (11, 3),
        &[T::InstructionStream],
        SizeRule::StreamOfCode {
            header: 16,
            instruction_size: 56,
            metadata_size: 60,
        },
    ),
    (
        (12, 0),
        &[T::InstructionStream],
        SizeRule::Counted {
            header: 32,
            count: Count::U32(24),
            element: 1,
            align: CODE_ALIGNMENT,
        },
    ),
    ((12, 0), &[T::ArrayList], smi(24, 8, 8)),
    ((12, 0), &[T::ScriptContextTable], smi(32, 8, 8)),
    ((12, 0), &[T::ObjectBoilerplateDescription], smi(32, 8, 8)),
    ((12, 0), &[T::RegExpMatchInfo], smi(40, 8, 8)),
    ((14, 0), &[T::DoubleStringCache], u32(16, 8, 16)),
    // 64 KiB that trap, behind the map.
    ((14, 0), &[T::Hole], SizeRule::Bytes(8 + 65536)),
    ((11, 0), &[T::WasmNull], SizeRule::Bytes(8)),
    ((11, 0), &[T::WasmTypeInfo], smi(40, 32, 8)),
    ((13, 0), &[T::WasmTypeInfo], smi(24, 16, 8)),
    ((12, 0), &[T::WasmDispatchTable], u32(16, 12, 24)),
    ((13, 0), &[T::WasmDispatchTable], u32(40, 12, 24)),
    ((14, 0), &[T::WasmDispatchTable], u32(40, 12, 16)),
    ((14, 0), &[T::WasmDispatchTableForImports], u32(24, 8, 16)),
    ((9, 4), &[T::WasmStruct], SizeRule::WasmStruct { shift: 0 }),
    ((11, 0), &[T::WasmStruct], SizeRule::WasmStruct { shift: 3 }),
    (
        (9, 4),
        &[T::WasmArray],
        SizeRule::WasmArray {
            header: 24,
            length: 16,
        },
    ),
];

/// Reads of an object whose size is asked for.
pub trait SizeSource {
    /// The 8 bytes at `offset` from the object's start; None where they cannot be read.
    fn word(&self, offset: u64) -> Option<u64>;
    /// The 8 bytes at an address of the target.
    fn word_at(&self, address: u64) -> Option<u64>;
}

/// One version's rules, by number.
#[derive(Debug, Clone)]
pub struct SizeRules {
    by_number: Vec<SizeRule>,
    first_nonstring: u16,
    scope_info: Option<u16>,
}

impl SizeRules {
    /// The rules of a version for its instance types.
    pub fn new(version: V8Version, types: &InstanceTypes) -> SizeRules {
        let mut by_number = Vec::new();
        let mut put = |kind: InstanceType, rule: SizeRule| {
            if let Some(number) = types.number(kind) {
                let index = usize::from(number);
                if by_number.len() <= index {
                    by_number.resize(index + 1, SizeRule::Unknown);
                }
                by_number[index] = rule;
            }
        };
        for (line, kinds, rule) in RULES {
            if *line <= version.line() || *line == (7, 8) {
                for kind in *kinds {
                    put(*kind, *rule);
                }
            }
        }
        SizeRules {
            by_number,
            first_nonstring: types.first_nonstring(),
            scope_info: types.number(InstanceType::ScopeInfo),
        }
    }

    /// Adds the rule that follows from other constants.
    pub(super) fn set_scope_info(&mut self, layout: &ScopeInfoLayout) {
        let (Some(number), Ok(shape)) = (self.scope_info, ScopeInfoShape::new(layout)) else {
            return;
        };
        let index = usize::from(number);
        if self.by_number.len() <= index {
            self.by_number.resize(index + 1, SizeRule::Unknown);
        }
        self.by_number[index] = SizeRule::ScopeInfo(shape);
    }

    /// The same rules, but for free space, which V8 13.6 turned from bytes to words in a patch
    /// release: only a heap shows which it is.
    pub fn with_other_free_space(&self, types: &InstanceTypes) -> SizeRules {
        let mut other = self.clone();
        let index = types.number(InstanceType::FreeSpace).map(usize::from);
        let rule = index.and_then(|i| other.by_number.get_mut(i));
        if let Some(SizeRule::Counted { element, .. }) = rule {
            *element = if *element == 8 { 1 } else { 8 };
        }
        other
    }

    /// The rule of an instance type whose Map gives no size.
    pub fn rule(&self, number: u16) -> SizeRule {
        if number < self.first_nonstring {
            // Representation in the low three bits (0: sequential), then one-byte or two-byte.
            return match number & 15 {
                0 => u32(16, 12, 2),
                8 => u32(16, 12, 1),
                _ => SizeRule::Unknown,
            };
        }
        self.by_number
            .get(usize::from(number))
            .copied()
            .unwrap_or(SizeRule::Unknown)
    }

    /// Bytes that an object takes. `map_sizes` is the Map's word at offset 8, which starts with
    /// the instance size in words; `number` its instance type. None where the object cannot be
    /// so. What is returned is a multiple of 8 and not 0, but nothing says that it fits the page.
    #[inline]
    pub fn size(&self, map_sizes: u64, number: u16, object: &impl SizeSource) -> Option<u64> {
        let words = map_sizes & 0xff;
        if words != 0 {
            return Some(words * 8);
        }
        self.variable_size(map_sizes, number, object)
            .filter(|size| *size >= 8)
    }

    fn variable_size(&self, map_sizes: u64, number: u16, object: &impl SizeSource) -> Option<u64> {
        let int = |offset: u64| part(object, offset, 32);
        match self.rule(number) {
            SizeRule::Unknown => None,
            SizeRule::Bytes(size) => Some(u64::from(size)),
            SizeRule::Counted {
                header,
                count,
                element,
                align,
            } => {
                let n = match count {
                    Count::Smi(at) => object.word(u64::from(at))? >> 32,
                    Count::PropertyArray(at) => object.word(u64::from(at))? >> 32 & 0x3ff,
                    Count::U8(at) => part(object, u64::from(at), 8)?,
                    Count::U16(at) => part(object, u64::from(at), 16)?,
                    Count::U32(at) => int(u64::from(at))?,
                    Count::BigInt(at) => int(u64::from(at))? >> 1 & 0x3fff_ffff,
                };
                if n >= MAX_COUNT {
                    return None;
                }
                let size = n
                    .checked_mul(u64::from(element))?
                    .checked_add(u64::from(header))?;
                round_up(size, align)
            }
            SizeRule::PreparseData => {
                let size = int(8)?.checked_add(int(12)?.checked_mul(8)?)?;
                round_up(size.checked_add(16)?, 8)
            }
            SizeRule::FeedbackMetadata { closures } => {
                let slots = int(8)?.div_ceil(6) * 4;
                let closures = if closures { int(12)? * 2 } else { 0 };
                round_up(16 + slots + closures, 8)
            }
            SizeRule::Code {
                header,
                instruction_size,
                metadata_size,
                unwinding_flags,
                align,
            } => {
                let header = u64::from(header);
                let mut body = int(u64::from(instruction_size))?;
                if let Some(at) = metadata_size {
                    body += int(u64::from(at))?;
                }
                if let Some(at) = unwinding_flags {
                    if int(u64::from(at))? & 1 != 0 {
                        body = round_up(body, 8)?;
                        body = body
                            .checked_add(8)?
                            .checked_add(object.word(header + body)?)?;
                    }
                }
                round_up(header.checked_add(body)?, align)
            }
            SizeRule::StreamOfCode {
                header,
                instruction_size,
                metadata_size,
            } => {
                let code = object.word(8)?.checked_sub(1)?;
                let int_at = |offset: u8| {
                    let at = u64::from(offset);
                    let word = object.word_at(code.checked_add(at & !7)?)?;
                    Some(word >> ((at & 7) * 8) & 0xffff_ffff)
                };
                let body = int_at(instruction_size)? + int_at(metadata_size)?;
                round_up(u64::from(header) + body, CODE_ALIGNMENT)
            }
            SizeRule::ScopeInfo(shape) => shape.parts(|at| object.word(at)).map(|p| p.size),
            SizeRule::WasmStruct { shift } => Some((map_sizes >> 8 & 0xffff) << shift),
            SizeRule::WasmArray { header, length } => {
                let bytes = int(u64::from(length))? * (map_sizes >> 8 & 0xff);
                round_up(bytes + u64::from(header), 8)
            }
        }
    }
}

/// `bits` of the object at `offset`, which is a multiple of their size.
#[inline]
fn part(object: &impl SizeSource, offset: u64, bits: u32) -> Option<u64> {
    let word = object.word(offset & !7)?;
    Some(word >> ((offset & 7) * 8) & ((1 << bits) - 1))
}

#[inline]
fn round_up(size: u64, align: u16) -> Option<u64> {
    let mask = u64::from(align) - 1;
    Some(size.checked_add(mask)? & !mask)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::V8dbg;

    struct Object(Vec<u64>);
    impl SizeSource for Object {
        fn word(&self, offset: u64) -> Option<u64> {
            self.0.get((offset / 8) as usize).copied()
        }
        fn word_at(&self, _: u64) -> Option<u64> {
            None
        }
    }

    fn rules(major: u32, minor: u32) -> (InstanceTypes, SizeRules) {
        let version = V8Version::new(major, minor, 0, 0);
        let types = InstanceTypes::for_version(version, &V8dbg::default());
        let sizes = SizeRules::new(version, &types);
        (types, sizes)
    }

    fn size(line: (u32, u32), kind: InstanceType, words: Vec<u64>) -> Option<u64> {
        let (types, sizes) = rules(line.0, line.1);
        sizes.size(0, types.number(kind)?, &Object(words))
    }

    #[test]
    fn the_map_decides_where_it_can() {
        let (types, sizes) = rules(12, 4);
        let number = types.number(InstanceType::JSObject).expect("a number");
        assert_eq!(sizes.size(7, number, &Object(vec![])), Some(56));
        assert_eq!(sizes.size(0, number, &Object(vec![])), None);
    }

    #[test]
    fn counted() {
        assert_eq!(size((7, 8), T::FixedArray, vec![1, 3 << 32]), Some(40));
        assert_eq!(size((12, 4), T::ByteArray, vec![1, 9 << 32]), Some(32));
        assert_eq!(size((11, 3), T::DescriptorArray, vec![1, 2]), Some(72));
        assert_eq!(size((14, 6), T::DescriptorArray, vec![1, 2]), Some(80));
        assert_eq!(size((12, 4), T::FreeSpace, vec![1, 32 << 32]), Some(32));
        assert_eq!(size((13, 6), T::FreeSpace, vec![1, 4 << 32]), Some(32));
        assert_eq!(size((12, 4), T::BigInt, vec![1, 0b101]), Some(32));
    }

    #[test]
    fn strings_by_their_bits() {
        let (_, sizes) = rules(12, 4);
        let text = Object(vec![1, 5 << 32]);
        assert_eq!(sizes.size(0, 8, &text), Some(24));
        assert_eq!(sizes.size(0, 32, &text), Some(32));
    }

    #[test]
    fn nothing_hostile_overflows() {
        let (_, sizes) = rules(14, 6);
        for number in 0..3000 {
            for word in [0, 1, u64::MAX, u64::MAX >> 1, 0x8000_0000_8000_0001] {
                let _ = sizes.size(u64::MAX << 8, number, &Object(vec![word; 8]));
                let _ = sizes.size(u64::MAX << 8, number, &Object(vec![word; 2]));
            }
        }
        for (major, minor) in [(7, 8), (8, 4), (10, 2), (11, 3)] {
            let (_, sizes) = rules(major, minor);
            for number in 0..3000 {
                let _ = sizes.size(0, number, &Object(vec![u64::MAX; 64]));
            }
        }
    }
}
