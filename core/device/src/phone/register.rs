//! Registering a person: person, badge and case come about in one change set, with the events that say on what basis.

use std::collections::BTreeMap;

use foras_record::document::{Edit, Write};
use foras_record::event::{self, Basis, CaseEvent, Consent, Purpose};
use foras_record::field::{FieldRule, ValueType, Writer};
use foras_record::identity;
use foras_record::kind::{Identity, Kind};
use foras_record::place::Point;
use foras_record::value::{self, Value};
use foras_wire::id::RecordId;
use foras_wire::record::{RecordKey, RecordRef};
use jiff::civil::Date;
use serde::Serialize;

use super::Phone;
use super::consent::{self, ConsentEvent};
use super::setting::{self, ByField, OF_CASE, Setting};
use crate::error::Error;
use crate::store::RecordEdits;

/// Days from which the programme's later phases register people. Source: the programme's published reports.
const FORAS_FROM: Date = jiff::civil::date(2017, 9, 1);
const FORAS_II_FROM: Date = jiff::civil::date(2021, 1, 1);

/// What a registration must set, and what is said where it does not.
const MANDATORY: [(&str, &str); 6] = [
    ("name", "a registration needs name"),
    ("sex", "a registration needs sex"),
    ("birth_year", "a registration needs birth_year"),
    ("nationality", "a registration needs nationality"),
    ("country", "a registration needs country, the country of return"),
    ("point", "a registration needs point"),
];

/// A person who comes for the first time, as typed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Registration {
    /// Fields; `point` and `registered_on` (else today) are set here alone.
    pub settings: Vec<Setting>,
    /// Purposes consented to, each with its form.
    pub consents: Vec<(String, String)>,
    /// Another legal basis than the consent to assist.
    pub basis: Option<String>,
}

/// A person who was registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Registered {
    /// The case.
    pub id: String,
    /// Its number.
    pub case_number: String,
}

/// A person about to be registered, every value read.
pub(super) struct Newcomer<'a> {
    pub(super) person: RecordId,
    pub(super) fields: ByField<'a>,
    pub(super) point: Point,
    pub(super) registered_on: Date,
    pub(super) basis: Option<Basis>,
    pub(super) consents: Vec<Consent>,
}

/// The change set of one action, by record.
pub(super) type ChangeSet = BTreeMap<RecordKey, RecordEdits>;

/// The programme under which a registration of that day stands, unless another is named.
pub(super) fn programme_on(day: Date) -> &'static str {
    if day < FORAS_FROM {
        "AVRR"
    } else if day < FORAS_II_FROM {
        "FORAS"
    } else {
        "FORAS II"
    }
}

/// Adds an edit of `record` to a change set.
pub(super) fn add(set: &mut ChangeSet, record: RecordRef, edit: Edit) {
    set.entry(record.key).or_insert_with(|| RecordEdits { record, edits: Vec::new() }).edits.push(edit);
}

impl Phone {
    /// Registers a person: one change set, durable when it returns.
    ///
    /// # Errors
    /// [`Error::Misuse`] where something needed is missing, unknown or repeated; [`Error::InvalidValue`];
    /// [`Error::NotAllowed`] at another point, or for another role; [`Error::NoCaseNumber`] when the device's block of
    /// numbers is used up. Nothing is then written.
    pub fn register(&mut self, registration: &Registration) -> Result<Registered, Error> {
        self.enrolled()?;
        let mut fields = setting::by_field(&registration.settings);
        for (name, missing) in MANDATORY {
            if fields.get(name).is_none_or(|values| values.iter().all(|value| value.is_empty())) {
                return Err(Error::Misuse(missing));
            }
        }
        let basis = match &registration.basis {
            Some(basis) => {
                Some(consent::code(basis, "a basis is vital_interest, legal_obligation or public_interest")?)
            }
            None => None,
        };
        let consents = consents(&registration.consents)?;
        if basis.is_none() && !consents.iter().any(|consent| consent.purpose == Purpose::Assist) {
            return Err(Error::Misuse("a registration needs --consent assist=FORM, or --basis CODE"));
        }
        let point = single(&mut fields, "point", ValueType::Point)?.and_then(|point| point.parse().ok());
        let point = point.ok_or(Error::Misuse("a registration needs point"))?;
        let registered_on = match single(&mut fields, "registered_on", ValueType::Date)? {
            Some(day) => registration_day(&day)?,
            None => self.today(),
        };
        let person = self.new_id()?;
        let newcomer = Newcomer { person, fields, point, registered_on, basis, consents };
        let (id, case_number, set) = self.newcomer(newcomer)?;
        let set: Vec<_> = set.into_values().collect();
        if let Err(error) = self.store.commit(self.now_ms(), &set) {
            self.store.return_case_numbers();
            return Err(error);
        }
        Ok(Registered { id: id.to_string(), case_number })
    }

