//! A contract over one artifact: what its table says, and how the artifact is held against it.
//! Which artifact that is, and what its absence means, is decided by the kinds that use it.

use super::{
    EXPR_FALSE, FIELD_MISSING, RULE_BROKEN, SCHEMA_MISMATCH,
    cel::{self, CelTable, Expression},
    freshness::{self, Facts, Fields, Freshness},
    rule::{Looking, Rule, RuleTable, Unusable, pointer},
};
use crate::{
    document::{self, Format, Sequence},
    json_path::Pointer,
    json_value::shown,
};
use portcullis::{
    Fault, File, Finding, Findings, GateContext, GateError, GateTable, Location,
    evidence::json::Kept,
    wire::code::{CONFIG_INVALID, FRESHNESS_UNSTATED},
};
use serde_json::Value;
use std::fmt;
use toml::Spanned;

/// What a contract says, as it stands in `portcullis.toml`.
#[derive(Clone, Default)]
pub(crate) struct Terms {
    pub(crate) schema: Option<Spanned<String>>,
    pub(crate) required: Vec<Spanned<String>>,
    pub(crate) rules: Vec<Spanned<RuleTable>>,
    pub(crate) cel: Vec<Spanned<CelTable>>,
    pub(crate) contains: Vec<Spanned<String>>,
    pub(crate) max_lines: Option<usize>,
    pub(crate) freshness: Option<Freshness>,
    pub(crate) run_id_field: Option<Spanned<String>>,
    pub(crate) commit_field: Option<Spanned<String>>,
    pub(crate) time_field: Option<Spanned<String>>,
    pub(crate) inputs_field: Option<Spanned<String>>,
    pub(crate) seq_field: Option<Spanned<String>>,
}

/// A contract, ready to look.
pub(crate) struct Contract {
    format: Format,
    schema: Option<(String, Location)>,
    required: Vec<(Pointer, Location)>,
    rules: Vec<(Rule, Location)>,
    expressions: Vec<(Expression, Location)>,
    contains: Vec<(String, Location)>,
    max_lines: Option<usize>,
    freshness: Freshness,
    fields: Fields,
    seq: Pointer,
    /// What of a record anything here looks at.
    kept: Kept,
}

/// What was seen of an artifact.
pub(crate) struct Seen {
    /// How many documents or records were held against the contract.
    pub(crate) items: usize,
    pub(crate) facts: Facts,
    pub(crate) schema: Option<String>,
    /// Whether it is as new as stated.
    pub(crate) fresh: bool,
}

/// Where findings about one artifact go; it remembers whether there were any.
pub(crate) struct Report<'o> {
    pub(crate) out: &'o mut Findings,
    pub(crate) artifact: String,
    /// The code of the first finding.
    pub(crate) problem: Option<String>,
}

impl<'o> Report<'o> {
    pub(crate) fn new(out: &'o mut Findings, artifact: &str) -> Self {
        Self { out, artifact: artifact.to_owned(), problem: None }
    }

    pub(crate) fn push(&mut self, finding: Finding) {
        self.problem.get_or_insert_with(|| finding.code.clone());
        self.out.push(finding);
    }
}

impl Terms {
    /// Makes the contract ready to look.
    ///
    /// # Errors
    /// Whatever in it cannot be used, each with its line.
    pub(crate) fn compile(
        &self,
        format: Format,
        variable: &'static str,
        table: &GateTable,
    ) -> Result<Contract, Vec<Fault>> {
        let mut faults = Faults { table, faults: Vec::new() };
        if format == Format::Text && self.has_structure() {
            let remedy = "state `format`, or keep to `contains` and `max_lines`";
            faults.refuse("a text artifact has no fields to test", remedy);
        }
        if format != Format::Text && (!self.contains.is_empty() || self.max_lines.is_some()) {
            let remedy = "use `rules`, or state `format = \"text\"`";
            faults.refuse("`contains` and `max_lines` are for text artifacts", remedy);
        }
        if !self.freshness.as_ref().is_some_and(Freshness::states_something) {
            let remedy =
                "state `freshness`, for example `{ max_age = \"7d\" }` or `{ same_run = true }`";
            let headline = "an artifact contract does not say how old the artifact may be";
            faults
                .faults
                .push(Fault::new(FRESHNESS_UNSTATED, headline, remedy).at(table.location.clone()));
        }
        let schema = self.schema.as_ref();
        let schema = schema.map(|id| (id.get_ref().clone(), faults.locate(id.span().start)));
        let required = faults.each(&self.required, |text| pointer(text));
        let rules = faults.each(&self.rules, RuleTable::compile);
        let expressions = faults.each(&self.cel, |table| cel::compile(table, variable));
        let contains = faults.each(&self.contains, |text| Ok(text.clone()));
        let fields = Fields {
            run_id: faults.pointers(self.run_id_field.as_ref(), &["/run_id"]),
            commit: faults.pointers(self.commit_field.as_ref(), &["/source/commit", "/git_sha"]),
            time: faults.pointers(self.time_field.as_ref(), &["/generated_at"]),
            inputs: faults.pointers(self.inputs_field.as_ref(), &["/inputs_digest"]),
        };
        let seq = faults.pointers(self.seq_field.as_ref(), &["/seq"]).into_iter().next();
        match (faults.faults.is_empty(), self.freshness.clone(), seq) {
            (true, Some(freshness), Some(seq)) => {
                let contract = Contract {
                    format,
                    schema,
                    required,
                    rules,
                    expressions,
                    contains,
                    max_lines: self.max_lines,
                    freshness,
                    fields,
                    seq,
                    kept: Kept::everything(),
                };
                Ok(Contract { kept: contract.looked_at(), ..contract })
            }
            _ => Err(faults.faults),
        }
    }

