//! Work that goes from phone to phone: the power goes between any two of the things that giver and receiver keep.

use foras::phone::Phone;

use super::syncs::verify;
use super::trial::{Place, Scene, Stopped, Told, cut_everywhere, edit};

/// What both hold.
const AUDIENCE: &str = "casework:oujda";

/// One hands over what waits, the other takes it.
fn hand(giver: &mut Phone, taker: &mut Phone) -> Result<(), Stopped> {
    let mut file = Vec::new();
    giver.share_to(&[AUDIENCE.to_owned()], &mut file).map_err(|error| error.to_string())?;
    let report = taker.receive_from(&mut file.as_slice()).map_err(|stopped| stopped.error.to_string())?;
    assert!(report.refused.is_empty(), "honest work is refused");
    Ok(())
}

/// Both write, each upon what the other handed over; then one of them finds a network.
fn script(place: &Place<'_>, told: &mut Told) -> Result<(), Stopped> {
    let point = place.point()?;
    let mut phone = point.phone(&place.phone()).map_err(|error| error.to_string())?;
    let mut colleague = point.phone(&place.colleague()).map_err(|error| error.to_string())?;
    for round in 0..2 {
        let (first, second) = (format!("round {round}, the colleague."), format!("round {round}, upon that."));
        edit(&mut colleague, place.case, &first)?;
        told.durable.push(first);
        hand(&mut colleague, &mut phone)?;
        edit(&mut phone, place.case, &second)?;
        told.durable.push(second);
        hand(&mut phone, &mut colleague)?;
    }
    let report = point.sync(&mut phone).map_err(|stopped| stopped.error.to_string())?;
    assert_eq!(report.refused, 0);
    if report.pending == 0 && phone.store().carried().map_err(|error| error.to_string())? == 0 {
        told.on_server.clone_from(&told.durable);
    }
    Ok(())
}

#[test]
fn who_takes_others_work_along_loses_none_of_it_when_the_power_goes() {
    cut_everywhere(&Scene::in_oujda(), "phone", &script, &verify);
}

#[test]
fn who_hands_work_over_keeps_it_when_the_power_goes() {
    cut_everywhere(&Scene::in_oujda(), "colleague", &script, &verify);
}

#[test]
fn a_server_whose_power_goes_gets_carried_work_once() {
    cut_everywhere(&Scene::in_oujda(), "server", &script, &verify);
}
