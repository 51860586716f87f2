//! The guided tour: every command of the page is run, in order, and says what the page says it says.

use super::ground::{Ground, fixture};
use std::{collections::BTreeMap, fs};

/// A command of the page.
struct Stop {
    line: usize,
    argv: Vec<String>,
    exit: i32,
    says: Vec<String>,
}

#[test]
fn every_command_of_the_tour_says_what_the_page_says() {
    let ground = Ground::take();
    let page = fs::read_to_string(fixture().join("docs/tour.md")).expect("a page");
    let stops = stops(&page);
    assert!(stops.len() >= 15, "{} commands", stops.len());
    for stop in stops {
        let answer = ground.types(&stop.argv, &BTreeMap::new());
        answer.ends(stop.exit);
        let said: Vec<&str> = answer.text.lines().map(str::trim_end).collect();
        if let Err(missing) = follows(&said, &stop.says) {
            panic!(
                "docs/tour.md:{}: no `{missing}` where it should be in\n{}",
                stop.line, answer.text
            );
        }
    }
}

/// The commands of the blocks `console`: after `$ `, and after `# exits ` its exit code.
fn stops(page: &str) -> Vec<Stop> {
    let mut stops: Vec<Stop> = Vec::new();
    let mut inside = false;
    for (number, line) in page.lines().enumerate() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| inside) {
            let (command, exit) = command.split_once("   # exits ").unwrap_or((command, "0"));
            let exit = exit.parse().expect("an exit code");
            stops.push(Stop { line: number + 1, argv: words(command), exit, says: Vec::new() });
        } else if inside {
            stops.last_mut().expect("a command first").says.push(line.to_owned());
        }
    }
    stops
}

/// Words parted by blanks; those in double quotes are one.
fn words(command: &str) -> Vec<String> {
    let parts = command.split('"').enumerate();
    parts
        .flat_map(|(number, part)| match number % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        })
        .collect()
}

/// Whether the lines of the page stand in what was said, in order, and next to each other where the page leaves nothing out.
fn follows(said: &[&str], page: &[String]) -> Result<(), String> {
    let mut rest = said.iter().filter(|line| !line.starts_with("--- stderr"));
    let mut skips = false;
    for line in page {
        if line == "..." {
            skips = true;
            continue;
        }
        let found = if skips {
            rest.any(|said| is_like(said, line))
        } else {
            rest.by_ref().find(|said| !said.is_empty()).is_some_and(|said| is_like(said, line))
        };
        if !found {
            return Err(line.clone());
        }
        skips = false;
    }
    Ok(())
}

/// Whether a line is that of the page, where `…` is anything.
fn is_like(said: &str, page: &str) -> bool {
    match page.split_once('…') {
        None => said == page,
        Some((begin, end)) => {
            said.len() >= begin.len() + end.len() && said.starts_with(begin) && said.ends_with(end)
        }
    }
}

#[test]
fn a_page_that_says_something_else_is_noticed() {
    let page = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
    let said = ["one", "two", "three 7 ms"];
    assert_eq!(follows(&said, &page(&["one", "...", "three … ms"])), Ok(()));
    assert!(follows(&said, &page(&["two"])).is_err());
    assert!(follows(&said, &page(&["...", "two", "one"])).is_err());
    assert!(follows(&said, &page(&["...", "three … min"])).is_err());
    assert_eq!(words("a \"b c\" d"), ["a", "b c", "d"]);
}
