//! The SB objects that are used, owned: what lldb-sys creates is disposed of when dropped.
//!
//! Nothing kept between commands may hold more than an [`Process`] (a weak reference in LLDB): an
//! SBTarget or SBModule kept would keep LLDB's own alive after the user is done with it.

use lldb_sys as sys;
use std::ffi::{c_char, CStr, CString};

/// A copy of LLDB's text; `None` for null.
///
/// # Safety
/// `text` is null or a NUL-terminated string.
pub unsafe fn text(text: *const c_char) -> Option<String> {
    (!text.is_null()).then(|| CStr::from_ptr(text).to_string_lossy().into_owned())
}

/// `text` up to its first NUL.
pub fn c_string(text: &str) -> CString {
    let end = text.find('\0').unwrap_or(text.len());
    CString::new(&text.as_bytes()[..end]).unwrap_or_default()
}

macro_rules! owned {
    ($(#[$doc:meta] $name:ident $raw:ident $dispose:ident $(valid $valid:ident)?;)*) => {$(
        #[$doc]
        pub struct $name(sys::$raw);

        impl $name {
            /// Takes over what a shim returned.
            ///
            /// # Safety
            /// `raw` is null or an object of this type that nobody else disposes of.
            #[allow(dead_code)]
            pub unsafe fn from_raw(raw: sys::$raw) -> Option<$name> {
                if raw.is_null() {
                    return None;
                }
                let object = $name(raw);
                $(if !sys::$valid(raw) {
                    return None;
                })?
                Some(object)
            }

            #[allow(dead_code)]
            pub fn raw(&self) -> sys::$raw {
                self.0
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                // SAFETY: ours, and not null.
                unsafe { sys::$dispose(self.0) }
            }
        }
    )*};
}

owned! {
    /// SBTarget
    Target SBTargetRef DisposeSBTarget valid SBTargetIsValid;
    /// SBProcess
    Process SBProcessRef DisposeSBProcess valid SBProcessIsValid;
    /// SBThread
    Thread SBThreadRef DisposeSBThread valid SBThreadIsValid;
    /// SBFrame
    Frame SBFrameRef DisposeSBFrame valid SBFrameIsValid;
    /// SBModule
    Module SBModuleRef DisposeSBModule valid SBModuleIsValid;
    /// SBSection
    Section SBSectionRef DisposeSBSection valid SBSectionIsValid;
    /// SBFileSpec
    FileSpec SBFileSpecRef DisposeSBFileSpec valid SBFileSpecIsValid;
    /// SBAddress
    Address SBAddressRef DisposeSBAddress valid SBAddressIsValid;
    /// SBSymbol
    Symbol SBSymbolRef DisposeSBSymbol valid SBSymbolIsValid;
    /// SBValue
    Value SBValueRef DisposeSBValue;
    /// SBError
    Error SBErrorRef DisposeSBError;
    /// SBStream
    Stream SBStreamRef DisposeSBStream;
    /// SBDebugger
    Debugger SBDebuggerRef DisposeSBDebugger valid SBDebuggerIsValid;
    /// SBCommandInterpreter
    Interpreter SBCommandInterpreterRef DisposeSBCommandInterpreter valid SBCommandInterpreterIsValid;
    /// SBCommandReturnObject
    ReturnObject SBCommandReturnObjectRef DisposeSBCommandReturnObject;
    /// SBExpressionOptions
    ExpressionOptions SBExpressionOptionsRef DisposeSBExpressionOptions;
    /// SBMemoryRegionInfo
    Region SBMemoryRegionInfoRef DisposeSBMemoryRegionInfo;
    /// SBMemoryRegionInfoList
    RegionList SBMemoryRegionInfoListRef DisposeSBMemoryRegionInfoList;
}

impl Error {
    pub fn new() -> Error {
        // SAFETY: a constructor.
        Error(unsafe { sys::CreateSBError() })
    }

