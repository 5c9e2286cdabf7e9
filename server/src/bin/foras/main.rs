//! `foras`: the server, a phone in the terminal, the demonstration and the programme's figures.

mod demo;
mod device;
mod output;
mod phone;
mod recovery;
mod report;
mod serve;

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};

use output::{Failure, Terminal};

/// Offline-first records for programmes of assisted voluntary return.
#[derive(Debug, Parser)]
#[command(name = "foras", version, arg_required_else_help = true)]
struct Foras {
    /// Print results as JSON on stdout, and progress as lines of JSON on stderr.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
#[allow(clippy::large_enum_variant, reason = "made once, at the start")]
enum Command {
    /// Serve phones from a data folder.
    Serve(serve::Serve),
    /// Invite, list and revoke devices.
    Device(device::Device),
    /// Show the whole path on a synthetic programme.
    Demo(demo::Demo),
    /// Look after a server that was put back to an older copy of its data.
    Recovery(recovery::Recovery),
    /// Count the programme's figures.
    Report(report::Report),
    /// A phone in the terminal.
    Phone(phone::Phone),
}

fn main() -> ExitCode {
    let asked = std::env::args_os().any(|argument| argument == "--json");
    let cli = match Foras::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misused(&error, asked),
    };
    let terminal = Terminal::new(cli.json);
    let done = match cli.command {
        Command::Serve(command) => command.run(&terminal),
        Command::Device(command) => command.run(&terminal),
        Command::Demo(command) => command.run(&terminal),
        Command::Recovery(command) => command.run(&terminal),
        Command::Report(command) => command.run(&terminal),
        Command::Phone(command) => command.run(&terminal),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => terminal.failed(&failure),
    }
}

/// A command line that clap refuses; asking for help is no misuse.
fn misused(error: &clap::Error, json: bool) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return if error.print().is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let usage = error.render().to_string();
    let first: Vec<&str> = usage.lines().take_while(|line| !line.trim().is_empty()).map(str::trim).collect();
    let message = match error.kind() {
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => "a command is missing".to_owned(),
        _ => first.join(" ").replacen("error: ", "", 1),
    };
    Terminal::new(json).failed(&Failure::misuse(message, "see `foras help`, or --help after a command"))
}
