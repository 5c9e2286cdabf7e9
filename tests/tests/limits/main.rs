//! Hostile inputs cost little: at most 250 ms of CPU and 64 MiB of memory each, whatever they claim, for every decoder and
//! for admission. Prints what each costs.
//!
//! The ordinary run is not optimised and allows for it; `cargo xtask limits` measures the build that ships, and with
//! `--write` keeps the worst of each family in `RESULTS.md` beside this file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod changes;
mod lists;
mod messages;
mod meter;
mod pushes;
mod results;
mod sketches;
mod texts;

use meter::{Cost, Hostile, measured};

/// Most memory that an input may take, in bytes.
const MEMORY_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Most CPU time that an input may take, in milliseconds, as a phone's build runs.
const CPU_MS_MAX: u128 = 250;
/// How much slower this code runs where it was not optimised (measured on these inputs: 6 to 12 times).
const UNOPTIMISED_FACTOR: u128 = if cfg!(debug_assertions) { 12 } else { 1 };

// One test, so that nothing else of the process is measured.
#[test]
fn no_hostile_input_costs_more_than_the_limits() {
    let (mut over, mut costs) = (Vec::new(), Vec::new());
    println!("{:<52} {:>9} {:>9} {:>9} {:>9}", "input", "bytes", "CPU ms", "heap KiB", "RSS KiB");
    for make in [messages::inputs, changes::inputs, lists::inputs, texts::inputs, pushes::inputs, sketches::inputs] {
        for Hostile { name, bytes, run } in make() {
            let cost = measured(run);
            let Cost { cpu, heap_bytes, resident_bytes } = cost;
            println!(
                "{name:<52} {bytes:>9} {:>9.1} {:>9} {:>9}",
                cpu.as_secs_f64() * 1_000.0,
                heap_bytes / 1024,
                resident_bytes / 1024
            );
            if heap_bytes.max(resident_bytes) > MEMORY_BYTES_MAX || cpu.as_millis() > CPU_MS_MAX * UNOPTIMISED_FACTOR {
                over.push(format!("{name}: {cost:?}"));
            }
            costs.push((name, cost));
        }
    }
    if std::env::var_os(results::KEEP).is_some() {
        results::keep(&costs);
    }
    assert!(over.is_empty(), "over the limits:\n{}", over.join("\n"));
}

#[test]
fn the_meter_sees_what_is_spent() {
    let spent = measured(Box::new(|| {
        let bytes = vec![1_u8; 80 * 1024 * 1024];
        assert_eq!(bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>(), bytes.len() as u64);
    }));
    assert!(spent.heap_bytes > MEMORY_BYTES_MAX && spent.cpu.as_micros() > 100, "{spent:?}");
}
