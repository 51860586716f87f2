//! A page that holds everything itself: no script, no font, no picture, no address is loaded. Everything said is escaped.

use super::{
    account::{Account, Row},
    standing::Junit,
    xml::{attribute, escape},
};
use std::fmt::Write as _;

const STYLE: &str = "\
:root{color-scheme:light dark;--bg:#fff;--fg:#1f2328;--line:#d1d9e0;--red:#cf222e;--green:#1a7f37;--amber:#9a6700;--grey:#59636e}\
@media(prefers-color-scheme:dark){:root{--bg:#0d1117;--fg:#f0f6fc;--line:#3d444d;--red:#f85149;--green:#3fb950;--amber:#d29922;--grey:#9198a1}}\
body{background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem}\
table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid var(--line);padding:.35rem .6rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}\
pre{white-space:pre-wrap;overflow-wrap:anywhere;border:1px solid var(--line);padding:.6rem}\
.red{color:var(--red)}.green{color:var(--green)}.amber{color:var(--amber)}.grey{color:var(--grey)}";

/// The document.
pub(super) fn render(account: &Account) -> String {
    let (decision, envelope) = (&account.decision, &account.envelope);
    let verdict = escape(&decision.verdict.to_string());
    let tone = match decision.verdict {
        portcullis::RunVerdict::Pass => "green",
        portcullis::RunVerdict::Blocked | portcullis::RunVerdict::Invalid => "red",
    };
    let mut html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>portcullis: {verdict}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<h1>portcullis: <span class=\"{tone}\">{verdict}</span></h1>\n"
    );
    let commit = envelope.source.commit.as_deref().unwrap_or("no commit");
    let _ok = writeln!(
        html,
        "<p>run {}, {}, commit {}, lane {}, {} mode, exit {}, {}</p>",
        escape(envelope.run_id.as_str()),
        envelope.generated_at,
        escape(commit),
        decision.lane,
        decision.mode,
        decision.exit,
        if decision.certifiable { "certifiable" } else { "not certifiable" },
    );
    let red: Vec<&Row> = account.rows.iter().filter(|row| row.standing.is_red()).collect();
    if !red.is_empty() {
        let _ok = writeln!(html, "<h2>What is wrong ({})</h2>", red.len());
        for row in red {
            let (name, status) = (escape(&row.name), escape(&row.status));
            let _ok = writeln!(html, "<h3>{name}: <span class=\"red\">{status}</span></h3>");
            let _ok = writeln!(html, "<pre>{}</pre>", escape(&row.text));
            if let Some(replay) = &row.replay {
                let _ok = writeln!(html, "<pre>{}</pre>", escape(replay));
            }
        }
    }
    html.push_str(
        "<h2>Everything</h2>\n<table>\n<tr><th>what</th><th>where</th><th>status</th><th>detail</th><th>owner</th></tr>\n",
    );
    for row in &account.rows {
        let tone = match row.standing.junit {
            Junit::Passed => "green",
            Junit::PassedAloud => "amber",
            Junit::Skipped => "grey",
            Junit::Failure | Junit::Error => "red",
        };
        let detail = row.waiver.as_deref().unwrap_or(&row.message);
        let _ok = writeln!(
            html,
            "<tr><td>{}</td><td>{}</td><td class=\"{tone}\" title=\"{}\">{}</td><td>{}</td><td>{}</td></tr>",
            escape(&row.name),
            escape(&row.suite),
            attribute(&row.fingerprint),
            escape(&row.status),
            escape(detail),
            escape(row.owner.as_deref().unwrap_or_default()),
        );
    }
    html.push_str("</table>\n</body>\n</html>\n");
    html
}
