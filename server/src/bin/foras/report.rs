//! `foras report`.

use clap::Args;

use crate::output::{Failure, Terminal};

/// Count the programme's figures.
#[derive(Debug, Args)]
pub(crate) struct Report {}

impl Report {
    /// Runs the command.
    pub(crate) fn run(self, _terminal: &Terminal) -> Result<(), Failure> {
        Err(Failure::refused("not_built", "this build does not have the command yet", "use a later build"))
    }
}
