//! The benchmarks against limits: `tests/benches/`. Not part of the tests' time: they measure, and judge nothing.

use std::process::{Command, ExitCode};

use clap::Args;

use crate::run;
use crate::workspace::Workspace;

/// Which benchmark, and how much of it.
#[derive(Args)]
pub(crate) struct Asked {
    /// cold-bytes, catchup-bytes, idle-bytes, round-trips, edit, cold-ingest, list, memory, ingest, fanout and others, or all;
    /// several share one programme.
    #[arg(required = true)]
    names: Vec<String>,
    /// One JSON object on standard output.
    #[arg(long)]
    json: bool,
    /// Cases of the programme; 10,000 by default, with --quick 1,000.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    cases: Option<u32>,
    /// Less of everything: all of it in under five minutes.
    #[arg(long)]
    quick: bool,
    /// Keeps the table in tests/benches/RESULTS.md.
    #[arg(long)]
    write: bool,
}

impl Asked {
    /// Runs it on an optimised build.
    pub(crate) fn run(&self, workspace: &Workspace) -> ExitCode {
        match self.command(workspace).status() {
            Ok(status) if status.success() => ExitCode::SUCCESS,
            Ok(_) => ExitCode::FAILURE,
            Err(error) => {
                eprintln!("xtask: cargo bench: {error}");
                ExitCode::FAILURE
            }
        }
    }

    fn command(&self, workspace: &Workspace) -> Command {
        let mut command = run::cargo(&workspace.root);
        command.args(["bench", "--quiet", "--package", "foras-tests", "--bench", "limits", "--"]).args(&self.names);
        let flags = [("--json", self.json), ("--quick", self.quick), ("--write", self.write)];
        command.args(flags.iter().filter(|(_, given)| *given).map(|(flag, _)| flag));
        if let Some(cases) = self.cases {
            command.args(["--cases", &cases.to_string()]);
        }
        command
    }
}
