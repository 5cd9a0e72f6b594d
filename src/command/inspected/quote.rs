//! Strings and keys in the quotes of `util.inspect`.

use super::Style;
use crate::render::escape;
use std::fmt::Write;

/// A string in the quotes that need the least escapes.
pub fn quoted(units: &[u16], style: &Style) -> String {
    let has = |c: char| units.iter().any(|u| u32::from(*u) == u32::from(c));
    let is_template = || {
        let dollar = units.windows(2);
        has('`') || dollar.into_iter().any(|w| w == [0x24, 0x7b])
    };
    let quote = match () {
        () if !has('\'') => '\'',
        () if !has('"') => '"',
        () if !is_template() => '`',
        () => '\'',
    };
    format!("{quote}{}{quote}", inside(units, Some(quote), style))
}

/// Text with its control characters marked as `util.inspect` does, without quotes.
pub fn marked(text: &str, style: &Style) -> String {
    let units: Vec<u16> = text.encode_utf16().collect();
    inside(&units, None, style)
}

fn inside(units: &[u16], quote: Option<char>, style: &Style) -> String {
    let mut out = String::with_capacity(units.len() + 2);
    for c in char::decode_utf16(units.iter().copied()) {
        // Writing to a String does not fail.
        let _ = match c {
            Ok('\\') => write!(out, "\\\\"),
            Ok(c) if Some(c) == quote => write!(out, "\\{c}"),
            Ok('\u{8}') => write!(out, "\\b"),
            Ok('\t') => write!(out, "\\t"),
            Ok('\n') => write!(out, "\\n"),
            Ok('\u{c}') => write!(out, "\\f"),
            Ok('\r') => write!(out, "\\r"),
            Ok(c) if (c as u32) < 0x20 && !style.upper_hex => write!(out, "\\u{:04x}", c as u32),
            Ok(c) if c.is_control() => write!(out, "\\x{:02X}", c as u32),
            // What would reorder a line Node.js leaves as it is.
            Ok(c) => write!(out, "{}", escape(c.encode_utf8(&mut [0; 4]))),
            Err(lone) => write!(out, "\\u{:04x}", lone.unpaired_surrogate()),
        };
    }
    out
}

/// The name of a property.
pub fn key(name: &str, style: &Style) -> String {
    if name == "__proto__" {
        return "['__proto__']".to_string();
    }
    let mut bytes = name.bytes();
    let first = bytes
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    match first && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        true => name.to_string(),
        false => quoted(&name.encode_utf16().collect::<Vec<_>>(), style),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_quoted_as_node_does() {
        let style = Style::newest();
        for (text, shown) in [
            ("plain", "'plain'"),
            ("it's", "\"it's\""),
            ("it's \"so\"", "`it's \"so\"`"),
            ("a\\b\n\u{1b}", "'a\\\\b\\n\\x1B'"),
            ("`'\"", "'`\\'\"'"),
        ] {
            let units: Vec<u16> = text.encode_utf16().collect();
            assert_eq!(quoted(&units, &style), shown);
        }
    }
}
