//! Changes and questions, as an application would write them: plain SeaORM on the space.

use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, ModelTrait,
    QueryFilter, QueryOrder, QuerySelect, Statement, prelude::Uuid,
};
use serde_json::{Value, json};
use sync_kit::prelude::Space;
use sync_models::{
    collection, collection_entry, content_identity, device, entry, entry_closure, location, tag,
};

use super::protocol::{Act, Look};
use crate::{commands::count_uses, error::Failure, library};

/// Makes a change.
pub(super) async fn act(space: &Space, act: Act) -> Result<(), Failure> {
    match act {
        Act::MakeTag { .. } | Act::ColourTag { .. } | Act::RenameTag { .. } => change_tag(space, act).await?,
        Act::DropTag { id } => {
            tag_by(space, id).await?.delete(space).await?;
        }
        Act::UseTag { id, times } => count_uses(space, tag_by(space, id).await?.id, times).await?,
        Act::MakeCollection { id, name } => {
            collection::new(id, name).insert(space).await?;
        }
        Act::DropCollection { id } => {
            collection_by(space, id).await?.delete(space).await?;
        }
        Act::Collect { collection, entry, position } => {
            let (collection, entry) =
                (collection_by(space, collection).await?, entry_by(space, entry).await?);
            collection_entry::new(&collection, &entry, position).insert(space).await?;
        }
        Act::MakeContent { hash, media_type } => {
            let media_type = Set(Some(media_type));
            let content = content_identity::ActiveModel { media_type, ..content_identity::new(&hash, 1) };
            content.insert(space).await?;
        }
        Act::MakeLocation { .. }
        | Act::MakeFolder { .. }
        | Act::MoveEntry { .. }
        | Act::RenameEntry { .. } => {
            change_entry(space, act).await?;
        }
    }
    Ok(())
}

async fn change_tag(space: &Space, act: Act) -> Result<(), Failure> {
    let changed = match act {
        Act::MakeTag { id, name, uses } => {
            tag::ActiveModel { uses: Set(uses), ..tag::new(id, name) }.insert(space).await?;
            return Ok(());
        }
        Act::ColourTag { id, colour } => tag::ActiveModel {
            id: Set(tag_by(space, id).await?.id),
            colour: Set(Some(colour)),
            ..Default::default()
        },
        Act::RenameTag { id, name } => {
            tag::ActiveModel { id: Set(tag_by(space, id).await?.id), name: Set(name), ..Default::default() }
        }
        _ => return Ok(()),
    };
    changed.update(space).await?;
    Ok(())
}

async fn change_entry(space: &Space, act: Act) -> Result<(), Failure> {
    match act {
        Act::MakeLocation { id, name } => {
            let own = library::own_id(space);
            let device = device::Entity::find().filter(device::Column::Uuid.eq(own)).one(space).await?;
            let device = device.ok_or_else(|| missing("device", own))?;
            location::new(id, &device, format!("/demo/{name}"), name).insert(space).await?;
        }
        Act::MakeFolder { id, location, parent, name } => {
            let found =
                location::Entity::find().filter(location::Column::Uuid.eq(location)).one(space).await?;
            let found = found.ok_or_else(|| missing("location", location))?;
            let parent_id = Set(parent_key(space, parent).await?);
            entry::ActiveModel { parent_id, ..entry::folder(id, found.id, name) }.insert(space).await?;
        }
        Act::MoveEntry { id, parent } => {
            let parent_id = Set(parent_key(space, parent).await?);
            let id = Set(entry_by(space, id).await?.id);
            entry::ActiveModel { id, parent_id, ..Default::default() }.update(space).await?;
        }
        Act::RenameEntry { id, name } => {
            let id = Set(entry_by(space, id).await?.id);
            entry::ActiveModel { id, name: Set(name), ..Default::default() }.update(space).await?;
        }
        _ => {}
    }
    Ok(())
}

async fn parent_key(space: &Space, parent: Option<Uuid>) -> Result<Option<i64>, Failure> {
    Ok(match parent {
        Some(parent) => Some(entry_by(space, parent).await?.id),
        None => None,
    })
}

