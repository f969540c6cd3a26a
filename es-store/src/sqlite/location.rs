//! The location of a database.

use std::path::Path;

/// The location of the database that `SQLITE_DBNAME` names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Location {
    /// A database in memory, for one recorder.
    Private,
    /// A database in memory, for all recorders of this process that use this name.
    Named(String),
    /// A database in a file.
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

/// Returns true if the name itself sets the mode in which the file is opened. SQLite then refuses
/// flags that allow less.
pub(super) fn says_mode(name: &str) -> bool {
    uri(name).is_some_and(|(_, query)| {
        query
            .split('&')
            .any(|parameter| parameter.starts_with("mode="))
    })
}

/// Returns the path of the file, as far as a URI shows it.
pub(super) fn path(name: &str) -> &Path {
    let path = uri(name).map_or(name, |(path, _)| path);
    let local = path
        .strip_prefix("//")
        .and_then(|path| path.get(path.find('/')?..));
    Path::new(local.unwrap_or(path))
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
    fn the_path_is_found_in_every_spelling() {
        for name in [
            "/dogs/a.db",
            "file:/dogs/a.db",
            "file:///dogs/a.db?mode=rw",
            "file://localhost/dogs/a.db",
        ] {
            assert_eq!(path(name), Path::new("/dogs/a.db"), "{name}");
        }
        assert_eq!(path("file:a.db"), Path::new("a.db"));
    }
}
