//! The view of what changed (docs/merge.md, section 4): judges the records in focus until nothing moves, then writes the
//! rows. Parents come before children and older records before younger ones, so that one round is the rule.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{DatabaseTransaction, Value as Sql};
use sync_core::{
    hlc::Stamp,
    ids::RecordId,
    merge::{Record, Resolution, resolution},
    value::Value,
};

use super::{
    check, claims,
    context::{Class, Focus, Place},
    load::{self, Standing},
    own_notes::OwnNotes,
    place,
    rows::{LocalValues, shown_values},
    verdict::{Reason, Verdict},
};
use crate::{
    capture::{fits, shown_value},
    catalog::{FieldIndex, Model, ModelIndex, OnDelete, OwnerStep, Ownership, quote},
    engine::local::Local,
    error::{Error, ErrorKind, Result},
    store::{
        batch::Batch,
        db::{blob, integer, marks, query, sqlite_row},
        key::Key,
        origins::Origins,
        versions::{ShadowStatus, id},
    },
};

/// A class that changes more often than this stays hidden: references and unique values contradict each other.
const MAX_FLIPS: u8 = 8;
/// Rounds after which settling gives up rather than go on for ever: far beyond the longest chain of references.
const MAX_ROUNDS: u32 = 100_000;
/// Records looked up in one query.
const CHUNK: usize = 400;

/// What the view shows differently.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settled {
    /// Records whose rows were written, by model.
    pub(crate) written: BTreeMap<ModelIndex, Vec<RecordId>>,
    /// Records that are hidden now, with the reason.
    pub(crate) hidden: Vec<(Place, Reason)>,
    /// Records that are shown again.
    pub(crate) shown: Vec<Place>,
    /// What was written into the application's tables.
    pub(crate) own: OwnNotes,
    /// What triggers of the application did besides, in words.
    pub(crate) surplus: Vec<String>,
}

/// Records whose local change may let others be shown.
#[derive(Debug, Default)]
pub(crate) struct Seeds {
    touched: Vec<Place>,
}

impl Seeds {
    /// A local transaction touched these.
    pub(crate) fn touched(&mut self, model: &Model, ids: &[RecordId]) {
        self.touched.extend(ids.iter().map(|r| (model.index, *r)));
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.touched.is_empty()
    }
}

/// After a local commit: whoever waited for one of the touched records, or for a unique value of their models, is
/// judged again.
pub(crate) async fn after_local(tx: &DatabaseTransaction, local: &Local, seeds: Seeds) -> Result<Settled> {
    let origins = Origins::load(tx).await?;
    let mut focus = Focus::default();
    let mut queue = BTreeSet::new();
    let mut by_model: BTreeMap<ModelIndex, Vec<RecordId>> = BTreeMap::new();
    for (model, record) in seeds.touched {
        by_model.entry(model).or_default().push(record);
    }
    for (model, ids) in by_model {
        let Some((model, _)) = local.model(model) else { continue };
        let wanted = ids.iter().map(|r| r.as_bytes().to_vec()).collect::<Vec<_>>();
        queue.extend(waiting_for(tx, local, model.number, &wanted).await?);
        if !model.uniques.is_empty() {
            queue.extend(waiting_for_values(tx, local, model).await?);
        }
    }
    if queue.is_empty() {
        return Ok(Settled::default());
    }
    focus.load(tx, local, &origins, queue.iter().copied()).await?;
    let mut settle = Settle { tx, local, origins: &origins, focus };
    settle.run(queue).await?;
    let mut settled = place::write(tx, local, &origins, settle.focus).await?;
    settled.surplus = settled.own.surplus(tx, local).await?;
    crate::store::db::execute(tx, "DELETE FROM _sync_pending", vec![]).await?;
    Ok(settled)
}

