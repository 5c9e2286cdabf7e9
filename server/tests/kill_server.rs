//! The server's process is killed (SIGKILL) again and again while phones push and catch up. What it acknowledged is
//! there when it is back, and what it did not is pushed again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod office;

use std::fmt::Write;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use office::{Office, Phone, foras};

/// Times that the server is killed while a phone syncs.
const KILLS: u64 = 12;
const PEOPLE: usize = 90;

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

#[test]
fn a_server_that_is_killed_in_the_middle_loses_nothing_that_it_acknowledged() {
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
    let mut through = 0;
    for kill in 0..KILLS {
        let phone = if kill % 3 == 2 { &reader } else { &worker };
        through += u64::from(sync_and_kill(phone, &mut server, 5 + 17 * kill));
        server = serve(&office.data(), port);
    }
    println!("{through} of {KILLS} syncs were done before the server died");
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
}
