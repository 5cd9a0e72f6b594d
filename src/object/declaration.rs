//! Where in a source a variable is declared. V8 keeps the names of a scope's variables, not the
//! places of their declarations; the source is read for it, token by token.

/// Position (in UTF-16 units) of the one declaration of `name` between `start` and `end`, of those
/// in the fewest blocks. `None` where there is none, or two that would do.
pub fn declaration(source: &[u16], start: usize, end: usize, name: &str) -> Option<usize> {
    let end = end.min(source.len());
    let name: Vec<u16> = name.encode_utf16().collect();
    let mut search = Search {
        name: &name,
        nesting: 0,
        blocks: 0,
        list: None,
        parameters: None,
        last: Token::Other,
        before: Token::Other,
        found: Vec::new(),
    };
    if source.get(start) == Some(&u16::from(b'(')) {
        search.parameters = Some(1);
    }
    let mut lexer = Lexer {
        source: source.get(..end)?,
        at: start,
        templates: Vec::new(),
        value_before: false,
    };
    while let Some((position, token)) = lexer.next() {
        search.token(position, token, lexer.peek());
    }
    let least = search.found.iter().map(|f| f.0).min()?;
    let mut nearest = search.found.iter().filter(|f| f.0 == least);
    let first = nearest.next()?.1;
    nearest.next().is_none().then_some(first)
}

/// Whether a function's source mentions a name.
pub fn mentions(source: &[u16], name: &str) -> bool {
    let name: Vec<u16> = name.encode_utf16().collect();
    let mut lexer = Lexer {
        source,
        at: 0,
        templates: Vec::new(),
        value_before: false,
    };
    let mut last = None;
    while let Some((_, token)) = lexer.next() {
        let property = last == Some(Token::Punctuation(u16::from(b'.')));
        if token == Token::Name(&name) && !property {
            return true;
        }
        last = Some(token);
    }
    false
}

/// Whether the source of a function takes the value of the variable called `name` from around it: to
/// assign to it is no use of it. `None` where a variable of its own may be what is meant.
pub fn reads(source: &[u16], name: &str) -> Option<bool> {
    if declaration(source, 0, source.len(), name).is_some() {
        return None;
    }
    let name: Vec<u16> = name.encode_utf16().collect();
    let mut lexer = Lexer {
        source,
        at: 0,
        templates: Vec::new(),
        value_before: false,
    };
    // The last tokens, the newest first.
    let mut last = [Token::Other; 3];
    // Of each open parenthesis: whether parameters are in it, and whether the name is.
    let mut open: Vec<(bool, bool)> = Vec::new();
    let mut read = false;
    while let Some((position, token)) = lexer.next() {
        let next = lexer.peek();
        let after = lexer.unit(1);
        let arrow = next == Some(u16::from(b'=')) && after == Some(b'>');
        let property = last[0].is_mark(b'.') && !last[2].is_mark(b'.');
        if token == Token::Name(&name) && !property {
            if arrow {
                return None;
            }
            if let Some(innermost) = open.last_mut() {
                innermost.1 = true;
            }
            let assigned = next == Some(u16::from(b'=')) && after != Some(b'=');
            let key =
                next == Some(u16::from(b':')) && [b'{', b','].iter().any(|&m| last[0].is_mark(m));
            read |= !assigned && !key;
        } else if token.is_mark(b'(') {
            let named = matches!(last[0], Token::Name(_)) && last[1].is("function");
            let parameters =
                position == 0 || last[0].is("function") || last[0].is("catch") || named;
            open.push((parameters, false));
        } else if token.is_mark(b')') {
            let (parameters, seen) = open.pop().unwrap_or_default();
            if seen && (parameters || arrow) {
                return None;
            }
            if let Some(outer) = open.last_mut() {
                outer.1 |= seen;
            }
        }
        last = [token, last[0], last[1]];
    }
    Some(read)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'s> {
    Name(&'s [u16]),
    Punctuation(u16),
    /// Numbers, strings, regular expressions.
    Other,
}

impl Token<'_> {
    fn is(self, word: &str) -> bool {
        match self {
            Token::Name(name) => name.iter().copied().eq(word.encode_utf16()),
            _ => false,
        }
    }

    fn is_mark(self, mark: u8) -> bool {
        self == Token::Punctuation(u16::from(mark))
    }
}

struct Search<'s> {
    name: &'s [u16],
    /// Open brackets of every kind, and braces alone.
    nesting: usize,
    blocks: usize,
    /// In a `const`, `let` or `var`: at which nesting, and whether its pattern goes on.
    list: Option<(usize, bool)>,
    /// In the list of parameters that the scope starts with: its nesting.
    parameters: Option<usize>,
    last: Token<'s>,
    before: Token<'s>,
    found: Vec<(usize, usize)>,
}

