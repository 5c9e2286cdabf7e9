//! Live: between syncs a request waits at the server for news, and is left for anything more urgent.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use foras_sync::engine::Config;
use foras_sync::{Effect, Engine, Event, LinkFailure, Work, backoff};
use foras_wire::id::{Nonce, RecordId, Signature64};
use foras_wire::page::Page;
use foras_wire::sync::{AnswerFrame, Deposit, Heads, SyncRequest, Welcome};
use foras_wire::turn::Turn;
use foras_wire::version::PROTOCOL_MAX;

const WAIT_S: u16 = 240;
const WAIT_MS: i64 = 240_000;

/// A phone of one audience that stands at position 5, and its engine.
struct Phone {
    engine: Engine,
    now_ms: i64,
    cursor: u64,
    /// What the engine asked for last.
    sent: Vec<SyncRequest>,
    timers_ms: Vec<u64>,
    finished: u32,
    failed: Vec<String>,
    /// Whether a deposit waits, for ever.
    outbox: bool,
}

impl Phone {
    fn new() -> Self {
        let engine = Engine::new(Config { poll_ms: None, wait_s: WAIT_S });
        Self {
            engine,
            now_ms: 0,
            cursor: 5,
            sent: vec![],
            timers_ms: vec![],
            finished: 0,
            failed: vec![],
            outbox: false,
        }
    }

    fn tell(&mut self, event: Event) {
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            for effect in self.engine.handle(event, self.now_ms, 77) {
                match effect {
                    Effect::LoadWork { .. } => {
                        let deposit = Deposit { id: RecordId([7; 16]), body: "{}".to_owned() };
                        let deposits = if self.outbox { vec![deposit] } else { vec![] };
                        let cursors = vec![self.cursor];
                        let work = Work { epoch: 1, grant_revision: 1, cursors, deposits, ..Work::default() };
                        events.push(Event::WorkLoaded(Box::new(work)));
                    }
                    Effect::Send { request, .. } => self.sent.push(*request),
                    Effect::SetTimer { after_ms } => self.timers_ms.push(after_ms),
                    Effect::ApplyPage(page) => {
                        self.cursor = page.to();
                        events.push(Event::PageApplied { received: 1 });
                    }
                    Effect::CaughtUp { .. } => events.push(Event::Compared { differ: false }),
                    Effect::Finished(_) => self.finished += 1,
                    Effect::Failed { code, .. } => self.failed.push(code),
                    _ => {}
                }
            }
        }
    }

    fn frame(&mut self, frame: AnswerFrame) {
        self.tell(Event::Frame(Box::new(frame)));
    }

    /// The server answers, with news up to `head`.
    fn answer(&mut self, head: u64) {
        let nonce = Nonce([1; 16]);
        self.frame(AnswerFrame::Welcome(Welcome {
            protocol: PROTOCOL_MAX,
            epoch: 1,
            now_ms: 9,
            nonce,
            token: None,
            grant: None,
        }));
        if head > self.cursor {
            self.frame(AnswerFrame::Page(Page {
                audience: 0,
                from: self.cursor,
                count: (head - self.cursor) as u32,
                signature: Signature64([0; 64]),
                body: vec![],
            }));
        }
        self.frame(AnswerFrame::Heads(Heads { heads: vec![head], more: false, digest: None }));
    }

    fn asked(&self) -> u16 {
        self.sent.last().unwrap().wait_s
    }
}

/// A phone that came up, caught up, and waits for news.
fn waiting() -> Phone {
    let mut phone = Phone::new();
    phone.tell(Event::Started);
    assert_eq!(phone.asked(), 0, "the first sync waits for nothing");
    phone.answer(5);
    assert_eq!((phone.sent.len(), phone.asked(), phone.finished), (2, WAIT_S, 1));
    let status = phone.engine.status();
    assert!(status.live && !status.syncing);
    phone
}

#[test]
fn news_end_the_wait_and_the_next_one_begins() {
    let mut phone = waiting();
    phone.now_ms += 1_000;
    phone.answer(7);
    assert_eq!((phone.sent.len(), phone.asked(), phone.finished), (3, WAIT_S, 2));
    assert_eq!(phone.sent.last().unwrap().cursors, [7]);
    // Nothing in all that time: the next wait begins at once.
    phone.now_ms += WAIT_MS;
    phone.answer(7);
    assert_eq!((phone.sent.len(), phone.asked(), phone.finished), (4, WAIT_S, 3));
}

#[test]
fn an_edit_a_person_and_a_timer_leave_the_wait() {
    for event in [Event::Edited, Event::SyncRequested, Event::TimerFired] {
        let mut phone = waiting();
        phone.now_ms += 3_000;
        phone.tell(event.clone());
        assert_eq!((phone.sent.len(), phone.asked()), (3, 0), "{event:?}");
        assert!(phone.engine.status().syncing);
        phone.answer(5);
        assert_eq!((phone.sent.len(), phone.asked()), (4, WAIT_S), "and it waits again");
    }
}

