//! Writes what was settled: rows that go, rows that change, rows that come, then versions and shadow.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use sea_orm::{DatabaseTransaction, Value as Sql};
use sync_core::{ids::RecordId, value::Value};

use super::{
    context::{Class, Entry, Focus, Place},
    load::{self, Row, Standing},
    own_notes::Written,
    rows::{LocalValues, shown_values},
    settle::{self, Settled},
    verdict::Verdict,
};
use crate::{
    catalog::{Field, FieldIndex, Model, ModelIndex, Unique, quote},
    derived::{self, RowChange, RowChangeKind},
    engine::local::Local,
    error::Result,
    store::{
        batch::Batch,
        db::{bind, integer, query_one, sqlite_row},
        key::Key,
        origins::Origins,
        versions::{ShadowStatus, StateWrites, VersionRow},
    },
};

/// Writes every record in focus that changed. The focus is used up.
pub(super) async fn write(
    tx: &DatabaseTransaction,
    local: &Local,
    origins: &Origins,
    focus: Focus,
) -> Result<Settled> {
    let mut placing = Placing {
        tx,
        local,
        origins,
        focus,
        batch: Batch::default(),
        writes: StateWrites::default(),
        settled: Settled::default(),
        derived: BTreeMap::new(),
        freed: HashSet::new(),
    };
    let dirty = placing.dirty();
    placing.allocate(&dirty).await?;
    // ORDER: a row that leaves its parent leaves before the parent goes, or the database would take it along.
    placing.leave(&dirty).await?;
    placing.remove(&dirty).await?;
    placing.update(&dirty).await?;
    placing.insert(&dirty).await?;
    placing.states(&dirty);
    placing.finish().await
}

struct Placing<'a> {
    tx: &'a DatabaseTransaction,
    local: &'a Local,
    origins: &'a Origins,
    focus: Focus,
    batch: Batch,
    writes: StateWrites,
    settled: Settled,
    derived: BTreeMap<ModelIndex, Vec<RowChange>>,
    /// Fields that hold a placeholder now; not all of them are among those that change.
    freed: HashSet<(Place, FieldIndex)>,
}

/// What happens to the row of a record.
#[derive(Clone, Copy, PartialEq, Eq)]
enum RowFate {
    Comes,
    Changes,
    Stays,
    Goes,
    Absent,
}

fn fate(model: &Model, entry: &Entry) -> RowFate {
    match (&entry.verdict, &entry.loaded.row) {
        (Some(Verdict::Shown(_)), None) => RowFate::Comes,
        (Some(Verdict::Shown(nulls)), Some(row)) => {
            let values = shown_values(model, &entry.loaded.record, nulls);
            if settle::is_row(Some(row), &values) { RowFate::Stays } else { RowFate::Changes }
        }
        (Some(_), Some(_)) => RowFate::Goes,
        _ => RowFate::Absent,
    }
}

