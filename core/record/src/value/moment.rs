//! Dates and moments.

use jiff::Timestamp;
use jiff::civil::Date;

use super::ValueError;

/// Years that a date of the programme can lie in.
const YEARS: std::ops::RangeInclusive<i16> = 1900..=2200;

/// The date written as `YYYY-MM-DD`, if it exists and lies in a year from 1900 to 2200.
#[must_use]
pub fn date(text: &str) -> Option<Date> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text.as_bytes() else { return None };
    let year = i16::try_from(digits(&[*y1, *y2, *y3, *y4])?).ok()?;
    let month = i8::try_from(digits(&[*m1, *m2])?).ok()?;
    let day = i8::try_from(digits(&[*d1, *d2])?).ok()?;
    if YEARS.contains(&year) { Date::new(year, month, day).ok() } else { None }
}

/// Seconds since 1970 of a moment in its normal form, as [`super::check`] gives it.
#[must_use]
pub fn instant_s(text: &str) -> Option<i64> {
    checked_instant(text).ok()?.parse::<Timestamp>().ok().map(Timestamp::as_second)
}

/// A moment in its normal form, as UTC: `2026-10-05T08:00:00Z`. Such texts sort as the moments do.
#[must_use]
pub fn instant_utc(text: &str) -> Option<String> {
    Timestamp::from_second(instant_s(text)?).ok().map(|moment| moment.to_string())
}

fn digits(bytes: &[u8]) -> Option<u32> {
    bytes.iter().try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u32::from(byte - b'0')))
}

pub(super) fn checked_date(text: &str) -> Result<String, ValueError> {
    date(text).map(|date| date.to_string()).ok_or(ValueError::NoSuchDate)
}

/// The moment as `YYYY-MM-DDTHH:MM:SS` with `Z` or its offset; seconds may be left out, fractions are dropped.
pub(super) fn checked_instant(text: &str) -> Result<String, ValueError> {
    let wrong = || ValueError::NotAnInstant;
    if !text.is_ascii() || text.len() > 40 {
        return Err(wrong());
    }
    let (day, rest) = text.split_at_checked(10).ok_or_else(wrong)?;
    date(day).ok_or(ValueError::NoSuchDate)?;
    let rest = rest.strip_prefix(['T', 't', ' ']).ok_or_else(wrong)?;
    let zone_at = rest.find(['Z', 'z', '+', '-']).ok_or_else(wrong)?;
    let (clock, zone) = rest.split_at(zone_at);
    let clock = clock_of(clock).ok_or_else(wrong)?;
    let zone = zone_of(zone).ok_or_else(wrong)?;
    let normal = format!("{day}T{clock}{zone}");
    normal.parse::<Timestamp>().map_err(|_| wrong())?;
    Ok(normal)
}

/// `HH:MM`, `HH:MM:SS` or `HH:MM:SS.fff` as `HH:MM:SS`.
fn clock_of(text: &str) -> Option<String> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut parts = whole.split(':');
    let hour = two(parts.next()?, 23)?;
    let minute = two(parts.next()?, 59)?;
    let second = parts.next().map_or(Some(0), |second| two(second, 59))?;
    if parts.next().is_some() || (fraction != "0" && whole.len() < 8) {
        return None;
    }
    Some(format!("{hour:02}:{minute:02}:{second:02}"))
}

/// `Z`, or an offset of at most 18 hours as `+HH:MM`.
fn zone_of(text: &str) -> Option<String> {
    if matches!(text, "Z" | "z") {
        return Some("Z".to_owned());
    }
    let (sign, offset) = text.split_at_checked(1)?;
    let (hours, minutes) = offset.split_once(':')?;
    Some(format!("{sign}{:02}:{:02}", two(hours, 18)?, two(minutes, 59)?))
}

fn two(text: &str, max: u32) -> Option<u32> {
    if text.len() != 2 {
        return None;
    }
    digits(text.as_bytes()).filter(|number| *number <= max)
}
