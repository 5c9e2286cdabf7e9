//! Stories of the one exchange: from an offline edit to every phone that may see it.

use crate::field::{Office, Person, Phone, put, text};
use foras_record::event::{ConsentStatus, HandoverStep};
use foras_record::kind::Kind;
use foras_record::role::Role;
use foras_record::value::Value;
use foras_server::Revocation;
use foras_wire::id::{Incarnation, RecordId, ServerId, Signature64};
use foras_wire::page::Entry;

/// A person of Oujda whose case was handed over and accepted in Bamako; the proposal's id too.
fn handed_over(office: &mut Office, phone: &mut Phone, mission: &mut Phone) -> (Person, foras_record::event::EventId) {
    let awa = Person::register(office, phone, "oujda", "Awa");
    phone.act(office.now_ms, &[(awa.project, vec![put(Kind::Project, "needs", "a sewing machine")])]);
    awa.consent(office, phone, ConsentStatus::Given);
    let proposal = awa.handover(office, phone, HandoverStep::Proposed, None);
    phone.sync(office).durable();
    mission.sync(office).durable();
    awa.handover(office, mission, HandoverStep::Accepted, Some(proposal));
    mission.sync(office).durable();
    (awa, proposal)
}

#[test]
fn what_is_registered_at_oujda_reaches_oujda_and_nobody_else() {
    let mut office = Office::open();
    let mut worker = office.outreach("oujda", "Agent 7");
    let awa = Person::register(&mut office, &mut worker, "oujda", "Awa");
    let answer = worker.sync(&mut office).durable();
    let known = answer.pages.iter().flat_map(|page| worker.opened(page));
    let known = known.filter(|entry| matches!(entry, Entry::Known(_))).count();
    assert_eq!(known, 3, "what the phone just sent does not come back");

    let mut counsellor = office.phone(Role::HostCounsellor, &["oujda"], "Counsellor");
    let mut trainer = office.phone(Role::Trainer, &["oujda"], "Trainer");
    let mut rabat = office.outreach("rabat", "Agent 8");
    let mut mission = office.mission("ML");
    let mut coordinator = office.phone(Role::Coordinator, &[], "Coordinator");
    let mut own = office.migrant(awa.id());
    for phone in [&mut counsellor, &mut trainer, &mut rabat, &mut mission, &mut coordinator, &mut own] {
        phone.sync(&mut office).durable();
    }
    let holds = |phone: &Phone| [awa.person, awa.badge, awa.case].map(|record| phone.holds(&record));
    assert_eq!(holds(&counsellor), [true, true, true]);
    assert_eq!(holds(&trainer), [false, true, false]);
    assert_eq!(holds(&rabat), [false, false, false]);
    assert_eq!(holds(&mission), [false, false, false]);
    assert_eq!(holds(&coordinator), [false, false, true]);
    assert_eq!(holds(&own), [true, false, true]);
    assert_eq!(text(&counsellor, &awa.person, "name").as_deref(), Some("Awa"));
    // Who wrote it: by name for colleagues, by role for the migrant.
    assert_eq!(counsellor.authors[&worker.actor()].name.as_deref(), Some("Agent 7"));
    assert_eq!(own.authors[&worker.actor()].name, None);
    assert_eq!(own.authors[&worker.actor()].role, "outreach");
}

#[test]
fn everything_offline_at_once_and_only_known_things_come_back() {
    let mut office = Office::open();
    let mut worker = office.outreach("oujda", "Agent");
    let mut counsellor = office.phone(Role::HostCounsellor, &["oujda"], "Counsellor");
    let awa = Person::register(&mut office, &mut worker, "oujda", "Awa");
    worker.sync(&mut office).durable();
    counsellor.sync(&mut office).durable();
    worker.act(office.now_ms, &[(awa.person, vec![put(Kind::Person, "contact_language", "bm")])]);
    counsellor.act(office.now_ms, &[(awa.person, vec![put(Kind::Person, "contact_language", "fr")])]);
    worker.sync(&mut office).durable();
    counsellor.sync(&mut office).durable();
    worker.sync(&mut office).durable();
    let contents = [&worker, &counsellor].map(|phone| phone.document(&awa.person).unwrap().content());
    assert_eq!(contents[0], contents[1]);
    assert_eq!(worker.document(&awa.person).unwrap().conflicts(), 1, "both languages are kept");
    // Nothing is new any more.
    assert!(worker.sync(&mut office).durable().pages.is_empty());
}

