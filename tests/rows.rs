//! The rows of gates, each over the worked example `fixtures/policies/full_release`: its command passes, each of its promises is
//! broken by one edit of one file, the gate says so for the right reason, and heals.

mod rows {
    mod aggregates;
    mod conformance;
    mod evidence;
    mod policy;
    mod product;
    mod release;
    mod row;
    mod suites;
    mod tools;
    mod words;
}
