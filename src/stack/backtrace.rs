//! A thread's stack, frame by frame, with what each JavaScript frame was doing.

use super::async_frames::{await_position, awaiting_generator, Closures, Waiting};
use super::baseline::BytecodeSizes;
use super::builtins::Builtins;
use super::call_site::CallSite;
use super::frame::JsFrame;
use super::location::{Place, Places};
use super::merge::merge;
use super::receiver::{Identity, Receiver};
use super::scopes::{own_scopes, scopes};
use super::unwind::Unwinder;
use super::walk::{thread_frames, FoundBy, FrameKind, V8Frame, Walker};
use super::wasm::{WasmCall, WasmFrames};
use crate::deopt::{optimized_frame, InlinedFrame, OptimizedFrame, Tier, TranslatedKind, Value};
use crate::error::Result;
use crate::heap::Isolates;
use crate::object::{
    is_the_hole, Cx, GeneratorState, HeapObject, JSFunction, SharedFunctionInfo, Tagged,
};
use crate::program::Program;
use crate::target::{NativeFrame, Target, Thread};
use std::cell::RefCell;
use std::collections::HashMap;

/// A call of a JavaScript function.
#[derive(Debug, Clone)]
pub struct Call<'a> {
    pub site: CallSite,
    /// Not known for some functions that were inlined.
    pub function: Option<JSFunction<'a>>,
    pub shared: SharedFunctionInfo<'a>,
    /// `None` where nothing is kept of it.
    pub receiver: Option<Value>,
    /// Those passed, see [`JsFrame::arguments`]; `None` where nothing is kept of them.
    pub arguments: Option<Result<Vec<Value>>>,
    pub argument_count: u64,
    /// Where the call being made is; `None` for builtins.
    pub place: Result<Option<Place>>,
    /// Where the function's parameters begin.
    pub definition: Result<Option<Place>>,
    /// Its code is part of that of the frame after it.
    pub inlined: bool,
    /// `None` for builtins.
    pub tier: Option<Tier>,
    /// The Context of the scope it is in, where it is known.
    pub context: Option<HeapObject<'a>>,
    /// The registers of its bytecode, which hold its other local variables.
    pub registers: Vec<Value>,
    /// What its declared parameters hold now, where that is kept.
    pub parameters: Option<Vec<Value>>,
    /// Where in the script the call being made is, in UTF-16 units.
    pub position: Option<u64>,
    /// The class's initializer that is being called, where it is one: V8 gives that call the place
    /// of an earlier one.
    pub initializer: Option<SharedFunctionInfo<'a>>,
}

/// A frame of a thread's stack.
#[derive(Debug, Clone)]
pub struct Frame<'a> {
    /// The debugger's number where it has the frame.
    pub number: u32,
    pub pc: Option<u64>,
    pub fp: u64,
    /// What the debugger says of it, where it has it.
    pub native: Option<NativeFrame>,
    /// `None`: a frame of native code.
    pub kind: Option<FrameKind>,
    /// Of a frame of V8's: its name of the builtin that the pc is in, of the compiler whose code that
    /// is.
    pub code: Option<String>,
    pub found_by: FoundBy,
    /// The JavaScript functions of the frame, innermost first: one, and those inlined in it.
    pub calls: Vec<Call<'a>>,
    /// The functions of a frame of WebAssembly, innermost first.
    pub wasm: Vec<WasmCall>,
    pub selected: bool,
}

/// Where stacks are read from.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    pub cx: Cx<'a>,
    pub target: &'a dyn Target,
    pub program: &'a Program,
    /// Without them a stack is scanned for frames.
    pub isolates: Option<&'a Isolates>,
}

