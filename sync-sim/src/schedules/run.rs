//! The whole: all families under all clocks, up to three operations, four operations, and longer ones by sample.

use std::fmt;

use super::{
    clocks::Clocks,
    family::Family,
    sample,
    walk::{Bounds, Counts, Finding, Plant, Walk},
};
use crate::random::Random;

/// How much is walked.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Every history of up to so many operations, each naming of the devices, at most three.
    pub operations: usize,
    /// Of the histories with four operations every so many-th; 0 for none.
    pub one_in: u64,
    /// How many longer programs are drawn for each family and state of the clocks.
    pub samples: u64,
    /// Which share and which sample.
    pub seed: u64,
}

/// Schedules of four operations if all are walked, as counted once; [`Extent::at_most`] goes by it.
const OF_FOUR: u64 = 360_000_000;

impl Extent {
    /// Everything.
    pub const fn whole(seed: u64) -> Self {
        Self { operations: 3, one_in: 1, samples: 10_000, seed }
    }

    /// Everything of up to three operations, and of four about so many schedules.
    pub const fn at_most(schedules: u64, seed: u64) -> Self {
        let schedules = if schedules == 0 { 1 } else { schedules };
        Self { one_in: OF_FOUR.div_ceil(schedules), ..Self::whole(seed) }
    }
}

/// What was walked, by length of the programs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Report {
    /// Up to three operations.
    pub short: Counts,
    /// Four operations.
    pub four: Counts,
    /// Five to eight operations.
    pub long: Counts,
}

impl Report {
    /// All together.
    pub const fn total(&self) -> Counts {
        let mut total = self.short;
        total.add(self.four);
        total.add(self.long);
        total
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = [
            ("up to three operations, all", self.short),
            ("four operations", self.four),
            ("five to eight operations, sample", self.long),
            ("together", self.total()),
        ];
        writeln!(f, "{:<34}{:>14}{:>16}{:>16}", "programs of", "histories", "schedules", "deliveries")?;
        for (name, counts) in lines {
            let Counts { histories, schedules, deliveries } = counts;
            writeln!(f, "{name:<34}{histories:>14}{schedules:>16}{deliveries:>16}")?;
        }
        Ok(())
    }
}

/// Walks and checks; `progress` hears what has been counted after each family and state of the clocks.
pub fn run(
    extent: Extent,
    mut progress: impl FnMut(&Family, Clocks, &Report),
) -> Result<Report, Box<Finding>> {
    let mut report = Report::default();
    let families = Family::all();
    for family in &families {
        for clocks in Clocks::ALL {
            let short =
                Bounds { operations: extent.operations, check_from: 1, thorough: true, one_in: 1, offset: 0 };
            report.short.add(Walk::new(family, clocks, short).run()?);
            if extent.one_in > 0 {
                let four = Bounds {
                    operations: 4,
                    check_from: 4,
                    thorough: false,
                    one_in: extent.one_in,
                    offset: extent.seed,
                };
                report.four.add(Walk::new(family, clocks, four).run()?);
            }
            let mut random = Random::new(extent.seed);
            for _ in 0..extent.samples {
                report.long.add(sample::one(family, clocks, &mut random)?);
            }
            progress(family, clocks, &report);
        }
    }
    Ok(report)
}

/// Walks the programs of one and two operations with a fault in how changesets are delivered; returns what was found.
pub fn planted(plant: Plant) -> Option<Box<Finding>> {
    let bounds = Bounds { operations: 2, check_from: 1, thorough: true, one_in: 1, offset: 0 };
    Family::all().iter().find_map(|family| {
        let mut walk = Walk::new(family, Clocks::Right, bounds);
        walk.plant = Some(plant);
        walk.run().err()
    })
}
