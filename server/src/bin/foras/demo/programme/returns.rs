//! Everybody else who returned with assistance since 2005, without the trainings of FORAS. Source: the communiqué of the
//! seminar of September 2019: more than 11,300 people, 76 in a hundred of them from the eight countries of the project.

use jiff::civil::{Date, date};

use super::chance::Chance;
use super::foras::{SEMINAR, share};
use super::line::Line;
use super::person::{self, POINTS};

/// People registered from 2005 to the seminar, those of FORAS among them.
const REGISTERED: usize = 11_300;
/// In a hundred: those from the eight countries.
const OF_EIGHT_COUNTRIES: usize = 76;
/// The programme of all of them.
const PROGRAMME: &str = "AVRR";
const BEGINS: Date = date(2005, 1, 3);

/// Nationalities beyond the eight countries. No figure was published.
const OTHERS: &[(&str, usize)] = &[("NG", 40), ("GH", 18), ("LR", 12), ("GM", 10), ("NE", 8), ("BJ", 6), ("GW", 6)];

/// Everybody beside `foras` people, who are all from the eight countries.
pub(super) fn people(foras: usize, seed: u64) -> Vec<Line> {
    let mut chance = Chance::new(seed, 4);
    let registered = share(REGISTERED, foras);
    let of_eight = (registered * OF_EIGHT_COUNTRIES + 50) / 100;
    let people = registered.saturating_sub(foras);
    let of_eight = of_eight.saturating_sub(foras).min(people);
    let mut lines: Vec<Line> = (0..people).filter_map(|index| one(index + 1, index < of_eight, &mut chance)).collect();
    lines.sort_by(|one, other| (one.registered_on, &one.reference).cmp(&(other.registered_on, &other.reference)));
    lines
}

fn one(number: usize, is_of_eight: bool, chance: &mut Chance) -> Option<Line> {
    let days = BEGINS.until(SEMINAR).ok()?.get_days();
    let registered_on = super::days::after(BEGINS, chance.between(0, days.into()))?;
    let nationality = match is_of_eight {
        // Whichever year it is: all eight countries took part in assisted return.
        true => person::nationality(2019, chance),
        false => chance.weighted(OTHERS)?,
    };
    let (point, sex) = (chance.weighted(&POINTS)?, person::sex(chance));
    let line = person::registered(format!("r-{number:05}"), point, nationality, sex, registered_on, chance);
    Some(Line { programme: Some(PROGRAMME), ..line })
}
