use super::*;
use tree::{Command, Item, Kind, Part, Pipeline, Word};

fn word(word: &Word) -> String {
    let parts = word.parts.iter().map(|part| match part {
        Part::Text { text, is_quoted: true } => format!("'{text}'"),
        Part::Text { text, is_quoted: false } => text.clone(),
        Part::Variable { name, operation, .. } => format!("${{{name}{operation}}}"),
        Part::Substitution { list, .. } => format!("$({})", show(list)),
        Part::Process(list) => format!("<({})", show(list)),
        Part::Arithmetic(text) => format!("$(({text}))"),
        Part::Expression(text) => format!("${{{{{text}}}}}"),
        Part::Array(items) => {
            format!("[{}]", items.iter().map(self::word).collect::<Vec<_>>().join(" "))
        }
    });
    parts.collect()
}

fn words(list: &[Word]) -> String {
    list.iter().map(word).collect::<Vec<_>>().join(" ")
}

fn command(command: &Command) -> String {
    let mut text = match &command.kind {
        Kind::Simple(simple) => {
            let set = simple.assignments.iter().map(|set| {
                let plus = if set.is_appended { "+" } else { "" };
                format!("{}{plus}={}", set.name, word(&set.value))
            });
            let run = simple.words.iter().map(word);
            set.chain(run).collect::<Vec<_>>().join(" ")
        }
        Kind::Group(list) => format!("{{{}}}", show(list)),
        Kind::Subshell(list) => format!("({})", show(list)),
        Kind::If { branches, otherwise } => {
            let branches = branches
                .iter()
                .map(|(condition, then)| format!("if {} then {}", show(condition), show(then)));
            let otherwise = otherwise.iter().map(|list| format!("else {}", show(list)));
            branches.chain(otherwise).collect::<Vec<_>>().join(" ")
        }
        Kind::Loop { until, condition, body } => {
            format!(
                "{} {} do {}",
                if *until { "until" } else { "while" },
                show(condition),
                show(body)
            )
        }
        Kind::For { name, words: list, body } => {
            format!("for {name} in {:?} do {}", list.as_deref().map(words), show(body))
        }
        Kind::Counted { body } => format!("for do {}", show(body)),
        Kind::Case { word: subject, arms } => {
            let arms =
                arms.iter().map(|(patterns, list)| format!("{}) {}", words(patterns), show(list)));
            format!("case {} {}", word(subject), arms.collect::<Vec<_>>().join(" ;; "))
        }
        Kind::Function { name, body } => format!("{name}() {}", self::command(body)),
        Kind::Test(list) => format!("[[ {} ]]", words(list)),
        Kind::Arithmetic(text) => format!("(({text}))"),
    };
    for redirect in &command.redirects {
        text.push_str(&format!(" {}{}", redirect.operator, word(&redirect.target)));
    }
    text
}

fn pipeline(pipeline: &Pipeline) -> String {
    let bang = if pipeline.is_negated { "! " } else { "" };
    let commands: Vec<String> = pipeline.commands.iter().map(command).collect();
    format!("{bang}{}", commands.join(" | "))
}

fn item(item: &Item) -> String {
    let mut text = pipeline(&item.first);
    for (connector, next) in &item.rest {
        let sign = if *connector == tree::Connector::And { "&&" } else { "||" };
        text.push_str(&format!(" {sign} {}", pipeline(next)));
    }
    if item.is_background {
        text.push_str(" &");
    }
    text
}

fn show(list: &List) -> String {
    list.items.iter().map(item).collect::<Vec<_>>().join("; ")
}

