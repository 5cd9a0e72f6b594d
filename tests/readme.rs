//! The README's command reference is the table of commands. `V8RS_BLESS=1 cargo test --test
//! readme` writes it anew.

use std::fmt::Write;
use v8rs::command::{ALIASES, TABLE};

const START: &str = "<!-- commands: from src/command/table.rs -->\n";
const END: &str = "<!-- end of commands -->";

fn reference() -> String {
    let mut text = String::from("| command | what it does |\n| --- | --- |\n");
    for command in TABLE {
        let usage = command.usage.replace('|', "\\|");
        let _ = writeln!(text, "| `v8 {usage}` | {} |", command.summary);
    }
    let aliases: Vec<String> = ALIASES
        .iter()
        .map(|(alias, name)| format!("`{alias}` (`v8 {name}`)"))
        .collect();
    let _ = writeln!(
        text,
        "\nllnode's own names work too: {}.",
        aliases.join(", ")
    );
    text
}

#[test]
fn the_reference_is_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    let start = readme.find(START).expect("the start mark") + START.len();
    let end = readme.find(END).expect("the end mark");
    if std::env::var_os("V8RS_BLESS").is_some() {
        let new = format!("{}{}{}", &readme[..start], reference(), &readme[end..]);
        std::fs::write(path, new).unwrap();
        return;
    }
    assert_eq!(&readme[start..end], reference());
}
