//! `foras phone`.

use clap::Args;

use crate::output::{Failure, Terminal};

/// A phone in the terminal.
#[derive(Debug, Args)]
pub(crate) struct Phone {}

impl Phone {
    /// Runs the command.
    pub(crate) fn run(self, _terminal: &Terminal) -> Result<(), Failure> {
        Err(Failure::refused("not_built", "this build does not have the command yet", "use a later build"))
    }
}