#[test]
fn consent_handover_acceptance_withdrawal_and_nothing_stays_in_bamako() {
    let mut office = Office::open();
    let (mut worker, mut mission) = (office.outreach("oujda", "Agent"), office.mission("ML"));
    let (mut senegal, mut own) = (office.mission("SN"), None);
    let awa = Person::register(&mut office, &mut worker, "oujda", "Awa");
    worker.sync(&mut office).durable();
    mission.sync(&mut office).durable();
    assert!(!mission.holds(&awa.case), "no consent, no copy");
    let _ = own.insert(office.migrant(awa.id()));
    let own = own.as_mut().unwrap();
    own.sync(&mut office).durable();

    worker.act(office.now_ms, &[(awa.project, vec![put(Kind::Project, "needs", "a sewing machine")])]);
    let consent = awa.consent(&mut office, &mut worker, ConsentStatus::Given);
    let proposal = awa.handover(&mut office, &mut worker, HandoverStep::Proposed, None);
    worker.sync(&mut office).durable();
    assert_eq!(awa.ruling(&worker, consent).as_deref(), Some("valid"));
    assert_eq!(awa.ruling(&worker, proposal).as_deref(), Some("valid"));
    mission.sync(&mut office).durable();
    senegal.sync(&mut office).durable();
    assert!(mission.holds(&awa.case) && mission.holds(&awa.person) && !mission.holds(&awa.project));
    assert!(!senegal.holds(&awa.case));

    let accepted = awa.handover(&mut office, &mut mission, HandoverStep::Accepted, Some(proposal));
    mission.sync(&mut office).durable();
    assert_eq!(awa.ruling(&mission, accepted).as_deref(), Some("valid"));
    assert!(mission.holds(&awa.project), "acceptance opens the rest that the consent covers");
    worker.sync(&mut office).durable();
    assert!(worker.holds(&awa.project), "the point keeps its copy");
    // The mission holds the case now, and writes.
    mission.act(office.now_ms, &[(awa.person, vec![put(Kind::Person, "channel", "whatsapp")])]);
    mission.sync(&mut office).durable();

    own.sync(&mut office).durable();
    let withdrawn = awa.consent(&mut office, own, ConsentStatus::Withdrawn);
    own.sync(&mut office).durable();
    assert_eq!(awa.ruling(own, withdrawn).as_deref(), Some("valid"));
    mission.sync(&mut office).durable();
    for record in [awa.case, awa.person, awa.project] {
        assert!(!mission.holds(&record), "{record:?}");
    }
    worker.sync(&mut office).durable();
    assert_eq!(text(&worker, &awa.person, "channel").as_deref(), Some("whatsapp"), "custody is back with its history");
    // A new phone in Bamako is told nothing of her.
    let mut new = office.mission("ML");
    new.sync(&mut office).durable();
    assert!(!new.holds(&awa.case));
}

#[test]
fn consent_given_again_opens_the_whole_record_again() {
    let mut office = Office::open();
    let (mut worker, mut mission) = (office.outreach("oujda", "Agent"), office.mission("ML"));
    let (awa, _) = handed_over(&mut office, &mut worker, &mut mission);
    worker.sync(&mut office).durable();
    let withdrawal = awa.consent(&mut office, &mut worker, ConsentStatus::Withdrawn);
    worker.sync(&mut office).durable();
    mission.sync(&mut office).durable();
    assert!(!mission.holds(&awa.case));
    let again = foras_record::event::Consent {
        after: [withdrawal].into(),
        ..foras_record::event::Consent::new(
            foras_record::event::Purpose::ShareWithOriginMission,
            ConsentStatus::Given,
            foras_record::event::Form::Written,
        )
    };
    awa.record(&mut office, &mut worker, &foras_record::event::CaseEvent::Consent(again));
    awa.handover(&mut office, &mut worker, HandoverStep::Proposed, None);
    worker.sync(&mut office).durable();
    mission.sync(&mut office).durable();
    let contents = [&worker, &mission].map(|phone| phone.document(&awa.case).unwrap().content());
    assert_eq!(contents[0], contents[1]);
    // And somebody who comes new sees it from the whole log at once.
    let mut new = office.mission("ML");
    new.sync(&mut office).durable();
    assert_eq!(new.document(&awa.case).unwrap().content(), contents[0]);
}

