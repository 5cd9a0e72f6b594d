//! `v8 async`.

use super::app::{App, Host};
use super::watch::Watched;
use super::Outcome;
use crate::error::{Error, Result};
use crate::heap::ImageOver;
use crate::object::Cx;
use crate::render::escape;
use crate::stack::{
    await_position, pending, pending_name_of, Closures, PendingGroup, PendingKind, Places, Section,
    Waiting, WaitsFor,
};
use serde_json::{json, Value};
use std::fmt::Write;

/// Help.
pub const DETAILS: &str = "Counts the async functions and generators of the heap that have not \
    finished, by the place in the\nsource where they wait, with what they wait for and, for one of \
    each place, who waits for it. Those\ncome first that wait for no other async function, but for \
    a timer, a connection, a file; last come\ngenerators that were not run to their end, which wait \
    for whoever runs them on. 'Promise.race' is\nwhat takes the first result of several promises. \
    Objects that nothing reaches any more count as long\nas no garbage collection has taken \
    them.\n\n\
    \x20 -n N    at most N places (20; 0: all)\n\
    \x20 --json  print the result as JSON";

/// Those that wait for a sample, shown at most.
const MAX_CHAIN: usize = 16;

/// Runs the command.
pub fn run(app: &mut App, host: &dyn Host, arguments: &[String]) -> Outcome {
    show(app, host, arguments).unwrap_or_else(Outcome::from)
}

fn show(app: &mut App, host: &dyn Host, words: &[String]) -> Result<Outcome> {
    let (mut as_json, mut limit) = (false, 20usize);
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        match word.as_str() {
            "--help" | "-h" => return Ok(super::help::of("async")),
            "--json" => as_json = true,
            "-n" => {
                let number = rest.next().and_then(|n| n.parse().ok());
                limit = number.ok_or_else(|| Error::other("-n needs a number"))?;
            }
            other => return Err(Error::other(format!("unknown option '{other}'"))),
        }
    }
    let session = app.session(host)?;
    let closures = Closures::new(&session.v8()?.program, session.target().memory());
    let watched = Watched::new(host);
    let watch = |what: &str, fraction: f64| watched.tick(what, fraction);
    let heap = session.heap(&watch)?;
    let cx = session.cx()?;
    let memory = ImageOver {
        image: &heap.image,
        target: cx.memory,
    };
    let cx = Cx {
        memory: &memory,
        layout: cx.layout,
    };
    let groups = pending(cx, heap, session.scope()?, closures, &watch)?;
    let shown = if limit == 0 { groups.len() } else { limit };
    if as_json {
        let list: Vec<Value> = groups
            .iter()
            .take(shown)
            .map(|g| to_json(cx, closures, g))
            .collect();
        let value = json!({
            "total": groups.iter().map(|g| g.count).sum::<u64>(),
            "places": groups.len(),
            "groups": list,
        });
        return Ok(Outcome::ok(format!("{value:#}\n")));
    }
    Ok(Outcome::ok(text(cx, closures, &groups, shown)))
}

