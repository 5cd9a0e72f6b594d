//! What `v8 bt -v`, `v8 frame`, `v8 closure` and `v8 source list` print, held against what the
//! programs said of themselves and against their own text.

mod support;

use serde_json::Value;
use support::{core_with, nodes, Core};
use v8rs::command::{App, TABLE};
use v8rs::offline::OfflineHost;

fn text(core: &Core, app: &mut App, line: &str) -> String {
    let host = OfflineHost {
        core: core.core.clone(),
        program: core.program.clone(),
    };
    let is_command = |c: &&v8rs::command::Command| line.starts_with(c.name);
    let command = TABLE.iter().filter(is_command).max_by_key(|c| c.name.len());
    let command = command.expect("a command");
    let words: Vec<String> = line[command.name.len()..]
        .split_whitespace()
        .map(str::to_string)
        .collect();
    let outcome = (command.run)(app, &host, &words);
    assert!(outcome.error.is_none(), "{line}: {:?}", outcome.error);
    outcome.text
}

fn json(core: &Core, app: &mut App, line: &str) -> Value {
    let text = text(core, app, &format!("{line} --json"));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{line}: {e}: {text}"))
}

/// The calls of a stack with the number of their frame, innermost first.
fn calls(stack: &Value) -> Vec<(u64, &Value)> {
    let frames = match stack {
        Value::Array(threads) => &threads[0]["frames"],
        other => &other["frames"],
    };
    let frames = frames.as_array().expect("frames").iter();
    frames
        .flat_map(|f| {
            let number = f["number"].as_u64().expect("a number");
            let calls = f["calls"].as_array().expect("calls");
            calls.iter().map(move |c| (number, c))
        })
        .collect()
}

