//! One exchange and its cuts, against a scripted server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod scripted;

use foras_sync::engine::COMPARISONS_MAX;
use foras_sync::{Effect, Event};
use foras_wire::id::{Nonce, RecordId};
use foras_wire::sync::Outcome;
use scripted::{End, Fault, Server, Store, engine, sync};

fn finished(end: End) -> foras_sync::Summary {
    match end {
        End::Finished(summary) => summary,
        End::Failed { code, .. } => panic!("failed: {code}"),
    }
}

fn assert_caught_up(store: &Store, server: &Server) {
    assert_eq!(store.applied, server.logs);
    assert!(store.outbox.iter().all(|row| server.outcomes.contains_key(row)));
    for row in &store.acknowledged {
        assert!(server.logs[0].contains(row), "acknowledged edit {row} is not on the server");
    }
}

#[test]
fn one_round_trip_pushes_and_catches_up() {
    let (mut server, mut store) = (Server::with_logs(&[7, 0, 2]), Store::new(3, 1..=4));
    store.deposits.insert(RecordId([5; 16]));
    let (end, timer) = sync(&mut engine(), &mut store, &mut server, &[]);
    let summary = finished(end);
    assert_eq!((summary.sent, summary.received, summary.refused, summary.round_trips), (5, 13, 0, 1));
    assert_eq!(timer, None);
    assert_eq!(store.caught_up_ms, Some(1_790_000_000_000));
    assert_eq!(server.deposits.len(), 1);
    assert!(store.deposits.is_empty() && store.outbox.is_empty());
    assert_caught_up(&store, &server);
}

#[test]
fn nothing_changed_is_one_round_trip() {
    let (mut server, mut store, mut engine) = (Server::with_logs(&[7]), Store::new(1, []), engine());
    finished(sync(&mut engine, &mut store, &mut server, &[]).0);
    let summary = finished(sync(&mut engine, &mut store, &mut server, &[]).0);
    assert_eq!((summary.received, summary.round_trips), (0, 1));
}

#[test]
fn a_long_outbox_and_a_long_log_take_as_many_requests_as_they_need() {
    let (mut server, mut store) = (Server::with_logs(&[50, 20]), Store::new(2, 1..=19));
    server.pages_per_answer = 4;
    let summary = finished(sync(&mut engine(), &mut store, &mut server, &[]).0);
    assert_eq!((summary.sent, summary.received), (19, 89));
    assert!(summary.round_trips >= 8);
    assert_caught_up(&store, &server);
}

#[test]
fn a_cut_after_any_frame_keeps_what_came_and_goes_on_from_there() {
    for ordered in [false, true] {
        for cut in 0..12 {
            let (mut server, mut store) = (Server::with_logs(&[9, 5]), Store::new(2, 1..=4));
            let fault = if ordered { Fault::EndAfter(cut) } else { Fault::CutAfter(cut) };
            let mut engine = engine();
            let (end, timer) = sync(&mut engine, &mut store, &mut server, &[fault]);
            match end {
                End::Finished(summary) => assert!(cut >= 2, "{cut}: {summary:?}"),
                End::Failed { code, retryable, .. } => {
                    // Nothing but a welcome came: the device waits, then asks again.
                    assert!(cut < 2 && retryable && code == "offline", "{cut}: {code}");
                    assert!((500..=1_000).contains(&timer.unwrap()));
                    finished(sync(&mut engine, &mut store, &mut server, &[]).0);
                }
            }
            assert_caught_up(&store, &server);
            assert_eq!(store.acknowledged, (1..=4).collect());
            // What was applied before the cut was not sent again.
            assert!(server.requests <= 2);
        }
    }
}

#[test]
fn nine_days_without_a_network_lose_nothing_and_wait_ever_longer() {
    let (mut server, mut store, mut engine) = (Server::with_logs(&[3]), Store::new(1, [1]), engine());
    let mut waits = Vec::new();
    for day in 2..=10 {
        let (end, timer) = sync(&mut engine, &mut store, &mut server, &[Fault::Unreachable]);
        assert!(matches!(end, End::Failed { retryable: true, .. }));
        waits.push(timer.unwrap());
        store.outbox.push_back(day);
        assert_eq!(engine.handle(Event::Edited, 0, 0), [], "an edit does not hammer a server that is away");
    }
    assert!(waits.is_sorted() && waits[8] > 60_000, "{waits:?}");
    let summary = finished(sync(&mut engine, &mut store, &mut server, &[]).0);
    assert_eq!(summary.sent, 10);
    assert_eq!(engine.status().failures, 0);
    assert_caught_up(&store, &server);
}

