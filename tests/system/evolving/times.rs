//! The time of an event inside its method is the stored one, also in a replay.

use es_system::prelude::*;
use tests::evolving::DogSchool;
use tests::{PATIENCE, places};

#[aggregate(topic = "fleet:Clock")]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Clock {
    set: Timestamp,
    rung: Vec<Timestamp>,
}

#[aggregate(vis = pub(crate))]
impl Clock {
    #[event(Set)]
    fn set(timestamp: Timestamp) -> Self {
        Self {
            set: timestamp,
            rung: Vec::new(),
        }
    }

    #[event(Rung)]
    fn ring(&mut self, times: usize, mut timestamp: Timestamp) {
        timestamp = timestamp.max(self.set);
        self.rung.extend(vec![timestamp; times]);
    }
}

#[process_application]
struct Counters;

#[process_application]
impl Counters {
    #[policy(Clock::Rung)]
    fn follow(
        &self,
        event: &DomainEvent<ClockRung>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        let mut heard = Clock::set();
        heard.ring(event.times);
        assert!(heard.set >= event.timestamp);
        processing_event.collect_events(&mut heard);
        Ok(())
    }
}

#[test]
fn the_time_in_an_event_method_is_the_one_that_is_stored() -> Result<()> {
    for place in places() {
        let system = System::new(pipes![[DogSchool, Counters]])?;
        let mut runner = MultiThreadedRunner::new(&system, place.env.clone())?;
        runner.start()?;
        let school = runner.get::<DogSchool>()?;
        let mut clock = Clock::set();
        clock.ring(2);
        assert_eq!(clock.set, clock.created_on());
        assert_eq!(clock.rung, [clock.modified_on(); 2]);
        school.save(&mut clock)?;

        let log = school.notification_log().select(1, 9)?;
        let events = log.iter().map(|event| school.decode::<Clock>(event));
        let times: Vec<_> = events
            .map(|event| Ok::<_, Error>(event?.timestamp))
            .collect::<Result<_>>()?;
        assert_eq!(times, [clock.set, clock.rung[0]], "{}", place.name);
        // The time is stored once, and not as a field.
        let states = log
            .iter()
            .map(|event| super::text(&event.event).into_owned());
        for state in states {
            assert_eq!(state.matches("timestamp").count(), 1, "{state}");
        }

        assert_eq!(school.repository().get::<Clock>(clock.id())?, clock);
        school.take_snapshot::<Clock>(clock.id(), None)?;
        assert_eq!(school.repository().get::<Clock>(clock.id())?, clock);
        runner.wait_until_idle(PATIENCE)?;
        let heard = runner.get::<Counters>()?.notification_log().head()?;
        assert!(heard > 0, "{}", place.name);
    }
    Ok(())
}
