//! Devices that hold an audience hold what the server holds, in content.

use std::collections::{BTreeMap, BTreeSet};

use super::{Content, Findings};
use crate::world::{DeviceNumber, World};

/// A device holds each record of each of its audiences with the server's content, and has nothing to send.
pub(super) fn look(world: &mut World, number: DeviceNumber, truth: &Content, findings: &mut Findings) {
    let device = world.device(number).name.clone();
    let store = world.phone(number).store_mut();
    let granted: BTreeSet<_> = store.identity().expect("an enrolled phone").audiences().iter().cloned().collect();
    let held = store.content_by_audience().expect("the phone's content");
    let pending = store.pending().expect("the outbox");
    let nothing = BTreeMap::new();
    for audience in &granted {
        let (here, there) = (held.get(audience).unwrap_or(&nothing), truth.get(audience).unwrap_or(&nothing));
        for (key, fingerprint) in there {
            match here.get(key) {
                Some(same) if same == fingerprint => {}
                Some(_) => {
                    findings.diverged.push(format!("{device} differs from the server in {audience}: {key:?}"));
                }
                None => findings.diverged.push(format!("{device} lacks {key:?} of {audience}")),
            }
        }
        for key in here.keys().filter(|key| !there.contains_key(key)) {
            findings.diverged.push(format!("{device} holds {key:?}, which left {audience}"));
        }
    }
    let audiences = store.identity().expect("an enrolled phone").audiences().to_vec();
    let (kept, counted) = (store.digest().expect("a digest"), store.recount().expect("a digest"));
    if kept != counted {
        findings.diverged.push(format!("{device} keeps sums that are not those of its changes"));
    }
    if counted != world.server().digest(&audiences).expect("the server's digest") {
        findings.diverged.push(format!("{device} has another digest than the server"));
    }
    if (pending.changes, pending.deposits) != (0, 0) {
        findings.diverged.push(format!("{device} still has something to send: {pending:?}"));
    }
}
