//! Wakes: who waits for news of which audience, and is told when there may be some.
//!
//! A wake is a hint. What is right is what the logs say: whoever is woken looks there, and what no wake told (another
//! process wrote) is found by looking at all heads now and then.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use foras_wire::audience::AudienceName;
use foras_wire::id::DeviceId;
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::error::ServerError;
use crate::recovery;
use crate::storage::devices::{self, DeviceState};
use crate::storage::{locked, logs};

/// Everybody who waits.
#[derive(Debug, Default)]
pub(crate) struct Wakes {
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    devices: BTreeMap<DeviceId, Waiter>,
    audiences: BTreeMap<Arc<str>, BTreeSet<DeviceId>>,
    last: u64,
}

#[derive(Debug)]
struct Waiter {
    number: u64,
    /// The revision of its grant when it began to wait.
    revision: u64,
    /// What it waits for, and the position that it has reached there.
    audiences: Box<[(Arc<str>, u64)]>,
    /// It also waits for the end of a recovery: until then it is given nothing of its country.
    recovery: bool,
    wake: oneshot::Sender<()>,
}

/// One device's wait. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Wait {
    device: DeviceId,
    number: u64,
    woken: oneshot::Receiver<()>,
    wakes: Arc<Wakes>,
}

impl Wait {
    /// Returns when there may be news; false when the device asked anew in the meantime.
    pub(crate) async fn woken(&mut self) -> bool {
        (&mut self.woken).await.is_ok()
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        let mut waiting = locked(&self.wakes.waiting);
        if waiting.devices.get(&self.device).is_some_and(|waiter| waiter.number == self.number) {
            waiting.remove(&self.device);
        }
    }
}

impl Waiting {
    fn remove(&mut self, device: &DeviceId) -> Option<Waiter> {
        let waiter = self.devices.remove(device)?;
        for (audience, _) in &waiter.audiences {
            if let Some(devices) = self.audiences.get_mut(audience) {
                devices.remove(device);
                if devices.is_empty() {
                    self.audiences.remove(audience);
                }
            }
        }
        Some(waiter)
    }

    fn wake(&mut self, devices: BTreeSet<DeviceId>) {
        for device in devices {
            if let Some(waiter) = self.remove(&device) {
                // It may be gone already.
                let _ = waiter.wake.send(());
            }
        }
    }
}

impl Wakes {
    /// Begins a wait of `device`, which is told when one of the audiences grows, beyond the positions that it has reached
    /// there; an earlier wait of it ends. `recovery`: it is told of a recovery's end too. The caller looks at the logs
    /// afterwards, so that nothing falls between.
    pub(crate) fn wait(
        self: &Arc<Self>,
        device: DeviceId,
        revision: u64,
        audiences: &[(&AudienceName, u64)],
        recovery: bool,
    ) -> Wait {
        let (wake, woken) = oneshot::channel();
        let mut waiting = locked(&self.waiting);
        waiting.remove(&device);
        waiting.last += 1;
        let number = waiting.last;
        let mut names = Vec::with_capacity(audiences.len());
        for (audience, cursor) in audiences {
            let name = match waiting.audiences.get_key_value(audience.as_str()) {
                Some((name, _)) => Arc::clone(name),
                None => Arc::from(audience.as_str()),
            };
            waiting.audiences.entry(Arc::clone(&name)).or_default().insert(device);
            names.push((name, *cursor));
        }
        waiting.devices.insert(device, Waiter { number, revision, audiences: names.into(), recovery, wake });
        Wait { device, number, woken, wakes: Arc::clone(self) }
    }

