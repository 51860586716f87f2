//! A recorded URL: its parts, and whether tests may rely on it. It resolves nothing and follows nothing.

use super::config::QueryOrder;
use crate::pattern::Pattern;
use portcullis::{Fault, GateError};

/// Hosts that are this machine.
const LOCAL: &[&str] = &["localhost", "::1", "0.0.0.0"];

/// An absolute URL, split without being changed.
#[derive(Debug)]
pub(super) struct Url {
    scheme: String,
    has_userinfo: bool,
    host: String,
    port: Option<String>,
    path: String,
    query: Option<String>,
}

impl Url {
    /// Splits an absolute URL.
    ///
    /// # Errors
    /// Why it cannot be one; the reason quotes nothing of it.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        if text.bytes().any(|byte| byte <= b' ' || byte == 0x7f || byte == b'\\') {
            return Err("it has a space, a control character or a backslash");
        }
        let (scheme, rest) = text.split_once("://").ok_or("it has no scheme")?;
        if !matches!(scheme, "http" | "https" | "ws" | "wss") {
            return Err("its scheme is not one of http, https, ws and wss in lower case");
        }
        if rest.contains('#') {
            return Err("it has a fragment, which no client sends");
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        let (userinfo, authority) = match authority.rsplit_once('@') {
            Some((userinfo, authority)) => (Some(userinfo), authority),
            None => (None, authority),
        };
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (host, after) = rest.split_once(']').ok_or("its address has no end")?;
                (host, after.strip_prefix(':'))
            }
            None => match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            },
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
        if host.is_empty() || !host.chars().all(plain) {
            return Err("its host is empty or has other characters than a host has");
        }
        if port.is_some_and(|port| port.is_empty() || !port.bytes().all(|b| b.is_ascii_digit())) {
            return Err("its port is not a number");
        }
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (rest, None),
        };
        Ok(Self {
            scheme: scheme.to_owned(),
            has_userinfo: userinfo.is_some(),
            host: host.to_ascii_lowercase(),
            port: port.map(str::to_owned),
            path: path.to_owned(),
            query,
        })
    }

    /// The URL without what may be a secret: no user, no values of the query.
    pub(super) fn shown(&self) -> String {
        let port = self.port.as_ref().map(|port| format!(":{port}")).unwrap_or_default();
        let query = self.query.as_ref().map(|_query| "?..").unwrap_or_default();
        format!("{}://{}{port}{}{query}", self.scheme, self.host, self.path)
    }

    /// Names and values of the query, decoded.
    pub(super) fn parameters(&self) -> Vec<(String, String)> {
        let pairs =
            self.query.iter().flat_map(|query| query.split('&')).filter(|pair| !pair.is_empty());
        pairs
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                (percent_decoded(name), percent_decoded(value))
            })
            .collect()
    }

    fn is_local(&self) -> bool {
        let host = self.host.trim_end_matches('.');
        LOCAL.contains(&host) || host.ends_with(".localhost") || host.starts_with("127.")
    }

    /// Host, with its port where that is not the one of the scheme.
    fn authority(&self) -> String {
        let default = if matches!(self.scheme.as_str(), "https" | "wss") { "443" } else { "80" };
        match &self.port {
            Some(port) if port != default => format!("{}:{port}", self.host),
            Some(_) | None => self.host.clone(),
        }
    }

    fn is_sorted(&self) -> bool {
        let names: Vec<&str> = self
            .query
            .iter()
            .flat_map(|query| query.split('&'))
            .map(|pair| pair.split_once('=').map_or(pair, |(name, _value)| name))
            .collect();
        names.is_sorted()
    }
}

/// Which URLs tests may rely on.
pub(super) struct Urls {
    pub(super) hosts: Vec<String>,
    pub(super) patterns: Vec<Pattern>,
    pub(super) allow_localhost: bool,
    pub(super) order: QueryOrder,
}

impl Urls {
    /// Why a URL is refused, nothing when it is allowed.
    ///
    /// # Errors
    /// When a pattern cannot be searched within its budget.
    pub(super) fn refuses(&self, url: &Url, text: &str) -> Result<Option<String>, GateError> {
        if url.has_userinfo {
            return Ok(Some("the URL carries a user or a password".to_owned()));
        }
        let local = url.is_local();
        if local && !self.allow_localhost {
            return Ok(Some("the URL is of this machine, which is no service".to_owned()));
        }
        if !local && !self.hosts.contains(&url.authority()) {
            return Ok(Some(format!("the host `{}` is not allowed", url.authority())));
        }
        if !local && !matches!(url.scheme.as_str(), "https" | "wss") {
            return Ok(Some("the URL is not encrypted".to_owned()));
        }
        if self.order == QueryOrder::Sorted && !url.is_sorted() {
            return Ok(Some("the parameters of the query are not sorted by name".to_owned()));
        }
        if self.patterns.is_empty() || any(&self.patterns, text)? {
            return Ok(None);
        }
        Ok(Some("the URL matches none of the allowed patterns".to_owned()))
    }
}

/// A pattern that has to match a whole text.
pub(super) fn full(text: &str) -> Result<Pattern, Fault> {
    // An empty or broken text is refused as it stands, not inside of what is added here.
    Pattern::new(text)?;
    Pattern::new(&format!("^(?:{text})$"))
}

pub(super) fn any(patterns: &[Pattern], text: &str) -> Result<bool, GateError> {
    for pattern in patterns {
        if pattern.matches(text)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The text with `%41` as `A` and `+` as a space. What is not UTF-8 afterwards is replaced, as it is only compared.
pub(super) fn percent_decoded(text: &str) -> String {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (first, digit(after.first()), digit(after.get(1))) {
            (b'%', Some(high), Some(low)) => {
                bytes.extend(u8::try_from(high * 16 + low));
                rest = after.get(2..).unwrap_or_default();
            }
            (b'+', _, _) => bytes.push(b' '),
            (byte, _, _) => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
