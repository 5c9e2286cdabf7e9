//! Every forgery of the catalogue, again and again, upon a world in which people work: none is taken.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use foras_tests::world::World;
use foras_tests::world::hostile::{FORGED, HostilePhone};

/// Each forgery has several forms, one of which is drawn each time.
const TRIES: usize = 12;

#[test]
fn a_hostile_phone_in_oujda_tries_every_forgery_and_nothing_of_them_is_taken() {
    let mut world = World::new(11);
    let hostile = HostilePhone::enrol(&mut world);
    for point in ["oujda", "casablanca"] {
        let worker = world.outreach(point);
        let case = world.register(worker, "Somebody", point).unwrap();
        world.edit(worker, &case, "needs", "a loan").unwrap();
        world.sync(worker).unwrap();
    }
    for name in HostilePhone::forgeries() {
        let tried: Vec<_> = (0..TRIES).filter_map(|_| hostile.try_forgery(&mut world, name)).collect();
        assert!(!tried.is_empty(), "{name} found nothing to forge upon");
        assert!(!tried.contains(&true), "the server took {name}");
    }
    let chunks = world.chunks_of("change");
    let forged = |chunk: &Vec<u8>| chunk.windows(FORGED.len()).any(|part| part == FORGED.as_bytes());
    assert_eq!(chunks.iter().filter(|chunk| forged(chunk)).count(), 0);
    world.run_until_quiescent();
}
