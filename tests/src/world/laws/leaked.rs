//! No device holds a record outside its audiences, nor a byte of one.

use std::collections::{BTreeMap, BTreeSet};

use super::{Content, Findings};
use crate::world::{DeviceNumber, World};

pub(super) fn look(world: &mut World, number: DeviceNumber, truth: &Content, findings: &mut Findings) {
    records(world, number, truth, findings);
    values(world, number, findings);
}

fn records(world: &mut World, number: DeviceNumber, truth: &Content, findings: &mut Findings) {
    let device = world.device(number).name.clone();
    let store = world.phone(number).store_mut();
    let granted: BTreeSet<_> = store.identity().expect("an enrolled phone").audiences().iter().cloned().collect();
    let of_granted = granted.iter().filter_map(|audience| truth.get(audience));
    let allowed: BTreeSet<_> = of_granted.flat_map(BTreeMap::keys).collect();
    for (record, audiences) in store.holdings().expect("the phone's records") {
        if !allowed.contains(&record.key) {
            findings.leaked.push(format!("{device} holds {:?} outside its audiences", record.key));
        }
        if !audiences.is_subset(&granted) {
            findings.leaked.push(format!("{device} holds {:?} by an audience it has not", record.key));
        }
    }
}

/// Nothing of a case or session that the device does not hold stands in any of its files.
fn values(world: &mut World, number: DeviceNumber, findings: &mut Findings) {
    let subjects: BTreeSet<_> = world.oracle.edits.iter().map(|edit| edit.subject.clone()).collect();
    let left: BTreeSet<_> = subjects.into_iter().filter(|subject| !world.holds(number, subject)).collect();
    let of_left = world.oracle.edits.iter().filter(|edit| left.contains(&edit.subject));
    let of_left: BTreeSet<_> = of_left.map(|edit| edit.value.clone()).collect();
    if of_left.is_empty() {
        return;
    }
    let device = world.device(number);
    for value in device.values_in_files().intersection(&of_left) {
        findings.leaked.push(format!("{} has {value} in its files and does not hold its record", device.name));
    }
}
