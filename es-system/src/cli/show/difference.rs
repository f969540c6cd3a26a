//! The difference of two states.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::cli::failure::Failure;
use crate::cli::output::Paint;

/// A field that differs between two states.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Change {
    /// The names that lead to the field, with dots between them.
    field: String,
    /// The value in the first state; missing if it does not have the field.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Value>,
    /// The value in the second state; missing if it does not have the field.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<Value>,
}

impl Change {
    pub(super) fn text(&self, paint: Paint) -> String {
        let line = |sign: &str, value: &Value| format!("{sign} {}: {value}\n", self.field);
        let from = self.from.iter().map(|value| paint.bad(&line("-", value)));
        let to = self.to.iter().map(|value| paint.good(&line("+", value)));
        from.chain(to).collect()
    }
}

/// Returns the fields that differ between two states in JSON, in the order of their names.
pub(super) fn between(from: &str, to: &str) -> Result<Vec<Change>, Failure> {
    let read = |state: &str| {
        serde_json::from_str(state)
            .map_err(|error| Failure::Failed(format!("a state is no JSON: {error}")))
    };
    let mut changes = Vec::new();
    compare("", Some(&read(from)?), Some(&read(to)?), &mut changes);
    Ok(changes)
}

fn compare(field: &str, from: Option<&Value>, to: Option<&Value>, changes: &mut Vec<Change>) {
    if from == to {
        return;
    }
    if let (Some(Value::Object(from)), Some(Value::Object(to))) = (from, to) {
        let names: BTreeMap<_, _> = from.iter().chain(to).collect();
        for name in names.into_keys() {
            let inner = match field {
                "" => name.clone(),
                field => format!("{field}.{name}"),
            };
            compare(&inner, from.get(name), to.get(name), changes);
        }
        return;
    }
    changes.push(Change {
        field: field.to_owned(),
        from: from.cloned(),
        to: to.cloned(),
    });
}

/// Returns JSON with a line for each field.
pub(super) fn pretty(json: &str) -> String {
    let value: Result<Value, _> = serde_json::from_str(json);
    let pretty = value.and_then(|value| serde_json::to_string_pretty(&value));
    pretty.unwrap_or_else(|_| json.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_added_removed_or_changed_at_any_depth() {
        let from = r#"{"a": 1, "b": {"c": [1], "d": 2}, "e": null}"#;
        let to = r#"{"a": 1, "b": {"c": [1, 2], "d": 2}, "f": "new"}"#;
        let changes = between(from, to).expect("both are JSON");
        let text: String = changes.iter().map(|one| one.text(Paint::off())).collect();
        assert_eq!(text, "- b.c: [1]\n+ b.c: [1,2]\n- e: null\n+ f: \"new\"\n");
        assert_eq!(between(to, to).expect("both are JSON"), []);
    }
}
