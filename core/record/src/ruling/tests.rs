#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

//! Stories of a case: consent, handover, acceptance, withdrawal, in every order in which they may reach the server.

use std::collections::BTreeMap;

use jiff::civil::{Date, date};

use super::*;
use crate::event::{
    Basis, Consent, ConsentStatus, DepartureStep, Form, Handover, HandoverStep, Purpose, Registered, Rejection, Scope,
    Stage, StageDeclared, Transfer,
};
use crate::place::{Country, Point};
use crate::standing::{Attendance, HandoverState, Holder, Recorded, stage};

const TODAY: Date = date(2026, 11, 2);
const CASE: RecordId = RecordId([7; 16]);

fn country(code: &str) -> Country {
    code.parse().unwrap()
}

fn author(role: Role, place: &str) -> AuthorFacts {
    let places = place.parse().into_iter().collect();
    let own_case = (role == Role::Migrant).then_some(CASE);
    AuthorFacts { role, places, own_case }
}

const WORKER: Actor = Actor([1; 16]);
const COUNSELLOR: Actor = Actor([2; 16]);
const BAMAKO: Actor = Actor([3; 16]);
const MIGRANT: Actor = Actor([4; 16]);
const RABAT: Actor = Actor([5; 16]);
const CONAKRY: Actor = Actor([6; 16]);
const STRANGER: Actor = Actor([9; 16]);

fn who(actor: &Actor) -> Option<AuthorFacts> {
    Some(match *actor {
        WORKER => author(Role::Outreach, "oujda"),
        COUNSELLOR => author(Role::HostCounsellor, "oujda"),
        BAMAKO => author(Role::OriginCounsellor, "ML"),
        MIGRANT => author(Role::Migrant, ""),
        RABAT => author(Role::Outreach, "rabat"),
        CONAKRY => author(Role::OriginCounsellor, "GN"),
        _ => return None,
    })
}

/// A case as the server has it. Events are recorded, then ruled when they reach the server.
struct Story {
    docket: Docket,
    destinations: Destinations,
    clock: u64,
}

impl Story {
    fn new() -> Self {
        let file = CaseFile { country: Some(country("ML")), birth_years: vec![1996], ..CaseFile::default() };
        let until = |code| (country(code), Authorisation { reference: "demo".into(), expires_on: date(2027, 1, 1) });
        let destinations = Destinations([until("ML"), until("GN")].into());
        Self { docket: Docket::of(file), destinations, clock: 0 }
    }

    fn registered() -> Self {
        let mut story = Self::new();
        story.arrives(WORKER, consent(Purpose::Assist, ConsentStatus::Given)).unwrap();
        story.arrives(WORKER, registration(Point::Oujda)).unwrap();
        story
    }

    /// Registered, with consent to share.
    fn consenting() -> Self {
        let mut story = Self::registered();
        story.arrives(MIGRANT, share(ConsentStatus::Given)).unwrap();
        story
    }

    fn standing(&self) -> &Standing {
        &self.docket.standing
    }

    /// Recorded on a device, not at the server yet.
    fn records(&mut self, actor: Actor, event: CaseEvent) -> EventId {
        self.clock += 1;
        let id = EventId::derived("test", &self.clock.to_be_bytes());
        self.docket.file.events.insert(id, Recorded { event, actor, counter: self.clock });
        self.docket.standing = Standing::fold(&self.docket.file);
        id
    }

    fn rules(&mut self) -> Vec<RuledEvent> {
        let grounds = Grounds { case: CASE, destinations: &self.destinations, today: TODAY };
        self.docket.rule_all(&|actor| who(actor), &grounds)
    }

    /// Recorded and ruled at once: its id, or why it is void.
    fn arrives(&mut self, actor: Actor, event: CaseEvent) -> Result<EventId, String> {
        let id = self.records(actor, event);
        let ruled = self.rules();
        match &ruled.last().unwrap().ruling.verdict {
            Verdict::Valid => Ok(id),
            Verdict::Void(reason) => Err(reason.to_string()),
        }
    }

