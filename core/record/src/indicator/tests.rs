#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use foras_wire::id::RecordId;
use jiff::civil::{Date, date};

use super::*;
use crate::place::Point;

fn id(n: u16) -> RecordId {
    RecordId::derived("test", &n.to_be_bytes())
}

fn case(n: u16, registered_on: Date) -> CaseFact {
    CaseFact {
        case: id(n),
        programme: "FORAS II".into(),
        point: Some(Point::Oujda),
        registered_on: Some(registered_on),
        sex: Some("f".into()),
        birth_year: Some(1996),
        nationality: Some("GN".into()),
        country: Some("GN".into()),
        handovers: Vec::new(),
        departed_on: None,
        joined: [].into(),
    }
}

fn session(n: u16, module: &str, format: Format, on: Date) -> SessionFact {
    SessionFact {
        session: id(1000 + n),
        on,
        module: module.into(),
        format,
        is_virtual: false,
        point: Some(Point::Oujda),
        country: None,
    }
}

fn at(n: u16, outcome: Outcome, session: &SessionFact) -> AttendanceFact {
    AttendanceFact { case: id(n), outcome, session: session.clone() }
}

fn answer(satisfied: Satisfied, on: Date) -> FeedbackFact {
    FeedbackFact { point: Some(Point::Oujda), programme: "FORAS II".into(), module: None, satisfied, on }
}

const DAY: Date = date(2026, 10, 5);

fn october() -> Query {
    Query::new(date(2026, 10, 1), date(2026, 10, 31))
}

#[test]
fn the_definitions_of_the_programme() {
    let group = session(1, "awareness", Format::Group, DAY);
    let alone = session(2, "awareness", Format::Individual, DAY);
    let crafts = session(3, "crafts", Format::Group, DAY);
    let facts = Facts {
        cases: (1..=6).map(|n| case(n, DAY)).collect(),
        attendance: vec![
            // 1 completes; 2 was there for a part; 3 alone with a worker; 4 absent; 5 trained but never oriented.
            at(1, Outcome::Present, &group),
            at(1, Outcome::Present, &crafts),
            at(2, Outcome::Partly, &group),
            at(2, Outcome::Present, &crafts),
            at(3, Outcome::Present, &alone),
            at(4, Outcome::Absent, &group),
            at(5, Outcome::Partly, &crafts),
        ],
        ..Facts::default()
    };
    let total = report(&facts, &october()).total;
    assert_eq!(total.registered, Some(6));
    assert_eq!(total.oriented, Some(3));
    assert_eq!(total.awareness, Some(2));
    assert_eq!(total.trained, Some(3));
    assert_eq!(total.completed, Some(1));
    assert_eq!(total.attended, Some(4));
}

#[test]
fn a_person_counts_once_however_often_she_came() {
    let first = session(1, "awareness", Format::Group, DAY);
    let second = session(2, "awareness", Format::Group, date(2026, 10, 6));
    let attendance = vec![at(1, Outcome::Present, &first), at(1, Outcome::Present, &second)];
    let facts = Facts { cases: vec![case(1, DAY)], attendance, ..Facts::default() };
    assert_eq!(report(&facts, &october()).total.oriented, Some(1));
}

#[test]
fn both_ends_of_a_period_are_in_it() {
    let days = [date(2026, 9, 30), date(2026, 10, 1), date(2026, 10, 31), date(2026, 11, 1)];
    let cases: Vec<CaseFact> = days.iter().zip(1..).map(|(day, n)| case(n, *day)).collect();
    let attendance =
        days.iter().zip(1..).map(|(day, n)| at(n, Outcome::Present, &session(n, "crafts", Format::Group, *day)));
    let facts = Facts { attendance: attendance.collect(), cases, ..Facts::default() };
    let total = report(&facts, &october()).total;
    assert_eq!((total.registered, total.trained), (Some(2), Some(2)));
}

#[test]
fn facts_outside_the_period_complete_nothing() {
    let before = session(1, "awareness", Format::Group, date(2026, 9, 30));
    let within = session(2, "crafts", Format::Group, DAY);
    let attendance = vec![at(1, Outcome::Present, &before), at(1, Outcome::Present, &within)];
    let facts = Facts { cases: vec![case(1, DAY)], attendance, ..Facts::default() };
    let total = report(&facts, &october()).total;
    assert_eq!((total.oriented, total.trained, total.completed), (Some(0), Some(1), Some(0)));
}

