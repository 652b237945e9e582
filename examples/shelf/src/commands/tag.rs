//! `shelf tag`.

use std::{fmt, path::Path};

use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter,
    TransactionSession, TransactionTrait, sea_query::Expr,
};
use serde::Serialize;
use sync_models::{content_identity, entry, tag, tag_relation, user_metadata, user_metadata_tag};

use crate::{cli::Tag, error::Failure, library, output::Output};

/// What a run did.
#[derive(Debug, Serialize)]
struct Tagged {
    tag: String,
    made: bool,
    files: u64,
    removed: bool,
    uses: i64,
}

impl fmt::Display for Tagged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match (self.made, self.removed) {
            (true, _) => "new tag, put on",
            (false, false) => "put on",
            (false, true) => "taken off",
        };
        write!(f, "{}: {what} {} files, used {} times", self.tag, self.files, self.uses)
    }
}

/// Makes the tag and puts it on the files, all in one transaction.
pub(super) async fn run(path: &Path, arguments: &Tag, output: Output) -> Result<(), Failure> {
    let space = library::existing(path).await?;
    let mut files = Vec::with_capacity(arguments.files.len());
    for file in &arguments.files {
        files.push(library::entry_at(&space, file).await?);
    }
    let transaction = space.begin().await?;
    let (found, made) = tag_named(&transaction, &arguments.name).await?;
    if arguments.colour.is_some() {
        let colour = Set(arguments.colour.clone());
        tag::ActiveModel { id: Set(found.id), colour, ..Default::default() }.update(&transaction).await?;
    }
    if let Some(wider) = &arguments.under {
        put_under(&transaction, &found, wider).await?;
    }
    let mut touched = 0;
    for file in &files {
        let changed = if arguments.remove {
            untag(&transaction, &found, file).await?
        } else {
            put_on(&transaction, &found, file, arguments.this_copy).await?
        };
        touched += u64::from(changed);
    }
    if touched > 0 && !arguments.remove {
        count_uses(&transaction, found.id, i64::try_from(touched).unwrap_or(i64::MAX)).await?;
    }
    transaction.commit().await?;
    let uses = tag::Entity::find_by_id(found.id).one(&space).await?.map_or(found.uses, |tag| tag.uses);
    space.close().await?;
    output.show(&Tagged { tag: found.name, made, files: touched, removed: arguments.remove, uses })
}

/// The tag of this name, and whether it was made for that.
async fn tag_named<C: ConnectionTrait>(database: &C, name: &str) -> Result<(tag::Model, bool), Failure> {
    let known = tag::Entity::find()
        .filter(tag::Column::Namespace.eq(""))
        .filter(tag::Column::Name.eq(name))
        .one(database)
        .await?;
    match known {
        Some(tag) => Ok((tag, false)),
        None => Ok((tag::new(library::new_id(), name).insert(database).await?, true)),
    }
}

async fn put_under<C: ConnectionTrait>(database: &C, tag: &tag::Model, wider: &str) -> Result<(), Failure> {
    let (wider, _) = tag_named(database, wider).await?;
    if wider.id == tag.id {
        return Err(Failure::Usage(format!("{}: a tag cannot be under itself", tag.name)));
    }
    let known = tag_relation::Entity::find()
        .filter(tag_relation::Column::ParentId.eq(wider.id))
        .filter(tag_relation::Column::ChildId.eq(tag.id))
        .one(database)
        .await?;
    if known.is_none() {
        tag_relation::new(&wider, tag).insert(database).await?;
    }
    Ok(())
}

/// Puts a tag on a file's content, or on this copy of it; answers whether it was not there yet.
async fn put_on<C: ConnectionTrait>(
    database: &C,
    tag: &tag::Model,
    file: &entry::Model,
    this_copy: bool,
) -> Result<bool, Failure> {
    let content = match file.content_id.filter(|_| !this_copy) {
        Some(content) => content_identity::Entity::find_by_id(content).one(database).await?,
        None => None,
    };
    let metadata = match metadata_of(database, file, content.as_ref()).await? {
        Some(known) => known,
        None => {
            let id = library::new_id();
            let fresh = content.as_ref().map_or_else(
                || user_metadata::of_entry(id, file),
                |content| user_metadata::of_content(id, content),
            );
            fresh.insert(database).await?
        }
    };
    let known = user_metadata_tag::Entity::find()
        .filter(user_metadata_tag::Column::UserMetadataId.eq(metadata.id))
        .filter(user_metadata_tag::Column::TagId.eq(tag.id))
        .one(database)
        .await?;
    if known.is_none() {
        user_metadata_tag::new(&metadata, tag).insert(database).await?;
    }
    Ok(known.is_none())
}

async fn metadata_of<C: ConnectionTrait>(
    database: &C,
    file: &entry::Model,
    content: Option<&content_identity::Model>,
) -> Result<Option<user_metadata::Model>, Failure> {
    let about = match content {
        Some(content) => user_metadata::Column::ContentId.eq(content.id),
        None => user_metadata::Column::EntryId.eq(file.id),
    };
    Ok(user_metadata::Entity::find().filter(about).one(database).await?)
}

/// Takes a tag off a file, from its content and from this copy.
async fn untag<C: ConnectionTrait>(
    database: &C,
    tag: &tag::Model,
    file: &entry::Model,
) -> Result<bool, Failure> {
    let about = user_metadata::Column::EntryId.eq(file.id);
    let about = match file.content_id {
        Some(content) => about.or(user_metadata::Column::ContentId.eq(content)),
        None => about,
    };
    let metadata = user_metadata::Entity::find().filter(about).all(database).await?;
    let gone = user_metadata_tag::Entity::delete_many()
        .filter(user_metadata_tag::Column::TagId.eq(tag.id))
        .filter(user_metadata_tag::Column::UserMetadataId.is_in(metadata.iter().map(|row| row.id)))
        .exec(database)
        .await?;
    Ok(gone.rows_affected > 0)
}

/// Adds to a tag's counter in the database: uses counted elsewhere at the same time add up.
pub(crate) async fn count_uses<C: ConnectionTrait>(database: &C, tag: i64, by: i64) -> Result<(), Failure> {
    tag::Entity::update_many()
        .col_expr(tag::Column::Uses, Expr::col(tag::Column::Uses).add(by))
        .filter(tag::Column::Id.eq(tag))
        .exec(database)
        .await?;
    Ok(())
}
