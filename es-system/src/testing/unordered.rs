//! Compares JSON regardless of order. A `HashMap` or a `HashSet` is stored in another order each
//! time, and equal ones must compare equal.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// Sorts the entries of each map by their keys.
pub(super) fn maps(json: &str) -> String {
    sorted(json, |_| {})
}

/// Sorts the entries of each map by their keys and the elements of each list by their text, because
/// a set is stored as a list.
pub(super) fn maps_and_lists(json: &str) -> String {
    sorted(json, |elements| elements.sort_unstable())
}

/// Sorts maps, and lists with `of_list`. Numbers and texts stay as they are written.
fn sorted(json: &str, of_list: fn(&mut Vec<String>)) -> String {
    let inner = |value: &RawValue| sorted(value.get(), of_list);
    if let Ok(entries) = serde_json::from_str::<BTreeMap<String, &RawValue>>(json) {
        let entries = entries.iter();
        let entries = entries.map(|(key, value)| format!("{key:?}:{}", inner(value)));
        return format!("{{{}}}", entries.collect::<Vec<_>>().join(","));
    }
    let Ok(elements) = serde_json::from_str::<Vec<&RawValue>>(json) else {
        return json.to_owned();
    };
    let mut elements = elements.into_iter().map(inner).collect();
    of_list(&mut elements);
    format!("[{}]", elements.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_are_sorted_at_every_depth_and_lists_if_they_may_be_sets() {
        let json = r#"{"b":[{"d":2,"c":1},"é\n"],"a":{"z":null,"y":[3,1.0]},"a b":-0.0}"#;
        let with_lists = r#"{"a":{"y":[3,1.0],"z":null},"a b":-0.0,"b":[{"c":1,"d":2},"é\n"]}"#;
        assert_eq!(maps(json), with_lists);
        let sorted = r#"{"a":{"y":[1.0,3],"z":null},"a b":-0.0,"b":["é\n",{"c":1,"d":2}]}"#;
        assert_eq!(maps_and_lists(json), sorted);
    }

    #[test]
    fn numbers_that_no_float_tells_apart_stay_different() {
        let [one, other] = [
            "[340282366920938463463374607431768211455]",
            "[340282366920938463463374607431768211454]",
        ];
        assert_ne!(maps_and_lists(one), maps_and_lists(other));
    }
}
