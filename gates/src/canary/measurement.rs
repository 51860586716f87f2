//! The finished measurement of this run. Whoever measured wrote it; nothing here measures.

use super::code::{MEASUREMENT_MISSING, UNKNOWN_SHAPE};
use portcullis::{Fault, File, GateContext, GateError, Location, RelPath};
use portcullis_canary::{Measurement, record};

/// Where a run leaves what it measured of a canary.
fn path(id: &str, name: &str) -> Result<RelPath, Fault> {
    RelPath::parse(&format!("canary/{id}/{name}")).map_err(|source| {
        let remedy = "give the canary an id of letters, digits and `_`";
        Fault::new(UNKNOWN_SHAPE, format!("`{id}` is no name of a folder: {source}"), remedy)
    })
}

/// The file that holds the measurement of this run.
pub(crate) fn file<'a>(cx: &GateContext<'a>, id: &str) -> Result<File<'a>, GateError> {
    cx.run_file(&cx.watch(path(id, "measurement.json"))?)
}

/// The measurement of this run; `None` when there is none.
pub(crate) fn of_run(cx: &GateContext<'_>, id: &str) -> Result<Option<Measurement>, GateError> {
    if !cx.has_run_folder()? {
        return Ok(None);
    }
    let file = file(cx, id)?;
    if file.exists()? { read(&file).map(Some) } else { Ok(None) }
}

/// The measurement that was taken again because the first one failed; `None` when there is none.
pub(crate) fn again(cx: &GateContext<'_>, id: &str) -> Result<Option<Measurement>, GateError> {
    let file = cx.run_file(&cx.watch(path(id, "confirmation.json"))?)?;
    if file.exists()? { read(&file).map(Some) } else { Ok(None) }
}

/// The measurement of this run, which has to be there.
///
/// # Errors
/// `measurement_missing`, `unknown_shape`.
pub(crate) fn required(cx: &GateContext<'_>, id: &str) -> Result<Measurement, GateError> {
    of_run(cx, id)?.ok_or_else(|| {
        let remedy = format!("measure first: `cargo portcullis canary measure {id}` in this run");
        let headline = format!("this run holds no finished measurement of `{id}`");
        Fault::new(MEASUREMENT_MISSING, headline, remedy)
            .expected(format!("canary/{id}/measurement.json in the directory of the run"))
    })
}

fn read(file: &File<'_>) -> Result<Measurement, GateError> {
    let text = file.text()?;
    record::read(file.path().as_str(), &text).map_err(|problem| {
        let remedy = "measure again with this version of portcullis";
        Fault::new(UNKNOWN_SHAPE, "the measurement cannot be read", remedy)
            .at(Location::file(file.path()))
            .found(problem.detail)
    })
}
