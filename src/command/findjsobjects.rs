//! `v8 findjsobjects`: how many objects of each class, and their size.

use super::app::{App, Host};
use super::watch::Watched;
use super::Outcome;
use crate::error::{Error, Result};
use crate::heap::{Coverage, HeapIndex, Scope};
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

All objects on the isolate's pages are counted, also those that died since V8 last swept; what V8
shares between isolates (its own read-only objects) counts in each.

  -d, -v      one line for each shape: class and names of properties
  --json      print the result as JSON";

/// A row: one class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    pub name: String,
    pub instances: u64,
    /// Bytes, V8's self size.
    pub size: u64,
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
    pub warnings: Vec<String>,
}

/// Runs the command.
pub fn run(app: &mut App, host: &dyn Host, arguments: &[String]) -> Outcome {
    let mut detailed = false;
    let mut json = false;
    for argument in arguments {
        match argument.as_str() {
            "-d" | "-v" | "--detailed" | "--verbose" => detailed = true,
            "--json" => json = true,
            "-h" | "--help" => return super::help::of("findjsobjects"),
            other => {
                return Outcome::failed(format!(
                    "findjsobjects has no option '{other}'; see 'v8 findjsobjects --help'"
                ))
            }
        }
    }
    let result = app
        .session(host)
        .and_then(|session| histogram(session, host, detailed));
    match result {
        Ok(found) if json => super::json(&found),
        Ok(found) => Outcome::ok(render(&found, detailed)),
        Err(error) => error.into(),
    }
}

/// Counts.
pub fn histogram(session: &Session, host: &dyn Host, detailed: bool) -> Result<Histogram> {
    let watched = Watched::new(host);
    let watch = |what: &str, fraction: f64| watched.tick(what, fraction);
    let heap = session.heap(&watch)?;
    let classes = session.classes(&watch)?;
    let isolates = session.isolates()?;
    let mut rows = Vec::new();
    let mut shapes = Vec::new();
    let scope = session.scope()?;
    let tallies = session.tallies(scope, &watch)?;
    if detailed {
        shapes = shape_rows(session, heap, scope, &watch)?;
    } else {
        let all = classes.all.iter().zip(tallies.iter());
        let some = all.filter(|(_, tally)| tally.count > 0);
        rows.extend(some.map(|(class, tally)| Row {
            name: class.name.clone(),
            instances: tally.count,
            size: tally.bytes,
            is_value: class.is_value,
        }));
        rows.sort_by(|a, b| (a.instances, a.size, &a.name).cmp(&(b.instances, b.size, &b.name)));
    }
    let mut warnings = isolates.warnings.clone();
    warnings.extend(session.v8()?.warnings.iter().cloned());
    warnings.extend(coverage_warning(&heap.coverage, heap.image.missing));
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
            unknown_bytes: heap.coverage.unknown_bytes,
            missing_bytes: heap.image.missing,
        },
        warnings,
    })
}

/// Says where the counts are not all there is.
pub fn coverage_warning(coverage: &Coverage, missing: u64) -> Option<String> {
    let mut parts = Vec::new();
    if missing > 0 {
        parts.push(format!(
            "{missing} bytes of the heap are not in the core (cut short?)"
        ));
    }
    if coverage.unknown_bytes > 0 {
        parts.push(format!(
            "{} bytes in {} places of the heap were not understood",
            coverage.unknown_bytes, coverage.resyncs
        ));
    }
    (!parts.is_empty()).then(|| format!("{}: there are objects not counted", parts.join("; ")))
}

fn shape_rows(
    session: &Session,
    heap: &HeapIndex,
    scope: Scope,
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

fn render(found: &Histogram, detailed: bool) -> String {
    let mut text = String::new();
    for warning in &found.warnings {
        let _ = writeln!(text, "warning: {warning}");
    }
    if detailed {
        render_shapes(&found.shapes, &mut text);
    } else {
        render_classes(&found.classes, &mut text);
    }
    if let (Some(isolate), true) = (&found.covered.isolate, found.covered.isolates > 1) {
        let _ = writeln!(
            text,
            "(isolate {} of {}; --isolate N for another, --isolate all for all together)",
            isolate.number, found.covered.isolates
        );
    }
    text
}

fn render_classes(rows: &[Row], text: &mut String) {
    text.push_str(" Instances  Total Size Name\n");
    text.push_str(" ---------- ---------- ----\n");
    let (mut count, mut size) = (0, 0);
    for row in rows {
        let name = crate::render::escape(&row.name);
        let _ = writeln!(text, " {:>10} {:>10} {name}", row.instances, row.size);
        count += row.instances;
        size += row.size;
    }
    text.push_str(" ---------- ---------- \n");
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
