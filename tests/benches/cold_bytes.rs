//! `cold-bytes`: what a fresh phone receives, all its audiences, against the same content as JSON rows under zstd-19.

use std::thread::JoinHandle;

use foras_record::role::Role;

use crate::input::programme::{self, Programme};
use crate::measure::limit;
use crate::measure::outcome::{Outcome, rounded};
use crate::measure::progress;
use crate::workload::Workload;

const NAME: &str = "cold-bytes";
/// At most so many times the limit: fresh, and after twelve edits of each case.
const GOAL: f64 = 1.45;
const GOAL_EDITED: f64 = 1.8;
const EDITS: usize = 12;

pub(crate) fn run(workload: &mut Workload) -> Outcome {
    let fresh = received(workload.programme());
    let edited_cases = workload.edited_cases();
    let mut programme = workload.for_edits();
    programme.edit_each(EDITS);
    let edited = received(&programme);
    let (fresh_limit, edited_limit) = (ended(fresh.limit), ended(edited.limit));
    let mut outcome = Outcome::ratio(NAME, fresh.bytes as f64, fresh_limit as f64, Some(GOAL));
    outcome.put("cases", workload.cases()).put("json_bytes", fresh.json_bytes).put("round_trips", fresh.round_trips);
    outcome.also("ratio_edited", edited.bytes as f64 / edited_limit as f64, GOAL_EDITED);
    outcome.put("edited_cases", edited_cases).put("edits_per_case", EDITS);
    outcome.put("edited_ours", edited.bytes).put("edited_limit", edited_limit);
    outcome.put("bytes_per_case", rounded(fresh.bytes as f64 / workload.cases().max(1) as f64));
    outcome
}

struct Received {
    bytes: u64,
    round_trips: u32,
    /// It takes half a minute: other things are done meanwhile.
    limit: JoinHandle<u64>,
    json_bytes: usize,
}

fn received(programme: &Programme) -> Received {
    progress::says(format_args!("a fresh phone receives {} cases", programme.cases.len()));
    let mut fresh = programme.phone(Role::HostCounsellor);
    let report = programme::sync(&mut fresh.phone);
    // The phone's own rows: the limit holds exactly what it received.
    let rows = programme::rows(&mut fresh.phone);
    progress::says(format_args!("zstd-19 of {} bytes of JSON", rows.len()));
    Received {
        bytes: report.bytes_down,
        round_trips: report.round_trips,
        json_bytes: rows.len(),
        limit: std::thread::spawn(move || limit::zstd_19(rows.as_bytes())),
    }
}

fn ended(limit: JoinHandle<u64>) -> u64 {
    limit.join().expect("a limit")
}
