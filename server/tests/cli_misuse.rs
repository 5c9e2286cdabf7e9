//! What is asked wrongly is told with its code, and writes nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod office;

use std::fs;

use office::{Office, Phone, foras};
use serde_json::json;

const MISUSE: (i32, &str) = (2, "misuse");

fn told(failed: &(i32, String), expected: (i32, &str), what: &[&str]) {
    assert_eq!((failed.0, failed.1.as_str()), expected, "{what:?}");
}

#[test]
fn command_lines_that_mean_nothing_are_misuse() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("s");
    let store = store.to_str().unwrap();
    for wrong in [
        &["bogus"][..],
        &["phone", "list", "people"],
        &["phone", "--store", store],
        &["phone", "--store", store, "list"],
        &["phone", "--store", store, "edit", "x"],
        &["phone", "--store", store, "register"],
        &["phone", "--store", store, "session", "add", "--module", "awareness"],
        &["phone", "--store", store, "handover", "reject", "x"],
    ] {
        told(&foras(wrong).failed(), MISUSE, wrong);
    }
}

#[test]
fn before_enrolment_a_phone_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let phone = Phone::at(&dir.path().join("new"));
    for command in
        [&["list", "people"][..], &["show", "x"], &["conflicts"], &["export"], &["sync"], &["note", "x", "--text", "y"]]
    {
        told(&phone.run(command).failed(), (1, "not_enrolled"), command);
    }
    assert_eq!(phone.does(&["status"])["enrolled"], false);
    for bad in ["", "foras://x", "foras://127.0.0.1:1/enrol?key=AA&secret=BB", "12345", "http://127.0.0.1"] {
        told(&phone.run(&["enrol", bad]).failed(), MISUSE, &[bad]);
    }
    told(&phone.run(&["enrol", "ABCDE23456"]).failed(), (1, "no_address"), &[]);
    told(&phone.run(&["enrol", "ABCDE23456", "--server", "http://127.0.0.1:1"]).failed(), (1, "offline"), &[]);
}

#[test]
fn a_store_that_is_a_file_is_refused_untouched() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    fs::write(&path, "minutes of a meeting").unwrap();
    let phone = Phone::at(&path);
    told(&phone.run(&["status"]).failed(), (1, "not_a_store"), &[]);
    assert_eq!(fs::read_to_string(&path).unwrap(), "minutes of a meeting");
}

#[test]
fn fields_are_listed_with_what_they_take() {
    let listed = foras(&["phone", "fields"]).done();
    let items = listed["items"].as_array().unwrap();
    assert_eq!(listed["total"], items.len());
    let field = |kind: &str, name: &str| items.iter().find(|f| f["kind"] == kind && f["name"] == name).unwrap();
    assert_eq!(field("person", "phone")["type"], "phone+");
    assert_eq!(field("case", "languages")["type"], "language+");
    assert_eq!(field("case", "sex")["values"], json!(["f", "m", "x", "unknown"]));
    assert_eq!(field("badge", "name")["writers"], json!(["outreach", "host_counsellor"]));
    assert!(!items.iter().any(|f| f["name"] == "case_number" || f["name"] == "ruling"));
}

#[test]
fn an_edit_that_cannot_be_writes_nothing() {
    let office = Office::open();
    let worker = office.phone("outreach", &["oujda"], "Nadia");
    let id = worker.registers("Aïcha Exemple", "oujda", "GN");
    let pending = worker.pending();
    let edit = |sets: &[&str]| {
        let mut arguments = vec!["edit", id.as_str()];
        for set in sets {
            arguments.extend(["--set", set]);
        }
        worker.run(&arguments).failed()
    };
    for misuse in [
        &["colour=red"][..],
        &["needs=a", "colour=red"],
        &["sex=f", "sex=m"],
        &["case_number=x"],
        &["point=rabat"],
        &["consent=x"],
        &["attendance=present"],
        &["needs"],
        &["=x"],
    ] {
        told(&edit(misuse), MISUSE, misuse);
    }
    for invalid in [
        &["needs=a", "sex=q"][..],
        &["birth_year=1899"],
        &["birth_year=2999"],
        &["birth_year=x"],
        &["phone=123"],
        &["phone=+999123456789"],
        &["name=a\u{202e}b"],
        &["name=a\u{200f}b"],
        &["name= "],
        &["country=XX"],
        &["languages=qqq"],
        &["household=0"],
    ] {
        told(&edit(invalid), (1, "invalid_value"), invalid);
    }
    told(&edit(&["needs=a", "vulnerabilities=x"]), (1, "not_allowed"), &[]);
    for unknown in ["", "x", "00000000000000000000000000000000", "FO-1-999", "%", "' OR 1=1 --"] {
        told(&worker.run(&["edit", unknown, "--set", "needs=a"]).failed(), (1, "not_found"), &[unknown]);
        told(&worker.run(&["show", unknown]).failed(), (1, "not_found"), &[unknown]);
    }
    assert_eq!(worker.pending(), pending);
    assert_eq!(worker.shows(&id).kinds(), ["person", "badge", "case"]);
    worker.does(&["edit", &id, "--set", "phone=0612345678", "--set", "phone=0612345679"]);
    worker.does(&["edit", &id, "--set", "phone="]);
    assert_eq!(worker.shows(&id).value("person", "phone"), &json!([]));
    worker.does(&["edit", &id, "--set", "literacy=some"]);
    worker.does(&["edit", &id, "--set", "literacy="]);
    assert_eq!(worker.shows(&id).value("person", "literacy"), &json!(null));
}

#[test]
fn a_registration_needs_a_basis_and_a_point_of_the_worker() {
    let office = Office::open();
    let worker = office.phone("outreach", &["oujda"], "Nadia");
    let register = |without: &str, more: &[&str]| {
        let mut arguments = vec!["register"];
        for set in ["name=Awa Exemple", "sex=f", "birth_year=1996", "nationality=GN", "country=GN", "point=oujda"] {
            if set.split('=').next() != Some(without) {
                arguments.extend(["--set", set]);
            }
        }
        arguments.extend(more);
        worker.run(&arguments)
    };
    for name in ["name", "sex", "birth_year", "nationality", "country", "point"] {
        told(&register(name, &["--consent", "assist=oral"]).failed(), MISUSE, &[name]);
    }
    for more in [
        &[][..],
        &["--consent", "photo=oral"],
        &["--consent", "assist"],
        &["--consent", "assist=shouted"],
        &["--basis", "because"],
        &["--consent", "assist=oral", "--set", "colour=red"],
    ] {
        told(&register("", more).failed(), MISUSE, more);
    }
    let elsewhere = register("point", &["--consent", "assist=oral", "--set", "point=rabat"]);
    told(&elsewhere.failed(), (1, "not_allowed"), &[]);
    told(&register("point", &["--consent", "assist=oral", "--set", "point=paris"]).failed(), (1, "invalid_value"), &[]);
    assert_eq!(worker.pending(), 0);
    let first = register("", &["--basis", "vital_interest"]).done();
    let second = register("", &["--consent", "assist=oral", "--consent", "photo=written"]).done();
    assert_ne!(first["case_number"], second["case_number"]);
    let trainer = office.phone("trainer", &["oujda"], "Samir");
    let refused = trainer.run(&[
        "register",
        "--set",
        "name=X Y",
        "--set",
        "sex=f",
        "--set",
        "birth_year=1990",
        "--set",
        "nationality=GN",
        "--set",
        "country=GN",
        "--set",
        "point=oujda",
        "--consent",
        "assist=oral",
    ]);
    told(&refused.failed(), (1, "not_allowed"), &[]);
}
