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
                let done = held.with(|phone| phone.enrol(&invitation, server_url.as_deref()).map(drop));
                answer(held, waiting, done);
            }
            Errand::Sync { server_url, mut waiting } => {
                let work = exchange::sync_over_http(&held, server_url.as_deref(), || SystemClock.now_ms());
                let work = async { work.await.map_err(|stopped| stopped.error) };
                if let Some(done) = runtime.block_on(unless_given_up(work, &mut waiting)) {
                    answer(held, waiting, done);
                }
            }
        }
    }
}

/// Lets the phone go and then tells who waits, so that an app that closes the phone on hearing it finds the store free.
fn answer<T>(held: Held, waiting: Waiting<T>, done: Result<T, foras::Error>) {
    drop(held);
    // Whoever asked may have left meanwhile; what was done stays done.
    let _ = waiting.send(done.map_err(ForasError::from));
}

/// Does the work; stops, with nothing, as soon as nobody waits for it.
async fn unless_given_up<T, R>(work: impl Future<Output = R>, waiting: &mut Waiting<T>) -> Option<R> {
    tokio::select! {
        done = work => Some(done),
        () = waiting.closed() => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn run_to_end<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
    }

    #[test]
    fn work_that_nobody_waits_for_is_given_up() {
        let (mut waiting, done) = oneshot::channel::<Result<(), ForasError>>();
        drop(done);
        let never = std::future::pending::<()>();
        assert_eq!(run_to_end(unless_given_up(never, &mut waiting)), None);
    }

    #[test]
    fn who_hears_the_answer_finds_the_store_free() {
        let folder = std::env::temp_dir().join(format!("foras-answer-{}", std::process::id()));
        let held = Held::new(foras::Phone::open(&folder).unwrap());
        let (waiting, done) = oneshot::channel::<Result<(), ForasError>>();
        let hears = std::thread::spawn({
            let folder = folder.clone();
            move || (done.blocking_recv(), foras::Phone::open(&folder).is_ok())
        });
        answer(held, waiting, Err(foras::Error::Offline));
        let (heard, opened) = hears.join().unwrap();
        assert!(matches!(heard, Ok(Err(ForasError::Offline { failure })) if failure.retryable));
        assert!(opened);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn an_errand_for_a_closed_phone_is_not_waited_for() {
        let folder = std::env::temp_dir().join(format!("foras-errand-{}", std::process::id()));
        let held = Held::new(foras::Phone::open(&folder).unwrap());
        let errands = Errands::start(&held).unwrap();
        drop(held);
        let ended = run_to_end(errands.sync(None));
        assert!(matches!(ended, Err(ForasError::ServerBusy { failure }) if failure.code == "given_up"));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
