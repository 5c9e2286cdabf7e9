//! What a piece of work costs: CPU time of its thread, memory that Rust asked for, and memory of the whole process, in
//! which SQLite and zstd are counted too.
#![allow(unsafe_code, reason = "an allocator that counts is unsafe by its interface; it hands everything on unchanged")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
/// One measurement at a time: the counters are the process's.
static MEASURING: Mutex<()> = Mutex::new(());

fn grown(bytes: usize) {
    let held = HELD.fetch_add(bytes, Ordering::Relaxed) + bytes;
    PEAK.fetch_max(held, Ordering::Relaxed);
}

// SAFETY: every call goes to the system's allocator with the same arguments.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grown(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grown(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Both may be there at once while the bytes are moved.
        grown(size);
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.realloc(place, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// A hostile input.
pub(crate) struct Hostile {
    pub(crate) name: String,
    /// How long the input is.
    pub(crate) bytes: usize,
    /// Reads it.
    pub(crate) run: Box<dyn FnOnce()>,
}

impl Hostile {
    pub(crate) fn new(name: impl Into<String>, input: Vec<u8>, read: impl FnOnce(&[u8]) + 'static) -> Self {
        Self { name: name.into(), bytes: input.len(), run: Box::new(move || read(&input)) }
    }
}

/// What it cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) cpu: Duration,
    pub(crate) heap_bytes: usize,
    /// How much the process grew at most; 0 where the system does not say.
    pub(crate) resident_bytes: usize,
}

/// CPU time of this thread (proc(5): schedstat, in nanoseconds).
fn cpu() -> Duration {
    let told = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(told.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(0))
}

/// A line of the process's status, in bytes.
fn status_bytes(line: &str) -> usize {
    let told = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let found = told.lines().find_map(|told| told.strip_prefix(line));
    found.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).map_or(0, |kib: usize| kib * 1024)
}

pub(crate) fn measured(work: Box<dyn FnOnce()>) -> Cost {
    let _alone = MEASURING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    // The peak of the process begins anew (proc(5): clear_refs).
    let _ = fs::write("/proc/self/clear_refs", "5");
    let (resident, held) = (status_bytes("VmRSS:"), HELD.load(Ordering::Relaxed));
    PEAK.store(held, Ordering::Relaxed);
    let began = cpu();
    work();
    let spent = cpu().saturating_sub(began);
    Cost {
        cpu: spent,
        heap_bytes: PEAK.load(Ordering::Relaxed).saturating_sub(held),
        resident_bytes: status_bytes("VmHWM:").saturating_sub(resident),
    }
}
