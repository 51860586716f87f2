//! What a canary is configured to demand. Leaves out the document it is read from and what that document may not say.

use crate::{Lane, Method, MetricId, MilliPct, OnUnbaselined, Threshold};

/// How the measurements of one canary are judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Where it stands.
    pub lane: Lane,
    /// How it is compared; without a pair, [`Method::TwoSample`] falls back to a conversion between machines.
    pub method: Method,
    /// What is demanded.
    pub threshold: Threshold,
    /// The level of the whole run: 0.001 for pairs, 0.01 for whole processes.
    pub alpha: f64,
    /// The fewest pairs or runs.
    pub minimum: u32,
    /// The metrics that have to be there.
    pub roster: Vec<MetricId>,
    /// What a metric without a base does.
    pub on_unbaselined: OnUnbaselined,
    /// Below this value the work cannot have been done.
    pub abs_min: Option<u64>,
    /// Relations between metrics.
    pub invariants: Vec<Invariant>,
    /// Whether a forced CPU count must be enforced.
    pub affinity_required: bool,
    /// What the cap is held against.
    pub p95_over: P95Over,
    /// Of a budget: the share to aim at.
    pub target: Option<MilliPct>,
}

/// `left <= factor * right`, both of the candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invariant {
    /// The metric that is bounded.
    pub left: MetricId,
    /// The share of the other that bounds it: 110 % for 1.10.
    pub factor: MilliPct,
    /// The metric that bounds it.
    pub right: MetricId,
}

/// What a cap is held against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum P95Over {
    /// Every metric by itself.
    Metric,
    /// All samples together of the metrics that match; `*` stands for anything but `/`, `**` for anything.
    Pooled(String),
}

impl Config {
    /// The level of a run of pairs.
    pub const ALPHA_PAIRED: f64 = 0.001;
    /// The level of a run of whole processes.
    pub const ALPHA_PROCESSES: f64 = 0.01;

    /// Returns a configuration with the defaults of the method, no roster and no extra demands.
    #[must_use]
    pub const fn new(lane: Lane, method: Method, threshold: Threshold) -> Self {
        let alpha = match method {
            Method::Paired => Self::ALPHA_PAIRED,
            Method::TwoSample | Method::Normalised | Method::Budget | Method::Point => {
                Self::ALPHA_PROCESSES
            }
        };
        Self {
            lane,
            method,
            threshold,
            alpha,
            minimum: 5,
            roster: Vec::new(),
            on_unbaselined: OnUnbaselined::Comment,
            abs_min: None,
            invariants: Vec::new(),
            affinity_required: false,
            p95_over: P95Over::Metric,
            target: None,
        }
    }
}

impl P95Over {
    /// Tells whether the cap covers this metric.
    #[must_use]
    pub fn covers(&self, metric: &MetricId) -> bool {
        match self {
            Self::Metric => true,
            Self::Pooled(pattern) => matches(pattern.as_bytes(), metric.as_str().as_bytes()),
        }
    }
}

/// Tells whether the pattern matches the whole name.
///
/// One row of reachable pattern positions per byte of the name: linear in each, whatever the number of stars.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let tokens = tokens(pattern);
    let mut reached = vec![false; tokens.len() + 1];
    if let Some(start) = reached.first_mut() {
        *start = true;
    }
    skip_stars(&tokens, &mut reached);
    for byte in name {
        let mut next = vec![false; tokens.len() + 1];
        for (index, token) in tokens.iter().enumerate().filter(|(index, _)| reached[*index]) {
            match token {
                Token::Byte(expected) => next[index + 1] |= expected == byte,
                Token::Star => next[index] |= *byte != b'/',
                Token::DoubleStar => next[index] = true,
            }
        }
        skip_stars(&tokens, &mut next);
        reached = next;
    }
    reached.last().copied().unwrap_or(false)
}

enum Token {
    Byte(u8),
    Star,
    DoubleStar,
}

fn tokens(pattern: &[u8]) -> Vec<Token> {
    let (mut tokens, mut rest) = (Vec::new(), pattern);
    while let Some((byte, after)) = rest.split_first() {
        (tokens, rest) = match (byte, after.split_first()) {
            (b'*', Some((b'*', after))) => (push(tokens, Token::DoubleStar), after),
            (b'*', _) => (push(tokens, Token::Star), after),
            (byte, _) => (push(tokens, Token::Byte(*byte)), after),
        };
    }
    tokens
}

fn push(mut tokens: Vec<Token>, token: Token) -> Vec<Token> {
    tokens.push(token);
    tokens
}

/// A star may stand for nothing, so what reaches it reaches what follows.
fn skip_stars(tokens: &[Token], reached: &mut [bool]) {
    for (index, token) in tokens.iter().enumerate() {
        if reached[index] && !matches!(token, Token::Byte(_)) {
            reached[index + 1] = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_is_named_by_a_pattern() {
        let table = [
            ("*/cold_p50", "minimal/cold_p50", true),
            ("*/cold_p50", "minimal/warm_p50", false),
            ("*/cold_p50", "a/b/cold_p50", false),
            ("**/cold_p50", "a/b/cold_p50", true),
            ("*", "plain", true),
            ("*", "a/b", false),
            ("**", "a/b", true),
            ("a*b*c", "a1b2b3c", true),
            ("a*b*c", "a1b2b3", false),
            ("", "a", false),
            ("exact", "exact", true),
            ("exact", "exactly", false),
        ];
        for (pattern, name, expected) in table {
            let over = P95Over::Pooled(pattern.to_owned());
            let metric = MetricId::new(name).expect("a metric");
            assert_eq!(over.covers(&metric), expected, "{pattern} {name}");
        }
        assert!(P95Over::Metric.covers(&MetricId::new("anything").expect("a metric")));
        let many = P95Over::Pooled("*a".repeat(200));
        assert!(
            !many.covers(
                &MetricId::new(&"a".repeat(1_000).replace('a', "ab"))
                    .unwrap_or_else(|| MetricId::new(&"ab".repeat(500)).expect("a metric"))
            )
        );
    }
}
