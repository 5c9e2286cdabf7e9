//! Keeping in sync: for as long as an app runs, with the engine's own back-off.

use foras_sync::Event;
use foras_sync::engine::Config;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::time::{Duration, Instant, sleep_until};

use super::sync::{Drive, Halt};
use super::{Lend, Stopped, SyncReport};
use crate::link::Link;

/// Rings for a sync. Syncing goes on until every copy is dropped.
#[derive(Debug, Clone)]
pub struct Ringer(UnboundedSender<Event>);

/// Hears a [`Ringer`], and the engine's timer.
#[derive(Debug)]
pub struct Bell {
    rung: UnboundedReceiver<Event>,
    due: Option<Instant>,
}

/// A bell and who rings it.
#[must_use]
pub fn bell() -> (Ringer, Bell) {
    let (ringer, bell) = mpsc::unbounded_channel();
    (Ringer(ringer), Bell { rung: bell, due: None })
}

impl Bell {
    /// The engine's timer, in place of the one before.
    pub(super) fn set(&mut self, after_ms: u64) {
        self.due = Some(Instant::now() + Duration::from_millis(after_ms));
    }

    /// The next ring, or the timer's end, whichever comes first; `None` when nobody can ring any more.
    pub(super) async fn next(&mut self) -> Option<Event> {
        let Some(due) = self.due else { return self.rung.recv().await };
        tokio::select! {
            event = self.rung.recv() => event,
            () = sleep_until(due) => {
                self.due = None;
                Some(Event::TimerFired)
            }
        }
    }
}

impl Ringer {
    /// A person asks for a sync now.
    pub fn sync_now(&self) {
        self.ring(Event::SyncRequested);
    }

    /// Something was written.
    pub fn edited(&self) {
        self.ring(Event::Edited);
    }

    /// The system says that a network may be there. Nothing ever waits for that.
    pub fn network_hint(&self) {
        self.ring(Event::NetworkHint);
    }

    fn ring(&self, event: Event) {
        // Nobody hears it any more: nothing is synced any more either.
        let _ = self.0.send(event);
    }
}

/// Keeps the store in sync: at once, when something is written, when asked, and when there is news: between syncs a request
/// waits at the server for it. A server that is away is asked again, ever more seldom. `told` hears how each sync ended.
/// Returns when nobody can ring any more.
pub async fn keep<L: Link>(
    store: &impl Lend,
    link: &mut L,
    now: impl Fn() -> i64,
    bell: &mut Bell,
    mut told: impl FnMut(Result<SyncReport, Stopped>),
) {
    let wait_s = link.wait_s();
    let mut drive = Drive::new(store, link, now, Config { poll_ms: None, wait_s });
    drive.tell(Event::Started);
    loop {
        match drive.run(Some(&mut *bell)).await {
            Halt::Finished(report) => told(Ok(report)),
            Halt::Stopped(stopped) => told(Err(stopped)),
            Halt::Over => return,
            Halt::Idle => match bell.next().await {
                Some(event) => drive.tell(event),
                None => return,
            },
        }
    }
}
