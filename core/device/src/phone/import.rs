//! Importing cases from lines of JSON: each line is one change set, taken whole or refused with its code and field.

use std::collections::BTreeMap;
use std::io::BufRead;

use foras_record::event::{Basis, Consent, Purpose};
use foras_record::identity;
use foras_record::kind::Kind;
use foras_record::place::Point;
use foras_wire::id::RecordId;
use hmac::{Hmac, KeyInit, Mac};
use jiff::civil::Date;
use serde::Serialize;
use sha2::Sha256;

use super::Phone;
use super::consent::ConsentEvent;
use super::feedback::Answer;
use super::line::{CaseLine, ConsentSaid, LineError, Refused};
use super::lines::{Lines, Object};
use super::module_days::Day;
use super::register::{self, ChangeSet, Newcomer};
use super::setting::{self, ByField, Setting};
use crate::error::Error;
use crate::store::Action;

/// How many lines are read between two reports of progress.
const PROGRESS_LINES: u64 = 500;
/// How many lines are written with one flush to the disk.
const LINES_AT_ONCE: usize = 50;
/// A line that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LineRefused {
    /// Its number, from 1.
    pub line: u64,
    /// Stable code.
    pub code: String,
    /// The field at fault, where it is one field's.
    pub field: Option<String>,
}

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Imported {
    /// Cases that are new on this device.
    pub added: u64,
    /// Cases that the device held already; nothing of them was changed.
    pub unchanged: u64,
    /// Lines that were not taken. They stop no other.
    pub refused: Vec<LineRefused>,
}

/// An import that stopped before the end of its file. What it added stays.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct ImportStopped {
    /// Why.
    pub error: Error,
    /// What was done before.
    pub done: Imported,
}

impl Imported {
    fn refuse(&mut self, line: u64, Refused { code, field }: Refused) {
        self.refused.push(LineRefused { line, code, field });
    }
}

/// A line that is read, and not yet written.
struct Waiting {
    line: u64,
    case: RecordId,
    made: Vec<(Day, RecordId)>,
}

/// What an import knows besides its lines.
struct Importing {
    key: [u8; 32],
    /// Sessions that the device holds.
    sessions: BTreeMap<Day, RecordId>,
    waiting: Vec<Waiting>,
    actions: Vec<Action>,
    done: Imported,
}

/// The id of an imported person: only who holds the programme's import key can tell the line from it.
pub(super) fn person_of(key: &[u8; 32], point: Point, identity: &[u8]) -> Option<RecordId> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    for part in [b"person".as_slice(), &[0], point.code().as_bytes(), &[0], identity] {
        mac.update(part);
    }
    RecordId::from_slice(mac.finalize().into_bytes().get(..RecordId::LEN)?).ok()
}

impl Phone {
    /// Registers the people of a file, one per line. A person whom the device holds already is left as it is: a second
    /// run adds nothing. `progress` is told how many lines were read.
    ///
    /// # Errors
    /// [`ImportStopped`] with what was done before: [`Error::NotEnrolled`], [`Error::NotAllowed`] for a role that
    /// registers nobody, [`Error::StorageFull`] and other failures of the storage or of reading. Running it again goes
    /// on from there.
    pub fn import(&mut self, file: impl BufRead, progress: impl FnMut(u64)) -> Result<Imported, ImportStopped> {
        let stopped = |error| ImportStopped { error, done: Imported::default() };
        let mut importing = self.importing().map_err(stopped)?;
        let run = self.import_lines(&mut importing, file, progress);
        importing.done.refused.sort_by_key(|refused| refused.line);
        match run {
            Ok(()) => Ok(importing.done),
            Err(error) => Err(ImportStopped { error, done: importing.done }),
        }
    }

    fn importing(&mut self) -> Result<Importing, Error> {
        self.enrolled()?;
        let key = self.store.import_key()?.ok_or(Error::NotAllowed { code: "registers_nobody", field: None })?;
        let sessions = self.sessions_by_day()?;
        Ok(Importing { key, sessions, waiting: Vec::new(), actions: Vec::new(), done: Imported::default() })
    }

    fn import_lines(
        &mut self,
        importing: &mut Importing,
        file: impl BufRead,
        mut progress: impl FnMut(u64),
    ) -> Result<(), Error> {
        let mut lines = Lines::new(file);
        while let Some((line, object)) = lines.next_object().map_err(|error| Error::Unreadable(error.kind()))? {
            let read = match object {
                Ok(object) => self.import_line(importing, line, &object),
                Err(bad) => Err(LineError::Refused(Refused { code: bad.code().to_owned(), field: None })),
            };
            match read {
                Ok(()) => {}
                Err(LineError::Refused(refused)) => importing.done.refuse(line, refused),
                Err(LineError::Failed(error)) => return Err(error),
            }
            if importing.waiting.len() >= LINES_AT_ONCE {
                self.write_waiting(importing)?;
            }
            if line.is_multiple_of(PROGRESS_LINES) {
                progress(line);
            }
        }
        self.write_waiting(importing)
    }

