//! What a shell does about failures: `errexit` and `pipefail`, as its command line and `set` leave them.

/// The switches of one shell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Options {
    pub(crate) errexit: bool,
    pub(crate) pipefail: bool,
    /// Whether `set` took errexit away; a shell may also never have had it.
    pub(crate) switched_off: bool,
    /// Whether substitutions inherit errexit, as in a POSIX shell.
    pub(crate) is_posix: bool,
}

/// What a `shell:` of a workflow stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shell {
    Posix(Options),
    /// A shell that is not read here.
    Opaque,
}

impl Options {
    /// Reads the value of `shell:`; nothing stands for a step that names none, on Linux and macOS.
    pub(crate) fn of_shell(shell: Option<&str>) -> Shell {
        let base = Self::default();
        let Some(shell) = shell else { return Shell::Posix(Self { errexit: true, ..base }) };
        let mut words = shell.split_whitespace();
        let program = words.next().unwrap_or_default();
        let name = program.rsplit('/').next().unwrap_or(program);
        let rest: Vec<String> = words.map(str::to_owned).collect();
        match (name, rest.as_slice()) {
            ("bash", []) => Shell::Posix(Self { errexit: true, pipefail: true, ..base }),
            ("sh", []) => Shell::Posix(Self { errexit: true, is_posix: true, ..base }),
            ("bash" | "sh" | "dash", flags) => {
                // A template has only the options that it spells.
                let mut options = Self { is_posix: name != "bash", ..base };
                options.set(flags);
                Shell::Posix(options)
            }
            _ => Shell::Opaque,
        }
    }

    /// Applies the words of `set`, or of a shell's command line.
    pub(crate) fn set(&mut self, words: &[String]) {
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let on = match word.chars().next() {
                Some('-') => true,
                Some('+') => false,
                Some(_) | None => return,
            };
            if word == "--" || word == "-" {
                return;
            }
            if word.starts_with("--") {
                continue;
            }
            for flag in word.chars().skip(1) {
                match flag {
                    'e' => self.errexit(on),
                    'o' => self.named(words.next().map_or("", String::as_str), on),
                    _ => {}
                }
            }
        }
    }

    /// Switches an option by its long name.
    pub(crate) fn named(&mut self, name: &str, on: bool) {
        match name {
            "errexit" => self.errexit(on),
            "pipefail" => self.pipefail = on,
            _ => {}
        }
    }

    fn errexit(&mut self, on: bool) {
        self.switched_off = !on && (self.errexit || self.switched_off);
        self.errexit = on;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shells_have_the_options_that_the_provider_gives_them() {
        #[expect(clippy::type_complexity, reason = "one table, one case per row")]
        let table: &[(Option<&str>, Option<(bool, bool)>)] = &[
            (None, Some((true, false))),
            (Some("bash"), Some((true, true))),
            (Some("sh"), Some((true, false))),
            (Some("bash {0}"), Some((false, false))),
            (Some("bash -e {0}"), Some((true, false))),
            (Some("bash --noprofile --norc -eo pipefail {0}"), Some((true, true))),
            (Some("/bin/bash -euo pipefail {0}"), Some((true, true))),
            (Some("bash -e +e {0}"), Some((false, false))),
            (Some("pwsh"), None),
            (Some("python"), None),
            (Some("cmd"), None),
        ];
        for (shell, expected) in table {
            let seen = match Options::of_shell(*shell) {
                Shell::Posix(options) => Some((options.errexit, options.pipefail)),
                Shell::Opaque => None,
            };
            assert_eq!(seen, *expected, "{shell:?}");
        }
    }
}
