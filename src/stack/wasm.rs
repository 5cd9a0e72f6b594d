//! WebAssembly functions on a stack: which, and where in it.
//!
//! A frame holds its instance, which leads to the module. The module's code is not in V8's heap
//! but in C++ objects, whose own links say which are which: code that does not point back to its
//! NativeModule is none.

use super::source_positions::{Encoding, SourcePosition, SourcePositionTable};
use super::walk::V8Frame;
use super::wasm_module::{WasmModule, MAGIC};
use crate::error::{Error, Result};
use crate::metadata::{Constant, InstanceType};
use crate::object::{Cx, HeapObject, Script};
use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;

/// A WebAssembly function on the stack.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct WasmCall {
    /// Module and function, as far as the module names them.
    pub name: Option<String>,
    /// What the script of the module is called: `wasm://wasm/…`.
    pub script: Option<String>,
    /// Among the module's functions, imported ones included.
    pub function_index: u64,
    /// Of the call being made, in the module's bytes.
    pub offset: Option<u64>,
    /// A part of the code of the frame after it.
    pub inlined: bool,
    /// As a stack trace has it.
    pub text: String,
}

/// Words of objects in which others are looked for.
const OBJECT_WORDS: u64 = 64;
const NATIVE_MODULE_WORDS: u64 = 256;
const MANAGED_WORDS: u64 = 8;
const MAX_MODULE: usize = 1 << 30;
const MAX_TABLE: usize = 1 << 24;
const MAX_CODE: u64 = 1 << 30;
const MAX_NODES: usize = 1 << 20;
const MAX_INLINED: usize = 64;

/// A NativeModule.
struct Module {
    address: u64,
    wire: WasmModule,
    script: Option<String>,
    /// First instruction, length, WasmCode.
    codes: Vec<(u64, u64, u64)>,
}

/// Decodes frames, keeping the modules.
#[derive(Default)]
pub struct WasmFrames {
    modules: RefCell<Vec<(u64, Option<Rc<Module>>)>>,
}

impl WasmFrames {
    /// The functions of a frame, innermost first: one, and those inlined in it.
    pub fn calls(&self, cx: Cx, frame: &V8Frame) -> Result<Vec<WasmCall>> {
        let broken = |why: &str| Error::malformed("wasm frame", frame.fp, why.to_string());
        let pc = frame.pc.ok_or_else(|| broken("its pc is not known"))?;
        let instance = frame
            .fp
            .wrapping_add_signed(cx.layout.frame.wasm_instance.get()?);
        let instance = cx.object(cx.tagged(instance)?)?;
        let module = self
            .module(instance)
            .ok_or_else(|| broken("its module was not found"))?;
        let (start, _, code) = module
            .codes
            .iter()
            .copied()
            .find(|(start, size, _)| *start < pc && pc - start <= *size)
            .ok_or_else(|| broken("its code was not found"))?;
        let code = WasmCode { cx, address: code };
        let index = u64::from(code.int(cx.layout.wasm_code.index)?);
        // Where the table has nothing yet V8 takes -1, since it has inlining.
        let inlines = cx
            .layout
            .wasm_code
            .inlining_positions_size
            .known()
            .is_some();
        let nowhere = SourcePosition {
            script_offset: -1,
            inlining_id: -1,
        };
        let position = match code.position(pc - start) {
            Ok(found) => found.or(inlines.then_some(nowhere)),
            Err(_) => None,
        };
        let mut out = Vec::new();
        let mut at = position;
        // What gave way to its callee is on the stack no more.
        let mut is_gone = false;
        for _ in 0..MAX_INLINED {
            let Some(position) = at.filter(|p| p.inlining_id >= 0) else {
                break;
            };
            let inlining = code.inlining(position.inlining_id)?;
            if !is_gone {
                out.push(module.call(cx, inlining.function, Some(position), true)?);
            }
            is_gone = inlining.is_tail_call;
            at = Some(inlining.caller);
        }
        if !is_gone {
            out.push(module.call(cx, index, at, false)?);
        }
        Ok(out)
    }

    fn module(&self, instance: HeapObject) -> Option<Rc<Module>> {
        let known = |(address, _): &&(u64, _)| *address == instance.address;
        if let Some((_, module)) = self.modules.borrow().iter().find(known) {
            return module.clone();
        }
        let found = find_module(instance).map(Rc::new);
        let mut modules = self.modules.borrow_mut();
        modules.push((instance.address, found.clone()));
        found
    }
}

/// Objects that the fields of one refer to, of a type.
fn fields<'a>(
    object: HeapObject<'a>,
    wanted: InstanceType,
) -> impl Iterator<Item = HeapObject<'a>> {
    let cx = object.cx;
    (1..OBJECT_WORDS).filter_map(move |n| {
        let field = cx.object(object.tagged_at(8 * n).ok()?).ok()?;
        (field.instance_type().ok()? == wanted).then_some(field)
    })
}

