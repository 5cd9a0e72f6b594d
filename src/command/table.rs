//! The one table of commands: registration, help, completion and the README's reference.

use super::app::{App, Host};
use super::Outcome;

/// One subcommand of `v8`.
pub struct Command {
    /// Its words after `v8`: "bt", "source list", "settings set".
    pub name: &'static str,
    /// Usage line without `v8 `.
    pub usage: &'static str,
    /// One line for `v8 help`.
    pub summary: &'static str,
    /// What more `--help` says: options, one a line, and notes. May be empty.
    pub details: &'static str,
    /// Parses its arguments and runs.
    pub run: fn(&mut App, &dyn Host, &[String]) -> Outcome,
}

const VALUE_DETAILS: &str = concat!(
    "The expression is one of the debugger's own; its value is a tagged pointer, as 'v8 bt'\n\
     and the other commands print it.\n\n",
    "  -F, --full-string     strings in full\n",
    "  -l N, --length N      at most N characters of a string, elements, entries or bytes (16)\n",
    "  -m, --print-map       the address of the value's Map as well\n",
    "  -s, --print-source    a function's source as well\n",
    "  --json                print the result as JSON",
);

/// Every command, in the order of `v8 help`. A name of two words is a subcommand of a group.
pub static TABLE: &[Command] = &[
    Command {
        name: "help",
        usage: "help [--json] [command]",
        summary: "List the v8 commands, or explain one.",
        details: "",
        run: super::help::run,
    },
    Command {
        name: "bt",
        usage: "bt [-v] [--async] [--all] [--json] [number]",
        summary: "Show the stack of the selected thread, native and JavaScript frames in order.",
        details: "A JavaScript frame is\n\n\
                  \x20   NAME(this=VALUE, ARGUMENT, ...) at FILE:LINE:COLUMN fn=ADDRESS (FILE:LINE:COLUMN)\n\n\
                  with the name as Error.stack gives it, the arguments that were passed, the place of\n\
                  the call being made, the function's address and the place where it is defined, then\n\
                  what runs it: [interpreted], [baseline], [maglev] or [turbofan]. A function that the\n\
                  compiler inlined is a line of its own with its caller's number. After the last\n\
                  frame come the async functions that await the one running.\n\
                  Of a thread that ended the process it is said first why: the exception that nothing\n\
                  caught, the fatal error, the signal.\n\n\
                  \x20 number      how many frames to show at most\n\
                  \x20 -v          with the variables of each frame by name\n\
                  \x20 --async     the awaiting functions too, where llnode's forms leave them out\n\
                  \x20 --all       the stacks of all threads\n\
                  \x20 --json      print the result as JSON",
        run: super::bt::run,
    },
    Command {
        name: "frame",
        usage: "frame [-r] [--json] [number]",
        summary: "Show a JavaScript frame with its variables by name.",
        details: super::frame::DETAILS,
        run: super::frame::run,
    },
    Command {
        name: "threads",
        usage: "threads [--json]",
        summary: "List the threads with what they are for and where their JavaScript is.",
        details: super::threads::DETAILS,
        run: super::threads::run,
    },
    Command {
        name: "async",
        usage: "async [-n N] [--json]",
        summary: "Count the async functions and generators that have not finished, by where they wait.",
        details: super::async_::DETAILS,
        run: super::async_::run,
    },
    Command {
        name: "closure",
        usage: "closure [--json] expr",
        summary: "Show the variables a function sees in the scopes around it.",
        details: super::closure::DETAILS,
        run: super::closure::run,
    },
    Command {
        name: "source list",
        usage: "source list [-f frame] [-l line] [-a] [--call] [-i number] [--source-map] [--json]",
        summary: "Show source of the selected frame's function; again for the lines after.",
        details: "The line and column of the call being made are marked. A native frame gets lldb's own `source list`.\n\n\
                  \x20 --frame, -f number\n\
                  \x20             of this frame as 'v8 bt' numbers it, in place of the selected one\n\
                  \x20 -l line     start at this line of the function, from 1\n\
                  \x20 --all, -a   show the whole function\n\
                  \x20 --call, -c  show the lines around the call being made\n\
                  \x20 --inlined, -i number\n\
                  \x20             of those that 'v8 bt' shows with the frame's number, where functions\n\
                  \x20             are inlined into it: 1 is the innermost and shown without -i, the\n\
                  \x20             last is the frame's own\n\
                  \x20 --source-map\n\
                  \x20             show what the script was made of (TypeScript), by its source map: in\n\
                  \x20             the script, the file it names, or the file FILE.map beside it\n\
                  \x20 --json      print the result as JSON",
        run: super::source_list::run,
    },
    Command {
        name: "findjsobjects",
        usage: "findjsobjects [-d] [--live] [--retained] [--json]",
        summary: "Count the objects of the heap by class, with their size.",
        details: super::findjsobjects::DETAILS,
        run: super::findjsobjects::run,
    },
    Command {
        name: "findjsinstances",
        usage: "findjsinstances [-n N] [flags] Type",
        summary: "List the objects of one class, page by page.",
        details: super::findjsinstances::DETAILS,
        run: super::findjsinstances::run,
    },
    Command {
        name: "findrefs",
        usage: "findrefs [-v|-n|-s] [-r] X",
        summary: "Find what refers to an object, by value, property name or string.",
        details: super::findrefs::DETAILS,
        run: super::findrefs::run,
    },
    Command {
        name: "getactivehandles",
        usage: "getactivehandles [flags]",
        summary: "List the handles (sockets, servers, timers) that keep the event loop alive.",
        details: super::handles::DETAILS,
        run: super::handles::handles,
    },
    Command {
        name: "getactiverequests",
        usage: "getactiverequests [flags]",
        summary: "List the requests (file system, DNS, writes) under way.",
        details: super::handles::DETAILS,
        run: super::handles::requests,
    },
    Command {
        name: "print",
        usage: "print [flags] expr",
        summary: "Print the JavaScript value an expression gives, in one line.",
        details: VALUE_DETAILS,
        run: super::print::print,
    },
    Command {
        name: "inspect",
        usage: "inspect [flags] expr",
        summary: "Show a JavaScript value (or an object of V8's own) with what is inside.",
        details: VALUE_DETAILS,
        run: super::print::inspect,
    },
    Command {
        name: "settings set",
        usage: "settings set [--json] name value",
        summary: "Change a setting: color, tree-padding or compat.",
        details: "  color always|never|auto   colours; auto: on a terminal\n\
                  \x20 tree-padding 1..10        spaces a level of 'findrefs -r'\n\
                  \x20 compat llnode|off         llnode's exact forms (also V8RS_COMPAT=llnode)",
        run: super::settings::set,
    },
    Command {
        name: "settings show",
        usage: "settings show [--json]",
        summary: "Show the settings.",
        details: "",
        run: super::settings::show,
    },
    Command {
        name: "nodeinfo",
        usage: "nodeinfo [--metadata] [--json]",
        summary:
            "Show what Node.js says of itself (versions, arguments), and what was found of V8.",
        details: "  --metadata  also list every V8 constant used, with its value and source\n\
                  \x20 --json      print the result as JSON",
        run: super::nodeinfo::run,
    },
    Command {
        name: "heapsnapshot",
        usage: "heapsnapshot [--all] [--json] [FILE]",
        summary: "Write the heap of the selected thread's isolate as a .heapsnapshot for DevTools.",
        details: "The file (v8rs.heapsnapshot if none is given) is as V8 of this version writes it, and\n\
                  holds what is reachable from the roots. It appears under its name only when whole.\n\n\
                  \x20 --all       also what nothing holds any more\n\
                  \x20 --json      print the result as JSON",
        run: super::heapsnapshot::run,
    },
    Command {
        name: "retainers",
        usage: "retainers [-d depth] [-w width] [--json] ADDR",
        summary: "Show who holds an object, as the tree that DevTools shows.",
        details: "What is nearest to a root comes first. ADDR is an address, an expression, or @id.\n\n\
                  \x20 -d depth    how far to go (8)\n\
                  \x20 -w width    how many holders of each object (5)\n\
                  \x20 --json      print the result as JSON",
        run: super::retainers::run,
    },
    Command {
        name: "path",
        usage: "path [--json] ADDR",
        summary: "Show the shortest way from an object to a root, one line a step.",
        details: "  --json      print the result as JSON",
        run: super::retainers::run_path,
    },
    Command {
        name: "dominators",
        usage: "dominators [-n rows] [--json] [ADDR]",
        summary: "Show what keeps most memory alive: in the heap, or of one object.",
        details: "With ADDR also what the object would go with: the chain of its dominators.\n\n\
                  \x20 -n rows     how many (20)\n\
                  \x20 --json      print the result as JSON",
        run: super::dominators::run,
    },
    Command {
        name: "retained",
        usage: "retained [-n rows] [-c CLASS] [--json] [ADDR]",
        summary: "Show what classes, the objects of a class, or one object keep alive.",
        details: "Sizes are DevTools': what would be freed with it. Nothing is counted twice.\n\n\
                  \x20 -n rows     how many (30)\n\
                  \x20 -c CLASS    the objects of this class, those that keep most first\n\
                  \x20 --json      print the result as JSON",
        run: super::retained::run,
    },
    Command {
        name: "leaks",
        usage: "leaks [-n rows] [--json]",
        summary: "Show what holds an outsized share of the heap, and through which variable.",
        details: super::leaks::DETAILS,
        run: super::leaks::run,
    },
    Command {
        name: "heapdiff",
        usage: "heapdiff [-n rows] [--by ids|counts] [--json] BEFORE [AFTER]",
        summary: "Compare an earlier core or a .heapsnapshot with this heap or with another, by class.",
        details: "Shows, as DevTools' Comparison does, what came and what went between two heaps, the\n\
                  class that grew most first, with an object of each to go on with. BEFORE and AFTER\n\
                  are snapshot files (V8's or ours) or cores of the program that is open; without AFTER\n\
                  it is the heap that is open.\n\n\
                  \x20 -n rows     how many classes to show (40)\n\
                  \x20 --by        tell objects apart by id (two snapshots of one process) or only count\n\
                  \x20             them; found out if not given\n\
                  \x20 --json      print the result as JSON",
        run: super::heapdiff::run,
    },
    Command {
        name: "version",
        usage: "version [--json]",
        summary: "Show the version of v8rs.",
        details: "",
        run: super::help::version,
    },
];

/// What users of llnode type for a subcommand, where its name is no longer the only one that begins
/// so: shortcut, name in [`TABLE`].
pub static SHORTCUTS: &[(&str, &str)] = &[("p", "print"), ("h", "help"), ("he", "help")];

/// llnode's top-level names for commands: alias, name in [`TABLE`].
pub static ALIASES: &[(&str, &str)] = &[
    ("jsstack", "bt"),
    ("jsprint", "inspect"),
    ("jssource", "source list"),
    ("findjsobjects", "findjsobjects"),
    ("findjsinstances", "findjsinstances"),
];
