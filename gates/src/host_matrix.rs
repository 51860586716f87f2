//! What the hosts can do on which the product must work: this one is tried out, the others have left a report.
//! It installs nothing, and it starts nothing on another machine.

mod config;
mod report;

use config::{Config, Tool};
use portcullis::{
    Code, Examined, Finding, Findings, GateContext, GateError, Location, Tooth,
    evidence::host::Probe,
};
use report::{Check, Row, Status};
use std::{collections::BTreeMap, time::Duration};

portcullis::gate_kind! {
    /// Tries this host out, and asks for a fresh report of every other platform that must work.
    ///
    /// ### What it checks
    /// Probes this host and writes `cross_platform_reports/<platform>/platform_report.json`: `temp_dir`,
    /// `path_separators`, `case_sensitivity`, `symlinks`, `permissions`, `locale`, `cpu_count`, `line_endings`, and
    /// `tool_<name>` for each of `tools`, which must answer as the real one does. Every platform of `required` is this
    /// host or has a report that is as fresh as stated. In each of them every check that blocks on that platform is
    /// there and passed, whatever the report itself says about blocking. Of several reports the newest counts.
    ///
    /// ### Why it gates
    /// A platform that nobody ran on works as long as nobody asks.
    ///
    /// ### Example
    /// Refused under `required = ["linux", "windows"]`: no report of Windows, one of last year, one in which
    /// `temp_dir` failed. Accepted: a report of Windows of yesterday, read on Linux.
    ///
    /// ### Configuration
    /// - `required`: platforms, at least one: `linux`, `macos`, `windows` and others as Rust names them, or `host`
    ///   for whatever this machine is.
    /// - `must_pass`: which checks block, by platform; `default`, required in it, for platforms without a list of their
    ///   own. A check that does not block is only reported.
    /// - `tools`: tables with `name`, `probe` (arguments), `must_match` (a pattern that a line of the answer must
    ///   match; its first group is the version) and `min_version`; default none.
    /// - `reports`: globs of the reports of other platforms; default none.
    /// - `freshness`: of these reports, as for `artifact_contract`; required with `reports`.
    ///
    /// ### Remediation
    /// - `platform_check_failed`: mend the machine, or let the check not block on this platform.
    /// - `platform_report_missing`: run this gate on that platform and bring its report here.
    /// - `platform_report_stale`: run this gate there again, on this commit.
    /// - `platform_report_invalid`: bring the report as it was written.
    pub static HOST_MATRIX: "host_matrix", since = "0.1.0", config = Config, validate = config::validate, check = check,
        codes = &[PLATFORM_CHECK_FAILED, PLATFORM_REPORT_MISSING, PLATFORM_REPORT_STALE, PLATFORM_REPORT_INVALID],
        teeth = TEETH;
}

const PLATFORM_CHECK_FAILED: Code =
    Code::new("PC1255", "platform_check_failed", "A platform cannot do what the product needs.");
const PLATFORM_REPORT_MISSING: Code =
    Code::new("PC1256", "platform_report_missing", "A platform that must work has no report.");
const PLATFORM_REPORT_STALE: Code = Code::new(
    "PC1257",
    "platform_report_stale",
    "The report of a platform is older than stated, or of another commit or run.",
);
const PLATFORM_REPORT_INVALID: Code =
    Code::new("PC1258", "platform_report_invalid", "A file is not the report of a platform.");

/// How long a tool may think about one question.
const PROBE_TIMEOUT: Duration = Duration::from_secs(30);

