//! What phones acknowledged to people, kept apart from everything that merges: the measure of what was lost.
//!
//! Each edit notes what it wrote, where, and which earlier edits its author saw in the same place: those it overwrites.
//! What nobody overwrote must be visible on every replica that should hold the record, shown or among the others.

use std::collections::{BTreeMap, BTreeSet};

use foras::Phone;
use foras::phone::{RecordShown, Shown};
use foras::store::Delivery;
use foras_record::kind::Kind;
use foras_wire::audience::AudienceName;
use foras_wire::id::Digest32;
use foras_wire::record::RecordKey;
use serde_json::Value;

use super::device::Device;
use crate::output::Failure;

/// Fingerprints of the content of records, by audience.
pub(super) type Content = BTreeMap<AudienceName, BTreeMap<RecordKey, Digest32>>;

/// What an edit wrote into one field.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Wrote {
    /// A value, of which there is one: concurrent ones stand beside it.
    Value(Value),
    /// A member of a set.
    Member(String),
    /// An event, which is written once.
    Event,
}

/// A field that an action wrote, as `show` names it.
#[derive(Debug, Clone)]
pub(super) struct Written {
    kind: Kind,
    /// The record, where the case has several of the kind.
    record: Option<String>,
    field: String,
    wrote: Wrote,
}

impl Written {
    /// A field of the one record of this kind.
    pub(super) fn new(kind: Kind, field: impl Into<String>, wrote: Wrote) -> Self {
        Self { kind, record: None, field: field.into(), wrote }
    }

    /// A value of the one record of this kind.
    pub(super) fn value(kind: Kind, field: impl Into<String>, value: &str) -> Self {
        Self::new(kind, field, Wrote::Value(value.into()))
    }

    /// A field of this record.
    pub(super) fn of(record: &str, written: Self) -> Self {
        Self { record: Some(record.to_owned()), ..written }
    }
}

/// One field of one record that an edit wrote.
#[derive(Debug)]
struct Effect {
    key: RecordKey,
    field: String,
    wrote: Wrote,
    /// A later edit was made in sight of this one.
    overwritten: bool,
}

/// One acknowledged edit.
#[derive(Debug)]
struct Edit {
    /// Which device, by its number in the story.
    by: usize,
    /// The case, or the session.
    subject: String,
    effects: Vec<Effect>,
}

/// Every edit that a phone acknowledged while it was offline, and those after.
#[derive(Debug, Default)]
pub(super) struct Journal {
    edits: Vec<Edit>,
}

/// Of the edits of a journal.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tally {
    /// On the server, by its acknowledgement.
    pub(super) acknowledged: usize,
    /// Acknowledged, not overwritten, and missing on a replica that should hold it.
    pub(super) lost: usize,
}

impl Journal {
    /// How many edits there are.
    pub(super) fn len(&self) -> usize {
        self.edits.len()
    }

    /// How many edits a device made.
    pub(super) fn of(&self, by: usize) -> usize {
        self.edits.iter().filter(|edit| edit.by == by).count()
    }

    /// Makes an edit of a case on device `by` and notes what it says it wrote.
    pub(super) fn edit(
        &mut self,
        devices: &mut [Device],
        by: usize,
        subject: &str,
        act: impl FnOnce(&mut Phone) -> Result<Vec<Written>, foras::Error>,
    ) -> Result<(), Failure> {
        let device = devices.get_mut(by).ok_or_else(|| not_kept("nobody"))?;
        let before = device.phone.show(subject)?;
        let written = act(&mut device.phone)?;
        let after = device.phone.show(subject)?;
        let mut effects = Vec::new();
        for Written { kind, record: named, field, wrote } in written {
            let is_meant = |record: &&RecordShown| {
                record.kind == kind.name() && named.as_ref().is_none_or(|named| record.record == *named)
            };
            let record = after.records.iter().find(is_meant).ok_or_else(|| not_kept(&device.name))?;
            let id = record.record.parse().map_err(|_| not_kept(&device.name))?;
            let key = RecordKey { kind: kind.code(), id };
            let effect = Effect { key, field, wrote, overwritten: false };
            if !is_visible(&after, &effect) {
                return Err(not_kept(&device.name));
            }
            self.overwrite(&before, &effect);
            effects.push(effect);
        }
        self.edits.push(Edit { by, subject: subject.to_owned(), effects });
        Ok(())
    }

