//! The argument shim in front of libtest-mimic: every spelling that people and runners use, nothing silent.
//!
//! libtest-mimic exits 2 on a second `--`, `--no-capture` and a second filter (facts M1). Nothing is run here.

use crate::wire::{code::USAGE, fault::Fault};

/// What a gate binary was asked to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invocation {
    /// Print the list instead of running.
    pub list: bool,
    /// The format of list or result.
    pub format: Format,
    /// Filters; a name is selected when any of them matches.
    pub filters: Vec<String>,
    /// Filters that remove.
    pub skips: Vec<String>,
    /// Whether a filter is a whole name.
    pub exact: bool,
    /// Only ignored trials: there are none.
    pub ignored: bool,
    /// Benchmarks were asked for: there are none.
    pub bench: bool,
    /// One character per trial.
    pub quiet: bool,
    /// Print what passing gates said, too.
    pub show_output: bool,
    /// Worker threads, where given.
    pub test_threads: Option<usize>,
    /// `auto`, `always` or `never`.
    pub color: Option<Color>,
    /// Print the usage.
    pub help: bool,
}

/// How lists and results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Pretty,
    /// One character per trial; a list has no summary.
    Terse,
    /// For programs.
    Json,
}

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What `--help` prints.
pub const HELP: &str = "\
Usage: cargo test --test <gate binary> -- [FILTER...] [OPTIONS]

Arguments:
  [FILTER...]              run the gates whose name contains any FILTER; a second `--` is allowed

Options:
      --list               list the gates; with `--format json` with their metadata
      --exact              a FILTER is a whole name; exit 3 when none matches
      --skip FILTER        leave out what contains FILTER; such a run cannot certify
      --nocapture, --no-capture, --show-output
                           print what passing gates said, too
      --format FORMAT      pretty, terse or json
  -q, --quiet              the same as `--format terse`
      --test-threads N     run N gates at a time
      --color WHEN         auto, always or never
  -h, --help               print this

Exit codes: 0 pass, 2 usage or configuration, 3 nothing matched or nothing linked, 101 a gate failed.
";

impl Invocation {
    /// Reads the words after the program name.
    ///
    /// # Errors
    /// `usage` for a word that nothing here understands, with the nearest one.
    pub fn parse(words: impl IntoIterator<Item = String>) -> Result<Self, Fault> {
        let mut found = Self::default();
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let (name, inline) = match word.split_once('=') {
                Some((name, value)) if name.starts_with("--") => {
                    (name.to_owned(), Some(value.to_owned()))
                }
                Some(_) | None => (word.clone(), None),
            };
            if found.flag(&name, inline.is_some()) {
                continue;
            }
            if !TAKES_VALUE.contains(&name.as_str()) {
                if name.starts_with('-') && name.len() > 1 {
                    return Err(unknown(&word));
                }
                found.filters.push(word);
                continue;
            }
            let Some(value) = inline.or_else(|| words.next()) else {
                return Err(usage(format!("`{name}` needs a value")));
            };
            found.option(&name, &value)?;
        }
        Ok(found)
    }

    /// Applies a word without value; false when it is none.
    fn flag(&mut self, name: &str, has_value: bool) -> bool {
        if has_value {
            return false;
        }
        match name {
            "--list" => self.list = true,
            "--exact" => self.exact = true,
            "--ignored" => self.ignored = true,
            "--bench" => self.bench = true,
            "--nocapture" | "--no-capture" | "--show-output" => self.show_output = true,
            "-q" | "--quiet" => (self.quiet, self.format) = (true, Format::Terse),
            "-h" | "--help" => self.help = true,
            // `--test` is the default; no gate is ignored; a second `--` is what people type. Order and
            // timing are cargo test habits that change nothing here.
            "--" | "--test" | "--include-ignored" | "--shuffle" | "--report-time"
            | "--ensure-time" => {}
            _ => return false,
        }
        true
    }

    fn option(&mut self, name: &str, value: &str) -> Result<(), Fault> {
        match name {
            "--format" => {
                self.format = match value {
                    "pretty" => Format::Pretty,
                    "terse" => Format::Terse,
                    "json" => Format::Json,
                    _ => {
                        return Err(usage(format!(
                            "`{value}` is not a format: pretty, terse or json"
                        )));
                    }
                }
            }
            "--skip" => self.skips.push(value.to_owned()),
            "--color" => {
                self.color = Some(match value {
                    "auto" => Color::Auto,
                    "always" => Color::Always,
                    "never" => Color::Never,
                    _ => {
                        return Err(usage(format!(
                            "`{value}` is not a choice of colour: auto, always or never"
                        )));
                    }
                });
            }
            "--test-threads" => match value.parse::<usize>() {
                Ok(n) if n > 0 => self.test_threads = Some(n),
                Ok(_) | Err(_) => {
                    return Err(usage(format!("`{value}` is not a number of threads, at least 1")));
                }
            },
            // Unstable flags and seeds of libtest change nothing here.
            _ => {}
        }
        Ok(())
    }

    /// Whether a name is selected by filters and skips.
    #[must_use]
    pub fn selects(&self, name: &str) -> bool {
        let hit = |filter: &String| {
            if self.exact { name == filter } else { name.contains(filter.as_str()) }
        };
        (self.filters.is_empty() || self.filters.iter().any(hit)) && !self.skips.iter().any(hit)
    }

    /// Whether everything is selected.
    #[must_use]
    pub fn is_unfiltered(&self) -> bool {
        self.filters.is_empty() && self.skips.is_empty()
    }
}

