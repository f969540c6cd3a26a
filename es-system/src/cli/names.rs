//! Names of applications in arguments.

use super::failure::Failure;

/// Returns the index of `name` in `known`. A name in other letters, upper or lower, is accepted if
/// it is the only one.
///
/// # Errors
/// Fails with a list of the right names.
pub(super) fn find(name: &str, known: &[&str], kind: &str) -> Result<usize, Failure> {
    if let Some(found) = known.iter().position(|known| *known == name) {
        return Ok(found);
    }
    let similar = |known: &&str| known.to_lowercase() == name.to_lowercase();
    let mut found = (0..known.len()).filter(|&index| similar(&known[index]));
    match (found.next(), found.next()) {
        (Some(found), None) => Ok(found),
        _ if known.is_empty() => Err(Failure::Usage(format!(
            "there is no {kind} `{name}`: the system has none"
        ))),
        _ => Err(Failure::Usage(format!(
            "there is no {kind} `{name}`: the system has {}",
            known.join(", ")
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_in_any_letters_and_a_wrong_one_lists_the_right_ones() {
        let known = ["DogSchool", "Counters", "counters"];
        let found = |name| find(name, &known, "application").ok();
        assert_eq!(found("DogSchool"), Some(0));
        assert_eq!(found("dogschool"), Some(0));
        assert_eq!(found("counters"), Some(2));
        assert_eq!(found("COUNTERS"), None);
        let Err(Failure::Usage(problem)) = find("Dogs", &known[..2], "application") else {
            panic!("it is refused");
        };
        assert_eq!(
            problem,
            "there is no application `Dogs`: the system has DogSchool, Counters"
        );
    }
}
