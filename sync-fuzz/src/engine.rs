//! The fuzzer: mutates inputs of a pool, keeps those of a new class, reports those at which a target panics.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    panic::{self, AssertUnwindSafe},
    sync::Once,
    time::{Duration, Instant},
};

use sync_core::ids::Hash;

use crate::{
    allocation::measured,
    mutate::{MAX_INPUT, mutate},
    outcome::{Outcome, magnitude},
    random::Random,
    targets::Target,
};

/// Most inputs of a pool.
const POOL: usize = 2048;
/// Inputs found last, which are tried more often.
const RECENT: usize = 16;

thread_local! {
    static CATCHING: Cell<bool> = const { Cell::new(false) };
    static CAUGHT: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps what a caught panic says instead of printing it; other panics are printed as ever.
fn install_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if CATCHING.get() {
                let text = info.to_string();
                CAUGHT.with_borrow_mut(|caught| *caught = text);
            } else {
                usual(info);
            }
        }));
    });
}

/// A class of inputs: the outcome, and how often the allocator was asked.
pub type Class = (Outcome, u32);

/// Runs a target on an input.
///
/// # Errors
/// What the target's panic said.
pub fn execute(target: &Target, input: &[u8]) -> Result<Class, String> {
    install_hook();
    CATCHING.set(true);
    let caught = panic::catch_unwind(AssertUnwindSafe(|| measured(|| (target.run)(input))));
    CATCHING.set(false);
    match caught {
        Ok((outcome, usage)) => Ok((outcome, magnitude(usage.calls))),
        Err(_) => Err(CAUGHT.take()),
    }
}

/// An input at which a target panics.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Made as small as was tried.
    pub input: Vec<u8>,
    /// What the panic said.
    pub message: String,
    /// After how many executions.
    pub execution: u64,
}

/// How far a campaign goes.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Most executions.
    pub executions: u64,
    /// Most time.
    pub time: Option<Duration>,
    /// Different findings after which a target is given up.
    pub findings: usize,
    /// What the random numbers begin with.
    pub seed: u64,
}

/// What a campaign on one target did.
#[derive(Debug)]
pub struct Report {
    /// The target's name.
    pub target: &'static str,
    /// How often it ran.
    pub executions: u64,
    /// How long that took.
    pub time: Duration,
    /// The longest single execution.
    pub slowest: Duration,
    /// The first input of each class, and how often the class was seen.
    pub classes: BTreeMap<Class, (Vec<u8>, u64)>,
    /// Classes that no input of the beginning had.
    pub new_classes: usize,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

impl Report {
    fn note(&mut self, class: Class, input: &[u8]) -> bool {
        let mut new = false;
        let seen = self.classes.entry(class).or_insert_with(|| {
            new = true;
            (input.to_vec(), 0)
        });
        seen.1 += 1;
        new
    }

    fn find(&mut self, target: &Target, input: &[u8], message: &str) {
        let known = |finding: &Finding| finding.message.lines().next() == message.lines().next();
        if self.findings.iter().any(known) {
            return;
        }
        let input = shrink(target, input, message);
        self.findings.push(Finding { input, message: message.to_owned(), execution: self.executions });
    }
}

/// Fuzzes one target, beginning with its samples and `corpus`.
pub fn campaign(target: &Target, corpus: &[Vec<u8>], extent: Extent) -> Report {
    let began = Instant::now();
    let mut report = Report {
        target: target.name,
        executions: 0,
        time: Duration::ZERO,
        slowest: Duration::ZERO,
        classes: BTreeMap::new(),
        new_classes: 0,
        findings: Vec::new(),
    };
    let mut random = Random::new(extent.seed ^ name_seed(target.name));
    let mut pool: Vec<Vec<u8>> = (target.samples)();
    pool.extend(corpus.iter().filter(|input| input.len() <= MAX_INPUT).cloned());
    pool.push(Vec::new());
    for input in pool.clone() {
        run(target, &input, &mut report);
    }
    let mut last = Instant::now();
    while report.executions < extent.executions && report.findings.len() < extent.findings {
        let mut input = pick(&mut random, &pool).to_vec();
        let other = random.below(pool.len());
        let other = pool.get(other).map(Vec::as_slice).unwrap_or_default();
        mutate(&mut random, &mut input, other);
        if run(target, &input, &mut report) {
            report.new_classes += 1;
            if pool.len() < POOL {
                pool.push(input);
            } else {
                let at = random.below(pool.len());
                if let Some(place) = pool.get_mut(at) {
                    *place = input;
                }
            }
        }
        let now = Instant::now();
        report.slowest = report.slowest.max(now.duration_since(last));
        last = now;
        if extent.time.is_some_and(|most| now.duration_since(began) >= most) {
            break;
        }
    }
    report.time = began.elapsed();
    report
}

fn name_seed(name: &str) -> u64 {
    Hash::of(name.as_bytes()).0.first_chunk::<8>().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

fn pick<'a>(random: &mut Random, pool: &'a [Vec<u8>]) -> &'a [u8] {
    let recent = pool.len().min(RECENT);
    let at =
        if random.one_in(2) { pool.len() - recent + random.below(recent) } else { random.below(pool.len()) };
    pool.get(at).map(Vec::as_slice).unwrap_or_default()
}

/// Runs an input; returns whether its class is new.
fn run(target: &Target, input: &[u8], report: &mut Report) -> bool {
    report.executions += 1;
    match execute(target, input) {
        Ok(class) => report.note(class, input),
        Err(message) => {
            report.find(target, input, &message);
            false
        }
    }
}

/// The smallest input that is found by leaving pieces out, at which the target panics in the same place.
pub fn shrink(target: &Target, input: &[u8], message: &str) -> Vec<u8> {
    let place = message.lines().next().unwrap_or_default();
    let fails = |candidate: &[u8]| {
        execute(target, candidate).is_err_and(|said| said.lines().next().unwrap_or_default() == place)
    };
    let mut best = input.to_vec();
    let mut piece = best.len().div_ceil(2);
    while piece > 0 {
        let mut at = 0;
        while at < best.len() {
            let mut candidate = best.clone();
            candidate.drain(at..(at + piece).min(best.len()));
            if fails(&candidate) {
                best = candidate;
            } else {
                at += piece;
            }
        }
        piece /= 2;
    }
    best
}
