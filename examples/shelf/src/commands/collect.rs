//! `shelf collect`.

use std::{fmt, path::Path};

use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, TransactionSession,
    TransactionTrait,
};
use serde::Serialize;
use sync_models::{collection, collection_entry, entry};

use crate::{cli::Collect, error::Failure, library, output::Output};

/// What a run did.
#[derive(Debug, Serialize)]
struct Collected {
    collection: String,
    made: bool,
    added: u64,
    removed: u64,
}

impl fmt::Display for Collected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let made = if self.made { "new collection, " } else { "" };
        write!(f, "{}: {made}{} files added, {} removed", self.collection, self.added, self.removed)
    }
}

/// Makes the collection and puts the files into it, all in one transaction.
pub(super) async fn run(path: &Path, arguments: &Collect, output: Output) -> Result<(), Failure> {
    let space = library::existing(path).await?;
    let mut files = Vec::with_capacity(arguments.files.len());
    for file in &arguments.files {
        files.push(library::entry_at(&space, file).await?);
    }
    let transaction = space.begin().await?;
    let known = collection::Entity::find()
        .filter(collection::Column::Name.eq(arguments.name.as_str()))
        .order_by_asc(collection::Column::Id)
        .one(&transaction)
        .await?;
    let made = known.is_none();
    let collection = match known {
        Some(known) => known,
        None => collection::new(library::new_id(), arguments.name.as_str()).insert(&transaction).await?,
    };
    let mut report = Collected { collection: collection.name.clone(), made, added: 0, removed: 0 };
    if arguments.remove {
        report.removed = take_out(&transaction, &collection, &files).await?;
    } else {
        report.added = put_in(&transaction, &collection, &files).await?;
    }
    transaction.commit().await?;
    space.close().await?;
    output.show(&report)
}

/// Puts files at the end of a collection; those that are in it stay where they are.
async fn put_in<C: ConnectionTrait>(
    database: &C,
    collection: &collection::Model,
    files: &[entry::Model],
) -> Result<u64, Failure> {
    let there = collection_entry::Entity::find()
        .filter(collection_entry::Column::CollectionId.eq(collection.id))
        .order_by_asc(collection_entry::Column::Position)
        .all(database)
        .await?;
    let mut position = there.last().map_or(0, |last| last.position);
    let mut added = 0;
    for file in files {
        if there.iter().all(|link| link.entry_id != file.id) {
            position = position.saturating_add(1);
            collection_entry::new(collection, file, position).insert(database).await?;
            added += 1;
        }
    }
    Ok(added)
}

async fn take_out<C: ConnectionTrait>(
    database: &C,
    collection: &collection::Model,
    files: &[entry::Model],
) -> Result<u64, Failure> {
    let gone = collection_entry::Entity::delete_many()
        .filter(collection_entry::Column::CollectionId.eq(collection.id))
        .filter(collection_entry::Column::EntryId.is_in(files.iter().map(|file| file.id)))
        .exec(database)
        .await?;
    Ok(gone.rows_affected)
}
