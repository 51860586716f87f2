//! Load-bearing: the day on which a waiver ends, and a clock that is set back. Real gate binary.

#[expect(dead_code, reason = "the sample serves many tests, and this one needs some of it")]
#[path = "false_green/run.rs"]
mod run;
#[expect(dead_code, reason = "the sample serves many tests, and this one needs some of it")]
#[path = "false_green/sample.rs"]
mod sample;
#[path = "false_green/subcommand.rs"]
mod subcommand;

use sample::Case;

fn at(name: &'static str, now: &str, allow: &str, args: [&str; 2], code: i32, said: &str) {
    let (mut command, run) = Case::new(name).fault("second_fails").args(args).bare();
    command.envs([("PORTCULLIS_NOW", now), ("PORTCULLIS_LANE", "main")]);
    command.env("PORTCULLIS_ALLOW_PAST", allow);
    run.ended(&command.output().expect("the gate binary starts")).said(code, &[said]);
}

#[test]
fn the_last_second_of_the_last_day_is_valid() {
    at("lb-clock-last", "2099-05-31T23:59:59Z", "", ["b_second", "--exact"], 0, "waived");
}

#[test]
fn the_second_after_it_is_not() {
    at("lb-clock-over", "2099-06-01T00:00:00Z", "", ["b_second", "--exact"], 101, "waiver_expired");
}

#[test]
fn a_clock_in_the_past_is_refused_before_anything_runs() {
    at(
        "lb-clock-past",
        "2020-01-01T00:00:00Z",
        "",
        ["a_first", "--exact"],
        2,
        "clock_override_past",
    );
}

#[test]
fn a_clock_that_is_none_is_refused() {
    at("lb-clock-none", "yesterday", "", ["a_first", "--exact"], 2, "clock_override_invalid");
}
