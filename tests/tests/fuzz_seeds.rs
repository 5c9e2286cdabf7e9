//! Hostile bytes against every decoder and gate: every kept seed, every honest one, and some thousands that are damaged.
//! `cargo xtask fuzz` gives them millions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use foras_tests::fuzz::{TARGETS, Target, mutate, seeds};
use foras_tests::world::chance::Chance;

/// Damaged inputs of a target that costs nothing.
const INPUTS: u32 = 4_000;

fn run(target: &Target, bytes: &[u8], which: &str) {
    if catch_unwind(AssertUnwindSafe(|| (target.run)(bytes))).is_err() {
        let hex = bytes.iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").unwrap();
            hex
        });
        panic!("{}: {which} broke a promise: {hex}", target.name);
    }
}

#[test]
fn every_seed_passes() {
    for target in TARGETS {
        for (name, bytes) in seeds::kept(target) {
            run(target, &bytes, &name);
        }
        let made = (target.seeds)();
        assert!(!made.is_empty(), "{} has no honest input", target.name);
        for bytes in made {
            run(target, &bytes, "an honest input");
        }
    }
}

#[test]
fn damaged_inputs_break_no_promise() {
    let seed = std::env::var("FORAS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    for target in TARGETS {
        let (chance, seeds) = (Chance::new(seed), seeds::all(target));
        let inputs = (INPUTS / target.cost).max(60);
        println!("{}: {inputs} inputs from {} seeds, FORAS_SEED={seed}", target.name, seeds.len());
        for number in 0..inputs {
            run(target, &mutate::damaged(&seeds, &chance), &format!("input {number} of FORAS_SEED={seed}"));
        }
    }
}

#[test]
fn a_fuzzer_has_every_target() {
    let manifest = include_str!("../fuzz/Cargo.toml");
    let built: Vec<&str> =
        manifest.split("[[bin]]").skip(1).filter_map(|bin| bin.split("name = \"").nth(1)?.split('"').next()).collect();
    for target in TARGETS {
        assert!(built.contains(&target.name), "{} is not in tests/fuzz/Cargo.toml", target.name);
    }
    assert_eq!(built.len(), TARGETS.len());
}
