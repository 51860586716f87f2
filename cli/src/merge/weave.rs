//! Many sorted lists of targets woven into one, with few files open and few rows in memory. It judges nothing.

use crate::{outcome::Line, plan::Target, verdict::Seen};
use portcullis::{Fault, wire::code::RECEIPT_UNWRITABLE};
use serde::{Deserialize, Serialize};
use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    fs::File,
    io::{BufRead, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
};

/// How many lists are open at once; some systems allow a process no more than 256 files.
const FAN_IN: usize = 64;

/// A target with the lines of its attempts, and the shard that ran it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Row {
    /// The target.
    pub(super) target: Target,
    /// The shard, from 0.
    pub(super) shard: u32,
    /// Its lines.
    pub(super) lines: Vec<Line>,
}

impl Row {
    /// How it ended.
    pub(super) fn seen(&self) -> Seen {
        let mut seen = Seen::default();
        self.lines.iter().for_each(|line| seen.add(line));
        seen
    }
}

/// A sorted list of rows.
pub(super) trait Rows {
    /// The next row.
    fn next(&mut self) -> Result<Option<Row>, Fault>;
}

/// Opens a list when its turn comes.
pub(super) type Open<'a> = Box<dyn FnOnce() -> Result<Box<dyn Rows + 'a>, Fault> + 'a>;

/// Hands on the rows of all lists in order. `scratch` takes what has to be written on the way.
pub(super) fn weave(
    lists: Vec<Open<'_>>,
    scratch: &Path,
    each: &mut dyn FnMut(Row) -> Result<(), Fault>,
) -> Result<(), Fault> {
    if lists.len() <= FAN_IN {
        return together(lists, each);
    }
    let (mut lists, mut woven) = (lists.into_iter().peekable(), Vec::new());
    while lists.peek().is_some() {
        let some: Vec<Open<'_>> = lists.by_ref().take(FAN_IN).collect();
        let path = scratch.join(format!("rows-{}.jsonl", woven.len()));
        let mut file = BufWriter::new(File::create_new(&path).map_err(|e| unwritable(&path, &e))?);
        together(some, &mut |row| {
            serde_json::to_writer(&mut file, &row)
                .map_err(std::io::Error::from)
                .and_then(|()| file.write_all(b"\n"))
                .map_err(|source| unwritable(&path, &source))
        })?;
        file.flush().map_err(|source| unwritable(&path, &source))?;
        woven.push(path);
    }
    let open = |path: PathBuf| -> Open<'static> { Box::new(move || Written::open(path)) };
    // A plan has at most 4,096 shards, so what is left is at most 64 lists.
    together(woven.into_iter().map(open).collect(), each)
}

fn together(
    lists: Vec<Open<'_>>,
    each: &mut dyn FnMut(Row) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut open = Vec::new();
    for list in lists {
        open.push(list()?);
    }
    let mut heads: BinaryHeap<Reverse<(Target, usize)>> = BinaryHeap::new();
    let mut rows: Vec<Option<Row>> = Vec::new();
    for (n, list) in open.iter_mut().enumerate() {
        let row = list.next()?;
        heads.extend(row.as_ref().map(|row| Reverse((row.target.clone(), n))));
        rows.push(row);
    }
    while let Some(Reverse((_, n))) = heads.pop() {
        let (Some(slot), Some(list)) = (rows.get_mut(n), open.get_mut(n)) else { continue };
        let row = slot.take();
        *slot = list.next()?;
        heads.extend(slot.as_ref().map(|next| Reverse((next.target.clone(), n))));
        if let Some(row) = row {
            each(row)?;
        }
    }
    Ok(())
}

/// Rows that this process wrote a moment ago.
struct Written {
    path: PathBuf,
    lines: std::io::Lines<BufReader<File>>,
}

impl Written {
    fn open(path: PathBuf) -> Result<Box<dyn Rows>, Fault> {
        let file = File::open(&path).map_err(|source| unwritable(&path, &source))?;
        Ok(Box::new(Self { path, lines: BufReader::new(file).lines() }))
    }
}

impl Rows for Written {
    fn next(&mut self) -> Result<Option<Row>, Fault> {
        let Some(line) = self.lines.next() else { return Ok(None) };
        let row = line.and_then(|line| Ok(serde_json::from_str(&line)?));
        row.map(Some).map_err(|source| unwritable(&self.path, &source))
    }
}

/// The fault of a file of our own that cannot be written, or read back.
pub(super) fn unwritable(path: &Path, source: &std::io::Error) -> Fault {
    let remedy = "make the target directory writable and free some space, then merge again";
    Fault::new(RECEIPT_UNWRITABLE, "a file of the merge could not be written", remedy)
        .at(portcullis::Location::file(path.display()))
        .because(source)
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis::kernel::policy::profile::Kind;

    struct Given(std::vec::IntoIter<Row>);

    impl Rows for Given {
        fn next(&mut self) -> Result<Option<Row>, Fault> {
            Ok(self.0.next())
        }
    }

    fn row(n: usize, shard: usize) -> Row {
        let target = Target {
            suite: "p::b".to_owned(),
            test: format!("t{n:06}"),
            kind: Kind::Unit,
            package: "p".to_owned(),
            binary: "b".to_owned(),
            cargo_kind: "test".to_owned(),
            quarantine: None,
        };
        Row { target, shard: u32::try_from(shard).expect("small"), lines: Vec::new() }
    }

    #[test]
    fn rows_come_in_order_however_many_lists_there_are() {
        for lists in [0, 1, 3, FAN_IN, FAN_IN + 1, 3 * FAN_IN + 5] {
            let total = lists * 7;
            let opened = (0..lists).map(|part| {
                let rows: Vec<Row> =
                    (part..total).step_by(lists.max(1)).map(|n| row(n, part)).collect();
                let open: Open<'_> = Box::new(move || Ok(Box::new(Given(rows.into_iter()))));
                open
            });
            let scratch = tempfile::tempdir().expect("a folder");
            let mut seen = Vec::new();
            let all = weave(opened.collect(), scratch.path(), &mut |row| {
                seen.push(row);
                Ok(())
            });
            assert_eq!(all, Ok(()), "{lists}");
            let expected: Vec<Row> = (0..total).map(|n| row(n, n % lists.max(1))).collect();
            assert_eq!(seen, expected, "{lists}");
        }
    }
}