/// Records in the shadow that want one of these.
async fn waiting_for(
    tx: &DatabaseTransaction,
    local: &Local,
    number: i64,
    wanted: &[Vec<u8>],
) -> Result<Vec<Place>> {
    let mut out = Vec::new();
    for chunk in wanted.chunks(CHUNK) {
        let text =
            format!("SELECT DISTINCT hm, hr FROM _sync_wants WHERE m = ? AND w IN ({})", marks(chunk.len()));
        let values = std::iter::once(Sql::BigInt(Some(number)))
            .chain(chunk.iter().map(|w| Sql::Bytes(Some(w.clone()))))
            .collect();
        out.extend(places(local, &query(tx, &text, values).await?)?);
    }
    Ok(out)
}

/// Records of a model that are hidden because of a unique value.
async fn waiting_for_values(tx: &DatabaseTransaction, local: &Local, model: &Model) -> Result<Vec<Place>> {
    let text = "SELECT DISTINCT hm, hr FROM _sync_wants WHERE m = ? AND length(w) > 16";
    places(local, &query(tx, text, vec![Sql::BigInt(Some(model.number))]).await?)
}

fn places(local: &Local, rows: &[sea_orm::QueryResult]) -> Result<Vec<Place>> {
    let mut out = Vec::with_capacity(rows.len());
    for row in rows {
        let row = sqlite_row(row)?;
        let model = local.numbered(integer(row, 0)?).map(|(model, _)| model.index);
        if let (Some(model), Some(record)) = (model, blob(row, 1)?.and_then(RecordId::from_slice)) {
            out.push((model, record));
        }
    }
    Ok(out)
}

/// One settlement.
pub(super) struct Settle<'a> {
    pub(super) tx: &'a DatabaseTransaction,
    pub(super) local: &'a Local,
    pub(super) origins: &'a Origins,
    pub(super) focus: Focus,
}

