//! What the profiles of nextest say about retries.

use super::config::Config;
use crate::nextest_profiles::{Profile, read};
use portcullis::{Fault, GateContext};

/// The profiles of a configuration, or none where there is no file.
pub(super) struct Profiles {
    file: Option<crate::nextest_profiles::Profiles>,
}

/// A profile or override that retries, with its place.
pub(super) struct Hidden {
    pub(super) what: String,
    pub(super) path: String,
    pub(super) line: u32,
    pub(super) column: u32,
}

impl Profiles {
    pub(super) fn read(cx: &GateContext<'_>, config: &Config) -> Result<Self, Fault> {
        Ok(Self { file: read(cx, config.nextest_config.as_ref())? })
    }

    /// Whether a profile makes a test fail that passes on a later try.
    pub(super) fn fails_flaky(&self, profile: &str) -> bool {
        self.file.as_ref().is_some_and(|file| {
            file.chain(profile).iter().find_map(|one| one.flaky_result.as_deref()) == Some("fail")
        })
    }

    /// The places where a profile retries and lets a later pass count.
    pub(super) fn hidden_retries(&self, profile: &str) -> Vec<Hidden> {
        let Some(file) = &self.file else { return Vec::new() };
        let chain: Vec<&Profile> = file.chain(profile);
        let fails = self.fails_flaky(profile);
        let mut found = Vec::new();
        if let Some(owner) = chain.iter().find(|one| one.retries.is_some())
            && let Some((count, offset)) = &owner.retries
            && *count != Some(0)
            && !fails
        {
            let place = file.place(*offset);
            found.push(Hidden {
                what: format!("profile `{}`", owner.name),
                path: file.path().to_owned(),
                line: place.line,
                column: place.column,
            });
        }
        for one in &chain {
            for entry in &one.overrides {
                let Some((count, offset)) = &entry.retries else { continue };
                let fails = entry.flaky_result.as_deref().map_or(fails, |value| value == "fail");
                if *count != Some(0) && !fails {
                    let place = file.place(*offset);
                    found.push(Hidden {
                        what: format!("an override of profile `{}`", one.name),
                        path: file.path().to_owned(),
                        line: place.line,
                        column: place.column,
                    });
                }
            }
        }
        found
    }
}
