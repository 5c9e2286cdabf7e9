//! The situations of the matrix: in the oracle's words, and as the rulings make them.

use std::collections::BTreeSet;

use foras_record::access::AuthorFacts;
use foras_record::event::{
    CaseEvent, Consent, ConsentStatus, EventId, Form, Handover, HandoverStep, Purpose, Registered, Scope, Transfer,
};
use foras_record::place::{Country, Point};
use foras_record::role::Role;
use foras_record::ruling::{Authorisation, Destinations, Docket, Grounds};
use foras_record::standing::{CaseFile, Recorded, Standing};
use foras_wire::id::{Actor, RecordId};
use jiff::civil::date;

use crate::oracle::{Somebody, World};

pub(crate) const CASE: RecordId = RecordId([7; 16]);
const OTHER_CASE: RecordId = RecordId([8; 16]);

/// Everybody: each role where the records are, and elsewhere.
pub(crate) fn everybody() -> Vec<(Somebody, AuthorFacts)> {
    let mut all = Vec::new();
    let mut add = |role: Role, place: &'static str, own: bool| {
        let who = Somebody { role: role.code(), place, own };
        let own_case = (role == Role::Migrant).then_some(if own { CASE } else { OTHER_CASE });
        all.push((who, AuthorFacts { role, places: place.parse().into_iter().collect(), own_case }));
    };
    for role in [Role::Outreach, Role::Trainer, Role::HostCounsellor] {
        for place in ["oujda", "rabat", "casablanca"] {
            add(role, place, false);
        }
    }
    for place in ["ML", "GN"] {
        add(Role::OriginCounsellor, place, false);
    }
    add(Role::Migrant, "", true);
    add(Role::Migrant, "", false);
    for role in [Role::Coordinator, Role::Admin, Role::Server] {
        add(role, "", false);
    }
    all
}

/// The situations of a case, each with the standing that the rulings give it.
pub(crate) fn cases() -> Vec<(World, Standing)> {
    let nowhere = World { name: "nowhere", point: "", awaiting: "", mission: "", accepted: None, at_distance: false };
    let oujda = World { name: "registered", point: "oujda", ..nowhere };
    let opened = World { name: "opened", mission: "ML", ..oujda };
    let mut all = vec![
        (nowhere, Docket::of(CaseFile::default()).standing),
        (World { name: "awaiting", awaiting: "oujda", ..nowhere }, awaiting()),
        (oujda, Life::registered().standing()),
        (World { name: "transferred", point: "rabat", ..nowhere }, Life::registered().transferred().standing()),
        (opened, Life::registered().shares(&[]).proposed().standing()),
        (World { name: "rejected", ..oujda }, Life::registered().shares(&[]).proposed().answered(false).standing()),
        (World { name: "revoked", ..oujda }, Life::registered().shares(&[]).proposed().revoked().standing()),
        (
            World { name: "proposal withdrawn", ..oujda },
            Life::registered().shares(&[]).proposed().withdrawn().standing(),
        ),
        (
            World { name: "acceptance withdrawn", ..oujda },
            Life::registered().shares(&[]).proposed().answered(true).withdrawn().standing(),
        ),
    ];
    let scopes: [(&'static [&'static str], &[Scope]); 4] = [
        (&["project", "note"], &[]),
        (&["assessment"], &[Scope::Assessment]),
        (&["project"], &[Scope::Project, Scope::Person]),
        (&["project", "note", "assessment"], Scope::ALL),
    ];
    for (covered, scopes) in scopes {
        let world = World { name: "accepted", accepted: Some(covered), ..opened };
        all.push((world, Life::registered().shares(scopes).proposed().answered(true).standing()));
    }
    all
}

/// The situations of records about nobody.
pub(crate) fn sites() -> Vec<World> {
    let at = |point, mission, at_distance| {
        let name = if at_distance { "at a distance" } else { "on site" };
        World { name, point, awaiting: "", mission, accepted: None, at_distance }
    };
    vec![at("oujda", "ML", false), at("rabat", "GN", false), at("", "ML", true), at("", "GN", true)]
}

