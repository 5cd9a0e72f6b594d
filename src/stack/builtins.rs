//! V8's builtins: where their code is, and which one a pc is in.

use crate::heap::Isolates;
use crate::memory::Memory;
use crate::program::Program;
use crate::target::Target;
use once_cell::unsync::OnceCell;

/// What they are called in the program's file.
const PREFIX: &str = "Builtins_";
/// How much of an isolate is looked through.
const MAX_ISOLATE: u64 = 256 << 10;
/// All of them together are smaller.
const MAX_CODE: u64 = 32 << 20;
/// Code of one of them: the largest has some tens of kilobytes.
pub const MAX_BUILTIN: u64 = 256 << 10;

/// Where V8's builtins are: in the program's file, and in a copy that V8 maps near its own code.
#[derive(Clone, Copy)]
struct Blob {
    start: u64,
    size: u64,
    /// Start of the copy.
    copy: Option<u64>,
}

/// Where one begins, and what V8 calls it.
#[derive(Clone)]
struct Entry {
    start: u64,
    name: String,
}

/// V8's builtins.
pub struct Builtins<'a> {
    target: &'a dyn Target,
    program: &'a Program,
    isolates: Vec<u64>,
    blob: Option<Blob>,
    /// By address; made where the program's symbols do not tell.
    entries: OnceCell<Vec<Entry>>,
}

impl<'a> Builtins<'a> {
    /// By the program's symbols; where they do not tell, by the isolate's table of entries.
    pub fn find(
        target: &'a dyn Target,
        program: &'a Program,
        isolates: Option<&Isolates>,
    ) -> Builtins<'a> {
        let memory = target.memory();
        let isolates = isolates.map_or(&[][..], |i| &i.isolates);
        let isolates: Vec<u64> = isolates.iter().map(|i| i.address).collect();
        let words = isolates.iter().map(|i| isolate_words(memory, *i));
        let blob = blob(memory, program, words);
        Builtins {
            target,
            program,
            isolates,
            blob,
            entries: OnceCell::new(),
        }
    }

    /// Where a pc in a builtin is in the program's file's mapping, where that is known.
    pub fn original(&self, pc: u64) -> Option<u64> {
        match self.blob {
            Some(blob) => blob.original(pc),
            None => self.at(pc.checked_sub(1)?).map(|_| pc),
        }
    }

    /// The builtin at a pc: its name, and where it begins and the pc is in the program's file's
    /// mapping, where that is known.
    pub fn at(&self, pc: u64) -> Option<(String, u64, u64)> {
        let in_blob = self.blob.and_then(|b| b.original(pc));
        let original = in_blob.unwrap_or(pc);
        let symbol = self.target.symbolize(original);
        if let Some(name) = symbol.as_ref().and_then(|(s, _)| s.strip_prefix(PREFIX)) {
            let offset = symbol.as_ref().map_or(0, |(_, offset)| *offset);
            return Some((name.to_string(), original.checked_sub(offset)?, original));
        }
        // Where there is no symbol, or one of a place in a builtin.
        if self.blob.is_some() && in_blob.is_none() {
            return None;
        }
        let entry = self.entry(original)?;
        Some((entry.name.clone(), entry.start, original))
    }

    /// What V8 calls the builtin that a pc is in.
    pub fn name(&self, pc: u64) -> Option<String> {
        self.at(pc).map(|(name, ..)| name)
    }

    fn entry(&self, pc: u64) -> Option<&Entry> {
        let entries = self.entries.get_or_init(|| {
            let memory = self.target.memory();
            let names = self.program.builtin_names(memory);
            let words = self.isolates.iter().map(|i| isolate_words(memory, *i));
            let mut tables = words.filter_map(|words| entries(&words, names));
            let mut entries = tables.next().unwrap_or_default();
            // Some have the copy in their table, others the file.
            for entry in &mut entries {
                let original = self.blob.and_then(|b| b.original(entry.start));
                entry.start = original.unwrap_or(entry.start);
            }
            entries.sort_by_key(|e| e.start);
            entries
        });
        let after = entries.partition_point(|e| e.start <= pc);
        let entry = entries.get(after.checked_sub(1)?)?;
        let is_last = after == entries.len();
        (!is_last || pc - entry.start < MAX_BUILTIN).then_some(entry)
    }
}

impl Blob {
    fn original(&self, pc: u64) -> Option<u64> {
        let starts = [Some(self.start), self.copy];
        let mut offsets = starts.into_iter().flatten().map(|s| pc.wrapping_sub(s));
        let offset = offsets.find(|o| *o < self.size)?;
        self.start.checked_add(offset)
    }
}

/// By V8's own record; `None` where the program's symbols do not lead there.
fn blob(
    memory: &dyn Memory,
    program: &Program,
    mut isolates: impl Iterator<Item = Vec<u64>>,
) -> Option<Blob> {
    let record = |what: &str| {
        let name = format!("current_embedded_blob_{what}_E");
        let mangled = format!("_ZN2v88internal12_GLOBAL__N_1{}{name}", name.len() - 1);
        // A compiler that optimizes across files puts a number after it.
        let found = program.data_symbols(&mangled);
        found.first().map(|(_, symbol)| symbol.address)
    };
    let start = memory.u64(record("code")?).ok()?;
    let size = memory.u32(record("code_size")?).ok()?;
    let data = memory.u64(record("data")?).ok()?;
    // An isolate keeps address and size of their code and, next to it, those of their data.
    let copy = isolates.find_map(|words| {
        let found = words
            .windows(3)
            .find(|w| w[2] == data && w[1] as u32 == size);
        found.map(|w| w[0])
    });
    Some(Blob {
        start,
        size: u64::from(size),
        copy: copy.filter(|c| *c != start),
    })
}

fn isolate_words(memory: &dyn Memory, isolate: u64) -> Vec<u64> {
    const STEP: u64 = 4 << 10;
    let mut words: Vec<u64> = Vec::new();
    for at in (0..MAX_ISOLATE).step_by(STEP as usize) {
        let Some(at) = isolate.checked_add(at) else {
            break;
        };
        let Ok(bytes) = memory.bytes(at, STEP as usize, STEP as usize) else {
            break;
        };
        let chunks = bytes.chunks_exact(8);
        words.extend(chunks.map(|c| c.iter().rev().fold(0, |w, b| w << 8 | u64::from(*b))));
    }
    words
}

/// The isolate's table of where the builtins begin: as many words as there are names, all of them
/// aligned and near each other.
fn entries(words: &[u64], names: &[String]) -> Option<Vec<Entry>> {
    const ALIGNMENT: u64 = 16;
    if names.len() < 2 {
        return None;
    }
    let is_near =
        |a: u64, b: u64| a.abs_diff(b) < MAX_CODE && a >= 0x1000 && a.is_multiple_of(ALIGNMENT);
    let mut runs = words.chunk_by(|a, b| is_near(*a, *b) && is_near(*b, *a));
    let run = runs.find(|r| r.len() == names.len())?;
    let of = |(start, name): (&u64, &String)| Entry {
        start: *start,
        name: name.clone(),
    };
    Some(run.iter().zip(names).map(of).collect())
}
