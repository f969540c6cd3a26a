//! One attribute makes something of an item: two of the library's would each make something of the same.

use syn::Attribute;

use crate::errors::Errors;

const MAKERS: &[&str] = &[
    "aggregate",
    "application",
    "process_application",
    "projection",
];

/// Takes the others off the item on which `attribute` is, and says which to keep.
pub(crate) fn check(attribute: &str, attrs: &mut Vec<Attribute>, errors: &mut Errors) {
    for other in attrs.extract_if(.., |attr| maker(attr).is_some()) {
        let message = match maker(&other) {
            Some(same) if same == attribute => {
                format!("`#[{attribute}]` is written twice: remove one of the two")
            }
            Some("aggregate") => APART.to_owned(),
            _ if attribute == "aggregate" => APART.to_owned(),
            _ => "an application has one of these: keep `#[projection]` if its policies change tables, `#[process_application]` if \
                  they make events, and `#[application]` if there are none"
                .to_owned(),
        };
        errors.on(&other, message);
    }
}

const APART: &str = "an aggregate is saved by an application and is none itself: make two types, and keep one attribute on each";

fn maker(attr: &Attribute) -> Option<&'static str> {
    let last = &attr.path().segments.last()?.ident;
    MAKERS.iter().copied().find(|maker| last == maker)
}
