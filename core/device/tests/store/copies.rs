//! A store that was copied, or put back from a backup: two phones with one key and one incarnation.

use std::fs;
use std::path::Path;

use foras::store::Store;
use foras_record::role::Role;
use foras_wire::id::RecordId;

use crate::desk::{NOW_MS, Seeded, Someone, members, put, put_item, register, shown};
use crate::server::Server;

pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

/// Two stores from one directory: the original, and a copy made after Awa was registered.
fn twins(server: &mut Server, dir: &Path) -> (Store, Store) {
    let (original, clone) = (dir.join("original"), dir.join("clone"));
    let mut store = Store::open_with(&original, Seeded::boxed(1)).unwrap();
    server.enrol(&mut store, Role::Outreach, &["oujda"], None, "Samira");
    register(&mut store, Someone::numbered(1), "Awa", "oujda", 1);
    server.sync(&mut store);
    drop(store);
    copy(&original, &clone);
    let open = |dir: &Path, seed| Store::open_with(dir, Seeded::boxed(seed)).unwrap();
    (open(&original, 2), open(&clone, 3))
}

#[test]
fn both_twins_edit_one_record_and_both_edits_arrive() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::new();
    let (mut original, mut clone) = twins(&mut server, dir.path());
    let awa = Someone::numbered(1);
    original.commit(NOW_MS, &[put(awa.person, "channel", "sms")]).unwrap();
    original.commit(NOW_MS, &[put(awa.case, "household", "2")]).unwrap();
    clone.commit(NOW_MS, &[members(awa.person, "phone", &["+212612345678"])]).unwrap();
    clone.commit(NOW_MS, &[put(awa.person, "literacy", "some")]).unwrap();
    server.sync(&mut original);
    server.sync(&mut clone);
    assert_eq!(clone.pending().unwrap().changes, 0);
    assert_eq!(clone.refused().unwrap(), [], "nothing of it was refused for good");
    server.sync(&mut original);
    for store in [&mut original, &mut clone] {
        assert_eq!(shown(store, &awa.person, "channel").as_deref(), Some("sms"));
        assert_eq!(shown(store, &awa.person, "literacy").as_deref(), Some("some"));
        server.assert_converged(store);
    }
    assert_ne!(original.identity().unwrap().actor(), clone.identity().unwrap().actor());
    original.commit(NOW_MS, &[put(awa.person, "literacy", "full")]).unwrap();
    server.sync(&mut original);
    server.sync(&mut clone);
    assert_eq!(shown(&mut clone, &awa.person, "literacy").as_deref(), Some("full"));
    server.assert_converged(&mut clone);
}

#[test]
fn the_others_change_under_our_number_comes_in_before_we_pushed() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::new();
    let (mut original, mut clone) = twins(&mut server, dir.path());
    let awa = Someone::numbered(1);
    original.commit(NOW_MS, &[put(awa.person, "channel", "sms")]).unwrap();
    clone.commit(NOW_MS, &[put(awa.person, "channel", "call")]).unwrap();
    server.sync(&mut original);
    server.bring(&mut clone, &Default::default());
    assert_eq!(clone.pending().unwrap().changes, 1);
    server.sync(&mut clone);
    server.sync(&mut original);
    for store in [&mut original, &mut clone] {
        let state = store.show(&awa.person.key).unwrap().fields["channel"].clone();
        let mut values = vec![state.shown.unwrap().value];
        values.extend(state.others.into_iter().map(|held| held.value));
        values.sort_by_key(ToString::to_string);
        assert_eq!(values, ["call", "sms"], "the two were written at once, and neither is lost");
        server.assert_converged(store);
    }
}

/// Every value of the channel in which the person wants to be reached, sorted.
fn channels(store: &mut Store, awa: Someone) -> Vec<String> {
    let state = store.show(&awa.person.key).unwrap().fields["channel"].clone();
    let values = state.shown.into_iter().chain(state.others).filter_map(|held| held.value.as_str().map(str::to_owned));
    let mut values: Vec<_> = values.collect();
    values.sort();
    values
}

#[test]
fn what_is_written_anew_stands_beside_what_its_author_had_not_seen() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::new();
    let (mut original, mut clone) = twins(&mut server, dir.path());
    let mut colleague = Store::open_with(&dir.path().join("colleague"), Seeded::boxed(4)).unwrap();
    server.enrol(&mut colleague, Role::Outreach, &["oujda"], None, "Karim");
    server.sync(&mut colleague);
    let awa = Someone::numbered(1);
    // Two colleagues write at once; the pages come before the push.
    colleague.commit(NOW_MS, &[put(awa.person, "channel", "sms")]).unwrap();
    clone.commit(NOW_MS, &[put(awa.person, "channel", "call")]).unwrap();
    server.sync(&mut colleague);
    server.bring(&mut clone, &Default::default());
    assert_eq!(channels(&mut clone, awa), ["call", "sms"]);
    // Only now the number turns out to be used, by the other twin.
    original.commit(NOW_MS, &[put(awa.case, "household", "2")]).unwrap();
    original.commit(NOW_MS, &[put(awa.person, "literacy", "some")]).unwrap();
    server.sync(&mut original);
    server.sync(&mut clone);
    assert_eq!(clone.pending().unwrap().changes, 0);
    for store in [&mut original, &mut clone, &mut colleague] {
        server.sync(store);
        assert_eq!(channels(store, awa), ["call", "sms"], "nobody saw the other's, and neither is lost");
        server.assert_converged(store);
    }
}

#[test]
fn what_is_written_anew_builds_on_what_was_written_anew_before_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::new();
    let (mut original, mut clone) = twins(&mut server, dir.path());
    let awa = Someone::numbered(1);
    for channel in ["call", "whatsapp"] {
        clone.commit(NOW_MS, &[put(awa.person, "channel", channel)]).unwrap();
    }
    original.commit(NOW_MS, &[put(awa.person, "channel", "sms")]).unwrap();
    server.sync(&mut original);
    server.sync(&mut clone);
    server.sync(&mut original);
    for store in [&mut original, &mut clone] {
        assert_eq!(channels(store, awa), ["sms", "whatsapp"], "the call was overwritten by who wrote it");
        server.assert_converged(store);
    }
}

#[test]
fn a_phone_put_back_from_a_backup_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::new();
    let (mut today, mut yesterday) = twins(&mut server, dir.path());
    let awa = Someone::numbered(1);
    let session = RecordId([0x5e; 16]).to_string();
    for household in ["2", "3", "4"] {
        today.commit(NOW_MS, &[put(awa.case, "household", household)]).unwrap();
        server.sync(&mut today);
    }
    drop(today);
    yesterday.commit(NOW_MS, &[put(awa.case, "household", "5")]).unwrap();
    yesterday.commit(NOW_MS, &[put_item(awa.path, "attendance", &session, "present")]).unwrap();
    server.sync(&mut yesterday);
    assert_eq!(yesterday.pending().unwrap().changes, 0);
    server.assert_converged(&mut yesterday);
    let document = yesterday.document(&awa.path.key).unwrap();
    assert_eq!(document.items(document.kind().rule().field("attendance").unwrap()).len(), 1);
}
