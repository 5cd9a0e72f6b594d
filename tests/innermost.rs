//! The innermost code where it has no frame, in cores that gdb takes at the entry of builtins and some
//! instructions on. Truth is what gdb saw: the return address at the entry, the caller's frame pointer,
//! and the symbol of the instruction.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod support;

use serde_json::Value;
use std::path::{Path, PathBuf};
use support::nodes;
use support::program::{Node, Program};
use v8rs::command::App;
use v8rs::offline::OfflineHost;

/// Builtins that the program calls all the time, and the instructions after which a core is taken.
const MOMENTS: &str = "[('StoreIC', 0), ('StringAdd_CheckNone', 2), ('ArrayPrototypeSort', 0), \
    ('CallFunction_ReceiverIsAny', 0), ('CallFunction_ReceiverIsAny', 17), \
    ('CallFunction_ReceiverIsAny', 24)]";

/// Has a process run to each of `moments`, takes a core of each into `directory`, and tells them as
/// JSON. V8 may run a copy of the file's builtins, which it maps a second time.
const SCRIPT: &str = r#"
import gdb, json
pid = gdb.selected_inferior().pid
def register(name):
    return int(gdb.parse_and_eval('$' + name)) & (2**64 - 1)
def mappings():
    for line in open('/proc/%d/maps' % pid):
        words = line.split()
        start, end = [int(x, 16) for x in words[0].split('-')]
        if 'x' in words[1] and words[-1].startswith('/'):
            yield start, end, int(words[2], 16), words[-1]
def places(address):
    maps = list(mappings())
    own = [m for m in maps if m[0] <= address < m[1]][0]
    offset = own[2] + address - own[0]
    return [m[0] + offset - m[2] for m in maps if m[3] == own[3] and m[2] <= offset < m[2] + m[1] - m[0]]
def symbol(pc):
    maps = list(mappings())
    for own in [m for m in maps if m[0] <= pc < m[1]]:
        for address in places(pc):
            text = gdb.execute('info symbol %d' % address, to_string=True)
            if text.startswith('Builtins_'):
                return text.split()[0][len('Builtins_'):]
for number, (name, steps) in enumerate(moments):
    try:
        entry = int(gdb.parse_and_eval("(unsigned long)&'Builtins_%s'" % name))
    except gdb.error:
        continue
    stops = [gdb.Breakpoint('*%d' % p, type=gdb.BP_HARDWARE_BREAKPOINT) for p in places(entry)]
    gdb.execute('continue', to_string=True)
    for stop in stops:
        stop.delete()
    sp, fp = register('rsp'), register('rbp')
    back = int(gdb.parse_and_eval('*(unsigned long*)$rsp'))
    for step in range(steps):
        gdb.execute('stepi', to_string=True)
    if register('rsp') > sp:
        continue
    core = '%s/%d.core' % (directory, number)
    gdb.execute('generate-core-file ' + core, to_string=True)
    gdb.execute('shell fallocate --dig-holes ' + core, to_string=True)
    print('MOMENT ' + json.dumps(dict(entered=name, steps=steps, core=core, pc=register('pc'),
        symbol=symbol(register('pc')), returns=back, fp=fp)))
"#;

/// What gdb saw of the moments; none where no process may be attached to.
fn moments(program: &Program, directory: &Path) -> Vec<Value> {
    let script = directory.join("moments.py");
    let head = format!(
        "directory = '{}'\nmoments = {MOMENTS}\n",
        directory.display()
    );
    std::fs::write(&script, head + SCRIPT).expect("a script");
    let Some((text, errors)) = program.under_gdb(&script) else {
        return Vec::new();
    };
    let lines = text.lines().filter_map(|l| l.strip_prefix("MOMENT "));
    let found: Vec<Value> = lines
        .map(|l| serde_json::from_str(l).expect("JSON"))
        .collect();
    assert!(found.len() > 2, "{text}\n{errors}");
    found
}

fn number(value: &Value) -> Option<u64> {
    u64::from_str_radix(value.as_str()?.strip_prefix("0x")?, 16).ok()
}

fn check(node: &Path, moment: &Value, what: &str) {
    let core = PathBuf::from(moment["core"].as_str().expect("a core"));
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
    let brief: Vec<String> = frames
        .iter()
        .map(|f| {
            let first = &f["calls"][0]["name"];
            format!(
                "{} {} {} {} {first}",
                f["kind"], f["pc"], f["fp"], f["code"]
            )
        })
        .collect();
    let say = format!("{what}: {moment}\n{}", brief.join("\n"));
    let top = frames.first().expect("a frame");
    assert_eq!(number(&top["pc"]), moment["pc"].as_u64(), "{say}");
    // A builtin by the name of its symbol, anything else by its compiler.
    if let Some(symbol) = moment["symbol"].as_str() {
        assert_eq!(top["code"], symbol, "{say}");
    } else {
        assert!(
            top["code"].is_string() || top["calls"][0].is_object(),
            "{say}"
        );
    }
    // The caller goes on where the builtin was to return to.
    let caller = frames.iter().skip(1).position(|f| {
        number(&f["pc"]) == moment["returns"].as_u64() && number(&f["fp"]) == moment["fp"].as_u64()
    });
    assert!(caller.is_some(), "{say}");
    if moment["steps"] == 0 {
        assert_eq!(caller, Some(0), "{say}");
        assert_eq!(top["kind"], "frameless", "{say}");
    }
    // The chain is whole: to the start of the program, each call of it placed.
    let calls = frames
        .iter()
        .flat_map(|f| f["calls"].as_array().into_iter().flatten());
    for call in calls
        .clone()
        .filter(|c| c["definition"]["file"].is_string())
    {
        assert!(call["call"]["line"].is_u64(), "{call} {say}");
    }
    let names: Vec<&str> = calls.filter_map(|c| c["function_name"].as_str()).collect();
    // C++ may have called the builtin itself, or V8 runs a promise's job.
    let starts = ["processImmediate", "processTicksAndRejections", "waited"];
    let is_whole = names.is_empty() || starts.iter().any(|s| names.contains(s));
    assert!(is_whole, "{say}");
    assert!(frames.iter().any(|f| f["kind"] == "entry"), "{say}");
}

#[test]
fn innermost_code_without_a_frame_is_named_and_its_callers_are_whole() {
    for version in nodes() {
        let node = Node::quick(&version);
        let program = Program::start(&node.path, "busy.js", &[], &[]);
        let name = format!("innermost-{version}-{}", std::process::id());
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&directory).expect("a directory");
        // Past its start, when little of it is compiled.
        std::thread::sleep(std::time::Duration::from_secs(2));
        for moment in moments(&program, &directory) {
            check(&node.path, &moment, &format!("node {version}"));
            println!(
                "node {version}: {} + {}: {}",
                moment["entered"], moment["steps"], moment["symbol"]
            );
        }
        let _ = std::fs::remove_dir_all(&directory);
    }
}