    /// The change set that registers somebody. It takes a case number, which whoever commits returns on failure.
    pub(super) fn newcomer(&mut self, mut newcomer: Newcomer<'_>) -> Result<(RecordId, String, ChangeSet), Error> {
        let registers = Writer::Role(self.enrolled()?.role());
        if !Kind::Case.rule().creators.contains(&registers) {
            return Err(Error::NotAllowed { code: "registers_nobody", field: None });
        }
        if !self.works_at(newcomer.point)? {
            return Err(Error::NotAllowed { code: "another_point", field: Some("point") });
        }
        let case = identity::case_of_person(&newcomer.person);
        let badge = identity::badge_of_person(&newcomer.person);
        let record_of = |kind: Kind| match kind.rule().identity {
            Identity::Person => identity::record(kind, newcomer.person, Some(case)),
            Identity::FromPerson => identity::record(kind, badge, Some(case)),
            Identity::Case => identity::record(kind, case, Some(case)),
            _ => identity::record(kind, identity::of_case(kind, &case), Some(case)),
        };
        let (author, of_case) = (self.enrolled()?.actor(), record_of(Kind::Case));
        let mut set = ChangeSet::new();
        let year = self.this_year();
        newcomer.fields.entry("programme").or_insert_with(|| vec![programme_on(newcomer.registered_on)]);
        for (name, values) in &newcomer.fields {
            for (kind, field) in setting::holders(&OF_CASE, name)? {
                let key = record_of(kind).key;
                let edit = setting::edit(field, values, year, |body| {
                    Ok(identity::statement(&author, &key, field.name, body))
                })?;
                if edit.write != Write::Clear {
                    add(&mut set, record_of(kind), edit);
                }
            }
        }
        let country = newcomer.fields.get("country").and_then(|values| values.first()).copied();
        let country = country.and_then(|text| value::check(&ValueType::Country, text).ok());
        let country = country.as_ref().map(setting::plain);
        let registered = event::Registered { point: newcomer.point, on: newcomer.registered_on, basis: newcomer.basis };
        let mut events = vec![CaseEvent::Registered(registered)];
        for mut said in newcomer.consents {
            consent::complete(&mut said, None, country.as_deref());
            events.push(CaseEvent::Consent(said));
        }
        for event in events {
            let id = |field: &FieldRule, json: &str| Ok(identity::statement(&author, &of_case.key, field.name, json));
            add(&mut set, of_case, consent::event_edit(&event, id)?);
        }
        let put = |kind: Kind, name: &'static str, text: &str| {
            let field = kind.rule().field(name).ok_or(Error::Misuse("the record has no such field"))?;
            Ok::<_, Error>(Edit::of(field, Write::Put(Value::Text(text.to_owned()))))
        };
        add(&mut set, record_of(Kind::Badge), put(Kind::Badge, "case", &case.to_string())?);
        let case_number = self.store.take_case_number()?;
        add(&mut set, record_of(Kind::Case), put(Kind::Case, "case_number", &case_number)?);
        Ok((case, case_number, set))
    }
}

/// A day of registration that an event may name.
pub(super) fn registration_day(day: &str) -> Result<Date, Error> {
    let wrong = |code| Error::InvalidValue { code, field: Some("registered_on") };
    let date = value::date(day).ok_or_else(|| wrong("no_such_date"))?;
    if event::YEARS.contains(&date.year()) { Ok(date) } else { Err(wrong("out_of_range")) }
}

fn consents(typed: &[(String, String)]) -> Result<Vec<Consent>, Error> {
    let mut consents: Vec<Consent> = Vec::new();
    for (purpose, form) in typed {
        let said = ConsentEvent {
            purpose: purpose.clone(),
            status: "given".to_owned(),
            form: form.clone(),
            ..ConsentEvent::default()
        };
        let consent = said.read()?;
        if consents.iter().any(|earlier| earlier.purpose == consent.purpose) {
            return Err(Error::Misuse("a consent is named twice"));
        }
        consents.push(consent);
    }
    Ok(consents)
}

/// Takes a setting that is no field out of `fields`.
fn single(fields: &mut ByField<'_>, name: &'static str, value_type: ValueType) -> Result<Option<String>, Error> {
    let values = fields.remove(name).unwrap_or_default();
    match values.as_slice() {
        [] | [""] => Ok(None),
        [text] => match value::check(&value_type, text) {
            Ok(value) => Ok(Some(setting::plain(&value))),
            Err(error) => Err(Error::InvalidValue { code: error.code(), field: Some(name) }),
        },
        _ => Err(Error::Misuse("a field that takes one value is set twice")),
    }
}
