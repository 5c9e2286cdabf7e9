#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

//! Replicas of one case: phones that wrote offline, a server that rules, and any order of arrival.

use std::collections::BTreeSet;

use foras_wire::id::{Actor, RecordId};
use jiff::civil::date;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};

use super::*;
use crate::access::{self, AuthorFacts};
use crate::change;
use crate::document::{Edit, Write};
use crate::event::{
    CaseEvent, Consent, Departure, DepartureStep, Handover, HandoverStep, Join, JoinStep, Registered, StageDeclared,
    Transfer,
};
use crate::kind::Kind;
use crate::kinds::case::CASE as CASE_RULE;
use crate::role::Role;
use crate::ruling::{Authorisation, Destinations, rule_document};
use crate::value::Value;

const CASE: RecordId = RecordId([7; 16]);
const SERVER: Actor = Actor([99; 16]);
const START_S: i64 = 1_790_000_000;

struct Dice(ChaCha8Rng);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        usize::try_from(self.0.next_u32()).unwrap() % sides
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

fn who(actor: &Actor) -> Option<AuthorFacts> {
    let (role, place) = match actor.0[0] {
        1 => (Role::Outreach, "oujda"),
        2 => (Role::HostCounsellor, "rabat"),
        3 => (Role::OriginCounsellor, "ML"),
        4 => (Role::OriginCounsellor, "GN"),
        _ => (Role::Migrant, ""),
    };
    let own_case = (role == Role::Migrant).then_some(CASE);
    Some(AuthorFacts { role, places: place.parse().into_iter().collect(), own_case })
}

fn destinations() -> Destinations {
    let until =
        |code: &str| (code.parse().unwrap(), Authorisation { reference: "demo".into(), expires_on: date(2030, 1, 1) });
    Destinations([until("ML"), until("GN")].into())
}

/// Any event that somebody might record on this replica.
fn any_event(dice: &mut Dice, replica: &Document) -> CaseEvent {
    let standing = Standing::of(replica);
    let to = dice.one(&["ML", "GN"]).parse().unwrap();
    match dice.below(14) {
        0 => {
            let point = *dice.one(&Point::ALL);
            CaseEvent::Registered(Registered { point, on: date(2026, 10, 1), basis: None })
        }
        1 => CaseEvent::Transfer(Transfer { to: *dice.one(&Point::ALL) }),
        2 => CaseEvent::Stage(StageDeclared { to: *dice.one(Stage::ALL) }),
        3 => {
            let on = date(2026, 12, 1);
            CaseEvent::Departure(Departure { step: *dice.one(DepartureStep::ALL), on })
        }
        4 => CaseEvent::Join(Join { other: RecordId([1; 16]), step: *dice.one(JoinStep::ALL) }),
        5..=10 => {
            // Mostly what makes sense on this replica, sometimes anything.
            let (likely, of) = match standing.opened {
                Some(opening) => (HandoverStep::Accepted, opening.proposal),
                None => (HandoverStep::Proposed, EventId::new([0; 16])),
            };
            let step = if dice.below(4) > 0 { likely } else { *dice.one(HandoverStep::ALL) };
            let named = standing.consent(Purpose::ShareWithOriginMission).recipient;
            let to = standing.opened.map(|opening| opening.country).or(named).unwrap_or(to);
            let of = (step != HandoverStep::Proposed).then_some(of);
            let reason = (step == HandoverStep::Rejected).then(|| "other".parse().unwrap());
            CaseEvent::Handover(Handover { step, to, of, reason })
        }
        _ => {
            let purpose = *dice.one(&[Purpose::Assist, Purpose::ShareWithOriginMission]);
            let status = *dice.one(&[
                ConsentStatus::Given,
                ConsentStatus::Given,
                ConsentStatus::Given,
                ConsentStatus::Withdrawn,
            ]);
            let after = match dice.below(2) {
                0 => BTreeSet::new(),
                _ => standing.consent(purpose).withdrawals,
            };
            let recipient = Some(to);
            CaseEvent::Consent(Consent { after, recipient, ..Consent::new(purpose, status, Form::Oral) })
        }
    }
}

fn edit_of(id: EventId, event: &CaseEvent) -> Edit {
    let field = CASE_RULE.field(event.family().code()).unwrap();
    Edit::item(field, id.to_string(), Write::Put(Value::Text(event.to_json())))
}

/// Registered in Oujda, with consent to be assisted and to share with Bamako.
fn registered(case: &mut Document) -> Vec<u8> {
    let share = Consent::new(Purpose::ShareWithOriginMission, ConsentStatus::Given, Form::Written);
    let events = [
        CaseEvent::Registered(Registered { point: Point::Oujda, on: date(2026, 10, 1), basis: None }),
        CaseEvent::Consent(Consent::new(Purpose::Assist, ConsentStatus::Given, Form::Oral)),
        CaseEvent::Consent(Consent { recipient: "ML".parse().ok(), ..share }),
    ];
    let edits: Vec<Edit> = events.iter().zip(200..).map(|(event, id)| edit_of(EventId::new([id; 16]), event)).collect();
    case.edit(Actor([1; 16]), START_S, &edits).unwrap().unwrap().chunk
}

