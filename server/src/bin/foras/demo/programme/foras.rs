//! The people of FORAS, September 2017 to September 2019. What the programme published of them comes out exactly for
//! 1,385 people, and in proportion for any other number. Source: the communiqué of the seminar of 24 and 25 September
//! 2019 in Rabat.

use jiff::civil::{Date, date};

use super::chance::Chance;
use super::days::{AWARENESS, ENTREPRENEURSHIP, LIFE_SKILLS, after, session_day};
use super::line::{Line, ModuleDay};
use super::person::{self, POINTS};

/// People accompanied until the seminar.
pub(crate) const PEOPLE: usize = 1_385;
/// People at group awareness sessions in 2018.
const AWARE_2018: usize = 776;
/// People trained in 2018 in life and soft skills, or in entrepreneurship and marketing.
const TRAINED_2018: usize = 276;
/// Of the others, those of 2017. No figure was published: a third, for the four months of that year.
const AWARE_2017: usize = 209;
/// In a hundred: those who answer the survey, and of those the satisfied.
const ANSWERING: usize = 62;
const SATISFIED: usize = 96;

/// The first day of the project, and the day of the seminar.
pub(crate) const BEGINS: Date = date(2017, 9, 1);
pub(crate) const SEMINAR: Date = date(2019, 9, 25);

/// The time within which somebody's sessions are held, so that the figures of a year are those of that year.
#[derive(Debug, Clone, Copy)]
struct Season {
    from: Date,
    /// The last awareness session; what follows may take until `to`.
    aware_until: Date,
    to: Date,
    /// Whether the person takes one of the modules that the published figure of 2018 counts. None: by chance.
    trained: Option<bool>,
}

/// `part` of [`PEOPLE`], for `people`, rounded.
pub(crate) fn share(part: usize, people: usize) -> usize {
    (part * people * 2 + PEOPLE) / (2 * PEOPLE)
}

/// The seasons of everybody, in random order.
fn seasons(people: usize, chance: &mut Chance) -> Vec<Season> {
    let season = |from, aware_until, to, trained| Season { from, aware_until, to, trained };
    let aware_2018 = share(AWARE_2018, people);
    let trained = share(TRAINED_2018, people).min(aware_2018);
    let aware_2017 = share(AWARE_2017, people).min(people - aware_2018);
    let mut seasons = vec![season(date(2018, 1, 3), date(2018, 10, 31), date(2018, 12, 21), Some(true)); trained];
    seasons.resize(aware_2018, season(date(2018, 1, 3), date(2018, 12, 19), date(2018, 12, 21), Some(false)));
    seasons.resize(aware_2018 + aware_2017, season(date(2017, 9, 6), date(2017, 12, 13), date(2017, 12, 22), None));
    seasons.resize(people, season(date(2019, 1, 3), date(2019, 9, 24), date(2019, 9, 24), None));
    chance.shuffle(&mut seasons);
    seasons
}

/// Everybody, in the order in which they registered.
pub(super) fn people(people: usize, seed: u64) -> Vec<Line> {
    let mut chance = Chance::new(seed, 1);
    let seasons = seasons(people, &mut chance);
    let mut lines: Vec<Line> =
        seasons.iter().enumerate().filter_map(|(index, season)| one(index + 1, season, &mut chance)).collect();
    answers(&mut lines, &mut chance);
    lines.sort_by(|one, other| (one.registered_on, &one.reference).cmp(&(other.registered_on, &other.reference)));
    lines
}

fn one(number: usize, season: &Season, chance: &mut Chance) -> Option<Line> {
    let aware = session_day(AWARENESS, season.from, season.aware_until, chance)?;
    let registered_on = after(aware, -chance.between(2, 30))?.max(BEGINS);
    let point = chance.weighted(&POINTS)?;
    let nationality = person::nationality(aware.year(), chance);
    let sex = person::sex(chance);
    let mut line = person::registered(format!("f-{number:05}"), point, nationality, sex, registered_on, chance);
    line.modules = course(aware, registered_on, season, chance);
    Some(line)
}

/// The module days of somebody who came to an awareness session on the day `aware`.
fn course(aware: Date, registered_on: Date, season: &Season, chance: &mut Chance) -> Vec<ModuleDay> {
    let mut days = Vec::new();
    // Some miss the first appointment and come a week later.
    if let Some(missed) = after(aware, -7)
        && missed >= registered_on
        && chance.percent(12)
    {
        days.push(ModuleDay { attendance: "absent", ..ModuleDay::present(AWARENESS, missed) });
    }
    days.push(ModuleDay { attendance: came(chance), ..ModuleDay::present(AWARENESS, aware) });
    let Some(next) = after(aware, 3) else { return days };
    if season.trained.unwrap_or_else(|| chance.percent(30)) {
        days.extend(trained(next, season.to, chance));
    }
    if chance.percent(14) {
        let module = chance.word(&["agriculture", "crafts"]);
        let on = session_day(module, next, season.to, chance);
        days.extend(on.map(|on| ModuleDay { attendance: came(chance), ..ModuleDay::present(module, on) }));
    }
    days
}

/// One or both of the modules, within the season.
fn trained(from: Date, to: Date, chance: &mut Chance) -> Vec<ModuleDay> {
    let both = chance.percent(45);
    let first = if both || chance.percent(60) { LIFE_SKILLS } else { ENTREPRENEURSHIP };
    let Some(on) = session_day(first, from, after(from, 35).unwrap_or(to).min(to), chance) else { return Vec::new() };
    let mut days = vec![ModuleDay { attendance: came(chance), ..ModuleDay::present(first, on) }];
    if both && let Some(next) = session_day(ENTREPRENEURSHIP, on, to.min(after(on, 28).unwrap_or(to)), chance) {
        let attendance = chance.weighted(&[("present", 82), ("partly", 8), ("absent", 10)]).unwrap_or("present");
        days.push(ModuleDay { attendance, ..ModuleDay::present(ENTREPRENEURSHIP, next) });
    }
    days
}

/// How somebody who came attended.
fn came(chance: &mut Chance) -> &'static str {
    if chance.percent(91) { "present" } else { "partly" }
}

/// Who answered the survey, and what: of those who answer, the published share is satisfied.
fn answers(lines: &mut [Line], chance: &mut Chance) {
    let answering = lines.len() * ANSWERING / 100;
    let satisfied = (answering * SATISFIED + 50) / 100;
    let mut order: Vec<usize> = (0..lines.len()).collect();
    chance.shuffle(&mut order);
    for (rank, index) in order.into_iter().enumerate() {
        let answer = match rank {
            rank if rank < satisfied => Some("yes"),
            rank if rank < answering => Some("no"),
            _ => chance.percent(60).then_some("none"),
        };
        if let Some(line) = lines.get_mut(index) {
            line.satisfaction = answer;
        }
    }
}
