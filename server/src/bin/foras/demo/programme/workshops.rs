//! The first workshops of FORAS II, January to March 2021, and the virtual sessions with the missions. Source: the
//! communiqué on the workshops of the first quarter of 2021.

use foras_record::place::Point;
use jiff::civil::{Date, date};

use super::chance::Chance;
use super::days::{AWARENESS, ENTREPRENEURSHIP, LIFE_SKILLS, after, session_day};
use super::line::{Line, ModuleDay};
use super::{VirtualSession, person};

/// People trained from 1 January to 31 March 2021.
pub(crate) const PEOPLE: usize = 108;
/// Guineans in the virtual group session with their mission; the first of them is the one woman.
const GUINEANS: usize = 8;
/// At Oujda: people who return to Mali, and of whom the story is told.
pub(crate) const OF_THE_STORY: usize = 2;

/// The workshops begin, and the quarter ends.
const BEGINS: Date = date(2021, 1, 4);
const ENDS: Date = date(2021, 3, 31);
/// The virtual sessions: with Mali for one person, with Guinea for a group. The communiqué names no days.
pub(super) const WITH_MALI: VirtualSession =
    VirtualSession { point: Point::Casablanca, country: "ML", on: date(2021, 3, 11), individual: true };
pub(super) const WITH_GUINEA: VirtualSession =
    VirtualSession { point: Point::Rabat, country: "GN", on: date(2021, 3, 18), individual: false };

/// Somebody's part in the first quarter.
#[derive(Debug, Clone, Copy)]
enum Part {
    /// In the virtual group session with Guinea.
    Guinean,
    /// Alone in the virtual session with Mali.
    Malian,
    /// Of the story told at Oujda.
    OfTheStory,
    Other,
}

fn part(index: usize) -> Part {
    match index {
        index if index < OF_THE_STORY => Part::OfTheStory,
        index if index < OF_THE_STORY + GUINEANS => Part::Guinean,
        index if index == OF_THE_STORY + GUINEANS => Part::Malian,
        _ => Part::Other,
    }
}

/// Whether this person is one of whom the story is told.
pub(crate) fn is_of_the_story(line: &Line) -> bool {
    (1..=OF_THE_STORY).any(|number| line.reference == reference(number))
}

fn reference(number: usize) -> String {
    format!("w-{number:03}")
}

/// Everybody, in the order in which they registered.
pub(super) fn people(seed: u64) -> Vec<Line> {
    let mut chance = Chance::new(seed, 2);
    let mut lines: Vec<Line> = (0..PEOPLE).filter_map(|index| one(index, &mut chance)).collect();
    lines.sort_by(|one, other| (one.registered_on, &one.reference).cmp(&(other.registered_on, &other.reference)));
    lines
}

fn one(index: usize, chance: &mut Chance) -> Option<Line> {
    let part = part(index);
    // Who has a virtual session has completed the training before it.
    let trained_until = match part {
        Part::Malian => date(2021, 2, 26),
        Part::Guinean => date(2021, 3, 5),
        Part::OfTheStory | Part::Other => date(2021, 3, 19),
    };
    let first = session_day(LIFE_SKILLS, BEGINS, trained_until, chance)?;
    let registered_on = after(first, -chance.between(3, 20))?.max(date(2021, 1, 2));
    let point = match part {
        Part::Guinean => WITH_GUINEA.point,
        Part::Malian => WITH_MALI.point,
        Part::OfTheStory => Point::Oujda,
        Part::Other => chance.weighted(&person::POINTS)?,
    };
    let nationality = match part {
        Part::Guinean => "GN",
        Part::Malian | Part::OfTheStory => "ML",
        Part::Other => person::nationality(2021, chance),
    };
    let sex = match part {
        Part::Guinean if index == OF_THE_STORY => "f",
        Part::Guinean | Part::Malian => "m",
        Part::OfTheStory | Part::Other => person::sex(chance),
    };
    let mut line = person::registered(reference(index + 1), point, nationality, sex, registered_on, chance);
    line.modules.push(ModuleDay::present(LIFE_SKILLS, first));
    if chance.percent(70)
        && let Some(next) = session_day(ENTREPRENEURSHIP, first, after(first, 21)?.min(ENDS), chance)
    {
        line.modules.push(ModuleDay::present(ENTREPRENEURSHIP, next));
    }
    match part {
        Part::Guinean => line.modules.push(ModuleDay::present(AWARENESS, WITH_GUINEA.on)),
        Part::Malian => line.modules.push(ModuleDay::present(AWARENESS, WITH_MALI.on)),
        // The story is about giving this consent.
        Part::OfTheStory => drop(line.consents.remove("share_with_origin_mission")),
        Part::Other => {}
    }
    line.satisfaction = chance.weighted(&[(Some("yes"), 66), (Some("no"), 2), (Some("none"), 12), (None, 20)])?;
    Some(line)
}
