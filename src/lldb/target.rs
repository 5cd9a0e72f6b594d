//! A stopped process or a core in LLDB, as a [`Target`].

use super::core;
use super::memory::ProcessMemory;
use super::sb;
use crate::error::{Error, Result};
use crate::memory::{thread_pointer, CachedMemory, CoreMap, FilledMemory, Memory, Region};
use crate::offline::CoreThreads;
use crate::target::{Architecture, Module, NativeFrame, Registers, Signal, Target, Thread};
use lldb_sys as sys;
use std::cell::OnceCell;
use std::ffi::CStr;

/// An address that LLDB does not know.
const INVALID: u64 = u64::MAX;

/// One stop of an SBProcess.
pub struct LldbTarget {
    memory: CachedMemory<FilledMemory<ProcessMemory>>,
    modules: Vec<Module>,
    architecture: Architecture,
    is_live: bool,
    /// From the core's own notes; `None` where it was not found.
    core_threads: Option<CoreThreads>,
    /// Asked for once: of a live process LLDB asks its server for each of them.
    regions: OnceCell<Vec<Region>>,
    /// Thread pointers by the system's ids, where LLDB has no such register.
    thread_pointers: OnceCell<Vec<(u64, u64)>>,
}

impl LldbTarget {
    /// Looks at modules; everything else is asked for when needed.
    pub fn new(process: sb::Process) -> Result<LldbTarget> {
        let target = process.target().ok_or(Error::NoProcess)?;
        // SAFETY: valid objects; the texts are LLDB's.
        let (plugin, triple) = unsafe {
            (
                sb::text(sys::SBProcessGetPluginName(process.raw())).unwrap_or_default(),
                sb::text(sys::SBTargetGetTriple(target.raw())).unwrap_or_default(),
            )
        };
        let is_live = !["core", "minidump", "trace"]
            .iter()
            .any(|kind| plugin.contains(kind));
        let architecture = match triple.split('-').next().unwrap_or_default() {
            "x86_64" | "x86_64h" => Architecture::X64,
            "aarch64" | "arm64" | "arm64e" => Architecture::Arm64,
            _ => Architecture::Other,
        };
        let modules = modules(&target);
        let mut memory = ProcessMemory::new(process);
        if is_live {
            let process = memory.process();
            // SAFETY: a valid process.
            let pid = unsafe { sys::SBProcessGetProcessID(process.raw()) };
            let mut samples: Vec<u64> = process
                .selected_thread()
                .and_then(|t| t.frame(0))
                // SAFETY: a valid frame.
                .map(|f| unsafe { sys::SBFrameGetSP(f.raw()) })
                .into_iter()
                .collect();
            samples.extend(modules.first().map(|m| m.load_address));
            memory.try_local(pid, &samples);
        }
        let mut core_threads = None;
        if !is_live {
            let threads = memory.process().threads();
            // SAFETY: valid threads.
            let threads = threads.map(|t| unsafe { sys::SBThreadGetThreadID(t.raw()) });
            if let Some(core) = core::find(&threads.collect::<Vec<_>>()) {
                let stacks: Vec<u64> = core.threads.registers.iter().map(|(_, r)| r.sp).collect();
                if let Ok(map) = CoreMap::open(&core.path) {
                    memory.try_core(map, &stacks);
                }
                core_threads = Some(core.threads);
            }
        }
        let in_core = memory.is_core();
        let files = modules.iter().map(|m| (m.path.as_str(), m.slide));
        let memory = FilledMemory::new(memory, files);
        Ok(LldbTarget {
            memory: match in_core {
                true => CachedMemory::passing(memory),
                false => CachedMemory::new(memory),
            },
            modules,
            architecture,
            is_live,
            core_threads,
            regions: OnceCell::new(),
            thread_pointers: OnceCell::new(),
        })
    }

    /// Whether memory is read without LLDB.
    pub fn reads_locally(&self) -> bool {
        self.memory.inner().inner().is_local()
    }

    fn process(&self) -> &sb::Process {
        self.memory.inner().inner().process()
    }

