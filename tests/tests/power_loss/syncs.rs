//! Syncs: the phone loses its power between any two of the things that a sync keeps.

use super::trial::{
    Place, Scene, Stopped, Told, assert_on_server, assert_same_content, assert_whole, cut_everywhere, edit,
};

/// Both work and sync in turn, so that pages come in while pushes go out.
pub(crate) fn script(place: &Place<'_>, told: &mut Told) -> Result<(), Stopped> {
    let point = place.point()?;
    let mut phone = point.phone(&place.phone()).map_err(|error| error.to_string())?;
    let mut colleague = point.phone(&place.colleague()).map_err(|error| error.to_string())?;
    for round in 0..2 {
        let (mut own, mut others) = (Vec::new(), Vec::new());
        for number in 0..2 {
            let (value, other) = (format!("round {round} edit {number}."), format!("round {round} other {number}."));
            edit(&mut phone, place.case, &value)?;
            told.durable.push(value.clone());
            own.push(value);
            edit(&mut colleague, place.case, &other)?;
            told.durable.push(other.clone());
            others.push(other);
        }
        for (who, written) in [(&mut colleague, others), (&mut phone, own)] {
            let synced = point.sync(who);
            // However the sync ended: what does not wait any more was acknowledged. Nothing that brings it again later,
            // as comparing does, may be needed for it to be there.
            if who.store().pending().is_ok_and(|pending| pending.changes == 0) {
                told.on_server.extend(written);
            }
            let report = synced.map_err(|stopped| stopped.error.to_string())?;
            assert_eq!(report.refused, 0);
            if report.pending > 0 {
                return Err("the server took nothing".to_owned());
            }
        }
    }
    Ok(())
}

/// Everybody syncs, and has the same.
pub(crate) fn verify(place: &Place<'_>, told: &Told, trial: &str) {
    assert_whole(&place.phone(), trial);
    assert_whole(&place.server(), trial);
    // Before anybody had the chance to push it again.
    assert_on_server(&place.server(), &told.on_server, trial);
    let point = place.point().unwrap_or_else(|error| panic!("{trial}: {error}"));
    let mut phone = point.phone(&place.phone()).unwrap_or_else(|error| panic!("{trial}: {error}"));
    let mut colleague = point.phone(&place.colleague()).unwrap_or_else(|error| panic!("{trial}: {error}"));
    edit(&mut phone, place.case, "after the cut.").unwrap_or_else(|error| panic!("{trial}: {error}"));
    // Twice, so that each has what the other pushed after it.
    for _ in 0..2 {
        for who in [&mut phone, &mut colleague] {
            let report = point.sync(who).unwrap_or_else(|stopped| panic!("{trial}: {}", stopped.error));
            assert_eq!((report.pending, report.refused), (0, 0), "{trial}");
        }
    }
    assert_on_server(&place.server(), &told.durable, trial);
    assert_on_server(&place.server(), &["after the cut.".to_owned()], trial);
    for who in [&mut phone, &mut colleague] {
        assert_same_content(&point, who, trial);
    }
    drop((phone, colleague, point));
    for folder in [place.phone(), place.colleague(), place.server()] {
        assert_whole(&folder, trial);
    }
}

#[test]
fn a_phone_whose_power_goes_in_the_middle_of_a_sync_goes_on_from_there() {
    cut_everywhere(&Scene::in_oujda(), "phone", &script, &verify);
}
