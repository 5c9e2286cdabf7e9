//! What the steps came to, and the last line of the output.

use std::process::ExitCode;
use std::time::Instant;

/// How one step ended. A step without tests of its own counts as one.
pub(crate) enum Outcome {
    /// Everything in it passed.
    Passed(u64),
    /// Something in it failed: tests passed, tests failed (at least one), what to look at.
    Failed { passed: u64, failed: u64, reason: String },
    /// It could not run here.
    Skipped(String),
}

impl Outcome {
    /// A step that failed as a whole.
    pub(crate) fn failed(reason: impl Into<String>) -> Self {
        Self::Failed { passed: 0, failed: 1, reason: reason.into() }
    }
}

/// The sum of all steps.
#[derive(Default)]
pub(crate) struct Report {
    /// A skipped step counts as a failure.
    pub(crate) strict: bool,
    passed: u64,
    failed: u64,
    remarks: Vec<String>,
}

impl Report {
    /// Runs one step and keeps how it ended. The next step runs whatever happened, so that one run tells everything.
    pub(crate) fn step(&mut self, name: &str, step: impl FnOnce() -> Outcome) {
        println!("\n== {name}");
        let started = Instant::now();
        let outcome = step();
        let took_s = started.elapsed().as_secs();
        match outcome {
            Outcome::Passed(tests) => {
                self.passed += tests;
                println!("== {name}: passed in {took_s} s");
            }
            Outcome::Failed { passed, failed, reason } => {
                self.passed += passed;
                self.failed += failed.max(1);
                println!("== {name}: FAILED in {took_s} s: {reason}");
                self.remarks.push(format!("failed: {name}: {reason}"));
            }
            Outcome::Skipped(reason) => {
                self.failed += u64::from(self.strict);
                println!("== {name}: skipped: {reason}");
                self.remarks.push(format!("skipped: {name}: {reason}"));
            }
        }
    }

    /// Prints what did not pass and, last, the sum.
    pub(crate) fn finish(self) -> ExitCode {
        println!();
        for remark in &self.remarks {
            println!("{remark}");
        }
        println!("{} passed, {} failed", self.passed, self.failed);
        if self.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
