//! `v8 findjsobjects`: how many objects of each class, and their size.

use super::app::{App, Host};
use super::live::Live;
use super::watch::Watched;
use super::Outcome;
use crate::error::{Error, Result};
use crate::heap::{HeapIndex, Scope};
use crate::metadata::InstanceType;
use crate::object::{Cx, HeapObject, JSString, Map, Symbol};
use crate::session::Session;
use serde::Serialize;
use std::collections::HashMap;
use std::fmt::Write;

/// Help text.
pub const DETAILS: &str = "\
Fewest first. A class is what V8's heap snapshot calls it: the constructor's name. Plain arrays
are (Array), strings (String). What holds the objects together has rows as well: (object elements)
and (object properties) are the stores of elements and properties outside of the objects,
(collection tables) those of Map, Set and their like.

Size is V8's self size, in bytes: the object itself, strings with their characters. What an object
keeps outside of itself is counted in a row of its own, memory outside of V8's heap not at all.

All objects on the isolate's pages are counted; what V8 shares between isolates (its own read-only
objects) counts in each. Those that died since V8 last swept are counted too: how many these are is
told below the table (for heaps of more than a million objects only when the graph is there that
'v8 leaks', --live and others make). With 'settings set compat llnode' it is not.

  -d, -v      one line for each shape: class and names of properties
  --live      count only what is reachable from a root
  --retained  a column more: what would be freed with the objects of the class, as DevTools counts
              (the stores of elements and properties count with their owners there)
  --json      print the result as JSON";

/// A row: one class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    pub name: String,
    pub instances: u64,
    /// Bytes, V8's self size.
    pub size: u64,
    /// What would be freed with the class's objects (with `--retained`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retained: Option<u64>,
    /// Values a program holds, not V8's own.
    pub is_value: bool,
}

/// A row of `-d`: one shape.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShapeRow {
    /// Address of one such object, tagged.
    #[serde(serialize_with = "super::json::address")]
    pub sample: u64,
    pub name: String,
    /// Names of its properties.
    pub properties: Vec<String>,
    pub instances: u64,
    pub size: u64,
    /// Length of its arrays, added up.
    pub elements: u64,
}

/// What was covered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Covered {
    /// The isolate whose objects were counted; none for all together.
    pub isolate: Option<IsolateName>,
    /// Isolates of the process.
    pub isolates: usize,
    pub objects: u64,
    pub object_bytes: u64,
    /// This and what follows: in the heaps of all isolates.
    pub free_bytes: u64,
    /// Garbage that V8 had yet to sweep, of which too little is left to say what it was.
    pub unswept_bytes: u64,
    pub unknown_bytes: u64,
    /// Bytes of pages that the core does not hold.
    pub missing_bytes: u64,
}

/// An isolate as 'v8 threads' lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IsolateName {
    pub number: usize,
    #[serde(serialize_with = "super::json::address")]
    pub address: u64,
}

/// The result of the command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Histogram {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<Row>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shapes: Vec<ShapeRow>,
    pub covered: Covered,
    /// What of the count nothing holds; with `--live` it is not in the count. `None`: not known yet.
    pub garbage: Option<Garbage>,
    pub warnings: Vec<String>,
}

/// Objects that died since V8 last swept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Garbage {
    pub objects: u64,
    #[serde(rename = "size")]
    pub bytes: u64,
}

/// Up to how many objects garbage is sought without being asked: it takes as long as counting them.
const QUICK: u64 = 1_000_000;

/// What to count, and how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    pub detailed: bool,
    pub live: bool,
    pub retained: bool,
    /// As llnode does.
    pub compat: bool,
}

