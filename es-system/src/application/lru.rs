//! A map of aggregates that knows which one was not used for longest.

use std::collections::{BTreeMap, HashMap};

use es_core::AggregateId;

/// Values by the id of an aggregate, in the order of their last use.
pub(crate) struct Lru<T> {
    /// The values, each with the time of its last use.
    values: HashMap<AggregateId, (u64, T)>,
    /// The ids by the time of their last use; the first is the least recently used.
    used: BTreeMap<u64, AggregateId>,
    now: u64,
}

impl<T> Default for Lru<T> {
    fn default() -> Self {
        Self {
            values: HashMap::new(),
            used: BTreeMap::new(),
            now: 0,
        }
    }
}

impl<T> Lru<T> {
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// Returns a value without using it.
    pub(crate) fn peek(&self, id: &AggregateId) -> Option<&T> {
        self.values.get(id).map(|(_, value)| value)
    }

    /// Returns a value without using it.
    pub(crate) fn peek_mut(&mut self, id: &AggregateId) -> Option<&mut T> {
        self.values.get_mut(id).map(|(_, value)| value)
    }

    /// Returns a value, which is the most recently used one then.
    pub(crate) fn touch(&mut self, id: &AggregateId) -> Option<&mut T> {
        let (at, value) = self.values.get_mut(id)?;
        self.now += 1;
        let id = self.used.remove(at).unwrap_or_else(|| id.clone());
        *at = self.now;
        self.used.insert(self.now, id);
        Some(value)
    }

    /// Returns a value, which is made and is the most recently used one if there is none.
    pub(crate) fn entry(&mut self, id: &AggregateId) -> &mut T
    where
        T: Default,
    {
        let Self { values, used, now } = self;
        let (_, value) = values.entry(id.clone()).or_insert_with(|| {
            *now += 1;
            used.insert(*now, id.clone());
            (*now, T::default())
        });
        value
    }

    /// Inserts a value as the most recently used one. Returns the former value.
    pub(crate) fn insert(&mut self, id: AggregateId, value: T) -> Option<T> {
        let former = self.remove(&id);
        self.now += 1;
        self.used.insert(self.now, id.clone());
        self.values.insert(id, (self.now, value));
        former
    }

    pub(crate) fn remove(&mut self, id: &AggregateId) -> Option<T> {
        let (at, value) = self.values.remove(id)?;
        self.used.remove(&at);
        Some(value)
    }

    /// Removes the least recently used value.
    pub(crate) fn pop_oldest(&mut self) -> Option<T> {
        let (_, oldest) = self.used.pop_first()?;
        self.values.remove(&oldest).map(|(_, value)| value)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &T> {
        self.values.values().map(|(_, value)| value)
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.values.values_mut().map(|(_, value)| value)
    }

    /// Removes the values for which `is_kept` returns false.
    pub(crate) fn retain(&mut self, is_kept: impl Fn(&T) -> bool) {
        let used = &mut self.used;
        self.values.retain(|_, (at, value)| {
            let is_kept = is_kept(value);
            if !is_kept {
                used.remove(at);
            }
            is_kept
        });
    }

    /// Returns the ids from the least to the most recently used one.
    #[cfg(test)]
    pub(crate) fn ids(&self) -> Vec<String> {
        assert_eq!(self.values.len(), self.used.len());
        self.used.values().map(ToString::to_string).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_are_in_the_order_of_their_last_use() {
        let mut lru = Lru::default();
        for (number, id) in (1..).zip(["a", "b", "c", "d"]) {
            assert_eq!(lru.insert(id.into(), number), None);
        }
        assert_eq!(lru.touch(&"a".into()), Some(&mut 1));
        assert_eq!(lru.insert("b".into(), 5), Some(2));
        assert_eq!(lru.peek(&"c".into()), Some(&3));
        assert_eq!(lru.ids(), ["c", "d", "a", "b"]);
        assert_eq!(lru.pop_oldest(), Some(3));
        assert_eq!(lru.remove(&"a".into()), Some(1));
        lru.retain(|number| *number > 4);
        assert_eq!(lru.ids(), ["b"]);
        assert_eq!(lru.touch(&"d".into()), None);
        assert_eq!(lru.len(), 1);
    }
}