#[test]
fn a_modules_rule_may_ask_for_more_than_one_session() {
    let awareness = session(1, "awareness", Format::Group, DAY);
    let crafts: Vec<SessionFact> = (2..5).map(|n| session(n, "crafts", Format::Group, DAY)).collect();
    let mut attendance = vec![at(1, Outcome::Present, &awareness), at(1, Outcome::Present, &crafts[0])];
    attendance.push(at(1, Outcome::Partly, &crafts[1]));
    let completion = [("crafts".to_owned(), 2)].into();
    let mut facts = Facts { cases: vec![case(1, DAY)], attendance, completion, ..Facts::default() };
    assert_eq!(report(&facts, &october()).total.completed, Some(0));
    facts.attendance.push(at(1, Outcome::Present, &crafts[2]));
    assert_eq!(report(&facts, &october()).total.completed, Some(1));
    assert!(training_of(&facts.attendance, &facts.completion).completed);
}

#[test]
fn joined_cases_are_one_person() {
    let awareness = session(1, "awareness", Format::Group, DAY);
    let crafts = session(2, "crafts", Format::Group, DAY);
    let mut cases = vec![case(1, DAY), case(2, date(2026, 10, 1)), case(3, DAY), case(4, DAY)];
    // 1 and 3 are joined through 2, named on one side only; 2 was registered first, elsewhere.
    cases[0].joined = [id(2)].into();
    cases[2].joined = [id(2)].into();
    cases[1].nationality = Some("ML".into());
    let attendance = vec![at(1, Outcome::Present, &awareness), at(3, Outcome::Present, &crafts)];
    let facts = Facts { cases, attendance, ..Facts::default() };
    let report = report(&facts, &Query { by: vec![By::Nationality], ..october() });
    assert_eq!((report.total.registered, report.total.completed), (Some(2), Some(1)));
    let of: Vec<&str> = report.rows.iter().map(|row| row.of[0].1.as_str()).collect();
    assert_eq!(of, ["GN", "ML"], "the case registered first stands for the person");
}

#[test]
fn programmes_are_told_apart_or_taken_together() {
    let mut cases = vec![case(1, DAY), case(2, DAY)];
    cases[0].programme = "FORAS".into();
    let facts = Facts { cases, ..Facts::default() };
    let of = |programme: &str| {
        let query = Query { programme: Some(programme.into()), ..october() };
        report(&facts, &query).total.registered
    };
    assert_eq!((of("FORAS"), of("FORAS II"), of("AVRR"), of("any")), (Some(1), Some(1), Some(0), Some(2)));
    assert_eq!(programme_on(date(2017, 8, 31)), "AVRR");
    assert_eq!(programme_on(date(2017, 9, 1)), "FORAS");
    assert_eq!(programme_on(date(2021, 1, 1)), "FORAS II");
}

#[test]
fn trained_may_ask_for_modules() {
    let sessions = ["crafts", "agriculture", "awareness"].map(|module| session(1, module, Format::Group, DAY));
    let attendance = sessions.iter().zip(1..).map(|(session, n)| at(n, Outcome::Present, session)).collect();
    let facts = Facts { cases: (1..=3).map(|n| case(n, DAY)).collect(), attendance, ..Facts::default() };
    let of = |modules: &[&str]| {
        let modules = modules.iter().map(|module| (*module).to_owned()).collect();
        report(&facts, &Query { modules, ..october() }).total.trained
    };
    assert_eq!((of(&[]), of(&["crafts"]), of(&["crafts", "agriculture"])), (Some(2), Some(1), Some(2)));
}

#[test]
fn rows_by_module_count_people_per_module_and_the_total_counts_them_once() {
    let awareness = session(1, "awareness", Format::Group, DAY);
    let crafts = session(2, "crafts", Format::Group, DAY);
    let attendance =
        vec![at(1, Outcome::Present, &awareness), at(1, Outcome::Present, &crafts), at(2, Outcome::Present, &crafts)];
    let facts = Facts { cases: vec![case(1, DAY), case(2, DAY), case(3, DAY)], attendance, ..Facts::default() };
    let report = report(&facts, &Query { by: vec![By::Module], ..october() });
    let rows: Vec<_> = report
        .rows
        .iter()
        .map(|row| (row.of[0].1.as_str(), row.figures.registered, row.figures.oriented, row.figures.trained))
        .collect();
    assert_eq!(rows, [("awareness", Some(1), Some(1), Some(0)), ("crafts", Some(2), Some(0), Some(2))]);
    assert_eq!((report.total.registered, report.total.attended), (Some(3), Some(2)));
}

