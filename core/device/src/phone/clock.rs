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
        jiff::Timestamp::now().as_millisecond()
    }
}
