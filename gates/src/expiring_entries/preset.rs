//! Waivers and quarantined tests, by the rules of the kernel: its faults become findings, its states too.

use crate::toml_file::TomlFile;
use portcullis::wire::ordered::VecSet;
use portcullis::{
    Code, Examined, Fault, Finding, Findings, GateContext, GateId, Location,
    kernel::{
        quarantine::QuarantineFile,
        waiver::{self, Waiver, WaiverFile, WaiverState},
    },
    wire::code::{
        QUARANTINE_EXPIRED, QUARANTINE_EXPIRING, QUARANTINE_INVALID, QUARANTINE_SPAN_EXCEEDED,
        WAIVER_CLIFF, WAIVER_EXPIRED, WAIVER_EXPIRING, WAIVER_FILE_INVALID, WAIVER_NOT_WAIVABLE,
        WAIVER_UNKNOWN_GATE,
    },
};
use std::collections::BTreeMap;

/// What a fault of the file is called; anything else that is wrong with it makes it invalid as a whole.
const OF_A_WAIVER_FILE: &[Code] = &[WAIVER_NOT_WAIVABLE, WAIVER_UNKNOWN_GATE];

const OF_A_QUARANTINE: &[Code] =
    &[QUARANTINE_EXPIRED, QUARANTINE_EXPIRING, QUARANTINE_SPAN_EXCEEDED];

/// Judges every quarantined test of the file.
pub(super) fn quarantine(cx: &GateContext<'_>, file: &TomlFile, out: &mut Findings) -> Examined {
    let read = QuarantineFile::parse(file.path().as_str(), file.text());
    for (fault, blocks) in read.notices(cx.today(), cx.lane()) {
        let finding = from_fault(&fault, OF_A_QUARANTINE, QUARANTINE_INVALID, file);
        out.push(if blocks { finding } else { finding.advisory() });
    }
    Examined::items(1 + read.entries.len())
}

/// Judges every waiver of the file.
pub(super) fn waivers(
    cx: &GateContext<'_>,
    file: &TomlFile,
    is_touched: bool,
    out: &mut Findings,
) -> Examined {
    let gates: VecSet<GateId> = cx.gates().iter().map(|gate| gate.common.id.clone()).collect();
    let read = WaiverFile::parse(file.path().as_str(), file.text(), &gates, &guards(cx));
    for fault in &read.faults {
        out.push(from_fault(fault, OF_A_WAIVER_FILE, WAIVER_FILE_INVALID, file));
    }
    for waiver in read.waivers.values() {
        // A waiver that holds too long, or begins in the future, is a fault of a commit: it fails in every lane.
        let problem = waiver.problem.clone().or_else(|| waiver::not_yet_valid(waiver, cx.today()));
        match problem {
            Some(fault) => out.push(from_fault(&fault, &[fault.code()], WAIVER_FILE_INVALID, file)),
            None => season(waiver, cx, is_touched, out),
        }
    }
    cliffs(&read, file, out);
    Examined::items(1 + read.raw.len())
}

/// The gates that watch the waivers: whoever could waive them could waive everything.
fn guards(cx: &GateContext<'_>) -> VecSet<GateId> {
    let watching =
        cx.gates().iter().filter(|gate| gate.common.kind.as_deref() == Some("expiring_entries"));
    watching.map(|gate| gate.common.id.clone()).chain([cx.gate().common.id.clone()]).collect()
}

fn season(waiver: &Waiver, cx: &GateContext<'_>, is_touched: bool, out: &mut Findings) {
    let (gate, last) = (&waiver.gate_id, waiver.expires);
    let remedy = format!(
        "mend the gate and remove the waiver, or renew it (issue {}, owner {})",
        waiver.issue, waiver.owner
    );
    let expired = |remedy: String| {
        Finding::new(
            WAIVER_EXPIRED,
            gate,
            format!("the waiver for `{gate}` ended on {last}"),
            remedy,
        )
        .at(waiver.location.clone())
        .found(format!("today is {} (UTC)", cx.today()))
    };
    match waiver.state(cx.today(), cx.lane(), is_touched) {
        WaiverState::Active | WaiverState::Invalid => {}
        WaiverState::Expiring => out.push(
            Finding::new(
                WAIVER_EXPIRING,
                gate,
                format!("the waiver for `{gate}` ends on {last}"),
                remedy,
            )
            .at(waiver.location.clone())
            .advisory(),
        ),
        WaiverState::Grace => out.push(expired(remedy).advisory()),
        WaiverState::Expired => out.push(expired(remedy)),
    }
}

/// Announces days on which many waivers end at once.
fn cliffs(read: &WaiverFile, file: &TomlFile, out: &mut Findings) {
    let mut ends: BTreeMap<_, usize> = BTreeMap::new();
    for waiver in read.waivers.values() {
        *ends.entry(waiver.expires.to_string()).or_insert(0) += 1;
    }
    for (day, n_waivers) in ends.into_iter().filter(|(_day, n_waivers)| *n_waivers > waiver::CLIFF)
    {
        let message = format!("{n_waivers} waivers end on {day}");
        out.push(
            Finding::new(
                WAIVER_CLIFF,
                &day,
                message,
                "spread the days, so that not all of them end at once",
            )
            .at(Location::file(file.path()))
            .expected(format!("at most {}", waiver::CLIFF))
            .advisory(),
        );
    }
}

/// The same message as a finding; a code that is not `known` here becomes `otherwise`.
fn from_fault(fault: &Fault, known: &[Code], otherwise: Code, file: &TomlFile) -> Finding {
    let code = if known.contains(&fault.code()) { fault.code() } else { otherwise };
    let at = fault.location().cloned().unwrap_or_else(|| Location::file(file.path()));
    let mut finding = Finding::new(code, fault.headline(), fault.headline(), fault.remedy()).at(at);
    if let Some(text) = fault.expected_text() {
        finding = finding.expected(text);
    }
    if let Some(text) = fault.found_text() {
        finding = finding.found(text);
    }
    finding
}
