//! The keys of nextest's repository configuration, as version 0.9.143 documents them. Values are nextest's to check.

/// Every key, from the root; `*` stands for a name that the file chooses. Lists are transparent.
const KEYS: &[&str] = &[
    "experimental",
    "experimental.benchmarks",
    "experimental.setup-scripts",
    "experimental.wrapper-scripts",
    "nextest-version",
    "nextest-version.recommended",
    "nextest-version.required",
    "profile",
    "profile.*",
    "profile.*.archive",
    "profile.*.archive.include",
    "profile.*.archive.include.depth",
    "profile.*.archive.include.on-missing",
    "profile.*.archive.include.path",
    "profile.*.archive.include.relative-to",
    "profile.*.bench",
    "profile.*.bench.global-timeout",
    "profile.*.bench.slow-timeout",
    "profile.*.bench.slow-timeout.@timeout",
    "profile.*.default-filter",
    "profile.*.fail-fast",
    "profile.*.fail-fast.max-fail",
    "profile.*.fail-fast.terminate",
    "profile.*.failure-output",
    "profile.*.final-status-level",
    "profile.*.flaky-result",
    "profile.*.global-timeout",
    "profile.*.inherits",
    "profile.*.junit",
    "profile.*.junit.path",
    "profile.*.junit.report-name",
    "profile.*.junit.@junit",
    "profile.*.leak-timeout",
    "profile.*.leak-timeout.period",
    "profile.*.leak-timeout.result",
    "profile.*.overrides",
    "profile.*.overrides.bench",
    "profile.*.overrides.bench.slow-timeout",
    "profile.*.overrides.bench.slow-timeout.@timeout",
    "profile.*.overrides.default-filter",
    "profile.*.overrides.failure-output",
    "profile.*.overrides.filter",
    "profile.*.overrides.flaky-result",
    "profile.*.overrides.junit",
    "profile.*.overrides.junit.@junit",
    "profile.*.overrides.leak-timeout",
    "profile.*.overrides.leak-timeout.period",
    "profile.*.overrides.leak-timeout.result",
    "profile.*.overrides.platform",
    "profile.*.overrides.platform.host",
    "profile.*.overrides.platform.target",
    "profile.*.overrides.priority",
    "profile.*.overrides.retries",
    "profile.*.overrides.retries.@retries",
    "profile.*.overrides.run-extra-args",
    "profile.*.overrides.slow-timeout",
    "profile.*.overrides.slow-timeout.@timeout",
    "profile.*.overrides.success-output",
    "profile.*.overrides.test-group",
    "profile.*.overrides.threads-required",
    "profile.*.retries",
    "profile.*.retries.@retries",
    "profile.*.run-extra-args",
    "profile.*.scripts",
    "profile.*.scripts.filter",
    "profile.*.scripts.list-wrapper",
    "profile.*.scripts.platform",
    "profile.*.scripts.platform.host",
    "profile.*.scripts.platform.target",
    "profile.*.scripts.run-wrapper",
    "profile.*.scripts.setup",
    "profile.*.slow-timeout",
    "profile.*.slow-timeout.@timeout",
    "profile.*.status-level",
    "profile.*.success-output",
    "profile.*.test-threads",
    "profile.*.threads-required",
    "script",
    "script.*",
    "script.*.@script",
    "scripts",
    "scripts.setup",
    "scripts.setup.*",
    "scripts.setup.*.@script",
    "scripts.wrapper",
    "scripts.wrapper.*",
    "scripts.wrapper.*.command",
    "scripts.wrapper.*.command.@command",
    "scripts.wrapper.*.target-runner",
    "store",
    "store.dir",
    "test-groups",
    "test-groups.*",
    "test-groups.*.max-threads",
];

