//! The C++ of `cpp/`, as cxx sees it.

#[cxx::bridge(namespace = "v8rs")]
pub(super) mod ffi {
    extern "Rust" {
        /// A `v8` command line arrived: `id` as given when it was registered.
        fn run_command(
            debugger: Pin<&mut SBDebugger>,
            id: usize,
            arguments: Vec<String>,
            result: Pin<&mut SBCommandReturnObject>,
        );
    }

    unsafe extern "C++" {
        include!("v8rs/cpp/bridge.h");

        #[namespace = "lldb"]
        type SBDebugger;
        #[namespace = "lldb"]
        type SBCommandReturnObject;
        /// A multiword command; null where LLDB refused it. Lives as long as the program.
        type Group;

        fn add_group(debugger: Pin<&mut SBDebugger>, name: &str, help: &str) -> *mut Group;
        /// # Safety
        /// `group` came from here and is not null.
        unsafe fn add_subgroup(group: *mut Group, name: &str, help: &str) -> *mut Group;
        /// # Safety
        /// `group` came from here and is not null.
        unsafe fn add_command(
            group: *mut Group,
            name: &str,
            help: &str,
            syntax: &str,
            repeats: bool,
            id: usize,
        ) -> bool;
        fn add_top_level_command(
            debugger: Pin<&mut SBDebugger>,
            name: &str,
            help: &str,
            syntax: &str,
            repeats: bool,
            id: usize,
        ) -> bool;

        /// Prints on the debugger's own output.
        fn print(debugger: Pin<&mut SBDebugger>, text: &str);
        /// File descriptor of the debugger's output; -1 where it has none.
        /// # Safety
        /// `debugger` is valid.
        unsafe fn output_descriptor(debugger: *mut SBDebugger) -> i32;

        fn write_output(result: Pin<&mut SBCommandReturnObject>, text: &str);
        fn set_error(result: Pin<&mut SBCommandReturnObject>, text: &str);
        fn set_success(result: Pin<&mut SBCommandReturnObject>, has_output: bool);
    }
}

use super::plugin::run_command;
