//! Workflows as values, and the one way in which they are written down. It decides nothing.

use std::fmt::Write as _;

/// A workflow.
pub(crate) struct Workflow {
    pub(crate) name: &'static str,
    /// The triggers, as lines below `on:`.
    pub(crate) on: Vec<String>,
    pub(crate) permissions: Permissions,
    pub(crate) group: &'static str,
    /// Whether a newer run ends an older one: `false`, or an expression.
    pub(crate) cancel: &'static str,
    pub(crate) jobs: Vec<Job>,
}

/// Scopes with their levels, which may end in a comment that says what they are for; none at all where there is none.
pub(crate) type Permissions = Vec<(&'static str, &'static str)>;

/// A job.
#[derive(Default)]
pub(crate) struct Job {
    /// What readers of the file should know.
    pub(crate) comment: Option<&'static str>,
    pub(crate) id: String,
    pub(crate) condition: Option<String>,
    pub(crate) needs: Vec<String>,
    pub(crate) timeout_minutes: u32,
    pub(crate) permissions: Option<Permissions>,
    /// An axis with its values.
    pub(crate) matrix: Option<(&'static str, Vec<String>)>,
    pub(crate) env: Vec<(&'static str, String)>,
    pub(crate) steps: Vec<Step>,
}

/// A step: an action with its inputs, or a script.
#[derive(Default)]
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) condition: Option<String>,
    /// `name@commit # version`.
    pub(crate) uses: Option<String>,
    pub(crate) with: Vec<(&'static str, String)>,
    pub(crate) env: Vec<(&'static str, String)>,
    pub(crate) run: Option<String>,
}

/// The image of every job: with its version, since `-latest` is another machine next year.
const IMAGE: &str = "ubuntu-24.04";

impl Workflow {
    /// The text below the header.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("name: {}\n\non:\n", self.name);
        for line in &self.on {
            let _ok = writeln!(text, "  {line}");
        }
        text.push('\n');
        permissions(&mut text, "", &self.permissions);
        let _ok = write!(
            text,
            "\nconcurrency:\n  group: {}\n  cancel-in-progress: {}\n\ndefaults:\n  run:\n    shell: bash\n\njobs:\n",
            self.group, self.cancel
        );
        for (index, job) in self.jobs.iter().enumerate() {
            if index > 0 {
                text.push('\n');
            }
            job.write(&mut text);
        }
        text
    }
}

impl Job {
    fn write(&self, text: &mut String) {
        if let Some(comment) = self.comment {
            let _ok = writeln!(text, "  # {comment}");
        }
        let _ok = writeln!(text, "  {}:", self.id);
        let name = match &self.matrix {
            Some((axis, _)) => format!("{} (${{{{ matrix.{axis} }}}})", self.id),
            None => self.id.clone(),
        };
        let _ok = writeln!(text, "    name: {name}");
        if let Some(condition) = &self.condition {
            let _ok = writeln!(text, "    if: ${{{{ {condition} }}}}");
        }
        if !self.needs.is_empty() {
            let _ok = writeln!(text, "    needs: [{}]", self.needs.join(", "));
        }
        let _ok = writeln!(text, "    runs-on: {IMAGE}");
        let _ok = writeln!(text, "    timeout-minutes: {}", self.timeout_minutes);
        if let Some(scopes) = &self.permissions {
            permissions(text, "    ", scopes);
        }
        if let Some((axis, values)) = &self.matrix {
            let values: Vec<String> = values.iter().map(|value| format!("\"{value}\"")).collect();
            let _ok = write!(
                text,
                "    strategy:\n      fail-fast: false\n      matrix:\n        {axis}: [{}]\n",
                values.join(", ")
            );
        }
        pairs(text, "    ", "env", &self.env);
        text.push_str("    steps:\n");
        for step in &self.steps {
            step.write(text);
        }
    }
}

impl Step {
    fn write(&self, text: &mut String) {
        let _ok = writeln!(text, "      - name: {}", scalar(&self.name));
        if let Some(condition) = &self.condition {
            let _ok = writeln!(text, "        if: ${{{{ {condition} }}}}");
        }
        if let Some(uses) = &self.uses {
            let _ok = writeln!(text, "        uses: {uses}");
        }
        pairs(text, "        ", "with", &self.with);
        pairs(text, "        ", "env", &self.env);
        if let Some(run) = &self.run {
            text.push_str("        run: |\n");
            for line in run.lines() {
                let indent = if line.is_empty() { "" } else { "          " };
                let _ok = writeln!(text, "{indent}{line}");
            }
        }
    }
}

fn permissions(text: &mut String, indent: &str, scopes: &Permissions) {
    if scopes.is_empty() {
        let _ok = writeln!(text, "{indent}permissions: {{}}");
        return;
    }
    let _ok = writeln!(text, "{indent}permissions:");
    for (scope, level) in scopes {
        let _ok = writeln!(text, "{indent}  {scope}: {level}");
    }
}

fn pairs(text: &mut String, indent: &str, key: &str, pairs: &[(&'static str, String)]) {
    if pairs.is_empty() {
        return;
    }
    let _ok = writeln!(text, "{indent}{key}:");
    for (name, value) in pairs {
        let _ok = writeln!(text, "{indent}  {name}: {}", scalar(value));
    }
}

/// A scalar that is read as this text, or as the same number or boolean where an action wants one.
fn scalar(text: &str) -> String {
    let starts = text.starts_with(|first: char| first.is_ascii_alphabetic());
    let rest =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b' ' | b'_' | b'-' | b'.' | b'/' | b',');
    let words = ["y", "n", "yes", "no", "on", "off", "null", "~"];
    let plain = starts
        && text.bytes().all(rest)
        && !text.ends_with(' ')
        && !words.contains(&text.to_ascii_lowercase().as_str());
    let expression = text.starts_with("${{")
        && text.ends_with("}}")
        && !text.contains(": ")
        && !text.contains(" #");
    if plain || expression {
        return text.to_owned();
    }
    // A JSON text is a double-quoted scalar.
    serde_json::Value::String(text.to_owned()).to_string()
}

/// One command as a line of a script.
pub(crate) fn command(argv: &[String]) -> String {
    let words = argv.iter().enumerate().map(|(index, word)| match index {
        // A first word with `=` would be an assignment.
        0 if word.contains('=') => format!("'{}'", word.replace('\'', "'\\''")),
        _ => quoted(word),
    });
    words.collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |b: u8| {
        b.is_ascii_alphanumeric()
            || matches!(b, b'_' | b'-' | b'.' | b'/' | b'=' | b':' | b',' | b'+' | b'@' | b'%')
    };
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_words() {
        let table = [
            ("cargo", "cargo"),
            ("kind(lib) | kind(bin)", "'kind(lib) | kind(bin)'"),
            ("it's", "'it'\\''s'"),
            ("", "''"),
            ("$(id)", "'$(id)'"),
            ("a;b", "'a;b'"),
            ("~/x", "'~/x'"),
            ("--features=a,b", "--features=a,b"),
            ("*", "'*'"),
        ];
        for (word, expected) in table {
            assert_eq!(quoted(word), expected);
        }
    }

    #[test]
    fn scalars_are_read_as_they_were_meant() {
        let table = [
            ("check out", "check out"),
            ("a: b", "\"a: b\""),
            ("2", "\"2\""),
            ("no", "\"no\""),
            ("- x", "\"- x\""),
            ("${{ github.token }}", "${{ github.token }}"),
            ("a #b", "\"a #b\""),
            ("0", "\"0\""),
        ];
        for (text, expected) in table {
            assert_eq!(scalar(text), expected);
        }
    }
}
