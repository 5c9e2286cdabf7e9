//! The server's machine: what it acknowledged is on its disk.

use foras_tests::power::{Survives, plug_in};
use foras_tests::world::chance::Chance;

use super::syncs;
use super::trial::{Place, Scene, assert_whole, cut_everywhere, folder};

#[test]
fn what_a_server_acknowledged_outlives_its_power() {
    cut_everywhere(&Scene::in_oujda(), "server", &syncs::script, &syncs::verify);
}

#[test]
fn a_server_whose_power_goes_while_it_starts_for_the_first_time_starts_again() {
    let syncs = {
        let new = folder();
        let machine = plug_in(&new.path().join("server"));
        drop(Place::new(new.path(), "").point().unwrap());
        machine.counts().syncs
    };
    for cut in 0..=syncs {
        for survives in [Survives::Nothing, Survives::Everything, Survives::Sectors(512)] {
            let new = folder();
            let place = Place::new(new.path(), "");
            let machine = plug_in(&place.server());
            machine.cut_after_syncs(cut);
            let before = place.point().map(|point| point.server.id());
            machine.cut();
            machine.reboot(survives, &Chance::new(cut));
            let trial = format!("power cut at sync {cut} of {syncs}, {survives:?} survived");
            assert_whole(&place.server(), &trial);
            let after = place.point().unwrap_or_else(|error| panic!("{trial}: {error}"));
            assert!(before.is_err() || before == Ok(after.server.id()), "{trial}: another server");
        }
    }
}
