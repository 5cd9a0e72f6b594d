//! `v8 help` and every command's `--help`, from the one table.

use super::app::{App, Host};
use super::{Outcome, TABLE};
use std::fmt::Write;

/// Help of one command.
pub fn of(name: &str) -> Outcome {
    match TABLE.iter().find(|c| c.name == name) {
        Some(command) => Outcome::ok(format!(
            "{}\n\nSyntax: v8 {}\n{}",
            command.summary,
            command.usage,
            match (
                command.details.trim_end(),
                super::isolate_option::help(name).unwrap_or_default()
            ) {
                ("", "") => String::new(),
                (details, isolate) => format!("\n{details}{isolate}\n"),
            }
        )),
        None => Outcome::failed(format!("'{name}' is not a v8 command; see 'v8 help'")),
    }
}

/// Runs `v8 help [COMMAND]`.
pub fn run(_: &mut App, _: &dyn Host, arguments: &[String]) -> Outcome {
    let name = arguments.join(" ");
    if !name.is_empty() && !name.starts_with('-') {
        return of(&name);
    }
    let width = TABLE.iter().map(|c| c.name.len()).max().unwrap_or(0);
    let mut text = String::from("The following subcommands are supported:\n\n");
    for command in TABLE {
        let _ = writeln!(
            text,
            "      {:<width$} -- {}",
            command.name, command.summary
        );
    }
    text.push_str(
        "\nFor more help on any particular subcommand, type 'help <command> <subcommand>'.\n",
    );
    Outcome::ok(text)
}
