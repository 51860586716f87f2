//! Decimal numbers as they are written, turned into whole units without a double in between. Leaves out their meaning.

/// How many significant digits are kept; what is cut leaves its trace, so that halves are still told apart.
const DIGITS_MAX: usize = 34;
/// Beyond this a power of ten is zero or an overflow for any digits, so the exponent need not be exact.
const EXPONENT_MAX: i64 = 100_000;

/// `digits * 10^exponent`, with a sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decimal {
    negative: bool,
    digits: u128,
    exponent: i64,
}

/// Why a number is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoValue {
    /// It is zero, rounds to zero, or is negative.
    NotPositive,
    /// It does not fit.
    Overflow,
}

impl Decimal {
    /// Nothing.
    #[cfg(feature = "adapters")]
    pub(crate) const ZERO: Self = Self { negative: false, digits: 0, exponent: 0 };

    /// Reads `-?digits(.digits)?([eE][+-]?digits)?`; anything else, and a missing digit, is no number.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, read_exponent(exponent)?),
            None => (rest, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return None,
            None => (mantissa, ""),
        };
        if whole.is_empty() {
            return None;
        }
        let mut number = Self { negative, digits: 0, exponent };
        let (mut kept, mut has_cut) = (0_usize, false);
        for (is_fraction, byte) in
            whole.bytes().map(|byte| (false, byte)).chain(fraction.bytes().map(|byte| (true, byte)))
        {
            let digit = byte.checked_sub(b'0').filter(|digit| *digit <= 9)?;
            if kept < DIGITS_MAX {
                number.digits = number.digits * 10 + u128::from(digit);
                kept += usize::from(number.digits > 0);
                number.exponent -= i64::from(is_fraction);
            } else {
                has_cut |= digit > 0;
                number.exponent += i64::from(!is_fraction);
            }
        }
        if has_cut {
            // One digit more, which is neither 0 nor 5, stands for all that were cut.
            number.digits = number.digits * 10 + 1;
            number.exponent -= 1;
        }
        number.exponent = number.exponent.clamp(-EXPONENT_MAX, EXPONENT_MAX);
        Some(number.trimmed())
    }

    /// The same number with as few digits as possible, so that quotients stay small.
    fn trimmed(mut self) -> Self {
        if self.digits == 0 {
            return Self { negative: self.negative, digits: 0, exponent: 0 };
        }
        while self.digits.is_multiple_of(10) {
            self.digits /= 10;
            self.exponent += 1;
        }
        self
    }

    /// Whether it is below zero.
    pub(crate) fn is_negative(self) -> bool {
        self.negative && self.digits > 0
    }

    /// The number times `10^shift`, to the nearest whole number, half to even; only a positive one is a value.
    pub(crate) fn shifted(self, shift: i32) -> Result<u64, NoValue> {
        self.over(Self { negative: false, digits: 1, exponent: -i64::from(shift) })
    }

    /// The quotient, to the nearest whole number, half to even; only a positive one is a value.
    pub(crate) fn over(self, divisor: Self) -> Result<u64, NoValue> {
        if self.is_negative() || divisor.is_negative() || self.digits == 0 || divisor.digits == 0 {
            return Err(NoValue::NotPositive);
        }
        let shift = self.exponent - divisor.exponent;
        let power =
            u32::try_from(shift.unsigned_abs()).ok().and_then(|shift| 10_u128.checked_pow(shift));
        let (num, den) = if shift >= 0 {
            let num = power.and_then(|power| self.digits.checked_mul(power));
            (num.ok_or(NoValue::Overflow)?, divisor.digits)
        } else {
            match power.and_then(|power| divisor.digits.checked_mul(power)) {
                Some(den) => (self.digits, den),
                // A divisor beyond 2^128 is more than twice any number of 35 digits.
                None => return Err(NoValue::NotPositive),
            }
        };
        let (quotient, rest) = (num / den, num % den);
        let up = match rest.cmp(&(den - rest)) {
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Equal => quotient % 2 == 1,
            std::cmp::Ordering::Greater => true,
        };
        match u64::try_from(quotient).ok().and_then(|quotient| quotient.checked_add(u64::from(up)))
        {
            Some(0) => Err(NoValue::NotPositive),
            Some(value) => Ok(value),
            None => Err(NoValue::Overflow),
        }
    }
}

