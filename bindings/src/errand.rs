//! Errands to the server, on a thread of the phone's own.
//!
//! A call from the app waits for an errand and does none of its work. When nobody waits any longer (the app cancelled its
//! call), the errand is given up between two steps; what was settled and applied by then stays, and nothing is lost.

use std::sync::mpsc::{self, Receiver, Sender};

use foras::exchange::{self, SyncReport};
use foras::phone::{Clock, SystemClock};
use tokio::sync::oneshot;

use crate::error::ForasError;
use crate::held::{Held, Loose};

type Waiting<T> = oneshot::Sender<Result<T, ForasError>>;

/// What the thread is asked for.
enum Errand {
    Enrol { invitation: String, server_url: Option<String>, waiting: Waiting<()> },
    Sync { server_url: Option<String>, waiting: Waiting<SyncReport> },
}

/// Where errands are asked for. The thread ends when this is dropped.
pub(crate) struct Errands(Sender<Errand>);

impl Errands {
    /// Starts the thread.
    pub(crate) fn start(held: &Held) -> Result<Self, ForasError> {
        let cannot = |_| ForasError::from(foras::Error::StorageFailed);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(cannot)?;
        let (errands, asked) = mpsc::channel();
        let phone = held.loose();
        let run = move || run(&runtime, &phone, &asked);
        std::thread::Builder::new().name("foras errands".to_owned()).spawn(run).map_err(cannot)?;
        Ok(Self(errands))
    }

    pub(crate) async fn enrol(&self, invitation: String, server_url: Option<String>) -> Result<(), ForasError> {
        let (waiting, done) = oneshot::channel();
        self.ask(Errand::Enrol { invitation, server_url, waiting }, done).await
    }

    pub(crate) async fn sync(&self, server_url: Option<String>) -> Result<SyncReport, ForasError> {
        let (waiting, done) = oneshot::channel();
        self.ask(Errand::Sync { server_url, waiting }, done).await
    }

    async fn ask<T>(&self, errand: Errand, done: oneshot::Receiver<Result<T, ForasError>>) -> Result<T, ForasError> {
        self.0.send(errand).map_err(|_| ForasError::given_up())?;
        done.await.unwrap_or_else(|_| Err(ForasError::given_up()))
    }
}

fn run(runtime: &tokio::runtime::Runtime, phone: &Loose, asked: &Receiver<Errand>) {
    while let Ok(errand) = asked.recv() {
        // Whoever asks holds the phone; a phone closed meanwhile drops the errand, which tells who waits.
        let Some(held) = phone.held() else { return };
        match errand {
            Errand::Enrol { invitation, server_url, waiting } => {
                let enrolled = held.with(|phone| phone.enrol(&invitation, server_url.as_deref()).map(drop));
                // Whoever asked may have left meanwhile; the phone is enrolled all the same.
                let _ = waiting.send(enrolled.map_err(ForasError::from));
            }
            Errand::Sync { server_url, waiting } => {
                let work = exchange::sync_over_http(&held, server_url.as_deref(), || SystemClock.now_ms());
                let work = async { work.await.map_err(|stopped| stopped.error) };
                runtime.block_on(unless_given_up(work, waiting));
            }
        }
    }
}

/// Does the work and answers; stops as soon as nobody waits for it.
async fn unless_given_up<T>(work: impl Future<Output = Result<T, foras::Error>>, mut waiting: Waiting<T>) {
    let done = tokio::select! {
        done = work => done,
        () = waiting.closed() => return,
    };
    // Whoever asked may have left in this very moment.
    let _ = waiting.send(done.map_err(ForasError::from));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn run_to_end(work: impl Future<Output = ()>) {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work);
    }

    #[test]
    fn work_that_nobody_waits_for_is_given_up() {
        let (waiting, done) = oneshot::channel::<Result<(), ForasError>>();
        drop(done);
        run_to_end(unless_given_up(std::future::pending(), waiting));
    }

    #[test]
    fn whoever_waits_hears_how_it_ended() {
        let (waiting, done) = oneshot::channel::<Result<(), ForasError>>();
        run_to_end(unless_given_up(async { Err(foras::Error::Offline) }, waiting));
        assert!(matches!(done.blocking_recv(), Ok(Err(ForasError::Offline { failure })) if failure.retryable));
    }

    #[test]
    fn an_errand_for_a_closed_phone_is_not_waited_for() {
        let folder = std::env::temp_dir().join(format!("foras-errand-{}", std::process::id()));
        let held = Held::new(foras::Phone::open(&folder).unwrap());
        let errands = Errands::start(&held).unwrap();
        drop(held);
        let mut ended = None;
        run_to_end(async { ended = Some(errands.sync(None).await) });
        assert!(matches!(ended, Some(Err(ForasError::ServerBusy { failure })) if failure.code == "given_up"));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