#[test]
fn a_request_delivered_twice_counts_once() {
    let (mut server, mut store) = (Server::with_logs(&[3]), Store::new(1, 1..=4));
    finished(sync(&mut engine(), &mut store, &mut server, &[Fault::Twice]).0);
    assert_eq!(server.logs[0].len(), 7);
    assert_caught_up(&store, &server);
}

#[test]
fn a_refused_change_leaves_and_its_neighbours_arrive() {
    let (mut server, mut store) = (Server::with_logs(&[0]), Store::new(1, 1..=4));
    server.outcomes.insert(2, Outcome::Refused { code: "not_allowed".into() });
    server.outcomes.insert(3, Outcome::Quarantined { code: "withdrawn".into() });
    let summary = finished(sync(&mut engine(), &mut store, &mut server, &[]).0);
    assert_eq!((summary.sent, summary.refused), (3, 1));
    // What was refused may have been re-issued by the store: the engine asks once more.
    assert_eq!(summary.round_trips, 2);
    assert_eq!(store.refused, [2].into());
    assert!(store.outbox.is_empty());
}

#[test]
fn what_is_parked_stays_and_is_tried_again_later() {
    let (mut server, mut store, mut engine) = (Server::with_logs(&[0]), Store::new(1, 1..=2), engine());
    server.outcomes.insert(2, Outcome::Parked);
    let (end, timer) = sync(&mut engine, &mut store, &mut server, &[]);
    let summary = finished(end);
    assert_eq!((summary.sent, summary.kept), (1, 1));
    assert!(timer.is_some());
    assert_eq!(store.outbox, [2]);
    server.outcomes.clear();
    let (end, timer) = sync(&mut engine, &mut store, &mut server, &[]);
    assert_eq!((finished(end).sent, timer), (1, None));
    assert_caught_up(&store, &server);
}

#[test]
fn an_expired_token_is_renewed_by_one_signed_challenge() {
    let (mut server, mut store) = (Server::with_logs(&[2]), Store::new(1, [1]));
    server.challenge = Some(Nonce([4; 16]));
    let summary = finished(sync(&mut engine(), &mut store, &mut server, &[]).0);
    assert_eq!((summary.sent, summary.round_trips), (1, 2));
    assert_caught_up(&store, &server);
}

#[test]
fn a_long_push_waits_until_the_server_knows_the_device() {
    let (mut server, mut store) = (Server::with_logs(&[2]), Store::new(1, 1..=4));
    (server.challenge, server.stranger_changes_max) = (Some(Nonce([4; 16])), 3);
    // Too long, asked to prove itself, welcomed with nothing to push, then all of it.
    let summary = finished(sync(&mut engine(), &mut store, &mut server, &[]).0);
    assert_eq!((summary.sent, summary.round_trips), (4, 4));
    assert_caught_up(&store, &server);
}

#[test]
fn a_push_that_stays_too_long_ends_the_sync() {
    let (mut server, mut store) = (Server::with_logs(&[2]), Store::new(1, 1..=4));
    server.changes_max = 3;
    let (end, _) = sync(&mut engine(), &mut store, &mut server, &[]);
    assert!(matches!(end, End::Failed { code, .. } if code == "too_large"));
    assert_eq!(store.outbox.len(), 4);
}

#[test]
fn a_restored_server_is_asked_anew_under_its_new_epoch() {
    let (mut server, mut store) = (Server::with_logs(&[5]), Store::new(1, [1]));
    finished(sync(&mut engine(), &mut store, &mut server, &[]).0);
    server.epoch = 2;
    server.logs[0].truncate(3);
    store.outbox.push_back(8);
    finished(sync(&mut engine(), &mut store, &mut server, &[]).0);
    assert_eq!(store.epoch, 2);
    assert_eq!(store.applied, server.logs);
}

