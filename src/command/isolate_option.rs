//! `--isolate`, read in one place for every command that is about one isolate's heap or several.

use crate::session::Choice;

/// How a command takes the option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// One isolate.
    One,
    /// One, or all together.
    OneOrAll,
}

const COMMANDS: &[(&str, Takes)] = &[
    ("bt", Takes::One),
    ("frame", Takes::One),
    ("source list", Takes::One),
    ("async", Takes::OneOrAll),
    ("findjsobjects", Takes::OneOrAll),
    ("findjsinstances", Takes::OneOrAll),
    ("findrefs", Takes::OneOrAll),
    ("getactivehandles", Takes::One),
    ("getactiverequests", Takes::One),
    ("nodeinfo", Takes::One),
    ("heapsnapshot", Takes::One),
    ("retainers", Takes::One),
    ("path", Takes::One),
    ("dominators", Takes::One),
    ("retained", Takes::One),
    ("leaks", Takes::One),
    ("heapdiff", Takes::One),
];

/// Largest number that is an isolate's number and no address.
const LARGEST_NUMBER: u64 = 0xfff;

/// Whether a command takes the option, and how.
pub fn takes(command: &str) -> Option<Takes> {
    COMMANDS
        .iter()
        .find_map(|(name, takes)| (*name == command).then_some(*takes))
}

/// What a command's help says of it.
pub fn help(command: &str) -> Option<&'static str> {
    Some(match takes(command)? {
        Takes::One => {
            "\n  --isolate N of this isolate: its number in 'v8 threads', or an address in its heap\n\
             \x20             (if not given, the selected thread's)"
        }
        Takes::OneOrAll => {
            "\n  --isolate N of this isolate: its number in 'v8 threads', or an address in its heap;\n\
             \x20             'all' for all together (if not given, the selected thread's)"
        }
    })
}

/// Takes the option out of a command's words.
pub fn split(command: &str, words: &[String]) -> Result<(Choice, Vec<String>), String> {
    let mut choice = Choice::Selected;
    let Some(takes) = takes(command) else {
        return Ok((choice, words.to_vec()));
    };
    let mut left = Vec::with_capacity(words.len());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let value = match word.strip_prefix("--isolate") {
            Some("") => words.next().map(String::as_str),
            Some(rest) if rest.starts_with('=') => rest.strip_prefix('='),
            _ => {
                left.push(word.clone());
                continue;
            }
        };
        choice = parse(value.unwrap_or_default(), takes)?;
    }
    Ok((choice, left))
}

fn parse(text: &str, takes: Takes) -> Result<Choice, String> {
    if text == "all" && takes == Takes::OneOrAll {
        return Ok(Choice::All);
    }
    let number = match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    };
    match number {
        Some(n) if n <= LARGEST_NUMBER => Ok(Choice::Number(n as usize)),
        Some(address) => Ok(Choice::Address(address)),
        None => Err(match takes {
            Takes::One => "--isolate needs a number or an address after it; see 'v8 threads'",
            Takes::OneOrAll => {
                "--isolate needs a number, an address or 'all' after it; see 'v8 threads'"
            }
        }
        .to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(command: &str, line: &str) -> Result<(Choice, Vec<String>), String> {
        let words: Vec<String> = line.split(' ').map(str::to_string).collect();
        split(command, &words)
    }

    #[test]
    fn every_command_that_takes_it_exists() {
        for (name, _) in COMMANDS {
            assert!(crate::command::TABLE.iter().any(|c| c.name == *name));
        }
    }

    #[test]
    fn it_may_stand_anywhere() {
        let (choice, words) = of("findjsobjects", "-d --isolate 2 --json").expect("fine");
        assert_eq!(choice, Choice::Number(2));
        assert_eq!(words, ["-d", "--json"]);
        let (choice, _) = of("findjsobjects", "--isolate=all").expect("fine");
        assert_eq!(choice, Choice::All);
        let (choice, words) = of("path", "0x1234567 --isolate 0x2345678").expect("fine");
        assert_eq!(choice, Choice::Address(0x2345678));
        assert_eq!(words, ["0x1234567"]);
        assert!(of("path", "0x1234567 --isolate all").is_err());
        assert!(of("findrefs", "-n x --isolate").is_err());
        let (_, words) = of("version", "--isolate 1").expect("left to the command");
        assert_eq!(words, ["--isolate", "1"]);
    }
}
