//! Holm's procedure: many metrics, one level. Leaves out where the p-values come from.

/// Returns for every p-value whether it is rejected at the level `a` of the whole family.
///
/// Sorted, the i-th of m is rejected while `p_(i) <= a / (m - i + 1)`; the first that is not ends it. The chance of one
/// false rejection or more is at most `a`, whatever the dependence (Holm 1979).
#[must_use]
pub fn rejections(p_values: &[f64], a: f64) -> Vec<bool> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    // What is no number sorts last and is rejected by no level.
    let p_at = |index: &usize| p_values.get(*index).copied().unwrap_or(f64::NAN);
    order.sort_unstable_by(|left, right| p_at(left).total_cmp(&p_at(right)).then(left.cmp(right)));
    let mut rejected = vec![false; p_values.len()];
    for (done, index) in order.iter().enumerate() {
        if !is_within(p_at(index), a, p_values.len() - done) {
            break;
        }
        if let Some(flag) = rejected.get_mut(*index) {
            *flag = true;
        }
    }
    rejected
}

#[expect(clippy::cast_precision_loss, reason = "a number of metrics is far below 2^52")]
fn is_within(p: f64, a: f64, left: usize) -> bool {
    p <= a / left as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_has_its_own_share_and_the_first_miss_ends_it() {
        type Row<'a> = (&'a str, &'a [f64], &'a [bool]);
        let table: [Row<'_>; 8] = [
            ("none", &[], &[]),
            ("one at the level", &[0.05], &[true]),
            ("one above it", &[0.050_001], &[false]),
            ("all four, each at its share", &[0.05, 0.0125, 0.025, 0.05 / 3.0], &[true; 4]),
            ("the first misses, so all do", &[0.0126, 0.0126, 0.0126, 0.0126], &[false; 4]),
            ("the second misses", &[0.9, 0.001, 0.03, 0.026], &[false, true, false, false]),
            ("no number is never rejected", &[f64::NAN, 0.001], &[false, true]),
            ("nor is it negative", &[-f64::NAN, 0.9], &[false, false]),
        ];
        for (case, p_values, expected) in table {
            assert_eq!(rejections(p_values, 0.05), expected, "{case}");
        }
    }

    #[test]
    fn t34_forty_metrics_at_one_in_twenty_need_one_in_eight_hundred() {
        let mut p_values = vec![0.5; 40];
        p_values[7] = 0.05;
        assert!(!rejections(&p_values, 0.05).contains(&true), "one look at .05 would have alarmed");
        p_values[7] = 0.05 / 40.0;
        assert_eq!(rejections(&p_values, 0.05).iter().filter(|rejected| **rejected).count(), 1);
    }
}