#[test]
fn a_proposal_and_a_withdrawal_race_and_neither_order_leaks() {
    for withdrawal_first in [true, false] {
        let mut office = Office::open();
        let (mut worker, mut counsellor) =
            (office.outreach("oujda", "Agent"), office.phone(Role::HostCounsellor, &["oujda"], "Counsellor"));
        let mut mission = office.mission("ML");
        let awa = Person::register(&mut office, &mut worker, "oujda", "Awa");
        awa.consent(&mut office, &mut worker, ConsentStatus::Given);
        worker.sync(&mut office).durable();
        counsellor.sync(&mut office).durable();
        let proposal = awa.handover(&mut office, &mut worker, HandoverStep::Proposed, None);
        awa.consent(&mut office, &mut counsellor, ConsentStatus::Withdrawn);
        let order = if withdrawal_first { [&mut counsellor, &mut worker] } else { [&mut worker, &mut counsellor] };
        for phone in order {
            phone.sync(&mut office).durable();
        }
        mission.sync(&mut office).durable();
        assert!(!mission.holds(&awa.case));
        worker.sync(&mut office).durable();
        let ruled = awa.ruling(&worker, proposal);
        assert_eq!(ruled.as_deref(), Some(if withdrawal_first { "void no_consent" } else { "valid" }));
    }
}

#[test]
fn an_edit_made_in_good_faith_after_a_withdrawal_waits_for_a_supervisor() {
    let mut office = Office::open();
    let (mut worker, mut mission) = (office.outreach("oujda", "Agent"), office.mission("ML"));
    let (awa, _) = handed_over(&mut office, &mut worker, &mut mission);
    mission.act(office.now_ms, &[(awa.person, vec![put(Kind::Person, "channel", "sms")])]);
    worker.sync(&mut office).durable();
    awa.consent(&mut office, &mut worker, ConsentStatus::Withdrawn);
    worker.sync(&mut office).durable();
    let answer = mission.sync(&mut office);
    assert_eq!(answer.exceptions(), ["quarantined left_audience"]);
    assert!(!mission.holds(&awa.person));
    worker.sync(&mut office).durable();
    assert_eq!(text(&worker, &awa.person, "channel"), None);
    let devices = office.server.devices().unwrap();
    assert_eq!(devices.iter().map(|device| device.quarantined).sum::<u64>(), 1);
}

#[test]
fn custody_that_was_given_back_is_honoured_for_a_month() {
    let mut office = Office::open();
    let (mut worker, mut mission) = (office.outreach("oujda", "Agent"), office.mission("ML"));
    let (awa, proposal) = handed_over(&mut office, &mut worker, &mut mission);
    mission.act(office.now_ms, &[(awa.person, vec![put(Kind::Person, "channel", "sms")])]);
    worker.sync(&mut office).durable();
    awa.handover(&mut office, &mut worker, HandoverStep::Undone, Some(proposal));
    worker.sync(&mut office).durable();
    assert_eq!(mission.sync(&mut office).exceptions(), Vec::<String>::new());
    assert!(!mission.holds(&awa.person));
    worker.sync(&mut office).durable();
    assert_eq!(text(&worker, &awa.person, "channel").as_deref(), Some("sms"));
}

