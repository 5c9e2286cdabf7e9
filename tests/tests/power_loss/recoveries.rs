//! Copies that differ: a server that was put back to yesterday's backup, and a phone whose disk lost rows. The power goes
//! while both find out what differs and bring it.

use std::fs;

use foras_record::role::Role;
use foras_tests::point::registration;
use rusqlite::Connection;

use super::trial::{
    Place, Scene, Stopped, Told, assert_on_server, assert_same_content, assert_whole, copy, cut_everywhere, edit,
    folder,
};

/// What the server acknowledged and lost.
const LOST: [&str; 4] = ["lost, of the phone.", "lost, of the colleague.", "lost, upon that.", "Fanta Essai"];
/// Syncs of each phone after which nothing may differ any more.
const SYNCS_MAX: usize = 4;

/// Yesterday's copy of the server's folder is all that is left; both phones were told that their work is there.
fn put_back() -> Scene {
    let folder = folder();
    let place = Place::new(folder.path(), "");
    let case = {
        let point = place.point().unwrap();
        let mut phone = point.enrolled(&place.phone(), Role::Outreach, &["oujda"]);
        let mut colleague = point.enrolled(&place.colleague(), Role::HostCounsellor, &["oujda"]);
        let case = phone.register(&registration("Mariama Essai")).unwrap().id;
        for who in [&mut phone, &mut colleague] {
            point.sync(who).unwrap();
        }
        case
    };
    let backup = folder.path().join("backup");
    copy(&place.server(), &backup);
    {
        let point = place.point().unwrap();
        let mut phone = point.phone(&place.phone()).unwrap();
        let mut colleague = point.phone(&place.colleague()).unwrap();
        edit(&mut phone, &case, LOST[0]).unwrap();
        point.sync(&mut phone).unwrap();
        edit(&mut colleague, &case, LOST[1]).unwrap();
        point.sync(&mut colleague).unwrap();
        point.sync(&mut phone).unwrap();
        edit(&mut phone, &case, LOST[2]).unwrap();
        phone.register(&registration(LOST[3])).unwrap();
        assert_eq!(point.sync(&mut phone).unwrap().pending, 0);
        assert_on_server(&place.server(), &LOST.map(str::to_owned), "before the server is put back");
    }
    fs::remove_dir_all(place.server()).unwrap();
    fs::rename(backup, place.server()).unwrap();
    Scene::of(folder, &case)
}

/// A colleague's phone whose disk lost the newest change of every record.
fn rows_lost() -> Scene {
    let scene = Scene::in_oujda();
    let place = Place::new(scene.path(), &scene.case);
    {
        let point = place.point().unwrap();
        let mut phone = point.phone(&place.phone()).unwrap();
        let mut colleague = point.phone(&place.colleague()).unwrap();
        for value in &LOST[..3] {
            edit(&mut colleague, place.case, value).unwrap();
            point.sync(&mut colleague).unwrap();
            point.sync(&mut phone).unwrap();
        }
    }
    let database = Connection::open(place.phone().join("foras.db")).unwrap();
    let sql = "DELETE FROM change WHERE row IN (SELECT max(row) FROM change GROUP BY record)";
    assert!(database.execute(sql, []).unwrap() > 1);
    scene
}

/// Both work on and sync until the server has everything again.
fn script(place: &Place<'_>, told: &mut Told) -> Result<(), Stopped> {
    let point = place.point()?;
    let mut phone = point.phone(&place.phone()).map_err(|error| error.to_string())?;
    let mut colleague = point.phone(&place.colleague()).map_err(|error| error.to_string())?;
    edit(&mut phone, place.case, "written since.")?;
    told.durable.push("written since.".to_owned());
    phone.store_mut().compare_all().map_err(|error| error.to_string())?;
    for _ in 0..2 {
        for who in [&mut phone, &mut colleague] {
            let report = point.sync(who).map_err(|stopped| stopped.error.to_string())?;
            assert_eq!(report.refused, 0);
        }
    }
    if phone.store().pending().map_err(|error| error.to_string())?.changes == 0 {
        told.on_server.clone_from(&told.durable);
    }
    edit(&mut phone, place.case, "and then.")?;
    told.durable.push("and then.".to_owned());
    Ok(())
}

fn verify(place: &Place<'_>, told: &Told, lost: &[&str], trial: &str) {
    for folder in [place.phone(), place.server()] {
        assert_whole(&folder, trial);
    }
    assert_on_server(&place.server(), &told.on_server, trial);
    let point = place.point().unwrap_or_else(|error| panic!("{trial}: {error}"));
    let mut phone = point.phone(&place.phone()).unwrap_or_else(|error| panic!("{trial}: {error}"));
    let mut colleague = point.phone(&place.colleague()).unwrap_or_else(|error| panic!("{trial}: {error}"));
    phone.store_mut().compare_all().unwrap_or_else(|error| panic!("{trial}: {error}"));
    for _ in 0..SYNCS_MAX {
        for who in [&mut phone, &mut colleague] {
            let report = point.sync(who).unwrap_or_else(|stopped| panic!("{trial}: {}", stopped.error));
            assert_eq!((report.pending, report.refused), (0, 0), "{trial}");
        }
    }
    let lost: Vec<String> = lost.iter().map(|value| (*value).to_owned()).collect();
    assert_on_server(&place.server(), &lost, trial);
    assert_on_server(&place.server(), &told.durable, trial);
    for who in [&mut phone, &mut colleague] {
        assert_same_content(&point, who, trial);
    }
    drop((phone, colleague, point));
    for folder in [place.phone(), place.colleague(), place.server()] {
        assert_whole(&folder, trial);
    }
}

#[test]
fn a_phone_whose_power_goes_while_it_brings_back_what_the_server_lost_brings_all_of_it() {
    cut_everywhere(&put_back(), "phone", &script, &|place, told, trial| verify(place, told, &LOST, trial));
}

#[test]
fn a_server_that_was_put_back_and_loses_its_power_takes_everything_in_the_end() {
    cut_everywhere(&put_back(), "server", &script, &|place, told, trial| verify(place, told, &LOST, trial));
}

#[test]
fn a_phone_that_lost_rows_and_then_its_power_gets_them_back() {
    cut_everywhere(&rows_lost(), "phone", &script, &|place, told, trial| verify(place, told, &LOST[..3], trial));
}
