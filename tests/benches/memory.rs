//! `memory`: the most that a phone's process holds in a cold start, and over ten thousand edits.

use std::path::Path;

use foras::phone::Phone;
use foras_record::kind::Kind;
use foras_record::role::Role;
use foras_tests::world::chance::Chance;
use serde_json::json;

use crate::catchup_bytes;
use crate::input::programme;
use crate::measure::outcome::{Outcome, rounded};
use crate::measure::process::{OtherProcess, peak_rss_bytes};
use crate::workload::Workload;

/// Mebibytes at most.
const GOAL_MIB: f64 = 64.0;
const EDITS: usize = 10_000;
/// How this program is started as a phone.
pub(crate) const PHONE_ROLE: &str = "as-a-phone";
const MIB: f64 = 1024.0 * 1024.0;

pub(crate) fn run(workload: &mut Workload) -> Outcome {
    let edits = workload.share_of(EDITS);
    let programme = workload.programme();
    let phone = programme.phone(Role::HostCounsellor);
    let folder = phone.folder;
    drop(phone.phone);
    let path = folder.path().to_str().expect("a folder's name").to_owned();
    let peak = |role: &str| {
        let mut other = OtherProcess::start(&["--bench", PHONE_ROLE, &path, role, &edits.to_string()]);
        let told = other.json();
        other.end();
        told.get("peak").and_then(serde_json::Value::as_u64).expect("a peak") as f64 / MIB
    };
    let (cold_start, editing) = (peak("cold-start"), peak("edits"));
    let mut outcome = Outcome::value("memory", cold_start.max(editing), Some(GOAL_MIB));
    outcome.put("unit", "MiB").put("cold_start", rounded(cold_start)).put("edits_peak", rounded(editing));
    outcome.put("edits", edits).put("cases", workload.cases());
    outcome
}

/// What this program does as a phone: `FOLDER cold-start|edits COUNT`.
pub(crate) fn as_a_phone(words: &[String]) {
    let [folder, role, count] = words else { panic!("a phone is told its folder, its part and how often") };
    let mut phone = Phone::open(Path::new(folder)).expect("a phone");
    if role == "cold-start" {
        programme::sync(&mut phone);
    } else {
        let cases: Vec<_> =
            phone.store().records_of_kind(Kind::Case).expect("cases").iter().map(|record| record.key.id).collect();
        let chance = Chance::new(7);
        let edited: Vec<_> = (0..count.parse::<usize>().expect("a number")).map(|_| *chance.one_of(&cases)).collect();
        catchup_bytes::edit(&mut phone, &edited, &chance);
    }
    println!("{}", json!({"peak": peak_rss_bytes("self")}));
}
