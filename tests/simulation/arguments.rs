//! What is asked for.

use clap::Parser;

/// Plays programmes with faults, and counts what was lost.
#[derive(Debug, Clone, Parser)]
#[command(name = "cargo xtask simulate")]
pub(crate) struct Arguments {
    /// Days of work of a device: each at least eight edits and one attempt to sync.
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) device_days: u64,
    /// Everything random comes from it: the same seed and days give the same output.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Prints exactly one JSON object, and progress as JSON lines on standard error.
    #[arg(long)]
    pub(crate) json: bool,
    /// Programmes played at a time. Changes the time that it takes, and nothing else.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=64))]
    pub(crate) threads: u64,
    /// Appends the result to `tests/simulation/LEDGER.md`.
    #[arg(long)]
    pub(crate) record: bool,
}
