//! One stack of the debugger's frames and V8's.
//!
//! The debugger's unwinder is right about C++ and guesses in generated code; V8's chain is right
//! about generated code and skips C++. Frames meet where frame pointer and pc agree.

use super::walk::V8Frame;
use crate::target::NativeFrame;

/// A frame of the merged stack: indexes of the debugger's and of V8's frame, one at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Merged {
    /// The debugger's number where it has the frame, else the next that is free.
    pub number: u32,
    pub native: Option<usize>,
    pub v8: Option<usize>,
}

/// Whether a frame of the debugger runs generated code: without a symbol, or V8's builtins.
fn is_generated(frame: &NativeFrame) -> bool {
    frame
        .function
        .as_deref()
        .is_none_or(|f| f.starts_with("Builtins_"))
}

/// The debugger's frame of a V8 frame, from `from` on.
fn counterpart(native: &[NativeFrame], from: usize, frame: &V8Frame) -> Option<usize> {
    let same = |n: &NativeFrame| n.fp == frame.fp && is_generated(n);
    let candidates = || native.iter().enumerate().skip(from);
    candidates()
        .find(|(_, n)| same(n) && frame.pc == Some(n.pc))
        .or_else(|| candidates().find(|(_, n)| same(n) && frame.pc.is_none()))
        .map(|(i, _)| i)
}

/// Merges both, innermost first.
pub fn merge(native: &[NativeFrame], v8: &[V8Frame]) -> Vec<Merged> {
    let mut out: Vec<Merged> = Vec::new();
    let mut put = |native_index: Option<usize>, v8_index: Option<usize>| {
        let free = out.last().map_or(0, |m| m.number.saturating_add(1));
        let own = native_index.and_then(|i| native.get(i)).map(|n| n.index);
        out.push(Merged {
            number: own.filter(|n| *n >= free).unwrap_or(free),
            native: native_index,
            v8: v8_index,
        });
    };
    let mut next = 0;
    let mut inside = false;
    for (j, frame) in v8.iter().enumerate() {
        let found = counterpart(native, next, frame);
        while next < native.len() {
            let n = &native[next];
            let before = match found {
                Some(found) => next < found,
                None => n.sp <= frame.fp && n.sp != 0,
            };
            if !before {
                break;
            }
            // Between two frames of the chain there is nothing but calls that leave no frame of
            // V8's, which then have a symbol; the rest is where the unwinder lost its way.
            let named = n.function.is_some();
            if !inside || named {
                put(Some(next), None);
            }
            next += 1;
        }
        put(found, Some(j));
        if let Some(found) = found {
            next = found + 1;
        }
        inside = !frame.kind.is_entry();
    }
    let end = v8.last().map_or(0, |f| f.fp);
    for (i, n) in native.iter().enumerate().skip(next) {
        if n.sp > end || n.function.is_some() || v8.is_empty() {
            put(Some(i), None);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::walk::{FoundBy, FrameKind};
    use super::*;

    fn native(index: u32, pc: u64, fp: u64, function: Option<&str>) -> NativeFrame {
        NativeFrame {
            index,
            pc,
            sp: fp.saturating_sub(0x20),
            fp,
            function: function.map(str::to_string),
            description: String::new(),
            selected: false,
        }
    }

    fn v8(fp: u64, pc: u64, kind: FrameKind) -> V8Frame {
        V8Frame {
            fp,
            pc: Some(pc),
            resumes: None,
            kind,
            found_by: FoundBy::FramePointer,
        }
    }

    fn pairs(merged: &[Merged]) -> Vec<(u32, Option<usize>, Option<usize>)> {
        merged.iter().map(|m| (m.number, m.native, m.v8)).collect()
    }

    const CHAIN: [(u64, u64, FrameKind); 4] = [
        (0x1100, 0x11, FrameKind::Exit),
        (0x1200, 0x12, FrameKind::Interpreted),
        (0x1300, 0x13, FrameKind::Interpreted),
        (0x1400, 0x14, FrameKind::Entry),
    ];

    fn chain() -> Vec<V8Frame> {
        CHAIN.iter().map(|c| v8(c.0, c.1, c.2)).collect()
    }

    #[test]
    fn agreeing_stacks_keep_the_debuggers_numbers() {
        let natives = [
            native(0, 0x1, 0x1000, Some("abort")),
            native(1, 0x11, 0x1100, Some("Builtins_CEntry")),
            native(2, 0x12, 0x1200, None),
            native(3, 0x13, 0x1300, None),
            native(4, 0x14, 0x1400, Some("Builtins_JSEntry")),
            native(5, 0x5, 0x1500, Some("main")),
        ];
        let got = pairs(&merge(&natives, &chain()));
        let want: Vec<_> = (0..6)
            .map(|i: usize| (i as u32, Some(i), (1..5).contains(&i).then(|| i - 1)))
            .collect();
        assert_eq!(got, want);
    }

    #[test]
    fn a_lost_unwinder_is_overruled() {
        let natives = [
            native(0, 0x1, 0x1000, Some("abort")),
            native(1, 0x11, 0x1100, Some("Builtins_CEntry")),
            native(2, 0x666, 0x1150, None),
            native(3, 0x777, 0x1170, None),
        ];
        let got = pairs(&merge(&natives, &chain()));
        assert_eq!(
            got,
            [
                (0, Some(0), None),
                (1, Some(1), Some(0)),
                (2, None, Some(1)),
                (3, None, Some(2)),
                (4, None, Some(3)),
            ]
        );
    }

    #[test]
    fn without_javascript_all_stay() {
        let natives = [native(0, 1, 0, None), native(1, 2, 0, Some("main"))];
        assert_eq!(merge(&natives, &[]).len(), 2);
        assert_eq!(merge(&[], &chain()).len(), 4);
    }
}
