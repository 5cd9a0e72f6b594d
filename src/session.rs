//! Per stop of a target: what is known of it, built when first asked for, the outcome kept.

use crate::error::{Error, Result};
use crate::graph::{count_garbage, extract, HeapGraph, Reach, Source};
use crate::heap::{Classes, HeapIndex, ImageOver, Isolate, Isolates, Scope, Tally, Watch};
use crate::metadata::V8Version;
use crate::object::Cx;
use crate::program::Program;
use crate::stop::{keep, Stop};
use crate::target::Target;
pub use crate::v8::V8;
use once_cell::unsync::OnceCell;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// One stop of one target.
pub struct Session {
    stop: Stop,
    heap: OnceCell<Result<HeapIndex>>,
    classes: OnceCell<Result<Classes>>,
    /// What belongs to each class in one isolate's heap.
    tallies: RefCell<Vec<(Scope, Rc<[Tally]>)>>,
    choice: Cell<Choice>,
    /// Of the isolate at an address; what is alive, and everything.
    graphs: RefCell<Vec<GraphEntry>>,
    /// Objects that nothing holds and their bytes, by isolate's address.
    garbage: RefCell<Vec<(u64, (u64, u64))>>,
}

/// Which isolates a command is about, as the user said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Choice {
    /// The isolate of the selected thread where one runs there, else the main one.
    #[default]
    Selected,
    /// By its number: 0 is the main one, 1 the first worker's.
    Number(usize),
    /// By its own address, or that of anything in its heap.
    Address(u64),
    /// All together.
    All,
}

/// A kept graph: the isolate's address, whether of everything, and the outcome.
type GraphEntry = (u64, bool, Result<Rc<HeapView>>);

/// The graph of an isolate's heap, with what it covers.
pub struct HeapView {
    pub heap: HeapGraph,
    /// Objects on the pages.
    pub objects: u64,
    /// Objects that nothing holds, and their bytes.
    pub garbage: u64,
    pub garbage_bytes: u64,
    /// What the heap lacks, and so the graph.
    pub warnings: Vec<String>,
}

impl Session {
    /// Nothing is read until something is asked.
    pub fn new(target: Box<dyn Target>) -> Session {
        Session {
            stop: Stop::new(target),
            heap: OnceCell::new(),
            classes: OnceCell::new(),
            tallies: RefCell::new(Vec::new()),
            choice: Cell::new(Choice::Selected),
            graphs: RefCell::new(Vec::new()),
            garbage: RefCell::new(Vec::new()),
        }
    }

    /// A session that takes the target's V8 for another version.
    pub fn pretending(target: Box<dyn Target>, version: V8Version) -> Session {
        let session = Session::new(target);
        let v8 = Program::find(session.target()).and_then(|mut program| {
            program.version = version;
            V8::of(session.target(), program)
        });
        // It is empty: the session is new.
        let _ = session.stop.v8.set(v8);
        session
    }

    /// Warnings about the target's V8, if it was looked for yet.
    pub fn warnings(&self) -> &[String] {
        match self.stop.v8.get() {
            Some(Ok(v8)) => &v8.warnings,
            _ => &[],
        }
    }

    /// The target.
    pub fn target(&self) -> &dyn Target {
        &*self.stop.target
    }

    /// The target's V8.
    pub fn v8(&self) -> Result<&V8> {
        self.stop.v8()
    }

    /// The isolates and all pages of their heaps.
    pub fn isolates(&self) -> Result<&Isolates> {
        self.stop.isolates()
    }

    /// Every object of the heaps. Takes the time of reading them when first asked.
    pub fn heap(&self, watch: Watch<'_>) -> Result<&HeapIndex> {
        let v8 = self.v8()?;
        let isolates = self.isolates()?;
        keep(&self.heap, || {
            let heap = HeapIndex::build(self.target(), &v8.layout, isolates, watch)?;
            v8.check_heap(&heap)?;
            Ok(heap)
        })
    }

    /// The classes of the heaps' objects.
    pub fn classes(&self, watch: Watch<'_>) -> Result<&Classes> {
        let v8 = self.v8()?;
        let layout = &v8.layout;
        let heap = self.heap(watch)?;
        let memory = ImageOver {
            image: &heap.image,
            target: self.target().memory(),
        };
        let cx = Cx {
            memory: &memory,
            layout,
        };
        keep(&self.classes, || {
            v8.check_classes(heap, cx)?;
            Classes::of(heap, cx, watch)
        })
    }

    /// What belongs to each class in a part of the heaps, in the order of [`Classes::all`].
    pub fn tallies(&self, scope: Scope, watch: Watch<'_>) -> Result<Rc<[Tally]>> {
        if let Some((_, known)) = self.tallies.borrow().iter().find(|(s, _)| *s == scope) {
            return Ok(known.clone());
        }
        let found = self
            .classes(watch)?
            .tallies(self.heap(watch)?, scope, watch)?;
        let found: Rc<[Tally]> = found.into();
        self.tallies.borrow_mut().push((scope, found.clone()));
        Ok(found)
    }

