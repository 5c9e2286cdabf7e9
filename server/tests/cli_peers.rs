//! Two phones and no server running: `foras phone share` and `foras phone receive`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod office;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use office::{Office, Phone, Ran};
use serde_json::Value;

/// A phone that waits for another one.
struct Sharing {
    child: Child,
    address: String,
    stderr: BufReader<std::process::ChildStderr>,
}

impl Sharing {
    fn by(phone: &Phone) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_foras"))
            .args(["phone", "--store", phone.store.to_str().unwrap()])
            .args(["share", "--listen", "127.0.0.1:0", "--wait", "60", "--json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let told = next_progress(&mut stderr);
        let address = told["listening"].as_str().unwrap_or_else(|| panic!("not waiting: {told}")).to_owned();
        Self { child, address, stderr }
    }

    fn ends(self) -> Value {
        let output = self.child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

fn next_progress(stderr: &mut impl BufRead) -> Value {
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    let line: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no progress: {line}"));
    line["progress"].clone()
}

#[test]
fn two_workers_share_with_no_server_and_one_brings_both_their_work() {
    let mut office = Office::open();
    let amal = office.phone("outreach", &["oujda"], "Amal");
    let karim = office.phone("outreach", &["oujda"], "Karim");
    let desk = office.phone("host_counsellor", &["oujda"], "Yassine");
    office.stop_server();
    let case = amal.registers("Mariama Essai", "oujda", "GN");
    let other = karim.registers("Fatou Essai", "oujda", "ML");
    let sharing = Sharing::by(&amal);
    let received = karim.does(&["receive", &sharing.address]);
    let shared = sharing.ends();
    assert_eq!(received["peer"]["name"], "Amal");
    assert_eq!((&shared["peer"]["name"], &shared["peer"]["role"]), (&"Karim".into(), &"outreach".into()));
    assert_eq!(received["received"], shared["sent"]);
    assert_eq!(received["sent"], shared["received"]);
    assert!(received["received"].as_u64().unwrap() >= 3 && received["sent"].as_u64().unwrap() >= 3, "{received}");
    assert_eq!((&received["refused"], &shared["not_taken"]), (&serde_json::json!({}), &serde_json::json!({})));
    // Each shows the other's work, and that no server has it.
    assert_eq!(karim.shows(&case).delivery("person"), "carried");
    assert_eq!(karim.shows(&case).field("person", "name")["by"]["name"], "Amal");
    assert_eq!(amal.shows(&other).delivery("person"), "carried");
    assert_eq!(karim.does(&["status"])["carried"], received["received"]);
    // The network is back for Karim alone.
    office.start_server();
    let synced = karim.does(&["--server", &office.url, "sync"]);
    assert_eq!((&synced["carried"], &synced["pending"]), (&received["received"], &0.into()));
    assert_eq!(karim.shows(&case).delivery("person"), "server");
    desk.does(&["--server", &office.url, "sync"]);
    let mut people = desk.people();
    people.sort();
    assert_eq!(people, ["Fatou Essai", "Mariama Essai"]);
    assert_eq!(desk.shows(&case).field("person", "name")["by"]["name"], "Amal");
    // Amal is told once.
    let synced = amal.does(&["--server", &office.url, "sync"]);
    assert_eq!((&synced["sent"], &synced["pending"], &synced["refused"]), (&shared["sent"], &0.into(), &0.into()));
    assert_eq!(amal.shows(&case).delivery("person"), "server");
    assert_eq!(amal.does(&["--server", &office.url, "sync"])["sent"], 0);
}

#[test]
fn a_file_on_a_card_brings_the_same_one_way() {
    let mut office = Office::open();
    let amal = office.phone("outreach", &["oujda"], "Amal");
    let karim = office.phone("outreach", &["oujda"], "Karim");
    let far = office.phone("outreach", &["rabat"], "Nadia");
    office.stop_server();
    let case = amal.registers("Mariama Essai", "oujda", "GN");
    let card = office.dir.path().join("card");
    let card = card.to_str().unwrap();
    let written = amal.does(&["share", "--to", card]);
    assert!(written["sent"].as_u64().unwrap() >= 3 && written["peer"].is_null(), "{written}");
    assert_eq!(amal.run(&["share", "--to", card]).failed(), (2, "misuse".to_owned()), "nothing is overwritten");
    let received = karim.does(&["receive", card]);
    assert_eq!(received["received"], written["sent"]);
    assert_eq!(karim.does(&["receive", card])["received"], 0, "reading again changes nothing");
    // Another point's phone does not take it, and says so.
    let refused: Ran = far.run(&["receive", card]);
    assert_eq!(refused.failed(), (1, "refused".to_owned()));
    assert_eq!(refused.object()["refused"]["not_yours"].as_u64(), written["sent"].as_u64());
    assert!(far.people().is_empty());
    assert_eq!(far.does(&["status"])["carried"], 0);
    // A card that was pulled out too soon: what came before is taken.
    let whole = std::fs::read(card).unwrap();
    let torn = office.file("torn", &whole[..whole.len() - 3]);
    let fresh = office.dir.path().join("no-card");
    std::fs::write(&fresh, b"not ours").unwrap();
    assert_eq!(karim.run(&["receive", torn.to_str().unwrap()]).failed(), (1, "truncated".to_owned()));
    assert_ne!(karim.run(&["receive", fresh.to_str().unwrap()]).exit, 0);
    office.start_server();
    assert_eq!(karim.does(&["--server", &office.url, "sync"])["carried"], written["sent"]);
    assert_eq!(karim.shows(&case).delivery("person"), "server");
}

#[test]
fn who_proves_nothing_is_turned_away_and_the_phone_goes_on_waiting() {
    let mut office = Office::open();
    let amal = office.phone("outreach", &["oujda"], "Amal");
    let karim = office.phone("outreach", &["oujda"], "Karim");
    office.stop_server();
    amal.registers("Mariama Essai", "oujda", "GN");
    let mut sharing = Sharing::by(&amal);
    let mut stranger = TcpStream::connect(&sharing.address).unwrap();
    stranger.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let told = next_progress(&mut sharing.stderr);
    assert!(told["turned_away"].is_string(), "{told}");
    let received = karim.does(&["receive", &sharing.address]);
    assert!(received["received"].as_u64().unwrap() >= 3);
    sharing.ends();
    assert_eq!(karim.run(&["receive", "127.0.0.1:1"]).failed(), (1, "peer_gone".to_owned()));
    assert_eq!(karim.run(&["receive", "8.8.8.8:7171"]).failed(), (2, "misuse".to_owned()), "not across a wide network");
    assert_eq!(karim.run(&["share"]).exit, 2);
}
