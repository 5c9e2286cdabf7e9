//! A phone's process is killed (SIGKILL) again and again in the middle of edits and syncs over real HTTP. Every edit that
//! it called durable before is on the server in the end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use foras::phone::{Phone, Setting};
use foras_record::role::Role;
use foras_tests::office::{Office, registration};
use foras_tests::world::chance::Chance;

/// Times that the process is killed.
const KILLS: usize = 25;
const STORE: &str = "FORAS_KILL_STORE";
const CASE: &str = "FORAS_KILL_CASE";
const ROUND: &str = "FORAS_KILL_ROUND";

/// Not a test of its own: the process that is killed.
#[test]
fn a_process_that_works_until_it_is_killed() {
    let (Ok(store), Ok(case), Ok(round)) = (std::env::var(STORE), std::env::var(CASE), std::env::var(ROUND)) else {
        return;
    };
    let mut phone = Phone::open(Path::new(&store)).unwrap();
    for number in 0.. {
        let value = format!("round {round} edit {number}.");
        phone.edit(&case, &[Setting::new("needs", value.as_str())]).unwrap();
        let mut out = std::io::stdout().lock();
        writeln!(out, "\ndurable {value}").and_then(|()| out.flush()).unwrap();
        drop(out);
        if number % 3 == 2 {
            phone.sync(None).unwrap();
        }
    }
}

/// Lets the process work until it has called `edits` edits durable, kills it, and gives what it called durable.
fn work_and_die(store: &Path, case: &str, round: usize, edits: usize) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "a_process_that_works_until_it_is_killed"])
        .env(STORE, store)
        .env(CASE, case)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut durable = Vec::new();
    for line in lines {
        if let Some(value) = line.unwrap().strip_prefix("durable ") {
            durable.push(value.to_owned());
        }
        if durable.len() == edits {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(durable.len() >= edits, "the process ended by itself");
    durable
}

#[test]
fn nothing_durable_is_lost_when_the_process_is_killed() {
    let seed = std::env::var("FORAS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(9);
    println!("seed {seed}");
    let chance = Chance::new(seed);
    let (office, store) = (Office::open(), tempfile::tempdir().unwrap());
    let mut phone = office.enrol(Role::Outreach, store.path());
    let case = phone.register(&registration("Awa")).unwrap().id;
    drop(phone);
    let mut durable = Vec::new();
    for round in 0..KILLS {
        let edits = 1 + chance.below(12);
        durable.extend(work_and_die(store.path(), &case, round, edits));
    }
    let report = Phone::open(store.path()).unwrap().sync(None).unwrap();
    assert_eq!((report.pending, report.refused), (0, 0));
    let chunks = office.chunks();
    for value in &durable {
        let kept = chunks.iter().any(|chunk| chunk.windows(value.len()).any(|window| window == value.as_bytes()));
        assert!(kept, "the server has not {value:?}, which the phone called durable");
    }
    assert!(durable.len() >= KILLS);
}