impl Placing<'_> {
    /// Judged records in order of model (parents first) and age, with what happens to their rows.
    fn dirty(&self) -> Vec<(Place, RowFate)> {
        let mut out: Vec<_> = self
            .focus
            .entries
            .iter()
            .filter(|(_, entry)| entry.verdict.is_some())
            .filter_map(|(place, entry)| {
                let (model, _) = self.local.model(place.0)?;
                Some(((place.0, entry.order()), (*place, fate(model, entry))))
            })
            .collect();
        out.sort_unstable_by_key(|(order, _)| *order);
        out.into_iter().map(|(_, item)| item).collect()
    }

    fn note(&mut self, place: Place, key: &Key, kind: RowChangeKind) {
        let model = place.0;
        self.settled.written.entry(model).or_default().push(place.1);
        if let (Some((m, _)), Some(key)) = (self.local.model(model), key.as_integer())
            && derived::follows(&m.table)
        {
            self.derived.entry(model).or_default().push(RowChange { key, kind });
        }
    }

    /// ORDER: children before parents, so that the database's own actions find nothing left to do.
    async fn remove(&mut self, dirty: &[(Place, RowFate)]) -> Result<()> {
        let mut by_model: BTreeMap<ModelIndex, Vec<Vec<Sql>>> = BTreeMap::new();
        for (place, _) in dirty.iter().rev().filter(|(_, fate)| *fate == RowFate::Goes) {
            let Some(key) = settle::key_of(&self.focus, *place) else { continue };
            self.note(*place, &key, RowChangeKind::Deleted);
            by_model.entry(place.0).or_default().push(key.to_sql());
            self.writes.gone.push((place.0, key));
        }
        for (model, keys) in by_model.into_iter().rev() {
            let Some((model, sql)) = self.local.model(model) else { continue };
            self.settled.own.add(model, Written::Deleted, keys.len());
            let columns = model.key.iter().map(|k| quote(&k.column)).collect::<Vec<_>>().join(", ");
            let head = format!("DELETE FROM {} WHERE ({columns}) IN (", model.quoted());
            self.batch.push_rows(self.tx, &head, sql.key_columns, ")", keys).await?;
        }
        self.batch.flush(self.tx).await
    }

    /// Gives every row that comes its key, so that rows which refer to it can be written in any order.
    async fn allocate(&mut self, dirty: &[(Place, RowFate)]) -> Result<()> {
        let mut next: HashMap<ModelIndex, i64> = HashMap::new();
        for (place, _) in dirty.iter().filter(|(_, fate)| *fate == RowFate::Comes) {
            let Some((model, _)) = self.local.model(place.0) else { continue };
            let numbered = model.rowid_key && model.key.iter().all(|k| k.field.is_none()) && !model.id.is_key;
            let key = if numbered {
                let number = match next.get(&place.0) {
                    Some(number) => *number,
                    None => next_key(self.tx, model).await?,
                };
                next.insert(place.0, number + 1);
                Some(Key::Integer(number))
            } else {
                self.natural_key(model, *place)
            };
            if let (Some(key), Some(entry)) = (key, self.focus.entries.get_mut(place)) {
                entry.loaded.row = Some(Row { key, values: Vec::new() });
            }
        }
        Ok(())
    }

    /// A key that consists of the record id or of synced fields.
    fn natural_key(&self, model: &Model, place: Place) -> Option<Key> {
        let entry = self.focus.entries.get(&place)?;
        let Some(Verdict::Shown(nulls)) = &entry.verdict else { return None };
        let wire = shown_values(model, &entry.loaded.record, nulls);
        let values = LocalValues::of(&self.focus, model, &wire);
        let parts: Vec<Value> = model
            .key
            .iter()
            .map(|part| match part.field {
                Some(field) => values.get(field.0).cloned().unwrap_or(Value::Null),
                None => Value::Blob(place.1.as_bytes().to_vec()),
            })
            .collect();
        match parts.as_slice() {
            [Value::Integer(key)] => Some(Key::Integer(*key)),
            _ => Some(Key::Columns(parts)),
        }
    }

    fn values(&self, model: &Model, place: Place) -> Option<(Vec<Value>, LocalValues)> {
        let entry = self.focus.entries.get(&place)?;
        let Some(Verdict::Shown(nulls)) = &entry.verdict else { return None };
        let wire = shown_values(model, &entry.loaded.record, nulls);
        let values = LocalValues::of(&self.focus, model, &wire);
        Some((wire, values))
    }

    async fn update(&mut self, dirty: &[(Place, RowFate)]) -> Result<()> {
        let changing: Vec<Place> =
            dirty.iter().filter(|(_, fate)| *fate == RowFate::Changes).map(|(place, _)| *place).collect();
        self.free_unique_values(&changing, false).await?;
        let mut alike: BTreeMap<(ModelIndex, Vec<usize>), Vec<Vec<Sql>>> = BTreeMap::new();
        for place in changing {
            let Some((model, _)) = self.local.model(place.0) else { continue };
            let (Some((wire, values)), Some(row)) = (
                self.values(model, place),
                self.focus.entries.get(&place).and_then(|e| e.loaded.row.clone()),
            ) else {
                continue;
            };
            let changed: Vec<usize> = (0..wire.len())
                .filter(|n| {
                    row.values.get(*n) != wire.get(*n) || self.freed.contains(&(place, FieldIndex(*n)))
                })
                .collect();
            let binds = changed.iter().filter_map(|n| values.get(*n)).map(|value| bind(value.as_ref()));
            let (_, row_is) = row_condition(model, place, &row.key);
            let binds: Vec<Sql> = binds.chain(row_is).collect();
            self.note(place, &row.key, RowChangeKind::Updated);
            self.settled.own.add(model, Written::Changed, 1);
            alike.entry((place.0, changed)).or_default().push(binds);
            if model.key.iter().any(|part| part.field.is_some())
                && let Some(key) = self.natural_key(model, place).filter(|key| *key != row.key)
                && let Some(entry) = self.focus.entries.get_mut(&place)
            {
                entry.loaded.row = Some(Row { key, values: row.values });
                self.writes.gone.push((place.0, row.key));
            }
        }
        for ((model, changed), rows) in alike {
            self.update_alike(model, &changed, rows).await?;
        }
        self.batch.flush(self.tx).await
    }

    /// Updates the same columns of many rows; `rows` are their values and what tells the row.
    async fn update_alike(
        &mut self,
        model: ModelIndex,
        changed: &[usize],
        rows: Vec<Vec<Sql>>,
    ) -> Result<()> {
        let Some((model, _)) = self.local.model(model) else { return Ok(()) };
        let columns: Vec<String> =
            changed.iter().filter_map(|n| model.fields.get(*n)).map(|field| quote(&field.column)).collect();
        let told = telling_columns(model);
        // A row whose key changes may take that of another.
        let keys_stay = model.key.iter().all(|part| part.field.is_none_or(|f| !changed.contains(&f.0)));
        if rows.len() < 2 || !keys_stay {
            let set: Vec<String> = columns.iter().map(|column| format!("{column} = ?")).collect();
            let set = set.join(", ");
            let matches: Vec<String> = told.iter().map(|column| format!("{column} = ?")).collect();
            let text = format!("UPDATE {} SET {set} WHERE {}", model.quoted(), matches.join(" AND "));
            for row in rows {
                self.batch.push(&text, row);
            }
            return Ok(());
        }
        // One statement for many: each text would be compiled anew, with all triggers.
        let set: Vec<String> =
            (1..).zip(&columns).map(|(n, column)| format!("{column} = v.column{n}")).collect();
        let keys: Vec<String> =
            (columns.len() + 1..).zip(&told).map(|(n, column)| format!("t.{column} = v.column{n}")).collect();
        let head = format!("UPDATE {} AS t SET {} FROM (", model.quoted(), set.join(", "));
        let tail = format!(") v WHERE {}", keys.join(" AND "));
        self.batch.push_rows(self.tx, &head, columns.len() + told.len(), &tail, rows).await
    }

    /// Sets the references of rows that stay while what they refer to goes.
    async fn leave(&mut self, dirty: &[(Place, RowFate)]) -> Result<()> {
        let fated = |wanted| dirty.iter().filter(move |(_, fate)| *fate == wanted).map(|(place, _)| *place);
        let going: HashSet<Place> = fated(RowFate::Goes).collect();
        let mut leaving: Vec<(Place, Vec<usize>)> = Vec::new();
        for place in fated(RowFate::Changes) {
            let (Some((model, _)), Some(entry)) = (self.local.model(place.0), self.focus.entries.get(&place))
            else {
                continue;
            };
            let Some(row) = &entry.loaded.row else { continue };
            let to_going = |(_, (field, value)): &(usize, (&Field, &Value))| match (field.reference, value) {
                (Some(reference), Value::Reference(target)) => going.contains(&(reference.target, *target)),
                _ => false,
            };
            let fields = model.fields.iter().zip(&row.values).enumerate().filter(to_going);
            let fields: Vec<usize> = fields.map(|(n, _)| n).collect();
            if !fields.is_empty() {
                leaving.push((place, fields));
            }
        }
        let places: Vec<Place> = leaving.iter().map(|(place, _)| *place).collect();
        self.free_unique_values(&places, true).await?;
        for (place, fields) in leaving {
            let Some((model, _)) = self.local.model(place.0) else { continue };
            let (Some((_, values)), Some(key)) =
                (self.values(model, place), settle::key_of(&self.focus, place))
            else {
                continue;
            };
            let fields = fields.iter().filter_map(|n| model.fields.get(*n).zip(values.get(*n)));
            let (columns, binds): (Vec<String>, Vec<Sql>) = fields
                .map(|(field, value)| (format!("{} = ?", quote(&field.column)), bind(value.as_ref())))
                .unzip();
            let columns = columns.join(", ");
            self.settled.own.add(model, Written::Changed, 1);
            let (condition, row_is) = row_condition(model, place, &key);
            let text = format!("UPDATE {} SET {columns} WHERE {condition}", model.quoted());
            self.batch.push(&text, binds.into_iter().chain(row_is));
        }
        self.batch.flush(self.tx).await
    }

    /// Where several rows of a model change what is unique, their old values go first: two rows may swap. With `alone`
    /// also where it is one row.
    async fn free_unique_values(&mut self, changing: &[Place], alone: bool) -> Result<()> {
        let mut swaps: BTreeMap<ModelIndex, Vec<(Place, Vec<FieldIndex>)>> = BTreeMap::new();
        for place in changing {
            let Some((model, _)) = self.local.model(place.0) else { continue };
            let (Some((wire, _)), Some(entry)) = (self.values(model, *place), self.focus.entries.get(place))
            else {
                continue;
            };
            let Some(row) = &entry.loaded.row else { continue };
            let fields: BTreeSet<FieldIndex> = model
                .uniques
                .iter()
                .filter(|unique| unique.fields.iter().any(|f| row.values.get(f.0) != wire.get(f.0)))
                .filter_map(|unique| freeable(model, unique))
                .collect();
            if !fields.is_empty() {
                swaps.entry(place.0).or_default().push((*place, fields.into_iter().collect()));
            }
        }
        for (model, places) in swaps.into_iter().filter(|(_, places)| alone || places.len() > 1) {
            let Some((model, _)) = self.local.model(model) else { continue };
            for (place, fields) in places {
                let Some(key) = settle::key_of(&self.focus, place) else { continue };
                for index in fields {
                    let Some(field) = model.field(index) else { continue };
                    self.freed.insert((place, index));
                    self.settled.own.add(model, Written::Changed, 1);
                    let column = quote(&field.column);
                    let value = placeholder(model, index, place.1);
                    let (condition, row_is) = row_condition(model, place, &key);
                    let text = format!("UPDATE {} SET {column} = ? WHERE {condition}", model.quoted());
                    self.batch.push(&text, std::iter::once(value).chain(row_is));
                }
            }
        }
        self.batch.flush(self.tx).await
    }

    async fn insert(&mut self, dirty: &[(Place, RowFate)]) -> Result<()> {
        let mut by_model: BTreeMap<ModelIndex, Vec<Vec<Sql>>> = BTreeMap::new();
        for (place, _) in dirty.iter().filter(|(_, fate)| *fate == RowFate::Comes) {
            let Some((model, _)) = self.local.model(place.0) else { continue };
            let (Some((_, values)), Some(key)) =
                (self.values(model, *place), settle::key_of(&self.focus, *place))
            else {
                continue;
            };
            by_model.entry(place.0).or_default().push(row_values(model, place.1, &key, values.all()));
            self.note(*place, &key, RowChangeKind::Inserted);
        }
        for (model, rows) in by_model {
            let Some((model, _)) = self.local.model(model) else { continue };
            self.settled.own.add(model, Written::Inserted, rows.len());
            let columns = row_columns(model);
            let head = format!("INSERT INTO {} ({})", model.quoted(), columns.join(", "));
            self.batch.push_rows(self.tx, &head, columns.len(), "", rows).await?;
        }
        self.batch.flush(self.tx).await
    }

    /// Versions and shadow of everything that was judged.
    fn states(&mut self, dirty: &[(Place, RowFate)]) {
        for (place, _) in dirty {
            let (Some((model, _)), Some(entry)) = (self.local.model(place.0), self.focus.entries.get(place))
            else {
                continue;
            };
            let Some(verdict) = entry.verdict.clone() else { continue };
            let status = verdict.shadow_status();
            let before = entry.loaded.standing;
            let untouched = !entry.changed && status.map_or(Standing::Shown, Standing::Shadow) == before;
            if untouched && !matches!(verdict, Verdict::Shown(_) | Verdict::Hidden(_)) {
                continue;
            }
            let wants = settle::wants(self.local, &self.focus, *place, &verdict);
            if matches!(before, Standing::Shadow(_)) {
                self.writes.unshadow.push((model.number, place.1));
            }
            if let Some(status) = status {
                self.writes.shadow.push((model.number, place.1, status, entry.loaded.record.encode()));
                let holder = (model.number, place.1);
                self.writes.wants.extend(wants.into_iter().map(|(m, w)| (m, w, holder.0, holder.1)));
                if entry.loaded.owned {
                    self.writes.own_dots(&entry.loaded.record, model.number, place.1, self.origins);
                }
            }
            if verdict.is_shown() {
                self.version(model, entry.clone());
            }
            match verdict {
                Verdict::Hidden(reason) if before != Standing::Shadow(ShadowStatus::Hidden) => {
                    self.settled.hidden.push((*place, reason));
                }
                Verdict::Shown(_) if matches!(before, Standing::Shadow(ShadowStatus::Hidden)) => {
                    self.settled.shown.push(*place);
                }
                _ => {}
            }
        }
    }

    fn version(&mut self, model: &Model, entry: Entry) {
        let (Some(insert), Some(row)) = (entry.loaded.record.insert().copied(), entry.loaded.row) else {
            return;
        };
        let columns = load::columns(model);
        let record = &entry.loaded.record;
        let altered = entry.verdict.is_some_and(|v| v.shadow_status().is_some());
        let plain = insert.stamp.origin == insert.origin && record.is_plain_beside(&columns);
        let Some(origin) = self.origins.get(&insert.origin).map(|row| row.number) else { return };
        self.writes.versions.push((
            model.index,
            VersionRow {
                key: row.key,
                origin,
                seq: insert.seq,
                hlc: Some(insert.stamp.hlc),
                residue: (!plain && !altered).then(|| record.residue_beside(&columns)),
                owned: entry.loaded.owned,
            },
        ));
    }

    async fn finish(self) -> Result<Settled> {
        let Self { tx, local, mut batch, writes, settled, derived, focus, .. } = self;
        debug_assert!(
            focus.entries.values().all(|e| e.verdict.is_none()
                || (e.class == Class::Shown) == e.verdict.as_ref().is_some_and(Verdict::is_shown)),
            "class and verdict agree"
        );
        writes.write(tx, local, &mut batch).await?;
        batch.flush(tx).await?;
        for (model, rows) in derived {
            if let Some((model, _)) = local.model(model) {
                derived::update(tx, &model.table, &rows).await?;
            }
        }
        Ok(settled)
    }
}

