//! A stop's target with its V8 and isolates, as the memory that decoding reads when there is no index
//! of the heap: bytes are the target's, and what a garbage collection had moved is followed.

use crate::error::{Error, Result};
use crate::heap::{forwarding, Isolates};
use crate::memory::{InPlace, Memory};
use crate::target::Target;
use crate::v8::V8;
use once_cell::unsync::OnceCell;
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::rc::Rc;

/// Numbers kept at most: a broken target has any number of large scripts.
const MAX_KEPT: usize = 16 << 20;

/// What [`Memory::keep`] was given.
#[derive(Default)]
struct Kept {
    by_address: FxHashMap<u64, Rc<[u64]>>,
    /// How many numbers these are.
    count: usize,
}

/// The target of a session, and what is found of V8 when first asked for.
pub struct Stop {
    pub target: Box<dyn Target>,
    pub v8: OnceCell<Result<V8>>,
    pub isolates: OnceCell<Result<Isolates>>,
    /// Whether any of the isolates' pages had its objects moved.
    moves: OnceCell<bool>,
    kept: RefCell<Kept>,
}

impl Stop {
    /// Nothing is read yet.
    pub fn new(target: Box<dyn Target>) -> Stop {
        Stop {
            target,
            v8: OnceCell::new(),
            isolates: OnceCell::new(),
            moves: OnceCell::new(),
            kept: RefCell::default(),
        }
    }

    /// The target's V8.
    pub fn v8(&self) -> Result<&V8> {
        let found = self.v8.get_or_init(|| V8::find(&*self.target));
        found.as_ref().map_err(Clone::clone)
    }

    /// The isolates and all pages of their heaps. What the user stopped is asked anew next time.
    pub fn isolates(&self) -> Result<&Isolates> {
        let layout = &self.v8()?.layout;
        keep(&self.isolates, || Isolates::find(&*self.target, layout))
    }

    /// Whether a collection was moving objects from where `address` is.
    fn is_moving(&self, address: u64) -> bool {
        let page = self.isolates().ok().and_then(|i| i.page_of(address));
        page.is_some_and(|p| p.is_moving)
    }

    /// Whether the isolates are known, and nothing was being moved in any.
    fn is_still(&self) -> bool {
        let Some(found) = self.isolates.get() else {
            return false;
        };
        let look = || matches!(found, Ok(i) if i.pages.iter().any(|p| p.is_moving));
        !*self.moves.get_or_init(look)
    }
}

impl Memory for Stop {
    fn read_piece(&self, address: u64, buffer: &mut [u8]) -> usize {
        self.target.memory().read_piece(address, buffer)
    }
    fn read_partial(&self, address: u64, buffer: &mut [u8]) -> usize {
        self.target.memory().read_partial(address, buffer)
    }
    fn read(&self, address: u64, buffer: &mut [u8]) -> Result<()> {
        self.target.memory().read(address, buffer)
    }
    fn read_alone(&self, address: u64, buffer: &mut [u8]) -> Result<()> {
        self.target.memory().read_alone(address, buffer)
    }
    fn in_place(&self, address: u64, length: usize) -> Option<InPlace> {
        self.target.memory().in_place(address, length)
    }
    fn skip_hole(&self, address: u64) -> u64 {
        self.target.memory().skip_hole(address)
    }

    fn kept(&self, address: u64) -> Option<Rc<[u64]>> {
        self.kept.borrow().by_address.get(&address).cloned()
    }

    fn keep(&self, address: u64, numbers: &Rc<[u64]>) {
        let mut kept = self.kept.borrow_mut();
        if kept.count.saturating_add(numbers.len()) <= MAX_KEPT {
            kept.count += numbers.len();
            kept.by_address.insert(address, Rc::clone(numbers));
        }
    }

    /// The pages are looked for only where an object's first word cannot be its Map.
    fn moved_to(&self, address: u64) -> u64 {
        // Asked for every object: where it cannot be, no word of it is read for this.
        if self.is_still() {
            return address;
        }
        let memory = self.target.memory();
        forwarding::follow(memory, address, |from| self.is_moving(from))
    }
}

/// The kept outcome, made now where there is none. What the user stopped is asked anew next time.
pub(crate) fn keep<T>(cell: &OnceCell<Result<T>>, make: impl FnOnce() -> Result<T>) -> Result<&T> {
    let found = cell.get_or_try_init(|| match make() {
        Err(Error::Interrupted) => Err(Error::Interrupted),
        outcome => Ok(outcome),
    })?;
    found.as_ref().map_err(Clone::clone)
}
