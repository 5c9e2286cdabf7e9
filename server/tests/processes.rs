//! The server in a process of its own: what is printed, what is refused, and what a killed process leaves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

fn foras(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_foras"));
    command.args(arguments).env_remove("FORAS_LOG");
    command
}

fn run(arguments: &[&str]) -> Output {
    foras(arguments).output().unwrap()
}

/// The one JSON object on stdout.
fn result(arguments: &[&str]) -> Value {
    let output = run(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Exit code, and the code of the error in stderr's last line.
fn failure(arguments: &[&str]) -> (i32, String) {
    let output = run(arguments);
    assert!(output.stdout.is_empty());
    let stderr = String::from_utf8(output.stderr).unwrap();
    let last: Value = serde_json::from_str(stderr.lines().last().unwrap()).unwrap();
    let error = &last["error"];
    for part in ["code", "message", "do"] {
        assert!(error[part].as_str().is_some_and(|text| !text.is_empty()), "{last}");
    }
    assert!(error["retryable"].is_boolean());
    (output.status.code().unwrap(), error["code"].as_str().unwrap().to_owned())
}

/// A serving process, killed when dropped.
struct Serving {
    child: Child,
    url: String,
}

impl Serving {
    fn start(data: &Path, more: &[&str]) -> Self {
        let data = data.to_str().unwrap();
        let arguments = [&["serve", "--data", data, "--listen", "127.0.0.1:0"], more].concat();
        let mut child = foras(&arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let listening: Value = serde_json::from_str(&line).unwrap();
        let url = listening["listening"].as_str().unwrap().to_owned();
        assert_eq!(listening, serde_json::json!({"listening": url}));
        Self { child, url }
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.url.strip_prefix("http://").unwrap()).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    }

    #[cfg(unix)]
    fn stop(mut self, signal: &str) -> Option<i32> {
        // The shell's own: a bare machine has no program of that name.
        let kill = format!("kill {signal} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn path(dir: &Path) -> String {
    dir.to_str().unwrap().to_owned()
}

#[test]
fn a_server_says_where_it_listens_and_devices_are_invited_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let serving = Serving::start(&data, &[]);
    assert!(serving.get("/readyz").starts_with("HTTP/1.1 200"));
    let data = path(&data);
    let invite = |more: &[&str]| result(&[&["device", "invite", "--data", &data, "--json"], more].concat());
    let invited = invite(&["--role", "outreach", "--place", "oujda", "--place", "rabat", "--name", "Agent 7"]);
    let address = serving.url.strip_prefix("http://").unwrap();
    assert!(invited["invitation"].as_str().unwrap().starts_with(&format!("foras://{address}/enrol?")));
    assert_eq!(invited["code"].as_str().unwrap().len(), 10);
    invite(&["--role", "origin_counsellor", "--place", "ML"]);
    invite(&["--role", "coordinator"]);
    let devices = result(&["device", "list", "--data", &data, "--json"]);
    assert_eq!(devices, serde_json::json!({"items": [], "page": 1, "pages": 1, "total": 0}));
}

#[test]
fn misuse_and_refusals_have_their_codes() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let named = path(&data);
    let invite = |more: &[&str]| failure(&[&["device", "invite", "--data", &named, "--json"], more].concat());
    assert_eq!(invite(&["--role", "coordinator"]), (1, "no_address".into()), "nobody has served here");
    assert!(!data.exists());
    let serving = Serving::start(&data, &[]);
    for misuse in [
        &["--role", "nobody"][..],
        &["--role", "outreach"],
        &["--role", "outreach", "--place", "paris"],
        &["--role", "outreach", "--place", "ML"],
        &["--role", "origin_counsellor", "--place", "oujda"],
        &["--role", "migrant"],
        &["--role", "coordinator", "--place", "oujda"],
        &["--role", "outreach", "--place", "oujda", "--person", "x"],
        &[],
    ] {
        assert_eq!(invite(misuse), (2, "misuse".into()), "{misuse:?}");
    }
    let nobody = "00000000000000000000000000000000";
    assert_eq!(invite(&["--role", "migrant", "--person", nobody]), (1, "not_found".into()));
    assert_eq!(invite(&["--role", "migrant", "--person", "OUJ1-1"]), (1, "not_found".into()));
    let revoke = |more: &[&str]| failure(&[&["device", "revoke", "--data", &named, "--json"], more].concat());
    assert_eq!(revoke(&[nobody, "--lost"]), (1, "not_found".into()));
    assert_eq!(revoke(&["x", "--left"]), (1, "not_found".into()));
    assert_eq!(revoke(&[nobody]), (2, "misuse".into()));
    assert_eq!(revoke(&[nobody, "--lost", "--left"]), (2, "misuse".into()));
    drop(serving);
}

#[test]
fn two_servers_never_share_a_folder_and_a_killed_one_leaves_it_free() {
    let dir = tempfile::tempdir().unwrap();
    let data = path(&dir.path().join("data"));
    let serving = Serving::start(Path::new(&data), &[]);
    let second = ["serve", "--data", &data, "--listen", "127.0.0.1:0", "--json"];
    assert_eq!(failure(&second), (1, "in_use".into()));
    assert!(serving.get("/livez").contains("live"));
    drop(serving);
    let again = Serving::start(Path::new(&data), &["--public-url", "https://foras.example/"]);
    let invited =
        result(&["device", "invite", "--data", &data, "--role", "trainer", "--place", "casablanca", "--json"]);
    assert!(invited["invitation"].as_str().unwrap().starts_with("foras://foras.example/enrol?"));
    drop(again);
}

#[test]
fn an_address_that_is_taken_is_told_as_that() {
    let dir = tempfile::tempdir().unwrap();
    let serving = Serving::start(&dir.path().join("first"), &[]);
    let (second, address) = (path(&dir.path().join("second")), serving.url.strip_prefix("http://").unwrap());
    assert_eq!(failure(&["serve", "--data", &second, "--listen", address]), (1, "cannot_listen".into()));
}

#[cfg(target_os = "linux")]
#[test]
fn a_server_serves_on_when_its_log_has_no_space_left() {
    let dir = tempfile::tempdir().unwrap();
    let data = path(&dir.path().join("data"));
    // Writing to it fails as on a full disk.
    let log = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = foras(&["serve", "--data", &data, "--listen", "127.0.0.1:0"]);
    let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let serving = Serving { child, url: line.split('"').nth(3).unwrap().to_owned() };
    assert!(serving.get("/readyz").starts_with("HTTP/1.1 200"));
}

#[test]
fn a_file_in_the_place_of_the_folder_is_left_untouched() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("data");
    std::fs::write(&file, "minutes of a meeting").unwrap();
    let data = path(&file);
    assert_eq!(failure(&["serve", "--data", &data, "--json"]), (1, "not_a_folder".into()));
    let invite = ["device", "invite", "--data", &data, "--role", "coordinator", "--json"];
    assert_eq!(failure(&invite), (1, "not_a_folder".into()));
    assert_eq!(failure(&["device", "list", "--data", &data, "--json"]), (1, "not_a_folder".into()));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "minutes of a meeting");
    assert_eq!(failure(&["serve", "--data", &data, "--listen", "nowhere"]), (2, "misuse".into()));
    assert_eq!(failure(&["serve", "--data", &data, "--public-url", "nowhere"]), (2, "misuse".into()));
}

