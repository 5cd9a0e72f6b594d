//! Promise, and the generators that async functions are built on.

use super::function::JSFunction;
use super::{HeapObject, Tagged};
use crate::error::{Error, Result};

/// A Promise's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromiseState {
    Pending,
    Fulfilled,
    Rejected,
}

impl PromiseState {
    /// As DevTools names it.
    pub fn name(self) -> &'static str {
        match self {
            PromiseState::Pending => "pending",
            PromiseState::Fulfilled => "fulfilled",
            PromiseState::Rejected => "rejected",
        }
    }
}

/// A Promise.
#[derive(Clone, Copy, Debug)]
pub struct JSPromise<'a>(pub HeapObject<'a>);

impl JSPromise<'_> {
    /// Pending, fulfilled or rejected.
    pub fn state(self) -> Result<PromiseState> {
        match self.0.smi_field(self.0.cx.layout.js_promise.flags)? & 3 {
            0 => Ok(PromiseState::Pending),
            1 => Ok(PromiseState::Fulfilled),
            2 => Ok(PromiseState::Rejected),
            other => Err(Error::malformed(
                "JSPromise",
                self.0.address,
                format!("its state is {other}"),
            )),
        }
    }

    /// Its value or reason; of a pending one, the reactions that wait for it.
    pub fn reactions_or_result(self) -> Result<Tagged> {
        self.0
            .field(self.0.cx.layout.js_promise.reactions_or_result)
    }

    /// Somebody handles its rejection.
    pub fn has_handler(self) -> Result<bool> {
        Ok(self.0.smi_field(self.0.cx.layout.js_promise.flags)? & 4 != 0)
    }
}

/// A generator's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GeneratorState {
    Running,
    Closed,
    Suspended,
}

impl GeneratorState {
    /// As DevTools names it.
    pub fn name(self) -> &'static str {
        match self {
            GeneratorState::Running => "running",
            GeneratorState::Closed => "closed",
            GeneratorState::Suspended => "suspended",
        }
    }
}

/// A generator, or the like behind a running async function.
#[derive(Clone, Copy, Debug)]
pub struct JSGeneratorObject<'a>(pub HeapObject<'a>);

impl<'a> JSGeneratorObject<'a> {
    /// Its function.
    pub fn function(self) -> Result<JSFunction<'a>> {
        JSFunction::new(
            self.0
                .object_field(self.0.cx.layout.js_generator.function)?,
        )
    }

    /// Its Context.
    pub fn context(self) -> Result<HeapObject<'a>> {
        self.0.object_field(self.0.cx.layout.js_generator.context)
    }

    /// Its `this`.
    pub fn receiver(self) -> Result<Tagged> {
        self.0.field(self.0.cx.layout.js_generator.receiver)
    }

    /// Where it goes on, as V8 counts: negative while it runs or once it is done.
    pub fn continuation(self) -> Result<i64> {
        self.0.smi_field(self.0.cx.layout.js_generator.continuation)
    }

    /// While it is suspended, the Smi (or object) that says where in its bytecode.
    pub fn input_or_debug_position(self) -> Result<Tagged> {
        self.0
            .field(self.0.cx.layout.js_generator.input_or_debug_pos)
    }

    /// Running, closed or suspended.
    pub fn state(self) -> Result<GeneratorState> {
        Ok(match self.continuation()? {
            -2 => GeneratorState::Running,
            -1 => GeneratorState::Closed,
            _ => GeneratorState::Suspended,
        })
    }

    /// The Promise of an async function; `None` for another generator.
    pub fn promise(self) -> Result<Option<Tagged>> {
        if self.0.instance_type()? != crate::metadata::InstanceType::JSAsyncFunctionObject {
            return Ok(None);
        }
        self.0
            .field(self.0.cx.layout.js_generator.async_function_promise)
            .map(Some)
    }
}