    fn read_regions(&self) -> Result<Vec<Region>> {
        let mut regions = Vec::new();
        // SAFETY: valid objects, each ours; the name is LLDB's text.
        unsafe {
            let list = sys::SBProcessGetMemoryRegions(self.process().raw());
            let list = sb::RegionList::from_raw(list)
                .ok_or_else(|| Error::other("LLDB lists no memory regions"))?;
            let info = sb::Region::from_raw(sys::CreateSBMemoryRegionInfo())
                .ok_or_else(|| Error::other("LLDB lists no memory regions"))?;
            for i in 0..sys::SBMemoryRegionInfoListGetSize(list.raw()) {
                let there =
                    sys::SBMemoryRegionInfoListGetMemoryRegionAtIndex(list.raw(), i, info.raw());
                if !there || !sys::SBMemoryRegionInfoIsMapped(info.raw()) {
                    continue;
                }
                let start = sys::SBMemoryRegionInfoGetRegionBase(info.raw());
                // Of a core, not every LLDB tells it.
                let in_notes = || Some(self.core_threads.as_ref()?.file_at(start)?.to_owned());
                let name = sb::text(sys::SBMemoryRegionInfoGetName(info.raw()));
                regions.push(Region {
                    start,
                    end: sys::SBMemoryRegionInfoGetRegionEnd(info.raw()),
                    readable: sys::SBMemoryRegionInfoIsReadable(info.raw()),
                    writable: sys::SBMemoryRegionInfoIsWritable(info.raw()),
                    executable: sys::SBMemoryRegionInfoIsExecutable(info.raw()),
                    name: name.filter(|n| !n.is_empty()).or_else(in_notes),
                });
            }
        }
        regions.retain(|r| r.start < r.end);
        regions.sort_by_key(|r| r.start);
        Ok(regions)
    }

    fn read_thread(&self, thread: &sb::Thread, selected: u32) -> Thread {
        // SAFETY: a valid thread; the texts are LLDB's.
        let (index, id, name, description) = unsafe {
            let stream = sb::Stream::new();
            sys::SBThreadGetDescription(thread.raw(), stream.raw());
            (
                sys::SBThreadGetIndexID(thread.raw()),
                sys::SBThreadGetThreadID(thread.raw()),
                sb::text(sys::SBThreadGetName(thread.raw())),
                plain(&stream.text()),
            )
        };
        let description = description.trim_start_matches('*').trim().to_owned();
        Thread {
            index,
            id,
            name,
            description,
            registers: self.registers(thread),
            selected: index == selected,
        }
    }

    fn registers(&self, thread: &sb::Thread) -> Registers {
        let Some(frame) = thread.frame(0) else {
            return Registers::default();
        };
        let names: &[&CStr] = match self.architecture {
            Architecture::X64 => &[c"fs_base"],
            Architecture::Arm64 => &[c"tpidr", c"tpidr_el0", c"tpidr2"],
            Architecture::Other => &[],
        };
        let known = |address: u64| if address == INVALID { 0 } else { address };
        // SAFETY: a valid frame.
        unsafe {
            Registers {
                pc: known(sys::SBFrameGetPC(frame.raw())),
                sp: known(sys::SBFrameGetSP(frame.raw())),
                fp: known(sys::SBFrameGetFP(frame.raw())),
                tls: names.iter().find_map(|n| frame.register(n)).unwrap_or(0),
            }
        }
    }
}

impl Target for LldbTarget {
    fn memory(&self) -> &dyn Memory {
        &self.memory
    }

    fn regions(&self) -> Result<Vec<Region>> {
        if let Some(regions) = self.regions.get() {
            return Ok(regions.clone());
        }
        let regions = self.read_regions()?;
        Ok(self.regions.get_or_init(|| regions).clone())
    }

    fn modules(&self) -> Vec<Module> {
        self.modules.clone()
    }

    fn architecture(&self) -> Architecture {
        self.architecture
    }

    fn process_id(&self) -> u64 {
        // SAFETY: a valid process.
        match unsafe { sys::SBProcessGetProcessID(self.process().raw()) } {
            INVALID => 0,
            id => id,
        }
    }

