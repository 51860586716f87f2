//! The documents that globs name. Every single glob has to find one: a renamed file must not leave the set unseen.

use portcullis::{
    Fault, File, GateContext, GateError, Globs, Location, wire::code::NOTHING_EXAMINED,
};

/// The files that match, sorted by path.
///
/// # Errors
/// `nothing_examined` when an including glob matches no file; what the walk cannot read.
pub(crate) fn matched<'a>(cx: &GateContext<'a>, globs: &Globs) -> Result<Vec<File<'a>>, GateError> {
    let files = cx.files(globs)?;
    for pattern in globs.patterns().filter(|pattern| !pattern.starts_with('!')) {
        let alone = cx.watch(Globs::new(&[&pattern]))?;
        if !files.iter().any(|file| alone.matches(file.path().as_str())) {
            let headline = format!("the glob `{pattern}` matches no document");
            let remedy = "correct the glob, or remove it";
            return Err(Fault::new(NOTHING_EXAMINED, headline, remedy)
                .at(Location::at(
                    &cx.gate().location.path,
                    cx.gate().location.line,
                    cx.gate().location.column,
                ))
                .expected("at least one file"));
        }
    }
    Ok(files)
}
