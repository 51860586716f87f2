//! Policies that are read, and policies that are refused with the line to correct.

use super::*;
use crate::wire::{
    code::{DUPLICATE_KEY, INPUT_TOO_LARGE, TOML_INVALID},
    outcome::{Lane, Mode, SkipReason},
};

const HEAD: &str = "[policy]\nversion = 1\nowner = \"team\"\n";

fn read(body: &str) -> Policy {
    parse("portcullis.toml", &format!("{HEAD}{body}"))
        .unwrap_or_else(|faults| panic!("{faults:?}\n{body}"))
}

#[test]
fn a_digest_covers_every_key_but_the_id() {
    let digest = |body: &str| read(&format!("[[gate]]\n{body}")).gates[0].digest();
    let plain = digest("id = 'a'\nkind = 'command'\nargv = ['true']\n");
    assert_eq!(digest("id = 'b'\nargv = ['true']\nkind = 'command'\n"), plain, "a renamed gate");
    for other in [
        "id = 'a'\nkind = 'command'\nargv = ['false']\n",
        "id = 'a'\nkind = 'command'\nargv = ['true']\ncost = 1\n",
        "id = 'a'\nkind = 'command'\n",
    ] {
        assert_ne!(digest(other), plain, "{other}");
    }
}

#[test]
fn a_whole_policy_is_read() {
    let policy = read(
        "binary = 'my-gates'\nreplay_prefix = ['ssh', 'builder']\ndefault_timeout = '90s'\n\
         [promotion]\nmode = 'shadow'\nshadow_until = 2026-12-01\n\
         [promotion.rollback]\nowner='a'\nrationale='b'\nissue='c'\ncreated=2026-05-30T00:00:00Z\n\
         expires='2026-06-02T00:00:00Z'\n\
         [artifacts]\nviews = 'docs/evidence'\n[environment]\nallow = ['RUSTFLAGS_HASH']\n\
         [[gate]]\nid = 'a'\nkind = 'command'\nargv = ['true']\n\
         [[gate]]\nid = 'b'\ntitle='B'\nowner='x'\nissue='#1'\nblocking=true\nlanes=['release','pr']\nneeds=['a']\n\
         timeout='2h'\ncost=7\nallow_skip=['platform']\nallow_empty='new'\nsignature='s'\nremediation='r'\n\
         artifact_path='a/b.json'\nreplay=['cargo','x']\nenforce_from=2026-07-01\nbinary='other'\n",
    );
    assert_eq!((policy.binary.as_str(), policy.default_timeout_ms), ("my-gates", 90_000));
    assert_eq!(policy.promotion.mode, Mode::Shadow);
    assert!(policy.promotion.rollback.is_some());
    let (a, b) = (&policy.gates[0].common, &policy.gates[1].common);
    assert_eq!(
        (a.title.as_str(), a.owner.as_str(), a.binary.as_str(), a.timeout_ms),
        ("a", "team", "my-gates", 90_000)
    );
    assert_eq!((a.blocking, a.lanes.len(), a.cost), (true, 4, 100));
    assert_eq!(
        (b.lanes.clone(), b.timeout_ms, b.cost),
        (vec![Lane::Pr, Lane::Release], 7_200_000, 7)
    );
    assert_eq!((b.allow_skip.clone(), b.binary.as_str()), (vec![SkipReason::Platform], "other"));
    assert_eq!(policy.gates[1].location.line, 24);
}

