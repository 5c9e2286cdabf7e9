//! A server and a store in a few lines, to drive the engine: what they hold are numbers, and nothing of it is Foras's own
//! storage. Faults are given by whoever drives.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use foras_sync::engine::Config;
use foras_sync::{Effect, Engine, Event, Fate, LinkFailure, OutgoingPush, Summary, Work};
use foras_wire::id::{Incarnation, Nonce, RecordId, Signature64};
use foras_wire::page::Page;
use foras_wire::push::{PackedPush, PushItem};
use foras_wire::reconcile::{Combined, Difference, DifferenceState, Reconcile, Sketch, Sum};
use foras_wire::record::{KindCode, RecordKey, RecordRef};
use foras_wire::sync::{
    Acks, AnswerFrame, Deposit, DepositAck, Exception, Heads, Introduction, Outcome, Refusal, SyncRequest, Welcome,
};

/// The change that carries `number`, as one phone gives it to another.
pub fn item(number: u64) -> PushItem {
    let key = RecordKey { kind: KindCode(1), id: RecordId([0; 16]) };
    let record = RecordRef { key, case: None, generation: 0 };
    PushItem { record, change_set: 0, chunk: number.to_be_bytes().to_vec() }
}

/// The push that carries `numbers`: its body is theirs, eight bytes each.
pub fn push(numbers: &[u64]) -> PackedPush {
    PackedPush {
        incarnation: Incarnation([1; 16]),
        grant_revision: 1,
        count: numbers.len() as u32,
        signature: Signature64([0; 64]),
        body: numbers.iter().flat_map(|number| number.to_be_bytes()).collect(),
    }
}

fn numbers_of(body: &[u8]) -> impl Iterator<Item = u64> + '_ {
    body.chunks(8).map(number_of)
}

fn number_of(chunk: &[u8]) -> u64 {
    u64::from_be_bytes(chunk.try_into().unwrap())
}

/// A server: logs of numbers, and what it answers about some of them.
#[derive(Clone, Default)]
pub struct Server {
    pub epoch: u64,
    pub logs: Vec<Vec<u64>>,
    /// Numbers that it refuses, parks …
    pub outcomes: BTreeMap<u64, Outcome>,
    pub deposits: BTreeSet<RecordId>,
    pub entries_per_page: usize,
    pub pages_per_answer: usize,
    /// The nonce that it wants signed before it answers.
    pub challenge: Option<Nonce>,
    /// Most pushed changes that it reads from a device that it cannot tell.
    pub stranger_changes_max: usize,
    /// Most pushed changes that it reads at all.
    pub changes_max: usize,
    /// Whether it finds what pushes only name.
    pub puzzled: bool,
    /// Requests that asked for everything in full.
    pub plain: u32,
    pub requests: u32,
    /// Equal copies have a digest of zeros.
    pub digest: Option<Combined>,
}

impl Server {
    pub fn with_logs(lengths: &[u64]) -> Self {
        let logs = lengths
            .iter()
            .enumerate()
            .map(|(at, length)| (0..*length).map(|position| 1_000_000 * (at as u64 + 1) + position).collect());
        Self {
            epoch: 1,
            logs: logs.collect(),
            entries_per_page: 3,
            pages_per_answer: 100,
            stranger_changes_max: 100,
            changes_max: 100,
            ..Self::default()
        }
    }

    /// The whole answer; what it acknowledges is durable, whether the answer arrives or not.
    pub fn answer(&mut self, request: &SyncRequest, prove: Option<Nonce>) -> Vec<AnswerFrame> {
        self.requests += 1;
        let changes: usize = request.pushes.iter().map(|push| push.count as usize).sum();
        if changes > self.changes_max || self.challenge.is_some() && changes > self.stranger_changes_max {
            return vec![refusal("too_large", false, None, 0)];
        }
        if self.challenge.is_some() && prove != self.challenge {
            return vec![refusal("unauthenticated", true, self.challenge, 0)];
        }
        self.challenge = None;
        let mut frames = vec![AnswerFrame::Welcome(Welcome {
            protocol: foras_wire::version::PROTOCOL_MAX,
            epoch: self.epoch,
            now_ms: 1_790_000_000_000,
            nonce: Nonce([9; 16]),
            token: None,
            grant: None,
        })];
        if request.epoch != self.epoch {
            return frames;
        }
        self.plain += u32::from(request.plain);
        if self.puzzled && !request.plain && !request.pushes.is_empty() {
            frames.push(refusal("say_plainly", true, None, 0));
            return frames;
        }
        for (at, push) in request.pushes.iter().enumerate() {
            frames.push(AnswerFrame::Acks(self.admit(at, push)));
        }
        if !request.deposits.is_empty() {
            self.deposits.extend(request.deposits.iter().map(|deposit| deposit.id));
            let acks = request.deposits.iter().map(|deposit| DepositAck { id: deposit.id, refused: None });
            frames.push(AnswerFrame::DepositAcks(acks.collect()));
        }
        if let Some(reconcile) = &request.reconcile {
            let heads: Vec<_> = self.logs.iter().map(|log| log.len() as u64).collect();
            frames.extend(
                reconcile.sketches.iter().map(|sketch| last(sketch.audience, heads[usize::from(sketch.audience)])),
            );
            frames.push(AnswerFrame::Heads(Heads { heads, more: false, digest: self.digest }));
            return frames;
        }
        frames.extend(self.pages(&request.cursors));
        frames
    }

