//! Where a database is.

use std::path::Path;

/// Where the database is that `SQLITE_DBNAME` names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Location {
    /// In memory, for one recorder.
    Private,
    /// In memory, for all recorders of this process that use this name.
    Named(String),
    /// In a file.
    File,
}

impl Location {
    pub(super) fn of(name: &str) -> Self {
        let Some((path, query)) = uri(name) else {
            return if name == ":memory:" {
                Self::Private
            } else {
                Self::File
            };
        };
        let has = |parameter: &str| query.split('&').any(|other| other == parameter);
        match path == ":memory:" || has("mode=memory") {
            true if has("cache=shared") => Self::Named(path.to_owned()),
            true => Self::Private,
            false => Self::File,
        }
    }
}

/// Whether the name itself says how the file is to be opened; SQLite then refuses to be told less.
pub(super) fn says_mode(name: &str) -> bool {
    uri(name).is_some_and(|(_, query)| {
        query
            .split('&')
            .any(|parameter| parameter.starts_with("mode="))
    })
}

/// The folder of the file, if it does not exist.
pub(super) fn missing_folder(name: &str) -> Option<&Path> {
    let path = uri(name).map_or(name, |(path, _)| path);
    let path = path
        .strip_prefix("//")
        .and_then(|path| path.find('/').and_then(|root| path.get(root..)))
        .unwrap_or(path);
    let folder = Path::new(path).parent()?;
    (!folder.as_os_str().is_empty() && !folder.exists()).then_some(folder)
}

fn uri(name: &str) -> Option<(&str, &str)> {
    let rest = name.strip_prefix("file:")?;
    Some(rest.split_once('?').unwrap_or((rest, "")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_memory_that_is_shared_has_a_name() {
        assert_eq!(Location::of(":memory:"), Location::Private);
        assert_eq!(Location::of("file:dogs?mode=memory"), Location::Private);
        assert_eq!(
            Location::of("file:dogs?mode=memory&cache=shared"),
            Location::Named("dogs".to_owned())
        );
        assert_eq!(
            Location::of("file::memory:?cache=shared"),
            Location::Named(":memory:".to_owned())
        );
        assert_eq!(Location::of("file:dogs.db?mode=ro"), Location::File);
        assert_eq!(Location::of("dogs.db"), Location::File);
    }

    #[test]
    fn a_folder_that_does_not_exist_is_found_in_every_spelling() {
        for name in [
            "/no-such-folder/dogs.db",
            "file:/no-such-folder/dogs.db",
            "file:///no-such-folder/dogs.db?mode=rw",
        ] {
            assert_eq!(
                missing_folder(name),
                Some(Path::new("/no-such-folder")),
                "{name}"
            );
        }
        assert_eq!(missing_folder("dogs.db"), None);
    }
}
