//! node::Environment, found from a native context's embedder data, and its queues of handles and
//! requests. Offsets are the `nodedbg_*` symbols that Node fills in when it starts.

use crate::error::{Error, Result};
use crate::memory::Memory;
use crate::object::{Cx, HeapObject, Tagged};
use crate::program::Program;

/// Which of an Environment's lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queue {
    /// HandleWraps: sockets, servers, timers, pipes, child processes.
    Handles,
    /// ReqWraps: pending file system, DNS, connect and write requests.
    Requests,
}

/// Wraps listed at most: a list that is longer is a loop in a broken heap.
const LIMIT: usize = 10_000_000;

/// A node::Environment of the target.
#[derive(Clone, Copy)]
pub struct Environment<'a> {
    cx: Cx<'a>,
    program: &'a Program,
    /// Address of the C++ object.
    pub address: u64,
}

/// The value of a `nodedbg_` symbol.
fn nodedbg(program: &Program, memory: &dyn Memory, name: &'static str) -> Result<u64> {
    let symbol = program
        .data_symbol(name)
        .ok_or_else(|| Error::other(format!("this program has no symbol {name}")))?;
    // V8's and Node's tools read an int or a size_t; both are small.
    let mut raw = [0; 8];
    let size = if symbol.size == 4 { 4 } else { 8 };
    memory.read(symbol.address, &mut raw[..size])?;
    Ok(u64::from_le_bytes(raw))
}

impl<'a> Environment<'a> {
    /// The Environment that a native context belongs to.
    pub fn of_context(
        program: &'a Program,
        native_context: HeapObject<'a>,
    ) -> Result<Environment<'a>> {
        let cx = native_context.cx;
        let index = nodedbg(
            program,
            cx.memory,
            "nodedbg_const_ContextEmbedderIndex__kEnvironment__int",
        )?;
        let data = native_context.object_field(cx.layout.context.embedder_data)?;
        let slots = cx.layout.embedder_data_array.slots.offset()?;
        let size = cx.layout.embedder_data_array.slot_size.offset()?;
        let offset = index
            .checked_mul(size)
            .and_then(|o| o.checked_add(slots))
            .ok_or_else(|| Error::malformed("embedder data", data.address, "bad index"))?;
        // An aligned pointer, which looks like a Smi to the collector.
        let address = data.tagged_at(offset)?.0;
        if address == 0 || address & 7 != 0 {
            return Err(Error::malformed(
                "native context",
                native_context.address,
                "its embedder data holds no Environment",
            ));
        }
        Ok(Environment {
            cx,
            program,
            address,
        })
    }

    fn symbol(&self, name: &'static str) -> Result<u64> {
        nodedbg(self.program, self.cx.memory, name)
    }

    /// The JavaScript objects of a queue, in the order of the list. An entry that cannot be read
    /// is an error in its place; a broken list ends with one.
    pub fn wraps(&self, queue: Queue) -> Result<Vec<Result<Tagged>>> {
        let [queue_offset, head_offset, node_offset, next_offset] = match queue {
            Queue::Handles => [
                "nodedbg_offset_Environment__handle_wrap_queue___Environment_HandleWrapQueue",
                "nodedbg_offset_Environment_HandleWrapQueue__head___ListNode_HandleWrap",
                "nodedbg_offset_HandleWrap__handle_wrap_queue___ListNode_HandleWrap",
                "nodedbg_offset_ListNode_HandleWrap__next___uintptr_t",
            ],
            Queue::Requests => [
                "nodedbg_offset_Environment__req_wrap_queue___Environment_ReqWrapQueue",
                "nodedbg_offset_Environment_ReqWrapQueue__head___ListNode_ReqWrapQueue",
                "nodedbg_offset_ReqWrap__req_wrap_queue___ListNode_ReqWrapQueue",
                "nodedbg_offset_ListNode_ReqWrap__next___uintptr_t",
            ],
        };
        let persistent =
            self.symbol("nodedbg_offset_BaseObject__persistent_handle___v8_Persistent_v8_Object")?;
        let node_offset = self.symbol(node_offset)?;
        let next_offset = self.symbol(next_offset)?;
        let memory = self.cx.memory;
        let head = self
            .address
            .wrapping_add(self.symbol(queue_offset)?)
            .wrapping_add(self.symbol(head_offset)?);
        let mut wraps = Vec::new();
        let mut node = head;
        for seen in 0..=LIMIT {
            node = match memory.u64(node.wrapping_add(next_offset)) {
                Ok(next) => next,
                Err(error) => {
                    wraps.push(Err(error));
                    break;
                }
            };
            if node == head {
                break;
            }
            if seen == LIMIT {
                wraps.push(Err(Error::malformed("queue", head, "it does not end")));
                break;
            }
            let wrap = node.wrapping_sub(node_offset);
            match memory.u64(wrap.wrapping_add(persistent)) {
                // Its object is gone already: it is being torn down.
                Ok(0) => {}
                Ok(slot) => wraps.push(memory.u64(slot).map(Tagged)),
                Err(error) => wraps.push(Err(error)),
            }
        }
        Ok(wraps)
    }
}
