//! `v8 async`.

use super::app::{App, Host};
use super::watch::Watched;
use super::Outcome;
use crate::error::{Error, Result};
use crate::graph::Reach;
use crate::heap::ImageOver;
use crate::object::Cx;
use crate::render::escape;
use crate::stack::{
    await_position, pending, pending_name_of, Alive, Awaiter, Closures, HeldBy, Pending,
    PendingGroup, PendingKind, Places, Section, SettledBy, Settles, Waiters, Waiting, WaitsFor,
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
    A promise is told by what would settle it: a Timeout, an event of an emitter, what Node has under\n\
    way (by its class: FSReqCallback), or where the program keeps the function that resolves it ('held\n\
    by Array in variable 'queue''). 'Through then': that settles another promise, which this one was\n\
    made from. A promise that nothing can resolve any more is one for which nothing alive has that\n\
    function; 'a promise' alone, that it was not found out. Of several causes up to three are named.\n\n\
    \x20 -n N    at most N places (20; 0: all)\n\
    \x20 --json  print the result as JSON";

/// Those that wait for a sample, shown at most.
const MAX_CHAIN: usize = 16;
/// Of several that wait for one promise.
const MAX_AWAITERS: usize = 3;

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
    let isolates = session.scoped_isolates()?;
    let reach = isolates.into_iter().map(|i| session.reach(i, &watch));
    let reach = reach.collect::<Result<Vec<_>>>()?;
    let found = pending(
        cx,
        heap,
        session.scope()?,
        closures,
        &Reached(reach),
        &watch,
    )?;
    let groups = &found.groups;
    let shown = if limit == 0 { groups.len() } else { limit };
    if as_json {
        let list: Vec<Value> = groups
            .iter()
            .take(shown)
            .map(|g| to_json(cx, closures, &found, g))
            .collect();
        let value = json!({
            "total": groups.iter().map(|g| g.count).sum::<u64>(),
            "places": groups.len(),
            "groups": list,
        });
        return Ok(Outcome::ok(format!("{value:#}\n")));
    }
    Ok(Outcome::ok(text(cx, closures, &found, shown)))
}

/// What is alive in any of the isolates meant.
struct Reached<'a>(Vec<Reach<'a>>);

impl Alive for Reached<'_> {
    fn is_alive(&self, address: u64) -> bool {
        self.0.iter().any(|r| r.is_alive(address))
    }

    fn is_root(&self, address: u64) -> bool {
        self.0.iter().any(|r| r.is_root(address))
    }

    fn is_handle(&self, address: u64) -> bool {
        self.0.iter().any(|r| r.is_handle(address))
    }
}

