//! `foras device`.

use clap::Args;

use crate::output::{Failure, Terminal};

/// Invite, list and revoke devices.
#[derive(Debug, Args)]
pub(crate) struct Device {}

impl Device {
    /// Runs the command.
    pub(crate) fn run(self, _terminal: &Terminal) -> Result<(), Failure> {
        Err(Failure::refused("not_built", "this build does not have the command yet", "use a later build"))
    }
}