#[test]
fn scripts_are_read_as_their_shell_reads_them() {
    let table: &[(&str, &str, &str)] = &[
        ("nothing", "\n# only a comment\n", ""),
        ("words and quotes", "a 'b c' \"d e\" f\\ g", "a 'b c' '''d e' f' 'g"),
        ("operators in quotes are words", "echo '|| true' \"&& x\"", "echo '|| true' '''&& x'"),
        ("operators in comments are nothing", "a # || true", "a"),
        ("a hash inside a word is a letter", "a#b c", "a#b c"),
        ("a continuation", "a \\\n  b", "a b"),
        ("a continuation inside a word", "a\\\nb", "ab"),
        ("windows line ends", "a \\\r\n b\r\nc\r\n", "a b; c"),
        ("chains", "a && b || c; d & e", "a && b || c; d &; e"),
        ("a chain over lines", "a &&\n\n # why\n b ||\n c", "a && b || c"),
        ("a pipeline", "a | b |& c", "a | b | c"),
        ("negation", "! a; ! (b)", "! a; ! (b)"),
        ("groups", "{ a; b; } && ( c; d )", "{a; b} && (c; d)"),
        ("a brace in a word", "a {b,c} }", "a {b,c} }"),
        ("if", "if a; then b; elif c; then d; else e; fi", "if a then b if c then d else e"),
        ("while", "while a; do b; done", "while a do b"),
        ("until over lines", "until a\ndo\n b\ndone | c", "until a do b | c"),
        ("for", "for x in a 'b'; do c $x; done", "for x in Some(\"a 'b'\") do c ${x}"),
        ("for over arguments", "for x\ndo c; done", "for x in None do c"),
        ("counted", "for ((i=0; i<3; i++)); do a; done", "for do a"),
        ("case", "case $x in a|b) c;; (*) d ;; esac", "case ${x} a b) c ;; *) d"),
        ("case without a last end", "case x in\n a)\n  b\nesac", "case x a) b"),
        (
            "functions",
            "f() { a; }\nfunction g { b; }; function h() ( c )",
            "f() {a}; g() {b}; h() (c)",
        ),
        (
            "a test",
            "[[ $a == b* && ( -f c || ! d =~ ^(e|f)$ ) ]] && g",
            "[[ ${a} == b* && ( -f c || ! d =~ ^ ( e | f ) $ ) ]] && g",
        ),
        ("arithmetic", "(( a + (b) )) || x=$(( 1 + 2 ))", "(( a + (b) )) || x=$(( 1 + 2 ))"),
        (
            "substitutions",
            "x=$(a | b) `c \\`d\\`` \"$(e \"f\")\"",
            "x=$(a | b) $(c $(d)) ''$(e '''f')",
        ),
        ("a subshell in a substitution", "$( (a); b )", "$((a); b)"),
        ("no arithmetic", "$((a); b)", "$((a); b)"),
        ("processes", "diff <(a) >(b)", "diff <(a) <(b)"),
        (
            "variables",
            "$a ${b} ${c:-d e} ${#f[@]} ${PIPESTATUS[0]} $? \"$@\" $1x",
            "${a} ${b} ${c:-d e} ${f#[@]} ${PIPESTATUS[0]} ${?} ''${@} ${1}x",
        ),
        ("expressions", "a ${{ b == '}}' && c }} \"${{d}}\"", "a ${{ b == '}}' && c }} ''${{d}}"),
        ("assignments", "A=b C=\"d\" e F=g", "A=b C='''d' e F=g"),
        ("arrays", "a=(b \"c\"\n d) e+=(f)", "a=[b '''c' d] e+=[f]"),
        ("redirections", "a >b 2>&1 <c &>d {e}>f", "a >b 2>&1 <c &>d {e}>f"),
        ("here-strings", "a <<<b", "a <<<b"),
        ("here-documents", "a <<X && b\nc || true\nX\nd", "a <<'c || true\n' && b; d"),
        ("quoted here-documents", "a <<'X'\n$(b)\nX\nc", "a <<'$(b)\n'; c"),
        ("expanded here-documents", "a <<-X\n\t$(b) c\n\tX\nd", "a <<'\t'$(b)' c\n'; d"),
        ("two documents", "a <<X <<Y\n1\nX\n2\nY\n", "a <<'1\n' <<'2\n'"),
        ("a document in a group", "{ a <<X\n1\nX\n}; b", "{a <<'1\n'}; b"),
        ("ansi quotes", "a $'b\\'c' $\"d\"", "a 'b'c' '''d'"),
        ("patterns", "a !(b|c) @(d)", "a !(b|c) @(d)"),
        ("a keyword as an argument", "echo if then fi; a done", "echo if then fi; a done"),
        ("a quoted keyword", "'if' a", "'if' a"),
        ("a lone dollar", "a $ \"$\"", "a $ '''$'"),
        ("empty quotes", "a '' \"\"", "a '' ''"),
    ];
    for (case, text, expected) in table {
        let seen = parse(text).map(|list| show(&list));
        assert_eq!(seen.as_deref(), Ok(*expected), "{case}: {text}");
    }
}

#[test]
fn what_is_no_script_is_refused_whole() {
    let deep = "( ".repeat(70) + "a" + &" )".repeat(70);
    let table: &[(&str, &str)] = &[
        ("a quote without end", "a 'b"),
        ("a double quote without end", "a \"b"),
        ("a substitution without end", "a $(b"),
        ("an expression without end", "a ${{ b"),
        ("a group without end", "{ a; "),
        ("an if without end", "if a; then b"),
        ("an if without then", "if a; b; fi"),
        ("a closer without opener", "a; done"),
        ("a stray bracket", "a )"),
        ("an operator without left side", "&& a"),
        ("an operator without right side", "a ||"),
        ("a pipe without right side", "a |"),
        ("a redirection without file", "a >"),
        ("a test without end", "[[ a"),
        ("a bracket inside a command", "a b ( c )"),
        ("too deep", &deep),
    ];
    for (case, text) in table {
        assert!(parse(text).is_err(), "{case}: {:?}", parse(text));
    }
}
