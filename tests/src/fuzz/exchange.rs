//! The whole of a server behind its door: pushes that an enrolled device signed, whatever stands in them.

use std::cell::RefCell;

use foras_record::role::Role;
use foras_wire::codec;
use foras_wire::frame::{encode_request, from_cbor, to_cbor};
use foras_wire::push::PushItem;
use foras_wire::stream::FrameReader;

use super::change::pushed;
use super::story;
use crate::intruder::Intruder;
use crate::point::{Point, registration};

/// Inputs after which a server has heard enough, and a new one takes its place.
const INPUTS_MAX: usize = 200;
/// Every so many inputs an honest phone works with the same server.
const HONEST_EVERY: usize = 50;
/// Most items of one input.
const ITEMS_MAX: usize = 20;

struct Besieged {
    inputs: usize,
    point: Point,
    intruder: Intruder,
}

thread_local! {
    static BESIEGED: RefCell<Option<Besieged>> = const { RefCell::new(None) };
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let items = pushed();
    let pushes = items.chunks(3).map(|items| to_cbor(&items.to_vec()));
    let bodies = story::travelled().requests.iter().filter_map(|body| codec::unpack(body).ok());
    pushes.chain(bodies).collect()
}

/// Items of a push, each chunk as it is and under its device's own name; or else any body.
pub(super) fn run(bytes: &[u8]) {
    BESIEGED.with_borrow_mut(|slot| {
        let mut taken = slot.take().filter(|besieged| besieged.inputs < INPUTS_MAX);
        let besieged = taken.get_or_insert_with(besieged);
        besieged.inputs += 1;
        let bodies = match from_cbor::<Vec<PushItem>>("items", bytes) {
            Ok(mut items) => {
                items.truncate(ITEMS_MAX);
                vec![encode_request(&besieged.intruder.request(items))]
            }
            Err(_) => vec![codec::pack(bytes), bytes.to_vec()],
        };
        for body in bodies {
            let answer = besieged.intruder.send_body(&besieged.point, body);
            assert!(reads(&answer), "an answer that does not read");
        }
        if besieged.inputs.is_multiple_of(HONEST_EVERY) {
            honest_work(&besieged.point);
        }
        *slot = taken;
    });
}

fn besieged() -> Besieged {
    let point = Point::in_memory(6);
    let intruder = Intruder::enrol(&point, &point.invite(Role::Outreach, &["oujda"]));
    Besieged { inputs: 0, point, intruder }
}

fn reads(answer: &[u8]) -> bool {
    let mut reader = FrameReader::default();
    reader.feed(answer);
    loop {
        match reader.next_frame() {
            Ok(Some(_)) => {}
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

/// Somebody else registers and syncs with the same server.
fn honest_work(point: &Point) {
    let mut phone = point.phone_in_memory();
    point.enrol(&mut phone, &point.invite(Role::Outreach, &["oujda"])).expect("an enrolled phone");
    phone.register(&registration("Awa Essai")).expect("a registration");
    let report = point.sync(&mut phone).expect("an honest sync");
    assert_eq!((report.pending, report.refused), (0, 0));
}