/// The columns of a whole row: local key (where it is not a field), record id, fields.
pub(super) fn row_columns(model: &Model) -> Vec<String> {
    let keys = model.key.iter().filter(|k| k.field.is_none() && k.column != model.id.column);
    keys.map(|k| quote(&k.column))
        .chain(std::iter::once(quote(&model.id.column)))
        .chain(model.fields.iter().map(|f| quote(&f.column)))
        .collect()
}

/// Values for [`row_columns`].
fn row_values(model: &Model, record: RecordId, key: &Key, values: &[Value]) -> Vec<Sql> {
    let mut out = Vec::with_capacity(values.len() + 2);
    let key_parts = key.to_sql();
    for (part, value) in model.key.iter().zip(key_parts) {
        if part.field.is_none() && part.column != model.id.column {
            out.push(value);
        }
    }
    out.push(Sql::Bytes(Some(record.as_bytes().to_vec())));
    out.extend(values.iter().map(|v| bind(v.as_ref())));
    out
}

pub(super) fn key_condition(model: &Model) -> String {
    model.key.iter().map(|k| format!("{} = ?", quote(&k.column))).collect::<Vec<_>>().join(" AND ")
}

/// The columns that tell the row of a record: its key, or its id where the key consists of fields, which may hold
/// placeholders.
fn telling_columns(model: &Model) -> Vec<String> {
    if model.key.iter().any(|part| part.field.is_some()) {
        return vec![quote(&model.id.column)];
    }
    model.key.iter().map(|part| quote(&part.column)).collect()
}

