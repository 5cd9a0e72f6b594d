//! The options that `print`, `inspect` and `findjsinstances` share, read as getopt reads llnode's.

use crate::object::summary::Options;

/// What a command that shows values was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueOptions {
    pub options: Options,
    /// `-m`.
    pub print_map: bool,
    /// `-d`, `-v`.
    pub detailed: bool,
    /// `-n N`; 0 is all.
    pub output_limit: usize,
    /// `--json`.
    pub json: bool,
    /// `--help`, `-h`.
    pub help: bool,
    /// Words that are no options.
    pub words: Vec<String>,
    /// Options nobody knows; llnode says so and goes on.
    pub unknown: Vec<String>,
}

impl ValueOptions {
    /// Reads a command's words.
    pub fn parse(words: &[String]) -> Result<ValueOptions, String> {
        let mut found = ValueOptions {
            options: Options::default(),
            print_map: false,
            detailed: false,
            output_limit: 0,
            json: false,
            help: false,
            words: Vec::new(),
            unknown: Vec::new(),
        };
        let mut rest = words.iter();
        let mut only_words = false;
        while let Some(word) = rest.next() {
            if only_words || !is_option(word) {
                found.words.push(word.clone());
            } else if word == "--" {
                only_words = true;
            } else if let Some(long) = word.strip_prefix("--") {
                found.long(long, &mut rest)?;
            } else {
                found.short(word, &mut rest)?;
            }
        }
        Ok(found)
    }

    fn long<'a>(
        &mut self,
        option: &str,
        rest: &mut impl Iterator<Item = &'a String>,
    ) -> Result<(), String> {
        let (name, value) = match option.split_once('=') {
            Some((name, value)) => (name, Some(value.to_string())),
            None => (option, None),
        };
        let mut number = || -> Result<usize, String> {
            let text = value.clone().or_else(|| rest.next().cloned());
            parse_number(&format!("--{name}"), text)
        };
        match name {
            "full-string" => self.full(),
            "length" | "string-length" | "array-length" => {
                let n = number()?;
                self.length(n);
            }
            "output-limit" => self.output_limit = number()?,
            "print-map" => self.print_map = true,
            "print-source" => self.options.source = true,
            "detailed" | "verbose" => self.detailed = true,
            "json" => self.json = true,
            "help" => self.help = true,
            _ => self.unknown.push(format!("--{name}")),
        }
        Ok(())
    }

    fn short<'a>(
        &mut self,
        word: &str,
        rest: &mut impl Iterator<Item = &'a String>,
    ) -> Result<(), String> {
        let mut letters = word.chars().skip(1);
        while let Some(letter) = letters.next() {
            match letter {
                'F' => self.full(),
                'm' => self.print_map = true,
                's' => self.options.source = true,
                'd' | 'v' => self.detailed = true,
                'h' => self.help = true,
                'l' | 'n' => {
                    let attached: String = letters.by_ref().collect();
                    let text = if attached.is_empty() {
                        rest.next().cloned()
                    } else {
                        Some(attached)
                    };
                    let n = parse_number(&format!("-{letter}"), text)?;
                    if letter == 'l' {
                        self.length(n);
                    } else {
                        self.output_limit = n;
                    }
                }
                other => self.unknown.push(format!("-{other}")),
            }
        }
        Ok(())
    }

    fn full(&mut self) {
        self.length(0);
    }

    /// 0 is no limit. Asked for, it holds for the strings inside as well.
    fn length(&mut self, length: usize) {
        let length = (length != 0).then_some(length);
        self.options.length = length;
        self.options.child_length = length;
    }
}

/// A word that begins with a minus and goes on as no number does: `-1` is an expression.
fn is_option(word: &str) -> bool {
    let mut letters = word.chars();
    letters.next() == Some('-') && letters.next().is_some_and(|c| !c.is_ascii_digit())
}

fn parse_number(option: &str, text: Option<String>) -> Result<usize, String> {
    let Some(text) = text else {
        return Err(format!("{option} needs a number after it"));
    };
    text.parse()
        .map_err(|_| format!("{option} needs a number after it, not '{text}'"))
}

#[cfg(test)]
mod tests {
    use super::ValueOptions;

    fn parse(line: &str) -> Result<ValueOptions, String> {
        let words: Vec<String> = line.split(' ').map(str::to_string).collect();
        ValueOptions::parse(&words)
    }

    #[test]
    fn as_getopt_reads_them() {
        let found = parse("-Fm 0x1 + 2 -s").expect("options");
        assert_eq!(found.words, ["0x1", "+", "2"]);
        assert!(found.print_map && found.options.source);
        assert_eq!(found.options.length, None);
        let found = parse("-l10 --json x").expect("options");
        assert_eq!(found.options.length, Some(10));
        assert!(found.json);
        let found = parse("--array-length=3 --output-limit 5 -1").expect("options");
        assert_eq!((found.options.length, found.output_limit), (Some(3), 5));
        assert_eq!(found.words, ["-1"]);
        assert_eq!(parse("-z x").expect("options").unknown, ["-z"]);
        assert!(parse("x -l").is_err());
        assert!(parse("-l many").is_err());
    }
}
