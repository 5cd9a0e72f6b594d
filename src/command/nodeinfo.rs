//! `v8 nodeinfo`.

use super::app::{App, Host};
use super::Outcome;
use crate::error::Result;
use crate::metadata::{Resolved, Source};
use crate::node::{find_process, native_context, ProcessInfo};
use crate::session::Session;
use serde::Serialize;
use std::fmt::Write;

/// What the command found.
#[derive(Debug, Serialize)]
struct NodeInfo {
    /// V8's version.
    v8: String,
    /// File that V8 is in.
    program: String,
    /// What the user should know before trusting the rest.
    warnings: Vec<String>,
    isolates: Vec<IsolateInfo>,
    /// The `process` object of the isolate that was asked for.
    process: Option<ProcessInfo>,
    /// Why there is none.
    process_error: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    metadata: Vec<ConstantInfo>,
}

#[derive(Debug, Serialize)]
struct IsolateInfo {
    /// As `--isolate` takes it.
    number: usize,
    address: String,
    pages: usize,
    /// Debugger's indexes of the threads that have it entered, and of the one whose it is.
    threads: Vec<u32>,
    runner: Option<u32>,
}

#[derive(Debug, Serialize)]
struct ConstantInfo {
    name: &'static str,
    value: Option<i32>,
    source: String,
}

impl From<&Resolved> for ConstantInfo {
    fn from(r: &Resolved) -> ConstantInfo {
        ConstantInfo {
            name: r.name,
            value: r.value,
            source: match &r.source {
                Source::Symbol(name) => format!("v8dbg_{name}"),
                Source::Table(line, evidence) => format!("table of V8 {line}: {evidence}"),
                Source::Missing => "not known".to_string(),
            },
        }
    }
}

const USAGE: &str = "USAGE: v8 nodeinfo [--metadata] [--json]";

/// Runs the command.
pub fn run(app: &mut App, host: &dyn Host, arguments: &[String]) -> Outcome {
    let (mut metadata, mut json) = (false, false);
    for argument in arguments {
        match argument.as_str() {
            "--metadata" => metadata = true,
            "--json" => json = true,
            "--help" | "-h" => return super::help::of("nodeinfo"),
            _ => return Outcome::failed(format!("unknown option '{argument}'; {USAGE}")),
        }
    }
    let session = match app.session(host) {
        Ok(session) => session,
        Err(error) => return error.into(),
    };
    match collect(session, metadata) {
        Ok(info) if json => super::json(&info),
        Ok(info) => text(&info, session.target().process_id()),
        Err(error) => error.into(),
    }
}

fn collect(session: &Session, metadata: bool) -> Result<NodeInfo> {
    let v8 = session.v8()?;
    let mut info = NodeInfo {
        v8: v8.program.version.to_string(),
        program: v8.program.module.path.clone(),
        warnings: v8.warnings.clone(),
        isolates: Vec::new(),
        process: None,
        process_error: None,
        metadata: Vec::new(),
    };
    if metadata {
        info.metadata = v8.resolved.iter().map(ConstantInfo::from).collect();
    }
    match session.isolates() {
        Ok(found) => {
            info.warnings.extend(found.warnings.iter().cloned());
            info.isolates = found
                .isolates
                .iter()
                .enumerate()
                .map(|(number, i)| IsolateInfo {
                    number,
                    address: format!("{:#x}", i.address),
                    pages: i.pages,
                    threads: i.threads.clone(),
                    runner: i.runner,
                })
                .collect();
        }
        Err(error) => info.process_error = Some(error.to_string()),
    }
    if info.process_error.is_none() {
        match session.isolate().and_then(|isolate| {
            let context = native_context(session.cx()?, isolate)?;
            find_process(context)
        }) {
            Ok(process) => info.process = Some(ProcessInfo::read(process)),
            Err(error) => info.process_error = Some(error.to_string()),
        }
    }
    Ok(info)
}

fn text(info: &NodeInfo, process_id: u64) -> Outcome {
    let mut out = String::new();
    // Writing to a String does not fail.
    let _ = write_text(&mut out, info, process_id);
    Outcome {
        text: out,
        error: info
            .process_error
            .as_ref()
            .filter(|_| info.metadata.is_empty())
            .map(|why| format!("No process objects found: {why}")),
    }
}

fn write_text(out: &mut String, info: &NodeInfo, process_id: u64) -> std::fmt::Result {
    use crate::render::escape;
    for warning in &info.warnings {
        writeln!(out, "warning: {warning}")?;
    }
    if let Some(p) = &info.process {
        writeln!(
            out,
            "Information for process id {} (process={})",
            p.pid.unwrap_or(process_id as i64),
            p.address
        )?;
        let or = |s: &Option<String>| {
            s.as_deref()
                .map_or("???".to_string(), |s| escape(s).into_owned())
        };
        writeln!(
            out,
            "Platform = {}, Architecture = {}, Node Version = {}",
            or(&p.platform),
            or(&p.arch),
            or(&p.version)
        )?;
        for (title, name, field) in [
            ("Component versions", "versions", &p.versions),
            ("Release Info", "release", &p.release),
        ] {
            if let Some(field) = field {
                writeln!(out, "{title} (process.{name}={}):", field.address)?;
                for (key, value) in &field.value {
                    writeln!(out, "    {} = {}", escape(key), escape(value))?;
                }
            }
        }
        writeln!(out, "Executable Path = {}", or(&p.exec_path))?;
        for (title, name, field) in [
            ("Command line arguments", "argv", &p.argv),
            ("Node.js Command line arguments", "execArgv", &p.exec_argv),
        ] {
            if let Some(field) = field {
                writeln!(out, "{title} (process.{name}={}):", field.address)?;
                for (i, value) in field.value.iter().enumerate() {
                    writeln!(out, "    [{i}] = '{}'", escape(value))?;
                }
            }
        }
        for (name, why) in &p.missing {
            writeln!(out, "process.{name}: not read: {why}")?;
        }
    }
    writeln!(out, "V8 {} in {}", info.v8, escape(&info.program))?;
    for isolate in &info.isolates {
        let threads: Vec<String> = isolate.threads.iter().map(|t| format!("#{t}")).collect();
        let threads = if threads.is_empty() {
            "no thread runs it".to_string()
        } else {
            format!("thread {}", threads.join(", "))
        };
        writeln!(
            out,
            "Isolate {} ({}): {threads}, {} pages",
            isolate.number, isolate.address, isolate.pages
        )?;
    }
    if !info.metadata.is_empty() {
        writeln!(out, "Constants:")?;
        for c in &info.metadata {
            let value = c.value.map_or("-".to_string(), |v| v.to_string());
            writeln!(out, "  {:<46} {value:>11}  {}", c.name, c.source)?;
        }
    }
    Ok(())
}
