//! Medians and a robust spread. Leaves out what is measured.

/// Returns the median, the mean of the middle two of an even number; no number for none. Reorders the values.
#[must_use]
pub fn median(values: &mut [f64]) -> f64 {
    let half = values.len() / 2;
    if half == 0 {
        return values.first().copied().unwrap_or(f64::NAN);
    }
    let is_even = values.len().is_multiple_of(2);
    let (below, upper, _) = values.select_nth_unstable_by(half, f64::total_cmp);
    if !is_even {
        return *upper;
    }
    let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    0.5 * (lower + *upper)
}

/// Returns 1.4826 times the median absolute deviation: the standard deviation of a normal variable, whatever a few
/// outliers do. Reorders and overwrites the values.
#[must_use]
pub fn robust_sd(values: &mut [f64]) -> f64 {
    let middle = median(values);
    for value in values.iter_mut() {
        *value = (*value - middle).abs();
    }
    1.4826 * median(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_deviations() {
        type Row<'a> = (&'a [f64], f64, f64);
        let table: [Row<'_>; 5] = [
            (&[3.0], 3.0, 0.0),
            (&[3.0, 1.0], 2.0, 1.4826),
            (&[9.0, 1.0, 2.0], 2.0, 1.4826),
            (&[4.0, 1.0, 3.0, 2.0], 2.5, 1.4826),
            (&[1.0, 1.0, 1.0, 1.0, 1e9], 1.0, 0.0),
        ];
        for (values, middle, sd) in table {
            assert_eq!(median(&mut values.to_vec()), middle, "{values:?}");
            assert!((robust_sd(&mut values.to_vec()) - sd).abs() < 1e-12, "{values:?}");
        }
        assert!(median(&mut []).is_nan() && robust_sd(&mut []).is_nan());
    }
}
