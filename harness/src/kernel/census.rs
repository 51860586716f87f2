//! `portcullis.lock`: the roster of gates that must leave a receipt. Leaves out who may bless it.

use super::policy::GateTable;
use crate::wire::{
    code::{CENSUS_DIFFERS, CENSUS_GATE_EXTRA, CENSUS_GATE_MISSING, CENSUS_INVALID},
    fault::{Fault, Location},
    id::{Digest, GateId},
    ordered::{VecMap, VecSet},
    outcome::Lane,
    text::joined,
};
use serde::Serialize;
use std::{borrow::Cow, fmt::Write as _};

const FILE: &str = "portcullis.lock";
const HEADER: [&str; 2] = [
    "# portcullis census v1: every gate that must leave a receipt.",
    "# Written by `cargo portcullis census --bless`; its diff is the review.",
];
const REMEDY: &str = "run `cargo portcullis census --bless` and review the diff";

/// The census.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "audit", derive(serde::Deserialize))]
pub struct Census {
    /// One row per gate, sorted by id.
    pub rows: Vec<CensusRow>,
}

/// One gate of the census.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "audit", derive(serde::Deserialize))]
pub struct CensusRow {
    /// The gate.
    pub id: GateId,
    /// Its kind, `rust` for a gate written in Rust.
    pub kind: String,
    /// The gate binary that holds it.
    pub binary: String,
    /// The lanes in which it blocks.
    pub lanes: Vec<Lane>,
    /// Whether it blocks.
    pub blocking: bool,
    /// Who answers for it.
    pub owner: String,
    /// Digest of its policy table.
    pub digest: Digest,
}

impl CensusRow {
    fn of(gate: &GateTable) -> Self {
        let common = &gate.common;
        Self {
            id: common.id.clone(),
            kind: gate.kind_name().to_owned(),
            binary: common.binary.clone(),
            lanes: common.lanes.clone(),
            blocking: common.blocking,
            owner: common.owner.clone(),
            digest: gate.digest(),
        }
    }

    fn fields(&self) -> [(&'static str, String); 6] {
        [
            ("kind", escaped(&self.kind).into_owned()),
            ("binary", escaped(&self.binary).into_owned()),
            ("lanes", joined(self.lanes.iter().map(|lane| lane.name()), ",")),
            ("blocking", if self.blocking { "yes" } else { "no" }.to_owned()),
            ("owner", escaped(&self.owner).into_owned()),
            ("digest", self.digest.to_string()),
        ]
    }

    fn line(&self) -> String {
        let mut line = String::with_capacity(160 + self.binary.len() + self.owner.len());
        line.push_str(self.id.as_str());
        for (name, value) in self.fields() {
            line.push(' ');
            line.push_str(name);
            line.push('=');
            line.push_str(&value);
        }
        line
    }

    /// One object of [`Census::document`].
    fn render(&self, text: &mut String) {
        text.push_str("    {\n      \"binary\": ");
        quoted(&self.binary, text);
        text.push_str(",\n      \"blocking\": ");
        text.push_str(if self.blocking { "true" } else { "false" });
        text.push_str(",\n      \"digest\": ");
        quoted(&self.digest.to_string(), text);
        text.push_str(",\n      \"id\": ");
        quoted(self.id.as_str(), text);
        text.push_str(",\n      \"kind\": ");
        quoted(&self.kind, text);
        text.push_str(",\n      \"lanes\": [");
        for (n, lane) in self.lanes.iter().enumerate() {
            text.push_str(if n == 0 { "\n        " } else { ",\n        " });
            quoted(lane.name(), text);
        }
        text.push_str(if self.lanes.is_empty() { "]" } else { "\n      ]" });
        text.push_str(",\n      \"owner\": ");
        quoted(&self.owner, text);
        text.push_str("\n    }");
    }

    fn parse(line: &str) -> Result<Self, String> {
        let mut words = line.split(' ');
        let id =
            GateId::parse(words.next().unwrap_or_default()).map_err(|error| error.to_string())?;
        let mut field = |name: &str| -> Result<String, String> {
            let word = words.next().ok_or_else(|| format!("`{name}` is absent"))?;
            let value = word.strip_prefix(name).and_then(|rest| rest.strip_prefix('='));
            let value = value.ok_or_else(|| {
                format!("`{name}=` is expected, `{}` stands there", word.escape_debug())
            })?;
            // One row has one spelling, so that a diff of the file is a diff of the roster.
            unescaped(value)
                .filter(|text| escaped(text) == value)
                .ok_or_else(|| format!("`{name}` is not escaped as it should be"))
        };
        let row = Self {
            id,
            kind: field("kind")?,
            binary: field("binary")?,
            lanes: lanes(&field("lanes")?)?,
            blocking: match field("blocking")?.as_str() {
                "yes" => true,
                "no" => false,
                other => {
                    return Err(format!(
                        "`blocking` is `yes` or `no`, not `{}`",
                        other.escape_debug()
                    ));
                }
            },
            owner: field("owner")?,
            digest: Digest::parse(&field("digest")?).map_err(|error| error.to_string())?,
        };
        match words.next() {
            None => Ok(row),
            Some(_) => Err("the row is not spelt as it would be written".to_owned()),
        }
    }
}

/// Appends a JSON string.
fn quoted(text: &str, out: &mut String) {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\') {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&serde_json::Value::from(text).to_string());
    }
}

