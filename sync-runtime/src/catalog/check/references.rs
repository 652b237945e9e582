//! Foreign keys: entity against table, and what they refer to.

use sea_orm::sea_query::ForeignKeyAction;

use super::super::{
    freeze::{Draft, Mistakes},
    live::LiveForeignKey,
    model::{FieldIndex, Model, ModelIndex, OnDelete, Reference},
};
use crate::registration::RelationMeta;

/// Sets the fields' references and the models' referrers.
pub(super) fn resolve(drafts: &[Draft], models: &mut [Model], mistakes: &mut Mistakes) {
    let mut found = Vec::new();
    for (at, draft) in drafts.iter().enumerate() {
        for key in &draft.live.foreign_keys {
            let Some((field, reference)) = resolve_key(drafts, draft, key, mistakes) else { continue };
            let place = models
                .get(at)
                .and_then(|model| model.fields.iter().position(|f| f.column.eq_ignore_ascii_case(&field)));
            found.extend(place.map(|place| (ModelIndex(at), FieldIndex(place), reference)));
        }
        check_relations(draft, mistakes);
    }
    for (child, place, reference) in found {
        let field = models.get_mut(child.0).and_then(|model| model.fields.get_mut(place.0));
        let Some(field) = field else { continue };
        if field.reference.replace(reference).is_some() {
            if let Some(draft) = drafts.get(child.0) {
                mistakes.add(draft, format!("column \"{}\" has two foreign keys; drop one", field.column));
            }
        } else if let Some(target) = models.get_mut(reference.target.0) {
            target.referrers.push((child, place));
        }
    }
}

fn resolve_key(
    drafts: &[Draft],
    draft: &Draft,
    key: &LiveForeignKey,
    mistakes: &mut Mistakes,
) -> Option<(String, Reference)> {
    let columns = key.from.join("\", \"");
    if key.from.iter().all(|column| draft.is_skipped(column)) {
        return None;
    }
    let ([from], [to]) = (key.from.as_slice(), key.to.as_slice()) else {
        let text = format!(
            "the foreign key over columns \"{columns}\" to table \"{}\" has several columns, which cannot sync; refer to a \
             key of one column",
            key.to_table
        );
        mistakes.add(draft, text);
        return None;
    };
    let target = drafts.iter().position(|d| d.meta.table.eq_ignore_ascii_case(&key.to_table));
    let Some((at, target)) = target.and_then(|at| Some((at, drafts.get(at)?))) else {
        let text = format!(
            "column \"{from}\" refers to table \"{}\", which does not sync; make that table's model Syncable, or mark the \
             field #[sync(skip)]",
            key.to_table
        );
        mistakes.add(draft, text);
        return None;
    };
    let by_id = referred_by_id(draft, from, to.as_deref(), target, mistakes)?;
    check_actions(draft, from, key, mistakes);
    declared(draft, from, key, target, mistakes);
    let on_delete = match key.on_delete.as_str() {
        "CASCADE" => OnDelete::Cascade,
        "SET NULL" => OnDelete::SetNull,
        _ => OnDelete::Restrict,
    };
    Some((from.clone(), Reference { target: ModelIndex(at), by_id, on_delete }))
}

/// Whether the column holds the target's record id; `None` when it holds neither that nor its key.
fn referred_by_id(
    draft: &Draft,
    from: &str,
    to: Option<&str>,
    target: &Draft,
    mistakes: &mut Mistakes,
) -> Option<bool> {
    let key = target.live.key();
    let only_key = match key.as_slice() {
        [one] => Some(one.name.as_str()),
        _ => None,
    };
    let to = to.or(only_key);
    if to.is_some_and(|to| target.is_id(to)) {
        return Some(true);
    }
    if to.zip(only_key).is_some_and(|(to, key)| to.eq_ignore_ascii_case(key)) {
        return Some(false);
    }
    let text = format!(
        "column \"{from}\" refers to {} of table \"{}\", which is neither its primary key nor its record id; refer to one \
         of these",
        to.map_or_else(|| "the key".to_owned(), |to| format!("column \"{to}\"")),
        target.meta.table
    );
    mistakes.add(draft, text);
    None
}

fn check_actions(draft: &Draft, from: &str, key: &LiveForeignKey, mistakes: &mut Mistakes) {
    let not_null = draft.live.column(from).is_some_and(|column| column.not_null || column.key > 0);
    if key.on_delete == "SET NULL" && not_null {
        let text = format!(
            "column \"{from}\" is NOT NULL and its foreign key says ON DELETE SET NULL; allow NULL, or use CASCADE or RESTRICT"
        );
        mistakes.add(draft, text);
    }
    if !["NO ACTION", "CASCADE"].contains(&key.on_update.as_str()) {
        let text = format!(
            "the foreign key of column \"{from}\" says ON UPDATE {}, which would change rows when a key moves; use CASCADE or \
             NO ACTION",
            key.on_update
        );
        mistakes.add(draft, text);
    }
}

fn is_over(relation: &RelationMeta, from: &str) -> bool {
    matches!(relation.from.as_slice(), [one] if one.eq_ignore_ascii_case(from))
}

/// The entity has a relation for the foreign key.
fn declared(draft: &Draft, from: &str, key: &LiveForeignKey, target: &Draft, mistakes: &mut Mistakes) {
    let relation = draft
        .meta
        .relations
        .iter()
        .find(|r| is_over(r, from) && r.to_table.eq_ignore_ascii_case(&key.to_table));
    let Some(relation) = relation else {
        let text = format!(
            "column \"{from}\" refers to table \"{}\" in the database but the entity has no such relation; add a belongs_to \
             relation, or drop the foreign key",
            key.to_table
        );
        mistakes.add(draft, text);
        return;
    };
    let action = match &relation.on_delete {
        None => return,
        Some(ForeignKeyAction::Cascade) => "CASCADE",
        Some(ForeignKeyAction::SetNull) => "SET NULL",
        Some(ForeignKeyAction::SetDefault) => "SET DEFAULT",
        Some(ForeignKeyAction::Restrict) => "RESTRICT",
        Some(_) => "NO ACTION",
    };
    if action != key.on_delete {
        let text = format!(
            "the relation of column \"{from}\" to \"{}\" says ON DELETE {action} and the database {}; change one of them",
            target.name, key.on_delete
        );
        mistakes.add(draft, text);
    }
}

/// The table has a foreign key for each relation of the entity.
fn check_relations(draft: &Draft, mistakes: &mut Mistakes) {
    for relation in &draft.meta.relations {
        if relation.from.iter().any(|column| draft.is_skipped(column)) {
            continue;
        }
        let exists = draft.live.foreign_keys.iter().any(|key| {
            key.to_table.eq_ignore_ascii_case(&relation.to_table)
                && key.from.len() == relation.from.len()
                && key.from.iter().zip(&relation.from).all(|(a, b)| a.eq_ignore_ascii_case(b))
        });
        if !exists {
            let columns = relation.from.join("\", \"");
            let text = format!(
                "column \"{columns}\" has a relation to table \"{}\" but the database has no such foreign key, so its \
                 local keys could not be translated; add the foreign key, or mark the field #[sync(skip)]",
                relation.to_table
            );
            mistakes.add(draft, text);
        }
    }
}
