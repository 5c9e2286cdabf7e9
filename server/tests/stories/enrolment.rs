//! Stories of letting devices in and out.

use crate::field::{DAY_MS, HOUR_MS, MONDAY_MS, Office, Phone};
use foras_record::proof;
use foras_record::role::Role;
use foras_server::{Invite, Revocation, SeededEntropy, Server};
use foras_wire::enrol::EnrolRequest;
use foras_wire::frame;
use foras_wire::id::{Incarnation, Signature64};
use foras_wire::invitation::Invitation;

const MINUTE_MS: i64 = 60_000;

fn enrol_with(office: &mut Office, secret: &[u8]) -> Result<Phone, String> {
    let (key, request) = Phone::request(office, secret);
    Phone::hand_in(office, key, &request)
}

fn secret(invitation: &str) -> [u8; 16] {
    invitation.parse::<Invitation>().unwrap().secret
}

#[test]
fn an_outreach_worker_scans_a_code_and_works_at_oujda() {
    let mut office = Office::open();
    let mut phone = office.outreach("oujda", "Agent 7");
    assert_eq!(phone.grant.role, "outreach");
    let audiences: Vec<_> = phone.grant.audiences.iter().map(|name| name.as_str()).collect();
    assert_eq!(audiences, ["public", "roster:oujda", "casework:oujda"]);
    assert_eq!(phone.enrolled.case_numbers.as_ref().unwrap().prefix, "OUJ1");
    assert!(phone.enrolled.import_key.is_some());
    let answer = phone.sync(&mut office).durable();
    assert_eq!(phone.records.len(), 5, "the five modules");
    assert_eq!(answer.heads.unwrap().heads[0], phone.cursors["public"]);
}

#[test]
fn blocks_of_case_numbers_never_meet() {
    let mut office = Office::open();
    let prefixes: std::collections::BTreeSet<_> =
        (0..5).map(|_| office.outreach("oujda", "Agent").enrolled.case_numbers.unwrap().prefix).collect();
    assert_eq!(prefixes.len(), 5);
    assert!(office.mission("ML").enrolled.case_numbers.is_none());
}

#[test]
fn an_invitation_lets_one_device_in() {
    let mut office = Office::open();
    let invited = office.invite(Role::Outreach, &["rabat"], None, "Agent");
    Phone::enrol(&mut office, &invited.invitation);
    assert_eq!(enrol_with(&mut office, &secret(&invited.invitation)).err().unwrap(), "invitation_used");
    assert_eq!(enrol_with(&mut office, invited.code.as_bytes()).err().unwrap(), "invitation_used");
}

#[test]
fn a_lost_answer_is_given_again_to_the_same_device() {
    let mut office = Office::open();
    let invited = office.invite(Role::Outreach, &["rabat"], None, "Agent");
    let (key, request) = Phone::request(&mut office, &secret(&invited.invitation));
    let first = Phone::hand_in(&mut office, key.clone(), &request).unwrap();
    office.now_ms += 30 * HOUR_MS;
    let mut again = Phone::hand_in(&mut office, key, &request).unwrap();
    assert_eq!(first.grant.device, again.grant.device);
    assert_eq!(first.enrolled.case_numbers, again.enrolled.case_numbers);
    again.sync(&mut office).durable();
}

#[test]
fn an_invitation_ends_after_a_day_and_its_code_after_a_quarter_of_an_hour() {
    let mut office = Office::open();
    let invited = office.invite(Role::Outreach, &["rabat"], None, "Agent");
    office.now_ms += 16 * MINUTE_MS;
    assert_eq!(enrol_with(&mut office, invited.code.as_bytes()).err().unwrap(), "invitation_unknown");
    office.now_ms = MONDAY_MS + DAY_MS;
    assert_eq!(enrol_with(&mut office, &secret(&invited.invitation)).err().unwrap(), "invitation_expired");
}

#[test]
fn a_code_said_over_the_phone_works_however_it_is_written() {
    let mut office = Office::open();
    let invited = office.invite(Role::Trainer, &["casablanca"], None, "Formatrice");
    let said = format!("{}-{}", &invited.code[..5], &invited.code[5..]).to_lowercase();
    assert_eq!(enrol_with(&mut office, said.as_bytes()).unwrap().grant.role, "trainer");
}

