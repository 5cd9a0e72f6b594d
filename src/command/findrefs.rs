//! `v8 findrefs`: who refers to an object, or has a property of a name, or holds a string.

use super::app::{App, Host};
use super::watch::Watched;
use super::Outcome;
use crate::error::{Error, Result};
use crate::heap::place::Place;
use crate::heap::referrers::{Reference, Referrers};
use crate::heap::{search, ImageOver, Scope};
use crate::object::{Cx, PropertyValue, Tagged};
use crate::render::escape;
use crate::session::Session;
use rustc_hash::{FxHashMap, FxHashSet};
use serde::Serialize;
use std::fmt::Write;

/// Help text.
pub const DETAILS: &str = "\
  -v, --value X     objects that refer to X (this is what happens without an option)
  -n, --name NAME   objects with a property NAME, and globals of that name
  -s, --string STR  objects that refer to a string that reads STR
  -r, --recursive   and who refers to those, and so on
  --limit N         lines at most (100000, with -r 1000; 0: all)
  --json            print the result as JSON

A line says which object refers, where in it, and to what:

    0x15c0dcc855d9: Foo.name=0x15c0dcc85b21      a property
    0x15c0dcc855d9: (Array)[9]=0x15c0dcc85b21    an element
    0x15c0dcc855d9: Context.x=0x15c0dcc85b21     a variable that closures see
    0x15c0dcc855d9: Map.<value of \"k\">=0x15c...   an entry of a Map, and other parts with no name
                                                 in JavaScript

Elements, properties and tables outside of the object are looked through to the object they belong
to. Stacks of threads and the isolate's own words are searched as well.";

/// Lines shown if the user does not say.
const LINES: usize = 100_000;
/// The same for a recursive search, which soon has most of the heap.
const RECURSIVE_LINES: usize = 1000;
/// Levels of a recursive search at most.
const LEVELS: usize = 1000;
/// Bytes of one thread's stack that are searched.
const STACK: u64 = 64 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Search {
    Value,
    Name,
    String,
}

struct Request {
    search: Search,
    recursive: bool,
    json: bool,
    limit: Option<usize>,
    words: Vec<String>,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// 0 for what refers to the object itself, 1 for what refers to that.
    pub level: usize,
    /// Tagged address of what refers; the address of the word itself on a stack.
    #[serde(serialize_with = "super::json::address")]
    pub holder: u64,
    #[serde(rename = "type")]
    pub type_name: String,
    /// As it follows the type: `.name`, `[3]`, `.<context>`.
    pub place: String,
    /// What is referred to: a tagged address, or a number.
    pub value: String,
    /// What refers to the referring object stands elsewhere: further up, or on a shorter way to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elsewhere: Option<Elsewhere>,
}

/// Where a recursive search shows an object that it meets again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Elsewhere {
    Above,
    Below,
}

/// The result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    pub references: Vec<Line>,
    /// There are more than the limit.
    pub truncated: bool,
    /// The text searched for with `-s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub string: Option<String>,
}

/// Runs the command.
pub fn run(app: &mut App, host: &dyn Host, arguments: &[String]) -> Outcome {
    let mut request = match parse(arguments) {
        Ok(Some(request)) => request,
        Ok(None) => return super::help::of("findrefs"),
        Err(error) => return Outcome::failed(error),
    };
    if app.settings.compat_llnode {
        request.limit = request.limit.or(Some(LINES));
    }
    let padding = app.settings.tree_padding.clamp(1, 10);
    let result = app
        .session(host)
        .and_then(|session| answer(session, host, &request));
    match result {
        Ok(found) if request.json => super::json(&found),
        Ok(found) => Outcome::ok(render(&found, &request, padding)),
        Err(error) => error.into(),
    }
}

fn parse(arguments: &[String]) -> std::result::Result<Option<Request>, String> {
    let mut request = Request {
        search: Search::Value,
        recursive: false,
        json: false,
        limit: None,
        words: Vec::new(),
    };
    let mut arguments = arguments.iter();
    let mut is_search_given = false;
    while let Some(word) = arguments.next() {
        let mut given = None;
        match word.as_str() {
            "-v" | "--value" => given = Some(Search::Value),
            "-n" | "--name" => given = Some(Search::Name),
            "-s" | "--string" => given = Some(Search::String),
            "-r" | "--recursive" => request.recursive = true,
            "--json" => request.json = true,
            "--limit" => {
                let number = arguments.next().and_then(|n| n.parse().ok());
                request.limit = Some(number.ok_or("--limit needs a number")?);
            }
            "-h" | "--help" => return Ok(None),
            other if other.starts_with('-') && other.len() > 1 && request.words.is_empty() => {
                return Err("Invalid search type".to_string());
            }
            _ => request.words.push(word.clone()),
        }
        if let Some(search) = given {
            request.search = search;
            is_search_given = true;
        }
    }
    if request.words.is_empty() {
        return Err(match is_search_given {
            true => "Missing search parameter".to_string(),
            false => "USAGE: v8 findrefs expr".to_string(),
        });
    }
    if request.search != Search::Value && request.words.len() > 1 {
        return Err("Extra search parameter or unquoted string specified.".to_string());
    }
    Ok(Some(request))
}

