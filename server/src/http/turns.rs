//! Turns: one request of a device at a time, so that no device takes the places of the others.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use foras_wire::id::DeviceId;
use tokio::sync::{Mutex as Turn, OwnedMutexGuard};

use crate::storage::locked;

/// Requests of one device that wait while another is answered: a phone whose connection was cut asks again at once.
const WAITING_MAX: usize = 4;

/// The turns of devices that ask right now.
#[derive(Default)]
pub(super) struct Turns {
    devices: Mutex<BTreeMap<DeviceId, Arc<Turn<()>>>>,
}

impl Turns {
    /// Waits for the device's turn; `None` when too many of its requests wait already.
    pub(super) async fn take(&self, device: DeviceId) -> Option<OwnedMutexGuard<()>> {
        let turn = {
            let mut devices = locked(&self.devices);
            // Whoever asks or waits holds a count of its own.
            devices.retain(|_, turn| Arc::strong_count(turn) > 1);
            let turn = devices.entry(device).or_default();
            if Arc::strong_count(turn) > WAITING_MAX {
                return None;
            }
            Arc::clone(turn)
        };
        Some(turn.lock_owned().await)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[tokio::test]
    async fn a_device_waits_for_itself_and_for_nobody_else() {
        let turns = Turns::default();
        let (one, other) = (DeviceId([1; 16]), DeviceId([2; 16]));
        let first = turns.take(one).await.unwrap();
        let _other = turns.take(other).await.unwrap();
        let mut second = Box::pin(turns.take(one));
        tokio::select! {
            biased;
            _ = &mut second => unreachable!("the first still has its turn"),
            () = tokio::task::yield_now() => {}
        }
        drop(first);
        assert!(second.await.is_some());
        assert!(turns.take(one).await.is_some());
    }
}
