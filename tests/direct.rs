//! Threads in C++ that generated code called without an exit frame, and in the code of regular
//! expressions: their stacks against `Error.stack`, which the same functions said before. gdb stops the
//! program there.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod support;

use serde_json::Value;
use std::path::{Path, PathBuf};
use support::program::{Node, Program};
use support::{nodes, trace_lines};
use v8rs::command::App;
use v8rs::offline::OfflineHost;

/// Which function of the program has V8 call what, and whether to go on to where that returns to.
const STOPS: &str = "[('sine', 'v8::base::ieee754::sin', False), \
    ('joined', 'v8::internal::JSArray::ArrayJoinConcatToSequentialString', False), \
    ('remembered', 'v8::internal::Heap::InsertIntoRememberedSetFromCode', False), \
    ('repeated', 'v8::internal::RegExpMacroAssembler::CaseInsensitiveCompareNonUnicode', False), \
    ('repeated', 'v8::internal::RegExpMacroAssembler::CaseInsensitiveCompareNonUnicode', True), \
    ('repeated', 'v8::internal::RegExpMacroAssembler::CaseInsensitiveCompareUC16', False), \
    ('repeated', 'v8::internal::RegExpMacroAssembler::CaseInsensitiveCompareUC16', True)]";

const SCRIPT: &str = r#"
import gdb, json
for number, (of, name, leave) in enumerate(stops):
    stop = gdb.Breakpoint(name)
    if stop.pending:
        stop.delete()
        continue
    # Some rounds on, when other code may run.
    stop.ignore_count = 5 + 37 * number
    gdb.execute('continue', to_string=True)
    stop.delete()
    if leave:
        back = gdb.Breakpoint('*%d' % int(gdb.newest_frame().older().pc()), type=gdb.BP_HARDWARE_BREAKPOINT)
        gdb.execute('continue', to_string=True)
        back.delete()
    core = '%s/%d.core' % (directory, number)
    gdb.execute('generate-core-file ' + core, to_string=True)
    gdb.execute('shell fallocate --dig-holes ' + core, to_string=True)
    print('STOP ' + json.dumps(dict(of=of, at=name, left=leave, core=core)))
"#;

/// What the lines of a stack are but for the column of the first.
fn but_for_column(lines: &[String]) -> Vec<String> {
    let mut lines = lines.to_vec();
    if let Some(first) = lines.first_mut() {
        let end = first.rfind(':').unwrap_or(first.len());
        first.truncate(end);
    }
    lines
}

fn check(node: &Path, program: &Program, stop: &Value, what: &str) {
    let core = PathBuf::from(stop["core"].as_str().expect("a core"));
    let host = OfflineHost {
        core: core.clone(),
        program: node.to_path_buf(),
    };
    let outcome = App::new().run(&host, "bt", &["--json".to_string()]);
    if std::env::var_os("V8RS_MOMENTS_KEEP").is_none() {
        let _ = std::fs::remove_file(core);
    }
    assert_eq!(outcome.error, None, "{what}");
    let found: Value = serde_json::from_str(&outcome.text).expect("JSON");
    let frames = found["frames"].as_array().expect("frames");
    assert!(frames.iter().all(|f| f["found_by"] != "scan"), "{what}");
    let of = stop["of"].as_str().expect("a name");
    let said = program.said[0]["stacks"][of].as_str().expect("a stack");
    let theirs: Vec<String> = said
        .split("\n    at ")
        .skip(1)
        .map(str::to_string)
        .collect();
    let ours: Vec<String> = trace_lines(&found).collect();
    // A builtin may be what called C++.
    let own = ours.iter().position(|l| !l.ends_with("(<anonymous>)"));
    let ours = &ours[own.unwrap_or(0)..];
    // Node's own functions, which have no place in this program, write to old objects too.
    if of == "remembered" && !ours.first().is_some_and(|l| l.starts_with(of)) {
        assert!(
            ours.iter().any(|l| l.contains("processImmediate")),
            "{what}"
        );
        return;
    }
    assert_eq!(but_for_column(ours), but_for_column(&theirs), "{what}");
    if stop["left"] == true {
        assert_eq!(frames[0]["kind"], "irregexp", "{what}");
    }
}

#[test]
fn stacks_of_cpp_without_an_exit_frame_and_of_regular_expressions_are_whole() {
    for version in nodes() {
        let node = Node::quick(&version);
        let program = Program::start(&node.path, "direct.js", &["--expose-gc"], &[]);
        let name = format!("direct-{version}-{}", std::process::id());
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&directory).expect("a directory");
        let script = directory.join("stops.py");
        let head = format!("directory = '{}'\nstops = {STOPS}\n", directory.display());
        std::fs::write(&script, head + SCRIPT).expect("a script");
        let Some((text, errors)) = program.under_gdb(&script) else {
            return;
        };
        let lines = text.lines().filter_map(|l| l.strip_prefix("STOP "));
        let stops: Vec<Value> = lines
            .map(|l| serde_json::from_str(l).expect("JSON"))
            .collect();
        assert!(stops.len() > 3, "node {version}: {text}\n{errors}");
        for stop in stops {
            let what = format!("node {version}: in {}, left: {}", stop["at"], stop["left"]);
            check(&node.path, &program, &stop, &what);
            println!("{what}: whole");
        }
        let _ = std::fs::remove_dir_all(&directory);
    }
}