    /// The logs of these audiences grew, and it is committed.
    pub(crate) fn grew<'a>(&self, audiences: impl IntoIterator<Item = &'a str>) {
        let mut waiting = locked(&self.waiting);
        for audience in audiences {
            let devices = waiting.audiences.get(audience).cloned().unwrap_or_default();
            waiting.wake(devices);
        }
    }

    /// Something about the device itself changed, and it is committed.
    pub(crate) fn concerns(&self, device: DeviceId) {
        locked(&self.waiting).wake(BTreeSet::from([device]));
    }

    /// A recovery is closed, and it is committed.
    pub(crate) fn recovered(&self) {
        let mut waiting = locked(&self.waiting);
        let held = waiting.devices.iter().filter(|(_, waiter)| waiter.recovery).map(|(device, _)| *device).collect();
        waiting.wake(held);
    }

    /// The device asks anew: its wait, if there is one, ends unanswered.
    pub(crate) fn asks_anew(&self, device: &DeviceId) {
        locked(&self.waiting).remove(device);
    }

    /// How many wait.
    pub(crate) fn waiting(&self) -> usize {
        locked(&self.waiting).devices.len()
    }

    /// Looks at everything that somebody waits for, and wakes whom no wake reached: what another process wrote.
    pub(crate) fn look(&self, db: &Connection) -> Result<(), ServerError> {
        let waiters: Vec<_> = {
            let waiting = locked(&self.waiting);
            let of = |(device, waiter): (&DeviceId, &Waiter)| {
                (*device, waiter.revision, waiter.recovery, waiter.audiences.clone())
            };
            waiting.devices.iter().map(of).collect()
        };
        let recovering = recovery::since_ms(db)?.is_some();
        let mut heads: BTreeMap<Arc<str>, u64> = BTreeMap::new();
        for (device, revision, recovery, audiences) in waiters {
            let known = devices::get(db, &device)?;
            let mut news = !known.is_some_and(|known| known.revision == revision && known.state == DeviceState::Active);
            news |= recovery && !recovering;
            for (audience, cursor) in audiences {
                let head = match heads.get(&audience) {
                    Some(head) => *head,
                    None => logs::head(db, &audience)?,
                };
                news |= head != cursor;
                heads.insert(audience, head);
            }
            if news {
                self.concerns(device);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn names(names: &[&str]) -> Vec<AudienceName> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    /// At these positions.
    fn at<'a>(names: &'a [AudienceName], cursors: &[u64]) -> Vec<(&'a AudienceName, u64)> {
        names.iter().zip(cursors.iter().copied()).collect()
    }

    #[tokio::test]
    async fn who_waits_for_an_audience_is_told_once_and_nobody_else_is() {
        let wakes = Arc::new(Wakes::default());
        let (oujda, bamako) = (names(&["public", "casework:oujda"]), names(&["public", "casework:ml"]));
        let mut worker = wakes.wait(DeviceId([1; 16]), 1, &at(&oujda, &[3, 4]), false);
        let mut mission = wakes.wait(DeviceId([2; 16]), 1, &at(&bamako, &[3, 0]), false);
        wakes.grew(["casework:oujda"]);
        assert!(worker.woken().await);
        assert_eq!(wakes.waiting(), 1);
        wakes.grew(["casework:oujda", "public"]);
        assert!(mission.woken().await);
        assert_eq!(wakes.waiting(), 0);
        assert!(locked(&wakes.waiting).audiences.is_empty(), "nothing is kept for nobody");
    }

    #[tokio::test]
    async fn a_device_waits_once_and_what_is_given_up_leaves_nothing() {
        let wakes = Arc::new(Wakes::default());
        let (device, audiences) = (DeviceId([1; 16]), names(&["public"]));
        let mut first = wakes.wait(device, 1, &at(&audiences, &[0]), false);
        let mut second = wakes.wait(device, 1, &at(&audiences, &[0]), false);
        assert!(!first.woken().await, "it asked anew");
        drop(first);
        assert_eq!(wakes.waiting(), 1);
        wakes.concerns(device);
        assert!(second.woken().await);
        let third = wakes.wait(device, 1, &at(&audiences, &[0]), false);
        drop(third);
        assert!(locked(&wakes.waiting).audiences.is_empty());
    }
}
