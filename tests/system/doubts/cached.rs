//! Aggregates in the cache while the outcome of a save is unknown.

use es_system::prelude::*;
use es_system::testing::Moment;
use tests::domain::DogSchool;

use super::{School, doubt_of, school};

/// Returns a school that does not look for events behind a cached aggregate.
fn cached() -> Result<School> {
    let env = Env::new()
        .with("AGGREGATE_CACHE_MAXSIZE", "10")
        .with("AGGREGATE_CACHE_FASTFORWARD", "n");
    school(env)
}

#[test]
fn an_aggregate_in_doubt_is_read_from_the_store() -> Result<()> {
    for (moment, known) in [(Moment::Before, 0), (Moment::After, 1)] {
        let school = cached()?;
        let mut billy = school.school.get_dog("Billy")?;
        billy.add_trick("sit");
        school.lose(moment, 0);
        doubt_of(school.school.save(&mut billy));
        assert_eq!(school.tricks("Billy")?.len(), known, "{moment:?}");
    }
    Ok(())
}

#[test]
fn an_aggregate_that_was_read_while_it_was_in_doubt_is_read_again() -> Result<()> {
    let school = cached()?;
    school.lose(Moment::Before, 4);
    let doubt = doubt_of(school.teach("sit"));
    assert!(school.tricks("Billy")?.is_empty());
    doubt.settle()?;
    assert_eq!(school.tricks("Billy")?, ["sit"]);
    Ok(())
}

#[test]
fn an_aggregate_whose_doubt_another_writer_has_settled_is_read_again() -> Result<()> {
    let school = cached()?;
    school.lose(Moment::Before, 4);
    let doubt = doubt_of(school.teach("sit"));
    assert!(school.tricks("Billy")?.is_empty());
    DogSchool::new(school.env.clone())?.add_trick("Billy", "roll over")?;
    doubt.settle().expect_err("another trick");
    assert_eq!(school.tricks("Billy")?, ["roll over"]);
    Ok(())
}
