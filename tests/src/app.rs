//! A phone whose app is open: it keeps in sync over real HTTP beside the person who works on it.

use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use foras::exchange::{Lend, Ringer, SyncReport, bell, keep};
use foras::link::HttpLink;
use foras::link::http::Patience;
use foras::phone::Phone;
use foras::store::Store;

/// How long anything may take in a test before it has failed.
pub const TOO_LONG: Duration = Duration::from_secs(20);

/// How a sync ended: the report, or the code of what stopped it.
pub type End = Result<SyncReport, String>;

/// A phone and what keeps it in sync.
#[derive(Debug)]
pub struct App {
    phone: Arc<Held>,
    ringer: Option<Ringer>,
    ends: Receiver<(Instant, End)>,
    keeping: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Held(Mutex<Phone>);

impl Lend for Held {
    fn lend<T>(&self, step: impl FnOnce(&mut Store) -> T) -> T {
        step(self.0.lock().unwrap_or_else(PoisonError::into_inner).store_mut())
    }
}

impl App {
    /// Opens the app: it syncs at `url` from now on.
    ///
    /// # Panics
    /// When `url` is no address, or there is no runtime.
    #[must_use]
    pub fn open(phone: Phone, url: &str, patience: Patience) -> Self {
        let phone = Arc::new(Held(Mutex::new(phone)));
        let (ringer, mut bell) = bell();
        let (told, ends) = channel();
        let (kept, mut link) = (Arc::clone(&phone), HttpLink::with_patience(url, patience).expect("an address"));
        let keeping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            let now = foras_server::clock::now_ms;
            runtime.block_on(keep(&*kept, &mut link, now, &mut bell, |end| {
                // Nobody listens once the test is over.
                drop(told.send((Instant::now(), end.map_err(|stopped| stopped.error.code().to_owned()))));
            }));
        });
        Self { phone, ringer: Some(ringer), ends, keeping: Some(keeping) }
    }

    /// Does something on the phone, as a person would, and tells the sync.
    pub fn work<T>(&self, work: impl FnOnce(&mut Phone) -> T) -> T {
        let done = self.look(work);
        if let Some(ringer) = &self.ringer {
            ringer.edited();
        }
        done
    }

    /// Asks for a sync now, as a person does.
    pub fn ask(&self) {
        if let Some(ringer) = &self.ringer {
            ringer.sync_now();
        }
    }

    /// Looks at something on the phone.
    pub fn look<T>(&self, look: impl FnOnce(&mut Phone) -> T) -> T {
        look(&mut self.phone.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How the next sync ends, and when.
    ///
    /// # Panics
    /// When it takes [`TOO_LONG`].
    pub fn end(&self) -> (Instant, End) {
        self.ends.recv_timeout(TOO_LONG).expect("a sync that ends")
    }

    /// How a sync ended that nobody has heard of yet, if one did.
    #[must_use]
    pub fn ended(&self) -> Option<End> {
        self.ends.try_recv().ok().map(|(_, end)| end)
    }

    /// The next sync that ends well.
    ///
    /// # Panics
    /// When none does before `deadline`.
    #[must_use]
    pub fn synced(&self, deadline: Duration) -> SyncReport {
        let until = Instant::now() + deadline;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let (_, end) = self.ends.recv_timeout(left).expect("a sync that ends well in time");
            if let Ok(report) = end {
                return report;
            }
        }
    }

    /// The next sync that sent or received something, and when it ended.
    ///
    /// # Panics
    /// When one fails before.
    pub fn moved(&self) -> (Instant, SyncReport) {
        loop {
            let (at, end) = self.end();
            let report = end.expect("a sync that ends well");
            if report.sent + report.received > 0 {
                return (at, report);
            }
        }
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.ringer = None;
        drop(self.keeping.take().map(JoinHandle::join));
    }
}

/// Waits until something holds, of which nobody tells.
///
/// # Panics
/// When it does not hold after [`TOO_LONG`].
pub fn until(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < TOO_LONG, "{what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
