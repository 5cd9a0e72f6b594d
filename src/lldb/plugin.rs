//! The plugin's entry, and the way of a command line from LLDB to [`App`] and back.

use super::bridge::ffi;
use super::host::LldbHost;
use crate::command::{App, Host, Outcome, ALIASES, SHORTCUTS, TABLE};
use std::collections::HashMap;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

/// [`run_command`]'s number for `v8 help`, which is LLDB's own help.
const HELP: usize = usize::MAX;
/// The same for [`super::selftest`].
const SELFTEST: usize = usize::MAX - 1;

/// `bool lldb::PluginInitialize(lldb::SBDebugger)`, which `plugin load` looks for by its C++
/// name. An SBDebugger given by value is a pointer to the caller's copy in the C++ ABIs of x64
/// and arm64, since it has a destructor; so this needs no C++, whose symbols a cdylib would hide.
///
/// # Safety
/// Called by LLDB.
#[export_name = "_ZN4lldb16PluginInitializeENS_10SBDebuggerE"]
pub unsafe extern "C" fn plugin_initialize(debugger: *mut ffi::SBDebugger) -> bool {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string);
        let what = info.payload();
        let what = (what.downcast_ref::<&str>().map(ToString::to_string))
            .or_else(|| what.downcast_ref::<String>().cloned());
        *lock(&LAST_PANIC) = format!(
            "{} at {}",
            what.unwrap_or_default(),
            place.unwrap_or_default()
        );
    }));
    catch_unwind(|| {
        // SAFETY: LLDB's argument lives until this returns.
        if debugger.is_null() || !unsafe { register(debugger) } {
            return false;
        }
        // SAFETY: as above.
        let host = unsafe { LldbHost::new(debugger) };
        let line = greeting(&host);
        // SAFETY: as above.
        ffi::print(unsafe { Pin::new_unchecked(&mut *debugger) }, &line);
        true
    })
    .unwrap_or(false)
}

/// Adds every command of the table, one LLDB group for each first word, and llnode's aliases.
///
/// # Safety
/// `debugger` is valid.
unsafe fn register(debugger: *mut ffi::SBDebugger) -> bool {
    let debugger = || Pin::new_unchecked(&mut *debugger);
    let top = ffi::add_group(
        debugger(),
        "v8",
        "Node.js and V8: what the process was doing, what is in it, and what fills its memory.",
    );
    if top.is_null() {
        return false;
    }
    let mut groups: HashMap<&str, *mut ffi::Group> = HashMap::new();
    for (id, command) in TABLE.iter().enumerate() {
        let syntax = crate::command::syntax(command);
        let (group, name) = match command.name.split_once(' ') {
            None => (top, command.name),
            Some((first, rest)) => {
                let group = *groups.entry(first).or_insert_with(|| {
                    let help = format!("Subcommands of 'v8 {first}'.");
                    ffi::add_subgroup(top, first, &help)
                });
                (group, rest)
            }
        };
        if !group.is_null() {
            ffi::add_command(
                group,
                name,
                command.summary,
                &syntax,
                repeats(command.name),
                id,
            );
        }
    }
    for (shortcut, name) in SHORTCUTS {
        if let Some((id, command)) = TABLE.iter().enumerate().find(|(_, c)| c.name == *name) {
            let help = format!("Short for 'v8 {name}'.");
            let syntax = format!("v8 {}", command.usage);
            ffi::add_command(top, shortcut, &help, &syntax, false, id);
        }
    }
    if !TABLE.iter().any(|c| c.name == "help") {
        let (help, syntax) = ("Show the commands, or help on one.", "v8 help [command]");
        ffi::add_command(top, "help", help, syntax, false, HELP);
    }
    if std::env::var_os("V8RS_SELFTEST").is_some() {
        ffi::add_command(
            top,
            "selftest",
            "For tests.",
            "v8 selftest",
            false,
            SELFTEST,
        );
    }
    for (alias, name) in ALIASES {
        if let Some((id, command)) = TABLE.iter().enumerate().find(|(_, c)| c.name == *name) {
            let help = format!("{} Same as 'v8 {name}'.", command.summary);
            let usage = command.usage.strip_prefix(name).unwrap_or_default();
            let syntax = format!("{alias}{usage}");
            ffi::add_top_level_command(debugger(), alias, &help, &syntax, repeats(name), id);
        }
    }
    true
}

/// An empty line after these goes on where they ended.
fn repeats(name: &str) -> bool {
    matches!(name, "source list" | "findjsinstances")
}

