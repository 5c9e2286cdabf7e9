//! Who the people are: everything that no published figure fixes is drawn by chance.

use std::collections::BTreeMap;

use foras_record::place::Point;
use jiff::civil::Date;

use super::chance::Chance;
use super::line::Line;
use super::names;

/// Where people register, in a hundred.
pub(super) const POINTS: [(Point, usize); 3] = [(Point::Casablanca, 45), (Point::Rabat, 30), (Point::Oujda, 25)];

/// Nationalities by year. Source: the programme began with five countries and added three in 2019.
const BEFORE_2019: &[(&str, usize)] = &[("CI", 28), ("GN", 24), ("CM", 20), ("ML", 15), ("SN", 13)];
const SINCE_2019: &[(&str, usize)] =
    &[("CI", 23), ("GN", 20), ("CM", 17), ("ML", 12), ("SN", 11), ("CD", 8), ("BF", 5), ("TG", 4)];

const SEXES: &[(&str, usize)] = &[("m", 742), ("f", 250), ("x", 3), ("unknown", 5)];

const EDUCATION: &[&str] =
    &["", "école coranique", "primaire", "collège", "lycée", "formation professionnelle", "licence"];
const SKILLS: &[&str] =
    &["", "couture", "maçonnerie", "coiffure", "mécanique", "cuisine", "élevage", "informatique", "commerce de détail"];
const NEEDS: &[&str] =
    &["", "hébergement", "soins de santé", "titre de voyage", "contact avec la famille", "orientation"];
const PROJECTS: &[&str] = &[
    "",
    "petit élevage de volaille",
    "atelier de couture",
    "maraîchage avec irrigation",
    "salon de coiffure",
    "vente de téléphones et réparation",
    "transformation de fruits",
    "reprise des études",
    "menuiserie avec un associé",
];
const VULNERABILITIES: &[&str] =
    &["maladie chronique", "parent isolé", "mineur à charge", "sans abri", "victime de violence", "handicap"];

/// The languages that people of a country often speak.
fn languages(nationality: &str) -> &'static [&'static str] {
    match nationality {
        "BF" => &["mos", "fr"],
        "CM" => &["fr", "en"],
        "CI" => &["fr", "dyu"],
        "GN" => &["ff", "fr", "sus"],
        "ML" => &["bm", "fr"],
        "CD" => &["ln", "fr"],
        "SN" => &["wo", "fr"],
        "TG" => &["ee", "fr"],
        _ => &["en"],
    }
}

/// The nationality of somebody who registers in that year.
pub(super) fn nationality(year: i16, chance: &mut Chance) -> &'static str {
    chance.weighted(if year < 2019 { BEFORE_2019 } else { SINCE_2019 }).unwrap_or("CI")
}

/// Female, male, or another answer.
pub(super) fn sex(chance: &mut Chance) -> &'static str {
    chance.weighted(SEXES).unwrap_or("unknown")
}

/// A person who registers, with no module day yet.
pub(super) fn registered(
    reference: String,
    point: Point,
    nationality: &'static str,
    sex: &'static str,
    registered_on: Date,
    chance: &mut Chance,
) -> Line {
    let year = registered_on.year();
    let (least, most) = chance.weighted(&[((19, 24), 34), ((25, 32), 44), ((33, 55), 22)]).unwrap_or((19, 55));
    let mut consents =
        BTreeMap::from([("assist", chance.weighted(&[("oral", 70), ("written", 30)]).unwrap_or("oral"))]);
    if chance.percent(30) {
        consents.insert("share_with_origin_mission", "written");
    }
    let vulnerabilities = if chance.percent(18) { vec![chance.word(VULNERABILITIES)] } else { Vec::new() };
    Line {
        reference,
        name: names::of(nationality, sex, chance),
        sex,
        birth_year: year - small(chance.between(least, most)),
        nationality,
        country: nationality,
        // Numbers that are easily seen to be made up.
        phone: chance.percent(86).then(|| format!("+2126000{:05}", chance.below(100_000))),
        languages: languages(nationality).to_vec(),
        point,
        registered_on,
        programme: None,
        arrival_year: year - small(chance.between(0, 6)),
        household: chance.weighted(&[(1, 70), (2, 10), (3, 9), (4, 6), (5, 3), (6, 2)]).unwrap_or(1),
        education: chance.word(EDUCATION),
        vulnerabilities,
        consents,
        needs: chance.word(NEEDS),
        skills: chance.word(SKILLS),
        modules: Vec::new(),
        project_idea: chance.word(PROJECTS),
        satisfaction: None,
    }
}

fn small(years: i64) -> i16 {
    i16::try_from(years).unwrap_or_default()
}
