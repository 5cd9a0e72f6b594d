//! What a dying thread's stack tells without an unwinder: calls by their return addresses, text
//! that was passed on, and the marks that V8 leaves for tools like this one.

use crate::memory::{LoadSegment, Memory};
use crate::program::Program;
use crate::target::{Architecture, Target, Thread};
use std::ops::Range;

/// Bytes of stack looked at, from the stack pointer on. V8's report of an exhausted heap has
/// buffers of tens of kilobytes on it.
const MAX_STACK: u64 = 1 << 20;
/// The same where no frame of V8's says where C++ ends.
const MAX_STACK_WITHOUT_END: u64 = 1 << 18;
/// Longest text passed to a fatal error.
const MAX_TEXT: usize = 1024;
/// Length of a direct call.
const CALL: u64 = 5;

/// A call that has not returned.
#[derive(Debug, Clone)]
pub struct PendingCall {
    /// Where on the stack the return address is.
    pub at: u64,
    /// The return address.
    pub pc: u64,
    /// The calling function (as the linker names it).
    pub name: String,
    /// The function called, where the call names it.
    pub callee: Option<u64>,
}

/// The native part of a thread's stack, below its JavaScript.
pub struct NativeStack<'a> {
    memory: &'a dyn Memory,
    target: &'a dyn Target,
    /// What is in registers is not there: from the stack pointer on.
    pub start: u64,
    bytes: Vec<u8>,
    /// Where the program's code is mapped, and where its constants are.
    code: Vec<Range<u64>>,
    constants: Vec<Range<u64>>,
}

