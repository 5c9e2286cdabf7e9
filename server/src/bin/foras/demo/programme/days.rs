//! When sessions are held: each module has its weekday.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};

use super::chance::Chance;

pub(super) const AWARENESS: &str = "awareness";
pub(super) const LIFE_SKILLS: &str = "life_soft_skills";
pub(super) const ENTREPRENEURSHIP: &str = "entrepreneurship_marketing";

/// The weekday of a module's sessions.
fn weekday(module: &str) -> Weekday {
    match module {
        AWARENESS => Weekday::Tuesday,
        LIFE_SKILLS => Weekday::Monday,
        ENTREPRENEURSHIP => Weekday::Friday,
        "agriculture" => Weekday::Wednesday,
        _ => Weekday::Thursday,
    }
}

/// A day of the module's sessions between both days, included. None where the time is too short for one.
pub(super) fn session_day(module: &str, from: Date, to: Date, chance: &mut Chance) -> Option<Date> {
    let day = weekday(module);
    let first = if from.weekday() == day { from } else { from.nth_weekday(1, day).ok()? };
    let days = first.until(to).ok()?.get_days();
    let weeks = usize::try_from(days).ok()? / 7;
    after(first, 7 * i64::try_from(chance.below(weeks + 1)).ok()?)
}

/// The day so many days later; earlier where `days` is negative.
pub(super) fn after(day: Date, days: i64) -> Option<Date> {
    day.checked_add(days.days()).ok()
}
