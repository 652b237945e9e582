//! The columnar encoding of a [`Body`]. All numbers are LEB128 varints unless said otherwise.
//!
//! ```text
//! body    := format(1 byte = 1) count(sections) section*
//! section := kind(1) name(model) n ids(16·n) versions over seen count(columns) column*
//! versions:= 0 | 1 origins stamps(n) | 2 origins stamps(n) dots(n)
//! stamp   := origin-index, zigzag delta of hlc        dot := origin-index, zigzag delta of seq
//! over    := 0 | 1 origins (0 | 1 stamp)·n            seen: the same
//! column  := name(field) merge(1) tags numbers texts blobs references
//! tags    := count(runs) (tag(1) length)*
//! ```
//! Integers are zigzag deltas, reals eight bytes little endian, texts and blobs lengths first.

use super::{
    Body, ChangeKind, Column, Name, Section, Version, Versions,
    cells::{Cells, TAG_BLOB, TAG_INTEGER, TAG_REAL, TAG_REFERENCE, TAG_TEXT},
};
use crate::{
    hlc::{Hlc, Stamp},
    ids::{DeviceId, Incarnation, Origin, RecordId, Seq},
    value::MergeKind,
};

const FORMAT: u8 = 1;
/// Largest body in bytes.
pub const MAX_BODY: usize = 16 << 20;
/// Longest wire name of a model or field in bytes.
pub const MAX_NAME: usize = 256;
const MAX_COLUMNS: u64 = 2_000;
const MAX_ORIGINS: u64 = 65_536;

/// Bytes are not a body.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BodyError {
    /// It ends too early or has bytes left over.
    #[error("changeset body is cut short or has trailing bytes")]
    Length,
    /// A format that this version does not know.
    #[error("changeset body of unknown format version {0}")]
    UnknownVersion(u8),
    /// A count or length beyond its bound.
    #[error("changeset body exceeds the limit on {0}")]
    Limit(&'static str),
    /// Something that no encoder writes.
    #[error("malformed changeset body: {0}")]
    Malformed(&'static str),
}

/// Encodes a body.
pub fn encode_body(body: &Body) -> Vec<u8> {
    let mut out = Vec::with_capacity(1024);
    out.push(FORMAT);
    varint(&mut out, body.sections.len() as u64);
    for section in &body.sections {
        encode_section(section, &mut out);
    }
    out
}

fn encode_section(section: &Section, out: &mut Vec<u8>) {
    out.push(match section.kind {
        ChangeKind::Insert => 0,
        ChangeKind::Write => 1,
        ChangeKind::Delete => 2,
    });
    name(out, &section.model);
    varint(out, section.records.len() as u64);
    for id in &section.records {
        out.extend_from_slice(id.as_bytes());
    }
    match &section.versions {
        Versions::Changeset => out.push(0),
        Versions::Stamps(stamps) => {
            out.push(1);
            stamp_list(out, stamps.iter());
        }
        Versions::Explicit(versions) => {
            out.push(2);
            stamp_list(out, versions.iter().map(|v| &v.stamp));
            let table = origin_table(out, versions.iter().map(|v| v.origin));
            let mut last = 0_i64;
            for version in versions {
                varint(out, table.binary_search(&version.origin).unwrap_or(0) as u64);
                let seq = version.seq.0.cast_signed();
                zigzag(out, seq.wrapping_sub(last));
                last = seq;
            }
        }
    }
    sparse_stamps(out, &section.over);
    sparse_stamps(out, &section.seen_delete);
    varint(out, section.columns.len() as u64);
    for column in &section.columns {
        encode_column(column, out);
    }
}

fn encode_column(column: &Column, out: &mut Vec<u8>) {
    name(out, &column.field);
    out.push(column.merge as u8);
    let cells = &column.cells;
    varint(out, cells.runs().len() as u64);
    for (tag, length) in cells.runs() {
        out.push(*tag);
        varint(out, u64::from(*length));
    }
    let mut numbers = cells.numbers.iter();
    let mut last = 0_i64;
    for (tag, length) in cells.runs() {
        let numbers = numbers.by_ref();
        match *tag {
            TAG_INTEGER => {
                for number in numbers.take(*length as usize) {
                    zigzag(out, number.wrapping_sub(last));
                    last = *number;
                }
            }
            TAG_REAL => {
                for bits in numbers.take(*length as usize) {
                    out.extend_from_slice(&bits.to_le_bytes());
                }
            }
            _ => {}
        }
    }
    for length in &cells.lengths {
        varint(out, u64::from(*length));
    }
    out.extend_from_slice(cells.text.as_bytes());
    out.extend_from_slice(&cells.blob);
    for reference in &cells.references {
        out.extend_from_slice(reference.as_bytes());
    }
}

fn name(out: &mut Vec<u8>, name: &Name) {
    varint(out, name.as_str().len() as u64);
    out.extend_from_slice(name.as_str().as_bytes());
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push((value & 0x7f) as u8);
}

fn zigzag(out: &mut Vec<u8>, value: i64) {
    varint(out, ((value << 1) ^ (value >> 63)).cast_unsigned());
}

/// Writes the sorted distinct origins and returns them.
fn origin_table(out: &mut Vec<u8>, origins: impl Iterator<Item = Origin>) -> Vec<Origin> {
    let mut table: Vec<Origin> = Vec::new();
    for origin in origins {
        if let Err(at) = table.binary_search(&origin) {
            table.insert(at, origin);
        }
    }
    varint(out, table.len() as u64);
    for origin in &table {
        out.extend_from_slice(origin.device.as_bytes());
        out.extend_from_slice(&origin.incarnation.0.to_le_bytes());
    }
    table
}

fn stamp_list<'a>(out: &mut Vec<u8>, stamps: impl Iterator<Item = &'a Stamp> + Clone) {
    let table = origin_table(out, stamps.clone().map(|s| s.origin));
    let mut last = 0_i64;
    for stamp in stamps {
        varint(out, table.binary_search(&stamp.origin).unwrap_or(0) as u64);
        let hlc = stamp.hlc.0.cast_signed();
        zigzag(out, hlc.wrapping_sub(last));
        last = hlc;
    }
}

