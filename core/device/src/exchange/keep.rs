//! Keeping in sync: for as long as an app runs, with the engine's own back-off.

use foras_sync::Event;
use foras_sync::engine::Config;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::time::{Duration, Instant, sleep_until};

use super::sync::{Drive, Halt};
use super::{Lend, Stopped, SyncReport};
use crate::link::Link;

/// Milliseconds from one finished sync to the next while nothing is written: five minutes.
pub const POLL_MS: u64 = 5 * 60 * 1_000;

/// Rings for a sync. Syncing goes on until every copy is dropped.
#[derive(Debug, Clone)]
pub struct Ringer(UnboundedSender<Event>);

/// Hears a [`Ringer`].
#[derive(Debug)]
pub struct Bell(UnboundedReceiver<Event>);

/// A bell and who rings it.
#[must_use]
pub fn bell() -> (Ringer, Bell) {
    let (ringer, bell) = mpsc::unbounded_channel();
    (Ringer(ringer), Bell(bell))
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

/// Keeps the store in sync: at once, when something is written, when asked, and every five minutes. A server that is
/// away is asked again, ever more seldom. `told` hears how each sync ended. Returns when nobody can ring any more.
pub async fn keep<L: Link>(
    store: &impl Lend,
    link: &mut L,
    now: impl Fn() -> i64,
    bell: &mut Bell,
    mut told: impl FnMut(Result<SyncReport, Stopped>),
) {
    let mut drive = Drive::new(store, link, now, Config { poll_ms: Some(POLL_MS) });
    let mut due: Option<Instant> = None;
    drive.tell(Event::Started);
    loop {
        match drive.run().await {
            Halt::Timer { after_ms } => due = Some(Instant::now() + Duration::from_millis(after_ms)),
            Halt::Finished(report) => told(Ok(report)),
            Halt::Stopped(stopped) => told(Err(stopped)),
            Halt::Idle => match next(bell, due).await {
                Some(Event::TimerFired) => {
                    due = None;
                    drive.tell(Event::TimerFired);
                }
                Some(event) => drive.tell(event),
                None => return,
            },
        }
    }
}

/// The next ring, or the timer's end, whichever comes first; `None` when nobody can ring any more.
async fn next(bell: &mut Bell, due: Option<Instant>) -> Option<Event> {
    let Some(due) = due else { return bell.0.recv().await };
    tokio::select! {
        event = bell.0.recv() => event,
        () = sleep_until(due) => Some(Event::TimerFired),
    }
}