    fn voids(&mut self, actor: Actor, event: CaseEvent, reason: &str) {
        let before = self.standing().clone();
        assert_eq!(self.arrives(actor, event), Err(reason.to_owned()));
        let after = Standing { last_ruling: before.last_ruling, ..self.standing().clone() };
        assert_eq!(after, before, "a void event changes nothing");
    }
}

fn consent(purpose: Purpose, status: ConsentStatus) -> CaseEvent {
    CaseEvent::Consent(Consent::new(purpose, status, Form::Oral))
}

fn share(status: ConsentStatus) -> CaseEvent {
    let consent = Consent::new(Purpose::ShareWithOriginMission, status, Form::Oral);
    CaseEvent::Consent(Consent { recipient: Some(country("ML")), ..consent })
}

fn share_after(withdrawals: &[EventId]) -> CaseEvent {
    let CaseEvent::Consent(consent) = share(ConsentStatus::Given) else { unreachable!() };
    CaseEvent::Consent(Consent { after: withdrawals.iter().copied().collect(), ..consent })
}

fn registration(point: Point) -> CaseEvent {
    CaseEvent::Registered(Registered { point, on: date(2026, 10, 1), basis: None })
}

fn handover(step: HandoverStep, of: Option<EventId>) -> CaseEvent {
    let reason = (step == HandoverStep::Rejected).then_some(Rejection::Incomplete);
    CaseEvent::Handover(Handover { step, to: country("ML"), of, reason })
}

fn proposal() -> CaseEvent {
    handover(HandoverStep::Proposed, None)
}

#[test]
fn consent_handover_acceptance() {
    let mut story = Story::consenting();
    assert_eq!(story.standing().opened, None);
    let proposal = story.arrives(COUNSELLOR, proposal()).unwrap();
    assert_eq!(story.standing().opened.unwrap().country, country("ML"));
    assert_eq!(story.standing().holder, Holder::Point);
    story.arrives(BAMAKO, handover(HandoverStep::Received, Some(proposal))).unwrap();
    assert_eq!(story.standing().handover(), HandoverState::Received);
    story.arrives(BAMAKO, handover(HandoverStep::Accepted, Some(proposal))).unwrap();
    assert_eq!(story.standing().holder, Holder::Country(country("ML")));
    let covered = [Scope::Project, Scope::Note, Scope::Reintegration].into();
    assert_eq!(story.standing().scopes, covered, "assessments only where named");
    assert_eq!(stage(story.standing(), Attendance::default()), Stage::Accepted);
}

#[test]
fn a_withdrawal_returns_custody_to_the_point() {
    let mut story = Story::consenting();
    let proposal = story.arrives(COUNSELLOR, proposal()).unwrap();
    story.arrives(BAMAKO, handover(HandoverStep::Accepted, Some(proposal))).unwrap();
    story.arrives(MIGRANT, share(ConsentStatus::Withdrawn)).unwrap();
    let standing = story.standing();
    assert_eq!((standing.opened, standing.holder), (None, Holder::Point));
    assert!(standing.scopes.is_empty());
    assert!(standing.former.contains(&Place::Country(country("ML"))), "late edits from Bamako are set aside");
    story.voids(COUNSELLOR, self::proposal(), reason::NO_CONSENT);
    story.voids(BAMAKO, handover(HandoverStep::Accepted, Some(proposal)), reason::NOT_PROPOSED);
}

#[test]
fn a_withdrawal_that_overtakes_the_acceptance_wins() {
    let mut story = Story::consenting();
    let proposal = story.arrives(COUNSELLOR, proposal()).unwrap();
    story.arrives(WORKER, share(ConsentStatus::Withdrawn)).unwrap();
    story.voids(BAMAKO, handover(HandoverStep::Accepted, Some(proposal)), reason::NOT_PROPOSED);
    assert_eq!(story.standing().holder, Holder::Point);
}