    /// The graph of an isolate's heap: of what is alive, or of everything on its pages. Built
    /// once a stop.
    pub fn graph(&self, isolate: &Isolate, all: bool, watch: Watch<'_>) -> Result<Rc<HeapView>> {
        let known = |e: &&GraphEntry| e.0 == isolate.address && e.1 == all;
        if let Some((_, _, outcome)) = self.graphs.borrow().iter().find(known) {
            return outcome.clone();
        }
        let source = self.source(isolate, watch)?;
        let gaps = source.index.coverage.gaps(source.index.image.missing);
        let partial = |g| format!("{g}: the answer is partial");
        let mut warnings = self.isolates()?.warnings.clone();
        warnings.extend(gaps.map(partial));
        let outcome = extract(&source, all, watch).map(|found| {
            Rc::new(HeapView {
                warnings,
                heap: HeapGraph::new(found.graph),
                objects: found.objects,
                garbage: found.garbage,
                garbage_bytes: found.garbage_bytes,
            })
        });
        if outcome.as_ref().err() != Some(&Error::Interrupted) {
            let entry = (isolate.address, all, outcome.clone());
            self.graphs.borrow_mut().push(entry);
        }
        outcome
    }

    /// Whether the graph of an isolate's live objects is there, so that asking for it costs nothing.
    pub fn has_graph(&self, isolate: &Isolate) -> bool {
        let graphs = self.graphs.borrow();
        graphs
            .iter()
            .any(|(address, all, outcome)| *address == isolate.address && !all && outcome.is_ok())
    }

    /// How many objects of an isolate nothing holds, and their bytes.
    pub fn garbage(&self, isolate: &Isolate, watch: Watch<'_>) -> Result<(u64, u64)> {
        if self.has_graph(isolate) {
            let view = self.graph(isolate, false, watch)?;
            return Ok((view.garbage, view.garbage_bytes));
        }
        let known = |e: &&(u64, (u64, u64))| e.0 == isolate.address;
        if let Some((_, garbage)) = self.garbage.borrow().iter().find(known) {
            return Ok(*garbage);
        }
        let garbage = count_garbage(&self.source(isolate, watch)?, watch)?;
        self.garbage.borrow_mut().push((isolate.address, garbage));
        Ok(garbage)
    }

    /// What an isolate's roots reach.
    pub fn reach<'a>(&'a self, isolate: &'a Isolate, watch: Watch<'_>) -> Result<Reach<'a>> {
        Reach::new(&self.source(isolate, watch)?, watch)
    }

    fn source<'a>(&'a self, isolate: &'a Isolate, watch: Watch<'_>) -> Result<Source<'a>> {
        let v8 = self.v8()?;
        Ok(Source {
            target: self.target(),
            program: &v8.program,
            layout: &v8.layout,
            index: self.heap(watch)?,
            isolate,
        })
    }

    /// The isolates that a command is about.
    pub fn scoped_isolates(&self) -> Result<Vec<&Isolate>> {
        match self.choice.get() {
            Choice::All => Ok(self.isolates()?.isolates.iter().collect()),
            _ => Ok(vec![self.isolate()?]),
        }
    }

    /// Says which isolates the commands from now on are about.
    pub fn choose(&self, choice: Choice) {
        self.choice.set(choice);
    }

    /// What was chosen.
    pub fn choice(&self) -> Choice {
        self.choice.get()
    }

    /// The one isolate that a command is about; an error where all are chosen.
    pub fn isolate(&self) -> Result<&Isolate> {
        let found = self.isolates()?;
        let count = found.isolates.len();
        let chosen = match self.choice.get() {
            Choice::Selected => return self.selected_isolate(),
            Choice::Number(number) => found.isolates.get(number).ok_or(match count {
                1 => format!("there is no isolate {number}: this process has one, 0"),
                _ => format!(
                    "there is no isolate {number}: this process has 0 to {}; see 'v8 threads'",
                    count - 1
                ),
            }),
            Choice::Address(address) => found.at(address).ok_or(format!(
                "{address:#x} is in no isolate's heap, and no isolate itself; see 'v8 threads'"
            )),
            Choice::All if count == 1 => return self.selected_isolate(),
            Choice::All => Err(
                "this command is about one isolate: give its number; see 'v8 threads'".to_string(),
            ),
        };
        chosen.map_err(Error::other)
    }

    /// Whose objects a command is about.
    pub fn scope(&self) -> Result<Scope> {
        match self.choice.get() {
            Choice::All => Ok(Scope::All),
            _ => self.isolate().map(Scope::of),
        }
    }

    /// The isolate whose object is at `address`, for commands about an object: it can be no
    /// other. What was chosen, for what belongs to none or to all.
    pub fn isolate_of(&self, address: u64) -> Result<&Isolate> {
        match (self.choice.get(), self.isolates()?.of_address(address)) {
            (Choice::Selected | Choice::All, Some(own)) => Ok(own),
            _ => self.isolate(),
        }
    }

    fn selected_isolate(&self) -> Result<&Isolate> {
        let found = self.isolates()?;
        let threads = self.target().threads();
        let selected = threads.iter().find(|t| t.selected).map(|t| t.index);
        selected
            .and_then(|thread| found.of_thread(thread))
            .or(found.isolates.first())
            .ok_or_else(|| Error::NoV8("no isolate was found".to_string()))
    }

    /// What decoding needs. Objects that a garbage collection had moved are followed.
    pub fn cx(&self) -> Result<Cx<'_>> {
        Ok(Cx {
            memory: &self.stop,
            layout: &self.v8()?.layout,
        })
    }
}