impl<'s> Search<'s> {
    fn token(&mut self, position: usize, token: Token<'s>, next: Option<u16>) {
        match token {
            Token::Name(name) if name == self.name && self.declares(next) => {
                self.found.push((self.blocks, position));
            }
            Token::Name(_) if token.is("const") || token.is("let") || token.is("var") => {
                self.list = Some((self.nesting, true));
            }
            Token::Punctuation(mark) => self.punctuation(mark),
            _ => {}
        }
        self.before = self.last;
        self.last = token;
    }

    fn declares(&self, next: Option<u16>) -> bool {
        let last = self.last;
        if last.is("const") || last.is("let") || last.is("var") || last.is("class") {
            return true;
        }
        if last.is("function") || last.is_mark(b'*') && self.before.is("function") {
            return true;
        }
        let in_pattern = match (self.list, self.parameters) {
            (_, Some(_)) => true,
            (Some((nesting, pattern)), _) => {
                pattern || self.nesting == nesting && last.is_mark(b',')
            }
            _ => false,
        };
        let starts = [b'(', b'{', b'[', b',', b':', b'.'];
        in_pattern && starts.iter().any(|&m| last.is_mark(m)) && next != Some(u16::from(b':'))
    }

    fn punctuation(&mut self, mark: u16) {
        match u8::try_from(mark).unwrap_or(0) {
            open @ (b'(' | b'[' | b'{') => {
                self.nesting += 1;
                self.blocks += usize::from(open == b'{');
            }
            close @ (b')' | b']' | b'}') => {
                if self.parameters == Some(self.nesting) {
                    self.parameters = None;
                }
                self.nesting = self.nesting.saturating_sub(1);
                if close == b'}' {
                    self.blocks = self.blocks.saturating_sub(1);
                }
                if self.list.is_some_and(|(nesting, _)| nesting > self.nesting) {
                    self.list = None;
                }
            }
            b';' if self
                .list
                .is_some_and(|(nesting, _)| nesting == self.nesting) =>
            {
                self.list = None;
            }
            b'=' => {
                if let Some((nesting, pattern)) = &mut self.list {
                    *pattern &= *nesting != self.nesting;
                }
            }
            b',' => {
                if let Some((nesting, pattern)) = &mut self.list {
                    *pattern |= *nesting == self.nesting;
                }
            }
            _ => {}
        }
    }
}

struct Lexer<'s> {
    source: &'s [u16],
    at: usize,
    /// For each template literal that is open: the braces open in its `${`.
    templates: Vec<usize>,
    /// A value came last, so that a slash divides.
    value_before: bool,
}

fn is_name_unit(unit: u16) -> bool {
    let ascii = u8::try_from(unit).unwrap_or(b'a');
    ascii.is_ascii_alphanumeric() || matches!(ascii, b'_' | b'$' | b'#') || !ascii.is_ascii()
}

/// Words after which a slash starts a regular expression.
const BEFORE_VALUE: [&str; 13] = [
    "return", "typeof", "case", "in", "of", "delete", "void", "throw", "new", "do", "else",
    "yield", "await",
];

impl<'s> Lexer<'s> {
    fn unit(&self, ahead: usize) -> Option<u8> {
        let unit = *self.source.get(self.at.checked_add(ahead)?)?;
        // What is not ASCII counts as a letter.
        Some(u8::try_from(unit).ok().filter(u8::is_ascii).unwrap_or(b'a'))
    }

    fn blanks(&mut self) {
        while let Some(unit) = self.unit(0) {
            match (unit, self.unit(1)) {
                (b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c, _) => self.at += 1,
                (b'/', Some(b'/')) => {
                    while self.unit(0).is_some_and(|u| u != b'\n') {
                        self.at += 1;
                    }
                }
                (b'/', Some(b'*')) => {
                    self.at += 2;
                    while self.unit(0).is_some()
                        && (self.unit(0), self.unit(1)) != (Some(b'*'), Some(b'/'))
                    {
                        self.at += 1;
                    }
                    self.at += 2;
                }
                _ => return,
            }
        }
    }

    /// The unit that comes next.
    fn peek(&mut self) -> Option<u16> {
        self.blanks();
        self.source.get(self.at).copied()
    }

