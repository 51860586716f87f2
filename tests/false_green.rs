//! The false-green corpus: one case per number. Each provokes the fault and asserts that nothing turns green.
//!
//! Numbers that wait for a later part of portcullis stand in `false_green/completeness.rs`, with the reason.

mod false_green {
    mod census;
    mod completeness;
    mod harness;
    mod kinds;
    mod nextest;
    mod receipts;
    mod run;
    mod runner;
    mod sample;
    mod subcommand;
    mod waivers;
}
