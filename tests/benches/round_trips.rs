//! `round-trips`: requests of a catch-up with work both ways, and of a cold start.

use foras_record::role::Role;

use crate::catchup_bytes::{EDITS, TwoSides, edit};
use crate::input::programme;
use crate::measure::outcome::Outcome;
use crate::workload::Workload;

/// Requests at most.
const CATCH_UP_GOAL: f64 = 1.0;
const COLD_START_GOAL: f64 = 3.0;

pub(crate) fn run(workload: &mut Workload) -> Outcome {
    let edits = EDITS.min(workload.cases());
    let programme = workload.programme().copy();
    let mut phone = programme.phone(Role::HostCounsellor);
    let mut colleague = programme.phone(Role::Outreach);
    let cold_start = programme::sync(&mut phone.phone);
    programme::sync(&mut colleague.phone);
    let sides = TwoSides::of(&programme, edits);
    edit(&mut colleague.phone, &sides.theirs, &programme.chance);
    programme::sync(&mut colleague.phone);
    edit(&mut phone.phone, &sides.ours, &programme.chance);
    let catch_up = programme::sync(&mut phone.phone);
    let mut outcome = Outcome::value("round-trips", f64::from(catch_up.round_trips), Some(CATCH_UP_GOAL));
    outcome.also("cold_start", f64::from(cold_start.round_trips), COLD_START_GOAL).put("cases", workload.cases());
    outcome
}
