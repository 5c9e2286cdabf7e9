//! Packs on the device: pieces, damage, records that are received and not tried yet, and what a drop leaves of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use foras::Error;
use foras::store::{Delivery, ListQuery, Store, WorkLimits};
use foras_record::kind::Kind;
use foras_record::pack::{Maker, Segment, SegmentAuthor, SegmentChange, SegmentRecord};
use foras_record::packed::hash_of;
use foras_record::proof;
use foras_record::role::Role;
use foras_wire::audience::AudienceName;
use foras_wire::id::{PackId, Signature64};
use foras_wire::pack::{self, Piece, Seal};
use foras_wire::page::Entry;

use crate::desk::{NOW_MS, Seeded, Someone, put, register};
use crate::server::Server;

const CASEWORK: &str = "casework:oujda";

/// A server where a worker in Oujda has registered `people`, and the phone of a counsellor that has nothing yet.
fn oujda(people: u8) -> (Server, Store) {
    let mut server = Server::new();
    let mut worker = Store::open_in_memory(Seeded::boxed(1)).unwrap();
    server.enrol(&mut worker, Role::Outreach, &["oujda"], None, "Nadia");
    for number in 1..=people {
        register(&mut worker, Someone::numbered(number), &format!("Canary{number:03}"), "oujda", number);
    }
    server.sync(&mut worker);
    let mut store = Store::open_in_memory(Seeded::boxed(2)).unwrap();
    server.enrol(&mut store, Role::HostCounsellor, &["oujda"], None, "Karim");
    (server, store)
}

/// The pack of an audience, in segments of so many records and pieces of so many bytes.
fn pack_of(server: &Server, store: &Store, audience: &str, records: usize, bytes: usize) -> Vec<Piece> {
    let name: AudienceName = audience.parse().unwrap();
    let index = store.identity().unwrap().audiences().iter().position(|one| *one == name).unwrap();
    let held = server.held_by(&name);
    let segments: Vec<_> = held.chunks(records).collect();
    let (id, to) = (PackId([u8::try_from(held.len()).unwrap(); 16]), server.head(audience));
    let maker = Maker { key: proof::public_key(&server.key), epoch: server.epoch };
    let mut pieces = Vec::new();
    for (number, records) in (0..).zip(&segments) {
        let record = |(record, chunks): &(_, Vec<Vec<u8>>)| SegmentRecord {
            record: *record,
            received_ms: NOW_MS,
            moved: 1,
            seen: None,
            changes: chunks.iter().map(|chunk| SegmentChange { hash: hash_of(chunk), chunk: chunk.clone() }).collect(),
        };
        let segment = Segment { records: records.iter().map(record).collect(), authors: authors(records) };
        let blob = pack::compress(&segment.encode(&maker)).unwrap();
        let mut seal = Seal {
            to,
            segments: segments.len() as u32,
            pack_records: held.len() as u32,
            bytes: blob.len() as u32,
            records: records.len() as u32,
            changes: segment.changes() as u32,
            sum: segment.sum(),
            blob: pack::blob_digest(&blob),
            signature: Signature64([0; 64]),
        };
        proof::sign_seal(&server.key, &mut seal, &server.id, server.epoch, &name, &id, number);
        for (at, part) in blob.chunks(bytes).enumerate() {
            pieces.push(Piece {
                audience: index as u16,
                pack: id,
                segment: number,
                offset: (at * bytes) as u32,
                bytes: part.to_vec(),
                seal: (at == 0).then(|| seal.clone()),
                pack_bytes: 0,
            });
        }
    }
    pieces
}

fn authors(
    records: &[(foras_wire::record::RecordRef, Vec<Vec<u8>>)],
) -> BTreeMap<foras_wire::id::Actor, SegmentAuthor> {
    let actors =
        records.iter().flat_map(|(_, chunks)| chunks).map(|chunk| foras_record::change::parse(chunk).unwrap().actor);
    let nadia = SegmentAuthor { name: Some("Nadia".to_owned()), role: "outreach".to_owned() };
    actors.map(|actor| (actor, nadia.clone())).collect()
}

fn take(store: &mut Store, pieces: &[Piece]) {
    for piece in pieces {
        store.keep_piece(piece, NOW_MS).unwrap();
    }
}

fn code(error: &Error) -> &str {
    if let Error::BadAnswer { code } = error { code } else { error.code() }
}

fn people(store: &Store) -> u64 {
    store.list(Kind::Person, &ListQuery::default()).unwrap().total
}

/// Brings what no pack of these tests brings.
fn bring_the_rest(server: &Server, store: &mut Store) {
    server.bring(store, &Default::default());
    store.caught_up(NOW_MS, None, NOW_MS).unwrap();
}