#[expect(clippy::too_many_lines, reason = "one table, one sentence per row")]
#[test]
fn refused_policies_name_line_code_and_way_out() {
    let gate = "[[gate]]\nid = 'a'\n";
    let table: Vec<(&str, String, &str, &str)> = vec![
        ("an empty file", String::new(), "config_invalid", "1:1"),
        ("no owner", "[policy]\nversion = 1\n".to_owned(), "config_invalid", "1:1"),
        (
            "another version",
            "[policy]\nversion = 2\nowner = 'x'\n".to_owned(),
            "config_invalid",
            "2:11",
        ),
        (
            "a blank owner",
            "[policy]\nversion = 1\nowner = ' '\n".to_owned(),
            "config_invalid",
            "3:9",
        ),
        ("an unknown section", format!("{HEAD}[polici]\n"), "config_unknown_key", "4:2"),
        ("an unknown key", format!("{HEAD}onwer = 'x'\n"), "config_unknown_key", "4:1"),
        ("a key twice", format!("{HEAD}owner = 'x'\n"), "duplicate_key", "4:1"),
        ("not TOML", format!("{HEAD}a b\n"), "toml_invalid", "4:3"),
        (
            "a timeout without unit",
            format!("{HEAD}{gate}timeout = '5'\n"),
            "config_invalid",
            "6:11",
        ),
        ("a timeout of nothing", format!("{HEAD}{gate}timeout = '0s'\n"), "config_invalid", "6:11"),
        ("a timeout as number", format!("{HEAD}{gate}timeout = 5\n"), "config_invalid", "6:11"),
        ("an unknown lane", format!("{HEAD}{gate}lanes = ['prod']\n"), "config_invalid", "6:10"),
        ("no lane", format!("{HEAD}{gate}lanes = []\n"), "config_invalid", "6:9"),
        ("a lane twice", format!("{HEAD}{gate}lanes = ['pr', 'pr']\n"), "config_invalid", "6:16"),
        ("needs itself", format!("{HEAD}{gate}needs = ['a']\n"), "config_invalid", "6:10"),
        (
            "an empty reason for emptiness",
            format!("{HEAD}{gate}allow_empty = ''\n"),
            "config_invalid",
            "6:15",
        ),
        (
            "fg10_ an ignored gate cannot be allowed",
            format!("{HEAD}{gate}allow_skip = ['ignored']\n"),
            "config_invalid",
            "6:15",
        ),
        (
            "a date in quotes",
            format!("{HEAD}{gate}enforce_from = '2026-07-01'\n"),
            "config_invalid",
            "6:16",
        ),
        (
            "a day that does not exist",
            format!("{HEAD}{gate}enforce_from = 2026-02-30\n"),
            "toml_invalid",
            "6:",
        ),
        (
            "a year beyond the range",
            format!("{HEAD}{gate}enforce_from = 1999-01-01\n"),
            "config_invalid",
            "6:16",
        ),
        (
            "a path that leaves the tree",
            format!("{HEAD}{gate}artifact_path = '../x'\n"),
            "config_invalid",
            "6:17",
        ),
        (
            "never blocks, but begins to",
            format!("{HEAD}{gate}blocking = false\nenforce_from = 2026-07-01\n"),
            "config_invalid",
            "7:16",
        ),
        ("an upper-case id", format!("{HEAD}[[gate]]\nid = 'A'\n"), "config_invalid", "5:6"),
        ("no id", format!("{HEAD}[[gate]]\nkind = 'x'\n"), "config_invalid", "4:1"),
        ("one bracket", format!("{HEAD}[gate]\nid = 'a'\n"), "config_invalid", "4:2"),
        ("fg24_ one id twice", format!("{HEAD}{gate}{gate}"), "duplicate_gate_id", "6:1"),
        ("a replay of nothing", format!("{HEAD}{gate}replay = []\n"), "config_invalid", "6:10"),
        (
            "shadow for ever",
            format!("{HEAD}[promotion]\nmode = 'shadow'\n"),
            "config_invalid",
            "5:8",
        ),
        (
            "an end without shadow",
            format!("{HEAD}[promotion]\nshadow_until = 2026-12-01\n"),
            "config_invalid",
            "5:16",
        ),
        (
            "rollback as a mode",
            format!("{HEAD}[promotion]\nmode = 'rollback'\n"),
            "config_invalid",
            "5:8",
        ),
        (
            "an environment name that may hold a secret",
            format!("{HEAD}[environment]\nallow = ['GH_TOKEN']\n"),
            "env_refused",
            "5:10",
        ),
    ];
    for (case, text, code, place) in table {
        let faults = parse("portcullis.toml", &text).err().unwrap_or_default();
        let first = faults.first().unwrap_or_else(|| panic!("{case}: accepted"));
        let location = first.location().map(ToString::to_string).unwrap_or_default();
        assert_eq!(first.code().name(), code, "{case}: {first}");
        assert!(location.starts_with(&format!("portcullis.toml:{place}")), "{case}: {location}");
        assert!(!first.remedy().is_empty(), "{case}");
    }
}

#[test]
fn every_fault_is_reported_at_once() {
    let text =
        format!("{HEAD}x = 1\n[[gate]]\nid = 'a'\ntimeout = 3\nlanes = 3\n[[gate]]\nid = 'B'\n");
    let faults = parse("portcullis.toml", &text).err().unwrap_or_default();
    assert_eq!(faults.len(), 4, "{faults:?}");
}

