//! The programme's calendar. Days are those of Morocco, whose offset changes by decree: the bundled time
//! zone rules decide.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// The programme's time zone.
pub const TIME_ZONE: &str = "Africa/Casablanca";

/// The day in Morocco at this moment, in seconds since 1970. A moment outside the calendar gives the nearest day in it.
#[must_use]
pub fn day_of(time_s: i64) -> Date {
    let zone = TimeZone::get(TIME_ZONE).unwrap_or(TimeZone::UTC);
    let nearest = time_s.clamp(-62_000_000_000, 253_000_000_000);
    Timestamp::from_second(nearest).unwrap_or_default().to_zoned(zone).date()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn days_end_with_moroccos_own_midnight() {
        // 2025-10-09 23:30 UTC is past midnight at UTC+1.
        assert_eq!(day_of(1_760_052_600), date(2025, 10, 10));
        // During Ramadan 2025 (in March) Morocco is at UTC.
        assert_eq!(day_of(1_741_649_400), date(2025, 3, 10));
    }

    #[test]
    fn a_wrong_clock_gives_a_day_and_no_panic() {
        for time_s in [i64::MIN, i64::MAX, 0, -1] {
            let _ = day_of(time_s);
        }
    }
}
