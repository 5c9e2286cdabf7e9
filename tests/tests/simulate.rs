//! The simulation as a command: one JSON object, the same for the same seed, and a failure where something is found.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::process::Command;

use foras_tests::world::hostile::HostilePhone;
use serde_json::Value;

fn simulate(words: &[&str]) -> (bool, String) {
    let run = Command::new(env!("CARGO_BIN_EXE_simulate")).args(words).output().unwrap();
    (run.status.success(), String::from_utf8(run.stdout).unwrap())
}

/// Faults that strike in any run of at least [`DEVICE_DAYS`], beside every forgery of the catalogue.
const KINDS: [&str; 25] = [
    "request_lost",
    "answer_lost",
    "answer_cut",
    "request_twice",
    "request_late",
    "offline_30_days",
    "clock_ten_years_off",
    "killed",
    "killed_in_sync",
    "power_lost_at_a_write",
    "phone_disk_full",
    "phone_restored",
    "phone_cloned",
    "server_restarted",
    "server_disk_failing",
    "server_put_back",
    "revoked_lost",
    "revoked_left",
    "revoked_in_a_sync",
    "handover_proposed",
    "consent_withdrawn",
    "phones_met",
    "phones_meeting_cut",
    "phones_handed_a_file",
    "push_carried",
];
const DEVICE_DAYS: u64 = 500;

#[test]
fn one_seed_gives_one_result_whatever_runs_beside_it_and_every_fault_strikes() {
    let device_days = DEVICE_DAYS.to_string();
    let words = ["--device-days", &device_days, "--seed", "11", "--json", "--threads"];
    let (succeeded, alone) = simulate(&[&words[..], &["1"]].concat());
    assert!(succeeded, "{alone}");
    let (_, together) = simulate(&[&words[..], &["2"]].concat());
    assert_eq!(alone, together);
    let result: Value = serde_json::from_str(&alone).unwrap();
    assert_eq!((result["device_days"].as_u64(), result["seed"].as_u64()), (Some(DEVICE_DAYS), Some(11)));
    let (edits, acknowledged) = (result["edits"].as_u64().unwrap(), result["acknowledged"].as_u64().unwrap());
    assert!(edits >= DEVICE_DAYS * 8 && acknowledged > edits / 2 && acknowledged <= edits, "{alone}");
    for law in ["lost", "diverged", "leaked"] {
        assert_eq!(result[law], 0, "{alone}");
    }
    for kind in KINDS.into_iter().chain(HostilePhone::forgeries()) {
        assert!(result["faults"][kind].as_u64() > Some(0), "{kind} is missing: {alone}");
    }
}

#[test]
fn a_single_device_day_of_the_greatest_seed_is_played() {
    let (succeeded, printed) = simulate(&["--device-days", "1", "--seed", "18446744073709551615", "--json"]);
    assert!(succeeded, "{printed}");
    let result: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(result["device_days"], 1);
    assert_eq!(result["seed"], u64::MAX);
    assert!(result["edits"].as_u64() >= Some(8));
}

#[test]
fn wrong_words_are_refused_and_say_why() {
    for (words, says) in [
        (vec!["--device-days", "0"], "0 is not in"),
        (vec!["--device-days", "many"], "invalid value 'many'"),
        (vec!["--seed", "-1"], "unexpected argument"),
        (vec!["--seed", "18446744073709551616"], "too large"),
        (vec!["--threads", "0"], "0 is not in"),
        (vec!["--device-day", "5"], "unexpected argument"),
    ] {
        let run = Command::new(env!("CARGO_BIN_EXE_simulate")).args(&words).output().unwrap();
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        assert_eq!(run.status.code(), Some(2), "{words:?}");
        assert!(run.stdout.is_empty() && said.contains(says), "{words:?}: {said}");
    }
}
