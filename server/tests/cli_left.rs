//! Somebody leaves, and the phone is in honest hands: what it has not sent is received first.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod office;

use office::{Office, foras};

#[test]
fn whoever_left_hands_in_what_is_unsent_in_one_sync_and_is_then_refused() {
    let office = Office::open();
    let worker = office.phone("outreach", &["oujda"], "Nadia");
    worker.syncs();
    worker.registers("Awa Exemple", "oujda", "SN");
    let data = office.data();
    let data = data.to_str().unwrap();
    let device = foras(&["device", "list", "--data", data]).done()["items"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(foras(&["device", "revoke", &device, "--left", "--data", data]).done()["state"], "left");
    assert_eq!(worker.run(&["sync"]).failed(), (1, "revoked".to_owned()));
    let listed = foras(&["device", "list", "--data", data]).done()["items"][0].clone();
    assert_eq!((listed["state"].as_str(), listed["quarantined"].as_u64()), (Some("left"), Some(3)));
    assert_eq!(worker.pending(), 0);
    assert_eq!(worker.run(&["sync"]).failed(), (1, "revoked".to_owned()));
    // Nobody else is told of her by this way.
    let other = office.phone("outreach", &["oujda"], "Samir");
    other.syncs();
    assert!(other.people().is_empty());
}
