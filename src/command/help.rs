//! `v8 help` and every command's `--help`, from the one table.

use super::app::{App, Host};
use super::{Command, Outcome, TABLE};
use serde_json::json;
use std::fmt::Write;

/// What `--help` says of a command besides its summary and usage.
fn details(command: &Command) -> String {
    let isolate = super::isolate_option::help(command.name).unwrap_or_default();
    format!("{}{isolate}", command.details.trim_end())
}

/// Its usage, and all that is to be known of its options.
pub fn syntax(command: &Command) -> String {
    match details(command) {
        details if details.is_empty() => format!("v8 {}", command.usage),
        details => format!("v8 {}\n\n{details}", command.usage),
    }
}

/// Help of one command.
pub fn of(name: &str) -> Outcome {
    match TABLE.iter().find(|c| c.name == name) {
        Some(command) => Outcome::ok(format!(
            "{}\n\nSyntax: {}\n",
            command.summary,
            syntax(command)
        )),
        None => Outcome::failed(format!("'{name}' is not a v8 command; see 'v8 help'")),
    }
}

fn as_json(name: &str) -> Outcome {
    let list: Vec<_> = TABLE
        .iter()
        .filter(|c| name.is_empty() || c.name == name)
        .map(|c| {
            json!({
                "name": c.name,
                "usage": c.usage,
                "summary": c.summary,
                "details": details(c),
            })
        })
        .collect();
    match list.is_empty() {
        true => of(name),
        false => super::json(&list),
    }
}

/// Runs `v8 help [COMMAND]`.
pub fn run(_: &mut App, _: &dyn Host, arguments: &[String]) -> Outcome {
    let (options, words): (Vec<_>, Vec<_>) =
        arguments.iter().cloned().partition(|w| w.starts_with('-'));
    let name = words.join(" ");
    if options.iter().any(|o| o == "--json") {
        return as_json(&name);
    }
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

/// Runs `v8 version`.
pub fn version(_: &mut App, _: &dyn Host, arguments: &[String]) -> Outcome {
    const VERSION: &str = env!("CARGO_PKG_VERSION");
    match arguments.first().map(String::as_str) {
        None => Outcome::ok(format!("v8rs {VERSION}\n")),
        Some("--json") => super::json(&json!({ "version": VERSION })),
        Some("--help" | "-h") => of("version"),
        Some(other) => Outcome::failed(format!("unknown option '{other}'; USAGE: v8 version")),
    }
}
