//! The project's chores. `cargo xtask test` is everything CI runs; `cargo xtask check` is the quick loop.
//!
//! One file per step in `steps/`, one file per rule in `tidy/`. A step passes, fails, or is skipped with a reason;
//! what a step needs and the machine lacks is installed where that is possible, and said before it is done.

mod bench;
mod fuzz;
mod limits;
mod provide;
mod report;
mod run;
mod seeded;
mod simulate;
mod steps;
mod tidy;
mod workspace;

use std::process::ExitCode;

use clap::Parser;

use crate::report::Report;
use crate::workspace::Workspace;

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "The project's chores")]
enum Chore {
    /// Everything CI runs: format, lints, tidy, all tests, docs, wasm32, licences, Python and Kotlin stories.
    Test {
        /// A skipped step counts as a failure.
        #[arg(long)]
        strict: bool,
    },
    /// The quick loop: format, lints, tidy, unit tests, wasm32.
    Check,
    /// The rules of style that a machine can see.
    Tidy,
    /// The README's field office and the stories in Python and Kotlin, on freshly built bindings.
    Stories,
    /// Builds the library and generates its Kotlin, Swift and Python sides under `target/bindings`.
    Bindings,
    /// A test of the tests: bugs put in on purpose, one at a time, must be noticed.
    SeededBugs(seeded::SeededBugs),
    /// Hostile bytes for every decoder, counted: led by coverage where cargo-fuzz is installed.
    Fuzz(fuzz::Fuzz),
    /// Programmes of many device-days with every fault of the field: what is lost, diverged or leaked.
    Simulate(simulate::Asked),
    /// What hostile inputs cost the build that ships: 250 ms of CPU and 64 MiB at most, for every decoder.
    Limits(limits::Asked),
    /// A benchmark against a limit that is computed in the same run, or all of them.
    Bench(bench::Asked),
}

fn main() -> ExitCode {
    let chore = Chore::parse();
    let workspace = match Workspace::find() {
        Ok(workspace) => workspace,
        Err(error) => {
            eprintln!("xtask: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut report = Report::default();
    match chore {
        Chore::Test { strict } => {
            report.strict = strict;
            steps::test(&workspace, &mut report);
        }
        Chore::Check => steps::check(&workspace, &mut report),
        Chore::Tidy => report.step("tidy", || tidy::step(&workspace)),
        Chore::Stories => steps::stories(&workspace, &mut report),
        Chore::Bindings => report.step("bindings", || steps::bindings::step(&workspace)),
        Chore::Limits(asked) => return asked.run(&workspace),
        Chore::Bench(asked) => return asked.run(&workspace),
        Chore::SeededBugs(bugs) => return bugs.run(&workspace),
        Chore::Simulate(asked) => return asked.run(&workspace),
        Chore::Fuzz(fuzz) => return fuzz.run(&workspace),
    }
    report.finish()
}
