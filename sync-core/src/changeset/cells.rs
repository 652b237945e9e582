//! The values of one column, packed: runs of equal tags and the payloads side by side, so that a bulk insert costs no
//! allocation per value, and a column of NULLs no memory per row.

use crate::{ids::RecordId, value::ValueRef};

pub(super) const TAG_NULL: u8 = 0;
pub(super) const TAG_INTEGER: u8 = 1;
pub(super) const TAG_REAL: u8 = 2;
pub(super) const TAG_TEXT: u8 = 3;
pub(super) const TAG_BLOB: u8 = 4;
pub(super) const TAG_REFERENCE: u8 = 5;

/// The values of one column.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Cells {
    /// Tags and how many cells have them one after the other; no run is empty or has its predecessor's tag.
    runs: Vec<(u8, u32)>,
    len: usize,
    /// Integers, and the bits of reals.
    pub(super) numbers: Vec<i64>,
    /// Byte lengths of texts and blobs.
    pub(super) lengths: Vec<u32>,
    /// Texts one after the other; kept as a string, so that slices of it need no second check.
    pub(super) text: String,
    pub(super) blob: Vec<u8>,
    pub(super) references: Vec<RecordId>,
}

impl Cells {
    /// No values.
    pub const fn new() -> Self {
        Self {
            runs: Vec::new(),
            len: 0,
            numbers: Vec::new(),
            lengths: Vec::new(),
            text: String::new(),
            blob: Vec::new(),
            references: Vec::new(),
        }
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The runs of equal tags.
    pub(super) fn runs(&self) -> &[(u8, u32)] {
        &self.runs
    }

    /// Appends the tags of `count` cells.
    pub(super) fn tag(&mut self, tag: u8, mut count: usize) {
        self.len += count;
        while count > 0 {
            let room = match self.runs.last_mut() {
                Some((last, cells)) if *last == tag && *cells < u32::MAX => {
                    let more = u32::try_from(count).unwrap_or(u32::MAX).min(u32::MAX - *cells);
                    *cells += more;
                    more
                }
                _ => {
                    let more = u32::try_from(count).unwrap_or(u32::MAX);
                    self.runs.push((tag, more));
                    more
                }
            };
            count -= room as usize;
        }
    }

    /// Appends a value. A single text or blob is far below 4 GiB: SQLite's own limit is 1 GB.
    pub fn push(&mut self, value: ValueRef<'_>) {
        match value {
            ValueRef::Null => self.tag(TAG_NULL, 1),
            ValueRef::Integer(v) => {
                self.tag(TAG_INTEGER, 1);
                self.numbers.push(v);
            }
            ValueRef::Real(v) => {
                self.tag(TAG_REAL, 1);
                self.numbers.push(v.to_bits().cast_signed());
            }
            ValueRef::Text(v) => {
                self.tag(TAG_TEXT, 1);
                self.lengths.push(u32::try_from(v.len()).unwrap_or(u32::MAX));
                self.text.push_str(v);
            }
            ValueRef::Blob(v) => {
                self.tag(TAG_BLOB, 1);
                self.lengths.push(u32::try_from(v.len()).unwrap_or(u32::MAX));
                self.blob.extend_from_slice(v);
            }
            ValueRef::Reference(v) => {
                self.tag(TAG_REFERENCE, 1);
                self.references.push(v);
            }
        }
    }

    /// The values in order.
    pub fn iter(&self) -> CellIter<'_> {
        CellIter {
            runs: self.runs.iter(),
            tag: TAG_NULL,
            cells: 0,
            left: self.len,
            numbers: self.numbers.iter(),
            lengths: self.lengths.iter(),
            text: &self.text,
            blob: &self.blob,
            references: self.references.iter(),
        }
    }
}

impl<'a> IntoIterator for &'a Cells {
    type Item = ValueRef<'a>;
    type IntoIter = CellIter<'a>;

    fn into_iter(self) -> CellIter<'a> {
        self.iter()
    }
}

/// Goes over the values of a column.
#[derive(Clone, Debug)]
pub struct CellIter<'a> {
    runs: std::slice::Iter<'a, (u8, u32)>,
    /// The tag of the present run and how many cells it still has.
    tag: u8,
    cells: u32,
    left: usize,
    numbers: std::slice::Iter<'a, i64>,
    lengths: std::slice::Iter<'a, u32>,
    text: &'a str,
    blob: &'a [u8],
    references: std::slice::Iter<'a, RecordId>,
}

impl<'a> Iterator for CellIter<'a> {
    type Item = ValueRef<'a>;

    fn next(&mut self) -> Option<ValueRef<'a>> {
        while self.cells == 0 {
            (self.tag, self.cells) = *self.runs.next()?;
        }
        self.cells -= 1;
        self.left = self.left.saturating_sub(1);
        Some(match self.tag {
            TAG_INTEGER => ValueRef::Integer(*self.numbers.next()?),
            TAG_REAL => ValueRef::Real(f64::from_bits(self.numbers.next()?.cast_unsigned())),
            TAG_TEXT => {
                let (head, rest) = self.text.split_at_checked(*self.lengths.next()? as usize)?;
                self.text = rest;
                ValueRef::Text(head)
            }
            TAG_BLOB => {
                let (head, rest) = self.blob.split_at_checked(*self.lengths.next()? as usize)?;
                self.blob = rest;
                ValueRef::Blob(head)
            }
            TAG_REFERENCE => ValueRef::Reference(*self.references.next()?),
            _ => ValueRef::Null,
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for CellIter<'_> {}
