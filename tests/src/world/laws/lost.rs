//! No acknowledged edit that a device or the server still holds is lost.

use std::collections::{BTreeMap, BTreeSet};

use super::Findings;
use crate::world::canary::Pile;
use crate::world::oracle::Edit;
use crate::world::{DeviceNumber, World};

pub(super) fn look(world: &mut World, among: &[DeviceNumber], findings: &mut Findings) {
    let admitted = Pile::of(world.chunks_of("change"));
    let aside = Aside::of(world);
    somewhere(world, among, &admitted, &aside, findings);
    visible(world, among, &admitted, &aside, findings);
    refused_shown(world, findings);
    deposits(world, findings);
}

/// Work that was not admitted.
struct Aside {
    quarantined: Pile,
    refused: Pile,
    rewritten: BTreeSet<String>,
}

impl Aside {
    fn of(world: &mut World) -> Self {
        let refused = world.values_set_aside().into_iter().map(String::into_bytes).collect();
        let rewritten = world.oracle.edits.iter().flat_map(|edit| edit.rewrote.iter().cloned()).collect();
        Self { quarantined: Pile::of(world.chunks_of("quarantine")), refused: Pile::of(refused), rewritten }
    }

    fn has(&self, world: &World, value: &str) -> bool {
        self.quarantined.has(value)
            || self.refused.has(value)
            || self.rewritten.contains(value)
            || world.oracle.told.contains(value)
    }
}

/// The bytes of every edit are on the server, admitted or in quarantine, or on its device, to be sent or as refused. What the
/// server lost and somebody on the road holds is brought when they are back.
fn somewhere(world: &mut World, among: &[DeviceNumber], admitted: &Pile, aside: &Aside, findings: &mut Findings) {
    let missing = |world: &World, edit: &&Edit| {
        !admitted.has(&edit.value) && !world.oracle.gone.contains(&edit.value) && !aside.has(world, &edit.value)
    };
    let missing: Vec<Edit> = world.oracle.edits.iter().filter(|edit| missing(world, edit)).cloned().collect();
    if missing.is_empty() {
        return;
    }
    let everybody: Vec<_> = world.devices().collect();
    let mut waiting = Vec::new();
    for number in everybody {
        waiting.extend(world.chunks_to_send(number));
    }
    let waiting = Pile::of(waiting);
    let mut away: Vec<_> = world.devices().collect();
    away.retain(|number| !among.contains(number) && !world.oracle.owed.is_empty());
    let mut away = world.values_held(&away);
    away.retain(|value| world.oracle.owed.contains(value));
    for edit in missing.iter().filter(|edit| !waiting.has(&edit.value) && !away.contains(&edit.value)) {
        findings.lost.push(format!("the edit {:?} of {:?} is nowhere", edit.value, edit.device));
    }
}

/// What nobody overwrote is visible on every device that shows the case, and nothing else is, unless a copy wrote it twice.
fn visible(world: &mut World, among: &[DeviceNumber], admitted: &Pile, aside: &Aside, findings: &mut Findings) {
    let oracle = world.oracle.clone();
    let standing = oracle.standing(|edit| admitted.has(&edit.value) && !aside.has(world, &edit.value));
    let mut records = BTreeMap::new();
    for ((subject, field), expected) in standing {
        let place = (subject.to_owned(), field.to_owned());
        if oracle.blurred.contains(&place) {
            continue;
        }
        let doubled = oracle.doubled.contains(&place);
        for number in among {
            let fields = records
                .entry((*number, subject))
                .or_insert_with(|| world.fields_beside(*number, subject, field).unwrap_or_default());
            // A role that does not see projects shows none.
            let Some(values) = fields.get(field) else { continue };
            let shown: BTreeSet<&str> = values.iter().map(String::as_str).collect();
            let as_expected = if doubled { shown.is_superset(&expected) } else { shown == expected };
            if !values.is_empty() && !as_expected {
                let device = &world.device(*number).name;
                findings.lost.push(format!("{device} shows {shown:?} in {field} of {subject}, not {expected:?}"));
            }
        }
    }
}

/// What was refused stays on its device, until its author writes it anew or its record leaves.
fn refused_shown(world: &mut World, findings: &mut Findings) {
    for (number, values) in world.oracle.shows.clone() {
        let kept = world.refused_on(number);
        for value in values.iter().filter(|value| !kept.contains(*value)) {
            findings.lost.push(format!("the refused edit {value:?} is not shown any more by {number:?}"));
        }
    }
}

/// Each deposit is one record, however often it travelled.
fn deposits(world: &mut World, findings: &mut Findings) {
    let kept = world.deposits_kept();
    let everybody: Vec<_> = world.devices().collect();
    let mut waiting = world.oracle.deposits_unsure;
    for number in everybody {
        let pending = world.phone(number).store().pending().expect("the outbox");
        waiting += usize::try_from(pending.deposits).unwrap_or(usize::MAX);
    }
    let handed_in = world.oracle.deposits;
    if kept > handed_in {
        findings.diverged.push(format!("the server keeps {kept} deposits of {handed_in}"));
    }
    if kept + waiting < handed_in {
        findings.lost.push(format!("of {handed_in} deposits the server keeps {kept}, and {waiting} may wait"));
    }
}
