//! The files of one target: its root and the modules it declares out of line. No `cfg` is evaluated.

use super::{Kind, Token, tokens};
use portcullis::{
    Fault, Location, RelPath,
    wire::code::{INPUT_TOO_LARGE, INPUT_UNREADABLE, PATH_REFUSED},
};
use std::collections::BTreeMap;

/// How many files one target may have.
const FILES_MAX: usize = 10_000;

/// A module file of a target.
#[derive(Clone, Debug)]
pub(crate) struct ModuleFile {
    /// The names that lead to it from the root, which itself has none.
    pub(crate) module: Vec<String>,
    pub(crate) tokens: Vec<Token>,
}

/// Reads a root and all its modules through `read`, which answers `None` for an absent file.
///
/// A file that two declarations name is kept under the first name.
///
/// # Errors
/// When a file cannot be read, is not Rust, or a declared module has no file: a part nobody saw may hold anything.
pub(crate) fn module_files(
    root: &RelPath,
    mut read: impl FnMut(&RelPath) -> Result<Option<String>, Fault>,
) -> Result<BTreeMap<RelPath, ModuleFile>, Fault> {
    let mut files = BTreeMap::new();
    let mut waiting = vec![(root.clone(), folder(root))];
    let text = read(root)?.ok_or_else(|| absent(root, &Location::file(root)))?;
    files.insert(root.clone(), ModuleFile { module: Vec::new(), tokens: tokens(root, &text)? });
    while let Some((path, base)) = waiting.pop() {
        let Some(file) = files.get(&path) else { continue };
        let around = file.module.clone();
        let declared = declarations(&file.tokens);
        for declaration in declared {
            let (found, text, base) = declaration.find(&path, &base, &mut read)?;
            if files.contains_key(&found) {
                continue;
            }
            if files.len() >= FILES_MAX {
                let headline = format!("`{root}` has more than {FILES_MAX} module files");
                return Err(Fault::new(INPUT_TOO_LARGE, headline, "split the target"));
            }
            let name = std::iter::once(&declaration.name);
            let module = around.iter().chain(&declaration.inline).chain(name).cloned().collect();
            files.insert(found.clone(), ModuleFile { module, tokens: tokens(&found, &text)? });
            waiting.push((found, base));
        }
    }
    Ok(files)
}

/// A `mod name;`, with the inline modules around it.
struct Declaration {
    name: String,
    inline: Vec<String>,
    path: Option<String>,
    at: Token,
}

impl Declaration {
    /// The file of the module, its text, and the folder its own modules live in.
    fn find(
        &self,
        declared_in: &RelPath,
        base: &str,
        read: &mut impl FnMut(&RelPath) -> Result<Option<String>, Fault>,
    ) -> Result<(RelPath, String, String), Fault> {
        let at = self.at.location(declared_in);
        let folder_of = |start: &str| {
            let parts: Vec<&str> = std::iter::once(start)
                .chain(self.inline.iter().map(String::as_str))
                .filter(|part| !part.is_empty())
                .collect();
            parts.join("/")
        };
        let candidates = match &self.path {
            Some(path) => {
                let start =
                    if self.inline.is_empty() { folder(declared_in) } else { folder_of(base) };
                vec![format!("{start}/{path}")]
            }
            None => {
                let start = folder_of(base);
                vec![format!("{start}/{}.rs", self.name), format!("{start}/{}/mod.rs", self.name)]
            }
        };
        for candidate in &candidates {
            let path = RelPath::parse(&plain(candidate)).map_err(|source| {
                Fault::new(PATH_REFUSED, source.to_string(), "keep modules inside the repository")
                    .at(at.clone())
            })?;
            if let Some(text) = read(&path)? {
                let is_folder = self.path.is_some() || path.file_name() == "mod.rs";
                let base = if is_folder {
                    folder(&path)
                } else {
                    path.as_str().trim_end_matches(".rs").to_owned()
                };
                return Ok((path, text, base));
            }
        }
        Err(absent(&plain(&candidates[0]), &at))
    }
}

/// The files that a source brings in from wherever it likes, by `#[path]` or `include!`, as the places they may be at.
///
/// Below inline modules a `#[path]` starts at a folder that depends on whether its file is a root, so both are named.
pub(crate) fn declared_elsewhere(file: &RelPath, tokens: &[Token]) -> Vec<(Vec<String>, Token)> {
    let here = folder(file);
    let own = file.as_str().trim_end_matches(".rs");
    let mut found = Vec::new();
    for declaration in declarations(tokens) {
        let Some(path) = &declaration.path else { continue };
        let inline = declaration.inline.join("/");
        let starts = if inline.is_empty() {
            vec![here.clone()]
        } else {
            vec![format!("{here}/{inline}"), format!("{own}/{inline}")]
        };
        let places = starts.iter().map(|start| plain(&format!("{start}/{path}"))).collect();
        found.push((places, declaration.at));
    }
    for (index, token) in tokens.iter().enumerate() {
        let after = |n: usize| tokens.get(index + n);
        if token.is_ident("include")
            && after(1).is_some_and(|next| next.is("!"))
            && after(2).is_some_and(|next| next.kind == Kind::Open)
            && let Some(literal) = after(3).filter(|next| next.kind == Kind::Literal)
        {
            let place = plain(&format!("{here}/{}", unquoted(&literal.text)));
            found.push((vec![place], token.clone()));
        }
    }
    found
}