    fn threads(&self) -> Vec<Thread> {
        let selected = self
            .process()
            .selected_thread()
            // SAFETY: a valid thread.
            .map_or(0, |t| unsafe { sys::SBThreadGetIndexID(t.raw()) });
        let mut threads: Vec<Thread> = self
            .process()
            .threads()
            .map(|t| self.read_thread(&t, selected))
            .collect();
        if threads.iter().all(|t| t.registers.tls == 0) {
            for thread in &mut threads {
                let same =
                    |(id, r): &&(u64, Registers)| *id == thread.id && r.pc == thread.registers.pc;
                let known = self.core_threads.iter().flat_map(|c| &c.registers);
                if let Some((_, r)) = known.into_iter().find(same) {
                    thread.registers.tls = r.tls;
                }
            }
            if self.is_live && self.architecture == Architecture::X64 {
                let known = self.thread_pointers.get_or_init(|| {
                    let regions = self.regions().unwrap_or_default();
                    let pointer = |t: &Thread| {
                        thread_pointer(&self.memory, &regions, t.registers.sp, t.id)
                            .map(|pointer| (t.id, pointer))
                    };
                    threads.iter().filter_map(pointer).collect()
                });
                for thread in &mut threads {
                    let found = known.iter().find(|(id, _)| *id == thread.id);
                    thread.registers.tls = found.map_or(0, |(_, pointer)| *pointer);
                }
            }
        }
        threads
    }

    fn signal(&self, thread_index: u32) -> Option<Signal> {
        let threads = self.threads();
        let thread = threads.iter().find(|t| t.index == thread_index)?;
        if let Some(core) = &self.core_threads {
            let found = core.signals.iter().find(|(id, _)| *id == thread.id);
            return found.map(|(_, signal)| *signal);
        }
        let (_, reason) = thread.description.split_once("stop reason = signal ")?;
        let end = reason.find(|c: char| !c.is_ascii_alphanumeric());
        let number = signal_number(&reason[..end.unwrap_or(reason.len())])?;
        Some(Signal {
            number,
            sender: None,
            address: None,
        })
    }

    fn native_frames(&self, thread_index: u32, limit: usize) -> Vec<NativeFrame> {
        // SAFETY: a valid process; the thread is ours.
        let thread = unsafe {
            sb::Thread::from_raw(sys::SBProcessGetThreadByIndexID(
                self.process().raw(),
                thread_index,
            ))
        };
        let Some(thread) = thread else {
            return Vec::new();
        };
        // SAFETY: a valid thread; the frame is ours.
        let selected = unsafe {
            sb::Frame::from_raw(sys::SBThreadGetSelectedFrame(thread.raw()))
                .map_or(0, |f| sys::SBFrameGetFrameID(f.raw()))
        };
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        (0..limit)
            .map_while(|i| thread.frame(i))
            .map(|frame| read_frame(&frame, selected))
            .collect()
    }

    fn symbolize(&self, address: u64) -> Option<(String, u64)> {
        // Our own table first: it is made far sooner than LLDB's of the same file. Both give the
        // mangled name.
        if let Some(found) = self.memory.inner().symbol_at(address) {
            return Some(found);
        }
        let target = self.process().target()?;
        // SAFETY: valid objects, each ours; the name is LLDB's text.
        unsafe {
            let place = sys::SBTargetResolveLoadAddress(target.raw(), address);
            let place = sb::Address::from_raw(place)?;
            let symbol = sb::Symbol::from_raw(sys::SBAddressGetSymbol(place.raw()))?;
            let name = sb::text(sys::SBSymbolGetMangledName(symbol.raw()))
                .or_else(|| sb::text(sys::SBSymbolGetName(symbol.raw())))?;
            let start = sb::Address::from_raw(sys::SBSymbolGetStartAddress(symbol.raw()))?;
            let start = sys::SBAddressGetLoadAddress(start.raw(), target.raw());
            Some((name, address.checked_sub(start)?))
        }
    }