fn find_module(instance: HeapObject) -> Option<Module> {
    let cx = instance.cx;
    // Since V8 12 what a frame has is a part of the instance, which it refers to.
    let object = fields(instance, InstanceType::WasmModuleObject)
        .next()
        .or_else(|| {
            let whole = fields(instance, InstanceType::WasmInstanceObject).next()?;
            fields(whole, InstanceType::WasmModuleObject).next()
        })?;
    let script = fields(object, InstanceType::Script).next();
    let script = script.and_then(|s| Script(s).name().ok().flatten());
    let managed = fields(object, InstanceType::Foreign);
    let (address, bytes) = managed
        .filter_map(|f| f.u64_field(cx.layout.foreign.address).ok())
        .find_map(|managed| native_module(cx, managed))?;
    let wire = WasmModule::parse(&bytes);
    let codes = codes(cx, address, wire.declared);
    Some(Module {
        address,
        wire,
        script,
        codes,
    })
}

/// The NativeModule of a Managed, with the module's bytes: one of its words is the address of a
/// shared_ptr.
fn native_module(cx: Cx, managed: u64) -> Option<(u64, Vec<u8>)> {
    let word = |at: u64, n: u64| cx.memory.u64(at.checked_add(8 * n)?).ok();
    (0..MANAGED_WORDS).find_map(|n| {
        let module = word(word(managed, n).filter(|p| is_pointer(*p))?, 0)?;
        if !is_pointer(module) {
            return None;
        }
        let bytes = (0..NATIVE_MODULE_WORDS).find_map(|n| {
            let vector = word(module, n).filter(|v| is_pointer(*v))?;
            let (data, length) = (word(vector, 0)?, word(vector, 1)?);
            if data == 0 || cx.memory.u32(data).ok()? != u32::from_le_bytes(MAGIC) {
                return None;
            }
            cx.memory
                .bytes(data, usize::try_from(length).ok()?, MAX_MODULE)
                .ok()
        })?;
        Some((module, bytes))
    })
}

fn is_pointer(word: u64) -> bool {
    word.is_multiple_of(8) && word > 0x10000 && word >> 47 == 0
}

/// All code of a module: its table has the newest of each function, a map all that may run.
fn codes(cx: Cx, module: u64, declared: u64) -> Vec<(u64, u64, u64)> {
    let layout = &cx.layout.wasm_code;
    let field = |code: u64, c: Constant| {
        let at = code.checked_add(c.offset().ok()?)?;
        cx.memory.u64(at).ok()
    };
    let code_at = |code: u64| -> Option<(u64, u64, u64)> {
        if !is_pointer(code) || field(code, layout.native_module)? != module {
            return None;
        }
        let start = field(code, layout.instructions)?;
        let size = field(code, layout.instructions_size)? & u64::from(u32::MAX);
        (size > 0 && size < MAX_CODE && start > 0x10000).then_some((start, size, code))
    };
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let length = usize::try_from(declared.saturating_mul(8))
        .unwrap_or(0)
        .min(MAX_TABLE);
    for n in 0..NATIVE_MODULE_WORDS {
        let word = module
            .checked_add(8 * n)
            .and_then(|at| cx.memory.u64(at).ok());
        let Some(word) = word.filter(|w| is_pointer(*w)) else {
            continue;
        };
        let mut table = vec![0; length];
        let read = cx.memory.read_partial(word, &mut table);
        for entry in table.get(..read).unwrap_or(&[]).chunks_exact(8) {
            let entry = u64::from_le_bytes(entry.try_into().unwrap_or_default());
            if entry == 0 || seen.contains(&entry) {
                continue;
            }
            let Some(code) = code_at(entry) else { break };
            seen.insert(entry);
            found.push(code);
        }
        // A node of the map: colour, parent, left, right, first instruction, code.
        let mut nodes = vec![word];
        let mut visited = HashSet::new();
        while let Some(node) = nodes.pop() {
            if visited.len() == MAX_NODES || !visited.insert(node) {
                continue;
            }
            let at = |n: u64| cx.memory.u64(node.checked_add(8 * n)?).ok();
            let (Some(key), Some(code)) = (at(4), at(5).and_then(&code_at)) else {
                continue;
            };
            if key != code.0 {
                continue;
            }
            if seen.insert(code.2) {
                found.push(code);
            }
            nodes.extend(
                [at(1), at(2), at(3)]
                    .into_iter()
                    .flatten()
                    .filter(|p| is_pointer(*p)),
            );
        }
    }
    found
}

/// The function inlined, and where.
struct Inlining {
    function: u64,
    /// Its caller gave way to it.
    is_tail_call: bool,
    caller: SourcePosition,
}

/// A WasmCode.
struct WasmCode<'a> {
    cx: Cx<'a>,
    address: u64,
}