    fn has_structure(&self) -> bool {
        self.schema.is_some()
            || !self.required.is_empty()
            || !self.rules.is_empty()
            || !self.cel.is_empty()
    }
}

/// Collects what is wrong with a table.
struct Faults<'t> {
    table: &'t GateTable,
    faults: Vec<Fault>,
}

impl Faults<'_> {
    fn locate(&self, offset: usize) -> Location {
        self.table.locate(offset)
    }

    fn refuse(&mut self, headline: &str, remedy: &str) {
        self.faults
            .push(Fault::new(CONFIG_INVALID, headline, remedy).at(self.table.location.clone()));
    }

    fn each<T, R>(
        &mut self,
        items: &[Spanned<T>],
        compile: impl Fn(&T) -> Result<R, Unusable>,
    ) -> Vec<(R, Location)> {
        let mut ready = Vec::new();
        for item in items {
            let place = self.locate(item.span().start);
            match compile(item.get_ref()) {
                Ok(compiled) => ready.push((compiled, place)),
                Err(why) => {
                    self.faults.push(Fault::new(why.code, why.headline, why.remedy).at(place))
                }
            }
        }
        ready
    }

    fn pointers(&mut self, stated: Option<&Spanned<String>>, defaults: &[&str]) -> Vec<Pointer> {
        match stated {
            Some(text) => {
                let text = std::slice::from_ref(text);
                self.each(text, |text| pointer(text))
                    .into_iter()
                    .map(|(pointer, _)| pointer)
                    .collect()
            }
            None => defaults.iter().filter_map(|text| Pointer::parse(text)).collect(),
        }
    }
}

impl Contract {
    /// The parts of a document that any part of the contract looks at.
    fn looked_at(&self) -> Kept {
        if !self.expressions.is_empty() {
            // An expression may look at anything.
            return Kept::everything();
        }
        let mut kept = Kept::nothing();
        kept.member("schema").whole();
        self.seq.keep(&mut kept);
        let Fields { run_id, commit, time, inputs } = &self.fields;
        for pointer in [run_id, commit, time, inputs].into_iter().flatten() {
            pointer.keep(&mut kept);
        }
        for (pointer, _) in &self.required {
            pointer.keep(&mut kept);
        }
        for (rule, _) in &self.rules {
            rule.keep(&mut kept);
        }
        kept.merged()
    }

    /// Holds an artifact that exists against the contract.
    ///
    /// # Errors
    /// When it cannot be read, or a rule cannot look.
    pub(crate) fn examine(
        &self,
        cx: &GateContext<'_>,
        file: &File<'_>,
        report: &mut Report<'_>,
    ) -> Result<Seen, GateError> {
        let mut looking = Looking::new(cx.now());
        let mut facts = Facts::default();
        let mut schema = None;
        let mut items = 0;
        match self.format {
            Format::Jsonl => {
                let mut sequence = Sequence::default();
                document::each_kept_record(file, &self.kept, |line, record| {
                    let path = file.path().as_str();
                    sequence.next(self.seq.one(record), path, line)?;
                    items += 1;
                    facts.take(&self.fields, record, line);
                    note_schema(&mut schema, record);
                    self.hold(record, line, &mut looking, report)
                })?;
            }
            Format::Text => {
                let text = file.text()?;
                items = usize::from(!text.trim().is_empty());
                facts.take_from_text(&self.fields, &text);
                self.hold_text(&text, report);
            }
            Format::Json | Format::Toml => {
                let document = document::read(file, self.format)?;
                items = 1;
                facts.take(&self.fields, &document, 0);
                note_schema(&mut schema, &document);
                self.hold(&document, 0, &mut looking, report)?;
            }
        }
        // Of nothing there is nothing to say; the harness makes it `nothing_examined`.
        let fresh = items > 0 && freshness::judge(cx, &self.freshness, &facts, file, report)?;
        Ok(Seen { items, facts, schema, fresh })
    }

