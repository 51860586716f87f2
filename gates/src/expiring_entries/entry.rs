//! One entry of a table with its own rules: fields, dates, span, id and season.

use super::{
    Config, ENTRY_EXPIRED, ENTRY_EXPIRING, ENTRY_INVALID, ENTRY_SPAN_EXCEEDED, ENTRY_UNKNOWN_ID,
};
use crate::{
    calendar::{Season, days, local_date, season},
    toml_file::{TomlFile, in_file_order},
};
use portcullis::{Code, Day, Finding, Findings, GateContext};
use std::collections::{BTreeMap, BTreeSet};
use toml::{
    Spanned,
    de::{DeString, DeTable, DeValue},
};

/// A name and its two dates, as far as they could be read.
pub(super) struct Entry {
    name: String,
    offset: usize,
    created: Option<(Day, usize)>,
    expires: Option<(Day, usize)>,
}

impl Entry {
    /// Reads the fields; whatever is wrong with them is reported, in every lane.
    pub(super) fn read(
        config: &Config,
        file: &TomlFile,
        name: &Spanned<DeString<'_>>,
        value: &Spanned<DeValue<'_>>,
        out: &mut Findings,
    ) -> Self {
        let mut entry = Self {
            name: name.get_ref().to_string(),
            offset: name.span().start,
            created: None,
            expires: None,
        };
        let Some(fields) = value.get_ref().as_table() else {
            out.push(entry.invalid(
                file,
                entry.offset,
                "is not a table".to_owned(),
                "write it as a table",
            ));
            return entry;
        };
        entry.texts(config, file, fields, out);
        let (created, expires) =
            (config.created.as_deref().unwrap_or(""), config.expires.as_deref().unwrap_or(""));
        entry.created = entry.date(file, fields, created, out);
        entry.expires = entry.date(file, fields, expires, out);
        entry
    }

    fn texts(&self, config: &Config, file: &TomlFile, fields: &DeTable<'_>, out: &mut Findings) {
        let dates: BTreeSet<&str> =
            [&config.created, &config.expires].into_iter().flatten().map(String::as_str).collect();
        let texts: BTreeMap<&str, bool> = config
            .optional
            .iter()
            .map(|name| (name.as_str(), false))
            .chain(
                config.required.iter().chain(config.enums.keys()).map(|name| (name.as_str(), true)),
            )
            .collect();
        for name in
            texts.iter().filter(|(_name, required)| **required).map(|(name, _required)| name)
        {
            if !fields.contains_key(*name) {
                out.push(self.invalid(
                    file,
                    self.offset,
                    format!("has no `{name}`"),
                    "add the field",
                ));
            }
        }
        for (key, value) in in_file_order(fields) {
            let (name, at): (&str, usize) = (key.get_ref(), key.span().start);
            let text = value.get_ref().as_str();
            if dates.contains(name) {
                continue;
            }
            if !texts.contains_key(name) {
                out.push(self.invalid(
                    file,
                    at,
                    format!("has the field `{name}`, which nothing reads"),
                    "remove it",
                ));
            } else if text.is_none_or(|text| text.trim().is_empty()) {
                out.push(self.invalid(
                    file,
                    at,
                    format!("has no text in `{name}`"),
                    "write a text",
                ));
            } else if let Some(allowed) = config.enums.get(name)
                && !allowed.iter().any(|value| Some(value.as_str()) == text)
            {
                let what = format!("has another `{name}` than allowed");
                out.push(
                    self.invalid(file, at, what, "use one of the allowed texts")
                        .expected(allowed.join(", ")),
                );
            }
        }
    }