/// The one line of a gate in lines that are sorted by id, found by halving.
fn row_text<'a>(body: &'a str, id: &str) -> Option<&'a str> {
    let name = |line: &'a str| line.split(' ').next().unwrap_or_default();
    // Both are the first byte of a line, or the end.
    let (mut low, mut high) = (0, body.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let bytes = body.as_bytes();
        let start = bytes[..middle].iter().rposition(|byte| *byte == b'\n').map_or(0, |n| n + 1);
        let end = middle + bytes[middle..].iter().position(|byte| *byte == b'\n')?;
        let line = body.get(start..end)?;
        match name(line).cmp(id) {
            std::cmp::Ordering::Less => low = end + 1,
            std::cmp::Ordering::Greater => high = start,
            std::cmp::Ordering::Equal => {
                let before = body[..start].lines().next_back().map(name);
                let after = body[end + 1..].lines().next().map(name);
                return (before != Some(id) && after != Some(id)).then_some(line);
            }
        }
    }
    None
}

fn lanes(text: &str) -> Result<Vec<Lane>, String> {
    let lane = |name: &str| {
        Lane::parse(name).ok_or_else(|| format!("`{}` is no lane", name.escape_debug()))
    };
    text.split(',').map(lane).collect()
}

/// Percent-escapes blanks, control characters and `%`, so that a field is one word.
fn escaped(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'%') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '%' || c.is_whitespace() || c.is_control() {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                // Writing to a String cannot fail.
                let _ok = write!(out, "%{byte:02x}");
            }
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

