//! Migrations: a store and a server of schema version 1, with work that was never sent, on a machine whose power goes.

use std::path::Path;

use rusqlite::Connection;

use super::trial::{Place, Scene, Stopped, Told, assert_on_server, assert_same_content, cut_everywhere, folder};

/// The cases in the fixture, and values that the worker never sent.
const CASES: [&str; 3] =
    ["c08b8a92d0f68b2bb606bfffb6b726a8", "ca70848c592873ab5ce248f2d18fbd43", "2274354165c6f5456a09bb3c0b42054d"];
const UNSENT: [&str; 3] = ["tools of a tailor", "a sewing machine", "Fanta Essai"];

fn written(folder: &Path, sql: &str) {
    std::fs::create_dir_all(folder).unwrap();
    let database = Connection::open(folder.join("foras.db")).unwrap();
    // The dump's rows stand in the order of the tables' names.
    database.pragma_update(None, "foreign_keys", "OFF").unwrap();
    database.execute_batch(sql).unwrap();
}

fn of_version_1() -> Scene {
    let folder = folder();
    let place = Place::new(folder.path(), CASES[0]);
    written(&place.phone(), include_str!("../../fixtures/version_1/worker.sql"));
    written(&place.colleague(), include_str!("../../fixtures/version_1/counsellor.sql"));
    written(&place.server(), include_str!("../../fixtures/version_1/server.sql"));
    std::fs::write(place.server().join("server.key"), include_bytes!("../../fixtures/version_1/server.key")).unwrap();
    Scene::of(folder, CASES[0])
}

fn open_all(place: &Place<'_>, _: &mut Told) -> Result<(), Stopped> {
    let point = place.point()?;
    for folder in [place.phone(), place.colleague()] {
        point.phone(&folder).map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn verify(place: &Place<'_>, _: &Told, trial: &str) {
    let point = place.point().unwrap_or_else(|error| panic!("{trial}: {error}"));
    let mut phone = point.phone(&place.phone()).unwrap_or_else(|error| panic!("{trial}: {error}"));
    let mut colleague = point.phone(&place.colleague()).unwrap_or_else(|error| panic!("{trial}: {error}"));
    for case in CASES {
        phone.show(case).unwrap_or_else(|error| panic!("{trial}: {case}: {error}"));
    }
    assert!(phone.store().pending().unwrap().changes > 0, "{trial}: the unsent work is gone");
    // Twice, so that each has what the other pushed after it.
    for _ in 0..2 {
        for who in [&mut phone, &mut colleague] {
            let report = point.sync(who).unwrap_or_else(|stopped| panic!("{trial}: {}", stopped.error));
            assert_eq!((report.pending, report.refused), (0, 0), "{trial}");
        }
    }
    assert_on_server(&place.server(), &UNSENT.map(str::to_owned), trial);
    for who in [&mut phone, &mut colleague] {
        assert_same_content(&point, who, trial);
    }
}

#[test]
fn a_phones_store_of_version_1_is_brought_up_to_date_whenever_the_power_goes() {
    cut_everywhere(&of_version_1(), "phone", &open_all, &verify);
}

#[test]
fn a_server_of_version_1_is_brought_up_to_date_whenever_the_power_goes() {
    cut_everywhere(&of_version_1(), "server", &open_all, &verify);
}
