//! Filters of notifications by topic.

use std::sync::Arc;

/// A selection of topics: those that are listed, and those of all events of the listed aggregates.
///
/// A topic belongs to an aggregate if it is the topic of the aggregate, a dot, and a name without a
/// dot. So the events of an aggregate are selected whose kinds a program does not know, such as
/// those of a newer program. The events of a class that is nested in the aggregate's are not
/// selected; Python stores them with one more dot.
///
/// ```
/// use es_store::TopicFilter;
///
/// let filter = TopicFilter::new(["shop:Order.Paid"]).of_aggregates(["shop:Parcel"]);
/// assert!(filter.selects("shop:Order.Paid"));
/// assert!(filter.selects("shop:Parcel.Returned"));
/// assert!(!filter.selects("shop:Order.Sent"));
/// assert!(!filter.selects("shop:ParcelBox.Sent"));
/// assert!(!filter.selects("shop:Parcel.Box.Sent"));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TopicFilter {
    /// The topics of the events to select.
    pub topics: Arc<[String]>,
    /// The topics of the aggregates all of whose events are selected.
    pub aggregates: Arc<[String]>,
}

impl TopicFilter {
    /// Selects these topics.
    pub fn new<T: Into<String>>(topics: impl IntoIterator<Item = T>) -> Self {
        Self {
            topics: topics.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }

    /// Also selects all events of the aggregates with these topics.
    #[must_use]
    pub fn of_aggregates<T: Into<String>>(self, aggregates: impl IntoIterator<Item = T>) -> Self {
        Self {
            aggregates: aggregates.into_iter().map(Into::into).collect(),
            ..self
        }
    }

    /// Returns true if the filter selects no topic.
    pub fn is_empty(&self) -> bool {
        self.topics.is_empty() && self.aggregates.is_empty()
    }

    /// Returns true if the filter selects `topic`.
    pub fn selects(&self, topic: &str) -> bool {
        self.topics.iter().any(|one| one == topic)
            || topic
                .rsplit_once('.')
                .is_some_and(|(of, _)| self.aggregates.iter().any(|aggregate| aggregate == of))
    }

    /// Returns what the topics of all events of the aggregates begin with.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(crate) fn prefixes(&self) -> Vec<String> {
        let prefix = |aggregate: &String| format!("{aggregate}.");
        self.aggregates.iter().map(prefix).collect()
    }
}
