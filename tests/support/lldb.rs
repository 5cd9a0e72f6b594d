//! A session with a real LLDB, one command after another.

use super::program::{end, ends_with_us};
use std::io::{BufRead, BufReader, PipeReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{channel, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// For one command, which takes seconds on an idle machine; and for a whole session.
const PATIENCE: Duration = Duration::from_secs(240);
const SESSION: Duration = Duration::from_secs(900);

/// `libv8rs.so` of this very build: beside the directory of the test programs.
pub fn library() -> PathBuf {
    let deps = std::env::current_exe().expect("the test program's path");
    let deps = deps.parent().expect("a directory");
    [deps.join("libv8rs.so"), deps.join("../libv8rs.so")]
        .into_iter()
        .filter(|path| path.is_file())
        .max_by_key(|path| path.metadata().and_then(|m| m.modified()).ok())
        .expect("libv8rs.so is built with its tests")
}

/// The LLDB to test with: the first of V8RS_LLDBS, else `lldb` or the newest `lldb-NN` on the PATH.
pub fn lldb() -> Option<PathBuf> {
    if let Ok(list) = std::env::var("V8RS_LLDBS") {
        return list.split_whitespace().next().map(PathBuf::from);
    }
    let numbered = (14..=23).rev().map(|v| format!("lldb-{v}"));
    let names: Vec<String> = std::iter::once("lldb".to_string())
        .chain(numbered)
        .collect();
    let path = std::env::var_os("PATH")?;
    let directories: Vec<PathBuf> = std::env::split_paths(&path).collect();
    names
        .iter()
        .flat_map(|name| directories.iter().map(move |d| d.join(name)))
        .find(|p| p.is_file())
}

/// A running LLDB with the library loaded. It ends with this.
pub struct Lldb {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
    started: Instant,
}

impl Lldb {
    /// Starts LLDB with these words and environment.
    pub fn start(lldb: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Lldb {
        // Both streams in one, so that what a command prints is in order.
        let (output, write) = std::io::pipe().expect("a pipe");
        let errors = write.try_clone().expect("a second end");
        let mut command = Command::new(lldb);
        command
            .arg("--no-lldbinit")
            .args(arguments)
            .env_remove("V8RS_COMPAT")
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(write)
            .stderr(errors);
        ends_with_us(&mut command);
        let mut child = command
            .spawn()
            .unwrap_or_else(|e| panic!("{}: {e}", lldb.display()));
        // It holds our ends of the pipe.
        drop(command);
        let input = child.stdin.take().expect("its input");
        let mut session = Lldb {
            child,
            input,
            lines: follow(output),
            started: Instant::now(),
        };
        let said = session.ask(&format!("plugin load {}", library().display()));
        assert!(said.contains("v8rs "), "{said}");
        session
    }

    /// What a command prints on both streams.
    pub fn ask(&mut self, command: &str) -> String {
        // The library's own word, which no other command prints alone on a line, ends the answer.
        const END: &str = concat!("v8rs ", env!("CARGO_PKG_VERSION"));
        writeln!(self.input, "{command}\nv8 version").expect("lldb reads commands");
        let mut said = String::new();
        let started = Instant::now();
        loop {
            let patience = PATIENCE
                .saturating_sub(started.elapsed())
                .min(SESSION.saturating_sub(self.started.elapsed()));
            match self.lines.recv_timeout(patience) {
                Ok(line) if line == END => return said,
                Ok(line) if line.starts_with("(lldb) ") => {}
                Ok(line) => {
                    said.push_str(&line);
                    said.push('\n');
                }
                Err(RecvTimeoutError::Timeout) => panic!("'{command}' does not end:\n{said}"),
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("lldb ended at '{command}':\n{said}")
                }
            }
        }
    }

    /// What a command with `--json` prints.
    pub fn json(&mut self, command: &str) -> serde_json::Value {
        let said = self.ask(command);
        let start = said
            .find(['{', '['])
            .unwrap_or_else(|| panic!("'{command}': {said}"));
        let end = ["\n}", "\n]"].iter().filter_map(|e| said.rfind(e)).max();
        let end = end.map_or(said.len(), |at| at + 2);
        let json = said
            .get(start..end)
            .unwrap_or_else(|| panic!("'{command}': {said}"));
        serde_json::from_str(json).unwrap_or_else(|e| panic!("'{command}': {e}: {said}"))
    }

    /// Waits until the process has stopped, which LLDB also says for a moment after it was resumed.
    pub fn wait_stopped(&mut self) {
        let started = Instant::now();
        while !self.is_stopped() {
            assert!(started.elapsed() < PATIENCE, "no stop");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn is_stopped(&mut self) -> bool {
        self.ask("process status").contains(" stopped")
            && !self.ask("v8 nodeinfo").contains("the process is running")
    }

    /// Has the process run, and waits until LLDB calls it running: it loses an interrupt before.
    pub fn resume(&mut self) {
        self.ask("process continue");
        let started = Instant::now();
        while !self.ask("process status").contains(" is running") {
            assert!(started.elapsed() < PATIENCE, "it does not run");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Stops the process.
    pub fn interrupt(&mut self) {
        let started = Instant::now();
        for wait in [20, 40, 100] {
            self.ask("process interrupt");
            while started.elapsed() < Duration::from_secs(wait) {
                if self.is_stopped() {
                    return;
                }
                std::thread::sleep(Duration::from_millis(100));
            }
        }
        panic!("no stop");
    }
}

impl Drop for Lldb {
    fn drop(&mut self) {
        // Its server lets go of what it is attached to.
        end(&mut self.child);
    }
}

/// The lines that come, from a thread of their own: waiting for them must be able to end.
fn follow(output: PipeReader) -> Receiver<String> {
    let (send, lines) = channel();
    std::thread::spawn(move || {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        while matches!(output.read_until(b'\n', &mut line), Ok(n) if n > 0) {
            let text = String::from_utf8_lossy(&line)
                .trim_end_matches('\n')
                .to_string();
            if send.send(text).is_err() {
                break;
            }
            line.clear();
        }
    });
    lines
}
