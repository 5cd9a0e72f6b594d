//! Names as V8's StringsStorage makes them: text cut at a length, symbols in angle brackets.

use crate::graph::{Interner, StringId, Strings};
use crate::object::{Cx, HeapObject, JSString, Symbol, SymbolKind, Tagged};
use rustc_hash::FxHashMap;

/// V8 cuts names here (`--heap-snapshot-string-limit`).
const LIMIT: usize = 1024;

/// Interned names, those of keys remembered by address.
#[derive(Default)]
pub struct Names {
    interner: Interner,
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

impl Names {
    /// The number of a name.
    pub fn intern(&mut self, name: &str) -> StringId {
        self.interner.intern(name)
    }

    /// A number as a name.
    pub fn number(&mut self, number: usize) -> StringId {
        if let Some(&id) = self.numbers.get(number) {
            return id;
        }
        if number < 1 << 16 {
            while self.numbers.len() <= number {
                let text = self.numbers.len().to_string();
                let id = self.interner.intern(&text);
                self.numbers.push(id);
            }
            return self.numbers[number];
        }
        self.interner.intern(&number.to_string())
    }

    /// The text of a name.
    pub fn text(&self, id: StringId) -> &str {
        self.interner.strings().get(id)
    }

    /// All names.
    pub fn finish(self) -> Strings {
        self.interner.finish()
    }

    /// A string's text as a name.
    pub fn string(&mut self, object: HeapObject) -> StringId {
        let text = string_text(object);
        self.interner.intern(&text)
    }

    /// A key of a property.
    pub fn key(&mut self, cx: Cx, key: Tagged) -> Key {
        if let Some(&known) = self.keys.get(&key.0) {
            return known;
        }
        let found = self.read_key(cx, key);
        self.keys.insert(key.0, found);
        found
    }

    fn read_key(&mut self, cx: Cx, key: Tagged) -> Key {
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
