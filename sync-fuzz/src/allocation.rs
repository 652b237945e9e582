//! Counts what a thread allocates, and the bound that every parser keeps.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

/// The system's allocator, counted.
pub struct Counting;

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
    static TOTAL: Cell<usize> = const { Cell::new(0) };
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

fn grown(bytes: usize) {
    let live = LIVE.get().saturating_add_unsigned(bytes);
    LIVE.set(live);
    PEAK.set(PEAK.get().max(live));
    TOTAL.set(TOTAL.get().saturating_add(bytes));
    CALLS.set(CALLS.get().saturating_add(1));
}

fn shrunk(bytes: usize) {
    LIVE.set(LIVE.get().saturating_sub_unsigned(bytes));
}

#[expect(
    unsafe_code,
    reason = "an allocator is unsafe by contract; every call goes to the system's unchanged"
)]
// SAFETY: nothing but counting is added to the system's allocator, and counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grown(layout.size());
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grown(layout.size());
        // SAFETY: as the caller promised.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        shrunk(layout.size());
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if size >= layout.size() {
            grown(size - layout.size());
        } else {
            shrunk(layout.size() - size);
        }
        // SAFETY: as the caller promised.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// What a piece of work took from the allocator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Usage {
    /// Most bytes that it held at one time.
    pub peak: usize,
    /// All bytes that it asked for, given back or not.
    pub total: usize,
    /// How often it asked.
    pub calls: usize,
}

/// Bytes that a parser may hold whatever its input is.
pub const ALLOWANCE: usize = 1 << 20;
/// How many times its input a parser may hold.
pub const FACTOR: usize = 4;
/// How many times its input a parser may ask for in all: a measure of work that no loaded machine changes.
const WORK: usize = 64;

/// Runs `work` and tells what it allocated on this thread.
pub fn measured<T>(work: impl FnOnce() -> T) -> (T, Usage) {
    LIVE.set(0);
    PEAK.set(0);
    let (total, calls) = (TOTAL.get(), CALLS.get());
    let value = work();
    let usage = Usage {
        peak: PEAK.get().max(0).unsigned_abs(),
        total: TOTAL.get().saturating_sub(total),
        calls: CALLS.get().saturating_sub(calls),
    };
    (value, usage)
}

impl Usage {
    /// Whether a parser of `bytes` (input or decompressed, whichever is more) may take this much.
    pub fn fits(self, bytes: usize) -> bool {
        self.peak <= bytes.saturating_mul(FACTOR).saturating_add(ALLOWANCE)
            && self.total <= bytes.saturating_mul(WORK).saturating_add(8 * ALLOWANCE)
            && self.calls <= bytes.saturating_mul(4).saturating_add(4096)
    }
}

/// Runs a parser of `bytes` bytes and panics when it takes more than it may.
pub fn bounded<T>(what: &str, bytes: usize, parser: impl FnOnce() -> T) -> T {
    let (value, usage) = measured(parser);
    assert!(usage.fits(bytes), "{what}: {usage:?} for {bytes} bytes");
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peak_total_and_calls_are_counted() {
        let (kept, usage) = measured(|| {
            drop(std::hint::black_box(vec![0_u8; 1000]));
            drop(std::hint::black_box(vec![0_u8; 500]));
            std::hint::black_box(vec![0_u8; 300])
        });
        assert_eq!(kept.len(), 300);
        assert_eq!(usage, Usage { peak: 1000, total: 1800, calls: 3 });
    }

    #[test]
    fn what_was_freed_before_does_not_hide_what_is_held() {
        let before = vec![0_u8; 4096];
        let (_kept, usage) = measured(|| {
            let held = std::hint::black_box(vec![0_u8; 100]);
            drop(before);
            held
        });
        assert_eq!(usage.peak, 100);
    }

    #[test]
    fn more_than_the_bound_is_refused() {
        let usage = |peak| Usage { peak, total: peak, calls: 1 };
        assert!(usage(ALLOWANCE + 40).fits(10));
        assert!(!usage(ALLOWANCE + 41).fits(10));
    }
}