#[test]
fn a_note_written_while_the_mission_held_the_case_is_kept_unless_consent_ended() {
    for withdrawn in [false, true] {
        let mut office = Office::open();
        let (mut worker, mut mission) = (office.outreach("oujda", "Agent"), office.mission("ML"));
        let (awa, proposal) = handed_over(&mut office, &mut worker, &mut mission);
        let note = foras_record::identity::record(Kind::Note, RecordId([7; 16]), Some(awa.id()));
        mission.act(office.now_ms, &[(note, vec![put(Kind::Note, "topics", "the journey")])]);
        worker.sync(&mut office).durable();
        awa.handover(&mut office, &mut worker, HandoverStep::Undone, Some(proposal));
        if withdrawn {
            awa.consent(&mut office, &mut worker, ConsentStatus::Withdrawn);
        }
        worker.sync(&mut office).durable();
        let outcomes = mission.sync(&mut office).exceptions();
        worker.sync(&mut office).durable();
        if withdrawn {
            assert_eq!(outcomes, ["quarantined left_audience"]);
        } else {
            assert_eq!(outcomes, Vec::<String>::new());
            assert!(!mission.holds(&note));
        }
        assert_eq!(worker.holds(&note), !withdrawn);
    }
}

#[test]
fn a_push_that_is_sent_again_is_taken_once() {
    let mut office = Office::open();
    let mut worker = office.outreach("oujda", "Agent");
    Person::register(&mut office, &mut worker, "oujda", "Awa");
    let request = worker.request_with(vec![worker.push()]);
    worker.send(&mut office, &request).durable();
    let head = |answer: &crate::field::Answer| answer.heads.as_ref().unwrap().heads.clone();
    let again = worker.send(&mut office, &request);
    assert_eq!(again.exceptions(), ["duplicate", "duplicate", "duplicate"]);
    let third = worker.send(&mut office, &request);
    assert_eq!(head(&again), head(&third));
    worker.apply(&third);
}

#[test]
fn foreign_signatures_servers_and_epochs_are_told_apart() {
    let mut office = Office::open();
    let (mut worker, other) = (office.outreach("oujda", "Agent"), office.outreach("oujda", "Agent 2"));
    Person::register(&mut office, &mut worker, "oujda", "Awa");
    let heads = |office: &mut Office| worker.send(office, &worker.request_with(Vec::new())).heads.unwrap().heads;
    let before = heads(&mut office);
    let good = worker.push();

    let mut tampered = good.clone();
    tampered.signature = Signature64([1; 64]);
    let mut moved = good.clone();
    moved.items[0].record.key.id = RecordId([3; 16]);
    let mut reordered = good.clone();
    reordered.items.swap(0, 1);
    let mut shorter = good.clone();
    shorter.items.pop();
    let mut elsewhere = worker.clone();
    elsewhere.enrolled.server = ServerId([8; 16]);
    for push in [tampered, moved, reordered, shorter, elsewhere.push()] {
        let count = push.items.len();
        // It may be that something was named wrongly: the phone is asked to tell it in full.
        let answer = worker.send(&mut office, &worker.request_with(vec![push.clone()]));
        assert_eq!((answer.refusal(), answer.acks.len()), ("say_plainly", 0));
        let answer = worker.send(&mut office, &worker.plain_request_with(vec![push]));
        assert_eq!(answer.exceptions(), vec!["refused bad_signature"; count]);
    }
    // Another device hands in what it did not write.
    let answer = other.send(&mut office, &other.plain_request_with(vec![good.clone()]));
    assert_eq!(answer.exceptions(), vec!["refused bad_signature"; 3]);
    // A push of another epoch is signed anew: nothing is lost.
    let mut later = worker.clone();
    later.epoch = 7;
    let answer = later.send(&mut office, &later.request_with(vec![later.push()]));
    assert!(answer.acks.is_empty() && answer.heads.is_none(), "the device learns the epoch, and asks anew");
    assert_eq!(answer.welcome.as_ref().unwrap().epoch, 1);
    let wrong = worker.send(&mut office, &worker.plain_request_with(vec![later.push()]));
    assert_eq!(wrong.exceptions(), vec!["refused bad_signature"; 3]);
    assert_eq!(heads(&mut office), before, "nothing of it was taken");
    worker.send(&mut office, &worker.request_with(vec![good])).durable();
}

