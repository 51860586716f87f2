//! Logarithm, exponential and powers of two that are equal on every machine. Leaves out what nothing here needs.

const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
const MANTISSA: u64 = (1 << 52) - 1;

/// Returns `2^exponent`, zero or infinite beyond the normal numbers.
#[must_use]
pub fn power_of_two(exponent: i64) -> f64 {
    match u64::try_from(exponent.saturating_add(1_023)) {
        Ok(biased @ 1..=2_046) => f64::from_bits(biased << 52),
        Ok(0) | Err(_) => 0.0,
        Ok(_) => f64::INFINITY,
    }
}

/// Returns the natural logarithm, correct to about 1e-16; of zero minus infinity, of less, or no number, no number.
///
/// `x = m * 2^e` with m within a factor sqrt 2 of one; then ln m = 2 artanh((m - 1) / (m + 1)), by its series.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "an exponent has eleven bits")]
pub fn ln(x: f64) -> f64 {
    if x.is_nan() || x < 0.0 {
        return f64::NAN;
    }
    if x.is_infinite() {
        return f64::INFINITY;
    }
    if x < f64::MIN_POSITIVE {
        return f64::NEG_INFINITY;
    }
    let bits = x.to_bits();
    let mut exponent = i64::try_from(bits >> 52).unwrap_or(0) - 1_023;
    let mut mantissa = f64::from_bits(bits & MANTISSA | 1_023 << 52);
    if mantissa > std::f64::consts::SQRT_2 {
        (mantissa, exponent) = (mantissa / 2.0, exponent + 1);
    }
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let square = s * s;
    let mut sum = 0.0;
    for odd in [25.0, 23.0, 21.0, 19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0] {
        sum = sum * square + 1.0 / odd;
    }
    let near_one = 2.0 * (s + s * square * sum);
    let exponent = exponent as f64;
    exponent * LN_2_HIGH + (near_one + exponent * LN_2_LOW)
}

/// Returns the exponential, correct to about 1e-16 of its value.
///
/// `x = k ln 2 + r` with |r| at most half of ln 2; then `2^k` times the series of e^r.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "the argument was bounded first")]
pub fn exp(x: f64) -> f64 {
    if x.is_nan() {
        return f64::NAN;
    }
    if x > 709.0 {
        return f64::INFINITY;
    }
    if x < -708.0 {
        return 0.0;
    }
    let times = (x / std::f64::consts::LN_2).round();
    let rest = (x - times * LN_2_HIGH) - times * LN_2_LOW;
    let mut sum = 1.0;
    for divisor in (1_u8..=16).rev() {
        sum = 1.0 + sum * rest / f64::from(divisor);
    }
    sum * power_of_two(times as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_agree_with_the_platform_to_a_few_units_of_the_last_place() {
        for step in -700_i32..=700 {
            let x = f64::from(step) * 0.987_654_321;
            assert!((exp(x) / x.exp() - 1.0).abs() < 4e-15 * x.abs().max(1.0), "exp {x}");
            let y = x.exp() * 1.234_567;
            assert!((ln(y) - y.ln()).abs() <= 4e-16 * y.ln().abs().max(1.0), "ln {y}");
        }
        for step in 1..2_000_i32 {
            let near = 1.0 + f64::from(step - 1_000) * 1e-6;
            assert!((ln(near) - near.ln()).abs() < 1e-18 + near.ln().abs() * 4e-16, "{near}");
        }
    }

    #[test]
    fn the_ends_are_what_they_have_to_be() {
        assert_eq!((ln(1.0), exp(0.0)), (0.0, 1.0));
        assert_eq!((ln(0.0), exp(-800.0), exp(800.0)), (f64::NEG_INFINITY, 0.0, f64::INFINITY));
        assert!(ln(-1.0).is_nan() && ln(f64::NAN).is_nan() && exp(f64::NAN).is_nan());
        assert_eq!((power_of_two(-1_000), power_of_two(10)), (2f64.powi(-1_000), 1_024.0));
        assert_eq!((power_of_two(-1_023), power_of_two(1_024)), (0.0, f64::INFINITY));
        assert_eq!((power_of_two(i64::MIN), power_of_two(i64::MAX)), (0.0, f64::INFINITY));
    }
}