/// An exponent; one of absurd length is cut to one that is as good.
fn read_exponent(text: &str) -> Option<i64> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    if digits.is_empty() {
        return None;
    }
    let mut exponent = 0_i64;
    for byte in digits.bytes() {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        exponent = (exponent * 10 + i64::from(digit)).min(EXPONENT_MAX * 10);
    }
    Some(sign * exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Value = Result<u64, Option<NoValue>>;

    fn ns(text: &str, shift: i32) -> Value {
        Decimal::parse(text).ok_or(None)?.shifted(shift).map_err(Some)
    }

    #[test]
    fn decimals_become_whole_numbers_half_to_even() {
        let long = format!("0.5{}1", "0".repeat(80));
        let table: &[(&str, &str, i32, Value)] = &[
            ("a whole number", "7", 0, Ok(7)),
            ("a half goes to the even below", "2.5", 0, Ok(2)),
            ("a half goes to the even above", "3.5", 0, Ok(4)),
            ("just above a half", "2.500000000000000000001", 0, Ok(3)),
            ("a digit far behind the half", &long, 0, Ok(1)),
            ("seconds as nanoseconds", "0.016061084620000003", 9, Ok(16_061_085)),
            ("no double holds this", "9007199254740993", 0, Ok(9_007_199_254_740_993)),
            ("seconds that no double holds", "9007199.254740993", 9, Ok(9_007_199_254_740_993)),
            ("an exponent", "1.25e3", 0, Ok(1_250)),
            ("a negative exponent", "1250E-2", 0, Ok(12)),
            ("the largest", "18446744073709551615", 0, Ok(u64::MAX)),
            ("one more", "18446744073709551616", 0, Err(Some(NoValue::Overflow))),
            (
                "it rounds beyond the largest",
                "18446744073709551615.5",
                0,
                Err(Some(NoValue::Overflow)),
            ),
            ("a huge exponent", "1e999999999999999999999", 0, Err(Some(NoValue::Overflow))),
            ("a tiny one", "1e-999999999999999999999", 0, Err(Some(NoValue::NotPositive))),
            ("zero times anything", "0e999999999", 0, Err(Some(NoValue::NotPositive))),
            ("zero", "0.000", 9, Err(Some(NoValue::NotPositive))),
            ("it rounds to zero", "0.5", 0, Err(Some(NoValue::NotPositive))),
            ("negative", "-1", 0, Err(Some(NoValue::NotPositive))),
            ("no digits", "", 0, Err(None)),
            ("no fraction", "1.", 0, Err(None)),
            ("no whole part", ".5", 0, Err(None)),
            ("no exponent", "1e", 0, Err(None)),
            ("two points", "1.2.3", 0, Err(None)),
            ("a plus sign", "+1", 0, Err(None)),
            ("digits that are not ASCII", "１", 0, Err(None)),
            ("infinity", "inf", 0, Err(None)),
        ];
        for (case, text, shift, expected) in table {
            assert_eq!(ns(text, *shift), *expected, "{case}");
        }
    }

    #[test]
    fn quotients_are_exact() {
        let table: &[(&str, &str, &str, Value)] = &[
            ("criterion's doubles", "34524353.0", "103.0", Ok(335_188)),
            ("a half to the even", "5", "2", Ok(2)),
            ("a half to the even above", "7", "2", Ok(4)),
            ("zero iterations", "5", "0", Err(Some(NoValue::NotPositive))),
            ("negative iterations", "5", "-1", Err(Some(NoValue::NotPositive))),
            ("less than half of one", "1", "3", Err(Some(NoValue::NotPositive))),
            ("two huge ones", "2e90000", "1e90000", Ok(2)),
            ("far apart", "1e30", "1e-30", Err(Some(NoValue::Overflow))),
            ("far apart the other way", "1e-30", "1e30", Err(Some(NoValue::NotPositive))),
        ];
        for (case, num, den, expected) in table {
            let [num, den] = [num, den].map(|text| Decimal::parse(text).expect("a number"));
            assert_eq!(num.over(den).map_err(Some), *expected, "{case}");
        }
    }
}
