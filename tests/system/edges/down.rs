//! Two upstreams, one of which is down.

use super::*;

#[test]
fn an_upstream_that_is_down_is_tried_once_a_second_at_most_while_the_other_is_processed()
-> Result<()> {
    let system = TwoUpstreams::<MultiThreadedRunner>::start()?;
    system.break_north()?;
    let end = Instant::now() + Duration::from_secs(5);
    let dogs = system.use_south_until(end, |_| Ok(()))?;
    let tries = system.outage.tries.load(Ordering::SeqCst);
    // Pauses of 10, 20, 40 .. 640 ms and then of a second each make eleven attempts.
    assert!((2..=15).contains(&tries), "{tries} tries in 5 s");
    system.mend_north(dogs)
}

#[test]
fn an_upstream_that_is_down_holds_up_no_event_of_another() -> Result<()> {
    fn flow<R: Runner>() -> Result<()> {
        let system = TwoUpstreams::<R>::start()?;
        system.break_north()?;
        let end = Instant::now() + Duration::from_millis(300);
        let dogs = system.use_south_until(end, |runner| runner.watch_for_errors(Duration::ZERO))?;
        system.mend_north(dogs)
    }
    flow::<SingleThreadedRunner>()?;
    flow::<MultiThreadedRunner>()
}

#[test]
fn a_wait_for_idleness_processes_what_other_upstreams_have_while_one_is_down() -> Result<()> {
    fn flow<R: Runner>() -> Result<()> {
        let system = TwoUpstreams::<R>::start()?;
        system.break_north()?;
        // Another process saves it, so nobody is prompted.
        let south = South::new(files(system._dir.path()))?;
        south.save(&mut taught("Milly"))?;
        let waited = system.runner.wait_until_idle(Duration::from_secs(2));
        assert!(waited.is_err(), "the north is down");
        let counters = system.runner.get::<Counters>()?;
        assert_eq!(counters.position_in("South")?, Some(2));
        system.mend_north(1)
    }
    flow::<SingleThreadedRunner>()?;
    flow::<MultiThreadedRunner>()
}