/// Runs the command.
pub fn run(app: &mut App, host: &dyn Host, arguments: &[String]) -> Outcome {
    let mut options = Options {
        compat: app.settings.compat_llnode,
        ..Options::default()
    };
    let mut json = false;
    for argument in arguments {
        match argument.as_str() {
            "-d" | "-v" | "--detailed" | "--verbose" => options.detailed = true,
            "--live" => options.live = true,
            "--retained" => options.retained = true,
            "--json" => json = true,
            "-h" | "--help" => return super::help::of("findjsobjects"),
            other => {
                return Outcome::failed(format!(
                    "findjsobjects has no option '{other}'; see 'v8 findjsobjects --help'"
                ))
            }
        }
    }
    if options.detailed && options.retained {
        return Outcome::failed("--retained goes by class, not by shape (without -d)");
    }
    let result = app
        .session(host)
        .and_then(|session| histogram(session, host, options));
    match result {
        Ok(found) if json => super::json(&found),
        Ok(found) => Outcome::ok(render(&found, options)),
        Err(error) => error.into(),
    }
}

/// Counts.
pub fn histogram(session: &Session, host: &dyn Host, options: Options) -> Result<Histogram> {
    let watched = Watched::new(host);
    let watch = |what: &str, fraction: f64| watched.tick(what, fraction);
    let heap = session.heap(&watch)?;
    let classes = session.classes(&watch)?;
    let isolates = session.isolates()?;
    let mut rows = Vec::new();
    let mut shapes = Vec::new();
    let scope = session.scope()?;
    let live = match options.live || options.retained {
        true => Some(Live::of(session, heap, &watch)?),
        false => None,
    };
    let counted = live.as_ref().filter(|_| options.live);
    let tallies = match counted {
        Some(live) => live.tallies(heap, classes, scope, &watch)?.into(),
        None => session.tallies(scope, &watch)?,
    };
    if options.detailed {
        shapes = shape_rows(session, heap, scope, counted, &watch)?;
    } else {
        let retained = live
            .filter(|_| options.retained)
            .map(|l| l.retained(heap, classes));
        for (number, (class, tally)) in classes.all.iter().zip(tallies.iter()).enumerate() {
            if tally.count > 0 {
                rows.push(Row {
                    name: class.name.clone(),
                    instances: tally.count,
                    size: tally.bytes,
                    retained: retained.as_ref().and_then(|r| r.get(number).copied()),
                    is_value: class.is_value,
                });
            }
        }
        rows.sort_by(|a, b| (a.instances, a.size, &a.name).cmp(&(b.instances, b.size, &b.name)));
    }
    let mut warnings = isolates.warnings.clone();
    warnings.extend(session.v8()?.warnings.iter().cloned());
    let gaps = heap.coverage.gaps(heap.image.missing);
    warnings.extend(gaps.map(|g| format!("{g}: there are objects not counted")));
    let isolate = match scope {
        Scope::All => None,
        Scope::Heap(_) => {
            let isolate = session.isolate()?;
            isolates.number(isolate).map(|number| IsolateName {
                number,
                address: isolate.address,
            })
        }
    };
    Ok(Histogram {
        classes: rows,
        shapes,
        covered: Covered {
            isolate,
            isolates: isolates.isolates.len(),
            objects: tallies.iter().map(|t| t.count).sum(),
            object_bytes: tallies.iter().map(|t| t.bytes).sum(),
            free_bytes: heap.coverage.free_bytes,
            unswept_bytes: heap.coverage.unswept_bytes,
            unknown_bytes: heap.coverage.unknown_bytes,
            missing_bytes: heap.image.missing,
        },
        garbage: garbage(session, heap, options, &watch)?,
        warnings,
    })
}

/// What nothing holds, where that is known or soon found out.
fn garbage(
    session: &Session,
    heap: &HeapIndex,
    options: Options,
    watch: crate::heap::Watch<'_>,
) -> Result<Option<Garbage>> {
    let isolates = session.scoped_isolates()?;
    let known = isolates.iter().all(|i| session.has_graph(i));
    if !known && (options.compat || heap.coverage.objects > QUICK) {
        return Ok(None);
    }
    let mut sum = Garbage {
        objects: 0,
        bytes: 0,
    };
    for isolate in isolates {
        match session.garbage(isolate, watch) {
            Ok((objects, bytes)) => {
                sum.objects += objects;
                sum.bytes = sum.bytes.saturating_add(bytes);
            }
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            // The count stands without it.
            Err(_) => return Ok(None),
        }
    }
    Ok(Some(sum))
}

