//! The JSON Schemas of the documents of a run: made from one table of fields, committed, and held against real runs.
//!
//! `PORTCULLIS_BLESS=1 cargo test -p cargo-portcullis --test run schemas` writes them anew.

use super::{Case, checkout, has_nextest, host, sample_target, write};
use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

const TABLE: &str = include_str!("../../../docs/schemas/fields.txt");
/// Documents that the runs below do not write: the suite of the sample product holds them (`tests/demo/views.rs`).
const OF_THE_PRODUCT: [&str; 6] = [
    "closeout_gate",
    "completion_audit",
    "platform_report",
    "practical_finish_checkpoint",
    "preflight_verdict",
    "transcript",
];

/// The schemas, by the noun of the document, and the files of each.
#[derive(Default)]
struct Table {
    schemas: BTreeMap<String, Value>,
    files: BTreeMap<String, Vec<String>>,
}

/// One line of the table: how deep it stands, and what it says.
struct Row<'a> {
    depth: usize,
    text: &'a str,
}

fn table(text: &str) -> Table {
    let rows: Vec<Row<'_>> = text
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
        .map(|line| Row { depth: (line.len() - line.trim_start().len()) / 2, text: line.trim() })
        .collect();
    let mut fragments: BTreeMap<String, Value> = BTreeMap::new();
    let mut bodies: Vec<(&str, bool, &str, &[Row<'_>])> = Vec::new();
    let mut at = 0;
    while at < rows.len() {
        let head = rows[at].text;
        let end = (at + 1..rows.len()).find(|n| rows[*n].depth == 0).unwrap_or(rows.len());
        let body = &rows[at + 1..end];
        at = end;
        if let Some(rest) = head.strip_prefix("words ") {
            let mut words = rest.split(' ');
            let name = words.next().expect("a name").to_owned();
            let words: Vec<&str> = words.map(|word| word.trim_matches('\'')).collect();
            fragments.insert(name, json!({ "enum": words }));
        } else if let Some(name) = head.strip_prefix("fragment ") {
            fragments.insert(name.to_owned(), object(body, &BTreeMap::new()));
        } else {
            let rest = head.strip_prefix("document ").expect("a document");
            let (name, files) = rest.split_once(": ").expect("the files of a document");
            let plain = name.strip_suffix(" header");
            bodies.push((plain.unwrap_or(name), plain.is_some(), files, body));
        }
    }
    let mut table = Table::default();
    for (name, header, files, body) in bodies {
        let mut schema = object(body, &fragments);
        if header {
            schema = joined(&fragments["header"], &schema);
        }
        let id = format!("portcullis.{name}.v1");
        schema["properties"]["schema"] = json!({ "const": id });
        let mut defs = Map::new();
        needed(&schema, &fragments, &mut defs);
        schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
        schema["title"] = json!(id);
        let elsewhere = files.strip_prefix("in a sealed folder: ");
        schema["description"] = json!(match elsewhere {
            Some(files) => format!("In a sealed folder: {files}."),
            None => format!("In a run directory: {files}."),
        });
        if !defs.is_empty() {
            schema["$defs"] = Value::Object(defs);
        }
        table.files.insert(name.to_owned(), files.split(", ").map(str::to_owned).collect());
        table.schemas.insert(name.to_owned(), schema);
    }
    table
}

/// The fragments that a schema refers to, and those that these refer to.
fn needed(schema: &Value, fragments: &BTreeMap<String, Value>, defs: &mut Map<String, Value>) {
    match schema {
        Value::Object(keys) => {
            if let Some(name) = keys.get("$ref").and_then(Value::as_str) {
                let name = name.rsplit('/').next().expect("a name");
                if !defs.contains_key(name) {
                    let fragment =
                        fragments.get(name).unwrap_or_else(|| panic!("no fragment {name}"));
                    defs.insert(name.to_owned(), fragment.clone());
                    needed(fragment, fragments, defs);
                }
            }
            keys.values().for_each(|value| needed(value, fragments, defs));
        }
        Value::Array(items) => items.iter().for_each(|value| needed(value, fragments, defs)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn joined(header: &Value, body: &Value) -> Value {
    let mut whole = body.clone();
    let own = body["properties"].as_object().expect("properties");
    let mut properties = header["properties"].as_object().expect("properties").clone();
    properties.extend(own.clone());
    let mut required: BTreeSet<String> = BTreeSet::new();
    for part in [header, body] {
        let names = part["required"].as_array().expect("names");
        required.extend(names.iter().map(|name| name.as_str().expect("a name").to_owned()));
    }
    whole["properties"] = Value::Object(properties);
    whole["required"] = json!(required);
    whole
}

fn object(rows: &[Row<'_>], fragments: &BTreeMap<String, Value>) -> Value {
    let depth = rows.first().map_or(0, |row| row.depth);
    let (mut properties, mut required) = (Map::new(), BTreeSet::new());
    let mut included = None;
    for (n, row) in rows.iter().enumerate().filter(|(_, row)| row.depth == depth) {
        if let Some(name) = row.text.strip_prefix("include ") {
            included = Some(fragments.get(name).expect("a fragment above"));
            continue;
        }
        let (name, kind) = row.text.split_once(": ").unwrap_or_else(|| panic!("{}", row.text));
        let below = &rows[n + 1..];
        let end = below.iter().position(|row| row.depth <= depth).unwrap_or(below.len());
        let plain = name.trim_end_matches('?');
        if plain == name {
            required.insert(plain.to_owned());
        }
        properties.insert(plain.to_owned(), kinds(kind, &below[..end]));
    }
    let own = json!({ "type": "object", "properties": properties, "required": required });
    included.map_or(own.clone(), |included| joined(included, &own))
}

fn kinds(text: &str, below: &[Row<'_>]) -> Value {
    let all: Vec<Value> = text.split('|').map(|kind| one(kind, below)).collect();
    let words: Vec<&Value> = all.iter().filter_map(|kind| kind.get("const")).collect();
    match all.as_slice() {
        [one] => one.clone(),
        _ if words.len() == all.len() => json!({ "enum": words }),
        _ => json!({ "anyOf": all }),
    }
}

fn one(kind: &str, below: &[Row<'_>]) -> Value {
    let inner = |open: char, close: char| kind.strip_prefix(open)?.strip_suffix(close);
    if let Some(word) = inner('\'', '\'') {
        return json!({ "const": word });
    }
    if let Some(items) = inner('[', ']') {
        return json!({ "type": "array", "items": one(items, below) });
    }
    if let Some(values) = inner('{', '}') {
        return json!({ "type": "object", "additionalProperties": one(values, below) });
    }
    if let Some(name) = kind.strip_prefix('@') {
        return json!({ "$ref": format!("#/$defs/{name}") });
    }
    match kind {
        "string" => json!({ "type": "string" }),
        "int" => json!({ "type": "integer" }),
        "bool" => json!({ "type": "boolean" }),
        "null" => json!({ "type": "null" }),
        "any" => json!(true),
        "digest" => json!({ "type": "string", "pattern": "^[0-9a-f]{64}$" }),
        "time" => json!({ "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z$" }),
        "object" => object(below, &BTreeMap::new()),
        other => panic!("no type `{other}`"),
    }
}

/// The same schema, under which a field that the table does not have is wrong.
fn closed(schema: &Value) -> Value {
    match schema {
        Value::Object(keys) => {
            let mut keys: Map<String, Value> =
                keys.iter().map(|(name, value)| (name.clone(), closed(value))).collect();
            if keys.contains_key("properties") && keys.get("type") == Some(&json!("object")) {
                keys.insert("additionalProperties".to_owned(), json!(false));
            }
            Value::Object(keys)
        }
        Value::Array(items) => Value::Array(items.iter().map(closed).collect()),
        plain @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => {
            plain.clone()
        }
    }
}

/// What holds documents against schemas.
struct Judge {
    schemas: Schemas,
    by_name: BTreeMap<String, SchemaIndex>,
}

impl Judge {
    fn of(table: &Table) -> Self {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        let mut by_name = BTreeMap::new();
        for (name, schema) in &table.schemas {
            let place = format!("file:///{name}.json");
            compiler.add_resource(&place, closed(schema)).expect("a schema");
            let index = compiler.compile(&place, &mut schemas).expect("a schema that compiles");
            by_name.insert(name.clone(), index);
        }
        Self { schemas, by_name }
    }

    /// Why a document is not what its schema says.
    fn faults(&self, document: &Value) -> Option<String> {
        let id = document["schema"].as_str().unwrap_or("no schema");
        let name = id.strip_prefix("portcullis.").and_then(|id| id.strip_suffix(".v1"));
        let Some(index) = name.and_then(|name| self.by_name.get(name)) else {
            return Some(format!("no schema is committed for `{id}`"));
        };
        self.schemas.validate(document, *index).err().map(|wrong| format!("{id}: {wrong:#}"))
    }
}

/// The committed schemas are those of the table.
#[test]
fn the_committed_schemas_are_those_of_the_table() {
    let table = table(TABLE);
    let folder = checkout().join("docs/schemas");
    let bless = host("PORTCULLIS_BLESS").is_some() && host("CI").is_none();
    let mut names = BTreeSet::new();
    for (name, schema) in &table.schemas {
        let path = folder.join(format!("{name}.json"));
        let text = portcullis::wire::artifact::document(schema).expect("a text");
        if bless {
            write(&path, &text);
        }
        let found = fs::read_to_string(&path).unwrap_or_default();
        assert!(found == text, "{} is not what fields.txt says", path.display());
        names.insert(format!("{name}.json"));
    }
    let entries = folder.read_dir().expect("a folder").map(|entry| entry.expect("an entry"));
    let found = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let found: BTreeSet<String> = found.filter(|name| name.ends_with(".json")).collect();
    assert_eq!(found, names, "no schema without its table");
}

/// Every document below a folder, line by line where it is a log.
fn documents(dir: &Path, found: &mut Vec<(String, Value)>) {
    for entry in dir.read_dir().expect("a folder").map(|entry| entry.expect("an entry").path()) {
        let name = entry.display().to_string();
        if entry.is_dir() {
            documents(&entry, found);
        } else if name.ends_with(".json") {
            let text = fs::read_to_string(&entry).expect("a document");
            found.push((name, serde_json::from_str(&text).expect("JSON")));
        } else if name.ends_with(".jsonl") {
            let text = fs::read_to_string(&entry).expect("a log");
            let lines = text.lines().map(|line| serde_json::from_str(line).expect("JSON"));
            found.extend(lines.map(|line| (name.clone(), line)));
        }
    }
}

#[test]
fn every_document_of_real_runs_is_what_its_schema_says() {
    if !has_nextest() {
        return;
    }
    let judge = Judge::of(&table(TABLE));
    let red = Case::new("schemas-red");
    red.runs(
        "fails,panics,aborts,exits,flickers,gate_fails,leaks",
        &["run", "--profile", "full"],
        10,
    );
    let latest = fs::read(sample_target().join("portcullis/latest.json")).expect("a latest");
    let from = red.dir();
    let from = from.to_str().expect("a path");
    let fixed = Case::new("schemas-fixed");
    fixed.runs("", &["run", "--profile", "full", "--diff-from", from, "--correlation-id", "c"], 0);
    let lost = Case::new("schemas-lost");
    lost.runs("gate_exits", &["run", "--profile", "full"], 12);
    let parts = [("gate_fails", "1/2", "schemas-1"), ("gate_fails", "2/2", "schemas-2")];
    let parts = parts.map(|(faults, part, name)| {
        let case = Case::new(name);
        let words = ["run", "--profile", "full", "--shard", part];
        case.command(faults, &words).output().expect("it starts");
        case
    });
    let merged = Case::new("schemas-merged");
    let dirs = parts.each_ref().map(|case| case.dir().display().to_string());
    merged.runs("", &["merge", &dirs[0], &dirs[1]], 11);
    let mut found =
        vec![("latest.json".to_owned(), serde_json::from_slice(&latest).expect("JSON"))];
    for case in [&red, &fixed, &lost, &parts[0], &merged] {
        documents(&case.dir(), &mut found);
    }
    // A folder that no run made, sealed twice.
    let sealed = tempfile::tempdir().expect("a folder");
    write(&sealed.path().join("build.log"), "fine\n");
    let folder = sealed.path().to_str().expect("a path");
    for words in [&["seal", folder][..], &["seal", folder, "--reseal"]] {
        merged.runs("", words, 0);
        documents(sealed.path(), &mut found);
    }
    let mut seen = BTreeSet::new();
    for (name, document) in &found {
        // The census is written as it was committed, which is a document of its own kind.
        if !name.ends_with("expected.json") {
            assert_eq!(judge.faults(document), None, "{name}");
            seen.insert(document["schema"].as_str().expect("a schema").to_owned());
        }
    }
    let here = judge.by_name.keys().filter(|name| !OF_THE_PRODUCT.contains(&name.as_str()));
    let all: BTreeSet<String> = here.map(|name| format!("portcullis.{name}.v1")).collect();
    assert_eq!(seen, all, "each schema was held against a document of a real run");
    // The control: what is taken away, added or of another kind is noticed.
    let (_, summary) = found.iter().find(|(name, _)| name.ends_with("summary.json")).expect("one");
    type Edit = fn(&mut Value);
    let edits: [Edit; 4] = [
        |document| drop(document.as_object_mut().expect("an object").remove("failed_names")),
        |document| document["verdict"] = "fine".into(),
        |document| document["planned"] = "20".into(),
        |document| document["one_more"] = 1.into(),
    ];
    for edit in edits {
        let mut edited = summary.clone();
        edit(&mut edited);
        assert!(judge.faults(&edited).is_some(), "{edited}");
    }
}
