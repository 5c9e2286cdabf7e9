//! Copies: a phone whose store was copied, and a server that runs on an older copy of its data folder.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod office;

use std::fs;
use std::path::Path;

use office::{Office, Phone};

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[test]
fn a_copied_phone_and_its_original_both_send_all_that_was_typed_into_them() {
    let office = Office::open();
    let worker = office.phone("outreach", &["oujda"], "Nadia");
    let (one, two) = (worker.registers("Awa Exemple", "oujda", "GN"), worker.registers("Binta Exemple", "oujda", "GN"));
    worker.syncs();
    let twin = Phone::at(&office.dir.path().join("twin"));
    copy(&worker.store, &twin.store);

    worker.does(&["edit", &one, "--set", "needs=shelter"]);
    worker.does(&["edit", &two, "--set", "education=none"]);
    twin.does(&["edit", &one, "--set", "needs=a doctor"]);
    twin.does(&["edit", &two, "--set", "skills=sewing"]);
    worker.syncs();
    // The server takes no second change under the same number; the copy writes its work anew, in the same sync.
    let synced = twin.syncs();
    assert_eq!((&synced["refused"], &synced["pending"]), (&0.into(), &0.into()));
    worker.syncs();
    for phone in [&worker, &twin] {
        let (one, two) = (phone.shows(&one), phone.shows(&two));
        let needs = one.field("project", "needs");
        let values = [needs["value"].as_str().unwrap(), needs["others"][0]["value"].as_str().unwrap()];
        assert!(values.contains(&"shelter") && values.contains(&"a doctor"), "{needs}");
        assert_eq!(
            (two.value("project", "education"), two.value("project", "skills")),
            (&"none".into(), &"sewing".into())
        );
    }
}

#[test]
fn a_server_put_back_to_yesterdays_copy_gets_back_what_it_lost() {
    let mut office = Office::open();
    let worker = office.phone("outreach", &["oujda"], "Nadia");
    let counsellor = office.phone("host_counsellor", &["oujda"], "Samira");
    let id = worker.registers("Awa Exemple", "oujda", "GN");
    worker.syncs();
    office.stop_server();
    let backup = office.dir.path().join("backup");
    copy(&office.data(), &backup);
    office.start_server();
    worker.does(&["edit", &id, "--set", "needs=shelter"]);
    let lost = worker.registers("Binta Exemple", "oujda", "ML");
    for phone in [&worker, &counsellor] {
        phone.does(&["sync", "--server", &office.url]);
    }
    counsellor.does(&["edit", &lost, "--set", "education=none"]);
    counsellor.does(&["sync", "--server", &office.url]);

    office.stop_server();
    fs::rename(office.data(), office.dir.path().join("newer")).unwrap();
    fs::rename(&backup, office.data()).unwrap();
    office.start_server();
    worker.does(&["edit", &id, "--set", "needs=shelter and a doctor"]);
    for phone in [&worker, &counsellor, &worker, &counsellor] {
        phone.does(&["sync", "--server", &office.url]);
    }
    for phone in [&worker, &counsellor] {
        assert_eq!(phone.pending(), 0);
        assert_eq!(phone.shows(&id).value("project", "needs"), &"shelter and a doctor");
        assert_eq!(phone.shows(&lost).value("project", "education"), &"none");
    }
}
