//! Turns: one request of a device at a time, so that no device takes the places of the others.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use foras_wire::id::DeviceId;
use tokio::sync::{Mutex as Turn, OwnedMutexGuard, watch};

use crate::storage::locked;

/// Requests of one device that wait while another is answered. Beyond that the newest wait: a phone whose connection was
/// cut asks again, and nobody hears the answer to what it asked before.
const WAITING_MAX: u64 = 2;

/// The turns of devices that ask right now.
#[derive(Default)]
pub(super) struct Turns {
    devices: Mutex<BTreeMap<DeviceId, Arc<Queue>>>,
}

#[derive(Default)]
struct Queue {
    turn: Arc<Turn<()>>,
    /// The number of the request that came last.
    newest: watch::Sender<u64>,
}

/// A device's turn, until dropped.
pub(super) struct OwnTurn {
    _turn: OwnedMutexGuard<()>,
    _queue: Arc<Queue>,
}

impl Turns {
    /// Waits for the device's turn; `None` when it has asked too often since.
    pub(super) async fn take(&self, device: DeviceId) -> Option<OwnTurn> {
        let queue = {
            let mut devices = locked(&self.devices);
            // Whoever asks or waits holds a count of its own.
            devices.retain(|_, queue| Arc::strong_count(queue) > 1);
            Arc::clone(devices.entry(device).or_default())
        };
        let mut number = 0;
        queue.newest.send_modify(|newest| {
            *newest += 1;
            number = *newest;
        });
        let mut newest = queue.newest.subscribe();
        let turn = tokio::select! {
            biased;
            turn = Arc::clone(&queue.turn).lock_owned() => turn,
            _ = newest.wait_for(|newest| *newest >= number + WAITING_MAX) => return None,
        };
        Some(OwnTurn { _turn: turn, _queue: queue })
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

    #[tokio::test]
    async fn a_phone_that_was_cut_off_often_waits_behind_its_newest_requests_only() {
        let turns = Arc::new(Turns::default());
        let device = DeviceId([1; 16]);
        let running = turns.take(device).await.unwrap();
        let mut cut_off = Vec::new();
        for _ in 0..10 {
            let turns = Arc::clone(&turns);
            cut_off.push(tokio::spawn(async move { turns.take(device).await.is_some() }));
            tokio::task::yield_now().await;
        }
        let last = turns.take(device);
        let let_go = async {
            for given_up in cut_off.drain(..9) {
                assert!(!given_up.await.unwrap());
            }
            drop(running);
        };
        let (last, ()) = tokio::join!(last, let_go);
        assert!(last.is_some());
    }
}