impl<'a> Source<'a> {
    /// The stack of a thread, innermost frame first, at most `limit` frames.
    /// After the stack come the async functions that wait for what runs on it.
    pub fn backtrace(&self, thread: &Thread, limit: usize) -> Vec<Frame<'a>> {
        let native = self.target.native_frames(thread.index, limit);
        let mut unwinder = Unwinder::new(self.cx, self.target);
        let found = thread_frames(
            self.cx,
            self.target,
            self.program,
            self.isolates,
            thread,
            &native,
            &mut unwinder,
        );
        let (walker, frames) = match found {
            Ok((walker, frames)) => (Some(walker), frames),
            Err(_) => (None, Vec::new()),
        };
        let decoder = Decoder::new(*self, walker);
        let merged = merge(&native, &frames);
        let mut out: Vec<Frame> = Vec::new();
        for (at, m) in merged.iter().enumerate() {
            if out.len() >= limit {
                break;
            }
            let mine = m.native.and_then(|i| native.get(i)).cloned();
            let v8 = m.v8.and_then(|i| frames.get(i));
            out.push(Frame {
                number: m.number,
                pc: v8.and_then(|f| f.pc).or(mine.as_ref().map(|n| n.pc)),
                fp: v8.map_or_else(|| mine.as_ref().map_or(0, |n| n.fp), |f| f.fp),
                kind: v8.map(|f| f.kind),
                code: v8.and_then(|f| decoder.code(f)),
                found_by: v8.map_or(FoundBy::Unwinder, |f| f.found_by),
                calls: m.v8.map_or_else(Vec::new, |i| decoder.calls(&frames, i)),
                wasm: v8.map_or_else(Vec::new, |f| decoder.wasm_calls(f)),
                selected: mine.as_ref().is_some_and(|n| n.selected),
                native: mine,
            });
            // The debugger that has the frame before the entry has those before that.
            let next = merged.get(at + 1).and_then(|m| native.get(m.native?));
            let entry = v8.filter(|f| f.kind.is_entry());
            let missing = |fp: &u64| next.is_none_or(|n| n.sp != fp.wrapping_add(16));
            if let Some(fp) = entry.map(|f| f.fp).filter(missing) {
                let room = limit.saturating_sub(out.len());
                let end = m.v8.and_then(|i| frames.get(i + 1)).map(|f| f.fp);
                let callers = unwinder.callers_of_entry(fp, end, room);
                out.extend(callers.into_iter().map(by_tables));
            }
        }
        for waiting in decoder.waiting(&frames, thread) {
            if out.len() >= limit {
                break;
            }
            out.push(Frame {
                number: 0,
                pc: None,
                fp: 0,
                native: None,
                kind: Some(FrameKind::Async),
                code: None,
                found_by: FoundBy::Promise,
                calls: decoder.async_call(&waiting).into_iter().collect(),
                wasm: Vec::new(),
                selected: false,
            });
        }
        // The debugger's numbers as long as no frames stand between that it does not have.
        let mut free = 0;
        for frame in &mut out {
            frame.number = frame.number.max(free);
            free = frame.number.saturating_add(1);
        }
        note_initializers(&mut out);
        out
    }
}

/// Notes which calls are those of a class's initializer.
fn note_initializers(frames: &mut [Frame]) {
    let mut initializer = None;
    for frame in frames {
        if frame.calls.is_empty() {
            initializer = None;
        }
        for call in &mut frame.calls {
            call.initializer = initializer;
            let kind = call.shared.kind();
            let is_one = kind.is_ok_and(|k| k.is_initializer || k.is_static_initializer);
            initializer = is_one.then_some(call.shared);
        }
    }
}

impl<'a> Source<'a> {
    /// The microtask that the isolate of a thread is at, or what V8 has in its place.
    fn microtask(&self, thread: &Thread) -> Option<HeapObject<'a>> {
        let mut isolates = self.isolates?.isolates.iter();
        let isolate = isolates.find(|i| i.runner == Some(thread.index))?;
        let names = self.program.root_names(self.cx.memory);
        let at = names.iter().position(|n| n == "current_microtask")?;
        let slot = isolate.roots.table.checked_add(8 * at as u64)?;
        self.cx.object(self.cx.tagged(slot).ok()?).ok()
    }
}

/// A frame that the debugger does not have.
fn by_tables<'a>(native: NativeFrame) -> Frame<'a> {
    Frame {
        number: 0,
        pc: Some(native.pc),
        fp: native.fp,
        native: Some(native),
        kind: None,
        code: None,
        found_by: FoundBy::UnwindTables,
        calls: Vec::new(),
        wasm: Vec::new(),
        selected: false,
    }
}

