//! The machine that a table was measured on.

use std::fs;
use std::process::Command;

/// The value behind `name` in one of the system's tables.
fn row(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split_once(':').map(|(_, value)| value.trim().to_owned())
}

fn printed(program: &str, words: &[&str]) -> Option<String> {
    let output = Command::new(program).args(words).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}

/// Processor, cores and memory, in one line.
pub(crate) fn described() -> String {
    let model = row("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".to_owned());
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let memory_kb = row("/proc/meminfo", "MemTotal").and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
    let memory = memory_kb.map_or_else(|| "?".to_owned(), |kb| format!("{:.0}", kb as f64 / 1024.0 / 1024.0));
    format!("{model}, {cores} cores, {memory} GiB, {} {}", std::env::consts::OS, std::env::consts::ARCH)
}

/// The commit that was measured; marked where the tree differs from it.
pub(crate) fn commit() -> String {
    printed("git", &["describe", "--always", "--dirty", "--abbrev=10"]).unwrap_or_else(|| "unknown".to_owned())
}

/// Today, as `YYYY-MM-DD`.
pub(crate) fn today() -> String {
    jiff::Timestamp::try_from(std::time::SystemTime::now()).unwrap_or_default().strftime("%Y-%m-%d").to_string()
}