fn shape_rows(
    session: &Session,
    heap: &HeapIndex,
    scope: Scope,
    live: Option<&Live>,
    watch: crate::heap::Watch<'_>,
) -> Result<Vec<ShapeRow>> {
    let classes = session.classes(watch)?;
    let cx = session.cx()?;
    let memory = crate::heap::ImageOver {
        image: &heap.image,
        target: cx.memory,
    };
    let cx = Cx {
        memory: &memory,
        layout: cx.layout,
    };
    // What each Map adds: sample, count, bytes, elements, by class.
    let mut sums: HashMap<(u32, u32), ShapeRow> = HashMap::new();
    for page in 0..heap.page_count() {
        watch("counting shapes", page as f64 / heap.page_count() as f64)?;
        for object in scope.objects_of(heap, page) {
            let Some(class) = classes.of_object(object) else {
                continue;
            };
            let Some(map) = heap.map_of(object) else {
                continue;
            };
            if live.is_some_and(|l| !l.holds(heap, page, object)) {
                continue;
            }
            let is_value = classes.all.get(class as usize).is_some_and(|c| c.is_value);
            if !is_value {
                continue;
            }
            let row = sums.entry((object.map, class)).or_insert_with(|| ShapeRow {
                sample: object.address | 1,
                name: classes.name(class).to_string(),
                properties: Vec::new(),
                instances: 0,
                size: 0,
                elements: 0,
            });
            row.instances += 1;
            row.size += heap.size_of(object).unwrap_or(0);
            if map.kind == InstanceType::JSArray {
                let length = HeapObject::new(cx, object.address)
                    .smi_field(cx.layout.js_array.length)
                    .unwrap_or(0);
                row.elements += u64::try_from(length).unwrap_or(0);
            }
        }
    }
    let mut shapes: HashMap<(String, Vec<String>), ShapeRow> = HashMap::new();
    let mut names: HashMap<u32, Vec<String>> = HashMap::new();
    let mut by_address: Vec<_> = sums.into_iter().collect();
    by_address.sort_by_key(|(_, row)| row.sample);
    for ((map, _), row) in by_address {
        let properties = names
            .entry(map)
            .or_insert_with(|| property_names(cx, heap, map))
            .clone();
        match shapes.entry((row.name.clone(), properties.clone())) {
            std::collections::hash_map::Entry::Occupied(mut sum) => {
                let sum = sum.get_mut();
                sum.instances += row.instances;
                sum.size += row.size;
                sum.elements += row.elements;
            }
            std::collections::hash_map::Entry::Vacant(slot) => {
                slot.insert(ShapeRow { properties, ..row });
            }
        }
    }
    let mut rows: Vec<ShapeRow> = shapes.into_values().collect();
    rows.sort_by(|a, b| {
        (a.instances, a.size, &a.name, a.sample).cmp(&(b.instances, b.size, &b.name, b.sample))
    });
    Ok(rows)
}

/// Names of the properties of a Map's objects; empty for dictionaries, which have no names in common.
fn property_names(cx: Cx<'_>, heap: &HeapIndex, map: u32) -> Vec<String> {
    let Some(info) = heap.maps.get(map as usize) else {
        return Vec::new();
    };
    if !cx.layout.types.is_js_object(info.number) {
        return Vec::new();
    }
    let map = Map(HeapObject::new(cx, info.address));
    if map.is_dictionary().unwrap_or(false) {
        return Vec::new();
    }
    let entries = map.own_descriptor_entries().unwrap_or_default();
    entries.iter().map(|d| key_name(cx, d.key)).collect()
}

