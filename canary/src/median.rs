//! The middle of whole values, in whole values. Percentiles and bounds are another matter.

/// Returns the middle of the values; of an even number the mean of both, to even.
#[must_use]
pub fn median(values: &[u64]) -> Option<u64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let upper = *sorted.get(sorted.len() / 2)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = *sorted.get(sorted.len() / 2 - 1)?;
    let (sum, half) = (u128::from(lower) + u128::from(upper), lower / 2 + upper / 2);
    let half = half + (lower % 2 + upper % 2) / 2;
    Some(half + u64::from(sum % 2 == 1 && half % 2 == 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_two_is_their_mean_to_even() {
        let table: &[(&[u64], Option<u64>)] = &[
            (&[], None),
            (&[7], Some(7)),
            (&[3, 1], Some(2)),
            (&[1, 2], Some(2)),
            (&[2, 3], Some(2)),
            (&[u64::MAX, u64::MAX], Some(u64::MAX)),
            (&[u64::MAX, u64::MAX - 1], Some(u64::MAX - 1)),
            (&[9, 1, 5], Some(5)),
        ];
        for (values, expected) in table {
            assert_eq!(median(values), *expected, "{values:?}");
        }
    }
}