#[test]
fn a_folder_that_holds_another_database_gets_not_even_a_lock() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("foras.db"), "a phone's").unwrap();
    let serve = ["serve", "--data", &path(dir.path()), "--listen", "127.0.0.1:0", "--json"];
    assert_eq!(failure(&serve), (1, "corrupt".into()));
    assert_eq!(dir.path().read_dir().unwrap().count(), 1);
}

#[test]
fn folders_that_are_damaged_or_newer_are_left_as_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    drop(Serving::start(&data, &[]));
    let (database, named) = (data.join("foras.db"), path(&data));
    let serve = ["serve", "--data", &named, "--listen", "127.0.0.1:0", "--json"];
    let db = rusqlite::Connection::open(&database).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    drop(db);
    assert_eq!(failure(&serve), (1, "too_old".into()));
    let db = rusqlite::Connection::open(&database).unwrap();
    assert_eq!(db.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0)).unwrap(), 99);
    drop(db);
    for name in ["foras.db", "foras.db-wal", "foras.db-shm"] {
        drop(std::fs::remove_file(data.join(name)));
    }
    std::fs::write(&database, "this is no database, but it is somebody's text").unwrap();
    assert_eq!(failure(&serve), (1, "corrupt".into()));
    assert_eq!(std::fs::read_to_string(&database).unwrap(), "this is no database, but it is somebody's text");
    std::fs::remove_file(data.join("server.key")).unwrap();
    assert_eq!(failure(&serve), (1, "corrupt".into()), "a database is never given another key");
    assert!(!data.join("server.key").exists());
}

#[cfg(unix)]
#[test]
fn a_server_that_is_told_to_stop_ends_well_and_keeps_its_keys() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let serving = Serving::start(dir.path(), &[]);
    let key = std::fs::read(dir.path().join("server.key")).unwrap();
    for name in ["server.key", "foras.db", "foras.db-wal"] {
        let mode = std::fs::metadata(dir.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    assert_eq!(serving.stop("-TERM"), Some(0));
    let serving = Serving::start(dir.path(), &[]);
    assert_eq!(std::fs::read(dir.path().join("server.key")).unwrap(), key);
    assert_eq!(serving.stop("-INT"), Some(0));
}