impl WasmCode<'_> {
    fn at(&self, field: Constant) -> Result<u64> {
        Ok(self.address.wrapping_add(field.offset()?))
    }

    fn int(&self, field: Constant) -> Result<u32> {
        self.cx.memory.u32(self.at(field)?)
    }

    /// A table in the code's metadata, of which the sizes before it are known.
    fn table(&self, before: &[Constant], size: Constant) -> Result<Vec<u8>> {
        let mut start = self
            .cx
            .memory
            .u64(self.at(self.cx.layout.wasm_code.meta_data)?)?;
        for size in before {
            start = start.wrapping_add(u64::from(self.int(*size)?));
        }
        self.cx
            .memory
            .bytes(start, self.int(size)? as usize, MAX_TABLE)
    }

    fn source_positions(&self) -> Result<Vec<u8>> {
        let layout = &self.cx.layout.wasm_code;
        if layout.source_position_table.known().is_some() {
            let at = self.at(layout.source_position_table)?;
            let length = self.cx.memory.u64(at.wrapping_add(8))?;
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            return self
                .cx
                .memory
                .bytes(self.cx.memory.u64(at)?, length, MAX_TABLE);
        }
        let before = [layout.protected_instructions_size, layout.reloc_info_size];
        self.table(&before, layout.source_positions_size)
    }

    /// That of the call that returns to an offset in the instructions.
    fn position(&self, offset: u64) -> Result<Option<SourcePosition>> {
        let bytes = self.source_positions()?;
        let table = SourcePositionTable::new(&bytes, Encoding::of(self.cx.layout)?);
        let found = table.position_at(i64::try_from(offset).unwrap_or(i64::MAX) - 1)?;
        Ok(found)
    }

    fn inlining(&self, id: i64) -> Result<Inlining> {
        let layout = &self.cx.layout.wasm_code;
        let broken = || Error::malformed("WasmCode", self.address, "no such inlining".to_string());
        let before = [
            layout.protected_instructions_size,
            layout.reloc_info_size,
            layout.source_positions_size,
        ];
        let bytes = self.table(&before, layout.inlining_positions_size)?;
        // Packed: function index, since V8 12 whether it was a tail call, position.
        let size = usize::try_from(layout.inlining_entry_size.offset()?).unwrap_or(0);
        let entry = usize::try_from(id)
            .ok()
            .and_then(|id| bytes.get(id.checked_mul(size)?..)?.get(..size))
            .ok_or_else(broken)?;
        let index = entry.first_chunk::<4>().map(|b| u32::from_le_bytes(*b));
        let caller = entry.last_chunk::<8>().map(|b| i64::from_le_bytes(*b));
        let caller = caller.and_then(SourcePosition::unpack);
        // Between the two, where there is something.
        let is_tail_call = size > 12 && entry.get(4).is_some_and(|b| *b != 0);
        Ok(Inlining {
            function: u64::from(index.ok_or_else(broken)?),
            is_tail_call,
            caller: caller.ok_or_else(broken)?,
        })
    }
}

impl Module {
    fn call(
        &self,
        cx: Cx,
        index: u64,
        position: Option<SourcePosition>,
        inlined: bool,
    ) -> Result<WasmCall> {
        let own = index.checked_sub(self.wire.imported);
        let own = own.and_then(|n| usize::try_from(n).ok());
        let body = own.and_then(|n| self.wire.bodies.get(n)).ok_or_else(|| {
            let why = format!("the module has no function {index}");
            Error::malformed("wasm module", self.address, why)
        })?;
        let offset = position
            .and_then(|p| u64::try_from(p.script_offset).ok())
            .filter(|at| *at < body.1)
            .map(|at| body.0.saturating_add(at));
        let style = cx.layout.call_site.wasm_place.get()?;
        let exported = || self.wire.export_names.get(&index).filter(|_| style == 1);
        let function = self.wire.function_names.get(&index).or_else(exported);
        let name = match (&self.wire.name, function) {
            (Some(module), Some(function)) => Some(format!("{module}.{function}")),
            (None, Some(function)) => Some(function.clone()),
            (module, None) => module.clone(),
        };
        // A stack trace shows what is before the function where V8 knows no place in it.
        let is_nowhere = position.is_some_and(|p| p.script_offset == -1);
        let shown = offset.or_else(|| body.0.checked_sub(1).filter(|_| is_nowhere));
        let at = shown.map_or_else(|| "???".to_string(), |o| format!("{o:#x}"));
        let place = format!("wasm-function[{index}]:{at}");
        // Scripts of modules have had names since V8 9.
        let place = match (style, &self.script) {
            (0, _) => place,
            (2, Some(script)) => format!("{script}:{place}"),
            _ => format!("<anonymous>:{place}"),
        };
        Ok(WasmCall {
            text: match &name {
                Some(name) => format!("{name} ({place})"),
                None => place,
            },
            name,
            script: self.script.clone(),
            function_index: index,
            offset,
            inlined,
        })
    }
}
