//! Where inputs begin: kept files, each of which once found something or stands for a form of input, and what is made now.

use std::fs;
use std::path::PathBuf;

use super::Target;

/// Where a target's kept seeds are.
#[must_use]
pub fn folder(target: &Target) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target.name)
}

/// Kept seeds, with their files' names, in order.
///
/// # Panics
/// When a file does not read.
#[must_use]
pub fn kept(target: &Target) -> Vec<(String, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(folder(target)) else { return Vec::new() };
    let mut seeds: Vec<(String, Vec<u8>)> = entries
        .map(|entry| {
            let path = entry.expect("a seed").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            (name, fs::read(path).expect("a seed that reads"))
        })
        .collect();
    seeds.sort();
    seeds
}

/// Kept seeds and those that are made now; never none.
#[must_use]
pub fn all(target: &Target) -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = kept(target).into_iter().map(|(_, bytes)| bytes).collect();
    seeds.extend((target.seeds)());
    seeds.push(Vec::new());
    seeds
}
