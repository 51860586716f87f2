//! A fence around cargo's own configuration. It cannot see `CARGO_HOME`, nor what the environment overrides.

use crate::toml_file::{TomlFile, in_file_order};
use portcullis::{
    Code, Examined, Fault, Finding, Findings, GateContext, GateError, GateTable, RelPath, Tooth,
    wire::code::{CONFIG_INVALID, PATH_REFUSED},
};
use std::collections::BTreeSet;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

portcullis::gate_kind! {
    /// Keeps cargo configuration from redirecting what the gates run.
    /// ### What it checks
    /// `.cargo/config.toml` and `.cargo/config` at the repository root, in the folders named by `folders`, and in
    /// every folder between. No alias has the name of a subcommand that CI calls; `[env]` sets no variable that
    /// carries a mode, an identity or a search path; no target has a runner; nothing wraps or replaces rustc; and no
    /// other file is included, since nobody would look into it.
    /// ### Why it gates
    /// An alias beats an installed subcommand with only a warning. `[env]` with `force` replaces the caller's variable
    /// inside the tests. A runner set to `true` makes `cargo test` green without running a test.
    /// ### Example
    /// Refused: `[alias] portcullis = ["version"]`, `[env] CI = "1"`, `[target.'cfg(all())'] runner = "true"`.
    /// Accepted: `[alias] gate = ["run", "-p", "cargo-portcullis", "--"]`.
    /// ### Configuration
    /// - `folders`: folders that cargo is started in, beside the root; default none.
    /// - `aliases`: names that must stay free, default `["nextest", "portcullis"]`.
    /// - `env`: names that `[env]` must not set; one may end with `*`. Default `CI`, `CI_GATE_PROMOTION_MODE`,
    ///   `VCR_MODE`, `PATH`, `TZ`, `HOME`, `PORTCULLIS_*`, `NEXTEST*`, `GITHUB_*`, `CARGO_HOME`, `CARGO_BUILD_*`,
    ///   `CARGO_TARGET_*`, `RUSTC*`, `RUSTFLAGS`, `RUST_TEST_*`, `GIT_*`, `LD_*`, `DYLD_*`.
    /// ### Remediation
    /// - `cargo_alias_shadow`: rename the alias; this repository calls its own `gate`.
    /// - `cargo_env_override`: set the variable where it is needed, in the test or in the lane.
    /// - `cargo_runner_override`: remove the runner; start emulators in a lane of their own.
    /// - `cargo_wrapper_override`: remove the key; wrap rustc in the environment of the machine that needs it.
    /// - `cargo_config_include`: move what it includes into this file.
    pub static CARGO_CONFIG: "cargo_config", since = "0.1.0", config = Config, validate = validate, check = check,
        codes = &[
            CARGO_ALIAS_SHADOW, CARGO_ENV_OVERRIDE, CARGO_RUNNER_OVERRIDE, CARGO_WRAPPER_OVERRIDE, CARGO_CONFIG_INCLUDE,
        ],
        teeth = TEETH;
}

const CARGO_ALIAS_SHADOW: Code = Code::new(
    "PC1050",
    "cargo_alias_shadow",
    "A cargo alias has the name of a subcommand that CI calls.",
);
const CARGO_ENV_OVERRIDE: Code = Code::new(
    "PC1051",
    "cargo_env_override",
    "Cargo configuration sets a variable that carries a mode or an identity.",
);
const CARGO_RUNNER_OVERRIDE: Code = Code::new(
    "PC1052",
    "cargo_runner_override",
    "Cargo configuration puts a program between cargo and the tests.",
);
const CARGO_WRAPPER_OVERRIDE: Code = Code::new(
    "PC1053",
    "cargo_wrapper_override",
    "Cargo configuration wraps or replaces rustc or rustdoc.",
);
const CARGO_CONFIG_INCLUDE: Code = Code::new(
    "PC1054",
    "cargo_config_include",
    "Cargo configuration includes a file that this fence does not read.",
);

/// Keys of `[build]` that put another program in the place of the compiler.
const WRAPPERS: &[&str] = &["rustc", "rustc-wrapper", "rustc-workspace-wrapper", "rustdoc"];

/// One `[[gate]]` table of this kind. Its defaults are names of ours and of cargo's, not of the repository.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default)]
    folders: Vec<Spanned<String>>,
    #[serde(default = "aliases")]
    aliases: Vec<String>,
    #[serde(default = "variables")]
    env: Vec<String>,
}

fn aliases() -> Vec<String> {
    ["nextest", "portcullis"].map(str::to_owned).to_vec()
}

