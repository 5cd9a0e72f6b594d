//! Text of the target made safe for a terminal.

use std::borrow::Cow;
use std::fmt::Write;

/// Shown as it is: not a control character, and not one that changes how its neighbours look
/// (directions, invisible joiners, line separators, tags).
fn is_plain(c: char) -> bool {
    !(c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}'))
}

/// `text` with every character that could control a terminal or reorder a line written as a
/// JavaScript escape (`\n`, `\x1b`, `\u202e`).
pub fn escape(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        push(&mut out, c);
    }
    Cow::Owned(out)
}

fn push(out: &mut String, c: char) {
    match c {
        _ if is_plain(c) => out.push(c),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        _ if (c as u32) < 0x100 => {
            let _ = write!(out, "\\x{:02x}", c as u32);
        }
        _ => {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
}

/// As [`escape`], for text between double quotes: quotes and backslashes are marked too, but for
/// those of a lone surrogate, which is text already (`\ud83d`).
pub fn escape_quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for (at, c) in text.char_indices() {
        if c == '"' || (c == '\\' && !text.get(at..).is_some_and(is_lone_surrogate)) {
            out.push('\\');
        }
        push(&mut out, c);
    }
    out
}

fn is_lone_surrogate(text: &str) -> bool {
    let digits = text
        .strip_prefix("\\ud")
        .and_then(|t| t.as_bytes().get(..3));
    digits.is_some_and(|d| d[0] >= b'8' && d.iter().all(u8::is_ascii_hexdigit))
}

/// As [`escape`], for text of several lines (source code): line ends and tabs stay.
pub fn escape_lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\n' | '\t' => out.push(c),
            '\r' if rest.peek() == Some(&'\n') => {}
            c => push(&mut out, c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{escape, escape_lines, escape_quoted};

    #[test]
    fn nothing_reaches_the_terminal_that_controls_it() {
        assert_eq!(escape("plain žluť 🎉"), "plain žluť 🎉");
        assert_eq!(escape("a\u{1b}[31mb\n"), "a\\x1b[31mb\\n");
        assert_eq!(escape("\u{202e}evil\u{9b}"), "\\u202eevil\\x9b");
        assert_eq!(escape("\u{e0041}"), "\\udb40\\udc41");
        assert_eq!(escape_quoted("say \"\\\"\n"), "say \\\"\\\\\\\"\\n");
        assert_eq!(escape_quoted("\\ud83d \\ud7ff"), "\\ud83d \\\\ud7ff");
        assert_eq!(escape_lines("a\r\n\tb\x07"), "a\n\tb\\x07");
    }
}
