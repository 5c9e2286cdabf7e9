//! Work that the server does not take.

use std::collections::BTreeMap;

use foras::store::{Delivery, RefusedOutcome, WorkLimits};
use foras_record::identity;
use foras_record::kind::Kind;
use foras_record::role::Role;
use foras_sync::work::{Fate, Settlement};
use foras_wire::id::RecordId;

use crate::desk::{NOW_MS, Someone, in_memory, members, put, register, shown, text};
use crate::server::Server;

fn refused_fields(store: &foras::store::Store) -> Vec<(String, serde_json::Value, String)> {
    let edits = store.refused().unwrap();
    edits.into_iter().map(|edit| (edit.field.unwrap_or_default(), edit.value, edit.code)).collect()
}

#[test]
fn a_refused_edit_is_kept_and_what_was_written_after_it_goes_on() {
    let (mut server, mut samira) = (Server::new(), in_memory(1));
    server.enrol(&mut samira, Role::Outreach, &["oujda"], None, "Samira");
    let awa = Someone::numbered(1);
    register(&mut samira, awa, "Awa", "oujda", 1);
    server.sync(&mut samira);
    let actor = samira.identity().unwrap().actor();
    samira.commit(NOW_MS, &[put(awa.person, "name", "Hawa")]).unwrap();
    samira.commit(NOW_MS, &[put(awa.person, "channel", "sms")]).unwrap();
    samira.commit(NOW_MS, &[members(awa.person, "phone", &["+212612345678"])]).unwrap();
    server.refuse = BTreeMap::from([("channel", "channel_closed")]);
    server.sync(&mut samira);
    assert_eq!(shown(&mut samira, &awa.person, "name").as_deref(), Some("Hawa"));
    assert_eq!(shown(&mut samira, &awa.person, "channel"), None);
    let document = samira.document(&awa.person.key).unwrap();
    let phone = document.kind().rule().field("phone").unwrap();
    assert_eq!(document.members(phone).into_iter().collect::<Vec<_>>(), ["+212612345678"]);
    assert_eq!(refused_fields(&samira), [("channel".into(), "sms".into(), "channel_closed".into())]);
    assert_eq!(samira.delivery(&awa.person.key).unwrap(), Delivery::Refused { code: "channel_closed".into() });
    assert_eq!(samira.pending().unwrap().changes, 0);
    assert_ne!(samira.identity().unwrap().actor(), actor, "numbers that the server may have seen are not used again");
    server.assert_converged(&mut samira);
    server.refuse.clear();
    samira.commit(NOW_MS, &[put(awa.person, "channel", "call")]).unwrap();
    assert_eq!(samira.refused().unwrap(), [], "writing the field anew settles its refusal");
    server.sync(&mut samira);
    server.assert_converged(&mut samira);
    assert_eq!(samira.delivery(&awa.person.key).unwrap().state(), "server");
}

#[test]
fn an_action_over_several_records_is_refused_whole_and_its_followers_are_written_anew() {
    let (mut server, mut samira) = (Server::new(), in_memory(1));
    server.enrol(&mut samira, Role::Outreach, &["oujda"], None, "Samira");
    let awa = Someone::numbered(1);
    register(&mut samira, awa, "Awa", "oujda", 1);
    server.sync(&mut samira);
    samira.commit(NOW_MS, &[put(awa.person, "channel", "sms"), put(awa.badge, "name", "Hawa")]).unwrap();
    samira.commit(NOW_MS, &[put(awa.badge, "contact_language", "bm"), put(awa.case, "household", "4")]).unwrap();
    server.refuse = BTreeMap::from([("channel", "channel_closed")]);
    server.sync(&mut samira);
    assert_eq!(shown(&mut samira, &awa.badge, "name").as_deref(), Some("Awa"));
    assert_eq!(shown(&mut samira, &awa.badge, "contact_language").as_deref(), Some("bm"));
    let mut refused = refused_fields(&samira);
    refused.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(
        refused,
        [
            ("channel".into(), "sms".into(), "channel_closed".into()),
            ("name".into(), "Hawa".into(), "set_refused".into())
        ]
    );
    assert_eq!(samira.pending().unwrap().changes, 0);
    server.assert_converged(&mut samira);
}

#[test]
fn a_person_whose_registration_is_refused_leaves_the_lists_and_stays_exportable() {
    let (mut server, mut samira) = (Server::new(), in_memory(1));
    server.enrol(&mut samira, Role::Outreach, &["oujda"], None, "Samira");
    let awa = Someone::numbered(1);
    register(&mut samira, awa, "Awa", "oujda", 1);
    server.refuse = BTreeMap::from([("birth_year", "no_such_year")]);
    server.sync(&mut samira);
    assert_eq!(samira.list(Kind::Person, &Default::default()).unwrap().total, 0);
    let names: Vec<_> = refused_fields(&samira).into_iter().filter(|(field, ..)| field == "name").collect();
    assert_eq!(names.len(), 2, "the person's name and the badge's");
    assert_eq!(samira.delivery(&awa.person.key).unwrap().state(), "refused");
    let number = samira.refused().unwrap()[0].number;
    assert!(samira.dismiss_refused(number).unwrap());
    assert!(!samira.dismiss_refused(number).unwrap());
    server.assert_converged(&mut samira);
}