    /// Holds one document or record; `line` is 0 for a document.
    fn hold(
        &self,
        document: &Value,
        line: u32,
        looking: &mut Looking,
        report: &mut Report<'_>,
    ) -> Result<(), Fault> {
        let place = Place(line);
        if let Some((expected, location)) = &self.schema {
            self.hold_schema(document, expected, location, &place, report);
        }
        for (pointer, location) in &self.required {
            if pointer.one(document).is_some() {
                continue;
            }
            let selection = pointer.select(document);
            for missing in selection.missing.iter().chain(&selection.empty) {
                let subject = format!("{}#{missing}", report.artifact);
                let message = format!(
                    "required field `{missing}` does not exist in `{}`{place}",
                    report.artifact
                );
                report.push(
                    Finding::new(
                        FIELD_MISSING,
                        subject,
                        message,
                        "produce the artifact with this field",
                    )
                    .at(location.clone()),
                );
            }
        }
        for (rule, location) in &self.rules {
            let mut violations = Vec::new();
            rule.look(document, looking, &mut violations)
                .map_err(|fault| fault.at(location.clone()))?;
            for violation in violations {
                let subject = format!("{}#{}", report.artifact, violation.path);
                let message = format!(
                    "`{}` of `{}` breaks the rule `{}`{place}",
                    violation.path, report.artifact, violation.rule
                );
                report.push(
                    Finding::new(violation.code, subject, message, REMEDY)
                        .at(location.clone())
                        .expected(violation.expected)
                        .found(violation.found),
                );
            }
        }
        self.hold_expressions(document, &place, report)
    }

    /// Holds a document against the expressions alone.
    pub(crate) fn hold_expressions(
        &self,
        document: &Value,
        place: &dyn fmt::Display,
        report: &mut Report<'_>,
    ) -> Result<(), Fault> {
        for (expression, location) in &self.expressions {
            let holds =
                expression.evaluate(document).map_err(|fault| fault.at(location.clone()))?;
            if !holds {
                let message = format!("the expression is false of `{}`{place}", report.artifact);
                report.push(
                    Finding::new(
                        EXPR_FALSE,
                        format!("{}#{}", report.artifact, expression.text()),
                        message,
                        REMEDY,
                    )
                    .at(location.clone())
                    .expected(expression.text()),
                );
            }
        }
        Ok(())
    }

    /// FG-41: the id is compared as a whole; `x.v10` is not `x.v1`.
    fn hold_schema(
        &self,
        document: &Value,
        expected: &str,
        location: &Location,
        place: &Place,
        report: &mut Report<'_>,
    ) {
        let found = document.get("schema");
        if found.and_then(Value::as_str) != Some(expected) {
            let found = found.map_or_else(|| "no `schema`".to_owned(), shown);
            let subject = format!("{}#/schema", report.artifact);
            let message = format!("`{}` has another schema{place}", report.artifact);
            let remedy =
                "produce it with the tool that writes this schema, or follow the new schema";
            report.push(
                Finding::new(SCHEMA_MISMATCH, subject, message, remedy)
                    .at(location.clone())
                    .expected(expected)
                    .found(found),
            );
        }
    }

    fn hold_text(&self, text: &str, report: &mut Report<'_>) {
        for (expected, location) in &self.contains {
            if !text.contains(expected.as_str()) {
                let subject = format!("{}#{expected}", report.artifact);
                report.push(
                    Finding::new(
                        RULE_BROKEN,
                        subject,
                        "the text does not contain what it must",
                        REMEDY,
                    )
                    .at(location.clone())
                    .expected(expected.as_str()),
                );
            }
        }
        let lines = text.lines().count();
        if let Some(max) = self.max_lines
            && lines > max
        {
            let artifact = report.artifact.clone();
            report.push(
                Finding::new(RULE_BROKEN, &artifact, "the text has too many lines", REMEDY)
                    .at(Location::file(&artifact))
                    .expected(format!("at most {max}"))
                    .found(lines.to_string()),
            );
        }
    }
}

const REMEDY: &str = "correct what the artifact is about and produce it again, or correct the rule";

fn note_schema(schema: &mut Option<String>, document: &Value) {
    let found = document.get("schema").and_then(Value::as_str);
    if schema.as_deref() != found {
        *schema = found.map(str::to_owned);
    }
}

/// The line of a record in a message; nothing for a document. Written out only where something is wrong.
struct Place(u32);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => Ok(()),
            line => write!(f, " (line {line})"),
        }
    }
}
