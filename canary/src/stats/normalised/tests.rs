use super::*;
use crate::MilliPct;

fn calibration(values: [u64; 5]) -> Calibration {
    Calibration(Kernel::ALL.into_iter().zip(values).collect())
}

fn exact(values: impl IntoIterator<Item = u64>) -> Vec<(u64, bool)> {
    values.into_iter().map(|value| (value, false)).collect()
}

#[test]
fn a_machine_twice_as_slow_explains_twice_the_time() {
    let factor = Factor::new(&calibration([200; 5]), &calibration([100; 5])).expect("a factor");
    assert!((factor.ln_g - 2f64.ln()).abs() < 1e-12);
    assert!((factor.s_g - 0.05).abs() < 1e-12, "never below");
    let normalised =
        Normalised::new(&exact([2_000; 17]), &[1_000; 17], factor).expect("a comparison");
    let interval = normalised.interval(0.01).expect("an interval");
    assert_eq!(interval.point.parts(), (1_000_000_000, 1_000_000_000));
    // z_.99 * 0.05 = 0.116317
    let (lo, hi) = (interval.lo.as_f64(), interval.hi.expect("closed").as_f64());
    assert!((lo.ln() + 0.116_317_4).abs() < 1e-6 && (hi.ln() - 0.116_317_4).abs() < 1e-6);
}

#[test]
fn the_spread_of_the_programs_widens_the_interval() {
    let now = calibration([100, 110, 120, 130, 140]);
    let factor = Factor::new(&now, &calibration([100; 5])).expect("a factor");
    let u: Vec<f64> = [1.0, 1.1, 1.2, 1.3, 1.4].iter().map(|q: &f64| q.ln()).collect();
    let mean = u.iter().sum::<f64>() / 5.0;
    let sd = (u.iter().map(|u| (u - mean).powi(2)).sum::<f64>() / 4.0).sqrt();
    assert!((factor.ln_g - mean).abs() < 1e-12 && (factor.s_g - sd).abs() < 1e-12);
    let only_alu = Factor::weighted(&now, &calibration([100; 5]), [1.0, 0.0, 0.0, 0.0, 0.0]);
    assert!(only_alu.expect("a factor").ln_g.abs() < 1e-12);
}

#[test]
fn t32_what_cannot_be_converted_has_no_factor() {
    let base = calibration([100; 5]);
    let mut four = calibration([100; 5]);
    four.0.remove(&Kernel::Spawn);
    let table = [
        ("three times as slow", calibration([300; 5]), true),
        ("a little more", calibration([301; 5]), false),
        ("three times as fast", calibration([34; 5]), true),
        ("a little more", calibration([33; 5]), false),
        ("a program is missing", four, false),
        ("a program took no time", calibration([100, 100, 0, 100, 100]), false),
    ];
    for (case, now, expected) in table {
        assert_eq!(Factor::new(&now, &base).is_some(), expected, "{case}");
    }
    for weights in [[0.5; 5], [f64::NAN, 0.25, 0.25, 0.25, 0.25], [2.0, -1.0, 0.0, 0.0, 0.0]] {
        assert!(Factor::weighted(&base, &base, weights).is_none(), "{weights:?}");
    }
}

#[test]
fn bounds_are_rounded_outward_and_agree_with_the_p_value() {
    let factor = Factor { ln_g: 0.01, s_g: 0.05 };
    for value in [1_010_u64, 1_100, 1_234, 1_777] {
        let normalised =
            Normalised::new(&exact([value, value + 3, value + 5]), &[1_000, 1_001], factor)
                .expect("a comparison");
        for a in [0.05, 0.001, 0.000_1] {
            let interval = normalised.interval(a).expect("an interval");
            let width = normal::upper_quantile(a) * normalised.standard_error;
            assert!(interval.lo.as_f64() <= exp(normalised.estimate - width));
            assert!(interval.hi.expect("closed").as_f64() >= exp(normalised.estimate + width));
            for q in (-200..900).map(|tenths| MilliPct::new(tenths * 100 + 37)) {
                let is_allowed = normalised.p_value(Bar::Change(q)) <= a;
                assert_eq!(interval.lo.at_least(q), is_allowed, "{value} {a} {q}");
            }
        }
    }
}

#[test]
fn a_censored_run_opens_the_upper_bound_and_nonsense_is_refused() {
    let factor = Factor { ln_g: 0.0, s_g: 0.05 };
    let mut candidate = exact([100; 9]);
    candidate[0].1 = true;
    let normalised = Normalised::new(&candidate, &[100], factor).expect("a comparison");
    assert_eq!(normalised.interval(0.01).expect("an interval").hi, None);
    assert!(Normalised::new(&[], &[1], factor).is_none());
    assert!(Normalised::new(&exact([1]), &[0], factor).is_none());
    assert!(normalised.interval(0.5).is_none() && normalised.interval(f64::NAN).is_none());
}
