//! `foras phone sync --watch`: a phone in the terminal that stays in sync.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod office;

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};

use office::{Office, Phone};
use serde_json::Value;

/// A phone that is watched.
struct Watched {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Watched {
    fn start(phone: &Phone) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_foras"))
            .args(["phone", "--store", phone.store.to_str().unwrap(), "sync", "--watch", "--json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, lines }
    }

    /// The next change of state.
    fn change(&mut self) -> Value {
        let line = self.lines.next().expect("a line").unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn what_a_colleague_writes_arrives_by_itself_and_a_server_that_is_away_is_told_once() {
    let mut office = Office::open();
    let worker = office.phone("outreach", &["oujda"], "Agent 7");
    let counsellor = office.phone("host_counsellor", &["oujda"], "Agent 8");
    let mut watched = Watched::start(&counsellor);
    assert_eq!(watched.change()["state"], "live");
    worker.registers("Exemple", "oujda", "GN");
    worker.syncs();
    let change = watched.change();
    assert_eq!(change["state"], "live");
    assert!(change["received"].as_u64().unwrap() >= 3, "{change}");
    office.stop_server();
    let change = watched.change();
    assert_eq!((&change["state"], &change["code"]), (&"offline".into(), &"offline".into()));
}

#[test]
fn a_phone_that_is_let_in_no_more_stops_watching_and_says_why() {
    let office = Office::open();
    let phone = office.phone("outreach", &["oujda"], "Agent 7");
    let mut watched = Watched::start(&phone);
    assert_eq!(watched.change()["state"], "live");
    let data = office.data();
    let devices = office::foras(&["device", "list", "--data", data.to_str().unwrap()]).done();
    let device = devices["items"][0]["id"].as_str().unwrap().to_owned();
    office::foras(&["device", "revoke", &device, "--lost", "--data", data.to_str().unwrap()]).done();
    let change = watched.change();
    assert_eq!((&change["state"], &change["code"]), (&"stopped".into(), &"revoked".into()));
    assert_eq!(watched.process.wait().unwrap().code(), Some(1));
}
