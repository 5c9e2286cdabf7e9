//! Carries effects of the engine to the store, one at a time, and hands out what needs the world outside.

use std::collections::VecDeque;

use foras_sync::engine::{Config, SAY_PLAINLY, Status};
use foras_sync::{Effect, Engine, Event, LinkFailure, Summary, Work};
use foras_wire::frame;
use foras_wire::id::Nonce;
use foras_wire::stream::FrameReader;
use foras_wire::sync::{Credentials, SyncRequest};

use super::SyncReport;
use super::pace::Pace;
use crate::error::Error;
use crate::store::{Store, WorkLimits};

/// A token younger than this, in milliseconds, is not renewed: a quarter of a day, and of what the server lets it hold.
const TOKEN_YOUNG_MS: i64 = 6 * 3_600 * 1_000;

/// What one step did.
#[derive(Debug)]
pub enum Step {
    /// Something on the store. Step on.
    Inward,
    /// Something is asked of the world outside.
    Outward(Outward),
    /// Nothing is left to do until something happens.
    Rest,
}

/// What is asked of the world outside.
#[derive(Debug)]
pub enum Outward {
    /// Send this request; an answer still being read is given up.
    Send {
        /// Who asks.
        credentials: Box<Credentials>,
        /// The body.
        body: Vec<u8>,
        /// For how many seconds the server may hold it back: silence for so long is no failure.
        wait_s: u16,
    },
    /// Tell [`Event::TimerFired`] after so many milliseconds. It replaces a timer set earlier.
    SetTimer {
        /// Milliseconds from now.
        after_ms: u64,
    },
    /// The sync is over.
    Finished(SyncReport),
    /// The sync stopped.
    Stopped(super::Stopped),
}

/// One device's engine between its store and the world outside.
#[derive(Debug)]
pub struct Courier {
    engine: Engine,
    effects: VecDeque<Effect>,
    reader: FrameReader,
    /// Why the store failed last, until the engine says that the sync stopped, or asks anew.
    failure: Option<Error>,
    pace: Pace,
    /// Outbox rows of the work that was loaded last.
    loaded: Vec<u64>,
    /// What this sync's refusals left refused.
    refused: u32,
    bytes_up: u64,
    bytes_down: u64,
}

