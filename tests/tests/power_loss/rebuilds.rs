//! A damaged store is set aside and a new one begun. Whenever the power goes, the damaged one is still there: it may hold
//! work that no other copy has.

use std::fs;
use std::path::Path;

use foras::Error;
use foras_record::role::Role;
use foras_tests::point::{Point, registration};
use foras_wire::invitation::Invitation;

use super::trial::{Place, Scene, Stopped, Told, assert_on_server, assert_whole, cut_everywhere};

/// Bytes that stand in the damaged database and in no new one.
const MARK: &[u8] = b"harm done to this page";

fn harmed() -> Scene {
    let scene = Scene::in_oujda();
    let path = Place::new(scene.path(), &scene.case).phone().join("foras.db");
    let mut bytes = fs::read(&path).unwrap();
    for page in bytes.chunks_mut(4_096).skip(2) {
        page[..MARK.len()].copy_from_slice(MARK);
    }
    fs::write(path, bytes).unwrap();
    scene
}

/// The invitation to the new phone, which is shown again when the first try did not get through.
fn shown(place: &Place<'_>, point: &Point) -> Invitation {
    let paper = place.server().with_extension("invitation");
    if !paper.exists() {
        fs::write(&paper, point.invite(Role::Outreach, &["oujda"]).to_string()).unwrap();
    }
    fs::read_to_string(paper).unwrap().parse().unwrap()
}

fn script(place: &Place<'_>, told: &mut Told) -> Result<(), Stopped> {
    let point = place.point()?;
    match point.phone(&place.phone()) {
        Err(Error::Corrupt { set_aside: Some(_) }) => {}
        Err(error) => return Err(error.to_string()),
        Ok(_) => panic!("the damage was not seen"),
    }
    let mut phone = point.phone(&place.phone()).map_err(|error| error.to_string())?;
    point.enrol(&mut phone, &shown(place, &point)).map_err(|error| error.to_string())?;
    phone.register(&registration("Fanta Essai")).map_err(|error| error.to_string())?;
    told.durable.push("Fanta Essai".to_owned());
    Ok(())
}

fn is_kept(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        bytes.windows(MARK.len()).any(|window| window == MARK)
    })
}

#[test]
fn a_damaged_store_is_never_lost_whenever_the_power_goes() {
    let scene = harmed();
    cut_everywhere(&scene, "phone", &script, &|place, told, trial| {
        assert!(is_kept(&place.phone()), "{trial}: the damaged store is gone");
        let point = place.point().unwrap();
        let opened = point.phone(&place.phone()).or_else(|error| match error {
            Error::Corrupt { set_aside: Some(_) } => point.phone(&place.phone()),
            error => Err(error),
        });
        let mut phone = opened.unwrap_or_else(|error| panic!("{trial}: {error}"));
        if phone.store().identity().is_none() {
            point.enrol(&mut phone, &shown(place, &point)).unwrap();
        }
        phone.register(&registration("Awa Essai")).unwrap_or_else(|error| panic!("{trial}: {error}"));
        assert_eq!(point.sync(&mut phone).unwrap().pending, 0, "{trial}");
        assert_on_server(&place.server(), &told.durable, trial);
        assert_on_server(&place.server(), &["Awa Essai".to_owned()], trial);
        assert!(is_kept(&place.phone()), "{trial}: the damaged store is gone afterwards");
        drop(phone);
        assert_whole(&place.phone(), trial);
    });
}
