//! When to ask, how often, and when to stop.

mod stop;
mod stranger;

use foras_wire::id::Nonce;
use foras_wire::reconcile::Combined;
use foras_wire::sync::AnswerFrame;

use crate::backoff;
use crate::effect::{Effect, Summary};
use crate::event::{Event, LinkFailure};
use crate::exchange::{Exchange, Step, Violation};
use crate::live::{self, Live};
use crate::work::Work;
use stranger::{Bare, Introduces};

/// Most requests of one sync. A first sync of a whole point's archive needs some dozens; a server whose logs never end
/// is left here and asked again later.
pub const ROUND_TRIPS_MAX: u32 = 4_096;
/// Most requests of one sync that only carry re-issued work after a refusal: a server that refuses that too is not
/// asked a third time.
pub const REFUSALS_MAX: u32 = 2;
/// Most times that one sync has the copies compared. They are equal after once; what differs still, or again, is left to
/// the next sync.
pub const COMPARISONS_MAX: u32 = 3;
/// Shortest time between two attempts that a hint of the system brings forward, in milliseconds.
pub const HINT_SPACING_MS: u64 = 1_000;

/// The code by which either side says that it did not find what was only named.
pub const SAY_PLAINLY: &str = "say_plainly";

/// What differs between devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Config {
    /// Milliseconds from one finished sync to the next; `None`: only when asked, or when something was written.
    pub poll_ms: Option<u64>,
    /// Live: after a finished sync a request waits at the server for news, for so many seconds at most; 0: not live.
    pub wait_s: u16,
}

#[derive(Debug, Clone, Default)]
enum State {
    #[default]
    Idle,
    Loading,
    InFlight(Box<Exchange>),
    /// The answer is complete; the store compares the copies. `forward`: it has more to send.
    Comparing {
        forward: bool,
        rest: Rest,
    },
}

/// How a complete answer leaves a sync that has no more to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rest {
    /// Something is left for another time.
    behind: bool,
    /// So is something that others wrote.
    carried: bool,
    /// Answers in a row that came early and brought nothing.
    hollow: u32,
}

/// What the engine is about, for a person to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// Whether a sync is under way.
    pub syncing: bool,
    /// Whether a request waits at the server for news.
    pub live: bool,
    /// When the next attempt is due, on the driver's clock, in milliseconds; `None`: when asked.
    pub next_attempt_ms: Option<i64>,
    /// Failures in a row.
    pub failures: u32,
}

/// The engine of one device.
#[derive(Debug, Clone, Default)]
pub struct Engine {
    config: Config,
    state: State,
    summary: Summary,
    /// Something was written since the work of this sync was loaded.
    edited: bool,
    /// The outbox holds more than the last request carried.
    more_work: bool,
    /// The challenge of a refusal, to be signed at once.
    challenge: Option<Nonce>,
    /// That was tried; a second refusal is final.
    proved_again: bool,
    /// Whether this sync told the server who the device is, because the server did not know it.
    introduces: Introduces,
    /// The server did not read so long a request from a device that it could not tell: until it has welcomed this
    /// device, requests carry nothing to push.
    bare: Bare,
    /// How often the server's epoch changed during this sync; it does when the server finds that it was put back.
    new_epochs: u32,
    /// How often this sync had the copies compared.
    comparisons: u32,
    /// Changes travel in full, since a name was not understood in this sync.
    plain: bool,
    /// Exchanges of this sync in which something was refused.
    refusals: u32,
    failures: u32,
    /// The server said that trying again is of no use; only a person's request tries.
    stopped: bool,
    last_attempt_ms: Option<i64>,
    next_attempt_ms: Option<i64>,
    live: Live,
}

