//! The tables that do not depend on the models. Those that do (`_sync_v_…`, `_sync_i_…`) and the triggers come
//! from the catalog.

/// Version of this layout; stored in `_sync_meta`.
pub(crate) const LAYOUT: i64 = 1;

/// Statements that make the tables; each may be run again.
pub(crate) const TABLES: &[&str] = &[
    // Facts about the space by name: layout, space, schema fingerprint …
    "CREATE TABLE IF NOT EXISTS _sync_meta (key TEXT PRIMARY KEY NOT NULL, value) WITHOUT ROWID",
    // One row: the own origin's number, the clock, and the highest stamp that ever entered the merged state.
    "CREATE TABLE IF NOT EXISTS _sync_state (
        one INTEGER PRIMARY KEY CHECK (one = 1), own INTEGER NOT NULL, clock INTEGER NOT NULL,
        ceiling INTEGER NOT NULL) STRICT",
    // Origins by a small local number; what is held of each; `seen` is the head that the last own changeset
    // stated.
    "CREATE TABLE IF NOT EXISTS _sync_origin (
        o INTEGER PRIMARY KEY, device BLOB NOT NULL, incarnation INTEGER NOT NULL,
        head INTEGER NOT NULL DEFAULT 0, head_hash BLOB, ranges BLOB, public_key BLOB,
        seen INTEGER NOT NULL DEFAULT 0, UNIQUE (device, incarnation)) STRICT",
    // Headers and, while they are needed, the shared changes (zstd). `proof` is the origin's signature over its
    // chain up to this header, where one came with it.
    "CREATE TABLE IF NOT EXISTS _sync_log (
        o INTEGER NOT NULL, s INTEGER NOT NULL, hlc INTEGER NOT NULL, header BLOB NOT NULL, shared BLOB,
        proof BLOB, PRIMARY KEY (o, s)) STRICT",
    // What the triggers noted and no drain has taken up yet: model number, kind, local key, old record id, and
    // which columns changed (a bit a field).
    "CREATE TABLE IF NOT EXISTS _sync_pending (
        n INTEGER PRIMARY KEY, m INTEGER NOT NULL, t INTEGER NOT NULL, k0, k1, k2, k3, r,
        w0 INTEGER, w1 INTEGER, w2 INTEGER, w3 INTEGER)",
    // While it has a row, the triggers look for rows that an INSERT would replace. Transactions that are known not
    // to replace any take it away until they commit.
    "CREATE TABLE IF NOT EXISTS _sync_guard (one INTEGER PRIMARY KEY CHECK (one = 1)) STRICT",
    "INSERT OR IGNORE INTO _sync_guard (one) VALUES (1)",
    // The whole merged state of records that the application's tables do not show as they are.
    "CREATE TABLE IF NOT EXISTS _sync_shadow (
        m INTEGER NOT NULL, r BLOB NOT NULL, status INTEGER NOT NULL, state BLOB NOT NULL,
        PRIMARY KEY (m, r)) WITHOUT ROWID, STRICT",
    // What a record in the shadow waits for: a record, or a unique value.
    "CREATE TABLE IF NOT EXISTS _sync_wants (
        m INTEGER NOT NULL, w BLOB NOT NULL, hm INTEGER NOT NULL, hr BLOB NOT NULL,
        PRIMARY KEY (m, w, hm, hr)) WITHOUT ROWID, STRICT",
    "CREATE INDEX IF NOT EXISTS _sync_wants_holder ON _sync_wants (hm, hr)",
    // Dots of records in the shadow, so that state can be served by range.
    "CREATE TABLE IF NOT EXISTS _sync_dot (
        o INTEGER NOT NULL, s INTEGER NOT NULL, m INTEGER NOT NULL, r BLOB NOT NULL,
        PRIMARY KEY (o, s, m, r)) WITHOUT ROWID, STRICT",
    // Model names by number: those of the catalog, and unknown ones that arrived.
    "CREATE TABLE IF NOT EXISTS _sync_model (m INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT",
    "CREATE TABLE IF NOT EXISTS _sync_refused (
        o INTEGER NOT NULL, s INTEGER NOT NULL, hash BLOB NOT NULL, reason TEXT NOT NULL,
        PRIMARY KEY (o, s)) WITHOUT ROWID, STRICT",
    // Every known member's last own statement, as signed by it.
    "CREATE TABLE IF NOT EXISTS _sync_member (device BLOB PRIMARY KEY NOT NULL, statement BLOB NOT NULL) STRICT",
];
