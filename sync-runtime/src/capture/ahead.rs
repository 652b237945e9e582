//! Reading inserted rows while the application prepares its next statement: what the drain would do at the commit of
//! a large transaction is done by then, but for the last rows.
//!
//! Rows that were read stay as they were read as long as their model has no notes but those of inserts; the drain
//! looks at that and else starts afresh.

use std::collections::{BTreeSet, HashMap, HashSet};

use sea_orm::{DatabaseTransaction, Value as Sql};
use sync_core::ids::Seq;

use super::{gather::Gathered, inserts, notes::NoteKind};
use crate::{
    catalog::{Derivation, Model},
    engine::local::Local,
    error::Result,
    store::{
        db::{execute, integer, query, query_one, signed, sqlite_row},
        model_sql::ModelSql,
        origins::OriginNumber,
        versions::is_hybrid,
    },
};

/// What was read of a transaction that goes on.
#[derive(Debug, Default)]
pub(crate) struct Ahead {
    /// The last note that was looked at.
    pub(super) at: i64,
    /// Models and kinds of the notes up to there.
    pub(super) kinds: BTreeSet<(i64, i64)>,
    /// The dot that versions were given.
    dot: Option<(OriginNumber, Seq)>,
    models: HashMap<i64, Gathered>,
    /// Models that are left to the drain.
    left: HashSet<i64>,
}

impl Ahead {
    /// Reads what was inserted since the last time, and gives it its versions.
    pub(crate) async fn go_on(&mut self, tx: &DatabaseTransaction, local: &Local) -> Result<()> {
        let text = "SELECT (SELECT min(n) FROM _sync_pending), (SELECT max(n) FROM _sync_pending), o.head
            FROM _sync_state s JOIN _sync_origin o ON o.o = s.own";
        let Some(row) = query_one(tx, text, vec![]).await? else { return Ok(()) };
        let row = sqlite_row(&row)?;
        let (Ok(first), Ok(last)) = (integer(row, 0), integer(row, 1)) else { return Ok(()) };
        let seq = Seq(integer(row, 2)?.cast_unsigned()).next();
        if *self.dot.get_or_insert((local.own, seq)) != (local.own, seq) {
            return Ok(());
        }
        let first = first.max(self.at.saturating_add(1));
        let text = "SELECT DISTINCT m, t FROM _sync_pending WHERE n >= ?";
        let mut inserted = Vec::new();
        for row in query(tx, text, vec![Sql::BigInt(Some(first))]).await? {
            let row = sqlite_row(&row)?;
            let (number, kind) = (integer(row, 0)?, integer(row, 1)?);
            self.kinds.insert((number, kind));
            let insert = NoteKind::from_number(kind) == Some(NoteKind::Insert);
            let eligible = local.numbered(number).is_some_and(|(model, sql)| is_eligible(model, sql));
            if insert && eligible {
                inserted.push(number);
            } else {
                self.left.insert(number);
            }
        }
        for number in inserted {
            if let (Some((model, sql)), false) = (local.numbered(number), self.left.contains(&number)) {
                let gathered = self.models.entry(number).or_insert_with(|| Gathered::new(model));
                let mut done = gathered.go_on(tx, local, (model, sql), (first, last)).await;
                if done.is_ok() {
                    done =
                        inserts::place_versions(tx, local, (model, sql), seq, (first, last)).await.map(drop);
                }
                if let Err(error) = done {
                    tracing::debug!(%error, model = %model.name, "left to the commit");
                    self.left.insert(number);
                }
            }
        }
        self.at = last;
        Ok(())
    }

    /// What was read of a model, and up to which note. `None` when nothing was, or when it no longer holds; then
    /// its versions are gone again.
    pub(super) async fn take(
        &mut self,
        tx: &DatabaseTransaction,
        local: &Local,
        model: &Model,
        seq: Seq,
        holds: bool,
    ) -> Result<Option<(Gathered, i64)>> {
        let Some(gathered) = self.models.remove(&model.number) else { return Ok(None) };
        let Some(dot) = self.dot else { return Ok(None) };
        // The device may have begun a new incarnation since.
        if holds && dot == (local.own, seq) && !self.left.contains(&model.number) {
            return Ok(Some((gathered, self.at)));
        }
        let text = format!("DELETE FROM {} WHERE o = ? AND s = ?", model.versions_table());
        let values = vec![Sql::BigInt(Some(dot.0.0)), Sql::BigInt(Some(signed(dot.1.0)))];
        execute(tx, &text, values).await?;
        Ok(None)
    }
}

/// Whether a row can be read before its transaction ends: nothing but a write to itself may change what it says.
fn is_eligible(model: &Model, sql: &ModelSql) -> bool {
    sql.joins.is_empty() && model.identity == Derivation::Given && !model.id.nullable && !is_hybrid(model)
}
