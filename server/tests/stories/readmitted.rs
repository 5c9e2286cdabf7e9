//! A server that goes on from a copy from before a phone was enrolled: the phone is let in by the grant that it was given then.

use foras_server::Revocation;
use foras_wire::sync::{Introduction, SyncRequest};

use crate::field::{Answer, DAY_MS, Office, Person, Phone, backup_of};

/// Samira was enrolled, and registered somebody, after the copy on which the server goes on.
fn put_back() -> (Office, Phone, Person) {
    let dir = tempfile::tempdir().unwrap();
    let mut office = Office::open_in(dir.path());
    office.outreach("oujda", "Karim");
    let Office { server, entropy, .. } = office;
    drop(server);
    let yesterday = backup_of(dir.path());
    let mut office = Office::open_in(dir.path());
    office.entropy = entropy;
    office.draw();
    let mut samira = office.outreach("oujda", "Samira");
    let awa = Person::register(&mut office, &mut samira, "oujda", "Awa");
    drop(office);
    let mut office = Office::open_in(yesterday.path());
    // Nobody draws a key that somebody has.
    for _ in 0..9 {
        office.draw();
    }
    samira.proves = true;
    let refused = knocks(&mut office, &samira, None).refused.unwrap();
    assert_eq!((refused.code.as_str(), refused.retryable), ("unknown_device", false));
    samira.nonce = refused.nonce.expect("a challenge");
    (office, samira, awa)
}

fn introduction(phone: &Phone) -> Introduction {
    Introduction {
        grant: phone.enrolled.grant.clone(),
        incarnations: vec![phone.incarnation],
        case_numbers: phone.enrolled.case_numbers.clone(),
    }
}

fn knocks(office: &mut Office, phone: &Phone, introduction: Option<Introduction>) -> Answer {
    let request = SyncRequest { introduction: introduction.map(Box::new), ..phone.request_with(Vec::new()) };
    phone.send(office, &request)
}

#[test]
fn a_phone_that_the_copy_does_not_know_comes_back_with_its_work() {
    let (mut office, mut samira, awa) = put_back();
    let answer = knocks(&mut office, &samira, Some(introduction(&samira)));
    assert!(answer.refused.is_none(), "{:?}", answer.refused);
    samira.apply(&answer);
    samira.sync(&mut office).durable();
    let mut fatou = office.outreach("oujda", "Fatou");
    fatou.sync(&mut office);
    assert!(fatou.holds(&awa.person), "what she registered is everybody's again");
    let (hers, next) = (samira.enrolled.case_numbers.unwrap(), fatou.enrolled.case_numbers.unwrap());
    assert_ne!(hers.prefix, next.prefix, "her block of case numbers is hers");
}

#[test]
fn nobody_else_is_let_in_so() {
    let (mut office, mut samira, _) = put_back();
    let unknown = |answer: Answer| answer.refused.is_some_and(|refused| refused.code == "unknown_device");
    let mut forged = introduction(&samira);
    forged.grant.bytes[7] ^= 1;
    assert!(unknown(knocks(&mut office, &samira, Some(forged))), "the server did not sign that");
    let of_another = introduction(&office.outreach("oujda", "Fatou"));
    assert!(unknown(knocks(&mut office, &samira, Some(of_another))), "that is somebody else's grant");
    let key = samira.key.clone();
    samira.key = ed25519_dalek::SigningKey::from_bytes(&[9; 32]);
    assert!(unknown(knocks(&mut office, &samira, Some(introduction(&samira)))), "she alone can answer the challenge");
    samira.key = key;
    let nonce = samira.nonce;
    samira.nonce.0[0] ^= 1;
    assert!(unknown(knocks(&mut office, &samira, Some(introduction(&samira)))), "that is no challenge of this server");
    samira.nonce = nonce;
    office.days_pass(366);
    assert!(unknown(knocks(&mut office, &samira, Some(introduction(&samira)))), "her grant has ended");
    office.now_ms -= 366 * DAY_MS;
    assert!(knocks(&mut office, &samira, Some(introduction(&samira))).refused.is_none());
}

#[test]
fn a_phone_that_was_shut_out_does_not_come_back_by_its_grant() {
    let (mut office, samira, _) = put_back();
    assert!(knocks(&mut office, &samira, Some(introduction(&samira))).refused.is_none());
    office.server.revoke(&samira.grant.device, Revocation::Lost).unwrap();
    let refused = knocks(&mut office, &samira, Some(introduction(&samira))).refused.unwrap();
    assert_eq!(refused.code, "revoked");
}
