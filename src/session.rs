//! Per stop of a target: what is known of it, built when first asked for, the outcome kept.

use crate::error::{Error, Result};
use crate::graph::{extract, HeapGraph, Source};
use crate::heap::{Classes, HeapIndex, ImageOver, Isolate, Isolates, Watch};
use crate::metadata::{tables, Layout, Resolved};
use crate::object::Cx;
use crate::program::Program;
use crate::target::Target;
use once_cell::unsync::OnceCell;
use std::cell::RefCell;
use std::rc::Rc;

/// One stop of one target.
pub struct Session {
    target: Box<dyn Target>,
    v8: OnceCell<Result<V8>>,
    isolates: OnceCell<Result<Isolates>>,
    heap: OnceCell<Result<HeapIndex>>,
    classes: OnceCell<Result<Classes>>,
    /// Of the isolate at an address; what is alive, and everything.
    graphs: RefCell<Vec<GraphEntry>>,
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
}

/// The target's V8: where it is and how it lays out its objects.
pub struct V8 {
    pub program: Program,
    pub layout: Layout,
    /// Every constant with its source.
    pub resolved: Vec<Resolved>,
    /// What the user should know before trusting what follows.
    pub warnings: Vec<String>,
}

impl V8 {
    fn find(target: &dyn Target) -> Result<V8> {
        let program = Program::find(target)?;
        let (layout, resolved) = Layout::resolve(program.version, &program.v8dbg);
        let mut warnings = Vec::new();
        if !tables::has_line(program.version) {
            warnings.push(format!(
                "V8 {} is not in the version tables; the nearest one is used, and what does not \
                 look right is refused",
                program.version
            ));
        }
        Ok(V8 {
            program,
            layout,
            resolved,
            warnings,
        })
    }
}

impl Session {
    /// Nothing is read until something is asked.
    pub fn new(target: Box<dyn Target>) -> Session {
        Session {
            target,
            v8: OnceCell::new(),
            isolates: OnceCell::new(),
            heap: OnceCell::new(),
            classes: OnceCell::new(),
            graphs: RefCell::new(Vec::new()),
        }
    }

    /// The target.
    pub fn target(&self) -> &dyn Target {
        &*self.target
    }

    /// The target's V8.
    pub fn v8(&self) -> Result<&V8> {
        let found = self.v8.get_or_init(|| V8::find(self.target()));
        found.as_ref().map_err(Clone::clone)
    }

    /// The isolates and all pages of their heaps.
    pub fn isolates(&self) -> Result<&Isolates> {
        let layout = &self.v8()?.layout;
        keep(&self.isolates, || Isolates::find(self.target(), layout))
    }

    /// Every object of the heaps. Takes the time of reading them when first asked.
    pub fn heap(&self, watch: Watch<'_>) -> Result<&HeapIndex> {
        let layout = &self.v8()?.layout;
        let isolates = self.isolates()?;
        keep(&self.heap, || {
            HeapIndex::build(self.target(), layout, isolates, watch)
        })
    }

    /// The classes of the heaps' objects.
    pub fn classes(&self, watch: Watch<'_>) -> Result<&Classes> {
        let layout = &self.v8()?.layout;
        let heap = self.heap(watch)?;
        let memory = ImageOver {
            image: &heap.image,
            target: self.target.memory(),
        };
        let cx = Cx {
            memory: &memory,
            layout,
        };
        keep(&self.classes, || Classes::of(heap, cx, watch))
    }

    /// The graph of an isolate's heap: of what is alive, or of everything on its pages. Built
    /// once a stop.
    pub fn graph(&self, isolate: &Isolate, all: bool, watch: Watch<'_>) -> Result<Rc<HeapView>> {
        let known = |e: &&GraphEntry| e.0 == isolate.address && e.1 == all;
        if let Some((_, _, outcome)) = self.graphs.borrow().iter().find(known) {
            return outcome.clone();
        }
        let v8 = self.v8()?;
        let source = Source {
            target: self.target(),
            program: &v8.program,
            layout: &v8.layout,
            index: self.heap(watch)?,
            isolate,
        };
        let outcome = extract(&source, all, watch).map(|found| {
            Rc::new(HeapView {
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

    /// The isolate of the selected thread where one runs there, else the main one.
    pub fn main_isolate(&self) -> Result<&Isolate> {
        let found = self.isolates()?;
        let threads = self.target.threads();
        let selected = threads.iter().find(|t| t.selected).map(|t| t.index);
        found
            .isolates
            .iter()
            .find(|i| selected.is_some_and(|t| i.threads.contains(&t)))
            .or(found.isolates.first())
            .ok_or_else(|| Error::NoV8("no isolate was found".to_string()))
    }

    /// What decoding needs.
    pub fn cx(&self) -> Result<Cx<'_>> {
        Ok(Cx {
            memory: self.target.memory(),
            layout: &self.v8()?.layout,
        })
    }
}

/// The kept outcome, made now where there is none. What the user stopped is asked anew next time.
fn keep<T>(cell: &OnceCell<Result<T>>, make: impl FnOnce() -> Result<T>) -> Result<&T> {
    let found = cell.get_or_try_init(|| match make() {
        Err(Error::Interrupted) => Err(Error::Interrupted),
        outcome => Ok(outcome),
    })?;
    found.as_ref().map_err(Clone::clone)
}