impl Courier {
    /// A courier that rests.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let (engine, effects, reader) = (Engine::new(config), VecDeque::new(), FrameReader::default());
        Self {
            engine,
            effects,
            reader,
            failure: None,
            pace: Pace::default(),
            loaded: Vec::new(),
            refused: 0,
            bytes_up: 0,
            bytes_down: 0,
        }
    }

    /// What the engine is about.
    #[must_use]
    pub fn status(&self) -> Status {
        self.engine.status()
    }

    /// Whether something is to be done before anything else is waited for.
    #[must_use]
    pub fn has_work(&self) -> bool {
        !self.effects.is_empty()
    }

    /// Something happened. `now_ms` is the device's clock; `entropy` a fresh random number.
    pub fn tell(&mut self, event: Event, now_ms: i64, entropy: u64) {
        match event {
            Event::Frame(_) => self.pace.answered(now_ms),
            Event::LinkFailed(_) | Event::AnswerEnded => self.pace.cut(),
            _ => {}
        }
        self.effects.extend(self.engine.handle(event, now_ms, entropy));
    }

    /// Bytes of the answer arrived. Step until there is rest before telling more.
    pub fn received(&mut self, bytes: &[u8]) {
        self.bytes_down = self.bytes_down.saturating_add(bytes.len() as u64);
        self.reader.feed(bytes);
    }

    /// Performs one effect, or reads one frame of what was received. `now_ms` and `entropy` as in [`Courier::tell`].
    pub fn step(&mut self, store: &mut Store, now_ms: i64, entropy: u64) -> Step {
        if let Some(effect) = self.effects.pop_front() {
            return match self.perform(store, effect, now_ms, entropy) {
                Ok(Performed::Told(event)) => {
                    self.tell(event, now_ms, entropy);
                    Step::Inward
                }
                Ok(Performed::Done) => Step::Inward,
                Ok(Performed::Outward(outward)) => Step::Outward(outward),
                Err(error) => {
                    // The effects behind one that failed are void; the engine says what comes instead.
                    self.effects.clear();
                    let (code, retryable) = (engine_code(&error).to_owned(), error.retryable());
                    self.failure = Some(error);
                    self.tell(Event::StoreFailed { code, retryable }, now_ms, entropy);
                    Step::Inward
                }
            };
        }
        match self.reader.next_frame() {
            Ok(Some(frame)) => {
                self.tell(Event::Frame(Box::new(frame)), now_ms, entropy);
                Step::Inward
            }
            Ok(None) => Step::Rest,
            Err(_) => {
                self.reader = FrameReader::default();
                self.tell(Event::LinkFailed(LinkFailure::Malformed), now_ms, entropy);
                Step::Inward
            }
        }
    }

    fn perform(&mut self, store: &mut Store, effect: Effect, now_ms: i64, entropy: u64) -> Result<Performed, Error> {
        Ok(match effect {
            Effect::LoadWork { plain } => {
                Performed::Told(Event::WorkLoaded(Box::new(self.load(store, plain, now_ms)?)))
            }
            Effect::Send { request, prove } => Performed::Outward(self.send(store, &request, prove, now_ms)?),
            Effect::StoreWelcome { epoch, now_ms: server_ms, nonce, token } => {
                store.welcome(epoch, server_ms, nonce, token, now_ms)?;
                Performed::Done
            }
            Effect::AcceptGrant(grant) => {
                Performed::Told(Event::GrantAccepted { cursors: store.accept_grant(&grant, now_ms)? })
            }
            Effect::Settle(settlements) => {
                let settled = store.settle(&settlements, now_ms)?;
                self.refused = self.refused.saturating_add(settled.refused);
                Performed::Done
            }
            Effect::SettleDeposits(acks) => {
                store.settle_deposits(&acks)?;
                let refused = acks.iter().filter(|ack| ack.refused.is_some()).count();
                self.refused = self.refused.saturating_add(u32::try_from(refused).unwrap_or(u32::MAX));
                Performed::Done
            }
            Effect::SettleCarried(settlements) => {
                let settled = store.settle_carried(&settlements, now_ms)?;
                if settled.reissued > 0 {
                    self.tell(Event::Edited, now_ms, entropy);
                }
                Performed::Done
            }
            Effect::KeepPiece(piece) => {
                let kept = store.keep_piece(&piece, now_ms)?;
                Performed::Told(Event::PieceKept { cursor: kept.cursor, received: kept.received })
            }
            Effect::ApplyPage(page) => {
                let applied = store.apply_page(&page, now_ms)?;
                if applied.reissued > 0 {
                    // Work that was written anew waits in the outbox: this sync takes it along.
                    self.tell(Event::Edited, now_ms, entropy);
                }
                Performed::Told(Event::PageApplied { received: applied.received })
            }
            Effect::ApplyDifference(difference) => {
                let applied = store.apply_difference(&difference, now_ms)?;
                Performed::Told(Event::DifferenceApplied { received: applied.received, cursor: applied.cursor })
            }
            Effect::CaughtUp { now_ms: server_ms, digest } => {
                let differ = store.caught_up(server_ms, digest, now_ms)?;
                Performed::Told(Event::Compared { differ })
            }
            Effect::CompareAll => {
                store.compare_all()?;
                Performed::Done
            }
            Effect::SetTimer { after_ms } => Performed::Outward(Outward::SetTimer { after_ms }),
            Effect::Finished(summary) => {
                store.mark_link_down();
                Performed::Outward(Outward::Finished(self.report(store, &summary)?))
            }
            Effect::Failed { code, summary, .. } => {
                store.mark_link_down();
                Performed::Outward(Outward::Stopped(self.stopped(store, &code, &summary)))
            }
        })
    }

    fn load(&mut self, store: &mut Store, plain: bool, now_ms: i64) -> Result<Work, Error> {
        (self.reader, self.failure) = (FrameReader::default(), None);
        store.mark_link_down();
        store.ready_to_compare(now_ms)?;
        let mut work = store.work(&WorkLimits { plain, ..self.pace.limits() })?;
        if store.token_age_ms(now_ms)?.is_some_and(|age_ms| age_ms < TOKEN_YOUNG_MS) {
            // The token surely holds: a new one would only cost bytes, and the server a write.
            work.nonce = None;
        }
        self.loaded = work.pushes.iter().flat_map(|out| out.rows.iter().copied()).collect();
        Ok(work)
    }

    fn send(
        &mut self,
        store: &mut Store,
        request: &SyncRequest,
        prove: Option<Nonce>,
        now_ms: i64,
    ) -> Result<Outward, Error> {
        if !request.pushes.is_empty() {
            store.mark_sending(self.loaded.drain(..));
        }
        self.pace.sent(request.hands_in(), now_ms);
        let body = frame::encode_request(request);
        self.bytes_up = self.bytes_up.saturating_add(body.len() as u64);
        let credentials = Box::new(store.credentials(prove)?);
        Ok(Outward::Send { credentials, body, wait_s: request.wait_s })
    }

    fn report(&mut self, store: &Store, summary: &Summary) -> Result<SyncReport, Error> {
        let pending = store.pending()?;
        Ok(SyncReport {
            sent: summary.sent,
            carried: summary.carried,
            received: summary.received,
            pending: pending.changes.saturating_add(pending.deposits),
            refused: std::mem::take(&mut self.refused),
            bytes_up: std::mem::take(&mut self.bytes_up),
            bytes_down: std::mem::take(&mut self.bytes_down),
            round_trips: summary.round_trips,
        })
    }

    fn stopped(&mut self, store: &mut Store, code: &str, summary: &Summary) -> super::Stopped {
        let error = self.failure.take().unwrap_or_else(|| error_of(code));
        if matches!(error, Error::Revoked)
            && let Err(failure) = store.mark_revoked()
        {
            return super::Stopped { error: failure, report: SyncReport::default() };
        }
        super::Stopped { error, report: self.report(store, summary).unwrap_or_default() }
    }
}

enum Performed {
    Done,
    Told(Event),
    Outward(Outward),
}

/// What the engine is told of the store's failure: it asks anew, in full, where a page named what is not held here.
fn engine_code(error: &Error) -> &str {
    if matches!(error, Error::BadAnswer { code: SAY_PLAINLY }) { SAY_PLAINLY } else { error.code() }
}

/// The public error of a code that the engine or the server named.
pub(super) fn error_of(code: &str) -> Error {
    match code {
        "offline" => Error::Offline,
        // A full disk of the server's is not this device's.
        "server_busy" | "storage_full" => Error::ServerBusy { retry_after_s: 0 },
        "server_went_back" => Error::ServerWentBack,
        "revoked" => Error::Revoked,
        "not_foras" => Error::BadAnswer { code: "not_foras" },
        "malformed" => Error::BadAnswer { code: "malformed" },
        "no_end" => Error::BadAnswer { code: "no_end" },
        "misuse" => Error::Misuse("this build cannot reach such an address"),
        other => Error::Refused { code: other.to_owned() },
    }
}