impl Settle<'_> {
    /// Judges `queue` and whatever follows from it.
    pub(super) async fn run(&mut self, mut queue: BTreeSet<Place>) -> Result<()> {
        let mut rounds = 0_u32;
        while !queue.is_empty() {
            rounds += 1;
            if rounds > MAX_ROUNDS {
                let text =
                    "references and unique values do not settle; nothing was applied, please report it";
                return Err(Error::new(ErrorKind::Storage, "settle", text));
            }
            self.load_targets(&queue).await?;
            let mut order: Vec<(ModelIndex, (Stamp, RecordId))> = queue
                .iter()
                .filter_map(|p| self.focus.entries.get(p).map(|entry| (p.0, entry.order())))
                .collect();
            order.sort_unstable();
            let mut moved = Vec::new();
            let mut next = BTreeSet::new();
            for (model, (_, record)) in order {
                self.judge((model, record), &mut moved, &mut next).await?;
            }
            self.load_dependents(&moved, &mut next).await?;
            queue = next;
        }
        Ok(())
    }

    async fn load_targets(&mut self, queue: &BTreeSet<Place>) -> Result<()> {
        let mut targets = Vec::new();
        for place in queue {
            if let (Some(entry), Some((model, _))) =
                (self.focus.entries.get(place), self.local.model(place.0))
            {
                targets.extend(entry.references(model).into_iter().map(|(_, target)| target));
            }
        }
        self.focus.load(self.tx, self.local, self.origins, targets).await?;
        self.load_owners(queue).await
    }

    /// Loads what owner paths of more than one step lead through.
    async fn load_owners(&mut self, queue: &BTreeSet<Place>) -> Result<()> {
        for depth in 1.. {
            let mut targets = Vec::new();
            for place in queue {
                let Some((model, _)) = self.local.model(place.0) else { continue };
                let Ownership::Device { path, .. } = &model.regime else { continue };
                let owned = self.focus.entries.get(place).is_some_and(|e| e.loaded.owned);
                if owned && depth < path.len() {
                    targets.extend(self.owner_step(path, *place, depth));
                }
            }
            if targets.is_empty() {
                return Ok(());
            }
            self.focus.load(self.tx, self.local, self.origins, targets).await?;
        }
        Ok(())
    }

    /// Where the first `depth` + 1 steps of an owner path lead, as far as they are loaded.
    fn owner_step(&self, path: &[OwnerStep], place: Place, depth: usize) -> Option<Place> {
        path.iter().take(depth + 1).try_fold(place, |at, step| {
            let field = self.local.model(step.model)?.0.field(step.field?)?;
            match shown_value(field, &self.focus.entries.get(&at)?.loaded.record)? {
                Value::Reference(target) => Some((step.target?, target)),
                _ => None,
            }
        })
    }

    async fn judge(
        &mut self,
        place: Place,
        moved: &mut Vec<Place>,
        next: &mut BTreeSet<Place>,
    ) -> Result<()> {
        let Some((model, _)) = self.local.model(place.0) else { return Ok(()) };
        let model = model.clone();
        let mut verdict = self.by_references(&model, place);
        let mut claimed = Vec::new();
        if let Verdict::Shown(nulls) = &verdict {
            let Some(entry) = self.focus.entries.get(&place) else { return Ok(()) };
            let wire = shown_values(&model, &entry.loaded.record, nulls);
            let values = LocalValues::of(&self.focus, &model, &wire);
            let present = values.with_placeholders(&wire);
            if let Some(expression) = check::failing(self.tx, &model, &present, &wire).await? {
                verdict = Verdict::Hidden(Reason::Check { expression });
            } else {
                let claims = claims::of_record(self.tx, &model, &wire, &present).await?;
                for (unique, claim) in model.uniques.iter().zip(claims) {
                    let Some(claim) = claim else { continue };
                    let rivals = claims::rivals(self.tx, &model, unique, &values, &claim, place.1).await?;
                    self.load_rivals(&model, rivals).await?;
                    claimed.push((unique.name.clone(), claim.key));
                }
            }
        }
        let old_claims = self.focus.entries.get(&place).map(|e| e.claims.clone()).unwrap_or_default();
        self.focus.set_claims(place, claimed.iter().map(|(_, claim)| claim.clone()).collect());
        for (index, claim) in &claimed {
            if let Some(winner) = claims::winner(&self.focus, place, claim) {
                verdict = Verdict::Hidden(Reason::Unique { index: index.clone(), winner });
                break;
            }
        }
        let was_shown = self.focus.entries.get(&place).is_some_and(|e| e.class == Class::Shown);
        self.conclude(place, verdict, moved);
        let shown = self.focus.entries.get(&place).is_some_and(|e| e.class == Class::Shown);
        for (_, claim) in claimed.iter().filter(|_| shown) {
            next.extend(claims::losers(&self.focus, place, claim));
        }
        // What a hidden record claims keeps nobody out; two of them would wake each other for ever.
        let lost = |old: &&Vec<u8>| was_shown && (!shown || !claimed.iter().any(|(_, new)| new == *old));
        for claim in old_claims.iter().filter(lost) {
            next.extend(claims::holders(&self.focus, claim).into_iter().filter(|p| *p != place));
        }
        self.wake_for_values(&model, place, &claimed, shown, next).await
    }

    /// Records in the shadow that want a value which the row of `place` had and has no more, or has with less right.
    async fn wake_for_values(
        &mut self,
        model: &Model,
        place: Place,
        claimed: &[(String, Vec<u8>)],
        shown: bool,
        next: &mut BTreeSet<Place>,
    ) -> Result<()> {
        if model.uniques.is_empty() {
            return Ok(());
        }
        let Some(entry) = self.focus.entries.get(&place) else { return Ok(()) };
        let Some(row) = &entry.loaded.row else { return Ok(()) };
        // Inserted anew it is younger than before, and whoever it kept hidden may be older now.
        let lasting = shown && !entry.moved;
        let before = claims::of_row(self.tx, model, row).await?;
        let freed: BTreeSet<Vec<u8>> =
            before.into_iter().filter(|c| !lasting || !claimed.iter().any(|(_, new)| new == c)).collect();
        let Some(entry) = self.focus.entries.get_mut(&place) else { return Ok(()) };
        // Whoever was woken for a value is not woken for it again: two hidden records would wake each other for ever.
        let told = std::mem::replace(&mut entry.freed, freed.clone());
        let fresh: Vec<Vec<u8>> = freed.difference(&told).cloned().collect();
        if fresh.is_empty() {
            return Ok(());
        }
        let woken = waiting_for(self.tx, self.local, model.number, &fresh).await?;
        self.focus.load(self.tx, self.local, self.origins, woken.iter().copied()).await?;
        // One may be in focus already because somebody refers to it, and that is no judgement.
        let is_hidden = |place: &Place| self.focus.entries.get(place).is_none_or(|e| e.class != Class::Shown);
        next.extend(woken.into_iter().filter(is_hidden));
        Ok(())
    }

    async fn load_rivals(&mut self, model: &Model, rivals: Vec<RecordId>) -> Result<()> {
        let places: Vec<Place> = rivals.into_iter().map(|r| (model.index, r)).collect();
        self.focus.load(self.tx, self.local, self.origins, places.iter().copied()).await?;
        for place in places {
            let Some(entry) = self.focus.entries.get(&place) else { continue };
            // One that is in focus for another reason, as a parent say, claims what its row has until it is judged.
            let (None, true, Some(row)) = (&entry.verdict, entry.claims.is_empty(), &entry.loaded.row) else {
                continue;
            };
            let claims = claims::of_row(self.tx, model, row).await?;
            self.focus.set_claims(place, claims);
        }
        Ok(())
    }

    /// The verdict as far as the record and its references decide it.
    fn by_references(&self, model: &Model, place: Place) -> Verdict {
        let Some(entry) = self.focus.entries.get(&place) else { return Verdict::Waiting };
        let record = &entry.loaded.record;
        if record.insert().is_none() {
            return if record.delete_stamp().is_some() { Verdict::Dead } else { Verdict::Waiting };
        }
        if !record.is_alive(model.delete) {
            return Verdict::Dead;
        }
        let mut nulls = misfits(model, record);
        let mut hidden = None;
        for (index, target) in entry.references(model) {
            let Some(field) = model.field(index) else { continue };
            let stamp = record.version_of(field.name.as_str()).map_or(Stamp::ZERO, |v| v.stamp);
            match self.reach(place, stamp, target) {
                Reach::Shown => {}
                Reach::Dead if field.reference.is_some_and(|r| r.on_delete == OnDelete::Cascade) => {
                    return Verdict::Dead;
                }
                _ if field.nullable => nulls.push(index),
                reach => {
                    let dead = reach == Reach::Dead;
                    hidden.get_or_insert(Reason::Reference {
                        field: index,
                        target: target.0,
                        record: target.1,
                        dead,
                    });
                }
            }
        }
        if hidden.is_none() && entry.loaded.owned {
            hidden = self.foreign_owner(model, place).map(|owner| Reason::NotOwner { owner });
        }
        hidden.map_or(Verdict::Shown(nulls), Verdict::Hidden)
    }

    /// The device at the end of the owner path, where it is known and is not the author.
    fn foreign_owner(&self, model: &Model, place: Place) -> Option<RecordId> {
        let Ownership::Device { path, .. } = &model.regime else { return None };
        let author = self.focus.entries.get(&place)?.loaded.record.insert()?.origin.device;
        let mut at = place;
        for step in path {
            let Some(field) = step.field else { break };
            let field = self.local.model(step.model)?.0.field(field)?;
            match shown_value(field, &self.focus.entries.get(&at)?.loaded.record)? {
                Value::Reference(target) => at = (step.target?, target),
                Value::Blob(bytes) => at.1 = RecordId::from_slice(&bytes)?,
                Value::Text(text) => at.1 = text.parse().ok()?,
                _ => return None,
            }
        }
        (at.1.as_bytes() != author.as_bytes()).then_some(at.1)
    }

    fn reach(&self, from: Place, stamp: Stamp, target: Place) -> Reach {
        let Some((model, _)) = self.local.model(target.0) else { return Reach::Missing };
        let Some(entry) = self.focus.entries.get(&target) else { return Reach::Missing };
        match resolution(stamp, Some(&entry.loaded.record), model.delete) {
            Resolution::Dead => Reach::Dead,
            Resolution::Unknown => Reach::Missing,
            // A record that refers to itself is there when it is.
            Resolution::Resolves if from == target => Reach::Shown,
            Resolution::Resolves => match entry.class {
                Class::Shown => Reach::Shown,
                Class::Dead => Reach::Dead,
                Class::Hidden | Class::Unknown => Reach::Missing,
            },
        }
    }

    fn conclude(&mut self, place: Place, verdict: Verdict, moved: &mut Vec<Place>) {
        let Some(entry) = self.focus.entries.get_mut(&place) else { return };
        let class = match &verdict {
            Verdict::Shown(_) => Class::Shown,
            Verdict::Hidden(_) => Class::Hidden,
            Verdict::Dead => Class::Dead,
            Verdict::Waiting => Class::Unknown,
        };
        let first = entry.verdict.is_none();
        if class != entry.class {
            entry.flips = entry.flips.saturating_add(1);
            if entry.flips > MAX_FLIPS && class == Class::Shown {
                return;
            }
            entry.class = class;
            moved.push(place);
        } else if first && entry.moved {
            moved.push(place);
        }
        entry.verdict = Some(verdict);
    }

    /// Loads what refers to records that moved, in the tables and in the shadow.
    async fn load_dependents(&mut self, moved: &[Place], next: &mut BTreeSet<Place>) -> Result<()> {
        let mut by_model: BTreeMap<ModelIndex, Vec<Place>> = BTreeMap::new();
        for place in moved {
            next.extend(self.focus.children(*place));
            by_model.entry(place.0).or_default().push(*place);
        }
        for (model, places) in by_model {
            let Some((model, _)) = self.local.model(model) else { continue };
            let model = model.clone();
            let wanted: Vec<Vec<u8>> = places.iter().map(|p| p.1.as_bytes().to_vec()).collect();
            let woken = waiting_for(self.tx, self.local, model.number, &wanted).await?;
            self.focus.load(self.tx, self.local, self.origins, woken.iter().copied()).await?;
            next.extend(woken);
            for (child, field) in &model.referrers {
                self.load_children(*child, *field, &places, next).await?;
            }
        }
        Ok(())
    }

    async fn load_children(
        &mut self,
        child: ModelIndex,
        field: FieldIndex,
        parents: &[Place],
        next: &mut BTreeSet<Place>,
    ) -> Result<()> {
        let Some((model, _)) = self.local.model(child) else { return Ok(()) };
        let Some(field) = model.field(field) else { return Ok(()) };
        let by_id = field.reference.is_some_and(|r| r.by_id);
        let mut keys: Vec<Sql> = Vec::new();
        for parent in parents {
            let Some(entry) = self.focus.entries.get(parent) else { continue };
            if by_id {
                keys.push(id(parent.1));
            } else if let (Some(row), true) = (&entry.loaded.row, entry.loaded.standing != Standing::Absent) {
                keys.extend(row.key.to_sql().into_iter().take(1));
            }
        }
        for chunk in keys.chunks(CHUNK) {
            let condition = format!("a.{} IN ({})", quote(&field.column), marks(chunk.len()));
            let loaded =
                load::by_condition(self.tx, self.local, self.origins, child, &condition, chunk.to_vec())
                    .await?;
            for record in loaded {
                next.insert((record.model, record.id));
                self.focus.add(self.local, record);
            }
        }
        Ok(())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    Shown,
    Dead,
    Missing,
}

