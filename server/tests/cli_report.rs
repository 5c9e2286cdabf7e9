//! The programme's figures on the command line.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod office;

use office::{Office, foras};
use serde_json::{Value, json};

/// One line of an import at Oujda.
fn line(reference: &str, sex: &str, nationality: &str, modules: &Value, satisfaction: Option<&str>) -> String {
    let mut line = json!({
        "ref": reference, "name": format!("Sample {reference}"), "sex": sex, "birth_year": 1991,
        "nationality": nationality, "country": nationality, "point": "oujda", "registered_on": "2018-03-01",
        "consents": {"assist": "oral"}, "modules": modules,
    });
    if let Some(answer) = satisfaction {
        line["satisfaction"] = answer.into();
    }
    line.to_string()
}

/// Six men of Mali and two women of Guinea; all oriented, three of the men trained.
fn programme() -> (Office, String) {
    let office = Office::open();
    let aware = json!([{"module": "awareness", "on": "2018-03-06", "attendance": "present"}]);
    let trained = json!([
        {"module": "awareness", "on": "2018-03-06", "attendance": "present"},
        {"module": "crafts", "on": "2018-04-05", "attendance": "present"},
    ]);
    let mut lines = Vec::new();
    for number in 0..6 {
        let modules = if number < 3 { &trained } else { &aware };
        lines.push(line(&format!("m-{number}"), "m", "ML", modules, Some(if number == 0 { "no" } else { "yes" })));
    }
    for number in 0..2 {
        lines.push(line(&format!("f-{number}"), "f", "GN", &aware, None));
    }
    let file = office.file("people.jsonl", lines.join("\n"));
    let phone = office.phone("host_counsellor", &["oujda"], "Registry");
    assert_eq!(phone.does(&["import", file.to_str().unwrap()])["added"], 8);
    phone.syncs();
    let data = office.data().to_str().unwrap().to_owned();
    (office, data)
}

fn year<'a>(data: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec!["report", "--data", data, "--from", "2018-01-01", "--to", "2018-12-31"];
    arguments.extend(more);
    arguments
}

#[test]
fn figures_are_counted_beside_the_running_server() {
    let (mut office, data) = programme();
    let report = foras(&year(&data, &["--by", "sex", "--suppress", "0"])).done();
    assert_eq!((&report["from"], &report["to"]), (&json!("2018-01-01"), &json!("2018-12-31")));
    let total = &report["total"];
    for (figure, expected) in
        [("registered", 8), ("oriented", 8), ("awareness", 8), ("trained", 3), ("completed", 3), ("handed_over", 0)]
    {
        assert_eq!(total[figure], expected, "{figure} in {report}");
    }
    assert_eq!(total["satisfied"], json!({"share": 0.83, "n": 6, "non_response": 0}));
    let rows = report["rows"].as_array().unwrap();
    let sexes: Vec<_> =
        rows.iter().map(|row| (row["sex"].as_str().unwrap(), row["registered"].as_u64().unwrap())).collect();
    assert_eq!(sexes, [("f", 2), ("m", 6)]);
    office.stop_server();
    assert_eq!(foras(&year(&data, &[])).done()["total"]["registered"], 8);
}

#[test]
fn small_cells_are_left_out_unless_asked_for() {
    let (_office, data) = programme();
    let report = foras(&year(&data, &["--by", "nationality"])).done();
    let rows = report["rows"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["registered"].is_null()), "two can be worked out from six and eight: {report}");
    assert_eq!(report["total"]["trained"], Value::Null);
    let shown = foras(&year(&data, &["--by", "nationality,sex", "--suppress", "0"])).done();
    assert_eq!(shown["rows"][0]["nationality"], "GN");
    assert_eq!(shown["rows"][0]["registered"], 2);
}

#[test]
fn questions_narrow_what_counts() {
    let (_office, data) = programme();
    let total = |more: &[&str]| foras(&year(&data, &[&["--suppress", "0"], more].concat())).done()["total"].clone();
    assert_eq!(total(&["--modules", "agriculture,life_soft_skills"])["trained"], 0);
    assert_eq!(total(&["--modules", "crafts"])["trained"], 3);
    assert_eq!(total(&["--programme", "FORAS II"])["oriented"], 0);
    assert_eq!(total(&["--programme", "any"])["oriented"], 8);
    assert_eq!(total(&["--sessions", "virtual"])["oriented"], 0);
    assert_eq!(total(&["--sessions", "on_site,group"])["oriented"], 8);
}

#[test]
fn a_report_is_printed_for_people_and_for_spreadsheets() {
    let (_office, data) = programme();
    let run = |format: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_foras"));
        let output = command.args(year(&data, &["--by", "sex", "--format", format])).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let csv = run("csv");
    let lines: Vec<_> = csv.lines().collect();
    assert!(lines[0].starts_with("sex,registered,"), "{csv}");
    assert_eq!(lines.len(), 4, "{csv}");
    assert!(lines.iter().all(|line| line.matches(',').count() == lines[0].matches(',').count()), "{csv}");
    let table = run("table");
    assert!(table.contains("registered") && table.contains("left out: fewer than 5"), "{table}");
    let json: Value = serde_json::from_str(&run("json")).unwrap();
    assert_eq!(json["total"]["registered"], 8);
}

#[test]
fn questions_that_mean_nothing_are_misuse() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().to_str().unwrap();
    for wrong in [
        &["--from", "2018-02-30", "--to", "2018-12-31"][..],
        &["--from", "2018-1-1", "--to", "2018-12-31"],
        &["--from", "2019-01-01", "--to", "2018-12-31"],
        &["--to", "2018-12-31"],
        &["--from", "2018-01-01", "--to", "2018-12-31", "--by", "colour"],
        &["--from", "2018-01-01", "--to", "2018-12-31", "--by", "sex,sex"],
        &["--from", "2018-01-01", "--to", "2018-12-31", "--modules", "sailing"],
        &["--from", "2018-01-01", "--to", "2018-12-31", "--programme", "FORAS III"],
        &["--from", "2018-01-01", "--to", "2018-12-31", "--suppress", "few"],
        &["--from", "2018-01-01", "--to", "2018-12-31", "--sessions", "group,individual"],
        &["--from", "2018-01-01", "--to", "2018-12-31", "--sessions", "XX"],
        &["--from", "2018-01-01", "--to", "2018-12-31", "--format", "csv"],
    ] {
        let failed = foras(&[&["report", "--data", data], wrong].concat()).failed();
        assert_eq!(failed, (2, "misuse".to_owned()), "{wrong:?}");
    }
    assert!(dir.path().read_dir().unwrap().next().is_none(), "a misused report wrote something");
}

#[test]
fn a_folder_that_is_none_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "minutes of a meeting").unwrap();
    for (data, code) in [(dir.path().join("nowhere"), "no_data_folder"), (file.clone(), "not_a_folder")] {
        assert_eq!(foras(&year(data.to_str().unwrap(), &[])).failed(), (1, code.to_owned()), "{data:?}");
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "minutes of a meeting");
}
