//! The simulation: `tests/simulation/`. A part of the tests' time plays 5,000 device-days; as a chore of its own it plays
//! as many as one likes.

use std::process::{Command, ExitCode};

use clap::Args;

use crate::report::Outcome;
use crate::run;
use crate::workspace::Workspace;

/// Device-days within the tests, and their seed.
const TESTED: [&str; 4] = ["--device-days", "5000", "--seed", "1"];

/// What is handed on to the simulation.
#[derive(Args)]
pub(crate) struct Asked {
    /// `--device-days N --seed S [--json] [--record] [--threads T]`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

fn simulate(workspace: &Workspace, build: &[&str]) -> Command {
    let mut command = run::cargo(&workspace.root);
    command.args(["run", "--quiet"]).args(build).args(["--package", "foras-tests", "--bin", "simulate", "--"]);
    command
}

impl Asked {
    /// Runs it on an optimised build; its output is all that is printed.
    pub(crate) fn run(&self, workspace: &Workspace) -> ExitCode {
        match simulate(workspace, &["--release"]).args(&self.words).status() {
            Ok(status) if status.success() => ExitCode::SUCCESS,
            Ok(_) => ExitCode::FAILURE,
            Err(error) => {
                eprintln!("xtask: cargo run: {error}");
                ExitCode::FAILURE
            }
        }
    }
}

/// A step of the tests, on the build that they use anyway.
pub(crate) fn step(workspace: &Workspace) -> Outcome {
    run::one(simulate(workspace, &[]).args(TESTED))
}
