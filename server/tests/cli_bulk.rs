//! Many cases as lines of JSON: importing, editing and exporting them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod office;

use std::collections::BTreeMap;

use office::{Office, Phone};
use serde_json::{Value, json};

fn line(number: u32) -> Value {
    json!({
        "ref": format!("o-{number}"), "name": format!("Exemple {number}"), "sex": "f", "birth_year": 1991,
        "nationality": "ML", "country": "ML", "phone": format!("+2126123{:05}", number), "languages": ["bm", "fr"],
        "point": "oujda", "registered_on": "2026-10-01", "arrival_year": 2019, "household": 3, "education": "lycée",
        "consents": {"assist": "oral"}, "needs": "shelter", "skills": "sewing",
        "modules": [{"module": "awareness", "on": "2026-10-05", "attendance": "present"}],
        "project_idea": "a workshop", "satisfaction": "yes",
    })
}

fn with(number: u32, field: &str, value: Value) -> String {
    let mut line = line(number);
    line[field] = value;
    line.to_string()
}

fn import(office: &Office, phone: &Phone, name: &str, lines: &[String]) -> Value {
    let file = office.file(name, lines.join("\n"));
    phone.does(&["import", file.to_str().unwrap()])
}

#[test]
fn a_file_is_imported_once_and_its_sessions_are_made_once() {
    let office = Office::open();
    let worker = office.phone("outreach", &["oujda"], "Nadia");
    let lines: Vec<_> = (1..=5).map(|number| line(number).to_string()).collect();
    assert_eq!(import(&office, &worker, "a", &lines), json!({"added": 5, "unchanged": 0, "refused": []}));
    assert_eq!(import(&office, &worker, "a", &lines), json!({"added": 0, "unchanged": 5, "refused": []}));
    let sessions = worker.does(&["list", "sessions"]);
    assert_eq!(sessions["total"], 1);
    assert_eq!(sessions["items"][0]["point"], "oujda");
    let synced = worker.syncs();
    assert_eq!((&synced["refused"], &synced["pending"]), (&json!(0), &json!(0)));

    // A colleague who imports the same file after a sync adds nothing; before one, the same people.
    let colleague = office.phone("host_counsellor", &["oujda"], "Karim");
    assert_eq!(import(&office, &colleague, "a", &lines)["added"], 5);
    assert_eq!(colleague.syncs()["refused"], 0);
    assert_eq!(colleague.does(&["list", "people"])["total"], 5);
    assert_eq!(colleague.does(&["list", "sessions"])["total"], 1);

    // Both phones gave a number to the same person: somebody chooses between them.
    let conflicts = colleague.does(&["conflicts"]);
    assert_eq!(conflicts["total"], 5);
    let id = conflicts["items"][0]["id"].as_str().unwrap();
    let other = conflicts["items"][0]["fields"]["case_number"]["others"][0]["value"].as_str().unwrap();
    let choose = |number: &str| colleague.run(&["edit", id, "--set", &format!("case_number={number}")]);
    assert_eq!(choose("OUJ9-1").failed(), (2, "misuse".to_owned()));
    choose(other).done();
    assert_eq!(choose(other).failed(), (2, "misuse".to_owned()));
    assert_eq!(colleague.does(&["conflicts"])["total"], 4);
    assert_eq!(colleague.does(&["show", other])["id"], id);
}

#[test]
fn a_bad_line_is_named_with_its_field_and_stops_no_other() {
    let office = Office::open();
    let worker = office.phone("outreach", &["oujda"], "Nadia");
    let without = |field: &str| {
        let mut line = line(50);
        line.as_object_mut().unwrap().remove(field);
        line.to_string()
    };
    let cases: Vec<(String, Option<&str>)> = vec![
        (with(1, "name", json!("Nul\u{0}l")), Some("name")),
        (with(2, "name", json!("a\u{202e}b")), Some("name")),
        (with(3, "name", json!(7)), Some("name")),
        (with(4, "birth_year", json!(1899)), Some("birth_year")),
        (with(5, "birth_year", json!("1991")), Some("birth_year")),
        (with(6, "registered_on", json!("2026-02-30")), Some("registered_on")),
        (with(7, "registered_on", json!("2026-10-01T00:00:00Z")), Some("registered_on")),
        (with(8, "phone", json!("+999123456789")), Some("phone")),
        (with(9, "point", json!("rabat")), Some("point")),
        (with(10, "point", json!("paris")), Some("point")),
        (with(11, "colour", json!("red")), Some("colour")),
        (with(12, "vulnerabilities", json!(["x"])), Some("vulnerabilities")),
        (with(13, "consents", json!({"photo": "oral"})), Some("consents.assist")),
        (with(14, "consents", json!({"assist": "shouted"})), Some("consents.assist")),
        (
            with(15, "modules", json!([{"module": "chess", "on": "2026-10-05", "attendance": "present"}])),
            Some("modules.module"),
        ),
        (
            with(16, "modules", json!([{"module": "crafts", "on": "2026-10-32", "attendance": "present"}])),
            Some("modules.on"),
        ),
        (with(17, "satisfaction", json!("very")), Some("satisfaction")),
        (with(18, "sex", json!("q")), Some("sex")),
        (with(19, "nationality", json!("XX")), Some("nationality")),
        (with(20, "household", json!(2.5)), Some("household")),
        (without("name"), Some("name")),
        (without("consents"), Some("consents.assist")),
        ("[]".to_owned(), None),
        ("{".to_owned(), None),
        ("{\"name\":\"a\",\"name\":\"b\"}".to_owned(), None),
        (with(26, "needs", json!("x".repeat(70_000))), None),
    ];
    let mut lines: Vec<String> = cases.iter().map(|(line, _)| line.clone()).collect();
    lines.push(line(99).to_string());
    let done = import(&office, &worker, "bad", &lines);
    assert_eq!(done["added"], 1, "{done}");
    let refused = done["refused"].as_array().unwrap();
    assert_eq!(refused.len(), cases.len(), "{done}");
    for (number, ((_, field), refused)) in cases.iter().zip(refused).enumerate() {
        assert_eq!(refused["line"], number + 1);
        assert!(!refused["code"].as_str().unwrap().is_empty());
        assert_eq!(refused["field"], json!(field), "{refused}");
    }
    assert_eq!(worker.people(), ["Exemple 99"]);
    let mut raw = b"\xff\xfe\n".to_vec();
    raw.extend(line(98).to_string().as_bytes());
    let file = office.file("raw", raw);
    let done = worker.does(&["import", file.to_str().unwrap()]);
    assert_eq!((&done["added"], &done["refused"][0]["line"]), (&json!(1), &json!(1)));
    assert_eq!(worker.run(&["import", "/nowhere/at/all"]).failed().0, 1);
}

