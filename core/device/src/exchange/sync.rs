//! The courier over a link: one sync, from the first request to rest.

use std::cell::RefCell;
use std::future::Future;
use std::pin::pin;

use foras_sync::Event;
use foras_sync::engine::Config;
use foras_wire::enrol::EnrolAnswer;
use tokio::time::{Duration, sleep};

use super::keep::Bell;
use super::{Courier, Lend, Outward, Step, Stopped, SyncReport};
use crate::error::Error;
use crate::link::http::EnrolFailure;
use crate::link::{Answer, HttpLink, Link};
use crate::store::{Entropy, Store, SystemEntropy};

/// Pushes what waits and catches up, in as few requests as it takes. `now` is the device's clock in milliseconds since
/// 1970.
///
/// # Errors
/// [`Stopped`] with the reason and what was done before. Nothing is lost; the next sync goes on from there.
pub async fn sync_once<L: Link>(store: &impl Lend, link: &mut L, now: impl Fn() -> i64) -> Result<SyncReport, Stopped> {
    let mut drive = Drive::new(store, link, now, Config::default());
    drive.tell(Event::SyncRequested);
    match drive.run(None).await {
        Halt::Finished(report) => Ok(report),
        Halt::Stopped(stopped) => Err(stopped),
        Halt::Idle | Halt::Over => Err(Stopped { error: Error::Offline, report: SyncReport::default() }),
    }
}

/// Records that are tried in one step, some milliseconds of work: a person who opens one does not wait for it.
const TRIED_AT_ONCE: u32 = 16;
/// The pause between two such steps, so that trying takes a part of one core and no more.
const TRYING_PAUSE: Duration = Duration::from_millis(20);

/// Where a drive comes to a halt.
pub(super) enum Halt {
    /// A sync is over.
    Finished(SyncReport),
    /// A sync stopped.
    Stopped(Stopped),
    /// Nothing is left to do until something happens.
    Idle,
    /// Nobody can ring any more, and the request in flight only waited for news.
    Over,
}

/// A courier, a link, and the answer that is being read.
pub(super) struct Drive<'a, S: Lend, L: Link, N> {
    store: &'a S,
    link: &'a mut L,
    now: N,
    courier: Courier,
    answer: Option<L::Answer>,
}

impl<'a, S: Lend, L: Link, N: Fn() -> i64> Drive<'a, S, L, N> {
    pub(super) fn new(store: &'a S, link: &'a mut L, now: N, config: Config) -> Self {
        Self { store, link, now, courier: Courier::new(config), answer: None }
    }

    pub(super) fn tell(&mut self, event: Event) {
        self.courier.tell(event, (self.now)(), entropy());
    }

    /// Steps on until there is something to say. What `bell` rings is told at once, also while the network is waited
    /// for; without a bell, timers are nobody's matter.
    pub(super) async fn run(&mut self, mut bell: Option<&mut Bell>) -> Halt {
        loop {
            let (courier, now_ms) = (&mut self.courier, (self.now)());
            match self.store.lend(|store| courier.step(store, now_ms, entropy())) {
                Step::Inward => {}
                Step::Outward(Outward::SetTimer { after_ms }) => {
                    if let Some(bell) = &mut bell {
                        bell.set(after_ms);
                    }
                }
                Step::Outward(Outward::Finished(report)) => return Halt::Finished(report),
                Step::Outward(Outward::Stopped(stopped)) => return Halt::Stopped(stopped),
                Step::Outward(Outward::Send { credentials, body, wait_s }) => {
                    self.answer = None;
                    let asked = self.link.exchange(&credentials, body, wait_s);
                    let mut tried = Trying::new(self.store, &self.now);
                    match hear(asked, &mut self.courier, &mut tried, &mut bell).await {
                        Heard::Done(Ok(begun)) => self.answer = Some(begun),
                        Heard::Done(Err(failure)) => self.tell(Event::LinkFailed(failure)),
                        Heard::GivenUp => {}
                        Heard::Over => return Halt::Over,
                    }
                }
                Step::Rest => {
                    let Some(answer) = &mut self.answer else { return Halt::Idle };
                    let mut tried = Trying::new(self.store, &self.now);
                    match hear(answer.chunk(), &mut self.courier, &mut tried, &mut bell).await {
                        Heard::Done(Ok(Some(bytes))) => self.courier.received(&bytes),
                        Heard::Done(Ok(None)) => self.ended(Event::AnswerEnded),
                        Heard::Done(Err(failure)) => self.ended(Event::LinkFailed(failure)),
                        Heard::GivenUp => {}
                        Heard::Over => return Halt::Over,
                    }
                }
            }
        }
    }

    fn ended(&mut self, event: Event) {
        self.answer = None;
        self.tell(event);
    }
}

/// What came first.
enum Heard<T> {
    /// What was waited for.
    Done(T),
    /// The engine has something else to do.
    GivenUp,
    /// Nobody can ring any more, and only news were waited for.
    Over,
}

