//! A follower that changes one aggregate and decides by another, while commands change both.

use es_system::prelude::*;

use crate::domain::{Dog, DogTrickAdded};

/// A list of lines. Its state can neither be cloned nor stored.
#[aggregate(topic = "library:Book")]
pub struct Book {
    /// The lines, in their order.
    pub lines: Vec<String>,
}

#[aggregate]
impl Book {
    /// Returns the id of the book with this title.
    #[id]
    pub fn create_id(title: &str) -> Uuid {
        Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("/books/{title}").as_bytes())
    }

    /// Opens an empty book.
    #[event(Opened)]
    pub fn open(title: &str) -> Self {
        let _ = title;
        Self { lines: Vec::new() }
    }

    /// Adds a line.
    #[event(LineAdded)]
    pub fn add_line(&mut self, line: &str) {
        self.lines.push(line.to_owned());
    }

    /// Adds lines.
    #[event(LinesAdded)]
    pub fn add_lines(&mut self, lines: &[String]) {
        self.lines.extend_from_slice(lines);
    }
}

/// A number that policies read and commands set.
#[aggregate(topic = "library:Rate")]
#[derive(Clone, Serialize, Deserialize)]
pub struct Rate {
    /// The number.
    pub value: u64,
}

#[aggregate]
impl Rate {
    /// Returns the id of the rate with this name.
    #[id]
    pub fn create_id(name: &str) -> Uuid {
        Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("/rates/{name}").as_bytes())
    }

    /// Introduces the rate, with the value 0.
    #[event(Introduced)]
    pub fn introduce(name: &str) -> Self {
        let _ = name;
        Self { value: 0 }
    }

    /// Sets the rate.
    #[event(Changed)]
    pub fn set(&mut self, value: u64) {
        self.value = value;
    }
}

/// Writes the position of each trick into the book that the trick names, as in `red 7`. The trick
/// was taught after the rate of that name was set to that number.
#[process_application]
pub struct Library;

#[process_application]
impl Library {
    #[policy(Dog::TrickAdded)]
    fn write(
        &self,
        event: &DomainEvent<DogTrickAdded>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        let (title, number) = event.trick.split_once(' ').unwrap_or((&event.trick, "0"));
        let rate: Option<Rate> = self.repository().find(Rate::create_id(title))?;
        let value = rate.map_or(0, |rate| rate.value);
        if value < number.parse().unwrap_or(0) {
            return Err(Error::Usage(format!(
                "the rate {title} is {number}, and was seen as {value}"
            )));
        }
        let book = self.repository().find(Book::create_id(title))?;
        let mut book = book.unwrap_or_else(|| Book::open(title));
        book.add_line(&event.notification_id.to_string());
        processing_event.collect_events(&mut book);
        Ok(())
    }
}

impl Library {
    /// Sets a rate, which is introduced if there is none.
    ///
    /// # Errors
    /// Fails if the store does.
    pub fn set_rate(&self, name: &str, value: u64) -> Result<()> {
        self.retry(|| {
            let rate = self.repository().find(Rate::create_id(name))?;
            let mut rate = rate.unwrap_or_else(|| Rate::introduce(name));
            if rate.value < value || value == 0 {
                rate.set(value);
            }
            self.save(&mut rate)?;
            Ok(())
        })
    }

    /// Adds a line to a book, which is opened if it does not exist.
    ///
    /// # Errors
    /// Fails if the store does.
    pub fn add_line(&self, title: &str, line: &str) -> Result<()> {
        self.retry(|| {
            let book = self.repository().find(Book::create_id(title))?;
            let mut book = book.unwrap_or_else(|| Book::open(title));
            book.add_line(line);
            self.save(&mut book)?;
            Ok(())
        })
    }

    /// Returns the lines of a book, replayed from its events.
    ///
    /// # Errors
    /// Fails if the store does.
    pub fn lines(&self, title: &str) -> Result<Vec<String>> {
        let book: Option<Book> = self.repository().find(Book::create_id(title))?;
        Ok(book.map_or_else(Vec::new, |book| book.into_state().lines))
    }
}