fn absent(path: &impl std::fmt::Display, at: &Location) -> Fault {
    Fault::new(
        INPUT_UNREADABLE,
        format!("the module file `{path}` does not exist"),
        "add it, or remove its declaration",
    )
    .at(at.clone())
}

/// The folder a file is in, empty for the root.
fn folder(path: &RelPath) -> String {
    path.as_str().rsplit_once('/').map_or(String::new(), |(folder, _name)| folder.to_owned())
}

/// Resolves `.` and `..` by name; what climbs out of the tree keeps its `..` and is refused later.
fn plain(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." && parts.last().is_some_and(|last| *last != "..") {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    parts.join("/")
}

fn declarations(tokens: &[Token]) -> Vec<Declaration> {
    let mut found = Vec::new();
    let mut inline: Vec<(String, usize)> = Vec::new();
    let (mut depth, mut path) = (0usize, None);
    for (index, token) in tokens.iter().enumerate() {
        let after = |n: usize| tokens.get(index + n);
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => {
                depth = depth.saturating_sub(1);
                if inline.last().is_some_and(|(_name, at)| *at == depth) {
                    inline.pop();
                }
            }
            Kind::Ident if token.text == "path" && after(1).is_some_and(|next| next.is("=")) => {
                path = after(2)
                    .filter(|next| next.kind == Kind::Literal)
                    .map(|next| unquoted(&next.text));
            }
            Kind::Ident if token.text == "mod" => {
                let Some(name) = after(1).filter(|next| next.kind == Kind::Ident) else { continue };
                if after(2).is_some_and(|next| next.is("{")) {
                    inline.push((name.text.clone(), depth));
                } else if after(2).is_some_and(|next| next.is(";")) {
                    let around = inline.iter().map(|(name, _depth)| name.clone()).collect();
                    found.push(Declaration {
                        name: name.text.clone(),
                        inline: around,
                        path: path.take(),
                        at: token.clone(),
                    });
                }
            }
            Kind::Ident | Kind::Punct | Kind::Literal => {}
        }
        if token.is(";") || token.is("{") {
            path = None;
        }
    }
    found
}

fn unquoted(literal: &str) -> String {
    literal.trim_start_matches('r').trim_matches('#').trim_matches('"').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_followed_as_the_compiler_does() {
        let tree: &[(&str, &str)] = &[
            (
                "tests/a.rs",
                "mod support;\nmod inner { mod leaf; }\n#[path = \"../shared/x.rs\"] pub(crate) mod y;",
            ),
            ("tests/support/mod.rs", "mod deep;"),
            ("tests/support/deep.rs", "mod deeper;"),
            ("tests/support/deep/deeper.rs", "fn a() {}"),
            ("tests/inner/leaf.rs", "fn a() {}"),
            ("shared/x.rs", "mod z;"),
            ("shared/z.rs", "// mod not_this;"),
        ];
        let read = |path: &RelPath| {
            Ok(tree
                .iter()
                .find(|(name, _)| *name == path.as_str())
                .map(|(_, text)| (*text).to_owned()))
        };
        let root = RelPath::parse("tests/a.rs").expect("a path");
        let files = module_files(&root, read).expect("all modules are there");
        let mut expected: Vec<&str> = tree.iter().map(|(name, _)| *name).collect();
        expected.sort_unstable();
        assert_eq!(files.keys().map(RelPath::as_str).collect::<Vec<_>>(), expected);
        let names: Vec<String> = files.values().map(|file| file.module.join("::")).collect();
        assert_eq!(
            names,
            ["y", "y::z", "", "inner::leaf", "support::deep", "support::deep::deeper", "support"]
        );
    }

    #[test]
    fn a_module_that_nobody_can_see_is_an_error() {
        let table: &[(&str, &str, &str)] = &[
            ("no file", "\nmod gone;", "input_unreadable"),
            ("out of the tree", "#[path = \"../../x.rs\"] mod y;", "path_refused"),
        ];
        for (case, text, code) in table {
            let root = RelPath::parse("tests/a.rs").expect("a path");
            let fault = module_files(&root, |path| Ok((path == &root).then(|| (*text).to_owned())))
                .expect_err(case);
            assert_eq!(fault.code().name(), *code, "{case}");
        }
    }
}
