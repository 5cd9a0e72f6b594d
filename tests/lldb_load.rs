//! The library in real LLDBs: V8RS_LLDBS names them (by spaces), else every `lldb` and `lldb-NN`
//! on the PATH.
#![cfg(all(feature = "lldb", target_os = "linux"))]

mod support;

use object::read::elf::{ElfFile64, FileHeader, SectionHeader};
use object::{Endianness, Object, ObjectSymbol};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// `libv8rs.so` of this very build: beside the directory of the test programs.
fn library() -> PathBuf {
    let deps = std::env::current_exe().unwrap();
    let deps = deps.parent().unwrap();
    [deps.join("libv8rs.so"), deps.join("../libv8rs.so")]
        .into_iter()
        .filter(|path| path.is_file())
        .max_by_key(|path| path.metadata().unwrap().modified().unwrap())
        .expect("libv8rs.so is built with its tests")
}

fn lldbs() -> Vec<PathBuf> {
    let found: Vec<PathBuf> = match std::env::var("V8RS_LLDBS") {
        Ok(list) => list.split_whitespace().map(PathBuf::from).collect(),
        Err(_) => {
            let names = (14..=23).map(|v| format!("lldb-{v}"));
            let names: Vec<String> = names.chain(["lldb".to_owned()]).collect();
            let path = std::env::var_os("PATH").unwrap_or_default();
            std::env::split_paths(&path)
                .flat_map(|dir| names.iter().map(move |name| dir.join(name)))
                .filter(|path| path.is_file())
                .collect()
        }
    };
    assert!(!found.is_empty(), "no lldb on the PATH");
    found
}

/// Output and errors of a session in which `commands` are typed after loading the library.
fn session(lldb: &Path, arguments: &[&str], commands: &[&str]) -> (String, String) {
    let mut child = Command::new(lldb)
        .arg("--no-lldbinit")
        .args(arguments)
        .env("V8RS_SELFTEST", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("{}: {e}", lldb.display()));
    let mut input = child.stdin.take().unwrap();
    writeln!(input, "plugin load {}", library().display()).unwrap();
    for command in commands {
        writeln!(input, "{command}").unwrap();
    }
    writeln!(input, "quit").unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}: {output:?}", lldb.display());
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn needs_no_liblldb_and_shows_its_entry() {
    let data = std::fs::read(library()).unwrap();
    let elf = ElfFile64::<Endianness>::parse(&*data).unwrap();
    let (endian, sections) = (elf.endian(), elf.elf_section_table());
    let header = elf.elf_header();
    assert!(header.is_type_64());
    let (entries, strings) = sections.dynamic(endian, &*data).unwrap().unwrap();
    let strings = sections.strings(endian, &*data, strings).unwrap();
    for entry in entries {
        use object::read::elf::Dyn;
        if entry.tag32(endian) == Some(object::elf::DT_NEEDED) {
            let name = entry.string(endian, strings).unwrap();
            let name = String::from_utf8_lossy(name);
            assert!(!name.contains("lldb") && !name.contains("LLVM"), "{name}");
        }
    }
    // Not bound to one LLDB's symbol version.
    for section in sections.iter() {
        let Some((mut versions, link)) = section.gnu_verneed(endian, &*data).unwrap() else {
            continue;
        };
        let strings = sections.strings(endian, &*data, link).unwrap();
        while let Some((need, _)) = versions.next().unwrap() {
            let file = String::from_utf8_lossy(need.file(endian, strings).unwrap());
            assert!(!file.contains("lldb"), "{file}");
        }
    }
    let entry = "_ZN4lldb16PluginInitializeENS_10SBDebuggerE";
    let entry = elf.dynamic_symbols().find(|s| s.name() == Ok(entry));
    assert!(entry.expect("the plugin's entry").is_definition());
    let undefined = |s: &object::read::elf::ElfSymbol64<'_, '_>| {
        s.is_undefined() && s.name().unwrap_or_default().contains("4lldb")
    };
    assert!(elf.dynamic_symbols().filter(undefined).count() > 50);
}

#[test]
fn loads_runs_and_fails_cleanly() {
    for lldb in lldbs() {
        let commands = [
            "v8 version",
            "v8 v",
            "v8 selftest panic",
            "v8 nodeinfo",
            "v8 help",
            "v8 nodeinfo",
            "v8 selftest output 3000000",
            "v8 nonsense",
            "v8 version",
        ];
        let (out, err) = session(&lldb, &[], &commands);
        let filler = "0123456789abcdef";
        let rest: Vec<&str> = out.lines().filter(|l| *l != filler).collect();
        let say = format!("{}\n{}\n{err}", lldb.display(), rest.join("\n"));
        let version = concat!("v8rs ", env!("CARGO_PKG_VERSION"));
        let lines = |wanted: &str| out.lines().filter(|l| *l == wanted).count();
        assert!(out.contains(&format!("{version}: no process yet")), "{say}");
        assert_eq!(lines(version), 3, "{say}");
        assert!(out.contains("nodeinfo "), "help lists commands: {say}");
        assert_eq!(lines(filler), 3_000_000 / 17, "{}", lldb.display());
        assert!(err.contains("error: internal error in v8rs"), "{say}");
        assert!(err.contains("a bug of ours"), "{say}");
        let none = "error: No valid process, please start something";
        assert_eq!(err.matches(none).count(), 2, "{say}");
    }
}

