//! Node's C++ classes that tell snapshots of their memory (`MemoryRetainer`), known by their
//! tables of virtual functions. What `SelfSize` and `MemoryInfoName` return stands in their code:
//! nothing but a constant is loaded there.

use crate::memory::Memory;
use crate::program::Program;
use rustc_hash::FxHashMap;

/// A class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Class {
    /// What snapshots call its objects.
    pub name: String,
    /// Its parser of HTTP, one of many classes of this name, has a buffer.
    pub has_parser_buffer: bool,
    /// Bytes of an object; none where it depends on the object.
    pub size: Option<u64>,
    /// Its `WrappedObject`: the same for all that have an object of JavaScript's.
    pub wrapped_object: u64,
}

/// Where the mangled names of the tables of Node's classes begin.
const TABLES: &str = "_ZTVN4node";
/// Words of a table before the first function: the distance to the object's start and the type.
const HEADER: u64 = 16;
/// Places in the table: two destructors, `MemoryInfo`, then these.
const MEMORY_INFO_NAME: usize = 3;
const SELF_SIZE: usize = 4;
const WRAPPED_OBJECT: usize = 5;
/// No class is larger.
const MOST: u64 = 1 << 16;

/// All classes of the program by the address that stands in their objects.
pub fn classes(program: &Program, memory: &dyn Memory) -> FxHashMap<u64, Class> {
    let mut classes = FxHashMap::default();
    for (mangled, symbol) in program.data_symbols(TABLES) {
        let Some(nested) = mangled.strip_prefix(TABLES) else {
            continue;
        };
        let table = symbol.address.wrapping_add(HEADER);
        let function = |at: usize| memory.u64(table.wrapping_add(at as u64 * 8)).ok();
        let (Some(size), Some(name), Some(wrapped_object)) = (
            function(SELF_SIZE),
            function(MEMORY_INFO_NAME),
            function(WRAPPED_OBJECT),
        ) else {
            continue;
        };
        let size = match constant(memory, size) {
            Some(size) if (8..MOST).contains(&size) => Some(size),
            _ if nested == "12CleanupQueueE" => None,
            _ => continue,
        };
        let told = constant(memory, name).and_then(|at| text(memory, at));
        let Some(name) = told.or_else(|| name_of(nested)) else {
            continue;
        };
        let class = Class {
            has_parser_buffer: matches!(
                nested,
                "11http_parser11BindingDataE" | "12_GLOBAL__N_111BindingDataE"
            ),
            name,
            size,
            wrapped_object,
        };
        classes.insert(table, class);
    }
    classes
}

/// What a function of x64 returns that only loads a constant.
fn constant(memory: &dyn Memory, function: u64) -> Option<u64> {
    let mut bytes = [0u8; 24];
    let read = memory.read_partial(function, &mut bytes);
    let mut code = bytes.get(..read)?;
    const ENDBR: &[u8] = &[0xf3, 0x0f, 0x1e, 0xfa];
    const PUSH: &[u8] = &[0x55];
    const MOVE: &[u8] = &[0x48, 0x89, 0xe5];
    const POP: &[u8] = &[0x5d];
    for prologue in [ENDBR, PUSH, MOVE] {
        code = code.strip_prefix(prologue).unwrap_or(code);
    }
    let (value, rest) = match *code {
        // mov eax, value
        [0xb8, a, b, c, d, ref rest @ ..] => (u64::from(u32::from_le_bytes([a, b, c, d])), rest),
        // lea rax, [rip + distance]
        [0x48, 0x8d, 0x05, a, b, c, d, ref rest @ ..] => {
            let next = function.checked_add((read - rest.len()) as u64)?;
            let distance = i64::from(i32::from_le_bytes([a, b, c, d]));
            (next.checked_add_signed(distance)?, rest)
        }
        _ => return None,
    };
    let rest = rest.strip_prefix(MOVE).unwrap_or(rest);
    let rest = rest.strip_prefix(POP).unwrap_or(rest);
    (rest.first() == Some(&0xc3)).then_some(value)
}

fn text(memory: &dyn Memory, address: u64) -> Option<String> {
    let mut bytes = [0u8; 64];
    let read = memory.read_partial(address, &mut bytes);
    let end = memchr::memchr(0, bytes.get(..read)?)?;
    let text = std::str::from_utf8(&bytes[..end]).ok()?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || "_:<>".contains(c);
    (!text.is_empty() && text.chars().all(is_name)).then(|| text.to_string())
}

/// From the mangled name behind "_ZTVN4node": the last of its parts, before arguments of a
/// template. The classes that are called otherwise follow rules.
fn name_of(nested: &str) -> Option<String> {
    let mut rest = nested;
    let mut last = None;
    while let Some(part) = take_part(&mut rest) {
        last = Some(part);
    }
    let last = last?;
    let argument = |prefix: &str| {
        let mut rest = rest.strip_prefix('I')?;
        while let Some(shorter) = rest.strip_prefix(['N', 'S']) {
            rest = shorter.trim_start_matches(|c: char| c.is_ascii_uppercase() || c == '_');
            rest = rest.strip_prefix("0_").unwrap_or(rest);
        }
        let mut found = None;
        while let Some(part) = take_part(&mut rest) {
            found = Some(part);
        }
        let job = found?.strip_suffix("Traits")?;
        Some(format!("{job}{prefix}"))
    };
    match last {
        "AliasedBufferBase" => {
            let arrays = [
                "Float64Array",
                "BigInt64Array",
                "BigUint64Array",
                "Int32Array",
                "Uint32Array",
                "Uint8Array",
            ];
            let array = arrays.into_iter().find(|a| rest.contains(a))?;
            Some(format!("Aliased{array}"))
        }
        "DeriveBitsJob" | "KeyGenJob" | "CipherJob" => argument("Job").or(Some(last.to_string())),
        name => Some(name.to_string()),
    }
}

fn take_part<'s>(rest: &mut &'s str) -> Option<&'s str> {
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let length: usize = rest.get(..digits)?.parse().ok()?;
    let part = rest.get(digits..digits.checked_add(length)?)?;
    *rest = rest.get(digits + length..)?;
    Some(part)
}

#[cfg(test)]
mod tests {
    use super::name_of;

    #[test]
    fn names_of_classes() {
        let name = |mangled: &str| name_of(mangled).unwrap();
        assert_eq!(name("7TCPWrapE"), "TCPWrap");
        assert_eq!(name("12_GLOBAL__N_110ZlibStreamE"), "ZlibStream");
        assert_eq!(name("2fs11BindingDataE"), "BindingData");
        assert_eq!(
            name("17AliasedBufferBaseIdN2v812Float64ArrayEEE"),
            "AliasedFloat64Array"
        );
        assert_eq!(
            name("6crypto13DeriveBitsJobINS0_12PBKDF2TraitsEEE"),
            "PBKDF2Job"
        );
        assert_eq!(
            name("2fs12FSReqPromiseINS_17AliasedBufferBaseIdN2v812Float64ArrayEEEEE"),
            "FSReqPromise"
        );
        assert_eq!(name_of("nonsense"), None);
    }
}
