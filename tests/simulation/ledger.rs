//! The ledger of recorded runs: a line each, and what they come to together.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

use crate::outcome::Report;

/// The section of the ledger that this tool writes.
const SECTION: &str = "## Device-days";

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("simulation/LEDGER.md")
}

/// Appends a run to the ledger.
pub(crate) fn record(report: &Report) -> io::Result<()> {
    let ledger = fs::read_to_string(path())?;
    let day = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    let appended = appended(&ledger, report, &day, &commit());
    fs::write(path(), appended.ok_or_else(|| io::Error::other("the ledger has no table of device-days"))?)
}

/// The commit that was run, marked where the tree held more than it.
fn commit() -> String {
    let said = |words: &[&str]| {
        let run = Command::new("git").arg("-C").arg(env!("CARGO_MANIFEST_DIR")).args(words).output();
        run.ok().filter(|run| run.status.success()).map(|run| String::from_utf8_lossy(&run.stdout).trim().to_owned())
    };
    let commit = said(&["rev-parse", "--short", "HEAD"]).unwrap_or_else(|| "unknown".to_owned());
    let changed = said(&["status", "--porcelain", "--", "..", ":!simulation/LEDGER.md"]);
    if changed.is_some_and(|changed| !changed.is_empty()) { format!("{commit}+") } else { commit }
}

/// The ledger with one more line at the end of its table; `None` where there is no such table.
fn appended(ledger: &str, report: &Report, day: &str, commit: &str) -> Option<String> {
    let mut lines: Vec<String> = ledger.lines().map(str::to_owned).collect();
    let section = lines.iter().position(|line| line == SECTION)?;
    let length = lines.iter().skip(section + 1).position(|line| line.starts_with("## "));
    let end = length.map_or(lines.len(), |length| section + 1 + length);
    let last = (section..end).rev().find(|at| lines.get(*at).is_some_and(|line| line.starts_with('|')))?;
    let so_far = lines.get(last).and_then(|line| line.trim_end_matches('|').rsplit('|').next()?.trim().parse().ok());
    let together = so_far.unwrap_or(0_u64) + report.device_days;
    let Report { device_days, edits, acknowledged, lost, diverged, leaked, seed, .. } = report;
    let faults = report.faults_total();
    let line = format!(
        "| {day} | {commit} | {seed} | {device_days} | {edits} | {acknowledged} | {lost} | {diverged} | {leaked} | {faults} | {together} |"
    );
    lines.insert(last + 1, line);
    Some(lines.join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_added_under_the_last_and_summed_up() {
        let ledger = "# Ledger\n\n## Device-days\n| a | together |\n|---|---|\n\n## Kills\n| b |\n";
        let report = Report {
            device_days: 300,
            edits: 2_400,
            acknowledged: 2_390,
            lost: 0,
            diverged: 0,
            leaked: 0,
            faults: [("killed", 5)].into(),
            seed: 7,
        };
        let once = appended(ledger, &report, "2026-10-01", "abc").expect("a table");
        let twice = appended(&once, &report, "2026-10-02", "abd").expect("a table");
        let rows: Vec<_> = twice.lines().filter(|line| line.starts_with("| 2026")).collect();
        assert_eq!(rows[0], "| 2026-10-01 | abc | 7 | 300 | 2400 | 2390 | 0 | 0 | 0 | 5 | 300 |");
        assert!(rows[1].ends_with("| 600 |"));
        assert!(twice.contains("\n\n## Kills\n| b |\n"));
        assert_eq!(appended("# Ledger\n", &report, "", ""), None);
    }
}
