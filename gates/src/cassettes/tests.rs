//! Tables over the cassettes: shapes of secrets, URLs, models, times, references, and the two text formats.

use super::{
    teeth::{CONFIG, GOOD, TEST},
    *,
};
use portcullis::{
    GateTable, Outcome,
    testing::{Bench, Seen, run},
};

const PLACEHOLDER: &str = "REDACTED";

fn seen(cassette: &str) -> Seen {
    run(&CASSETTES, CONFIG, &[("cassettes/chat.json", cassette), TEST])
}

/// Every text that a report would show.
fn shown(seen: &Seen) -> String {
    format!("{:?} {:?} {:?}", seen.looked, seen.output, seen.messages)
}

#[test]
fn teeth_bite() {
    assert_eq!(portcullis::testing::teeth(&CASSETTES), Vec::<String>::new());
}

#[test]
fn t15_secrets_are_found_by_shape_and_never_shown() {
    let key = "-----BEGIN RSA PRIVATE KEY-----\\nMIIEvQIBADANBgkq\\n-----END RSA PRIVATE KEY-----";
    let table: &[(&str, &str, &str)] = &[
        ("a GitHub token", "ghp_0123456789abcdefghijABCDEFGHIJ012345", "GitHub token"),
        ("an AWS key", "AKIA0123456789ABCDEF", "AWS access key"),
        ("a private key", key, "private key"),
        ("a JSON web token", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "JSON web token"),
        ("a bearer in prose", "send Bearer abc123def456 with it", "bearer token"),
        ("a URL with a password", "postgres://user:hunter2@db.example.com/x", "password in a URL"),
        ("a secret key", "sk-ant-0123456789abcdefghij", "secret key"),
        ("percent-encoded", "x=%67hp_0123456789abcdefghijABCDEFGHIJ012345", "GitHub token"),
        ("base64", "Z2hwXzAxMjM0NTY3ODlhYmNkZWZnaGlqQUJDREVGR0hJSjAxMjM0NQ==", "GitHub token"),
        ("a JSON escape", "\\u0067hp_0123456789abcdefghijABCDEFGHIJ012345", "GitHub token"),
        (
            "JSON in a text",
            "{\\\"k\\\": \\\"\\\\u0067hp_0123456789abcdefghijABCDEFGHIJ012345\\\"}",
            "GitHub token",
        ),
        (
            "a key of an object",
            "x\", \"ghp_0123456789abcdefghijABCDEFGHIJ012345\": \"y",
            "GitHub token",
        ),
    ];
    for (case, text, shape) in table {
        let cassette = GOOD.replace(
            "\"body\": {\"model\"",
            &format!("\"body\": {{\"echo\": \"{text}\", \"model\""),
        );
        assert_ne!(cassette, GOOD, "{case}");
        let seen = seen(&cassette);
        assert_eq!(seen.codes, ["secret_in_cassette"], "{case}: {:?}", seen.messages);
        assert_eq!(seen.messages, [format!("a {shape} stands in the cassette")], "{case}");
        let all = shown(&seen);
        assert!(all.contains("[redacted:"), "{case}: {all}");
        for secret in ["0123456789", "MIIEvQ", "eyJzdWIi", "abc123def456", "hunter2", "Z2hwXzAx"] {
            assert!(!all.contains(secret), "{case}: {all}");
        }
    }
}

#[test]
fn what_only_looks_like_a_secret_is_let_through() {
    let table: &[&str] = &[
        "Bearer REDACTED",
        "a bearer of bad news, bearers of all kinds",
        "ask-me-anything-about-the-weather-today",
        "task-0123456789abcdefghijkl",
        "AKIA is how such a key begins",
        "https://example.com/a:b@c",
        "https://example.com/path?at=user@example.com",
        "ghp_short",
        "eyJub3QiOiJhIHRva2VuIn0",
    ];
    let placeholders = [PLACEHOLDER.to_owned()];
    for text in table {
        let hits: Vec<&str> =
            secret::scan_encoded(text, &placeholders).into_iter().map(|hit| hit.shape).collect();
        assert_eq!(hits, Vec::<&str>::new(), "{text}");
    }
}