#[test]
fn somebody_elses_actor_is_not_taken() {
    let mut office = Office::open();
    let mut worker = office.outreach("oujda", "Agent");
    let mut hostile = office.outreach("oujda", "Agent 2");
    let awa = Person::register(&mut office, &mut worker, "oujda", "Awa");
    worker.sync(&mut office).durable();
    hostile.sync(&mut office).durable();
    // Signed by the hostile device under its own key, written under the worker's actor.
    let mut forged = worker.clone();
    forged.act(office.now_ms, &[(awa.person, vec![put(Kind::Person, "name", "Nobody")])]);
    hostile.waiting = forged.waiting;
    assert_eq!(hostile.sync(&mut office).exceptions(), ["refused foreign_actor"]);
    worker.act(office.now_ms, &[(awa.person, vec![put(Kind::Person, "channel", "call")])]);
    worker.sync(&mut office).durable();
    assert_eq!(text(&worker, &awa.person, "name").as_deref(), Some("Awa"));
}

#[test]
fn a_cloned_phone_freezes_its_incarnation_and_goes_on_under_a_new_one() {
    let mut office = Office::open();
    let mut phone = office.outreach("oujda", "Agent");
    let awa = Person::register(&mut office, &mut phone, "oujda", "Awa");
    phone.sync(&mut office).durable();
    let mut clone = phone.clone();
    phone.act(office.now_ms, &[(awa.person, vec![put(Kind::Person, "channel", "call")])]);
    clone.act(office.now_ms, &[(awa.person, vec![put(Kind::Person, "channel", "sms")])]);
    phone.sync(&mut office).durable();
    assert_eq!(clone.sync(&mut office).exceptions(), ["refused seq_reused"]);
    assert_eq!(office.server.alerts().unwrap().len(), 1);
    phone.act(office.now_ms, &[(awa.person, vec![put(Kind::Person, "literacy", "some")])]);
    assert_eq!(phone.sync(&mut office).exceptions(), ["refused frozen"], "both learn it");
    // Under new incarnations both go on; what a refused change built is rebuilt by the device.
    let mut fresh = Phone { incarnation: Incarnation([4; 16]), ..clone.clone() };
    fresh.records.clear();
    fresh.cursors.clear();
    fresh.sync(&mut office).durable();
    fresh.act(office.now_ms, &[(awa.person, vec![put(Kind::Person, "channel", "sms")])]);
    fresh.sync(&mut office).durable();
}

#[test]
fn what_a_clone_pushes_beside_its_first_clash_waits_for_the_new_incarnation_too() {
    let mut office = Office::open();
    let mut phone = office.outreach("oujda", "Agent");
    let (awa, binta) = (
        Person::register(&mut office, &mut phone, "oujda", "Awa"),
        Person::register(&mut office, &mut phone, "oujda", "Binta"),
    );
    phone.sync(&mut office).durable();
    let mut clone = phone.clone();
    phone.act(office.now_ms, &[(awa.person, vec![put(Kind::Person, "channel", "call")])]);
    phone.sync(&mut office).durable();
    for person in [awa, binta] {
        clone.act(office.now_ms, &[(person.person, vec![put(Kind::Person, "channel", "sms")])]);
    }
    assert_eq!(clone.sync(&mut office).exceptions(), ["refused seq_reused", "refused frozen"]);
}

#[test]
fn a_long_day_on_one_record_is_taken_together_and_one_bad_edit_alone_is_left_out() {
    let mut office = Office::open();
    let mut worker = office.outreach("oujda", "Agent");
    let awa = Person::register(&mut office, &mut worker, "oujda", "Awa");
    let session = foras_record::identity::record(Kind::Session, RecordId([5; 16]), None);
    worker.sync(&mut office).durable();
    for at in 0..150 {
        let typed = format!("Awa {at}");
        worker.act(office.now_ms, &[(awa.person, vec![put(Kind::Person, "name", &typed)])]);
        if at == 70 {
            // A session at a point where the worker does not work.
            let elsewhere = vec![put(Kind::Session, "module", "crafts"), put(Kind::Session, "point", "rabat")];
            worker.act(office.now_ms, &[(session, elsewhere)]);
        }
    }
    assert_eq!(worker.sync(&mut office).exceptions(), ["refused not_allowed"]);
    let mut other = office.outreach("oujda", "Agent 2");
    other.sync(&mut office).durable();
    assert_eq!(text(&other, &awa.person, "name").as_deref(), Some("Awa 149"));
    assert!(!other.holds(&session));
}

