//! Maps and sets as sorted lists, and sorting: what the harness keeps its own types in.
//!
//! The trees and sorts of the standard library are compiled anew for every type, in the build of every user; they were
//! half of the code that a cold build generated for this crate. Here each type adds a few lines, and what is left is
//! compiled once, behind `dyn`. Order and answers are those of `BTreeMap`, `BTreeSet` and a stable sort.
//!
//! Looking up halves the list. Adding at the end costs nothing more, adding in the middle moves what follows: what grows
//! large in no order is collected at once, or belongs into a tree.

mod map;
mod set;

pub use map::VecMap;
pub use set::VecSet;

use std::cmp::Ordering;

/// Sorts, and leaves equal items in their order.
pub fn sort<T: Ord>(items: &mut [T]) {
    sort_by(items, T::cmp);
}

/// Sorts as `compare` says, and leaves equal items in their order.
pub fn sort_by<T>(items: &mut [T], mut compare: impl FnMut(&T, &T) -> Ordering) {
    let mut places = places(items.len(), &mut |a, b| compare(&items[a], &items[b]));
    put(&mut places, &mut |a, b| items.swap(a, b));
}

/// The positions of `len` items in the order of the items. For items that are cheaper to copy than to exchange.
pub fn order(len: usize, compare: &mut dyn FnMut(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..len).collect();
    order.sort_by(|a, b| compare(*a, *b));
    order
}

/// The position that each item has once they are sorted; none where they are sorted already.
fn places(len: usize, compare: &mut dyn FnMut(usize, usize) -> Ordering) -> Vec<usize> {
    if (1..len).all(|n| compare(n - 1, n) != Ordering::Greater) {
        return Vec::new();
    }
    let mut places = vec![0; len];
    for (place, n) in order(len, compare).into_iter().enumerate() {
        places[n] = place;
    }
    places
}

/// Brings each item to its place. Every exchange brings one there, so there are fewer of them than items.
fn put(places: &mut [usize], exchange: &mut dyn FnMut(usize, usize)) {
    for n in 0..places.len() {
        while places[n] != n {
            let place = places[n];
            exchange(n, place);
            places.swap(n, place);
        }
    }
}

/// Where an item is in a sorted list of `len` items, or where it would have to be added.
///
/// `compare` tells how the item at a position stands to the one that is looked for.
fn find(len: usize, compare: &mut dyn FnMut(usize) -> Ordering) -> Result<usize, usize> {
    // Most of what is added comes in order.
    match len.checked_sub(1).map(&mut *compare) {
        None | Some(Ordering::Less) => return Err(len),
        Some(Ordering::Equal) => return Ok(len - 1),
        Some(Ordering::Greater) => {}
    }
    let (mut from, mut to) = (0, len - 1);
    while from < to {
        let middle = from.midpoint(to);
        match compare(middle) {
            Ordering::Less => from = middle + 1,
            Ordering::Equal => return Ok(middle),
            Ordering::Greater => to = middle,
        }
    }
    Err(from)
}

/// A list that becomes a map or a set.
trait Unsorted {
    fn size(&self) -> usize;
    fn compare(&self, a: usize, b: usize) -> Ordering;
    fn exchange(&mut self, a: usize, b: usize);
    /// Drops what is beyond a length.
    fn cut(&mut self, len: usize);
}