fn text(cx: Cx, closures: Closures, found: &Pending, shown: usize) -> String {
    let groups = &found.groups;
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
        for (what, waiters) in &group.waits_for {
            let Some(what) = waits_text(cx, found, *what, *waiters) else {
                continue;
            };
            match reasons.iter_mut().find(|(known, _)| *known == what) {
                Some((_, all)) => *all = all.saturating_add(waiters.count),
                None => reasons.push((what, waiters.count)),
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

fn waits_text(cx: Cx, found: &Pending, what: WaitsFor, waiters: Waiters) -> Option<String> {
    Some(match what {
        WaitsFor::Function(shared) => function_text(cx, shared),
        WaitsFor::Combinator { name, .. } => format!("Promise.{name}"),
        WaitsFor::Promise {
            settles,
            through_then,
            ..
        } => {
            let mut text = match found.settles.get(settles as usize) {
                Some(Settles::By(causes)) => causes_text(cx, causes, waiters),
                Some(Settles::Nothing) => "a promise that nothing can resolve any more".to_string(),
                Some(Settles::Unknown) | None => "a promise".to_string(),
            };
            if through_then {
                text += ", through then";
            }
            text
        }
        WaitsFor::Nothing => return None,
    })
}

fn function_text(cx: Cx, shared: u64) -> String {
    format!("async {}", escape(&pending_name_of(cx, shared)))
}

/// Several, of which the events of one class go together.
fn causes_text(cx: Cx, causes: &[SettledBy], waiters: Waiters) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut last_class = None;
    for cause in causes {
        let class = match cause {
            SettledBy::Event { class, .. } => Some(class),
            _ => None,
        };
        match (cause, parts.last_mut()) {
            (SettledBy::Event { name, class }, Some(part)) if last_class == Some(class) => {
                let of = format!(" of {}", escape(class));
                part.truncate(part.len() - of.len());
                *part += &format!(" or '{}'{of}", escape(name));
            }
            _ => parts.push(cause_text(cx, cause, waiters)),
        }
        last_class = class;
    }
    parts.join(" or ")
}

fn cause_text(cx: Cx, cause: &SettledBy, waiters: Waiters) -> String {
    match cause {
        SettledBy::Timer { repeats } => {
            let what = match repeats {
                true => "an interval",
                false => "a Timeout",
            };
            match waiters.delay {
                Some((least, most)) if least == most => format!("{what} of {least} ms"),
                Some((least, most)) => format!("{what} of {least} to {most} ms"),
                None => what.to_string(),
            }
        }
        SettledBy::Immediate => "an Immediate".to_string(),
        SettledBy::Native(class) => escape(class).into_owned(),
        SettledBy::Handle => "a promise that native code holds".to_string(),
        SettledBy::Event { name, class } => {
            format!("event '{}' of {}", escape(name), escape(class))
        }
        SettledBy::Function(shared) => function_text(cx, *shared),
        SettledBy::Combinator(name) => format!("Promise.{name}"),
        SettledBy::Microtask => "a microtask".to_string(),
        SettledBy::WaitAsync => "Atomics.waitAsync".to_string(),
        SettledBy::StreamRead => "a read of a ReadableStream".to_string(),
        SettledBy::Module => "the evaluation of a module".to_string(),
        SettledBy::Held { class, by } => {
            let place = match by {
                HeldBy::Variable(name) => format!("variable '{}'", escape(name)),
                HeldBy::Global(name) => format!("global '{}'", escape(name)),
                HeldBy::Property { of, name } if of.is_empty() => {
                    format!("property '{}'", escape(name))
                }
                HeldBy::Property { of, name } => format!("{}.{}", escape(of), escape(name)),
            };
            match class.as_str() {
                "" => format!("a promise held by {place}"),
                class => format!("a promise held by {} in {place}", escape(class)),
            }
        }
    }
}

/// Who waits for a group's sample, in the words of a stack trace. It goes on where V8's own end,
/// at a promise that several things are to be called with, and says so.
fn chain(closures: Closures, group: &PendingGroup) -> Vec<String> {
    let places = Places::default();
    closures
        .awaiters(group.sample)
        .iter()
        .take(MAX_CHAIN)
        .map(|awaiter| match awaiter {
            Awaiter::One(waiting, 0) => waiting_text(waiting, &places),
            Awaiter::One(waiting, others) => {
                let waiting = waiting_text(waiting, &places);
                format!("{waiting}, beside {others} then or catch")
            }
            Awaiter::Several(some, count) => {
                let list = some.iter().take(MAX_AWAITERS);
                let list: Vec<String> = list.map(|w| waiting_text(w, &places)).collect();
                let more = match *count > list.len() {
                    true => ", …",
                    false => "",
                };
                format!("{count}: {}{more}", list.join(", "))
            }
        })
        .collect()
}

fn waiting_text(waiting: &Waiting, places: &Places) -> String {
    match waiting {
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
    }
}

fn to_json(cx: Cx, closures: Closures, found: &Pending, group: &PendingGroup) -> Value {
    let reasons = group.waits_for.iter().map(|(what, waiters)| {
        let (kind, function) = match what {
            WaitsFor::Function(shared) => ("async_function", Some(pending_name_of(cx, *shared))),
            WaitsFor::Combinator { name, .. } => ("combinator", Some(format!("Promise.{name}"))),
            WaitsFor::Promise { .. } => ("promise", None),
            WaitsFor::Nothing => ("nothing", None),
        };
        let mut value = json!({ "kind": kind, "function": function, "count": waiters.count });
        if let WaitsFor::Promise {
            settles,
            through_then,
            ..
        } = what
        {
            let settles = found.settles.get(*settles as usize);
            let causes = match settles {
                Some(Settles::By(causes)) => &causes[..],
                _ => &[],
            };
            let causes = causes.iter().map(|c| cause_json(cx, c, *waiters));
            value["settled_by"] = causes.collect();
            value["never"] = json!(settles == Some(&Settles::Nothing));
            value["through_then"] = json!(through_then);
        }
        value
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

fn cause_json(cx: Cx, cause: &SettledBy, waiters: Waiters) -> Value {
    let kind = match cause {
        SettledBy::Timer { repeats: false } => "timeout",
        SettledBy::Timer { repeats: true } => "interval",
        SettledBy::Immediate => "immediate",
        SettledBy::Native(_) => "native",
        SettledBy::Handle => "handle",
        SettledBy::Event { .. } => "event",
        SettledBy::Function(_) => "async_function",
        SettledBy::Combinator(_) => "combinator",
        SettledBy::Microtask => "microtask",
        SettledBy::WaitAsync => "atomics_wait",
        SettledBy::StreamRead => "stream_read",
        SettledBy::Module => "module",
        SettledBy::Held { by, .. } => match by {
            HeldBy::Variable(_) => "variable",
            HeldBy::Global(_) => "global",
            HeldBy::Property { .. } => "property",
        },
    };
    let some = |text: &str| (!text.is_empty()).then(|| text.to_string());
    let (class, name, of) = match cause {
        SettledBy::Native(class) => (some(class), None, None),
        SettledBy::Event { name, class } => (some(class), some(name), None),
        SettledBy::Function(shared) => (None, Some(pending_name_of(cx, *shared)), None),
        SettledBy::Combinator(name) => (None, Some(format!("Promise.{name}")), None),
        SettledBy::Held { class, by } => match by {
            HeldBy::Variable(name) | HeldBy::Global(name) => (some(class), some(name), None),
            HeldBy::Property { of, name } => (some(class), some(name), some(of)),
        },
        _ => (None, None, None),
    };
    let delay = waiters
        .delay
        .filter(|_| matches!(cause, SettledBy::Timer { .. }));
    json!({
        "kind": kind,
        "class": class,
        "name": name,
        "of": of,
        "delay": delay.map(|(least, most)| [least, most]),
    })
}