    fn evaluate(&self, expression: &str) -> Result<u64> {
        if let Some(number) = number(expression) {
            return Ok(number);
        }
        let target = self.process().target().ok_or(Error::NoProcess)?;
        let text = sb::c_string(expression);
        let evaluate = |may_run_code: bool| -> std::result::Result<u64, String> {
            let none = || "LLDB gave no value".to_owned();
            // SAFETY: valid objects, each ours.
            unsafe {
                let options = sb::ExpressionOptions::from_raw(sys::CreateSBExpressionOptions())
                    .ok_or_else(none)?;
                sys::SBExpressionOptionsSetAllowJIT(options.raw(), may_run_code);
                let raw =
                    sys::SBTargetEvaluateExpression(target.raw(), text.as_ptr(), options.raw());
                let value = sb::Value::from_raw(raw).ok_or_else(none)?;
                let error = sb::Error::from_raw(sys::SBValueGetError(value.raw()));
                if let Some(why) = error.and_then(|e| e.failure()) {
                    return Err(why);
                }
                let error = sb::Error::new();
                let number = sys::SBValueGetValueAsSigned(value.raw(), error.raw(), 0);
                error.failure().map_or(Ok(number as u64), Err)
            }
        };
        // Without running code in the process first: running it counts as another stop.
        evaluate(false)
            .or_else(|_| evaluate(true))
            .map_err(|why| Error::other(expression_error(&why)))
    }

    fn is_live(&self) -> bool {
        self.is_live
    }

    fn interrupted(&self) -> bool {
        let Some(target) = self.process().target() else {
            return true;
        };
        // SAFETY: a valid target; the debugger is ours.
        unsafe { sb::Debugger::from_raw(sys::SBTargetGetDebugger(target.raw())) }
            .is_some_and(|d| sb::interrupted(d.raw()))
    }
}

/// Of the signals that end a process with a core.
fn signal_number(name: &str) -> Option<i32> {
    Some(match name {
        "SIGQUIT" => libc::SIGQUIT,
        "SIGILL" => libc::SIGILL,
        "SIGTRAP" => libc::SIGTRAP,
        "SIGABRT" => libc::SIGABRT,
        "SIGBUS" => libc::SIGBUS,
        "SIGFPE" => libc::SIGFPE,
        "SIGSEGV" => libc::SIGSEGV,
        "SIGSYS" => libc::SIGSYS,
        _ => return None,
    })
}

fn modules(target: &sb::Target) -> Vec<Module> {
    // SAFETY: a valid target; file, modules and their parts are ours, texts LLDB's.
    unsafe {
        let executable = sb::FileSpec::from_raw(sys::SBTargetGetExecutable(target.raw()))
            .map(|file| path_of(&file));
        let mut modules: Vec<Module> = (0..sys::SBTargetGetNumModules(target.raw()))
            .filter_map(|i| sb::Module::from_raw(sys::SBTargetGetModuleAtIndex(target.raw(), i)))
            .filter_map(|module| {
                let file = sb::FileSpec::from_raw(sys::SBModuleGetFileSpec(module.raw()))?;
                let path = path_of(&file);
                let (slide, first) = placement(&module, target)?;
                let header = sys::SBModuleGetObjectFileHeaderAddress(module.raw());
                let header = sb::Address::from_raw(header)
                    .map(|a| sys::SBAddressGetLoadAddress(a.raw(), target.raw()))
                    .filter(|a| *a != INVALID);
                let id = sb::text(sys::SBModuleGetUUIDString(module.raw()));
                Some(Module {
                    load_address: header.unwrap_or(first),
                    slide,
                    build_id: id.and_then(|id| build_id(&id)),
                    is_executable: executable.as_ref() == Some(&path),
                    path,
                })
            })
            .collect();
        modules.sort_by_key(|m| !m.is_executable);
        modules
    }
}

/// Slide of a loaded module, and the load address of its first section.
fn placement(module: &sb::Module, target: &sb::Target) -> Option<(u64, u64)> {
    // SAFETY: valid objects; the sections are ours.
    unsafe {
        (0..sys::SBModuleGetNumSections(module.raw()))
            .filter_map(|i| {
                let section = sys::SBModuleGetSectionAtIndex(module.raw(), i);
                let section = sb::Section::from_raw(section)?;
                let load = sys::SBSectionGetLoadAddress(section.raw(), target.raw());
                let file = sys::SBSectionGetFileAddress(section.raw());
                (load != INVALID && file != INVALID).then(|| (load.wrapping_sub(file), load))
            })
            .min_by_key(|(_, load)| *load)
    }
}

/// # Safety
/// `file` is valid.
unsafe fn path_of(file: &sb::FileSpec) -> String {
    let directory = sb::text(sys::SBFileSpecGetDirectory(file.raw()));
    let name = sb::text(sys::SBFileSpecGetFilename(file.raw())).unwrap_or_default();
    match directory {
        Some(directory) if directory.ends_with('/') => format!("{directory}{name}"),
        Some(directory) if !directory.is_empty() => format!("{directory}/{name}"),
        _ => name,
    }
}

