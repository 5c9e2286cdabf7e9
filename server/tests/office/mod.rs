//! A field office: the built binary, run as people run it, in separate processes.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// What a command printed, and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) exit: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    fn of(output: &Output) -> Self {
        Self {
            exit: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout.clone()).unwrap(),
            stderr: String::from_utf8(output.stderr.clone()).unwrap(),
        }
    }

    /// The one object that a command printed.
    pub(crate) fn object(&self) -> Value {
        assert_eq!(self.stdout.lines().count(), 1, "not one line: {self:?}");
        let value: Value = serde_json::from_str(&self.stdout).unwrap();
        assert!(value.is_object(), "{self:?}");
        value
    }

    /// The object of a command that did what was asked.
    pub(crate) fn done(&self) -> Value {
        assert_eq!(self.exit, 0, "{self:?}");
        self.object()
    }

    /// The lines of a command that prints lines of JSON.
    pub(crate) fn lines(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The code of the error that stands in stderr's last line.
    pub(crate) fn error(&self) -> String {
        let last = self.stderr.lines().last().unwrap_or_else(|| panic!("no error: {self:?}"));
        let error: Value = serde_json::from_str(last).unwrap_or_else(|_| panic!("no error: {self:?}"));
        let error = &error["error"];
        assert!(error["message"].is_string() && error["retryable"].is_boolean() && error["do"].is_string(), "{last}");
        error["code"].as_str().unwrap().to_owned()
    }

    /// Exit code and error code.
    pub(crate) fn failed(&self) -> (i32, String) {
        assert_ne!(self.exit, 0, "{self:?}");
        (self.exit, self.error())
    }
}

/// Runs `foras` with `arguments` and `--json`.
pub(crate) fn foras(arguments: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_foras")).args(arguments).arg("--json").output().unwrap();
    Ran::of(&output)
}

/// A server with its data folder, and any number of phones beside it.
pub(crate) struct Office {
    pub(crate) dir: TempDir,
    /// Where the server was reached last.
    pub(crate) url: String,
    server: Option<Child>,
}

impl Office {
    /// A new office, its server running.
    pub(crate) fn open() -> Self {
        let mut office = Self { dir: tempfile::tempdir().unwrap(), url: String::new(), server: None };
        office.start_server();
        office
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    pub(crate) fn start_server(&mut self) {
        let mut server = Command::new(env!("CARGO_BIN_EXE_foras"))
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(self.data())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut first = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let ready: Value = serde_json::from_str(&first).unwrap_or_else(|_| panic!("not ready: {first}"));
        ready["listening"].as_str().unwrap().clone_into(&mut self.url);
        assert!(self.url.starts_with("http://127.0.0.1:"), "{first}");
        self.server = Some(server);
    }

    /// The network is gone.
    pub(crate) fn stop_server(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().unwrap();
            server.wait().unwrap();
        }
    }

    /// An invitation for somebody of `role` at `places`.
    pub(crate) fn invite(&self, role: &str, places: &[&str], name: &str, more: &[&str]) -> Value {
        let data = self.data();
        let mut arguments = vec!["device", "invite", "--data", data.to_str().unwrap(), "--role", role, "--name", name];
        for place in places {
            arguments.extend(["--place", place]);
        }
        arguments.extend(more);
        foras(&arguments).done()
    }

    /// A phone that was enrolled.
    pub(crate) fn phone(&self, role: &str, places: &[&str], name: &str) -> Phone {
        self.phone_of(role, places, name, &[])
    }

    pub(crate) fn phone_of(&self, role: &str, places: &[&str], name: &str, more: &[&str]) -> Phone {
        let invited = self.invite(role, places, name, more);
        let phone = Phone { store: self.dir.path().join(format!("phone-{}", name.replace(' ', "-"))) };
        phone.run(&["enrol", invited["invitation"].as_str().unwrap()]).done();
        phone
    }

    /// A file with these lines.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        self.stop_server();
    }
}

/// A phone in the terminal.
pub(crate) struct Phone {
    pub(crate) store: PathBuf,
}

impl Phone {
    pub(crate) fn at(store: &Path) -> Self {
        Self { store: store.to_owned() }
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        let mut all = vec!["phone", "--store", self.store.to_str().unwrap()];
        all.extend(arguments);
        foras(&all)
    }

    /// Runs a command that does what is asked, and gives its object.
    pub(crate) fn does(&self, arguments: &[&str]) -> Value {
        self.run(arguments).done()
    }

    pub(crate) fn syncs(&self) -> Value {
        self.does(&["sync"])
    }

    /// Registers somebody in `point` who returns to `country`; gives the case's id.
    pub(crate) fn registers(&self, name: &str, point: &str, country: &str) -> String {
        let settings = [
            format!("name={name}"),
            "sex=f".to_owned(),
            "birth_year=1996".to_owned(),
            format!("nationality={country}"),
            format!("country={country}"),
            format!("point={point}"),
        ];
        let mut arguments = vec!["register", "--consent", "assist=oral"];
        for setting in &settings {
            arguments.extend(["--set", setting]);
        }
        self.does(&arguments)["id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn shows(&self, id: &str) -> Shown {
        Shown(self.does(&["show", id]))
    }

    pub(crate) fn pending(&self) -> u64 {
        self.does(&["status"])["pending"].as_u64().unwrap()
    }

    pub(crate) fn people(&self) -> Vec<String> {
        let listing = self.does(&["list", "people"]);
        listing["items"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
    }
}

/// What `show` printed.
#[derive(Debug)]
pub(crate) struct Shown(pub(crate) Value);

impl Shown {
    pub(crate) fn record(&self, kind: &str) -> &Value {
        let records = self.0["records"].as_array().unwrap();
        records.iter().find(|record| record["kind"] == kind).unwrap_or_else(|| panic!("no {kind} in {}", self.0))
    }

    pub(crate) fn kinds(&self) -> Vec<&str> {
        self.0["records"].as_array().unwrap().iter().map(|record| record["kind"].as_str().unwrap()).collect()
    }

    pub(crate) fn field(&self, kind: &str, field: &str) -> &Value {
        &self.record(kind)["fields"][field]
    }

    pub(crate) fn value(&self, kind: &str, field: &str) -> &Value {
        &self.field(kind, field)["value"]
    }

    pub(crate) fn delivery(&self, kind: &str) -> &str {
        self.record(kind)["delivery"]["state"].as_str().unwrap()
    }
}
