//! What a contact tells: when the device was last heard, and what a mission's device has applied by its cursors.

use std::collections::BTreeMap;

use foras_record::audience::Audience;
use foras_record::place::{Country, Place};
use foras_wire::frame;
use foras_wire::page::SeenEntry;
use foras_wire::record::RecordKey;
use rusqlite::Connection;

use super::Exchange;
use crate::error::ServerError;
use crate::storage::logs::{self, Code, LogRow};
use crate::storage::{cursors, devices, records};

/// Contacts closer to the last noted one than this, in milliseconds, are not written down.
const CONTACT_MS: i64 = 60_000;
/// Rows of a log that are read at a time.
const ROWS: u32 = 1024;

/// Notes the contact; for a mission's device, also what it has seen.
pub(super) fn note_contact(exchange: &Exchange<'_>, applied: &[u64]) -> Result<(), ServerError> {
    let device = &exchange.caller.device;
    let missions: Vec<(&str, Country, u64)> = exchange
        .caller
        .grant
        .audiences
        .iter()
        .zip(applied)
        .enumerate()
        .filter(|(at, _)| !exchange.compares(*at))
        .filter_map(|(_, (name, at))| match Audience::of_name(name)? {
            Audience::Casework(Place::Country(country)) | Audience::Protection(Place::Country(country)) => {
                Some((name.as_str(), country, *at))
            }
            _ => None,
        })
        .collect();
    let moved = exchange.server.db.read(|db| {
        let mut moved = Vec::new();
        for (audience, country, at) in missions {
            let before = cursors::get(db, &device.device, audience)?;
            let at = at.min(logs::head(db, audience)?);
            if at > before {
                moved.push((audience, country, before, at));
            }
        }
        Ok(moved)
    })?;
    if moved.is_empty() && exchange.now_ms - device.seen_ms < CONTACT_MS {
        return Ok(());
    }
    let grown = exchange.server.db.write(|db| {
        devices::set_seen(db, &device.device, exchange.now_ms)?;
        let mut appends = BTreeMap::new();
        for (audience, country, before, at) in moved {
            cursors::set(db, &device.device, audience, at, exchange.now_ms)?;
            see(db, audience, country, before, at, exchange.now_ms, &mut appends)?;
        }
        for (audience, rows) in &appends {
            logs::append(db, audience, rows)?;
        }
        Ok::<_, ServerError>(appends)
    })?;
    exchange.server.wakes.grew(grown.keys().map(String::as_str));
    Ok(())
}

/// Tells the points, and the person, which records the mission has now.
fn see(
    db: &Connection,
    audience: &str,
    country: Country,
    before: u64,
    at: u64,
    now_ms: i64,
    appends: &mut BTreeMap<String, Vec<LogRow>>,
) -> Result<(), ServerError> {
    for (record, ord) in applied_records(db, audience, before, at)? {
        if !cursors::see(db, &record, country.code(), ord)? {
            continue;
        }
        for (name, left) in records::audiences(db, &record)? {
            let told = name.parse().ok().and_then(|name| Audience::of_name(&name)).is_some_and(tells);
            if left.is_some() || !told {
                continue;
            }
            let Some(through) = logs::position_of(db, &name, &record, ord)? else { continue };
            let entry = SeenEntry { key: record, country: country.code().to_owned(), through, at_ms: now_ms };
            let row = LogRow { code: Code::Seen, record, ord: 0, body: frame::to_cbor(&entry), at_ms: now_ms };
            appends.entry(name).or_default().push(row);
        }
    }
    Ok(())
}

/// Who is told that a mission has a record: the points that wait for it, and the person.
fn tells(audience: Audience) -> bool {
    matches!(
        audience,
        Audience::Roster(_)
            | Audience::Casework(Place::Point(_))
            | Audience::Protection(Place::Point(_))
            | Audience::Person(_)
    )
}

/// Records between two positions of a log, each with the highest change.
fn applied_records(
    db: &Connection,
    audience: &str,
    before: u64,
    at: u64,
) -> Result<BTreeMap<RecordKey, u64>, ServerError> {
    let (mut found, mut pos) = (BTreeMap::new(), before);
    while pos < at {
        let rows = logs::after(db, audience, pos, ROWS)?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            pos += 1;
            if pos <= at && matches!(row.code, Code::Change | Code::Whole) {
                let ord = found.entry(row.record).or_insert(row.ord);
                *ord = row.ord.max(*ord);
            }
        }
    }
    Ok(found)
}
