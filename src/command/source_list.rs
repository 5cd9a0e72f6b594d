//! `v8 source list`.

use super::app::{App, Host};
use super::bt::{selected_thread, stack_source};
use super::Outcome;
use crate::error::{Error, Result};
use crate::object::Script;
use crate::render::escape;
use crate::stack::{Call, Frame, FrameKind};
use serde_json::json;
use std::fmt::Write;

/// Lines shown at a time.
const LINES: u64 = 4;
/// Characters of a line shown at most: minified programs are one line.
const MAX_LINE: u64 = 4096;

/// What the user asked for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    json: bool,
    help: bool,
    /// Around the call being made, in place of the function's start.
    call: bool,
    /// Line of the function to start at, from 0.
    from: Option<u64>,
    /// Only the debugger's own command may know it.
    unknown: Option<String>,
}

fn parse(arguments: &[String]) -> Result<Options> {
    let mut options = Options::default();
    let missing = || Error::other("Expected line number after -l");
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "-l" => {
                let text = rest.next().ok_or_else(missing)?;
                let line: u64 = text.trim().parse().map_err(|_| missing())?;
                options.from = Some(line.checked_sub(1).ok_or_else(missing)?);
            }
            "-c" | "--call" => options.call = true,
            "--json" => options.json = true,
            "--help" | "-h" => options.help = true,
            other => options.unknown = Some(other.to_string()),
        }
    }
    Ok(options)
}

/// Runs the command.
pub fn run(app: &mut App, host: &dyn Host, arguments: &[String]) -> Outcome {
    list(app, host, arguments).unwrap_or_else(Outcome::from)
}

/// A line of a script.
struct Line {
    number: u64,
    text: String,
    /// The call being made is on it.
    current: bool,
}

/// Lines to show, and where to go on.
struct Page {
    file: String,
    name: String,
    lines: Vec<Line>,
    key: String,
    next: u32,
}

fn list(app: &mut App, host: &dyn Host, arguments: &[String]) -> Result<Outcome> {
    let options = parse(arguments)?;
    if options.help {
        return Ok(super::help::of("source list"));
    }
    let compat = app.settings.compat_llnode;
    let last = app.paging.source.clone();
    let session = app.session(host)?;
    let thread = selected_thread(session)?;
    let frames = stack_source(session)?.backtrace(&thread, usize::MAX);
    let frame = frames.iter().find(|f| f.selected).or(frames.first());
    let Some((frame, call)) = frame.and_then(|f| Some((f, call_of(f)?))) else {
        let command = format!("source list {}", arguments.join(" "));
        return host.debugger_command(command.trim_end()).map(Outcome::ok);
    };
    if let Some(unknown) = options.unknown {
        let why = format!("unknown option '{unknown}'; see v8 help source list");
        return Err(Error::other(why));
    }
    let key = format!("{}:{:#x}:{:?}", thread.id, frame.fp, frame.pc);
    let page = page(call, &options, key, last)?;
    app.paging.source = Some((page.key, page.next));
    if options.json {
        let lines = page.lines.iter();
        let value = json!({
            "function": page.name,
            "file": page.file,
            "lines": lines
                .map(|l| json!({ "line": l.number, "text": l.text, "call": l.current }))
                .collect::<Vec<_>>(),
        });
        return Ok(Outcome::ok(format!("{value:#}\n")));
    }
    let mut text = String::new();
    for line in page.lines {
        let mark = if line.current && !compat { "->" } else { "  " };
        let shown: Vec<_> = line.text.split('\t').map(escape).collect();
        let _ = writeln!(text, "{mark}{} {}", line.number, shown.join("\t"));
    }
    Ok(Outcome::ok(text))
}

/// The frame's own function, if it is one of the program's.
fn call_of<'a, 'b>(frame: &'b Frame<'a>) -> Option<&'b Call<'a>> {
    matches!(
        frame.kind,
        Some(FrameKind::Interpreted | FrameKind::Baseline | FrameKind::Optimized)
    )
    .then(|| frame.calls.last())
    .flatten()
}

