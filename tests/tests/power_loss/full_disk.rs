//! A disk that fills up at any byte: the call fails and says so, what was durable stays, and work goes on when there is
//! room again.

use foras::Error;
use foras::phone::Setting;
use foras_tests::power::plug_in;

use super::syncs;
use super::trial::{Place, Scene, Told, assert_whole, copy, edit, folder};

#[test]
fn a_disk_that_fills_up_anywhere_loses_nothing() {
    let scene = Scene::in_oujda();
    let mut full = 0;
    for room in (0..60_000).step_by(1_700) {
        let copied = folder();
        copy(scene.path(), copied.path());
        let place = Place::new(copied.path(), &scene.case);
        let machine = plug_in(&place.phone());
        let point = place.point().unwrap();
        let mut phone = point.phone(&place.phone()).unwrap();
        machine.room(Some(room));
        let mut told = Told::default();
        for number in 0..8 {
            let value = format!("edit {number} with {room} bytes of room.");
            match phone.edit(place.case, &[Setting::new("needs", value.as_str())]) {
                Ok(_) => told.durable.push(value),
                Err(Error::StorageFull) => full += 1,
                Err(error) => panic!("room of {room} bytes: {error}"),
            }
        }
        machine.room(None);
        edit(&mut phone, place.case, "there is room again.").unwrap();
        told.durable.push("there is room again.".to_owned());
        drop((phone, point));
        assert_whole(&place.phone(), "a full disk");
        syncs::verify(&place, &told, &format!("room of {room} bytes"));
    }
    assert!(full > 20, "the disk was full {full} times only");
}