fn sparse_stamps(out: &mut Vec<u8>, list: &[Option<Stamp>]) {
    if list.is_empty() {
        out.push(0);
        return;
    }
    out.push(1);
    for item in list {
        out.push(u8::from(item.is_some()));
    }
    let present: Vec<Stamp> = list.iter().flatten().copied().collect();
    stamp_list(out, present.iter());
}

/// Decodes a body; `bytes` must be exactly one and at most [`MAX_BODY`] long.
pub fn decode_body(bytes: &[u8]) -> Result<Body, BodyError> {
    if bytes.len() > MAX_BODY {
        return Err(BodyError::Limit("bytes"));
    }
    let mut reader = Reader { rest: bytes };
    let format = reader.byte()?;
    if format != FORMAT {
        return Err(BodyError::UnknownVersion(format));
    }
    let count = reader.count(2, "sections")?;
    let mut sections = Vec::with_capacity(count.min(64));
    for _ in 0..count {
        sections.push(decode_section(&mut reader)?);
    }
    if !reader.rest.is_empty() {
        return Err(BodyError::Length);
    }
    Ok(Body { sections })
}

fn decode_section(reader: &mut Reader<'_>) -> Result<Section, BodyError> {
    let kind = match reader.byte()? {
        0 => ChangeKind::Insert,
        1 => ChangeKind::Write,
        2 => ChangeKind::Delete,
        _ => return Err(BodyError::Malformed("kind of change")),
    };
    let model = reader.name()?;
    let n = reader.count(16, "changes")?;
    let records = reader.ids(n)?;
    let versions = match reader.byte()? {
        0 => Versions::Changeset,
        1 => Versions::Stamps(reader.stamps(n)?),
        2 => Versions::Explicit(reader.versions(n)?),
        _ => return Err(BodyError::Malformed("versions")),
    };
    let over = reader.sparse_stamps(n)?;
    let seen_delete = reader.sparse_stamps(n)?;
    let count = reader.count(4, "columns")?;
    if count as u64 > MAX_COLUMNS {
        return Err(BodyError::Limit("columns"));
    }
    let mut columns = Vec::with_capacity(count);
    for _ in 0..count {
        columns.push(decode_column(reader, n)?);
    }
    Ok(Section { model, kind, records, versions, over, seen_delete, columns })
}

