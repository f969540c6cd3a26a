//! The smallest system: one application says something, and another one answers.

use es_system::prelude::*;

#[aggregate]
pub struct Greeting {
    pub text: String,
}

#[aggregate]
impl Greeting {
    #[event(Said)]
    pub fn say(text: &str) -> Self {
        Self {
            text: text.to_owned(),
        }
    }
}

#[application]
pub struct People;

#[process_application]
pub struct Echo;

#[process_application]
impl Echo {
    #[policy(Greeting::Said)]
    fn answer(
        &self,
        said: &DomainEvent<GreetingSaid>,
        answers: &mut ProcessingEvent,
    ) -> Result<()> {
        answers.collect_events(&mut Greeting::say(&format!("{} yourself", said.text)));
        Ok(())
    }
}

fn main() -> Result<()> {
    let system = System::new(pipes![[People, Echo]])?;
    let mut runner = SingleThreadedRunner::new(&system, Env::new())?;
    runner.start()?;
    runner.get::<People>()?.save(&mut Greeting::say("hello"))?;

    let echo = runner.get::<Echo>()?;
    for event in echo.notification_log().select(1, 10)? {
        let GreetingEvent::Said(said) = echo.decode::<Greeting>(&event)?.payload;
        println!("{}: {}", event.id, said.text);
    }
    runner.stop()
}
