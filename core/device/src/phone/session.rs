//! Sessions: planning them, asking for a place, taking the roll call.

use foras_record::document::{Edit, Write};
use foras_record::identity;
use foras_record::kind::Kind;
use foras_record::value::Value;
use foras_wire::id::RecordId;
use foras_wire::record::RecordRef;
use serde::Serialize;

use super::setting::{self, Setting};
use super::{Edited, Phone};
use crate::error::Error;
use crate::store::RecordEdits;

/// A session to plan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewSession {
    /// The module.
    pub module: String,
    /// The orientation point.
    pub point: String,
    /// When it starts, RFC 3339.
    pub start: String,
    /// How long it lasts, in minutes.
    pub minutes: i64,
    /// How many can take part.
    pub capacity: i64,
    /// Held over the network.
    pub is_virtual: bool,
    /// For one person or family.
    pub individual: bool,
}

/// A session that was planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Planned {
    /// The session.
    pub id: String,
}

impl NewSession {
    fn settings(&self) -> Vec<Setting> {
        vec![
            Setting::new("module", &self.module),
            Setting::new("point", &self.point),
            Setting::new("start", &self.start),
            Setting::new("minutes", self.minutes.to_string()),
            Setting::new("capacity", self.capacity.to_string()),
            Setting::new("mode", if self.is_virtual { "virtual" } else { "on_site" }),
            Setting::new("format", if self.individual { "individual" } else { "group" }),
            Setting::new("status", "planned"),
            Setting::new("time_zone", foras_record::calendar::TIME_ZONE),
        ]
    }
}

impl Phone {
    /// Plans a session.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] or [`Error::NotAllowed`]; nothing is then written.
    pub fn add_session(&mut self, session: &NewSession) -> Result<Planned, Error> {
        let mut settings = session.settings();
        // A mission's own session is told by its country.
        let country = self.enrolled()?.places().iter().find_map(|place| place.country());
        settings.extend(country.map(|country| Setting::new("country", country.code())));
        let id = self.new_id()?;
        let edits = self.session_edits(&settings)?;
        let record = identity::record(Kind::Session, id, None);
        self.store.commit(self.now_ms(), &[RecordEdits { record, edits }])?;
        Ok(Planned { id: id.to_string() })
    }

    pub(super) fn session_edits(&mut self, settings: &[Setting]) -> Result<Vec<Edit>, Error> {
        let year = self.this_year();
        let mut edits = Vec::new();
        for setting in settings {
            let (_, field) = setting::holders(&[Kind::Session], &setting.field)?.remove(0);
            if setting.value.is_empty() {
                return Err(setting::invalid(field, "empty"));
            }
            edits.push(setting::edit(field, &[&setting.value], year, |_| self.new_id())?);
        }
        Ok(edits)
    }

    /// Asks for a place in a session for a person, or takes that back.
    ///
    /// # Errors
    /// [`Error::NotFound`] or [`Error::NotAllowed`]; nothing is then written.
    pub fn enrol_in(&mut self, session: &str, id: &str, cancel: bool) -> Result<Edited, Error> {
        self.on_path(session, id, "enrolment", if cancel { "cancelled" } else { "requested" })
    }

    /// Records whether a person came to a session: present, partly or absent.
    ///
    /// # Errors
    /// [`Error::Misuse`] for another outcome, [`Error::NotFound`] or [`Error::NotAllowed`]; nothing is then written.
    pub fn attend(&mut self, session: &str, id: &str, outcome: &str) -> Result<Edited, Error> {
        if !matches!(outcome, "present" | "partly" | "absent") {
            return Err(Error::Misuse("attendance is present, partly or absent"));
        }
        self.on_path(session, id, "attendance", outcome)
    }

    fn on_path(&mut self, session: &str, id: &str, field: &str, code: &str) -> Result<Edited, Error> {
        let session = self.session(session)?;
        let case = self.case(id)?;
        let (record, edit) = path_edit(&case, &session.key.id, field, code)?;
        let receipt = self.store.commit(self.now_ms(), &[RecordEdits { record, edits: vec![edit] }])?;
        Ok(Edited { id: case.to_string(), changed: !receipt.changes.is_empty() })
    }
}

/// The write of one session's code into a case's path.
pub(super) fn path_edit(
    case: &RecordId,
    session: &RecordId,
    field: &str,
    code: &str,
) -> Result<(RecordRef, Edit), Error> {
    let record = identity::record(Kind::Path, identity::of_case(Kind::Path, case), Some(*case));
    let field = Kind::Path.rule().field(field).ok_or(Error::Misuse("the record has no such field"))?;
    Ok((record, Edit::item(field, session.to_string(), Write::Put(Value::Text(code.to_owned())))))
}
