//! The bytes of a record's state, for the database. All numbers are LEB128 varints, signed ones zigzag.
//!
//! ```text
//! record  := format(1 byte = 1) origins parts(1 byte) version[insert] version[delete] (stamp version)[over]
//!            absent[residue] count(fields) field*
//! origins := count (device(16) incarnation(4, little endian))*
//! parts   := 1 insert | 2 delete | 4 over | 8 residue: the insert is not here
//! stamp   := origin-index, delta of hlc            version := stamp origin-index delta of seq
//! field   := name kind(1; +0x80: the row has the value) state
//! last    := version value          extreme := epoch version value          epoch := 0 | 1 stamp
//! counter := epoch base(0 | 1 version amount) count (origin-index version amount)*
//! set     := epoch version count (element count (dot (0 stamp | 1 version))*)*
//! value   := tag(1) and what it needs           absent  := count (name kind(1))*
//! ```

use std::collections::BTreeMap;

use super::{
    counter::{Amount, Counter},
    field::FieldState,
    record::{Field, Over, Record},
    register::{Extreme, Register},
    set::{Dot, Presence, SetState},
};
use crate::{
    changeset::{Name, Version},
    hlc::{Hlc, Stamp},
    ids::{DeviceId, Incarnation, Origin, RecordId, Seq},
    value::{MergeKind, Value},
};

const FORMAT: u8 = 1;
const IN_ROW: u8 = 0x80;

/// Bytes are not the state of a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RecordError {
    /// They end too early or go on too long.
    #[error("record state is cut short or has trailing bytes")]
    Length,
    /// A format that this version does not know.
    #[error("record state of unknown format version {0}")]
    UnknownVersion(u8),
    /// Something that no encoder writes.
    #[error("malformed record state: {0}")]
    Malformed(&'static str),
}

/// A name and kind, as rows name their columns.
pub(super) type FieldKey = (Name, MergeKind);

/// A state of which some values may stand elsewhere: in place of each there is NULL, and its field is listed.
pub(super) struct Partial {
    pub(super) record: Record,
    /// Whether the insert and values stand elsewhere.
    pub(super) residue: bool,
    pub(super) in_row: Vec<FieldKey>,
    pub(super) absent: Vec<FieldKey>,
}

impl Record {
    /// The whole state as bytes.
    pub fn encode(&self) -> Vec<u8> {
        encode(self, |_| Place::State, None)
    }

    /// Reads what [`Self::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        let partial = decode(bytes)?;
        if partial.residue {
            Err(RecordError::Malformed("a residue in place of a whole state"))
        } else {
            Ok(partial.record)
        }
    }
}

/// Where a field's value stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In these bytes.
    State,
    /// In the row; the version is here.
    Row,
    /// All of it follows from the row and the insert's version.
    Nowhere,
}

/// With `absent` the bytes are a residue: without the insert, and `absent` names the columns that the row has and
/// the state does not.
pub(super) fn encode(
    record: &Record,
    place: impl Fn(&Field) -> Place,
    absent: Option<&[FieldKey]>,
) -> Vec<u8> {
    let fields: Vec<(&Field, Place)> =
        record.fields.iter().map(|f| (f, place(f))).filter(|(_, place)| *place != Place::Nowhere).collect();
    let insert = record.insert.filter(|_| absent.is_none());
    let mut writer = Writer { out: vec![FORMAT], origins: origins(record, insert, &fields), hlc: 0, seq: 0 };
    writer.origin_table();
    let parts = [insert.is_some(), record.delete.is_some(), record.over.is_some(), absent.is_some()];
    writer.out.push(parts.iter().rev().fold(0, |bits, part| bits << 1 | u8::from(*part)));
    for version in insert.iter().chain(&record.delete) {
        writer.version(*version);
    }
    if let Some(over) = record.over {
        writer.stamp(over.stamp);
        writer.version(over.insert);
    }
    if let Some(absent) = absent {
        writer.number(absent.len() as u64);
        for (name, kind) in absent {
            writer.text(name.as_str());
            writer.out.push(*kind as u8);
        }
    }
    writer.number(fields.len() as u64);
    for (field, place) in fields {
        writer.field(field, place == Place::Row);
    }
    writer.out
}

