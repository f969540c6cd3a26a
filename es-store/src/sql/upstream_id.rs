//! The id of an upstream's event, as it is stored beside a follower's position.
//!
//! The upstream may keep ids of the other form than this store. So the column is text, and its
//! content distinguishes the two: a UUID has 32 hex digits, and text has the prefix `text:`.

use es_core::AggregateId;
use uuid::Uuid;

const TEXT: &str = "text:";

/// Returns the stored form of the id.
pub(crate) fn to_column(id: &AggregateId) -> String {
    match id.as_uuid() {
        Some(uuid) => uuid.simple().to_string(),
        None => format!("{TEXT}{id}"),
    }
}

/// Returns the id from its stored form, or `None` if it is neither of the two.
pub(crate) fn from_column(stored: &str) -> Option<AggregateId> {
    if let Some(text) = stored.strip_prefix(TEXT) {
        return Some(AggregateId::from(text));
    }
    let is_lower = !stored.contains(|digit: char| digit.is_ascii_uppercase());
    let uuid = (stored.len() == 32 && is_lower).then(|| Uuid::try_parse(stored).ok())?;
    uuid.map(AggregateId::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_either_form_comes_back() {
        let uuid = AggregateId::from(Uuid::from_u128(7));
        let text_of_uuid = AggregateId::from(Uuid::from_u128(7).simple().to_string());
        for id in [uuid, text_of_uuid, "text:1".into(), "".into()] {
            assert_eq!(from_column(&to_column(&id)), Some(id));
        }
    }

    #[test]
    fn anything_else_is_no_id() {
        for stored in [
            "",
            "7",
            "0000000000000000000000000000000G",
            "00000000-0000-0000-0000-000000000007",
        ] {
            assert_eq!(from_column(stored), None, "{stored}");
        }
    }
}
