//! Version vectors as they are kept and as they travel, times, and ids as text.

use sync_core::{
    hlc::{Clock, Hlc, MAX_DRIFT, Millis},
    ids::{DeviceId, RecordId},
    vector::VersionVector,
    wire::{PartitionVector, VectorEntry},
};

use crate::{allocation::bounded, outcome::Outcome};

/// A version vector as statements hold it; two of them in one input are compared.
pub fn vector(input: &[u8]) -> Outcome {
    let read = bounded("vector", input.len(), || postcard::take_from_bytes::<VersionVector>(input));
    let Ok((vector, rest)) = read else { return Outcome::error("no vector", "") };
    if !vector.is_canonical() {
        return Outcome::error("vector not canonical", "");
    }
    laws(&vector);
    if let Ok(other) = postcard::from_bytes::<VersionVector>(rest)
        && other.is_canonical()
    {
        pair(&vector, &other);
        pair(&other, &vector);
    }
    Outcome::ok(vector.len())
}

/// What holds for every canonical vector.
fn laws(vector: &VersionVector) {
    let mut merged = VersionVector::new();
    merged.merge(vector);
    assert_eq!(merged, *vector, "a canonical vector is what inserting makes");
    assert_eq!(merged.digest(), vector.digest(), "equal vectors have equal digests");
    assert!(vector.covers(vector), "a vector covers itself");
    assert_eq!(vector.intersection(vector), *vector, "and is what it shares with itself");
    let entries: Vec<VectorEntry> =
        vector.iter().map(|(origin, held)| VectorEntry::new(*origin, held, None)).collect();
    assert_eq!(VectorEntry::to_vector(&entries).as_ref(), Some(vector), "survives the wire");
}

fn pair(a: &VersionVector, b: &VersionVector) {
    assert_eq!(a.covers(b) && b.covers(a), a == b, "who covers each other is equal");
    assert_eq!(a.digest() == b.digest(), a == b, "digests tell vectors apart");
    let missing = a.missing_from(b);
    assert!(missing.iter().all(|(_, range)| !range.is_empty()), "nothing empty is missing");
    let common = a.intersection(b);
    assert!(a.covers(&common) && b.covers(&common), "what both hold each holds");
    let mut filled = b.clone();
    let remembered = missing.iter().all(|(origin, range)| filled.insert(*origin, *range));
    assert!(filled.is_canonical(), "stays canonical");
    assert!(!remembered || filled.covers(a), "with what was missing nothing is");
}

/// The entries of a vector, as Hello and heartbeats have them.
pub fn entries(input: &[u8]) -> Outcome {
    let read = bounded("entries", input.len(), || postcard::from_bytes::<PartitionVector>(input));
    let Ok(stated) = read else { return Outcome::error("no entries", "") };
    let made = bounded("vector of entries", input.len(), || VectorEntry::to_vector(&stated.entries));
    match made {
        None => Outcome::error("impossible vector", ""),
        Some(vector) => {
            assert!(vector.is_canonical(), "what entries make is canonical");
            laws(&vector);
            Outcome::ok(vector.len())
        }
    }
}

/// A clock that sees times: pairs of eight bytes, the first bit of the second says whose.
pub fn hlc(input: &[u8]) -> Outcome {
    let (times, _) = input.as_chunks::<8>();
    let mut clock = Clock::resume(Hlc(0));
    let mut valid = 0;
    for pair in times.chunks_exact(2) {
        let [now, other] = pair else { continue };
        let (now, other) = (Millis(u64::from_le_bytes(*now)), Hlc(u64::from_le_bytes(*other)));
        let before = clock.high();
        if other.0 & 1 == 0 {
            let now = Millis(now.0 >> 16);
            let ticked = clock.tick(now);
            assert!(ticked > before || before.0 == u64::MAX, "the clock never stands");
            assert!(ticked >= Hlc::at(now), "nor is it behind the time");
        } else {
            clock.observe(other, now);
            let limit = Hlc::at(Millis(now.0.saturating_add(MAX_DRIFT.0)));
            assert!(clock.high() >= before, "the clock never steps back");
            assert!(clock.high() <= before.max(limit), "nor does anybody pull it beyond the drift bound");
        }
        valid += usize::from(other.is_valid());
        assert_eq!(other.is_valid(), (Hlc::MIN_VALID..Hlc::MAX_VALID).contains(&other));
        assert!(!format!("{other:?}").is_empty());
    }
    Outcome::ok(valid)
}

/// An id as text.
pub fn id(input: &[u8]) -> Outcome {
    let Ok(text) = std::str::from_utf8(input) else { return Outcome::error("not UTF-8", "") };
    let sliced = DeviceId::from_slice(input);
    assert_eq!(sliced.is_some(), input.len() == 16, "an id has 16 bytes");
    match bounded("id", input.len(), || text.parse::<RecordId>()) {
        Err(_) => Outcome::error("no id", ""),
        Ok(id) => {
            assert_eq!(id.to_string().parse(), Ok(id), "survives");
            assert_eq!(
                text.chars().filter(|c| *c != '-').collect::<String>().to_ascii_lowercase(),
                id.to_string(),
                "the digits are the id"
            );
            Outcome::ok(text.len())
        }
    }
}
