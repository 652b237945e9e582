//! The tables of the models, as an application's migration makes them.

use sync_runtime::{registration::Registration, registration_of};

/// Makes every table; at every opening, so nothing that is there already is touched.
pub const TABLES: &str = "
CREATE TABLE IF NOT EXISTS label (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, uuid BLOB NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE CHECK (name <> ''), colour TEXT, uses INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS project (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, uuid BLOB NOT NULL UNIQUE, title TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS task (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, uuid BLOB NOT NULL UNIQUE,
    project_id INTEGER NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    title TEXT NOT NULL, done BOOLEAN NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS task_project ON task (project_id);
CREATE TABLE IF NOT EXISTS memo (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, uuid BLOB NOT NULL UNIQUE,
    project_id INTEGER REFERENCES project (id) ON DELETE SET NULL, text TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS memo_project ON memo (project_id);
CREATE TABLE IF NOT EXISTS invoice (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, uuid BLOB NOT NULL UNIQUE,
    project_id INTEGER NOT NULL REFERENCES project (id) ON DELETE RESTRICT, amount INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS invoice_project ON invoice (project_id);
CREATE TABLE IF NOT EXISTS folder (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, uuid BLOB NOT NULL UNIQUE,
    parent_id INTEGER REFERENCES folder (id) ON DELETE CASCADE, name TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS folder_parent ON folder (parent_id);
CREATE TABLE IF NOT EXISTS assignment (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, uuid BLOB UNIQUE,
    label_id INTEGER NOT NULL REFERENCES label (id) ON DELETE CASCADE,
    project_id INTEGER NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    weight INTEGER NOT NULL DEFAULT 0, UNIQUE (label_id, project_id));
CREATE INDEX IF NOT EXISTS assignment_project ON assignment (project_id);
CREATE TABLE IF NOT EXISTS setting (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, uuid BLOB UNIQUE,
    namespace TEXT NOT NULL, slug TEXT NOT NULL, value TEXT NOT NULL, UNIQUE (namespace, slug));
CREATE TABLE IF NOT EXISTS seat (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, uuid BLOB NOT NULL UNIQUE,
    project_id INTEGER REFERENCES project (id) ON DELETE SET NULL, name TEXT NOT NULL,
    code TEXT, line INTEGER NOT NULL DEFAULT 0);
CREATE UNIQUE INDEX IF NOT EXISTS seat_code ON seat (lower(code), line);
CREATE UNIQUE INDEX IF NOT EXISTS seat_taken ON seat (name) WHERE project_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS seat_project ON seat (project_id);
CREATE TABLE IF NOT EXISTS sketch (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, uuid BLOB NOT NULL UNIQUE,
    title TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS span (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, uuid BLOB NOT NULL UNIQUE,
    low INTEGER NOT NULL, high INTEGER NOT NULL, title TEXT NOT NULL, CHECK (low <= high));
CREATE TABLE IF NOT EXISTS gauge (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, uuid BLOB NOT NULL UNIQUE, total INTEGER NOT NULL DEFAULT 0,
    best INTEGER NOT NULL, worst INTEGER NOT NULL, marks TEXT NOT NULL DEFAULT '[]');
CREATE TABLE IF NOT EXISTS reading (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, uuid BLOB NOT NULL UNIQUE,
    device BLOB NOT NULL, place TEXT NOT NULL, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS sample (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, uuid BLOB NOT NULL UNIQUE,
    whole INTEGER, real REAL, text TEXT, bytes BLOB, flag BOOLEAN, other BLOB, at TEXT, local TEXT);
CREATE TABLE IF NOT EXISTS parcel (
    country TEXT NOT NULL, code TEXT NOT NULL, uuid BLOB NOT NULL UNIQUE, content TEXT NOT NULL,
    PRIMARY KEY (country, code));
";

/// The models that these tables hold.
pub fn models() -> Vec<&'static Registration> {
    use super::{
        assignment, folder, gauge, invoice, label, memo, parcel, project, reading, sample, seat, setting,
        sketch, span, task,
    };
    [
        registration_of::<label::Entity>(),
        registration_of::<project::Entity>(),
        registration_of::<task::Entity>(),
        registration_of::<memo::Entity>(),
        registration_of::<invoice::Entity>(),
        registration_of::<folder::Entity>(),
        registration_of::<assignment::Entity>(),
        registration_of::<seat::Entity>(),
        registration_of::<setting::Entity>(),
        registration_of::<sketch::Entity>(),
        registration_of::<span::Entity>(),
        registration_of::<gauge::Entity>(),
        registration_of::<reading::Entity>(),
        registration_of::<sample::Entity>(),
        registration_of::<parcel::Entity>(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
