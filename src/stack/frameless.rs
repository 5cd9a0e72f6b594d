//! The innermost code where it has no frame: a builtin or a function that has not built one yet, has
//! left it, or never makes one. The frame pointer is then that of its caller still.
//!
//! Where it is in the code tells: V8 builds frames by one sequence of instructions, and leaves them
//! right before the code returns.

use super::builtins::{Builtins, MAX_BUILTIN};
use super::code::Code;
use super::walk::Walker;
use crate::object::{JSFunction, Tagged};
use crate::target::{Architecture, Registers};

/// `push rbp; mov rbp, rsp`.
const BUILD: [u8; 4] = [0x55, 0x48, 0x89, 0xe5];
/// `mov rsp, rbp; pop rbp`.
const LEAVE: [u8; 4] = [0x48, 0x8b, 0xe5, 0x5d];
/// `ret`, and the one that drops arguments.
const RETURNS: [u8; 2] = [0xc3, 0xc2];
/// A function builds its frame this far into its code at most.
const MAX_ENTRY: u64 = 128;
/// Where a function has a builtin build its frame, the call ends this far into its code at most.
const MAX_CALL_TO_BUILD: u64 = 64;
/// The builtin that builds the frame of a function that Sparkplug compiled.
const BUILDER: &str = "BaselineOutOfLinePrologue";
/// Words that code without a frame has pushed at most.
const MAX_PUSHED: u64 = 16;

/// Innermost code without a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frameless {
    /// Frame pointer of the caller, and where it goes on; that is not always known.
    pub caller: u64,
    pub returns_to: Option<u64>,
}

/// What a pc is in.
enum In<'a> {
    /// A builtin: its name, and where it begins and the pc is in the program's file.
    Builtin(String, u64, u64),
    Code(Code<'a>),
}

/// The innermost code of a thread.
pub struct Innermost<'a, 'w> {
    walker: &'w Walker<'a>,
    architecture: Architecture,
    builtins: &'w Builtins<'w>,
    registers: Registers,
}

impl<'a, 'w> Innermost<'a, 'w> {
    pub fn new(
        walker: &'w Walker<'a>,
        architecture: Architecture,
        builtins: &'w Builtins<'w>,
        registers: Registers,
    ) -> Innermost<'a, 'w> {
        Innermost {
            walker,
            architecture,
            builtins,
            registers,
        }
    }

