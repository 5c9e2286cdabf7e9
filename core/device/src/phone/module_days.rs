//! Days of modules, as an import tells them: attendance of a session that is held, or of one that is made for the day.

use std::collections::BTreeMap;

use foras_record::kind::Kind;
use foras_record::kinds::MODULES;
use foras_record::place::Point;
use foras_record::{calendar, identity, value};
use foras_wire::id::RecordId;
use jiff::civil::Date;

use super::line::{LineError, ModuleDay, Refused};
use super::register::{ChangeSet, add};
use super::setting::Setting;
use super::{Phone, session};
use crate::error::Error;

/// When a session starts that an import knows by its day alone.
const MORNING: &str = "09:00:00";
/// How long a session lasts that an import knows by its day alone.
const SESSION_MINUTES: &str = "180";

/// A point, a module and a day: what a session is found by.
pub(super) type Day = (Point, &'static str, Date);

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
    /// Adds the attendance of each module day, and the sessions that are not held.
    pub(super) fn module_days(
        &mut self,
        held: &BTreeMap<Day, RecordId>,
        case: &RecordId,
        point: Point,
        days: &[ModuleDay],
        set: &mut ChangeSet,
    ) -> Result<Vec<(Day, RecordId)>, LineError> {
        let mut made: Vec<(Day, RecordId)> = Vec::new();
        let mut attended = BTreeMap::new();
        for day in days {
            let on = value::date(&day.on).ok_or_else(|| Refused::field("no_such_date", "modules.on"))?;
            let sought = (point, day.module, on);
            let known = held.get(&sought).copied();
            let new = || made.iter().find(|(key, _)| *key == sought).map(|(_, id)| *id);
            let session = match known.or_else(new) {
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

    /// The sessions that the device holds, by point, module and day in Morocco.
    pub(super) fn sessions_by_day(&mut self) -> Result<BTreeMap<Day, RecordId>, Error> {
        let mut sessions = BTreeMap::new();
        for record in self.store.records_of_kind(Kind::Session)? {
            let Some(document) = self.document(&record.key)? else { continue };
            let text = |name| document.value_text(Kind::Session.rule().field(name)?);
            let point = text("point").and_then(|point| point.parse::<Point>().ok());
            let module = text("module");
            let module = MODULES.iter().find(|known| Some(**known) == module.as_deref());
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
