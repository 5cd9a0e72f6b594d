//! Native frames by the unwind tables of the program's own files.
//!
//! Where the debugger's unwinder does not get through generated code, the C++ frames between two
//! stays in JavaScript are missing from its stack. V8's entry frame keeps the registers of the C++
//! function that called it, so the tables (`.eh_frame`) lead on from there. And they lead from the C++
//! function that a thread is in to the generated code that called it. x64 only: on arm64 the debugger
//! follows the frame pointers that all code keeps.

use crate::memory::{Memory, ModuleFile};
use crate::metadata::{Constant, Layout};
use crate::object::Cx;
use crate::target::{self, Architecture, Module, NativeFrame, Target};
use gimli::{
    BaseAddresses, CfaRule, EhFrame, EhFrameHdr, LittleEndian, Pointer, RegisterRule,
    UnwindContext, UnwindSection,
};
use rustc_hash::FxHashMap;

/// Frames between two stays in JavaScript at most.
const MAX_FRAMES: usize = 10_000;

// The System V ABI's numbers of the registers.
const RBX: usize = 3;
const RBP: usize = 6;
const RSP: usize = 7;
const RETURN_ADDRESS: usize = 16;

/// The registers of a frame that its callee keeps, by the numbers of the unwind tables.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Registers([Option<u64>; 17]);

impl Registers {
    fn get(&self, number: u16) -> Option<u64> {
        *self.0.get(usize::from(number))?
    }
}

/// Unwinds the C++ parts of stacks.
pub struct Unwinder<'a> {
    cx: Cx<'a>,
    target: &'a dyn Target,
    modules: Vec<Module>,
    files: FxHashMap<usize, Option<ModuleFile>>,
}

impl<'a> Unwinder<'a> {
    pub fn new(cx: Cx<'a>, target: &'a dyn Target) -> Unwinder<'a> {
        Unwinder {
            cx,
            target,
            modules: target.modules(),
            files: FxHashMap::default(),
        }
    }

    /// The frames that led to V8's entry frame at `fp`, innermost first, up to the frame of the
    /// generated code that called C++, which is at `end`, or else to the end of the stack.
    pub fn callers_of_entry(
        &mut self,
        fp: u64,
        end: Option<u64>,
        limit: usize,
    ) -> Vec<NativeFrame> {
        let mut out = Vec::new();
        if self.target.architecture() != Architecture::X64 {
            return out;
        }
        let Some(mut registers) = at_entry(self.cx.memory, self.cx.layout, fp) else {
            return out;
        };
        while out.len() < limit.min(MAX_FRAMES) {
            let (Some(pc), Some(sp)) = (registers.0[RETURN_ADDRESS], registers.0[RSP]) else {
                break;
            };
            if end.is_some_and(|end| sp > end) {
                break;
            }
            // The call is before the address it returns to, which may be of the next function.
            let Some((index, symbol)) = self.native_code(pc.wrapping_sub(1)) else {
                break;
            };
            out.push(NativeFrame {
                index: 0,
                pc,
                sp,
                fp: registers.0[RBP].unwrap_or(0),
                description: self.describe(index, pc, symbol.as_ref()),
                function: symbol.map(|(name, _)| name),
                selected: false,
            });
            match self.caller(index, pc.wrapping_sub(1), &registers) {
                Some(next) if next.0[RSP] > registers.0[RSP] => registers = next,
                _ => break,
            }
        }
        out
    }

    /// The registers where generated code called the C++ function that a thread is in, or one further
    /// out. What is called so need not be left through an exit frame: arithmetic, copies of memory, write
    /// barriers, an embedder's fast functions.
    pub fn generated_caller(&mut self, innermost: target::Registers) -> Option<target::Registers> {
        if self.target.architecture() != Architecture::X64 {
            return None;
        }
        let mut registers = Registers::default();
        registers.0[RETURN_ADDRESS] = Some(innermost.pc);
        registers.0[RSP] = Some(innermost.sp);
        registers.0[RBP] = Some(innermost.fp);
        let mut address = innermost.pc;
        for _ in 0..MAX_FRAMES {
            let index = self.module(address)?;
            let next = self.caller(index, address, &registers)?;
            let (pc, sp) = (next.0[RETURN_ADDRESS]?, next.0[RSP]?);
            if Some(sp) <= registers.0[RSP] {
                return None;
            }
            if self.is_generated(pc) {
                let fp = next.0[RBP]?;
                return Some(target::Registers {
                    pc,
                    sp,
                    fp,
                    ..innermost
                });
            }
            registers = next;
            // The call is before the address it returns to.
            address = pc.wrapping_sub(1);
        }
        None
    }

    /// Whether a pc is in V8's generated code: in its builtins, or in no file. Files need not have symbols
    /// of all their code.
    pub fn is_generated(&mut self, pc: u64) -> bool {
        match self.target.symbolize(pc) {
            Some((name, _)) => name.starts_with("Builtins_"),
            None => self.module(pc).is_none(),
        }
    }

    /// The module that has an address.
    fn module(&mut self, address: u64) -> Option<usize> {
        (0..self.modules.len()).find(|i| self.holds(*i, address))
    }

    /// The module of an address in C++ code, and the function's symbol.
    fn native_code(&mut self, address: u64) -> Option<(usize, Option<(String, u64)>)> {
        let index = self.module(address)?;
        let symbol = self.target.symbolize(address);
        let generated = symbol
            .as_ref()
            .is_some_and(|(name, _)| name.starts_with("Builtins_"));
        (!generated).then_some((index, symbol))
    }

    fn file(&mut self, index: usize) -> Option<&ModuleFile> {
        let path = &self.modules.get(index)?.path;
        let open = || ModuleFile::open(path).ok();
        self.files.entry(index).or_insert_with(open).as_ref()
    }

    fn holds(&mut self, index: usize, address: u64) -> bool {
        let Some(slide) = self.modules.get(index).map(|m| m.slide) else {
            return false;
        };
        let Some(file) = self.file(index) else {
            return false;
        };
        let address = address.wrapping_sub(slide);
        file.load_segments()
            .iter()
            .any(|s| address.wrapping_sub(s.address) < s.memory_size)
    }

    /// The debugger's text for such a frame.
    fn describe(&self, index: usize, pc: u64, symbol: Option<&(String, u64)>) -> String {
        let path = self.modules.get(index).map_or("", |m| m.path.as_str());
        let module = path.rsplit('/').next().unwrap_or(path);
        match symbol {
            // The symbol is that of the byte before.
            Some((name, offset)) => {
                let offset = offset.saturating_add(1);
                format!("{module}`{} + {offset}", demangled(name))
            }
            None => format!("{module}`{pc:#x}"),
        }
    }

    /// The registers of the caller of a frame.
    fn caller(&mut self, index: usize, address: u64, of: &Registers) -> Option<Registers> {
        let slide = self.modules.get(index)?.slide;
        let memory = self.cx.memory;
        let file = self.file(index)?;
        let row = Row::find(file, address.wrapping_sub(slide))?;
        let (register, offset) = row.frame;
        let cfa = of.get(register)?.checked_add_signed(offset)?;
        let mut out = *of;
        // Only what a function must keep has a value in its caller.
        for (number, value) in out.0.iter_mut().enumerate() {
            if !matches!(number, RBX | RBP | 12..=15) {
                *value = None;
            }
        }
        for (number, rule) in row.rules {
            let value = match rule {
                Rule::At(offset) => memory.u64(cfa.checked_add_signed(offset)?).ok(),
                Rule::Is(offset) => cfa.checked_add_signed(offset),
                Rule::Register(other) => of.get(other),
                Rule::Lost => None,
            };
            if let Some(slot) = out.0.get_mut(usize::from(number)) {
                *slot = value;
            }
        }
        out.0[RSP] = Some(cfa);
        // Zero and no rule at all end a stack.
        (out.0[RETURN_ADDRESS]? != 0).then_some(out)
    }
}

