//! Lists and texts with a bound that is checked while they are read.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error, SeqAccess, Visitor},
};

use crate::changeset::{MAX_NAME, Name};

struct ListVisitor<T, const MAX: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for ListVisitor<T, MAX> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at most {MAX} items")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
        if items.size_hint().is_some_and(|claimed| claimed > MAX) {
            return Err(A::Error::custom("too many items"));
        }
        // What is claimed is not reserved: a short message may claim a long list.
        let mut list = Vec::with_capacity(items.size_hint().unwrap_or(0).min(64));
        while let Some(item) = items.next_element()? {
            if list.len() == MAX {
                return Err(A::Error::custom("too many items"));
            }
            list.push(item);
        }
        Ok(list)
    }
}

/// Reads a list of at most `MAX` items; for `#[serde(deserialize_with)]`.
pub(crate) fn list<'de, D, T, const MAX: usize>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    deserializer.deserialize_seq(ListVisitor::<T, MAX>(PhantomData))
}

/// Reads a wire name as long as bodies allow; for `#[serde(deserialize_with)]`.
pub(crate) fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Name, D::Error> {
    let text = <&str>::deserialize(deserializer)?;
    if text.is_empty() || text.len() > MAX_NAME {
        return Err(D::Error::custom("name of nothing or too long"));
    }
    Ok(Name::from(text))
}

/// Reads a text of at most `MAX` bytes; for `#[serde(deserialize_with)]`.
pub(crate) fn text<'de, D: Deserializer<'de>, const MAX: usize>(deserializer: D) -> Result<String, D::Error> {
    let text = <&str>::deserialize(deserializer)?;
    if text.len() > MAX { Err(D::Error::custom("text too long")) } else { Ok(text.to_owned()) }
}
