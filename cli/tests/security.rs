//! Threats, one file each: what an attacker does, and the code that answers (`docs/completion_audit.md`, `docs/policy.md`).
//!
//! Threats against one module alone are tested beside it, in tests whose names begin with their number.

#[path = "security/change.rs"]
mod change;
#[path = "security/sample.rs"]
mod sample;
#[path = "security/t01_change_edits_its_judge.rs"]
mod t01_change_edits_its_judge;
#[path = "security/t02_self_waiving.rs"]
mod t02_self_waiving;
#[path = "security/t09_stale_or_foreign_evidence.rs"]
mod t09_stale_or_foreign_evidence;
#[path = "security/t10_path_traversal.rs"]
mod t10_path_traversal;
#[path = "security/t15_secrets_in_evidence.rs"]
mod t15_secrets_in_evidence;
#[path = "security/t17_poisoned_baselines.rs"]
mod t17_poisoned_baselines;
#[cfg(unix)]
#[path = "security/t33_hostile_repository.rs"]
mod t33_hostile_repository;
#[cfg(unix)]
#[path = "security/t34_hijacked_tools.rs"]
mod t34_hijacked_tools;
