//! A field office in separate processes: what staff do offline, and what everybody sees once phones meet the server.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod office;

use office::{Office, Phone, foras};
use serde_json::json;

#[test]
fn a_worker_in_oujda_registers_offline_and_the_counsellor_sees_it_after_both_synced() {
    let mut office = Office::open();
    let worker = office.phone("outreach", &["oujda"], "Nadia");
    let counsellor = office.phone("host_counsellor", &["oujda"], "Karim");
    office.stop_server();

    let registered = worker.does(&[
        "register",
        "--set",
        "name=Aïssata Exemple",
        "--set",
        "sex=f",
        "--set",
        "birth_year=1996",
        "--set",
        "nationality=GN",
        "--set",
        "country=GN",
        "--set",
        "point=oujda",
        "--set",
        "phone=0612345678",
        "--set",
        "languages=fr",
        "--set",
        "languages=ff",
        "--consent",
        "assist=oral",
    ]);
    let (id, number) = (registered["id"].as_str().unwrap(), registered["case_number"].as_str().unwrap());
    let edited = worker.does(&["edit", number, "--set", "education=baccalauréat", "--set", "phone=+212612345679"]);
    assert_eq!((&edited["id"], &edited["changed"]), (&json!(id), &json!(true)));
    let shown = worker.shows(number);
    assert_eq!(shown.delivery("person"), "saved");
    assert_eq!(shown.field("person", "name")["by"], json!({"name": "Nadia", "role": "outreach"}));
    assert_eq!(worker.pending(), 5);

    let down = worker.run(&["sync"]);
    assert_eq!(down.failed(), (1, "offline".to_owned()));
    assert_eq!(down.object()["pending"], 5);
    assert_eq!(worker.pending(), 5);

    office.start_server();
    let sent = worker.does(&["sync", "--server", &office.url]);
    assert_eq!((&sent["sent"], &sent["pending"], &sent["refused"]), (&json!(5), &json!(0), &json!(0)));
    assert!(sent["bytes_up"].as_u64().unwrap() > 0 && sent["bytes_down"].as_u64().unwrap() > 0);
    assert_eq!(worker.shows(id).delivery("person"), "server");

    counsellor.does(&["sync", "--server", &office.url]);
    let shown = counsellor.shows(id);
    assert_eq!(shown.value("person", "name"), "Aïssata Exemple");
    assert_eq!(shown.value("person", "phone"), &json!(["+212612345679"]));
    assert_eq!(shown.value("case", "languages"), &json!(["ff", "fr"]));
    assert_eq!(shown.value("case", "case_number"), number);
    assert_eq!(shown.value("case", "point"), "oujda");
    assert_eq!(shown.field("person", "name"), worker.shows(id).field("person", "name"));
    assert_eq!(counsellor.people(), ["Aïssata Exemple"]);
    let nothing_new = counsellor.does(&["sync", "--server", &office.url]);
    assert_eq!((&nothing_new["received"], &nothing_new["round_trips"]), (&json!(0), &json!(1)));
}

#[test]
fn two_edits_at_once_are_both_kept_until_somebody_settles_them() {
    let office = Office::open();
    let worker = office.phone("outreach", &["oujda"], "Nadia");
    let counsellor = office.phone("host_counsellor", &["oujda"], "Karim");
    let id = worker.registers("Mariam Exemple", "oujda", "ML");
    worker.syncs();
    counsellor.syncs();

    worker.does(&["edit", &id, "--set", "needs=shelter"]);
    counsellor.does(&["edit", &id, "--set", "needs=a doctor"]);
    for phone in [&worker, &counsellor, &worker] {
        phone.syncs();
    }
    let (here, there) = (worker.shows(&id), counsellor.shows(&id));
    assert_eq!(here.field("project", "needs"), there.field("project", "needs"));
    let others = here.field("project", "needs")["others"].as_array().unwrap();
    assert_eq!(others.len(), 1);
    let listed = counsellor.does(&["conflicts"]);
    assert_eq!((&listed["total"], &listed["pages"]), (&json!(1), &json!(1)));
    assert_eq!(&listed["items"][0]["fields"]["needs"], here.field("project", "needs"));
    assert_eq!(listed["items"][0]["id"], id);

    worker.does(&["edit", &id, "--set", "needs=shelter and a doctor"]);
    worker.syncs();
    counsellor.syncs();
    assert_eq!(counsellor.does(&["conflicts"])["total"], 0);
    assert_eq!(counsellor.shows(&id).value("project", "needs"), "shelter and a doctor");
}

