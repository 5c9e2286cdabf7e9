//! Consent events: given, refused, withdrawn.

use std::collections::BTreeSet;
use std::str::FromStr;

use foras_record::document::{Document, Edit, Write};
use foras_record::event::{CaseEvent, Consent, ConsentStatus, EventId, Family, Purpose};
use foras_record::field::{FieldRule, ValueType};
use foras_record::identity;
use foras_record::kind::Kind;
use foras_record::value::{self, Value};
use foras_wire::id::RecordId;

use super::{Phone, Stepped, setting};
use crate::error::Error;
use crate::store::RecordEdits;

/// What somebody said, as typed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConsentEvent {
    /// assist, share_with_origin_mission, publish or photo.
    pub purpose: String,
    /// given, refused or withdrawn.
    pub status: String,
    /// oral, written, implicit, proxy or guardian.
    pub form: String,
    /// The language in which it was asked.
    pub language: Option<String>,
    /// What it covers, where that is not the usual.
    pub scopes: Vec<String>,
    /// The country whose mission it names; else the country of return.
    pub recipient: Option<String>,
}

impl ConsentEvent {
    /// The event, without what the case itself adds.
    pub(super) fn read(&self) -> Result<Consent, Error> {
        let purpose = code(&self.purpose, "a purpose is assist, share_with_origin_mission, publish or photo")?;
        let status = code(&self.status, "a consent is given, refused or withdrawn")?;
        let form = code(&self.form, "a form is oral, written, implicit, proxy or guardian")?;
        let mut consent = Consent::new(purpose, status, form);
        for scope in &self.scopes {
            let known = "a scope is person, case, path, project, note, reintegration or assessment";
            consent.scope.insert(code(scope, known)?);
        }
        let checked = |value_type: ValueType, text: &str, field: &'static str| match value::check(&value_type, text) {
            Ok(value) => Ok(setting::plain(&value)),
            Err(error) => Err(Error::InvalidValue { code: error.code(), field: Some(field) }),
        };
        consent.language =
            self.language.as_deref().map(|text| checked(ValueType::Language, text, "language")).transpose()?;
        if let Some(text) = &self.recipient {
            consent.recipient = checked(ValueType::Country, text, "recipient")?.parse().ok();
        }
        Ok(consent)
    }
}

/// The code that `text` is, or a misuse.
pub(super) fn code<T: FromStr>(text: &str, known: &'static str) -> Result<T, Error> {
    text.trim().parse().map_err(|_| Error::Misuse(known))
}

/// Adds to a consent what the case knows: the withdrawals that it follows, and the mission that it means.
pub(super) fn complete(consent: &mut Consent, document: Option<&Document>, country: Option<&str>) {
    if consent.status != ConsentStatus::Given {
        return;
    }
    if let Some(document) = document {
        consent.after = withdrawals(document, consent.purpose);
    }
    if consent.purpose == Purpose::ShareWithOriginMission && consent.recipient.is_none() {
        consent.recipient = country.and_then(|country| country.parse().ok());
    }
}

/// Every withdrawal of `purpose` that the device knows, ruled or not.
fn withdrawals(document: &Document, purpose: Purpose) -> BTreeSet<EventId> {
    let withdrawn = |json: &Value| {
        let event = json.as_text().and_then(|json| CaseEvent::parse(Family::Consent, json).ok());
        matches!(event, Some(CaseEvent::Consent(consent))
            if consent.purpose == purpose && consent.status == ConsentStatus::Withdrawn)
    };
    let Some(field) = Kind::Case.rule().field(Family::Consent.code()) else { return BTreeSet::new() };
    let events = document.items(field);
    events.iter().filter(|(_, json)| withdrawn(json)).filter_map(|(id, _)| id.parse().ok()).collect()
}

/// The write of one event into its case; `id` makes its id.
pub(super) fn event_edit(
    event: &CaseEvent,
    id: impl FnOnce(&FieldRule, &str) -> Result<RecordId, Error>,
) -> Result<Edit, Error> {
    let family = event.family().code();
    let field = Kind::Case.rule().field(family).ok_or(Error::Misuse("the case has no such event"))?;
    let json = event.to_json();
    CaseEvent::parse(event.family(), &json)
        .map_err(|_| Error::InvalidValue { code: "incomplete_event", field: Some(field.name) })?;
    Ok(Edit::item(field, id(field, &json)?.to_string(), Write::Put(Value::Text(json))))
}

impl Phone {
    /// Records that the person gave, refused or withdrew a consent. The server rules it.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Misuse`] for an unknown code, [`Error::InvalidValue`], [`Error::NotAllowed`];
    /// nothing is then written.
    pub fn consent(&mut self, id: &str, said: &ConsentEvent) -> Result<Stepped, Error> {
        let mut consent = said.read()?;
        let case = self.case(id)?;
        let document = self.case_document(&case)?;
        let country = Kind::Case.rule().field("country").and_then(|field| document.value_text(field));
        complete(&mut consent, Some(&document), country.as_deref());
        self.append(case, &CaseEvent::Consent(consent))
    }

    /// Appends an event to a case.
    pub(super) fn append(&mut self, case: RecordId, event: &CaseEvent) -> Result<Stepped, Error> {
        let record = identity::record(Kind::Case, case, Some(case));
        // Random: the same may be said again, and both then stand.
        let edit = event_edit(event, |_, _| self.new_id())?;
        let event = edit.item.clone().unwrap_or_default();
        self.store.commit(self.now_ms(), &[RecordEdits { record, edits: vec![edit] }])?;
        Ok(Stepped { id: case.to_string(), event })
    }
}
