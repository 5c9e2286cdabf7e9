//! `edit`: the CPU of a durable single-field edit, against a last-writer-wins row with its view and its log in the same
//! SQLite, both in turn in the same run.

use std::collections::BTreeSet;

use foras::phone::{Phone, Setting};
use foras_record::role::Role;
use foras_tests::world::chance::Chance;
use foras_wire::id::RecordId;

use crate::input::edits::{self, FieldEdit};
use crate::input::programme;
use crate::last_writer_wins::LastWriterWins;
use crate::measure::cpu;
use crate::measure::outcome::{Outcome, rounded};
use crate::workload::Workload;

const GOAL: f64 = 2.0;
const EDITS: usize = 4_000;
/// Edits before the two sides take turns.
const TURN: usize = 100;
/// Cases that somebody has on the table in a day.
const ON_THE_TABLE: usize = 20;

pub(crate) fn run(workload: &mut Workload) -> Outcome {
    let edits = workload.share_of(EDITS);
    let programme = workload.programme();
    // On a disk: each edit waits for it.
    let folder = tempfile::tempdir().expect("a folder");
    let mut phone = programme.phone_in(Role::HostCounsellor, folder);
    programme::sync(&mut phone.phone);
    let mut last_writer_wins = LastWriterWins::of(&mut phone.phone);
    let table: Vec<RecordId> = programme.cases.iter().take(ON_THE_TABLE).copied().collect();
    // The first edits load what lies on the table.
    both(&mut phone.phone, &mut last_writer_wins, &table, TURN, &programme.chance);
    let day = both(&mut phone.phone, &mut last_writer_wins, &table, edits, &programme.chance);
    let scattered = both(&mut phone.phone, &mut last_writer_wins, &programme.cases, edits, &programme.chance);
    let mut outcome = Outcome::ratio("edit", day.ours_us, day.limit_us, Some(GOAL));
    outcome.put("unit", "us of CPU").put("edits", edits).put("cases_on_the_table", table.len());
    outcome.put("ratio_scattered", rounded(scattered.ours_us / scattered.limit_us));
    outcome.put("scattered_ours", rounded(scattered.ours_us)).put("scattered_limit", rounded(scattered.limit_us));
    outcome.put("cases", workload.cases());
    outcome
}

struct Both {
    ours_us: f64,
    limit_us: f64,
}

/// Makes the same edits on both sides, in turns; gives the mean of each.
fn both(
    phone: &mut Phone,
    last_writer_wins: &mut LastWriterWins,
    cases: &[RecordId],
    edits: usize,
    chance: &Chance,
) -> Both {
    let (mut ours_ns, mut limit_ns, mut made) = (0, 0, 0);
    while made < edits {
        let turn = drawn(last_writer_wins, cases, TURN.min(edits), chance);
        let (spent_ns, ()) = cpu::of_thread(|| {
            for (case, edit) in &turn {
                let setting = Setting::new(edit.field, edit.value.as_str());
                assert!(phone.edit(case, &[setting]).expect("an edit").changed);
            }
        });
        ours_ns += spent_ns;
        let (spent_ns, ()) = cpu::of_thread(|| {
            for (case, edit) in &turn {
                last_writer_wins.edit(case, edit);
            }
        });
        limit_ns += spent_ns;
        made += turn.len();
    }
    let mean_us = |ns: u64| ns as f64 / 1_000.0 / made.max(1) as f64;
    Both { ours_us: mean_us(ours_ns), limit_us: mean_us(limit_ns) }
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