/// Tries records that came in packs, a few at a time, while there is nothing else to do.
struct Trying<'a, S, N> {
    store: &'a S,
    now: &'a N,
    /// Whether some may be left. A failure of the storage is the next step's matter.
    left: bool,
}

impl<'a, S: Lend, N: Fn() -> i64> Trying<'a, S, N> {
    fn new(store: &'a S, now: &'a N) -> Self {
        Self { store, now, left: true }
    }

    fn some(&mut self) {
        let now_ms = (self.now)();
        self.left = self.store.lend(|store| store.verify_some(now_ms, TRIED_AT_ONCE)).is_ok_and(|left| left > 0);
    }
}

/// Waits for `work`, and tells the engine meanwhile what the bell rings; while only news are waited for, tries what came in
/// packs.
async fn hear<T, S: Lend, N: Fn() -> i64>(
    work: impl Future<Output = T>,
    courier: &mut Courier,
    tried: &mut Trying<'_, S, N>,
    bell: &mut Option<&mut Bell>,
) -> Heard<T> {
    let mut work = pin!(work);
    while let Some(heard) = bell {
        tokio::select! {
            biased;
            done = &mut work => return Heard::Done(done),
            event = heard.next() => match event {
                Some(event) => courier.tell(event, (tried.now)(), entropy()),
                None if courier.status().live => return Heard::Over,
                None => *bell = None,
            },
            () = sleep(TRYING_PAUSE), if tried.left && courier.status().live => tried.some(),
        }
        if courier.has_work() {
            return Heard::GivenUp;
        }
    }
    Heard::Done(work.await)
}

impl<S: Lend, L: Link, N> Drop for Drive<'_, S, L, N> {
    fn drop(&mut self) {
        // A sync whose caller gives it up between two steps leaves nothing that shows as sending.
        self.store.lend(Store::mark_link_down);
    }
}

/// As [`sync_once`], over HTTP. `server_url` stands in for the address that the store knows.
///
/// # Errors
/// As [`sync_once`]; [`Error::NotEnrolled`], [`Error::NoAddress`].
pub async fn sync_over_http(
    store: &impl Lend,
    server_url: Option<&str>,
    now: impl Fn() -> i64,
) -> Result<SyncReport, Stopped> {
    let stopped = |error| Stopped { error, report: SyncReport::default() };
    let mut link = store.lend(|store| link_of(store, server_url)).map_err(stopped)?;
    sync_once(store, &mut link, now).await
}

pub(crate) fn link_of(store: &Store, server_url: Option<&str>) -> Result<HttpLink, Error> {
    if store.identity().is_none() {
        return Err(Error::NotEnrolled);
    }
    match server_url {
        Some(url) => link(url),
        None => link(&store.server_url()?.ok_or(Error::NoAddress)?),
    }
}

/// As [`sync_over_http`], on the calling thread, which must not be one of an async runtime's.
///
/// # Errors
/// As [`sync_over_http`].
pub fn sync_blocking(
    store: &mut Store,
    server_url: Option<&str>,
    now: impl Fn() -> i64,
) -> Result<SyncReport, Stopped> {
    let runtime = runtime().map_err(|error| Stopped { error, report: SyncReport::default() })?;
    runtime.block_on(sync_over_http(&RefCell::new(store), server_url, now))
}

/// Enrols the device at `server_url` with an invitation's secret, or with the bytes of a code said over the phone. The
/// caller gives the answer to [`Store::complete_enrolment`]; a lost answer may be asked for again.
///
/// # Errors
/// [`Error::Offline`], [`Error::Refused`] with the server's code, [`Error::AlreadyEnrolled`].
pub async fn enrol(store: &impl Lend, link: &HttpLink, secret: &[u8]) -> Result<EnrolAnswer, Error> {
    let request = store.lend(|store| store.enrol_request(secret))?;
    link.enrol(&request).await.map_err(|failure| match failure {
        EnrolFailure::Link(failure) => super::courier::error_of(failure.code()),
        EnrolFailure::Refused(refusal) if refusal.retryable => {
            Error::ServerBusy { retry_after_s: refusal.retry_after_s }
        }
        EnrolFailure::Refused(refusal) => Error::Refused { code: refusal.code },
    })
}

/// As [`enrol`], on the calling thread, which must not be one of an async runtime's.
///
/// # Errors
/// As [`enrol`].
pub fn enrol_blocking(store: &mut Store, server_url: &str, secret: &[u8]) -> Result<EnrolAnswer, Error> {
    let link = link(server_url)?;
    runtime()?.block_on(enrol(&RefCell::new(store), &link, secret))
}

fn link(url: &str) -> Result<HttpLink, Error> {
    HttpLink::new(url).map_err(|failure| super::courier::error_of(failure.code()))
}

fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|_| Error::StorageFailed)
}

fn entropy() -> u64 {
    let mut bytes = [0; 8];
    // Only jitter is made of it: without it, waits are the same.
    let _ = SystemEntropy.fill(&mut bytes);
    u64::from_le_bytes(bytes)
}
