//! Objects that may be transcodings. An object is a transcoding only if it has exactly the two keys
//! `_type_` and `_data_`.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{DATA, KNOWN, TYPE};

/// Describes the transcoding as which a value is stored, if it is one. Most often the field has
/// another type in this program. The name is not a value, but text that does not look like a name
/// is not shown.
pub(super) fn transcoding_of(stored: &str) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Form {
        #[serde(rename = "_type_")]
        name: String,
        #[serde(rename = "_data_")]
        _data: de::IgnoredAny,
    }
    let Form { name, .. } = serde_json::from_str(stored).ok()?;
    let is_name = name.len() <= 64 && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let shown = if is_name {
        format!(" `{name}`")
    } else {
        String::new()
    };
    Some(format!("; it is stored as the transcoding{shown}"))
}

/// A text that is borrowed where possible.
pub(super) struct Text<'de>(pub(super) Cow<'de, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyText;
        impl<'de> Visitor<'de> for AnyText {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(AnyText)
    }
}

/// The entries of an object that were read before it was clear that it is not a transcoding.
#[derive(Default)]
pub(super) struct Start<'de> {
    pub(super) entries: VecDeque<(Cow<'de, str>, &'de RawValue)>,
    pub(super) next_key: Option<Cow<'de, str>>,
}

/// An object, once its kind is known.
pub(super) enum Opened<'de, A> {
    /// The text of a transcoding that is known, or that the reader named.
    Transcoding(Cow<'de, str>),
    /// Any other object.
    Object(Start<'de>, A),
}

impl<'de, A: MapAccess<'de>> Opened<'de, A> {
    /// Opens an object without knowing its type.
    pub(super) fn read(map: A) -> Result<Self, A::Error> {
        Self::read_as(map, |name| KNOWN.contains(&name))
    }

    /// Opens an object that may be one of the transcodings for which `is_wanted` is true.
    pub(super) fn read_as(
        mut map: A,
        is_wanted: impl FnOnce(&str) -> bool,
    ) -> Result<Self, A::Error> {
        let mut start = Start::default();
        let Some(Text(first)) = map.next_key()? else {
            return Ok(Self::Object(start, map));
        };
        let other = match &*first {
            TYPE => DATA,
            DATA => TYPE,
            _ => {
                start.next_key = Some(first);
                return Ok(Self::Object(start, map));
            }
        };
        start.entries.push_back((first, map.next_value()?));
        match map.next_key()? {
            Some(Text(second)) if second == other => {
                start.entries.push_back((second, map.next_value()?))
            }
            second => {
                start.next_key = second.map(|Text(key)| key);
                return Ok(Self::Object(start, map));
            }
        }
        start.next_key = map.next_key()?.map(|Text(key)| key);
        Ok(match start.transcoding() {
            Some((name, data)) if is_wanted(&name) => Self::Transcoding(data),
            _ => Self::Object(start, map),
        })
    }
}

impl<'de> Start<'de> {
    /// Returns name and data, if the object consists of these two texts.
    fn transcoding(&self) -> Option<(Cow<'de, str>, Cow<'de, str>)> {
        let text = |wanted: &str| {
            let (_, raw) = self.entries.iter().find(|(key, _)| key == wanted)?;
            serde_json::from_str(raw.get()).ok().map(|Text(text)| text)
        };
        if self.next_key.is_some() {
            return None;
        }
        Some((text(TYPE)?, text(DATA)?))
    }
}