#[test]
fn a_pack_is_listed_at_once_and_holds_what_pages_would_have_brought() {
    let (server, mut store) = oujda(9);
    let pieces = pack_of(&server, &store, CASEWORK, 4, 100);
    assert!(pieces.len() > 8, "{}", pieces.len());
    take(&mut store, &pieces);
    assert_eq!(people(&store), 9);
    assert_eq!(store.first_sync().unwrap(), None);
    let received = store.verification().unwrap().received;
    assert_eq!(received as usize, server.held_by(&CASEWORK.parse().unwrap()).len());
    bring_the_rest(&server, &mut store);
    server.assert_converged(&mut store);
    assert_eq!(store.verification().unwrap().received, 0, "comparing opened every record");
    // The lists say of tried records what they said of received ones.
    let (_, mut other) = oujda(9);
    take(&mut other, &pieces);
    let listed = |store: &Store| -> Vec<_> {
        let items = store.list(Kind::Person, &ListQuery::default()).unwrap().items;
        items.into_iter().map(|item| (item.title, item.point, item.case_number, item.columns, item.conflicts)).collect()
    };
    assert_eq!(listed(&other), listed(&store));
}

#[test]
fn a_piece_out_of_place_or_of_another_server_changes_nothing() {
    let (server, mut store) = oujda(4);
    let pieces = pack_of(&server, &store, CASEWORK, 100, 90);
    let refused = |store: &mut Store, piece: &Piece| code(&store.keep_piece(piece, NOW_MS).unwrap_err()).to_owned();
    assert_eq!(refused(&mut store, &pieces[1]), "not_at_offset", "its beginning is not here");
    let mut forged = pieces[0].clone();
    forged.seal.as_mut().unwrap().records += 1;
    assert_eq!(refused(&mut store, &forged), "bad_signature");
    assert_eq!(refused(&mut store, &Piece { audience: 60, ..pieces[0].clone() }), "unknown_audience");
    take(&mut store, &pieces[..2]);
    assert_eq!(refused(&mut store, &pieces[1]), "not_at_offset", "it is here already");
    assert_eq!(refused(&mut store, &pieces[3]), "not_at_offset");
    let progress = store.work(&WorkLimits::default()).unwrap().packs.unwrap();
    assert_eq!((progress.len(), progress[0].segment, progress[0].offset), (1, 0, 180));
    take(&mut store, &pieces[2..]);
    assert_eq!(refused(&mut store, &pieces[0]), "not_at_cursor", "the audience is filled");
    bring_the_rest(&server, &mut store);
    server.assert_converged(&mut store);
}

#[test]
fn a_flipped_bit_is_found_before_anything_is_applied_and_the_segment_comes_again() {
    let (server, mut store) = oujda(4);
    let pieces = pack_of(&server, &store, CASEWORK, 6, 250);
    let first = pieces.iter().filter(|piece| piece.segment == 0).count();
    for at in 0..first {
        let mut damaged = pieces[..first].to_vec();
        let bytes = &mut damaged[at].bytes;
        let middle = bytes.len() / 2;
        bytes[middle] ^= 4;
        let (last, before) = damaged.split_last().unwrap();
        take(&mut store, before);
        assert_eq!(code(&store.keep_piece(last, NOW_MS).unwrap_err()), "damaged_segment");
        assert_eq!((people(&store), store.verification().unwrap().verified), (0, 0), "nothing of it is here");
        let progress = store.work(&WorkLimits::default()).unwrap().packs.unwrap();
        assert_eq!((progress[0].segment, progress[0].offset), (0, 0));
    }
    take(&mut store, &pieces);
    bring_the_rest(&server, &mut store);
    server.assert_converged(&mut store);
}

#[test]
fn a_segment_that_does_not_hold_what_its_seal_says_is_refused() {
    let (server, mut store) = oujda(3);
    let name: AudienceName = CASEWORK.parse().unwrap();
    let spoils: [fn(&mut Seal); 2] = [|seal| seal.records += 1, |seal| seal.changes += 1];
    for spoil in spoils {
        let mut pieces = pack_of(&server, &store, CASEWORK, 100, 64 * 1024);
        let [piece] = &mut pieces[..] else { panic!("one piece") };
        let seal = piece.seal.as_mut().unwrap();
        spoil(seal);
        seal.pack_records += 1;
        proof::sign_seal(&server.key, seal, &server.id, server.epoch, &name, &piece.pack, 0);
        assert_eq!(code(&store.keep_piece(piece, NOW_MS).unwrap_err()), "damaged_segment");
        assert_eq!(store.verification().unwrap(), Default::default());
    }
}