#[test]
fn a_fault_of_the_parser_quotes_no_secret() {
    let twice = "{\"ghp_0123456789abcdefghijABCDEFGHIJ012345\": 1, \"ghp_0123456789abcdefghijABCDEFGHIJ012345\": 2}";
    let unknown = GOOD.replace("\"scenario\"", "\"ghp_0123456789abcdefghijABCDEFGHIJ012345\"");
    for (case, text, code) in [
        ("a key twice", twice, "duplicate_key"),
        ("an unknown member", unknown.as_str(), "cassette_invalid"),
    ] {
        let seen = seen(text);
        assert_eq!((seen.outcome, seen.code.as_deref()), (Outcome::Error, Some(code)), "{case}");
        assert!(!shown(&seen).contains("0123456789"), "{case}: {}", shown(&seen));
    }
}

#[test]
fn a_search_for_secrets_grows_with_the_text_only() {
    // A quadratic search over either would take minutes.
    for text in [
        "eyJ.".repeat(500_000),
        "bearer ".repeat(200_000),
        "-----BEGIN PRIVATE KEY-----".repeat(50_000),
    ] {
        let _hits = secret::scan(&text, &[]);
    }
}

#[test]
fn urls_are_matched_strictly() {
    let table: &[(&str, &str, &[&str])] = &[
        ("as allowed", "https://api.example.com/v1/chat?a=1&b=2", &[]),
        ("the default port", "https://api.example.com:443/v1/chat", &["cassette_url_refused"]),
        ("another port", "https://api.example.com:8443/v1/chat", &["cassette_url_refused"]),
        (
            "a host in front",
            "https://evil.example/https://api.example.com/v1/chat",
            &["cassette_url_refused"],
        ),
        ("another path", "https://api.example.com/v2/chat", &["cassette_url_refused"]),
        ("not encrypted", "http://api.example.com/v1/chat", &["cassette_url_refused"]),
        ("this machine", "http://localhost:8080/v1/chat", &["cassette_url_refused"]),
        ("this machine by number", "http://127.0.0.1/v1/chat", &["cassette_url_refused"]),
        ("a user", "https://user@api.example.com/v1/chat", &["cassette_url_refused"]),
        ("a fragment", "https://api.example.com/v1/chat#x", &["cassette_url_refused"]),
        ("no scheme", "api.example.com/v1/chat", &["cassette_url_refused"]),
        (
            "a query out of order",
            "https://api.example.com/v1/chat?b=1&a=2",
            &["cassette_url_refused"],
        ),
        (
            "a key in the query",
            "https://api.example.com/v1/chat?key=abcd",
            &["credential_not_placeholder"],
        ),
        ("a placeholder in the query", "https://api.example.com/v1/chat?key=REDACTED", &[]),
    ];
    for (case, url, expected) in table {
        let cassette = GOOD.replace("https://api.example.com/v1/chat?a=1&b=2", url);
        assert_eq!(seen(&cassette).codes, *expected, "{case}");
    }
    let refused = seen(&GOOD.replace(
        "https://api.example.com/v1/chat?a=1&b=2",
        "https://x:hunter2@h.example/?key=hunter3",
    ));
    assert!(!shown(&refused).contains("hunter"), "{}", shown(&refused));
    let free = CONFIG
        .replace("hosts = ", "allow_localhost = true\nquery_order = 'free'\nhosts = ")
        .replace("https://api", "https?://(localhost:80|api");
    let free = free.replace("example\\.com/v1", "example\\.com)/v1");
    let local = GOOD
        .replace("https://api.example.com/v1/chat?a=1&b=2", "http://localhost:80/v1/chat?b=1&a=2");
    assert_eq!(
        run(&CASSETTES, &free, &[("cassettes/chat.json", &local), TEST]).codes,
        Vec::<String>::new()
    );
}

