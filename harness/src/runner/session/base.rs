//! What the base tree says: its commit, its policy, and whether this change touches the waivers.
//!
//! Without a base nobody can say what a change touches, so it counts as touching everything.

use super::{CENSUS_FILE, CENSUS_MAX_BYTES, CLASSIFICATION_FILE, POLICY_FILE, Session};
use crate::{
    evidence::{environment::Environment, git::Git},
    kernel::loosening::{Against, Head, Texts, against},
    wire::{
        code::{BASE_UNRESOLVABLE, INPUT_TOO_LARGE},
        fault::{Fault, Location},
        path::RelPath,
        time::Day,
    },
};

/// What the base tree says, where a base is known.
#[derive(Clone, Debug, Default)]
pub struct Base {
    /// The merge base.
    pub commit: Option<String>,
    /// Its policy; absent when no base is known.
    pub texts: Option<Texts>,
    /// What this change is, seen from there; absent when no base is known.
    pub seen: Option<Against>,
    /// Whether the waiver file differs from the base's; unknown counts as touched.
    pub touched: bool,
}

pub(super) fn read(session: &Session) -> Result<Base, Fault> {
    let rev = Base::named(&session.world.environment);
    if rev.is_none() {
        // A start without a base reads nothing of the head either.
        return Ok(Base::unknown());
    }
    let census_is_whole = session.census_faults().is_empty();
    let head = Head {
        policy: &session.policy_text,
        classification: &session.classification,
        census: census_is_whole.then(|| session.census()),
        waivers: &session.waivers,
    };
    Base::at(rev.as_deref(), &session.world.git, &head, session.world.clock.now.day())
}

impl Base {
    /// The revision that the environment names as the base of this change.
    #[must_use]
    pub fn named(environment: &Environment) -> Option<String> {
        environment.base()
    }

    /// Nobody can say what this change touches, so it counts as touching the waivers.
    #[must_use]
    pub fn unknown() -> Self {
        Self { touched: true, ..Self::default() }
    }

    /// Reads what the merge base with `rev` says; without one, everything counts as touched.
    ///
    /// # Errors
    /// `base_unresolvable` where a base is named and cannot be had, and whatever git refuses.
    pub fn at(rev: Option<&str>, git: &Git, head: &Head<'_>, today: Day) -> Result<Self, Fault> {
        let Some(rev) = rev else { return Ok(Self::unknown()) };
        let commit = git.merge_base(rev)?;
        let touched = git.changed_files(&commit)?.iter().any(|file| file == CLASSIFICATION_FILE);
        let texts = texts(git, &commit, "HEAD")?;
        let seen = against(&texts, head, today)?;
        Ok(Self { commit: Some(commit), texts: Some(texts), seen: Some(seen), touched })
    }
}

/// Reads what a commit says as the base of another one.
///
/// # Errors
/// `base_unresolvable`, `input_too_large`, and whatever git refuses.
pub fn texts(git: &Git, base: &str, head: &str) -> Result<Texts, Fault> {
    let mut texts = Texts {
        policy: text(git, base, POLICY_FILE)?,
        classification: text(git, base, CLASSIFICATION_FILE)?,
        census: text(git, base, CENSUS_FILE)?,
        authors: None,
    };
    if texts.has_approvals() {
        texts.authors = Some(git.authors(base, head)?);
    }
    Ok(texts)
}

fn text(git: &Git, commit: &str, name: &str) -> Result<Option<String>, Fault> {
    let path = RelPath::parse(name)
        .map_err(|source| Fault::new(BASE_UNRESOLVABLE, source.to_string(), "rename it"))?;
    let Some(bytes) = git.show(commit, &path)? else { return Ok(None) };
    if bytes.len() as u64 > CENSUS_MAX_BYTES {
        let headline = format!("`{name}` of the base is too large");
        return Err(Fault::new(INPUT_TOO_LARGE, headline, "mend it on the base")
            .at(Location::file(name))
            .found(format!("{} bytes", bytes.len())));
    }
    String::from_utf8(bytes).map(Some).map_err(|source| {
        let headline = format!("`{name}` of the base is not UTF-8");
        Fault::new(BASE_UNRESOLVABLE, headline, "mend it on the base").because(&source)
    })
}
