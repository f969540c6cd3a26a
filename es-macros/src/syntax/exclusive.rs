//! The exclusive attributes: each makes something of its item, so an item has one of them.

use syn::Attribute;

use super::attributes;
use super::errors::Errors;

const EXCLUSIVE: &[&str] = &[
    "aggregate",
    "application",
    "process_application",
    "projection",
];

const AGGREGATE_AND_APPLICATION: &str = "an aggregate is saved by an application and is none \
     itself: make two types, and keep one attribute on each";

const TWO_APPLICATIONS: &str = "an application has one of these: keep `#[projection]` if its \
     policies change tables, `#[process_application]` if they make events, and `#[application]` if \
     there are none";

/// Takes the other exclusive attributes off the item on which `attribute` is, and reports each.
pub(crate) fn check(attribute: &str, attrs: &mut Vec<Attribute>, errors: &mut Errors) {
    for other in attrs.extract_if(.., |attr| exclusive(attr).is_some()) {
        let name = exclusive(&other).unwrap_or_default();
        let message = if name == attribute {
            format!("`#[{attribute}]` is written twice: remove one of the two")
        } else if name == "aggregate" || attribute == "aggregate" {
            AGGREGATE_AND_APPLICATION.to_owned()
        } else {
            TWO_APPLICATIONS.to_owned()
        };
        errors.on(&other, message);
    }
}

fn exclusive(attr: &Attribute) -> Option<&'static str> {
    let last = attributes::last_segment(attr)?;
    EXCLUSIVE.iter().copied().find(|name| last == name)
}