#[test]
fn a_host_is_allowed_as_a_whole_or_not_at_all() {
    let pattern = CONFIG.lines().find(|line| line.starts_with("urls")).expect("the patterns");
    let config = CONFIG.replace(pattern, "");
    let table: &[(&str, &str, Option<&str>)] = &[
        ("as listed", "https://api.example.com/anything", None),
        ("in capitals", "https://API.example.com/anything", None),
        ("with the port of its scheme", "https://api.example.com:443/x", None),
        ("with another port", "https://api.example.com:444/x", Some("is not allowed")),
        ("with something behind", "https://api.example.com.evil.example/x", Some("is not allowed")),
        ("with something before", "https://evilapi.example.com/x", Some("is not allowed")),
        ("with a dot behind", "https://api.example.com./x", Some("is not allowed")),
        ("as a user of another", "https://api.example.com@evil.example/x", Some("a user")),
        ("with a user of its own", "https://me@api.example.com/x", Some("a user")),
        ("not encrypted", "http://api.example.com/x", Some("not encrypted")),
        ("of another scheme", "ftp://api.example.com/x", Some("scheme")),
        ("this machine", "https://127.9.9.9/x", Some("this machine")),
        ("this machine by another name", "https://a.localhost/x", Some("this machine")),
        ("this machine in version six", "https://[::1]:8080/x", Some("this machine")),
    ];
    for (case, url, refused) in table {
        let cassette = GOOD.replace("https://api.example.com/v1/chat?a=1&b=2", url);
        let seen = run(&CASSETTES, &config, &[("cassettes/chat.json", &cassette), TEST]);
        match refused {
            None => assert_eq!(seen.outcome, Outcome::Pass, "{case}: {:?}", seen.messages),
            Some(why) => {
                assert_eq!(seen.codes, ["cassette_url_refused"], "{case}");
                assert!(seen.messages[0].contains(why), "{case}: {:?}", seen.messages);
            }
        }
    }
}

#[test]
fn the_model_that_was_asked_is_the_one_that_answered() {
    let ask = "{\"model\": \"large-2\"}";
    let table: &[(&str, &str, &str, &[&str])] = &[
        ("an alias answered", ask, ask, &[]),
        (
            "another was asked",
            ask,
            "{\"model\": \"huge-9\"}",
            &["cassette_model_mismatch", "cassette_model_mismatch"],
        ),
        ("none was asked", ask, "{}", &["cassette_model_mismatch"]),
        (
            "a number was asked",
            ask,
            "{\"model\": 4}",
            &["cassette_model_mismatch", "cassette_model_mismatch"],
        ),
        ("the stream names another", "large-2-2026", "large-2-2027", &["cassette_model_mismatch"]),
        (
            "the stream names none",
            "\\\"model\\\": \\\"large-2-2026\\\"",
            "",
            &["cassette_model_mismatch"],
        ),
        (
            "a stream names two",
            "[DONE]",
            "{\\\"model\\\": \\\"small-1\\\"}",
            &["cassette_model_mismatch"],
        ),
        ("an error says nothing", "\"status\": 200", "\"status\": 404", &[]),
    ];
    for (case, from, to, expected) in table {
        let cassette = GOOD.replace(from, to);
        assert!(from == to || cassette != GOOD, "{case}");
        assert_eq!(seen(&cassette).codes, *expected, "{case}");
    }
    let nowhere =
        CONFIG.replace("response = ", "urls = ['https://elsewhere\\.example/.*'], response = ");
    let blind = run(&CASSETTES, &nowhere, &[("cassettes/chat.json", GOOD), TEST]);
    assert_eq!((blind.outcome, blind.code.as_deref()), (Outcome::Error, Some("nothing_examined")));
}