/// Sorts a list and keeps the last of equal items.
fn settle(list: &mut dyn Unsorted) {
    // Most lists come in order, and with nothing twice.
    if (1..list.size()).all(|n| list.compare(n - 1, n) == Ordering::Less) {
        return;
    }
    let mut places = places(list.size(), &mut |a, b| list.compare(a, b));
    put(&mut places, &mut |a, b| list.exchange(a, b));
    let mut kept = 0;
    for n in 1..list.size() {
        if list.compare(kept, n) != Ordering::Equal {
            kept += 1;
        }
        if kept != n {
            list.exchange(kept, n);
        }
    }
    list.cut(kept + 1);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    /// What is done to a map, and to a set of its keys.
    #[derive(Clone, Debug)]
    enum Step {
        Insert(u8, u16),
        Remove(u8),
        Default(u8),
        Change(u8, u16),
        Extend(Vec<(u8, u16)>),
    }

    fn step() -> impl Strategy<Value = Step> {
        // Few keys, so that most of them are met again.
        let (key, value) = (0u8..24, 0u16..500);
        prop_oneof![
            (key.clone(), value.clone()).prop_map(|(key, value)| Step::Insert(key, value)),
            key.clone().prop_map(Step::Remove),
            key.clone().prop_map(Step::Default),
            (key.clone(), value.clone()).prop_map(|(key, value)| Step::Change(key, value)),
            proptest::collection::vec((key, value), 0..12).prop_map(Step::Extend),
        ]
    }

    proptest! {
        #[test]
        fn a_sort_is_that_of_the_standard_library(items in proptest::collection::vec((0u8..9, 0u16..999), 0..60)) {
            let (mut ours, mut theirs) = (items.clone(), items.clone());
            sort_by(&mut ours, |a, b| b.0.cmp(&a.0));
            theirs.sort_by_key(|item| std::cmp::Reverse(item.0));
            prop_assert_eq!(&ours, &theirs, "stable");
            sort(&mut ours);
            theirs.sort();
            prop_assert_eq!(&ours, &theirs);
        }

        #[test]
        fn a_map_answers_as_a_tree_does(
            rows in proptest::collection::vec((0u8..24, 0u16..500), 0..30),
            steps in proptest::collection::vec(step(), 0..40),
        ) {
            let mut ours: VecMap<u8, u16> = rows.iter().copied().collect();
            let mut theirs: BTreeMap<u8, u16> = rows.into_iter().collect();
            for step in steps {
                match step {
                    Step::Insert(key, value) => {
                        prop_assert_eq!(ours.insert(key, value), theirs.insert(key, value));
                    }
                    Step::Remove(key) => prop_assert_eq!(ours.remove(&key), theirs.remove(&key)),
                    Step::Default(key) => {
                        prop_assert_eq!(ours.get_or_default(key), theirs.entry(key).or_default());
                    }
                    Step::Change(key, by) => {
                        prop_assert_eq!(ours.get_mut(&key).map(|value| *value += by), theirs.get_mut(&key).map(|value| *value += by));
                    }
                    Step::Extend(more) => {
                        ours.extend(more.clone());
                        theirs.extend(more);
                    }
                }
                let rows: Vec<(u8, u16)> = theirs.iter().map(|(key, value)| (*key, *value)).collect();
                prop_assert_eq!(ours.iter().copied().collect::<Vec<_>>(), rows);
                for key in 0..24 {
                    prop_assert_eq!(ours.get(&key), theirs.get(&key));
                    prop_assert_eq!(ours.get_key_value(&key), theirs.get_key_value(&key));
                    prop_assert_eq!(ours.contains_key(&key), theirs.contains_key(&key));
                }
                prop_assert_eq!((ours.len(), ours.is_empty()), (theirs.len(), theirs.is_empty()));
            }
            prop_assert!(ours.keys().eq(theirs.keys()) && ours.values().eq(theirs.values()));
            prop_assert!(ours.clone().into_keys().eq(theirs.clone().into_keys()));
            prop_assert!(ours.clone().into_values().eq(theirs.clone().into_values()));
            prop_assert!(ours.into_iter().eq(theirs));
        }

        #[test]
        fn a_set_answers_as_a_tree_does(
            items in proptest::collection::vec(0u8..24, 0..30),
            others in proptest::collection::vec(0u8..24, 0..30),
            changes in proptest::collection::vec((any::<bool>(), 0u8..24), 0..30),
        ) {
            let (mut ours, mut theirs): (VecSet<u8>, BTreeSet<u8>) =
                (items.iter().copied().collect(), items.into_iter().collect());
            for (add, item) in changes {
                if add {
                    prop_assert_eq!(ours.insert(item), theirs.insert(item));
                } else {
                    prop_assert_eq!(ours.remove(&item), theirs.remove(&item));
                }
                prop_assert_eq!(ours.contains(&item), add);
                prop_assert!(ours.iter().eq(&theirs));
            }
            let (more, others): (VecSet<u8>, BTreeSet<u8>) =
                (others.iter().copied().collect(), others.into_iter().collect());
            prop_assert_eq!(ours.is_subset(&more), theirs.is_subset(&others));
            prop_assert!(ours.difference(&more).eq(theirs.difference(&others)));
            ours.extend(more);
            theirs.extend(others);
            prop_assert_eq!((ours.len(), ours.is_empty()), (theirs.len(), theirs.is_empty()));
            prop_assert!(ours.into_iter().eq(theirs));
        }
    }
}
