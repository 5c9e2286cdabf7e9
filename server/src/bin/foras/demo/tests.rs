//! The measures must be able to fail: each is shown what it has to notice.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use foras::phone::{Registration, Setting};
use foras_record::kind::Kind;
use foras_record::place::{Place, Point};
use foras_record::role::Role;

use super::device::Device;
use super::journal::{Journal, Written};
use super::laws;
use super::office::Office;

/// Two outreach workers of Oujda who both hold one registered person.
fn two_colleagues() -> (Office, Vec<Device>, String) {
    let office = Office::open(0).unwrap();
    let oujda = Some(Place::Point(Point::Oujda));
    let mut devices: Vec<Device> =
        ["one", "other"].map(|name| Device::enrol(&office, name, name, Role::Outreach, oujda, None).unwrap()).into();
    let settings = [
        ("name", "Sample Person"),
        ("sex", "f"),
        ("birth_year", "1996"),
        ("nationality", "GN"),
        ("country", "GN"),
        ("point", "oujda"),
    ];
    let registered = devices[0].phone.register(&Registration {
        settings: settings.map(|(field, value)| Setting::new(field, value)).into(),
        consents: vec![("assist".to_owned(), "oral".to_owned())],
        basis: None,
    });
    devices[0].sync_all().unwrap();
    devices[1].sync_all().unwrap();
    (office, devices, registered.unwrap().id)
}

fn journaled(journal: &mut Journal, devices: &mut [Device], by: usize, case: &str, needs: &str) {
    let edit = journal.edit(devices, by, case, |phone| {
        phone.edit(case, &[Setting::new("needs", needs)])?;
        Ok(vec![Written::value(Kind::Project, "needs", needs)])
    });
    edit.unwrap();
}

fn rest(devices: &mut [Device]) {
    for _ in 0..3 {
        for device in &mut *devices {
            device.sync_all().unwrap();
        }
    }
}

#[test]
fn what_was_sent_and_merged_is_not_lost() {
    let (office, mut devices, case) = two_colleagues();
    let mut journal = Journal::default();
    journaled(&mut journal, &mut devices, 0, &case, "shelter");
    journaled(&mut journal, &mut devices, 1, &case, "a doctor");
    let truth = office.server().content_by_audience().unwrap();
    assert_eq!(journal.tally(&mut devices, &truth).unwrap().acknowledged, 0, "nothing was sent yet");
    rest(&mut devices);
    assert_eq!(laws::concurrent_values(&mut devices).unwrap().values().sum::<usize>(), 1);
    journaled(&mut journal, &mut devices, 0, &case, "shelter and a doctor");
    rest(&mut devices);
    assert!(laws::concurrent_values(&mut devices).unwrap().is_empty());
    let truth = office.server().content_by_audience().unwrap();
    let tally = journal.tally(&mut devices, &truth).unwrap();
    assert_eq!((tally.acknowledged, tally.lost), (3, 0));
    office.close().unwrap();
}

#[test]
fn an_edit_that_is_gone_from_a_replica_is_lost() {
    let (office, mut devices, case) = two_colleagues();
    let mut journal = Journal::default();
    journaled(&mut journal, &mut devices, 0, &case, "shelter");
    rest(&mut devices);
    // Behind the journal's back, as if merging had overwritten it.
    devices[1].phone.edit(&case, &[Setting::new("needs", "nothing")]).unwrap();
    rest(&mut devices);
    let truth = office.server().content_by_audience().unwrap();
    assert_eq!(journal.tally(&mut devices, &truth).unwrap().lost, 1);
    let without = truth.into_keys().map(|audience| (audience, Default::default())).collect();
    assert_eq!(journal.tally(&mut devices, &without).unwrap().lost, 1, "the server itself lost it");
    office.close().unwrap();
}

#[test]
fn a_difference_and_a_leak_are_noticed() {
    let (office, mut devices, case) = two_colleagues();
    let mut truth = office.server().content_by_audience().unwrap();
    let rested = laws::compare(&mut devices, &truth).unwrap();
    assert!(rested.compared > 0);
    assert_eq!((rested.differing, rested.leaks), (0, 0));
    devices[0].phone.edit(&case, &[Setting::new("literacy", "full")]).unwrap();
    assert_eq!(laws::compare(&mut devices, &truth).unwrap().differing, 1, "one phone has what the server has not");
    truth.remove(&"casework:oujda".parse().unwrap());
    let leaked = laws::compare(&mut devices, &truth).unwrap();
    assert!(leaked.leaks > 0, "records of an audience that the server says is empty");
    office.close().unwrap();
}
