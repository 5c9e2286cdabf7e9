//! `idle-bytes`: the bodies of a sync when nothing changed, both ways.

use foras_record::role::Role;

use crate::input::programme;
use crate::measure::outcome::Outcome;
use crate::workload::Workload;

/// Bytes at most, in one round trip.
const GOAL: f64 = 150.0;
const ROUND_TRIPS_GOAL: f64 = 1.0;

pub(crate) fn run(workload: &mut Workload) -> Outcome {
    let mut phone = workload.programme().phone(Role::HostCounsellor);
    programme::sync(&mut phone.phone);
    // The first sync told what the phone holds; from here on nothing is new on either side.
    let idle = programme::sync(&mut phone.phone);
    let mut outcome = Outcome::value("idle-bytes", (idle.bytes_up + idle.bytes_down) as f64, Some(GOAL));
    outcome.also("round_trips", f64::from(idle.round_trips), ROUND_TRIPS_GOAL);
    outcome.put("bytes_up", idle.bytes_up).put("bytes_down", idle.bytes_down).put("cases", workload.cases());
    outcome
}