/// What a record in the shadow waits for, as `_sync_wants` keys: by number of the model that it is about.
pub(super) fn wants(local: &Local, focus: &Focus, place: Place, verdict: &Verdict) -> Vec<(i64, Vec<u8>)> {
    let (Some((model, _)), Some(entry)) = (local.model(place.0), focus.entries.get(&place)) else {
        return Vec::new();
    };
    let waits = verdict.shadow_status().is_some_and(|status| status != ShadowStatus::Waiting);
    if !waits || !entry.loaded.record.is_alive(model.delete) {
        return Vec::new();
    }
    let mut out = Vec::new();
    for (_, target) in entry.references(model) {
        if let Some((target_model, _)) = local.model(target.0) {
            out.push((target_model.number, target.1.as_bytes().to_vec()));
        }
    }
    out.extend(entry.claims.iter().map(|claim| (model.number, claim.clone())));
    out
}

/// Whether a row shows these values already.
pub(super) fn is_row(shown: Option<&super::load::Row>, values: &[Value]) -> bool {
    shown.is_some_and(|row| row.values == values)
}

/// The key that a row has or gets.
pub(super) fn key_of(focus: &Focus, place: Place) -> Option<Key> {
    focus.entries.get(&place).and_then(|e| e.loaded.row.as_ref()).map(|row| row.key.clone())
}

