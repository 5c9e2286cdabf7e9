//! The laws of sync, asserted when the world has come to rest.

use std::collections::{BTreeMap, BTreeSet};

use foras_record::kind::Kind;
use foras_wire::audience::AudienceName;
use foras_wire::id::Digest32;
use foras_wire::record::RecordKey;

use super::{DeviceNumber, World};

type Content = BTreeMap<AudienceName, BTreeMap<RecordKey, Digest32>>;

/// Asserts every law.
///
/// # Panics
/// When one is broken.
pub fn assert_all(world: &mut World) {
    let truth = world.server().content_by_audience().expect("the server's content");
    for number in world.devices() {
        if world.is_revoked(number) {
            continue;
        }
        assert_converged(world, number, &truth);
        assert_nothing_waits(world, number);
        assert_nothing_left_behind(world, number);
    }
    assert_no_edit_lost(world);
    assert_deposits_count_once(world, &truth);
}

/// A device holds each record of each of its audiences with the server's content, and no other record.
fn assert_converged(world: &mut World, number: DeviceNumber, truth: &Content) {
    let device = world.device(number).name.clone();
    let store = world.phone(number).store_mut();
    let granted: BTreeSet<_> = store.identity().expect("an enrolled phone").audiences().iter().cloned().collect();
    let held = store.content_by_audience().expect("the phone's content");
    let nothing = BTreeMap::new();
    for audience in &granted {
        let (here, there) = (held.get(audience).unwrap_or(&nothing), truth.get(audience).unwrap_or(&nothing));
        for (key, fingerprint) in there {
            assert_eq!(here.get(key), Some(fingerprint), "{device} differs from the server in {audience}: {key:?}");
        }
        for key in here.keys() {
            assert!(there.contains_key(key), "{device} holds {key:?}, which left {audience}");
        }
    }
    let allowed: BTreeSet<_> =
        granted.iter().filter_map(|audience| truth.get(audience)).flat_map(BTreeMap::keys).collect();
    for (record, audiences) in store.holdings().expect("the phone's records") {
        assert!(allowed.contains(&record.key), "{device} holds {:?} outside its audiences", record.key);
        assert!(audiences.is_subset(&granted), "{device} holds {:?} by an audience it has not", record.key);
    }
}

/// At rest, everything was sent.
fn assert_nothing_waits(world: &mut World, number: DeviceNumber) {
    let device = world.device(number).name.clone();
    let pending = world.phone(number).store().pending().expect("the outbox");
    assert_eq!((pending.changes, pending.deposits), (0, 0), "{device} still has something to send");
}

/// Nothing of a case that the device does not hold stands in any of its files.
fn assert_nothing_left_behind(world: &mut World, number: DeviceNumber) {
    let left: BTreeSet<_> = world.oracle.edits.iter().map(|edit| edit.case.clone()).collect();
    let left: BTreeSet<_> = left.into_iter().filter(|case| !world.holds(number, case)).collect();
    let of_left = world.oracle.edits.iter().filter(|edit| left.contains(&edit.case));
    let of_left: BTreeSet<_> = of_left.map(|edit| edit.value.clone()).collect();
    if of_left.is_empty() {
        return;
    }
    let device = world.device(number);
    let found: Vec<_> = device.values_in_files().intersection(&of_left).cloned().collect();
    assert!(found.is_empty(), "{} does not hold {left:?}, but its files do: {found:?}", device.name);
}

/// No acknowledged edit is lost: what nobody overwrote is visible on every device that shows the case, and the bytes of
/// every edit are on the server, admitted or in quarantine, or on its device as refused work.
fn assert_no_edit_lost(world: &mut World) {
    let oracle = world.oracle.clone();
    let admitted = world.chunks_of("change");
    let aside = (world.chunks_of("quarantine"), world.values_set_aside());
    let is_aside = |value: &str| {
        let quarantined = aside.0.iter().any(|chunk| contains(chunk, value.as_bytes()));
        quarantined || aside.1.iter().any(|text| text.contains(value))
    };
    let rewritten: BTreeSet<&String> = oracle.edits.iter().flat_map(|edit| &edit.rewrote).collect();
    let is_aside = |value: &str| is_aside(value) || rewritten.iter().any(|other| *other == value);
    for edit in &oracle.edits {
        let kept = admitted.iter().any(|chunk| contains(chunk, edit.value.as_bytes()));
        assert!(kept || is_aside(&edit.value), "the edit {:?} of {:?} is nowhere", edit.value, edit.device);
    }
    if oracle.forked {
        return;
    }
    for ((case, field), expected) in oracle.standing(|edit| !is_aside(&edit.value)) {
        for number in world.devices() {
            let values = world.values(number, case, field);
            // A role that does not see projects shows none.
            if !values.is_empty() {
                let device = world.device(number).name.clone();
                let shown: BTreeSet<&str> = values.iter().map(String::as_str).collect();
                assert_eq!(shown, expected, "{device} shows other values of {field} than were written in {case}");
            }
        }
    }
}

/// Each deposit is one record, however often it travelled.
fn assert_deposits_count_once(world: &World, truth: &Content) {
    let programmes = truth.iter().filter(|(audience, _)| audience.class() == "programme");
    let keys = programmes.flat_map(|(_, records)| records.keys());
    let kept = keys.filter(|key| key.kind == Kind::Feedback.code()).count();
    assert_eq!(kept, world.oracle.deposits, "deposits that the server keeps");
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

impl World {
    /// Whether the server has refused the device for good.
    pub fn is_revoked(&mut self, number: DeviceNumber) -> bool {
        self.phone(number).store().is_revoked().expect("the phone's state")
    }

    /// Work that devices keep because it was not admitted, as text.
    fn values_set_aside(&mut self) -> Vec<String> {
        let mut values = Vec::new();
        for number in self.devices() {
            let refused = self.phone(number).store().refused().expect("refused work");
            values.extend(refused.into_iter().map(|edit| edit.value.to_string()));
        }
        values
    }

    /// How many changes the server keeps for a supervisor.
    #[must_use]
    pub fn quarantined(&self) -> usize {
        self.chunks_of("quarantine").len()
    }

    /// Changes that the server keeps in a table, read past the server itself.
    fn chunks_of(&self, table: &str) -> Vec<Vec<u8>> {
        let database = rusqlite::Connection::open(self.server_folder().join("foras.db")).expect("the database");
        let mut statement = database.prepare(&format!("SELECT chunk FROM {table}")).expect("a table of changes");
        let rows = statement.query_map([], |row| row.get(0)).expect("changes");
        rows.map(|chunk| chunk.expect("a change")).collect()
    }
}
