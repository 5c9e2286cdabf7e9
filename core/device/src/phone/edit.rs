//! Setting fields of what the device holds.

use std::collections::BTreeMap;

use foras_record::document::{Edit, Write};
use foras_record::identity;
use foras_record::kind::{Identity, Kind};
use foras_record::value::Value;
use foras_wire::id::RecordId;
use foras_wire::record::{RecordKey, RecordRef};
use serde::Serialize;

use super::Phone;
use super::setting::{self, ByField, OF_CASE, Setting};
use super::subject::Subject;
use crate::error::Error;
use crate::store::RecordEdits;

/// What an edit did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Edited {
    /// The case or session.
    pub id: String,
    /// False where everything stood so already.
    pub changed: bool,
}

impl Phone {
    /// Sets fields of a case's records, or of a session: one change set, durable when it returns. An empty value
    /// clears; several settings of one set field replace the whole set; writing a value settles concurrent ones.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Misuse`] for a field that there is not, or that takes one value and is given two;
    /// [`Error::InvalidValue`]; [`Error::NotAllowed`]. Nothing is then written.
    pub fn edit(&mut self, id: &str, settings: &[Setting]) -> Result<Edited, Error> {
        let fields = setting::by_field(settings);
        if fields.is_empty() {
            return Err(Error::Misuse("an edit sets at least one field"));
        }
        self.enrolled()?;
        // Most of what is edited is a case, by its id: its records are looked up once.
        if let Ok(case) = id.trim().parse::<RecordId>() {
            let held = self.store.records_of_case(&case)?;
            if !held.is_empty() {
                return self.edit_case(&case, &held, &fields);
            }
        }
        match self.subject(id)? {
            Subject::Case(case) => {
                let held = self.store.records_of_case(&case)?;
                self.edit_case(&case, &held, &fields)
            }
            Subject::Free(kind, record) => self.edit_free(kind, record, &fields),
        }
    }

    fn edit_case(&mut self, case: &RecordId, held: &[RecordRef], fields: &ByField<'_>) -> Result<Edited, Error> {
        let held = |kind: Kind| held.iter().find(|record| record.key.kind == kind.code()).copied();
        let year = self.this_year();
        let mut set: BTreeMap<RecordKey, RecordEdits> = BTreeMap::new();
        let mut fields = fields.clone();
        if let Some(numbers) = fields.remove("case_number") {
            let (record, edit) = self.settled_number(case, &numbers)?;
            set.insert(record.key, RecordEdits { record, edits: vec![edit] });
        }
        let holders: Vec<_> = fields
            .iter()
            .map(|(name, values)| Ok((values, setting::holders(&OF_CASE, name)?)))
            .collect::<Result<_, Error>>()?;
        for (values, holders) in holders {
            let field = holders.first().map(|(_, field)| field.name);
            let mut written = false;
            for (kind, field) in holders {
                let edit = setting::edit(field, values, year, |_| self.new_id())?;
                let Some(record) = held(kind).or_else(|| of_first_use(kind, case)) else { continue };
                let edits = set.entry(record.key).or_insert_with(|| RecordEdits { record, edits: Vec::new() });
                edits.edits.push(edit);
                written = true;
            }
            if !written {
                return Err(Error::NotAllowed { code: "record_not_held", field });
            }
        }
        self.commit_edits(case, set)
    }

    /// A case number is given by a device and not edited. Where two devices gave one at once, as after importing one
    /// file twice, somebody chooses between them.
    fn settled_number(&mut self, case: &RecordId, numbers: &[&str]) -> Result<(RecordRef, Edit), Error> {
        let given = Error::Misuse("a case number is given by a device; of two that concur one can be chosen");
        let field = Kind::Case.rule().field("case_number").ok_or(Error::NotFound)?;
        let document = self.case_document(case)?;
        let state = document.field(field);
        let [number] = numbers else { return Err(given) };
        let mut concurring = state.shown.iter().chain(&state.others);
        if state.others.is_empty() || !concurring.any(|held| held.value == *number) {
            return Err(given);
        }
        let record = identity::record(Kind::Case, *case, Some(*case));
        Ok((record, Edit::of(field, Write::Put(Value::Text((*number).to_owned())))))
    }

    fn edit_free(&mut self, kind: Kind, record: RecordRef, fields: &ByField<'_>) -> Result<Edited, Error> {
        let year = self.this_year();
        let mut edits = Vec::new();
        for (name, values) in fields {
            let (_, field) = setting::holders(&[kind], name)?.remove(0);
            edits.push(setting::edit(field, values, year, |_| self.new_id())?);
        }
        self.commit_edits(&record.key.id, BTreeMap::from([(record.key, RecordEdits { record, edits })]))
    }

    fn commit_edits(&mut self, id: &RecordId, set: BTreeMap<RecordKey, RecordEdits>) -> Result<Edited, Error> {
        let set: Vec<_> = set.into_values().collect();
        let receipt = self.store.commit(self.now_ms(), &set)?;
        Ok(Edited { id: id.to_string(), changed: !receipt.changes.is_empty() })
    }
}

/// The record that comes about when one of its fields is first set: a project or an assessment.
fn of_first_use(kind: Kind, case: &RecordId) -> Option<RecordRef> {
    let is_derived = kind.rule().identity == Identity::FromCase;
    is_derived.then(|| identity::record(kind, identity::of_case(kind, case), Some(*case)))
}
