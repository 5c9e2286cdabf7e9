//! Importing cases from lines of JSON: each line is one change set, taken whole or refused with its code and field.

use std::collections::BTreeMap;
use std::io::BufRead;

use foras_record::event::{Basis, Consent, Purpose};
use foras_record::kind::Kind;
use foras_record::place::Point;
use foras_record::value;
use foras_record::{calendar, identity};
use foras_wire::id::RecordId;
use hmac::{Hmac, KeyInit, Mac};
use jiff::civil::Date;
use serde::Serialize;
use sha2::Sha256;

use super::consent::ConsentEvent;
use super::feedback::Answer;
use super::line::{CaseLine, ConsentSaid, ModuleDay, Refused};
use super::lines::{Lines, Object};
use super::register::{self, ChangeSet, Newcomer, add};
use super::setting::{self, ByField, Setting};
use super::{Phone, session};
use crate::error::Error;
use crate::store::RecordEdits;

/// How many lines are read between two reports of progress.
const PROGRESS_LINES: u64 = 500;
/// When a session starts that an import knows by its day alone.
const MORNING: &str = "09:00:00";
/// How long a session lasts that an import knows by its day alone.
const SESSION_MINUTES: &str = "180";

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

/// What an import knows besides its lines.
struct Importing {
    key: [u8; 32],
    sessions: BTreeMap<(Point, &'static str, Date), RecordId>,
}

/// A module day's session: the one that is held, or one to make.
type SessionsMade = Vec<((Point, &'static str, Date), RecordId)>;

/// The id of an imported person: only who holds the programme's import key can tell the line from it.
pub(super) fn person_of(key: &[u8; 32], point: Point, identity: &[u8]) -> Option<RecordId> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    for part in [b"person".as_slice(), &[0], point.code().as_bytes(), &[0], identity] {
        mac.update(part);
    }
    RecordId::from_slice(mac.finalize().into_bytes().get(..RecordId::LEN)?).ok()
}

/// The id of a session that an import makes for a module's day.
fn session_of(point: Point, module: &str, day: Date) -> RecordId {
    let day = day.to_string();
    let mut base = Vec::new();
    for part in [point.code().as_bytes(), &[0], module.as_bytes(), &[0], day.as_bytes()] {
        base.extend_from_slice(part);
    }
    RecordId::derived("foras session", &base)
}

impl Phone {
    /// Registers the people of a file, one per line. A person whom the device holds already is left as it is: a second
    /// run adds nothing. `progress` is told how many lines were read.
    ///
    /// # Errors
    /// [`Error::NotEnrolled`], [`Error::NotAllowed`] for a role that registers nobody, [`Error::StorageFull`] and other
    /// failures of the storage or of reading. Lines before stay registered; running it again goes on.
    pub fn import(&mut self, file: impl BufRead, mut progress: impl FnMut(u64)) -> Result<Imported, Error> {
        self.enrolled()?;
        let key = self.store.import_key()?.ok_or(Error::NotAllowed { code: "registers_nobody", field: None })?;
        let mut importing = Importing { key, sessions: self.sessions_by_day()? };
        let mut done = Imported::default();
        let mut lines = Lines::new(file);
        while let Some((line, object)) = lines.next_object().map_err(|error| Error::Unreadable(error.kind()))? {
            let taken = match object {
                Ok(object) => self.import_line(&mut importing, &object),
                Err(bad) => Err(LineError::Refused(Refused { code: bad.code().to_owned(), field: None })),
            };
            match taken {
                Ok(true) => done.added += 1,
                Ok(false) => done.unchanged += 1,
                Err(LineError::Refused(Refused { code, field })) => {
                    done.refused.push(LineRefused { line, code, field });
                }
                Err(LineError::Failed(error)) => return Err(error),
            }
            if line.is_multiple_of(PROGRESS_LINES) {
                progress(line);
            }
        }
        Ok(done)
    }

    /// True: added; false: held already.
    fn import_line(&mut self, importing: &mut Importing, object: &Object) -> Result<bool, LineError> {
        let line = CaseLine::read(object)?;
        let point: Point = line.point.parse().map_err(|_| Refused::field("no_such_point", "point"))?;
        let unknown = || Refused::field("invalid_value", "ref");
        let person = person_of(&importing.key, point, &line.identity).ok_or_else(unknown)?;
        let exported = line.id.as_ref().and_then(|id| id.parse::<RecordId>().ok());
        for case in exported.into_iter().chain([identity::case_of_person(&person)]) {
            if self.record_of(Kind::Case, &case)?.is_some() {
                return Ok(false);
            }
        }
        let (set, made, deposit) = self.line_set(importing, &line, person, point).inspect_err(|_| {
            self.store.return_case_numbers();
        })?;
        if let Err(error) = self.store.commit_with(self.now_ms(), &set, &deposit) {
            self.store.return_case_numbers();
            return Err(error.into());
        }
        importing.sessions.extend(made);
        Ok(true)
    }

    fn line_set(
        &mut self,
        importing: &Importing,
        line: &CaseLine,
        person: RecordId,
        point: Point,
    ) -> Result<(Vec<RecordEdits>, SessionsMade, Vec<String>), LineError> {
        let registered_on = register::registration_day(&line.registered_on)?;
        let (basis, consents) = (basis_of(line)?, consents_of(&line.consents)?);
        let vulnerabilities: Vec<Setting> =
            line.vulnerabilities.iter().map(|text| Setting::new("vulnerabilities", text)).collect();
        let settings: Vec<Setting> = line.settings.iter().chain(&vulnerabilities).cloned().collect();
        let fields: ByField<'_> = setting::by_field(&settings);
        let newcomer = Newcomer { person, fields, point, registered_on, basis, consents };
        let (case, _, mut set) = self.newcomer(newcomer)?;
        let made = self.module_days(importing, &case, point, &line.modules, &mut set)?;
        let deposits = match &line.satisfaction {
            Some(satisfied) => vec![self.satisfaction(line, point, registered_on, satisfied)?],
            None => Vec::new(),
        };
        Ok((set.into_values().collect(), made, deposits))
    }

    /// Adds the attendance of each module day, and the sessions that are not held.
    fn module_days(
        &mut self,
        importing: &Importing,
        case: &RecordId,
        point: Point,
        days: &[ModuleDay],
        set: &mut ChangeSet,
    ) -> Result<SessionsMade, LineError> {
        let mut made = SessionsMade::new();
        let mut attended = BTreeMap::new();
        for day in days {
            let on = value::date(&day.on).ok_or_else(|| Refused::field("no_such_date", "modules.on"))?;
            let sought = (point, day.module, on);
            let held = importing.sessions.get(&sought).copied();
            let new = || made.iter().find(|(key, _)| *key == sought).map(|(_, id)| *id);
            let session = match held.or_else(new) {
                Some(session) => session,
                None => {
                    let session = session_of(point, day.module, on);
                    let settings = day_settings(point, day.module, &day.on)?;
                    for edit in self.session_edits(&settings)? {
                        add(set, identity::record(Kind::Session, session, None), edit);
                    }
                    made.push((sought, session));
                    session
                }
            };
            if attended.insert(session, &day.attendance).is_some_and(|earlier| *earlier != day.attendance) {
                return Err(Refused::field("contradiction", "modules").into());
            }
        }
        for (session, attendance) in attended {
            let (record, edit) = session::path_edit(case, &session, "attendance", attendance)?;
            add(set, record, edit);
        }
        Ok(made)
    }

    /// An answer without its giver. Its day is the last module's, since figures count it in that day's period.
    fn satisfaction(
        &mut self,
        line: &CaseLine,
        point: Point,
        registered_on: Date,
        satisfied: &str,
    ) -> Result<String, LineError> {
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
        Ok(answer.body()?)
    }

    /// The sessions that the device holds, by point, module and day in Morocco.
    fn sessions_by_day(&mut self) -> Result<BTreeMap<(Point, &'static str, Date), RecordId>, Error> {
        let mut sessions = BTreeMap::new();
        for record in self.store.records_of_kind(Kind::Session)? {
            let Some(document) = self.document(&record.key)? else { continue };
            let text = |name| document.value_text(Kind::Session.rule().field(name)?);
            let point = text("point").and_then(|point| point.parse::<Point>().ok());
            let module = text("module");
            let module = foras_record::kinds::MODULES.iter().find(|known| Some(**known) == module.as_deref());
            let start = text("start").and_then(|start| value::instant_s(&start));
            let is_cancelled = text("status").as_deref() == Some("cancelled");
            if let (Some(point), Some(module), Some(start), false) = (point, module, start, is_cancelled) {
                // The smallest id, so that every device that holds the same sessions takes the same one.
                let id = sessions.entry((point, *module, calendar::day_of(start))).or_insert(record.key.id);
                *id = record.key.id.min(*id);
            }
        }
        Ok(sessions)
    }
}

fn day_settings(point: Point, module: &str, day: &str) -> Result<Vec<Setting>, LineError> {
    let unknown = || LineError::from(Refused::field("no_such_date", "modules.on"));
    let start = format!("{day}T{MORNING}[{}]", calendar::TIME_ZONE);
    let start: jiff::Zoned = start.parse().map_err(|_| unknown())?;
    let offset = start.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
    Ok(vec![
        Setting::new("module", module),
        Setting::new("point", point.code()),
        Setting::new("start", offset),
        Setting::new("minutes", SESSION_MINUTES),
        Setting::new("mode", "on_site"),
        Setting::new("format", "group"),
        Setting::new("status", "planned"),
        Setting::new("time_zone", calendar::TIME_ZONE),
    ])
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

/// Why a line was not taken: its own fault, or one that ends the whole run.
pub(super) enum LineError {
    /// The line's.
    Refused(Refused),
    /// The device's.
    Failed(Error),
}

impl From<Refused> for LineError {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<Error> for LineError {
    fn from(error: Error) -> Self {
        let field = |field: Option<&'static str>| field.map(str::to_owned);
        match error {
            Error::InvalidValue { code, field: name } => {
                Self::Refused(Refused { code: code.to_owned(), field: field(name) })
            }
            Error::NotAllowed { field: name, .. } => {
                Self::Refused(Refused { code: "not_allowed".to_owned(), field: field(name) })
            }
            Error::NotFound => Self::Refused(Refused { code: "not_found".to_owned(), field: None }),
            Error::Misuse(_) => Self::Refused(Refused { code: "misuse".to_owned(), field: None }),
            Error::NoCaseNumber => Self::Refused(Refused { code: "no_case_number".to_owned(), field: None }),
            Error::Refused { code } => Self::Refused(Refused { code, field: None }),
            other => Self::Failed(other),
        }
    }
}
