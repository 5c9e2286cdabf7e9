//! `foras serve`.

use clap::Args;

use crate::output::{Failure, Terminal};

/// Serve phones from a data folder.
#[derive(Debug, Args)]
pub(crate) struct Serve {}

impl Serve {
    /// Runs the command.
    pub(crate) fn run(self, _terminal: &Terminal) -> Result<(), Failure> {
        Err(Failure::refused("not_built", "this build does not have the command yet", "use a later build"))
    }
}
