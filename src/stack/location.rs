//! Where in the source a call is, in the words of stack traces.

use super::call_site::is_eval;
use super::code::BytecodeArray;
use crate::error::{Error, Result};
use crate::metadata::InstanceType;
use crate::object::{HeapObject, Script, SharedFunctionInfo};
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::rc::Rc;

/// Evals inside evals followed at most.
const MAX_EVALS: usize = 16;

/// A place in a script; line and column from 1, less only by an offset that the script has.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Place {
    /// URL or name of the script, `<anonymous>` without one; for the code of an `eval` where
    /// that was called comes first.
    pub file: String,
    pub line: i64,
    pub column: i64,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Finds places, keeping what is known of the scripts.
#[derive(Debug, Default)]
pub struct Places {
    /// By address of the script: what stands for it, and its line ends.
    scripts: RefCell<FxHashMap<u64, Rc<ScriptLines>>>,
}

#[derive(Debug)]
struct ScriptLines {
    file: String,
    ends: Result<Rc<[u64]>>,
}

impl Places {
    /// The place of a position (in UTF-16 units from the script's start).
    pub fn place(&self, script: Script, position: i64) -> Result<Place> {
        let position = u64::try_from(position).map_err(|_| {
            Error::malformed("Script", script.0.address, "the position is before it")
        })?;
        let known = self.lines(script);
        let ends = known.ends.as_ref().map_err(Clone::clone)?;
        let (mut line, mut column) = script.line_and_column_in(ends, position)?;
        let layout = script.0.cx.layout;
        let has_url = matches!(script.source_url(), Ok(Some(_)));
        if has_url && layout.call_site.offset_without_source_url.known() == Some(1) {
            let offset = |c| script.0.smi_field(c).unwrap_or(0);
            let first = offset(layout.script.line_offset);
            if line.saturating_sub(1) == first {
                column = column.saturating_sub(offset(layout.script.column_offset));
            }
            line = line.saturating_sub(first);
        }
        Ok(Place {
            file: known.file.clone(),
            line,
            column,
        })
    }

    fn lines(&self, script: Script) -> Rc<ScriptLines> {
        if let Some(known) = self.scripts.borrow().get(&script.0.address) {
            return Rc::clone(known);
        }
        let lines = Rc::new(ScriptLines {
            file: file(script),
            ends: script.kept_line_ends(),
        });
        self.scripts
            .borrow_mut()
            .insert(script.0.address, Rc::clone(&lines));
        lines
    }
}

/// What stands for the script in a stack trace.
pub fn file(script: Script) -> String {
    let name = script.name_or_source_url().unwrap_or_default();
    let has_name = !name.is_empty();
    if has_name {
        return name;
    }
    let nameless = !matches!(script.name(), Ok(Some(_)));
    if nameless && is_eval(script).unwrap_or(false) {
        return format!("{}, <anonymous>", eval_origin(script, 0));
    }
    "<anonymous>".to_string()
}

/// "eval at FUNCTION (WHERE)".
fn eval_origin(script: Script, depth: usize) -> String {
    if let Ok(name) = script.name_or_source_url() {
        if !name.is_empty() {
            return name;
        }
    }
    let Ok(shared) = eval_from(script) else {
        return "eval at <anonymous>".to_string();
    };
    let mut out = "eval at ".to_string();
    match shared.debug_name() {
        Ok(name) if !name.is_empty() => out += &name,
        _ => out += "<anonymous>",
    }
    let Ok(Some(outer)) = shared.script() else {
        return out;
    };
    out += " (";
    if is_eval(outer).unwrap_or(false) && depth < MAX_EVALS {
        out += &eval_origin(outer, depth + 1);
    } else if let Ok(Some(name)) = outer.name() {
        out += &name;
        if let Ok((line, column)) = eval_position(script, shared, outer) {
            out += &format!(":{line}:{column}");
        }
    } else {
        out += "unknown source";
    }
    out.push(')');
    out
}

/// The function that called `eval`.
fn eval_from(script: Script<'_>) -> Result<SharedFunctionInfo<'_>> {
    let layout = &script.0.cx.layout.script;
    SharedFunctionInfo::new(script.0.object_field(layout.eval_from_shared)?)
}

/// Line and column of the call of `eval`; the script's own offset does not count here.
fn eval_position(script: Script, from: SharedFunctionInfo, outer: Script) -> Result<(u64, u64)> {
    let layout = &script.0.cx.layout.script;
    let value = script.0.smi_field(layout.eval_from_position)?;
    // Negative while nobody asked: an offset in the bytecode of the caller.
    let position = match u64::try_from(value) {
        Ok(position) => position,
        Err(_) => {
            let at = bytecode_of(from)?.position(value.saturating_neg())?;
            u64::try_from(at).unwrap_or(0)
        }
    };
    let ends = outer.kept_line_ends()?;
    let line = ends.partition_point(|end| *end < position);
    let before = line.checked_sub(1).and_then(|l| ends.get(l));
    let start = before.map_or(0, |end| end + 1);
    Ok((line as u64 + 1, position.saturating_sub(start) + 1))
}

/// The bytecode of a function, wherever its present code keeps it.
pub fn bytecode_of(shared: SharedFunctionInfo<'_>) -> Result<BytecodeArray<'_>> {
    let cx = shared.0.cx;
    let mut object: HeapObject = cx.object(shared.function_data()?)?;
    // Baseline code, which has the bytecode or InterpreterData, which has the bytecode.
    for _ in 0..3 {
        object = match object.instance_type()? {
            InstanceType::InterpreterData => {
                object.object_field(cx.layout.interpreter_data.bytecode_array)?
            }
            InstanceType::BaselineData => object.object_field(cx.layout.baseline_data.data)?,
            InstanceType::Code => object.object_field(cx.layout.code.deoptimization_data)?,
            _ => break,
        };
    }
    BytecodeArray::new(object)
}