#[test]
fn one_refused_change_takes_its_set_but_not_its_neighbours() {
    let mut office = Office::open();
    let mut worker = office.outreach("oujda", "Agent");
    let awa = Person::register(&mut office, &mut worker, "oujda", "Awa");
    worker.sync(&mut office).durable();
    let session = foras_record::identity::record(Kind::Session, RecordId([5; 16]), None);
    let feedback = foras_record::identity::record(Kind::Feedback, RecordId([6; 16]), None);
    worker.act(office.now_ms, &[(awa.person, vec![put(Kind::Person, "channel", "call")])]);
    // An outreach worker writes no feedback: the set that holds it goes, whole.
    let module = put(Kind::Session, "module", "awareness");
    let edits = [
        (session, vec![module, put(Kind::Session, "point", "oujda")]),
        (feedback, vec![put(Kind::Feedback, "point", "oujda")]),
    ];
    worker.act(office.now_ms, &edits);
    worker.act(office.now_ms, &[(awa.person, vec![put(Kind::Person, "literacy", "some")])]);
    assert_eq!(worker.sync(&mut office).exceptions(), ["set refused", "refused not_allowed"]);
    let mut other = office.outreach("oujda", "Agent 2");
    other.sync(&mut office).durable();
    assert!(!other.holds(&session));
    assert_eq!(text(&other, &awa.person, "literacy").as_deref(), Some("some"));
}

#[test]
fn another_point_can_neither_see_nor_write() {
    let mut office = Office::open();
    let (mut oujda, mut rabat) = (office.outreach("oujda", "Agent"), office.outreach("rabat", "Agent 8"));
    let awa = Person::register(&mut office, &mut oujda, "oujda", "Awa");
    oujda.sync(&mut office).durable();
    // Rabat got the record by some other way, and edits it.
    rabat.records = oujda.records.clone();
    rabat.act(office.now_ms, &[(awa.person, vec![put(Kind::Person, "name", "Changed")])]);
    assert_eq!(rabat.sync(&mut office).exceptions(), ["refused not_found"]);
    // Nor does it register at Oujda.
    let mut elsewhere = office.outreach("rabat", "Agent 9");
    Person::register(&mut office, &mut elsewhere, "oujda", "Binta");
    let answer = elsewhere.sync(&mut office);
    assert!(answer.exceptions().contains(&"refused not_allowed".to_owned()), "{:?}", answer.exceptions());
    assert_eq!(answer.exceptions().len(), 3);
}

#[test]
fn a_change_before_what_it_builds_on_is_parked() {
    let mut office = Office::open();
    let mut worker = office.outreach("oujda", "Agent");
    let awa = Person::register(&mut office, &mut worker, "oujda", "Awa");
    let first = worker.waiting.clone();
    worker.waiting.0.clear();
    worker.act(office.now_ms, &[(awa.person, vec![put(Kind::Person, "channel", "call")])]);
    let second = worker.waiting.clone();
    let answer = worker.send(&mut office, &worker.plain_request_with(vec![worker.push()]));
    assert_eq!(answer.exceptions(), ["parked"], "its case is not here yet");
    worker.waiting.0 = [first.0, second.0].concat();
    worker.sync(&mut office).durable();
}

#[test]
fn whoever_left_hands_in_what_is_unsent_and_gets_nothing() {
    let mut office = Office::open();
    let mut worker = office.outreach("oujda", "Agent");
    let awa = Person::register(&mut office, &mut worker, "oujda", "Awa");
    worker.sync(&mut office).durable();
    worker.act(office.now_ms, &[(awa.person, vec![put(Kind::Person, "channel", "call")])]);
    office.server.revoke(&worker.grant.device, Revocation::Left).unwrap();
    let answer = worker.send(&mut office, &worker.request_with(vec![worker.push()]));
    assert_eq!(answer.exceptions(), ["quarantined left"]);
    assert!(answer.pages.is_empty());
    assert!(answer.heads.unwrap().more, "it asks again");
    assert_eq!(worker.send(&mut office, &worker.request_with(Vec::new())).refusal(), "revoked");
}

