//! Answers that refuse, break the protocol, or come from a server that means no good.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod scripted;

use foras_sync::{Effect, Engine, Event, Summary};
use foras_wire::grant::SignedGrant;
use foras_wire::id::{Nonce, Signature64};
use foras_wire::reconcile::{Difference, DifferenceState};
use foras_wire::sync::{Acks, AnswerFrame, DepositAck, Exception, Heads, Introduction, Outcome, Welcome};
use foras_wire::version::PROTOCOL_MAX;
use scripted::{End, Server, Store, engine, page, refusal, sync};

/// An engine whose request of `store` is in flight.
fn in_flight(store: &mut Store) -> Engine {
    let mut engine = engine();
    let effects = engine.handle(Event::SyncRequested, 0, 0);
    let work = store.perform(&effects[0]).unwrap();
    assert!(matches!(engine.handle(work, 0, 0)[..], [Effect::Send { .. }]));
    engine
}

fn welcome(protocol: u16) -> AnswerFrame {
    let nonce = Nonce([3; 16]);
    AnswerFrame::Welcome(Welcome { protocol, epoch: 1, now_ms: 5, nonce, token: None, grant: None })
}

fn acks(push: u16, exceptions: Vec<Exception>) -> AnswerFrame {
    AnswerFrame::Acks(Acks { push, exceptions })
}

fn heads(heads: Vec<u64>) -> AnswerFrame {
    AnswerFrame::Heads(Heads { heads, more: false, digest: None })
}

/// Feeds frames to an engine with two pushed changes and two audiences; the code of the failure, if it failed.
fn feed(frames: Vec<AnswerFrame>) -> Option<String> {
    let mut store = Store::new(2, 1..=2);
    let mut engine = in_flight(&mut store);
    for frame in frames {
        for effect in engine.handle(Event::Frame(Box::new(frame)), 0, 0) {
            if let Effect::Failed { code, .. } = effect {
                return Some(code);
            }
            if let Some(told) = store.perform(&effect) {
                let after = engine.handle(told, 0, 0);
                assert!(after.iter().all(|effect| matches!(effect, Effect::Finished(_))), "{after:?}");
            }
        }
    }
    None
}

#[test]
fn every_breach_of_the_order_ends_the_exchange() {
    let exception = |item| Exception { item, outcome: Outcome::Parked };
    let deposit = AnswerFrame::DepositAcks(vec![DepositAck { id: foras_wire::id::RecordId([1; 16]), refused: None }]);
    let one = || AnswerFrame::Page(page(0, 0, &[7]));
    for (what, frames) in [
        ("no welcome, acknowledgement", vec![acks(0, vec![])]),
        ("no welcome, page", vec![one()]),
        ("no welcome, heads", vec![heads(vec![0, 0])]),
        ("two welcomes", vec![welcome(PROTOCOL_MAX), welcome(PROTOCOL_MAX)]),
        ("a version that this build does not speak", vec![welcome(999)]),
        ("an acknowledgement of no push", vec![welcome(PROTOCOL_MAX), acks(1, vec![])]),
        ("a push acknowledged twice", vec![welcome(PROTOCOL_MAX), acks(0, vec![]), acks(0, vec![])]),
        ("an acknowledgement of no item", vec![welcome(PROTOCOL_MAX), acks(0, vec![exception(2)])]),
        ("an acknowledgement after a page", vec![welcome(PROTOCOL_MAX), one(), acks(0, vec![])]),
        ("an acknowledgement of no deposit", vec![welcome(PROTOCOL_MAX), deposit]),
        ("a page of no audience", vec![welcome(PROTOCOL_MAX), AnswerFrame::Page(page(2, 0, &[7]))]),
        ("a page with a gap", vec![welcome(PROTOCOL_MAX), AnswerFrame::Page(page(0, 1, &[7]))]),
        ("a page twice", vec![welcome(PROTOCOL_MAX), one(), one()]),
        ("a page of nothing", vec![welcome(PROTOCOL_MAX), AnswerFrame::Page(page(0, 0, &[]))]),
        ("heads of other audiences", vec![welcome(PROTOCOL_MAX), heads(vec![0])]),
    ] {
        assert_eq!(feed(frames).as_deref(), Some("malformed"), "{what}");
    }
    let unasked = |state| AnswerFrame::Difference(Box::new(Difference::new(0, 9, state)));
    for state in [DifferenceState::Last, DifferenceState::Answer, DifferenceState::StartOver] {
        assert_eq!(feed(vec![welcome(PROTOCOL_MAX), unasked(state)]).as_deref(), Some("malformed"), "{state:?}");
    }
}

