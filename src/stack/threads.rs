//! What each thread of a Node.js process is for.

use crate::heap::Isolates;
use crate::target::{Target, Thread};

/// A thread's role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Runs the program.
    Main,
    /// Runs a Worker; the number is its isolate's, from 1 on as they were started.
    Worker(u32),
    /// Runs what V8 gives to the platform: concurrent compilation and garbage collection.
    PlatformWorker,
    /// One of those, at work for the garbage collector.
    GcHelper,
    /// Starts the platform's delayed tasks.
    DelayedTasks,
    /// Listens for the inspector.
    Inspector,
    /// Waits for the signal that starts the inspector.
    SignalInspector,
    /// Runs file system, DNS and crypto work.
    ThreadPool,
    /// A watchdog, as of vm's timeout or the trace writer.
    Watchdog,
    Tracing,
    /// Whatever else.
    Other,
}

impl Role {
    /// In words.
    pub fn text(self) -> String {
        match self {
            Role::Main => "main".to_string(),
            Role::Worker(n) => format!("worker {n}"),
            Role::PlatformWorker => "platform worker".to_string(),
            Role::GcHelper => "GC helper".to_string(),
            Role::DelayedTasks => "delayed tasks".to_string(),
            Role::Inspector => "inspector".to_string(),
            Role::SignalInspector => "inspector's signal".to_string(),
            Role::ThreadPool => "libuv thread pool".to_string(),
            Role::Watchdog => "watchdog".to_string(),
            Role::Tracing => "tracing".to_string(),
            Role::Other => "other".to_string(),
        }
    }
}

/// Frames of a thread asked of the debugger: the last ones tell what it is for.
const FRAMES: usize = 64;

/// Functions that only threads of one role run, by a part of their name.
const FUNCTIONS: [(&str, Role); 12] = [
    ("DelayedTaskScheduler", Role::DelayedTasks),
    ("PlatformWorkerThread", Role::PlatformWorker),
    ("WorkerThreadsTaskRunner", Role::PlatformWorker),
    ("InspectorIo::ThreadMain", Role::Inspector),
    ("InspectorIo", Role::Inspector),
    ("StartIoThreadMain", Role::SignalInspector),
    ("SignalInspector", Role::SignalInspector),
    ("uv__fs_work", Role::ThreadPool),
    ("uv__threadpool", Role::ThreadPool),
    ("Watchdog", Role::Watchdog),
    ("tracing::", Role::Tracing),
    ("NodeTraceBuffer", Role::Tracing),
];

/// What a platform worker runs while it helps the garbage collector, by a part of the name. Other
/// threads may run the first too.
const COLLECTING: [&str; 10] = [
    "::Heap::",
    "::ConcurrentMarking",
    "::MarkCompactCollector",
    "::MinorMarkSweep",
    "::MinorMarkCompact",
    "::Scaveng",
    "::Sweeper",
    "::ArrayBufferSweeper",
    "::PageEvacuationJob",
    "::ItemParallelJob",
];

/// The role of each thread, in the target's order.
pub fn roles(target: &dyn Target, isolates: Option<&Isolates>) -> Vec<(Thread, Role)> {
    let threads = target.threads();
    let all = isolates.map_or(&[][..], |i| &i.isolates);
    let main = threads
        .iter()
        .find(|t| t.id == target.process_id())
        .map(|t| t.index)
        .or_else(|| all.first().and_then(|i| i.threads.first().copied()));
    let main_isolate = main.and_then(|m| isolates?.of_thread(m)).map(|i| i.address);
    // The platform's threads have an isolate entered too while they work for it.
    let number = |thread: &Thread| {
        all.iter()
            .position(|i| i.runner == Some(thread.index) && Some(i.address) != main_isolate)
    };
    threads
        .into_iter()
        .map(|thread| {
            let role = if Some(thread.index) == main {
                Role::Main
            } else if let Some(number) = number(&thread) {
                Role::Worker(u32::try_from(number).unwrap_or(u32::MAX))
            } else {
                let entered = all.iter().any(|i| i.threads.contains(&thread.index));
                match by_functions(target, &thread) {
                    Role::Other if entered => Role::PlatformWorker,
                    role => role,
                }
            };
            (thread, role)
        })
        .collect()
}

fn by_functions(target: &dyn Target, thread: &Thread) -> Role {
    let frames = target.native_frames(thread.index, FRAMES);
    let names: Vec<&str> = frames
        .iter()
        .filter_map(|f| f.function.as_deref())
        .collect();
    for (part, role) in FUNCTIONS {
        if names.iter().any(|n| n.contains(part)) {
            let collects = |n: &&str| COLLECTING.iter().any(|part| n.contains(part));
            return match role {
                Role::PlatformWorker if names.iter().any(collects) => Role::GcHelper,
                role => role,
            };
        }
    }
    // libuv's pool: a function of that very name right above the thread's start.
    if names
        .iter()
        .any(|n| *n == "worker" || n.starts_with("worker("))
    {
        return Role::ThreadPool;
    }
    // Where the unwinder does not get to the thread's start.
    let collects = |n: &&str| COLLECTING[1..].iter().any(|part| n.contains(part));
    match thread.name.as_deref() {
        _ if names.iter().any(collects) => Role::GcHelper,
        Some(name) if name.contains("V8Worker") => Role::PlatformWorker,
        Some(name) if name.contains("DelayedTask") => Role::DelayedTasks,
        Some(name) if name.contains("SignalInspector") => Role::SignalInspector,
        Some(name) if name.contains("libuv-worker") => Role::ThreadPool,
        _ => Role::Other,
    }
}