    /// What went wrong, if anything did.
    pub fn failure(&self) -> Option<String> {
        // SAFETY: ours.
        unsafe {
            if !sys::SBErrorIsValid(self.0) || !sys::SBErrorFail(self.0) {
                return None;
            }
            Some(text(sys::SBErrorGetCString(self.0)).unwrap_or_else(|| "unknown error".into()))
        }
    }
}

impl Stream {
    pub fn new() -> Stream {
        // SAFETY: a constructor.
        Stream(unsafe { sys::CreateSBStream() })
    }

    pub fn text(&self) -> String {
        // SAFETY: ours; the data ends with a NUL.
        unsafe { text(sys::SBStreamGetData(self.0)) }.unwrap_or_default()
    }
}

impl Process {
    pub fn target(&self) -> Option<Target> {
        // SAFETY: a valid process; the result is ours.
        unsafe { Target::from_raw(sys::SBProcessGetTarget(self.0)) }
    }

    pub fn threads(&self) -> impl Iterator<Item = Thread> + '_ {
        // SAFETY: as above.
        let count = unsafe { sys::SBProcessGetNumThreads(self.0) };
        (0..count).filter_map(|i| unsafe {
            Thread::from_raw(sys::SBProcessGetThreadAtIndex(self.0, i as usize))
        })
    }

    pub fn selected_thread(&self) -> Option<Thread> {
        // SAFETY: as above.
        unsafe { Thread::from_raw(sys::SBProcessGetSelectedThread(self.0)) }
    }

    /// Bytes read from `address` on; 0 where there are none.
    pub fn read(&self, address: u64, buffer: &mut [u8], error: &Error) -> usize {
        // SAFETY: LLDB writes at most `buffer.len()` bytes into it.
        let n = unsafe {
            sys::SBErrorClear(error.0);
            let to = buffer.as_mut_ptr().cast();
            sys::SBProcessReadMemory(self.0, address, to, buffer.len(), error.0)
        };
        n.min(buffer.len())
    }
}

impl Thread {
    pub fn frame(&self, index: u32) -> Option<Frame> {
        // SAFETY: a valid thread; the result is ours.
        unsafe { Frame::from_raw(sys::SBThreadGetFrameAtIndex(self.0, index)) }
    }
}

impl Frame {
    /// An integer register by LLDB's name for it.
    pub fn register(&self, name: &CStr) -> Option<u64> {
        // SAFETY: a valid frame; the results are ours.
        unsafe {
            let value = Value::from_raw(sys::SBFrameFindRegister(self.0, name.as_ptr()))?;
            if !sys::SBValueIsValid(value.0) {
                return None;
            }
            let error = Error::new();
            let number = sys::SBValueGetValueAsUnsigned(value.0, error.0, 0);
            error.failure().is_none().then_some(number)
        }
    }
}

/// The user pressed Ctrl-C in this debugger, or asked in another way.
pub fn interrupted(debugger: sys::SBDebuggerRef) -> bool {
    use once_cell::sync::Lazy;
    type Requested = unsafe extern "C" fn(sys::SBDebuggerRef) -> bool;
    // From LLDB 17 on; it also hears of interruptions that do not come from the terminal.
    static REQUESTED: Lazy<Option<Requested>> = Lazy::new(|| {
        let name = c"_ZN4lldb10SBDebugger18InterruptRequestedEv";
        // SAFETY: a member function without arguments that returns bool.
        unsafe {
            let found = libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr());
            (!found.is_null()).then(|| std::mem::transmute::<*mut libc::c_void, Requested>(found))
        }
    });
    // SAFETY: `debugger` is a valid SBDebugger during a command; the interpreter is ours.
    unsafe {
        if REQUESTED.is_some_and(|requested| requested(debugger)) {
            return true;
        }
        Interpreter::from_raw(sys::SBDebuggerGetCommandInterpreter(debugger))
            .is_some_and(|i| sys::SBCommandInterpreterWasInterrupted(i.0))
    }
}
