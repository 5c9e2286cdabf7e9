//! The server's process is killed (SIGKILL) again and again while phones push and catch up. What it acknowledged is on its
//! disk at that moment, its database is never torn, and what it did not acknowledge is pushed again.
//!
//! `FORAS_KILLS` sets how often; the long runs are in `tests/simulation/LEDGER.md`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod office;

use std::fmt::Write;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use office::{Office, Phone, foras};
use rusqlite::Connection;

/// Times that the server is killed while a phone syncs, in the ordinary run.
const KILLS: u64 = 30;
const PEOPLE: usize = 60;
/// Edits that wait when the worker's phone syncs.
const EDITS: usize = 5;

fn serve(data: &Path, port: u16) -> Child {
    let listen = format!("127.0.0.1:{port}");
    let mut server = Command::new(env!("CARGO_BIN_EXE_foras"))
        .args(["serve", "--listen", &listen, "--data", data.to_str().unwrap()])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.contains("listening"), "{first}");
    server
}

/// Syncs while the server is killed `after_ms` after the sync began; whether the sync got through nevertheless.
fn sync_and_kill(phone: &Phone, server: &mut Child, after_ms: u64) -> bool {
    let mut sync = Command::new(env!("CARGO_BIN_EXE_foras"))
        .args(["phone", "--store", phone.store.to_str().unwrap(), "sync", "--json"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Only the moment of the kill depends on this, and every moment is as good.
    std::thread::sleep(Duration::from_millis(after_ms));
    server.kill().unwrap();
    server.wait().unwrap();
    sync.wait().unwrap().success()
}

/// A value that no other edit writes.
fn value(round: u64, edit: usize) -> String {
    format!("round {round} edit {edit}.")
}

/// The worker writes a field of some people while there is no network.
fn edits(office: &Office, worker: &Phone, round: u64) {
    let mut lines = String::new();
    for edit in 0..EDITS {
        let person = (round as usize * EDITS + edit) % PEOPLE;
        let value = value(round, edit);
        writeln!(lines, r#"{{"ref":"o-{person}","set":{{"needs":"{value}"}}}}"#).unwrap();
    }
    let file = office.file("edits.jsonl", lines);
    let applied = worker.run(&["apply", file.to_str().unwrap()]);
    assert_eq!(applied.exit, 0, "{applied:?}");
}

/// What lies in the data folder while no server runs: whole, and with the edits of these rounds.
fn assert_kept(data: &Path, rounds: &[u64]) {
    let database = Connection::open(data.join("foras.db")).unwrap();
    let verdict: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok", "torn");
    let mut statement = database.prepare("SELECT chunk FROM change").unwrap();
    let chunks: Vec<Vec<u8>> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    for (round, edit) in rounds.iter().flat_map(|round| (0..EDITS).map(move |edit| (*round, edit))) {
        let value = value(round, edit);
        let kept = chunks.iter().filter(|chunk| chunk.windows(value.len()).any(|window| window == value.as_bytes()));
        assert_eq!(kept.count(), 1, "how often the server has {value:?}");
    }
}

#[test]
fn a_server_that_is_killed_in_the_middle_loses_nothing_that_it_acknowledged() {
    let kills = std::env::var("FORAS_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(KILLS);
    let mut office = Office::open();
    office.stop_server();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut server = serve(&office.data(), port);
    let worker = office.phone("outreach", &["oujda"], "Agent 7");
    let mut lines = String::new();
    for number in 0..PEOPLE {
        writeln!(
            lines,
            r#"{{"ref":"o-{number}","name":"Person {number}","sex":"f","birth_year":1990,"nationality":"ML","country":"ML","point":"oujda","registered_on":"2026-10-01","consents":{{"assist":"oral"}},"needs":"tools"}}"#
        )
        .unwrap();
    }
    let file = office.file("people.jsonl", lines);
    assert_eq!(worker.does(&["import", file.to_str().unwrap()])["added"], PEOPLE);

    let reader = office.phone("host_counsellor", &["oujda"], "Counsellor");
    let (mut through, mut waiting, mut acknowledged) = (0, Vec::new(), Vec::new());
    for kill in 0..kills {
        let phone = if kill % 3 == 2 { &reader } else { &worker };
        edits(&office, &worker, kill);
        waiting.push(kill);
        if sync_and_kill(phone, &mut server, 5 + (17 * kill) % 211) {
            through += 1;
            if kill % 3 != 2 {
                acknowledged.append(&mut waiting);
            }
        }
        assert_kept(&office.data(), &acknowledged);
        server = serve(&office.data(), port);
    }
    println!("{through} of {kills} syncs were done before the server died");
    worker.syncs();
    assert_eq!(worker.pending(), 0);
    reader.syncs();
    let total = |phone: &Phone| phone.does(&["list", "people"])["total"].as_u64();
    assert_eq!(total(&worker), Some(PEOPLE as u64));
    assert_eq!(total(&reader), Some(PEOPLE as u64));
    let figures = foras(&["device", "list", "--data", office.data().to_str().unwrap()]).done();
    assert_eq!(figures["total"], 2);
    server.kill().unwrap();
    server.wait().unwrap();
    acknowledged.append(&mut waiting);
    assert_kept(&office.data(), &acknowledged);
}