#[test]
fn credentials_are_placeholders_wherever_they_stand() {
    let table: &[(&str, &str, &str, usize)] = &[
        ("as recorded", "Bearer REDACTED", "Bearer REDACTED", 0),
        ("a bare placeholder", "Bearer REDACTED", "REDACTED", 0),
        ("a short real one", "Bearer REDACTED", "Bearer x", 1),
        ("a placeholder with something after it", "Bearer REDACTED", "REDACTED1", 1),
        ("nothing at all", "Bearer REDACTED", "", 1),
        (
            "another spelling of the header",
            "\"authorization\": \"Bearer REDACTED\"",
            "\"X-Api-Key\": \"k\"",
            1,
        ),
        (
            "one of two cookies",
            "\"authorization\": \"Bearer REDACTED\"",
            "\"Cookie\": \"a=REDACTED; b=c\"",
            1,
        ),
        (
            "a cookie that was set",
            "\"headers\": {}",
            "\"headers\": {\"Set-Cookie\": [\"a=REDACTED; Path=/\", \"b=1\"]}",
            1,
        ),
    ];
    for (case, from, to, expected) in table {
        let cassette = GOOD.replace(from, to);
        let seen = seen(&cassette);
        let n = seen.codes.iter().filter(|code| *code == "credential_not_placeholder").count();
        assert_eq!((n, seen.codes.len()), (*expected, *expected), "{case}: {:?}", seen.messages);
        for message in &seen.messages {
            let names = message.contains("/interactions/0/re") && message.contains("/headers/");
            assert!(
                names,
                "{case}: a cassette has many headers, and this does not say which: {message}"
            );
        }
    }
}

#[test]
fn a_recording_is_as_old_as_its_oldest_part() {
    let table: &[(&str, &str, &str, Lane, Outcome)] = &[
        ("fresh", "2026-05-31T12:00:00Z", "", Lane::Main, Outcome::Pass),
        ("the last days", "2026-07-20T12:00:00Z", "", Lane::Main, Outcome::Warn),
        ("the last day", "2026-07-30T23:00:00Z", "", Lane::Main, Outcome::Warn),
        ("one day over", "2026-07-31T00:00:00Z", "", Lane::Main, Outcome::Fail),
        ("one day over, in grace", "2026-07-31T00:00:00Z", "", Lane::Pr, Outcome::Warn),
        ("after the grace", "2026-08-07T00:00:00Z", "", Lane::Pr, Outcome::Fail),
        ("long over, here", "2027-01-01T00:00:00Z", "", Lane::Local, Outcome::Warn),
        (
            "an older part",
            "2026-05-31T12:00:00Z",
            "\"recorded_at\": \"2026-01-01T00:00:00Z\", ",
            Lane::Main,
            Outcome::Fail,
        ),
        (
            "a part that is not dated",
            "2026-05-31T12:00:00Z",
            "\"recorded_at\": \"1 May\", ",
            Lane::Main,
            Outcome::Fail,
        ),
        (
            "a part of the future",
            "2026-05-31T12:00:00Z",
            "\"recorded_at\": \"2026-06-02T00:00:00Z\", ",
            Lane::Local,
            Outcome::Fail,
        ),
    ];
    for (case, now, part, lane, expected) in table {
        let cassette = GOOD.replace("{\"request\"", &format!("{{{part}\"request\""));
        let bench = Bench::new(&CASSETTES, CONFIG).file("cassettes/chat.json", cassette.as_bytes());
        let seen = bench.file(TEST.0, TEST.1.as_bytes()).now(now).lane(*lane).run();
        assert_eq!(seen.outcome, *expected, "{case}: {:?}", seen.messages);
    }
}

#[test]
fn a_reference_counts_where_code_stands() {
    let table: &[(&str, &str, &[&str])] = &[
        ("two on one line", "play(\"cassettes/chat.json\", \"cassettes/chat.json\");\n", &[]),
        ("only in a comment", "    // play(\"cassettes/chat.json\");\n", &["cassette_orphaned"]),
        (
            "a lost one behind",
            "play(\"cassettes/chat.json\"); play(\"cassettes/x.json\");\n",
            &["cassette_dangling"],
        ),
    ];
    for (case, source, expected) in table {
        let seen =
            run(&CASSETTES, CONFIG, &[("cassettes/chat.json", GOOD), ("tests/chat.rs", source)]);
        assert_eq!(seen.codes, *expected, "{case}");
    }
    let none = run(&CASSETTES, CONFIG, &[("cassettes/chat.json", GOOD)]);
    assert_eq!((none.outcome, none.code.as_deref()), (Outcome::Error, Some("nothing_examined")));
}

