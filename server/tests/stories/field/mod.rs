//! A small world for stories about the server: an office in memory, and phones that hold their records in maps. Only
//! wire and record: no store, no engine.
#![allow(dead_code)]

mod answer;
mod phone;
mod write;

pub use answer::Answer;
pub use phone::Phone;
pub use write::{Person, put, text};

use std::collections::BTreeSet;

use foras_record::place::Place;
use foras_record::role::Role;
use foras_server::{Invite, SeededEntropy, Server};
use foras_wire::id::RecordId;

/// 2026-10-05 08:00 UTC.
pub const MONDAY_MS: i64 = 1_791_187_200_000;
pub const HOUR_MS: i64 = 3_600_000;
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// A server and its clock.
pub struct Office {
    pub server: Server,
    pub now_ms: i64,
    pub entropy: SeededEntropy,
    drawn: u64,
}

/// A data folder as a backup keeps it.
pub fn backup_of(folder: &std::path::Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    copy
}

impl Office {
    pub fn open() -> Self {
        let mut entropy = SeededEntropy::new(2026);
        let server = Server::open_in_memory(MONDAY_MS, &mut entropy).unwrap();
        server.set_address("http://127.0.0.1:1", None).unwrap();
        Self { server, now_ms: MONDAY_MS, entropy, drawn: 0 }
    }

    /// An office on a data folder.
    pub fn open_in(dir: &std::path::Path) -> Self {
        let mut entropy = SeededEntropy::new(2027);
        let server = Server::open_with(dir, MONDAY_MS, &mut entropy).unwrap();
        server.set_address("http://127.0.0.1:1", None).unwrap();
        Self { server, now_ms: MONDAY_MS, entropy, drawn: 0 }
    }

    /// Another small number, for keys and ids of tests.
    pub fn draw(&mut self) -> u64 {
        self.drawn += 1;
        self.drawn
    }

    pub fn id(&mut self) -> [u8; 16] {
        let mut bytes = [0; 16];
        foras_server::Entropy::fill(&mut self.entropy, &mut bytes).unwrap();
        bytes
    }

    pub fn invite(&mut self, role: Role, places: &[&str], case: Option<RecordId>, name: &str) -> foras_server::Invited {
        let places: BTreeSet<Place> = places.iter().map(|place| place.parse().unwrap()).collect();
        let invite = Invite { role, places, case, name: Some(name.to_owned()) };
        self.server.invite(&invite, self.now_ms, &mut self.entropy).unwrap()
    }

    /// A phone, invited and enrolled.
    pub fn phone(&mut self, role: Role, places: &[&str], name: &str) -> Phone {
        let invited = self.invite(role, places, None, name);
        Phone::enrol(self, &invited.invitation)
    }

    pub fn migrant(&mut self, case: RecordId) -> Phone {
        let invited = self.invite(Role::Migrant, &[], Some(case), "the person");
        Phone::enrol(self, &invited.invitation)
    }

    pub fn outreach(&mut self, point: &str, name: &str) -> Phone {
        self.phone(Role::Outreach, &[point], name)
    }

    pub fn mission(&mut self, country: &str) -> Phone {
        self.phone(Role::OriginCounsellor, &[country], "counsellor of the mission")
    }

    pub fn days_pass(&mut self, days: i64) {
        self.now_ms += days * DAY_MS;
    }
}

/// Every row of a database, each as its values' bytes.
pub fn rows(path: &std::path::Path) -> Vec<Vec<u8>> {
    let db = rusqlite::Connection::open(path).unwrap();
    let mut tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").unwrap();
    let tables: Vec<String> = tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut all = Vec::new();
    for table in tables {
        let mut rows = db.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = rows.column_count();
        let rows = rows.query_map([], |row| {
            let mut bytes = Vec::new();
            for column in 0..columns {
                match row.get_ref(column)? {
                    rusqlite::types::ValueRef::Text(value) | rusqlite::types::ValueRef::Blob(value) => {
                        bytes.extend_from_slice(value);
                    }
                    _ => {}
                }
                bytes.push(b'|');
            }
            Ok(bytes)
        });
        all.extend(rows.unwrap().map(Result::unwrap));
    }
    assert!(all.len() > 20);
    all
}
