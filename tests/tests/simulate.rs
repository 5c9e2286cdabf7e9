//! The simulation as a command: one JSON object, the same for the same seed, and a failure where something is found.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::process::Command;

use serde_json::Value;

fn simulate(words: &[&str]) -> (bool, String) {
    let run = Command::new(env!("CARGO_BIN_EXE_simulate")).args(words).output().unwrap();
    (run.status.success(), String::from_utf8(run.stdout).unwrap())
}

#[test]
fn one_seed_gives_one_result_whatever_runs_beside_it() {
    let words = ["--device-days", "230", "--seed", "11", "--json", "--threads"];
    let (succeeded, alone) = simulate(&[&words[..], &["1"]].concat());
    assert!(succeeded, "{alone}");
    let (_, together) = simulate(&[&words[..], &["2"]].concat());
    assert_eq!(alone, together);
    let result: Value = serde_json::from_str(&alone).unwrap();
    assert_eq!((result["device_days"].as_u64(), result["seed"].as_u64()), (Some(230), Some(11)));
    let (edits, acknowledged) = (result["edits"].as_u64().unwrap(), result["acknowledged"].as_u64().unwrap());
    assert!(edits >= 230 * 8 && acknowledged > edits / 2 && acknowledged <= edits, "{alone}");
    for law in ["lost", "diverged", "leaked"] {
        assert_eq!(result[law], 0, "{alone}");
    }
    assert!(result["faults"].as_object().unwrap().len() > 20, "{alone}");
}