#[test]
fn an_edit_during_a_sync_goes_with_it() {
    let mut engine = engine();
    assert_eq!(engine.handle(Event::Edited, 0, 0), [Effect::LoadWork { plain: false }]);
    let sent = engine.handle(Event::WorkLoaded(Box::default()), 0, 0);
    assert!(matches!(sent[..], [Effect::Send { .. }]));
    assert_eq!(engine.handle(Event::Edited, 0, 0), []);
    let mut server = Server { epoch: 0, ..Server::with_logs(&[]) };
    let Effect::Send { request, .. } = &sent[0] else { panic!() };
    let mut last = Vec::new();
    for frame in server.answer(request, None) {
        last = engine.handle(Event::Frame(Box::new(frame)), 0, 0);
        last.retain(|effect| !matches!(effect, Effect::StoreWelcome { .. }));
    }
    assert!(matches!(last[..], [Effect::CaughtUp { .. }]));
    let last = engine.handle(Event::Compared { differ: false }, 0, 0);
    assert_eq!(last, [Effect::LoadWork { plain: false }]);
}

#[test]
fn what_others_wrote_is_taken_along_and_settled_once() {
    use foras_sync::exchange::{Exchange, Step};
    use foras_sync::{Effect, Fate, OutgoingCarried, Settlement, Work};
    use foras_wire::carried::CarriedPush;
    use foras_wire::grant::SignedGrant;
    use foras_wire::id::{Incarnation, Nonce, Signature64};
    use foras_wire::sync::{Acks, AnswerFrame, Exception, Heads, Outcome, Welcome};
    use foras_wire::version::PROTOCOL_MAX;

    let signature = Signature64([0; 64]);
    let carried = CarriedPush {
        grant: SignedGrant { bytes: Vec::new(), signature },
        epoch: 1,
        incarnation: Incarnation([1; 16]),
        grant_revision: 1,
        items: vec![scripted::item(7), scripted::item(8)],
        hidden: Vec::new(),
        signature,
    };
    let work = Work {
        epoch: 1,
        carried: vec![OutgoingCarried { carried: carried.clone(), rows: vec![70, 80] }],
        ..Work::default()
    };
    let (request, mut exchange) = Exchange::open(work);
    assert_eq!(request.carried, [carried]);
    let welcome =
        Welcome { protocol: PROTOCOL_MAX, epoch: 1, now_ms: 1, nonce: Nonce([1; 16]), token: None, grant: None };
    assert!(exchange.frame(AnswerFrame::CarriedAcks(Acks { push: 0, exceptions: Vec::new() })).is_err(), "unwelcomed");
    exchange.frame(AnswerFrame::Welcome(welcome)).unwrap();
    assert!(
        exchange.frame(AnswerFrame::CarriedAcks(Acks { push: 1, exceptions: Vec::new() })).is_err(),
        "no such push"
    );
    let refused = Exception { item: 1, outcome: Outcome::Refused { code: "not_allowed".into() } };
    let acks = AnswerFrame::CarriedAcks(Acks { push: 0, exceptions: vec![refused] });
    let settled = vec![
        Settlement { row: 70, fate: Fate::Durable },
        Settlement { row: 80, fate: Fate::Refused { code: "not_allowed".into() } },
    ];
    assert_eq!(exchange.frame(acks.clone()), Ok(Step::Go(vec![Effect::SettleCarried(settled)])));
    assert!(exchange.frame(acks).is_err(), "told twice");
    assert_eq!((exchange.done.carried, exchange.done.sent, exchange.done.refused), (1, 0, 0));
    assert!(exchange.went_forward());
    let heads = Heads { heads: Vec::new(), more: false, digest: None };
    assert!(matches!(exchange.frame(AnswerFrame::Heads(heads)), Ok(Step::Complete { more: false, .. })));
}

#[test]
fn copies_that_differ_are_compared_in_the_same_sync() {
    let (mut server, mut store) = (Server::with_logs(&[5, 2]), Store::new(2, [1]));
    server.digest = Some([1; 16]);
    let summary = finished(sync(&mut engine(), &mut store, &mut server, &[]).0);
    // Asked, compared, asked again; and no oftener than the limit where the copies stay different.
    assert!(summary.round_trips > 2 && summary.round_trips <= 2 * COMPARISONS_MAX + 1, "{summary:?}");
    server.digest = Some([0; 16]);
    assert_eq!(finished(sync(&mut engine(), &mut store, &mut server, &[]).0).round_trips, 1);
}

#[test]
fn a_log_that_went_back_is_compared_and_then_followed_on() {
    let (mut server, mut store) = (Server::with_logs(&[5, 2]), Store::new(2, []));
    finished(sync(&mut engine(), &mut store, &mut server, &[]).0);
    server.logs[0].truncate(3);
    let summary = finished(sync(&mut engine(), &mut store, &mut server, &[]).0);
    assert_eq!((summary.round_trips, store.cursors.as_slice()), (2, &[3, 2][..]));
}
