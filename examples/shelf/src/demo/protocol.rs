//! What the demo says to its two processes, and what they answer: one JSON document a line, an answer for each
//! order.

use std::path::PathBuf;

use sea_orm::prelude::Uuid;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An order to a process.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do")]
pub(super) enum Order {
    /// Index a folder. Answer: [`crate::index::Indexed`].
    Index { folder: PathBuf },
    /// Answer: the code with which another joins.
    Invite,
    /// Answer: what is held, as text for [`Order::CatchUp`].
    Vector,
    /// Wait until everything of a vector is held and visible.
    CatchUp { vector: String },
    /// Call a shelf, again and again until it answers.
    Connect { url: String },
    /// Drop every connection and stop calling.
    Disconnect,
    /// Answer: bytes received from all peers and sent to them.
    Traffic,
    /// Answer: a list of [`Table`].
    Digests,
    /// Answer: a list of [`HiddenRecord`].
    Hidden,
    /// Change something.
    Act { act: Act },
    /// Answer: what the library shows.
    Look { look: Look },
    /// Close the library and end.
    Stop,
}

/// A change to the library.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Act {
    MakeTag { id: Uuid, name: String, uses: i64 },
    ColourTag { id: Uuid, colour: String },
    RenameTag { id: Uuid, name: String },
    DropTag { id: Uuid },
    UseTag { id: Uuid, times: i64 },
    MakeCollection { id: Uuid, name: String },
    DropCollection { id: Uuid },
    Collect { collection: Uuid, entry: Uuid, position: i64 },
    MakeContent { hash: [u8; 32], media_type: String },
    MakeLocation { id: Uuid, name: String },
    MakeFolder { id: Uuid, location: Uuid, parent: Option<Uuid>, name: String },
    MoveEntry { id: Uuid, parent: Option<Uuid> },
    RenameEntry { id: Uuid, name: String },
}

/// A question about the library.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Look {
    /// Name, colour and uses of a tag; null when it is not shown.
    Tag { id: Uuid },
    /// The ids of the tags of this name.
    TagsNamed { name: String },
    /// Entries and positions in a collection; null when it is not shown.
    Collected { collection: Uuid },
    /// Media types of the contents with this hash.
    Contents { hash: [u8; 32] },
    /// Name of an entry; null when it is not shown.
    EntryName { id: Uuid },
    /// Names of the folders above an entry by the closure table, the nearest first.
    Above { id: Uuid },
    /// Number of rows by which the closure tables differ from a full computation.
    ClosureErrors,
    /// Ids of some files.
    SomeFiles { count: u64 },
}

/// The answer to an order.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    Done(Value),
    Failed(String),
}

/// The first line of a process.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Ready {
    pub(super) device: String,
    pub(super) addresses: Vec<String>,
}

/// Content digest of one synced table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Table {
    pub(super) model: String,
    pub(super) rows: u64,
    pub(super) digest: String,
}

/// A record that is held and not shown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct HiddenRecord {
    pub(super) model: String,
    pub(super) record: Uuid,
    pub(super) reason: String,
}