const TAKES_VALUE: &[&str] =
    &["--format", "--skip", "--color", "--test-threads", "-Z", "--shuffle-seed", "--logfile"];
const KNOWN: &[&str] = &[
    "--list",
    "--exact",
    "--ignored",
    "--include-ignored",
    "--nocapture",
    "--no-capture",
    "--show-output",
    "--quiet",
    "--help",
    "--format",
    "--skip",
    "--color",
    "--test-threads",
    "--test",
    "--bench",
];

fn usage(headline: String) -> Fault {
    Fault::new(USAGE, headline, "see `--help`")
}

fn unknown(word: &str) -> Fault {
    let near = crate::kernel::near::near(word, KNOWN.iter().copied());
    let remedy = near.first().map_or_else(
        || "see `--help`".to_owned(),
        |name| format!("write `{name}`, or see `--help`"),
    );
    Fault::new(
        USAGE,
        format!("`{}` is not an option of a gate binary", word.escape_debug()),
        remedy,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Invocation, Fault> {
        Invocation::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn every_documented_spelling_is_read() {
        let exact = |filters: &[&str]| Invocation {
            exact: true,
            show_output: true,
            filters: filters.iter().map(|f| (*f).to_owned()).collect(),
            ..Invocation::default()
        };
        let table: &[(&str, &str, Invocation)] = &[
            ("as nextest runs", "--exact gate --nocapture", exact(&["gate"])),
            ("the other order", "gate --nocapture --exact", exact(&["gate"])),
            ("a second separator", "gate -- --nocapture --exact", exact(&["gate"])),
            ("the newer spelling", "gate --no-capture --exact", exact(&["gate"])),
            ("several filters", "a b --exact --nocapture", exact(&["a", "b"])),
        ];
        for (case, line, expected) in table {
            assert_eq!(parse(line).as_ref(), Ok(expected), "{case}");
        }
        let list = parse("--list --format=terse --ignored").expect("as nextest lists");
        assert_eq!((list.list, list.format, list.ignored), (true, Format::Terse, true));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for (line, part) in [
            ("--exakt gate", "write `--exact`"),
            ("--format yaml", "not a format"),
            ("--test-threads 0", "at least 1"),
            ("--skip", "needs a value"),
            ("--list=yes", "not an option"),
        ] {
            let fault = parse(line).expect_err(line).to_string();
            assert!(fault.contains(part), "{line}: {fault}");
        }
    }

    #[test]
    fn filters_select_by_part_or_by_whole_name() {
        let part = parse("suite").expect("a filter");
        let whole = parse("suite --exact").expect("a filter");
        let skip = parse("--skip suite").expect("a filter");
        assert_eq!(
            (part.selects("full_suite"), whole.selects("full_suite"), skip.selects("full_suite")),
            (true, false, false)
        );
        assert!(!skip.is_unfiltered(), "a run that leaves something out is filtered");
    }
}
