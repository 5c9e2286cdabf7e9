//! `foras demo`.

use clap::Args;

use crate::output::{Failure, Terminal};

/// Show the whole path on a synthetic programme.
#[derive(Debug, Args)]
pub(crate) struct Demo {}

impl Demo {
    /// Runs the command.
    pub(crate) fn run(self, _terminal: &Terminal) -> Result<(), Failure> {
        Err(Failure::refused("not_built", "this build does not have the command yet", "use a later build"))
    }
}
