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
    /// The case or session.
    pub subject: String,
    /// The field.
    pub field: String,
    /// What was written.
    pub value: String,
    /// What its author saw in the field.
    pub overwrote: BTreeSet<String>,
    /// What the device kept as refused in the field: its author writes it anew, and it is settled.
    pub rewrote: BTreeSet<String>,
}

/// A field of a case or session.
pub type Place = (String, String);

/// Everything acknowledged.
#[derive(Debug, Clone, Default)]
pub struct Oracle {
    /// Acknowledged edits, in the order in which they were made in true time.
    pub edits: Vec<Edit>,
    /// Deposits that were handed in, without a sender.
    pub deposits: usize,
    /// Of these, the ones that may have gone with a phone before they were sent.
    pub deposits_unsure: usize,
    /// A phone was cloned or restored: what it wrote twice under one number is written anew, over what it then sees.
    pub forked: bool,
    /// Phones that share their key with a copy, or did. What they write may be written anew, over what is then seen.
    pub copies: BTreeSet<DeviceNumber>,
    /// Where somebody's work may have been written anew: what shows there is not foretold, only that nothing is gone.
    pub blurred: BTreeSet<Place>,
    /// Values that were only on a phone that is no more, or older than its backup.
    pub gone: BTreeSet<String>,
    /// Values that a device was told are refused.
    pub told: BTreeSet<String>,
    /// Of these, the ones that the device must show as refused.
    pub shows: BTreeMap<DeviceNumber, BTreeSet<String>>,
    unsettled: BTreeMap<DeviceNumber, BTreeSet<Place>>,
}

impl Oracle {
    /// An edit was acknowledged to its author.
    pub fn keep(&mut self, edit: Edit) {
        let place = (edit.subject.clone(), edit.field.clone());
        if self.copies.contains(&edit.device) {
            self.blurred.insert(place.clone());
        }
        self.unsettled.entry(edit.device).or_default().insert(place);
        for shown in self.shows.values_mut() {
            shown.retain(|value| !edit.rewrote.contains(value));
        }
        self.edits.push(edit);
    }

    /// It is not known whether a write of this field was kept.
    pub fn doubt(&mut self, subject: &str, field: &str) {
        self.blurred.insert((subject.to_owned(), field.to_owned()));
    }

    /// The edits of these values may be written anew.
    pub fn blur(&mut self, values: &BTreeSet<String>) {
        let places = self.edits.iter().filter(|edit| values.contains(&edit.value));
        self.blurred.extend(places.map(|edit| (edit.subject.clone(), edit.field.clone())));
    }

    /// The device has a copy with the same key from now on.
    pub fn copied(&mut self, device: DeviceNumber) {
        self.copies.insert(device);
        self.rewritten(device);
    }

    /// What the device has not settled may have been written anew.
    pub fn rewritten(&mut self, device: DeviceNumber) {
        self.blurred.extend(self.unsettled.remove(&device).unwrap_or_default());
    }

    /// Everything that the device wrote was settled as it was written.
    pub fn settled(&mut self, device: DeviceNumber) {
        self.unsettled.remove(&device);
    }

    /// The edit that wrote this value.
    #[must_use]
    pub fn edit_of(&self, value: &str) -> Option<&Edit> {
        self.edits.iter().find(|edit| edit.value == value)
    }

    /// Values that nobody overwrote, by subject and field, of the edits that `counts` takes.
    pub fn standing(&self, counts: impl Fn(&Edit) -> bool) -> BTreeMap<(&str, &str), BTreeSet<&str>> {
        let mut standing: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for edit in self.edits.iter().filter(|edit| counts(edit)) {
            let values = standing.entry((edit.subject.as_str(), edit.field.as_str())).or_default();
            values.retain(|value| !edit.overwrote.contains(*value));
            values.insert(edit.value.as_str());
        }
        standing
    }
}