/// LLDB writes a UUID with dashes; for a file without one it makes a checksum of four bytes.
fn build_id(uuid: &str) -> Option<String> {
    let hex: String = uuid
        .chars()
        .filter(char::is_ascii_hexdigit)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    (hex.len() > 8).then_some(hex)
}

fn read_frame(frame: &sb::Frame, selected: u32) -> NativeFrame {
    // SAFETY: a valid frame; the texts are LLDB's.
    unsafe {
        let stream = sb::Stream::new();
        sys::SBFrameGetDescription(frame.raw(), stream.raw());
        let (index, pc) = (
            sys::SBFrameGetFrameID(frame.raw()),
            sys::SBFrameGetPC(frame.raw()),
        );
        NativeFrame {
            index,
            pc,
            sp: sys::SBFrameGetSP(frame.raw()),
            fp: sys::SBFrameGetFP(frame.raw()),
            function: sb::text(sys::SBFrameGetFunctionName(frame.raw())),
            description: frame_text(&plain(&stream.text()), pc),
            selected: index == selected,
        }
    }
}

/// What LLDB says of a frame after its number and address.
fn frame_text(description: &str, pc: u64) -> String {
    let text = description.trim();
    let after = text
        .split_once(&format!("{pc:#018x}"))
        .map(|(_, after)| after.trim());
    after.unwrap_or(text).to_owned()
}

/// Without terminal escapes and line ends: LLDB's text has colours where its output is a
/// terminal.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\x1b' => {
                for c in chars.by_ref() {
                    if c.is_ascii_alphabetic() {
                        break;
                    }
                }
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// A plain number, as most addresses are given: no need for LLDB's compiler.
fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let value = match digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
        Some(hex) if hex.bytes().all(|b| b.is_ascii_hexdigit()) => {
            u64::from_str_radix(hex, 16).ok()?
        }
        // Octal is LLDB's business.
        None if digits == "0" || (!digits.starts_with('0') && !digits.starts_with('+')) => {
            digits.parse().ok()?
        }
        _ => return None,
    };
    Some(match negative {
        true => value.wrapping_neg(),
        false => value,
    })
}

/// The line of LLDB's text for a failed expression that says why, without the `error: ` that every
/// error gets. (The others show the expression again.)
fn expression_error(why: &str) -> String {
    let mut lines = why.lines().map(str::trim).filter(|l| !l.is_empty());
    // Notes (on the language, say) come first in some versions.
    let first = lines
        .clone()
        .find(|l| l.starts_with("error: "))
        .or_else(|| lines.find(|l| *l != "expression failed to parse:"))
        .unwrap_or("LLDB does not understand the expression");
    first.strip_prefix("error: ").unwrap_or(first).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_numbers_only() {
        assert_eq!(number(" 0x7fff12345678 "), Some(0x7fff_1234_5678));
        assert_eq!(number("-1"), Some(u64::MAX));
        assert_eq!(number("42"), Some(42));
        assert_eq!(number("0"), Some(0));
        assert_eq!(number("18446744073709551615"), Some(u64::MAX));
        for other in [
            "",
            "-",
            "0x",
            "010",
            "+1",
            "0x+1",
            "1+1",
            "x",
            "42<<32",
            "99999999999999999999",
        ] {
            assert_eq!(number(other), None, "{other}");
        }
    }

    #[test]
    fn lldb_texts_lose_number_address_and_colour() {
        let text = "frame #0: 0x00007f6722bc8eec libc.so.6`abort + 178 at abort.c:79:7\n";
        assert_eq!(
            frame_text(&plain(text), 0x7f67_22bc_8eec),
            "libc.so.6`abort + 178 at abort.c:79:7"
        );
        assert_eq!(plain("\x1b[33mnode\x1b[0m`x\n"), "node`x ");
        let why = "expression failed to parse:\nerror: <user expression 1>:1:1: use of x\nx\n^\n";
        assert_eq!(expression_error(why), "<user expression 1>:1:1: use of x");
        assert_eq!(build_id("3AEB9E4C"), None);
        assert_eq!(build_id("AB-CDEF-0123").as_deref(), Some("abcdef0123"));
    }
}