/// Gives records the merged state that they should have, judges them and `others` anew, and writes what follows. What
/// is noted of that is nobody's change.
pub(crate) async fn settle_anew(
    tx: &DatabaseTransaction,
    local: &Local,
    states: Vec<(Place, Record)>,
    others: BTreeSet<Place>,
) -> Result<Settled> {
    let origins = Origins::load(tx).await?;
    let mut focus = Focus::default();
    let mut queue = others;
    queue.extend(states.iter().map(|(place, _)| *place));
    if queue.is_empty() {
        return Ok(Settled::default());
    }
    crate::store::db::execute(tx, "PRAGMA defer_foreign_keys = ON", vec![]).await?;
    focus.load(tx, local, &origins, queue.iter().copied()).await?;
    for (place, state) in states {
        let Some(entry) = focus.entries.get_mut(&place) else { continue };
        entry.loaded.record = state;
        entry.changed = true;
        entry.moved = true;
        focus.index(local, place);
    }
    let mut settle = Settle { tx, local, origins: &origins, focus };
    settle.run(queue).await?;
    let settled = place::write(tx, local, &origins, settle.focus).await?;
    let mut batch = Batch::default();
    batch.push("DELETE FROM _sync_pending", []);
    for model in local.catalog.models.iter().filter(|model| model.may_be_shared()) {
        batch.push(&format!("DELETE FROM {}", model.images_table()), []);
    }
    batch.flush(tx).await?;
    Ok(settled)
}