fn answer(session: &Session, host: &dyn Host, request: &Request) -> Result<Found> {
    let watched = Watched::new(host);
    let watch = |what: &str, fraction: f64| watched.tick(what, fraction);
    let value = match request.search {
        Search::Value => {
            let value = session.target().evaluate(&request.words.concat())?;
            if value & 1 == 0 {
                return Err(Error::other("Search value is an SMI."));
            }
            Some(value & !3)
        }
        _ => None,
    };
    let heap = session.heap(&watch)?;
    let classes = session.classes(&watch)?;
    let cx = session.cx()?;
    let memory = ImageOver {
        image: &heap.image,
        target: cx.memory,
    };
    let scope = match value {
        // An object is referred to from its own isolate only.
        Some(address) => Scope::of(session.isolate_of(address)?),
        None => session.scope()?,
    };
    let referrers = Referrers {
        heap,
        scope,
        classes,
        cx: Cx {
            memory: &memory,
            layout: cx.layout,
        },
        watch: &watch,
    };
    let mut string = None;
    let text = request.words.first().map_or("", |w| w.as_str());
    let mut lines = Vec::new();
    let first = match (request.search, value) {
        (Search::Value, Some(address)) => {
            check_object(&referrers, address)?;
            lines.extend(outside(session, &referrers, address)?);
            referrers.of(&[address])?
        }
        (Search::Name, _) => {
            lines.extend(named(&referrers, text)?);
            Vec::new()
        }
        _ => {
            string = Some(text.to_string());
            let mut strings = search::strings(heap, referrers.cx, text, &watch)?;
            strings.retain(|at| scope.has_address(heap, *at));
            referrers.of(&strings)?
        }
    };
    lines.extend(first.iter().map(|r| line(r, 0)));
    let limit = match request.limit {
        Some(0) => usize::MAX,
        Some(limit) => limit,
        None if request.recursive => RECURSIVE_LINES,
        None => LINES,
    };
    let mut found = Found {
        truncated: lines.len() > limit,
        references: lines,
        string,
    };
    if request.recursive {
        found = recurse(&referrers, found, value, limit)?;
    }
    found.references.truncate(limit);
    Ok(found)
}

/// Refuses what is no object of the heap, saying what it is.
fn check_object(referrers: &Referrers<'_>, address: u64) -> Result<()> {
    match referrers.heap.object_at(address) {
        Some(object) if object.address == address => Ok(()),
        Some(object) => Err(Error::other(format!(
            "{:#x} is inside of {:#x}, a {}; search for that",
            address | 1,
            object.address | 1,
            escape(&referrers.type_name(object))
        ))),
        None => Err(Error::other(format!(
            "{:#x} is no object of V8's heap (see 'v8 findjsinstances' for addresses of objects)",
            address | 1
        ))),
    }
}

fn line(reference: &Reference, level: usize) -> Line {
    Line {
        level,
        holder: reference.holder | 1,
        type_name: reference.type_name.clone(),
        place: reference.place.to_string(),
        value: format!("{:#x}", reference.target | 1),
        elsewhere: None,
    }
}

/// Words on the stacks of threads and in isolates that point to the object.
fn outside(session: &Session, referrers: &Referrers<'_>, address: u64) -> Result<Vec<Line>> {
    let memory = session.target().memory();
    let regions = session.target().regions()?;
    let mut areas = Vec::new();
    for thread in session.target().threads() {
        let sp = thread.registers.sp & !7;
        if let Some(region) = regions.iter().find(|r| r.contains(sp)) {
            let size = (region.end - sp).min(STACK);
            areas.push((format!("stack of thread #{}", thread.index), sp, size));
        }
    }
    for isolate in &session.isolates()?.isolates {
        let size = isolate.heap.saturating_sub(isolate.address);
        areas.push(("isolate".to_string(), isolate.address, size));
    }
    let mut found = Vec::new();
    for (name, start, size) in areas {
        (referrers.watch)("searching stacks", 0.0)?;
        let mut bytes = vec![0; size as usize & !7];
        let mut done = 0;
        while done < bytes.len() {
            match memory.read_partial(start + done as u64, &mut bytes[done..]) {
                0 => break,
                n => done += n,
            }
        }
        for (i, word) in bytes[..done].chunks_exact(8).enumerate() {
            let word = u64::from_le_bytes(word.try_into().unwrap_or_default());
            if word == address | 1 {
                found.push(Line {
                    level: 0,
                    holder: start + i as u64 * 8,
                    type_name: format!("({name})"),
                    place: String::new(),
                    value: format!("{word:#x}"),
                    elsewhere: None,
                });
            }
        }
    }
    Ok(found)
}