#[test]
fn a_rollback_record_of_more_than_three_days_is_refused() {
    let text = |expires: &str| {
        format!(
            "{HEAD}[promotion.rollback]\nowner='a'\nrationale='b'\nissue='c'\ncreated=2026-05-30T00:00:00Z\nexpires={expires}\n"
        )
    };
    for (expires, accepted) in [
        ("2026-06-02T00:00:00Z", true),
        ("2026-06-02T00:00:01Z", false),
        ("2026-05-30T00:00:00Z", false),
        ("2026-06-01T00:00:00+02:00", false),
        ("2026-06-01", false),
    ] {
        assert_eq!(parse("p", &text(expires)).is_ok(), accepted, "{expires}");
    }
}

#[test]
fn circles_are_found_and_chains_are_not() {
    let gates = |needs: &[(&str, &str)]| -> String {
        needs
            .iter()
            .map(|(id, needs)| format!("[[gate]]\nid = '{id}'\nneeds = [{needs}]\n"))
            .collect()
    };
    let chain = gates(&[("a", ""), ("b", "'a'"), ("c", "'a', 'b'"), ("d", "'rust_gate'")]);
    assert_eq!(read(&chain).gates.len(), 4);
    let circle = gates(&[("a", "'c'"), ("b", "'a'"), ("c", "'b'"), ("hangs_on_it", "'a'")]);
    let faults = parse("p", &format!("{HEAD}{circle}")).err().unwrap_or_default();
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].headline().contains("a -> c -> b -> a"), "{}", faults[0].headline());
}

#[test]
fn unknown_needs_are_named_with_the_nearest_gate() {
    let policy = read("[[gate]]\nid = 'build'\n[[gate]]\nid = 'b'\nneeds = ['biuld']\n");
    let faults = unknown_needs(&policy.gates.iter().collect::<Vec<_>>());
    assert_eq!(faults.len(), 1);
    assert!(faults[0].remedy().contains("`build`"), "{}", faults[0]);
}

#[derive(serde::Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct Config {
    argv: Vec<String>,
    #[serde(default)]
    limit: Option<toml::Spanned<u32>>,
    #[serde(default)]
    ratio: Option<f64>,
}

#[test]
fn a_kind_reads_its_own_keys_with_their_places() {
    let policy =
        read("[[gate]]\nid = 'a'\nkind = 'k'\nargv = ['x', 'y']\nlimit = 0x10\nratio = 1.5\n");
    let gate = &policy.gates[0];
    let config: Config = gate.config().expect("a configuration");
    let limit = config.limit.expect("a limit");
    assert_eq!((config.argv.len(), *limit.get_ref(), config.ratio), (2, 16, Some(1.5)));
    assert_eq!(gate.locate(limit.span().start).to_string(), "portcullis.toml:8:9");
}

#[test]
fn a_kind_refuses_what_it_does_not_know() {
    let table: &[(&str, &str, &str, &str)] = &[
        ("a misspelt key", "argv = ['x']\nlimt = 1\n", "config_unknown_key", "portcullis.toml:2:1"),
        (
            "a misspelt common key",
            "argv = ['x']\nblokcing = true\n",
            "config_unknown_key",
            "portcullis.toml:2:1",
        ),
        ("a wrong type", "argv = 'x'\n", "config_invalid", "portcullis.toml:1:8"),
        (
            "too small a number",
            "argv = ['x']\nlimit = -1\n",
            "config_invalid",
            "portcullis.toml:2:9",
        ),
        ("a missing key", "limit = 1\n", "config_invalid", "portcullis.toml:1:1"),
    ];
    for (case, text, code, place) in table {
        let gate = GateTable::from_toml("g", text).expect(case);
        let fault = gate.config::<Config>().expect_err(case);
        assert_eq!(fault.code().name(), *code, "{case}: {fault}");
        assert_eq!(
            fault.location().map(ToString::to_string).as_deref(),
            Some(*place),
            "{case}: {fault}"
        );
    }
    let gate = GateTable::from_toml("g", "argv = ['x']\nblokcing = true\n").expect("a table");
    assert!(gate.config::<Config>().expect_err("refused").remedy().contains("`blocking`"));
}

#[test]
fn a_body_alone_makes_a_table() {
    let gate = GateTable::from_toml("bench_gate", "").expect("a table");
    assert_eq!((gate.common.id.as_str(), gate.kind_name()), ("bench_gate", "rust"));
    assert_eq!(GateTable::from_toml("g", "lanes = 1").expect_err("refused").code(), CONFIG_INVALID);
    assert_eq!(
        GateTable::from_toml("g", "a = 1\na = 2").expect_err("refused").code(),
        DUPLICATE_KEY
    );
    assert_eq!(GateTable::from_toml("G", "").expect_err("refused").code(), CONFIG_INVALID);
}

