//! `foras recovery`: a server that was put back to an older copy of its data gets back what it lost.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use foras_server::{Server, clock};
use jiff::Timestamp;
use serde_json::json;

use crate::output::{Failure, Terminal};

/// Look after a server that was put back to an older copy of its data.
#[derive(Debug, Args)]
pub(crate) struct Recovery {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Whether a recovery is under way, and which devices have not reported.
    Status(Folder),
    /// Begin one by hand, before the server is started on a folder that was put back. A server that notices by itself needs none.
    Begin(Folder),
    /// Close it: the missions are given records again. It closes by itself once every active device has reported.
    Close(Folder),
}

#[derive(Debug, Args)]
struct Folder {
    /// The server's data folder.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

impl Recovery {
    /// Runs the command.
    pub(crate) fn run(self, terminal: &Terminal) -> Result<(), Failure> {
        match self.command {
            Command::Status(folder) => status(&Server::attach(&folder.data)?, terminal),
            Command::Begin(folder) => {
                let server = Server::attach(&folder.data)?;
                server.begin_recovery(clock::now_ms())?;
                status(&server, terminal)
            }
            Command::Close(folder) => {
                let server = Server::attach(&folder.data)?;
                server.close_recovery()?;
                status(&server, terminal)
            }
        }
    }
}

fn status(server: &Server, terminal: &Terminal) -> Result<(), Failure> {
    let Some(recovery) = server.recovery()? else {
        let result = json!({"open": false, "epoch": server.epoch()});
        return terminal.result(&result, || "no recovery is under way".to_owned());
    };
    let since = Timestamp::from_millisecond(recovery.since_ms).unwrap_or_default().to_string();
    let missing: Vec<_> = recovery.missing.iter().map(ToString::to_string).collect();
    let result = json!({
        "open": true,
        "epoch": recovery.epoch,
        "since": since,
        "reported": recovery.reported.len(),
        "missing": missing,
    });
    terminal.result(&result, || {
        let reported = recovery.reported.len();
        format!(
            "a recovery is under way since {since}; {reported} devices have reported, these have not:\n{}",
            missing.join("\n")
        )
    })
}
