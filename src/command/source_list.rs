//! `v8 source list`.

use super::app::{App, Host};
use super::bt::{selected_thread, stack_source};
use super::Outcome;
use crate::error::{Error, Result};
use crate::object::Script;
use crate::render::escape;
use crate::source::{OriginalPlace, SourceMap};
use crate::stack::{Call, Frame, FrameKind};
use serde_json::json;
use std::fmt::Write;

/// Lines shown at a time.
const LINES: u64 = 4;
/// Lines shown of a whole function at most.
const MAX_LINES: u64 = 10_000;
/// Characters of a line shown at most: minified programs are one line.
const MAX_LINE: u64 = 4096;
/// Stands for the rest of a longer one.
const MORE: &str = "...";

/// What the user asked for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    json: bool,
    help: bool,
    /// Around the call being made, in place of the function's start.
    call: bool,
    /// Line of the function to start at, from 0.
    from: Option<u64>,
    /// The whole function.
    all: bool,
    /// The frame, as `v8 bt` numbers it; else the selected one.
    frame: Option<u32>,
    /// Which of the functions that 'v8 bt' shows of the frame, from 1, the innermost first.
    inlined: Option<usize>,
    /// The source that the script was made of.
    source_map: bool,
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
            "-a" | "--all" => options.all = true,
            "-i" | "--inlined" => {
                let number = rest.next().and_then(|text| text.trim().parse().ok());
                let number = number.filter(|n| *n > 0);
                let missing =
                    || Error::other("Expected the number of an inlined function after -i");
                options.inlined = Some(number.ok_or_else(missing)?);
            }
            "-f" | "--frame" => {
                let number = rest.next().map(|text| text.trim_start_matches('#').parse());
                let missing = || Error::other("Expected the number of a frame after -f");
                options.frame = Some(number.and_then(|n| n.ok()).ok_or_else(missing)?);
            }
            "--source-map" => options.source_map = true,
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
    number: i64,
    text: String,
    /// Column of the call being made, from 1, where it is on this line.
    column: Option<u64>,
    /// Characters left out before the text, which begins with [`MORE`] then.
    left_out: u64,
}

impl Line {
    /// Where in the text the call is.
    fn mark(&self) -> Option<u64> {
        let more = if self.left_out > 0 { MORE.len() } else { 0 };
        let column = self.column?.checked_sub(self.left_out)?;
        Some(column + more as u64)
    }
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
    let frame = match options.frame {
        Some(number) => Some(
            frames
                .iter()
                .find(|f| f.number == number)
                .ok_or_else(|| Error::other(format!("there is no frame #{number}; see v8 bt")))?,
        ),
        None => frames.iter().find(|f| f.selected).or(frames.first()),
    };
    let found = frame.and_then(|f| Some((f, call_of(f, &options, compat)?)));
    let Some((frame, call)) = found else {
        let js = frames
            .iter()
            .find(|f| call_of(f, &Options::default(), compat).is_some());
        let instead = js.map_or(String::new(), |f| {
            format!(
                "; the innermost JavaScript frame: v8 source list -f {}",
                f.number
            )
        });
        let is_ours = options.inlined.is_some() || options.source_map || options.call;
        if options.frame.is_some() || is_ours {
            let number = frame.map_or(0, |f| f.number);
            let why = format!("frame #{number} is none of a JavaScript function{instead}");
            return Err(Error::other(why));
        }
        let command = format!("source list {}", arguments.join(" "));
        let text = host.debugger_command(command.trim_end())?;
        if !compat && is_without_source(&text) {
            let instead = match instead.as_str() {
                "" => {
                    "; there is no JavaScript on this stack, v8 threads tells where there is some"
                }
                instead => instead,
            };
            let why = format!("the debugger has no source of this frame{instead}");
            return Err(Error::other(why));
        }
        return Ok(Outcome::ok(text));
    };
    if let Some(unknown) = options.unknown {
        let why = format!("unknown option '{unknown}'; see v8 help source list");
        return Err(Error::other(why));
    }
    let call = call?;
    let inlined = (options.inlined, options.source_map);
    let key = format!("{}:{:#x}:{:?}:{inlined:?}", thread.id, frame.fp, frame.pc);
    let source = match options.source_map {
        true => Source::original(call)?,
        false => Source::of(call)?,
    };
    let page = page(call, source, &options, key, last)?;
    app.paging.source = (!options.all).then_some((page.key, page.next));
    if options.json {
        let lines = page.lines.iter();
        let value = json!({
            "function": page.name,
            "file": page.file,
            "lines": lines
                .map(|l| json!({
                    "line": l.number,
                    "text": l.text,
                    "call": l.column.is_some(),
                    "column": l.column,
                    "left_out": l.left_out,
                }))
                .collect::<Vec<_>>(),
        });
        return Ok(Outcome::ok(format!("{value:#}\n")));
    }
    let mut text = String::new();
    if options.source_map {
        let _ = writeln!(text, "{}", escape(&page.file));
    }
    for line in page.lines {
        let column = line.mark().filter(|_| !compat);
        for line in marked(line.number, &line.text, column) {
            let _ = writeln!(text, "{line}");
        }
    }
    Ok(Outcome::ok(text))
}