#[test]
fn a_withdrawal_beats_a_concurrent_grant_in_both_orders() {
    // The migrant withdraws on the own phone while the worker, offline, records a renewed consent.
    let mut grant_first = Story::consenting();
    grant_first.arrives(WORKER, share(ConsentStatus::Given)).unwrap();
    grant_first.arrives(MIGRANT, share(ConsentStatus::Withdrawn)).unwrap();
    let mut withdrawal_first = Story::consenting();
    withdrawal_first.arrives(MIGRANT, share(ConsentStatus::Withdrawn)).unwrap();
    withdrawal_first.voids(WORKER, share(ConsentStatus::Given), reason::WITHDRAWN);
    for story in [grant_first, withdrawal_first] {
        assert!(!story.standing().consents_to(Purpose::ShareWithOriginMission));
    }
}

#[test]
fn a_consent_that_knew_the_withdrawal_counts_again() {
    let mut story = Story::consenting();
    let first = story.arrives(MIGRANT, share(ConsentStatus::Withdrawn)).unwrap();
    let second = story.arrives(MIGRANT, share(ConsentStatus::Withdrawn)).unwrap();
    story.voids(WORKER, share_after(&[first]), reason::WITHDRAWN);
    story.arrives(WORKER, share_after(&[first, second])).unwrap();
    story.arrives(COUNSELLOR, proposal()).unwrap();
}