fn page(call: &Call, options: &Options, key: String, last: Option<(String, u32)>) -> Result<Page> {
    let shared = call.shared;
    let no_source = || Error::other("Failed to get Function Source");
    let script = shared.script()?.ok_or_else(no_source)?;
    let (start, _) = shared.position()?.ok_or_else(no_source)?;
    let ends = script.line_ends()?;
    let line_of = |position: u64| ends.partition_point(|end| *end < position) as u64;
    let current = call.place.as_ref().ok().and_then(|p| p.as_ref());
    let (first, _) = script.line_and_column_in(&ends, start)?;
    // From a line's index in the script to its number.
    let offset = first as i64 - line_of(start) as i64;
    let current = current.map(|p| p.line);
    let from = match (options.from, last) {
        (Some(line), _) => line_of(start).saturating_add(line),
        (None, _) if options.call => {
            let at = current.unwrap_or(first) as i64 - offset;
            u64::try_from(at).unwrap_or(0).saturating_sub(LINES / 2 - 1)
        }
        (None, Some((seen, next))) if seen == key => u64::from(next),
        _ => line_of(start),
    };
    let count = ends.len() as u64;
    let to = from.saturating_add(LINES).min(count);
    let lines = (from..to)
        .map(|index| {
            let number = u64::try_from(index as i64 + offset).unwrap_or(0);
            Ok(Line {
                number,
                text: line_text(script, &ends, index)?,
                current: current == Some(number),
            })
        })
        .collect::<Result<Vec<_>>>()?;
    if lines.is_empty() {
        return Err(Error::other(format!(
            "the script ends at line {}",
            i64::try_from(count).unwrap_or(0) + offset - 1
        )));
    }
    Ok(Page {
        file: script.name_or_source_url()?,
        name: call.site.name().unwrap_or_default(),
        lines,
        key,
        next: u32::try_from(to).unwrap_or(u32::MAX),
    })
}

/// Source around the call being made, its line marked.
pub(super) fn lines_around(call: &Call, around: u64) -> Result<Vec<String>> {
    let (Some(script), Ok(Some(place))) = (call.shared.script()?, &call.place) else {
        return Ok(Vec::new());
    };
    let (Some((start, _)), ends) = (call.shared.position()?, script.line_ends()?) else {
        return Ok(Vec::new());
    };
    let line_of = ends.partition_point(|end| *end < start) as i64;
    let (first, _) = script.line_and_column_in(&ends, start)?;
    let offset = first as i64 - line_of;
    let at = u64::try_from(place.line as i64 - offset).unwrap_or(0);
    let to = at.saturating_add(around + 1).min(ends.len() as u64);
    (at.saturating_sub(around)..to)
        .map(|index| {
            let mark = if index == at { "->" } else { "  " };
            let text = line_text(script, &ends, index)?;
            let shown: Vec<_> = text.split('\t').map(escape).collect();
            let number = index as i64 + offset;
            Ok(format!("{mark}{number} {}", shown.join("\t")))
        })
        .collect()
}

fn line_text(script: Script, ends: &[u64], index: u64) -> Result<String> {
    let at = |i: u64| usize::try_from(i).ok().and_then(|i| ends.get(i)).copied();
    let start = index.checked_sub(1).and_then(at).map_or(0, |end| end + 1);
    let end = at(index).unwrap_or(start).max(start);
    let text = script.source_slice(start, end, MAX_LINE as usize)?;
    let more = text.is_truncated();
    let mut text = text.text();
    if text.ends_with('\r') {
        text.pop();
    }
    if more {
        text.push_str("...");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(words: &[&str]) -> Result<Options> {
        let words: Vec<String> = words.iter().map(|w| w.to_string()).collect();
        parse(&words)
    }

    #[test]
    fn lines_count_from_one() {
        assert_eq!(options(&["-l", "2"]).unwrap().from, Some(1));
        for words in [&["-l"][..], &["-l", "0"], &["-l", "x"], &["-l", "-1"]] {
            let error = options(words).unwrap_err().to_string();
            assert_eq!(error, "Expected line number after -l");
        }
    }
}