/// The function of a frame that is asked for, if the frame is one of the program's: as `v8 bt`
/// shows them, those inlined into it first. Without a number that is the innermost; llnode, which
/// knows of no inlining, means the frame's own.
fn call_of<'a, 'b>(
    frame: &'b Frame<'a>,
    options: &Options,
    compat: bool,
) -> Option<Result<&'b Call<'a>>> {
    let kind = matches!(
        frame.kind,
        Some(FrameKind::Interpreted | FrameKind::Baseline | FrameKind::Optimized)
    );
    let own = frame.calls.last().filter(|_| kind)?;
    let number = match options.inlined {
        None if compat => return Some(Ok(own)),
        None => 1,
        Some(number) => number,
    };
    let call = number.checked_sub(1).and_then(|at| frame.calls.get(at));
    Some(call.ok_or_else(|| {
        let (many, frame) = (frame.calls.len(), frame.number);
        let are = match many {
            1 => "is 1 function".to_string(),
            many => format!("are {many} functions"),
        };
        Error::other(format!("there {are} in frame #{frame}"))
    }))
}

/// The lines of a source, by their index from 0.
enum Lines<'a> {
    Script {
        script: Script<'a>,
        ends: Vec<u64>,
        /// From a line's index to its number.
        offset: i64,
    },
    Original(Vec<String>),
}

/// Whether the debugger listed nothing: LLDB says so only since 21.
fn is_without_source(listed: &str) -> bool {
    let mut lines = listed.lines().map(|l| l.trim().to_ascii_lowercase());
    lines.all(|l| l.is_empty() || l.starts_with("note: no source available"))
}

/// A function's source.
struct Source<'a> {
    file: String,
    lines: Lines<'a>,
    /// Indexes of its first and last line.
    first: u64,
    last: u64,
    /// Index of the line of the call being made, and the column from 1.
    current: Option<(u64, u64)>,
}