#[test]
fn the_digest_follows_the_meaning() {
    let digest = |body: &str| read(body).gates[0].digest();
    let first = digest("[[gate]]\nid = 'a'\nkind = 'k'\nx = { p = 1, q = [2] }\n");
    assert_eq!(
        digest("# why\n[[gate]]\nx.q = [ 2 ]\nx.p = 1\n\nkind = \"k\"\nid = 'a' # here\n"),
        first
    );
    for other in [
        "[[gate]]\nid = 'a'\nkind = 'k'\nx = { p = 1, q = [3] }\n",
        "[[gate]]\nid = 'a'\nkind = 'k'\n",
    ] {
        assert_ne!(digest(other), first, "{other}");
    }
}

#[test]
fn too_large_a_policy_is_refused() {
    let text = format!("{HEAD}# {}\n", "x".repeat(1024 * 1024));
    let faults = parse("p", &text).err().unwrap_or_default();
    assert_eq!(faults[0].code(), INPUT_TOO_LARGE);
    assert_ne!(faults[0].code(), TOML_INVALID);
}

const SIGNATURE: &str = "[[signature]]\nid = 's'\ntitle = 'a title'\nartifacts = ['views/summary.json']\n\
     replay = ['VCR_MODE=playback', 'cargo', 'test']\nremediation = ['mend it']\nmatch = { gates = ['a'] }\n";

#[test]
fn a_signature_is_read_with_its_defaults() {
    let policy = read(&format!(
        "{SIGNATURE}[[signature]]\nid = 't'\ntitle = 'T'\nrow = 7\nowner = 'x'\nseverity = 'SEV-3'\n\
         artifacts = ['a/b.json']\nreplay = ['make']\nremediation = ['one', 'two']\n\
         [signature.match]\ncodes = ['c_d']\ntargets = ['api']\nclasses = ['panic']\nlog = ['^x$']\n"
    ));
    let [first, second] = policy.signatures.as_slice() else { panic!("two signatures") };
    assert_eq!((first.id.as_str(), first.owner.as_str(), first.row), ("s", "team", None));
    assert_eq!(first.replay.render(), "VCR_MODE=playback cargo test");
    assert_eq!(first.location.line, 4);
    assert_eq!(second.severity.map(signature::SeverityHint::name), Some("SEV-3"));
    assert_eq!((second.matches.log[0].text.as_str(), second.matches.log[0].at.line), ("^x$", 24));
    assert_eq!((second.row, second.remediation.len()), (Some(7), 2));
}

#[test]
fn a_signature_that_helps_nobody_is_refused_with_its_line() {
    let edit = |from: &str, to: &str| format!("{HEAD}{}", SIGNATURE.replace(from, to));
    let table = [
        ("no list", format!("{HEAD}[signature]\nid = 's'\n"), "config_invalid", "4:1"),
        ("no id", edit("id = 's'\n", ""), "config_invalid", "4:1"),
        ("no match", edit("match = { gates = ['a'] }\n", ""), "config_invalid", "4:1"),
        ("a match of nothing", edit("gates = ['a']", "gates = []"), "config_invalid", "10:9"),
        (
            "a way to match that is unknown",
            edit("gates =", "gate ="),
            "config_unknown_key",
            "10:11",
        ),
        ("an unknown key", edit("title", "titel"), "config_unknown_key", "6:1"),
        ("no artifact", edit("['views/summary.json']", "[]"), "config_invalid", "7:13"),
        ("a path out of the tree", edit("views/", "../"), "config_invalid", "7:14"),
        ("no remedy", edit("['mend it']", "[]"), "config_invalid", "9:15"),
        ("no replay", edit("replay", "rerun"), "config_unknown_key", "8:1"),
        ("a replay without program", edit(", 'cargo', 'test'", ""), "config_invalid", "8:10"),
        ("a replay with a loader", edit("VCR_MODE", "LD_PRELOAD"), "replay_env_refused", "8:10"),
        (
            "a severity of its own",
            edit("title = ", "severity = 'bad'\ntitle = "),
            "config_invalid",
            "6:12",
        ),
        ("one id twice", format!("{HEAD}{SIGNATURE}{SIGNATURE}"), "config_invalid", "11:1"),
    ];
    for (case, text, code, place) in table {
        let faults = parse("portcullis.toml", &text).expect_err(case);
        let found: Vec<(&str, String)> = faults
            .iter()
            .map(|fault| {
                let at = fault.location().map(ToString::to_string).unwrap_or_default();
                (fault.code().name(), at.trim_start_matches("portcullis.toml:").to_owned())
            })
            .collect();
        assert!(found.contains(&(code, place.to_owned())), "{case}: {found:?}");
    }
}
