//! What all connections of a link share: its rate, and the moments at which it is cut.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::{Counters, Faults};

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// To the server.
    Up,
    /// To the phone.
    Down,
}

/// A link under one set of faults.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) faults: Faults,
    pub(super) counters: Arc<Counters>,
    /// When the radio is free again, each way.
    free: [Mutex<Option<Instant>>; 2],
    cuts: watch::Sender<u64>,
}

impl Link {
    pub(super) fn new(faults: Faults, counters: Arc<Counters>) -> Self {
        Self { faults, counters, free: [Mutex::default(), Mutex::default()], cuts: watch::channel(0).0 }
    }

    /// Cuts all connections.
    pub(super) fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Done when the link is cut next.
    pub(super) fn next_cut(&self) -> impl Future<Output = ()> + use<> {
        let mut cuts = self.cuts.subscribe();
        cuts.mark_unchanged();
        async move {
            // An error means that the link is no more.
            drop(cuts.changed().await);
        }
    }

    /// Sends so many bytes; returns when they have left, and when they arrive.
    pub(super) async fn send(&self, way: Way, bytes: usize) -> Instant {
        let took = match self.faults.bytes_s {
            Some(rate) => Duration::from_secs_f64(bytes as f64 / f64::from(rate.max(1))),
            None => Duration::ZERO,
        };
        let sent = {
            let mut free = self.free[way as usize].lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            let sent = free.map_or(now, |free| free.max(now)) + took;
            *free = Some(sent);
            sent
        };
        tokio::time::sleep_until(sent).await;
        sent + self.faults.delay
    }
}
