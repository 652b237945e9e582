//! What large inputs take, where the constant of the bound hides nothing.
#![expect(clippy::print_stdout, reason = "the figures are what the test shows")]

use sync_core::{
    changeset::{Body, ChangeKind, Name, Section, Versions, decode_body, encode_body},
    hlc::Stamp,
    ids::{Hash, RecordId},
    value::{MergeKind, ValueRef},
    wire::{Kind, Message, Opaque, WireChangeset, WireShared},
};
use sync_fuzz::{
    allocation::{ALLOWANCE, measured},
    samples,
};

/// A section of `rows` rows and `columns` columns of this value.
fn section(rows: u32, columns: u32, value: ValueRef<'_>) -> Section {
    let fields = (0..columns).map(|n| (Name::from(format!("f{n}").as_str()), MergeKind::LastWriter));
    let mut section = Section::new(Name::from("m"), ChangeKind::Write, fields);
    for row in 0..rows {
        section.records.push(RecordId::from_bytes(u128::from(row).to_be_bytes()));
        section.columns.iter_mut().for_each(|column| column.cells.push(value));
    }
    section
}

/// Bytes held at most, per byte of the body.
fn times(name: &str, section: Section) -> usize {
    let bytes = encode_body(&Body { sections: vec![section] });
    let (body, usage) = measured(|| decode_body(&bytes));
    assert!(body.is_ok(), "{name}: {body:?}");
    let times = usage.peak.div_ceil(bytes.len());
    println!("{name}: {} bytes held for {}", usage.peak, bytes.len());
    times
}

#[test]
fn large_bodies_take_at_most_ten_times_their_bytes() {
    let nulls = times("columns of NULL", section(20_000, 500, ValueRef::Null));
    let texts = times("texts", section(20_000, 20, ValueRef::Text("a text")));
    let integers = times("small integers", section(20_000, 50, ValueRef::Integer(0)));
    let own = samples::header(1, Hash::NONE).version();
    let mut page = section(100_000, 1, ValueRef::Null);
    page.versions = Versions::Explicit(vec![own; 100_000]);
    page.over = vec![None; 100_000];
    page.seen_delete = vec![Some(Stamp::ZERO); 100_000];
    let versions = times("versions and noted stamps", page);
    assert!(nulls <= 4 && texts <= 4, "{nulls} {texts}");
    assert!(integers <= 10 && versions <= 10, "{integers} {versions}");
}

#[test]
fn a_message_of_empty_changesets_takes_at_most_eight_mebibytes() {
    let Some(mut part) = samples::run_part().into_iter().next() else { panic!("there is a part") };
    part.changesets = vec![WireChangeset { header: Opaque(Vec::new()), shared: WireShared::None }; 65_536];
    let bytes = Message::Run(part).encode();
    let (message, usage) = measured(|| Message::decode(Kind::SharedChangeBatch, &bytes));
    assert!(message.is_ok());
    println!("empty changesets: {} bytes held for {}", usage.peak, bytes.len());
    assert!(usage.peak <= 8 * ALLOWANCE, "{usage:?}");
}
