//! The published figures, counted from the lines alone: what the server must count again from what it admitted.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};

use foras_record::indicator::{self, AttendanceFact, CaseFact, Facts, FeedbackFact, Format, SessionFact};
use foras_wire::id::RecordId;

use super::super::figures;
use super::*;

/// The facts of the lines, as if each had been admitted.
fn facts(programme: &Programme) -> Facts {
    let mut facts = Facts::default();
    for line in &programme.lines {
        let case = RecordId::derived("case", line.reference.as_bytes());
        let of_programme = line.programme.unwrap_or_else(|| indicator::programme_on(line.registered_on)).to_owned();
        facts.cases.push(CaseFact {
            case,
            programme: of_programme.clone(),
            point: Some(line.point),
            registered_on: Some(line.registered_on),
            sex: Some(line.sex.to_owned()),
            birth_year: Some(line.birth_year.into()),
            nationality: Some(line.nationality.to_owned()),
            country: Some(line.country.to_owned()),
            handovers: Vec::new(),
            departed_on: None,
            joined: BTreeSet::new(),
        });
        for day in &line.modules {
            let planned = programme.sessions.iter().find(|session| {
                (session.point, session.on, day.module) == (line.point, day.on, VirtualSession::MODULE)
            });
            let name = format!("{} {} {}", line.point, day.module, day.on);
            facts.attendance.push(AttendanceFact {
                case,
                outcome: day.attendance.parse().unwrap(),
                session: SessionFact {
                    session: RecordId::derived("session", name.as_bytes()),
                    on: day.on,
                    module: day.module.to_owned(),
                    format: if planned.is_some_and(|session| session.individual) {
                        Format::Individual
                    } else {
                        Format::Group
                    },
                    is_virtual: planned.is_some(),
                    point: Some(line.point),
                    country: planned.and_then(|session| session.country.parse().ok()),
                },
            });
        }
        if let Some(answer) = line.satisfaction {
            let last = line.modules.iter().max_by_key(|day| day.on);
            facts.feedback.push(FeedbackFact {
                point: Some(line.point),
                programme: of_programme,
                module: last.map(|day| day.module.to_owned()),
                satisfied: answer.parse().unwrap(),
                on: last.map_or(line.registered_on, |day| day.on),
            });
        }
    }
    facts
}

fn counted(programme: &Programme) -> BTreeMap<&'static str, f64> {
    let facts = facts(programme);
    let figures = figures::published(false);
    figures.iter().filter_map(|figure| Some((figure.id, figure.count(&facts).value?))).collect()
}

#[test]
fn the_default_programme_gives_every_published_figure() {
    for seed in [1, 2, 2021] {
        let programme = Programme::new(PEOPLE, seed, false);
        assert_eq!(programme.lines.len(), PEOPLE + WORKSHOP_PEOPLE);
        let facts = facts(&programme);
        for figure in figures::published(false) {
            let counted = figure.count(&facts);
            assert_eq!(counted.value, Some(figure.value), "{} with seed {seed}", figure.id);
        }
    }
}

#[test]
fn one_of_the_eight_guineans_is_a_woman() {
    let facts = facts(&Programme::new(0, 7, false));
    let figure = figures::published(false).into_iter().find(|figure| figure.id == "guinea_virtual_group").unwrap();
    assert_eq!(figure.count(&facts).by_sex, [("f".to_owned(), 1), ("m".to_owned(), 7)]);
}

#[test]
fn other_sizes_keep_the_proportions() {
    for people in [0, 1, 2, 8, 40, 400, 4000] {
        let counted = counted(&Programme::new(people, 3, false));
        let expected = |part: usize| Some(share(part, people) as f64);
        assert_eq!(counted.get("foras_accompanied").copied(), Some(people as f64));
        assert_eq!(counted.get("trained_2018").copied(), expected(276), "{people}");
        assert_eq!(counted.get("awareness_2018").copied(), expected(776), "{people}");
        assert_eq!(counted.get("trained_2021_q1").copied(), Some(108.0));
        if people >= 400 {
            let satisfied = counted.get("satisfied").copied().unwrap();
            assert!((satisfied - 0.96).abs() < 0.001, "{satisfied} of {people}");
        }
    }
}

#[test]
fn with_all_returns_since_2005_every_figure_comes_out_too() {
    let programme = Programme::new(PEOPLE, 4, true);
    assert_eq!(programme.lines.len(), 11_300 + WORKSHOP_PEOPLE);
    let facts = facts(&programme);
    let figures = figures::published(true);
    assert!(figures.iter().any(|figure| figure.id == "share_eight_nationalities"));
    for figure in figures {
        assert_eq!(figure.count(&facts).value, Some(figure.value), "{}", figure.id);
    }
}

#[test]
fn a_seed_gives_one_programme_and_another_seed_another() {
    assert_eq!(Programme::new(50, 1, false), Programme::new(50, 1, false));
    assert_ne!(Programme::new(50, 1, false), Programme::new(50, 2, false));
}

#[test]
fn nobody_attends_before_registering_and_everybody_is_grown_up() {
    for line in Programme::new(PEOPLE, 1, false).lines {
        assert!(line.modules.iter().all(|day| day.on >= line.registered_on), "{}", line.reference);
        assert!(line.registered_on.year() - line.birth_year >= 18, "{}", line.reference);
        assert!(line.arrival_year <= line.registered_on.year());
        let expected = if line.reference.starts_with('f') { "FORAS" } else { "FORAS II" };
        assert_eq!(indicator::programme_on(line.registered_on), expected, "{}", line.reference);
    }
}

#[test]
fn all_three_points_and_eight_countries_take_part() {
    let programme = Programme::new(PEOPLE, 1, false);
    let countries: BTreeSet<_> = programme.lines.iter().map(|line| line.country).collect();
    assert_eq!(countries, BTreeSet::from(["BF", "CD", "CI", "CM", "GN", "ML", "SN", "TG"]));
    for point in Point::ALL {
        assert!(programme.at(point).count() > 300, "{point}");
    }
    let references: BTreeSet<_> = programme.lines.iter().map(|line| &line.reference).collect();
    assert_eq!(references.len(), programme.lines.len());
}

#[test]
fn at_oujda_two_people_of_the_story_have_not_consented_yet() {
    let programme = Programme::new(0, 9, false);
    let story: Vec<_> = programme.at(Point::Oujda).filter(|line| is_of_the_story(line)).collect();
    assert_eq!(story.len(), 2);
    assert!(story.iter().all(|line| line.country == "ML" && line.consents.len() == 1));
}
