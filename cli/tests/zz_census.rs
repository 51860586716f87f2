use portcullis::kernel::{census::Census, policy};
#[test]
fn zz() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../portcullis.toml"))
        .expect("x");
    let policy = policy::parse("portcullis.toml", &text).expect("policy");
    let gates: Vec<_> = policy.gates.iter().collect();
    let census = Census::of(gates.iter().copied());
    println!("{}", census.write());
}