/// All origins that are written, in order.
fn origins(record: &Record, insert: Option<Version>, fields: &[(&Field, Place)]) -> Vec<Origin> {
    let mut all: Vec<Origin> = Vec::with_capacity(4);
    let mut add = |origin: Origin| {
        if let Err(at) = all.binary_search(&origin) {
            all.insert(at, origin);
        }
    };
    let over = record.over.map(|over| over.insert);
    for version in insert.iter().chain(&record.delete).chain(&over) {
        add(version.stamp.origin);
        add(version.origin);
    }
    if let Some(over) = record.over {
        add(over.stamp.origin);
    }
    for (field, _) in fields {
        field.state.for_each_version(|version| {
            add(version.stamp.origin);
            add(version.origin);
        });
        if let Some(epoch) = field.state.epoch() {
            add(epoch.origin);
        }
        match &field.state {
            FieldState::Counter(counter) => counter.shares.keys().for_each(|origin| add(*origin)),
            FieldState::Set(set) => set.for_each_entry(|_, dot, _| add(dot.origin)),
            _ => {}
        }
    }
    all
}

struct Writer {
    out: Vec<u8>,
    origins: Vec<Origin>,
    hlc: i64,
    seq: i64,
}

impl Writer {
    fn origin_table(&mut self) {
        self.number(self.origins.len() as u64);
        for origin in &self.origins {
            self.out.extend_from_slice(origin.device.as_bytes());
            self.out.extend_from_slice(&origin.incarnation.0.to_le_bytes());
        }
    }

    fn number(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.out.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.out.push((value & 0x7f) as u8);
    }

    fn signed(&mut self, value: i64) {
        self.number(((value << 1) ^ (value >> 63)).cast_unsigned());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.out.extend_from_slice(text.as_bytes());
    }

    fn origin(&mut self, origin: Origin) {
        self.number(self.origins.binary_search(&origin).unwrap_or(0) as u64);
    }

    fn stamp(&mut self, stamp: Stamp) {
        self.origin(stamp.origin);
        let hlc = stamp.hlc.0.cast_signed();
        self.signed(hlc.wrapping_sub(self.hlc));
        self.hlc = hlc;
    }

    fn dot(&mut self, dot: Dot) {
        self.origin(dot.origin);
        let seq = dot.seq.0.cast_signed();
        self.signed(seq.wrapping_sub(self.seq));
        self.seq = seq;
    }

    fn version(&mut self, version: Version) {
        self.stamp(version.stamp);
        self.dot(version.into());
    }

    fn epoch(&mut self, epoch: Option<Stamp>) {
        self.out.push(u8::from(epoch.is_some()));
        if let Some(stamp) = epoch {
            self.stamp(stamp);
        }
    }

    fn amount(&mut self, amount: Amount) {
        self.version(amount.version);
        self.signed(amount.amount);
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.out.push(0),
            Value::Integer(v) => {
                self.out.push(1);
                self.signed(*v);
            }
            Value::Real(v) => {
                self.out.push(2);
                self.out.extend_from_slice(&v.to_bits().to_le_bytes());
            }
            Value::Text(v) => {
                self.out.push(3);
                self.text(v);
            }
            Value::Blob(v) => {
                self.out.push(4);
                self.number(v.len() as u64);
                self.out.extend_from_slice(v);
            }
            Value::Reference(v) => {
                self.out.push(5);
                self.out.extend_from_slice(v.as_bytes());
            }
        }
    }

    fn field(&mut self, field: &Field, in_row: bool) {
        self.text(field.name.as_str());
        self.out.push(field.state.kind() as u8 | if in_row { IN_ROW } else { 0 });
        match &field.state {
            FieldState::Last(register) => {
                self.version(register.version);
                if !in_row {
                    self.value(&register.value);
                }
            }
            FieldState::Max(extreme) | FieldState::Min(extreme) => {
                self.epoch(extreme.epoch);
                self.version(extreme.version);
                if !in_row {
                    self.value(&extreme.value);
                }
            }
            FieldState::Counter(counter) => {
                self.epoch(counter.epoch);
                self.out.push(u8::from(counter.base.is_some()));
                if let Some(base) = counter.base {
                    self.amount(base);
                }
                self.number(counter.shares.len() as u64);
                for (origin, share) in &counter.shares {
                    self.origin(*origin);
                    self.amount(*share);
                }
            }
            FieldState::Set(set) => self.set(set),
        }
    }

    fn set(&mut self, set: &SetState) {
        self.epoch(set.epoch);
        self.version(set.latest);
        self.number(set.entries.len() as u64);
        for (element, dots) in &set.entries {
            self.text(element);
            self.number(dots.len() as u64);
            for (dot, presence) in dots {
                self.dot(*dot);
                match presence {
                    Presence::Added(stamp) => {
                        self.out.push(0);
                        self.stamp(*stamp);
                    }
                    Presence::Removed(version) => {
                        self.out.push(1);
                        self.version(*version);
                    }
                }
            }
        }
    }
}