#[test]
fn five_wrong_codes_kill_the_right_one_but_not_the_link() {
    let mut office = Office::open();
    let invited = office.invite(Role::Outreach, &["rabat"], None, "Agent");
    let last = if invited.code.ends_with('0') { '1' } else { '0' };
    let wrong = format!("{}{last}", &invited.code[..9]);
    for _ in 0..5 {
        assert_eq!(enrol_with(&mut office, wrong.as_bytes()).err().unwrap(), "invitation_unknown");
    }
    assert_eq!(enrol_with(&mut office, invited.code.as_bytes()).err().unwrap(), "invitation_unknown");
    enrol_with(&mut office, &secret(&invited.invitation)).unwrap();
}

#[test]
fn guessing_codes_is_slowed_down_and_stops_nobody_else() {
    let mut office = Office::open();
    let mut phone = office.outreach("oujda", "Agent");
    let codes = (0..40).map(|_| enrol_with(&mut office, b"0000000000").err().unwrap());
    assert!(codes.collect::<Vec<_>>().contains(&"too_many_tries".to_owned()));
    // The whole point shares one address: those who are enrolled, and those with a QR code, go on.
    phone.sync(&mut office).durable();
    office.outreach("oujda", "Agent 2").sync(&mut office).durable();
}

#[test]
fn what_is_no_enrolment_is_refused_with_its_code() {
    let mut office = Office::open();
    let invited = office.invite(Role::Outreach, &["rabat"], None, "Agent");
    let (_, request) = Phone::request(&mut office, &secret(&invited.invitation));
    let mut code_of =
        |body: &[u8]| office.server.enrol(body, office.now_ms, &mut office.entropy).err().map(|refusal| refusal.code);
    assert_eq!(code_of(b"").unwrap(), "malformed");
    assert_eq!(code_of(&[0xff; 100]).unwrap(), "malformed");
    assert_eq!(code_of(&vec![0; 5000]).unwrap(), "too_large");
    let body = frame::to_cbor(&request);
    for cut in 0..body.len() {
        assert!(code_of(&body[..cut]).is_some(), "cut at {cut}");
    }
    // Somebody else's key, without the key itself.
    let foreign = EnrolRequest { incarnation: Incarnation([9; 16]), ..request.clone() };
    assert_eq!(code_of(&frame::to_cbor(&foreign)).unwrap(), "bad_signature");
    let unsigned = EnrolRequest { signature: Signature64([0; 64]), ..request.clone() };
    assert_eq!(code_of(&frame::to_cbor(&unsigned)).unwrap(), "bad_signature");
    assert_eq!(code_of(&body), None, "and the right one still works");
}

#[test]
fn one_key_is_one_device() {
    let mut office = Office::open();
    let first = office.invite(Role::Outreach, &["rabat"], None, "Agent");
    let second = office.invite(Role::HostCounsellor, &["rabat"], None, "Agent");
    let (key, request) = Phone::request(&mut office, &secret(&first.invitation));
    Phone::hand_in(&mut office, key.clone(), &request).unwrap();
    let secret = secret(&second.invitation);
    let signature = proof::sign_enrolment(&key, &secret, &request.incarnation);
    let request = EnrolRequest { secret: secret.to_vec(), signature, ..request };
    assert_eq!(Phone::hand_in(&mut office, key, &request).err().unwrap(), "already_enrolled");
}

#[test]
fn role_places_and_case_must_go_together() {
    let mut office = Office::open();
    let mut try_to = |role: &str, places: &[&str], case: bool| {
        let places = places.iter().map(|place| place.parse().unwrap()).collect();
        let case = case.then_some(foras_wire::id::RecordId([1; 16]));
        let invite = Invite { role: role.parse().unwrap(), places, case, name: None };
        office.server.invite(&invite, MONDAY_MS, &mut office.entropy).map(drop).map_err(|error| error.code())
    };
    for (role, places, case) in [
        ("outreach", &["oujda", "rabat"][..], false),
        ("trainer", &["casablanca"], false),
        ("host_counsellor", &["oujda"], false),
        ("origin_counsellor", &["ML", "SN"], false),
        ("migrant", &[], true),
        ("coordinator", &[], false),
        ("admin", &[], false),
    ] {
        assert_eq!(try_to(role, places, case), Ok(()), "{role}");
    }
    for (role, places, case) in [
        ("outreach", &[][..], false),
        ("outreach", &["ML"], false),
        ("outreach", &["oujda", "ML"], false),
        ("outreach", &["oujda"], true),
        ("origin_counsellor", &[], false),
        ("origin_counsellor", &["oujda"], false),
        ("origin_counsellor", &["FR"], false),
        ("migrant", &[], false),
        ("coordinator", &["oujda"], false),
        ("admin", &["ML"], false),
        ("server", &[], false),
    ] {
        assert_eq!(try_to(role, places, case), Err("misuse"), "{role} {places:?}");
    }
}

