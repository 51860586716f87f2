//! Foreign text made harmless in a Markdown comment and in SVG. Leaves out every other medium.

/// Returns the text for a cell of a table or a line: nothing in it opens markup, mentions anyone or breaks the line.
/// Longer than `most` characters it is cut, visibly.
#[must_use]
pub fn cell(text: &str, most: usize) -> String {
    escaped(text, most, |c, out| match c {
        '|' => out.push_str("&#124;"),
        '`' => out.push_str("&#96;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '&' => out.push_str("&amp;"),
        // A mention is recognised in the rendered text too, unless something without width separates its sign.
        '@' => out.push_str("&#64;\u{200b}"),
        // A reference to an issue, a link, emphasis.
        '#' | '*' | '_' | '[' | ']' | '~' | '\\' | '!' => {
            out.push('\\');
            out.push(c);
        }
        c if is_breaking(c) => out.push(' '),
        c => out.push(c),
    })
}

/// Returns the text for a line of its own; the same rules hold.
#[must_use]
pub fn line(text: &str, most: usize) -> String {
    cell(text, most)
}

/// Returns the text for between two backticks, where only backticks and line breaks end it.
pub(super) fn code(text: &str, most: usize) -> String {
    escaped(text, most, |c, out| match c {
        '`' => out.push('\''),
        '@' => out.push_str("@\u{200b}"),
        c if is_breaking(c) => out.push(' '),
        c => out.push(c),
    })
}

/// Returns an address without what ends it, opens markup or mentions anyone.
pub(super) fn url(text: &str, most: usize) -> String {
    let is_plain = |c: &char| c.is_ascii_graphic() && !"<>\"'`|@\\()[]*".contains(*c);
    text.chars().filter(is_plain).take(most).collect()
}

/// Returns the text for an attribute or the content of an SVG element.
pub(super) fn svg(text: &str, most: usize) -> String {
    escaped(text, most, |c, out| match c {
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '&' => out.push_str("&amp;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str("&#39;"),
        c if is_breaking(c) => out.push(' '),
        c => out.push(c),
    })
}

fn escaped(text: &str, most: usize, write: impl Fn(char, &mut String)) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    for c in characters.by_ref().take(most) {
        write(c, &mut out);
    }
    if characters.next().is_some() {
        out.push('…');
    }
    out
}

/// Line breaks of every kind, control characters, and the marks that turn the direction of what follows.
fn is_breaking(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_foreign_opens_anything() {
        let table = [
            ("plain/cold p50", "plain/cold p50"),
            ("a|b", "a&#124;b"),
            ("`x`", "&#96;x&#96;"),
            ("<script>", "&lt;script&gt;"),
            ("-->", "--&gt;"),
            ("@team", "&#64;\u{200b}team"),
            ("a\r\nb\u{2028}c\u{85}d\0", "a  b c d "),
            ("&lt;", "&amp;lt;"),
            ("[a](b)", "\\[a\\](b)"),
            ("#12", "\\#12"),
            ("\u{202e}txt", " txt"),
        ];
        for (text, expected) in table {
            assert_eq!(cell(text, 100), expected, "{text:?}");
        }
        assert_eq!(url("https://a.b/c_d?e=1#f", 99), "https://a.b/c_d?e=1#f");
        assert_eq!(url("https://a b\n<@c>|`", 99), "https://abc");
        assert_eq!(cell("abcdef", 3), "abc…");
        assert_eq!(code("a`b\n@c", 9), "a'b @\u{200b}c");
        assert_eq!(svg("<a b=\"c\">'&", 99), "&lt;a b=&quot;c&quot;&gt;&#39;&amp;");
    }
}
