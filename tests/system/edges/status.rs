//! The status of each edge, while one upstream is down.

use es_system::{Condition, EdgeStatus};

use super::*;

/// The edges of the counters, and the condition of the follower as a whole.
fn edges(runner: &impl Runner) -> Result<(Vec<EdgeStatus>, Condition)> {
    let mut status = runner.status();
    assert_eq!(status.len(), 1, "there is one follower");
    let status = status.remove(0);
    assert_eq!(status.follower, "Counters");
    let upstreams: Vec<_> = status.edges.iter().map(|edge| &*edge.upstream).collect();
    assert_eq!(upstreams, ["North", "South"], "in the order of definition");
    Ok((status.edges, status.condition))
}

fn is_retrying(condition: &Condition) -> bool {
    matches!(condition, Condition::Retrying { .. })
}

fn is_running(condition: &Condition) -> bool {
    matches!(condition, Condition::Running)
}

#[test]
fn the_edge_to_an_upstream_that_is_down_is_retrying_and_the_other_is_running() -> Result<()> {
    fn flow<R: Runner>() -> Result<()> {
        let system = TwoUpstreams::<R>::start()?;
        system.break_north()?;
        wait_until("the edge is retrying", || {
            // A single-threaded runner works during the wait.
            let _ = system.runner.wait_until_idle(Duration::ZERO);
            Ok(is_retrying(&edges(&system.runner)?.0[0].condition))
        })?;
        let end = Instant::now() + Duration::from_secs(1);
        let dogs = system.use_south_until(end, |runner| {
            let (edges, condition) = edges(runner)?;
            let [north, south] = &edges[..] else {
                panic!("there are two edges")
            };
            assert!(is_retrying(&north.condition), "{north:?}");
            assert!(is_running(&south.condition), "{south:?}");
            assert!(is_retrying(&condition), "the worst edge: {condition:?}");
            assert_eq!(north.position, Some(0));
            let position = south.position.expect("it can be read");
            assert!(position > 0 && position % 2 == 0, "{south:?}");
            Ok(())
        })?;
        system.mend_north(dogs)?;
        let (edges, condition) = edges(&system.runner)?;
        assert!(is_running(&condition), "{condition:?}");
        for (edge, position) in edges.iter().zip([2, 2 * dogs]) {
            assert!(is_running(&edge.condition), "{edge:?}");
            assert_eq!(edge.position, Some(position));
        }
        Ok(())
    }
    flow::<MultiThreadedRunner>()?;
    flow::<SingleThreadedRunner>()
}

#[test]
fn the_attempts_of_an_edge_are_its_own() -> Result<()> {
    let system = TwoUpstreams::<MultiThreadedRunner>::start()?;
    system.break_north()?;
    let mut last = 0;
    let mut most = 0;
    let end = Instant::now() + Duration::from_secs(2);
    let dogs = system.use_south_until(end, |runner| {
        if let Condition::Retrying { attempts, .. } = edges(runner)?.0[0].condition {
            assert!(attempts >= last, "{attempts} after {last}");
            (last, most) = (attempts, most.max(attempts));
        }
        Ok(())
    })?;
    assert!(
        most >= 4,
        "the count grows while the other edge works: {most}"
    );
    system.mend_north(dogs)
}
