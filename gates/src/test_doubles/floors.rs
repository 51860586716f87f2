//! How much of a module must be real. It counts what the inventory has, and nothing else.

use super::{
    Config, DOUBLE_FLOOR_BROKEN, DOUBLE_FLOOR_UNMATCHED, Floor,
    inventory::{Counts, Inventory},
};
use portcullis::{Finding, Findings, GateContext, Location};

/// Holds every floor against the inventory.
pub(super) fn judge(
    cx: &GateContext<'_>,
    config: &Config,
    inventory: &Inventory,
    out: &mut Findings,
) {
    for floor in &config.floors {
        let at = cx.locate(floor.span().start);
        let floor = floor.get_ref();
        let counts = counts_below(inventory, &floor.module);
        if counts.tests == 0 {
            out.push(
                Finding::new(
                    DOUBLE_FLOOR_UNMATCHED,
                    &floor.module,
                    format!("the module `{}` has no test to measure", floor.module),
                    "correct the name of the module, or remove the floor",
                )
                .at(at),
            );
            continue;
        }
        broken(floor, counts, &at, out);
    }
}

/// The counts of a module and of those below it.
fn counts_below(inventory: &Inventory, module: &str) -> Counts {
    let is_below = |name: &str| {
        name.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    let mut sum = Counts::default();
    for (_, counts) in inventory.modules.iter().filter(|(name, _)| is_below(name)) {
        sum.doubles += counts.doubles;
        sum.tests += counts.tests;
        sum.tests_with_doubles += counts.tests_with_doubles;
    }
    sum
}

fn broken(floor: &Floor, counts: Counts, at: &Location, out: &mut Findings) {
    let mut push = |what: &str, expected: String, found: String| {
        out.push(
            Finding::new(
                DOUBLE_FLOOR_BROKEN,
                format!("{}: {what}", floor.module),
                format!("the module `{}` does not keep its floor `{what}`", floor.module),
                "replace doubles by the real thing, or lower the floor in a change of its own",
            )
            .at(at.clone())
            .expected(expected)
            .found(found),
        );
    };
    if let Some(max) = floor.max_doubles.filter(|max| counts.doubles > *max) {
        push("max_doubles", format!("at most {max}"), counts.doubles.to_string());
    }
    let real = counts.tests.saturating_sub(counts.tests_with_doubles);
    // Whole numbers: 2 of 3 are less than 67 percent, whatever a division would round to.
    let keeps = |percent: u64| real.saturating_mul(100) >= percent.saturating_mul(counts.tests);
    if let Some(min) = floor.min_real_percent.filter(|min| !keeps(*min)) {
        let found = format!("{real} of {} tests", counts.tests);
        push("min_real_percent", format!("at least {min} percent without doubles"), found);
    }
}
