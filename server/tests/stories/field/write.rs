//! What people write.

use foras_record::document::{Edit, Write};
use foras_record::event::{
    CaseEvent, Consent, ConsentStatus, EventId, Form, Handover, HandoverStep, Purpose, Registered,
};
use foras_record::identity;
use foras_record::kind::Kind;
use foras_record::value::{self, Value};
use foras_wire::id::RecordId;
use foras_wire::record::RecordRef;

use super::{Office, Phone};

/// A field set to what somebody typed.
pub fn put(kind: Kind, field: &str, typed: &str) -> Edit {
    let field = kind.rule().field(field).unwrap();
    Edit::of(field, Write::Put(value::check(&field.value, typed).unwrap()))
}

/// An event of a case.
pub fn event(id: EventId, event: &CaseEvent) -> Edit {
    let field = Kind::Case.rule().field(event.family().code()).unwrap();
    Edit::item(field, id.to_string(), Write::Put(Value::Text(event.to_json())))
}

/// The shown text of a field.
pub fn text(phone: &Phone, record: &RecordRef, field: &str) -> Option<String> {
    let kind = Kind::of_code(record.key.kind).unwrap();
    match phone.document(record)?.value(kind.rule().field(field).unwrap()) {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    }
}

/// Somebody registered, with the records made at registration.
#[derive(Debug, Clone, Copy)]
pub struct Person {
    pub person: RecordRef,
    pub badge: RecordRef,
    pub case: RecordRef,
    pub path: RecordRef,
    pub project: RecordRef,
}

impl Person {
    pub fn new(office: &mut Office) -> Self {
        let person = RecordId(office.id());
        let case = identity::case_of_person(&person);
        let record = |kind, id| identity::record(kind, id, Some(case));
        Self {
            person: record(Kind::Person, person),
            badge: record(Kind::Badge, identity::badge_of_person(&person)),
            case: record(Kind::Case, case),
            path: record(Kind::Path, identity::of_case(Kind::Path, &case)),
            project: record(Kind::Project, identity::of_case(Kind::Project, &case)),
        }
    }

    pub fn id(&self) -> RecordId {
        self.case.key.id
    }

    /// Registered at a point, to return to Mali, with oral consent to be assisted.
    pub fn register(office: &mut Office, phone: &mut Phone, point: &str, name: &str) -> Self {
        let this = Self::new(office);
        let registered = Registered { point: point.parse().unwrap(), on: jiff::civil::date(2026, 10, 5), basis: None };
        let assist = Consent::new(Purpose::Assist, ConsentStatus::Given, Form::Oral);
        let number = format!("T-{}", office.draw());
        let case = vec![
            put(Kind::Case, "case_number", &number),
            put(Kind::Case, "sex", "f"),
            put(Kind::Case, "birth_year", "1996"),
            put(Kind::Case, "nationality", "ML"),
            put(Kind::Case, "country", "ML"),
            event(event_id(office), &CaseEvent::Registered(registered)),
            event(event_id(office), &CaseEvent::Consent(assist)),
        ];
        let edits = [
            (this.person, vec![put(Kind::Person, "name", name)]),
            (this.badge, vec![put(Kind::Badge, "name", name)]),
            (this.case, case),
        ];
        phone.act(office.now_ms, &edits);
        this
    }

    pub fn consent(&self, office: &mut Office, phone: &mut Phone, status: ConsentStatus) -> EventId {
        let consent = Consent::new(Purpose::ShareWithOriginMission, status, Form::Oral);
        self.record(office, phone, &CaseEvent::Consent(consent))
    }

    pub fn handover(&self, office: &mut Office, phone: &mut Phone, step: HandoverStep, of: Option<EventId>) -> EventId {
        let handover = Handover { step, to: "ML".parse().unwrap(), of, reason: None };
        self.record(office, phone, &CaseEvent::Handover(handover))
    }

    pub fn record(&self, office: &mut Office, phone: &mut Phone, recorded: &CaseEvent) -> EventId {
        let id = event_id(office);
        phone.act(office.now_ms, &[(self.case, vec![event(id, recorded)])]);
        id
    }

    /// The ruling of an event, as the phone holds it.
    pub fn ruling(&self, phone: &Phone, id: EventId) -> Option<String> {
        let items = phone.document(&self.case)?.items(Kind::Case.rule().field("ruling").unwrap());
        match items.get(&id.to_string()) {
            Some(Value::Text(text)) => Some(text.split_once(' ').unwrap().1.to_owned()),
            _ => None,
        }
    }
}

fn event_id(office: &mut Office) -> EventId {
    EventId::new(office.id())
}