/// A case's life: phones edit their own replica, reach the server now and then, and it rules. Gives every change.
fn life(dice: &mut Dice) -> (Vec<Vec<u8>>, Document) {
    let mut server = Document::empty(Kind::Case);
    let mut all = vec![registered(&mut server)];
    let ruled = rule_document(&mut server, CASE, (SERVER, START_S), &who, &destinations()).unwrap();
    all.extend(ruled.authored.map(|authored| authored.chunk));
    let mut phones: Vec<(Document, Vec<Vec<u8>>)> = (1..=5).map(|_| (server.clone(), Vec::new())).collect();
    for step in 0..40_u8 {
        let at = *dice.one(&[0, 0, 2, 2, 2, 1, 3, 4]);
        let actor = Actor([u8::try_from(at).unwrap() + 1; 16]);
        let (phone, outbox) = &mut phones[at];
        if dice.below(3) > 0 {
            let event = any_event(dice, phone);
            let authored = phone.edit(actor, START_S, &[edit_of(EventId::new([step; 16]), &event)]).unwrap();
            outbox.extend(authored.map(|authored| authored.chunk));
        } else {
            for chunk in outbox.drain(..) {
                server.apply(&[&chunk]).unwrap();
                all.push(chunk);
            }
            let ruled = rule_document(&mut server, CASE, (SERVER, START_S), &who, &destinations()).unwrap();
            assert_eq!(ruled.standing, Standing::of(&server), "what was ruled is what is read");
            all.extend(ruled.authored.map(|authored| authored.chunk));
            let missing: Vec<&[u8]> = all
                .iter()
                .filter(|chunk| !phone.has_change(&change::chunk_hash(chunk).unwrap()))
                .map(Vec::as_slice)
                .collect();
            phone.apply(&missing).unwrap();
        }
    }
    (all, server)
}

/// The changes in another order in which they may arrive: dependencies first, else as the dice fall.
fn another_order(dice: &mut Dice, chunks: &[Vec<u8>]) -> Document {
    let mut waiting: Vec<&Vec<u8>> = chunks.iter().collect();
    let mut replica = Document::empty(Kind::Case);
    while !waiting.is_empty() {
        let at = dice.below(waiting.len());
        let ready = change::parse(waiting[at]).unwrap().deps.iter().all(|dep| replica.has_change(dep));
        if ready {
            replica.apply(&[waiting.swap_remove(at)]).unwrap();
        }
    }
    replica
}

#[test]
fn replicas_with_the_same_rulings_stand_alike_whatever_came_first() {
    let (mut opened, mut accepted, mut withdrawn) = (0, 0, 0);
    for seed in 0..40 {
        let mut dice = Dice(ChaCha8Rng::seed_from_u64(seed));
        let (chunks, server) = life(&mut dice);
        let expected = Standing::of(&server);
        opened += expected.handovers.len();
        accepted += expected.handovers.iter().filter(|course| course.accepted_on.is_some()).count();
        withdrawn += expected.handovers.iter().filter(|course| course.state().code() == "withdrawn").count();
        for _ in 0..2 {
            let replica = another_order(&mut dice, &chunks);
            assert_eq!(Standing::of(&replica), expected, "seed {seed}");
            let reloaded = Document::load(Kind::Case, &replica.save()).unwrap();
            assert_eq!(Standing::of(&reloaded), expected, "seed {seed}, reloaded");
            for rule in crate::registry::ALL {
                let empty = Document::empty(rule.kind);
                let of = |standing| access::audiences(rule.kind, Some(standing), Some(CASE), &empty);
                assert_eq!(of(&Standing::of(&replica)), of(&expected), "seed {seed}");
            }
        }
    }
    assert!(opened >= 20 && accepted >= 5 && withdrawn >= 3, "dull lives: {opened}, {accepted}, {withdrawn}");
}

#[test]
fn no_mission_sees_a_case_without_a_consent_that_stands() {
    for seed in 0..80 {
        let mut dice = Dice(ChaCha8Rng::seed_from_u64(1_000 + seed));
        let (_, server) = life(&mut dice);
        let standing = Standing::of(&server);
        assert!(standing.unruled.len() + usize::try_from(standing.last_ruling).unwrap() <= 43);
        if standing.opened.is_some() {
            assert!(standing.consents_to(Purpose::ShareWithOriginMission), "seed {seed}");
        }
        if let Holder::Country(country) = standing.holder {
            assert_eq!(standing.opened.map(|opening| opening.country), Some(country), "seed {seed}");
        }
        assert!(standing.points.len() <= 1, "seed {seed}");
    }
}

#[test]
fn an_event_that_nobody_can_read_is_left_out() {
    let mut case = Document::empty(Kind::Case);
    let field = CASE_RULE.field("consent").unwrap();
    let newer = Edit::item(field, "ab".repeat(16), Write::Put(Value::from(r#"{"purpose":"dream","status":"given"}"#)));
    case.edit(Actor([1; 16]), START_S, &[newer]).unwrap();
    assert_eq!(Standing::of(&case), Standing::default());
}
