//! The native context a program runs in.

use crate::error::{Error, Result};
use crate::heap::Isolate;
use crate::metadata::InstanceType;
use crate::object::{Context, Cx, HeapObject, Tagged};

/// Words looked at on either side of the isolate's saved exit frame: the current context is its
/// neighbour in ThreadLocalTop on every line, but not always in the same place.
const AROUND: u64 = 64;

/// Words of an isolate looked at.
const FAR: u64 = 1 << 14;

/// Native contexts looked at, and words of one.
const MOST_CONTEXTS: usize = 1000;
const MOST_SLOTS: u64 = 1 << 10;

/// The native context the isolate has entered; while optimized code runs it may have none noted,
/// and then the oldest of its heap's.
pub fn native_context<'a>(cx: Cx<'a>, isolate: &Isolate) -> Result<HeapObject<'a>> {
    let c_entry_fp = cx.layout.isolate.c_entry_fp.offset()?;
    let middle = isolate.address.saturating_add(c_entry_fp);
    let first = middle.saturating_sub(AROUND * 8);
    // Where that has moved, in a version that is not in the tables: anywhere in the isolate.
    let all = isolate.heap.saturating_sub(isolate.address) / 8;
    let near = (0..AROUND * 2).map(|i| first.saturating_add(i * 8));
    let far = (0..all.min(FAR)).map(|i| isolate.address.saturating_add(i * 8));
    near.chain(far)
        .filter_map(|at| cx.memory.u64(at).ok())
        .filter_map(|word| {
            let value = Tagged(word);
            if !value.is_strong() {
                return None;
            }
            native_context_of(cx.object(value).ok()?)
        })
        .next()
        .or_else(|| oldest_of_heap(cx, isolate))
        .ok_or_else(|| {
            Error::malformed(
                "isolate",
                isolate.address,
                "it has no context entered: nothing of Node runs in it",
            )
        })
}

/// The end of Heap::native_contexts_list_: the first context that was made and still is there.
/// Each has the next older one in a slot of its own, the only native context it holds.
fn oldest_of_heap<'a>(cx: Cx<'a>, isolate: &Isolate) -> Option<HeapObject<'a>> {
    let native = |word: u64| {
        let object = cx.object(Tagged(word)).ok()?;
        let is_native = object.instance_type() == Ok(InstanceType::NativeContext);
        (word & 3 == 1 && is_native).then_some(object)
    };
    let word = |i: u64| cx.memory.u64(isolate.heap.saturating_add(i * 8)).ok();
    let mut context = (0..FAR).map_while(word).find_map(native)?;
    let slots = cx.layout.context.slots.offset().ok()?;
    for _ in 0..MOST_CONTEXTS {
        let length = Context(context).len().ok()?.min(MOST_SLOTS);
        let older = (0..length)
            .map_while(|i| context.slot(slots.saturating_add(i * 8)).ok())
            .filter_map(native)
            .find(|c| c.address != context.address);
        match older {
            Some(older) => context = older,
            None => break,
        }
    }
    Some(context)
}

/// The native context at the end of a context's chain.
fn native_context_of(mut context: HeapObject<'_>) -> Option<HeapObject<'_>> {
    let layout = context.cx.layout;
    let slots = layout.context.slots.offset().ok()?;
    let previous = layout.context.previous_index.offset().ok()?;
    for _ in 0..1000 {
        match context.instance_type().ok()? {
            InstanceType::NativeContext => return Some(context),
            t if t.is_context() => {
                let next = context.tagged_at(slots.checked_add(previous * 8)?).ok()?;
                context = context.cx.object(next).ok()?;
            }
            _ => return None,
        }
    }
    None
}
