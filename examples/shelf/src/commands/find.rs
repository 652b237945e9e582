//! `shelf find`.

use std::path::Path;

use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, sea_query::SelectStatement,
};
use sync_models::{entry, tag, tag_closure, user_metadata, user_metadata_tag};

use super::listing::lines;
use crate::{cli::Find, error::Failure, library, output::Output};

/// Lists the entries that match.
pub(super) async fn run(path: &Path, arguments: &Find, output: Output) -> Result<(), Failure> {
    let space = library::existing(path).await?;
    let mut query = entry::Entity::find()
        .filter(entry::Column::Name.contains(arguments.text.as_str()))
        .order_by_asc(entry::Column::Name)
        .order_by_asc(entry::Column::Id)
        .limit(arguments.limit);
    if let Some(name) = &arguments.tag {
        let tag = tag::Entity::find()
            .filter(tag::Column::Name.eq(name.as_str()))
            .one(&space)
            .await?
            .ok_or_else(|| Failure::NotFound(format!("{name}: no such tag")))?;
        query = query.filter(tagged(&space, &tag).await?);
    }
    let found = query.all(&space).await?;
    if found.is_empty() {
        space.close().await?;
        return Err(Failure::NotFound(format!("{:?}: nothing matches", arguments.text)));
    }
    let found = lines(&space, found).await?;
    space.close().await?;
    output.show(&found)
}

/// Entries with the tag or a narrower one, on themselves or on their content.
async fn tagged<C: ConnectionTrait>(database: &C, tag: &tag::Model) -> Result<Condition, DbErr> {
    let mut tags: Vec<i64> = tag_closure::Entity::find()
        .select_only()
        .column(tag_closure::Column::DescendantId)
        .filter(tag_closure::Column::AncestorId.eq(tag.id))
        .into_tuple()
        .all(database)
        .await?;
    tags.push(tag.id);
    let about = |column: user_metadata::Column| -> SelectStatement {
        let links = user_metadata_tag::Entity::find()
            .select_only()
            .column(user_metadata_tag::Column::UserMetadataId)
            .filter(user_metadata_tag::Column::TagId.is_in(tags.iter().copied()))
            .into_query();
        user_metadata::Entity::find()
            .select_only()
            .column(column)
            .filter(column.is_not_null())
            .filter(user_metadata::Column::Id.in_subquery(links))
            .into_query()
    };
    Ok(Condition::any()
        .add(entry::Column::Id.in_subquery(about(user_metadata::Column::EntryId)))
        .add(entry::Column::ContentId.in_subquery(about(user_metadata::Column::ContentId))))
}
