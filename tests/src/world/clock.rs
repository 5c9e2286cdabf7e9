//! The world's time, and each device's own idea of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use foras::phone::Clock;

/// One minute, in milliseconds.
pub const MINUTE_MS: i64 = 60_000;
/// One day, in milliseconds.
pub const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// Ten years, in milliseconds.
pub const TEN_YEARS_MS: i64 = 3_652 * DAY_MS;

/// What time it really is in the world. Only the world moves it.
#[derive(Debug, Clone)]
pub struct TrueTime(Arc<AtomicI64>);

impl TrueTime {
    /// A time that starts at `start_ms`, in milliseconds since 1970.
    #[must_use]
    pub fn new(start_ms: i64) -> Self {
        Self(Arc::new(AtomicI64::new(start_ms)))
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Time passes.
    pub fn advance(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::Relaxed);
    }
}

/// A device's clock: true time and an error, in milliseconds.
#[derive(Debug, Clone)]
pub struct WrongClock {
    truth: TrueTime,
    error_ms: Arc<AtomicI64>,
}

impl WrongClock {
    /// A clock that is right.
    #[must_use]
    pub fn new(truth: TrueTime) -> Self {
        Self { truth, error_ms: Arc::default() }
    }

    /// From now on the clock is wrong by so much.
    pub fn set_error(&self, error_ms: i64) {
        self.error_ms.store(error_ms, Ordering::Relaxed);
    }
}

impl Clock for WrongClock {
    fn now_ms(&self) -> i64 {
        self.truth.now_ms() + self.error_ms.load(Ordering::Relaxed)
    }
}