#[test]
fn a_page_beyond_all_positions_is_refused() {
    let mut store = Store::new(1, []);
    store.cursors = vec![u64::MAX];
    let mut engine = in_flight(&mut store);
    let _ = engine.handle(Event::Frame(Box::new(welcome(PROTOCOL_MAX))), 0, 0);
    let effects = engine.handle(Event::Frame(Box::new(AnswerFrame::Page(page(0, u64::MAX, &[1])))), 0, 0);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Failed { .. })));
}

#[test]
fn frames_of_a_newer_build_are_skipped_anywhere() {
    let new = || AnswerFrame::Unknown(200);
    let frames = vec![new(), welcome(PROTOCOL_MAX), new(), acks(0, vec![]), new(), heads(vec![0, 0])];
    assert_eq!(feed(frames), None);
}

#[test]
fn a_frame_before_the_page_before_it_is_applied_is_not_taken() {
    let mut store = Store::new(1, []);
    let mut engine = in_flight(&mut store);
    for frame in [welcome(PROTOCOL_MAX), AnswerFrame::Page(page(0, 0, &[7]))] {
        let _ = engine.handle(Event::Frame(Box::new(frame)), 0, 0);
    }
    let effects = engine.handle(Event::Frame(Box::new(heads(vec![1]))), 0, 0);
    assert!(matches!(effects.last(), Some(Effect::Failed { .. })));
}

#[test]
fn revoked_devices_stop_and_only_a_person_tries_again() {
    for code in ["revoked", "unknown_device"] {
        let mut engine = in_flight(&mut Store::new(1, [1]));
        let effects = engine.handle(Event::Frame(Box::new(refusal(code, false, None, 0))), 0, 0);
        assert!(matches!(&effects[..], [Effect::Failed { code: said, retryable: false, .. }] if said == code));
        for event in [Event::Edited, Event::NetworkHint, Event::TimerFired, Event::Started] {
            assert_eq!(engine.handle(event, 1_000_000, 0), []);
        }
        assert_eq!(engine.handle(Event::SyncRequested, 0, 0), [Effect::LoadWork { plain: false }]);
    }
}

#[test]
fn a_server_that_does_not_know_the_device_is_told_once_who_it_is() {
    let grant = SignedGrant { bytes: vec![1], signature: Signature64([0; 64]) };
    let introduction = Introduction { grant, incarnations: vec![], case_numbers: None };
    let mut store = Store::new(1, [1]);
    store.introduction = Some(introduction.clone());
    let mut engine = in_flight(&mut store);
    let unknown = || Event::Frame(Box::new(refusal("unknown_device", false, Some(Nonce([7; 16])), 0)));
    assert_eq!(engine.handle(unknown(), 0, 0), [Effect::LoadWork { plain: false }]);
    let loaded = store.perform(&Effect::LoadWork { plain: false }).unwrap();
    let effects = engine.handle(loaded, 0, 0);
    let [Effect::Send { request, prove: Some(Nonce([7, ..])) }] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(request.introduction.as_deref(), Some(&introduction));
    assert!(request.pushes.is_empty(), "a stranger's request is short");
    let effects = engine.handle(unknown(), 0, 0);
    assert!(matches!(&effects[..], [Effect::Failed { code, retryable: false, .. }] if code == "unknown_device"));
}

#[test]
fn the_work_of_somebody_who_left_is_handed_in_before_the_device_is_refused() {
    let mut store = Store::new(1, 1..=9);
    let mut engine = engine();
    let mut events = vec![Event::SyncRequested];
    let mut requests = 0;
    while let Some(event) = events.pop() {
        for effect in engine.handle(event, 0, 0) {
            match effect {
                Effect::Send { request, .. } => {
                    requests += 1;
                    events.push(Event::Frame(Box::new(refusal("revoked", false, None, 0))));
                    for at in (0..request.pushes.len()).rev() {
                        events.push(Event::Frame(Box::new(acks(u16::try_from(at).unwrap(), vec![]))));
                    }
                    events.push(Event::Frame(Box::new(welcome(PROTOCOL_MAX))));
                }
                Effect::Failed { code, retryable, summary } => {
                    assert_eq!((code.as_str(), retryable, summary.sent, requests), ("revoked", false, 9, 3));
                    assert!(store.outbox.is_empty());
                    return;
                }
                other => events.extend(store.perform(&other)),
            }
        }
    }
    panic!("the sync never ended");
}

#[test]
fn a_challenge_is_answered_once_in_a_sync() {
    let mut store = Store::new(1, [1]);
    let mut engine = in_flight(&mut store);
    let challenge = |byte| Event::Frame(Box::new(refusal("unauthenticated", true, Some(Nonce([byte; 16])), 0)));
    assert_eq!(engine.handle(challenge(1), 0, 0), [Effect::LoadWork { plain: false }]);
    let sent = engine.handle(store.perform(&Effect::LoadWork { plain: false }).unwrap(), 0, 0);
    assert!(matches!(sent[..], [Effect::Send { prove: Some(Nonce([1, ..])), .. }]));
    let effects = engine.handle(challenge(2), 0, 0);
    assert!(matches!(effects.last(), Some(Effect::Failed { .. })));
}

