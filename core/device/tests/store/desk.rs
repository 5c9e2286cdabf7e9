//! What a person at an orientation point does, in few words.

use std::collections::BTreeSet;

use foras::error::Error;
use foras::store::{Entropy, Receipt, RecordEdits, Store};
use foras_record::document::{Edit, Write};
use foras_record::identity;
use foras_record::kind::Kind;
use foras_record::value::Value;
use foras_wire::id::RecordId;
use foras_wire::record::RecordRef;
use rand_core::{Rng, SeedableRng};

/// Monday, 5 October 2026, 08:00 in Morocco.
pub(crate) const NOW_MS: i64 = 1_791_183_600_000;

pub(crate) fn now_s() -> i64 {
    NOW_MS / 1_000
}

/// Random numbers from a seed.
pub(crate) struct Seeded(rand_chacha::ChaCha8Rng);

impl Seeded {
    pub(crate) fn boxed(seed: u64) -> Box<dyn Entropy> {
        Box::new(Self(rand_chacha::ChaCha8Rng::seed_from_u64(seed)))
    }
}

impl Entropy for Seeded {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        self.0.fill_bytes(bytes);
        Ok(())
    }
}

pub(crate) fn in_memory(seed: u64) -> Store {
    Store::open_in_memory(Seeded::boxed(seed)).unwrap()
}

/// A person and what belongs to them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Someone {
    pub(crate) person: RecordRef,
    pub(crate) badge: RecordRef,
    pub(crate) case: RecordRef,
    pub(crate) path: RecordRef,
}

impl Someone {
    pub(crate) fn numbered(number: u8) -> Self {
        let person = RecordId([number; 16]);
        let case = identity::case_of_person(&person);
        let record = |kind, id| identity::record(kind, id, Some(case));
        Self {
            person: record(Kind::Person, person),
            badge: record(Kind::Badge, identity::badge_of_person(&person)),
            case: record(Kind::Case, case),
            path: record(Kind::Path, identity::of_case(Kind::Path, &case)),
        }
    }

    pub(crate) fn case_id(&self) -> RecordId {
        self.case.key.id
    }
}

pub(crate) fn put(record: RecordRef, field: &str, value: &str) -> RecordEdits {
    RecordEdits { record, edits: vec![one(record, field, None, value)] }
}

pub(crate) fn put_item(record: RecordRef, field: &str, item: &str, value: &str) -> RecordEdits {
    RecordEdits { record, edits: vec![one(record, field, Some(item), value)] }
}

fn one(record: RecordRef, field: &str, item: Option<&str>, value: &str) -> Edit {
    let rule = Kind::of_code(record.key.kind).unwrap().rule().field(field).unwrap();
    let value = value.parse::<i64>().map_or_else(|_| Value::Text(value.to_owned()), Value::Int);
    Edit { field: rule, item: item.map(str::to_owned), write: Write::Put(value) }
}

pub(crate) fn members(record: RecordRef, field: &str, members: &[&str]) -> RecordEdits {
    let rule = Kind::of_code(record.key.kind).unwrap().rule().field(field).unwrap();
    let members: BTreeSet<String> = members.iter().map(|member| (*member).to_owned()).collect();
    RecordEdits { record, edits: vec![Edit::of(rule, Write::Members(members))] }
}

pub(crate) fn text(record: RecordRef, field: &str, text: &str) -> RecordEdits {
    let rule = Kind::of_code(record.key.kind).unwrap().rule().field(field).unwrap();
    RecordEdits { record, edits: vec![Edit::of(rule, Write::Text(text.to_owned()))] }
}

/// The id of an event, from its family's first letter and a number.
pub(crate) fn event(number: u8) -> String {
    RecordId([number; 16]).to_string()
}

/// Registers somebody at a point, as one action.
pub(crate) fn register(store: &mut Store, someone: Someone, name: &str, point: &str, number: u8) -> Receipt {
    let registered = format!(r#"{{"point":"{point}","on":"2026-10-05"}}"#);
    let consent = r#"{"purpose":"assist","status":"given","form":"oral"}"#;
    let mut case = put(someone.case, "country", "ML");
    case.edits.push(one(someone.case, "birth_year", None, "1996"));
    case.edits.push(one(someone.case, "registered", Some(&event(number)), &registered));
    case.edits.push(one(someone.case, "consent", Some(&event(number + 100)), consent));
    let case_number = store.take_case_number().unwrap();
    case.edits.push(one(someone.case, "case_number", None, &case_number));
    let set = [put(someone.person, "name", name), put(someone.badge, "name", name), case];
    store.commit(NOW_MS, &set).unwrap()
}

/// The value that shows.
pub(crate) fn shown(store: &mut Store, record: &RecordRef, field: &str) -> Option<String> {
    let document = store.document(&record.key).ok()?;
    document.value_text(document.kind().rule().field(field).unwrap())
}