#[test]
fn a_trainer_takes_the_roll_call_and_sees_no_more_than_called_names() {
    let office = Office::open();
    let worker = office.phone("outreach", &["oujda"], "Nadia");
    let trainer = office.phone("trainer", &["oujda"], "Samir");
    let id = worker.registers("Fatou Exemple", "oujda", "SN");
    let session = worker.does(&[
        "session",
        "add",
        "--module",
        "awareness",
        "--point",
        "oujda",
        "--start",
        "2026-10-05T09:00:00+01:00",
        "--minutes",
        "120",
        "--capacity",
        "20",
    ]);
    let session = session["id"].as_str().unwrap();
    worker.does(&["enrol-in", session, &id]);
    worker.syncs();
    trainer.syncs();
    assert_eq!(trainer.people(), ["Fatou Exemple"]);
    assert_eq!(trainer.shows(&id).kinds(), ["badge", "path"]);

    trainer.does(&["attend", session, &id, "present"]);
    for forbidden in [
        &["edit", &id, "--set", "phone=0612345678"][..],
        &["edit", &id, "--set", "name=Other"],
        &["note", &id, "--text", "x"],
        &["consent", &id, "photo", "given", "--form", "oral"],
        &["handover", "propose", &id, "--to", "SN"],
    ] {
        assert_eq!(trainer.run(forbidden).failed(), (1, "not_allowed".to_owned()), "{forbidden:?}");
    }
    assert_eq!(trainer.pending(), 1);
    trainer.syncs();
    worker.syncs();
    assert_eq!(worker.shows(&id).value("path", &format!("attendance/{session}")), "present");
    assert_eq!(worker.does(&["feedback", session, "--satisfied", "yes"])["deposited"], true);
    assert_eq!(worker.syncs()["sent"], 1);
    let moved = worker.does(&["edit", session, "--set", "capacity=25"]);
    assert_eq!(moved["id"], session);
    assert_eq!(worker.shows(session).value("session", "capacity"), 25);
}

#[test]
fn a_case_goes_to_bamako_with_consent_and_comes_back_when_it_is_withdrawn() {
    let office = Office::open();
    let worker = office.phone("outreach", &["oujda"], "Nadia");
    let mission = office.phone("origin_counsellor", &["ML"], "Oumar");
    let id = worker.registers("Mariam Exemple", "oujda", "ML");
    worker.does(&["handover", "propose", &id, "--to", "ML"]);
    let synced = worker.syncs();
    assert_eq!(synced["refused"], 0, "a void ruling is an acknowledgement");
    mission.syncs();
    assert_eq!(mission.run(&["show", &id]).failed(), (1, "not_found".to_owned()));

    worker.does(&["consent", &id, "share_with_origin_mission", "given", "--form", "written"]);
    worker.does(&["edit", &id, "--set", "project_idea=a bakery"]);
    worker.does(&["handover", "propose", &id, "--to", "ML"]);
    worker.syncs();
    mission.syncs();
    assert_eq!(mission.shows(&id).kinds(), ["person", "case"]);
    assert_eq!(mission.run(&["edit", &id, "--set", "name=Other"]).failed(), (1, "not_allowed".to_owned()));
    for (phone, others_step) in [
        (&worker, &["handover", "accept", &id][..]),
        (&worker, &["handover", "reject", &id, "--reason", "other"]),
        (&mission, &["handover", "propose", &id, "--to", "ML"]),
        (&mission, &["handover", "revoke", &id]),
    ] {
        assert_eq!(phone.run(others_step).failed(), (1, "not_allowed".to_owned()), "{others_step:?}");
        assert_eq!(phone.pending(), 0, "{others_step:?}");
    }
    mission.does(&["handover", "accept", &id]);
    mission.syncs();
    mission.syncs();
    assert_eq!(mission.shows(&id).0["standing"]["holder"], "ML");
    assert_eq!(mission.shows(&id).value("project", "project_idea"), "a bakery");
    mission.does(&["edit", &id, "--set", "needs=a stall at the market"]);
    mission.syncs();
    worker.syncs();
    assert_eq!(worker.shows(&id).value("project", "needs"), "a stall at the market");
    assert_eq!(worker.shows(&id).0["standing"]["handover"], "accepted");

    worker.does(&["consent", &id, "share_with_origin_mission", "withdrawn", "--form", "oral"]);
    worker.syncs();
    mission.syncs();
    assert_eq!(mission.run(&["show", &id]).failed(), (1, "not_found".to_owned()));
    assert_eq!(mission.does(&["list", "people"])["total"], 0);
    assert_eq!(worker.shows(&id).0["standing"]["holder"], "point");
}

#[test]
fn a_long_interview_is_noted_whole_and_read_by_a_colleague() {
    let office = Office::open();
    let counsellor = office.phone("host_counsellor", &["oujda"], "Karim");
    let colleague = office.phone("host_counsellor", &["oujda"], "Salma");
    let id = counsellor.registers("Awa Exemple", "oujda", "GN");
    let interview = "Elle veut ouvrir un atelier de couture à Kindia. ".repeat(200);
    counsellor.does(&["note", &id, "--text", &interview]);
    counsellor.syncs();
    colleague.syncs();
    for phone in [&counsellor, &colleague] {
        assert_eq!(phone.shows(&id).value("note", "text"), interview.trim_end());
    }
}