#[test]
fn a_lane_plays_back_or_says_so() {
    let policy = "[policy]\nversion = 1\nowner = 'bench'\n[environment]\nallow = ['VCR_MODE']\n";
    type Row<'a> = (&'a str, Option<&'a str>, Option<&'a str>, Lane, bool);
    let table: &[Row<'_>] = &[
        ("playback where it must", Some("playback"), None, Lane::Release, true),
        ("nothing where it must", None, None, Lane::Release, false),
        ("recording where it must", Some("record"), None, Lane::Release, false),
        ("empty where it must", Some(""), None, Lane::Release, false),
        ("another spelling", Some("Playback"), None, Lane::Release, false),
        ("recording on a desk", Some("record"), None, Lane::Local, true),
        ("recording in CI", Some("record"), Some("true"), Lane::Local, false),
        ("nothing elsewhere", None, Some("true"), Lane::Pr, true),
        ("recording elsewhere", Some("new_episodes"), Some("true"), Lane::Pr, false),
    ];
    for (case, mode, ci, lane, good) in table {
        let mut bench = Bench::new(&CASSETTES, CONFIG)
            .policy(policy)
            .file("cassettes/chat.json", GOOD.as_bytes())
            .file(TEST.0, TEST.1.as_bytes())
            .lane(*lane);
        for (name, value) in [("VCR_MODE", mode), ("CI", ci)] {
            if let Some(value) = value {
                bench = bench.env(name, value);
            }
        }
        let expected: &[&str] = if *good { &[] } else { &["playback_not_enforced"] };
        assert_eq!(bench.run().codes, *expected, "{case}");
    }
    // A policy that hides the variable does not make it look right.
    let hidden = Bench::new(&CASSETTES, CONFIG).file("cassettes/chat.json", GOOD.as_bytes());
    let hidden = hidden
        .file(TEST.0, TEST.1.as_bytes())
        .lane(Lane::Release)
        .env("VCR_MODE", "playback")
        .run();
    assert_eq!(hidden.codes, ["playback_not_enforced"]);
}

#[test]
fn t07_t12_t28_a_file_that_is_no_recording_is_an_error() {
    let deep = format!("{}1{}", "[".repeat(70), "]".repeat(70));
    let table: &[(&str, &str, &str)] = &[
        ("nothing", "", "json_invalid"),
        ("torn", &GOOD[..GOOD.len() / 2], "json_invalid"),
        ("another schema", &GOOD.replace("cassette.v1", "cassette.v10"), "cassette_invalid"),
        (
            "a misspelt member",
            &GOOD.replace("\"recorded_at\"", "\"recordet_at\""),
            "cassette_invalid",
        ),
        ("a misspelt part", &GOOD.replace("\"headers\": {}", "\"header\": {}"), "cassette_invalid"),
        ("no status", &GOOD.replace("\"status\": 200", "\"status\": 0"), "cassette_invalid"),
        ("a method in lower case", &GOOD.replace("POST", "post"), "cassette_invalid"),
        ("too deep", &deep, "input_too_large"),
    ];
    for (case, text, code) in table {
        let seen = seen(text);
        assert_eq!(
            (seen.outcome, seen.code.as_deref()),
            (Outcome::Error, Some(*code)),
            "{case}: {:?}",
            seen.messages
        );
    }
    let named = run(&CASSETTES, CONFIG, &[("cassettes/chat.txt", GOOD), TEST]);
    assert_eq!(
        (named.outcome, named.code.as_deref()),
        (Outcome::Error, Some("cassette_invalid")),
        "of no format"
    );
}

#[cfg(unix)]
#[test]
fn t28_a_socket_and_a_link_are_no_cassettes() {
    for kind in ["socket", "link"] {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(folder.path().join("cassettes")).expect("a folder");
        let target = folder.path().join("cassettes/chat.json");
        if kind == "socket" {
            std::os::unix::net::UnixListener::bind(&target).expect("a socket");
        } else {
            std::os::unix::fs::symlink("/dev/null", &target).expect("a link");
        }
        let bench = Bench::new(&CASSETTES, CONFIG).folder(folder.path());
        let seen = bench.file(TEST.0, TEST.1.as_bytes()).run();
        assert_eq!(seen.outcome, Outcome::Error, "{kind}: {:?}", seen.messages);
    }
}

