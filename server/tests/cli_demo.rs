//! The demonstration, as a visitor runs it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod office;

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Command, Stdio};

use office::{Phone, foras};
use serde_json::Value;

fn number(object: &Value, field: &str) -> u64 {
    object[field].as_u64().unwrap_or_else(|| panic!("no {field} in {object}"))
}

#[test]
fn five_phones_meet_again_and_nothing_is_lost() {
    let ran = foras(&["demo", "--once", "--people", "40", "--seed", "7"]);
    let shown = ran.done();
    assert_eq!((number(&shown, "people"), number(&shown, "phones")), (40, 5));
    assert!(number(&shown, "offline_edits") >= 60, "{shown}");
    assert_eq!(number(&shown, "acknowledged_edits"), number(&shown, "offline_edits"));
    assert_eq!((number(&shown, "lost_edits"), number(&shown, "leaks")), (0, 0));
    assert!(number(&shown, "concurrent_values_kept") > 0);
    assert_eq!(shown["converged"], true);
    assert_eq!(number(&shown, "handovers_accepted"), 1);
    assert!(number(&shown, "dropped_after_withdrawal") >= 3, "{shown}");
    let figure = |id: &str| shown["figures"][id]["value"].clone();
    assert_eq!(
        (figure("foras_accompanied"), figure("trained_2018"), figure("awareness_2018")),
        (40.into(), 8.into(), 22.into())
    );
    assert_eq!((figure("trained_2021_q1"), figure("guinea_virtual_group")), (108.into(), 8.into()));
    assert_eq!(shown["figures"]["guinea_virtual_group"]["by_sex"]["f"], 1);
    for line in ran.stderr.lines() {
        assert!(serde_json::from_str::<Value>(line).unwrap()["progress"].is_string(), "{line}");
    }
}

#[test]
fn what_it_asks_for_wrongly_is_told() {
    for wrong in [&["demo", "--people", "-1"][..], &["demo", "--people", "20001"], &["demo", "--people", "many"]] {
        assert_eq!(foras(wrong).failed(), (2, "misuse".to_owned()), "{wrong:?}");
    }
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    assert_eq!(foras(&["demo", "--once", "--port", &port]).failed(), (1, "port_in_use".to_owned()));
}

/// Without `--once` the server stays: a visitor's phone enrols, and the figures are counted beside it.
#[cfg(unix)]
#[test]
fn a_visitor_looks_around_afterwards() {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_foras"))
        .args(["demo", "--people", "0", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines();
    let outcome: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(outcome["lost_edits"], 0);
    let serving = &outcome["serving"];
    let data = serving["data"].as_str().unwrap();
    let counted = foras(&["report", "--data", data, "--from", "2021-01-01", "--to", "2021-03-31"]).done();
    assert_eq!(counted["total"]["trained"], 108);
    let dir = tempfile::tempdir().unwrap();
    let visitor = Phone::at(&dir.path().join("visitor"));
    visitor.does(&["enrol", serving["invitation"].as_str().unwrap()]);
    visitor.syncs();
    assert!(!visitor.people().is_empty());
    signal("-TERM", &demo);
    assert!(demo.wait().unwrap().success());
    assert!(!std::path::Path::new(data).exists(), "the demonstration leaves its folder behind");
}

/// Sends a signal by the shell's own `kill`: a bare machine has no program of that name.
#[cfg(unix)]
fn signal(name: &str, to: &std::process::Child) {
    let kill = format!("kill {name} {}", to.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
}

/// Told to stop in the middle, it leaves nothing behind.
#[cfg(unix)]
#[test]
fn an_interrupted_demonstration_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut demo = Command::new(env!("CARGO_BIN_EXE_foras"))
        .args(["demo", "--people", "1000", "--once", "--json"])
        .env("TMPDIR", dir.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(demo.stderr.take().unwrap()).lines();
    lines.next().unwrap().unwrap();
    assert_eq!(dir.path().read_dir().unwrap().count(), 1);
    signal("-INT", &demo);
    assert_eq!(demo.wait().unwrap().code(), Some(1));
    let last: Value = serde_json::from_str(&lines.last().unwrap().unwrap()).unwrap();
    assert_eq!(last["error"]["code"], "interrupted");
    assert_eq!(dir.path().read_dir().unwrap().count(), 0);
}
