//! The state behind the commands of one debugger, and the way from a command line to an outcome.

use super::isolate_option::{takes, Takes};
use super::{Outcome, TABLE};
use crate::error::Result;
use crate::session::{Choice, Session};
use crate::target::Target;

/// What the commands need from whoever runs them (LLDB, or the offline runner).
pub trait Host {
    /// The current process or core; [`crate::error::Error::NoProcess`] without one.
    fn target(&self) -> Result<Box<dyn Target>>;
    /// Changes when the process is another or has run since.
    fn stop_key(&self) -> (u64, u64);
    /// Whether output goes to a terminal.
    fn is_terminal(&self) -> bool;
    /// Runs a command of the debugger's own and returns what it printed.
    fn debugger_command(&self, command: &str) -> Result<String>;
    /// Shows that long work goes on (only called after a while); `fraction` from 0 to 1.
    fn progress(&self, what: &str, fraction: f64);
    /// The user wants the running command to end.
    fn interrupted(&self) -> bool {
        false
    }
}

/// The commands of one debugger.
#[derive(Default)]
pub struct App {
    session: Option<((u64, u64), Session)>,
    /// The running command's `--isolate`.
    choice: Choice,
    /// The session's warnings were shown.
    is_warned: bool,
    /// Choices of `v8 settings set`.
    pub settings: super::settings::Settings,
    /// Where `findjsinstances` and `source list` go on.
    pub paging: super::app_state::Paging,
}

impl App {
    /// Without a session yet.
    pub fn new() -> App {
        App::default()
    }

    /// The running command's `--isolate`.
    pub fn choice(&self) -> Choice {
        self.choice
    }

    /// The session of the current stop, made when first asked for.
    pub fn session(&mut self, host: &dyn Host) -> Result<&Session> {
        let key = host.stop_key();
        if self.session.as_ref().is_none_or(|(k, _)| *k != key) {
            self.session = None;
            let target = host.target()?;
            self.session = Some((key, Session::new(target)));
            self.is_warned = false;
        }
        match &self.session {
            Some((_, session)) => {
                session.choose(self.choice);
                Ok(session)
            }
            None => Err(crate::error::Error::NoProcess),
        }
    }

    /// Runs `v8 NAME ARGUMENTS`. `name` may be any unique prefix ("i", "settings").
    pub fn run(&mut self, host: &dyn Host, name: &str, arguments: &[String]) -> Outcome {
        let mut outcome = self.answer(host, name, arguments);
        let is_json = arguments.iter().any(|a| a == "--json");
        if let Some((_, session)) = self
            .session
            .as_ref()
            .filter(|_| !self.is_warned && !is_json)
        {
            // Some commands tell them themselves.
            let left = session.warnings().iter();
            let left = left.filter(|w| !outcome.text.contains(*w));
            let lines: Vec<String> = left.map(|w| format!("warning: {w}\n")).collect();
            self.is_warned = !session.warnings().is_empty();
            outcome.text.insert_str(0, &lines.concat());
        }
        outcome
    }

    fn answer(&mut self, host: &dyn Host, name: &str, arguments: &[String]) -> Outcome {
        match TABLE.iter().find(|c| c.name == name) {
            Some(command) => match super::isolate_option::split(name, arguments) {
                Ok((choice, arguments)) => {
                    // llnode knows no isolates: it looks at all memory.
                    let all = choice == Choice::Selected
                        && self.settings.compat_llnode
                        && takes(name) == Some(Takes::OneOrAll);
                    self.choice = if all { Choice::All } else { choice };
                    (command.run)(self, host, &arguments)
                }
                Err(why) => Outcome::failed(why),
            },
            None => Outcome::failed(format!("'{name}' is not a v8 command; see 'v8 help'")),
        }
    }
}
