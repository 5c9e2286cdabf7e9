//! Any faults, in any order: the device ends with what the server holds, and nothing acknowledged is lost.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod scripted;

use foras_sync::engine::Config;
use foras_sync::{Effect, Engine, Event, LinkFailure, Work};
use foras_wire::sync::{AnswerFrame, Outcome};
use proptest::prelude::*;
use scripted::{End, Fault, Server, Store, engine, page, refusal, sync};

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        Just(Fault::None),
        Just(Fault::Unreachable),
        Just(Fault::Twice),
        (0_usize..12).prop_map(Fault::CutAfter),
        (0_usize..12).prop_map(Fault::EndAfter),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        Just(Event::Started),
        Just(Event::SyncRequested),
        Just(Event::Edited),
        Just(Event::NetworkHint),
        Just(Event::TimerFired),
        Just(Event::AnswerEnded),
        Just(Event::LinkFailed(LinkFailure::TimedOut)),
        Just(Event::LinkFailed(LinkFailure::Busy { retry_after_s: u32::MAX })),
        Just(Event::StoreFailed { code: "storage_full".into(), retryable: true }),
        any::<u32>().prop_map(|received| Event::PageApplied { received }),
        prop::collection::vec(any::<u64>(), 0..3).prop_map(|cursors| Event::GrantAccepted { cursors }),
        (any::<u64>(), prop::collection::vec(any::<u64>(), 0..3))
            .prop_map(|(epoch, cursors)| Event::WorkLoaded(Box::new(Work { epoch, cursors, ..Work::default() }))),
        (any::<u16>(), any::<u64>())
            .prop_map(|(at, from)| { Event::Frame(Box::new(AnswerFrame::Page(page(at % 3, from, &[1])))) }),
        Just(Event::Frame(Box::new(refusal("unauthenticated", true, None, 1)))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_faults_end_in_equal_logs(
        lengths in prop::collection::vec(0_u64..20, 1..4),
        edits in 0_u64..20,
        parked in prop::collection::btree_set(1_u64..20, 0..3),
        pages_per_answer in 1_usize..6,
        faults in prop::collection::vec(fault(), 0..12),
    ) {
        let mut server = Server { pages_per_answer, ..Server::with_logs(&lengths) };
        server.outcomes.extend(parked.iter().map(|number| (*number, Outcome::Parked)));
        let (mut store, mut engine) = (Store::new(lengths.len(), 1..=edits), engine());
        // Each attempt meets a few faults; between attempts the device was perhaps killed, so its engine is new.
        for (at, some) in faults.chunks(3).enumerate() {
            let _ = sync(&mut engine, &mut store, &mut server, some);
            if at % 2 == 0 {
                engine = Engine::new(Config::default());
            }
            for (log, applied) in server.logs.iter().zip(&store.applied) {
                prop_assert!(log.starts_with(applied), "what is applied is the log's beginning");
            }
            prop_assert!(store.acknowledged.iter().all(|row| server.logs[0].contains(row)));
        }
        server.outcomes.clear();
        for _ in 0..3 {
            let (end, _) = sync(&mut engine, &mut store, &mut server, &[]);
            prop_assert!(matches!(end, End::Finished(_)), "{end:?}");
        }
        prop_assert_eq!(&store.applied, &server.logs);
        prop_assert!(store.outbox.is_empty());
        prop_assert_eq!(store.acknowledged, (1..=edits).collect());
    }

    #[test]
    fn no_order_of_events_stops_the_engine_for_good(
        events in prop::collection::vec((event(), any::<i64>(), any::<u64>()), 0..60),
    ) {
        let mut engine = engine();
        for (event, now_ms, entropy) in events {
            for effect in engine.handle(event, now_ms, entropy) {
                if let Effect::SetTimer { after_ms } = effect {
                    prop_assert!((500..=4_500_000).contains(&after_ms));
                }
            }
        }
        // Whatever came: a lost connection, then a person's request, starts a sync.
        let _ = engine.handle(Event::StoreFailed { code: "storage_full".into(), retryable: true }, 0, 0);
        prop_assert_eq!(engine.handle(Event::SyncRequested, 0, 0), vec![Effect::LoadWork { plain: false }]);
    }
}