#[test]
fn a_table_that_says_too_little_is_refused() {
    let table: &[(&str, &str, &str, &str)] = &[
        ("no freshness", "freshness = { max_age = '90d' }\n", "", "freshness_unstated"),
        ("no host", "['api.example.com']", "[]", "config_invalid"),
        ("a host with a star", "['api.example.com']", "['*.example.com']", "config_invalid"),
        ("no placeholder", "['REDACTED']", "[]", "config_invalid"),
        ("a short placeholder", "['REDACTED']", "['x']", "config_invalid"),
        (
            "a placeholder that is a key",
            "['REDACTED']",
            "['AKIA0123456789ABCDEF']",
            "config_invalid",
        ),
        ("no group", "([a-z_.]+)", "[a-z_.]+", "config_invalid"),
        ("no model", "allowed = ['small-1', 'large-2']", "allowed = []", "config_invalid"),
        ("a place that is none", "'/model', ", "'model', ", "config_invalid"),
        ("an alias of nothing", "'large-2' = [", "'small-2' = [", "config_invalid"),
        ("an open pattern", "(\\?.*)?", "(\\?.*", "pattern_invalid"),
        ("no lanes", "playback_lanes = ['release']", "", "config_invalid"),
        (
            "an unknown key",
            "playback_lanes",
            "playback_lane = 1\nplayback_lanes",
            "config_unknown_key",
        ),
    ];
    for (case, from, to, code) in table {
        let config = CONFIG.replace(from, to);
        assert_ne!(config, CONFIG, "{case}");
        let table = GateTable::from_toml("gate", &config).expect(case);
        let faults = (CASSETTES.prepare)(&table).err().expect(case);
        assert!(faults.iter().any(|fault| fault.code().name() == *code), "{case}: {faults:?}");
        assert!(faults.iter().all(|fault| fault.location().is_some()), "{case}");
    }
}

#[test]
fn an_archive_is_read_with_its_lists() {
    let archive =
        teeth::TEETH.iter().find(|tooth| tooth.name == "an_http_archive").expect("a tooth").files
            [0]
        .1;
    type Row<'a> = (&'a str, &'a str, &'a str, Result<&'a [&'a str], &'a str>);
    let table: &[Row<'_>] = &[
        ("as written", "1.2", "1.2", Ok(&[])),
        ("another version", "1.2", "1.1", Err("cassette_invalid")),
        ("no response", "\"response\"", "\"respons\"", Err("cassette_invalid")),
        (
            "a parameter",
            "\"queryString\": []",
            "\"queryString\": [{\"name\": \"key\", \"value\": \"x\"}]",
            Ok(&["credential_not_placeholder"]),
        ),
        (
            "a cookie",
            "\"cookies\": [], \"postData\"",
            "\"cookies\": [{\"name\": \"s\", \"value\": \"x\"}], \"postData\"",
            Ok(&["credential_not_placeholder"]),
        ),
        (
            "another model",
            "eyJtb2RlbCI6InNtYWxsLTEifQ==",
            "eyJtb2RlbCI6ImxhcmdlLTIifQ==",
            Ok(&["cassette_model_mismatch"]),
        ),
        ("not base64", "eyJtb2RlbCI6InNtYWxsLTEifQ==", "{}", Err("cassette_invalid")),
        ("no time", "\"startedDateTime\"", "\"started\"", Ok(&["cassette_undated"])),
        ("an offset that is none", "+02:00", "+2:000", Ok(&["cassette_undated"])),
    ];
    for (case, from, to, expected) in table {
        let text = archive.replace(from, to);
        let seen = run(
            &CASSETTES,
            CONFIG,
            &[("cassettes/chat.har", &text), ("tests/chat.rs", "cassettes/chat.har\n")],
        );
        match expected {
            Ok(codes) => assert_eq!(seen.codes, *codes, "{case}: {:?}", seen.messages),
            Err(code) => {
                assert_eq!(seen.code.as_deref(), Some(*code), "{case}: {:?}", seen.messages)
            }
        }
    }
}

