//! Documents that a kind writes under a fixed name, with the header that all of them carry.
//! It decides nothing: what a document says is said by the kind.

use portcullis::{
    Fault, GateContext, GateError, Instant,
    wire::{
        artifact,
        code::RECEIPT_UNWRITABLE,
        id::RunId,
        receipt::{Source, Tool},
    },
};
use serde::Serialize;

#[derive(Serialize)]
struct View<'a, B> {
    schema: &'static str,
    run_id: &'a RunId,
    generated_at: Instant,
    source: &'a Source,
    tool: Tool,
    #[serde(flatten)]
    body: &'a B,
}

/// The text of a document: the header, then the fields of `body`.
pub(crate) fn document(
    cx: &GateContext<'_>,
    schema: &'static str,
    body: &impl Serialize,
) -> Result<String, GateError> {
    let view = View {
        schema,
        run_id: cx.run_id(),
        generated_at: cx.now(),
        source: cx.source(),
        tool: Tool::this(),
        body,
    };
    artifact::document(&view).map_err(|source| {
        let headline = format!("a document of schema {schema} could not be rendered");
        Fault::new(RECEIPT_UNWRITABLE, headline, "report this as a bug").because(&source)
    })
}

/// The same header at the head of a Markdown document, one line `name: value` each.
pub(crate) fn markdown_header(cx: &GateContext<'_>, title: &str, schema: &str) -> String {
    format!(
        "# {title}\n\n- schema: `{schema}`\n- run_id: `{}`\n- generated_at: `{}`\n- git_sha: `{}`\n",
        cx.run_id(),
        cx.now(),
        cx.source().commit.as_deref().unwrap_or("none"),
    )
}
