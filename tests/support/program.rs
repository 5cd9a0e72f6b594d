//! Test programs that run and wait for a debugger.

use serde_json::Value as Json;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{channel, Receiver};
use std::time::{Duration, Instant};

/// For what takes a second on an idle machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A test program that runs and waits. It ends with this, or with the test.
pub struct Program {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
    /// What it said before it was ready.
    pub said: Vec<Json>,
}

impl Program {
    /// Starts a program of `tests/programs` and waits until it says that it is ready.
    pub fn start(node: &Path, program: &str, flags: &[&str], arguments: &[&str]) -> Program {
        // Some write files where they are.
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
        Program::start_in(directory, node, program, flags, arguments)
    }

    /// The same, in a directory.
    pub fn start_in(
        directory: &Path,
        node: &Path,
        program: &str,
        flags: &[&str],
        arguments: &[&str],
    ) -> Program {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut command = Command::new(node);
        command
            .args(flags)
            .arg(root.join("tests/programs").join(program))
            .args(arguments)
            .current_dir(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        ends_with_us(&mut command);
        let mut child = command
            .spawn()
            .unwrap_or_else(|e| panic!("{}: {e}", node.display()));
        let input = child.stdin.take().expect("its input");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        let (send, lines) = channel();
        std::thread::spawn(move || {
            // A lone surrogate is no UTF-8.
            for line in output.split(b'\n').map_while(Result::ok) {
                if send
                    .send(String::from_utf8_lossy(&line).into_owned())
                    .is_err()
                {
                    break;
                }
            }
        });
        let mut program = Program {
            child,
            input,
            lines,
            said: Vec::new(),
        };
        loop {
            let record = program.next();
            if record["ready"].is_u64() {
                return program;
            }
            // A lone surrogate is JSON to JavaScript, but not here.
            if record != Json::Null {
                program.said.push(record);
            }
        }
    }

    /// Has gdb run a Python script on it: what it printed, and its errors. `None` where no process may
    /// be attached to.
    pub fn under_gdb(&self, script: &Path) -> Option<(String, String)> {
        let output = Command::new("timeout")
            .args(["-k", "5", "120", "gdb", "-nx", "-batch"])
            .args(["-ex", "set debuginfod enabled off"])
            .args(["-ex", "set breakpoint pending on"])
            .args(["-ex", "handle SIGUSR1 SIGPIPE nostop noprint pass"])
            .args(["-p", &self.id().to_string(), "-x"])
            .arg(script)
            .output()
            .expect("gdb runs");
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        if errors.contains("ptrace: Operation not permitted") {
            eprintln!("SKIPPED: no process may be attached to here");
            return None;
        }
        Some((String::from_utf8_lossy(&output.stdout).into_owned(), errors))
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its next line.
    pub fn next(&mut self) -> Json {
        let line = self.lines.recv_timeout(PATIENCE);
        let line = line.unwrap_or_else(|e| panic!("the test program says no more: {e}"));
        serde_json::from_str(&line).unwrap_or_default()
    }

    /// Writes to its standard input.
    pub fn tell(&mut self, text: &str) {
        self.input.write_all(text.as_bytes()).expect("it reads");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// Kills a process and waits for its end, though not for ever: one that is traced ends only when
/// its debugger looks.
pub fn end(child: &mut Child) {
    let _ = child.kill();
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(20) {
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Has a process killed when this thread ends, however it does; and lets any debugger attach to it
/// where only parents may (Yama's ptrace_scope 1).
pub fn ends_with_us(command: &mut Command) {
    const PR_SET_PTRACER: libc::c_int = 0x5961_6d61;
    const ANY: libc::c_ulong = libc::c_ulong::MAX;
    // SAFETY: two system calls, which are safe after a fork.
    unsafe {
        command.pre_exec(|| {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            libc::prctl(PR_SET_PTRACER, ANY);
            Ok(())
        });
    }
}

/// A node binary, gone when this is dropped where it is a copy.
pub struct Node {
    pub path: PathBuf,
    is_copy: bool,
}

impl Node {
    /// The official build of a release.
    pub fn official(version: &str) -> Node {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/node.sh");
        let output = Command::new(script)
            .arg(version)
            .output()
            .expect("node.sh runs");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}");
        let path = String::from_utf8_lossy(&output.stdout).trim().into();
        Node {
            path,
            is_copy: false,
        }
    }

    /// The same, without the debug information of its C parts where that is what most time goes to:
    /// LLDB takes a function that GCC split for one of all the 15 MB between its two ranges, as
    /// libuv's are in Node 14 to 22, and disassembles these for each thread that waits in one. V8's
    /// symbols stay.
    pub fn quick(version: &str) -> Node {
        let node = Node::official(version);
        let major = version.split('.').next().and_then(|m| m.parse().ok());
        if !matches!(major, Some(14..=22)) {
            return node;
        }
        let name = format!("node-{version}-{}", std::process::id());
        let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let objcopy = Command::new("objcopy")
            .arg("--strip-debug")
            .args([&node.path, &copy])
            .output();
        match objcopy {
            Ok(output) if output.status.success() => Node {
                path: copy,
                is_copy: true,
            },
            _ => node,
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if self.is_copy {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