#[test]
fn a_seal_that_counts_something_else_is_put_right_once_everything_is_tried() {
    let (server, mut store) = oujda(3);
    let name: AudienceName = CASEWORK.parse().unwrap();
    let mut pieces = pack_of(&server, &store, CASEWORK, 100, 64 * 1024);
    let [piece] = &mut pieces[..] else { panic!("one piece") };
    let seal = piece.seal.as_mut().unwrap();
    seal.sum.0 ^= 1;
    proof::sign_seal(&server.key, seal, &server.id, server.epoch, &name, &piece.pack, 0);
    store.keep_piece(piece, NOW_MS).unwrap();
    let said = store.digest().unwrap();
    while store.verify_some(NOW_MS, 2).unwrap() > 0 {}
    let counted = store.digest().unwrap();
    assert_ne!(counted, said, "what was received counted as the seal says");
    assert_eq!(store.recount().unwrap(), counted, "what was tried counts as it is");
}

#[test]
fn records_that_no_first_screen_shows_get_their_rows_when_somebody_asks() {
    let badge = Someone::numbered(2).badge;
    let asked: [&dyn Fn(&mut Store); 8] = [
        &|store| assert!(store.records_of_case(&Someone::numbered(2).case_id()).unwrap().contains(&badge)),
        &|store| assert_eq!(store.list(Kind::Badge, &ListQuery::default()).unwrap().total, 4),
        &|store| assert_eq!(store.records_of_kind(Kind::Badge).unwrap().len(), 4),
        &|store| assert_eq!(store.record(&badge.key).unwrap(), Some(badge)),
        &|store| assert!(!store.show(&badge.key).unwrap().fields.is_empty()),
        &|store| assert_eq!(store.delivery(&badge.key).unwrap(), Delivery::Server { at_ms: Some(NOW_MS) }),
        &|store| assert_eq!(store.item(&badge).unwrap().point, "oujda"),
        &|store| assert_eq!(store.holdings().unwrap()[&badge].len(), 1),
    ];
    for ask in asked {
        let (server, mut store) = oujda(4);
        let pieces = pack_of(&server, &store, "roster:oujda", 100, 64 * 1024);
        take(&mut store, &pieces);
        let before = store.verification().unwrap();
        assert!(before.received >= 4 && before.verified == 0, "{before:?}");
        ask(&mut store);
        assert!(!store.unfold_next().unwrap(), "everything has its row");
        let after = store.verification().unwrap();
        assert_eq!(after.received + after.verified, before.received, "nothing came or went by asking");
        bring_the_rest(&server, &mut store);
        server.assert_converged(&mut store);
    }
}

#[test]
fn what_is_dropped_before_it_has_a_row_leaves_no_byte() {
    let dir = tempfile::tempdir().unwrap();
    let (mut server, _) = oujda(6);
    let mut store = Store::open_with(dir.path(), Seeded::boxed(4)).unwrap();
    server.enrol(&mut store, Role::HostCounsellor, &["oujda"], None, "Karim");
    let pieces = pack_of(&server, &store, "roster:oujda", 100, 64 * 1024);
    take(&mut store, &pieces);
    let pieces = pack_of(&server, &store, CASEWORK, 100, 64 * 1024);
    take(&mut store, &pieces);
    drop(store);
    assert!(in_segments(dir.path(), 3) && in_segments(dir.path(), 4), "the search finds what is there");
    let mut store = Store::open_with(dir.path(), Seeded::boxed(5)).unwrap();
    let gone = Someone::numbered(3);
    for key in server.held_by(&"roster:oujda".parse().unwrap()).iter().map(|(record, _)| *record) {
        if key.case == Some(gone.case_id()) {
            server.log("roster:oujda", Entry::Drop(key.key));
        }
    }
    for record in [gone.person, gone.case] {
        server.log(CASEWORK, Entry::Drop(record.key));
    }
    bring_the_rest(&server, &mut store);
    assert!(store.records_of_case(&gone.case_id()).unwrap().is_empty());
    assert_eq!(store.list(Kind::Badge, &ListQuery::default()).unwrap().total, 5);
    drop(store);
    assert!(!in_segments(dir.path(), 3) && in_segments(dir.path(), 4));
    assert!(!in_files(dir.path(), b"Canary003") && !in_files(dir.path(), &gone.badge.key.id.0));
}

