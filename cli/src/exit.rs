//! The exit codes, and what ends a command before its end. Leaves out which command gives which code.

use portcullis::Fault;

/// What the process exits with; each code has one meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything was looked at and nothing is in the way.
    Pass = 0,
    /// A defect of this program, or an output that could not be written.
    Internal = 1,
    /// The command line or a configuration file cannot be used.
    Usage = 2,
    /// Nothing was evaluated, or the request was refused.
    Nothing = 3,
    /// Tests failed.
    TestsFailed = 10,
    /// A gate is in the way.
    Blocked = 11,
    /// The evidence is broken or incomplete: nobody knows.
    Invalid = 12,
    /// A gate binary could not be built or listed.
    ListFailed = 13,
    /// The selection is empty.
    NothingSelected = 14,
    /// A regression against the baseline.
    Regression = 15,
}

impl Exit {
    /// When several apply, the first of these counts.
    const PRECEDENCE: [Self; 10] = [
        Self::Internal,
        Self::Usage,
        Self::Nothing,
        Self::ListFailed,
        Self::Invalid,
        Self::TestsFailed,
        Self::Blocked,
        Self::Regression,
        Self::NothingSelected,
        Self::Pass,
    ];

    /// The number.
    pub(crate) fn code(self) -> u8 {
        self as u8
    }

    /// The one of two that counts.
    pub(crate) fn worse(self, other: Self) -> Self {
        Self::PRECEDENCE.into_iter().find(|exit| *exit == self || *exit == other).unwrap_or(self)
    }
}

/// Why a command ended early.
#[derive(Debug)]
pub(crate) struct Refused {
    /// What the process exits with.
    pub exit: Exit,
    /// The reasons, each with a way out.
    pub faults: Vec<Fault>,
    /// A cause without a code: a defect of this program or of the machine.
    pub cause: Option<anyhow::Error>,
}

impl Refused {
    /// Ends a command for one reason.
    pub(crate) fn new(exit: Exit, fault: Fault) -> Self {
        Self::all(exit, vec![fault])
    }

    /// Ends a command for several reasons.
    pub(crate) fn all(exit: Exit, faults: Vec<Fault>) -> Self {
        Self { exit, faults, cause: None }
    }
}

impl From<anyhow::Error> for Refused {
    fn from(cause: anyhow::Error) -> Self {
        Self { exit: Exit::Internal, faults: Vec::new(), cause: Some(cause) }
    }
}

/// Gives a fault the exit code that it has here.
pub(crate) trait OrExit<T> {
    /// Ends the command with `exit` when there is a fault.
    fn or_exit(self, exit: Exit) -> Result<T, Refused>;
}

impl<T> OrExit<T> for Result<T, Fault> {
    fn or_exit(self, exit: Exit) -> Result<T, Refused> {
        self.map_err(|fault| Refused::new(exit, fault))
    }
}

impl<T> OrExit<T> for Result<T, Vec<Fault>> {
    fn or_exit(self, exit: Exit) -> Result<T, Refused> {
        self.map_err(|faults| Refused::all(exit, faults))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_exit_codes_is_the_documented_one() {
        let order: Vec<u8> = Exit::PRECEDENCE.iter().map(|exit| exit.code()).collect();
        assert_eq!(order, [1, 2, 3, 13, 12, 10, 11, 15, 14, 0]);
    }

    #[test]
    fn the_worse_of_two_counts() {
        let table = [
            ("broken evidence before a blocked gate", Exit::Blocked, Exit::Invalid, Exit::Invalid),
            ("a blocked gate before a pass", Exit::Pass, Exit::Blocked, Exit::Blocked),
            (
                "a failed list before broken evidence",
                Exit::ListFailed,
                Exit::Invalid,
                Exit::ListFailed,
            ),
            ("two passes", Exit::Pass, Exit::Pass, Exit::Pass),
        ];
        for (case, a, b, expected) in table {
            assert_eq!(a.worse(b), expected, "{case}");
            assert_eq!(b.worse(a), expected, "{case}, the other way round");
        }
    }
}
