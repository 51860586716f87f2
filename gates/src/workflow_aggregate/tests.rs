use super::*;
use portcullis::testing;

#[test]
fn every_tooth_bites() {
    assert_eq!(testing::teeth(&WORKFLOW_AGGREGATE), Vec::<String>::new());
}
