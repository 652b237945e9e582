//! Values as they travel: by storage class, bit for bit, references as record ids. A local key cannot be
//! written as a value: no type here is made from one, and reference columns hold [`RecordId`]s only.

use serde::{Deserialize, Serialize};

use crate::ids::RecordId;

/// One value of a field.
///
/// A reference holds a record id. A local key cannot take its place, so none can leave the device:
///
/// ```
/// use sync_core::{ids::RecordId, value::Value};
///
/// let parent = RecordId::from_bytes([7; 16]);
/// assert_eq!(Value::Reference(parent), Value::Reference(parent));
/// ```
///
/// ```compile_fail,E0308
/// use sync_core::value::Value;
///
/// let local_key: i64 = 7;
/// let leaving = Value::Reference(local_key);
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// Signed 64-bit integer.
    Integer(i64),
    /// 64-bit float; never NaN, which SQLite stores as NULL.
    Real(f64),
    /// UTF-8 text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
    /// The record that a foreign key points at.
    Reference(RecordId),
}

impl Value {
    /// Borrowed form.
    pub fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Self::Null => ValueRef::Null,
            Self::Integer(v) => ValueRef::Integer(*v),
            Self::Real(v) => ValueRef::Real(*v),
            Self::Text(v) => ValueRef::Text(v),
            Self::Blob(v) => ValueRef::Blob(v),
            Self::Reference(v) => ValueRef::Reference(*v),
        }
    }

    /// Canonical bytes: a tag and the value; equal values have equal bytes and different values do not.
    pub fn canonical(&self, out: &mut Vec<u8>) {
        self.as_ref().canonical(out);
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.as_ref() == other.as_ref()
    }
}

impl Eq for Value {}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Value {
    /// Order of the canonical bytes; only used where an arbitrary but common order is needed.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let (mut a, mut b) = (Vec::new(), Vec::new());
        self.canonical(&mut a);
        other.canonical(&mut b);
        a.cmp(&b)
    }
}

/// A borrowed [`Value`].
#[derive(Clone, Copy, Debug)]
pub enum ValueRef<'a> {
    /// SQL NULL.
    Null,
    /// Signed 64-bit integer.
    Integer(i64),
    /// 64-bit float.
    Real(f64),
    /// UTF-8 text.
    Text(&'a str),
    /// Bytes.
    Blob(&'a [u8]),
    /// The record that a foreign key points at.
    Reference(RecordId),
}

impl ValueRef<'_> {
    /// Owned form.
    pub fn to_value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Integer(v) => Value::Integer(v),
            Self::Real(v) => Value::Real(v),
            Self::Text(v) => Value::Text(v.to_owned()),
            Self::Blob(v) => Value::Blob(v.to_owned()),
            Self::Reference(v) => Value::Reference(v),
        }
    }

    /// See [`Value::canonical`].
    pub fn canonical(self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.push(0),
            Self::Integer(v) => {
                out.push(1);
                out.extend_from_slice(&v.to_be_bytes());
            }
            Self::Real(v) => {
                out.push(2);
                out.extend_from_slice(&v.to_bits().to_be_bytes());
            }
            Self::Text(v) => {
                out.push(3);
                out.extend_from_slice(&(v.len() as u64).to_be_bytes());
                out.extend_from_slice(v.as_bytes());
            }
            Self::Blob(v) => {
                out.push(4);
                out.extend_from_slice(&(v.len() as u64).to_be_bytes());
                out.extend_from_slice(v);
            }
            Self::Reference(v) => {
                out.push(5);
                out.extend_from_slice(v.as_bytes());
            }
        }
    }
}

impl PartialEq for ValueRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Integer(a), Self::Integer(b)) => a == b,
            (Self::Real(a), Self::Real(b)) => a.to_bits() == b.to_bits(),
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Blob(a), Self::Blob(b)) => a == b,
            (Self::Reference(a), Self::Reference(b)) => a == b,
            _ => false,
        }
    }
}

/// How concurrent values of a field merge (docs/merge.md section 3). Every field on the wire names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[repr(u8)]
pub enum MergeKind {
    /// The highest stamp wins.
    #[default]
    LastWriter = 0,
    /// The sum of a base and one share per origin.
    Counter = 1,
    /// The largest value.
    Max = 2,
    /// The smallest value.
    Min = 3,
    /// A set of elements; a concurrent add survives a removal.
    Set = 4,
}