fn unescaped(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        if *first == b'%' {
            let pair = std::str::from_utf8(tail.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(pair, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

impl Census {
    /// The census of these gates.
    #[must_use]
    pub fn of<'a>(gates: impl IntoIterator<Item = &'a GateTable>) -> Self {
        let rows: VecMap<GateId, CensusRow> =
            gates.into_iter().map(|gate| (gate.common.id.clone(), CensusRow::of(gate))).collect();
        Self { rows: rows.into_values().collect() }
    }

    /// Reads a census.
    ///
    /// # Errors
    /// `census_invalid` with the line: no header, a torn end, unsorted, twice, unknown or absent fields.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let refused = |line: usize, headline: String| {
            let line = u32::try_from(line).unwrap_or(u32::MAX);
            Fault::new(CENSUS_INVALID, headline, REMEDY).at(Location::at(FILE, line, 0))
        };
        let lines: Vec<&str> = text.lines().collect();
        for (n, header) in HEADER.iter().enumerate() {
            if lines.get(n) != Some(header) {
                let found =
                    lines.get(n).copied().unwrap_or("nothing").chars().take(80).collect::<String>();
                return Err(refused(n + 1, "the census does not begin with its header".to_owned())
                    .expected(*header)
                    .found(found));
            }
        }
        if !text.ends_with('\n') {
            return Err(refused(lines.len(), "the last line of the census is torn".to_owned()));
        }
        let mut rows: Vec<CensusRow> = Vec::with_capacity(lines.len());
        for (n, line) in lines.iter().enumerate().skip(HEADER.len()) {
            let row = CensusRow::parse(line).map_err(|why| refused(n + 1, why))?;
            match rows.last() {
                Some(last) if last.id == row.id => {
                    return Err(refused(n + 1, format!("`{}` stands in the census twice", row.id)));
                }
                Some(last) if last.id > row.id => {
                    return Err(refused(
                        n + 1,
                        format!("the census is not sorted: `{}` after `{}`", row.id, last.id),
                    ));
                }
                Some(_) | None => rows.push(row),
            }
        }
        Ok(Self { rows })
    }

    /// The rows of these gates, without a look at the others; `None` where only [`Census::parse`] can say what is there.
    ///
    /// A row that is not where it belongs, that stands beside its double, or that is not spelt as it should be is
    /// never returned.
    #[must_use]
    pub fn rows_of<'a>(text: &str, ids: impl Iterator<Item = &'a str>) -> Option<Vec<CensusRow>> {
        let body = HEADER.iter().try_fold(text, |rest, header| {
            rest.strip_prefix(header).and_then(|rest| rest.strip_prefix('\n'))
        })?;
        if !body.ends_with('\n') {
            return None;
        }
        ids.map(|id| row_text(body, id).and_then(|line| CensusRow::parse(line).ok())).collect()
    }

    /// The file.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = HEADER.join("\n");
        text.push('\n');
        for row in &self.rows {
            text.push_str(&row.line());
            text.push('\n');
        }
        text
    }

    /// The census as a JSON document, byte for byte what [`crate::wire::artifact::document`] makes of it.
    ///
    /// Every run of a gate binary writes one. By way of a tree of values it was the most expensive step of running
    /// a single gate among many.
    #[must_use]
    pub fn document(&self) -> String {
        let mut text = String::with_capacity(64 + self.rows.len() * 320);
        text.push_str("{\n  \"rows\": [");
        for (n, row) in self.rows.iter().enumerate() {
            text.push_str(if n == 0 { "\n" } else { ",\n" });
            row.render(&mut text);
        }
        text.push_str(if self.rows.is_empty() { "]\n}\n" } else { "\n  ]\n}\n" });
        text
    }

    /// The row of a gate.
    #[must_use]
    pub fn row(&self, id: &GateId) -> Option<&CensusRow> {
        self.rows.binary_search_by(|row| row.id.cmp(id)).ok().map(|n| &self.rows[n])
    }

    /// Everything in which the gates at hand differ from this committed census.
    #[must_use]
    pub fn compare(&self, actual: &Self) -> Vec<Fault> {
        let gone: Vec<&CensusRow> =
            self.rows.iter().filter(|row| actual.row(&row.id).is_none()).collect();
        let extra: Vec<&CensusRow> =
            actual.rows.iter().filter(|row| self.row(&row.id).is_none()).collect();
        let mut faults = Vec::new();
        let mut renamed: VecSet<&GateId> = VecSet::new();
        for row in gone {
            let heir =
                extra.iter().find(|other| is_renamed(row, other) && !renamed.contains(&other.id));
            let headline = match heir {
                Some(other) => {
                    renamed.insert(&other.id);
                    format!("gate `{}` of the census is now called `{}`", row.id, other.id)
                }
                None => format!("gate `{}` of the census is neither configured nor linked", row.id),
            };
            let remedy = "restore the gate, or link the crate that declares it; else bless the census and have it reviewed";
            faults.push(Fault::new(CENSUS_GATE_MISSING, headline, remedy).at(self.place(&row.id)));
        }
        for row in extra.into_iter().filter(|row| !renamed.contains(&row.id)) {
            let headline = format!("gate `{}` is not in the census", row.id);
            faults.push(Fault::new(CENSUS_GATE_EXTRA, headline, REMEDY).at(Location::file(FILE)));
        }
        for row in &self.rows {
            if let Some(other) = actual.row(&row.id) {
                faults.extend(self.differences(row, other));
            }
        }
        faults
    }

    fn differences(&self, before: &CensusRow, after: &CensusRow) -> Vec<Fault> {
        if before == after {
            return Vec::new();
        }
        let pairs = before.fields().into_iter().zip(after.fields());
        let differing = pairs.filter(|((_, old), (_, new))| old != new);
        differing
            .map(|((name, old), (_, new))| {
                let headline =
                    format!("gate `{}`: `{name}` is not the one of the census", before.id);
                Fault::new(CENSUS_DIFFERS, headline, REMEDY)
                    .at(self.place(&before.id))
                    .expected(old)
                    .found(new)
            })
            .collect()
    }

    fn place(&self, id: &GateId) -> Location {
        let row = self.rows.partition_point(|row| row.id < *id);
        Location::at(FILE, u32::try_from(row + HEADER.len() + 1).unwrap_or(u32::MAX), 0)
    }
}

