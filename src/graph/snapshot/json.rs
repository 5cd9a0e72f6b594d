//! A pull scanner for the JSON of heap snapshots: a few huge arrays of integers and strings,
//! read in one pass over a bounded buffer.

use crate::error::{Error, Result};
use std::io::Read;

const BUFFER: usize = 1 << 20;
/// Longest string taken; V8 cuts names at 1024 characters, script names may be longer.
const MAX_STRING: usize = 64 << 20;
/// Deepest nesting skipped over.
const MAX_DEPTH: usize = 10_000;

/// The scanner.
pub struct Scanner<R> {
    input: R,
    buffer: Vec<u8>,
    at: usize,
    end: usize,
    /// Bytes before the buffer.
    before: u64,
}

impl<R: Read> Scanner<R> {
    /// At the start of `input`.
    pub fn new(input: R) -> Scanner<R> {
        Scanner {
            input,
            buffer: vec![0; BUFFER],
            at: 0,
            end: 0,
            before: 0,
        }
    }

    /// Bytes read so far.
    pub fn offset(&self) -> u64 {
        self.before + self.at as u64
    }

    /// An error here.
    pub fn error(&self, why: impl std::fmt::Display) -> Error {
        Error::other(format!(
            "not a heap snapshot: {why} at byte {}",
            self.offset()
        ))
    }

    fn fill(&mut self) -> Result<bool> {
        self.before += self.end as u64;
        self.at = 0;
        self.end = 0;
        loop {
            match self.input.read(&mut self.buffer) {
                Ok(n) => {
                    self.end = n.min(self.buffer.len());
                    return Ok(n > 0);
                }
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => return Err(Error::other(format!("cannot read the snapshot: {e}"))),
            }
        }
    }

    #[inline]
    fn peek(&mut self) -> Result<Option<u8>> {
        if self.at >= self.end && !self.fill()? {
            return Ok(None);
        }
        Ok(self.buffer.get(self.at).copied())
    }

    fn next(&mut self) -> Result<u8> {
        match self.peek()? {
            Some(byte) => {
                self.at += 1;
                Ok(byte)
            }
            None => Err(self.error("the file ends too early (truncated?)")),
        }
    }

    /// The next byte that is not space, not taken.
    pub fn token(&mut self) -> Result<u8> {
        loop {
            match self.peek()? {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                Some(byte) => return Ok(byte),
                None => return Err(self.error("the file ends too early (truncated?)")),
            }
        }
    }

    /// Takes `byte` after space.
    pub fn expect(&mut self, byte: u8) -> Result<()> {
        let found = self.token()?;
        if found != byte {
            return Err(self.error(format_args!(
                "'{}' where '{}' must be",
                found.escape_ascii(),
                byte as char
            )));
        }
        self.at += 1;
        Ok(())
    }

    /// Takes `byte` if it comes next.
    pub fn accept(&mut self, byte: u8) -> Result<bool> {
        let found = self.token()? == byte;
        self.at += usize::from(found);
        Ok(found)
    }

    /// The next member of an object, after `first` says whether it is the first: its key, or
    /// nothing at the end.
    pub fn key(&mut self, first: bool) -> Result<Option<String>> {
        if self.accept(b'}')? {
            return Ok(None);
        }
        if !first {
            self.expect(b',')?;
        }
        let mut key = Vec::new();
        self.string(&mut key)?;
        self.expect(b':')?;
        Ok(Some(String::from_utf8_lossy(&key).into_owned()))
    }

    /// Calls `each` with every integer of an array.
    pub fn integers(&mut self, mut each: impl FnMut(u64) -> Result<()>) -> Result<()> {
        self.expect(b'[')?;
        if self.accept(b']')? {
            return Ok(());
        }
        loop {
            let value = self.integer()?;
            each(value)?;
            match self.token()? {
                b',' => self.at += 1,
                b']' => {
                    self.at += 1;
                    return Ok(());
                }
                other => {
                    return Err(self.error(format_args!("'{}' in a list", other.escape_ascii())))
                }
            }
        }
    }

    /// A non-negative integer.
    #[inline]
    pub fn integer(&mut self) -> Result<u64> {
        let mut byte = self.token()?;
        // A location's script id may be negative; no other number is.
        let negative = byte == b'-';
        if negative {
            self.at += 1;
            byte = self.token()?;
        }
        if !byte.is_ascii_digit() {
            return Err(self.error(format_args!("'{}' is no number", byte.escape_ascii())));
        }
        let mut value = 0u64;
        loop {
            let rest = self.buffer.get(self.at..self.end).unwrap_or_default();
            let mut taken = 0;
            for &byte in rest {
                if !byte.is_ascii_digit() {
                    break;
                }
                value = value
                    .checked_mul(10)
                    .and_then(|v| v.checked_add(u64::from(byte - b'0')))
                    .ok_or_else(|| {
                        Error::other("not a heap snapshot: a number does not fit into 64 bits")
                    })?;
                taken += 1;
            }
            self.at += taken;
            // A number may go on in the next buffer.
            if self.at < self.end || self.peek()?.is_none() {
                return Ok(match negative {
                    true => value.wrapping_neg(),
                    false => value,
                });
            }
        }
    }