/// A property's name as text.
pub fn key_name(cx: Cx<'_>, key: crate::object::Tagged) -> String {
    let read = || -> Result<String> {
        let object = cx.object(key)?;
        if object.is_string()? {
            return Ok(JSString(object).read(256)?.text());
        }
        let description = Symbol(object).description(256)?.unwrap_or_default();
        Ok(format!("Symbol({})", description.text()))
    };
    read().unwrap_or_else(|_: Error| "???".to_string())
}

fn render(found: &Histogram, options: Options) -> String {
    let mut text = String::new();
    for warning in &found.warnings {
        let _ = writeln!(text, "warning: {warning}");
    }
    if options.detailed {
        render_shapes(&found.shapes, &mut text);
    } else {
        render_classes(&found.classes, options.retained, &mut text);
    }
    if let (Some(isolate), true) = (&found.covered.isolate, found.covered.isolates > 1) {
        let _ = writeln!(
            text,
            "(isolate {} of {}; --isolate N for another, --isolate all for all together)",
            isolate.number, found.covered.isolates
        );
    }
    if options.compat {
        return text;
    }
    if found.covered.unswept_bytes > 0 {
        let _ = writeln!(
            text,
            "{} bytes of garbage that waited for V8's sweeper are not counted: their Maps are gone.",
            found.covered.unswept_bytes
        );
    }
    let nothing = match found.warnings.is_empty() {
        true => "nothing",
        // What holds them may be in a part of the heap that is not there.
        false => "nothing in what there is of the heap",
    };
    let _ = match (found.garbage, options.live) {
        (Some(g), true) => writeln!(
            text,
            "Not counted are {} objects ({} bytes) that {nothing} holds.",
            g.objects, g.bytes
        ),
        (Some(g), false) => writeln!(
            text,
            "{} of these objects ({} bytes) are garbage, which {nothing} holds (--live leaves it out).",
            g.objects, g.bytes
        ),
        (None, _) => writeln!(
            text,
            "Garbage is counted too (--live leaves it out, which takes longer)."
        ),
    };
    text
}

fn render_classes(rows: &[Row], retained: bool, text: &mut String) {
    let column = |text: &str| match retained {
        true => format!("{text:>10} "),
        false => String::new(),
    };
    let _ = writeln!(text, " Instances  Total Size {}Name", column("Retained"));
    let _ = writeln!(text, " ---------- ---------- {}----", column("----------"));
    let (mut count, mut size) = (0, 0);
    for row in rows {
        let name = crate::render::escape(&row.name);
        let of_row = column(&row.retained.unwrap_or(0).to_string());
        let _ = writeln!(
            text,
            " {:>10} {:>10} {of_row}{name}",
            row.instances, row.size
        );
        count += row.instances;
        size += row.size;
    }
    let _ = writeln!(
        text,
        " ---------- ---------- {}",
        column("----------").trim_end()
    );
    let _ = writeln!(text, " {count:>10} {size:>10} ");
}

/// Names of properties that a line shows.
const SHOWN: usize = 3;

fn render_shapes(rows: &[ShapeRow], text: &mut String) {
    text.push_str("   Sample Obj.  Instances  Total Size  Properties  Elements  Name\n");
    text.push_str(" ------------- ---------- ----------- ----------- --------- -----\n");
    let (mut count, mut size) = (0, 0);
    for row in rows {
        let mut name = row.name.clone();
        for (i, property) in row.properties.iter().take(SHOWN).enumerate() {
            name.push_str(if i == 0 { ": " } else { ", " });
            name.push_str(property);
        }
        if row.properties.len() > SHOWN {
            name.push_str(", ...");
        }
        let _ = writeln!(
            text,
            " {:>13x} {:>10} {:>11} {:>11} {:>9} {}",
            row.sample,
            row.instances,
            row.size,
            row.properties.len(),
            row.elements,
            crate::render::escape(&name)
        );
        count += row.instances;
        size += row.size;
    }
    text.push_str(" ------------ ---------- ----------- ----------- ----------- ----\n");
    let _ = writeln!(text, "             {count:>11} {size:>11} ");
}