fn decode_column(reader: &mut Reader<'_>, n: usize) -> Result<Column, BodyError> {
    let field = reader.name()?;
    let merge = match reader.byte()? {
        0 => MergeKind::LastWriter,
        1 => MergeKind::Counter,
        2 => MergeKind::Max,
        3 => MergeKind::Min,
        4 => MergeKind::Set,
        _ => return Err(BodyError::Malformed("merge kind")),
    };
    let mut cells = Cells::new();
    let runs = reader.count(2, "runs")?;
    let (mut numbers, mut texts, mut blobs, mut references) = (0_usize, 0_usize, 0_usize, 0_usize);
    for _ in 0..runs {
        let tag = reader.byte()?;
        let length = usize::try_from(reader.varint()?).map_err(|_| BodyError::Limit("cells"))?;
        if length > n - cells.len() {
            return Err(BodyError::Malformed("more cells than changes"));
        }
        match tag {
            0 => {}
            TAG_INTEGER | TAG_REAL => numbers += length,
            TAG_TEXT => texts += length,
            TAG_BLOB => blobs += length,
            TAG_REFERENCE => references += length,
            _ => return Err(BodyError::Malformed("tag")),
        }
        cells.tag(tag, length);
    }
    if cells.len() != n {
        return Err(BodyError::Malformed("fewer cells than changes"));
    }
    if numbers + texts + blobs > reader.rest.len() {
        return Err(BodyError::Length);
    }
    cells.numbers.reserve(numbers);
    let kinds = cells.runs().to_vec();
    let mut last = 0_i64;
    for tag in each(&kinds, TAG_INTEGER, TAG_REAL) {
        if tag == TAG_INTEGER {
            last = last.wrapping_add(reader.zigzag()?);
            cells.numbers.push(last);
        } else {
            let bits = i64::from_le_bytes(reader.array()?);
            if f64::from_bits(bits.cast_unsigned()).is_nan() {
                return Err(BodyError::Malformed("not a number"));
            }
            cells.numbers.push(bits);
        }
    }
    let (mut text_bytes, mut blob_bytes) = (0_usize, 0_usize);
    let mut boundaries = Vec::with_capacity(texts);
    for tag in each(&kinds, TAG_TEXT, TAG_BLOB) {
        let length = u32::try_from(reader.varint()?).map_err(|_| BodyError::Limit("value"))?;
        cells.lengths.push(length);
        let total = if tag == TAG_TEXT { &mut text_bytes } else { &mut blob_bytes };
        *total = total.checked_add(length as usize).ok_or(BodyError::Limit("value"))?;
        if tag == TAG_TEXT {
            boundaries.push(text_bytes);
        }
    }
    let text = reader.take(text_bytes)?;
    std::str::from_utf8(text)
        .map_err(|_| BodyError::Malformed("text is not UTF-8"))?
        .clone_into(&mut cells.text);
    if boundaries.iter().any(|at| !cells.text.is_char_boundary(*at)) {
        return Err(BodyError::Malformed("text is not UTF-8"));
    }
    cells.blob = reader.take(blob_bytes)?.to_vec();
    cells.references = reader.ids(references)?;
    Ok(Column { field, merge, cells })
}