#[test]
fn the_mission_has_seen_it_and_oujda_is_told() {
    let mut office = Office::open();
    let (mut worker, mut mission) = (office.outreach("oujda", "Agent"), office.mission("ML"));
    let (awa, _) = handed_over(&mut office, &mut worker, &mut mission);
    worker.sync(&mut office).durable();
    worker.act(office.now_ms, &[(awa.person, vec![put(Kind::Person, "channel", "call")])]);
    worker.sync(&mut office).durable();
    let at = worker.cursors["casework:oujda"];
    mission.sync(&mut office).durable();
    worker.sync(&mut office).durable();
    let through = |worker: &Phone| {
        let seen = worker.seen.iter().filter(|seen| seen.key == awa.person.key);
        seen.map(|seen| seen.through).max()
    };
    assert!(through(&worker).is_none_or(|through| through < at), "only a cursor says that it applied");
    // The next contact of the mission says how far it is.
    mission.sync(&mut office).durable();
    worker.sync(&mut office).durable();
    assert_eq!(through(&worker), Some(at));
    assert!(worker.seen.iter().all(|seen| seen.country == "ML"));
    // And then there is silence.
    mission.sync(&mut office).durable();
    assert!(worker.sync(&mut office).durable().pages.is_empty());
}

#[test]
fn a_deposit_counts_once_and_leads_to_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let mut office = Office::open_in(dir.path());
    let mut worker = office.outreach("oujda", "Agent");
    worker.sync(&mut office).durable();
    let body = r#"{"point":"oujda","programme":"FORAS II","module":"awareness","satisfied":"yes","language":"fr","day":"2026-10-05"}"#;
    let id = RecordId(*b"a deposit by one");
    for _ in 0..2 {
        worker.deposit(id, body);
        let answer = worker.sync(&mut office);
        assert_eq!(answer.deposits.len(), 1);
        assert_eq!(answer.deposits[0].refused, None);
    }
    let mut coordinator = office.phone(Role::Coordinator, &[], "Coordinator");
    coordinator.sync(&mut office).durable();
    let feedback = foras_record::identity::record(Kind::Feedback, id, None);
    assert_eq!(text(&coordinator, &feedback, "satisfied").as_deref(), Some("yes"));
    let count = coordinator.records.values().filter(|(record, _)| record.key.kind == Kind::Feedback.code()).count();
    assert_eq!(count, 1);
    assert!(!worker.holds(&feedback));
    // No row that names the deposit names the device, its key or one of its actors.
    let device = [worker.grant.device.0.to_vec(), worker.grant.key.0.to_vec(), worker.actor().0.to_vec()];
    for row in crate::field::rows(&dir.path().join("foras.db")) {
        if row.windows(16).any(|part| part == id.0) {
            for name in &device {
                assert!(!row.windows(name.len()).any(|part| part == name.as_slice()), "a row names both");
            }
        }
    }
}

