//! Credentials of headers, cookies and queries, which must be placeholders. It judges no shape and no strength.

use super::{CREDENTIAL_NOT_PLACEHOLDER, Report, config::Rules, recording::Interaction, url::Url};

/// Holds every credential of one interaction to the placeholders.
pub(super) fn hold(interaction: &Interaction, rules: &Rules, report: &mut Report<'_>) {
    let parameters = Url::parse(&interaction.url).map(|url| url.parameters()).unwrap_or_default();
    let parameters = parameters.into_iter().chain(interaction.parameters.iter().cloned());
    let mut suspects: Vec<(String, String)> = Vec::new();
    for (name, value) in parameters.filter(|(name, _value)| rules.is_credential_parameter(name)) {
        suspects.push((format!("{}/request/url?{name}", interaction.place), value));
    }
    for (part, headers) in
        [("request", &interaction.request_headers), ("response", &interaction.response_headers)]
    {
        for (name, value) in
            headers.iter().filter(|(name, _value)| rules.is_credential_header(name))
        {
            for value in credentials_of(name, value) {
                suspects.push((format!("{}/{part}/headers/{name}", interaction.place), value));
            }
        }
    }
    for (place, value) in suspects {
        if !rules.placeholders.contains(&value) {
            let message = format!("the credential at `{place}` is not a placeholder");
            let remedy = "replace the value by one of `placeholders`; revoke it if it was real";
            let found = Some(format!("[redacted:{}]", value.len()));
            report.add(CREDENTIAL_NOT_PLACEHOLDER, &place, &message, remedy, found);
        }
    }
}

/// The secret parts of a header: after the scheme of an authorization, and the value of each cookie.
fn credentials_of(name: &str, value: &str) -> Vec<String> {
    let value = value.trim();
    if name.eq_ignore_ascii_case("cookie") {
        let values =
            value.split(';').map(|pair| pair.split_once('=').map_or(pair, |(_, value)| value));
        return values.map(|value| value.trim().to_owned()).collect();
    }
    if name.eq_ignore_ascii_case("set-cookie") {
        let pair = value.split(';').next().unwrap_or(value);
        return vec![pair.split_once('=').map_or(pair, |(_, value)| value).trim().to_owned()];
    }
    const SCHEMES: &[&str] = &["bearer", "basic", "token", "apikey"];
    let secret = match value.split_once(' ') {
        Some((scheme, rest)) if SCHEMES.contains(&scheme.to_ascii_lowercase().as_str()) => {
            rest.trim()
        }
        Some(_) | None => value,
    };
    vec![secret.to_owned()]
}
