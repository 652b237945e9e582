//! The values of one column, packed: a tag for each cell and the payloads side by side, so that a bulk insert
//! costs no allocation per value.

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
    pub(super) tags: Vec<u8>,
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
            tags: Vec::new(),
            numbers: Vec::new(),
            lengths: Vec::new(),
            text: String::new(),
            blob: Vec::new(),
            references: Vec::new(),
        }
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.tags.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.tags.is_empty()
    }

    /// Appends a value. A single text or blob is far below 4 GiB: SQLite's own limit is 1 GB.
    pub fn push(&mut self, value: ValueRef<'_>) {
        match value {
            ValueRef::Null => self.tags.push(TAG_NULL),
            ValueRef::Integer(v) => {
                self.tags.push(TAG_INTEGER);
                self.numbers.push(v);
            }
            ValueRef::Real(v) => {
                self.tags.push(TAG_REAL);
                self.numbers.push(v.to_bits().cast_signed());
            }
            ValueRef::Text(v) => {
                self.tags.push(TAG_TEXT);
                self.lengths.push(u32::try_from(v.len()).unwrap_or(u32::MAX));
                self.text.push_str(v);
            }
            ValueRef::Blob(v) => {
                self.tags.push(TAG_BLOB);
                self.lengths.push(u32::try_from(v.len()).unwrap_or(u32::MAX));
                self.blob.extend_from_slice(v);
            }
            ValueRef::Reference(v) => {
                self.tags.push(TAG_REFERENCE);
                self.references.push(v);
            }
        }
    }

    /// The values in order.
    pub fn iter(&self) -> CellIter<'_> {
        CellIter {
            tags: self.tags.iter(),
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
    tags: std::slice::Iter<'a, u8>,
    numbers: std::slice::Iter<'a, i64>,
    lengths: std::slice::Iter<'a, u32>,
    text: &'a str,
    blob: &'a [u8],
    references: std::slice::Iter<'a, RecordId>,
}

impl<'a> Iterator for CellIter<'a> {
    type Item = ValueRef<'a>;

    fn next(&mut self) -> Option<ValueRef<'a>> {
        Some(match *self.tags.next()? {
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
        self.tags.size_hint()
    }
}

impl ExactSizeIterator for CellIter<'_> {}
