//! The symbol table of a module's file. A program has some 200 000 symbols and 20 MB of names, so
//! a pass looks at no name but those of the kind that is asked for, and keeps none.

use super::module_file::{Symbol, SymbolKind};
use object::macho::{MachHeader64, Nlist64};
use object::read::elf::{ElfFile64, SectionHeader as _, Sym as _};
use object::read::macho::{MachOFile64, Nlist as _};
use object::{elf, Endianness};

/// The table as it lies in the file.
pub(super) struct SymbolTable<'a> {
    endian: Endianness,
    entries: Entries<'a>,
    strings: &'a [u8],
}

enum Entries<'a> {
    Elf(&'a [elf::Sym64<Endianness>]),
    MachO(&'a [Nlist64<Endianness>]),
}

/// A defined symbol whose name was not looked at yet.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    pub index: u32,
    pub address: u64,
    pub size: u64,
    pub kind: SymbolKind,
    /// The names from this one's on; each ends with a zero.
    names: &'a [u8],
}

impl<'a> Entry<'a> {
    /// Whether its name begins so.
    pub fn starts_with(&self, prefix: &str) -> bool {
        self.names.starts_with(prefix.as_bytes())
    }

    /// Whether that is its name.
    pub fn is(&self, name: &str) -> bool {
        self.starts_with(name) && self.names.get(name.len()) == Some(&0)
    }

    /// With its name; `None` where that is no text.
    pub fn symbol(&self) -> Option<Symbol<'a>> {
        let end = memchr::memchr(0, self.names)?;
        Some(Symbol {
            name: std::str::from_utf8(self.names.get(..end)?).ok()?,
            address: self.address,
            size: self.size,
            kind: self.kind,
        })
    }
}

impl<'a> SymbolTable<'a> {
    /// Of an ELF file: the full table, or the dynamic one where the file is stripped.
    pub fn of_elf(data: &'a [u8]) -> Option<SymbolTable<'a>> {
        let elf = ElfFile64::<Endianness>::parse(data).ok()?;
        let endian = elf.endian();
        let sections = elf.elf_section_table();
        let of_type = |wanted| {
            let section = sections.iter().find(|s| s.sh_type(endian) == wanted)?;
            let entries = section.data_as_array(endian, data).ok()?;
            let strings = sections.section(section.link(endian)).ok()?;
            let strings = strings.data(endian, data).ok()?;
            (!<[_]>::is_empty(entries)).then_some((entries, strings))
        };
        let (entries, strings) = of_type(elf::SHT_SYMTAB).or_else(|| of_type(elf::SHT_DYNSYM))?;
        Some(SymbolTable {
            endian,
            entries: Entries::Elf(entries),
            strings,
        })
    }

    /// Of a Mach-O file.
    pub fn of_macho(data: &'a [u8]) -> Option<SymbolTable<'a>> {
        let file = MachOFile64::<Endianness>::parse(data).ok()?;
        let endian = file.endian();
        let mut commands = file.macho_load_commands().ok()?;
        while let Some(command) = commands.next().ok()? {
            let Some(table) = command.symtab().ok()? else {
                continue;
            };
            let entries = table.symbols::<MachHeader64<Endianness>, _>(endian, data);
            let from = table.stroff.get(endian) as usize;
            let to = from.checked_add(table.strsize.get(endian) as usize)?;
            return Some(SymbolTable {
                endian,
                entries: Entries::MachO(entries.ok()?.iter().as_slice()),
                strings: data.get(from..to)?,
            });
        }
        None
    }

    /// The symbols that have a place in the file and a name, in the file's order.
    pub fn iter(&self) -> impl Iterator<Item = Entry<'a>> + '_ {
        let count = match self.entries {
            Entries::Elf(entries) => entries.len(),
            Entries::MachO(entries) => entries.len(),
        };
        (0..u32::try_from(count).unwrap_or(u32::MAX)).filter_map(|i| self.get(i))
    }

    /// The symbol with this number.
    #[inline]
    pub fn get(&self, index: u32) -> Option<Entry<'a>> {
        let endian = self.endian;
        match self.entries {
            Entries::Elf(entries) => {
                let symbol = entries.get(index as usize)?;
                let name = symbol.st_name(endian);
                if symbol.is_undefined(endian) || name == 0 {
                    return None;
                }
                let kind = match symbol.st_type() {
                    elf::STT_FUNC | elf::STT_GNU_IFUNC => SymbolKind::Function,
                    elf::STT_OBJECT => SymbolKind::Object,
                    elf::STT_TLS => SymbolKind::Tls,
                    elf::STT_NOTYPE => SymbolKind::Other,
                    _ => return None,
                };
                Some(Entry {
                    index,
                    address: symbol.st_value(endian),
                    size: symbol.st_size(endian),
                    kind,
                    names: self.strings.get(name as usize..)?,
                })
            }
            Entries::MachO(entries) => {
                let symbol = entries.get(index as usize)?;
                if !symbol.is_definition() {
                    return None;
                }
                let names = self.strings.get(symbol.n_strx.get(endian) as usize..)?;
                Some(Entry {
                    index,
                    address: symbol.n_value(endian),
                    size: 0,
                    kind: SymbolKind::Other,
                    names: names.strip_prefix(b"_").unwrap_or(names),
                })
            }
        }
    }
}