/// Keys that stand in several places.
const SHARED: &[(&str, &[&str])] = &[
    ("@timeout", &["period", "terminate-after", "grace-period", "on-timeout"]),
    (
        "@junit",
        &["store-success-output", "store-failure-output", "report-skipped", "flaky-fail-status"],
    ),
    ("@retries", &["backoff", "count", "delay", "jitter", "max-delay"]),
    ("@command", &["command-line", "relative-to", "env", "env.*"]),
    (
        "@script",
        &[
            "command",
            "command.command-line",
            "command.relative-to",
            "command.env",
            "command.env.*",
            "slow-timeout",
            "slow-timeout.period",
            "slow-timeout.terminate-after",
            "slow-timeout.grace-period",
            "slow-timeout.on-timeout",
            "leak-timeout",
            "leak-timeout.period",
            "leak-timeout.result",
            "capture-stdout",
            "capture-stderr",
            "junit",
            "junit.store-success-output",
            "junit.store-failure-output",
        ],
    ),
];

/// Whether nextest reads a key at this place.
pub(super) fn is_known(path: &[&str]) -> bool {
    KEYS.iter().any(|key| match key.rsplit_once('@') {
        None => matches(key, path),
        Some((place, shared)) => {
            let names = SHARED.iter().find(|(name, _)| name.strip_prefix('@') == Some(shared));
            let mut names = names.into_iter().flat_map(|(_, names)| names.iter());
            names.any(|name| matches(&format!("{place}{name}"), path))
        }
    })
}

fn matches(key: &str, path: &[&str]) -> bool {
    let mut parts = key.split('.');
    path.iter().all(|part| parts.next().is_some_and(|wanted| wanted == "*" || wanted == *part))
        && parts.next().is_none()
}

/// The keys that may stand beside this one, for a message; the nearest spelling first.
pub(super) fn nearest(path: &[&str]) -> Option<String> {
    let (last, place) = path.split_last()?;
    let mut beside: Vec<(usize, String)> = KEYS
        .iter()
        .flat_map(|key| match key.rsplit_once('@') {
            None => vec![(*key).to_owned()],
            Some((place, shared)) => SHARED
                .iter()
                .filter(|(name, _)| name.strip_prefix('@') == Some(shared))
                .flat_map(|(_, names)| names.iter().map(|name| format!("{place}{name}")))
                .collect(),
        })
        .filter_map(|key| {
            let (before, name) = match key.rsplit_once('.') {
                Some((before, name)) => (before.to_owned(), name.to_owned()),
                None => (String::new(), key.clone()),
            };
            let fits = if place.is_empty() { before.is_empty() } else { matches(&before, place) };
            (fits && name != "*").then(|| (distance(last, &name), name))
        })
        .collect();
    beside.sort();
    beside.into_iter().next().filter(|(far, _)| *far <= 3).map(|(_, name)| name)
}

/// How many letters differ, as an editor counts them. Keys are short.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(64).enumerate() {
        let mut before = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let here = row[j + 1];
            row[j + 1] = (before + usize::from(x != *y)).min(here + 1).min(row[j] + 1);
            before = here;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_known_where_nextest_reads_them_and_nowhere_else() {
        let table: &[(&str, bool, Option<&str>)] = &[
            ("profile.ci.retries", true, None),
            ("profile.ci.retries.count", true, None),
            ("profile.ci.overrides.filter", true, None),
            ("profile.ci.overrides.slow-timeout.on-timeout", true, None),
            ("profile.ci.junit.report-skipped", true, None),
            ("scripts.setup.db.command.env.PATH", true, None),
            ("test-groups.serial.max-threads", true, None),
            ("profile.ci.retry", false, Some("retries")),
            ("profile.ci.fail_fast", false, Some("fail-fast")),
            ("profile.ci.slow-timeout.terminate-afer", false, Some("terminate-after")),
            ("profile.ci.overrides.filters", false, Some("filter")),
            ("profile.ci.junit.paht", false, Some("path")),
            ("profiles", false, Some("profile")),
            ("retries", false, None),
            ("test-groups.serial.max_threads", false, Some("max-threads")),
            ("profile.ci.max-threads", false, None),
        ];
        for (path, known, near) in table {
            let path: Vec<&str> = path.split('.').collect();
            assert_eq!(is_known(&path), *known, "{path:?}");
            if let (false, Some(near)) = (known, near) {
                assert_eq!(nearest(&path).as_deref(), Some(*near), "{path:?}");
            }
        }
    }
}
