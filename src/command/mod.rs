//! The `v8` commands: parse, ask, return a result value that `render` turns into text or JSON.

mod app;
mod app_state;
mod async_;
mod bt;
mod closure;
mod died;
mod dominators;
pub mod error_stack;
mod exception;
mod findjsinstances;
mod findjsobjects;
mod findrefs;
mod frame;
mod handles;
mod heap_view;
mod heapdiff;
mod heapsnapshot;
mod help;
mod inspected;
mod isolate_option;
mod json;
mod leaks;
mod live;
mod locals;
mod nodeinfo;
mod outcome;
mod print;
mod retained;
mod retainers;
pub mod settings;
mod source_list;
mod table;
mod threads;
pub mod value;
pub mod value_options;
mod variable;
mod watch;

pub use app::{App, Host};
pub use help::syntax;
pub use outcome::Outcome;
pub use table::{Command, ALIASES, SHORTCUTS, TABLE};

/// A result as JSON, for `--json`.
pub(crate) fn json(value: &impl serde::Serialize) -> Outcome {
    match serde_json::to_string_pretty(value) {
        Ok(mut text) => {
            text.push('\n');
            Outcome::ok(text)
        }
        Err(error) => Outcome::failed(format!("the result cannot be written as JSON: {error}")),
    }
}
