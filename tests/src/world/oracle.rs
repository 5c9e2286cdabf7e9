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
    /// Phones that share their key with a copy, or did.
    pub copies: BTreeSet<DeviceNumber>,
    /// Where a copy wrote, or may write again what the server has already: such a value may show once more after somebody
    /// overwrote it. What nobody overwrote shows all the same.
    pub doubled: BTreeSet<Place>,
    /// Where it is not known whether a write was kept: what shows there is not foretold, only that nothing is gone.
    pub blurred: BTreeSet<Place>,
    /// Values that were only on a phone that is no more, or older than its backup.
    pub gone: BTreeSet<String>,
    /// Values that the server lost when it was put back, and that some device holds.
    pub owed: BTreeSet<String>,
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
            self.doubled.insert(place.clone());
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

    /// The edits of these values may be written once more.
    pub fn double(&mut self, values: &BTreeSet<String>) {
        let places = self.edits.iter().filter(|edit| values.contains(&edit.value));
        self.doubled.extend(places.map(|edit| (edit.subject.clone(), edit.field.clone())));
    }

    /// The device has a copy with the same key from now on.
    pub fn copied(&mut self, device: DeviceNumber) {
        self.copies.insert(device);
        self.doubled.extend(self.unsettled.remove(&device).unwrap_or_default());
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

    /// Values that nobody overwrote, by subject and field, of the edits that `counts` takes. Whoever overwrote an edit that
    /// does not count overwrote what that one did.
    pub fn standing(&self, counts: impl Fn(&Edit) -> bool) -> BTreeMap<(&str, &str), BTreeSet<&str>> {
        let mut standing: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        let mut not_counted: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for edit in &self.edits {
            let mut overwrote: BTreeSet<&str> = edit.overwrote.iter().map(String::as_str).collect();
            let through: Vec<_> =
                overwrote.iter().filter_map(|value| not_counted.get(value)).flatten().copied().collect();
            overwrote.extend(through);
            if !counts(edit) {
                not_counted.insert(&edit.value, overwrote);
                continue;
            }
            let values = standing.entry((edit.subject.as_str(), edit.field.as_str())).or_default();
            values.retain(|value| !overwrote.contains(*value));
            values.insert(edit.value.as_str());
        }
        standing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(value: &str, overwrote: &[&str]) -> Edit {
        Edit {
            device: DeviceNumber(0),
            subject: "a case".to_owned(),
            field: "needs".to_owned(),
            value: value.to_owned(),
            overwrote: overwrote.iter().map(|value| (*value).to_owned()).collect(),
            rewrote: BTreeSet::new(),
        }
    }

    #[test]
    fn whoever_overwrote_a_refused_edit_overwrote_what_that_one_did() {
        let edits =
            [edit("a bed", &[]), edit("refused", &["a bed"]), edit("a doctor", &["refused"]), edit("a loan", &[])];
        let oracle = Oracle { edits: edits.into(), ..Oracle::default() };
        let standing = oracle.standing(|edit| edit.value != "refused");
        assert_eq!(standing[&("a case", "needs")], ["a doctor", "a loan"].into());
        let only_refused = oracle.standing(|edit| !["refused", "a doctor"].contains(&edit.value.as_str()));
        assert_eq!(only_refused[&("a case", "needs")], ["a bed", "a loan"].into());
    }
}