fn variables() -> Vec<String> {
    [
        "CI",
        "CI_GATE_PROMOTION_MODE",
        "VCR_MODE",
        "PATH",
        "TZ",
        "HOME",
        "PORTCULLIS_*",
        "NEXTEST*",
        "GITHUB_*",
        "CARGO_HOME",
        "CARGO_BUILD_*",
        "CARGO_TARGET_*",
        "RUSTC*",
        "RUSTFLAGS",
        "RUST_TEST_*",
        "GIT_*",
        "LD_*",
        "DYLD_*",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// Refuses folders outside the tree, and a fence with nothing in it.
fn validate(config: &Config, table: &GateTable) -> Vec<Fault> {
    let mut faults = Vec::new();
    for folder in &config.folders {
        if let Err(source) = RelPath::parse(folder.get_ref()) {
            faults.push(
                Fault::new(PATH_REFUSED, source.to_string(), "name a folder of the repository")
                    .at(table.locate(folder.span().start)),
            );
        }
    }
    if config.aliases.is_empty() || config.env.is_empty() {
        faults.push(
            Fault::new(
                CONFIG_INVALID,
                "`aliases` or `env` is empty",
                "leave the key out to keep its default",
            )
            .at(table.location.clone()),
        );
    }
    faults
}

/// Looks into every configuration file cargo would read, and returns how many places were looked at.
fn check(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Examined, GateError> {
    let places = places(config);
    for place in &places {
        let source = cx.file_at(place)?;
        // An absent file was looked for, and its absence is in the evidence.
        if source.exists()? {
            let file = TomlFile::new(source.path(), source.text()?)?;
            fence(config, &file, out)?;
        }
    }
    Ok(Examined::items(places.len()))
}

/// The files of the root, of each folder, and of each folder above one.
fn places(config: &Config) -> BTreeSet<String> {
    let mut folders = BTreeSet::from([String::new()]);
    for folder in &config.folders {
        let mut below = folder.get_ref().as_str();
        while !below.is_empty() {
            folders.insert(format!("{below}/"));
            below = below.rsplit_once('/').map_or("", |(above, _name)| above);
        }
    }
    let names = ["config", "config.toml"];
    folders.iter().flat_map(|folder| names.map(|name| format!("{folder}.cargo/{name}"))).collect()
}

fn fence(config: &Config, file: &TomlFile, out: &mut Findings) -> Result<(), Fault> {
    let root = file.parse()?;
    for (key, _value) in in_file_order_of(file, &root, "alias")? {
        if config.aliases.contains(&key.0) {
            let message = format!("the alias `{}` hides the subcommand of that name", key.0);
            out.push(finding(CARGO_ALIAS_SHADOW, file, &key, message, "rename the alias"));
        }
    }
    for (key, _value) in in_file_order_of(file, &root, "env")? {
        // Windows ignores case in names of variables, so one spelling stands for all.
        if config.env.iter().any(|name| covers(name, &key.0.to_ascii_uppercase())) {
            let message = format!("`[env]` sets `{}` for every program that cargo starts", key.0);
            out.push(finding(
                CARGO_ENV_OVERRIDE,
                file,
                &key,
                message,
                "set it where it is needed instead",
            ));
        }
    }
    for (key, _value) in in_file_order_of(file, &root, "build")? {
        if WRAPPERS.contains(&key.0.as_str()) {
            let message =
                format!("`build.{}` puts another program in the place of the compiler", key.0);
            out.push(finding(CARGO_WRAPPER_OVERRIDE, file, &key, message, "remove the key"));
        }
    }
    for (target, value) in in_file_order_of(file, &root, "target")? {
        let Some(table) = value.get_ref().as_table() else { continue };
        for (key, _value) in in_file_order(table) {
            if key.get_ref() == "runner" {
                let key = (format!("target.{}.runner", target.0), key.span().start);
                let message = format!("tests of `{}` are handed to another program", target.0);
                out.push(finding(CARGO_RUNNER_OVERRIDE, file, &key, message, "remove the runner"));
            }
        }
    }
    if let Some((key, _value)) = root.get_key_value("include") {
        let key = ("include".to_owned(), key.span().start);
        let message = "configuration is included from elsewhere".to_owned();
        out.push(finding(
            CARGO_CONFIG_INCLUDE,
            file,
            &key,
            message,
            "move what it includes into this file",
        ));
    }
    Ok(())
}

/// A key with its offset.
type Key = (String, usize);

/// The entries of a top-level table, in order; none when it is absent.
fn in_file_order_of<'t, 'i>(
    file: &TomlFile,
    root: &'t DeTable<'i>,
    name: &str,
) -> Result<Vec<(Key, &'t Spanned<DeValue<'i>>)>, Fault> {
    let Some(table) = file.table(root, name)? else { return Ok(Vec::new()) };
    Ok(in_file_order(table)
        .into_iter()
        .map(|(key, value)| ((key.get_ref().to_string(), key.span().start), value))
        .collect())
}

fn covers(name: &str, variable: &str) -> bool {
    name.strip_suffix('*').map_or(name == variable, |head| variable.starts_with(head))
}

fn finding(code: Code, file: &TomlFile, key: &Key, message: String, remedy: &str) -> Finding {
    Finding::new(code, &key.0, message, remedy).at(file.locate(key.1))
}

const FILE: &str = ".cargo/config.toml";

static TEETH: &[Tooth] = &[
    Tooth::known_good("no_configuration_at_all", "", &[]),
    Tooth::known_good(
        "harmless_configuration",
        "",
        &[(
            FILE,
            "[alias]\ngate = [\"run\"]\n[env]\nMY_APP = \"1\"\n[build]\njobs = 2\n[target.x]\nlinker = \"lld\"\n",
        )],
    ),
    Tooth::known_bad(
        "fg21_an_alias_named_portcullis",
        CARGO_ALIAS_SHADOW,
        "",
        &[(FILE, "[alias]\nportcullis = [\"version\"]\n")],
    ),
    Tooth::known_bad(
        "fg22_a_forced_mode",
        CARGO_ENV_OVERRIDE,
        "",
        &[(FILE, "[env]\nCI_GATE_PROMOTION_MODE = { value = \"rollback\", force = true }\n")],
    ),
    Tooth::known_bad(
        "fg19_a_runner_that_runs_nothing",
        CARGO_RUNNER_OVERRIDE,
        "",
        &[(FILE, "[target.'cfg(all())']\nrunner = \"true\"\n")],
    ),
    Tooth::known_bad(
        "a_compiler_wrapper",
        CARGO_WRAPPER_OVERRIDE,
        "",
        &[(FILE, "[build]\nrustc-wrapper = \"x\"\n")],
    ),
    Tooth::known_bad(
        "an_included_file",
        CARGO_CONFIG_INCLUDE,
        "",
        &[(FILE, "include = [\"other.toml\"]\n")],
    ),
];

#[cfg(test)]
mod tests;
