//! Reads a source in blocks of whole rows.
use super::{ReadError, cut};
use memchr::memchr_iter;
use std::io::Read;

pub(super) struct Blocks<R> {
    source: R,
    /// What was read and not given out.
    rest: Vec<u8>,
    ended: bool,
    line: usize,
    /// Bytes to read for a block.
    block: usize,
}

/// Some rows, one after another.
pub(super) struct Block {
    pub(super) text: Vec<u8>,
    /// The line of the first.
    pub(super) line: usize,
}

const ROW_MAX: usize = 1 << 26;

impl<R: Read> Blocks<R> {
    pub(super) const fn new(source: R, block: usize) -> Self {
        Self { source, rest: vec![], ended: false, line: 1, block }
    }

    /// As much of what comes next as `whole` says, which is asked again with more text where it says 0. At the end all
    /// that is left, then `None`.
    pub(super) fn take(&mut self, whole: impl Fn(&[u8]) -> usize) -> Result<Option<Block>, ReadError> {
        let mut wanted = self.block;
        let length = loop {
            if self.rest.len() < wanted && !self.ended {
                let missing = wanted - self.rest.len();
                self.rest.reserve(missing);
                let read = (&mut self.source).take(missing as u64).read_to_end(&mut self.rest)?;
                self.ended = read < missing;
            }
            match whole(&self.rest) {
                0 if self.ended => break self.rest.len(),
                0 if wanted >= ROW_MAX => return Err(self.too_long()),
                0 => wanted *= 2,
                length => break length,
            }
        };
        let rest = self.rest.split_off(length);
        let text = std::mem::replace(&mut self.rest, rest);
        let line = self.line;
        self.line += memchr_iter(b'\n', &text).count();
        Ok((!text.is_empty()).then_some(Block { text, line }))
    }

    fn too_long(&self) -> ReadError {
        ReadError::Row {
            line: self.line,
            column: "path",
            value: cut(&self.rest[..200]),
            problem: "a row of more than 64 MB, beginning with",
            hint: "look for a quote that is never closed",
        }
    }
}
