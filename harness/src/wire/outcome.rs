//! What a check said, and what the decision made of it. Names and order are those of `semantics.md`, section 2.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! names {
    ($(#[$meta:meta])* $type:ident { $($(#[$doc:meta])* $variant:ident = $name:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        pub enum $type { $($(#[$doc])* #[serde(rename = $name)] $variant,)+ }

        impl $type {
            /// Every value, in declaration order.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name that documents carry.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// Reads the name that documents carry.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.name() == text)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

names! {
    /// The raw outcome of a check; never overwritten.
    Outcome {
        /// Looked at more than nothing, saw no violation.
        Pass = "pass",
        /// Looked, and found only advisory findings.
        Warn = "warn",
        /// Looked, and found violations.
        Fail = "fail",
        /// Must not or cannot look here, for a typed reason.
        Skip = "skip",
        /// Could not reach a verdict.
        Error = "error",
    }
}

names! {
    /// What `decide` makes of outcome, policy and waivers. Ordered: a later value is worse, and worst wins.
    Effective {
        /// Nothing to object.
        Pass = "pass",
        /// Only advisory findings.
        Warn = "warn",
        /// Every finding is covered by a valid waiver. Not a pass.
        Waived = "waived",
        /// Did not look, for a typed reason.
        Skip = "skip",
        /// Would pass only through a change that this very change makes to policy, census or waivers.
        PendingApproval = "pending_approval",
        /// A violation.
        Fail = "fail",
        /// A gate that this one needs did not pass.
        Precluded = "precluded",
        /// In the census, but left no receipt.
        Missing = "missing",
        /// Started, and never finished.
        Crashed = "crashed",
        /// Could not reach a verdict.
        Error = "error",
    }
}

names! {
    /// Why a check did not look.
    SkipReason {
        /// A tool that the gate needs is not installed.
        ToolMissing = "tool_missing",
        /// This platform is not the gate's.
        Platform = "platform",
        /// A cargo feature is off.
        FeatureOff = "feature_off",
        /// Nothing the gate is about exists here.
        NotApplicable = "not_applicable",
        /// Not in this phase.
        Phase = "phase",
        /// The gate carries the ignore attribute. No policy can allow it.
        Ignored = "ignored",
    }
}

names! {
    /// Where a decision is enforced. Ordered from the most lenient.
    Lane {
        /// A developer's machine.
        Local = "local",
        /// A pull request.
        Pr = "pr",
        /// The default branch.
        Main = "main",
        /// A release.
        Release = "release",
    }
}

impl Lane {
    /// Whether the calendar and every stale entry are enforced here.
    #[must_use]
    pub const fn is_protected(self) -> bool {
        match self {
            Self::Main | Self::Release => true,
            Self::Local | Self::Pr => false,
        }
    }
}

names! {
    /// The promotion mode.
    Mode {
        /// Blocking gates block.
        Strict = "strict",
        /// Gates run and report without blocking, until a stated day.
        Shadow = "shadow",
        /// Blocking failures are shown as warnings, under an unexpired record.
        Rollback = "rollback",
    }
}

names! {
    /// What a whole run amounts to. Ordered: a later value is worse.
    RunVerdict {
        /// Everything that had to be looked at was, and nothing blocks.
        Pass = "pass",
        /// Something blocks.
        Blocked = "blocked",
        /// The evidence is broken or incomplete: nobody knows.
        Invalid = "invalid",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_effective_statuses_is_the_documented_one() {
        let order: Vec<&str> = Effective::ALL.iter().rev().map(|status| status.name()).collect();
        assert_eq!(
            order.join(" > "),
            "error > crashed > missing > precluded > fail > pending_approval > skip > waived > warn > pass"
        );
        assert!(Effective::ALL.is_sorted(), "declaration order is severity order");
    }

    #[test]
    fn names_read_back() {
        for lane in Lane::ALL {
            assert_eq!(Lane::parse(lane.name()), Some(*lane));
        }
        assert_eq!(Outcome::parse("passed"), None);
    }
}
