//! What hostile inputs cost, in the build that ships: `tests/tests/limits/`.

use std::process::ExitCode;

use clap::Args;

use crate::run;
use crate::workspace::Workspace;

/// Whether the result is kept.
#[derive(Args)]
pub(crate) struct Asked {
    /// Keeps the worst of each family in tests/tests/limits/RESULTS.md.
    #[arg(long)]
    write: bool,
}

impl Asked {
    /// Measures every input on an optimised build; fails where one is over the limits.
    pub(crate) fn run(&self, workspace: &Workspace) -> ExitCode {
        let mut command = run::cargo(&workspace.root);
        command.args(["test", "--release", "--package", "foras-tests", "--test", "limits", "--", "--nocapture"]);
        if self.write {
            command.env("FORAS_KEEP_LIMITS", "1");
        }
        match command.status() {
            Ok(status) if status.success() => ExitCode::SUCCESS,
            Ok(_) => ExitCode::FAILURE,
            Err(error) => {
                eprintln!("xtask: cargo test: {error}");
                ExitCode::FAILURE
            }
        }
    }
}
