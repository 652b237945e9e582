//! Short ways to write and read rows of the models, through SeaORM as an application does it.

use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter,
    sea_query::Expr,
};
use uuid::Uuid;

use crate::schema::{assignment, folder, gauge, invoice, label, memo, project, reading, sketch, span, task};

pub use sync_runtime::new_id;

/// Runs `sql`, which must succeed.
pub async fn run(db: &impl ConnectionTrait, sql: impl AsRef<str>) {
    let sql = sql.as_ref();
    if let Err(error) = db.execute_unprepared(sql).await {
        panic!("{sql}: {error}");
    }
}

/// A record id as SQL.
pub fn hex(id: Uuid) -> String {
    format!("X'{:X}'", id.simple())
}

/// Inserts a label.
pub async fn label(db: &impl ConnectionTrait, name: &str) -> label::Model {
    try_label(db, name).await.unwrap()
}

/// Inserts a label, which may fail.
pub async fn try_label(db: &impl ConnectionTrait, name: &str) -> Result<label::Model, DbErr> {
    let row = label::ActiveModel {
        uuid: Set(new_id()),
        name: Set(name.to_owned()),
        uses: Set(0),
        ..Default::default()
    };
    row.insert(db).await
}

/// Gives a label another name.
pub async fn rename(db: &impl ConnectionTrait, id: Uuid, name: &str) {
    let update = label::Entity::update_many().col_expr(label::Column::Name, Expr::value(name));
    let done = update.filter(label::Column::Uuid.eq(id)).exec(db).await.unwrap();
    assert_eq!(done.rows_affected, 1, "renamed to {name}");
}

/// Inserts a project.
pub async fn project(db: &impl ConnectionTrait, title: &str) -> project::Model {
    let row =
        project::ActiveModel { uuid: Set(new_id()), title: Set(title.to_owned()), ..Default::default() };
    row.insert(db).await.unwrap()
}

/// The project with this id.
pub async fn project_of(db: &impl ConnectionTrait, id: Uuid) -> Option<project::Model> {
    project::Entity::find().filter(project::Column::Uuid.eq(id)).one(db).await.unwrap()
}

/// Deletes a project.
pub async fn drop_project(db: &impl ConnectionTrait, id: Uuid) {
    let delete = project::Entity::delete_many().filter(project::Column::Uuid.eq(id));
    assert_eq!(delete.exec(db).await.unwrap().rows_affected, 1);
}

/// The local key of the project with this id.
async fn key(db: &impl ConnectionTrait, id: Uuid) -> i64 {
    project_of(db, id).await.unwrap().id
}

/// Inserts a task of a project.
pub async fn task(db: &impl ConnectionTrait, project: Uuid, title: &str) -> task::Model {
    let row = task::ActiveModel {
        uuid: Set(new_id()),
        project_id: Set(key(db, project).await),
        title: Set(title.to_owned()),
        done: Set(false),
        ..Default::default()
    };
    row.insert(db).await.unwrap()
}

/// Inserts a memo of a project.
pub async fn memo(db: &impl ConnectionTrait, project: Uuid, text: &str) -> memo::Model {
    let row = memo::ActiveModel {
        uuid: Set(new_id()),
        project_id: Set(Some(key(db, project).await)),
        text: Set(text.to_owned()),
        ..Default::default()
    };
    row.insert(db).await.unwrap()
}

/// Inserts an invoice of a project.
pub async fn invoice(db: &impl ConnectionTrait, project: Uuid, amount: i64) -> invoice::Model {
    let row = invoice::ActiveModel {
        uuid: Set(new_id()),
        project_id: Set(key(db, project).await),
        amount: Set(amount),
        ..Default::default()
    };
    row.insert(db).await.unwrap()
}

/// Inserts a folder.
pub async fn folder(db: &impl ConnectionTrait, parent: Option<Uuid>, name: &str) -> folder::Model {
    let parent = match parent {
        Some(id) => folder::Entity::find()
            .filter(folder::Column::Uuid.eq(id))
            .one(db)
            .await
            .unwrap()
            .map(|row| row.id),
        None => None,
    };
    let row = folder::ActiveModel {
        uuid: Set(new_id()),
        parent_id: Set(parent),
        name: Set(name.to_owned()),
        ..Default::default()
    };
    row.insert(db).await.unwrap()
}

/// Puts a label on a project; the record id follows from the pair.
pub async fn assign(db: &impl ConnectionTrait, label: Uuid, project: Uuid, weight: i64) {
    let label = label::Entity::find().filter(label::Column::Uuid.eq(label)).one(db).await.unwrap().unwrap();
    let row = assignment::ActiveModel {
        label_id: Set(label.id),
        project_id: Set(key(db, project).await),
        weight: Set(weight),
        ..Default::default()
    };
    row.insert(db).await.unwrap();
}

/// Inserts a sketch.
pub async fn sketch(db: &impl ConnectionTrait, title: &str, body: &str) -> sketch::Model {
    let row = sketch::ActiveModel {
        uuid: Set(new_id()),
        title: Set(title.to_owned()),
        body: Set(body.to_owned()),
        ..Default::default()
    };
    row.insert(db).await.unwrap()
}

/// Inserts a span.
pub async fn span(db: &impl ConnectionTrait, low: i64, high: i64) -> span::Model {
    let row = span::ActiveModel {
        uuid: Set(new_id()),
        low: Set(low),
        high: Set(high),
        title: Set(String::new()),
        ..Default::default()
    };
    row.insert(db).await.unwrap()
}

/// Inserts a gauge.
pub async fn gauge(
    db: &impl ConnectionTrait,
    total: i64,
    best: i64,
    worst: i64,
    marks: &str,
) -> gauge::Model {
    let row = gauge::ActiveModel {
        uuid: Set(new_id()),
        total: Set(total),
        best: Set(best),
        worst: Set(worst),
        marks: Set(marks.to_owned()),
        ..Default::default()
    };
    row.insert(db).await.unwrap()
}

/// A reading of `device`, not inserted yet.
pub fn reading(device: Uuid, place: &str, value: i64) -> reading::ActiveModel {
    reading::ActiveModel {
        uuid: Set(new_id()),
        device: Set(device),
        place: Set(place.to_owned()),
        value: Set(value),
        ..Default::default()
    }
}

/// Lets the clock move on, so that what is written next is later for everyone.
pub async fn later() {
    tokio::time::sleep(std::time::Duration::from_millis(4)).await;
}

/// Runs `sql` on the database file of a device as another program does: on a connection of its own.
pub async fn outside(path: &std::path::Path, sql: &str) {
    use sqlx::{ConnectOptions as _, Connection as _, Executor as _};
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut connection = options.busy_timeout(crate::device::PATIENCE).connect().await.unwrap();
    if let Err(error) = connection.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()))).await {
        panic!("{sql}: {error}");
    }
    connection.close().await.unwrap();
}
