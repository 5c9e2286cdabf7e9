//! Edits: each is durable when the call returns, at the price of one sync.

use foras_tests::point::registration;
use foras_tests::power::plug_in;

use super::trial::{Place, Scene, Stopped, Told, assert_on_server, assert_whole, cut_everywhere, edit, folder};

fn script(place: &Place<'_>, told: &mut Told) -> Result<(), Stopped> {
    let point = place.point()?;
    let mut phone = point.phone(&place.phone()).map_err(|error| error.to_string())?;
    for number in 0..4 {
        let value = format!("edit {number}.");
        edit(&mut phone, place.case, &value)?;
        told.durable.push(value);
    }
    let registered = phone.register(&registration("Fanta Essai")).map_err(|error| error.to_string())?;
    told.durable.push("Fanta Essai".to_owned());
    phone.note(&registered.id, "Speaks Pulaar and some French.").map(drop).or_else(|error| {
        // An outreach worker writes no notes; the call must leave the store as it was.
        if error.code() == "not_allowed" { Ok(()) } else { Err(error.to_string()) }
    })?;
    edit(&mut phone, &registered.id, "a place to sleep.")?;
    told.durable.push("a place to sleep.".to_owned());
    Ok(())
}

#[test]
fn an_edit_that_was_called_durable_outlives_the_power_at_every_sync() {
    cut_everywhere(&Scene::in_oujda(), "phone", &script, &|place, told, trial| {
        assert_whole(&place.phone(), trial);
        let point = place.point().unwrap();
        let mut phone = point.phone(&place.phone()).unwrap_or_else(|error| panic!("{trial}: {error}"));
        edit(&mut phone, place.case, "after the cut.").unwrap_or_else(|error| panic!("{trial}: {error}"));
        let report = point.sync(&mut phone).unwrap_or_else(|stopped| panic!("{trial}: {}", stopped.error));
        assert_eq!((report.pending, report.refused), (0, 0), "{trial}");
        assert_on_server(&place.server(), &told.durable, trial);
        assert_on_server(&place.server(), &["after the cut.".to_owned()], trial);
    });
}

#[test]
fn an_edit_costs_one_sync() {
    let scene = Scene::in_oujda();
    let copied = folder();
    super::trial::copy(scene.path(), copied.path());
    let place = Place::new(copied.path(), &scene.case);
    let machine = plug_in(&place.phone());
    let point = place.point().unwrap();
    let mut phone = point.phone(&place.phone()).unwrap();
    edit(&mut phone, place.case, "the first.").unwrap();
    let before = machine.counts();
    for number in 0..20 {
        edit(&mut phone, place.case, &format!("number {number}.")).unwrap();
    }
    let after = machine.counts();
    assert_eq!(after.syncs - before.syncs, 20);
}
