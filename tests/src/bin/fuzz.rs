//! Hostile bytes by damage to honest ones, many of them, without a fuzzer. `cargo xtask fuzz` runs it.
#![allow(clippy::expect_used, clippy::panic)]

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use foras_tests::fuzz::{TARGETS, Target, mutate, seeds, target};
use foras_tests::world::chance::Chance;
use serde_json::json;

#[derive(Debug, Parser)]
enum Command {
    /// The names of the targets, and what each costs.
    Targets,
    /// Writes every seed of a target into a folder, as a fuzzer wants them.
    Seeds {
        /// The target.
        target: String,
        /// The folder.
        into: PathBuf,
    },
    /// Damages seeds and gives them to a target.
    Damage {
        /// The target.
        target: String,
        /// How many inputs.
        #[arg(long)]
        inputs: u64,
        /// What chance begins with.
        #[arg(long)]
        seed: u64,
        /// Where inputs that break a promise are kept.
        #[arg(long)]
        found: PathBuf,
    },
}

fn main() -> ExitCode {
    match Command::parse() {
        Command::Targets => {
            let targets = TARGETS.iter().map(|target| json!({"target": target.name, "cost": target.cost}));
            println!("{}", json!(targets.collect::<Vec<_>>()));
            ExitCode::SUCCESS
        }
        Command::Seeds { target, into } => {
            let target = named(&target);
            fs::create_dir_all(&into).expect("a folder");
            for (number, bytes) in seeds::all(target).iter().enumerate() {
                fs::write(into.join(format!("seed-{number}")), bytes).expect("a seed is written");
            }
            ExitCode::SUCCESS
        }
        Command::Damage { target, inputs, seed, found } => damage(named(&target), inputs, seed, &found),
    }
}

fn named(name: &str) -> &'static Target {
    target(name).unwrap_or_else(|| panic!("there is no target {name}"))
}

fn damage(target: &Target, inputs: u64, seed: u64, found: &Path) -> ExitCode {
    // automerge's panics, which admission catches, would be most of the output.
    set_hook(Box::new(|_| {}));
    let (chance, seeds) = (Chance::new(seed), seeds::all(target));
    let mut broken = Vec::new();
    for number in 0..inputs {
        let bytes = mutate::damaged(&seeds, &chance);
        if catch_unwind(AssertUnwindSafe(|| (target.run)(&bytes))).is_err() {
            fs::create_dir_all(found).expect("a folder");
            let path = found.join(format!("{}-{seed}-{number}", target.name));
            fs::write(&path, bytes).expect("what was found is kept");
            broken.push(path);
        }
    }
    println!("{}", json!({"target": target.name, "inputs": inputs, "seed": seed, "found": broken}));
    if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