impl Engine {
    /// An engine that has not been told anything yet.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self { config, ..Self::default() }
    }

    /// What the engine is about.
    #[must_use]
    pub fn status(&self) -> Status {
        Status {
            syncing: !matches!(self.state, State::Idle) && !self.live.is_waiting(),
            live: self.live.is_waiting(),
            next_attempt_ms: self.next_attempt_ms,
            failures: self.failures,
        }
    }

    /// Takes an event; gives what to do, in order. An effect that the store cannot perform is answered with
    /// [`Event::StoreFailed`], and the effects after it are not performed.
    ///
    /// `now_ms` is the driver's clock, of any epoch; it may jump. `entropy` is a fresh random number.
    #[must_use]
    pub fn handle(&mut self, event: Event, now_ms: i64, entropy: u64) -> Vec<Effect> {
        let now = Now { ms: now_ms, entropy };
        match event {
            Event::Started | Event::TimerFired => self.due(now),
            Event::SyncRequested => self.requested(now),
            Event::Edited => self.edited(now),
            Event::NetworkHint => self.hinted(now),
            Event::WorkLoaded(work) => self.work_loaded(*work, now),
            Event::Frame(frame) => self.frame(*frame, now),
            Event::GrantAccepted { cursors } => self.told(now, |exchange| exchange.grant_accepted(cursors)),
            Event::PieceKept { cursor, received } => self.told(now, |exchange| exchange.piece_kept(cursor, received)),
            Event::DifferenceApplied { received, cursor } => {
                self.told(now, |exchange| exchange.difference_applied(received, cursor))
            }
            Event::Compared { differ } => self.compared(differ, now),
            Event::PageApplied { received } => self.told(now, |exchange| exchange.page_applied(received)),
            Event::AnswerEnded => self.cut(LinkFailure::Offline, now),
            Event::LinkFailed(failure) => self.cut(failure, now),
            Event::StoreFailed { code, retryable } => self.store_failed(code, retryable, now),
        }
    }

    fn due(&mut self, now: Now) -> Vec<Effect> {
        if self.live.is_waiting() { self.leave_wait(now) } else { self.attempt(now) }
    }

    /// Something is more urgent than to wait for news.
    fn leave_wait(&mut self, now: Now) -> Vec<Effect> {
        if matches!(self.state, State::Loading) {
            // What is being loaded may be older than what happened: another round follows.
            self.live.leave();
            self.edited = true;
            return Vec::new();
        }
        self.close();
        self.begin(now)
    }

    fn attempt(&mut self, now: Now) -> Vec<Effect> {
        if self.stopped || !matches!(self.state, State::Idle) { Vec::new() } else { self.begin(now) }
    }

    fn requested(&mut self, now: Now) -> Vec<Effect> {
        if self.live.is_waiting() {
            return self.leave_wait(now);
        }
        if !matches!(self.state, State::Idle) {
            self.edited = true;
            return Vec::new();
        }
        self.stopped = false;
        self.begin(now)
    }

    fn edited(&mut self, now: Now) -> Vec<Effect> {
        if self.live.is_waiting() {
            return self.leave_wait(now);
        }
        if !matches!(self.state, State::Idle) {
            self.edited = true;
            return Vec::new();
        }
        // While the server cannot be reached, the timer decides: edits must not hammer it.
        if self.failures > 0 { Vec::new() } else { self.attempt(now) }
    }

    fn hinted(&mut self, now: Now) -> Vec<Effect> {
        let since = self.last_attempt_ms.map(|last| now.ms.abs_diff(last));
        if since.is_some_and(|ms| ms < HINT_SPACING_MS) {
            return Vec::new();
        }
        // Another network: the connection on which a request waits may be dead, and long waits may hold again.
        self.live.try_long();
        self.due(now)
    }

    fn begin(&mut self, now: Now) -> Vec<Effect> {
        self.summary = Summary::default();
        (self.challenge, self.proved_again, self.bare) = (None, false, Bare::Never);
        (self.new_epochs, self.comparisons, self.refusals) = (0, 0, 0);
        (self.plain, self.introduces) = (false, Introduces::Never);
        (self.last_attempt_ms, self.next_attempt_ms) = (Some(now.ms), None);
        self.live.leave();
        self.live.withheld = false;
        self.load()
    }

    fn load(&mut self) -> Vec<Effect> {
        self.state = State::Loading;
        self.edited = false;
        vec![Effect::LoadWork { plain: self.plain }]
    }

    fn work_loaded(&mut self, mut work: Work, now: Now) -> Vec<Effect> {
        if !matches!(self.state, State::Loading) {
            return Vec::new();
        }
        if self.summary.round_trips >= ROUND_TRIPS_MAX {
            return self.fail("no_end".to_owned(), true, 0, now);
        }
        let waiting = self.live.is_waiting();
        if self.bare == Bare::UntilWelcome || (waiting && self.live.withheld) {
            // What the server could not take yet is pushed again when the timer fires; news does not wait for that.
            work.pushes.clear();
            work.deposits.clear();
            work.carried.clear();
        }
        let introduction = work.introduction.take().filter(|_| self.introduces == Introduces::Now);
        if introduction.is_some() {
            // The server reads little of what somebody sends whom it does not know.
            (work.reconcile, work.offers) = (None, None);
            self.introduces = Introduces::Once;
        }
        self.summary = if waiting { Summary::default() } else { Summary { kept: 0, ..self.summary } };
        self.more_work = work.more && !(waiting && self.live.withheld);
        let prove = self.challenge.take().or(work.nonce);
        let (mut request, exchange) = Exchange::open(work);
        request.introduction = introduction;
        if waiting && !request.hands_in() {
            request.wait_s = self.live.asked(now.ms, self.config.wait_s, prove.is_some());
        } else {
            self.live.leave();
        }
        self.state = State::InFlight(Box::new(exchange));
        vec![Effect::Send { request: Box::new(request), prove }]
    }

    fn frame(&mut self, frame: AnswerFrame, now: Now) -> Vec<Effect> {
        let State::InFlight(exchange) = &mut self.state else { return Vec::new() };
        self.live.answered(now.ms);
        match exchange.frame(frame) {
            Ok(Step::Go(effects)) => effects,
            Ok(Step::NewEpoch(store)) => self.restored(store, now),
            Ok(Step::Complete { more, now_ms, digest }) => self.complete(more, now_ms, digest, now),
            Ok(Step::Refused(refusal)) => self.refused(refusal, now),
            Ok(Step::Wait(turn)) => self.wait_for_turn(turn, now),
            Ok(Step::WentBack) => self.went_back(now),
            Err(violation) => self.violated(violation, now),
        }
    }

    fn told(&mut self, now: Now, tell: impl FnOnce(&mut Exchange) -> Result<(), Violation>) -> Vec<Effect> {
        let State::InFlight(exchange) = &mut self.state else { return Vec::new() };
        match tell(exchange) {
            Ok(()) => Vec::new(),
            Err(violation) => self.violated(violation, now),
        }
    }

    fn restored(&mut self, store: Effect, now: Now) -> Vec<Effect> {
        self.close();
        if self.new_epochs >= COMPARISONS_MAX {
            return self.fail("malformed".to_owned(), true, 0, now);
        }
        self.new_epochs += 1;
        let mut effects = vec![store];
        effects.extend(self.load());
        effects
    }

    fn complete(&mut self, more: bool, server_ms: i64, digest: Option<Combined>, now: Now) -> Vec<Effect> {
        let Some(exchange) = self.close() else { return Vec::new() };
        let reissued = exchange.done.refused > 0;
        self.refusals += u32::from(reissued);
        let forward =
            exchange.went_forward() && (more || self.more_work || (reissued && self.refusals <= REFUSALS_MAX));
        self.proved_again = false;
        let hollow = self.live.complete(exchange.went_forward());
        let held_back = self.bare == Bare::UntilWelcome;
        if held_back {
            self.bare = Bare::Tried;
        }
        let forward = forward || held_back;
        // What got no answer is no reason to ask again at once, and again.
        let behind = more || exchange.is_owed_an_answer();
        let rest = Rest { behind, carried: exchange.left_carried(), hollow };
        if more {
            return self.go_on(forward, rest, now);
        }
        self.state = State::Comparing { forward, rest };
        vec![Effect::CaughtUp { now_ms: server_ms, digest }]
    }

    /// Whether the copies are the server's. If not, the sync goes on with what the store then has to say, a few times.
    fn compared(&mut self, differ: bool, now: Now) -> Vec<Effect> {
        let State::Comparing { forward, rest } = self.state else { return Vec::new() };
        let again = differ && self.comparisons < COMPARISONS_MAX;
        self.comparisons += u32::from(again);
        self.go_on(forward || again, Rest { behind: rest.behind || (differ && !again), ..rest }, now)
    }

    fn go_on(&mut self, forward: bool, rest: Rest, now: Now) -> Vec<Effect> {
        if forward || self.edited {
            return self.load();
        }
        self.state = State::Idle;
        let effects = self.finish(rest.behind, rest.hollow, now);
        self.live.withheld |= rest.carried;
        effects
    }

    /// The end of a sync that met no failure. What could not travel yet is tried again like after a failure.
    fn finish(&mut self, behind: bool, hollow: u32, now: Now) -> Vec<Effect> {
        (self.new_epochs, self.comparisons) = (0, 0);
        let live = self.config.wait_s > 0 && !behind && hollow == 0;
        let waits = self.summary.kept > 0 || behind;
        let mut effects = if self.live.withheld && live {
            // What is withheld has its timer already.
            Vec::new()
        } else {
            self.failures = if waits { self.failures.saturating_add(1) } else { 0 };
            let after_ms = match (waits, hollow) {
                (true, _) => Some(backoff::wait_ms(self.failures, 0, now.entropy)),
                (false, 0) if live => Some(u64::from(self.config.wait_s) * 1_000 + live::GUARD_MS),
                (false, 0) => self.config.poll_ms,
                (false, hollow) => Some(backoff::wait_ms(hollow, 0, now.entropy)),
            };
            self.timer(after_ms, now)
        };
        self.live.withheld |= self.summary.kept > 0;
        effects.push(Effect::Finished(self.summary));
        if live {
            self.live.begin();
            effects.extend(self.load());
        }
        effects
    }

    /// Ends the exchange in flight, if there is one, and adds what it did to the sync's summary.
    fn close(&mut self) -> Option<Box<Exchange>> {
        let exchange = match std::mem::take(&mut self.state) {
            State::InFlight(exchange) => exchange,
            other => {
                self.state = other;
                return None;
            }
        };
        let done = exchange.done;
        let sum = &mut self.summary;
        sum.sent = sum.sent.saturating_add(done.sent);
        sum.carried = sum.carried.saturating_add(done.carried);
        sum.received = sum.received.saturating_add(done.received);
        sum.refused = sum.refused.saturating_add(done.refused);
        sum.kept = sum.kept.saturating_add(done.kept);
        sum.round_trips = sum.round_trips.saturating_add(done.round_trips);
        Some(exchange)
    }

    fn timer(&mut self, after_ms: Option<u64>, now: Now) -> Vec<Effect> {
        let Some(after_ms) = after_ms else { return Vec::new() };
        self.next_attempt_ms = Some(now.ms.saturating_add(i64::try_from(after_ms).unwrap_or(i64::MAX)));
        vec![Effect::SetTimer { after_ms }]
    }
}

/// What the outside passes in beside an event.
#[derive(Clone, Copy)]
struct Now {
    ms: i64,
    entropy: u64,
}