#[test]
fn rows_stand_in_the_order_of_their_values() {
    let mut cases: Vec<CaseFact> = (1..=4).map(|n| case(n, DAY)).collect();
    cases[0].sex = Some("m".into());
    cases[1].point = Some(Point::Casablanca);
    cases[2].sex = None;
    cases[3].birth_year = Some(2010);
    let facts = Facts { cases, ..Facts::default() };
    let by = |by: &[By]| {
        let report = report(&facts, &Query { by: by.to_vec(), ..october() });
        let text = |row: &Row| row.of.iter().map(|(_, value)| value.clone()).collect::<Vec<_>>().join("/");
        report.rows.iter().map(text).collect::<Vec<_>>()
    };
    assert_eq!(by(&[By::Point, By::Sex]), ["casablanca/f", "oujda/f", "oujda/m", "oujda/unknown"]);
    assert_eq!(by(&[By::AgeBand]), ["0-17", "25-34"]);
    assert!(by(&[]).is_empty());
}

#[test]
fn handovers_count_people_and_days() {
    let fact = |proposed: i8, accepted: Option<i8>| HandoverFact {
        proposed_on: date(2026, 10, proposed),
        accepted_on: accepted.map(|day| date(2026, 10, day)),
        revoked: false,
        undone: false,
    };
    let mut cases: Vec<CaseFact> = (1..=5).map(|n| case(n, DAY)).collect();
    cases[0].handovers = vec![HandoverFact { revoked: true, ..fact(2, None) }];
    cases[1].handovers = vec![fact(2, Some(5))];
    cases[2].handovers = vec![HandoverFact { undone: true, ..fact(2, Some(3)) }, fact(10, Some(20))];
    cases[3].handovers = vec![fact(31, None)];
    cases[4].handovers = vec![HandoverFact { accepted_on: Some(date(2026, 11, 1)), ..fact(31, None) }];
    let facts = Facts { cases, ..Facts::default() };
    let total = report(&facts, &october()).total;
    assert_eq!((total.handed_over, total.accepted, total.median_days), (Some(4), Some(2), Some(3)));
    let november = Query::new(date(2026, 11, 1), date(2026, 11, 30));
    let total = report(&facts, &november).total;
    assert_eq!((total.handed_over, total.accepted, total.median_days), (Some(0), Some(1), Some(1)));
}

#[test]
fn the_survey_is_a_share_of_those_who_answered() {
    let mut feedback = vec![answer(Satisfied::Yes, DAY); 24];
    feedback.push(answer(Satisfied::No, DAY));
    feedback.extend(vec![answer(Satisfied::None, DAY); 3]);
    feedback.push(answer(Satisfied::No, date(2026, 11, 1)));
    feedback.push(FeedbackFact { programme: "FORAS".into(), ..answer(Satisfied::No, DAY) });
    let facts = Facts { feedback, ..Facts::default() };
    let query = Query { programme: Some("FORAS II".into()), by: vec![By::Point], ..october() };
    let report = report(&facts, &query);
    let expected = Satisfaction { share: Some(0.96), n: Some(25), non_response: Some(3) };
    assert_eq!(report.total.satisfied, expected);
    assert_eq!(report.rows[0].figures.satisfied, expected);
    let by_sex = super::report(&facts, &Query { by: vec![By::Sex], ..query });
    assert!(by_sex.rows.is_empty(), "an answer has no sex");
    assert_eq!(by_sex.total.satisfied, expected);
    let nobody = super::report(&Facts::default(), &october()).total.satisfied;
    assert_eq!(nobody, Satisfaction { share: None, n: Some(0), non_response: Some(0) });
}

