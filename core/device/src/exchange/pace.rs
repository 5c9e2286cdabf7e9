//! How much one request carries up: little at first, more while the network is quick, little again after a cut.
//!
//! What a cut destroys is the request that was on its way. So a phone on a bad network hands in about a page at a time, and
//! one that is on a good network does not pay a round trip for each page.

use foras_wire::limits::PUSH_BYTES;

use crate::store::WorkLimits;

/// Raw bytes of the first request, and of those after a cut: what compresses to less than a page.
const FIRST_BYTES: usize = 128 * 1024;
/// Raw bytes of a request on a network that cuts even those.
const LEAST_BYTES: usize = 16 * 1024;
/// A request whose answer begins within this time, in milliseconds, lets the next one be twice as long.
const QUICK_MS: u64 = 2_000;
/// One whose answer begins only after this time, in milliseconds, halves the next one.
const SLOW_MS: u64 = 8_000;

/// The pace of one phone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    bytes: usize,
    /// When the request on its way was sent, on the device's clock, if it hands something in.
    sent_ms: Option<i64>,
}

impl Default for Pace {
    fn default() -> Self {
        Self { bytes: FIRST_BYTES, sent_ms: None }
    }
}

impl Pace {
    /// What the next request may carry.
    pub(super) fn limits(&self) -> WorkLimits {
        WorkLimits { bytes: self.bytes, ..WorkLimits::default() }
    }

    /// A request was sent.
    pub(super) fn sent(&mut self, hands_in: bool, now_ms: i64) {
        self.sent_ms = hands_in.then_some(now_ms);
    }

    /// Its answer begins. A clock that jumps makes the pace odd once, and nothing else.
    pub(super) fn answered(&mut self, now_ms: i64) {
        let Some(sent_ms) = self.sent_ms.take() else { return };
        let took_ms = now_ms.abs_diff(sent_ms);
        if took_ms <= QUICK_MS {
            self.bytes = (self.bytes * 2).min(PUSH_BYTES);
        } else if took_ms > SLOW_MS {
            self.bytes = (self.bytes / 2).max(LEAST_BYTES);
        }
    }

    /// It was cut before its answer began.
    pub(super) fn cut(&mut self) {
        if self.sent_ms.take().is_some() {
            self.bytes = if self.bytes > FIRST_BYTES { FIRST_BYTES } else { (self.bytes / 2).max(LEAST_BYTES) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quick_network_is_used_and_a_bad_one_loses_little() {
        let mut pace = Pace::default();
        for _ in 0..5 {
            pace.sent(true, 1_000);
            pace.answered(1_300);
        }
        assert_eq!(pace.limits().bytes, PUSH_BYTES);
        pace.sent(true, 0);
        pace.cut();
        assert_eq!(pace.limits().bytes, FIRST_BYTES);
        for _ in 0..9 {
            pace.sent(true, 0);
            pace.cut();
        }
        assert_eq!(pace.limits().bytes, LEAST_BYTES);
        pace.sent(true, 0);
        pace.answered(5_000);
        assert_eq!(pace.limits().bytes, LEAST_BYTES, "slow, and steady");
        pace.sent(true, 0);
        pace.answered(1_000);
        assert_eq!(pace.limits().bytes, 2 * LEAST_BYTES);
    }

    #[test]
    fn requests_that_hand_nothing_in_say_nothing() {
        let mut pace = Pace::default();
        pace.sent(false, 0);
        pace.answered(1);
        pace.sent(false, 0);
        pace.cut();
        assert_eq!(pace.limits().bytes, FIRST_BYTES);
    }
}