    fn place(&self) -> Option<In<'a>> {
        let pc = self.registers.pc;
        if let Some((name, start, pc)) = self.builtins.at(pc) {
            return Some(In::Builtin(name, start, pc));
        }
        // The first byte of code is its own, while a return address may be the byte after it.
        let code = self.walker.code(pc.checked_add(1)?)?;
        Some(In::Code(code))
    }

    fn bytes(&self, start: u64, length: u64) -> Vec<u8> {
        let length = usize::try_from(length).unwrap_or(0);
        let memory = self.walker.cx.memory;
        memory.bytes(start, length, length).unwrap_or_default()
    }

    /// What is known of the innermost code where it has no frame.
    pub fn frameless(&self) -> Option<Frameless> {
        if self.architecture != Architecture::X64 {
            return None;
        }
        let Registers { pc, sp, fp, .. } = self.registers;
        let place = self.place()?;
        let (start, at, most) = match &place {
            In::Builtin(_, start, at) => (*start, *at, MAX_BUILTIN),
            In::Code(code) => (code.start, pc, code.size),
        };
        let returned = |word: u64| Frameless {
            caller: fp,
            returns_to: self.word(word),
        };
        if let In::Builtin(name, start, at) = &place {
            if name == BUILDER {
                return self.building(*start, *at);
            }
        }
        // What is there next, and what was last.
        let next = self.bytes(at, 1);
        let last = self.bytes(
            at.saturating_sub(4).max(start),
            at.saturating_sub(start).min(4),
        );
        if next.first().is_some_and(|b| RETURNS.contains(b)) || last == LEAVE || at == start {
            return Some(returned(sp));
        }
        let offset = at.checked_sub(start)?;
        // Code that begins in the middle of a loop finds its frame there and builds none.
        let builds = match &place {
            In::Code(code) => {
                let Some(built) = self.builds_at(code) else {
                    let back = self.word(sp).filter(|w| self.is_return_address(*w));
                    let entering = back.is_some() && self.is_entering(code, pc);
                    return entering.then(|| returned(sp));
                };
                built.checked_add(1)?..built.checked_add(4)?
            }
            In::Builtin(..) => {
                // To where the pc is, and a sequence it is in.
                let begin = self.bytes(start, offset.saturating_add(3).min(most));
                let built = begin.windows(4).position(|w| w == BUILD);
                built.map_or(u64::MAX..u64::MAX, |b| b as u64 + 1..b as u64 + 4)
            }
        };
        if offset == builds.start {
            // The frame pointer was pushed.
            return Some(returned(sp.checked_add(8)?));
        }
        let interprets = match &place {
            In::Builtin(name, ..) => name.ends_with("Handler") || name.contains("Interpreter"),
            In::Code(_) => true,
        };
        // Parts of a builtin make a frame, others do not: those have the return address at hand.
        let is_elsewhere = |word: u64| {
            let back = self.builtins.at(word.saturating_sub(1));
            self.is_return_to_frame(word) && back.is_none_or(|(_, other, _)| other != start)
        };
        let is_at_hand = || self.word(sp).is_some_and(is_elsewhere);
        let of_caller = !interprets && (self.is_frame_of_code(fp) || is_at_hand());
        if offset < builds.start || of_caller {
            if let In::Builtin(name, ..) = &place {
                // Part of the frame of the function whose bytecode it runs.
                if name.ends_with("Handler") {
                    return None;
                }
            }
            let pushed = (0..MAX_PUSHED).map(|i| sp.wrapping_add(8 * i));
            let found = pushed
                .take_while(|at| *at < fp)
                .find_map(|at| self.word(at).filter(|w| self.is_return_to_frame(*w)));
            return Some(Frameless {
                caller: fp,
                returns_to: found,
            });
        }
        // Built, but what tells whose it is was not pushed.
        let frame = &self.walker.cx.layout.frame;
        let marker = fp.checked_add_signed(frame.context_or_type.known()?)?;
        let function = fp.checked_add_signed(frame.function.known()?)?;
        let is_typed = self.word(marker).is_some_and(|w| w & 1 == 0);
        if sp <= function || (sp <= marker && is_typed) {
            return None;
        }
        Some(Frameless {
            caller: self.word(fp)?,
            returns_to: self.word(fp.checked_add(8)?),
        })
    }

    /// While a function's frame is built for it: its own return address stands behind the one into the
    /// function, which has no frame either.
    fn building(&self, start: u64, at: u64) -> Option<Frameless> {
        let begin = self.bytes(start, MAX_BUILTIN.min(at.checked_sub(start)?));
        let built = begin.windows(4).any(|w| w == BUILD);
        let Registers { sp, fp, .. } = self.registers;
        if built {
            return Some(Frameless {
                caller: self.word(fp)?,
                returns_to: self.word(fp.checked_add(8)?),
            });
        }
        let words = (0..MAX_PUSHED).map(|i| sp.wrapping_add(8 * i));
        let mut returns = words
            .take_while(|at| *at < fp)
            .filter_map(|at| self.word(at))
            .filter(|w| self.is_return_address(*w));
        Some(Frameless {
            caller: fp,
            returns_to: returns.nth(1),
        })
    }

    fn word(&self, at: u64) -> Option<u64> {
        let on_stack = self.walker.stack.contains(&at);
        on_stack.then(|| self.walker.cx.memory.u64(at).ok())?
    }

    /// Whether the frame is of a function that is no builtin.
    fn is_frame_of_code(&self, fp: u64) -> bool {
        let cx = self.walker.cx;
        let slot = cx.layout.frame.function.known();
        let word = slot.and_then(|o| self.word(fp.checked_add_signed(o)?));
        let marker = cx.layout.frame.context_or_type.known();
        let marker = marker.and_then(|o| self.word(fp.checked_add_signed(o)?));
        let is_typed = marker.is_none_or(|m| m & 1 == 0);
        let function = word.and_then(|w| cx.object(Tagged(w)).ok());
        let function = function.and_then(|f| JSFunction::new(f).ok());
        let data = function.and_then(|f| f.shared().ok()?.function_data().ok());
        !is_typed && data.is_some_and(|d| !d.is_smi())
    }

    /// Where a function builds its frame; `None` where it has that done, or finds it there.
    fn builds_at(&self, code: &Code) -> Option<u64> {
        let begin = self.bytes(code.start, MAX_ENTRY.min(code.size));
        let found = begin.windows(4).position(|w| w == BUILD)?;
        u64::try_from(found).ok()
    }

    /// Whether a function has no frame yet at a pc. Baseline code has a builtin build it.
    fn is_entering(&self, code: &Code, pc: u64) -> bool {
        match self.builds_at(code) {
            Some(built) => code.offset(pc) <= built,
            None if code.is_optimized() => false,
            None => match self.called_before(pc) {
                Some(name) => name == BUILDER,
                None => code.offset(pc) <= MAX_CALL_TO_BUILD,
            },
        }
    }

    /// The builtin that the call before a pc is to, where the instruction tells.
    fn called_before(&self, pc: u64) -> Option<String> {
        let bytes = self.bytes(pc.checked_sub(5)?, 5);
        let &[0xe8, ref distance @ ..] = bytes.as_slice() else {
            return None;
        };
        let distance = i32::from_le_bytes(distance.try_into().ok()?);
        let to = pc.checked_add_signed(i64::from(distance))?;
        self.builtins.name(to)
    }

    /// Whether a word leads behind a call in code that has its frame.
    fn is_return_to_frame(&self, word: u64) -> bool {
        let entering = |code: Code| self.is_entering(&code, word);
        self.is_return_address(word) && !self.walker.code(word).is_some_and(entering)
    }

    /// Whether a word leads to generated code behind a call.
    fn is_return_address(&self, word: u64) -> bool {
        let original = self.builtins.original(word);
        if original.is_none() && self.walker.code(word).is_none() {
            return false;
        }
        let Some(start) = original.unwrap_or(word).checked_sub(7) else {
            return false;
        };
        let Ok(b) = <[u8; 7]>::try_from(self.bytes(start, 7)) else {
            return false;
        };
        // call rel32; call r; call [r + 8 bits]; call [r + 32 bits]; call [r + r * n].
        b[2] == 0xe8
            || (b[5] == 0xff && b[6] & 0xf8 == 0xd0)
            || (b[4] == 0xff && (b[5] & 0xf8 == 0x50 || b[5] & 0x3f == 0x14))
            || (b[1] == 0xff && b[2] & 0xf8 == 0x90)
    }
}
