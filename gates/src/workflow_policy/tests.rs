use super::*;
use portcullis::testing::{self, Seen};

#[test]
fn every_tooth_bites() {
    assert_eq!(testing::teeth(&WORKFLOW_POLICY), Vec::<String>::new());
}
