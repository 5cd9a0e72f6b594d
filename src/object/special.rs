//! Objects with a field or two of their own: Proxy, Date, RegExp, boxed primitives, module
//! namespaces.

use super::dictionary::HashTable;
use super::number::heap_number;
use super::{HeapObject, JSString, Tagged};
use crate::error::Result;

/// A Proxy's target and handler; null both once it is revoked.
pub fn proxy_parts(object: HeapObject) -> Result<(Tagged, Tagged)> {
    let layout = &object.cx.layout.js_proxy;
    Ok((object.field(layout.target)?, object.field(layout.handler)?))
}

/// A Date's time in milliseconds, NaN where it is invalid.
pub fn date_value(object: HeapObject) -> Result<f64> {
    let cx = object.cx;
    let layout = &cx.layout.js_date;
    if layout.value_is_double.get()? == 1 {
        return object.u64_field(layout.value).map(f64::from_bits);
    }
    let value = object.field(layout.value)?;
    match cx.smi(value) {
        Some(smi) => Ok(smi as f64),
        None => heap_number(cx.object(value)?),
    }
}

/// Whether a Date keeps its time as a Smi, or would if it could (llnode shows it without decimals
/// then).
pub fn date_is_smi(object: HeapObject) -> Result<bool> {
    let layout = &object.cx.layout.js_date;
    if layout.value_is_double.get()? == 1 {
        let value = date_value(object)?;
        return Ok(f64::from(value as i32).to_bits() == value.to_bits());
    }
    Ok(object.field(layout.value)?.is_smi())
}

/// ISO 8601 text of a time, as Date.prototype.toISOString; `None` for an invalid one.
pub fn iso_text(milliseconds: f64) -> Option<String> {
    const MAX: f64 = 8.64e15;
    if !(-MAX..=MAX).contains(&milliseconds) {
        return None;
    }
    let total = milliseconds as i64;
    let (days, in_day) = (total.div_euclid(86_400_000), total.rem_euclid(86_400_000));
    // Civil date from days, by eras of 400 years that begin on 1 March.
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let year = match year {
        0..=9999 => format!("{year:04}"),
        y if y < 0 => format!("-{:06}", -y),
        y => format!("+{y:06}"),
    };
    let (seconds, ms) = (in_day / 1000, in_day % 1000);
    Some(format!(
        "{year}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{ms:03}Z",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60,
    ))
}

/// A RegExp's source, where it has been compiled.
pub fn regexp_source(object: HeapObject) -> Result<Option<JSString>> {
    let source = object.object_field(object.cx.layout.js_reg_exp.source)?;
    Ok(source.is_string()?.then_some(JSString(source)))
}

/// A RegExp's flags, in the order of its `flags` property.
pub fn regexp_flags(object: HeapObject) -> Result<String> {
    let layout = object.cx.layout;
    let bits = object.smi_field(layout.js_reg_exp.flags)?;
    let f = &layout.reg_exp_flags;
    let all = [
        (f.has_indices, 'd'),
        (f.global, 'g'),
        (f.ignore_case, 'i'),
        (f.multiline, 'm'),
        (f.dot_all, 's'),
        (f.unicode, 'u'),
        (f.unicode_sets, 'v'),
        (f.sticky, 'y'),
    ];
    Ok(all
        .into_iter()
        .filter(|(bit, _)| bit.known().is_some_and(|b| bits >> b.clamp(0, 62) & 1 == 1))
        .map(|(_, letter)| letter)
        .collect())
}

/// The primitive in a Number, String, Boolean, Symbol or BigInt object.
pub fn wrapped_primitive(object: HeapObject) -> Result<Tagged> {
    object.field(object.cx.layout.js_primitive_wrapper.value)
}

/// What a module exports: name, and the value (the hole where it is not set yet).
pub fn namespace_exports(object: HeapObject) -> Result<Vec<(String, Result<Tagged>)>> {
    let cx = object.cx;
    let module = object.object_field(cx.layout.js_module_namespace.module)?;
    let exports = module.object_field(cx.layout.module.exports)?;
    let mut found = Vec::new();
    for entry in HashTable::object_hash_table(exports).entries()? {
        let (Some(key), Some(value)) = (entry.first(), entry.get(1)) else {
            continue;
        };
        let Ok(name) = cx.object(*key).and_then(|k| JSString(k).read(4096)) else {
            continue;
        };
        let value = cx
            .object(*value)
            .and_then(|cell| cell.field(cx.layout.cell.value));
        found.push((name.text(), value));
    }
    found.sort_by(|a, b| a.0.encode_utf16().cmp(b.0.encode_utf16()));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::iso_text;

    #[test]
    fn dates() {
        assert_eq!(iso_text(0.0).as_deref(), Some("1970-01-01T00:00:00.000Z"));
        assert_eq!(iso_text(-1.0).as_deref(), Some("1969-12-31T23:59:59.999Z"));
        assert_eq!(
            iso_text(8.64e15).as_deref(),
            Some("+275760-09-13T00:00:00.000Z")
        );
        assert_eq!(
            iso_text(-8.64e15).as_deref(),
            Some("-271821-04-20T00:00:00.000Z")
        );
        assert_eq!(
            iso_text(951_782_400_000.0).as_deref(),
            Some("2000-02-29T00:00:00.000Z")
        );
        assert_eq!(iso_text(f64::NAN), None);
    }
}
