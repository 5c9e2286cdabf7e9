//! Pieces of packs in an answer: where they may stand, and what a cut between them leaves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use foras_sync::engine::Config;
use foras_sync::{Effect, Engine, Event, LinkFailure, Work};
use foras_wire::id::{Nonce, PackId, Signature64};
use foras_wire::pack::{PackProgress, Piece};
use foras_wire::page::Page;
use foras_wire::sync::{AnswerFrame, Heads, SyncRequest, Welcome};
use foras_wire::version::PROTOCOL_MAX;

const PACK: PackId = PackId([7; 16]);

fn piece(audience: u16, segment: u32, offset: u32) -> AnswerFrame {
    let bytes = vec![1; 10];
    AnswerFrame::Piece(Piece { audience, pack: PACK, segment, offset, bytes, seal: None, pack_bytes: 40 })
}

fn page(audience: u16, from: u64) -> AnswerFrame {
    AnswerFrame::Page(Page { audience, from, count: 1, signature: Signature64([0; 64]), body: Vec::new() })
}

fn heads(heads: &[u64], more: bool) -> AnswerFrame {
    AnswerFrame::Heads(Heads { heads: heads.to_vec(), more, digest: None })
}

fn work(cursors: &[u64], packs: Option<Vec<PackProgress>>) -> Event {
    Event::WorkLoaded(Box::new(Work { epoch: 1, cursors: cursors.to_vec(), packs, ..Work::default() }))
}

/// An engine that has asked, and was welcomed; with the request.
fn asked(cursors: &[u64], packs: Option<Vec<PackProgress>>) -> (Engine, SyncRequest) {
    let mut engine = Engine::new(Config::default());
    assert_eq!(engine.handle(Event::SyncRequested, 0, 1), [Effect::LoadWork { plain: false }]);
    let effects = engine.handle(work(cursors, packs), 0, 1);
    let [Effect::Send { request, .. }] = &effects[..] else { panic!("{effects:?}") };
    let request = SyncRequest::clone(request);
    let welcome =
        Welcome { protocol: PROTOCOL_MAX, epoch: 1, now_ms: 1_000, nonce: Nonce([1; 16]), token: None, grant: None };
    let effects = frame(&mut engine, AnswerFrame::Welcome(welcome));
    assert!(matches!(effects[..], [Effect::StoreWelcome { .. }]), "{effects:?}");
    (engine, request)
}

fn frame(engine: &mut Engine, frame: AnswerFrame) -> Vec<Effect> {
    engine.handle(Event::Frame(Box::new(frame)), 0, 1)
}

fn kept(engine: &mut Engine, cursor: Option<u64>) {
    assert_eq!(engine.handle(Event::PieceKept { cursor, received: 2 }, 0, 1), []);
}

#[test]
fn a_new_phone_takes_a_pack_and_then_pages_in_one_answer() {
    let (mut engine, request) = asked(&[0, 0], Some(Vec::new()));
    assert_eq!(request.packs, Some(Vec::new()), "it says that it takes packs");
    for (at, cursor) in [(0, None), (10, Some(90))] {
        assert!(matches!(frame(&mut engine, piece(1, 0, at))[..], [Effect::KeepPiece(_)]));
        kept(&mut engine, cursor);
    }
    // Pages go on where the pack ended, and nowhere else.
    assert!(matches!(frame(&mut engine, page(1, 90))[..], [Effect::ApplyPage(_)]));
    assert_eq!(engine.handle(Event::PageApplied { received: 1 }, 0, 1), []);
    assert!(matches!(frame(&mut engine, heads(&[0, 91], false))[..], [Effect::CaughtUp { .. }]));
    let effects = engine.handle(Event::Compared { differ: false }, 0, 1);
    let [Effect::Finished(summary)] = effects[..] else { panic!("{effects:?}") };
    assert_eq!((summary.received, summary.round_trips), (5, 1));
}

#[test]
fn a_cut_between_two_pieces_asks_again_at_once_and_says_what_is_here() {
    let (mut engine, _) = asked(&[0], Some(Vec::new()));
    assert!(matches!(frame(&mut engine, piece(0, 0, 0))[..], [Effect::KeepPiece(_)]));
    kept(&mut engine, None);
    assert_eq!(engine.handle(Event::LinkFailed(LinkFailure::Offline), 0, 1), [Effect::LoadWork { plain: false }]);
    let held = PackProgress { audience: 0, pack: PACK, segment: 0, offset: 10 };
    let effects = engine.handle(work(&[0], Some(vec![held.clone()])), 0, 1);
    let [Effect::Send { request, .. }] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(request.packs, Some(vec![held]));
}

#[test]
fn an_answer_that_stops_within_a_pack_leads_to_the_next_request() {
    let (mut engine, _) = asked(&[0], Some(Vec::new()));
    frame(&mut engine, piece(0, 0, 0));
    kept(&mut engine, None);
    assert_eq!(frame(&mut engine, heads(&[90], true)), [Effect::LoadWork { plain: false }]);
}

#[test]
fn pieces_that_nobody_asked_for_end_the_answer() {
    let fails = |effects: &[Effect]| matches!(effects, [Effect::SetTimer { .. }, Effect::Failed { .. }]);
    let (mut engine, _) = asked(&[0], None);
    assert!(fails(&frame(&mut engine, piece(0, 0, 0))), "the request takes pages only");
    let (mut engine, _) = asked(&[17, 0], Some(Vec::new()));
    assert!(fails(&frame(&mut engine, piece(0, 0, 0))), "the audience is under way");
    let (mut engine, _) = asked(&[0], Some(Vec::new()));
    assert!(fails(&frame(&mut engine, piece(1, 0, 0))), "there is no such audience");
    let (mut engine, _) = asked(&[0], Some(Vec::new()));
    frame(&mut engine, piece(0, 0, 0));
    assert!(fails(&frame(&mut engine, piece(0, 0, 10))), "the one before it was not kept yet");
}
