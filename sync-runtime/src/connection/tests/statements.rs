//! Every way to write with SeaORM gives exactly one step, and reads give none.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use futures_util::TryStreamExt;
use sea_orm::{
    AccessMode, ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, ModelTrait, PaginatorTrait, QueryFilter, QueryOrder,
    StreamTrait, TransactionSession, TransactionTrait,
    sea_query::{Expr, OnConflict},
};

use super::{
    entities::{line, note},
    support::{Fixture, kind, sql},
};
use crate::ErrorKind;

pub(super) fn draft(title: &str) -> note::ActiveModel {
    note::ActiveModel { title: Set(title.to_owned()), body: Set(String::new()), ..Default::default() }
}

/// Asserts that what happened since `before` was exactly one transaction, woken once.
async fn one_step(fixture: &Fixture, before: &mut i64, what: &str) {
    *before += 1;
    assert_eq!(fixture.steps().await, *before, "{what}");
    assert_eq!(fixture.wakes(), *before, "{what}");
}

#[tokio::test]
async fn each_kind_of_write_is_one_step() {
    let fixture = Fixture::new().await;
    let (db, mut steps) = (&fixture.db, 0);

    let milk = draft("milk").insert(db).await.unwrap();
    one_step(&fixture, &mut steps, "insert").await;
    let mut active: note::ActiveModel = milk.clone().into();
    active.body = Set("2 l".to_owned());
    active.update(db).await.unwrap();
    one_step(&fixture, &mut steps, "update").await;
    draft("bread").save(db).await.unwrap();
    one_step(&fixture, &mut steps, "save").await;
    note::Entity::insert_many([draft("a"), draft("b")]).exec(db).await.unwrap();
    one_step(&fixture, &mut steps, "insert_many").await;
    let returned = note::Entity::insert_many([draft("c"), draft("d")]).exec_with_returning(db).await.unwrap();
    assert_eq!(returned.iter().map(|n| n.title.as_str()).collect::<Vec<_>>(), ["c", "d"]);
    one_step(&fixture, &mut steps, "insert_many returning").await;
    let upsert = OnConflict::column(note::Column::Title).update_column(note::Column::Body).to_owned();
    let mut again = draft("milk");
    again.body = Set("3 l".to_owned());
    note::Entity::insert(again).on_conflict(upsert).exec(db).await.unwrap();
    one_step(&fixture, &mut steps, "upsert").await;
    let body = Expr::value("x");
    note::Entity::update_many().col_expr(note::Column::Body, body).exec(db).await.unwrap();
    one_step(&fixture, &mut steps, "update_many").await;
    note::Entity::delete_many().filter(note::Column::Title.eq("a")).exec(db).await.unwrap();
    one_step(&fixture, &mut steps, "delete_many").await;
    let gone = note::Entity::delete_many()
        .filter(note::Column::Title.eq("b"))
        .exec_with_returning(db)
        .await
        .unwrap();
    assert_eq!(gone.len(), 1);
    one_step(&fixture, &mut steps, "delete_many returning").await;
    line::Entity::insert(line::ActiveModel {
        note_id: Set(milk.id),
        text: Set("t".into()),
        ..Default::default()
    })
    .exec(db)
    .await
    .unwrap();
    one_step(&fixture, &mut steps, "insert child").await;
    milk.delete(db).await.unwrap();
    one_step(&fixture, &mut steps, "delete with cascade").await;
    assert_eq!(line::Entity::find().count(db).await.unwrap(), 0);
    db.execute_unprepared("UPDATE note SET body = 'y'; DELETE FROM note WHERE title = 'c';").await.unwrap();
    one_step(&fixture, &mut steps, "script").await;

    assert_eq!(fixture.titles().await, ["bread", "d"]);
    assert_eq!(fixture.steps().await, steps, "reads take no step");
}

#[tokio::test]
async fn dense_model_with_children_is_one_step() {
    let fixture = Fixture::new().await;
    let mut steps = 0;
    let list = note::ActiveModel::builder()
        .set_title("list")
        .set_body("")
        .add_line(line::ActiveModel::builder().set_text("milk"))
        .add_line(line::ActiveModel::builder().set_text("bread"));
    list.save(&fixture.db).await.unwrap();
    one_step(&fixture, &mut steps, "ActiveModelEx").await;
    let lines = line::Entity::find().order_by_asc(line::Column::Id).all(&fixture.db).await.unwrap();
    assert_eq!(lines.iter().map(|l| l.text.as_str()).collect::<Vec<_>>(), ["milk", "bread"]);
}