#[test]
fn work_on_a_case_begins_with_all_that_came_of_it() {
    let (server, mut store) = oujda(3);
    for audience in ["roster:oujda", CASEWORK] {
        let pieces = pack_of(&server, &store, audience, 100, 64 * 1024);
        take(&mut store, &pieces);
    }
    let someone = Someone::numbered(2);
    store.commit(NOW_MS, &[put(someone.badge, "name", "Awa at the door")]).unwrap();
    let shown = store.show(&someone.badge.key).unwrap();
    assert_eq!(shown.fields["name"].shown.as_ref().unwrap().value, "Awa at the door");
    assert!(shown.fields["name"].others.is_empty(), "it was written onto what had come");
    assert_eq!(store.pending().unwrap().changes, 1);
    bring_the_rest(&server, &mut store);
    while store.verify_some(NOW_MS, 2).unwrap() > 0 {}
    assert_eq!(store.recount().unwrap(), store.digest().unwrap());
}

#[test]
fn another_pack_begins_anew_and_keeps_what_somebody_worked_on() {
    let (mut server, mut store) = oujda(5);
    let old = pack_of(&server, &store, CASEWORK, 3, 64 * 1024);
    assert!(old.len() > 2);
    take(&mut store, &old[..old.len() - 1]);
    let someone = (1..=5).map(Someone::numbered).find(|one| store.record(&one.person.key).unwrap().is_some()).unwrap();
    store.commit(NOW_MS, &[put(someone.person, "name", "Awa, corrected")]).unwrap();
    let mut worker = Store::open_in_memory(Seeded::boxed(3)).unwrap();
    server.enrol(&mut worker, Role::Outreach, &["oujda"], None, "Nadia");
    register(&mut worker, Someone::numbered(6), "Canary006", "oujda", 6);
    server.sync(&mut worker);
    let new = pack_of(&server, &store, CASEWORK, 3, 64 * 1024);
    store.keep_piece(&new[0], NOW_MS).unwrap();
    assert_eq!(store.pending().unwrap().changes, 1, "unsent work stays");
    take(&mut store, &new[1..]);
    assert_eq!(people(&store), 6);
    server.sync(&mut store);
    bring_the_rest(&server, &mut store);
    server.assert_converged(&mut store);
    assert_eq!(
        store.list(Kind::Person, &ListQuery { search: Some("corrected".into()), ..Default::default() }).unwrap().total,
        1
    );
}

#[test]
fn what_waits_here_for_a_record_of_a_pack_takes_the_way_of_pages() {
    let (mut server, _) = oujda(4);
    let mut store = Store::open_in_memory(Seeded::boxed(7)).unwrap();
    server.enrol(&mut store, Role::HostCounsellor, &["oujda"], None, "Karim");
    // The first thing that the new phone does is to register somebody. The server takes it; its answer is lost.
    let someone = Someone::numbered(5);
    register(&mut store, someone, "Canary005", "oujda", 5);
    for push in &store.work(&WorkLimits::default()).unwrap().pushes {
        server.receive(&store, push, &mut Default::default());
    }
    store.commit(NOW_MS, &[put(someone.person, "literacy", "some")]).unwrap();
    let before = store.pending().unwrap().changes;
    let pieces = pack_of(&server, &store, CASEWORK, 5, 64 * 1024);
    take(&mut store, &pieces);
    let held = server.held_by(&CASEWORK.parse().unwrap());
    let others = held.iter().filter(|(record, _)| record.case != Some(someone.case_id())).count();
    assert_eq!(store.verification().unwrap().received as usize, others, "what was here is verified, the rest received");
    // Of the registration, one change of each record that the pack brought is known to be on the server now.
    let brought = (held.len() - others) as u64;
    assert_eq!(
        store.pending().unwrap().changes,
        before - brought,
        "what came back does not go again, the rest waits on"
    );
    server.sync(&mut store);
    bring_the_rest(&server, &mut store);
    server.assert_converged(&mut store);
}

/// Whether a blob of the store's segments still holds the record.
fn in_segments(dir: &Path, number: u8) -> bool {
    let connection = rusqlite::Connection::open(dir.join("foras.db")).unwrap();
    let mut statement = connection.prepare("SELECT blob FROM segment_blob").unwrap();
    let blobs = statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
    let needle = format!("Canary{number:03}");
    blobs.into_iter().any(|blob| {
        let plain = pack::expand(&blob.unwrap()).unwrap();
        plain.windows(needle.len()).any(|window| window == needle.as_bytes())
    })
}

fn in_files(dir: &Path, needle: &[u8]) -> bool {
    let files = fs::read_dir(dir).unwrap().map(|file| fs::read(file.unwrap().path()).unwrap());
    files.into_iter().any(|bytes| bytes.windows(needle.len()).any(|window| window == needle))
}

