//! The newest own statement of every known member, kept in memory and, now and then, in `_sync_member`.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use sea_orm::{ConnectionTrait, DatabaseTransaction, Value as Sql};
use sync_core::{
    authorship::{SignedStatement, Statement},
    ids::{DeviceId, SpaceId},
    vector::VersionVector,
};

use crate::{
    error::Result,
    store::db::{blob, execute, query, sqlite_row},
};

/// Members that are remembered; a space has far fewer.
const MAX_MEMBERS: usize = 10_000;
/// How often they are written at most.
const SAVE: Duration = Duration::from_secs(2);

/// All statements.
#[derive(Debug, Default)]
pub(crate) struct Statements {
    others: BTreeMap<DeviceId, (SignedStatement, Statement)>,
    own: Option<(Arc<VersionVector>, SignedStatement)>,
    unsaved: bool,
    saved: Duration,
}

impl Statements {
    /// Reads what was kept; what does not check is left out.
    pub(super) async fn load(
        db: &(impl ConnectionTrait + ?Sized),
        space: SpaceId,
        own: DeviceId,
    ) -> Result<Self> {
        let mut out = Self::default();
        for row in query(db, "SELECT statement FROM _sync_member", vec![]).await? {
            let bytes = blob(sqlite_row(&row)?, 0)?.unwrap_or_default();
            let Some(signed) = SignedStatement::from_bytes(bytes) else { continue };
            if let Ok(statement) = signed.verify(&space)
                && statement.member.device != own
            {
                out.others.insert(statement.member.device, (signed, statement));
            }
        }
        Ok(out)
    }

    /// Takes over what is newer.
    pub(super) fn take(&mut self, own: DeviceId, statements: Vec<(SignedStatement, Statement)>) {
        for (signed, statement) in statements {
            let device = statement.member.device;
            let known = self.others.get(&device).map(|(_, known)| known);
            let newer = known.is_none_or(|known| statement.is_newer_than(known));
            if device != own && newer && (known.is_some() || self.others.len() < MAX_MEMBERS) {
                self.others.insert(device, (signed, statement));
                self.unsaved = true;
            }
        }
    }

    /// All of them, the own one first; it is signed anew only when the vector moved on.
    pub(super) fn all(
        &mut self,
        vector: &Arc<VersionVector>,
        sign: impl FnOnce() -> SignedStatement,
    ) -> Vec<SignedStatement> {
        let own = match &self.own {
            Some((stated, signed)) if stated == vector => signed.clone(),
            _ => {
                let signed = sign();
                self.own = Some((Arc::clone(vector), signed.clone()));
                signed
            }
        };
        std::iter::once(own).chain(self.others.values().map(|(signed, _)| signed.clone())).collect()
    }

    /// What has to be kept, if anything is new and the last time is [`SAVE`] ago. A statement that is lost is told
    /// again.
    pub(super) fn unsaved(&mut self, now: Duration) -> Vec<(DeviceId, Vec<u8>)> {
        if !self.unsaved || now < self.saved.saturating_add(SAVE) {
            return Vec::new();
        }
        self.unsaved = false;
        self.saved = now;
        self.others.iter().map(|(device, (signed, _))| (*device, signed.to_bytes())).collect()
    }
}

/// Keeps statements.
pub(super) async fn save(tx: &DatabaseTransaction, statements: Vec<(DeviceId, Vec<u8>)>) -> Result<()> {
    for (device, bytes) in statements {
        let sql = "INSERT INTO _sync_member (device, statement) VALUES (?, ?)
            ON CONFLICT (device) DO UPDATE SET statement = excluded.statement";
        let values = vec![Sql::Bytes(Some(device.as_bytes().to_vec())), Sql::Bytes(Some(bytes))];
        execute(tx, sql, values).await?;
    }
    Ok(())
}