#[test]
fn what_the_mission_has_seen_is_told_at_the_next_contact() {
    let office = Office::open();
    let worker = office.phone("outreach", &["oujda"], "Nadia");
    let mission = office.phone("origin_counsellor", &["ML"], "Oumar");
    let id = worker.registers("Awa Exemple", "oujda", "ML");
    worker.does(&["consent", &id, "share_with_origin_mission", "given", "--form", "written"]);
    worker.does(&["handover", "propose", &id, "--to", "ML"]);
    worker.syncs();
    assert_eq!(worker.shows(&id).delivery("person"), "server");
    mission.syncs();
    // The cursor of the next request says that the mission's device holds it.
    mission.syncs();
    worker.syncs();
    assert_eq!(worker.shows(&id).delivery("person"), "seen");
}

#[test]
fn a_migrant_corrects_the_own_phone_and_consents() {
    let office = Office::open();
    let worker = office.phone("outreach", &["oujda"], "Nadia");
    let id = worker.registers("Binta Exemple", "oujda", "GN");
    let session = worker.does(&[
        "session",
        "add",
        "--module",
        "crafts",
        "--point",
        "oujda",
        "--start",
        "2026-10-06T09:00:00+01:00",
        "--minutes",
        "120",
        "--capacity",
        "20",
    ]);
    let session = session["id"].as_str().unwrap();
    worker.syncs();
    let migrant = office.phone_of("migrant", &[], "Binta", &["--person", &id]);
    migrant.syncs();
    assert_eq!(migrant.shows(&id).value("person", "name"), "Binta Exemple");
    assert_eq!(migrant.shows(&id).field("person", "name")["by"], json!({"name": null, "role": "outreach"}));
    migrant.does(&["edit", &id, "--set", "phone=+212661234567", "--set", "channel=whatsapp"]);
    migrant.does(&["consent", &id, "photo", "refused", "--form", "oral"]);
    migrant.does(&["enrol-in", session, &id]);
    assert_eq!(migrant.run(&["attend", session, &id, "present"]).failed(), (1, "not_allowed".to_owned()));
    migrant.does(&["feedback", session, "--satisfied", "no"]);
    assert_eq!(migrant.run(&["edit", &id, "--set", "sex=m"]).failed(), (1, "not_allowed".to_owned()));
    migrant.syncs();
    worker.syncs();
    let shown = worker.shows(&id);
    assert_eq!(shown.value("person", "phone"), &json!(["+212661234567"]));
    assert_eq!(shown.0["standing"]["consents"]["photo"], "refused");
    assert_eq!(shown.value("path", &format!("enrolment/{session}")), "requested");
}

#[test]
fn a_code_said_over_the_phone_enrols_once() {
    let office = Office::open();
    let code = office.invite("outreach", &["oujda"], "Nadia", &[])["code"].as_str().unwrap().to_owned();
    let spoken = format!("{} {}", code[..5].to_lowercase(), &code[5..]);
    let phone = Phone::at(&office.dir.path().join("a"));
    assert_eq!(phone.run(&["enrol", &spoken]).failed(), (1, "no_address".to_owned()));
    let enrolled = phone.does(&["enrol", &spoken, "--server", &office.url]);
    assert_eq!((&enrolled["role"], &enrolled["places"]), (&json!("outreach"), &json!(["oujda"])));
    assert_eq!(phone.run(&["enrol", &spoken, "--server", &office.url]).failed(), (1, "already_enrolled".to_owned()));
    let other = Phone::at(&office.dir.path().join("b"));
    for wrong in [spoken.as_str(), "0000000000"] {
        assert_eq!(other.run(&["enrol", wrong, "--server", &office.url]).failed(), (1, "refused".to_owned()));
    }
    phone.syncs();
}

#[test]
fn a_revoked_phone_is_told_so_and_keeps_what_it_could_not_send() {
    let office = Office::open();
    let worker = office.phone("outreach", &["oujda"], "Nadia");
    worker.syncs();
    worker.registers("Awa Exemple", "oujda", "SN");
    let data = office.data();
    let data = data.to_str().unwrap();
    let device = foras(&["device", "list", "--data", data]).done()["items"][0]["id"].as_str().unwrap().to_owned();
    foras(&["device", "revoke", &device, "--lost", "--data", data]).done();
    assert_eq!(worker.run(&["sync"]).failed(), (1, "revoked".to_owned()));
    assert_eq!(worker.pending(), 3);
}

#[test]
fn a_mission_plans_a_virtual_session_for_its_country() {
    let office = Office::open();
    let mission = office.phone("origin_counsellor", &["ML"], "Oumar");
    let plan = |more: &[&str]| {
        let start = "2026-10-07T10:00:00Z";
        let base = ["session", "add", "--module", "awareness", "--point", "oujda", "--start", start];
        mission.run(&[&base[..], &["--minutes", "60", "--capacity", "10"], more].concat())
    };
    assert_eq!(plan(&[]).failed(), (1, "not_allowed".to_owned()));
    let session = plan(&["--virtual", "--individual"]).done()["id"].as_str().unwrap().to_owned();
    mission.syncs();
    let worker = office.phone("outreach", &["oujda"], "Nadia");
    worker.syncs();
    let shown = worker.shows(&session);
    assert_eq!((shown.value("session", "country"), shown.value("session", "mode")), (&json!("ML"), &json!("virtual")));
    assert_eq!(worker.run(&["edit", &session, "--set", "mode=paper"]).failed(), (1, "invalid_value".to_owned()));
}
