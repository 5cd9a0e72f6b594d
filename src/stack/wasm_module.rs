//! A WebAssembly module's own bytes: where its functions begin, and what they are called.

use std::collections::BTreeMap;

/// Functions of one module at most (V8's own limit).
const MAX_FUNCTIONS: u64 = 1_000_000;
/// What the bytes of a module begin with.
pub const MAGIC: [u8; 4] = *b"\0asm";

const CUSTOM: u8 = 0;
const IMPORT: u8 = 2;
const FUNCTION: u8 = 3;
const EXPORT: u8 = 7;
const CODE: u8 = 10;
const KIND_FUNCTION: u8 = 0;

/// What stack traces need of a module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WasmModule {
    /// By its name section.
    pub name: Option<String>,
    /// Functions it imports; they have the first indexes.
    pub imported: u64,
    /// Functions of its own.
    pub declared: u64,
    /// Offset in the module's bytes of each own function's body, and its length.
    pub bodies: Vec<(u64, u64)>,
    /// Names by index, from the name section.
    pub function_names: BTreeMap<u64, String>,
    /// The first name that each function is exported as.
    pub export_names: BTreeMap<u64, String>,
}

impl WasmModule {
    /// Reads as far as the bytes make sense.
    pub fn parse(bytes: &[u8]) -> WasmModule {
        let mut module = WasmModule::default();
        let mut all = Reader { bytes, at: 8 };
        while module.section(&mut all).is_some() {}
        module
    }

    fn section(&mut self, all: &mut Reader) -> Option<()> {
        let id = all.byte()?;
        let length = all.number()?;
        let start = all.at;
        let bytes = all.take(length)?;
        let mut own = Reader { bytes, at: 0 };
        // A section that is broken is left at where it breaks.
        let _ = match id {
            CUSTOM => self.names(&mut own),
            IMPORT => self.imports(&mut own),
            FUNCTION => own.number().map(|n| self.declared = n.min(MAX_FUNCTIONS)),
            EXPORT => self.exports(&mut own),
            CODE => self.code(&mut own, start),
            _ => Some(()),
        };
        Some(())
    }

    fn imports(&mut self, own: &mut Reader) -> Option<()> {
        for _ in 0..own.number()? {
            own.text()?;
            own.text()?;
            match own.byte()? {
                KIND_FUNCTION => {
                    own.number()?;
                    self.imported += 1;
                }
                // table: a reference type, limits
                1 => {
                    own.reference_type()?;
                    own.limits()?;
                }
                2 => own.limits()?,
                3 => {
                    own.reference_type()?;
                    own.byte()?;
                }
                // tag
                4 => {
                    own.byte()?;
                    own.number()?;
                }
                _ => return None,
            }
        }
        Some(())
    }

    fn exports(&mut self, own: &mut Reader) -> Option<()> {
        for _ in 0..own.number()? {
            let name = own.text()?;
            let kind = own.byte()?;
            let index = own.number()?;
            if kind == KIND_FUNCTION {
                self.export_names.entry(index).or_insert(name);
            }
        }
        Some(())
    }

    fn code(&mut self, own: &mut Reader, section: usize) -> Option<()> {
        for _ in 0..own.number()?.min(MAX_FUNCTIONS) {
            let length = own.number()?;
            let offset = section.checked_add(own.at)? as u64;
            own.take(length)?;
            self.bodies.push((offset, length));
        }
        Some(())
    }

    fn names(&mut self, own: &mut Reader) -> Option<()> {
        if own.text()? != "name" {
            return None;
        }
        while let Some(id) = own.byte() {
            let length = own.number()?;
            let bytes = own.take(length)?;
            let mut part = Reader { bytes, at: 0 };
            match id {
                0 => self.name = part.text(),
                1 => {
                    for _ in 0..part.number()?.min(MAX_FUNCTIONS) {
                        let index = part.number()?;
                        let name = part.text()?;
                        self.function_names.insert(index, name);
                    }
                }
                _ => {}
            }
        }
        Some(())
    }
}

struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Reader<'b> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    /// LEB128 of up to 64 bits.
    fn number(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, length: u64) -> Option<&'b [u8]> {
        let end = self.at.checked_add(usize::try_from(length).ok()?)?;
        let bytes = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(bytes)
    }

    fn text(&mut self) -> Option<String> {
        let length = self.number()?;
        let bytes = self.take(length)?;
        Some(String::from_utf8_lossy(bytes).into_owned())
    }

    /// A value type; references to types of the module have an index after them.
    fn reference_type(&mut self) -> Option<()> {
        if matches!(self.byte()?, 0x63 | 0x64) {
            self.number()?;
        }
        Some(())
    }

    fn limits(&mut self) -> Option<()> {
        let flags = self.byte()?;
        self.number()?;
        if flags & 1 == 1 {
            self.number()?;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_modules_give_what_they_have() {
        for bytes in [
            &b""[..],
            b"\0asm",
            b"\0asm\x01\0\0\0\x0a\xff\xff\xff\xff\x0f\x01",
        ] {
            assert_eq!(WasmModule::parse(bytes), WasmModule::default());
        }
        let mut reader = Reader {
            bytes: &[0x80; 12],
            at: 0,
        };
        assert_eq!(reader.number(), None);
    }

    #[test]
    fn functions_begin_after_their_length() {
        // One import, one function whose body is two bytes, exported and named.
        let module =
            b"\0asm\x01\0\0\0\x02\x07\x01\x01j\x01b\0\0\x03\x02\x01\0\x07\x05\x01\x01f\0\x01\
            \x0a\x04\x01\x02\0\x0b\0\x0f\x04name\0\x02\x01m\x01\x04\x01\x01\x01g";
        let parsed = WasmModule::parse(module);
        assert_eq!(parsed.imported, 1);
        assert_eq!(parsed.declared, 1);
        assert_eq!(parsed.bodies, [(32, 2)]);
        assert_eq!(module[32..34], [0, 0x0b]);
        assert_eq!(parsed.export_names[&1], "f");
        assert_eq!(parsed.function_names[&1], "g");
        assert_eq!(parsed.name.as_deref(), Some("m"));
    }
}