pub(super) fn decode(bytes: &[u8]) -> Result<Partial, RecordError> {
    let mut reader = Reader { rest: bytes, origins: Vec::new(), hlc: 0, seq: 0 };
    match reader.byte()? {
        FORMAT => {}
        format => return Err(RecordError::UnknownVersion(format)),
    }
    for _ in 0..reader.number()? {
        let device = DeviceId::from_bytes(reader.array()?);
        let incarnation = Incarnation(u32::from_le_bytes(reader.array()?));
        reader.origins.push(Origin { device, incarnation });
    }
    let parts = reader.byte()?;
    let residue = parts & 8 != 0;
    if parts > 15 || (residue && parts & 1 != 0) {
        return Err(RecordError::Malformed("unknown parts"));
    }
    let mut record = Record::default();
    if parts & 1 != 0 {
        record.insert = Some(reader.version()?);
    }
    if parts & 2 != 0 {
        record.delete = Some(reader.version()?);
    }
    if parts & 4 != 0 {
        record.over = Some(Over { stamp: reader.stamp()?, insert: reader.version()? });
    }
    let (mut in_row, mut absent) = (Vec::new(), Vec::new());
    let absent_count = if residue { reader.number()? } else { 0 };
    for _ in 0..absent_count {
        let name = reader.name()?;
        absent.push((name, merge_kind(reader.byte()?)?));
    }
    for _ in 0..reader.number()? {
        let name = reader.name()?;
        let byte = reader.byte()?;
        let (kind, elsewhere) = (merge_kind(byte & !IN_ROW)?, byte & IN_ROW != 0);
        if record.position(name.as_str(), kind) != Err(record.fields.len()) {
            return Err(RecordError::Malformed("fields out of order"));
        }
        if elsewhere && !residue {
            return Err(RecordError::Malformed("a value that is not here"));
        }
        let state = reader.state(kind, elsewhere)?;
        if elsewhere {
            in_row.push((name.clone(), kind));
        }
        record.fields.push(Field { name, state });
    }
    if reader.rest.is_empty() {
        Ok(Partial { record, residue, in_row, absent })
    } else {
        Err(RecordError::Length)
    }
}

fn merge_kind(byte: u8) -> Result<MergeKind, RecordError> {
    let all = [MergeKind::LastWriter, MergeKind::Counter, MergeKind::Max, MergeKind::Min, MergeKind::Set];
    all.into_iter().find(|kind| *kind as u8 == byte).ok_or(RecordError::Malformed("merge kind"))
}

