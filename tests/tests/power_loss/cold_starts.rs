//! A first sync by packs: the power goes between any two pieces, while records are tried, and at the first edits.

use std::path::Path;

use foras_record::role::Role;
use foras_tests::point::{Point, registration};
use foras_tests::world::SMALL_PACKS;

use super::trial::{
    Place, Scene, Stopped, Told, assert_on_server, assert_same_content, assert_whole, cut_everywhere, edit, folder,
};

/// People who are registered before the new phone comes.
const PEOPLE: usize = 6;

fn point(place: &Place<'_>) -> Result<Point, Stopped> {
    let point = place.point()?;
    point.server.set_pack_sizes(SMALL_PACKS);
    Ok(point)
}

/// A worker's people are on the server; a counsellor's new phone is enrolled and has nothing yet.
fn before_a_first_sync() -> Scene {
    let folder = folder();
    let cases: Vec<String> = {
        let place = Place::new(folder.path(), "");
        let point = point(&place).unwrap();
        let mut worker = point.enrolled(&place.colleague(), Role::Outreach, &["oujda"]);
        let cases = (0..PEOPLE).map(|_| worker.register(&registration("Mariama Essai")).unwrap().id);
        let cases: Vec<String> = cases.collect();
        for (number, case) in cases.iter().enumerate() {
            edit(&mut worker, case, &format!("need {number}.")).unwrap();
        }
        assert_eq!(point.sync(&mut worker).unwrap().pending, 0);
        drop(point.enrolled(&place.phone(), Role::HostCounsellor, &["oujda"]));
        cases
    };
    Scene::of(folder, &cases[0])
}

fn script(place: &Place<'_>, told: &mut Told) -> Result<(), Stopped> {
    let point = point(place)?;
    let mut phone = point.phone(&place.phone()).map_err(|error| error.to_string())?;
    point.sync(&mut phone).map_err(|stopped| stopped.error.to_string())?;
    assert!(phone.store().verification().unwrap().received > 0, "no pack came");
    edit(&mut phone, place.case, "an edit of a record that was not tried yet.")?;
    told.durable.push("an edit of a record that was not tried yet.".to_owned());
    while phone.store_mut().verify_some(point.truth.now_ms(), 5).map_err(|error| error.to_string())? > 0 {}
    edit(&mut phone, place.case, "an edit after that.")?;
    told.durable.push("an edit after that.".to_owned());
    let report = point.sync(&mut phone).map_err(|stopped| stopped.error.to_string())?;
    if report.pending == 0 {
        told.on_server.clone_from(&told.durable);
    }
    Ok(())
}

fn verify(place: &Place<'_>, told: &Told, trial: &str) {
    let whole = |folder: &Path| assert_whole(folder, trial);
    whole(&place.phone());
    assert_on_server(&place.server(), &told.on_server, trial);
    let point = point(place).unwrap_or_else(|error| panic!("{trial}: {error}"));
    let mut phone = point.phone(&place.phone()).unwrap_or_else(|error| panic!("{trial}: {error}"));
    for _ in 0..2 {
        let report = point.sync(&mut phone).unwrap_or_else(|stopped| panic!("{trial}: {}", stopped.error));
        assert_eq!((report.pending, report.refused), (0, 0), "{trial}");
    }
    assert_on_server(&place.server(), &told.durable, trial);
    let now_ms = point.truth.now_ms();
    while phone.store_mut().verify_some(now_ms, 50).unwrap_or_else(|error| panic!("{trial}: {error}")) > 0 {}
    assert_same_content(&point, &mut phone, trial);
    drop(phone);
    whole(&place.phone());
}

#[test]
fn a_first_sync_goes_on_from_the_last_piece_whenever_the_power_goes() {
    cut_everywhere(&before_a_first_sync(), "phone", &script, &verify);
}

#[test]
fn a_server_whose_power_goes_while_it_makes_a_pack_makes_it_again() {
    cut_everywhere(&before_a_first_sync(), "server", &script, &verify);
}
