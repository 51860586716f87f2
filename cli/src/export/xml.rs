//! Text in XML and HTML: what a terminal would obey and what XML forbids is removed, the rest is escaped.

use portcullis::report::human::plain;

/// The text with nothing left in it that ends an element or an attribute.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in plain(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\u{fffe}' | '\u{ffff}' => {}
            c => escaped.push(c),
        }
    }
    escaped
}

/// The text as the value of an attribute, in which a bare line end would become a space.
pub(crate) fn attribute(text: &str) -> String {
    escape(text).replace('\n', "&#10;").replace('\t', "&#9;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t25_no_control_and_no_markup_is_left() {
        let hostile = "a<b>&\"'\u{1b}[31mred\u{0}\u{8}\u{ffff}\u{202e}\u{1b}]8;;http://e\u{7}x";
        assert_eq!(escape(hostile), "a&lt;b&gt;&amp;&quot;&apos;redx");
        assert_eq!(attribute("a\nb\tc"), "a&#10;b&#9;c");
        assert_eq!(escape("]]>"), "]]&gt;");
    }
}