#[test]
fn an_invitation_needs_an_address() {
    let mut entropy = SeededEntropy::new(1);
    let server = Server::open_in_memory(MONDAY_MS, &mut entropy).unwrap();
    let invite = Invite { role: Role::Admin, places: [].into(), case: None, name: None };
    assert_eq!(server.invite(&invite, MONDAY_MS, &mut entropy).unwrap_err().code(), "no_address");
    server.set_address("http://127.0.0.1:8421", Some("https://foras.example/")).unwrap();
    let invited = server.invite(&invite, MONDAY_MS, &mut entropy).unwrap();
    assert_eq!(invited.invitation.parse::<Invitation>().unwrap().server_url, "https://foras.example");
}

#[test]
fn a_lost_phone_is_refused_at_once() {
    let mut office = Office::open();
    let mut phone = office.outreach("oujda", "Agent");
    let mut other = office.outreach("oujda", "Agent 2");
    office.server.revoke(&phone.grant.device, Revocation::Lost).unwrap();
    assert_eq!(phone.sync(&mut office).refusal(), "revoked");
    phone.proves = true;
    assert_eq!(phone.sync(&mut office).refusal(), "revoked");
    other.sync(&mut office).durable();
    let states: Vec<_> = office.server.devices().unwrap().iter().map(|device| device.state).collect();
    assert_eq!(states.iter().filter(|state| **state == "lost").count(), 1);
    // Nobody un-loses it.
    office.server.revoke(&phone.grant.device, Revocation::Left).unwrap();
    assert_eq!(phone.sync(&mut office).refusal(), "revoked");
}

#[test]
fn a_phone_that_was_offline_for_long_proves_itself_in_the_same_request() {
    let mut office = Office::open();
    let mut phone = office.outreach("oujda", "Agent");
    phone.sync(&mut office).durable();
    office.days_pass(9);
    assert_eq!(phone.sync(&mut office).refusal(), "unauthenticated", "the token has ended");
    phone.proves = true;
    let before = phone.token;
    let (nonce, credentials) = (phone.nonce, phone.credentials());
    phone.sync(&mut office).durable();
    assert_ne!(phone.token, before);
    // Whoever recorded that request cannot use it again.
    office.days_pass(3);
    assert_ne!(phone.nonce, nonce);
    let mut refused = String::new();
    let body = frame::encode_request(&phone.request_with(Vec::new()));
    office.server.exchange(Some(&credentials), &body, office.now_ms, &mut office.entropy, &mut |frame| {
        if let foras_wire::sync::AnswerFrame::Refused(refusal) = frame {
            refused = refusal.code;
        }
        true
    });
    assert_eq!(refused, "unauthenticated");
}

#[test]
fn a_refusal_brings_the_challenge_that_lets_the_device_in() {
    let mut office = Office::open();
    let mut phone = office.outreach("oujda", "Agent");
    // The phone comes back after its challenge ended, too.
    office.days_pass(120);
    phone.proves = true;
    let answer = phone.sync(&mut office);
    assert_eq!(answer.refusal(), "unauthenticated");
    phone.nonce = answer.refused.unwrap().nonce.unwrap();
    phone.sync(&mut office).durable();
}

#[test]
fn another_devices_challenge_or_token_helps_nobody() {
    let mut office = Office::open();
    let mut phone = office.outreach("oujda", "Agent");
    let other = office.outreach("oujda", "Agent 2");
    phone.token = other.token;
    phone.nonce = other.nonce;
    phone.proves = true;
    assert_eq!(phone.sync(&mut office).refusal(), "unauthenticated");
    let mut nothing = Vec::new();
    office.server.exchange(None, b"", office.now_ms, &mut office.entropy, &mut |frame| {
        nothing.push(frame);
        true
    });
    assert!(
        matches!(&nothing[..], [foras_wire::sync::AnswerFrame::Refused(refusal)] if refusal.code == "unauthenticated")
    );
}

#[test]
fn a_grant_is_renewed_long_before_it_ends() {
    let mut office = Office::open();
    let mut phone = office.outreach("oujda", "Agent");
    phone.sync(&mut office).durable();
    let before = phone.cursors.clone();
    office.days_pass(200);
    phone.proves = true;
    let answer = phone.sync(&mut office);
    let nonce = answer.refused.map(|refusal| refusal.nonce.unwrap());
    phone.nonce = nonce.unwrap_or(phone.nonce);
    phone.sync(&mut office).durable();
    assert_eq!(phone.grant.revision, 2);
    assert!(phone.grant.expires_s > office.now_ms / 1000 + 300 * 24 * 3600);
    assert_eq!(phone.cursors, before, "nothing is sent twice");
}
