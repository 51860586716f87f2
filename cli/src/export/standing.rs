//! How each effective status is shown elsewhere: one table. A status that nobody knows is shown as failed.

use portcullis::Effective;

/// How SARIF shows a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sarif {
    /// No result.
    None,
    /// A result of level `warning`.
    Warning,
    /// A result that a waiver suppresses.
    Suppressed,
    /// A result of level `error`.
    Error,
    /// A result of level `error` that carries the status as its class.
    ErrorOfClass,
}

/// How `JUnit` shows a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Junit {
    /// A bare test case.
    Passed,
    /// A test case with `system-out`.
    PassedAloud,
    /// `skipped`.
    Skipped,
    /// `failure`.
    Failure,
    /// `error`.
    Error,
}

/// How CTRF shows a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ctrf {
    /// `passed`.
    Passed,
    /// `failed`.
    Failed,
    /// `skipped`.
    Skipped,
    /// `pending`.
    Pending,
    /// `other`.
    Other,
}

impl Ctrf {
    /// The word for it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Pending => "pending",
            Self::Other => "other",
        }
    }
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// In SARIF.
    pub sarif: Sarif,
    /// In `JUnit`.
    pub junit: Junit,
    /// In CTRF.
    pub ctrf: Ctrf,
}

impl Standing {
    const fn new(sarif: Sarif, junit: Junit, ctrf: Ctrf) -> Self {
        Self { sarif, junit, ctrf }
    }

    /// Whether every format shows that something is wrong.
    pub(crate) fn is_red(self) -> bool {
        matches!(self.junit, Junit::Failure | Junit::Error)
    }
}

/// The row of a status, by its name; what blocks is never shown as anything but red.
pub(crate) fn of(status: &str, blocks: bool) -> Standing {
    let broken = Standing::new(Sarif::ErrorOfClass, Junit::Error, Ctrf::Failed);
    let Some(effective) = Effective::parse(status) else { return broken };
    let standing = match effective {
        Effective::Pass => Standing::new(Sarif::None, Junit::Passed, Ctrf::Passed),
        Effective::Warn => Standing::new(Sarif::Warning, Junit::PassedAloud, Ctrf::Passed),
        Effective::Waived => Standing::new(Sarif::Suppressed, Junit::Skipped, Ctrf::Other),
        Effective::Skip => Standing::new(Sarif::None, Junit::Skipped, Ctrf::Skipped),
        Effective::Fail => Standing::new(Sarif::Error, Junit::Failure, Ctrf::Failed),
        Effective::PendingApproval => Standing { ctrf: Ctrf::Pending, ..broken },
        Effective::Precluded | Effective::Missing | Effective::Crashed | Effective::Error => broken,
    };
    if blocks && !standing.is_red() { broken } else { standing }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_the_documented_one() {
        let table = [
            ("pass", Sarif::None, Junit::Passed, Ctrf::Passed),
            ("warn", Sarif::Warning, Junit::PassedAloud, Ctrf::Passed),
            ("waived", Sarif::Suppressed, Junit::Skipped, Ctrf::Other),
            ("skip", Sarif::None, Junit::Skipped, Ctrf::Skipped),
            ("pending_approval", Sarif::ErrorOfClass, Junit::Error, Ctrf::Pending),
            ("fail", Sarif::Error, Junit::Failure, Ctrf::Failed),
            ("precluded", Sarif::ErrorOfClass, Junit::Error, Ctrf::Failed),
            ("missing", Sarif::ErrorOfClass, Junit::Error, Ctrf::Failed),
            ("crashed", Sarif::ErrorOfClass, Junit::Error, Ctrf::Failed),
            ("error", Sarif::ErrorOfClass, Junit::Error, Ctrf::Failed),
        ];
        let names: Vec<&str> = table.iter().map(|row| row.0).collect();
        let all: Vec<&str> = Effective::ALL.iter().map(|status| status.name()).collect();
        assert_eq!(names, all, "every status has its row");
        for (name, sarif, junit, ctrf) in table {
            assert_eq!(of(name, false), Standing { sarif, junit, ctrf }, "{name}");
        }
    }

    #[test]
    fn a_status_that_nobody_knows_is_failed() {
        for name in ["", "passed", "PASS", "sideways", "waived "] {
            let standing = of(name, false);
            assert!(standing.is_red() && standing.ctrf == Ctrf::Failed, "{name}: {standing:?}");
        }
    }

    #[test]
    fn whatever_blocks_is_red() {
        for status in Effective::ALL {
            let standing = of(status.name(), true);
            assert!(standing.is_red(), "{status}");
            assert!(standing.ctrf != Ctrf::Passed && standing.sarif != Sarif::None, "{status}");
        }
    }
}
