//! Puts models in dependency order: parents before children wherever the references allow it.

use super::freeze::{Draft, Mistakes};

/// A reference between two drafts.
struct Edge {
    child: usize,
    parent: usize,
    nullable: bool,
}

/// Drafts in dependency order, by name where it leaves a choice. NOT NULL references must allow an order; where
/// only nullable ones form a cycle, they give way.
pub(super) fn sort(mut drafts: Vec<Draft>, mistakes: &mut Mistakes) -> Vec<Draft> {
    drafts.sort_by(|a, b| a.name.cmp(&b.name));
    let edges = edges(&drafts);
    let mut waiting: Vec<usize> = (0..drafts.len()).collect();
    let mut order = Vec::new();
    while !waiting.is_empty() {
        let free = |strict: bool| {
            waiting.iter().position(|draft| {
                !edges
                    .iter()
                    .any(|e| e.child == *draft && waiting.contains(&e.parent) && (strict || !e.nullable))
            })
        };
        let next = free(true).or_else(|| free(false));
        if next.is_none() {
            report_cycle(&drafts, &edges, &waiting, mistakes);
        }
        order.push(waiting.remove(next.unwrap_or(0)));
    }
    let mut slots: Vec<Option<Draft>> = drafts.into_iter().map(Some).collect();
    order.into_iter().filter_map(|at| slots.get_mut(at).and_then(Option::take)).collect()
}

fn edges(drafts: &[Draft]) -> Vec<Edge> {
    let mut edges = Vec::new();
    for (child, draft) in drafts.iter().enumerate() {
        for key in &draft.live.foreign_keys {
            let parent = drafts.iter().position(|d| d.meta.table.eq_ignore_ascii_case(&key.to_table));
            let Some(parent) = parent.filter(|parent| *parent != child) else { continue };
            if key.from.iter().all(|column| draft.is_field(column)) {
                let nullable =
                    key.from.iter().any(|c| draft.live.column(c).is_some_and(|c| !c.not_null && c.key == 0));
                edges.push(Edge { child, parent, nullable });
            }
        }
    }
    edges
}

/// Names the cycle that the waiting models are in or wait for.
fn report_cycle(drafts: &[Draft], edges: &[Edge], waiting: &[usize], mistakes: &mut Mistakes) {
    let parent_of = |child: usize| {
        edges
            .iter()
            .find(|e| e.child == child && !e.nullable && waiting.contains(&e.parent))
            .map(|e| e.parent)
    };
    let mut path: Vec<usize> = Vec::new();
    let mut at = waiting.first().copied();
    while let Some(draft) = at.filter(|draft| !path.contains(draft)) {
        path.push(draft);
        at = parent_of(draft);
    }
    let Some(start) = at.and_then(|first| path.iter().position(|draft| *draft == first)) else { return };
    let cycle: Vec<&Draft> = path.iter().skip(start).filter_map(|draft| drafts.get(*draft)).collect();
    let Some(first) = cycle.first() else { return };
    let names: Vec<_> = cycle.iter().chain([first]).map(|draft| format!("\"{}\"", draft.name)).collect();
    mistakes.add(
        first,
        format!(
            "the NOT NULL references {} form a cycle, so no row of it could come first; make one of them nullable",
            names.join(" -> ")
        ),
    );
}