/// Answers a question.
pub(super) async fn look(space: &Space, look: Look) -> Result<Value, Failure> {
    Ok(match look {
        Look::Tag { id } => {
            let found = tag::Entity::find().filter(tag::Column::Uuid.eq(id)).one(space).await?;
            found.map_or(Value::Null, |tag| json!([tag.name, tag.colour, tag.uses]))
        }
        Look::TagsNamed { name } => {
            let found = tag::Entity::find().filter(tag::Column::Name.eq(name)).all(space).await?;
            json!(found.iter().map(|tag| tag.uuid).collect::<Vec<_>>())
        }
        Look::Collected { collection } => collected(space, collection).await?,
        Look::Contents { hash } => {
            let same = content_identity::Column::ContentHash.eq(hash.to_vec());
            let found = content_identity::Entity::find().filter(same).all(space).await?;
            json!(found.iter().map(|content| &content.media_type).collect::<Vec<_>>())
        }
        Look::EntryName { id } => {
            let found = entry::Entity::find().filter(entry::Column::Uuid.eq(id)).one(space).await?;
            json!(found.map(|entry| entry.name))
        }
        Look::Above { id } => above(space, id).await?,
        Look::ClosureErrors => json!(closure_errors(space).await?),
        Look::SomeFiles { count } => {
            let files = entry::Entity::find()
                .filter(entry::Column::Kind.eq(entry::EntryKind::File))
                .order_by_asc(entry::Column::Id)
                .limit(count)
                .all(space)
                .await?;
            json!(files.iter().map(|file| file.uuid).collect::<Vec<_>>())
        }
    })
}

async fn collected(space: &Space, id: Uuid) -> Result<Value, Failure> {
    let found = collection::Entity::find().filter(collection::Column::Uuid.eq(id)).one(space).await?;
    let Some(found) = found else { return Ok(Value::Null) };
    let links = found
        .find_related(collection_entry::Entity)
        .find_also_related(entry::Entity)
        .order_by_asc(collection_entry::Column::Position)
        .all(space)
        .await?;
    let links: Vec<_> =
        links.iter().map(|(link, entry)| (entry.as_ref().map(|entry| entry.uuid), link.position)).collect();
    Ok(json!(links))
}

async fn above(space: &Space, id: Uuid) -> Result<Value, Failure> {
    let from = entry_by(space, id).await?;
    let folders: Vec<i64> = entry_closure::Entity::find()
        .select_only()
        .column(entry_closure::Column::AncestorId)
        .filter(entry_closure::Column::DescendantId.eq(from.id))
        .filter(entry_closure::Column::Depth.gt(0))
        .order_by_asc(entry_closure::Column::Depth)
        .into_tuple()
        .all(space)
        .await?;
    let mut names = Vec::with_capacity(folders.len());
    for folder in folders {
        names.extend(entry::Entity::find_by_id(folder).one(space).await?.map(|folder| folder.name));
    }
    Ok(json!(names))
}

/// Both closure tables against a full computation; the demo's trees have no cycles.
const CLOSURE_ERRORS: &str = "
    WITH RECURSIVE entries(low, high, depth) AS (
        SELECT id, id, 0 FROM entry
        UNION ALL SELECT low, parent_id, depth + 1 FROM entries JOIN entry ON id = high
        WHERE parent_id IS NOT NULL),
    ways(high, low, depth) AS (
        SELECT parent_id, child_id, 1 FROM tag_relation
        UNION ALL SELECT high, child_id, depth + 1 FROM ways JOIN tag_relation ON parent_id = low),
    tags(high, low, depth) AS (SELECT high, low, min(depth) FROM ways GROUP BY high, low),
    kept_entries AS (SELECT descendant_id, ancestor_id, depth FROM entry_closure),
    kept_tags AS (SELECT ancestor_id, descendant_id, depth FROM tag_closure)
    SELECT (SELECT count(*) FROM (SELECT * FROM entries EXCEPT SELECT * FROM kept_entries))
         + (SELECT count(*) FROM (SELECT * FROM kept_entries EXCEPT SELECT * FROM entries))
         + (SELECT count(*) FROM (SELECT * FROM tags EXCEPT SELECT * FROM kept_tags))
         + (SELECT count(*) FROM (SELECT * FROM kept_tags EXCEPT SELECT * FROM tags))";

async fn closure_errors(space: &Space) -> Result<i64, DbErr> {
    let statement = Statement::from_string(space.get_database_backend(), CLOSURE_ERRORS);
    let row = space.query_one_raw(statement).await?;
    row.map_or(Ok(-1), |row| row.try_get_by_index(0))
}

async fn tag_by(space: &Space, id: Uuid) -> Result<tag::Model, Failure> {
    let found = tag::Entity::find().filter(tag::Column::Uuid.eq(id)).one(space).await?;
    found.ok_or_else(|| missing("tag", id))
}

async fn collection_by(space: &Space, id: Uuid) -> Result<collection::Model, Failure> {
    let found = collection::Entity::find().filter(collection::Column::Uuid.eq(id)).one(space).await?;
    found.ok_or_else(|| missing("collection", id))
}

async fn entry_by(space: &Space, id: Uuid) -> Result<entry::Model, Failure> {
    let found = entry::Entity::find().filter(entry::Column::Uuid.eq(id)).one(space).await?;
    found.ok_or_else(|| missing("entry", id))
}

fn missing(what: &str, id: Uuid) -> Failure {
    Failure::NotFound(format!("{what} {id} is not in the library"))
}
