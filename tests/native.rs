//! The C++ between two stays in JavaScript, where no debugger's unwinder gets through.

mod support;

use support::{core_with, nodes, Core};
use v8rs::offline::CoreFile;
use v8rs::session::Session;
use v8rs::stack::{FoundBy, Frame, FrameKind, Source};

fn is_exit(frame: &Frame) -> bool {
    matches!(
        frame.kind,
        Some(FrameKind::Exit | FrameKind::BuiltinExit | FrameKind::ApiExit)
    )
}

fn check(core: &Core) {
    let what = &core.node;
    let file = CoreFile::open(&core.core, &core.program).expect("core opens");
    let session = Session::new(Box::new(file));
    let source = Source {
        cx: session.cx().expect("V8"),
        target: session.target(),
        program: &session.v8().expect("V8").program,
        isolates: session.isolates().ok(),
    };
    let frames = source.backtrace(&session.target().threads()[0], usize::MAX);
    let function = |frame: &Frame| {
        let native = frame.native.as_ref().expect("a native frame");
        native.function.clone().unwrap_or_default()
    };
    let mut stays = 0;
    for (i, frame) in frames.iter().enumerate() {
        if !frame.kind.is_some_and(FrameKind::is_entry) {
            continue;
        }
        // V8 enters JavaScript in one function.
        let first = &frames[i + 1];
        assert_eq!(first.found_by, FoundBy::UnwindTables, "{what}: {first:?}");
        assert!(function(first).contains("6Invoke"), "{what}: {first:?}");
        let (after, last) = frames
            .iter()
            .enumerate()
            .skip(i + 1)
            .take_while(|(_, f)| f.kind.is_none())
            .last()
            .expect("a frame at least");
        let last = function(last);
        match frames.get(after + 1) {
            // The tables lead to the very function that V8's exit frame was made for.
            Some(next) => {
                assert!(is_exit(next), "{what}: {last}, {next:?}");
                let called = ["Builtin_", "Runtime_", "MicrotaskQueue", "_ZN4node"];
                let called = called.iter().any(|c| last.contains(c));
                assert!(called, "{what}: {last}, {next:?}");
            }
            None => assert_eq!(last, "_start", "{what}"),
        }
        stays += 1;
    }
    assert!(stays > 4, "{what}: {stays} stays in JavaScript");
    let numbers = frames.windows(2).all(|f| f[0].number < f[1].number);
    assert!(numbers, "{what}: numbers of frames go up");
}

#[test]
fn natives_between_javascript() {
    for node in nodes() {
        check(&core_with("frames", &node, &["--", "timer"]));
    }
}
