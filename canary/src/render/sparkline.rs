//! A history as a small picture. Leaves out the page it stands on.

use super::escape::svg;
use std::fmt::Write as _;

/// What a sparkline shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spark<'a> {
    /// The title, read out by screen readers.
    pub title: &'a str,
    /// The values, oldest first; the newest 200 are drawn.
    pub values: &'a [u64],
    /// The indices of the first points after confirmed steps.
    pub steps: &'a [usize],
}

const WIDTH: u64 = 300;
const HEIGHT: u64 = 40;
const MARGIN: u64 = 3;
const MOST: usize = 200;

/// Draws the values as SVG of 300 by 40, in whole hundredths: the same bytes on every machine. Without a value only the
/// title is left.
#[must_use]
pub fn sparkline(spark: &Spark<'_>) -> String {
    let skipped = spark.values.len().saturating_sub(MOST);
    let values = spark.values.get(skipped..).unwrap_or_default();
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" \
         height=\"{HEIGHT}\" role=\"img\"><title>{}</title>",
        svg(spark.title, 200)
    );
    for step in spark.steps.iter().filter_map(|step| step.checked_sub(skipped)) {
        if step < values.len() {
            let x = across(step, values.len());
            let _ = write!(
                out,
                "<line x1=\"{x}\" y1=\"0\" x2=\"{x}\" y2=\"{HEIGHT}\" stroke=\"#c33\" \
                 stroke-dasharray=\"2\"/>"
            );
        }
    }
    let (least, most) = (values.iter().min().copied(), values.iter().max().copied());
    if let (Some(least), Some(most)) = (least, most) {
        out.push_str("<polyline fill=\"none\" stroke=\"#36c\" points=\"");
        for (index, value) in values.iter().enumerate() {
            let y = down(*value, least, most);
            let separator = if index == 0 { "" } else { " " };
            let _ = write!(out, "{separator}{},{y}", across(index, values.len()));
        }
        out.push_str("\"/>");
        if let Some(last) = values.last() {
            let (x, y) = (across(values.len() - 1, values.len()), down(*last, least, most));
            let _ = write!(out, "<circle cx=\"{x}\" cy=\"{y}\" r=\"2\" fill=\"#36c\"/>");
        }
    }
    out.push_str("</svg>");
    out
}

fn across(index: usize, n: usize) -> String {
    let share = |room: u64| {
        let (index, last) = (index as u128, n.saturating_sub(1).max(1) as u128);
        u128::from(room) * 100 * index / last
    };
    hundredths(u128::from(MARGIN) * 100 + share(WIDTH - 2 * MARGIN))
}

fn down(value: u64, least: u64, most: u64) -> String {
    let room = u128::from(HEIGHT - 2 * MARGIN) * 100;
    // Lower is better, and is drawn lower.
    let above = match most - least {
        0 => room / 2,
        span => u128::from(most - value) * room / u128::from(span),
    };
    hundredths(u128::from(MARGIN) * 100 + above)
}

fn hundredths(number: u128) -> String {
    format!("{}.{:02}", number / 100, number % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_is_the_same_on_every_machine() {
        let spark = Spark { title: "a < b & \"c\"", values: &[10, 20, 15], steps: &[1, 9] };
        let drawn = sparkline(&spark);
        assert!(drawn.contains("points=\"3.00,37.00 150.00,3.00 297.00,20.00\""), "{drawn}");
        assert!(drawn.contains("<title>a &lt; b &amp; &quot;c&quot;</title>"), "{drawn}");
        assert_eq!(drawn.matches("<line x1=\"150.00\"").count(), 1, "{drawn}");
        assert_eq!(drawn.matches("<line").count(), 1, "a step beyond the end is not drawn");
        assert!(drawn.starts_with("<svg ") && drawn.ends_with("</svg>"));
    }

    #[test]
    fn no_value_one_value_and_extreme_values_are_drawn() {
        for values in [&[][..], &[7], &[7, 7, 7], &[0, u64::MAX], &[u64::MAX; 500]] {
            let drawn = sparkline(&Spark { title: "t", values, steps: &[0, 499, usize::MAX] });
            assert_eq!(drawn.contains("<polyline"), !values.is_empty());
            let points = drawn.split("points=\"").nth(1).and_then(|rest| rest.split('"').next());
            let n_points = points.map_or(0, |points| points.split(' ').count());
            assert_eq!(n_points, values.len().min(200));
        }
    }
}
