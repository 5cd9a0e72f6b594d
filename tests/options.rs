//! What the help and the README say can be given to a command, the command takes; and the names
//! that commands may be called by.

use v8rs::command::{App, TABLE};
use v8rs::offline::OfflineHost;

/// The options in a usage line: "-n" and "--by" of "[-n rows] [--by ids|counts]".
fn of_usage(usage: &str) -> Vec<String> {
    let words = usage.split(|c: char| c.is_whitespace() || "[]|".contains(c));
    let mut out: Vec<String> = words.filter(|w| is_option(w)).map(Into::into).collect();
    out.sort();
    out.dedup();
    out
}

fn is_option(word: &str) -> bool {
    let name = word.trim_start_matches('-');
    let dashes = word.len() - name.len();
    let letters = |c: char| c.is_ascii_lowercase() || c == '-';
    let is_name =
        name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().skip(1).all(letters);
    is_name && (dashes == 2 || dashes == 1 && name.len() == 1)
}

/// The options that the details list, each at the beginning of a line: "-a, --all", "--sort=KEY".
fn of_details(details: &str) -> Vec<String> {
    let mut out = Vec::new();
    for line in details.lines() {
        let Some(rest) = line.strip_prefix("  -") else {
            continue;
        };
        let head = format!("-{rest}");
        let head = head.split("  ").next().unwrap_or("");
        for word in head.split(|c: char| c.is_whitespace() || ",=[]|".contains(c)) {
            if is_option(word) {
                out.push(word.to_string());
            }
        }
    }
    out
}

/// What a command says of these words, without any program to look at.
fn error_of(command: &str, words: &[String]) -> Option<String> {
    let nothing = std::path::PathBuf::from("/nonexistent");
    let host = OfflineHost {
        core: nothing.clone(),
        program: nothing,
    };
    App::new().run(&host, command, words).error
}

#[test]
fn every_option_of_the_help_is_taken() {
    let mut seen = 0;
    for command in TABLE {
        let mut options = of_usage(command.usage);
        for option in of_usage(command.usage) {
            let listed = command.details.contains(&option);
            assert!(
                listed || option == "--json",
                "{}: {option} has no details",
                command.name
            );
        }
        options.extend(of_details(command.details));
        for option in options {
            // Some take a value, and some need an object.
            for rest in [&[][..], &["1"][..], &["1", "1"][..]] {
                let mut words = vec![option.clone()];
                words.extend(rest.iter().map(|w| w.to_string()));
                let said = error_of(command.name, &words).unwrap_or_default();
                let named = said.contains(&format!("'{option}'"))
                    || said.contains(&format!("option {option}"));
                let unknown = said.contains("unknown") && named;
                assert!(!unknown, "v8 {} {words:?}: {said}", command.name);
            }
            seen += 1;
        }
    }
    assert!(seen > 60, "{seen} options");
}

#[test]
fn the_readme_has_the_options_of_the_table() {
    let readme = include_str!("../README.md");
    for command in TABLE {
        let row = format!("| `v8 {}` |", command.usage.replace('|', "\\|"));
        assert!(readme.contains(&row), "{row}");
    }
}