    fn date(
        &self,
        file: &TomlFile,
        fields: &DeTable<'_>,
        name: &str,
        out: &mut Findings,
    ) -> Option<(Day, usize)> {
        let Some(value) = fields.get(name) else {
            out.push(self.invalid(
                file,
                self.offset,
                format!("has no `{name}`"),
                "add the day, as 2026-05-31",
            ));
            return None;
        };
        let at = value.span().start;
        let Some(datetime) = value.get_ref().as_datetime() else {
            let what = format!("has no date in `{name}`");
            out.push(self.invalid(file, at, what, "write the day without quotes, as 2026-05-31"));
            return None;
        };
        match local_date(datetime) {
            Ok(day) => Some((day, at)),
            Err(why) => {
                out.push(
                    self.invalid(
                        file,
                        at,
                        format!("has no day in `{name}`"),
                        "write the day, as 2026-05-31",
                    )
                    .found(why),
                );
                None
            }
        }
    }

    /// Judges id, span and season.
    pub(super) fn judge(
        &self,
        cx: &GateContext<'_>,
        config: &Config,
        file: &TomlFile,
        known: Option<&BTreeSet<String>>,
        is_touched: bool,
        out: &mut Findings,
    ) {
        if let Some(known) = known.filter(|known| !known.contains(&self.name)) {
            let near = portcullis::kernel::near::near(&self.name, known.iter().map(String::as_str));
            let finding = self.finding(
                ENTRY_UNKNOWN_ID,
                file,
                self.offset,
                "names something that does not exist".to_owned(),
                "correct the name, or remove the entry",
            );
            out.push(if near.is_empty() {
                finding
            } else {
                finding.expected(format!("perhaps {}", near.join(" or ")))
            });
        }
        if let (Some((created, at)), Some((expires, _))) = (self.created, self.expires) {
            self.span(config, file, created, expires, at, out);
            if created > cx.today() {
                out.push(self.invalid(
                    file,
                    at,
                    format!("was created on {created}, after today"),
                    "correct the day",
                ));
            }
        }
        if let Some((expires, at)) = self.expires {
            let warn_days = i64::from(config.warn_days.unwrap_or(0));
            self.season(
                season(expires, cx.today(), cx.lane(), warn_days, is_touched),
                expires,
                file,
                at,
                out,
            );
        }
    }

    fn span(
        &self,
        config: &Config,
        file: &TomlFile,
        created: Day,
        expires: Day,
        at: usize,
        out: &mut Findings,
    ) {
        let (span, max) =
            (expires.days_since(created), i64::from(config.max_span_days.unwrap_or(0)));
        if span < 0 {
            out.push(self.invalid(
                file,
                at,
                "ends before it was created".to_owned(),
                "correct the days",
            ));
        } else if span > max {
            out.push(
                self.finding(
                    ENTRY_SPAN_EXCEEDED,
                    file,
                    at,
                    format!("lasts {}", days(span)),
                    "shorten it",
                )
                .expected(format!("at most {}", days(max))),
            );
        }
    }

    fn season(&self, season: Season, expires: Day, file: &TomlFile, at: usize, out: &mut Findings) {
        let remedy = "mend what it excuses, or renew it with a reason";
        match season {
            Season::Valid => {}
            Season::Expiring(left) => {
                let what = format!("ends in {}, on {expires}", days(left));
                out.push(self.finding(ENTRY_EXPIRING, file, at, what, remedy).advisory());
            }
            Season::Grace(over) => {
                let what = format!("ended {} ago, on {expires}", days(over));
                out.push(self.finding(ENTRY_EXPIRED, file, at, what, remedy).advisory());
            }
            Season::Expired(over) => {
                let what = format!("ended {} ago, on {expires}", days(over));
                out.push(self.finding(ENTRY_EXPIRED, file, at, what, remedy));
            }
        }
    }

    fn invalid(&self, file: &TomlFile, offset: usize, what: String, remedy: &str) -> Finding {
        self.finding(ENTRY_INVALID, file, offset, what, remedy)
    }

    fn finding(
        &self,
        code: Code,
        file: &TomlFile,
        offset: usize,
        what: String,
        remedy: &str,
    ) -> Finding {
        Finding::new(code, &self.name, format!("the entry `{}` {what}", self.name), remedy)
            .at(file.locate(offset))
    }
}