/// What `plugin load` says.
fn greeting(host: &LldbHost) -> String {
    let version = concat!("v8rs ", env!("CARGO_PKG_VERSION"));
    let found = with_app(host, |app| {
        let session = match app.session(host) {
            Ok(session) => session,
            Err(crate::error::Error::NoProcess) => {
                return Ok("no process yet; 'v8 help' lists the commands".to_owned())
            }
            Err(error) => return Err(error.to_string()),
        };
        let v8 = session.v8().map_err(|e| e.to_string())?;
        let (path, version) = (&v8.program.module.path, v8.program.version);
        let name = path.rsplit('/').next().unwrap_or(path);
        Ok(match session.target().process_id() {
            0 => format!("V8 {version} in {name}"),
            pid => format!("V8 {version} in {name}, process {pid}"),
        })
    });
    match found {
        Ok(text) => format!("{version}: {text}\n"),
        Err(text) => format!("{version}: {text}\n"),
    }
}

/// Called by C++ for every command line.
pub(super) fn run_command(
    debugger: Pin<&mut ffi::SBDebugger>,
    id: usize,
    arguments: Vec<String>,
    mut result: Pin<&mut ffi::SBCommandReturnObject>,
) {
    // The text for the user may be megabytes; what goes wrong while it is written is as much our
    // bug as what goes wrong before.
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: only its address is taken, and the host ends before the debugger does.
        let host = unsafe { LldbHost::new(debugger.get_unchecked_mut()) };
        run(&host, id, &arguments)
    }));
    let mut outcome = outcome.unwrap_or_else(|_| Outcome::failed(internal_error()));
    // C strings end there.
    if memchr::memchr(0, outcome.text.as_bytes()).is_some() {
        outcome.text = outcome.text.replace('\0', "\\0");
    }
    let written = catch_unwind(AssertUnwindSafe(|| {
        if !outcome.text.is_empty() {
            let newline = if outcome.text.ends_with('\n') {
                ""
            } else {
                "\n"
            };
            ffi::write_output(result.as_mut(), &outcome.text);
            ffi::write_output(result.as_mut(), newline);
        }
        match &outcome.error {
            Some(error) => ffi::set_error(result.as_mut(), error),
            None => ffi::set_success(result.as_mut(), !outcome.text.is_empty()),
        }
    }));
    if written.is_err() {
        ffi::set_error(result, &internal_error());
    }
}

fn run(host: &LldbHost, id: usize, arguments: &[String]) -> Outcome {
    if id == HELP {
        let command = format!("help v8 {}", arguments.join(" "));
        return match host.debugger_command(command.trim_end()) {
            Ok(text) => Outcome::ok(text),
            Err(error) => error.into(),
        };
    }
    if id == SELFTEST {
        return with_app(host, |_| Ok(super::selftest::run(host, arguments)))
            .unwrap_or_else(Outcome::failed);
    }
    let Some(command) = TABLE.get(id) else {
        return Outcome::failed("not a v8 command; see 'v8 help'");
    };
    with_app(host, |app| Ok(app.run(host, command.name, arguments))).unwrap_or_else(Outcome::failed)
}

/// The message of the last panic, with its place.
static LAST_PANIC: Mutex<String> = Mutex::new(String::new());

fn internal_error() -> String {
    format!(
        "internal error in v8rs {} (a bug of ours): {}. Please report it with the command, and \
         what 'version' and 'v8 nodeinfo' say.",
        env!("CARGO_PKG_VERSION"),
        lock(&LAST_PANIC)
    )
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An [`App`] that may be used from one thread after another.
struct Shared(App);

// SAFETY: SB objects may be used from any thread, caches and cells are touched only under the
// mutex that this is in, and nothing in an App refers to a thread.
unsafe impl Send for Shared {}

/// Runs `work` with the debugger's [`App`]; a panic is told as our bug, and the next command
/// starts afresh.
fn with_app<T>(
    host: &LldbHost,
    work: impl FnOnce(&mut App) -> Result<T, String>,
) -> Result<T, String> {
    // Never torn down: at exit LLDB may be gone before us.
    static APPS: Mutex<Vec<(u64, Arc<Mutex<Shared>>)>> = Mutex::new(Vec::new());
    let id = host.debugger_id();
    let app = {
        let mut apps = lock(&APPS);
        match apps.iter().find(|(debugger, _)| *debugger == id) {
            Some((_, app)) => app.clone(),
            None => {
                let app = Arc::new(Mutex::new(Shared(App::new())));
                apps.push((id, app.clone()));
                app
            }
        }
    };
    let mut app = match app.try_lock() {
        Ok(app) => app,
        Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
        Err(TryLockError::WouldBlock) => {
            return Err("another v8 command of this debugger is running".to_owned())
        }
    };
    catch_unwind(AssertUnwindSafe(|| work(&mut app.0))).unwrap_or_else(|_| {
        let mut fresh = App::new();
        fresh.settings = app.0.settings.clone();
        let spoilt = std::mem::replace(&mut app.0, fresh);
        let _ = catch_unwind(AssertUnwindSafe(|| drop(spoilt)));
        Err(internal_error())
    })
}
