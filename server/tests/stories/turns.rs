//! Stories of phones that start cold while many others do.

use foras_record::role::Role;
use foras_wire::frame;
use foras_wire::turn::Turn;

use crate::field::{Answer, Office, Person, Phone};

/// The phone asks; its catch-up is put off when it is as long as `long`.
fn ask_in_turn(office: &mut Office, phone: &Phone, long: u64) -> (Answer, u64) {
    let pushes = if phone.waiting.0.is_empty() { Vec::new() } else { vec![phone.push()] };
    let body = frame::encode_request(&phone.request_with(pushes));
    let (mut answer, mut asked) = (Answer::default(), 0);
    let mut turns = |_, entries| {
        asked = entries;
        (entries >= long).then_some(Turn { after_s: 7, ahead: 3 })
    };
    let Office { server, now_ms, entropy, .. } = office;
    server.exchange_in_turn(Some(&phone.credentials()), &body, *now_ms, entropy, &mut turns, &mut |frame| {
        answer.take(frame);
        true
    });
    (answer, asked)
}

#[test]
fn who_has_to_wait_for_its_turn_hands_in_its_work_all_the_same() {
    let mut office = Office::open();
    let mut worker = office.outreach("oujda", "Agent 7");
    for name in ["Awa", "Fatou", "Oumar"] {
        Person::register(&mut office, &mut worker, "oujda", name);
    }
    worker.sync(&mut office).durable();
    let mut counsellor = office.phone(Role::HostCounsellor, &["oujda"], "Counsellor");
    Person::register(&mut office, &mut counsellor, "oujda", "Moussa");
    let (answer, asked) = ask_in_turn(&mut office, &counsellor, 5);
    let answer = answer.durable();
    assert!(asked > 9, "{asked}");
    assert_eq!(answer.turn, Some(Turn { after_s: 7, ahead: 3 }));
    assert!(answer.acks.len() == 1 && answer.pages.is_empty() && answer.heads.is_none());
    worker.sync(&mut office).durable();
    assert!(worker.records.len() > 9, "what was handed in reaches the others before the turn has come");
    // Its turn comes.
    let (answer, _) = ask_in_turn(&mut office, &counsellor, u64::MAX);
    assert!(answer.turn.is_none() && !answer.pages.is_empty() && answer.heads.is_some());
    assert_eq!(answer.exceptions(), ["duplicate"; 3]);
    // From then on there is little to catch up.
    counsellor.waiting = Default::default();
    counsellor.apply(&answer);
    let (answer, asked) = ask_in_turn(&mut office, &counsellor, 5);
    assert_eq!((asked, answer.turn), (0, None));
}
