//! Writes the samples of which the dictionary of the wire is made, each into a file of its own:
//! `core/wire/dictionary/make.sh` runs it.
#![allow(clippy::expect_used)]

use std::path::PathBuf;

use foras_tests::dictionary::samples;

/// Seeds of the programmes that are overheard.
const SEEDS: std::ops::Range<u64> = 1..4;
/// People of each.
const PEOPLE: usize = 60;

fn main() {
    let folder = PathBuf::from(std::env::args_os().nth(1).expect("a folder to write into"));
    let (mut files, mut bytes) = (0, 0);
    for sample in SEEDS.flat_map(|seed| samples(seed, PEOPLE)) {
        std::fs::write(folder.join(format!("{files:06}")), &sample).expect("a file");
        files += 1;
        bytes += sample.len();
    }
    println!("{files} samples, {bytes} bytes");
}
