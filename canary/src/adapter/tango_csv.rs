//! The dumps of tango-bench: one file per bench, one pair of samples per line, base first.
//!
//! A third column, which version 0.9 writes, is how often a sample ran the bench. The values stay those of the whole
//! sample: divided, the pairs of a short bench would be rounded to a few different ratios.

use super::{At, Out, VERSION};
use crate::{Arm, Exit, FaultCode, Unit, decimal::NoValue, json::Problem};

pub(super) fn read(file: &str, text: &str, out: &mut Out<'_>) -> Result<(), Problem> {
    let (mut base, mut candidate) = (Vec::new(), Vec::new());
    let mut columns = None;
    if !text.ends_with('\n') {
        let detail = "the last line has no newline, so its number may be cut";
        return Err(Problem::new(FaultCode::UnknownShape, file, "", detail));
    }
    for (number, line) in (1_u32..).zip(text.lines()) {
        let place = format!("line {number}");
        let cells: Vec<&str> = line.split(',').collect();
        let is_known =
            matches!(cells.len(), 2 | 3) && *columns.get_or_insert(cells.len()) == cells.len();
        let (true, [base_ns, candidate_ns, ..]) = (is_known, cells.as_slice()) else {
            let detail = "expected `base_ns,candidate_ns`, alike in every line";
            return Err(Problem::new(FaultCode::UnknownShape, file, &place, detail));
        };
        base.push(whole(file, &place, base_ns)?);
        candidate.push(whole(file, &place, candidate_ns)?);
        if let Some(iterations) = cells.get(2) {
            whole(file, &place, iterations)?;
        }
    }
    let name = file.rsplit('/').next().unwrap_or(file);
    let metric = name.strip_suffix(".csv").unwrap_or(name);
    let at = At { metric, unit: Unit::Ns, file, pointer: "", version: VERSION };
    out.samples(&at, Arm::Base, base, Exit::Unknown);
    out.samples(&at, Arm::Candidate, candidate, Exit::Unknown);
    Ok(())
}

fn whole(file: &str, place: &str, cell: &str) -> Result<u64, Problem> {
    let digits = cell.strip_prefix('-').unwrap_or(cell);
    let is_whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = is_whole.then(|| crate::decimal::Decimal::parse(cell)).flatten();
    let shown = cell.chars().take(40).collect::<String>();
    let Some(number) = number else {
        let code = if crate::json::is_not_finite(cell) {
            FaultCode::ValueNotFinite
        } else {
            FaultCode::UnknownShape
        };
        return Err(Problem::new(code, file, place, format!("`{shown}` is no whole number")));
    };
    number.shifted(0).map_err(|why| {
        let code = match why {
            NoValue::NotPositive => FaultCode::ValueNotPositive,
            NoValue::Overflow => FaultCode::ValueOverflow,
        };
        Problem::new(code, file, place, format!("`{shown}` is no positive number of 64 bits"))
    })
}