fn text(cx: Cx, closures: Closures, groups: &[PendingGroup], shown: usize) -> String {
    let total: u64 = groups.iter().map(|g| g.count).sum();
    if total == 0 {
        return "Nothing waits: no async function or generator is unfinished.\n".to_string();
    }
    let mut out = format!(
        "{total} unfinished, at {} {}\n",
        groups.len(),
        if groups.len() == 1 { "place" } else { "places" }
    );
    let mut section = Section::Outside;
    for group in groups.iter().take(shown) {
        if group.section() != section {
            section = group.section();
            out += match section {
                Section::Outside => "",
                Section::Functions => "waiting for other async functions:\n",
                Section::Idle => "waiting to be run on:\n",
            };
        }
        let name = group.function.debug_name().unwrap_or_default();
        let name = if name.is_empty() {
            "<anonymous>".to_string()
        } else {
            name
        };
        let _ = writeln!(
            out,
            "{:>8}  {} {} at {}",
            group.count,
            kind_text(group.kind),
            escape(&name),
            place_text(group)
        );
        // Two that differ by what a reader does not see are one to him.
        let mut reasons: Vec<(String, u64)> = Vec::new();
        for (what, count) in &group.waits_for {
            let Some(what) = waits_text(cx, *what) else {
                continue;
            };
            match reasons.iter_mut().find(|(known, _)| *known == what) {
                Some((_, all)) => *all = all.saturating_add(*count),
                None => reasons.push((what, *count)),
            }
        }
        let reasons: Vec<String> = reasons
            .into_iter()
            .take(3)
            .map(|(what, count)| match count == group.count {
                true => what,
                false => format!("{what} ({count})"),
            })
            .collect();
        if !reasons.is_empty() {
            let _ = writeln!(out, "            waits for {}", reasons.join(", "));
        }
        let _ = writeln!(out, "            e.g. {:#x}", group.sample.0.tagged().0);
        for line in chain(closures, group) {
            let _ = writeln!(out, "              awaited by {}", escape(&line));
        }
    }
    if groups.len() > shown {
        let _ = writeln!(
            out,
            "(… {} more places; -n 0 shows all)",
            groups.len() - shown
        );
    }
    out
}

fn kind_text(kind: PendingKind) -> &'static str {
    match kind {
        PendingKind::AsyncFunction => "async function",
        PendingKind::AsyncGenerator => "async generator",
        PendingKind::IdleAsyncGenerator => "idle async generator",
        PendingKind::Generator => "generator",
    }
}

fn place_text(group: &PendingGroup) -> String {
    match &group.place {
        Ok(Some(place)) => escape(&place.to_string()).into_owned(),
        Ok(None) => "<no script>".to_string(),
        Err(error) => format!("??? ({})", escape(&error.to_string())),
    }
}

fn waits_text(cx: Cx, what: WaitsFor) -> Option<String> {
    Some(match what {
        WaitsFor::Function(shared) => {
            format!("async {}", escape(&pending_name_of(cx, shared)))
        }
        WaitsFor::Combinator { name, .. } => format!("Promise.{name}"),
        WaitsFor::Promise => "a promise".to_string(),
        WaitsFor::Nothing => return None,
    })
}

/// Who waits for a group's sample, in the words of a stack trace.
fn chain(closures: Closures, group: &PendingGroup) -> Vec<String> {
    let places = Places::default();
    closures
        .waiting_for(group.sample)
        .iter()
        .take(MAX_CHAIN)
        .map(|waiting| match waiting {
            Waiting::Function(generator) => {
                let function = generator.function().ok();
                let name = function.and_then(|f| f.debug_name().ok());
                let name = name.filter(|n| !n.is_empty());
                let name = name.unwrap_or_else(|| "<anonymous>".to_string());
                let script = function.and_then(|f| f.shared().ok()?.script().ok()?);
                let place = await_position(*generator)
                    .ok()
                    .and_then(|at| places.place(script?, at).ok());
                match place {
                    Some(place) => format!("async {name} ({place})"),
                    None => format!("async {name}"),
                }
            }
            Waiting::Combinator { name, index, .. } => {
                format!("async Promise.{name} (index {index})")
            }
        })
        .collect()
}

fn to_json(cx: Cx, closures: Closures, group: &PendingGroup) -> Value {
    let reasons = group.waits_for.iter().map(|(what, count)| {
        let (kind, function) = match what {
            WaitsFor::Function(shared) => ("async_function", Some(pending_name_of(cx, *shared))),
            WaitsFor::Combinator { name, .. } => ("combinator", Some(format!("Promise.{name}"))),
            WaitsFor::Promise => ("promise", None),
            WaitsFor::Nothing => ("nothing", None),
        };
        json!({ "kind": kind, "function": function, "count": count })
    });
    json!({
        "count": group.count,
        "kind": group.kind,
        "function": group.function.debug_name().ok(),
        "place": group.place.as_ref().ok(),
        "error": group.place.as_ref().err().map(|e| e.to_string()),
        "sample": format!("{:#x}", group.sample.0.tagged().0),
        "waits_for": reasons.collect::<Vec<_>>(),
        "awaited_by": chain(closures, group),
    })
}