#[test]
fn a_push_of_nine_days_offline_is_ruled_in_the_order_in_which_it_happened() {
    let mut story = Story::new();
    story.records(WORKER, registration(Point::Oujda));
    story.records(WORKER, consent(Purpose::Assist, ConsentStatus::Given));
    story.records(WORKER, share(ConsentStatus::Given));
    story.records(WORKER, proposal());
    assert_eq!(story.standing().awaiting_point, Some(Point::Oujda));
    assert!(story.standing().points.is_empty(), "no audience follows from what is not ruled");
    let ruled = story.rules();
    assert!(ruled.iter().all(|event| event.ruling.verdict.is_valid()), "{ruled:?}");
    assert_eq!(ruled.iter().map(|event| event.ruling.number).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(story.standing().opened.unwrap().country, country("ML"));
    assert_eq!(story.standing().awaiting_point, None);
}

#[test]
fn nobody_is_registered_without_a_basis() {
    let mut story = Story::new();
    assert_eq!(story.arrives(WORKER, registration(Point::Oujda)), Err(reason::NO_BASIS.to_owned()));
    story.arrives(WORKER, consent(Purpose::Assist, ConsentStatus::Refused)).unwrap();
    story.voids(WORKER, registration(Point::Oujda), reason::NO_BASIS);
    assert_eq!(story.standing().awaiting_point, Some(Point::Oujda), "the worker goes on and mends it");
    assert!(story.standing().points.is_empty());
    let basis = Some(Basis::VitalInterest);
    let vital = Registered { point: Point::Oujda, on: date(2026, 10, 1), basis };
    story.arrives(WORKER, CaseEvent::Registered(vital)).unwrap();
}

#[test]
fn registration_is_once_and_at_ones_own_point() {
    let mut story = Story::new();
    story.arrives(WORKER, consent(Purpose::Assist, ConsentStatus::Given)).unwrap();
    story.voids(WORKER, registration(Point::Rabat), reason::NOT_YOURS);
    story.voids(STRANGER, registration(Point::Oujda), reason::NOT_YOURS);
    story.arrives(WORKER, registration(Point::Oujda)).unwrap();
    assert_eq!(story.standing().awaiting_point, None);
    let twice = story.arrives(WORKER, registration(Point::Oujda));
    assert_eq!(twice, Err(reason::ALREADY_REGISTERED.to_owned()));
    assert_eq!(story.standing().points, [Point::Oujda].into());
}

#[test]
fn a_minors_consent_is_the_guardians() {
    let by_guardian = |purpose| CaseEvent::Consent(Consent::new(purpose, ConsentStatus::Given, Form::Guardian));
    let mut story = Story::new();
    // Two workers typed different years: the younger protects.
    story.docket.file.birth_years = vec![1999, 2009];
    story.records(WORKER, registration(Point::Oujda));
    story.records(WORKER, consent(Purpose::Assist, ConsentStatus::Given));
    let ruled = story.rules();
    assert_eq!(ruled[0].ruling.verdict, Verdict::Valid, "protection does not wait for papers");
    assert_eq!(ruled[1].ruling.verdict, Verdict::Void(reason::GUARDIAN_NEEDED.into()));
    assert!(!story.standing().consents_to(Purpose::Assist));
    story.voids(WORKER, share(ConsentStatus::Given), reason::GUARDIAN_NEEDED);
    story.voids(COUNSELLOR, proposal(), reason::NO_CONSENT);
    story.arrives(WORKER, by_guardian(Purpose::Assist)).unwrap();
    assert!(story.standing().consents_to(Purpose::Assist));
    story.voids(MIGRANT, by_guardian(Purpose::Photo), reason::GUARDIAN_NEEDED);
    story.arrives(MIGRANT, consent(Purpose::Photo, ConsentStatus::Refused)).unwrap();
}

#[test]
fn only_assistance_rests_on_another_basis() {
    let without_form = |purpose| {
        let consent = Consent::new(purpose, ConsentStatus::Given, Form::Oral);
        CaseEvent::Consent(Consent { form: None, basis: Some(Basis::PublicInterest), ..consent })
    };
    let mut story = Story::new();
    story.arrives(WORKER, without_form(Purpose::Assist)).unwrap();
    for purpose in [Purpose::ShareWithOriginMission, Purpose::Publish, Purpose::Photo] {
        story.voids(WORKER, without_form(purpose), reason::CONSENT_ONLY);
    }
}

#[test]
fn a_handover_needs_consent_for_that_mission_and_its_authorisation() {
    let mut story = Story::registered();
    story.voids(COUNSELLOR, proposal(), reason::NO_CONSENT);
    story.arrives(MIGRANT, share(ConsentStatus::Given)).unwrap();
    let to_guinea = Handover { step: HandoverStep::Proposed, to: country("GN"), of: None, reason: None };
    story.voids(COUNSELLOR, CaseEvent::Handover(to_guinea), reason::NO_CONSENT);
    story.voids(RABAT, proposal(), reason::NOT_YOURS);
    story.voids(BAMAKO, proposal(), reason::NOT_YOURS);
    story.destinations.0.get_mut(&country("ML")).unwrap().expires_on = date(2026, 11, 1);
    story.voids(COUNSELLOR, proposal(), reason::NO_DESTINATION);
    story.destinations.0.get_mut(&country("ML")).unwrap().expires_on = TODAY;
    story.arrives(COUNSELLOR, proposal()).unwrap();
    story.voids(COUNSELLOR, proposal(), reason::ALREADY_PROPOSED);
}

#[test]
fn a_consent_that_names_no_mission_means_the_country_of_return() {
    let mut story = Story::registered();
    story.arrives(MIGRANT, consent(Purpose::ShareWithOriginMission, ConsentStatus::Given)).unwrap();
    story.docket.file.country = Some(country("GN"));
    story.voids(COUNSELLOR, proposal(), reason::NO_CONSENT);
    story.docket.file.country = Some(country("ML"));
    story.arrives(COUNSELLOR, proposal()).unwrap();
    story.docket.file.country = Some(country("GN"));
    assert_eq!(Standing::fold(&story.docket.file).opened, story.standing().opened, "a field moves no audience");
}

#[test]
fn only_the_mission_answers_and_only_the_open_proposal() {
    let mut story = Story::consenting();
    let first = story.arrives(COUNSELLOR, proposal()).unwrap();
    for step in [HandoverStep::Received, HandoverStep::Accepted, HandoverStep::Rejected] {
        story.voids(CONAKRY, handover(step, Some(first)), reason::NOT_YOURS);
        story.voids(COUNSELLOR, handover(step, Some(first)), reason::NOT_YOURS);
    }
    story.voids(BAMAKO, handover(HandoverStep::Revoked, Some(first)), reason::NOT_YOURS);
    story.arrives(BAMAKO, handover(HandoverStep::Rejected, Some(first))).unwrap();
    assert_eq!(story.standing().opened, None);
    let second = story.arrives(COUNSELLOR, proposal()).unwrap();
    story.voids(BAMAKO, handover(HandoverStep::Accepted, Some(first)), reason::NOT_PROPOSED);
    story.arrives(COUNSELLOR, handover(HandoverStep::Revoked, Some(second))).unwrap();
    story.voids(BAMAKO, handover(HandoverStep::Accepted, Some(second)), reason::NOT_PROPOSED);
}

#[test]
fn a_mistaken_acceptance_is_undone() {
    let mut story = Story::consenting();
    let first = story.arrives(COUNSELLOR, proposal()).unwrap();
    story.voids(COUNSELLOR, handover(HandoverStep::Undone, Some(first)), reason::NOT_HOLDER);
    story.arrives(BAMAKO, handover(HandoverStep::Accepted, Some(first))).unwrap();
    story.voids(BAMAKO, handover(HandoverStep::Accepted, Some(first)), reason::ALREADY_ACCEPTED);
    story.voids(BAMAKO, handover(HandoverStep::Rejected, Some(first)), reason::ALREADY_ACCEPTED);
    story.voids(COUNSELLOR, handover(HandoverStep::Revoked, Some(first)), reason::ALREADY_ACCEPTED);
    story.voids(COUNSELLOR, proposal(), reason::NOT_HOLDER);
    story.voids(WORKER, CaseEvent::Transfer(Transfer { to: Point::Rabat }), reason::NOT_HOLDER);
    story.arrives(BAMAKO, handover(HandoverStep::Undone, Some(first))).unwrap();
    assert_eq!((story.standing().holder, story.standing().opened), (Holder::Point, None));
    story.arrives(COUNSELLOR, proposal()).unwrap();
}

#[test]
fn a_transfer_moves_the_case_between_points() {
    let mut story = Story::registered();
    let to_rabat = || CaseEvent::Transfer(Transfer { to: Point::Rabat });
    story.voids(RABAT, to_rabat(), reason::NOT_YOURS);
    story.arrives(WORKER, to_rabat()).unwrap();
    assert_eq!(story.standing().points, [Point::Rabat].into());
    assert_eq!(story.standing().registered_at, Some(Point::Oujda));
    assert!(story.standing().former.contains(&Place::Point(Point::Oujda)));
    story.voids(WORKER, CaseEvent::Transfer(Transfer { to: Point::Oujda }), reason::NOT_YOURS);
    story.voids(RABAT, to_rabat(), reason::ALREADY_THERE);
    story.arrives(RABAT, CaseEvent::Transfer(Transfer { to: Point::Oujda })).unwrap();
    assert_eq!(story.standing().former, [Place::Point(Point::Rabat)].into());
}

#[test]
fn a_scope_narrows_or_adds_what_acceptance_opens() {
    let sharing = |scope: &[Scope]| {
        let CaseEvent::Consent(consent) = share(ConsentStatus::Given) else { unreachable!() };
        CaseEvent::Consent(Consent { scope: scope.iter().copied().collect(), ..consent })
    };
    let mut story = Story::registered();
    story.arrives(MIGRANT, sharing(&[Scope::Project, Scope::Assessment])).unwrap();
    let proposal = story.arrives(COUNSELLOR, proposal()).unwrap();
    story.arrives(BAMAKO, handover(HandoverStep::Accepted, Some(proposal))).unwrap();
    assert_eq!(story.standing().scopes, [Scope::Project, Scope::Assessment].into());
    story.arrives(MIGRANT, sharing(&[Scope::Project])).unwrap();
    assert_eq!(story.standing().scopes, [Scope::Project].into(), "a narrower consent narrows at once");
}

#[test]
fn joining_is_reversible() {
    let join = |other, step| CaseEvent::Join(Join { other, step });
    let other = RecordId([8; 16]);
    let mut story = Story::registered();
    story.voids(WORKER, join(CASE, JoinStep::Join), reason::SAME_CASE);
    story.voids(WORKER, join(other, JoinStep::Unjoin), reason::NOTHING_TO_JOIN);
    story.voids(RABAT, join(other, JoinStep::Join), reason::NOT_YOURS);
    story.arrives(WORKER, join(other, JoinStep::Join)).unwrap();
    story.voids(COUNSELLOR, join(other, JoinStep::Join), reason::NOTHING_TO_JOIN);
    assert_eq!(story.standing().joined, [other].into());
    story.arrives(COUNSELLOR, join(other, JoinStep::Unjoin)).unwrap();
    assert!(story.standing().joined.is_empty());
}

#[test]
fn the_stage_follows_from_facts() {
    let declare = |to| CaseEvent::Stage(StageDeclared { to });
    let departure = |step| CaseEvent::Departure(Departure { step, on: date(2026, 12, 24) });
    let none = Attendance::default();
    let completed = Attendance { oriented: true, trained: true, completed: true };
    assert_eq!(stage(Story::new().standing(), none), Stage::Enquiry);
    let mut story = Story::consenting();
    assert_eq!(stage(story.standing(), none), Stage::Registered);
    assert_eq!(stage(story.standing(), Attendance { oriented: true, ..none }), Stage::Oriented);
    assert_eq!(stage(story.standing(), Attendance { completed: false, ..completed }), Stage::InTraining);
    assert_eq!(stage(story.standing(), completed), Stage::TrainingCompleted);
    story.arrives(COUNSELLOR, declare(Stage::VirtualCounselling)).unwrap();
    assert_eq!(stage(story.standing(), completed), Stage::VirtualCounselling);
    let proposal = story.arrives(COUNSELLOR, proposal()).unwrap();
    assert_eq!(stage(story.standing(), completed), Stage::HandoverProposed);
    story.voids(CONAKRY, departure(DepartureStep::Planned), reason::NOT_YOURS);
    story.arrives(BAMAKO, handover(HandoverStep::Accepted, Some(proposal))).unwrap();
    story.arrives(WORKER, departure(DepartureStep::Departed)).unwrap();
    story.arrives(BAMAKO, departure(DepartureStep::Arrived)).unwrap();
    assert_eq!(stage(story.standing(), completed), Stage::Arrived);
    story.arrives(BAMAKO, declare(Stage::Withdrawn)).unwrap();
    assert_eq!(stage(story.standing(), completed), Stage::Withdrawn);
    story.arrives(BAMAKO, declare(Stage::Arrived)).unwrap();
    assert_eq!(stage(story.standing(), completed), Stage::Arrived, "the exit was taken back");
    story.arrives(BAMAKO, declare(Stage::PlanAgreed)).unwrap();
    assert_eq!(stage(story.standing(), completed), Stage::PlanAgreed);
}

#[test]
fn standing_depends_on_rulings_alone_and_not_on_who_recorded_first() {
    let mut story = Story::consenting();
    let proposal = story.arrives(COUNSELLOR, proposal()).unwrap();
    story.arrives(BAMAKO, handover(HandoverStep::Accepted, Some(proposal))).unwrap();
    story.arrives(MIGRANT, share(ConsentStatus::Withdrawn)).unwrap();
    // Another replica knows other counters and authors of the same events, and the same rulings.
    let mut replica = story.docket.file.clone();
    let reversed: BTreeMap<_, _> = replica
        .events
        .iter()
        .map(|(id, recorded)| (*id, Recorded { counter: u64::MAX - recorded.counter, ..recorded.clone() }))
        .collect();
    replica.events = reversed;
    assert_eq!(Standing::fold(&replica), *story.standing());
}

#[test]
fn rulings_whose_event_is_missing_wait_for_it() {
    let mut story = Story::consenting();
    let proposal = story.arrives(COUNSELLOR, proposal()).unwrap();
    let recorded = story.docket.file.events.remove(&proposal).unwrap();
    assert_eq!(Standing::fold(&story.docket.file).opened, None);
    story.docket.file.events.insert(proposal, recorded);
    assert_eq!(Standing::fold(&story.docket.file), *story.standing());
}
