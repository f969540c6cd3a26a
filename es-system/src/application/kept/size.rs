//! The size of an aggregate in memory.

/// The bytes that each new event of an aggregate pays for measuring its state.
const PAID: usize = 1024;
/// The number of new events below which a state is not measured for what they have paid, because
/// most of what a small state takes does not depend on its size.
const FEWEST: u64 = 32;
/// The bytes of an event of which nothing is known.
const EVENT: usize = 256;

/// The size of an aggregate in memory, which nothing tells exactly.
///
/// The bytes of its state as it is stored stand for it: a counter is small, however many events it
/// has, and a small event may make a state large. If the state cannot be stored, the bytes of the
/// events that it was made of stand for it.
///
/// Measuring a state takes as long as storing it. So it is measured again when its new events have
/// paid for that, or are as many as all before them. Until then it is wrong by a factor of two, if
/// all events are alike, and the bytes of the new events are added to it. A single event that makes
/// a state large is noticed after at most 31 others, if the state was small.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Size {
    pub(super) bytes: usize,
    /// The version at which it was measured last; 0 is never.
    measured_at: u64,
}

impl Size {
    /// Returns the size of an aggregate that was made of this many bytes.
    pub(crate) fn of(bytes: usize) -> Self {
        Self {
            bytes,
            measured_at: 0,
        }
    }

    /// Returns the size of an aggregate at this version, of which nothing else is known.
    pub(crate) fn of_version(version: u64) -> Self {
        let events = usize::try_from(version).unwrap_or(usize::MAX);
        Self::of(events.saturating_mul(EVENT))
    }

    /// Returns true if the state is to be measured at this version.
    pub(super) fn is_due(self, version: u64) -> bool {
        let new = version.saturating_sub(self.measured_at);
        let paid = usize::try_from(new).map_or(usize::MAX, |new| new.saturating_mul(PAID));
        new > 0 && (new >= self.measured_at || new >= FEWEST && paid >= self.bytes)
    }

    /// Sets the bytes of the state at this version; `None` if it cannot be stored.
    pub(super) fn measured(&mut self, version: u64, bytes: Option<usize>) {
        self.bytes = bytes.unwrap_or(self.bytes);
        self.measured_at = version;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_that_grows_with_each_event_is_never_twice_as_large_as_it_is_known_to_be() {
        for grows_by in [1, 10, 100_000] {
            let mut size = Size::of(10);
            let mut measured = 0;
            for version in 1..10_000 {
                let state = 10 + grows_by * version as usize;
                if size.is_due(version) {
                    size.measured(version, Some(state));
                    measured += state;
                }
                assert!(state < 2 * size.bytes, "{version}");
            }
            assert!(
                measured <= 10_000 * PAID + 4 * grows_by * 10_000,
                "{measured}"
            );
        }
    }

    #[test]
    fn a_small_state_that_one_event_makes_large_is_measured_soon() {
        let mut size = Size::of(1_000_000);
        assert!(size.is_due(50_000));
        size.measured(50_000, Some(20));
        assert!(!size.is_due(50_000));
        assert!(
            !size.is_due(50_000 + FEWEST - 1),
            "most of it would be for nothing"
        );
        assert!(size.is_due(50_000 + FEWEST));
    }

    #[test]
    fn what_cannot_be_measured_is_as_large_as_its_events() {
        let mut size = Size::of(1_000);
        size.measured(9, None);
        assert_eq!(size.bytes, 1_000);
    }
}
