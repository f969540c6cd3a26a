//! The place in an upstream's log at which a new follower begins.

/// The first event that a follower processes which has no recorded position.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Begin {
    /// The first event of the log.
    #[default]
    Start,
    /// The first event behind the head that the log has when the follower begins.
    Now,
    /// The event at this position, or the first one behind it. Positions begin with 1.
    At(u64),
}

impl Begin {
    /// Returns the position up to which events are left out, for a log with this head.
    pub(crate) fn position(self, head: u64) -> u64 {
        match self {
            Self::Start => 0,
            Self::Now => head,
            // No log has a higher position, and no store records one.
            Self::At(first) => first.saturating_sub(1).min(i64::MAX.cast_unsigned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_follower_leaves_out_what_lies_in_front_of_its_first_event() {
        assert_eq!(Begin::Start.position(7), 0);
        assert_eq!(Begin::Now.position(7), 7);
        assert_eq!(Begin::At(1).position(7), 0);
        assert_eq!(Begin::At(5).position(7), 4);
        assert_eq!(Begin::At(9).position(7), 8);
        assert_eq!(Begin::At(u64::MAX).position(7), i64::MAX.cast_unsigned());
    }
}