impl<'a> NativeStack<'a> {
    /// From the stack pointer to `end`, the first frame of V8's where there is one.
    pub fn of(
        target: &'a dyn Target,
        program: &Program,
        thread: &Thread,
        end: Option<u64>,
    ) -> Option<NativeStack<'a>> {
        let sp = thread.registers.sp & !7;
        let regions = target.regions().ok()?;
        let region = regions.iter().find(|r| r.contains(sp))?;
        let length = match end.filter(|e| region.contains(*e) && *e > sp) {
            Some(end) => (end - sp).min(MAX_STACK),
            None => (region.end - sp).min(MAX_STACK_WITHOUT_END),
        };
        let mut bytes = vec![0; usize::try_from(length).ok()? & !7];
        let read = target.memory().read_partial(sp, &mut bytes);
        bytes.truncate(read & !7);
        let slide = program.module.slide;
        let part = |wanted: fn(&LoadSegment) -> bool| {
            let segments = program.file.load_segments().iter();
            segments
                .filter(|s| wanted(s))
                .map(|s| {
                    let start = s.address.wrapping_add(slide);
                    start..start.saturating_add(s.memory_size)
                })
                .collect::<Vec<_>>()
        };
        Some(NativeStack {
            memory: target.memory(),
            target,
            start: sp,
            bytes,
            code: part(|s| s.executable),
            // Older builds have code and constants in one.
            constants: part(|s| !s.writable),
        })
    }

    /// Each word and where it is, the innermost first.
    pub fn words(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let words = self.bytes.chunks_exact(8).enumerate();
        words.map(|(i, b)| {
            let word = u64::from_le_bytes(b.try_into().unwrap_or_default());
            (self.start.saturating_add(8 * i as u64), word)
        })
    }

    /// The word at an address of this part of the stack.
    pub fn word(&self, at: u64) -> Option<u64> {
        let from = usize::try_from(at.checked_sub(self.start)?).ok()?;
        let bytes = self.bytes.get(from..from.checked_add(8)?)?;
        Some(u64::from_le_bytes(bytes.try_into().ok()?))
    }

    /// The bytes from an address on.
    pub fn bytes_from(&self, at: u64) -> &[u8] {
        let from = at
            .checked_sub(self.start)
            .and_then(|f| usize::try_from(f).ok());
        from.and_then(|f| self.bytes.get(f..)).unwrap_or(&[])
    }

    /// Every word that is the return address of a call in the program. Some may be left over from
    /// calls that have returned.
    pub fn calls(&self) -> Vec<PendingCall> {
        let is_x64 = self.target.architecture() == Architecture::X64;
        let in_code = |word: u64| self.code.iter().any(|r| r.contains(&word));
        self.words()
            .filter(|(_, word)| in_code(*word))
            .filter_map(|(at, pc)| {
                let callee = match is_x64 {
                    true => self.call_before(pc)?,
                    false => None,
                };
                // A function that never returns may be called last in its caller.
                let (name, _) = self.target.symbolize(pc.wrapping_sub(1))?;
                Some(PendingCall {
                    at,
                    pc,
                    name,
                    callee,
                })
            })
            .collect()
    }

    /// Whether a call ends right before `pc`, and what it calls if it says so.
    fn call_before(&self, pc: u64) -> Option<Option<u64>> {
        let mut code = [0; 7];
        let start = pc.checked_sub(code.len() as u64)?;
        self.memory.read(start, &mut code).ok()?;
        if let [_, _, 0xe8, a, b, c, d] = code {
            let by = i32::from_le_bytes([a, b, c, d]);
            return Some(Some(pc.wrapping_add_signed(i64::from(by))));
        }
        // call r/m64: opcode FF /2, two to seven bytes long.
        let indirect = |at: usize| {
            let pair = code.get(at).zip(code.get(at + 1));
            pair.is_some_and(|(op, m)| *op == 0xff && (*m >> 3) & 7 == 2)
        };
        [5, 4, 3, 1, 0].into_iter().any(indirect).then_some(None)
    }

    /// The address that the call before `pc` has in its first argument's register, where the
    /// instruction before the call puts it there (`mov edi, …` or `lea rdi, [rip + …]`).
    pub fn constant_argument(&self, pc: u64) -> Option<u64> {
        if self.target.architecture() != Architecture::X64 {
            return None;
        }
        let mut code = [0; 7];
        let call = pc.checked_sub(CALL)?;
        let start = call.checked_sub(code.len() as u64)?;
        self.memory.read(start, &mut code).ok()?;
        match code {
            [0x48, 0x8d, 0x3d, a, b, c, d] => {
                let by = i64::from(i32::from_le_bytes([a, b, c, d]));
                Some(call.wrapping_add_signed(by))
            }
            [_, _, 0xbf, a, b, c, d] => Some(u64::from(u32::from_le_bytes([a, b, c, d]))),
            _ => None,
        }
    }

    /// The text constant that the call before `pc` has as its second argument, where instructions right
    /// before it put it into that register.
    pub fn second_argument_text(&self, pc: u64) -> Option<String> {
        /// Instructions looked at, in bytes.
        const BEFORE: usize = 32;
        if self.target.architecture() != Architecture::X64 {
            return None;
        }
        let mut code = [0; BEFORE];
        let call = pc.checked_sub(CALL)?;
        let start = call.checked_sub(BEFORE as u64)?;
        self.memory.read(start, &mut code).ok()?;
        (0..BEFORE).rev().find_map(|at| {
            let address = match *code.get(at..)? {
                // lea rsi, [rip + …]
                [0x48, 0x8d, 0x35, a, b, c, d, ..] => {
                    let by = i64::from(i32::from_le_bytes([a, b, c, d]));
                    let next = start.checked_add(at as u64)?.checked_add(7)?;
                    next.wrapping_add_signed(by)
                }
                // mov esi, …
                [0xbe, a, b, c, d, ..] => u64::from(u32::from_le_bytes([a, b, c, d])),
                _ => return None,
            };
            let is_constant = self.constants.iter().any(|r| r.contains(&address));
            is_constant.then(|| self.text(address)).flatten()
        })
    }

    /// A string constant of the program that begins at `address`.
    pub fn constant_text(&self, address: u64) -> Option<String> {
        if !self.constants.iter().any(|r| r.contains(&address)) {
            return None;
        }
        // Another one ends before it.
        let before = self.memory.u8(address.checked_sub(1)?).ok()?;
        (before == 0).then(|| self.text(address)).flatten()
    }

    /// Printable text at `address`, up to its zero.
    pub fn text(&self, address: u64) -> Option<String> {
        let mut bytes = vec![0; MAX_TEXT];
        let read = self.memory.read_partial(address, &mut bytes);
        let text = bytes.get(..read)?;
        let text = text.get(..memchr::memchr(0, text)?)?;
        let text = std::str::from_utf8(text).ok()?;
        let printable = |c: char| !c.is_control() || c == '\n';
        (text.len() >= 2 && text.chars().all(printable)).then(|| text.to_string())
    }
}
