//! The layout of a document: as `serde_json` lays it out, with one write where that makes one for each step of the
//! indentation. A test binary is built without optimisation, where every write costs a dozen calls.

use serde_json::ser::Formatter;
use std::io::{self, Write};

/// A comma, a line end and the indentation of the deepest level that needs no loop.
const LEAD: &str = ",\n                                ";
const STEP: usize = 2;
const LEAD_DEPTH: usize = (LEAD.len() - 2) / STEP;

/// Writes a value that stands at some depth of a document.
pub(super) struct Pretty {
    depth: usize,
    has_value: bool,
    is_key: bool,
}

impl Pretty {
    /// For a value at this depth; a whole document is at 0.
    pub(super) fn at(depth: usize) -> Self {
        Self { depth, has_value: false, is_key: false }
    }

    /// Begins a line at the depth of now, after a comma unless it is the first.
    fn lead<W: ?Sized + Write>(&self, writer: &mut W, first: bool) -> io::Result<()> {
        let steps = self.depth.min(LEAD_DEPTH);
        writer.write_all(&LEAD.as_bytes()[usize::from(first)..2 + steps * STEP])?;
        for _ in steps..self.depth {
            writer.write_all(b"  ")?;
        }
        Ok(())
    }

    fn open<W: ?Sized + Write>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.has_value = false;
        writer.write_all(bracket)
    }

    fn close<W: ?Sized + Write>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth -= 1;
        if self.has_value {
            self.lead(writer, true)?;
        }
        self.has_value = true;
        writer.write_all(bracket)
    }
}

impl Formatter for Pretty {
    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open(writer, b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.lead(writer, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, _writer: &mut W) -> io::Result<()> {
        self.has_value = true;
        Ok(())
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open(writer, b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.is_key = true;
        self.lead(writer, first)
    }

    /// The end of a key and what stands before its value are one write.
    fn end_string<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(if self.is_key { b"\": " } else { b"\"" })
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, _writer: &mut W) -> io::Result<()> {
        self.is_key = false;
        Ok(())
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, _writer: &mut W) -> io::Result<()> {
        self.has_value = true;
        Ok(())
    }
}