fn awaiting() -> Standing {
    let mut file = CaseFile::default();
    let event = CaseEvent::Registered(Registered { point: Point::Oujda, on: date(2026, 10, 1), basis: None });
    file.events.insert(EventId::new([1; 16]), Recorded { event, actor: Actor([1; 16]), counter: 1 });
    Docket::of(file).standing
}

/// The life of a case, event by event; each must be ruled valid.
struct Life {
    docket: Docket,
    counter: u64,
    proposal: Option<EventId>,
}

impl Life {
    fn registered() -> Self {
        let mut life = Self { docket: Docket::of(CaseFile::default()), counter: 0, proposal: None };
        life.event(1, consent(Purpose::Assist, ConsentStatus::Given, &[]));
        life.event(1, CaseEvent::Registered(Registered { point: Point::Oujda, on: date(2026, 10, 1), basis: None }));
        life
    }

    fn standing(self) -> Standing {
        self.docket.standing
    }

    fn transferred(mut self) -> Self {
        self.event(1, CaseEvent::Transfer(Transfer { to: Point::Rabat }));
        self
    }

    fn shares(mut self, scopes: &[Scope]) -> Self {
        self.event(1, consent(Purpose::ShareWithOriginMission, ConsentStatus::Given, scopes));
        self
    }

    fn withdrawn(mut self) -> Self {
        self.event(1, consent(Purpose::ShareWithOriginMission, ConsentStatus::Withdrawn, &[]));
        self
    }

    fn proposed(mut self) -> Self {
        self.proposal = Some(self.handover(1, HandoverStep::Proposed));
        self
    }

    fn revoked(mut self) -> Self {
        self.handover(1, HandoverStep::Revoked);
        self
    }

    fn answered(mut self, accepted: bool) -> Self {
        self.handover(2, if accepted { HandoverStep::Accepted } else { HandoverStep::Rejected });
        self
    }

    fn handover(&mut self, by: u8, step: HandoverStep) -> EventId {
        let reason = (step == HandoverStep::Rejected).then_some("other".parse().unwrap());
        self.event(by, CaseEvent::Handover(Handover { step, to: mali(), of: self.proposal, reason }))
    }

    /// By the worker in Oujda (1) or the counsellor in Bamako (2).
    fn event(&mut self, by: u8, event: CaseEvent) -> EventId {
        self.counter += 1;
        let id = EventId::new([u8::try_from(self.counter).unwrap(); 16]);
        self.docket.file.events.insert(id, Recorded { event, actor: Actor([by; 16]), counter: self.counter });
        let destinations =
            Destinations([(mali(), Authorisation { reference: "demo".into(), expires_on: date(2030, 1, 1) })].into());
        let authors = |actor: &Actor| {
            let (role, place) =
                if *actor == Actor([1; 16]) { (Role::HostCounsellor, "oujda") } else { (Role::OriginCounsellor, "ML") };
            Some(AuthorFacts { role, places: [place.parse().unwrap()].into(), own_case: None })
        };
        let grounds = Grounds { case: CASE, destinations: &destinations, today: date(2026, 11, 2) };
        let ruled = self.docket.rule_all(&authors, &grounds);
        assert!(ruled.iter().all(|one| one.ruling.verdict.is_valid()), "{ruled:?}");
        id
    }
}

fn mali() -> Country {
    "ML".parse().unwrap()
}

fn consent(purpose: Purpose, status: ConsentStatus, scopes: &[Scope]) -> CaseEvent {
    let consent = Consent::new(purpose, status, Form::Oral);
    let scope: BTreeSet<Scope> = scopes.iter().copied().collect();
    CaseEvent::Consent(Consent { scope, recipient: Some(mali()), ..consent })
}