/// The digest of a table leaves its id out; only a gate in Rust without a table has its id in it.
fn is_renamed(row: &CensusRow, other: &CensusRow) -> bool {
    row.digest == other.digest && row.kind == other.kind
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn row(id: &str) -> CensusRow {
        CensusRow {
            id: GateId::parse(id).expect("an id"),
            kind: "command".to_owned(),
            binary: "gates".to_owned(),
            lanes: vec![Lane::Pr, Lane::Main],
            blocking: true,
            owner: "release team".to_owned(),
            digest: Digest::of(id.as_bytes()),
        }
    }

    fn census(ids: &[&str]) -> Census {
        Census { rows: ids.iter().map(|id| row(id)).collect() }
    }

    #[test]
    fn the_document_is_the_one_that_serde_would_write() {
        let hostile = CensusRow {
            owner: "a \"team\" \\ of\ttwo\u{1}, caf\u{e9}".to_owned(),
            lanes: Vec::new(),
            blocking: false,
            ..row("c")
        };
        let several = Census { rows: vec![row("a"), row("b"), hostile] };
        for (case, census) in
            [("empty", Census::default()), ("one", census(&["a"])), ("several", several)]
        {
            let expected = crate::wire::artifact::document(&census).expect("a document");
            assert_eq!(census.document(), expected, "{case}");
        }
    }

    #[test]
    fn a_few_rows_are_found_without_the_others() {
        let ids = ["a", "a_b", "ab", "b", "c_1", "c_10", "d", "z"];
        let text = census(&ids).render();
        for few in [&ids[..], &["a"], &["z"], &["c_1", "c_10"], &[]] {
            let rows = Census::rows_of(&text, few.iter().copied());
            assert_eq!(rows, Some(census(few).rows), "{few:?}");
        }
        let table: Vec<(&str, String, &str)> = vec![
            ("no such row", text.clone(), "e"),
            ("a part of a name", text.clone(), "c_"),
            ("an empty file", String::new(), "a"),
            ("another version", text.replace("v1", "v2"), "a"),
            ("a torn last line", text.trim_end().to_owned(), "a"),
            ("a row twice", text.replace("\nc_10 ", "\nc_1 "), "c_1"),
            ("not where it belongs", text.replace("\na ", "\nx "), "x"),
            ("misspelt", text.replace("owner=release%20team", "owner=release%20%74eam"), "a"),
            ("a field too many", text.replace("\nb ", "\nb more=1 "), "b"),
        ];
        for (case, text, id) in table {
            assert_eq!(Census::rows_of(&text, [id].into_iter()), None, "{case}");
        }
        let torn_elsewhere = text.replace("\nd ", "\nD more=1 ");
        assert_eq!(Census::rows_of(&torn_elsewhere, ["b"].into_iter()), Some(census(&["b"]).rows));
    }

    #[test]
    fn a_census_is_refused_with_its_line() {
        let good = census(&["a", "b"]).render();
        let table: Vec<(&str, String, u32)> = vec![
            ("an empty file", String::new(), 1),
            ("another version", good.replace("v1", "v2"), 1),
            ("a torn last line", good.trim_end().to_owned(), 4),
            ("rows out of order", good.replace("\na ", "\nc "), 4),
            ("a row twice", good.replace("\nb ", "\na "), 4),
            ("an unknown field", good.replace("blocking=", "bloking="), 3),
            ("an absent field", good.replace(" owner=release%20team", ""), 3),
            ("a field too many", good.replace("blocking=yes", "blocking=yes x=y"), 3),
            ("a word that is neither yes nor no", good.replace("=yes", "=true"), 3),
            ("an unknown lane", good.replace("pr,main", "pr,prod"), 3),
            ("no lane", good.replace("pr,main", ""), 3),
            ("an id that is none", good.replace("\na ", "\nA "), 3),
            ("another spelling of the same row", good.replace("%20", "%2520"), 0),
            ("an empty line", good.replace("\nb ", "\n\nb "), 4),
        ];
        for (case, text, line) in table {
            match Census::parse(&text) {
                Err(fault) => assert_eq!(
                    fault.location().map(|place| place.line),
                    Some(line),
                    "{case}: {fault}"
                ),
                // `%2520` is another owner, not another spelling.
                Ok(parsed) => {
                    assert!(line == 0 && parsed != census(&["a", "b"]), "{case}: accepted")
                }
            }
        }
    }

    #[test]
    fn the_comparison_names_what_changed() {
        let committed = census(&["a", "b", "c"]);
        let codes = |actual: &Census| -> Vec<&str> {
            committed.compare(actual).iter().map(|fault| fault.code().name()).collect()
        };
        assert_eq!(codes(&committed), Vec::<&str>::new());
        assert_eq!(codes(&census(&["a", "b"])), ["census_gate_missing"]);
        assert_eq!(codes(&census(&["a", "b", "c", "d"])), ["census_gate_extra"]);
        let mut weaker = committed.clone();
        weaker.rows[1].blocking = false;
        let faults = committed.compare(&weaker);
        assert_eq!((faults[0].expected_text(), faults[0].found_text()), (Some("yes"), Some("no")));
        let mut renamed = committed.clone();
        renamed.rows[2].id = GateId::parse("z").expect("an id");
        let faults = committed.compare(&renamed);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(
            faults[0].headline().contains("`c`") && faults[0].headline().contains("`z`"),
            "{}",
            faults[0]
        );
    }

    proptest! {
        #[test]
        fn a_census_reads_back_what_it_writes(
            rows in proptest::collection::btree_map("[a-z][a-z0-9_]{0,8}", ("\\PC{1,12}", any::<bool>(), 1usize..4), 0..6)
        ) {
            let rows = rows.into_iter().map(|(id, (owner, blocking, lanes))| CensusRow {
                owner,
                blocking,
                lanes: Lane::ALL[..lanes].to_vec(),
                ..row(&id)
            });
            let census = Census { rows: rows.collect() };
            prop_assert_eq!(Census::parse(&census.render()).expect("read back"), census);
        }
    }
}