    fn admit(&mut self, at: usize, push: &PackedPush) -> Acks {
        let mut exceptions = Vec::new();
        for (index, number) in numbers_of(&push.body).enumerate() {
            let known = self.logs[0].contains(&number);
            let outcome = self.outcomes.get(&number).cloned().or(known.then_some(Outcome::Duplicate));
            if let Some(outcome) = outcome {
                exceptions.push(Exception { item: index as u32, outcome });
            } else {
                self.logs[0].push(number);
            }
        }
        Acks { push: at as u16, exceptions }
    }

    fn pages(&self, cursors: &[u64]) -> Vec<AnswerFrame> {
        let (mut pages, mut cut) = (Vec::new(), false);
        for (audience, log) in self.logs.iter().enumerate() {
            let mut from = cursors[audience] as usize;
            while from < log.len() {
                if pages.len() == self.pages_per_answer {
                    cut = true;
                    break;
                }
                let to = log.len().min(from + self.entries_per_page);
                pages.push(AnswerFrame::Page(page(audience as u16, from as u64, &log[from..to])));
                from = to;
            }
        }
        let heads = self.logs.iter().map(|log| log.len() as u64).collect();
        pages.push(AnswerFrame::Heads(Heads { heads, more: cut, digest: self.digest }));
        pages
    }
}

pub fn last(audience: u16, through: u64) -> AnswerFrame {
    AnswerFrame::Difference(Box::new(Difference::new(audience, through, DifferenceState::Last)))
}

pub fn page(audience: u16, from: u64, numbers: &[u64]) -> Page {
    let PackedPush { count, signature, body, .. } = push(numbers);
    Page { audience, from, count, signature, body }
}

pub fn refusal(code: &str, retryable: bool, nonce: Option<Nonce>, retry_after_s: u32) -> AnswerFrame {
    AnswerFrame::Refused(Refusal { code: code.to_owned(), retryable, nonce, retry_after_s })
}

/// What a device keeps: it survives any cut.
#[derive(Clone, Default)]
pub struct Store {
    pub epoch: u64,
    pub cursors: Vec<u64>,
    pub applied: Vec<Vec<u64>>,
    pub outbox: VecDeque<u64>,
    pub acknowledged: BTreeSet<u64>,
    pub refused: BTreeSet<u64>,
    pub deposits: BTreeSet<RecordId>,
    pub nonce: Option<Nonce>,
    pub caught_up_ms: Option<i64>,
    pub per_request: usize,
    /// The copies are to be compared.
    pub comparing: bool,
    /// So many pages name what it does not find.
    pub puzzled: u32,
    pub introduction: Option<Introduction>,
}

impl Store {
    pub fn new(audiences: usize, outbox: impl IntoIterator<Item = u64>) -> Self {
        Self {
            epoch: 1,
            cursors: vec![0; audiences],
            applied: vec![Vec::new(); audiences],
            outbox: outbox.into_iter().collect(),
            per_request: 4,
            ..Self::default()
        }
    }

    fn work(&self, plain: bool) -> Work {
        let rows: Vec<u64> = self.outbox.iter().take(self.per_request).copied().collect();
        let pushes = rows.chunks(2).map(|rows| OutgoingPush { push: push(rows), rows: rows.to_vec() });
        Work {
            epoch: self.epoch,
            grant_revision: 1,
            cursors: self.cursors.clone(),
            nonce: self.nonce,
            pushes: pushes.collect(),
            deposits: self.deposits.iter().map(|id| Deposit { id: *id, body: "{}".to_owned() }).collect(),
            packs: None,
            reconcile: self.comparing.then(|| Reconcile {
                salt: [0; 8],
                sketches: self.sketches(),
                witness: None,
                newest_epoch: 1,
            }),
            offers: None,
            more: self.outbox.len() > rows.len(),
            plain,
            introduction: self.introduction.clone().map(Box::new),
            ..Work::default()
        }
    }

    fn sketches(&self) -> Vec<Sketch> {
        let sketch = |audience| Sketch { audience, count: 0, sum: Sum::default(), symbols: Vec::new() };
        (0..self.cursors.len() as u16).map(sketch).collect()
    }

