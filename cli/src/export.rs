//! What other programs read of a sealed run: each format is a pure function of one account. None changes a status or an exit code.

mod account;
mod badge;
mod ctrf;
mod cyclonedx;
pub(crate) mod dsse;
mod html;
mod junit;
mod openmetrics;
mod sarif;
mod standing;
mod statement;
pub(crate) mod summary;
mod xml;

pub(crate) use account::Account;

use crate::exit::{Exit, OrExit as _, Refused};
use anyhow::Context as _;
use clap::ValueEnum;

/// A format that other programs read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// `JUnit` XML in the dialect of nextest.
    Junit,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// The Common Test Report Format, 0.0.0.
    Ctrf,
    /// An in-toto statement of the test result.
    Intoto,
    /// The verification summary of SLSA, as an in-toto statement.
    Vsa,
    /// `CycloneDX` 1.6 declarations.
    Cyclonedx,
    /// The endpoint of a shields badge.
    Badge,
    /// `OpenMetrics` text.
    Openmetrics,
    /// A page for people that loads nothing.
    Html,
    /// Markdown for the summary of a step.
    Summary,
}

impl Format {
    /// The type of what is signed; nothing for formats that carry no signature.
    pub(crate) const fn payload_type(self) -> Option<&'static str> {
        match self {
            Self::Intoto | Self::Vsa => Some("application/vnd.in-toto+json"),
            Self::Cyclonedx => Some("application/vnd.cyclonedx+json"),
            Self::Junit
            | Self::Sarif
            | Self::Ctrf
            | Self::Badge
            | Self::Openmetrics
            | Self::Html
            | Self::Summary => None,
        }
    }
}

/// Renders a run in one format.
///
/// # Errors
/// Where a statement cannot be made: of a run without a commit, or of a changed tree.
pub(crate) fn render(format: Format, account: &Account) -> Result<String, Refused> {
    let value = match format {
        Format::Junit => return Ok(junit::render(account)),
        Format::Sarif => sarif::render(account),
        Format::Ctrf => ctrf::render(account),
        Format::Intoto => statement::test_result(account).or_exit(Exit::Nothing)?,
        Format::Vsa => statement::vsa(account).or_exit(Exit::Nothing)?,
        Format::Cyclonedx => cyclonedx::render(account),
        Format::Badge => badge::render(account),
        Format::Openmetrics => return Ok(openmetrics::render(account)),
        Format::Html => return Ok(html::render(account)),
        Format::Summary => return Ok(summary::render(account, summary::BUDGET)),
    };
    let mut text = serde_json::to_string_pretty(&value).context("an export")?;
    text.push('\n');
    Ok(text)
}

#[cfg(test)]
mod tests;
