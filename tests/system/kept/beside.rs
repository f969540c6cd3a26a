//! Policies that save to their own application by a second object of it.

use std::sync::Arc;

use es_system::prelude::*;
use tests::domain::{Dog, DogSchool, DogTrickAdded};
use tests::library::{Book, Rate};
use tests::{PATIENCE, Place, places};

/// Does what the trick says with a book, by itself and by a second object of the application.
#[process_application]
struct Pair {
    second: Option<Arc<Pair>>,
}

#[process_application]
impl Pair {
    #[policy(Dog::TrickAdded)]
    fn write(
        &self,
        event: &DomainEvent<DogTrickAdded>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        let id = Book::create_id("red");
        match event.trick.as_str() {
            "save, get" => self.save_beside("red")?,
            "look, save, get" => {
                let _: Option<Rate> = self.repository().find(Rate::create_id("red"))?;
                self.save_beside("red")?;
            }
            "get, save, get" => {
                let before: Book = self.repository().get(id)?;
                self.save_beside("red")?;
                let after: Book = self.repository().get(id)?;
                assert_eq!(after.lines.len(), before.lines.len() + 1);
            }
            "get, save" => {
                let mut book: Book = self.repository().get(id)?;
                self.save_beside("red")?;
                book.add_line("by the first");
                processing_event.collect_events(&mut book);
                return Ok(());
            }
            "collect, save" => {
                let mut book: Book = self.repository().get(id)?;
                book.add_line("by the first");
                processing_event.collect_events(&mut book);
                return self.save_beside("red");
            }
            _ => {}
        }
        let mut book: Book = self.repository().get(id)?;
        book.add_line("by the first");
        processing_event.collect_events(&mut book);
        Ok(())
    }
}

impl Pair {
    fn save_beside(&self, title: &str) -> Result<()> {
        let second = self.second.as_ref().expect("there is one");
        let mut book: Book = second.repository().get(Book::create_id(title))?;
        book.add_line("by the second");
        second.save(&mut book)?;
        Ok(())
    }
}

/// Has the policy do this for three tricks, in one batch if possible. Returns the number of lines
/// by the first object.
fn run<R: Runner>(place: &Place, trick: &str) -> Result<usize, (Arc<Pair>, Error)> {
    let env = place.env.clone();
    let second = Arc::new(Pair::new(env.clone(), None).expect("it opens"));
    let open = {
        let second = second.clone();
        move |env| Pair::new(env, Some(second.clone()))
    };
    let flow = || -> Result<()> {
        second.save(&mut Book::open("red"))?;
        let system = System::new(pipes![[DogSchool, Pair = open]])?;
        let mut runner = R::new(&system, env)?;
        let mut dog = Dog::register("Billy");
        ["write", trick, "write", trick, trick, "write"]
            .iter()
            .for_each(|trick| dog.add_trick(trick));
        runner.get::<DogSchool>()?.save(&mut dog)?;
        runner.start()?;
        runner.wait_until_idle(PATIENCE)
    };
    if let Err(error) = flow() {
        return Err((second, error));
    }
    let book: Book = second
        .repository()
        .get(Book::create_id("red"))
        .expect("it is there");
    let own = book.lines.iter().filter(|line| *line == "by the first");
    Ok(own.count())
}

fn lasting_places() -> impl Iterator<Item = Place> {
    let is_lasting = |place: &Place| matches!(place.name, "sqlite file" | "postgres");
    places().into_iter().filter(is_lasting)
}

#[test]
fn what_a_policy_saves_by_a_second_object_is_seen_by_its_next_load() {
    for trick in ["save, get", "look, save, get", "get, save, get"] {
        for place in lasting_places() {
            let run = run::<SingleThreadedRunner>(&place, trick);
            assert_eq!(
                run.map_err(|(_, error)| error).expect("it ends"),
                6,
                "{trick}"
            );
        }
        for place in lasting_places() {
            let run = run::<MultiThreadedRunner>(&place, trick);
            assert_eq!(
                run.map_err(|(_, error)| error).expect("it ends"),
                6,
                "{trick}"
            );
        }
    }
}

#[test]
fn a_policy_that_saves_the_version_that_it_collects_is_told_so() {
    for trick in ["get, save", "collect, save"] {
        for place in lasting_places() {
            let run = run::<SingleThreadedRunner>(&place, trick);
            let (pair, error) = run.expect_err("it conflicts for ever");
            assert_eq!(error.kind(), ErrorKind::Policy, "{error}");
            for part in [
                "at position 3 of `DogSchool`",
                "by a second object of `Pair`",
                "`processing_event.collect_events(..)`",
            ] {
                assert!(error.to_string().contains(part), "{trick}: {error}");
            }
            // What came before is recorded, and few attempts were made.
            assert_eq!(pair.position_in("DogSchool").expect("it is read"), Some(2));
            let book: Book = pair
                .repository()
                .get(Book::create_id("red"))
                .expect("it is there");
            assert!(book.lines.len() < 20, "{:?}", book.lines);
        }
    }
}
