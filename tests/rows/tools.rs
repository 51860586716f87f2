//! Row 16, and row 21 beside it: tools by what they do, recordings by what they hold.

use super::row::{Break, Edit, Row};
use serde_json::json;

#[test]
fn row_21_provider_cassettes() {
    let broken = |what, edit, codes, says| Break {
        what,
        file: "cassettes/greeting.json",
        edit,
        codes,
        says,
        reads: vec![],
    };
    Row {
        replay: "cargo test --test ci_full_suite_gate -- provider_cassettes --nocapture --exact",
        spellings: &[
            "cargo test --test ci_full_suite_gate -- provider_cassettes -- --exact --nocapture",
        ],
        gate: Some("provider_cassettes"),
        env: &[("VCR_MODE", "playback"), ("PORTCULLIS_LANE", "main")],
        reads: vec![],
        breaks: vec![
            broken(
                "a secret",
                Edit::Swap("hello to you", "ghp_0123456789abcdefghijABCDEFGHIJ012345"),
                &["secret_in_cassette"],
                &["cassettes/greeting.json"],
            ),
            broken(
                "a host that nobody listed",
                Edit::Swap("api.harbour.example", "api.harbor.example"),
                &["cassette_url_refused"],
                &["api.harbor.example"],
            ),
            broken(
                "a credential",
                Edit::Swap("Bearer REDACTED", "Basic a1b2"),
                &["credential_not_placeholder"],
                &["/interactions/0/request/headers/authorization"],
            ),
            broken(
                "another model answered",
                Edit::Swap(
                    "\"body\": {\"model\": \"ferry-large\", \"text\": \"hello to you\"}",
                    "\"body\": {\"model\": \"ferry-small\"}",
                ),
                &["cassette_model_mismatch"],
                &["ferry-small"],
            ),
        ],
    }
    .show();
}

/// What is called `node` here is a script of the test, so only where a script is a program.
#[cfg(unix)]
mod real_tool {
    use super::super::product::{Answer, Product};
    use portcullis_repo::process;
    use std::{
        fs,
        os::unix::fs::{PermissionsExt as _, symlink},
        path::Path,
    };

    const ROW: &str = "cargo test --test compat_harness -- node_detection_rejects_bun_node_shim_when_present -- --nocapture";
    const SPELLINGS: [&str; 3] = [
        "cargo test --test compat_harness -- node_detection_rejects_bun_node_shim_when_present --nocapture",
        "cargo test --test compat_harness -- node_detection_rejects_bun_node_shim_when_present --nocapture --exact",
        "cargo test --test compat_harness -- node_detection_rejects_bun_node_shim_when_present -- --exact --nocapture",
    ];
    /// What Bun answers when it was started under the name of Node.
    const SHIM: &str = "#!/bin/sh\ncase \"$1\" in\n--version) echo v22.6.0 ;;\n\
                        -p) printf 'runtime=node\\nforeign=bun,webkit,Bun,isBun\\nbinary=node\\n' ;;\nesac\n";
    /// What Node answers.
    const NODE: &str = "#!/bin/sh\ncase \"$1\" in\n--version) echo v22.6.0 ;;\n\
                        -p) printf 'runtime=node\\nforeign=\\nbinary=node\\n' ;;\n--v8-options) echo '  --stack-size (default)' ;;\n\
                        *) exit 9 ;;\nesac\n";

    /// A folder with a program called `node`, or without one, for the front of the search path.
    #[expect(
        clippy::disallowed_methods,
        reason = "a program of the test's own, in a temporary folder"
    )]
    fn tools(node: Option<&str>) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        if let Some(script) = node {
            let path = folder.path().join("node");
            fs::write(&path, script).expect("a script");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it may run");
        }
        folder
    }

    /// The copy with its gate binary built, since no linker is on the search path below.
    fn built() -> Product {
        let product = Product::take();
        process::done(product.cargo(&[]).args(["test", "--no-run", "--test", "compat_harness"]));
        product
    }

    /// Types a command where only these folders are searched, and that of the tools of Rust.
    fn types(product: &Product, line: &str, node: Option<&str>) -> Answer {
        let folder = tools(node);
        let cargo = process::host("CARGO").expect("cargo runs this test");
        let toolchain = Path::new(&cargo).parent().expect("it lies in a folder");
        // git only: what is called `node` on this machine must not be found.
        let git = std::env::split_paths(&process::host("PATH").expect("a search path"))
            .map(|folder| folder.join("git"))
            .find(|git| git.is_file());
        symlink(git.expect("git is installed"), folder.path().join("git")).expect("a link");
        let path = std::env::join_paths([folder.path(), toolchain]).expect("a path");
        product.types(line, &[("PATH", path.to_str().expect("UTF-8"))])
    }

    #[test]
    fn row_16_a_shim_is_not_node() {
        let product = built();
        for line in [ROW].into_iter().chain(SPELLINGS) {
            types(&product, line, Some(NODE)).ends(0).says(&["1 passed"]);
        }
        for line in [ROW].into_iter().chain(SPELLINGS) {
            let answer = types(&product, line, Some(SHIM));
            answer.ends(101).says(&["   = remedy: ", "foreign=", "--v8-options"]);
            assert_eq!(
                answer.codes().into_iter().collect::<Vec<_>>(),
                ["node_runtime_unavailable_or_shimmed"]
            );
            assert!(answer.replays().iter().all(|line| line.contains("--test compat_harness")));
        }
        types(&product, ROW, Some(NODE)).ends(0);
    }

    #[test]
    fn row_16_without_node_it_skips_by_type_and_only_where_that_is_allowed() {
        let product = built();
        let absent = types(&product, ROW, None);
        absent.ends(0).says(&["tool_missing", "1 skip"]);
        let policy = product.text("portcullis.toml");
        let strict = policy.replace("allow_skip = [\"tool_missing\"]\n", "");
        assert_ne!(policy, strict);
        product.write("portcullis.toml", &strict);
        types(&product, ROW, None).ends(101).says(&["tool_missing"]);
        product.write(
            "portcullis.toml",
            &policy.replace("on_absent = \"skip\" ", "on_absent = \"fail\" "),
        );
        let answer = types(&product, ROW, None);
        answer.ends(101).says(&["node_runtime_unavailable_or_shimmed"]);
        product.write("portcullis.toml", &policy);
        types(&product, ROW, None).ends(0);
    }
}

/// What row 21 calls its own replay: the test itself plays the recording back.
#[test]
fn row_21_its_test_plays_back() {
    let product = super::product::Product::take();
    let line = "cargo test --test provider_streaming -- --nocapture";
    product.types(line, &[("VCR_MODE", "playback")]).ends(0);
    let cassette = product.text("cassettes/greeting.json");
    product.write("cassettes/greeting.json", &cassette.replace("ferry-large", "ferry-small"));
    product.types(line, &[("VCR_MODE", "playback")]).ends(101);
    assert_eq!(json!(cassette.contains("ferry-large")), json!(true));
}