#[tokio::test]
async fn transactions_and_savepoints_are_one_step_together() {
    let fixture = Fixture::new().await;
    let (db, mut steps) = (&fixture.db, 0);

    let tx = db.begin().await.unwrap();
    draft("a").insert(&tx).await.unwrap();
    let inner = tx.begin().await.unwrap();
    draft("b").insert(&inner).await.unwrap();
    inner.commit().await.unwrap();
    let inner = tx.begin().await.unwrap();
    draft("c").insert(&inner).await.unwrap();
    inner.rollback().await.unwrap();
    let inner = tx.begin().await.unwrap();
    draft("d").insert(&inner).await.unwrap();
    drop(inner);
    assert_eq!(note::Entity::find().count(&tx).await.unwrap(), 2, "its own writes are seen inside");
    assert_eq!(fixture.titles().await, Vec::<String>::new(), "and nowhere else");
    tx.commit().await.unwrap();
    one_step(&fixture, &mut steps, "nested").await;
    assert_eq!(fixture.titles().await, ["a", "b"]);

    let made = db.transaction::<_, i32, DbErr>(|tx| {
        Box::pin(async move {
            let outer = draft("e").insert(tx).await?;
            tx.transaction::<_, (), DbErr>(|tx| {
                Box::pin(async move {
                    draft("f").insert(tx).await?;
                    Ok(())
                })
            })
            .await
            .map_err(|error| DbErr::Custom(error.to_string()))?;
            Ok(outer.id)
        })
    });
    assert_eq!(made.await.unwrap(), 3);
    one_step(&fixture, &mut steps, "closure").await;

    let failed = db.transaction::<_, (), DbErr>(|tx| {
        Box::pin(async move {
            draft("g").insert(tx).await?;
            Err(DbErr::Custom("no".to_owned()))
        })
    });
    assert!(failed.await.is_err());
    assert_eq!(fixture.steps().await, steps, "a closure that fails takes no step");
    assert_eq!(fixture.titles().await, ["a", "b", "e", "f"]);
}

#[tokio::test]
async fn rollback_and_refusal_leave_nothing() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let tx = db.begin().await.unwrap();
    draft("a").insert(&tx).await.unwrap();
    tx.rollback().await.unwrap();
    let tx = db.begin().await.unwrap();
    draft("b").insert(&tx).await.unwrap();
    drop(tx);
    assert!(draft("c").insert(db).await.is_ok(), "the writer is free again");
    assert!(
        draft("c").insert(db).await.unwrap_err().sql_err().is_some(),
        "errors of the database stay theirs"
    );
    let error = draft("refuse me").insert(db).await.unwrap_err();
    assert_eq!(kind(&error), Some(ErrorKind::NotOwner));
    let tx = db.begin().await.unwrap();
    draft("refuse me").insert(&tx).await.unwrap();
    assert_eq!(tx.commit().await.map_err(|e| kind(&e)), Err(Some(ErrorKind::NotOwner)));
    assert_eq!((fixture.titles().await, fixture.steps().await), (vec!["c".to_owned()], 1));
    assert_eq!(fixture.wakes(), 1);
}

#[tokio::test]
async fn deferred_foreign_key_fails_at_commit_and_rolls_back() {
    let fixture = Fixture::new().await;
    let orphan = "INSERT INTO line (note_id, text) VALUES (99, 'x')";
    let error = fixture.db.execute_unprepared(orphan).await.unwrap_err();
    assert!(error.to_string().contains("FOREIGN KEY"), "{error}");
    draft("after").insert(&fixture.db).await.unwrap();
    assert_eq!((fixture.steps().await, fixture.wakes()), (1, 1));
    assert_eq!(line::Entity::find().count(&fixture.db).await.unwrap(), 0);
}

