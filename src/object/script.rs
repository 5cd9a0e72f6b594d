//! Script: a piece of source that was compiled as one.

use super::{FixedArray, HeapObject, JSString, StringText, Tagged};
use crate::error::{Error, Result};
use std::rc::Rc;

/// A Script.
#[derive(Clone, Copy, Debug)]
pub struct Script<'a>(pub HeapObject<'a>);

/// Longest name of a script read.
const MAX_NAME: usize = 16 << 10;
/// Longest source read to find lines, in UTF-16 units; V8's own limit for a string is half of it.
const MAX_SOURCE: usize = 1 << 30;

impl<'a> Script<'a> {
    fn text(self, value: Tagged) -> Result<Option<String>> {
        if value.is_smi() {
            return Ok(None);
        }
        let object = self.0.cx.object(value)?;
        if !object.is_string()? {
            return Ok(None);
        }
        Ok(Some(JSString(object).read(MAX_NAME)?.marked()))
    }

    /// The name it was compiled under (a path, a file: URL).
    pub fn name(self) -> Result<Option<String>> {
        self.text(self.0.field(self.0.cx.layout.script.name)?)
    }

    /// `//# sourceURL=` of its source.
    pub fn source_url(self) -> Result<Option<String>> {
        self.text(self.0.field(self.0.cx.layout.script.source_url)?)
    }

    /// `//# sourceMappingURL=` of its source.
    pub fn source_mapping_url(self) -> Result<Option<String>> {
        let value = self.0.field(self.0.cx.layout.script.source_mapping_url)?;
        let Ok(object) = self.0.cx.object(value) else {
            return Ok(None);
        };
        if !object.is_string()? {
            return Ok(None);
        }
        // The map itself may be in it.
        let text = JSString(object).read(MAX_SOURCE)?;
        Ok(Some(text.text()).filter(|t| !t.is_empty()))
    }

    /// What stack traces call it: the source URL where it has one, else its name; "" without both.
    pub fn name_or_source_url(self) -> Result<String> {
        if let Ok(Some(url)) = self.source_url() {
            return Ok(url);
        }
        Ok(self.name()?.unwrap_or_default())
    }

    /// Its number, as the inspector gives it.
    pub fn id(self) -> Result<i64> {
        self.0.smi_field(self.0.cx.layout.script.id)
    }

    /// Its source; `None` where V8 has none (native code, WebAssembly).
    pub fn source(self) -> Result<Option<JSString<'a>>> {
        let object = self.0.object_field(self.0.cx.layout.script.source)?;
        Ok(object.is_string()?.then_some(JSString(object)))
    }

    /// Positions of all line ends, in UTF-16 units; the last is the end of the source.
    pub fn line_ends(self) -> Result<Vec<u64>> {
        let cx = self.0.cx;
        let value = self.0.field(cx.layout.script.line_ends)?;
        if let Ok(object) = cx.object(value) {
            if object.instance_type()? == crate::metadata::InstanceType::FixedArray {
                let slots = FixedArray(object).slice(0, MAX_SOURCE)?;
                let ends: Option<Vec<u64>> = slots
                    .into_iter()
                    .map(|s| cx.smi(s).and_then(|e| u64::try_from(e).ok()))
                    .collect();
                if let Some(ends) = ends {
                    // V8 shares one empty array among scripts whose lines it has not sought yet.
                    if !ends.is_empty() {
                        return Ok(ends);
                    }
                }
            }
        }
        let source = self.source()?.ok_or_else(|| {
            Error::malformed(
                "Script",
                self.0.address,
                "it has no source to find lines in",
            )
        })?;
        let text = source.read(MAX_SOURCE)?;
        if let Some(hole) = text.hole {
            return Err(Error::malformed("Script", self.0.address, hole));
        }
        Ok(line_ends(&text.units))
    }

    /// Line and column, both from 1, of a position in the source, as stack traces count them: from
    /// the script's own offset, which may be negative.
    pub fn line_and_column(self, position: u64) -> Result<(i64, i64)> {
        self.line_and_column_in(&self.kept_line_ends()?, position)
    }

    /// As [`Self::line_ends`], sought once: V8 has them only of scripts that were in a stack trace,
    /// and some have megabytes.
    pub fn kept_line_ends(self) -> Result<Rc<[u64]>> {
        let (memory, address) = (self.0.cx.memory, self.0.address);
        if let Some(kept) = memory.kept(address) {
            return Ok(kept);
        }
        let ends: Rc<[u64]> = self.line_ends()?.into();
        memory.keep(address, &ends);
        Ok(ends)
    }

    /// As [`Self::line_and_column`], with the line ends already read.
    pub fn line_and_column_in(self, ends: &[u64], position: u64) -> Result<(i64, i64)> {
        let line = ends.partition_point(|end| *end < position);
        if line >= ends.len() {
            return Err(Error::malformed(
                "Script",
                self.0.address,
                format!("position {position} is past the end of its source"),
            ));
        }
        let before = line.checked_sub(1).and_then(|l| ends.get(l));
        let start = before.map_or(0, |end| end + 1);
        let layout = &self.0.cx.layout.script;
        let offset = |constant| -> Result<i64> { self.0.smi_field(constant) };
        let mut column = position as i64 - start as i64;
        if line == 0 {
            column = column.saturating_add(offset(layout.column_offset)?);
        }
        let line = (line as i64).saturating_add(offset(layout.line_offset)?);
        Ok((line.saturating_add(1), column.saturating_add(1)))
    }

    /// The source from `start` to `end`, in UTF-16 units, at most `limit` of them.
    pub fn source_slice(self, start: u64, end: u64, limit: usize) -> Result<StringText> {
        let source = self
            .source()?
            .ok_or_else(|| Error::malformed("Script", self.0.address, "V8 has no source for it"))?;
        let end = end.min(source.len()?);
        let length = end.saturating_sub(start);
        let mut text = source.read_from(start, length.min(limit as u64) as usize)?;
        text.length = length;
        Ok(text)
    }
}

/// Positions of line ends as V8 finds them: after LF, CR LF, CR, U+2028 and U+2029 (of CR LF the
/// LF is the end), and the end of the text.
fn line_ends(units: &[u16]) -> Vec<u64> {
    let mut ends = Vec::new();
    for (index, unit) in units.iter().enumerate() {
        let is_end = match *unit {
            0x0a | 0x2028 | 0x2029 => true,
            0x0d => units.get(index + 1) != Some(&0x0a),
            _ => false,
        };
        if is_end {
            ends.push(index as u64);
        }
    }
    ends.push(units.len() as u64);
    ends
}

#[cfg(test)]
mod tests {
    #[test]
    fn ends_of_all_kinds() {
        let units: Vec<u16> = "a\nb\r\nc\rd\u{2028}e".encode_utf16().collect();
        assert_eq!(super::line_ends(&units), [1, 4, 6, 8, 10]);
    }
}
