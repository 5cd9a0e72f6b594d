//! Values in one line, as frames and lists show them.

use crate::deopt::Value as Kept;
use crate::object::summary::{Options, Value};
use crate::object::{Cx, Tagged};
use crate::render::{self, escape, Style};

/// `<Smi: 1>`, `0x…:<Object: Foo>`.
pub fn short(cx: Cx, value: Tagged) -> String {
    short_in(cx, value, Style::default())
}

/// The same in a style.
pub fn short_in(cx: Cx, value: Tagged, style: Style) -> String {
    render::value::value(&Value::child(cx, value, Options::default()), style)
}

/// A value of a frame that may have been optimized.
pub fn kept(cx: Cx, value: &Kept) -> String {
    match value {
        Kept::Tagged(value) => short(cx, *value),
        Kept::Number(number) => double(*number),
        Kept::Int64(number) => double(*number as f64),
        Kept::BigInt(number) => format!("<BigInt: {number}n>"),
        Kept::UnsignedBigInt(number) => format!("<BigInt: {number}n>"),
        Kept::Bool(value) => format!("<{value}>"),
        Kept::Undefined => "<undefined>".to_string(),
        Kept::Captured(_) | Kept::Duplicated(_) | Kept::Arguments | Kept::StringConcat(_) => {
            "<not allocated>".to_string()
        }
        Kept::OptimizedOut | Kept::InRegister => "<optimized out>".to_string(),
        Kept::Unreadable(error) => format!("??? ({})", escape(&error.to_string())),
    }
}

/// As the number would be shown were it tagged.
fn double(number: f64) -> String {
    let is_smi = number.fract() == 0.0
        && (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&number)
        && !(number == 0.0 && number.is_sign_negative());
    if is_smi {
        return format!("<Smi: {number}>");
    }
    format!("<Number: {number:.6}>")
}
