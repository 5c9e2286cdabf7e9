//! What came of programmes: the counts that are reported, and where each edit ended.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

/// What came of one programme, or of several.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outcome {
    /// Days of work of a device.
    pub(crate) device_days: u64,
    /// Where the edits are in the end.
    pub(crate) fates: Fates,
    /// Edits that are gone, or not visible though nobody overwrote them.
    pub(crate) lost: u64,
    /// Records that differ between a device and the server, and programmes that broke in another way.
    pub(crate) diverged: u64,
    /// Records and values outside their audiences.
    pub(crate) leaked: u64,
    /// How often each fault struck.
    pub(crate) faults: BTreeMap<&'static str, u64>,
    /// What was found, in words.
    pub(crate) findings: Vec<String>,
    /// Seeds and device-days of programmes in which something was found.
    pub(crate) failed: Vec<(u64, u64)>,
}

/// Where edits are in the end. An edit that was lost is in none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Fates {
    /// Durable on a device when its person was told so.
    pub(crate) edits: u64,
    /// Acknowledged by the server, and in its records.
    pub(crate) acknowledged: u64,
    /// Of these, the ones that somebody overwrote knowingly.
    pub(crate) overwritten: u64,
    /// Kept for a supervisor.
    pub(crate) quarantined: u64,
    /// Shown as refused on their device.
    pub(crate) refused: u64,
    /// Only on a phone that is no more.
    pub(crate) gone_with_a_phone: u64,
}

impl fmt::Display for Fates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} edits: {} acknowledged ({} of them overwritten since), {} in quarantine, {} refused, {} gone with a phone",
            self.edits, self.acknowledged, self.overwritten, self.quarantined, self.refused, self.gone_with_a_phone
        )
    }
}

impl std::ops::AddAssign for Fates {
    fn add_assign(&mut self, other: Self) {
        self.edits += other.edits;
        self.acknowledged += other.acknowledged;
        self.overwritten += other.overwritten;
        self.quarantined += other.quarantined;
        self.refused += other.refused;
        self.gone_with_a_phone += other.gone_with_a_phone;
    }
}

impl std::ops::AddAssign for Outcome {
    fn add_assign(&mut self, other: Self) {
        self.device_days += other.device_days;
        self.fates += other.fates;
        self.lost += other.lost;
        self.diverged += other.diverged;
        self.leaked += other.leaked;
        for (kind, times) in other.faults {
            *self.faults.entry(kind).or_default() += times;
        }
        self.findings.extend(other.findings);
        self.failed.extend(other.failed);
    }
}

/// The result as it is printed.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Report {
    pub(crate) device_days: u64,
    pub(crate) edits: u64,
    pub(crate) acknowledged: u64,
    pub(crate) lost: u64,
    pub(crate) diverged: u64,
    pub(crate) leaked: u64,
    pub(crate) faults: BTreeMap<&'static str, u64>,
    pub(crate) seed: u64,
}

impl Outcome {
    /// Whether anything was found.
    pub(crate) fn is_clean(&self) -> bool {
        (self.lost, self.diverged, self.leaked) == (0, 0, 0)
    }

    /// The result of a run from `seed`.
    pub(crate) fn report(&self, seed: u64) -> Report {
        Report {
            device_days: self.device_days,
            edits: self.fates.edits,
            acknowledged: self.fates.acknowledged,
            lost: self.lost,
            diverged: self.diverged,
            leaked: self.leaked,
            faults: self.faults.clone(),
            seed,
        }
    }
}

impl Report {
    /// Whether every law held.
    pub(crate) fn is_clean(&self) -> bool {
        (self.lost, self.diverged, self.leaked) == (0, 0, 0)
    }

    /// All faults together.
    pub(crate) fn faults_total(&self) -> u64 {
        self.faults.values().sum()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (kind, times) in &self.faults {
            writeln!(f, "{times:>9} {kind}")?;
        }
        write!(
            f,
            "seed {}: {} device-days, {} edits, {} acknowledged, {} faults; {} lost, {} diverged, {} leaked",
            self.seed,
            self.device_days,
            self.edits,
            self.acknowledged,
            self.faults_total(),
            self.lost,
            self.diverged,
            self.leaked
        )
    }
}
