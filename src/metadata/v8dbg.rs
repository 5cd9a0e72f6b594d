//! The `v8dbg_*` symbols: integers that V8 leaves in the program for post-mortem debuggers.

use std::collections::BTreeMap;

/// Values of the `v8dbg_` symbols, by name without that prefix.
#[derive(Debug, Default, Clone)]
pub struct V8dbg {
    values: BTreeMap<String, i32>,
}

impl V8dbg {
    /// From pairs of a name (without `v8dbg_`) and its value.
    pub fn new(values: impl IntoIterator<Item = (String, i32)>) -> V8dbg {
        V8dbg {
            values: values.into_iter().collect(),
        }
    }

    /// The symbol called `name`; where `name` ends in `__`, the first that starts so.
    pub fn find(&self, name: &str) -> Option<(&str, i32)> {
        if name.ends_with("__") {
            self.values
                .range(name.to_string()..)
                .next()
                .filter(|(k, _)| k.starts_with(name))
                .map(|(k, v)| (k.as_str(), *v))
        } else {
            self.values
                .get_key_value(name)
                .map(|(k, v)| (k.as_str(), *v))
        }
    }

    /// Number of symbols found.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether the program has none (not Node, or stripped).
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// All, in order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, i32)> {
        self.values.iter().map(|(k, v)| (k.as_str(), *v))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefix_only_where_asked() {
        let v = V8dbg::new([
            ("class_Map__prototype__Tagged_JSPrototype_".to_string(), 24),
            ("class_Map__prototype_info__Object".to_string(), 48),
        ]);
        assert_eq!(v.find("class_Map__prototype__").map(|x| x.1), Some(24));
        assert_eq!(v.find("class_Map__prototype"), None);
        assert_eq!(v.find("class_Map__proto__"), None);
    }
}
