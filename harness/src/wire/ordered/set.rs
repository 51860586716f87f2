//! A set as a list of its items in their order.

use super::{Unsorted, find, settle};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{borrow::Borrow, cmp::Ordering, slice, vec};

/// A set in the order of its items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VecSet<T>(Vec<T>);

impl<T> VecSet<T> {
    /// An empty set.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// How many items there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no item.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes every item away.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The items, in order.
    pub fn iter(&self) -> slice::Iter<'_, T> {
        self.0.iter()
    }

    /// The items, in order.
    #[must_use]
    pub fn as_slice(&self) -> &[T] {
        &self.0
    }
}

impl<T: Ord> VecSet<T> {
    fn find<Q: Ord + ?Sized>(&self, item: &Q) -> Result<usize, usize>
    where
        T: Borrow<Q>,
    {
        find(self.0.len(), &mut |n| self.0[n].borrow().cmp(item))
    }

    /// Whether the item is in it.
    pub fn contains<Q: Ord + ?Sized>(&self, item: &Q) -> bool
    where
        T: Borrow<Q>,
    {
        self.find(item).is_ok()
    }

    /// Adds an item, and returns whether it is new.
    pub fn insert(&mut self, item: T) -> bool {
        let place = self.find(&item);
        if let Err(n) = place {
            self.0.insert(n, item);
        }
        place.is_err()
    }

    /// Takes an item away, and returns whether it was there.
    pub fn remove<Q: Ord + ?Sized>(&mut self, item: &Q) -> bool
    where
        T: Borrow<Q>,
    {
        let place = self.find(item);
        if let Ok(n) = place {
            self.0.remove(n);
        }
        place.is_ok()
    }

    /// Whether each of its items is in the other set.
    #[must_use]
    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.iter().all(|item| other.contains(item))
    }

    /// Its items that are not in the other set, in order.
    pub fn difference<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = &'a T> {
        self.0.iter().filter(|item| !other.contains(*item))
    }
}

impl<T> Default for VecSet<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// A list of its own type, because one of pairs is what a map is made of.
struct Items<T>(Vec<T>);

impl<T: Ord> Unsorted for Items<T> {
    fn size(&self) -> usize {
        self.0.len()
    }

    fn compare(&self, a: usize, b: usize) -> Ordering {
        self.0[a].cmp(&self.0[b])
    }

    fn exchange(&mut self, a: usize, b: usize) {
        self.0.swap(a, b);
    }

    fn cut(&mut self, len: usize) {
        self.0.truncate(len);
    }
}

impl<T: Ord> From<Vec<T>> for VecSet<T> {
    fn from(items: Vec<T>) -> Self {
        let mut items = Items(items);
        settle(&mut items);
        Self(items.0)
    }
}

impl<T: Ord> FromIterator<T> for VecSet<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        // Not `collect`, which is four times the code for every type of iterator.
        let mut list = Vec::new();
        for item in items {
            list.push(item);
        }
        Self::from(list)
    }
}

impl<T: Ord, const N: usize> From<[T; N]> for VecSet<T> {
    fn from(items: [T; N]) -> Self {
        Self::from(Vec::from(items))
    }
}

impl<T: Ord> Extend<T> for VecSet<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, items: I) {
        for item in items {
            self.insert(item);
        }
    }
}

impl<T> IntoIterator for VecSet<T> {
    type Item = T;
    type IntoIter = vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a VecSet<T> {
    type Item = &'a T;
    type IntoIter = slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T: Serialize> Serialize for VecSet<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de> + Ord> Deserialize<'de> for VecSet<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Self::from)
    }
}