#[test]
fn deposits_that_make_no_sense_are_refused_with_their_code() {
    let mut office = Office::open();
    let mut worker = office.outreach("oujda", "Agent");
    let long = format!(r#"{{"point":"oujda","x":"{}"}}"#, "y".repeat(3000));
    let cases = [
        ("", "malformed"),
        ("[]", "malformed"),
        (r#"{"point":"oujda"}"#, "malformed"),
        (r#"{"point":"rabat","programme":"FORAS","satisfied":"yes","day":"2026-10-05"}"#, "not_allowed"),
        (long.as_str(), "too_large"),
    ];
    for (at, (body, code)) in cases.into_iter().enumerate() {
        worker.deposit(RecordId([u8::try_from(at).unwrap(); 16]), body);
        let answer = worker.sync(&mut office);
        assert_eq!(answer.deposits[0].refused.as_deref(), Some(code), "{body}");
    }
    worker
        .deposit(RecordId([9; 16]), r#"{"point":"oujda","programme":"FORAS","satisfied":"maybe","day":"2026-10-05"}"#);
    assert!(worker.sync(&mut office).deposits[0].refused.is_some());
    worker.deposit(RecordId([9; 16]), r#"{"point":"oujda","programme":"FORAS","satisfied":"no","day":"2026-02-30"}"#);
    assert!(worker.sync(&mut office).deposits[0].refused.is_some());
}

#[test]
fn many_records_come_in_pages_that_follow_each_other() {
    let mut office = Office::open();
    let mut worker = office.outreach("oujda", "Agent");
    for _ in 0..120 {
        Person::register(&mut office, &mut worker, "oujda", &"Awa ".repeat(20));
    }
    worker.sync(&mut office).durable();
    let mut other = office.outreach("oujda", "Agent 2");
    let answer = other.sync(&mut office).durable();
    let heads = answer.heads.unwrap();
    assert!(!heads.more);
    assert!(answer.pages.len() > 3, "{}", answer.pages.len());
    let cursors: Vec<_> =
        other.grant.audiences.iter().map(|name| other.cursors.get(name.as_str()).copied().unwrap_or(0)).collect();
    assert_eq!(cursors, heads.heads);
    let people = other.records.keys().filter(|key| key.kind == Kind::Person.code()).count();
    assert_eq!(people, 120);
}

#[test]
fn an_answer_that_is_cut_goes_on_where_it_was_cut() {
    let mut office = Office::open();
    let mut worker = office.outreach("oujda", "Agent");
    for _ in 0..60 {
        Person::register(&mut office, &mut worker, "oujda", &"Awa ".repeat(20));
    }
    worker.sync(&mut office).durable();
    let mut other = office.outreach("oujda", "Agent 2");
    let mut whole = other.clone();
    whole.sync(&mut office).durable();
    let mut pages = 0;
    while pages < 50 {
        let mut answer = other.send(&mut office, &other.request_with(Vec::new()));
        if answer.pages.is_empty() {
            break;
        }
        answer.pages.truncate(1);
        pages += 1;
        other.apply(&answer);
    }
    assert!(pages > 2);
    assert_eq!(other.cursors, whole.cursors);
    assert_eq!(other.records.len(), whole.records.len());
}

#[test]
fn requests_that_are_no_requests_change_nothing() {
    let mut office = Office::open();
    let mut worker = office.outreach("oujda", "Agent");
    Person::register(&mut office, &mut worker, "oujda", "Awa");
    let body = foras_wire::frame::encode_request(&worker.request_with(vec![worker.push()]));
    let mut code_of = |body: &[u8]| {
        let mut code = String::new();
        office.server.exchange(Some(&worker.credentials()), body, office.now_ms, &mut office.entropy, &mut |frame| {
            if let foras_wire::sync::AnswerFrame::Refused(refusal) = frame {
                code = refusal.code;
            }
            true
        });
        code
    };
    for cut in 0..body.len() {
        assert_ne!(code_of(&body[..cut]), "", "cut at {cut}");
    }
    for flipped in 0..body.len() {
        let mut body = body.clone();
        body[flipped] ^= 0x40;
        let _ = code_of(&body);
    }
    assert_eq!(code_of(&body), "");
    let mut other = office.outreach("oujda", "Agent 2");
    other.sync(&mut office).durable();
    let people = other.records.keys().filter(|key| key.kind == Kind::Person.code()).count();
    assert_eq!(people, 1);
}

#[test]
fn a_full_day_of_values_stays_readable() {
    let mut office = Office::open();
    let mut worker = office.outreach("oujda", "Agent");
    let awa = Person::register(&mut office, &mut worker, "oujda", "Awa");
    for name in ["Awa A", "Awa B", "Awa C"] {
        worker.act(office.now_ms, &[(awa.person, vec![put(Kind::Person, "name", name)])]);
        worker.sync(&mut office).durable();
    }
    let field = Kind::Person.rule().field("name").unwrap();
    let mut other = office.outreach("oujda", "Agent 2");
    other.sync(&mut office).durable();
    assert_eq!(other.document(&awa.person).unwrap().value(field), Some(Value::Text("Awa C".into())));
}