    fn next(&mut self) -> Option<(usize, Token<'s>)> {
        self.blanks();
        let start = self.at;
        let unit = *self.source.get(start)?;
        let ascii = self.unit(0)?;
        if is_name_unit(unit) {
            while self.source.get(self.at).copied().is_some_and(is_name_unit) {
                self.at += 1;
            }
            let word = self.source.get(start..self.at)?;
            let token = match ascii.is_ascii_digit() {
                true => Token::Other,
                false => Token::Name(word),
            };
            self.value_before = !BEFORE_VALUE.iter().any(|w| token.is(w));
            return Some((start, token));
        }
        self.at += 1;
        match ascii {
            b'\'' | b'"' => self.string(ascii),
            b'`' => self.template(),
            b'/' if !self.value_before => self.regular_expression(),
            _ => {
                match (ascii, self.templates.last_mut()) {
                    (b'{', Some(braces)) => *braces += 1,
                    (b'}', Some(0)) => {
                        self.templates.pop();
                        self.template();
                        self.value_before = true;
                        return Some((start, Token::Other));
                    }
                    (b'}', Some(braces)) => *braces -= 1,
                    _ => {}
                }
                self.value_before = matches!(ascii, b')' | b']' | b'}');
                return Some((start, Token::Punctuation(unit)));
            }
        }
        self.value_before = true;
        Some((start, Token::Other))
    }

    fn string(&mut self, quote: u8) {
        while let Some(unit) = self.unit(0) {
            self.at += if unit == b'\\' { 2 } else { 1 };
            if unit == quote || unit == b'\n' {
                return;
            }
        }
    }

    /// Up to the end of a template or its next `${`.
    fn template(&mut self) {
        while let Some(unit) = self.unit(0) {
            match (unit, self.unit(1)) {
                (b'\\', _) => self.at += 2,
                (b'`', _) => {
                    self.at += 1;
                    return;
                }
                (b'$', Some(b'{')) => {
                    self.at += 2;
                    self.templates.push(0);
                    return;
                }
                _ => self.at += 1,
            }
        }
    }

    fn regular_expression(&mut self) {
        let mut in_class = false;
        while let Some(unit) = self.unit(0) {
            self.at += if unit == b'\\' { 2 } else { 1 };
            match unit {
                b'[' => in_class = true,
                b']' => in_class = false,
                b'/' if !in_class => return,
                b'\n' => return,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{declaration, mentions, reads};

    fn find(source: &str, name: &str) -> Option<usize> {
        let units: Vec<u16> = source.encode_utf16().collect();
        declaration(&units, 0, usize::MAX, name)
    }

    #[test]
    fn what_reads_a_variable() {
        let read = |source: &str| reads(&source.encode_utf16().collect::<Vec<_>>(), "x");
        for source in [
            "() => x()",
            "(a) { f(a, x); }",
            "() { if (x == 1) {} }",
            "() => ({ x })",
            "(a) => a ? x : 1",
            "(...a) => f(...x)",
            "() { x(); x = null }",
        ] {
            assert_eq!(read(source), Some(true), "{source}");
        }
        for source in [
            "() => { x = 1; }",
            "() => a.x()",
            "() => ({ x: 1 })",
            "() => 'x'",
            "",
        ] {
            assert_eq!(read(source), Some(false), "{source}");
        }
        for source in [
            "() => new Promise((x) => f(x))",
            "() => g(x => x)",
            "(x) { x }",
            "() { let x = 1; x }",
            "() { return function (a, { x }) { x } }",
            "() { return function f(x) { x } }",
            "() { try {} catch (x) { x } }",
        ] {
            assert_eq!(read(source), None, "{source}");
        }
    }

    #[test]
    fn the_one_declaration() {
        let at = |source: &str| source.find('@').map(|at| (source.replace('@', ""), at));
        for source in [
            "const @x = [];",
            "let a = f(x), @x = 1",
            "var b = [1, x]\nclass @x {}",
            "use(x); function @x() {}",
            "async function* @x() {}",
            "const { y: @x, z } = q;",
            "const { x: y, @x } = q;",
            "const [a, ...@x] = q;",
            "({x: 1}); const a = x => x * 2, b = {x, y: x}; let @x;",
            "// const x\n/* let x */ 'let x'; `let x ${let_(`let x`)} let x`; let @x",
            "a = b / c; /let x/.test(d) / 2; /[/] let x/; const @x = 1",
            "const @x = 1; { const x = 2; } function f() { let x; }",
            "(a, @x) => { let x; }",
            "(a, {x: b, @x}) { x.x }",
        ] {
            let (text, at) = at(source).unwrap();
            assert_eq!(find(&text, "x"), Some(at), "{source}");
        }
        for source in [
            "x = 1; f(x, x); ({ x })",
            "{ let x } { let x }",
            "const y = {x: 1, x}; if (a, x) b",
            "",
            "'",
            "`${",
            "/*",
            "\\",
        ] {
            assert_eq!(find(source, "x"), None, "{source}");
        }
    }

    #[test]
    fn names_in_use() {
        let uses = |source: &str| mentions(&source.encode_utf16().collect::<Vec<_>>(), "x");
        assert!(uses("() => x.push(1)"));
        assert!(uses("`${x}`"));
        assert!(!uses("() => { y.x = 'x'; /* x */ }"));
    }
}
