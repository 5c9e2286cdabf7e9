//! Cases as lines of JSON, in the shape that an import reads, with their `id`.

use std::collections::BTreeMap;

use foras_record::document::Document;
use foras_record::event::{CaseEvent, Family};
use foras_record::field::{FieldRule, Shape};
use foras_record::kind::Kind;
use foras_record::standing::Standing;
use foras_record::{calendar, identity, value};
use foras_wire::id::RecordId;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Phone;
use super::setting;
use crate::error::Error;

/// One case as a line. Not in it: what an import gives anew (case number, who and when), interviews, handovers, events
/// beside the newest consents, and satisfaction, since nothing links an answer to its giver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct CaseExported {
    fields: Map<String, Value>,
}

impl Phone {
    /// Gives each case that the device holds to `sink`, in the order of their ids.
    ///
    /// # Errors
    /// [`Error::NotEnrolled`]; [`Error::Locked`] when the lease is spent; what `sink` returns. A role that holds no
    /// names exports nothing.
    pub fn export<E: From<Error>>(&mut self, mut sink: impl FnMut(&CaseExported) -> Result<(), E>) -> Result<u64, E> {
        self.readable()?;
        let mut cases: Vec<RecordId> = Vec::new();
        for record in self.store.records_of_kind(Kind::Person)? {
            cases.extend(record.case);
        }
        cases.sort_unstable();
        for case in &cases {
            sink(&self.exported(case)?)?;
        }
        Ok(cases.len() as u64)
    }

    fn exported(&mut self, case: &RecordId) -> Result<CaseExported, Error> {
        let mut fields = Map::new();
        fields.insert("id".to_owned(), case.to_string().into());
        for record in self.store.records_of_case(case)? {
            let Some(kind) = Kind::of_code(record.key.kind) else { continue };
            let Some(document) = self.document(&record.key)? else { continue };
            match kind {
                Kind::Person | Kind::Project => plain_fields(kind, &document, &mut fields),
                Kind::Case => {
                    plain_fields(kind, &document, &mut fields);
                    events(&document, &mut fields);
                }
                Kind::Assessment => {
                    let newest = kind.rule().field("vulnerabilities").and_then(|field| document.field(field).shown);
                    let list = newest.and_then(|held| held.value.get("values").cloned());
                    if let Some(list) = list.filter(|list| list.as_array().is_some_and(|list| !list.is_empty())) {
                        fields.insert("vulnerabilities".to_owned(), list);
                    }
                }
                Kind::Path => {
                    let days = self.module_days_of(&document)?;
                    if !days.is_empty() {
                        fields.insert("modules".to_owned(), days.into());
                    }
                }
                _ => {}
            }
        }
        Ok(CaseExported { fields })
    }

    /// Attendance with the module and day of its session, oldest first; sessions that are not held are left out.
    fn module_days_of(&mut self, path: &Document) -> Result<Vec<Value>, Error> {
        let Some(attendance) = Kind::Path.rule().field("attendance") else { return Ok(Vec::new()) };
        let mut days = Vec::new();
        for (session, outcome) in path.items(attendance) {
            let Ok(id) = session.parse::<RecordId>() else { continue };
            let key = identity::record(Kind::Session, id, None).key;
            let Some(document) = self.document(&key)? else { continue };
            let text = |name| document.value_text(Kind::Session.rule().field(name)?);
            let start = text("start").and_then(|start| value::instant_s(&start));
            if let (Some(module), Some(start)) = (text("module"), start) {
                days.push((calendar::day_of(start).to_string(), module, setting::plain(&outcome)));
            }
        }
        days.sort();
        days.dedup();
        Ok(days
            .into_iter()
            .map(|(on, module, attendance)| json!({"module": module, "on": on, "attendance": attendance}))
            .collect())
    }
}

/// The fields that an import sets by name.
fn plain_fields(kind: Kind, document: &Document, fields: &mut Map<String, Value>) {
    let settable = |field: &&FieldRule| setting::is_settable(kind, field);
    for field in kind.rule().fields.iter().filter(settable) {
        let value = match field.shape {
            Shape::One => document.value(field).map(|value| value.to_json()),
            Shape::Set => {
                let members = document.members(field);
                (!members.is_empty()).then(|| members.into_iter().collect::<Vec<_>>().into())
            }
            _ => None,
        };
        if let Some(value) = value {
            fields.insert(field.name.to_owned(), value);
        }
    }
}

/// Point, day, basis, and the newest answer by purpose: ruled where there is a ruling, else as recorded.
fn events(document: &Document, fields: &mut Map<String, Value>) {
    let standing = Standing::of(document);
    let of = |family: Family| {
        let field = Kind::Case.rule().field(family.code());
        let events = field.map(|field| document.field(field).items).unwrap_or_default();
        let mut events: Vec<_> =
            events.into_iter().map(|(id, state)| (state.shown.time_s, id, state.shown.value)).collect();
        events.sort_by(|one, other| (one.0, &one.1).cmp(&(other.0, &other.1)));
        let parsed =
            events.into_iter().filter_map(move |(_, _, json)| CaseEvent::parse(family, &json.to_string()).ok());
        parsed.collect::<Vec<_>>()
    };
    for event in of(Family::Registered) {
        let CaseEvent::Registered(registered) = event else { continue };
        fields.entry("point").or_insert_with(|| registered.point.code().into());
        fields.entry("registered_on").or_insert_with(|| registered.on.to_string().into());
        if let Some(basis) = registered.basis {
            fields.entry("basis").or_insert_with(|| basis.code().into());
        }
    }
    if let (Some(point), Some(on)) = (standing.registered_at, standing.registered_on) {
        fields.insert("point".to_owned(), point.code().into());
        fields.insert("registered_on".to_owned(), on.to_string().into());
    }
    let mut consents: BTreeMap<&'static str, Value> = BTreeMap::new();
    for event in of(Family::Consent) {
        let CaseEvent::Consent(consent) = event else { continue };
        consents.insert(consent.purpose.code(), said(consent.status.code(), consent.form.map(|form| form.code())));
    }
    for (purpose, state) in &standing.consents {
        if let Some(status) = state.status {
            consents.insert(purpose.code(), said(status.code(), state.form.map(|form| form.code())));
        }
    }
    if !consents.is_empty() {
        fields.insert("consents".to_owned(), json!(consents));
    }
}

/// As an import reads it: the form of a consent that is given, else what was said and how.
fn said(status: &str, form: Option<&str>) -> Value {
    match form {
        Some(form) if status == "given" => form.into(),
        form => json!({"status": status, "form": form.unwrap_or("oral")}),
    }
}
