//! What has been acknowledged to people, kept apart from everything that merges.
//!
//! Every edit writes a value of its own, so a value names its edit. An edit notes which values its author saw: those it
//! overwrites. What nobody overwrote must be visible everywhere, shown or among the others.

use std::collections::{BTreeMap, BTreeSet};

use super::DeviceNumber;

/// One acknowledged edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// On which device.
    pub device: DeviceNumber,
    /// The case.
    pub case: String,
    /// The field.
    pub field: String,
    /// What was written.
    pub value: String,
    /// What its author saw in the field.
    pub overwrote: BTreeSet<String>,
    /// What the device kept as refused in the field: its author writes it anew, and it is settled.
    pub rewrote: BTreeSet<String>,
}

/// Everything acknowledged.
#[derive(Debug, Clone, Default)]
pub struct Oracle {
    /// Acknowledged edits, in the order in which they were made in true time.
    pub edits: Vec<Edit>,
    /// Deposits that were handed in, without a sender.
    pub deposits: usize,
    /// A phone was cloned or restored: what it wrote twice under one number is written anew, over what it then sees.
    pub forked: bool,
}

impl Oracle {
    /// Values that nobody overwrote, by case and field, of the edits that `counts` takes.
    pub fn standing(&self, counts: impl Fn(&Edit) -> bool) -> BTreeMap<(&str, &str), BTreeSet<&str>> {
        let mut standing: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for edit in self.edits.iter().filter(|edit| counts(edit)) {
            let values = standing.entry((edit.case.as_str(), edit.field.as_str())).or_default();
            values.retain(|value| !edit.overwrote.contains(*value));
            values.insert(edit.value.as_str());
        }
        standing
    }
}
