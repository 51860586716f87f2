//! `hyperfine --export-json`. A command that failed once was not measured.

use super::{At, Out, VERSION};
use crate::{
    Exit, FaultCode, Summary, Unit,
    decimal::Decimal,
    json::{Node, Object, Problem},
};

/// Seconds to nanoseconds.
const NS: i32 = 9;

pub(super) fn read(file: &str, text: &str, out: &mut Out<'_>) -> Result<(), Problem> {
    let document = Node::document(file, "", text)?.object()?;
    for result in document.member("results")?.elements()? {
        let read = result.object().and_then(|result| read_result(file, &result, out));
        out.note(read);
    }
    Ok(())
}

fn read_result(file: &str, result: &Object<'_>, out: &mut Out<'_>) -> Result<(), Problem> {
    let metric = name(result)?;
    read_times(file, result, &metric, out).map_err(|problem| problem.of(&metric))
}

fn read_times(
    file: &str,
    result: &Object<'_>,
    metric: &str,
    out: &mut Out<'_>,
) -> Result<(), Problem> {
    let times = result.optional("times");
    let codes = match (&times, result.optional("exit_codes")) {
        (_, Some(codes)) => codes.elements()?,
        (None, None) => Vec::new(),
        (Some(_), None) => result.member("exit_codes")?.elements()?,
    };
    for code in &codes {
        if code.is_null() || code.number()? != Decimal::ZERO {
            return Err(code.problem(FaultCode::RunFailed, "the command did not exit with 0"));
        }
    }
    let arm = out.settings.arm;
    let Some(times) = times else {
        let median = result.member("median")?;
        let pointer = median.pointer();
        let at = At { metric, unit: Unit::Ns, file, pointer, version: VERSION };
        out.summary(&at, arm, Summary::of(median.value(NS)?));
        return Ok(());
    };
    let nodes = times.elements()?;
    if nodes.len() != codes.len() {
        let detail = format!("{} times for {} exit codes", nodes.len(), codes.len());
        return Err(times.problem(FaultCode::UnknownShape, detail));
    }
    let values = nodes.iter().map(|time| time.value(NS)).collect::<Result<Vec<u64>, Problem>>()?;
    let at = At { metric, unit: Unit::Ns, file, pointer: times.pointer(), version: VERSION };
    out.samples(&at, arm, values, Exit::Code(0));
    Ok(())
}

/// The command, with its parameters where there are any: a scan names all of its commands alike.
fn name(result: &Object<'_>) -> Result<String, Problem> {
    let command = result.member("command")?.text()?;
    let Some(parameters) = result.optional("parameters").filter(|node| !node.is_null()) else {
        return Ok(command);
    };
    let parameters = parameters.object()?;
    let mut pairs = Vec::new();
    for (name, value) in parameters.members() {
        pairs.push(format!("{name}={}", value.text()?));
    }
    if pairs.is_empty() {
        return Ok(command);
    }
    Ok(format!("{command} [{}]", pairs.join(", ")))
}