#[tokio::test]
async fn a_query_that_writes_moves_to_the_writer() {
    let fixture = Fixture::new().await;
    let (db, mut steps) = (&fixture.db, 0);
    let with = |title: &str| {
        sql(&format!(
            "WITH new(t) AS (SELECT '{title}') INSERT INTO note (title) SELECT t FROM new RETURNING id"
        ))
    };
    assert!(db.query_one_raw(with("a")).await.unwrap().is_some());
    one_step(&fixture, &mut steps, "query_one").await;
    assert_eq!(db.query_all_raw(with("b")).await.unwrap().len(), 1);
    one_step(&fixture, &mut steps, "query_all").await;
    assert_eq!(db.stream_raw(with("c")).await.unwrap().try_collect::<Vec<_>>().await.unwrap().len(), 1);
    one_step(&fixture, &mut steps, "stream").await;
    let returning = sql("INSERT INTO note (title) VALUES ('d') RETURNING id");
    assert_eq!(db.stream_raw(returning).await.unwrap().try_collect::<Vec<_>>().await.unwrap().len(), 1);
    one_step(&fixture, &mut steps, "stream returning").await;
    let read = sql("WITH all_notes AS (SELECT * FROM note) SELECT count(*) FROM all_notes");
    db.query_one_raw(read).await.unwrap();
    assert_eq!(fixture.steps().await, steps, "WITH … SELECT stays on a reader");
    assert_eq!(fixture.titles().await, ["a", "b", "c", "d"]);
}

#[tokio::test]
async fn streams_read_beside_a_write_and_inside_a_transaction() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    note::Entity::insert_many((0..500).map(|n| draft(&format!("n{n:03}")))).exec(db).await.unwrap();
    let mut stream = note::Entity::find().order_by_asc(note::Column::Id).stream(db).await.unwrap();
    let mut seen = 0;
    while let Some(found) = stream.try_next().await.unwrap() {
        if seen == 10 {
            draft("while reading").insert(db).await.unwrap();
        }
        assert_eq!(found.title, format!("n{seen:03}"), "one snapshot");
        seen += 1;
    }
    assert_eq!(seen, 500);

    let tx = db.begin().await.unwrap();
    draft("mine").insert(&tx).await.unwrap();
    let rows: Vec<_> = note::Entity::find().stream(&tx).await.unwrap().try_collect().await.unwrap();
    assert_eq!(rows.len(), 502);
    tx.commit().await.unwrap();
    assert_eq!(fixture.steps().await, 3);
}

#[tokio::test]
async fn read_only_transaction_is_a_snapshot_beside_the_writer() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    draft("a").insert(db).await.unwrap();
    let tx = db.begin_with_config(None, Some(AccessMode::ReadOnly)).await.unwrap();
    assert_eq!(note::Entity::find().count(&tx).await.unwrap(), 1);
    draft("b").insert(db).await.unwrap();
    assert_eq!(note::Entity::find().count(&tx).await.unwrap(), 1);
    assert!(draft("c").insert(&tx).await.is_err(), "it cannot write");
    tx.commit().await.unwrap();
    assert_eq!((fixture.titles().await.len(), fixture.steps().await), (2, 2));
}

#[tokio::test]
async fn writers_take_turns_and_the_engine_takes_no_step() {
    let fixture = Fixture::new().await;
    let db = &fixture.db;
    let engine = async {
        for n in 0..20 {
            let tx = db.writer().begin().await.unwrap();
            draft(&format!("e{n}")).insert(tx.connection()).await.unwrap();
            tx.commit().await.unwrap();
        }
    };
    let application = |name: &'static str| async move {
        for n in 0..20 {
            draft(&format!("{name}{n}")).insert(db).await.unwrap();
        }
    };
    tokio::join!(engine, application("a"), application("b"));
    assert_eq!((fixture.titles().await.len(), fixture.steps().await, fixture.wakes()), (60, 40, 40));
    let tx = db.writer().begin().await.unwrap();
    draft("gone").insert(&*tx).await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(fixture.titles().await.len(), 60);
}

#[tokio::test]
async fn two_spaces_do_not_know_each_other() {
    let (left, right) = (Fixture::new().await, Fixture::new().await);
    let tx = left.db.begin().await.unwrap();
    draft("left").insert(&tx).await.unwrap();
    draft("right").insert(&right.db).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!((left.titles().await, right.titles().await), (vec!["left".into()], vec!["right".into()]));
    assert_eq!((left.steps().await, right.steps().await), (1, 1));
}
