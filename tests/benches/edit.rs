//! `edit`: the CPU of a durable single-field edit, against a last-writer-wins row with its view and its log in the same
//! SQLite, both in turn in the same run.

use std::collections::BTreeSet;

use foras::phone::{Phone, Setting};
use foras_record::role::Role;
use foras_tests::power::plug_in;
use foras_tests::world::chance::Chance;
use foras_wire::id::RecordId;

use crate::input::edits::{self, FieldEdit};
use crate::input::programme::{self, Programme};
use crate::last_writer_wins::LastWriterWins;
use crate::measure::cpu;
use crate::measure::outcome::{Outcome, rounded};
use crate::workload::Workload;

const GOAL: f64 = 2.0;
/// Edits before the two sides take turns.
const TURN: usize = 100;
/// Days that are measured. Each has so many other cases on the table, and so many turns after the first, which loads them:
/// some fifteen edits a case.
const DAYS: usize = 20;
const ON_THE_TABLE: usize = 20;
const TURNS: usize = 2;
/// Flushes of an edit at most, and edits over which they are counted.
const FSYNCS_GOAL: f64 = 1.0;
const FLUSHED: usize = 1_000;
/// Edits of cases drawn from all.
const SCATTERED: usize = 2_000;

pub(crate) fn run(workload: &mut Workload) -> Outcome {
    let (days, scattered, flushed) =
        (workload.share_of(DAYS), workload.share_of(SCATTERED), workload.share_of(FLUSHED));
    let programme = workload.programme();
    // On a disk: each edit waits for it.
    let folder = tempfile::tempdir().expect("a folder");
    let mut phone = programme.phone_in(Role::HostCounsellor, folder);
    programme::sync(&mut phone.phone);
    let mut last_writer_wins = LastWriterWins::of(&mut phone.phone);
    programme::verify(&mut phone.phone);
    let mut day = Both::default();
    for table in programme.cases.chunks(ON_THE_TABLE).take(days) {
        // The first edits of a day load what lies on the table.
        both(&mut phone.phone, &mut last_writer_wins, table, TURN, &programme.chance);
        day.add(&both(&mut phone.phone, &mut last_writer_wins, table, TURN * TURNS, &programme.chance));
    }
    let scattered = both(&mut phone.phone, &mut last_writer_wins, &programme.cases, scattered, &programme.chance);
    let mut outcome = Outcome::ratio("edit", day.ours_us(), day.limit_us(), Some(GOAL));
    outcome.put("unit", "us of CPU").put("edits", day.edits).put("cases_on_the_table", ON_THE_TABLE);
    outcome.put("ratio_scattered", rounded(scattered.ours_us() / scattered.limit_us()));
    outcome.put("scattered_ours", rounded(scattered.ours_us())).put("scattered_limit", rounded(scattered.limit_us()));
    let flushes = flushes(programme, flushed);
    outcome.also("fsyncs_per_edit", flushes.median, FSYNCS_GOAL);
    outcome.put("fsyncs_mean", rounded(flushes.mean)).put("written_bytes_per_edit", flushes.written_bytes);
    outcome.put("cases", workload.cases());
    outcome
}

/// What an edit asks of the disk.
struct Flushes {
    /// Flushes of the edit in the middle: now and then one also empties SQLite's write-ahead log.
    median: f64,
    mean: f64,
    written_bytes: u64,
}

/// Edits on a disk that counts.
fn flushes(programme: &Programme, edits: usize) -> Flushes {
    let folder = tempfile::tempdir().expect("a folder");
    let machine = plug_in(folder.path());
    let mut phone = programme.phone_in(Role::HostCounsellor, folder);
    programme::sync(&mut phone.phone);
    programme::verify(&mut phone.phone);
    let begun = machine.counts();
    let mut each = Vec::new();
    for number in 0..edits {
        let case = programme.chance.one_of(&programme.cases).to_string();
        let before = machine.counts().syncs;
        let setting = Setting::new("needs", format!("number {number}"));
        assert!(phone.phone.edit(&case, &[setting]).expect("an edit").changed);
        each.push(machine.counts().syncs - before);
    }
    let ended = machine.counts();
    drop(phone);
    each.sort_unstable();
    let count = edits.max(1) as u64;
    Flushes {
        median: each.get(edits / 2).map_or(0.0, |syncs| *syncs as f64),
        mean: (ended.syncs - begun.syncs) as f64 / count as f64,
        written_bytes: (ended.written_bytes - begun.written_bytes) / count,
    }
}

/// What the two sides used.
#[derive(Default)]
struct Both {
    ours_ns: u64,
    limit_ns: u64,
    edits: usize,
}

impl Both {
    fn add(&mut self, more: &Self) {
        self.ours_ns += more.ours_ns;
        self.limit_ns += more.limit_ns;
        self.edits += more.edits;
    }

    fn ours_us(&self) -> f64 {
        self.ours_ns as f64 / 1_000.0 / self.edits.max(1) as f64
    }

    fn limit_us(&self) -> f64 {
        self.limit_ns as f64 / 1_000.0 / self.edits.max(1) as f64
    }
}

/// Makes the same edits on both sides, in turns.
fn both(
    phone: &mut Phone,
    last_writer_wins: &mut LastWriterWins,
    cases: &[RecordId],
    edits: usize,
    chance: &Chance,
) -> Both {
    let mut spent = Both::default();
    while spent.edits < edits {
        let turn = drawn(last_writer_wins, cases, TURN.min(edits), chance);
        let (spent_ns, ()) = cpu::of_thread(|| {
            for (case, edit) in &turn {
                let setting = Setting::new(edit.field, edit.value.as_str());
                assert!(phone.edit(case, &[setting]).expect("an edit").changed);
            }
        });
        spent.ours_ns += spent_ns;
        let (spent_ns, ()) = cpu::of_thread(|| {
            for (case, edit) in &turn {
                last_writer_wins.edit(case, edit);
            }
        });
        spent.limit_ns += spent_ns;
        spent.edits += turn.len();
    }
    spent
}

/// Edits that each change something on both sides: no field of a case twice.
fn drawn(
    last_writer_wins: &LastWriterWins,
    cases: &[RecordId],
    count: usize,
    chance: &Chance,
) -> Vec<(String, FieldEdit)> {
    let (mut fields, mut turn) = (BTreeSet::new(), Vec::new());
    while turn.len() < count {
        let (case, edit) = (chance.one_of(cases).to_string(), edits::edit(chance));
        // The language of contact stands in two records.
        let single = edit.field != "contact_language";
        if single && last_writer_wins.differs(&case, &edit) && fields.insert((case.clone(), edit.field)) {
            turn.push((case, edit));
        }
    }
    turn
}