#[test]
fn a_virtual_group_with_guinea_by_sex() {
    let virtual_group = SessionFact {
        is_virtual: true,
        country: Some("GN".parse().unwrap()),
        ..session(1, "awareness", Format::Group, DAY)
    };
    let on_site = session(2, "awareness", Format::Group, DAY);
    let mut cases: Vec<CaseFact> = (1..=9).map(|n| case(n, DAY)).collect();
    for case in &mut cases[1..] {
        case.sex = Some("m".into());
    }
    let mut attendance: Vec<AttendanceFact> = (1..=8).map(|n| at(n, Outcome::Present, &virtual_group)).collect();
    attendance.push(at(9, Outcome::Present, &on_site));
    let facts = Facts { cases, attendance, ..Facts::default() };
    let sessions =
        SessionFilter { format: Some(Format::Group), is_virtual: Some(true), country: Some("GN".parse().unwrap()) };
    let report = report(&facts, &Query { by: vec![By::Sex], sessions, ..october() });
    let rows: Vec<_> = report.rows.iter().map(|row| (row.of[0].1.as_str(), row.figures.attended)).collect();
    assert_eq!(rows, [("f", Some(1)), ("m", Some(7))]);
    assert_eq!(report.total.attended, Some(8));
}

/// Registered people by nationality, with this many of each, as the report shows them.
fn suppressed(counts: &[u16], threshold: u64) -> (Vec<Option<u64>>, Option<u64>) {
    let mut cases = Vec::new();
    for (nationality, count) in counts.iter().enumerate() {
        for _ in 0..*count {
            let n = u16::try_from(cases.len()).unwrap();
            cases.push(CaseFact { nationality: Some(format!("{nationality:02}")), ..case(n, DAY) });
        }
    }
    let facts = Facts { cases, ..Facts::default() };
    let report = report(&facts, &Query { by: vec![By::Nationality], suppress: threshold, ..october() });
    (report.rows.iter().map(|row| row.figures.registered).collect(), report.total.registered)
}

#[test]
fn small_cells_are_suppressed_and_cannot_be_recomputed() {
    assert_eq!(suppressed(&[9, 5, 6], 5), (vec![Some(9), Some(5), Some(6)], Some(20)));
    // One small cell: the total would give it away, so the next smallest goes with it.
    assert_eq!(suppressed(&[9, 3, 6], 5), (vec![Some(9), None, None], Some(18)));
    // Two ones: two cells of at least one that add up to two are no secret.
    assert_eq!(suppressed(&[9, 1, 1, 6], 5), (vec![Some(9), None, None, None], Some(17)));
    assert_eq!(suppressed(&[9, 4, 4], 5), (vec![Some(9), None, None], Some(17)));
    // Nothing is left to hide behind: the total goes.
    assert_eq!(suppressed(&[3], 5), (vec![None], None));
    assert_eq!(suppressed(&[1, 2], 5), (vec![None, None], None));
    assert_eq!(suppressed(&[3], 0), (vec![Some(3)], Some(3)));
    assert_eq!(suppressed(&[3, 1], 1), (vec![Some(3), Some(1)], Some(4)));
}

#[test]
fn whatever_the_counts_the_hidden_cells_hide_each_other() {
    for seed in 0_u32..2000 {
        let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
        let mut next = |below: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) % below
        };
        let counts: Vec<u16> = (0..1 + next(6)).map(|_| u16::try_from(1 + next(12)).unwrap()).collect();
        let (rows, total) = suppressed(&counts, 5);
        let hidden: Vec<u16> =
            rows.iter().zip(&counts).filter(|(row, _)| row.is_none()).map(|(_, count)| *count).collect();
        for (row, count) in rows.iter().zip(&counts) {
            assert!(row.is_none_or(|shown| shown == u64::from(*count) && shown >= 5), "seed {seed}: {counts:?}");
        }
        let recomputable = hidden.len() == 1 || (!hidden.is_empty() && hidden.iter().sum::<u16>() < 5);
        assert!(total.is_none() || !recomputable, "seed {seed}: {counts:?} {rows:?} {total:?}");
        assert!(total.is_none_or(|total| total >= 5), "seed {seed}");
    }
}

#[test]
fn a_report_reads_as_one_flat_object_per_row() {
    let facts = Facts { cases: vec![case(1, DAY)], ..Facts::default() };
    let report = report(&facts, &Query { by: vec![By::Sex], ..october() });
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["from"], "2026-10-01");
    assert_eq!(json["rows"][0]["sex"], "f");
    assert_eq!(json["rows"][0]["registered"], 1);
    assert_eq!(json["rows"][0]["satisfied"]["non_response"], 0);
    assert_eq!(json["total"]["completed"], 0);
}
