//! `cargo xtask simulate`: programmes of many device-days, played from a seed with every fault of the field, and what
//! became of every edit.
#![allow(clippy::expect_used, clippy::panic)]

mod arguments;
mod ledger;
mod outcome;
mod programme;
mod progress;
mod run;
mod shrink;

use std::process::ExitCode;

use clap::Parser;

use arguments::Arguments;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    run::quiet_panics();
    let outcome = run::all(&arguments);
    let report = outcome.report(arguments.seed);
    if arguments.json {
        println!("{}", serde_json::to_string(&report).expect("a report is JSON"));
    } else {
        println!("{report}");
    }
    eprintln!("{}", outcome.fates);
    for finding in &outcome.findings {
        eprintln!("{finding}");
    }
    if arguments.record
        && let Err(error) = ledger::record(&report)
    {
        eprintln!("the ledger was not written: {error}");
        return ExitCode::FAILURE;
    }
    if report.is_clean() {
        return ExitCode::SUCCESS;
    }
    for command in shrink::commands(&outcome) {
        eprintln!("smallest that was found: {command}");
    }
    ExitCode::FAILURE
}