impl<'a> Source<'a> {
    fn of(call: &Call<'a>) -> Result<Source<'a>> {
        let shared = call.shared;
        let no_source = || {
            let why = "it is no JavaScript but V8's or native code; 'v8 frame' shows its arguments";
            Error::other(format!("Failed to get Function Source: {why}"))
        };
        let script = shared.script()?.ok_or_else(no_source)?;
        let (start, end) = shared.position()?.ok_or_else(no_source)?;
        let ends = script.line_ends()?;
        let line_of = |position: u64| ends.partition_point(|end| *end < position) as u64;
        let (number, _) = script.line_and_column_in(&ends, start)?;
        let offset = number.saturating_sub(line_of(start) as i64);
        let place = call.place.as_ref().ok().and_then(|p| p.as_ref());
        let from_zero = |n: i64| u64::try_from(n).unwrap_or(0);
        let index = |number: i64| from_zero(number.saturating_sub(offset));
        Ok(Source {
            file: script.name_or_source_url()?,
            first: line_of(start),
            last: line_of(end.max(start)),
            current: place.map(|p| (index(p.line), from_zero(p.column))),
            lines: Lines::Script {
                script,
                ends,
                offset,
            },
        })
    }

    /// What the script was made of, by its source map.
    fn original(call: &Call<'a>) -> Result<Source<'a>> {
        let shared = call.shared;
        let none = SourceMap::none;
        let script = shared.script()?.ok_or_else(none)?;
        let name = script.name()?.unwrap_or_default();
        let map = match script.source_mapping_url()? {
            Some(url) => SourceMap::load(&name, &url)?,
            None => SourceMap::beside(&name)?,
        };
        let (start, end) = shared.position()?.ok_or_else(none)?;
        let ends = script.line_ends()?;
        let place_of = |position| {
            let (line, column) = script.line_and_column_in(&ends, position).ok()?;
            map.original(line.try_into().ok()?, column.try_into().ok()?)
        };
        let place = call.place.as_ref().ok().and_then(|p| p.as_ref());
        let current =
            place.and_then(|p| map.original(p.line.try_into().ok()?, p.column.try_into().ok()?));
        let missing = || Error::other("the source map says nothing of this place");
        let start = place_of(start);
        let at = current.as_ref().or(start.as_ref()).ok_or_else(missing)?;
        let lines = map.lines(at)?;
        let index = |line: u64| line.saturating_sub(1);
        let in_file = |p: &OriginalPlace| (p.file == at.file).then(|| index(p.line));
        let first = start.as_ref().and_then(in_file).unwrap_or(index(at.line));
        let end = place_of(end.saturating_sub(1));
        Ok(Source {
            file: at.file.clone(),
            first,
            last: end.as_ref().and_then(in_file).unwrap_or(first).max(first),
            current: current.as_ref().map(|p| (index(p.line), p.column)),
            lines: Lines::Original(lines),
        })
    }

    fn count(&self) -> u64 {
        match &self.lines {
            Lines::Script { ends, .. } => ends.len() as u64,
            Lines::Original(lines) => lines.len() as u64,
        }
    }

    fn number(&self, index: u64) -> i64 {
        let index = i64::try_from(index).unwrap_or(i64::MAX);
        match &self.lines {
            Lines::Script { offset, .. } => index.saturating_add(*offset),
            Lines::Original(_) => index.saturating_add(1),
        }
    }

    fn line(&self, index: u64) -> Result<Line> {
        let column = self.current.filter(|c| c.0 == index).map(|c| c.1);
        let (mut text, left_out) = match &self.lines {
            Lines::Script { script, ends, .. } => line_text(*script, ends, index, column)?,
            Lines::Original(lines) => {
                let line = usize::try_from(index).ok().and_then(|i| lines.get(i));
                let line = line.map_or("", String::as_str);
                let skip = left_out(line.chars().count() as u64, column);
                let rest = line.chars().skip(skip as usize);
                (rest.take(MAX_LINE as usize).collect(), skip)
            }
        };
        if left_out > 0 {
            text.insert_str(0, MORE);
        }
        Ok(Line {
            number: self.number(index),
            text,
            column,
            left_out,
        })
    }
}

fn page(
    call: &Call,
    source: Source,
    options: &Options,
    key: String,
    last: Option<(String, u32)>,
) -> Result<Page> {
    let current = source.current.map_or(source.first, |c| c.0);
    let from = match (options.from, last) {
        (Some(line), _) => source.first.saturating_add(line),
        (None, _) if options.all => source.first,
        (None, _) if options.call => current.saturating_sub(LINES / 2 - 1),
        (None, Some((seen, next))) if seen == key => u64::from(next),
        _ => source.first,
    };
    let count = source.count();
    let to = match options.all {
        true => source.last.saturating_add(1),
        false => from.saturating_add(LINES),
    };
    let to = to.min(count).min(from.saturating_add(MAX_LINES));
    let lines = (from..to)
        .map(|i| source.line(i))
        .collect::<Result<Vec<_>>>()?;
    if lines.is_empty() {
        let end = source.number(count).saturating_sub(1);
        return Err(Error::other(format!("the script ends at line {end}")));
    }
    Ok(Page {
        file: source.file,
        name: call.site.name().unwrap_or_default(),
        lines,
        key,
        next: u32::try_from(to).unwrap_or(u32::MAX),
    })
}

/// Source around the call being made, its line marked.
pub(super) fn lines_around(call: &Call, around: u64) -> Result<Vec<String>> {
    let Ok(source) = Source::of(call) else {
        return Ok(Vec::new());
    };
    let Some((at, _)) = source.current else {
        return Ok(Vec::new());
    };
    let to = at.saturating_add(around + 1).min(source.count());
    let mut out = Vec::new();
    for index in at.saturating_sub(around)..to {
        let line = source.line(index)?;
        out.extend(marked(line.number, &line.text, line.mark()));
    }
    Ok(out)
}

/// A line with its number; that of the call with an arrow, and one to the column under it.
fn marked(number: i64, text: &str, column: Option<u64>) -> Vec<String> {
    let shown: Vec<_> = text.split('\t').map(escape).collect();
    let shown = shown.join("\t");
    let Some(column) = column else {
        return vec![format!("  {number} {shown}")];
    };
    let before = usize::try_from(column.saturating_sub(1)).unwrap_or(usize::MAX);
    let mut units = 0;
    let before = text.chars().take_while(|c| {
        let is_before = units < before;
        units += c.len_utf16();
        is_before
    });
    // As wide as what stands above it.
    let blank: String = before
        .map(|c| match c {
            '\t' => "\t".to_string(),
            c => " ".repeat(escape(&c.to_string()).chars().count()),
        })
        .collect();
    let margin = " ".repeat(number.to_string().len() + 3);
    vec![format!("->{number} {shown}"), format!("{margin}{blank}^")]
}

/// How much of a line that long is left out before what is shown, for the call in it to be seen.
fn left_out(length: u64, column: Option<u64>) -> u64 {
    let before = column.map_or(0, |c| c.saturating_sub(MAX_LINE / 2));
    before.min(length.saturating_sub(MAX_LINE))
}

/// A line of a script, and how much of it is left out in front.
fn line_text(
    script: Script,
    ends: &[u64],
    index: u64,
    column: Option<u64>,
) -> Result<(String, u64)> {
    let at = |i: u64| usize::try_from(i).ok().and_then(|i| ends.get(i)).copied();
    let start = index.checked_sub(1).and_then(at).map_or(0, |end| end + 1);
    let end = at(index).unwrap_or(start).max(start);
    let skip = left_out(end - start, column);
    let text = script.source_slice(start + skip, end, MAX_LINE as usize)?;
    let more = text.is_truncated();
    let mut text = text.text();
    if text.ends_with('\r') {
        text.pop();
    }
    if more {
        text.push_str(MORE);
    }
    Ok((text, skip))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(words: &[&str]) -> Result<Options> {
        let words: Vec<String> = words.iter().map(|w| w.to_string()).collect();
        parse(&words)
    }

    #[test]
    fn what_says_only_that_there_is_no_source() {
        assert!(is_without_source("\n"));
        assert!(is_without_source("note: No source available\n"));
        assert!(!is_without_source("   1   \tint main() {\n"));
    }

    #[test]
    fn the_column_is_marked() {
        let lines = marked(9, "\t\u{1f642} f(x)", Some(5));
        assert_eq!(lines, ["->9 \t\u{1f642} f(x)", "    \t  ^"]);
        assert_eq!(marked(10, "f()", None), ["  10 f()"]);
    }

    #[test]
    fn the_call_in_a_long_line_is_shown() {
        assert_eq!(left_out(5000, None), 0);
        assert_eq!(left_out(5000, Some(2000)), 0);
        assert_eq!(left_out(4000, Some(3900)), 0);
        assert_eq!(left_out(20_000, Some(10_000)), 10_000 - 2048);
        assert_eq!(left_out(20_000, Some(19_999)), 20_000 - 4096);
        let line = Line {
            number: 1,
            text: String::new(),
            column: Some(10_000),
            left_out: 10_000 - 2048,
        };
        assert_eq!(line.mark(), Some(2051));
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
