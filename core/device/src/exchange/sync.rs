//! The courier over a link: one sync, from the first request to rest.

use std::cell::RefCell;

use foras_sync::engine::Config;
use foras_sync::{Event, LinkFailure};
use foras_wire::enrol::EnrolAnswer;

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
    let _given_up = GivenUp(store);
    let mut courier = Courier::new(Config::default());
    let mut answer: Option<L::Answer> = None;
    courier.tell(Event::SyncRequested, now(), entropy());
    loop {
        match store.lend(|store| courier.step(store, now(), entropy())) {
            Step::Inward | Step::Outward(Outward::SetTimer { .. }) => {}
            Step::Outward(Outward::Finished(report)) => return Ok(report),
            Step::Outward(Outward::Stopped(stopped)) => return Err(stopped),
            Step::Outward(Outward::Send { credentials, body }) => {
                answer = None;
                match link.exchange(&credentials, body).await {
                    Ok(begun) => answer = Some(begun),
                    Err(failure) => courier.tell(Event::LinkFailed(failure), now(), entropy()),
                }
            }
            Step::Rest => {
                let event = match next_chunk(&mut answer).await {
                    Ok(Some(bytes)) => {
                        courier.received(&bytes);
                        continue;
                    }
                    Ok(None) => Event::AnswerEnded,
                    Err(failure) => Event::LinkFailed(failure),
                };
                courier.tell(event, now(), entropy());
            }
        }
    }
}

/// A sync whose caller gives it up between two steps leaves nothing that shows as sending.
struct GivenUp<'a, S: Lend>(&'a S);

impl<S: Lend> Drop for GivenUp<'_, S> {
    fn drop(&mut self) {
        self.0.lend(Store::mark_link_down);
    }
}

async fn next_chunk<A: Answer>(answer: &mut Option<A>) -> Result<Option<Vec<u8>>, LinkFailure> {
    let Some(open) = answer else { return Err(LinkFailure::Offline) };
    let chunk = open.chunk().await;
    if !matches!(chunk, Ok(Some(_))) {
        *answer = None;
    }
    chunk
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

fn link_of(store: &Store, server_url: Option<&str>) -> Result<HttpLink, Error> {
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
        EnrolFailure::Refused(refusal) if refusal.code == "server_busy" => {
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