#[test]
fn a_dropped_record_leaves_its_segment_tried_or_not() {
    let dir = tempfile::tempdir().unwrap();
    let (mut server, _) = oujda(12);
    let mut store = Store::open_with(dir.path(), Seeded::boxed(4)).unwrap();
    server.enrol(&mut store, Role::HostCounsellor, &["oujda"], None, "Karim");
    let pieces = pack_of(&server, &store, CASEWORK, 100, 64 * 1024);
    take(&mut store, &pieces);
    bring_the_rest(&server, &mut store);
    // One of the two was opened before.
    let (opened, closed) = (Someone::numbered(4), Someone::numbered(9));
    let _ = store.show(&opened.person.key).unwrap();
    let before = store.verification().unwrap().received;
    let mut dropped = 0;
    for someone in [opened, closed] {
        for record in store.records_of_case(&someone.case_id()).unwrap() {
            for audience in store.holdings().unwrap()[&record].clone() {
                server.log(audience.as_str(), Entry::Drop(record.key));
                dropped += 1;
            }
        }
    }
    drop(store);
    assert!(in_segments(dir.path(), 9) && in_segments(dir.path(), 4), "the search finds what is there");
    let mut store = Store::open_with(dir.path(), Seeded::boxed(5)).unwrap();
    bring_the_rest(&server, &mut store);
    assert_eq!(people(&store), 10);
    let left = store.verification().unwrap().received;
    assert!(left < before && left > before - dropped, "{left} of {before}");
    drop(store);
    for number in [4, 9] {
        assert!(!in_segments(dir.path(), number), "{number}");
        assert!(!in_files(dir.path(), &Someone::numbered(number).person.key.id.0), "{number}");
    }
    assert!(in_segments(dir.path(), 5), "the others are there");
    let mut store = Store::open_with(dir.path(), Seeded::boxed(6)).unwrap();
    assert_eq!(
        store.show(&Someone::numbered(5).person.key).unwrap().fields["name"].shown.as_ref().unwrap().value,
        "Canary005"
    );
    while store.verify_some(NOW_MS, 7).unwrap() > 0 {}
    drop(store);
    let connection = rusqlite::Connection::open(dir.path().join("foras.db")).unwrap();
    let segments: i64 = connection.query_row("SELECT count(*) FROM segment", [], |row| row.get(0)).unwrap();
    assert_eq!(segments, 0, "nothing lies in a segment any more");
}

#[test]
fn an_erasure_forgets_the_half_of_a_blob_that_nobody_can_look_into() {
    let (mut server, mut store) = oujda(6);
    let pieces = pack_of(&server, &store, CASEWORK, 100, 90);
    take(&mut store, &pieces[..3]);
    server.log("roster:oujda", Entry::Erase(Someone::numbered(3).case_id()));
    let audiences = store.identity().unwrap().audiences().to_vec();
    let roster = audiences.iter().position(|name| name.as_str() == "roster:oujda").unwrap();
    let page = server.page(roster, &audiences[roster], 0, &Default::default()).unwrap();
    store.apply_page(&page, NOW_MS).unwrap();
    let progress = store.work(&WorkLimits::default()).unwrap().packs.unwrap();
    let casework: Vec<_> = progress.iter().filter(|one| one.pack == pieces[0].pack).collect();
    assert_eq!((casework[0].segment, casework[0].offset), (0, 0));
    assert_eq!(store.first_sync().unwrap().unwrap().bytes, 0);
}

#[test]
fn progress_tells_bytes_records_and_the_time_that_is_left() {
    let (server, mut store) = oujda(8);
    let mut pieces = pack_of(&server, &store, CASEWORK, 6, 60);
    let total: usize = pieces.iter().map(|piece| piece.bytes.len()).sum();
    pieces.iter_mut().for_each(|piece| piece.pack_bytes = total as u64);
    let half = pieces.len() / 2;
    for (number, piece) in pieces[..half].iter().enumerate() {
        // A piece every half a second.
        store.keep_piece(piece, NOW_MS + 500 * number as i64).unwrap();
    }
    let first = store.first_sync().unwrap().unwrap();
    let came: usize = pieces[..half].iter().map(|piece| piece.bytes.len()).sum();
    assert_eq!((first.bytes, first.bytes_total), (came as u64, Some(total as u64)));
    assert!(first.records > 0 && first.records < first.records_total, "{first:?}");
    let left_s = first.left_s.unwrap();
    let expected = (total - came) as u64 / 120;
    assert!(left_s >= expected && left_s <= expected * 2 + 1, "{left_s} s, expected about {expected}");
    take(&mut store, &pieces[half..]);
    assert_eq!(store.first_sync().unwrap(), None);
}