#[test]
fn control_c_ends_a_command_and_no_more() {
    for lldb in lldbs() {
        let mut child = Command::new(&lldb)
            .arg("--no-lldbinit")
            .env("V8RS_SELFTEST", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        let mut errors = BufReader::new(child.stderr.take().unwrap());
        writeln!(input, "plugin load {}", library().display()).unwrap();
        writeln!(input, "v8 selftest wait 60").unwrap();
        let mut line = String::new();
        while line.trim() != "waiting" {
            line.clear();
            let n = errors.read_line(&mut line).unwrap();
            assert!(n > 0, "{}: ended early", lldb.display());
        }
        let clock = Instant::now();
        // SAFETY: a signal to our own child, which has not been waited for.
        unsafe { libc::kill(child.id() as libc::pid_t, libc::SIGINT) };
        writeln!(input, "v8 version\nquit").unwrap();
        drop(input);
        let mut out = String::new();
        child
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut out)
            .unwrap();
        child.wait().unwrap();
        let took = clock.elapsed();
        let version = concat!("v8rs ", env!("CARGO_PKG_VERSION"));
        assert!(
            out.lines().any(|l| l.ends_with(version)),
            "{}: {out}",
            lldb.display()
        );
        assert!(!out.contains("waited"), "{}: {out}", lldb.display());
        assert!(
            took < Duration::from_secs(5),
            "{}: {took:?}",
            lldb.display()
        );
    }
}

/// What LLDB shows of a core is what the core file itself says.
#[test]
fn same_process_as_in_the_core_file() {
    use v8rs::target::Target;
    let core = &support::core_with("signup", "26.10.0", &["--abort-on-uncaught-exception"]);
    let direct = v8rs::offline::CoreFile::open(&core.core, &core.program).unwrap();
    let [program, file] = [&core.program, &core.core].map(|p| p.to_str().unwrap());
    for lldb in lldbs() {
        let commands = [
            "v8 selftest target",
            "v8 selftest evaluate 'no_such_name'",
            "v8 findjsobjects",
        ];
        let (out, err) = session(&lldb, &[program, "--core", file], &commands);
        let say = format!("{}\n{out}\n{err}", lldb.display());
        assert!(
            out.contains(&format!("process {} X64 live=false", direct.process_id())),
            "{say}"
        );
        for thread in direct.threads() {
            let r = thread.registers;
            let found = out.lines().any(|l| {
                l.starts_with("thread Thread")
                    && l.contains(&format!("id: {:x},", thread.id))
                    && l.contains(&format!(
                        "pc: {:x}, sp: {:x}, fp: {:x}, tls: {:x}",
                        r.pc, r.sp, r.fp, r.tls
                    ))
            });
            assert!(found, "{thread:x?} {say}");
        }
        // Pages of files are left out of cores; that is no gap in the heap.
        assert!(!out.contains("not in the core"), "{say}");
        assert!(!err.contains("not in the core"), "{say}");
        let why = "use of undeclared identifier 'no_such_name'";
        let line = err
            .lines()
            .find(|l| l.contains(why))
            .unwrap_or_else(|| panic!("{say}"));
        assert!(line.starts_with("error: <user expression "), "{say}");
    }
}

/// llnode's users type as much of a name as was the only one that began so, among llnode's.
#[test]
fn shortened_names_mean_what_they_meant_in_llnode() {
    let llnode = [
        "bt",
        "findjsinstances",
        "findjsobjects",
        "findrefs",
        "getactivehandles",
        "getactiverequests",
        "help",
        "inspect",
        "nodeinfo",
        "print",
        "settings",
        "source",
    ];
    for lldb in lldbs() {
        let mut session = support::lldb::Lldb::start(&lldb, &[], &[]);
        for name in llnode {
            let whole = session.ask(&format!("v8 {name}"));
            assert!(!whole.trim().is_empty(), "{name}");
            for end in 1..name.len() {
                let short = &name[..end];
                if llnode.iter().filter(|n| n.starts_with(short)).count() == 1 {
                    let said = session.ask(&format!("v8 {short}"));
                    assert_eq!(said, whole, "{}: v8 {short}", lldb.display());
                }
            }
        }
        let usage = session.ask("v8 p");
        assert!(usage.contains("USAGE: v8 print"), "{usage}");
        let set = session.ask("v8 se se color never");
        assert!(set.contains("Color set to 'never'"), "{set}");
        let ambiguous = session.ask("v8 f");
        assert!(ambiguous.contains("ambiguous"), "{ambiguous}");
    }
}
