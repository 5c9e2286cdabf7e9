//! A programme on a server over real HTTP: registered by counsellors' phones, as in the field, and synced.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use foras::Error;
use foras::exchange::SyncReport;
use foras::phone::{Applied, Clock, Phone};
use foras::store::{ListQuery, PAGE_ITEMS_MAX, Store};
use foras_record::kind::Kind;
use foras_record::role::Role;
use foras_server::{Invite, OsEntropy};
use foras_tests::office::Office;
use foras_tests::world::chance::Chance;
use foras_wire::id::RecordId;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use super::edits::FieldEdit;
use super::{edits, people};
use crate::measure::progress;

/// Counsellors who register and edit.
const COUNSELLORS: usize = 3;
/// When the first person was registered: 1 October 2026, in milliseconds since 1970.
const BEGINNING_MS: i64 = 1_790_812_800_000;
/// How much later each next counsellor begins to work, in milliseconds: they work side by side, not at the same moments.
const LATER_MS: i64 = 2_333;
/// Records that are tried in one transaction.
const VERIFIED_AT_ONCE: u32 = 500;
/// How far a phone's clock goes each time that it is asked, in milliseconds.
const STEP_MS: i64 = 7_000;

thread_local! {
    /// Whether this thread syncs.
    static SYNCS: Cell<bool> = const { Cell::new(false) };
}

/// A phone's clock that goes on each time that it is asked, so that edits are made at different times. While its thread syncs
/// it stands: a phone measures how quick the network is, and hands in little at a time where answers take seconds.
#[derive(Debug, Clone)]
pub(crate) struct SteppingClock(Arc<AtomicI64>);

impl SteppingClock {
    fn new(from_ms: i64) -> Self {
        Self(Arc::new(AtomicI64::new(from_ms)))
    }

