#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! Phones that are enrolled without a server, over stores in memory.

use ed25519_dalek::SigningKey;
use foras_record::audience;
use foras_record::identity;
use foras_record::kind::Kind;
use foras_record::place::Place;
use foras_record::proof;
use foras_record::role::Role;
use foras_wire::enrol::{CaseNumberBlock, EnrolAnswer};
use foras_wire::grant::Grant;
use foras_wire::id::{DeviceId, Nonce, ServerId};
use proptest::prelude::*;

use super::*;

/// 2026-10-05, 09:00 in Morocco.
const MORNING_MS: i64 = 1_791_187_200_000;
const DAY_MS: i64 = 24 * 3_600 * 1_000;

struct FixedClock(i64);

impl Clock for FixedClock {
    fn now_ms(&self) -> i64 {
        self.0
    }
}

/// A phone of `role` at `place` with `numbers` case numbers, made at `now_ms` after the enrolment.
fn phone(role: Role, place: &str, numbers: u64, now_ms: i64) -> Phone {
    let mut store = Store::open_in_memory(Box::new(SystemEntropy)).unwrap();
    let request = store.enrol_request(&[7; 16]).unwrap();
    let server = SigningKey::from_bytes(&[1; 32]);
    let places: Vec<Place> = vec![place.parse().unwrap()];
    let grant = Grant {
        server: ServerId([2; 16]),
        device: DeviceId([3; 16]),
        key: request.key,
        revision: 1,
        role: role.code().to_owned(),
        places: vec![place.to_owned()],
        audiences: audience::granted(role, &places, None).into_iter().map(|audience| audience.name()).collect(),
        case: None,
        name: Some("Nadia".to_owned()),
        issued_s: MORNING_MS / 1_000,
        expires_s: i64::MAX,
        lease_s: 14 * 24 * 3_600,
    };
    let answer = EnrolAnswer {
        server: ServerId([2; 16]),
        server_key: proof::public_key(&server),
        epoch: 1,
        now_ms: MORNING_MS,
        token: [4; 32],
        nonce: Nonce([5; 16]),
        grant: proof::sign_grant(&server, &grant),
        case_numbers: (numbers > 0).then(|| CaseNumberBlock { prefix: "OUJ1".to_owned(), first: 1, last: numbers }),
        import_key: (numbers > 0).then_some([6; 32]),
    };
    store.complete_enrolment(&answer, "http://127.0.0.1:1", None, MORNING_MS).unwrap();
    Phone::over(store, Box::new(FixedClock(now_ms)))
}

fn worker() -> Phone {
    phone(Role::Outreach, "oujda", 1_000, MORNING_MS)
}

fn registration() -> Registration {
    let settings = [
        "name=Awa Exemple",
        "sex=f",
        "birth_year=1996",
        "nationality=ML",
        "country=ML",
        "point=oujda",
        "phone=0612345678",
    ];
    Registration {
        settings: settings.iter().map(|pair| Setting::parse(pair).unwrap()).collect(),
        consents: vec![("assist".to_owned(), "oral".to_owned())],
        basis: None,
    }
}

fn line(number: usize) -> String {
    format!(
        r#"{{"ref":"o-{number}","name":"Exemple","sex":"f","birth_year":1991,"nationality":"ML","country":"ML","point":"oujda","registered_on":"2019-03-01","consents":{{"assist":"oral"}},"modules":[{{"module":"crafts","on":"2019-03-05","attendance":"present"}}],"satisfaction":"yes"}}"#
    )
}

#[test]
fn a_worker_registers_one_person_with_three_records_in_one_change_set() {
    let mut worker = worker();
    let made = worker.register(&registration()).unwrap();
    assert_eq!(made.case_number, "OUJ1-1");
    assert_eq!(worker.status().unwrap().pending, 3);
    let shown = worker.show("OUJ1-1").unwrap();
    assert_eq!(shown.records.iter().map(|record| record.kind).collect::<Vec<_>>(), ["person", "badge", "case"]);
    assert_eq!(shown.records[2].fields["programme"].value, "FORAS II");
    assert_eq!(shown.records[2].fields["registered_on"].value, "2026-10-05");
    assert_eq!(shown.records[2].delivery.state, "saved");
}

#[test]
fn who_says_the_same_twice_on_one_day_is_heard_twice() {
    let mut worker = worker();
    let made = worker.register(&registration()).unwrap();
    let mut events = std::collections::BTreeSet::new();
    for status in ["withdrawn", "given", "withdrawn", "given"] {
        let (purpose, form) = ("assist".to_owned(), "oral".to_owned());
        let said = ConsentEvent { purpose, status: status.to_owned(), form, ..ConsentEvent::default() };
        events.insert(worker.consent(&made.id, &said).unwrap().event);
    }
    assert_eq!(events.len(), 4);
    let case = worker.case_document(&made.id.parse().unwrap()).unwrap();
    let consents = case.items(Kind::Case.rule().field("consent").unwrap());
    assert_eq!(consents.len(), 5, "{consents:?}");
}

#[test]
fn the_ids_of_what_a_registration_says_follow_from_it() {
    let mut worker = worker();
    let made = worker.register(&registration()).unwrap();
    let (author, id) = (worker.store().identity().unwrap().actor(), made.id.parse().unwrap());
    let case = worker.case_document(&id).unwrap();
    let key = identity::record(Kind::Case, id, Some(id)).key;
    for name in ["registered", "consent"] {
        let said = case.items(Kind::Case.rule().field(name).unwrap());
        let [(event, json)] = said.iter().collect::<Vec<_>>()[..] else { panic!("one event: {said:?}") };
        assert_eq!(*event, identity::statement(&author, &key, name, json.as_text().unwrap()).to_string());
    }
}

