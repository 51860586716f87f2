//! Lint levels that nobody lowers: not in the workspace, not in a member, not in a source, not on a command line.
//! It does not run the lints over the workspace itself; that is the lint lane's work.

mod commands;
mod config;
mod flags;
mod groups;
mod manifests;
mod plants;
mod sources;
mod teeth;

use crate::{
    admission::Admissions,
    lane::{ADMISSION_EXPIRED, ADMISSION_UNUSED, SCRIPT_UNPARSED, SELECTOR_MATCHES_NOTHING},
    workspace::{self, Workspace},
};
use config::Config;
use groups::Groups;
use portcullis::{
    Code, Examined, Fault, Findings, GateContext, GateError, RelPath,
    wire::code::{COMMAND_FAILED, INPUT_UNREADABLE},
};
use teeth::TEETH;

portcullis::gate_kind! {
    /// Keeps the lints of a floor at their level, everywhere and for everybody.
    ///
    /// ### What it checks
    /// The workspace's lint table has every lint of the floor at its level or above, and no group that contains one
    /// outranks it with a lower level. Every member inherits the table. No source that a target of a member is built
    /// from allows, warns of or expects such a lint, in `cfg_attr` and macro bodies neither. No flag that lowers one,
    /// and no `--cap-lints`, reaches the compiler: through `RUSTFLAGS` and its kin in workflows, recipes and cargo's
    /// configuration, through `--config`, or behind `--`. Each plant is compiled twice under the workspace's own
    /// levels: it must fail by its lint and by nothing else, and pass once that lint alone is taken away.
    ///
    /// ### Why it gates
    /// One `#[expect(..)]` defeats `deny`, one `--cap-lints` defeats `forbid`, and a member without `[lints]` has no
    /// levels at all. Each looks harmless in review.
    ///
    /// ### Example
    /// Refused under `floor = { unused_must_use = "deny" }`: `#[expect(unused_must_use)]`. Accepted: the same words in
    /// a comment, and `RUSTFLAGS: -D warnings`.
    ///
    /// ### Configuration
    /// - `floor`: lints with the level they have at least, `warn`, `deny` or `forbid`; clippy's as `clippy::name`.
    /// - `exempt_members`: list of `{ name, reason, expires }`: members without the floor.
    /// - `sites`: list of `{ path, lint, reason, expires }`: files that may lower one lint.
    /// - `plants`: list of `{ lint, source }`: a lint of the floor, and a source that it alone refuses.
    /// - `env_files`: files besides the workflows that say how cargo is called, default `.cargo/config.toml`,
    ///   `justfile` and `Makefile` as far as they exist; files that are named here must exist.
    ///
    /// ### Remediation
    /// - `floor_missing`: add the lint to `[workspace.lints]`.
    /// - `floor_lowered`: raise its level to that of the floor.
    /// - `group_overrides_floor`: give the group a lower `priority`, such as -1.
    /// - `member_not_inheriting`: add `[lints]` with `workspace = true` to the member.
    /// - `lint_suppressed`: remove the attribute, or name its file and lint under `sites` with a reason and a day.
    /// - `cap_lints`: remove `--cap-lints`.
    /// - `command_line_lower`: remove the flag.
    /// - `plant_not_red`: see whether the level still holds; a plant that another error refuses proves nothing.
    /// - `plant_not_green`: remove what else is wrong with the plant.
    /// - `script_unparsed`: write the script so that it can be read.
    /// - `selector_matches_nothing`: correct the name of the member or file.
    /// - `admission_unused`: remove the admission.
    /// - `admission_expired`: end what it admits, or renew it in a change of its own.
    pub static LINT_FLOOR: "lint_floor", since = "0.1.0", config = Config, validate = config::validate,
        check = check, codes = CODES, teeth = TEETH;
}

const FLOOR_MISSING: Code =
    Code::new("PC1550", "floor_missing", "A lint of the floor has no level in the workspace.");
const FLOOR_LOWERED: Code =
    Code::new("PC1551", "floor_lowered", "A lint of the floor has a lower level in the workspace.");
const GROUP_OVERRIDES_FLOOR: Code = Code::new(
    "PC1552",
    "group_overrides_floor",
    "A group of lints outranks a lint of the floor with a lower level.",
);
const MEMBER_NOT_INHERITING: Code = Code::new(
    "PC1553",
    "member_not_inheriting",
    "A member does not inherit the lints of the workspace.",
);
const LINT_SUPPRESSED: Code =
    Code::new("PC1554", "lint_suppressed", "A source lowers a lint of the floor.");
const CAP_LINTS: Code = Code::new("PC1555", "cap_lints", "A flag caps the levels of all lints.");
const COMMAND_LINE_LOWER: Code =
    Code::new("PC1556", "command_line_lower", "A flag lowers a lint of the floor.");
const PLANT_NOT_RED: Code = Code::new(
    "PC1557",
    "plant_not_red",
    "A planted fault is not refused by its lint, or not by its lint alone.",
);
const PLANT_NOT_GREEN: Code = Code::new(
    "PC1558",
    "plant_not_green",
    "A planted fault is refused although its lint was taken away.",
);

const CODES: &[Code] = &[
    FLOOR_MISSING,
    FLOOR_LOWERED,
    GROUP_OVERRIDES_FLOOR,
    MEMBER_NOT_INHERITING,
    LINT_SUPPRESSED,
    CAP_LINTS,
    COMMAND_LINE_LOWER,
    PLANT_NOT_RED,
    PLANT_NOT_GREEN,
    SCRIPT_UNPARSED,
    SELECTOR_MATCHES_NOTHING,
    ADMISSION_UNUSED,
    ADMISSION_EXPIRED,
];

/// Judges levels, members, sources, command lines and plants; returns how many of them were looked at.
fn check(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Examined, GateError> {
    if cx.tool("cargo")?.is_none() {
        return Ok(Workspace::skipped());
    }
    let root = cx.watch(RelPath::parse("Cargo.toml").map_err(|source| {
        Fault::new(INPUT_UNREADABLE, source.to_string(), "report this as a bug")
    }))?;
    let metadata = cx.watch(workspace::metadata(cx, &root, &["--no-deps"], COMMAND_FAILED))?;
    let groups = Groups::new(cx, config);
    let mut exempt = Admissions::new(cx, config.exemptions());
    let mut sites = Admissions::new(cx, config.site_admissions());
    let levels = manifests::levels(cx, config, &root, &groups, out)?;
    let members = manifests::members(cx, config, &metadata, &mut exempt, out)?;
    let attributes = sources::judge(cx, config, (&metadata, &members), &groups, &mut sites, out)?;
    let lines = commands::judge(cx, config, &groups, out)?;
    let plants = plants::judge(cx, config, &levels, out)?;
    exempt.report(out);
    sites.report(out);
    cx.note(format!(
        "{} lints in {} members, {attributes} attributes, {lines} command lines and settings, {plants} compilations",
        config.floor.len(),
        members.len()
    ));
    Ok(Examined::items(config.floor.len() * members.len() + attributes + plants))
}

#[cfg(test)]
mod tests;
