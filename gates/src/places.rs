//! Lines and columns of many offsets of one text. The starts of its lines are found once, so that growth stays linear.

use crate::pattern::LINE_MAX;
use portcullis::{Location, RelPath};

/// Where the lines of a text begin.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    starts: Vec<usize>,
}

impl Places {
    /// Finds the lines of a text.
    pub(crate) fn new(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self { starts: std::iter::once(0).chain(ends.map(|(offset, _)| offset + 1)).collect() }
    }

    /// The line of a byte offset, from 1.
    pub(crate) fn line(&self, offset: usize) -> u32 {
        u32::try_from(self.starts.partition_point(|start| *start <= offset)).unwrap_or(u32::MAX)
    }

    /// Where the line of a byte offset begins.
    fn start(&self, offset: usize) -> usize {
        let line = self.starts.partition_point(|start| *start <= offset);
        self.starts.get(line.saturating_sub(1)).copied().unwrap_or(0)
    }

    /// The place of a byte offset. In a line of more than 64 KiB the column is left out: counting it for every finding
    /// would take the square of its length.
    pub(crate) fn location(&self, path: &RelPath, text: &str, offset: usize) -> Location {
        let start = self.start(offset);
        let before = text.get(start..offset).filter(|before| before.len() <= LINE_MAX);
        let column = before.map_or(0, |before| before.chars().count() + 1);
        Location::at(path, self.line(offset), u32::try_from(column).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_have_lines_and_columns() {
        let text = "a\nöb\n\nc";
        let (places, path) = (Places::new(text), RelPath::parse("a.md").expect("a path"));
        let table: &[(&str, usize, (u32, u32))] = &[
            ("the first character", 0, (1, 1)),
            ("the end of a line", 1, (1, 2)),
            ("a column counts characters", 4, (2, 2)),
            ("an empty line", 6, (3, 1)),
            ("the last line", 7, (4, 1)),
            ("behind the end", 8, (4, 2)),
        ];
        for (case, offset, (line, column)) in table {
            let expected = Location::at(&path, *line, *column);
            assert_eq!(places.location(&path, text, *offset), expected, "{case}");
        }
        let long = "x".repeat(LINE_MAX + 2);
        let place = Places::new(&long).location(&path, &long, LINE_MAX + 1);
        assert_eq!((place.line, place.column), (1, 0), "a long line has no columns");
    }
}
