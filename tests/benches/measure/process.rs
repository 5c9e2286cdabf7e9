//! Other processes of this program, so that memory and processor time of one side are its own; and what the system says
//! of a process.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// This program in another role. It is stopped when this is dropped.
#[derive(Debug)]
pub(crate) struct OtherProcess {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
}

impl OtherProcess {
    /// Starts this program with `words`; each line that it prints is an answer.
    pub(crate) fn start(words: &[&str]) -> Self {
        let program = std::env::current_exe().expect("this program");
        let mut command = Command::new(program);
        let mut child =
            command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("another process");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        Self { child, output }
    }

    /// The next line that it prints.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("a line");
        assert!(!line.is_empty(), "the other process said nothing");
        line.trim().to_owned()
    }

    /// The next line, as JSON.
    pub(crate) fn json(&mut self) -> Value {
        serde_json::from_str(&self.line()).expect("a line of JSON")
    }

    /// The most memory that it has held, in bytes.
    pub(crate) fn peak_rss_bytes(&self) -> u64 {
        peak_rss_bytes(&self.child.id().to_string())
    }

    /// Waits until it ends by itself.
    pub(crate) fn end(mut self) {
        drop(self.child.stdin.take());
        assert!(self.child.wait().expect("its end").success(), "the other process failed");
    }
}

impl Drop for OtherProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The most memory that a process has held, in bytes; `self` names this one.
pub(crate) fn peak_rss_bytes(process: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("the system's word on memory");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("a peak");
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<u64>().ok()).expect("kilobytes") * 1024
}
