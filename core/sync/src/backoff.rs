//! How long to wait after a failure: exponential, with jitter, a pure function of its arguments.

/// The first wait, in milliseconds.
pub const FIRST_MS: u64 = 1_000;
/// The longest wait that the device chooses by itself, in milliseconds: a quarter of an hour.
pub const LONGEST_MS: u64 = 15 * 60 * 1_000;
/// The longest wait that a server can ask for, in seconds: an hour. More is taken as an hour, so that no answer can
/// silence a phone for good.
pub const RETRY_AFTER_S_MAX: u32 = 3_600;

/// The longest wait before a phone that was cut off while it waited for news asks again, in milliseconds: when a server
/// restarts, all its phones are cut off at once.
pub const RECONNECT_MS: u64 = 4_000;

/// Milliseconds to wait after a cut while waiting for news, spread evenly up to [`RECONNECT_MS`].
#[must_use]
pub fn reconnect_ms(entropy: u64) -> u64 {
    entropy % (RECONNECT_MS + 1)
}

/// Milliseconds to wait for one's turn, when the server says to come again after `after_s` seconds: up to a quarter
/// longer, so that phones do not come back as one.
#[must_use]
pub fn turn_ms(after_s: u32, entropy: u64) -> u64 {
    let asked = u64::from(after_s.clamp(1, RETRY_AFTER_S_MAX)) * 1_000;
    asked + entropy % (asked / 4 + 1)
}

/// Milliseconds to wait after `failures` failures in a row (1 for the first), at least what the server asked for.
///
/// The wait lies between half and the whole of `FIRST_MS · 2^(failures − 1)`, capped at [`LONGEST_MS`]. What a server
/// asks for is spread over a further quarter, so that a point's phones do not come back as one.
#[must_use]
pub fn wait_ms(failures: u32, retry_after_s: u32, entropy: u64) -> u64 {
    let doublings = failures.saturating_sub(1).min(20);
    let ceiling = (FIRST_MS << doublings).min(LONGEST_MS);
    let own = ceiling / 2 + entropy % (ceiling / 2 + 1);
    let asked = u64::from(retry_after_s.min(RETRY_AFTER_S_MAX)) * 1_000;
    own.max(asked + entropy % (asked / 4 + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_stay_within_a_quarter_of_an_hour() {
        for entropy in [0, 1, 499, 0xdead_beef, u64::MAX] {
            assert!((500..=1_000).contains(&wait_ms(1, 0, entropy)));
            assert!((1_000..=2_000).contains(&wait_ms(2, 0, entropy)));
            for failures in 0..100 {
                assert!((500..=LONGEST_MS).contains(&wait_ms(failures, 0, entropy)));
            }
        }
    }

    #[test]
    fn what_the_server_asks_for_is_honoured_up_to_an_hour() {
        for entropy in [0, 17, u64::MAX] {
            assert!((60_000..=75_000).contains(&wait_ms(1, 60, entropy)));
            assert!(wait_ms(1, u32::MAX, entropy) <= 4_500_000);
        }
    }
}
