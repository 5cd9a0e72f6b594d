//! Numbers: how JavaScript writes them, HeapNumber, BigInt.

use super::HeapObject;
use crate::error::{Error, Result};
use std::fmt::Write;

/// A number as JavaScript's `String(x)` writes it, but for -0, which stays "-0".
pub fn number_text(value: f64) -> String {
    if value.is_nan() {
        return "NaN".into();
    }
    if value.is_infinite() {
        return if value < 0.0 { "-Infinity" } else { "Infinity" }.into();
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    if value == 0.0 {
        return format!("{sign}0");
    }
    // The shortest digits that give the number back, as d.ddde±x.
    let scientific = format!("{:e}", value.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let digits: String = mantissa.chars().filter(|c| *c != '.').collect();
    let exponent: i32 = exponent.parse().unwrap_or(0);
    // The point stands after this many digits.
    let point = exponent + 1;
    let count = digits.len() as i32;
    let text = if (count..=21).contains(&point) {
        format!("{digits}{}", "0".repeat((point - count) as usize))
    } else if (1..=21).contains(&point) {
        let (whole, part) = digits.split_at(point as usize);
        format!("{whole}.{part}")
    } else if (-5..=0).contains(&point) {
        format!("0.{}{digits}", "0".repeat(-point as usize))
    } else {
        let (first, rest) = digits.split_at(1);
        let rest = if rest.is_empty() {
            String::new()
        } else {
            format!(".{rest}")
        };
        format!("{first}{rest}e{exponent:+}")
    };
    format!("{sign}{text}")
}

/// The double in a HeapNumber.
pub fn heap_number(object: HeapObject) -> Result<f64> {
    object
        .u64_field(object.cx.layout.heap_number.value)
        .map(f64::from_bits)
}

/// A BigInt.
#[derive(Clone, Copy, Debug)]
pub struct BigInt<'a>(pub HeapObject<'a>);

/// Digits of 64 bits turned into decimals at most; the effort grows with the square.
const MAX_DECIMAL_DIGITS: u64 = 4096;
/// V8 has no BigInt of more digits.
const MAX_DIGITS: u64 = 1 << 24;

impl BigInt<'_> {
    /// Whether it is below zero, and its digits of 64 bits, the lowest first.
    pub fn digits(self) -> Result<(bool, Vec<u64>)> {
        let cx = self.0.cx;
        let layout = &cx.layout.big_int;
        let bits = self.0.u32_field(layout.bitfield)?;
        let length = u64::from(bits >> 1 & 0x3fff_ffff);
        if length > MAX_DIGITS {
            return Err(Error::malformed(
                "BigInt",
                self.0.address,
                format!("{length} digits of 64 bits"),
            ));
        }
        let bytes = length as usize * 8;
        let at = self.0.slot(layout.digits.offset()?)?;
        let raw = cx.memory.bytes(at, bytes, bytes)?;
        let digits = raw
            .chunks_exact(8)
            .map(|c| u64::from_le_bytes(c.try_into().unwrap_or_default()))
            .collect();
        Ok((bits & 1 == 1, digits))
    }

    /// Its value in decimals; a very long one in hexadecimals.
    pub fn text(self) -> Result<String> {
        let (negative, digits) = self.digits()?;
        let sign = if negative { "-" } else { "" };
        if digits.len() as u64 > MAX_DECIMAL_DIGITS {
            let mut text = format!("{sign}0x");
            for (index, digit) in digits.iter().rev().enumerate() {
                let _ = match index {
                    0 => write!(text, "{digit:x}"),
                    _ => write!(text, "{digit:016x}"),
                };
            }
            return Ok(text);
        }
        Ok(format!("{sign}{}", decimal(digits)))
    }
}

/// Digits of 64 bits, the lowest first, in decimals.
fn decimal(mut digits: Vec<u64>) -> String {
    /// As many decimals as a u64 holds of any value.
    const CHUNK: u128 = 10_000_000_000_000_000_000;
    let mut chunks = Vec::new();
    while digits.last() == Some(&0) {
        digits.pop();
    }
    while !digits.is_empty() {
        let mut rest = 0u128;
        for digit in digits.iter_mut().rev() {
            let value = rest << 64 | u128::from(*digit);
            *digit = (value / CHUNK) as u64;
            rest = value % CHUNK;
        }
        chunks.push(rest as u64);
        while digits.last() == Some(&0) {
            digits.pop();
        }
    }
    let mut text = chunks.pop().unwrap_or(0).to_string();
    for chunk in chunks.iter().rev() {
        let _ = write!(text, "{chunk:019}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_javascript_writes_them() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (123.456, "123.456"),
            (1e21, "1e+21"),
            (1e20, "100000000000000000000"),
            (1.5e-7, "1.5e-7"),
            (0.000001, "0.000001"),
            (1e-7, "1e-7"),
            (f64::MAX, "1.7976931348623157e+308"),
            (5e-324, "5e-324"),
            (2f64.powi(64), "18446744073709552000"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(number_text(value), text);
        }
    }

    #[test]
    fn long_integers() {
        assert_eq!(decimal(vec![]), "0");
        assert_eq!(decimal(vec![u64::MAX]), "18446744073709551615");
        assert_eq!(decimal(vec![0, 1]), "18446744073709551616");
        assert_eq!(
            decimal(vec![0, 0, 1]),
            "340282366920938463463374607431768211456"
        );
    }
}