    /// Reads a line and lets it wait to be written, unless the device holds its case.
    fn import_line(&mut self, importing: &mut Importing, number: u64, object: &Object) -> Result<(), LineError> {
        let line = CaseLine::read(object)?;
        let point: Point = line.point.parse().map_err(|_| Refused::field("no_such_point", "point"))?;
        let unknown = || Refused::field("invalid_value", "ref");
        let person = person_of(&importing.key, point, &line.identity).ok_or_else(unknown)?;
        let case = identity::case_of_person(&person);
        let exported = line.id.as_ref().and_then(|id| id.parse::<RecordId>().ok());
        for case in exported.into_iter().chain([case]) {
            let waits = importing.waiting.iter().any(|waiting| waiting.case == case);
            if waits || self.record_of(Kind::Case, &case)?.is_some() {
                importing.done.unchanged += 1;
                return Ok(());
            }
        }
        let (action, made) = self.line_set(importing, &line, person, point)?;
        importing.waiting.push(Waiting { line: number, case, made });
        importing.actions.push(action);
        Ok(())
    }

    /// Writes the lines that wait, with one flush to the disk.
    fn write_waiting(&mut self, importing: &mut Importing) -> Result<(), Error> {
        let (waiting, actions) = (std::mem::take(&mut importing.waiting), std::mem::take(&mut importing.actions));
        if actions.is_empty() {
            return Ok(());
        }
        let results = self.store.commit_each(self.now_ms(), &actions)?;
        for (waiting, result) in waiting.into_iter().zip(results) {
            match result.map_err(LineError::from) {
                Ok(_) => {
                    importing.done.added += 1;
                    importing.sessions.extend(waiting.made);
                }
                Err(LineError::Refused(refused)) => importing.done.refuse(waiting.line, refused),
                Err(LineError::Failed(error)) => return Err(error),
            }
        }
        Ok(())
    }

    fn line_set(
        &mut self,
        importing: &Importing,
        line: &CaseLine,
        person: RecordId,
        point: Point,
    ) -> Result<(Action, Vec<(Day, RecordId)>), LineError> {
        let registered_on = register::registration_day(&line.registered_on)?;
        let (basis, consents) = (basis_of(line)?, consents_of(&line.consents)?);
        let deposits = match &line.satisfaction {
            Some(satisfied) => vec![satisfaction(line, point, registered_on, satisfied)?],
            None => Vec::new(),
        };
        let case = identity::case_of_person(&person);
        let mut set = ChangeSet::new();
        let made = self.module_days(&importing.sessions, &case, point, &line.modules, &mut set)?;
        let vulnerabilities: Vec<Setting> =
            line.vulnerabilities.iter().map(|text| Setting::new("vulnerabilities", text)).collect();
        let settings: Vec<Setting> = line.settings.iter().chain(&vulnerabilities).cloned().collect();
        let fields: ByField<'_> = setting::by_field(&settings);
        // Last, since it takes a case number.
        let (_, _, registered) = self.newcomer(Newcomer { person, fields, point, registered_on, basis, consents })?;
        set.extend(registered);
        Ok((Action { set: set.into_values().collect(), deposits }, made))
    }
}

/// An answer without its giver. Its day is the last module's, since figures count it in that day's period.
fn satisfaction(line: &CaseLine, point: Point, registered_on: Date, satisfied: &str) -> Result<String, Error> {
    let last = line.modules.iter().max_by_key(|day| &day.on);
    let answer = Answer {
        point: point.code().to_owned(),
        programme: register::programme_on(registered_on).to_owned(),
        session: None,
        module: last.map(|day| day.module.to_owned()),
        satisfied: satisfied.to_owned(),
        language: None,
        day: last.map_or_else(|| registered_on.to_string(), |day| day.on.clone()),
    };
    answer.body()
}

fn basis_of(line: &CaseLine) -> Result<Option<Basis>, LineError> {
    let parse = |text: &String| text.parse().map_err(|_| Refused::field("not_a_code", "basis"));
    Ok(line.basis.as_ref().map(parse).transpose()?)
}

fn consents_of(said: &[ConsentSaid]) -> Result<Vec<Consent>, LineError> {
    let read = |said: &ConsentSaid| {
        let field = format!("consents.{}", said.purpose);
        if said.purpose.parse::<Purpose>().is_err() {
            return Err(Refused::field("unknown_field", field));
        }
        let event = ConsentEvent {
            purpose: said.purpose.clone(),
            status: said.status.clone(),
            form: said.form.clone(),
            ..ConsentEvent::default()
        };
        event.read().map_err(|_| Refused::field("not_a_code", field))
    };
    Ok(said.iter().map(read).collect::<Result<_, _>>()?)
}