struct Reader<'a> {
    rest: &'a [u8],
    origins: Vec<Origin>,
    hlc: i64,
    seq: i64,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: u64) -> Result<&'a [u8], RecordError> {
        let length = usize::try_from(length).map_err(|_| RecordError::Length)?;
        let (head, rest) = self.rest.split_at_checked(length).ok_or(RecordError::Length)?;
        self.rest = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], RecordError> {
        self.take(N as u64)?.try_into().map_err(|_| RecordError::Length)
    }

    fn byte(&mut self) -> Result<u8, RecordError> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    fn flag(&mut self) -> Result<bool, RecordError> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(RecordError::Malformed("flag")),
        }
    }

    fn number(&mut self) -> Result<u64, RecordError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                return Err(RecordError::Malformed("number"));
            }
            value |= bits << shift;
            if byte < 0x80 {
                if byte == 0 && shift > 0 {
                    return Err(RecordError::Malformed("number"));
                }
                return Ok(value);
            }
        }
        Err(RecordError::Malformed("number"))
    }

    fn signed(&mut self) -> Result<i64, RecordError> {
        let value = self.number()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    fn text(&mut self) -> Result<&'a str, RecordError> {
        let length = self.number()?;
        std::str::from_utf8(self.take(length)?).map_err(|_| RecordError::Malformed("text is not UTF-8"))
    }

    fn name(&mut self) -> Result<Name, RecordError> {
        Ok(Name::from(self.text()?))
    }

    fn origin(&mut self) -> Result<Origin, RecordError> {
        let at = usize::try_from(self.number()?).map_err(|_| RecordError::Malformed("origin"))?;
        self.origins.get(at).copied().ok_or(RecordError::Malformed("origin"))
    }

    fn stamp(&mut self) -> Result<Stamp, RecordError> {
        let origin = self.origin()?;
        self.hlc = self.hlc.wrapping_add(self.signed()?);
        Ok(Stamp::new(Hlc(self.hlc.cast_unsigned()), origin))
    }

    fn dot(&mut self) -> Result<Dot, RecordError> {
        let origin = self.origin()?;
        self.seq = self.seq.wrapping_add(self.signed()?);
        Ok(Dot { origin, seq: Seq(self.seq.cast_unsigned()) })
    }

    fn version(&mut self) -> Result<Version, RecordError> {
        let stamp = self.stamp()?;
        let dot = self.dot()?;
        Ok(Version { stamp, origin: dot.origin, seq: dot.seq })
    }

    fn epoch(&mut self) -> Result<Option<Stamp>, RecordError> {
        Ok(if self.flag()? { Some(self.stamp()?) } else { None })
    }

    fn amount(&mut self) -> Result<Amount, RecordError> {
        Ok(Amount { version: self.version()?, amount: self.signed()? })
    }

    fn value(&mut self) -> Result<Value, RecordError> {
        Ok(match self.byte()? {
            0 => Value::Null,
            1 => Value::Integer(self.signed()?),
            2 => Value::Real(f64::from_bits(u64::from_le_bytes(self.array()?))),
            3 => Value::Text(self.text()?.to_owned()),
            4 => {
                let length = self.number()?;
                Value::Blob(self.take(length)?.to_vec())
            }
            5 => Value::Reference(RecordId::from_bytes(self.array()?)),
            _ => return Err(RecordError::Malformed("value")),
        })
    }

    fn state(&mut self, kind: MergeKind, elsewhere: bool) -> Result<FieldState, RecordError> {
        Ok(match kind {
            MergeKind::LastWriter => FieldState::Last(Register {
                version: self.version()?,
                value: if elsewhere { Value::Null } else { self.value()? },
            }),
            MergeKind::Max | MergeKind::Min => {
                let extreme = Extreme {
                    epoch: self.epoch()?,
                    version: self.version()?,
                    value: if elsewhere { Value::Null } else { self.value()? },
                };
                if kind == MergeKind::Max { FieldState::Max(extreme) } else { FieldState::Min(extreme) }
            }
            _ if elsewhere => return Err(RecordError::Malformed("a counter or set in the row")),
            MergeKind::Counter => {
                let epoch = self.epoch()?;
                let base = if self.flag()? { Some(self.amount()?) } else { None };
                let mut shares = BTreeMap::new();
                for _ in 0..self.number()? {
                    shares.insert(self.origin()?, self.amount()?);
                }
                FieldState::Counter(Counter { epoch, base, shares })
            }
            MergeKind::Set => FieldState::Set(self.set()?),
        })
    }

    fn set(&mut self) -> Result<SetState, RecordError> {
        let epoch = self.epoch()?;
        let mut set = SetState::new(self.version()?, epoch);
        for _ in 0..self.number()? {
            let element = self.text()?;
            for _ in 0..self.number()? {
                let dot = self.dot()?;
                let presence = if self.flag()? {
                    Presence::Removed(self.version()?)
                } else {
                    Presence::Added(self.stamp()?)
                };
                set.put(element, dot, presence);
            }
        }
        Ok(set)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Found by a hostile input: a number in more bytes than it needs was read, though no encoder writes one.
    #[test]
    fn a_number_in_a_longer_form_is_malformed() {
        assert_eq!(Record::decode(&[1, 0, 0, 0]), Ok(Record::default()));
        assert_eq!(Record::decode(&[1, 0x80, 0, 0, 0]), Err(RecordError::Malformed("number")));
    }
}