#[test]
fn when_case_numbers_are_used_up_nothing_is_registered() {
    let mut worker = phone(Role::Outreach, "oujda", 1, MORNING_MS);
    let mut wrong = registration();
    wrong.settings.push(Setting::new("household", "0"));
    assert_eq!(worker.register(&wrong).unwrap_err().code(), "invalid_value");
    assert_eq!(worker.register(&registration()).unwrap().case_number, "OUJ1-1");
    assert_eq!(worker.register(&registration()).unwrap_err().code(), "no_case_number");
    assert_eq!(worker.status().unwrap().pending, 3);
    let done = worker.import(line(1).as_bytes(), |_| {}).unwrap();
    assert_eq!((done.added, done.refused[0].code.as_str()), (0, "no_case_number"));
}

#[test]
fn after_a_month_without_contact_records_hide_and_work_goes_on() {
    let mut worker = phone(Role::Outreach, "oujda", 10, MORNING_MS + 30 * DAY_MS);
    let made = worker.register(&registration()).unwrap();
    assert_eq!(worker.show(&made.id).unwrap_err().code(), "locked");
    assert_eq!(worker.list("people", &Filter::default()).unwrap_err().code(), "locked");
    assert_eq!(worker.conflicts(1).unwrap_err().code(), "locked");
    assert_eq!(worker.export(|_| Ok::<_, Error>(())).unwrap_err().code(), "locked");
    assert!(worker.edit(&made.id, &[Setting::new("needs", "shelter")]).unwrap().changed);
    assert_eq!(worker.status().unwrap().lease.unwrap().left_s, 0);
}

#[test]
fn an_import_takes_what_it_can_over_many_batches() {
    let mut worker = worker();
    let mut lines: Vec<String> = (0..120).map(line).collect();
    lines[60] = line(60).replace("\"oujda\"", "\"rabat\"");
    lines[70] = line(5);
    lines[119] = line(118);
    let done = worker.import(lines.join("\n").as_bytes(), |_| {}).unwrap();
    assert_eq!((done.added, done.unchanged), (117, 2));
    assert_eq!((done.refused[0].line, done.refused[0].field.as_deref()), (61, Some("point")));
    assert_eq!(worker.list("sessions", &Filter::default()).unwrap().total, 1);
    assert_eq!(worker.list("people", &Filter::default()).unwrap().total, 117);
    // Four records each, one session, one answer each.
    assert_eq!(worker.status().unwrap().pending, 117 * 4 + 1 + 117);
    let shown = worker.list("cases", &Filter::default()).unwrap();
    assert_eq!(shown.items[0].columns["programme"], "FORAS");
    let again = worker.import(lines.join("\n").as_bytes(), |_| {}).unwrap();
    assert_eq!((again.added, again.unchanged), (0, 119));
}

#[test]
fn one_file_makes_the_same_people_on_two_phones() {
    let cases = |phone: &mut Phone| {
        phone.import(line(1).as_bytes(), |_| {}).unwrap();
        phone.list("people", &Filter::default()).unwrap().items[0].id.clone()
    };
    assert_eq!(cases(&mut worker()), cases(&mut worker()));
}

#[test]
fn an_edit_by_ref_finds_imported_and_registered_people() {
    let mut worker = worker();
    worker.import(line(1).as_bytes(), |_| {}).unwrap();
    let mut other = registration();
    other.settings.push(Setting::new("ref", "paper 12"));
    let made = worker.register(&other).unwrap();
    let mut codes = Vec::new();
    let edits = "{\"ref\":\"o-1\",\"set\":{\"needs\":\"a\"}}\n{\"ref\":\"paper 12\",\"set\":{\"needs\":\"b\"}}\n\
                 {\"ref\":\"paper\",\"set\":{\"needs\":\"c\"}}";
    let report = |applied: &Applied| {
        codes.push(applied.code.clone().unwrap_or_default());
        Ok::<_, Error>(())
    };
    worker.apply(edits.as_bytes(), report).unwrap();
    assert_eq!(codes, ["", "", "not_found"]);
    let needs =
        |shown: Shown| shown.records.iter().find(|record| record.kind == "project").unwrap().fields["needs"].clone();
    assert_eq!(needs(worker.show(&made.id).unwrap()).value, "b");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever bytes stand in a file: each line is taken or refused, and the phone goes on.
    #[test]
    fn any_bytes_are_read_to_their_end(bytes in proptest::collection::vec(any::<u8>(), 0..400), at in 0_usize..400) {
        let mut worker = worker();
        let mut file = line(1).into_bytes();
        let at = at.min(file.len());
        file.splice(at..at, bytes);
        file.push(b'\n');
        file.extend(line(2).into_bytes());
        let done = worker.import(file.as_slice(), |_| {}).unwrap();
        prop_assert!(done.added >= 1);
        let mut reported = 0_u64;
        worker.apply(file.as_slice(), |_| { reported += 1; Ok::<_, Error>(()) }).unwrap();
        prop_assert_eq!(reported, done.added + done.refused.len() as u64 + done.unchanged);
    }
}
