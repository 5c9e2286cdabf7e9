//! What is kept where: on the server, in outboxes, aside. Read past the parts that are on trial.

use foras::store::WorkLimits;
use foras_record::packed;
use foras_sync::OutgoingPush;

use super::{DeviceNumber, World};

/// More than any outbox holds.
const EVERYTHING: WorkLimits =
    WorkLimits { changes_max: 1_000_000, bytes: 1 << 40, deposits_max: 1_000_000, plain: true };

impl World {
    /// Whether the server has refused the device for good.
    ///
    /// # Panics
    /// When the store cannot be read.
    pub fn is_revoked(&mut self, number: DeviceNumber) -> bool {
        self.phone(number).store().is_revoked().expect("the phone's state")
    }

    /// How many changes the server keeps for a supervisor.
    #[must_use]
    pub fn quarantined(&self) -> usize {
        self.chunks_of("quarantine").len()
    }

    /// Work that devices keep because it was not admitted, as text.
    pub(super) fn values_set_aside(&mut self) -> Vec<String> {
        let mut values = Vec::new();
        for number in self.devices() {
            let refused = self.phone(number).store().refused().expect("refused work");
            values.extend(refused.into_iter().map(|edit| edit.value.to_string()));
        }
        values
    }

    /// Changes that the server keeps in a table, read past the server itself.
    ///
    /// # Panics
    /// When its database cannot be read.
    #[must_use]
    pub fn chunks_of(&self, table: &str) -> Vec<Vec<u8>> {
        let database = rusqlite::Connection::open(self.server_folder().join("foras.db")).expect("the database");
        let mut statement = database.prepare(&format!("SELECT chunk FROM {table}")).expect("a table of changes");
        let rows = statement.query_map([], |row| row.get(0)).expect("changes");
        rows.map(|chunk| chunk.expect("a change")).collect()
    }

    /// Changes that a device has still to send.
    ///
    /// # Panics
    /// When its store cannot be read.
    pub fn chunks_to_send(&mut self, number: DeviceNumber) -> Vec<Vec<u8>> {
        let store = self.phone(number).store();
        let Some(author) = store.identity().map(|identity| identity.grant().key) else { return Vec::new() };
        let work = store.work(&EVERYTHING).expect("the outbox");
        let unpacked = |out: OutgoingPush| packed::push::unpacked(&out.push, &author, &packed::Nothing);
        let pushes = work.pushes.into_iter().map(|out| unpacked(out).expect("a push in full"));
        pushes.flat_map(|push| push.items).map(|item| item.chunk).collect()
    }

    /// A device's sync is over, however it ended: the oracle learns what its person could see.
    pub(super) fn settled(&mut self, number: DeviceNumber) {
        let refused = self.refused_on(number);
        let news: Vec<_> = refused.iter().filter(|value| !self.oracle.told.contains(*value)).cloned().collect();
        for value in news {
            let honest = self.oracle.edit_of(&value).is_some_and(|edit| edit.device == number);
            if honest && !self.oracle.copies.contains(&number) {
                self.oracle.shows.entry(number).or_default().insert(value.clone());
            }
            self.oracle.told.insert(value);
        }
        if let Some(shown) = self.oracle.shows.remove(&number) {
            // A record that left takes the values of its refused edits along.
            let of_held = |value: &String| {
                let subject = self.oracle.edit_of(value).map(|edit| edit.subject.clone());
                // Where its power is gone, it is looked for another time.
                subject.is_some_and(|subject| self.looks_for(number, &subject).unwrap_or(true))
            };
            let kept = shown.into_iter().filter(of_held);
            let kept = kept.collect();
            self.oracle.shows.insert(number, kept);
        }
        if let Some(Ok(report)) = &self.device(number).last {
            let carried = u64::from(report.carried);
            self.faults.add("push_carried", carried);
        }
        if matches!(&self.device(number).last, Some(Ok(report)) if report.pending == 0) {
            self.oracle.settled(number);
        }
    }
}
