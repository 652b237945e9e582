//! A seeded sample of longer programs: five to eight operations, some orders each.

use std::collections::HashMap;

use super::{
    authoring::{Authored, Operation},
    clocks::Clocks,
    family::{DEVICES, Family},
    table::{Changeset, Table},
    walk::{Bounds, Counts, Finding, Made, Walk},
};
use crate::{
    random::Random,
    reference::{self, View},
};

const SHORTEST: u64 = 5;
const LONGEST: u64 = 8;
const ORDERS: usize = 8;
const BOUNDS: Bounds = Bounds { operations: 0, check_from: 0, thorough: true, one_in: 1, offset: 0 };

/// Draws one program, executes it in some orders, and checks it.
pub(super) fn one(family: &Family, clocks: Clocks, random: &mut Random) -> Result<Counts, Box<Finding>> {
    let mut walk = Walk::new(family, clocks, BOUNDS);
    let operations = SHORTEST + random.below(LONGEST - SHORTEST + 1);
    for _ in 0..operations {
        draw(&mut walk, random);
    }
    let mut states: HashMap<usize, Table> = HashMap::new();
    let mut counts = Counts { histories: 1, ..Counts::default() };
    let full = (1_usize << walk.made.len()) - 1;
    for _ in 0..ORDERS {
        order(&walk, full, &mut states, random, &mut counts)?;
    }
    if let Some(table) = states.get(&full) {
        walk.compare_table(full, table)?;
    }
    Ok(counts)
}

/// One operation of some device that has received some of what there is.
fn draw(walk: &mut Walk<'_>, random: &mut Random) {
    let device = pick(random, DEVICES);
    let own = walk.mask_of(|made| made.changeset.device == device || made.operation.is_none());
    let lacks = walk.mask_of(|_| random.below(3) == 0);
    let seen = own | walk.mask_of(|_| true) & !lacks;
    let mut table = Table::default();
    for (_, made) in walk.made.iter().enumerate().filter(|(at, _)| seen & (1 << at) != 0) {
        table.deliver(&made.changeset);
    }
    let view: View = reference::view(&walk.family.schema, &table.observed(walk.family));
    let Some(operation) = Operation::ALL.get(pick(random, Operation::ALL.len())).copied() else { return };
    let author = walk.author(device, seen, &table, &view);
    let hlc = author.hlc;
    let Some((changes, expected)): Option<Authored> = author.operate(operation) else { return };
    let changeset = Changeset { device, hlc, changes };
    walk.made.push(Made { changeset, operation: Some(operation), seen, expected });
}

/// Delivers everything in a drawn order, some of it more than once.
fn order(
    walk: &Walk<'_>,
    full: usize,
    states: &mut HashMap<usize, Table>,
    random: &mut Random,
    counts: &mut Counts,
) -> Result<(), Box<Finding>> {
    let mut waiting: Vec<usize> = (0..walk.made.len()).collect();
    let (mut table, mut held) = (Table::default(), 0_usize);
    while !waiting.is_empty() {
        let at = waiting.swap_remove(pick(random, waiting.len()));
        walk.deliver(&mut table, at, held);
        held |= 1 << at;
        counts.deliveries += 1;
        if random.below(3) == 0 {
            let again = pick(random, walk.made.len());
            if held & (1 << again) != 0 {
                walk.deliver(&mut table, again, held);
                counts.deliveries += 1;
            }
        }
        let known = states.entry(held).or_insert_with(|| table.clone());
        if !known.is_same(&table) {
            return Err(walk.finding(format!("the state of {held:b} depends on the order")));
        }
    }
    debug_assert_eq!(held, full);
    counts.schedules += 1;
    Ok(())
}

fn pick(random: &mut Random, count: usize) -> usize {
    let bound = u64::try_from(count).unwrap_or(1).max(1);
    usize::try_from(random.below(bound)).unwrap_or_default()
}
