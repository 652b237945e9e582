//! `shelf status`.

use std::{fmt, path::Path};

use sea_orm::{EntityTrait, PaginatorTrait};
use serde::Serialize;
use sync_kit::prelude::Space;
use sync_models::{
    collection, collection_entry, content_identity, device, entry, location, tag, user_metadata,
};

use crate::{error::Failure, library, output::Output};

/// What the library holds, and what is not shown.
#[derive(Debug, Serialize)]
struct Report {
    library: String,
    device: String,
    devices: Vec<String>,
    records: Vec<(&'static str, u64)>,
    /// Records that the database's constraints keep out of sight, with the reason.
    hidden: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "library   {}", self.library)?;
        writeln!(f, "device    {}", self.device)?;
        write!(f, "devices   {}", self.devices.join(", "))?;
        for (name, count) in &self.records {
            write!(f, "\n{count:>10} {name}")?;
        }
        if !self.hidden.is_empty() {
            write!(f, "\nnot shown, because the database's constraints forbid it:")?;
        }
        self.hidden.iter().try_for_each(|record| write!(f, "\n  {record}"))
    }
}

/// Shows what the library holds.
pub(super) async fn run(path: &Path, output: Output) -> Result<(), Failure> {
    let space = library::existing(path).await?;
    let devices = device::Entity::find().all(&space).await?;
    let hidden = space.hidden().await?;
    let report = Report {
        library: path.display().to_string(),
        device: space.device_id().to_string(),
        devices: devices.into_iter().map(|device| device.name).collect(),
        records: records(&space).await?,
        hidden: hidden
            .iter()
            .map(|record| format!("{} {}: {}", record.model, record.record, record.reason))
            .collect(),
    };
    space.close().await?;
    output.show(&report)
}

async fn records(space: &Space) -> Result<Vec<(&'static str, u64)>, Failure> {
    Ok(vec![
        ("locations", location::Entity::find().count(space).await?),
        ("entries", entry::Entity::find().count(space).await?),
        ("contents", content_identity::Entity::find().count(space).await?),
        ("tags", tag::Entity::find().count(space).await?),
        ("collections", collection::Entity::find().count(space).await?),
        ("collected", collection_entry::Entity::find().count(space).await?),
        ("annotations", user_metadata::Entity::find().count(space).await?),
    ])
}
