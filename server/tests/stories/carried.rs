//! Pushes that another phone brings: admitted as their author's, whoever carries them.

use foras_record::kind::Kind;
use foras_record::proof;
use foras_server::Revocation;
use foras_wire::carried::{CarriedPush, HiddenItem};
use foras_wire::frame;
use foras_wire::grant::SignedGrant;
use foras_wire::id::Signature64;
use foras_wire::push;
use foras_wire::sync::{Acks, Outcome, SyncRequest};

use crate::field::{Answer, Office, Person, Phone, backup_of, put};

/// What waits on a phone, as it hands it to another one.
fn carried(author: &Phone) -> CarriedPush {
    let push = author.push();
    let grant: SignedGrant = author.enrolled.grant.clone();
    let mut carried = CarriedPush {
        grant,
        epoch: author.epoch,
        incarnation: author.incarnation,
        grant_revision: author.grant.revision,
        items: push.items,
        hidden: Vec::new(),
        signature: Signature64([0; 64]),
    };
    sign(author, &mut carried);
    carried
}

fn sign(author: &Phone, carried: &mut CarriedPush) {
    let hashes = proof::carried_hashes(carried).unwrap();
    proof::sign_carried(&author.key, carried, author.enrolled.server, &hashes).unwrap();
}

fn brings(office: &mut Office, carrier: &mut Phone, carried: Vec<CarriedPush>) -> Answer {
    let request = SyncRequest { carried, ..carrier.request_with(Vec::new()) };
    let answer = carrier.send(office, &request);
    assert!(answer.refused.is_none(), "{:?}", answer.refused);
    answer
}

fn codes(acks: &Acks) -> Vec<String> {
    let code = |outcome: &Outcome| match outcome {
        Outcome::Refused { code } | Outcome::Quarantined { code } => code.clone(),
        other => format!("{other:?}"),
    };
    acks.exceptions.iter().map(|exception| code(&exception.outcome)).collect()
}

/// Samira, offline, registered somebody; Karim meets her and then the server.
fn oujda() -> (Office, Phone, Phone, Person) {
    let mut office = Office::open();
    let mut samira = office.outreach("oujda", "Samira");
    let karim = office.outreach("oujda", "Karim");
    let awa = Person::register(&mut office, &mut samira, "oujda", "Awa");
    (office, samira, karim, awa)
}

#[test]
fn what_is_carried_is_the_authors_and_its_author_hears_of_it_as_known() {
    let (mut office, mut samira, mut karim, awa) = oujda();
    let push = carried(&samira);
    let answer = brings(&mut office, &mut karim, vec![push.clone()]);
    assert_eq!((answer.carried.len(), codes(&answer.carried[0])), (1, vec![]));
    karim.apply(&answer);
    assert!(karim.holds(&awa.person));
    assert!(karim.authors.values().any(|author| author.name.as_deref() == Some("Samira")));
    // Nobody counts it twice, whoever brings it again.
    let again = brings(&mut office, &mut karim, vec![push]);
    assert!(codes(&again.carried[0]).iter().all(|code| code == "Duplicate"));
    let answer = samira.sync(&mut office);
    assert!(answer.exceptions().iter().all(|word| word == "duplicate") && !answer.exceptions().is_empty());
    assert!(samira.sync(&mut office).acks.is_empty());
}

#[test]
fn the_carriers_own_rights_do_not_count() {
    let (mut office, mut samira, _, awa) = oujda();
    // A phone of another point carries it: admitted, and not shown to it.
    let mut nadia = office.outreach("rabat", "Nadia");
    let answer = brings(&mut office, &mut nadia, vec![carried(&samira)]);
    assert_eq!(codes(&answer.carried[0]), Vec::<String>::new());
    nadia.apply(&answer);
    assert!(!nadia.holds(&awa.person));
    samira.sync(&mut office);
    // And what the author may not write stays forbidden, whoever brings it.
    let mut trainer = office.phone(foras_record::role::Role::Trainer, &["oujda"], "Idriss");
    trainer.sync(&mut office);
    trainer.act(office.now_ms, &[(awa.badge, vec![put(Kind::Badge, "name", "Other")])]);
    let answer = brings(&mut office, &mut samira, vec![carried(&trainer)]);
    assert_eq!(codes(&answer.carried[0]), ["not_allowed"]);
}

