//! The tables against the entities, on a plain database: rows made by the constructors go in, and UNIQUE,
//! FOREIGN KEY and CHECK refuse what they should.

use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbErr,
    EntityTrait, ModelTrait, QueryOrder, SqlErr, Statement, prelude::Uuid,
};
use sea_orm_migration::MigratorTrait;
use sync_models::{
    Migrator, collection, collection_entry, content_identity, device, entry, location, tag, tag_relation,
    user_metadata, user_metadata_tag, volume,
};

async fn library() -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new("sqlite::memory:");
    options.max_connections(1).sqlx_logging(false);
    let database = Database::connect(options).await?;
    Migrator::up(&database, None).await?;
    Ok(database)
}

fn id(number: u8) -> Uuid {
    Uuid::from_bytes([number; 16])
}

async fn names(database: &DatabaseConnection, sql: &str) -> Result<Vec<String>, DbErr> {
    let statement = Statement::from_string(database.get_database_backend(), sql);
    database.query_all_raw(statement).await?.iter().map(|row| row.try_get_by_index(0)).collect()
}

/// A device with a location, a folder and a hashed file in it.
async fn shelf(
    database: &DatabaseConnection,
) -> Result<(device::Model, location::Model, entry::Model, content_identity::Model), DbErr> {
    let device = device::new(id(1), "laptop").insert(database).await?;
    let volume = volume::new(id(2), &device, "/").insert(database).await?;
    let location = location::ActiveModel {
        volume_id: Set(Some(volume.id)),
        ..location::new(id(3), &device, "/photos", "photos")
    };
    let location = location.insert(database).await?;
    let content = content_identity::new(&[9; 32], 120).insert(database).await?;
    let folder = entry::folder(id(4), location.id, "2026").insert(database).await?;
    let file = entry::ActiveModel {
        parent_id: Set(Some(folder.id)),
        content_id: Set(Some(content.id)),
        ..entry::file(id(5), location.id, "sea.jpg", 120)
    };
    let file = file.insert(database).await?;
    Ok((device, location, file, content))
}

#[tokio::test]
async fn rows_of_every_model_go_in_and_come_back() -> Result<(), DbErr> {
    let database = library().await?;
    let (.., file, content) = shelf(&database).await?;
    let sea = tag::new(id(6), "sea").insert(&database).await?;
    let water = tag::new(id(7), "water").insert(&database).await?;
    tag_relation::new(&water, &sea).insert(&database).await?;
    let best = collection::new(id(8), "best").insert(&database).await?;
    collection_entry::new(&best, &file, 1).insert(&database).await?;
    let of_file = user_metadata::of_entry(id(10), &file).insert(&database).await?;
    let of_content = user_metadata::of_content(id(11), &content).insert(&database).await?;
    user_metadata_tag::new(&of_content, &sea).insert(&database).await?;
    user_metadata_tag::new(&of_file, &water).insert(&database).await?;

    let tags = of_content.find_related(tag::Entity).all(&database).await?;
    assert_eq!(tags, [sea]);
    let entries = best.find_related(entry::Entity).all(&database).await?;
    assert_eq!(entries, [file]);
    let metadata =
        user_metadata::Entity::find().order_by_asc(user_metadata::Column::Id).all(&database).await?;
    assert_eq!(metadata, [of_file, of_content]);
    Ok(())
}

#[tokio::test]
async fn derived_ids_depend_on_what_they_follow_from_only() -> Result<(), DbErr> {
    let (first, second) = (library().await?, library().await?);
    // Other local keys in the second database.
    collection::new(id(99), "one more").insert(&second).await?;
    tag::new(id(98), "one more").insert(&second).await?;
    let mut ids = Vec::new();
    for database in [&first, &second] {
        let (.., file, content) = shelf(database).await?;
        let best = collection::new(id(8), "best").insert(database).await?;
        let pair = collection_entry::new(&best, &file, 1).insert(database).await?;
        ids.push((content.uuid, pair.uuid));
    }
    assert_eq!(ids.first(), ids.last());
    assert_eq!(ids.first().map(|ids| ids.0), Some(content_identity::id_of(&[9; 32])));
    assert_ne!(content_identity::id_of(&[9; 32]), content_identity::id_of(&[8; 32]));
    Ok(())
}

#[tokio::test]
async fn constraints_refuse_what_they_should() -> Result<(), DbErr> {
    let database = library().await?;
    let (device, location, file, content) = shelf(&database).await?;
    tag::new(id(6), "sea").insert(&database).await?;

    let twice = [
        tag::new(id(20), "sea").insert(&database).await.map(drop),
        entry::folder(id(21), location.id, "2026").insert(&database).await.map(drop),
        content_identity::new(&[9; 32], 1).insert(&database).await.map(drop),
        location::new(id(22), &device, "/photos", "again").insert(&database).await.map(drop),
        entry::ActiveModel {
            parent_id: Set(file.parent_id),
            ..entry::file(id(23), location.id, "sea.jpg", 1)
        }
        .insert(&database)
        .await
        .map(drop),
    ];
    for (which, outcome) in twice.into_iter().enumerate() {
        let error = outcome.map_err(|error| error.sql_err());
        assert!(matches!(error, Err(Some(SqlErr::UniqueConstraintViolation(_)))), "{which}: {error:?}");
    }

    let dangling =
        entry::file(id(24), 12_345, "x", 1).insert(&database).await.map_err(|error| error.sql_err());
    assert!(matches!(dangling, Err(Some(SqlErr::ForeignKeyConstraintViolation(_)))), "{dangling:?}");

    let unchecked = [
        tag::new(id(30), "").insert(&database).await.map(drop),
        entry::file(id(31), location.id, "negative", -1).insert(&database).await.map(drop),
        content_identity::ActiveModel { content_hash: Set(vec![1]), ..content_identity::new(&[1; 32], 1) }
            .insert(&database)
            .await
            .map(drop),
        user_metadata::ActiveModel {
            entry_id: Set(Some(file.id)),
            ..user_metadata::of_content(id(32), &content)
        }
        .insert(&database)
        .await
        .map(drop),
        user_metadata::ActiveModel { content_id: Set(None), ..user_metadata::of_content(id(33), &content) }
            .insert(&database)
            .await
            .map(drop),
        user_metadata::ActiveModel { rating: Set(Some(6)), ..user_metadata::of_content(id(34), &content) }
            .insert(&database)
            .await
            .map(drop),
    ];
    for (which, outcome) in unchecked.into_iter().enumerate() {
        let text = outcome.map_err(|error| error.to_string());
        assert!(matches!(&text, Err(text) if text.contains("CHECK")), "{which}: {text:?}");
    }
    Ok(())
}

#[tokio::test]
async fn every_foreign_key_has_an_index() -> Result<(), DbErr> {
    let database = library().await?;
    let without = names(
        &database,
        "SELECT t.name || '.' || f.\"from\"
         FROM sqlite_schema t JOIN pragma_foreign_key_list(t.name) f
         WHERE t.type = 'table' AND NOT EXISTS (
             SELECT 1 FROM pragma_index_list(t.name) i JOIN pragma_index_info(i.name) c
             WHERE c.seqno = 0 AND c.name = f.\"from\" AND i.partial = 0)",
    )
    .await?;
    assert_eq!(without, Vec::<String>::new());
    Ok(())
}

#[tokio::test]
async fn the_migration_goes_down_again() -> Result<(), DbErr> {
    let database = library().await?;
    Migrator::down(&database, None).await?;
    let left =
        names(&database, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
            .await?;
    assert_eq!(left, ["seaql_migrations"]);
    Ok(())
}
