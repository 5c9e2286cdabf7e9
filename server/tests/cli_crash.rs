//! The process is killed while it works: what it said is durable stays, and a sync goes on where it was cut.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod office;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use office::{Office, Phone};
use serde_json::{Value, json};

const PEOPLE: usize = 40;

fn spawn(phone: &Phone, arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_foras"))
        .args(["phone", "--json", "--store", phone.store.to_str().unwrap()])
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn people() -> String {
    let line = |number: usize| {
        json!({
            "ref": format!("o-{number}"), "name": format!("Exemple {number}"), "sex": "m", "birth_year": 1990,
            "nationality": "SN", "country": "SN", "point": "oujda", "registered_on": "2026-10-01",
            "consents": {"assist": "oral"},
        })
        .to_string()
    };
    (0..PEOPLE).map(line).collect::<Vec<_>>().join("\n")
}

/// `needs` of each person, by `ref`.
fn needs(phone: &Phone) -> Vec<Option<String>> {
    let mut needs = vec![None; PEOPLE];
    for line in phone.run(&["export"]).lines() {
        let number: usize = line["ref"].as_str().unwrap()[2..].parse().unwrap();
        needs[number] = line["needs"].as_str().map(str::to_owned);
    }
    needs
}

#[test]
fn edits_reported_as_durable_survive_a_kill_and_are_sent() {
    let office = Office::open();
    let worker = office.phone("outreach", &["oujda"], "Nadia");
    let file = office.file("people", people());
    worker.does(&["import", file.to_str().unwrap()]);

    for (round, killed_after) in [1_usize, 7, 23].into_iter().enumerate() {
        let need = |number: usize| format!("round {round} of {number}");
        let edit = |number: usize| json!({"ref": format!("o-{number}"), "set": {"needs": need(number)}}).to_string();
        let edits: Vec<_> = (0..PEOPLE).map(edit).collect();
        let file = office.file("edits", edits.join("\n"));
        let mut child = spawn(&worker, &["apply", file.to_str().unwrap()]);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut durable = 0;
        for line in lines.by_ref().take(killed_after) {
            let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
            assert_eq!((&line["line"], &line["durable"]), (&json!(durable + 1), &json!(true)));
            durable += 1;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What was printed before the kill took effect counts as well.
        durable += lines.map_while(Result::ok).filter(|line| serde_json::from_str::<Value>(line).is_ok()).count();
        assert!(durable >= killed_after);
        let needs = needs(&worker);
        for (number, kept) in needs.iter().enumerate().take(durable) {
            assert_eq!(kept.as_ref(), Some(&need(number)), "round {round}: edit {number} of {durable} is gone");
        }
    }

    for _ in 0..3 {
        let mut child = spawn(&worker, &["sync"]);
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let before = needs(&worker);
    let synced = worker.syncs();
    assert_eq!((&synced["pending"], &synced["refused"]), (&json!(0), &json!(0)));
    let counsellor = office.phone("host_counsellor", &["oujda"], "Karim");
    counsellor.syncs();
    assert_eq!(needs(&counsellor), before);
}

#[test]
fn a_second_process_on_one_store_is_told_so() {
    let office = Office::open();
    let worker = office.phone("outreach", &["oujda"], "Nadia");
    let pipe = office.dir.path().join("pipe");
    // A file that never ends: the import holds the store until it is killed.
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut child = spawn(&worker, &["apply", pipe.to_str().unwrap()]);
    let mut writer = std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    std::io::Write::write_all(&mut writer, b"{}\n").unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut first).unwrap();
    assert_eq!(worker.run(&["status"]).failed(), (1, "in_use".to_owned()));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(worker.does(&["status"])["pending"], 0);
}