#[test]
fn edits_are_durable_line_by_line() {
    let office = Office::open();
    let worker = office.phone("outreach", &["oujda"], "Nadia");
    import(&office, &worker, "a", &[line(1).to_string(), line(2).to_string()]);
    let id = worker.registers("Aminata Exemple", "oujda", "GN");
    let lines = [
        json!({"ref": "o-1", "set": {"needs": "a doctor", "phone": ["+212612345678", "+212612345679"]}}),
        json!({"id": id, "set": {"household": 4, "education": null}}),
        json!({"id": id, "set": {"household": "4"}}),
        json!({"id": id, "set": {"colour": "red"}}),
        json!({"id": id, "set": {"needs": "x", "sex": "q"}}),
        json!({"ref": "o-77", "set": {"needs": "x"}}),
        json!({"id": "0".repeat(32), "set": {"needs": "x"}}),
        json!({"id": id}),
        json!({"id": id, "set": {}}),
        json!({"id": id, "ref": "o-1", "set": {"needs": "x"}}),
        json!({"id": id, "set": {"vulnerabilities": ["x"]}}),
        json!({"id": id, "set": {"needs": ["x", "y"]}}),
        json!({"ref": "o-2", "set": {"literacy": "full"}}),
    ];
    let text: Vec<String> = lines.iter().map(Value::to_string).collect();
    let file = office.file("edits", text.join("\n"));
    let ran = worker.run(&["apply", file.to_str().unwrap()]);
    assert_eq!(ran.failed(), (1, "refused".to_owned()));
    let printed = ran.lines();
    let codes: Vec<_> = printed.iter().map(|line| line["code"].as_str().unwrap_or("")).collect();
    let expected = [
        "",
        "",
        "wrong_type",
        "unknown_field",
        "not_a_code",
        "not_found",
        "not_found",
        "missing_field",
        "missing_field",
        "contradiction",
        "not_allowed",
        "wrong_type",
        "",
    ];
    assert_eq!(codes, expected);
    for (number, line) in printed.iter().enumerate() {
        assert_eq!((&line["line"], &line["durable"]), (&json!(number + 1), &json!(expected[number].is_empty())));
    }
    assert_eq!(worker.shows(&id).value("case", "household"), 4);
    assert!(!worker.shows(&id).kinds().contains(&"project"));
}

#[test]
fn what_is_exported_is_imported_as_it_was() {
    let office = Office::open();
    let counsellor = office.phone("host_counsellor", &["oujda"], "Karim");
    let mut lines: Vec<String> =
        (1..=3).map(|number| with(number, "vulnerabilities", json!(["single parent", "pregnant"]))).collect();
    lines.push(with(4, "consents", json!({"assist": "oral", "photo": "written"})));
    import(&office, &counsellor, "a", &lines);
    let id = counsellor.registers("Registered Exemple", "oujda", "GN");
    counsellor.does(&["edit", &id, "--set", "contact_language=ff", "--set", "literacy=some", "--set", "cv=two\nlines"]);
    counsellor.does(&["consent", &id, "photo", "refused", "--form", "oral"]);

    let exported = counsellor.run(&["export"]).lines();
    assert_eq!(exported.len(), 5);
    let text: Vec<String> = exported.iter().map(Value::to_string).collect();
    assert_eq!(import(&office, &counsellor, "b", &text), json!({"added": 0, "unchanged": 5, "refused": []}));

    let other = office.phone("host_counsellor", &["oujda"], "Leila");
    assert_eq!(import(&office, &other, "b", &text), json!({"added": 5, "unchanged": 0, "refused": []}));
    let again = other.run(&["export"]).lines();
    let by_name = |lines: &[Value]| -> BTreeMap<String, Value> {
        let without_id = lines.iter().cloned().map(|mut line| {
            line.as_object_mut().unwrap().remove("id");
            (line["name"].as_str().unwrap().to_owned(), line)
        });
        without_id.collect()
    };
    assert_eq!(by_name(&exported), by_name(&again));
}