#[test]
fn an_edit_while_news_arrive_goes_next_and_what_arrived_is_kept() {
    let mut phone = waiting();
    let nonce = Nonce([1; 16]);
    phone.frame(AnswerFrame::Welcome(Welcome {
        protocol: PROTOCOL_MAX,
        epoch: 1,
        now_ms: 9,
        nonce,
        token: None,
        grant: None,
    }));
    phone.tell(Event::Edited);
    assert_eq!(phone.sent.len(), 2, "the answer that has begun is read to its end");
    phone.frame(AnswerFrame::Heads(Heads { heads: vec![5], more: false, digest: None }));
    assert_eq!((phone.sent.len(), phone.asked()), (3, 0));
}

#[test]
fn a_hint_of_another_network_asks_again_but_not_too_often() {
    let mut phone = waiting();
    phone.tell(Event::NetworkHint);
    assert_eq!(phone.sent.len(), 2, "less than a second after the last attempt");
    phone.now_ms += 1_000;
    phone.tell(Event::NetworkHint);
    assert_eq!((phone.sent.len(), phone.asked()), (3, 0));
}

#[test]
fn a_cut_wait_comes_back_spread_out_and_asks_for_less() {
    let mut phone = waiting();
    for expected in [120, 60, 30, 30] {
        phone.tell(Event::LinkFailed(LinkFailure::TimedOut));
        let after_ms = *phone.timers_ms.last().unwrap();
        assert!(after_ms <= backoff::RECONNECT_MS.max(backoff::FIRST_MS), "{after_ms}");
        phone.now_ms += 60_000;
        phone.tell(Event::TimerFired);
        assert_eq!(phone.asked(), 0, "first it catches up");
        phone.answer(5);
        assert_eq!(phone.asked(), expected);
    }
    assert_eq!(phone.failed, ["offline"; 4]);
    phone.now_ms += 5_000;
    phone.tell(Event::NetworkHint);
    phone.answer(5);
    assert_eq!(phone.asked(), WAIT_S, "another network may hold longer");
}

#[test]
fn a_server_that_holds_nothing_back_is_not_asked_as_fast_as_it_answers() {
    let mut phone = waiting();
    let mut waits = Vec::new();
    for _ in 0..8 {
        phone.answer(5);
        assert!(!phone.engine.status().live);
        let after_ms = *phone.timers_ms.last().unwrap();
        waits.push(after_ms);
        phone.now_ms += i64::try_from(after_ms).unwrap();
        phone.tell(Event::TimerFired);
        phone.answer(5);
        assert!(phone.engine.status().live, "it tries to wait again");
    }
    assert!(waits.windows(2).all(|pair| pair[0] < pair[1]), "{waits:?}");
    assert!(phone.failed.is_empty());
    // One good wait, and all is well again.
    phone.now_ms += WAIT_MS;
    phone.answer(5);
    assert!(phone.engine.status().live);
    phone.answer(5);
    assert!(*phone.timers_ms.last().unwrap() <= backoff::FIRST_MS);
}

#[test]
fn a_driver_whose_link_hangs_for_ever_is_woken_by_the_timer() {
    let mut phone = waiting();
    let guard_ms = *phone.timers_ms.last().unwrap();
    assert!(guard_ms > u64::from(WAIT_S) * 1_000);
    phone.now_ms += i64::try_from(guard_ms).unwrap();
    phone.tell(Event::TimerFired);
    assert_eq!((phone.sent.len(), phone.asked()), (3, 0));
}

#[test]
fn a_first_sync_that_waits_for_its_turn_comes_back_when_told_and_pushes_what_is_written_meanwhile() {
    let mut phone = Phone::new();
    phone.tell(Event::Started);
    for _ in 0..5 {
        let nonce = Nonce([1; 16]);
        phone.frame(AnswerFrame::Welcome(Welcome {
            protocol: PROTOCOL_MAX,
            epoch: 1,
            now_ms: 9,
            nonce,
            token: None,
            grant: None,
        }));
        phone.frame(AnswerFrame::Turn(Turn { after_s: 20, ahead: 100 }));
        let after_ms = *phone.timers_ms.last().unwrap();
        assert!((20_000..=25_000).contains(&after_ms), "as told, and no longer for having waited before: {after_ms}");
        assert!(!phone.engine.status().syncing && !phone.engine.status().live);
        phone.now_ms += 20_000;
        phone.tell(Event::TimerFired);
    }
    assert_eq!(phone.failed, ["server_busy"; 5]);
    phone.answer(5);
    assert!(phone.engine.status().live);
    assert_eq!(phone.engine.status().failures, 0);
}

#[test]
fn what_gets_no_answer_is_not_pushed_as_fast_as_the_server_answers() {
    let mut phone = Phone::new();
    phone.outbox = true;
    phone.tell(Event::Started);
    let mut waits = Vec::new();
    for _ in 0..6 {
        assert!(phone.sent.last().unwrap().hands_in());
        phone.answer(5);
        waits.push(*phone.timers_ms.last().unwrap());
        assert_eq!(phone.sent.len(), waits.len(), "nothing is sent before the timer fires");
        phone.tell(Event::TimerFired);
    }
    assert!(waits.windows(2).all(|pair| pair[0] < pair[1]), "{waits:?}");
}
