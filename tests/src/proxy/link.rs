//! What all connections of a link share: its rate, and the moments at which it is cut.

use std::future::Future;
use std::pin::Pin;
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
    forgets: watch::Sender<u64>,
}

/// What may befall a connection, from the moment on at which this was made.
pub(super) struct Fate {
    /// Done when the link is cut.
    pub(super) cut: Happens,
    /// Done when the network forgets its connections.
    pub(super) forgotten: Happens,
}

/// Done when something happens.
pub(super) type Happens = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Link {
    pub(super) fn new(faults: Faults, counters: Arc<Counters>) -> Self {
        Self {
            faults,
            counters,
            free: [Mutex::default(), Mutex::default()],
            cuts: watch::channel(0).0,
            forgets: watch::channel(0).0,
        }
    }

    /// Cuts all connections.
    pub(super) fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// All connections that are open carry nothing more, and stay open.
    pub(super) fn forget(&self) {
        self.forgets.send_modify(|forgets| *forgets += 1);
    }

    /// What may befall a connection that is made now.
    pub(super) fn fate(&self) -> Fate {
        Fate { cut: next(&self.cuts, true), forgotten: next(&self.forgets, false) }
    }

    /// How many of so many bytes still reach a phone to which the connection has `carried` so many.
    pub(super) fn passes(&self, carried: u64, bytes: usize) -> usize {
        let most = [self.faults.silent_after_bytes, self.faults.cut_after_bytes].into_iter().flatten().min();
        most.map_or(bytes, |most| bytes.min(usize::try_from(most.saturating_sub(carried)).unwrap_or(bytes)))
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

/// Done when it happens next. `at_end`: also when the link is no more.
fn next(happened: &watch::Sender<u64>, at_end: bool) -> Happens {
    let mut happened = happened.subscribe();
    Box::pin(async move {
        if happened.changed().await.is_err() && !at_end {
            std::future::pending::<()>().await;
        }
    })
}