    /// A string, unescaped into `out` as UTF-8.
    pub fn string(&mut self, out: &mut Vec<u8>) -> Result<()> {
        self.expect(b'"')?;
        out.clear();
        loop {
            if self.at >= self.end && !self.fill()? {
                return Err(self.error("the file ends within a string (truncated?)"));
            }
            let rest = self.buffer.get(self.at..self.end).unwrap_or_default();
            let stop = memchr::memchr2(b'"', b'\\', rest);
            let plain = stop.unwrap_or(rest.len());
            if out.len() + plain > MAX_STRING {
                return Err(self.error("a string is too long"));
            }
            out.extend_from_slice(&rest[..plain]);
            self.at += plain;
            if stop.is_none() {
                continue;
            }
            match self.next()? {
                b'"' => return Ok(()),
                _ => self.escape(out)?,
            }
        }
    }

    fn escape(&mut self, out: &mut Vec<u8>) -> Result<()> {
        let byte = match self.next()? {
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            b'b' => 8,
            b'f' => 12,
            b'u' => {
                let unit = self.hex4()?;
                return self.utf16(unit, out);
            }
            other @ (b'"' | b'\\' | b'/') => other,
            other => {
                return Err(self.error(format_args!("unknown escape '{}'", other.escape_ascii())))
            }
        };
        out.push(byte);
        Ok(())
    }

    fn hex4(&mut self) -> Result<u32> {
        let mut value = 0;
        for _ in 0..4 {
            let digit = (self.next()? as char).to_digit(16);
            value = value * 16 + digit.ok_or_else(|| self.error("a bad \\u escape"))?;
        }
        Ok(value)
    }

    /// Appends a code unit; a low surrogate completes a high one, a lone one becomes U+FFFD.
    fn utf16(&mut self, unit: u32, out: &mut Vec<u8>) -> Result<()> {
        let mut unit = unit;
        loop {
            let high = (0xd800..0xdc00).contains(&unit);
            if high && self.peek()? == Some(b'\\') {
                self.at += 1;
                if self.peek()? != Some(b'u') {
                    push_char(0xfffd, out);
                    return self.escape(out);
                }
                self.at += 1;
                let low = self.hex4()?;
                if (0xdc00..0xe000).contains(&low) {
                    push_char(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00), out);
                    return Ok(());
                }
                push_char(0xfffd, out);
                unit = low;
                continue;
            }
            push_char(unit, out);
            return Ok(());
        }
    }

    /// Takes a value of any kind.
    pub fn skip(&mut self) -> Result<()> {
        let mut depth = 0usize;
        let mut scratch = Vec::new();
        loop {
            match self.token()? {
                b'"' => self.string(&mut scratch)?,
                b'{' | b'[' => {
                    self.at += 1;
                    depth += 1;
                    if depth > MAX_DEPTH {
                        return Err(self.error("values are nested too deeply"));
                    }
                }
                b'}' | b']' => {
                    if depth == 0 {
                        return Err(self.error("a value is missing"));
                    }
                    self.at += 1;
                    depth -= 1;
                }
                b',' | b':' if depth > 0 => {
                    self.at += 1;
                    continue;
                }
                b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'E' => {
                    while let Some(b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'E') =
                        self.peek()?
                    {
                        self.at += 1;
                    }
                }
                other => {
                    return Err(self.error(format_args!("unexpected '{}'", other.escape_ascii())))
                }
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// The text of a value, at most `limit` bytes (for the small header, parsed by serde_json).
    pub fn value_text(&mut self, limit: usize) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
        self.token()?;
        loop {
            let byte = self.next()?;
            out.push(byte);
            if out.len() > limit {
                return Err(self.error("the header is too long"));
            }
            if quoted {
                match byte {
                    _ if escaped => escaped = false,
                    b'\\' => escaped = true,
                    b'"' => quoted = false,
                    _ => {}
                }
            } else {
                match byte {
                    b'"' => quoted = true,
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => {
                        depth = depth.saturating_sub(1);
                        if depth == 0 {
                            return Ok(out);
                        }
                    }
                    _ if depth == 0 => return Err(self.error("the header is no object")),
                    _ => {}
                }
            }
        }
    }
}

fn push_char(code: u32, out: &mut Vec<u8>) {
    let char = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::Scanner;
    use std::io::Read;

    /// Hands out one byte a read, so that everything spans buffers.
    struct Drip<'a>(&'a [u8]);
    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let Some((&first, rest)) = self.0.split_first() else {
                return Ok(0);
            };
            self.0 = rest;
            buffer[0] = first;
            Ok(1)
        }
    }

    fn strings(json: &str) -> String {
        let mut out = Vec::new();
        Scanner::new(Drip(json.as_bytes()))
            .string(&mut out)
            .unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_and_strings_across_buffers() {
        let mut all = Vec::new();
        Scanner::new(Drip(b" [ 1,23 , 4567890123456,\n0]"))
            .integers(|n| {
                all.push(n);
                Ok(())
            })
            .unwrap();
        assert_eq!(all, [1, 23, 4567890123456, 0]);
        assert_eq!(
            strings(r#""a\"b\\\n\u00e9\ud83d\ude00\ud83dx\ud83d\n""#),
            "a\"b\\\né😀\u{fffd}x\u{fffd}\n"
        );
    }

    #[test]
    fn hostile_text_is_refused() {
        for bad in ["", "[1", "[1 2]", "[x]", "[99999999999999999999999]", "[1,"] {
            assert!(Scanner::new(bad.as_bytes()).integers(|_| Ok(())).is_err());
        }
        assert!(Scanner::new("[".repeat(20_000).as_bytes()).skip().is_err());
        assert!(
            Scanner::new(r#"{"a":[1,{"b":"]"}],"c":-1.5e3} "#.as_bytes())
                .skip()
                .is_ok()
        );
    }
}