/// Which row a record has, by [`telling_columns`].
fn row_condition(model: &Model, place: Place, key: &Key) -> (String, Vec<Sql>) {
    let columns = telling_columns(model);
    let condition = columns.iter().map(|column| format!("{column} = ?")).collect::<Vec<_>>().join(" AND ");
    if model.key.iter().any(|part| part.field.is_some()) {
        return (condition, vec![Sql::Bytes(Some(place.1.as_bytes().to_vec()))]);
    }
    (condition, key.to_sql())
}

/// The first free number of a table with integer keys.
pub(super) async fn next_key(tx: &DatabaseTransaction, model: &Model) -> Result<i64> {
    let key = model.key.first().map(|k| quote(&k.column)).unwrap_or_default();
    let text = format!(
        "SELECT coalesce(max({key}), 0) + 1, EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence')
         FROM {}",
        model.quoted()
    );
    let Some(row) = query_one(tx, &text, vec![]).await? else { return Ok(1) };
    let row = sqlite_row(&row)?;
    let used = integer(row, 0)?;
    if integer(row, 1)? == 0 {
        return Ok(used);
    }
    let sequence = "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = ?), 0) + 1";
    match query_one(tx, sequence, vec![Sql::String(Some(model.table.clone()))]).await? {
        Some(row) => Ok(integer(sqlite_row(&row)?, 0)?.max(used)),
        None => Ok(used),
    }
}

/// The field of a unique index whose change frees the rest: a nullable one, else one without a reference. What is in
/// its condition only does not count: another value there may leave the row in the index.
fn freeable(model: &Model, unique: &Unique) -> Option<FieldIndex> {
    let plain: Vec<FieldIndex> = unique.terms.iter().filter_map(|term| term.field).collect();
    let fields = if plain.is_empty() { &unique.fields } else { &plain };
    let nullable = fields.iter().find(|f| model.field(**f).is_some_and(|f| f.nullable));
    let plain = fields.iter().find(|f| model.field(**f).is_some_and(|f| f.reference.is_none()));
    nullable.or(plain).copied()
}

/// A value that no other row has.
fn placeholder(model: &Model, index: FieldIndex, record: RecordId) -> Sql {
    if model.rowid_key && model.key.iter().any(|part| part.field == Some(index)) {
        // Such a column takes integers only.
        let number = record.as_bytes().iter().fold(0_i64, |n, byte| n << 8 | i64::from(*byte));
        return Sql::BigInt(Some(number | i64::MIN));
    }
    if model.field(index).is_some_and(|field| field.nullable) {
        Sql::BigInt(None)
    } else {
        Sql::String(Some(format!("\u{1}sync {record}")))
    }
}
