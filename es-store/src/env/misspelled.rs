//! Finds keys that are set and that nothing reads, because one letter is wrong.

use super::{Env, KEYS};

impl Env {
    /// Returns the keys that are set and that differ from a known key by one letter, each with the
    /// key that is probably meant.
    pub fn misspelled(&self) -> impl Iterator<Item = (&str, &'static str)> {
        let prefix = self
            .application
            .as_ref()
            .map(|name| format!("{}_", name.to_uppercase()));
        self.keys().filter_map(move |key| {
            let own = prefix.as_ref().and_then(|prefix| key.strip_prefix(prefix));
            Some((key, meant(own.unwrap_or(key))?))
        })
    }

    /// Returns the keys that are set for an application that is none of `applications`, but whose
    /// name differs from one of theirs by one letter, each with the key that is probably meant.
    #[must_use]
    pub fn misspelled_applications(&self, applications: &[&str]) -> Vec<(&str, String)> {
        let prefixes: Vec<_> = applications
            .iter()
            .map(|name| format!("{}_", name.to_uppercase()))
            .collect();
        let misspelled = |key: &'_ str| {
            let known = KEYS.iter().find_map(|known| {
                let prefix = key.strip_suffix(known.name)?;
                prefix.ends_with('_').then_some((prefix, known.name))
            });
            let (found, known) = known?;
            if prefixes.iter().any(|prefix| prefix == found) {
                return None;
            }
            let one_edit = |prefix: &&String| is_one_edit(prefix.as_bytes(), found.as_bytes());
            let meant = prefixes.iter().find(one_edit)?;
            Some(format!("{meant}{known}"))
        };
        let with_meant = |key| Some((key, misspelled(key)?));
        self.keys().filter_map(with_meant).collect()
    }
}

/// Returns the key from which `name` differs by one letter: missing, extra, different, or swapped
/// with its neighbour.
fn meant(name: &str) -> Option<&'static str> {
    let mut names = KEYS.iter().map(|key| key.name);
    if names.clone().any(|key| key == name) {
        return None;
    }
    names.find(|key| is_one_edit(key.as_bytes(), name.as_bytes()))
}

fn is_one_edit(one: &[u8], other: &[u8]) -> bool {
    let same = |(a, b): &(&u8, &u8)| a == b;
    let start = one.iter().zip(other).take_while(same).count();
    let (one, other) = (&one[start..], &other[start..]);
    let backwards = one.iter().rev().zip(other.iter().rev());
    let end = backwards.take_while(same).count();
    match (&one[..one.len() - end], &other[..other.len() - end]) {
        ([], [_]) | ([_], []) | ([_], [_]) => true,
        ([a, b], [c, d]) => (a, b) == (d, c),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_with_one_wrong_letter_is_recognised_and_no_other_is() {
        for (found, key) in [
            ("SQLITE_DB_NAME", "SQLITE_DBNAME"),
            ("POSTGRES_PASWORD", "POSTGRES_PASSWORD"),
            ("PERSISTANCE_MODULE", "PERSISTENCE_MODULE"),
            ("POSTGRES_HSOT", "POSTGRES_HOST"),
        ] {
            assert_eq!(meant(found), Some(key));
        }
        for other in ["POSTGRES_DB", "POSTGRES_HOSTADDR", "PATH", ""] {
            assert_eq!(meant(other), None);
        }
    }

    #[test]
    fn no_key_is_taken_for_another_one() {
        for key in KEYS {
            assert_eq!(meant(key.name), None);
            let mut others = KEYS.iter().filter(|other| other.name != key.name);
            assert!(!others.any(|other| is_one_edit(other.name.as_bytes(), key.name.as_bytes())));
        }
    }

    #[test]
    fn a_misspelled_key_of_the_application_is_found_with_the_one_that_is_meant() {
        let env = Env::new()
            .with("SQLITE_DBNAME", "a")
            .with("DOGSCHOOL_SQLITE_DBNAM", "b")
            .with("POLL_INTERVALL", "1");
        let found = |name: &str| {
            let env = env.for_application(name);
            env.misspelled()
                .map(|(found, meant)| format!("{found}: {meant}"))
                .collect::<Vec<_>>()
        };
        let poll = "POLL_INTERVALL: POLL_INTERVAL";
        let own = "DOGSCHOOL_SQLITE_DBNAM: SQLITE_DBNAME";
        assert_eq!(found("DogSchool"), [own, poll]);
        assert_eq!(found("Counters"), [poll]);
    }

    #[test]
    fn a_key_of_a_misspelled_application_is_found_and_that_of_another_is_not() {
        let env = Env::new()
            .with("DOG_SCHOOL_SQLITE_DBNAME", "a")
            .with("COUNTER_POLL_INTERVAL", "1")
            .with("CATS_POLL_INTERVAL", "1")
            .with("OTHER_POSTGRES_HOST", "b")
            .with("POSTGRES_HOST", "b");
        let applications = ["DogSchool", "Counters", "Cat", "Cats"];
        assert_eq!(
            env.misspelled_applications(&applications),
            [
                ("COUNTER_POLL_INTERVAL", "COUNTERS_POLL_INTERVAL".to_owned()),
                (
                    "DOG_SCHOOL_SQLITE_DBNAME",
                    "DOGSCHOOL_SQLITE_DBNAME".to_owned()
                ),
            ]
        );
    }
}
