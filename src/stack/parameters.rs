//! The names of a function's parameters, from its source: V8 keeps none.

/// A parameter as it is declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// `None` for a pattern (`{ a, b }`).
    pub name: Option<String>,
    /// `...name`: all arguments from here on.
    pub is_rest: bool,
}

/// Longest parameter list looked at, in characters.
pub const MAX_LIST: usize = 16 << 10;

/// Parameters of the function whose source (from where V8 says it starts: the opening
/// parenthesis, or an arrow function's only parameter) begins so; `None` where that is not sure.
pub fn parameters(source: &str) -> Option<Vec<Parameter>> {
    let mut scanner = Scanner {
        rest: source.chars().collect(),
        at: 0,
    };
    scanner.skip_blank();
    if scanner.peek() != Some('(') {
        let mut name = scanner.identifier()?;
        scanner.skip_blank();
        if name == "async" {
            if scanner.peek() == Some('(') {
                return scanner.list();
            }
            if !scanner.takes("=>") {
                name = scanner.identifier()?;
                scanner.skip_blank();
                return scanner.takes("=>").then(|| vec![Parameter::named(name)]);
            }
            return Some(vec![Parameter::named(name)]);
        }
        return scanner.takes("=>").then(|| vec![Parameter::named(name)]);
    }
    scanner.list()
}

impl Parameter {
    fn named(name: String) -> Parameter {
        Parameter {
            name: Some(name),
            is_rest: false,
        }
    }
}

struct Scanner {
    rest: Vec<char>,
    at: usize,
}

fn starts_name(c: char) -> bool {
    c.is_alphabetic() || c == '_' || c == '$'
}

fn is_name(c: char) -> bool {
    starts_name(c) || c.is_numeric() || c == '\u{200c}' || c == '\u{200d}'
}

impl Scanner {
    fn peek(&self) -> Option<char> {
        self.rest.get(self.at).copied()
    }

    fn takes(&mut self, text: &str) -> bool {
        let found = text
            .chars()
            .enumerate()
            .all(|(i, c)| self.rest.get(self.at + i) == Some(&c));
        if found {
            self.at += text.chars().count();
        }
        found
    }

    /// White space and comments.
    fn skip_blank(&mut self) {
        while let Some(c) = self.peek() {
            if c.is_whitespace() || c == '\u{feff}' {
                self.at += 1;
            } else if self.takes("//") {
                while self
                    .peek()
                    .is_some_and(|c| !matches!(c, '\n' | '\r' | '\u{2028}' | '\u{2029}'))
                {
                    self.at += 1;
                }
            } else if self.takes("/*") {
                while self.at < self.rest.len() && !self.takes("*/") {
                    self.at += 1;
                }
            } else {
                break;
            }
        }
    }

    fn identifier(&mut self) -> Option<String> {
        let start = self.at;
        self.peek().filter(|c| starts_name(*c))?;
        while self.peek().is_some_and(is_name) {
            self.at += 1;
        }
        Some(self.rest.get(start..self.at)?.iter().collect())
    }

    fn list(&mut self) -> Option<Vec<Parameter>> {
        self.takes("(").then_some(())?;
        let mut out = Vec::new();
        loop {
            self.skip_blank();
            if self.takes(")") {
                return Some(out);
            }
            let is_rest = self.takes("...");
            self.skip_blank();
            let name = match self.peek()? {
                '{' | '[' => {
                    self.skip_to_end()?;
                    None
                }
                _ => {
                    let name = self.identifier()?;
                    self.skip_blank();
                    match self.peek()? {
                        '=' => self.skip_to_end()?,
                        ',' | ')' => {}
                        _ => return None,
                    }
                    Some(name)
                }
            };
            out.push(Parameter { name, is_rest });
            self.skip_blank();
            if !self.takes(",") && self.peek()? != ')' {
                return None;
            }
        }
    }

    /// To the comma or parenthesis that ends a parameter.
    fn skip_to_end(&mut self) -> Option<()> {
        let mut open = Vec::new();
        loop {
            self.skip_blank();
            let c = self.peek()?;
            match c {
                ',' | ')' if open.is_empty() => return Some(()),
                '(' => open.push(')'),
                '[' => open.push(']'),
                '{' => open.push('}'),
                ')' | ']' | '}' if open.pop() != Some(c) => return None,
                '\'' | '"' => {
                    self.skip_string(c)?;
                    continue;
                }
                // A template may hold anything, and a slash may be a regular expression: rather
                // no names than wrong ones.
                '`' | '/' => return None,
                _ => {}
            }
            self.at += 1;
        }
    }

    fn skip_string(&mut self, quote: char) -> Option<()> {
        self.at += 1;
        loop {
            let c = self.peek()?;
            self.at += 1;
            if c == '\\' {
                self.at += 1;
            } else if c == quote {
                return Some(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(source: &str) -> Option<Vec<String>> {
        let list = parameters(source)?;
        let text = |p: Parameter| {
            let dots = if p.is_rest { "..." } else { "" };
            format!("{dots}{}", p.name.as_deref().unwrap_or("?"))
        };
        Some(list.into_iter().map(text).collect())
    }

    #[test]
    fn lists() {
        assert_eq!(names("() {}").unwrap(), [""; 0]);
        assert_eq!(names("(a, b) { return a }").unwrap(), ["a", "b"]);
        assert_eq!(
            names("( /* x, y */ a = f(1, [2, ')']), // z\n $b_1,\n) =>").unwrap(),
            ["a", "$b_1"]
        );
        assert_eq!(
            names("({ a, b: [c] } = { b: ',' }, [d], ...e)").unwrap(),
            ["?", "?", "...e"]
        );
        assert_eq!(names("(a = (x, y) => ({ x, y }), ä)").unwrap(), ["a", "ä"]);
        assert_eq!(names("...").as_deref(), None);
    }

    #[test]
    fn arrows() {
        assert_eq!(names("x => x + 1").unwrap(), ["x"]);
        assert_eq!(names("async x => x").unwrap(), ["x"]);
        assert_eq!(names("async (x, y) => x").unwrap(), ["x", "y"]);
        assert_eq!(names("async => 1").unwrap(), ["async"]);
        assert_eq!(names("class A { }"), None);
    }

    #[test]
    fn unsure_is_none() {
        assert_eq!(names("(a = `${b})`, c)"), None);
        assert_eq!(names("(a = /[)]/, c)"), None);
        assert_eq!(names("(a, b"), None);
        assert_eq!(names("(a.b)"), None);
    }
}