    /// Goes on from `other`'s time, where that is later.
    fn catch_up_with(&self, other: &Self) {
        self.0.fetch_max(other.0.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

impl Clock for SteppingClock {
    fn now_ms(&self) -> i64 {
        let step_ms = if SYNCS.get() { 0 } else { STEP_MS };
        self.0.fetch_add(step_ms, Ordering::Relaxed)
    }
}

/// A folder in memory where the system has one, so that no disk is waited for.
pub(crate) fn folder_in_memory() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder")
}

/// A phone in a folder that is gone with it.
pub(crate) struct FieldPhone {
    pub(crate) phone: Phone,
    pub(crate) folder: TempDir,
}

/// Somebody who registers and edits. Clock and chance are the phone's own: what it writes does not depend on what others
/// do meanwhile.
struct Counsellor {
    held: FieldPhone,
    clock: SteppingClock,
    chance: Chance,
}

/// A server with people registered, and the phones of those who registered them.
pub(crate) struct Programme {
    pub(crate) office: Office,
    pub(crate) chance: Chance,
    clock: SteppingClock,
    counsellors: Vec<Counsellor>,
    /// The cases, in the order of their ids.
    pub(crate) cases: Vec<RecordId>,
}

impl Programme {
    /// Registers so many people, attending so many sessions, from one seed. Counsellors write at the same time, each on the
    /// own phone, and sync one after the other: the same seed makes the same programme.
    pub(crate) fn load(cases: usize, sessions: usize, seed: u64) -> Self {
        progress::says(format_args!("{cases} cases are registered on {COUNSELLORS} phones"));
        let chance = Chance::new(seed);
        let clock = SteppingClock::new(BEGINNING_MS);
        let office = Office::open_in(folder_in_memory());
        let mut programme = Self { office, chance, clock, counsellors: Vec::new(), cases: Vec::new() };
        let mut lines = vec![String::new(); COUNSELLORS];
        for number in 0..cases {
            let line = people::line(number, sessions, &programme.chance).to_string();
            if let Some(lines) = lines.get_mut(number % COUNSELLORS) {
                lines.push_str(&line);
                lines.push('\n');
            }
        }
        for number in 0..COUNSELLORS {
            programme.employ(number);
        }
        programme.each_writes(&lines, |phone, lines| {
            let done = phone.import(lines.as_bytes(), |_| {}).expect("an import");
            assert!(done.refused.is_empty(), "{:?}", done.refused.first());
        });
        programme.each_syncs();
        if let Some(last) = programme.counsellors.last() {
            let held = last.held.phone.store().records_of_kind(Kind::Case).expect("cases");
            programme.cases = held.into_iter().map(|record| record.key.id).collect();
        }
        programme.cases.sort_unstable();
        assert_eq!(programme.cases.len(), cases);
        programme
    }

    /// A counsellor with a phone that is enrolled.
    fn employ(&mut self, number: usize) {
        let clock = SteppingClock::new(BEGINNING_MS + LATER_MS * i64::try_from(number).unwrap_or(0));
        let chance = Chance::new(self.chance.number());
        let held = self.enrolled(Role::HostCounsellor, folder_in_memory(), &chance, &clock);
        self.counsellors.push(Counsellor { held, clock, chance });
    }

    /// Every case is edited so many times, by the counsellor who registered others as well.
    pub(crate) fn edit_each(&mut self, times: usize) {
        self.each_syncs();
        progress::says(format_args!("{} cases are edited {times} times each", self.cases.len()));
        let Self { counsellors, cases, .. } = self;
        let lines: Vec<String> = counsellors
            .iter()
            .enumerate()
            .map(|(number, counsellor)| {
                let own = cases.iter().skip(number).step_by(COUNSELLORS);
                let each = own.flat_map(|case| (0..times).map(move |_| case));
                each.map(|case| line(case, &edits::edit(&counsellor.chance))).collect()
            })
            .collect();
        self.each_writes(&lines, apply);
        self.each_syncs();
    }

    /// Each counsellor's own lines, on all phones at the same time.
    fn each_writes(&mut self, lines: &[String], write: impl Fn(&mut Phone, &str) + Sync) {
        std::thread::scope(|scope| {
            for (counsellor, lines) in self.counsellors.iter_mut().zip(lines) {
                let write = &write;
                scope.spawn(move || write(&mut counsellor.held.phone, lines));
            }
        });
        for counsellor in &self.counsellors {
            self.clock.catch_up_with(&counsellor.clock);
        }
    }

    /// One after the other.
    fn each_syncs(&mut self) {
        for (number, counsellor) in (1..).zip(&mut self.counsellors) {
            let report = sync_with(&mut counsellor.held.phone, Some(&self.office.url));
            let SyncReport { sent, received, round_trips, .. } = report;
            progress::says(format_args!(
                "phone {number} sent {sent}, received {received}, in {round_trips} round trips"
            ));
        }
    }

    /// Somebody of the point in Oujda on a new phone, enrolled and not yet synced.
    pub(crate) fn phone(&self, role: Role) -> FieldPhone {
        self.phone_in(role, folder_in_memory())
    }

    /// As [`Programme::phone`], in a folder of the caller's choice.
    pub(crate) fn phone_in(&self, role: Role, folder: TempDir) -> FieldPhone {
        self.enrolled(role, folder, &self.chance, &self.clock)
    }

    fn enrolled(&self, role: Role, folder: TempDir, chance: &Chance, clock: &SteppingClock) -> FieldPhone {
        let entropy = Box::new(chance.clone());
        let mut phone = Phone::open_with(folder.path(), entropy, Box::new(clock.clone())).expect("a phone");
        phone.enrol(&self.invitation(role), Some(&self.office.url)).expect("an enrolment");
        FieldPhone { phone, folder }
    }

    /// An invitation for a phone at the point in Oujda.
    pub(crate) fn invitation(&self, role: Role) -> String {
        let places = ["oujda".parse().expect("a point")].into();
        let invite = Invite { role, places, case: None, name: Some("a colleague".to_owned()) };
        let now_ms = foras_server::clock::now_ms();
        self.office.server.invite(&invite, now_ms, &mut OsEntropy).expect("an invitation").invitation
    }

    /// The same programme on a server of its own, to be changed.
    pub(crate) fn copy(&self) -> Self {
        self.copy_with(|_| {})
    }

    /// As [`Programme::copy`], with `work` done on the data folder before its server starts.
    pub(crate) fn copy_with(&self, work: impl FnOnce(&Path)) -> Self {
        let folder = folder_in_memory();
        self.copy_data(folder.path());
        work(folder.path());
        Self {
            office: Office::open_in(folder),
            chance: self.chance.clone(),
            clock: self.clock.clone(),
            counsellors: Vec::new(),
            cases: self.cases.clone(),
        }
    }

    /// As [`Programme::copy`], with the counsellors' phones: nobody registers or edits at this one any more.
    pub(crate) fn moved(&mut self) -> Self {
        Self { counsellors: std::mem::take(&mut self.counsellors), ..self.copy() }
    }

    /// The server's data folder, copied while nobody writes.
    pub(crate) fn copy_data(&self, to: &Path) {
        self.office.database().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").expect("a checkpoint");
        for entry in std::fs::read_dir(self.office.folder()).expect("the data folder") {
            let entry = entry.expect("a file");
            if entry.file_type().expect("its type").is_file() {
                std::fs::copy(entry.path(), to.join(entry.file_name())).expect("a copy");
            }
        }
    }
}

/// Pushes and catches up, to the end.
pub(crate) fn sync(phone: &mut Phone) -> SyncReport {
    sync_with(phone, None)
}

/// As [`sync`], with the server at `url` where that is not the one that the phone was enrolled at.
fn sync_with(phone: &mut Phone, url: Option<&str>) -> SyncReport {
    SYNCS.set(true);
    let report = phone.sync(url).expect("a sync");
    SYNCS.set(false);
    assert_eq!((report.pending, report.refused), (0, 0), "everything is taken");
    report
}

/// An edit as a line of `foras phone apply`.
pub(crate) fn line(case: &RecordId, edit: &FieldEdit) -> String {
    let mut set = Map::new();
    set.insert(edit.field.to_owned(), edits::value(edit));
    format!("{}\n", json!({"id": case.to_string(), "set": set}))
}

/// Makes edits, each durable by itself.
pub(crate) fn apply(phone: &mut Phone, lines: &str) {
    let all_durable = |applied: &Applied| {
        assert!(applied.durable, "{applied:?}");
        Ok::<_, Error>(())
    };
    phone.apply(lines.as_bytes(), all_durable).expect("edits");
}

/// Tries everything that came in packs, as a phone does while it is idle.
pub(crate) fn verify(phone: &mut Phone) {
    let now_ms = phone.now_ms();
    while phone.store_mut().verify_some(now_ms, VERIFIED_AT_ONCE).expect("records are tried") > 0 {}
}

/// What a phone holds as JSON rows: one row and one id a case, one a session; keys are the fields' names.
pub(crate) fn rows(phone: &mut Phone) -> String {
    verify(phone);
    let mut rows = String::new();
    let numbers = case_numbers(phone);
    let mut add = |row: Value| {
        rows.push_str(&row.to_string());
        rows.push('\n');
    };
    for kind in [Kind::Session, Kind::Module, Kind::CountryNote] {
        for item in items(phone.store(), kind) {
            let mut row = item.columns;
            if let Some(row) = row.as_object_mut() {
                row.insert("id".to_owned(), item.record.key.id.to_string().into());
            }
            add(row);
        }
    }
    let cases = phone.export(|case| {
        let mut row = json!(case);
        let id = row.get("id").and_then(Value::as_str).and_then(|id| id.parse().ok());
        let number = id.and_then(|id: RecordId| numbers.get(&id)).cloned();
        if let (Some(row), Some(number)) = (row.as_object_mut(), number) {
            row.insert("case_number".to_owned(), number.into());
        }
        add(row);
        Ok::<_, Error>(())
    });
    cases.expect("an export");
    rows
}

/// The number of each case that a phone holds.
pub(crate) fn case_numbers(phone: &Phone) -> BTreeMap<RecordId, String> {
    items(phone.store(), Kind::Case).into_iter().map(|item| (item.record.key.id, item.case_number)).collect()
}

/// Every record of a kind as a list shows it.
pub(crate) fn items(store: &Store, kind: Kind) -> Vec<foras::store::Item> {
    let mut items = Vec::new();
    for page in 1.. {
        let query = ListQuery { page, page_items: PAGE_ITEMS_MAX, ..ListQuery::default() };
        let found = store.list(kind, &query).expect("a list");
        items.extend(found.items);
        if page >= found.pages {
            return items;
        }
    }
    items
}
