//! The home folder in texts: a record says where a file was, not who works there. It touches no file.

use memchr::memmem;
use std::borrow::Cow;

/// What stands for the home folder.
const MARK: &str = "~";

/// The home folder as programs write it.
#[derive(Clone, Debug, Default)]
pub struct Home {
    spellings: Vec<String>,
}

impl Home {
    /// The folder that a variable names; one that is no absolute path, or the root of everything, stands for nothing.
    #[must_use]
    pub fn new(folder: &str) -> Self {
        let folder = folder.trim_end_matches(['/', '\\']);
        let is_drive = |text: &str| text.len() == 2 && text.ends_with(':');
        let is_absolute = folder.starts_with('/')
            || (folder.get(1..2) == Some(":") && matches!(folder.get(2..3), Some("/" | "\\")));
        if !is_absolute || is_drive(folder) {
            return Self::default();
        }
        let mut spellings = vec![folder.to_owned()];
        if folder.contains('\\') {
            // As JSON has it, and as tools do that know one separator.
            spellings.extend([folder.replace('\\', "\\\\"), folder.replace('\\', "/")]);
        }
        Self { spellings }
    }

    /// The text with `~` in place of the folder, wherever it stands as a whole.
    #[must_use]
    pub fn shorten<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut shortened = Cow::Borrowed(text);
        for spelling in &self.spellings {
            if let Some(text) = shorten(&shortened, spelling) {
                shortened = Cow::Owned(text);
            }
        }
        shortened
    }
}

fn shorten(text: &str, folder: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let is_name =
        |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.".contains(byte) || *byte >= 0x80;
    let stands_alone = |at: &usize| {
        let before = at.checked_sub(1).and_then(|at| bytes.get(at));
        // A full stop after a folder ends a sentence as often as it goes on with a name, and a name says less than a person.
        let after = bytes.get(at + folder.len()).filter(|byte| **byte != b'.');
        !before.is_some_and(is_name) && !after.is_some_and(is_name)
    };
    let found = memmem::find_iter(bytes, folder.as_bytes()).filter(stands_alone);
    let (mut shortened, mut end) = (String::new(), 0);
    for at in found {
        shortened.push_str(text.get(end..at)?);
        shortened.push_str(MARK);
        end = at + folder.len();
    }
    (end > 0).then(|| shortened + text.get(end..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_shortened_where_it_stands_as_a_whole() {
        let home = Home::new("/home/ann/");
        for (text, expected) in [
            ("/home/ann", "~"),
            ("at /home/ann/src/lib.rs:3:4", "at ~/src/lib.rs:3:4"),
            ("{\"path\":\"/home/ann\",\"x\":\"/home/ann/y\"}", "{\"path\":\"~\",\"x\":\"~/y\"}"),
            ("path+file:///home/ann/repo#x", "path+file://~/repo#x"),
            ("PATH=/home/ann/bin:/usr/bin:/home/ann", "PATH=~/bin:/usr/bin:~"),
            ("it is in /home/ann.", "it is in ~."),
            // Another person, another folder, and a folder of the same name further down.
            ("/home/anna/x", "/home/anna/x"),
            ("/home/ann-2/x", "/home/ann-2/x"),
            ("/home/ann\u{e9}", "/home/ann\u{e9}"),
            ("/mnt/home/ann/x", "/mnt/home/ann/x"),
            ("../home/ann", "../home/ann"),
            ("", ""),
        ] {
            assert_eq!(home.shorten(text), expected, "{text}");
        }
    }

    #[test]
    fn a_folder_with_backslashes_is_known_in_every_spelling() {
        let home = Home::new("C:\\Users\\ann");
        for (text, expected) in [
            ("C:\\Users\\ann\\x", "~\\x"),
            ("{\"p\":\"C:\\\\Users\\\\ann\\\\x\"}", "{\"p\":\"~\\\\x\"}"),
            ("C:/Users/ann/x", "~/x"),
            ("C:\\Users\\anna", "C:\\Users\\anna"),
        ] {
            assert_eq!(home.shorten(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_folder_of_anybody_stands_for_nothing() {
        for folder in ["", "/", "//", "C:", "C:\\", "ann", "~", "."] {
            let text = "/ C:\\x ann ~ . //";
            assert_eq!(Home::new(folder).shorten(text), text, "{folder}");
        }
    }
}
