//! What the two shelves do while they are apart, and what both have to show afterwards.

use sea_orm::prelude::Uuid;
use serde_json::{Value, json};

use super::protocol::{Act, Look};

/// A conflict: what each side does, the laptop first, and the one right outcome.
pub(super) struct Scene {
    pub(super) name: &'static str,
    /// The right outcome in words.
    pub(super) outcome: &'static str,
    pub(super) laptop: Vec<Act>,
    pub(super) phone: Vec<Act>,
    /// What the phone tries and has to be refused.
    pub(super) refused: Option<Act>,
    /// What both show afterwards.
    pub(super) expect: Vec<(Look, Value)>,
    /// Records that both hold and do not show.
    pub(super) hidden: Vec<Uuid>,
}

impl Scene {
    fn new(name: &'static str, outcome: &'static str) -> Self {
        Self {
            name,
            outcome,
            laptop: Vec::new(),
            phone: Vec::new(),
            refused: None,
            expect: Vec::new(),
            hidden: Vec::new(),
        }
    }

    /// How many changes the two make.
    pub(super) fn changes(&self) -> usize {
        self.laptop.len() + self.phone.len()
    }
}

/// The id of a thing that the demo makes: it follows from its name, so that a run can be repeated.
fn id(name: &str) -> Uuid {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(blake3::hash(name.as_bytes()).as_bytes().split_at(16).0);
    Uuid::from_bytes(bytes)
}

fn tag(name: &str, uses: i64) -> Act {
    Act::MakeTag { id: id(name), name: name.to_owned(), uses }
}

fn colour(name: &str, colour: &str) -> Act {
    Act::ColourTag { id: id(name), colour: colour.to_owned() }
}

fn collection(name: &str) -> Act {
    Act::MakeCollection { id: id(name), name: name.to_owned() }
}

fn folder(name: &str, parent: Option<&str>) -> Act {
    Act::MakeFolder { id: id(name), location: id("drafts"), parent: parent.map(id), name: name.to_owned() }
}

/// What the laptop makes while the two are still connected.
pub(super) fn seed() -> Vec<Act> {
    vec![
        tag("holiday", 0),
        tag("draft", 0),
        tag("stale", 0),
        tag("seen", 10),
        collection("best"),
        collection("doomed"),
        Act::MakeLocation { id: id("drafts"), name: "drafts".to_owned() },
        folder("letters", None),
        folder("2026", Some("letters")),
        folder("spring", Some("2026")),
        folder("archive", None),
    ]
}

/// The conflicts. `first` and `second` are files that the laptop has indexed.
pub(super) fn scenes(first: Uuid, first_name: &str, second: Uuid) -> Vec<Scene> {
    vec![
        same_field(),
        two_fields(),
        delete_against_edit(),
        same_junction(first),
        same_natural_key(),
        unique_twice(),
        counter(),
        child_of_deleted(second),
        foreign_row(first, first_name),
        moved_folder(),
    ]
}

fn same_field() -> Scene {
    Scene {
        laptop: vec![colour("holiday", "red")],
        phone: vec![colour("holiday", "blue")],
        expect: vec![(Look::Tag { id: id("holiday") }, json!(["holiday", "blue", 0]))],
        ..Scene::new("the same field", "the later edit wins")
    }
}

fn two_fields() -> Scene {
    Scene {
        laptop: vec![Act::RenameTag { id: id("draft"), name: "final".to_owned() }],
        phone: vec![colour("draft", "green")],
        expect: vec![(Look::Tag { id: id("draft") }, json!(["final", "green", 0]))],
        ..Scene::new("two fields of one record", "both edits stay")
    }
}

fn delete_against_edit() -> Scene {
    Scene {
        laptop: vec![Act::DropTag { id: id("stale") }],
        phone: vec![colour("stale", "grey")],
        expect: vec![(Look::Tag { id: id("stale") }, Value::Null)],
        ..Scene::new("delete against edit", "the delete wins, as the model says")
    }
}

fn same_junction(entry: Uuid) -> Scene {
    let collection = id("best");
    Scene {
        laptop: vec![Act::Collect { collection, entry, position: 1 }],
        phone: vec![Act::Collect { collection, entry, position: 2 }],
        expect: vec![(Look::Collected { collection }, json!([[entry, 2]]))],
        ..Scene::new("the same junction pair", "one row, with the later position")
    }
}

fn same_natural_key() -> Scene {
    let hash = *blake3::hash(b"content that both met").as_bytes();
    let content = |media_type: &str| Act::MakeContent { hash, media_type: media_type.to_owned() };
    Scene {
        laptop: vec![content("text/plain")],
        phone: vec![content("text/markdown")],
        expect: vec![(Look::Contents { hash }, json!(["text/markdown"]))],
        ..Scene::new("the same natural key", "one row, with the later fields")
    }
}

fn unique_twice() -> Scene {
    let urgent = |side: &str| Act::MakeTag { id: id(side), name: "urgent".to_owned(), uses: 0 };
    Scene {
        laptop: vec![urgent("urgent of the laptop")],
        phone: vec![urgent("urgent of the phone")],
        expect: vec![(Look::TagsNamed { name: "urgent".to_owned() }, json!([id("urgent of the laptop")]))],
        hidden: vec![id("urgent of the phone")],
        ..Scene::new("a UNIQUE value taken twice", "the earlier row is shown, the other listed as hidden")
    }
}

fn counter() -> Scene {
    Scene {
        laptop: vec![Act::UseTag { id: id("seen"), times: 1 }],
        phone: vec![Act::UseTag { id: id("seen"), times: 5 }],
        expect: vec![(Look::Tag { id: id("seen") }, json!(["seen", null, 16]))],
        ..Scene::new("a counter", "10 + 1 + 5 = 16")
    }
}

fn child_of_deleted(entry: Uuid) -> Scene {
    let collection = id("doomed");
    Scene {
        laptop: vec![Act::DropCollection { id: collection }],
        phone: vec![Act::Collect { collection, entry, position: 1 }],
        expect: vec![(Look::Collected { collection }, Value::Null)],
        ..Scene::new("a child under a deleted parent", "it goes with its parent")
    }
}

fn foreign_row(entry: Uuid, name: &str) -> Scene {
    Scene {
        refused: Some(Act::RenameEntry { id: entry, name: "stolen".to_owned() }),
        expect: vec![(Look::EntryName { id: entry }, json!(name))],
        ..Scene::new("a row that another device owns", "the write is refused, nothing changes")
    }
}

fn moved_folder() -> Scene {
    Scene {
        laptop: vec![Act::MoveEntry { id: id("2026"), parent: Some(id("archive")) }],
        phone: vec![tag("moving", 0)],
        expect: vec![
            (Look::Above { id: id("spring") }, json!(["2026", "archive"])),
            (Look::ClosureErrors, json!(0)),
        ],
        ..Scene::new("a folder that moves", "everything below has its new ancestors")
    }
}
