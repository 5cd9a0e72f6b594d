//! The fault that a handler of signals was called for (Linux, x64). Node.js has a handler of faults; of
//! those that are none of WebAssembly's it sends the process the same signal again and returns, to
//! the instruction that failed. What the kernel told the handler is left below the stack pointer.

use crate::memory::Memory;
use crate::target::Registers;

/// How far below the stack pointer it is looked for: the kernel puts all registers there.
const BELOW: u64 = 32 << 10;
/// What is before a `siginfo_t`, a `struct ucontext` of 304 bytes: from it back to the registers, to the
/// number of the processor's exception, and to the address that was about.
const TO_SP: usize = 304 - 160;
const TO_PC: usize = 304 - 168;
const TO_EXCEPTION: usize = 304 - 200;
const TO_ADDRESS: usize = 304 - 216;
/// The exception of an access to memory.
const PAGE_FAULT: u64 = 14;
/// `si_code` of faults: nothing is mapped there, or the access is not allowed.
const CODES: [u64; 2] = [1, 2];

/// The address of the fault that the thread had where it is now.
pub fn handled(memory: &dyn Memory, registers: Registers, signal: i32) -> Option<u64> {
    let signal = u64::try_from(signal).ok()?;
    let start = registers.sp.checked_sub(BELOW)? & !7;
    let length = BELOW as usize;
    let bytes = memory.bytes(start, length, length).ok()?;
    let words = bytes.chunks_exact(8);
    let words: Vec<u64> = words
        .map(|b| u64::from_le_bytes(b.try_into().unwrap_or_default()))
        .collect();
    words.iter().enumerate().rev().find_map(|(at, word)| {
        // Its number and error, its code, the address.
        let after = |n: usize| words.get(at.checked_add(n)?).copied();
        let before = |bytes: usize| words.get(at.checked_sub(bytes / 8)?).copied();
        if *word != signal {
            return None;
        }
        let address = after(2)?;
        let is_it = CODES.contains(&(after(1)? & 0xffff_ffff))
            && before(TO_EXCEPTION)? == PAGE_FAULT
            && before(TO_ADDRESS)? == address
            && before(TO_PC)? == registers.pc
            && before(TO_SP)? == registers.sp;
        is_it.then_some(address)
    })
}
