//! A phone's process is killed (SIGKILL) again and again in the middle of edits and syncs over real HTTP. Every edit that
//! it called durable before is on the server in the end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use foras::exchange::sync_blocking;
use foras::phone::{Phone, Registration, Setting};
use foras_record::role::Role;
use foras_server::http::{Address, listen};
use foras_server::{Invite, Server};
use foras_tests::world::chance::Chance;
use foras_wire::invitation::Invitation;

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
            let now_ms = phone.now_ms();
            sync_blocking(phone.store_mut(), None, || now_ms).unwrap();
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

fn serve(server: Arc<Server>) -> (tokio::runtime::Runtime, String) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let address = Address { listen: SocketAddr::from(([127, 0, 0, 1], 0)), public_url: None };
    let listening = runtime.block_on(listen(server, &address)).unwrap();
    let url = listening.url.clone();
    runtime.spawn(listening.serve(std::future::pending()));
    (runtime, url)
}

fn enrolled(server: &Server, folder: &Path, chance: &mut Chance) -> Phone {
    let mut phone = Phone::open(folder).unwrap();
    let now_ms = phone.now_ms();
    let places = [Ok("oujda".parse().unwrap())].into_iter().collect::<Result<BTreeSet<_>, ()>>().unwrap();
    let invite = Invite { role: Role::Outreach, places, case: None, name: Some("a worker".to_owned()) };
    let invited = server.invite(&invite, now_ms, chance).unwrap();
    let invitation: Invitation = invited.invitation.parse().unwrap();
    let store = phone.store_mut();
    let answer = foras::exchange::enrol_blocking(store, &invitation.server_url, &invitation.secret).unwrap();
    let key = invitation.server_key;
    store.complete_enrolment(&answer, &invitation.server_url, Some(&key), now_ms).unwrap();
    phone
}

fn registration() -> Registration {
    let settings = [
        ("name", "Awa"),
        ("sex", "f"),
        ("birth_year", "1996"),
        ("nationality", "ML"),
        ("country", "ML"),
        ("point", "oujda"),
    ];
    Registration {
        settings: settings.into_iter().map(|(field, value)| Setting::new(field, value)).collect(),
        consents: vec![("assist".to_owned(), "oral".to_owned())],
        basis: None,
    }
}

#[test]
fn nothing_durable_is_lost_when_the_process_is_killed() {
    let seed = std::env::var("FORAS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(9);
    println!("seed {seed}");
    let mut chance = Chance::new(seed);
    let (data, store) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = Arc::new(Server::open(data.path()).unwrap());
    let (_serving, _) = serve(Arc::clone(&server));
    let mut phone = enrolled(&server, store.path(), &mut chance);
    let case = phone.register(&registration()).unwrap().id;
    drop(phone);
    let mut durable = Vec::new();
    for round in 0..KILLS {
        let edits = 1 + chance.below(12);
        durable.extend(work_and_die(store.path(), &case, round, edits));
    }
    let mut phone = Phone::open(store.path()).unwrap();
    let now_ms = phone.now_ms();
    let report = sync_blocking(phone.store_mut(), None, || now_ms).unwrap();
    assert_eq!((report.pending, report.refused), (0, 0));
    let database = rusqlite::Connection::open(data.path().join("foras.db")).unwrap();
    let mut statement = database.prepare("SELECT chunk FROM change").unwrap();
    let chunks: Vec<Vec<u8>> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    for value in &durable {
        let kept = chunks.iter().any(|chunk| chunk.windows(value.len()).any(|window| window == value.as_bytes()));
        assert!(kept, "the server has not {value:?}, which the phone called durable");
    }
    assert!(durable.len() >= KILLS);
}
