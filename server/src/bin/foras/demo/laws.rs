//! What must hold at rest, computed from what the replicas and the server really hold.

use std::collections::{BTreeMap, BTreeSet};

use foras_wire::record::RecordKey;

use super::device::Device;
use super::journal::{Content, audiences};
use crate::output::Failure;

/// How the replicas stand against the server.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Comparison {
    /// Records of some replica whose content is not the server's, or that one of both lacks.
    pub(super) differing: usize,
    /// Records on a device that none of its audiences holds.
    pub(super) leaks: usize,
    /// Records compared.
    pub(super) compared: usize,
}

/// Compares every device with the server, by content and per audience.
pub(super) fn compare(devices: &mut [Device], truth: &Content) -> Result<Comparison, Failure> {
    let mut comparison = Comparison::default();
    let nothing = BTreeMap::new();
    for device in devices {
        let granted = audiences(device);
        let held = device.phone.store_mut().content_by_audience()?;
        for audience in &granted {
            let (here, there) = (held.get(audience).unwrap_or(&nothing), truth.get(audience).unwrap_or(&nothing));
            let keys: BTreeSet<&RecordKey> = here.keys().chain(there.keys()).collect();
            comparison.compared += keys.len();
            comparison.differing += keys.into_iter().filter(|key| here.get(key) != there.get(key)).count();
        }
        let allowed = |key: &RecordKey| {
            granted.iter().filter_map(|audience| truth.get(audience)).any(|records| records.contains_key(key))
        };
        let holdings = device.phone.store().holdings()?;
        comparison.leaks += holdings.keys().filter(|record| !allowed(&record.key)).count();
    }
    Ok(comparison)
}

/// Concurrent values that the devices show beside the one in sight: each once, however many devices hold it.
pub(super) fn concurrent_values(devices: &mut [Device]) -> Result<BTreeMap<(String, String), usize>, Failure> {
    let mut kept = BTreeMap::new();
    for device in devices {
        let mut page = 1;
        loop {
            let found = device.phone.conflicts(page)?;
            for conflict in &found.items {
                for (field, value) in &conflict.fields {
                    let place = (format!("{} {}", conflict.kind, conflict.record), field.clone());
                    let most = kept.entry(place).or_insert(0);
                    *most = value.others.len().max(*most);
                }
            }
            if found.page >= found.pages {
                break;
            }
            page += 1;
        }
    }
    Ok(kept)
}
