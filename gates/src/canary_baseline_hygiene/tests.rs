use super::{CANARY_BASELINE_HYGIENE, teeth};

#[test]
fn every_tooth_bites() {
    assert_eq!(portcullis::testing::teeth(&CANARY_BASELINE_HYGIENE), Vec::<String>::new());
    assert!(teeth::TEETH.len() > 20);
}