#[test]
fn a_note_keeps_what_was_written_around_a_refused_part() {
    let (mut server, mut karim) = (Server::new(), in_memory(1));
    server.enrol(&mut karim, Role::HostCounsellor, &["oujda"], None, "Karim");
    let awa = Someone::numbered(1);
    register(&mut karim, awa, "Awa", "oujda", 1);
    let note = identity::record(Kind::Note, RecordId([0x77; 16]), Some(awa.case_id()));
    karim.commit(NOW_MS, &[text(note, "text", "She wants to open a bakery.")]).unwrap();
    server.sync(&mut karim);
    let mut refused = put(note, "topics", "bakery");
    refused.edits.extend(text(note, "text", "She wants to open a bakery in Kayes.").edits);
    karim.commit(NOW_MS, &[refused]).unwrap();
    karim.commit(NOW_MS, &[put(note, "next_steps", "business plan")]).unwrap();
    server.refuse = BTreeMap::from([("topics", "topics_closed")]);
    server.sync(&mut karim);
    let field = Kind::Note.rule().field("text").unwrap();
    let shown_text = karim.document(&note.key).unwrap().text(field).unwrap();
    assert_eq!(shown_text, "She wants to open a bakery.");
    assert_eq!(shown(&mut karim, &note, "next_steps").as_deref(), Some("business plan"));
    let kept = refused_fields(&karim).into_iter().find(|(field, ..)| field == "text").unwrap();
    assert_eq!(kept.1, "She wants to open a bakery in Kayes.");
    server.assert_converged(&mut karim);
}

#[test]
fn what_goes_to_a_supervisor_leaves_the_record_and_is_noted() {
    let (mut server, mut samira) = (Server::new(), in_memory(1));
    server.enrol(&mut samira, Role::Outreach, &["oujda"], None, "Samira");
    let awa = Someone::numbered(1);
    register(&mut samira, awa, "Awa", "oujda", 1);
    server.sync(&mut samira);
    samira.commit(NOW_MS, &[put(awa.person, "channel", "sms")]).unwrap();
    let row = samira.work(&WorkLimits::default()).unwrap().pushes[0].rows[0];
    let fate = Fate::Quarantined { code: "consent_withdrawn".into() };
    let settled = samira.settle(&[Settlement { row, fate }], NOW_MS).unwrap();
    assert_eq!((settled.quarantined, settled.reissued), (1, 0));
    let noted = &samira.refused().unwrap()[0];
    assert_eq!((noted.outcome, noted.code.as_str()), (RefusedOutcome::Quarantined, "consent_withdrawn"));
    assert_eq!(shown(&mut samira, &awa.person, "channel"), None);
    server.assert_converged(&mut samira);
}

#[test]
fn what_the_server_cannot_take_yet_stays_and_a_repeated_answer_changes_nothing() {
    let (mut server, mut samira) = (Server::new(), in_memory(1));
    server.enrol(&mut samira, Role::Outreach, &["oujda"], None, "Samira");
    register(&mut samira, Someone::numbered(1), "Awa", "oujda", 1);
    let rows = samira.work(&WorkLimits::default()).unwrap().pushes[0].rows.clone();
    let all = |fate: &Fate| rows.iter().map(|row| Settlement { row: *row, fate: fate.clone() }).collect::<Vec<_>>();
    assert_eq!(samira.settle(&all(&Fate::Kept), NOW_MS).unwrap().kept, 3);
    assert_eq!(samira.pending().unwrap().changes, 3);
    assert_eq!(samira.settle(&all(&Fate::Durable), NOW_MS).unwrap().durable, 3);
    assert_eq!(samira.settle(&all(&Fate::Durable), NOW_MS).unwrap().durable, 0);
    let late = Fate::Refused { code: "late".into() };
    assert_eq!(samira.settle(&all(&late), NOW_MS).unwrap().refused, 0);
    assert_eq!(samira.refused().unwrap(), []);
}

#[test]
fn change_sets_are_never_split_over_two_requests() {
    let (mut server, mut samira) = (Server::new(), in_memory(1));
    server.enrol(&mut samira, Role::Outreach, &["oujda"], None, "Samira");
    for number in 1..=5 {
        register(&mut samira, Someone::numbered(number), "Awa", "oujda", number);
    }
    let work = |changes_max| {
        let limits = WorkLimits { changes_max, ..WorkLimits::default() };
        let work = samira.work(&limits).unwrap();
        (work.pushes.iter().map(|out| out.push.count).sum::<u32>(), work.more)
    };
    assert_eq!(
        [work(1), work(3), work(5), work(8), work(15)],
        [(3, true), (3, true), (3, true), (6, true), (15, false)]
    );
    let small = samira.work(&WorkLimits { bytes: 1, ..WorkLimits::default() }).unwrap();
    assert_eq!(small.pushes[0].push.count, 3);
}

#[test]
fn deposits_go_out_once_without_a_sender() {
    let (mut server, mut samira) = (Server::new(), in_memory(1));
    server.enrol(&mut samira, Role::Outreach, &["oujda"], None, "Samira");
    let id = samira.deposit(r#"{"point":"oujda","satisfied":"yes"}"#).unwrap();
    samira.deposit_as(id, r#"{"point":"oujda","satisfied":"no"}"#).unwrap();
    let deposits = samira.work(&WorkLimits::default()).unwrap().deposits;
    assert_eq!(deposits.len(), 1);
    assert!(deposits[0].body.contains("yes"));
    assert_eq!(samira.deposit(&"x".repeat(3_000)).unwrap_err().code(), "misuse");
    samira.settle_deposits(&[foras_wire::sync::DepositAck { id, refused: None }]).unwrap();
    assert_eq!(samira.pending().unwrap().deposits, 0);
}
