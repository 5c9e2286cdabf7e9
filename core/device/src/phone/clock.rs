//! What time it is: the system's clock, or one that a test or the simulated world sets.

/// A clock. Its time is shown and stored as data; nothing is decided by comparing it with another device's.
pub trait Clock: Send {
    /// Milliseconds since 1970.
    fn now_ms(&self) -> i64;
}

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        // `Timestamp::now` panics where a clock stands beyond the year 9999; such a one counts as 1970.
        jiff::Timestamp::try_from(std::time::SystemTime::now()).unwrap_or_default().as_millisecond()
    }
}