/// Tries this host out, then merges the reports of the others, and returns how many checks were looked at.
fn check(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Examined, GateError> {
    let host = cx.host();
    let platform = host.platform();
    let mut rows = Vec::new();
    for probe in Probe::ALL {
        let answer = host.ask(*probe);
        rows.push(Row::new(probe.name(), answer.is_able, answer.detail));
    }
    for tool in &config.tools {
        rows.push(ask(cx, tool)?);
    }
    let blocking = config.blocking_on(platform);
    for row in &mut rows {
        row.blocking = blocking.contains(&row.id);
    }
    report::write(cx, &rows)?;
    let mut examined = rows.len();
    let own = Location::file(report::name(platform));
    hold(platform, &rows, blocking, &own, out);

    let reports = newest(cx, config)?;
    for required in config.required.get_ref() {
        if required == "host" || required == platform {
            continue;
        }
        let Some(report) = reports.get(required) else {
            let message = format!("there is no report of `{required}`");
            let remedy = "run this gate on that platform, and bring its report here";
            let place = cx.locate(config.required.span().start);
            out.push(Finding::new(PLATFORM_REPORT_MISSING, required, message, remedy).at(place));
            continue;
        };
        examined += report.rows.len();
        let place = Location::file(&report.path);
        if let Some(why) = &report.stale {
            let message = format!("the report of `{required}` is not as fresh as stated: {why}");
            let remedy = "run this gate on that platform again, on this commit";
            out.push(
                Finding::new(PLATFORM_REPORT_STALE, required, message, remedy).at(place.clone()),
            );
        }
        hold(required, &report.rows, config.blocking_on(required), &place, out);
    }
    Ok(Examined::items(examined))
}

/// Reports what blocks on a platform and did not pass, or was not tried at all.
fn hold(platform: &str, rows: &[Row], blocking: &[String], place: &Location, out: &mut Findings) {
    let mut fail = |id: &str, message: String, detail: &str| {
        let remedy = "mend the machine, or let the check not block on this platform";
        out.push(
            Finding::new(PLATFORM_CHECK_FAILED, format!("{platform}/{id}"), message, remedy)
                .at(place.clone())
                .expected("pass")
                .found(detail),
        );
    };
    for id in blocking {
        if !rows.iter().any(|row| row.id == *id) {
            fail(
                id,
                format!("`{id}` was not tried on `{platform}`"),
                "no such check in the report",
            );
        }
    }
    for row in rows.iter().filter(|row| row.status == Status::Fail) {
        if row.blocking || blocking.contains(&row.id) {
            fail(&row.id, format!("`{}` failed on `{platform}`", row.id), &row.detail);
        }
    }
}

/// The newest report of each platform; the others are noted.
fn newest(cx: &GateContext<'_>, config: &Config) -> Result<BTreeMap<String, Check>, GateError> {
    let mut newest: BTreeMap<String, Check> = BTreeMap::new();
    let Some(globs) = &config.reports else { return Ok(newest) };
    let contract = config.contract(cx.gate()).map_err(config::first)?;
    for file in cx.files(globs)? {
        let report = report::read(cx, &file, &contract)?;
        cx.note(format!(
            "report of `{}` at `{}`, made {}",
            report.platform, report.path, report.made
        ));
        match newest.get(&report.platform) {
            Some(known) if known.made >= report.made => {}
            Some(_) | None => {
                newest.insert(report.platform.clone(), report);
            }
        }
    }
    Ok(newest)
}

/// Asks a tool what it is, as a row of the report.
fn ask(cx: &GateContext<'_>, tool: &Tool) -> Result<Row, GateError> {
    let name = tool.name.as_str();
    let id = config::tool_id(name);
    if cx.tool(name)?.is_none() {
        return Ok(Row::new(&id, false, "it is not on the search path"));
    }
    let argv: Vec<String> =
        std::iter::once(name.to_owned()).chain(tool.probe.iter().cloned()).collect();
    let answer = cx.command(&argv).timeout(PROBE_TIMEOUT).run()?;
    if !answer.is_success() {
        return Ok(Row::new(&id, false, "it fails when it is asked what it is"));
    }
    let text = format!("{}\n{}", answer.stdout.text(), answer.stderr.text());
    for line in text.lines() {
        if !cx.watch(tool.must_match.get_ref().matches(line))? {
            continue;
        }
        let version = cx.watch(tool.must_match.get_ref().capture(line))?;
        let shown: String = line.chars().take(120).collect();
        let is_new = match (&tool.min_version, version.and_then(config::Version::parse)) {
            (None, _) => true,
            (Some(wanted), Some(found)) => found >= *wanted,
            (Some(_), None) => false,
        };
        let detail = if is_new { shown } else { format!("{shown}, which is older than required") };
        return Ok(Row::new(&id, is_new, detail));
    }
    Ok(Row::new(&id, false, "no line of its answer is one of the real tool"))
}

// git is asked, and need not be there: a kind is not broken on a machine without git.
const HOST: &str = "required = ['host']\nmust_pass = { default = ['temp_dir', 'path_separators'] }\n\
                    tools = [{ name = 'git', probe = ['--version'], must_match = '^git version ([0-9.]+)' }]";
const THREE: &str = "required = ['linux', 'macos', 'windows']\nmust_pass = { default = ['temp_dir'], windows = ['symlinks'] }\n\
                     reports = ['reports/*/platform_report.json']\nfreshness = { max_age = '7d' }";

/// A report of a platform with one check.
macro_rules! report {
    ($platform:literal, $day:literal, $id:literal, $status:literal) => {
        concat!(
            "{\"schema\": \"portcullis.platform_report.v1\", \"run_id\": \"r1\", \"generated_at\": \"",
            $day,
            "T00:00:00Z\", \"source\": {\"commit\": null}, \"platform\": \"",
            $platform,
            "\", \"checks\": [{\"id\": \"",
            $id,
            "\", \"status\": \"",
            $status,
            "\", \"detail\": \"\", \"blocking\": false}]}\n"
        )
    };
}

const LINUX: (&str, &str) =
    ("reports/linux/platform_report.json", report!("linux", "2026-05-30", "temp_dir", "pass"));
const MACOS: (&str, &str) =
    ("reports/macos/platform_report.json", report!("macos", "2026-05-30", "temp_dir", "pass"));
const WINDOWS: (&str, &str) =
    ("reports/windows/platform_report.json", report!("windows", "2026-05-30", "symlinks", "pass"));

// Each of these must hold on whatever machine runs them, so two platforms are wrong where one would do.
static TEETH: &[Tooth] = &[
    Tooth::known_good("this_host_can_do_it", HOST, &[]),
    Tooth::known_good("three_platforms_reported_yesterday", THREE, &[LINUX, MACOS, WINDOWS]),
    Tooth::known_bad(
        "a_tool_that_is_not_installed",
        PLATFORM_CHECK_FAILED,
        "required = ['host']\nmust_pass = { default = ['tool_portcullis-no-such-tool'] }\n\
         tools = [{ name = 'portcullis-no-such-tool', probe = ['--version'], must_match = 'x' }]",
        &[],
    ),
    Tooth::known_bad(
        "a_check_that_failed_elsewhere",
        PLATFORM_CHECK_FAILED,
        THREE,
        &[
            (
                "reports/linux/platform_report.json",
                report!("linux", "2026-05-30", "temp_dir", "fail"),
            ),
            (
                "reports/macos/platform_report.json",
                report!("macos", "2026-05-30", "temp_dir", "fail"),
            ),
            WINDOWS,
        ],
    ),
    Tooth::known_bad(
        "a_check_that_nobody_tried",
        PLATFORM_CHECK_FAILED,
        THREE,
        &[
            (
                "reports/linux/platform_report.json",
                report!("linux", "2026-05-30", "locale", "pass"),
            ),
            (
                "reports/macos/platform_report.json",
                report!("macos", "2026-05-30", "locale", "pass"),
            ),
            WINDOWS,
        ],
    ),
    Tooth::known_bad(
        "fg37_two_platforms_without_a_report",
        PLATFORM_REPORT_MISSING,
        THREE,
        &[LINUX],
    ),
    Tooth::known_bad(
        "fg38_reports_of_last_year",
        PLATFORM_REPORT_STALE,
        THREE,
        &[
            LINUX,
            (
                "reports/macos/platform_report.json",
                report!("macos", "2025-05-30", "temp_dir", "pass"),
            ),
            (
                "reports/windows/platform_report.json",
                report!("windows", "2025-05-30", "symlinks", "pass"),
            ),
        ],
    ),
    Tooth::known_bad(
        "a_report_that_is_none",
        PLATFORM_REPORT_INVALID,
        THREE,
        &[("reports/linux/platform_report.json", "{}\n"), MACOS, WINDOWS],
    ),
];

#[cfg(test)]
mod tests;