#[test]
fn a_busy_server_is_left_alone_as_long_as_it_asks() {
    let mut engine = in_flight(&mut Store::new(1, [1]));
    let effects = engine.handle(Event::Frame(Box::new(refusal("server_busy", true, None, 90))), 0, 12_345);
    let [Effect::SetTimer { after_ms }, Effect::Failed { retryable: true, .. }] = effects[..] else { panic!() };
    assert!((90_000..=112_500).contains(&after_ms));
}

#[test]
fn a_hint_of_the_system_only_brings_an_attempt_forward() {
    let mut engine = in_flight(&mut Store::new(1, [1]));
    let _ = engine.handle(Event::LinkFailed(foras_sync::LinkFailure::Offline), 0, 0);
    assert_eq!(engine.handle(Event::NetworkHint, 200, 0), [], "hints do not become a storm");
    assert_eq!(engine.handle(Event::NetworkHint, 1_200, 0), [Effect::LoadWork { plain: false }]);
    // A clock that jumps back ten years does not silence the device.
    let mut engine = in_flight(&mut Store::new(1, [1]));
    let _ = engine.handle(Event::LinkFailed(foras_sync::LinkFailure::Offline), 0, 0);
    assert_eq!(engine.handle(Event::NetworkHint, -315_360_000_000, 0), [Effect::LoadWork { plain: false }]);
}

#[test]
fn a_log_without_end_is_left_and_asked_again_later() {
    let mut store = Store::new(1, []);
    let mut engine = engine();
    let mut events = vec![Event::SyncRequested];
    let (mut requests, mut position) = (0_u32, 0);
    loop {
        let event = events.pop().expect("the engine goes on");
        for effect in engine.handle(event, 0, 0) {
            match &effect {
                Effect::Failed { code, retryable, .. } => {
                    assert_eq!((code.as_str(), *retryable, requests), ("no_end", true, 4_096));
                    return;
                }
                Effect::Send { .. } => {
                    requests += 1;
                    let last = Heads { heads: vec![position + 1], more: true, digest: None };
                    let frames =
                        [AnswerFrame::Heads(last), AnswerFrame::Page(page(0, position, &[1])), welcome(PROTOCOL_MAX)];
                    position += 1;
                    events.extend(frames.map(|frame| Event::Frame(Box::new(frame))));
                }
                _ => events.extend(store.perform(&effect)),
            }
        }
    }
}

#[test]
fn a_store_that_cannot_write_ends_the_sync_with_its_code() {
    let mut engine = in_flight(&mut Store::new(1, [1]));
    let _ = engine.handle(Event::Frame(Box::new(welcome(PROTOCOL_MAX))), 0, 0);
    let effects = engine.handle(Event::StoreFailed { code: "storage_full".into(), retryable: true }, 0, 0);
    assert!(matches!(&effects[..], [Effect::SetTimer { .. }, Effect::Failed { code, .. }] if code == "storage_full"));
    assert!(!engine.status().syncing);
}

#[test]
fn what_one_side_only_names_and_the_other_does_not_find_is_told_in_full_once() {
    // The server does not find what a push names.
    let mut server = Server { puzzled: true, ..Server::with_logs(&[5]) };
    let (mut engine, mut store) = (engine(), Store::new(1, [1, 2, 3]));
    let (end, _) = sync(&mut engine, &mut store, &mut server, &[]);
    assert!(matches!(end, End::Finished(Summary { sent: 3, .. })), "{end:?}");
    assert_eq!((server.requests, server.plain), (2, 1));

    // The phone does not find what a page names.
    let mut server = Server::with_logs(&[5]);
    let mut store = Store { puzzled: 1, ..Store::new(1, []) };
    let (end, _) = sync(&mut engine, &mut store, &mut server, &[]);
    assert!(matches!(end, End::Finished(_)), "{end:?}");
    assert_eq!((server.requests, server.plain, store.applied[0].len()), (2, 1, 5));

    // Even told in full it finds nothing: the copies are compared, which needs nothing to be named.
    let mut store = Store { puzzled: 9, ..Store::new(1, []) };
    let (end, _) = sync(&mut engine, &mut store, &mut server, &[]);
    assert!(matches!(end, End::Finished(_)), "{end:?}");
    assert_eq!((server.requests, store.cursors.as_slice()), (5, &[5][..]));
}
