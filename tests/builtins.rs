//! V8's own code on a stack is named: by the symbols of the program's file, also where V8 runs a copy
//! of it, and as well where the file has no symbols.

mod support;

use object::{Object, ObjectSymbol};
use serde_json::Value;
use std::path::{Path, PathBuf};
use support::{core_with, major, nodes, trace_lines, Core};
use v8rs::command::App;
use v8rs::offline::OfflineHost;

const ABORT: &str = "--abort-on-uncaught-exception";

fn run(core: &Core, program: &Path, compat: bool, words: &[&str]) -> String {
    let host = OfflineHost {
        core: core.core.clone(),
        program: program.to_path_buf(),
    };
    let words: Vec<String> = words.iter().map(|w| w.to_string()).collect();
    let mut app = App::new();
    app.settings.compat_llnode = compat;
    let outcome = app.run(&host, "bt", &words);
    assert_eq!(outcome.error, None, "{}", core.node);
    outcome.text
}

fn stack(core: &Core, program: &Path) -> Value {
    serde_json::from_str(&run(core, program, false, &["--json"])).expect("JSON")
}

/// Kind and code of V8's frames.
fn codes(stack: &Value) -> Vec<(String, String)> {
    let frames = stack["frames"].as_array().expect("frames").iter();
    let text = |v: &Value| v.as_str().unwrap_or("?").to_string();
    frames
        .filter(|f| f["kind"].is_string() && f["pc"].is_string())
        .map(|f| (text(&f["kind"]), text(&f["code"])))
        .collect()
}

/// V8's builtins by the symbols of a file, in order: where each begins, and its name.
fn symbols(program: &Path) -> Vec<(u64, String)> {
    let bytes = std::fs::read(program).expect("the program");
    let file = object::File::parse(&*bytes).expect("a program");
    let named = file.symbols().filter_map(|s| {
        let name = s.name().ok()?.strip_prefix("Builtins_")?;
        Some((s.address(), name.to_string()))
    });
    let mut found: Vec<_> = named.collect();
    found.sort();
    found
}

/// A copy of a program whose table of symbols is none.
fn without_symbols(program: &Path, node: &str) -> PathBuf {
    const SYMTAB: u32 = 2;
    let mut bytes = std::fs::read(program).expect("the program");
    let number = |b: &[u8], at: usize, size: usize| {
        let part = b[at..at + size].iter().rev();
        part.fold(0, |n, b| n << 8 | usize::from(*b))
    };
    let headers = number(&bytes, 0x28, 8);
    let (size, count) = (number(&bytes, 0x3a, 2), number(&bytes, 0x3c, 2));
    let mut found = 0;
    for at in (0..count).map(|n| headers + n * size + 4) {
        if number(&bytes, at, 4) as u32 == SYMTAB {
            bytes[at..at + 4].fill(0);
            found += 1;
        }
    }
    assert_eq!(found, 1);
    let name = format!("without-symbols-{node}-{}", std::process::id());
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&copy, bytes).expect("a copy");
    copy
}

#[test]
fn v8s_own_code_is_named() {
    for node in nodes() {
        let what = format!("node {node}");
        let core = core_with("builtins", &node, &[ABORT]);
        let remapped = stack(&core, &core.program);
        let found = codes(&remapped);
        // In the file itself.
        let flags = [ABORT, "--no-short-builtin-calls"];
        let flags = if major(&node) < 18 {
            &flags[..1]
        } else {
            &flags
        };
        let core_in_file = core_with("builtins", &node, flags);
        let in_file = stack(&core_in_file, &core.program);
        assert_eq!(codes(&in_file), found, "{what}");
        let symbols = symbols(&core.program);
        let mut checked = 0;
        for frame in in_file["frames"].as_array().expect("frames") {
            let pc = frame["pc"].as_str().expect("hex");
            let pc = u64::from_str_radix(pc.trim_start_matches("0x"), 16).expect("hex");
            let at = pc - u64::from(frame["number"] != 0);
            let before = symbols.partition_point(|(start, _)| *start <= at);
            let symbol = before.checked_sub(1).map(|n| &symbols[n]);
            // The last one is as long as the largest at most.
            let symbol =
                symbol.filter(|(start, _)| frame["kind"].is_string() && at - start < 1 << 16);
            if let Some((_, name)) = symbol {
                assert_eq!(frame["code"], name.as_str(), "{what}: {frame}");
                checked += 1;
            }
        }
        assert!(checked > 15, "{what}: {checked}");
        // Without symbols.
        let copy = without_symbols(&core.program, &node);
        let stripped = [&core, &core_in_file].map(|c| codes(&stack(c, &copy)));
        let text = run(&core, &copy, false, &[]);
        std::fs::remove_file(copy).expect("it was there");
        for codes in stripped {
            // Node 20 runs some in the file and has those of the copy in its table.
            let is_same = |(ours, all): (&(String, String), &(String, String))| {
                ours == all || (major(&node) == 20 && ours.0 == all.0 && ours.1 == "?")
            };
            let same = codes.len() == found.len() && codes.iter().zip(&found).all(is_same);
            assert!(same, "{what}: {codes:?}");
        }
        let died = text.starts_with(" Uncaught Error: in sort");
        assert!(died || major(&node) == 20, "{what}: {text}");
        // In words, after llnode's.
        let text = run(&core, &core.program, false, &[]);
        for end in [
            "<stub> SortCompareUserFn",
            "<stub> ArrayTimSort",
            "<exit>",
            "<entry>",
        ] {
            assert!(
                text.lines().any(|l| l.ends_with(&format!(" {end}"))),
                "{what}: {end}: {text}"
            );
        }
        let compat = run(&core, &core.program, true, &[]);
        for line in compat
            .lines()
            .filter(|l| l.contains(" <") && !l.contains("this="))
        {
            assert!(line.ends_with('>'), "{what}: {line}");
        }
        // What stack traces show is in their form.
        let said: Value =
            serde_json::from_str(core.output("builtins").lines().next().expect("a line"))
                .expect("JSON");
        let said = said["stack"].as_str().expect("a stack").lines().skip(2);
        let said: Vec<&str> = said
            .map(|l| l.trim_start().trim_start_matches("at "))
            .collect();
        let ours: Vec<String> = trace_lines(&remapped).skip(1).take(said.len()).collect();
        assert_eq!(ours, said, "{what}");
    }
}