/// Decodes frames, keeping what several of them need.
struct Decoder<'a> {
    source: Source<'a>,
    walker: Option<Walker<'a>>,
    sizes: once_cell::unsync::OnceCell<Result<BytecodeSizes>>,
    places: Places,
    wasm: WasmFrames,
    builtins: once_cell::unsync::OnceCell<Builtins<'a>>,
    /// What was found of pcs: many frames go on at the same.
    codes: RefCell<HashMap<u64, Option<String>>>,
}

impl<'a> Decoder<'a> {
    fn new(source: Source<'a>, walker: Option<Walker<'a>>) -> Decoder<'a> {
        Decoder {
            source,
            walker,
            sizes: once_cell::unsync::OnceCell::new(),
            places: Places::default(),
            wasm: WasmFrames::default(),
            builtins: once_cell::unsync::OnceCell::new(),
            codes: RefCell::default(),
        }
    }

    /// What the pc of a frame is in.
    fn code(&self, frame: &V8Frame) -> Option<String> {
        // The first byte of code is its own, while a return address may be the byte after it.
        let innermost = frame.found_by == FoundBy::Registers;
        // WebAssembly's is no code object, and tells its own names; a regular expression's has none.
        if (frame.kind == FrameKind::Wasm && !innermost) || frame.kind == FrameKind::Irregexp {
            return None;
        }
        let at = frame.pc?.checked_sub(u64::from(!innermost))?;
        let known = self.codes.borrow().get(&at).cloned();
        known.unwrap_or_else(|| {
            let found = self.code_at(at);
            self.codes.borrow_mut().insert(at, found.clone());
            found
        })
    }

    fn code_at(&self, at: u64) -> Option<String> {
        let source = self.source;
        let builtins = self
            .builtins
            .get_or_init(|| Builtins::find(source.target, source.program, source.isolates));
        builtins.name(at).or_else(|| {
            let code = self.walker.as_ref()?.code(at.checked_add(1)?)?;
            // What is neither is baseline code.
            let tier = crate::deopt::tier(&code).map(|t| t.name());
            Some(tier.unwrap_or("compiled").to_string())
        })
    }

    /// The functions of a frame of WebAssembly; none where it is another one, or does not decode.
    fn wasm_calls(&self, frame: &V8Frame) -> Vec<WasmCall> {
        if frame.kind != FrameKind::Wasm {
            return Vec::new();
        }
        self.wasm.calls(self.source.cx, frame).unwrap_or_default()
    }

    /// The calls of frame `i`; none where it is no frame of a function, or does not decode.
    fn calls(&self, frames: &[V8Frame], i: usize) -> Vec<Call<'a>> {
        let (Some(walker), Some(frame)) = (&self.walker, frames.get(i)) else {
            return Vec::new();
        };
        let sizes = || {
            self.sizes
                .get_or_init(|| BytecodeSizes::of(self.source.program))
                .clone()
        };
        let after = |n: usize| frames.get(i + n);
        let Ok(Some(mut js)) = walker.js_frame(frame, after(1), after(2), &sizes) else {
            return Vec::new();
        };
        let caller = after(1).filter(|f| f.kind != FrameKind::ArgumentsAdaptor);
        if let Some(caller) = caller.or(after(2)).and_then(|f| self.optimized(f)) {
            let layout = js.function.cx.layout;
            let named = layout.call_site.constructors_of_stubs.known() == Some(1);
            js.is_constructor |= named && caller.calls_constructor;
        }
        if let Some(optimized) = self.optimized(frame) {
            if let Ok(calls) = self.optimized_calls(&js, &optimized) {
                return calls;
            }
        }
        let tier = match frame.kind {
            FrameKind::Interpreted => Some(Tier::Interpreted),
            FrameKind::Baseline => Some(Tier::Baseline),
            FrameKind::Optimized => frame
                .resumes
                .or(frame.pc)
                .and_then(|pc| walker.code(pc))
                .and_then(|code| crate::deopt::tier(&code).ok()),
            _ => None,
        };
        let mut calls = self.calls_of(&js, tier).unwrap_or_default();
        if let (Some(own), Some(FrameKind::Interpreted | FrameKind::Baseline)) =
            (calls.last_mut(), Some(frame.kind))
        {
            let slot = walker.cx.layout.frame.context_or_type.known();
            let at = slot.and_then(|o| frame.fp.checked_add_signed(o));
            let word = at.and_then(|at| walker.cx.tagged(at).ok());
            own.context = word.and_then(|w| self.context(w));
            own.registers = walker.registers(frame.fp).unwrap_or_default();
            own.parameters = walker.parameters(frame.fp, own.shared).ok();
            let now = walker.receiver(frame.fp, own.shared);
            self.find_this(own, Some(now.into()));
        }
        calls
    }

    /// `this` of a derived class's constructor, which was passed a hole: `super()` makes it, and puts
    /// it in the place of the hole (`now`), or in a Context for arrow functions to see.
    fn find_this(&self, call: &mut Call<'a>, now: Option<Value>) {
        let cx = self.source.cx;
        let is_hole = |value: &Value| value.tagged().is_some_and(|v| is_the_hole(cx, v));
        if !call.receiver.as_ref().is_some_and(is_hole) {
            return;
        }
        if let Some(now) = now.filter(|n| !is_hole(n)) {
            call.receiver = Some(now);
            return;
        }
        let Some(Ok(mut list)) = call.context.map(scopes) else {
            return;
        };
        list.truncate(own_scopes(call, &list));
        let mut own = list.into_iter().flat_map(|s| s.variables);
        if let Some(this) = own.find(|v| v.name.as_deref() == Ok("this")) {
            call.receiver = Some(this.value);
        }
    }

    /// The Context a word is.
    fn context(&self, word: Tagged) -> Option<HeapObject<'a>> {
        let object = self.source.cx.object(word).ok()?;
        object.instance_type().ok()?.is_context().then_some(object)
    }

    /// That of a translated frame: it comes after the parameters.
    fn context_of(
        &self,
        frame: &InlinedFrame<'a>,
        shared: SharedFunctionInfo,
    ) -> Option<HeapObject<'a>> {
        if frame.translated.kind != TranslatedKind::Interpreted {
            return None;
        }
        let count = shared.formal_parameter_count().ok().flatten()?;
        let at = usize::try_from(count).ok()?.checked_add(2)?;
        self.context(frame.translated.values.get(at)?.tagged()?)
    }

    /// The frame's own function.
    fn own_call(&self, js: &JsFrame<'a>, tier: Option<Tier>) -> Result<Call<'a>> {
        let function = JSFunction(js.function);
        let shared = function.shared()?;
        let arguments = js.arguments.clone();
        Ok(Call {
            site: CallSite::new(
                function,
                js.receiver.clone().ok().map(Receiver::Tagged),
                js.is_constructor,
            ),
            function: Some(function),
            shared,
            receiver: Some(js.receiver.clone().into()),
            arguments: Some(arguments.map(|a| a.into_iter().map(Value::Tagged).collect())),
            argument_count: js.argument_count,
            place: Ok(None),
            definition: self.definition(shared),
            inlined: false,
            tier,
            context: None,
            registers: Vec::new(),
            parameters: None,
            position: None,
            initializer: None,
        })
    }

    /// The translation of an optimized frame, where there is one.
    fn optimized(&self, frame: &V8Frame) -> Option<OptimizedFrame<'a>> {
        let (FrameKind::Optimized, Some(pc)) = (frame.kind, frame.resumes.or(frame.pc)) else {
            return None;
        };
        let code = self.walker.as_ref()?.code(pc)?;
        optimized_frame(&code, pc, frame.fp).ok().flatten()
    }

    /// The functions of an optimized frame by its translation.
    fn optimized_calls(
        &self,
        js: &JsFrame<'a>,
        optimized: &OptimizedFrame<'a>,
    ) -> Result<Vec<Call<'a>>> {
        let tier = optimized.tier;
        let mut out = Vec::new();
        for (depth, frame) in optimized.frames.iter().enumerate() {
            let shared = SharedFunctionInfo::new(frame.shared)?;
            let place = match &frame.script_offset {
                Some(Ok(offset)) => self.place(shared, *offset),
                Some(Err(error)) => Err(error.clone()),
                None => Ok(None),
            };
            let position = match &frame.script_offset {
                Some(Ok(offset)) => u64::try_from(*offset).ok(),
                _ => None,
            };
            let is_builtin = frame.translated.kind != TranslatedKind::Interpreted;
            if depth == 0 {
                let mut own = Call {
                    place,
                    context: self.context_of(frame, shared),
                    registers: registers_of(frame, shared),
                    parameters: parameters_of(frame, shared),
                    position,
                    ..self.own_call(js, Some(tier))?
                };
                self.find_this(&mut own, Some(frame.receiver.clone()));
                out.push(own);
                continue;
            }
            let receiver = Receiver::of(self.source.cx, &frame.receiver);
            let function = frame.function.map(JSFunction);
            let arguments = (!is_builtin).then(|| arguments(frame, shared)).flatten();
            let mut site = match function {
                Some(f) => CallSite::new(f, receiver, frame.is_constructor),
                None => {
                    let identity = frame.translated.values.first();
                    let identity = identity.and_then(|v| Identity::of(self.source.cx, v));
                    CallSite::of_shared(shared, identity, receiver, frame.is_constructor)
                }
            };
            let rules = &self.source.cx.layout.call_site;
            let shows_api = rules.shows_inlined_api.known() == Some(1);
            site.is_visible |= is_builtin && shows_api && shared.is_api_function();
            let mut call = Call {
                site,
                function,
                shared,
                receiver: Some(frame.receiver.clone()),
                argument_count: arguments.as_ref().map_or(0, |a| a.len() as u64),
                arguments: arguments.map(Ok),
                place,
                definition: self.definition(shared),
                inlined: true,
                tier: Some(tier),
                context: self.context_of(frame, shared),
                registers: registers_of(frame, shared),
                parameters: parameters_of(frame, shared),
                position,
                initializer: None,
            };
            self.find_this(&mut call, None);
            out.push(call);
        }
        out.reverse();
        Ok(out)
    }

    fn calls_of(&self, js: &JsFrame<'a>, tier: Option<Tier>) -> Result<Vec<Call<'a>>> {
        let mut own = self.own_call(js, tier)?;
        let mut out = Vec::new();
        let positions = match &js.positions {
            Ok(positions) => positions.as_slice(),
            Err(_) => &[],
        };
        for inlined in positions.iter().filter(|p| p.shared.is_some()) {
            let Some(Ok(shared)) = inlined.shared.map(SharedFunctionInfo::new) else {
                continue;
            };
            let mut site = CallSite::of_shared(shared, None, None, false);
            site.is_constructor = shared.kind().is_ok_and(|k| k.is_class_constructor);
            out.push(Call {
                site,
                function: None,
                shared,
                receiver: None,
                arguments: None,
                argument_count: 0,
                place: self.place(shared, inlined.script_offset),
                definition: self.definition(shared),
                inlined: true,
                tier,
                context: None,
                registers: Vec::new(),
                parameters: None,
                position: u64::try_from(inlined.script_offset).ok(),
                initializer: None,
            });
        }
        let positions = js.positions.as_deref().unwrap_or(&[]);
        let at = positions.iter().find(|p| p.shared.is_none());
        own.position = at.and_then(|p| u64::try_from(p.script_offset).ok());
        own.place = match &js.positions {
            Ok(positions) => match positions.iter().find(|p| p.shared.is_none()) {
                Some(p) => self.place(own.shared, p.script_offset),
                None => Ok(None),
            },
            Err(error) => Err(error.clone()),
        };
        out.push(own);
        Ok(out)
    }

    /// Who awaits what runs: by the microtask that V8 is at, else by the innermost async function
    /// on the stack that goes on after an `await`.
    fn waiting(&self, frames: &[V8Frame], thread: &Thread) -> Vec<Waiting<'a>> {
        let cx = self.source.cx;
        if frames.is_empty() {
            return Vec::new();
        }
        let closures = Closures::new(self.source.program, cx.memory);
        if let Some(microtask) = self.source.microtask(thread) {
            let waiting = closures.waiting_for_microtask(microtask);
            return waiting.unwrap_or_default();
        }
        let layout = &cx.layout.frame;
        let running = frames
            .iter()
            .filter(|f| f.kind == FrameKind::Builtin)
            .find_map(|f| {
                let slot = f.fp.wrapping_add_signed(layout.function.known()?);
                let closure = cx.object(cx.tagged(slot).ok()?).ok()?;
                let generator = awaiting_generator(JSFunction::new(closure).ok()?)?;
                (generator.state() == Ok(GeneratorState::Running)).then_some(generator)
            });
        running.map_or_else(Vec::new, |g| closures.waiting_for(g))
    }

    fn async_call(&self, waiting: &Waiting<'a>) -> Result<Call<'a>> {
        let mut position = None;
        let (function, site, receiver, place) = match waiting {
            Waiting::Function(generator) => {
                let function = generator.function()?;
                let receiver = generator.receiver();
                let this = receiver.clone().ok().map(Receiver::Tagged);
                let mut site = CallSite::new(function, this, false);
                site.is_async = true;
                let shared = function.shared()?;
                let at = await_position(*generator);
                position = at.as_ref().ok().and_then(|at| u64::try_from(*at).ok());
                let place = at.and_then(|at| self.place(shared, at));
                (function, site, Some(receiver.into()), place)
            }
            Waiting::Combinator {
                closure,
                name,
                index,
            } => {
                let site = CallSite::of_combinator(name, *index);
                (*closure, site, None, Ok(None))
            }
        };
        let shared = function.shared()?;
        Ok(Call {
            site,
            function: Some(function),
            shared,
            receiver,
            arguments: None,
            argument_count: 0,
            place,
            definition: self.definition(shared),
            inlined: false,
            tier: None,
            context: match waiting {
                Waiting::Function(generator) => generator.context().ok(),
                Waiting::Combinator { .. } => None,
            },
            registers: Vec::new(),
            parameters: None,
            position,
            initializer: None,
        })
    }

    fn place(&self, shared: SharedFunctionInfo, script_offset: i64) -> Result<Option<Place>> {
        let script = shared.script()?;
        script
            .map(|s| self.places.place(s, script_offset))
            .transpose()
    }

    fn definition(&self, shared: SharedFunctionInfo) -> Result<Option<Place>> {
        let (Some(script), Some((start, _))) = (shared.script()?, shared.position()?) else {
            return Ok(None);
        };
        let start = i64::try_from(start).unwrap_or(i64::MAX);
        self.places.place(script, start).map(Some)
    }
}