#[cfg(feature = "yaml")]
const YAML: &str = "\
schema: portcullis.cassette.v1
recorded_at: 2026-05-01T10:00:00Z
interactions:
  - request:
      method: POST
      url: https://api.example.com/v1/chat?a=1&b=2
      headers:
        authorization: Bearer REDACTED
      body: '{\"model\": \"small-1\"}'
    response:
      status: 200
      headers: {}
      body:
        model: small-1
...
";

#[cfg(feature = "yaml")]
#[test]
fn t12_yaml_is_read_as_strictly_as_json() {
    let bomb = {
        let mut text = String::from("a: &a [x, x, x, x, x, x, x, x, x]\n");
        for (n, name) in ('b'..='k').enumerate() {
            let before = char::from(b'a' + u8::try_from(n).expect("few"));
            text.push_str(&format!(
                "{name}: &{name} [{}]\n",
                vec![format!("*{before}"); 9].join(", ")
            ));
        }
        text.push_str("...\n");
        text
    };
    let deep = |n: usize| format!("{}{}\n...\n", "[".repeat(n), "]".repeat(n));
    let cut_at_a_line = YAML.replace("        model: small-1\n...\n", "");
    type Row<'a> = (&'a str, String, Result<&'a [&'a str], &'a str>);
    let table: &[Row<'_>] = &[
        ("as written", YAML.to_owned(), Ok(&[])),
        ("nothing", String::new(), Err("cassette_invalid")),
        ("only an end", "...\n".to_owned(), Err("cassette_invalid")),
        ("cut at a line", cut_at_a_line, Err("cassette_invalid")),
        ("cut in the last line", YAML.replace("...\n", ".."), Err("cassette_invalid")),
        ("an end without a newline", YAML.trim_end().to_owned(), Err("cassette_invalid")),
        (
            "fg43: a key twice",
            YAML.replace("      status: 200", "      status: 500\n      status: 200"),
            Err("duplicate_key"),
        ),
        (
            "a key twice, far apart",
            YAML.replace("schema: ", "model: small-1\nmodel: small-1\nschema: "),
            Err("duplicate_key"),
        ),
        ("an anchor", YAML.replace("body: '", "body: &b '"), Err("input_too_large")),
        (
            "a merge key",
            YAML.replace("      status: 200", "      <<: {status: 200}"),
            Err("cassette_invalid"),
        ),
        ("two documents", format!("a: 1\n---\n{YAML}"), Err("input_too_large")),
        ("an alias bomb", bomb, Err("input_too_large")),
        ("too deep", deep(100), Err("input_too_large")),
        ("far too deep for the scanner itself", deep(5_000), Err("cassette_invalid")),
        ("a tab", YAML.replace("      status", "\t status"), Err("cassette_invalid")),
        (
            "a model that is a number",
            YAML.replace("schema: ", "model: 3.10\nschema: "),
            Err("cassette_invalid"),
        ),
        (
            "a secret in a comment",
            format!("# ghp_0123456789abcdefghijABCDEFGHIJ012345\n{YAML}"),
            Ok(&["secret_in_cassette"]),
        ),
        (
            "another host",
            YAML.replace("https://api.", "https://apo."),
            Ok(&["cassette_url_refused"]),
        ),
    ];
    for (case, text, expected) in table {
        let seen = run(
            &CASSETTES,
            CONFIG,
            &[("cassettes/chat.yaml", text), ("tests/chat.rs", "cassettes/chat.yaml\n")],
        );
        match expected {
            Ok(codes) => assert_eq!(seen.codes, *codes, "{case}: {:?}", seen.messages),
            Err(code) => assert_eq!(
                (seen.outcome, seen.code.as_deref()),
                (Outcome::Error, Some(*code)),
                "{case}: {:?}",
                seen.messages
            ),
        }
        assert!(!shown(&seen).contains("0123456789"), "{case}");
    }
}

#[cfg(not(feature = "yaml"))]
#[test]
fn without_the_feature_yaml_is_not_passed_over() {
    let seen = run(&CASSETTES, CONFIG, &[("cassettes/chat.yaml", "schema: x\n...\n"), TEST]);
    assert_eq!((seen.outcome, seen.code.as_deref()), (Outcome::Error, Some("cassette_invalid")));
}