#[test]
fn a_carrier_can_neither_alter_nor_split_nor_borrow() {
    let (mut office, mut samira, mut karim, awa) = oujda();
    samira.sync(&mut office);
    let edits =
        [(awa.person, vec![put(Kind::Person, "name", "Hawa")]), (awa.badge, vec![put(Kind::Badge, "name", "Hawa")])];
    samira.act(office.now_ms, &edits);
    let honest = carried(&samira);
    let hidden = |whole: &CarriedPush| {
        let mut part = whole.clone();
        let item = part.items.remove(1);
        let hash = foras_record::change::chunk_hash(&item.chunk).unwrap();
        let leaf = push::leaf(&item.record, &hash);
        part.hidden.push(HiddenItem { position: 1, change_set: item.change_set, leaf });
        part
    };
    let mut renumbered = honest.clone();
    renumbered.items[1].change_set += 1;
    let mut foreign = honest.clone();
    foreign.grant = karim.enrolled.grant.clone();
    let mut forged = honest.clone();
    forged.grant = proof::sign_grant(&karim.key, &samira.grant);
    let mut later = honest.clone();
    later.epoch += 1;
    sign(&samira, &mut later);
    for (push, code) in [
        (hidden(&honest), "split_change_set"),
        (renumbered, "bad_signature"),
        (foreign, "bad_signature"),
        (forged, "bad_signature"),
        (later, "wrong_epoch"),
    ] {
        let shown = push.items.len();
        let answer = brings(&mut office, &mut karim, vec![push]);
        assert_eq!(codes(&answer.carried[0]), vec![code; shown]);
    }
    // Set by set, what is not shown may stay so.
    samira.act(office.now_ms, &[(awa.person, vec![put(Kind::Person, "contact_language", "ff")])]);
    let two = carried(&samira);
    let mut one = two.clone();
    let item = one.items.pop().unwrap();
    let hash = foras_record::change::chunk_hash(&item.chunk).unwrap();
    one.hidden.push(HiddenItem { position: 2, change_set: item.change_set, leaf: push::leaf(&item.record, &hash) });
    assert_eq!(codes(&brings(&mut office, &mut karim, vec![one]).carried[0]), Vec::<String>::new());
    assert_eq!(codes(&brings(&mut office, &mut karim, vec![two]).carried[0]), ["Duplicate", "Duplicate"]);
}

#[test]
fn a_lost_phones_work_goes_to_quarantine_and_an_old_grant_proves_nothing() {
    let (mut office, samira, mut karim, _) = oujda();
    let push = carried(&samira);
    office.server.revoke(&samira.grant.device, Revocation::Lost).unwrap();
    let answer = brings(&mut office, &mut karim, vec![push.clone()]);
    assert!(codes(&answer.carried[0]).iter().all(|code| code == "revoked"));
    assert_eq!(answer.carried[0].exceptions.len(), push.items.len());
    let mut office = Office::open();
    let mut fatou = office.outreach("oujda", "Fatou");
    let mut carrier = office.outreach("oujda", "Karim");
    Person::register(&mut office, &mut fatou, "oujda", "Awa");
    let mut newer = carried(&fatou);
    newer.grant_revision += 1;
    sign(&fatou, &mut newer);
    let shown = newer.items.len();
    let answer = brings(&mut office, &mut carrier, vec![newer]);
    assert_eq!(codes(&answer.carried[0]), vec!["bad_signature"; shown], "a grant older than the push proves nothing");
}

#[test]
fn work_of_a_phone_that_an_older_copy_of_the_server_never_met_is_taken_under_its_grant() {
    let dir = tempfile::tempdir().unwrap();
    let mut office = Office::open_in(dir.path());
    let mut karim = office.outreach("oujda", "Karim");
    let Office { server, entropy, .. } = office;
    drop(server);
    let yesterday = backup_of(dir.path());
    let mut office = Office::open_in(dir.path());
    office.entropy = entropy;
    office.draw();
    let mut samira = office.outreach("oujda", "Samira");
    Person::register(&mut office, &mut samira, "oujda", "Awa");
    let push = carried(&samira);
    drop(office);
    let mut office = Office::open_in(yesterday.path());
    let answer = brings(&mut office, &mut karim, vec![push]);
    assert_eq!(codes(&answer.carried[0]), Vec::<&str>::new());
}

#[test]
fn own_and_carried_work_may_build_on_each_other_in_one_request() {
    let (mut office, mut samira, mut karim, awa) = oujda();
    samira.sync(&mut office);
    karim.sync(&mut office);
    samira.act(office.now_ms, &[(awa.person, vec![put(Kind::Person, "name", "Hawa")])]);
    // Karim has it from Samira, and writes upon it.
    let item = samira.waiting.0[0].clone();
    let change = foras_record::change::parse(&item.chunk).unwrap();
    let (_, history) = karim.records.get_mut(&awa.person.key).unwrap();
    foras_record::admission::admit(history, &[change], &|_, _, _| Ok(()));
    karim.act(office.now_ms, &[(awa.person, vec![put(Kind::Person, "contact_language", "ff")])]);
    let request = SyncRequest { carried: vec![carried(&samira)], ..karim.request_with(vec![karim.push()]) };
    let body = frame::encode_request(&request);
    assert!(frame::decode_request(&body).is_ok());
    let answer = karim.send(&mut office, &request);
    assert_eq!(answer.exceptions(), Vec::<String>::new(), "its own work waited for what it carried");
    assert_eq!(codes(&answer.carried[0]), Vec::<String>::new());
}