    /// Performs one effect; the event that answers it, if any.
    pub fn perform(&mut self, effect: &Effect) -> Option<Event> {
        match effect {
            Effect::LoadWork { plain } => return Some(Event::WorkLoaded(Box::new(self.work(*plain)))),
            Effect::StoreWelcome { epoch, nonce, .. } => {
                if *epoch != self.epoch {
                    self.cursors.fill(0);
                    self.applied.iter_mut().for_each(Vec::clear);
                }
                (self.epoch, self.nonce) = (*epoch, Some(*nonce));
            }
            Effect::Settle(settled) => {
                for one in settled.iter().filter(|one| one.fate.is_final()) {
                    assert!(self.outbox.contains(&one.row), "row {} was settled twice", one.row);
                    self.outbox.retain(|row| *row != one.row);
                    let refused = matches!(one.fate, Fate::Refused { .. } | Fate::SetRefused);
                    if refused { &mut self.refused } else { &mut self.acknowledged }.insert(one.row);
                }
            }
            Effect::SettleDeposits(acks) => self.deposits.retain(|id| acks.iter().all(|ack| ack.id != *id)),
            Effect::ApplyPage(page) => {
                let audience = usize::from(page.audience);
                assert_eq!(page.from, self.cursors[audience], "a page with a gap reached the store");
                if self.puzzled > 0 {
                    self.puzzled -= 1;
                    return Some(Event::StoreFailed { code: "say_plainly".to_owned(), retryable: true });
                }
                self.applied[audience].extend(numbers_of(&page.body));
                self.cursors[audience] = page.to();
                return Some(Event::PageApplied { received: page.count });
            }
            Effect::KeepPiece(_) => panic!("a piece that was not asked for reached the store"),
            Effect::CaughtUp { now_ms, digest } => {
                self.caught_up_ms = Some(*now_ms);
                let differ = digest.is_some_and(|digest| digest[0] != 0);
                self.comparing |= differ;
                return Some(Event::Compared { differ });
            }
            Effect::CompareAll => self.comparing = true,
            Effect::ApplyDifference(difference) => {
                let audience = usize::from(difference.audience);
                self.cursors[audience] = difference.through;
                self.comparing = false;
                return Some(Event::DifferenceApplied { received: 0, cursor: Some(difference.through) });
            }
            Effect::AcceptGrant(_) => return Some(Event::GrantAccepted { cursors: self.cursors.clone() }),
            Effect::SettleCarried(_) => panic!("nothing was carried"),
            Effect::Send { .. } | Effect::SetTimer { .. } | Effect::Finished(_) | Effect::Failed { .. } => {}
        }
        None
    }
}

/// How a sync ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    Finished(Summary),
    Failed { code: String, retryable: bool, summary: Summary },
}

/// What happens to the answer of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It arrives whole.
    None,
    /// The request never reaches the server.
    Unreachable,
    /// The connection is lost after so many frames.
    CutAfter(usize),
    /// The stream ends in order after so many frames.
    EndAfter(usize),
    /// The request reaches the server twice; the second answer arrives.
    Twice,
}

/// Runs one sync to its end. `faults` are taken one a request; then none.
pub fn sync(engine: &mut Engine, store: &mut Store, server: &mut Server, faults: &[Fault]) -> (End, Option<u64>) {
    let mut faults = faults.iter();
    let mut events = VecDeque::from([Event::SyncRequested]);
    let mut timer = None;
    while let Some(event) = events.pop_front() {
        for effect in engine.handle(event, 0, 7) {
            match effect {
                Effect::Finished(summary) => return (End::Finished(summary), timer),
                Effect::Failed { code, retryable, summary } => {
                    return (End::Failed { code, retryable, summary }, timer);
                }
                Effect::SetTimer { after_ms } => timer = Some(after_ms),
                Effect::Send { request, prove } => {
                    events.clear();
                    events.extend(delivered(server, &request, prove, *faults.next().unwrap_or(&Fault::None)));
                }
                other => {
                    if matches!(other, Effect::LoadWork { .. }) {
                        events.clear();
                    }
                    if let Some(event) = store.perform(&other) {
                        events.push_front(event);
                    }
                }
            }
        }
    }
    panic!("the engine neither finished nor failed");
}

fn delivered(server: &mut Server, request: &SyncRequest, prove: Option<Nonce>, fault: Fault) -> Vec<Event> {
    if fault == Fault::Unreachable {
        return vec![Event::LinkFailed(LinkFailure::Offline)];
    }
    if fault == Fault::Twice {
        let _ = server.answer(request, prove);
    }
    let frames = server.answer(request, prove);
    let kept = if let Fault::CutAfter(n) | Fault::EndAfter(n) = fault { n } else { frames.len() };
    let mut events: Vec<_> = frames.into_iter().take(kept).map(|frame| Event::Frame(Box::new(frame))).collect();
    let cut = matches!(fault, Fault::CutAfter(_));
    events.push(if cut { Event::LinkFailed(LinkFailure::Offline) } else { Event::AnswerEnded });
    events
}

pub fn engine() -> Engine {
    Engine::new(Config::default())
}
