//! `census`: the committed roster against the gates that exist. Blessing is for people, never for CI.

use crate::{
    args::Census as Arguments,
    engine::{cargo_test::Cargo, listing},
    exit::{Exit, Refused},
    repository::Repository,
    transport::Transport,
};
use anyhow::Context as _;
use portcullis::{
    Fault, Location,
    kernel::census::{Census, CensusRow},
    report::human::count,
    runner::session::CENSUS_FILE,
    wire::{
        code::{BLESS_REFUSED, POLICY_LOOSENED},
        receipt::ErrorRecord,
    },
};
use serde_json::json;
use std::{io::Write as _, path::Path};

const SCHEMA: &str = "portcullis.census_check.v1";

/// Runs `census`.
pub(crate) fn run(arguments: &Arguments, out: &mut Transport) -> Result<Exit, Refused> {
    let repository = Repository::discover()?;
    if arguments.bless {
        // Before anything is built: CI compares, it never accepts.
        refuse_in_ci(&repository)?;
    }
    let policy = repository.policy()?;
    let committed = repository.census()?;
    let cargo = Cargo::find(&repository, arguments.cargo)?;
    let actual = listing::ask(&policy, committed.as_ref().ok(), &cargo, out)?.census()?;
    let differences = match &committed {
        Ok(committed) => committed.compare(&actual),
        Err(fault) => vec![fault.clone()],
    };
    if arguments.bless {
        let before = committed.ok();
        return bless(&repository, before.as_ref(), &actual, &differences, out);
    }
    let exit = if differences.is_empty() { Exit::Pass } else { Exit::Blocked };
    let records: Vec<ErrorRecord> = differences.iter().map(ErrorRecord::from).collect();
    out.document(&json!({
        "schema": SCHEMA,
        "exit": exit.code(),
        "gates": actual.rows,
        "differences": records,
    }));
    if differences.is_empty() {
        out.text(&format!("census: {}, as committed in `{CENSUS_FILE}`", gates(&actual)));
    } else {
        let found = count(differences.len(), "difference");
        out.text(&format!("{}\n\ncensus: {found}, see above", join(&differences)));
    }
    Ok(exit)
}

fn gates(census: &Census) -> String {
    count(census.rows.len(), "gate")
}

fn join(faults: &[Fault]) -> String {
    faults.iter().map(Fault::to_string).collect::<Vec<_>>().join("\n\n")
}

fn refuse_in_ci(repository: &Repository) -> Result<(), Refused> {
    // Stricter than elsewhere: any word but `false` counts, since a wrongly refused blessing costs nothing.
    match repository
        .environment
        .non_empty("CI")
        .filter(|value| !value.eq_ignore_ascii_case("false"))
    {
        None => Ok(()),
        Some(value) => {
            let remedy = "bless on your own machine, and commit the file for review";
            let fault = Fault::new(BLESS_REFUSED, "the census is never blessed in CI", remedy);
            Err(Refused::new(Exit::Nothing, fault.found(format!("CI={value}"))))
        }
    }
}

fn bless(
    repository: &Repository,
    before: Option<&Census>,
    actual: &Census,
    differences: &[Fault],
    out: &mut Transport,
) -> Result<Exit, Refused> {
    let loosened = before.map(|before| loosened(before, actual)).unwrap_or_default();
    if differences.is_empty() {
        out.text(&format!("census: {}, as committed; nothing to bless", gates(actual)));
    } else {
        replace(&repository.root().join(CENSUS_FILE), &actual.render())?;
        out.text(&format!("{}\n", join(differences)));
        for fault in &loosened {
            out.text(&format!("{}\n", fault.to_string().replacen("error[", "warning[", 1)));
        }
        out.text(&format!("census: {} written to `{CENSUS_FILE}`; commit it", gates(actual)));
    }
    let records = |faults: &[Fault]| faults.iter().map(ErrorRecord::from).collect::<Vec<_>>();
    out.document(&json!({
        "schema": "portcullis.census_bless.v1",
        "exit": Exit::Pass.code(),
        "gates": actual.rows,
        "differences": records(differences),
        "loosened": records(&loosened),
    }));
    Ok(Exit::Pass)
}

/// Writes the file whole or not at all; a link of that name is replaced, not followed.
fn replace(path: &Path, text: &str) -> Result<(), Refused> {
    let folder = path.parent().context("the census has no folder")?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".portcullis-tmp-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    let mut file = builder
        .tempfile_in(folder)
        .with_context(|| format!("{} cannot be written", folder.display()))?;
    file.write_all(text.as_bytes()).context("the census cannot be written")?;
    file.as_file().sync_all().context("the census cannot be written")?;
    file.persist(path).with_context(|| format!("{} cannot be replaced", path.display()))?;
    Ok(())
}

/// What the new census allows that the old one did not. A reviewer must see it.
fn loosened(before: &Census, after: &Census) -> Vec<Fault> {
    before.rows.iter().flat_map(|row| loosened_row(row, after.row(&row.id))).collect()
}

fn loosened_row(before: &CensusRow, after: Option<&CensusRow>) -> Vec<Fault> {
    let said = |headline: String, expected: String, found: String| {
        let remedy = "have it reviewed: it blocks a pull request until it is approved on the base";
        Fault::new(POLICY_LOOSENED, headline, remedy)
            .at(Location::file(CENSUS_FILE))
            .expected(expected)
            .found(found)
    };
    let id = &before.id;
    let Some(after) = after else {
        return vec![said(
            format!("gate `{id}` is removed"),
            "the gate".to_owned(),
            "no gate".to_owned(),
        )];
    };
    let mut faults = Vec::new();
    if before.blocking && !after.blocking {
        faults.push(said(
            format!("gate `{id}` no longer blocks"),
            "blocking".to_owned(),
            "advisory".to_owned(),
        ));
    }
    let names = |lanes: &[portcullis::Lane]| {
        lanes.iter().map(|lane| lane.name()).collect::<Vec<_>>().join(",")
    };
    if before.lanes.iter().any(|lane| !after.lanes.contains(lane)) {
        faults.push(said(
            format!("gate `{id}` leaves a lane"),
            names(&before.lanes),
            names(&after.lanes),
        ));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis::{Digest, GateId, Lane};

    fn row() -> CensusRow {
        CensusRow {
            id: GateId::parse("a").expect("an id"),
            kind: "command".to_owned(),
            binary: "gates".to_owned(),
            lanes: vec![Lane::Pr, Lane::Main],
            blocking: true,
            owner: "team".to_owned(),
            digest: Digest::of(b"a"),
        }
    }

    #[test]
    fn what_a_blessing_loosens_is_pointed_out() {
        let changed = |change: fn(&mut CensusRow)| {
            let mut row = row();
            change(&mut row);
            Some(row)
        };
        let table: [(&str, Option<CensusRow>, usize); 6] = [
            ("nothing changed", Some(row()), 0),
            ("the gate is gone", None, 1),
            ("it only advises now", changed(|row| row.blocking = false), 1),
            ("it left a lane", changed(|row| row.lanes = vec![Lane::Main]), 1),
            ("it gained a lane", changed(|row| row.lanes.push(Lane::Release)), 0),
            ("another owner is no loosening", changed(|row| row.owner = "others".to_owned()), 0),
        ];
        for (case, after, expected) in table {
            assert_eq!(loosened_row(&row(), after.as_ref()).len(), expected, "{case}");
        }
    }
}
