//! The minimum supported Rust version is one number, wherever it is written.

use portcullis::{Code, Examined, Finding, Findings, GateContext, GateError, Location, RelPath};

portcullis::gate! {
    /// Keeps the stated minimum Rust version equal in every place that states it.
    /// ### What it checks
    /// `README.md`, `clippy.toml` and the workflow name the `rust-version` of `Cargo.toml`.
    /// ### Why it gates
    /// A user who picks a toolchain by the README must not find out at build time.
    /// ### Remediation
    /// Write the version of `Cargo.toml` in the file that is named.
    pub static MSRV_STATED: "msrv_stated", check = check;
}

const MSRV_DIFFERS: Code = Code::new(
    "PC1921",
    "msrv_differs",
    "A file does not state the minimum Rust version of the manifest.",
);

const PLACES: &[(&str, &str)] = &[
    ("README.md", "Rust {}"),
    ("clippy.toml", "msrv = \"{}\""),
    (".github/workflows/portcullis.yml", "toolchain: [\"{}\", \"stable\"]"),
];

fn check(cx: &GateContext<'_>, out: &mut Findings) -> Result<Examined, GateError> {
    let manifest = cx.file_at("Cargo.toml")?.text()?;
    let stated = manifest
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = "))
        .map(|value| value.trim_matches('"').to_owned())
        .ok_or_else(|| {
            GateError::new(
                MSRV_DIFFERS,
                "`Cargo.toml` states no `rust-version`",
                "state it in `[workspace.package]`",
            )
            .at(Location::file("Cargo.toml"))
        })?;
    for (place, shape) in PLACES {
        let path = RelPath::parse(place)
            .map_err(|source| GateError::new(MSRV_DIFFERS, source.to_string(), "rename it"))?;
        let expected = shape.replace("{}", &stated);
        if !cx.file(&path).text()?.contains(&expected) {
            out.push(
                Finding::new(
                    MSRV_DIFFERS,
                    place,
                    format!("`{place}` does not say `{expected}`"),
                    format!("write `{expected}`"),
                )
                .at(Location::file(place)),
            );
        }
    }
    Ok(Examined::items(PLACES.len()))
}