/// The registers of the C++ function that called V8's entry frame at `fp`.
fn at_entry(memory: &dyn Memory, layout: &Layout, fp: u64) -> Option<Registers> {
    let slot = |c: Constant| memory.u64(fp.wrapping_add_signed(c.known()?)).ok();
    let frame = &layout.frame;
    let mut out = Registers::default();
    out.0[RBX] = slot(frame.entry_saved_rbx);
    out.0[12] = slot(frame.entry_saved_r12);
    out.0[13] = slot(frame.entry_saved_r13);
    out.0[14] = slot(frame.entry_saved_r14);
    out.0[15] = slot(frame.entry_saved_r15);
    // As every frame begins: the caller's frame pointer, the return address.
    out.0[RBP] = Some(memory.u64(fp).ok()?);
    out.0[RETURN_ADDRESS] = Some(memory.u64(fp.checked_add(8)?).ok()?);
    out.0[RSP] = Some(fp.checked_add(16)?);
    Some(out)
}

/// Where a register of the caller is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// In memory, this far from the frame's address.
    At(i64),
    /// It is the frame's address and so much.
    Is(i64),
    Register(u16),
    Lost,
}

/// What the unwind tables say of an address.
struct Row {
    /// The frame's address (CFA): a register and an offset.
    frame: (u16, i64),
    rules: Vec<(u16, Rule)>,
}

impl Row {
    fn find(file: &ModuleFile, address: u64) -> Option<Row> {
        let header_address = file.unwind_header()?;
        let header = EhFrameHdr::new(file.bytes_at(header_address)?, LittleEndian);
        let bases = BaseAddresses::default().set_eh_frame_hdr(header_address);
        let header = header.parse(&bases, 8).ok()?;
        let Pointer::Direct(frames_address) = header.eh_frame_ptr() else {
            return None;
        };
        let frames = EhFrame::new(file.bytes_at(frames_address)?, LittleEndian);
        let bases = bases.set_eh_frame(frames_address);
        let mut context = UnwindContext::new();
        let row = header
            .table()?
            .unwind_info_for_address(
                &frames,
                &bases,
                &mut context,
                address,
                EhFrame::cie_from_offset,
            )
            .ok()?;
        let CfaRule::RegisterAndOffset { register, offset } = row.cfa() else {
            return None;
        };
        let rule = |rule: &RegisterRule<usize>| match rule {
            RegisterRule::Offset(offset) => Some(Rule::At(*offset)),
            RegisterRule::ValOffset(offset) => Some(Rule::Is(*offset)),
            RegisterRule::Register(other) => Some(Rule::Register(other.0)),
            RegisterRule::SameValue => None,
            _ => Some(Rule::Lost),
        };
        Some(Row {
            frame: (register.0, *offset),
            rules: row
                .registers()
                .filter_map(|(number, r)| Some((number.0, rule(r)?)))
                .collect(),
        })
    }
}

/// A C++ name as it is written; any other as it is.
fn demangled(name: &str) -> String {
    let symbol = cpp_demangle::Symbol::new(name);
    symbol
        .ok()
        .and_then(|s| s.demangle().ok())
        .unwrap_or_else(|| name.to_string())
}
