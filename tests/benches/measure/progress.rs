//! What a long run is about, said on standard error while it works.

use std::fmt::Arguments;
use std::sync::OnceLock;
use std::time::Instant;

static BEGUN: OnceLock<Instant> = OnceLock::new();

/// From here on it is said. Before, and in tests, nothing is.
pub(crate) fn begin() {
    BEGUN.get_or_init(Instant::now);
}

/// Says what is done now, and how long the run has lasted.
pub(crate) fn says(what: Arguments<'_>) {
    if let Some(begun) = BEGUN.get() {
        eprintln!("{:>6.1} s  {what}", begun.elapsed().as_secs_f64());
    }
}