/// The registers of a translated frame: between the Context and the accumulator.
fn registers_of(frame: &InlinedFrame, shared: SharedFunctionInfo) -> Vec<Value> {
    let values = &frame.translated.values;
    let count = shared.formal_parameter_count().ok().flatten();
    let first = count.and_then(|c| usize::try_from(c).ok()?.checked_add(3));
    match (frame.translated.kind, first) {
        (TranslatedKind::Interpreted, Some(first)) => {
            let end = values.len().saturating_sub(1);
            values.get(first..end).unwrap_or(&[]).to_vec()
        }
        _ => Vec::new(),
    }
}

/// The arguments of an inlined function: all that were passed where they were not as many as
/// declared, else the parameters.
fn arguments(frame: &InlinedFrame, shared: SharedFunctionInfo) -> Option<Vec<Value>> {
    if let Some(all) = &frame.extra_arguments {
        return Some(all.clone());
    }
    let count = shared.formal_parameter_count().ok().flatten()?;
    let end = usize::try_from(count).ok()?.checked_add(2)?;
    frame.translated.values.get(2..end).map(<[Value]>::to_vec)
}

/// What the declared parameters of a translated frame hold.
fn parameters_of(frame: &InlinedFrame, shared: SharedFunctionInfo) -> Option<Vec<Value>> {
    if frame.translated.kind != TranslatedKind::Interpreted {
        return None;
    }
    let count = shared.formal_parameter_count().ok().flatten()?;
    let end = usize::try_from(count).ok()?.checked_add(2)?;
    frame.translated.values.get(2..end).map(<[Value]>::to_vec)
}