fn named<'a>(list: &'a [(u64, &'a Value)], name: &str) -> (u64, &'a Value) {
    let found = list.iter().find(|(_, c)| c["function_name"] == name);
    *found.unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn variables_in_the_commands() {
    for node in nodes() {
        let core = core_with("locals", &node, &["--no-opt"]);
        let mut app = App::new();
        let stack = json(&core, &mut app, "bt -v");
        let list = calls(&stack);
        let (number, call) = named(&list, "captured");
        let lines = text(&core, &mut app, &format!("frame {number}"));
        for line in [
            "  locals:",
            "    plain = <Smi: 2>",
            "  own block: (Context",
            "  own function: (Context",
            "    a = <Smi: 2>",
        ] {
            assert!(lines.contains(line), "{node}: {line} in {lines}");
        }
        assert!(
            lines.contains("p = ") && lines.contains("\"by closure\""),
            "{node}: {lines}"
        );
        let (number, _) = named(&list, "later");
        let lines = text(&core, &mut app, &format!("frame {number}"));
        assert!(lines.contains("    b = <uninitialized>"), "{node}: {lines}");
        assert!(lines.contains("    C = <uninitialized>"), "{node}: {lines}");
        let plain = text(&core, &mut app, "bt");
        let line = plain.lines().find(|l| l.contains(" captured("));
        let line = line.unwrap_or_default();
        assert!(line.ends_with(") [interpreted]"), "{node}: {line}");
        assert!(!lines.contains("not known here"), "{node}: {lines}");
        let all = text(&core, &mut app, "bt -v");
        assert!(all.contains("          plain = <Smi: 2>"), "{node}: {all}");

        // The closure that changed them sees the same.
        let locals = call["scopes"].as_array().expect("scopes");
        let variables = locals
            .iter()
            .flat_map(|s| s["variables"].as_array().expect("a list"));
        let change = call["locals"].as_array().expect("locals").iter();
        let change = change.chain(variables).find(|v| v["name"] == "change");
        let address = change.expect("change")["value"]["value"]
            .as_str()
            .expect("an address");
        let closure = text(&core, &mut app, &format!("closure {address}"));
        assert!(closure.contains("    a = <Smi: 2>"), "{node}: {closure}");
        assert!(closure.contains("\"by closure\""), "{node}: {closure}");
        assert!(
            closure.contains("  function captured: (Context"),
            "{node}: {closure}"
        );
    }
}

#[test]
fn source_of_each_frame() {
    for node in nodes() {
        let core = core_with("optimized", &node, &[]);
        let file = std::fs::read_to_string(core.directory.join("optimized.js")).expect("text");
        let file: Vec<&str> = file.split('\n').collect();
        let mut app = App::new();
        let stack = json(&core, &mut app, "bt");
        let frames = stack[0]["frames"].as_array().or(stack["frames"].as_array());
        let mut inlined = 0;
        for frame in frames.expect("frames").iter().take(200) {
            let calls = frame["calls"].as_array().expect("calls");
            for (at, call) in calls.iter().enumerate() {
                let is_own = at + 1 == calls.len();
                let place = &call["call"];
                let in_file = place["file"]
                    .as_str()
                    .is_some_and(|f| f.ends_with("optimized.js"));
                if !in_file || (is_own && frame["kind"] == "builtin") {
                    continue;
                }
                let mut line = format!("source list -f {} -a", frame["number"]);
                // The one that `v8 bt` shows first needs no number.
                if at > 0 {
                    line += &format!(" -i {}", at + 1);
                }
                inlined += usize::from(!is_own);
                let list = json(&core, &mut app, &line);
                let lines = list["lines"].as_array().expect("lines");
                for line in lines {
                    let number = line["line"].as_u64().expect("a number") as usize;
                    assert_eq!(line["text"], file[number - 1], "{node}");
                }
                assert_eq!(lines[0]["line"], call["definition"]["line"], "{node}");
                let marked: Vec<_> = lines.iter().filter(|l| l["call"] == true).collect();
                assert_eq!(marked.len(), 1, "{node}: {list}");
                assert_eq!(marked[0]["line"], place["line"], "{node}");
                assert_eq!(marked[0]["column"], place["column"], "{node}");
            }
        }
        assert!(inlined > 5, "{node}: {inlined} inlined");
    }
}

#[test]
fn source_maps() {
    for node in nodes() {
        let core = core_with("mapped", &node, &["--enable-source-maps"]);
        let said: Value = serde_json::from_str(core.output("mapped").trim()).expect("said");
        // "at fail (…mapped.ts:7:5)", or on a line of its own below.
        let stack = said["stack"].as_str().expect("a stack");
        let (_, from) = stack.split_once("at fail ").expect("fail");
        let (_, from) = from.split_once("mapped.ts:").expect("a place");
        let place: String = from
            .chars()
            .take_while(|c| c.is_ascii_digit() || *c == ':')
            .collect();
        let mut app = App::new();
        let stack = json(&core, &mut app, "bt");
        let list = calls(&stack);
        let (number, _) = named(&list, "fail");
        let line = format!("source list -f {number} --call --source-map");
        let shown = json(&core, &mut app, &line);
        assert!(
            shown["file"]
                .as_str()
                .expect("a file")
                .ends_with("/mapped.ts"),
            "{shown}"
        );
        let lines = shown["lines"].as_array().expect("lines");
        let marked = lines.iter().find(|l| l["call"] == true).expect("the call");
        assert_eq!(
            format!("{}:{}", marked["line"], marked["column"]),
            place,
            "{node}"
        );
        assert_eq!(marked["text"], "    step();", "{node}");
        let whole = text(
            &core,
            &mut app,
            &format!("source list -f {number} -a --source-map"),
        );
        assert!(
            whole.contains("export function fail(steps: Step[]): void {"),
            "{whole}"
        );
        assert!(whole.contains("->7     step();\n        ^\n"), "{whole}");
    }
}

/// The same without a word of the map in the script: it is looked for beside it. V8 has no account of
/// that; the code is that of `mapped`, and so are the places V8 gave there.
#[test]
fn source_maps_beside_the_script() {
    for node in nodes() {
        let mapped = core_with("mapped", &node, &["--enable-source-maps"]);
        let source = std::fs::read_to_string(mapped.directory.join("mapped.js")).expect("it");
        let (_, map) = source.split_once("base64,").expect("a map");
        let map = base64_simd::STANDARD.decode_to_vec(map.trim()).expect("it");
        let core = core_with("beside", &node, &[]);
        let file = core.directory.join("beside.js.map");
        let place = |core: &Core, options: &str| {
            let mut app = App::new();
            let (number, _) = named(&calls(&json(core, &mut app, "bt")), "fail");
            let line = format!("source list -f {number} --call {options}");
            let shown = json(core, &mut app, &line);
            let lines = shown["lines"].as_array().expect("lines").clone();
            let marked = lines.iter().find(|l| l["call"] == true).expect("the call");
            let file = shown["file"].as_str().expect("a file").to_string();
            let (line, column) = (marked["line"].clone(), marked["column"].clone());
            (
                file.rsplit_once('/')
                    .map_or(file.clone(), |f| f.1.to_string()),
                line,
                column,
            )
        };
        std::fs::write(&file, &map).expect("a map");
        let with = place(&core, "--source-map");
        std::fs::remove_file(&file).expect("the map");
        assert_eq!(with, place(&mapped, "--source-map"), "{node}");
        assert_eq!(with.0, "mapped.ts", "{node}");
        // Without the file there is nothing to go by but the script.
        assert_eq!(place(&core, "").0, "beside.js", "{node}");
    }
}
