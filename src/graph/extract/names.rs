//! Names as V8's StringsStorage makes them: text cut at a length, symbols in angle brackets.

use crate::graph::{hash, Interner, StringId, Strings};
use crate::object::{Cx, HeapObject, JSString, Symbol, SymbolKind, Tagged};
use rustc_hash::FxHashMap;
use std::ops::Range;

/// V8 cuts names here (`--heap-snapshot-string-limit`).
const LIMIT: usize = 1024;
/// Numbers whose names are remembered.
const MOST_NUMBERS: usize = 1 << 16;
const UNKNOWN: StringId = StringId::MAX;

/// Interned names, those of keys remembered by address. Each thread has its own, over those that
/// were there before: these have the same numbers for all.
#[derive(Default)]
pub struct Names<'n> {
    base: Option<&'n Interner>,
    /// Names of the numbers from 0 on, one after the other.
    many: Range<StringId>,
    own: Interner,
    keys: FxHashMap<u64, Key>,
    numbers: Vec<StringId>,
}

/// A property's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    pub name: StringId,
    /// A string without characters: V8 calls such an edge internal.
    pub is_empty: bool,
    pub is_string: bool,
}

impl<'n> Names<'n> {
    /// Those of a thread, over some and the names of numbers among them.
    pub fn over((base, many): &(&'n Interner, Range<StringId>)) -> Names<'n> {
        Names {
            base: Some(base),
            many: many.clone(),
            ..Names::default()
        }
    }

    /// The number of a name.
    pub fn intern(&mut self, name: &str) -> StringId {
        let hashed = hash(name.as_bytes());
        match self.base {
            None => self.own.intern_hashed(hashed, name),
            Some(base) => match base.find_hashed(hashed, name) {
                Some(id) => id,
                None => self.own.intern_hashed(hashed, name) + self.shared(),
            },
        }
    }

    /// The number of a name that is known to be new, and will not be looked for.
    pub fn push(&mut self, name: &str) -> StringId {
        self.own.push(name) + self.shared()
    }

    /// How many are those of all threads.
    pub fn shared(&self) -> StringId {
        self.base.map_or(0, |base| base.strings().len() as StringId)
    }

    /// The number that the next new name gets.
    pub fn end(&self) -> StringId {
        self.shared() + self.own().len() as StringId
    }

    /// Those of this thread alone, numbered behind the shared ones.
    pub fn own(&self) -> &Strings {
        self.own.strings()
    }

    /// Makes the names of the numbers below `count`. They are found by number alone: a string of
    /// the same text has a name of its own, which is all that it costs not to look for each of
    /// them. Where there are some already, nothing may have been named since.
    pub fn make_numbers(&mut self, count: usize) {
        if self.many.end != self.end() {
            self.many = self.end()..self.end();
        }
        let known = self.many.len();
        let mut digits = known.to_string().into_bytes();
        for _ in known..count {
            self.own
                .push(std::str::from_utf8(&digits).unwrap_or_default());
            // The next number, digit by digit.
            let nines = digits.iter().rev().take_while(|d| **d == b'9').count();
            let end = digits.len() - nines;
            digits[end..].fill(b'0');
            match end.checked_sub(1) {
                Some(last) => digits[last] += 1,
                None => digits.insert(0, b'1'),
            }
        }
        self.many.end = self.end();
    }

    /// The names that [`Self::make_numbers`] made.
    pub fn many(&self) -> &Range<StringId> {
        &self.many
    }

    /// A number as a name.
    pub fn number(&mut self, number: usize) -> StringId {
        if number < self.many.len() {
            return self.many.start + number as StringId;
        }
        match self.numbers.get(number) {
            Some(&id) if id != UNKNOWN => return id,
            None if number < MOST_NUMBERS => self.numbers.resize(number + 1, UNKNOWN),
            _ => {}
        }
        let id = self.intern(&number.to_string());
        if let Some(known) = self.numbers.get_mut(number) {
            *known = id;
        }
        id
    }

    /// The text of a name.
    pub fn text(&self, id: StringId) -> &str {
        match (self.base, id.checked_sub(self.shared())) {
            (Some(base), None) => base.strings().get(id),
            (_, own) => self.own.strings().get(own.unwrap_or(id)),
        }
    }

    /// The names themselves, of the one that has no others below.
    pub fn interner(&self) -> &Interner {
        &self.own
    }

    /// A name that is one of other strings, its hash known, of the one that has no others below.
    pub fn intern_from(&mut self, hashed: u32, others: &Strings, id: StringId) -> StringId {
        self.own.intern_from(hashed, others, id)
    }

    /// A name of that hash is to come.
    #[inline]
    pub fn prefetch(&self, hashed: u32) {
        self.own.prefetch(hashed);
    }

    /// Room for the texts of that many more.
    pub fn reserve_texts(&mut self, count: usize) {
        self.own.reserve_texts(count);
    }

    /// Room for that many more.
    pub fn reserve(&mut self, count: usize) {
        self.own.reserve(count);
    }

    /// The interner of all.
    pub fn into_interner(self) -> Interner {
        self.own
    }

    /// A string's text as a name.
    pub fn string(&mut self, object: HeapObject) -> StringId {
        let text = string_text(object);
        self.intern(&text)
    }

    /// A key of a property that was read before.
    #[inline]
    pub fn known_key(&self, key: Tagged) -> Option<Key> {
        self.keys.get(&key.0).copied()
    }

    /// A key of a property.
    pub fn key(&mut self, cx: Cx, key: Tagged) -> Key {
        if let Some(known) = self.known_key(key) {
            return known;
        }
        let read = self.read_key(cx, key);
        self.keep_key(key, read);
        read
    }

    /// Remembers a key.
    pub fn keep_key(&mut self, key: Tagged, read: Key) {
        self.keys.insert(key.0, read);
    }

    /// Reads a key of a property.
    pub fn read_key(&mut self, cx: Cx, key: Tagged) -> Key {
        let unknown = |names: &mut Names| Key {
            name: names.intern(""),
            is_empty: false,
            is_string: false,
        };
        let Ok(object) = cx.object(key) else {
            return unknown(self);
        };
        if object.is_string().unwrap_or(false) {
            return Key {
                name: self.string(object),
                is_empty: JSString(object).len().is_ok_and(|l| l == 0),
                is_string: true,
            };
        }
        let symbol = Symbol(object);
        let text = match symbol.description(LIMIT) {
            // V8 8 and before does not tell symbols apart.
            Ok(Some(text)) if cx.layout.version.at_least(9, 0) => {
                let text = clean(well_formed(&text.units));
                match symbol.kind() {
                    Ok(SymbolKind::PrivateName | SymbolKind::PrivateBrand) => text,
                    _ => format!("<symbol {text}>"),
                }
            }
            _ => "<symbol>".to_string(),
        };
        Key {
            name: self.intern(&text),
            is_empty: false,
            is_string: false,
        }
    }
}

/// V8 puts a space for a NUL, which would end its C strings.
fn clean(text: String) -> String {
    match text.contains('\0') {
        true => text.replace('\0', " "),
        false => text,
    }
}

/// A string's text as far as V8 takes it for a name.
pub fn string_text(object: HeapObject) -> String {
    match JSString(object).read(LIMIT) {
        Ok(text) => clean(well_formed(&text.units)),
        Err(_) => String::new(),
    }
}

/// The part of a string of one byte a character that V8 takes for a name, where it is plain ASCII.
#[inline]
pub fn latin1_text(bytes: &[u8]) -> Option<&str> {
    let bytes = &bytes[..bytes.len().min(LIMIT)];
    match bytes.is_ascii() && !bytes.contains(&0) {
        true => std::str::from_utf8(bytes).ok(),
        false => None,
    }
}

/// V8 writes half of a surrogate pair in three bytes of UTF-8, and then a question mark for each
/// byte that it cannot read back; U+FFFD means just that to it.
fn well_formed(units: &[u16]) -> String {
    let mut text = String::with_capacity(units.len());
    for unit in char::decode_utf16(units.iter().copied()) {
        match unit {
            Ok(char::REPLACEMENT_CHARACTER) | Err(_) => text.push_str("???"),
            Ok(c) => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn numbers_are_called_after_themselves() {
        let mut names = Names::default();
        let known = names.intern("17");
        names.make_numbers(107);
        names.make_numbers(1234);
        assert_eq!(names.many().len(), 1234);
        assert_eq!(names.intern("17"), known);
        for number in [0, 9, 10, 17, 99, 100, 999, 1233, 1234, 98765] {
            let id = names.number(number);
            assert_eq!(names.text(id), number.to_string());
        }
    }
}