/// Why these records have no row, judged anew without writing anything; `None` where nothing stands against them.
pub(crate) async fn reasons(
    tx: &DatabaseTransaction,
    local: &Local,
    hidden: BTreeSet<Place>,
) -> Result<Vec<(Place, Option<Reason>)>> {
    let origins = Origins::load(tx).await?;
    let mut focus = Focus::default();
    focus.load(tx, local, &origins, hidden.iter().copied()).await?;
    let mut settle = Settle { tx, local, origins: &origins, focus };
    settle.run(hidden.clone()).await?;
    let reason = |place: &Place| match settle.focus.entries.get(place)?.verdict.as_ref()? {
        Verdict::Hidden(reason) => Some(reason.clone()),
        _ => None,
    };
    Ok(hidden.into_iter().map(|place| (place, reason(&place))).collect())
}

/// Fields whose values are no references though references belong there; they read NULL.
fn misfits(model: &Model, record: &Record) -> Vec<FieldIndex> {
    let fields = model.fields.iter().enumerate().filter(|(_, field)| field.reference.is_some());
    fields
        .filter(|(_, field)| {
            let value = record.value_as(field.name.as_str(), field.merge);
            value.is_some_and(|value| !fits(field, value.as_ref()))
        })
        .map(|(n, _)| FieldIndex(n))
        .collect()
}