/// The cells with one of two tags, without a step for any other.
fn each(runs: &[(u8, u32)], one: u8, other: u8) -> impl Iterator<Item = u8> {
    let wanted = runs.iter().filter(move |(tag, _)| *tag == one || *tag == other);
    wanted.flat_map(|(tag, length)| std::iter::repeat_n(*tag, *length as usize))
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], BodyError> {
        let (head, rest) = self.rest.split_at_checked(n).ok_or(BodyError::Length)?;
        self.rest = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], BodyError> {
        self.take(N)?.try_into().map_err(|_| BodyError::Length)
    }

    fn byte(&mut self) -> Result<u8, BodyError> {
        let (byte, rest) = self.rest.split_first().ok_or(BodyError::Length)?;
        self.rest = rest;
        Ok(*byte)
    }

    fn varint(&mut self) -> Result<u64, BodyError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(BodyError::Malformed("number too large"));
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                if byte == 0 && shift > 0 {
                    return Err(BodyError::Malformed("number not in shortest form"));
                }
                return Ok(value);
            }
        }
        Err(BodyError::Malformed("number too long"))
    }

    fn zigzag(&mut self) -> Result<i64, BodyError> {
        let value = self.varint()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    /// A count of things that take at least `least` bytes each, so that nothing is reserved for a lie.
    fn count(&mut self, least: usize, what: &'static str) -> Result<usize, BodyError> {
        let count = usize::try_from(self.varint()?).map_err(|_| BodyError::Limit(what))?;
        if count > self.rest.len() / least { Err(BodyError::Limit(what)) } else { Ok(count) }
    }

    fn name(&mut self) -> Result<Name, BodyError> {
        let length = self.varint()?;
        if length == 0 || length > MAX_NAME as u64 {
            return Err(BodyError::Limit("name"));
        }
        let bytes = self.take(usize::try_from(length).map_err(|_| BodyError::Limit("name"))?)?;
        std::str::from_utf8(bytes).map(Name::from).map_err(|_| BodyError::Malformed("name is not UTF-8"))
    }

    fn ids(&mut self, n: usize) -> Result<Vec<RecordId>, BodyError> {
        let bytes = self.take(n.checked_mul(16).ok_or(BodyError::Length)?)?;
        Ok(bytes.as_chunks::<16>().0.iter().map(|id| RecordId::from_bytes(*id)).collect())
    }

    fn origins(&mut self) -> Result<Vec<Origin>, BodyError> {
        let count = self.count(20, "origins")?;
        if count as u64 > MAX_ORIGINS {
            return Err(BodyError::Limit("origins"));
        }
        (0..count)
            .map(|_| {
                Ok(Origin {
                    device: DeviceId::from_bytes(self.array()?),
                    incarnation: Incarnation(u32::from_le_bytes(self.array()?)),
                })
            })
            .collect()
    }

    fn indexed(&mut self, origins: &[Origin]) -> Result<Origin, BodyError> {
        let index = usize::try_from(self.varint()?).map_err(|_| BodyError::Limit("origins"))?;
        origins.get(index).copied().ok_or(BodyError::Malformed("origin index"))
    }

    fn stamps(&mut self, n: usize) -> Result<Vec<Stamp>, BodyError> {
        let origins = self.origins()?;
        let mut last = 0_i64;
        let mut out = Vec::with_capacity(n.min(self.rest.len()));
        for _ in 0..n {
            let origin = self.indexed(&origins)?;
            last = last.wrapping_add(self.zigzag()?);
            out.push(Stamp { hlc: Hlc(last.cast_unsigned()), origin });
        }
        Ok(out)
    }

    fn versions(&mut self, n: usize) -> Result<Vec<Version>, BodyError> {
        let stamps = self.stamps(n)?;
        let origins = self.origins()?;
        let mut last = 0_i64;
        stamps
            .into_iter()
            .map(|stamp| {
                let origin = self.indexed(&origins)?;
                last = last.wrapping_add(self.zigzag()?);
                Ok(Version { stamp, origin, seq: Seq(last.cast_unsigned()) })
            })
            .collect()
    }

    fn sparse_stamps(&mut self, n: usize) -> Result<Vec<Option<Stamp>>, BodyError> {
        match self.byte()? {
            0 => return Ok(Vec::new()),
            1 => {}
            _ => return Err(BodyError::Malformed("stamps")),
        }
        let flags = self.take(n)?;
        if flags.iter().any(|flag| *flag > 1) {
            return Err(BodyError::Malformed("stamps"));
        }
        let present = flags.iter().copied().map(usize::from).sum();
        let mut stamps = self.stamps(present)?.into_iter();
        Ok(flags.iter().map(|flag| if *flag == 1 { stamps.next() } else { None }).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Value;
    use proptest::prelude::*;

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::Integer),
            any::<f64>().prop_filter("NULL in SQLite", |v| !v.is_nan()).prop_map(Value::Real),
            any::<String>().prop_map(Value::Text),
            proptest::collection::vec(any::<u8>(), 0..40).prop_map(Value::Blob),
            any::<[u8; 16]>().prop_map(|id| Value::Reference(RecordId::from_bytes(id))),
        ]
    }

    fn stamp() -> impl Strategy<Value = Stamp> {
        (any::<u64>(), any::<[u8; 16]>(), any::<u32>()).prop_map(|(hlc, device, incarnation)| Stamp {
            hlc: Hlc(hlc),
            origin: Origin { device: DeviceId::from_bytes(device), incarnation: Incarnation(incarnation) },
        })
    }

    fn body() -> impl Strategy<Value = Body> {
        let change = (
            any::<bool>(),
            stamp(),
            stamp(),
            any::<u64>(),
            any::<[u8; 16]>(),
            proptest::option::of(stamp()),
            proptest::collection::vec(value(), 3),
        );
        proptest::collection::vec(change, 0..40).prop_map(|changes| {
            let own = Version { stamp: Stamp::ZERO, origin: Stamp::ZERO.origin, seq: Seq(1) };
            let mut body = Body::default();
            for (plain, stamp, dot, seq, id, over, values) in changes {
                let version = if plain { own } else { Version { stamp, origin: dot.origin, seq: Seq(seq) } };
                let fields = values
                    .into_iter()
                    .enumerate()
                    .map(|(n, value)| super::super::FieldWrite {
                        field: Name::from(format!("f{n}").as_str()),
                        merge: MergeKind::LastWriter,
                        value,
                    })
                    .collect();
                body.push(
                    &super::super::Change {
                        model: Name::from("m"),
                        record: RecordId::from_bytes(id),
                        kind: ChangeKind::Write,
                        version,
                        over,
                        seen_delete: None,
                        fields,
                    },
                    own,
                );
            }
            body
        })
    }

    /// Found by a hostile input: a column of NULLs is a few bytes however many rows it has, and took a byte of memory
    /// for each; 2,000 such columns made of 16 MiB a gigabyte.
    #[test]
    fn a_column_of_nulls_takes_no_memory_for_each_row() {
        let rows = 3_000_u32;
        let fields = (0..2_000).map(|n| (Name::from(format!("f{n}").as_str()), MergeKind::LastWriter));
        let mut section = Section::new(Name::from("m"), ChangeKind::Write, fields);
        for row in 0..rows {
            section.records.push(RecordId::from_bytes(u128::from(row).to_be_bytes()));
            section.columns.iter_mut().for_each(|column| column.cells.push(crate::value::ValueRef::Null));
        }
        let body = Body { sections: vec![section] };
        let bytes = encode_body(&body);
        assert!(bytes.len() < 80_000);
        let back = decode_body(&bytes);
        assert_eq!(back.as_ref(), Ok(&body));
        for column in back.iter().flat_map(|body| &body.sections).flat_map(|section| &section.columns) {
            assert_eq!((column.cells.runs(), column.cells.len()), (&[(0, rows)][..], rows as usize));
            assert!(
                column.cells.iter().len() == rows as usize && column.cells.iter().count() == rows as usize
            );
        }
    }

    #[test]
    fn runs_in_pieces_are_one_run() {
        let column = |runs: &[u8]| {
            [&[1, 1, 1, 1, b'm', 2], [7; 32].as_slice(), &[0, 0, 0, 1, 1, b'f', 0], runs].concat()
        };
        let whole = decode_body(&column(&[1, 0, 2]));
        assert!(whole.is_ok());
        assert_eq!(decode_body(&column(&[4, 0, 1, 3, 0, 0, 0, 0, 1])), whole);
    }

    proptest! {
        #[test]
        fn body_survives_encoding(body in body()) {
            let bytes = encode_body(&body);
            let back = decode_body(&bytes);
            prop_assert_eq!(back.as_ref().ok(), Some(&body));
            prop_assert_eq!(back.as_ref().map(encode_body).ok(), Some(bytes));
        }

        #[test]
        fn cut_or_flipped_bodies_never_panic(body in body(), at in any::<prop::sample::Index>(), bit in 0_u8..8) {
            let mut bytes = encode_body(&body);
            let at = at.index(bytes.len());
            prop_assert!(bytes.get(..at).is_some_and(|cut| decode_body(cut).is_err()));
            bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << bit);
            if let Ok(other) = decode_body(&bytes) {
                encode_body(&other);
            }
        }

        #[test]
        fn rubbish_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            if let Ok(body) = decode_body(&bytes) {
                prop_assert!(body.len() * 16 <= bytes.len());
            }
        }
    }
}