/// Objects with a property of this name.
fn named(referrers: &Referrers<'_>, name: &str) -> Result<Vec<Line>> {
    let owners = search::owners(referrers.heap, referrers.cx, name, referrers.watch)?;
    let show = |value: &Option<PropertyValue>| match value {
        Some(PropertyValue::Tagged(Tagged(word)) | PropertyValue::Native(Tagged(word))) => {
            format!("{word:#x}")
        }
        Some(PropertyValue::Double(number)) => number.to_string(),
        Some(PropertyValue::Accessors { getter, .. }) => format!("{:#x}", getter.0),
        Some(_) => "undefined".to_string(),
        None => "???".to_string(),
    };
    Ok(owners
        .iter()
        .filter(|owner| referrers.scope.has_address(referrers.heap, owner.object))
        .filter_map(|owner| {
            let object = referrers.heap.object_at(owner.object)?;
            Some(Line {
                level: 0,
                holder: owner.object | 1,
                type_name: referrers.type_name(object),
                place: Place::Property(name.to_string()).to_string(),
                value: show(&owner.value),
                elsewhere: None,
            })
        })
        .collect())
}

/// Follows references upwards: level by level, all objects of a level in one search; then the
/// tree is put in order.
fn recurse(
    referrers: &Referrers<'_>,
    found: Found,
    start: Option<u64>,
    limit: usize,
) -> Result<Found> {
    let is_object = |l: &Line| l.holder & 1 == 1;
    let mut above: FxHashMap<u64, Vec<Line>> = FxHashMap::default();
    // Level at which an object is reached first, on the shortest way.
    let mut first: FxHashMap<u64, usize> = start.map(|s| (s, 0)).into_iter().collect();
    let mut level: Vec<u64> = Vec::new();
    let mut total = found.references.len();
    for line in found.references.iter().filter(|l| is_object(l)) {
        let holder = line.holder & !3;
        if first.insert(holder, 0).is_none() {
            level.push(holder);
        }
    }
    for depth in 1..LEVELS {
        if level.is_empty() || total > limit {
            break;
        }
        let mut next = Vec::new();
        for reference in referrers.of(&level)? {
            total += 1;
            first.entry(reference.holder).or_insert_with(|| {
                next.push(reference.holder);
                depth
            });
            let lines = above.entry(reference.target).or_default();
            lines.push(line(&reference, 0));
        }
        level = next;
    }
    let mut out = Found {
        references: Vec::new(),
        truncated: found.truncated || !level.is_empty(),
        string: found.string,
    };
    let mut seen: FxHashSet<u64> = start.into_iter().collect();
    // The next line to print last.
    let mut work: Vec<Line> = found.references.into_iter().rev().collect();
    while let Some(mut line) = work.pop() {
        if out.references.len() >= limit {
            out.truncated = true;
            break;
        }
        let holder = line.holder & !3;
        if is_object(&line) {
            if seen.contains(&holder) {
                line.elsewhere = Some(Elsewhere::Above);
            } else if first.get(&holder).is_some_and(|level| *level < line.level) {
                line.elsewhere = Some(Elsewhere::Below);
            } else {
                seen.insert(holder);
                for up in above.get(&holder).into_iter().flatten().rev() {
                    work.push(Line {
                        level: line.level + 1,
                        ..up.clone()
                    });
                }
            }
        }
        out.references.push(line);
    }
    Ok(out)
}

fn render(found: &Found, request: &Request, padding: usize) -> String {
    let mut text = String::new();
    if found.references.is_empty() {
        let what = match request.search {
            Search::Value => format!("No references to {} found", request.words.concat()),
            Search::Name => format!(
                "No objects with a property {} found",
                request.words.concat()
            ),
            Search::String => format!("No references to '{}' found", request.words.concat()),
        };
        let _ = writeln!(text, "{}", escape(&what));
    }
    for line in &found.references {
        if line.level > 0 {
            let indent = padding * (line.level - 1);
            let _ = write!(text, "{:indent$}+{:width$}", "", "", width = padding - 1);
            if padding == 1 {
                text.push(' ');
            }
        }
        let _ = write!(
            text,
            "{:#x}: {}{}={}",
            line.holder,
            escape(&line.type_name),
            escape(&line.place),
            line.value
        );
        if let (Some(string), 0) = (&found.string, line.level) {
            let _ = write!(text, " '{}'", escape(string));
        }
        match line.elsewhere {
            Some(Elsewhere::Above) => text.push_str(" [seen above]"),
            Some(Elsewhere::Below) => text.push_str(" [see below]"),
            None => {}
        }
        text.push('\n');
    }
    if found.truncated {
        text.push_str("(there are more; see --limit)\n");
    }
    text
}