    /// Marks earlier values of the same place that the author saw. Members of a set do not overwrite one another.
    fn overwrite(&mut self, before: &Shown, new: &Effect) {
        let earlier = self.edits.iter_mut().flat_map(|edit| &mut edit.effects);
        for effect in earlier.filter(|effect| (effect.key, &effect.field) == (new.key, &new.field)) {
            if matches!(effect.wrote, Wrote::Value(_)) && effect.wrote != new.wrote && is_visible(before, effect) {
                effect.overwritten = true;
            }
        }
    }

    /// Looks every edit up on every replica that should hold it, which the server's content says.
    pub(super) fn tally(&self, devices: &mut [Device], truth: &Content) -> Result<Tally, Failure> {
        let mut tally = Tally::default();
        let mut replicas = Replicas { shown: BTreeMap::new() };
        for edit in &self.edits {
            let Some(author) = devices.get(edit.by) else { continue };
            if !is_acknowledged(&author.phone, edit)? {
                continue;
            }
            tally.acknowledged += 1;
            let mut is_lost =
                edit.effects.iter().any(|effect| !truth.values().any(|held| held.contains_key(&effect.key)));
            for (number, device) in devices.iter_mut().enumerate() {
                let granted: BTreeSet<AudienceName> = audiences(device);
                for effect in edit.effects.iter().filter(|effect| !effect.overwritten) {
                    let held = |audience| truth.get(audience).is_some_and(|held| held.contains_key(&effect.key));
                    if granted.iter().any(held) && !is_visible(replicas.of(number, device, &edit.subject)?, effect) {
                        is_lost = true;
                    }
                }
            }
            tally.lost += usize::from(is_lost);
        }
        Ok(tally)
    }
}

/// What devices show of a case, read once each.
struct Replicas {
    shown: BTreeMap<(usize, String), Shown>,
}

impl Replicas {
    fn of(&mut self, number: usize, device: &mut Device, subject: &str) -> Result<&Shown, Failure> {
        let nothing = || Shown { id: subject.to_owned(), standing: None, records: Vec::new() };
        let place = (number, subject.to_owned());
        if !self.shown.contains_key(&place) {
            let shown = match device.phone.show(subject) {
                Err(foras::Error::NotFound) => nothing(),
                shown => shown?,
            };
            self.shown.insert(place.clone(), shown);
        }
        Ok(self.shown.entry(place).or_insert_with(nothing))
    }
}

/// The audiences that a device was granted.
pub(super) fn audiences(device: &Device) -> BTreeSet<AudienceName> {
    let identity = device.phone.store().identity();
    identity.map(|identity| identity.audiences().iter().cloned().collect()).unwrap_or_default()
}

fn is_acknowledged(author: &Phone, edit: &Edit) -> Result<bool, Failure> {
    for effect in &edit.effects {
        let delivery = author.store().delivery(&effect.key);
        match delivery {
            Ok(Delivery::Server { .. } | Delivery::Seen { .. } | Delivery::Awaiting) => {}
            // The record left the author's audiences after the edit was received.
            Err(foras::Error::NotFound) => {}
            Ok(_) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(true)
}

fn is_visible(shown: &Shown, effect: &Effect) -> bool {
    let id = effect.key.id.to_string();
    let of_kind = |kind: &str| Kind::of_code(effect.key.kind).is_some_and(|known| known.name() == kind);
    let record = shown.records.iter().find(|record| record.record == id && of_kind(record.kind));
    let Some(value) = record.and_then(|record| record.fields.get(&effect.field)) else { return false };
    match &effect.wrote {
        Wrote::Value(wrote) => value.value == *wrote || value.others.iter().any(|other| other.value == *wrote),
        Wrote::Member(member) => {
            value.value.as_array().is_some_and(|set| set.iter().any(|one| one.as_str() == Some(member)))
        }
        Wrote::Event => true,
    }
}

fn not_kept(name: &str) -> Failure {
    Failure::refused("not_kept", format!("{name} does not show an edit just made"), "report it")
}
