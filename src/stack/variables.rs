//! The arguments of a call by name.

use super::backtrace::Call;
use super::parameters::{parameters, Parameter, MAX_LIST};
use crate::deopt::Value;
use crate::error::Result;
use crate::object::SharedFunctionInfo;

/// An argument of a call.
#[derive(Debug, Clone)]
pub struct Argument {
    /// The name of its parameter; `None` for a pattern, and for one more than is declared.
    pub name: Option<String>,
    /// Part of a rest parameter of this name.
    pub is_rest: bool,
    /// `None`: declared but not passed.
    pub value: Option<Value>,
}

/// The parameters of a function, from its source.
pub fn parameters_of(shared: SharedFunctionInfo) -> Option<Vec<Parameter>> {
    let script = shared.script().ok()??;
    let (start, end) = shared.position().ok()??;
    let limit = end.min(start.saturating_add(MAX_LIST as u64));
    let text = script.source_slice(start, limit, MAX_LIST).ok()?;
    let list = parameters(&text.text())?;
    // A default or a rest parameter ends what V8 counts, so no more may be declared before them.
    let declared = shared.formal_parameter_count().ok()??;
    (list.len() as u64 >= declared).then_some(list)
}

/// The arguments of a call by the names of their parameters.
pub fn arguments(call: &Call) -> Option<Result<Vec<Argument>>> {
    let passed = match call.arguments.as_ref()? {
        Ok(passed) => passed,
        Err(error) => return Some(Err(error.clone())),
    };
    let declared = parameters_of(call.shared).unwrap_or_default();
    let count = passed.len().max(declared.len());
    let mut out = Vec::new();
    for i in 0..count {
        let parameter = declared.get(i);
        let rest = declared
            .last()
            .filter(|p| p.is_rest && i + 1 >= declared.len());
        let value = passed.get(i).cloned();
        if value.is_none() && (rest.is_some() || parameter.is_none()) {
            continue;
        }
        out.push(Argument {
            name: rest.or(parameter).and_then(|p| p.name.clone()),
            is_rest: rest.is_some(),
            value,
        });
    }
    Some(Ok(out))
}
