//! Sketches of a device that was let in: as many symbols as a request can carry, over all its audiences.

use std::rc::Rc;

use foras_record::role::Role;
use foras_tests::intruder::Intruder;
use foras_tests::point::Point;
use foras_wire::frame::encode_request;
use foras_wire::reconcile::coded::{self, SYMBOLS_MAX};
use foras_wire::reconcile::{DifferenceState, Item, Reconcile, Sketch, Sum};
use foras_wire::stream::FrameReader;
use foras_wire::sync::{AnswerFrame, SyncRequest};

use super::meter::Hostile;

/// Audiences that each get symbols.
const AUDIENCES: u16 = 6;

/// A request with as many symbols of `items` items for each of several audiences.
fn request(intruder: &Intruder, items: usize, symbols: usize) -> SyncRequest {
    let items: Vec<Item> = (0..items as u128).map(|number| Item((number << 64 | number).to_be_bytes())).collect();
    let (count, sum) = (items.len() as u64, items.iter().collect::<Sum>());
    let symbols = coded::to_bytes(&coded::symbols(&[7; 8], &items, symbols), count);
    let sketch = |audience| Sketch { audience, count, sum, symbols: symbols.clone() };
    let reconcile =
        Reconcile { salt: [7; 8], sketches: (0..AUDIENCES).map(sketch).collect(), witness: None, newest_epoch: 0 };
    SyncRequest { reconcile: Some(reconcile), ..intruder.request(Vec::new()) }
}

pub(crate) fn inputs() -> Vec<Hostile> {
    let point = Rc::new(Point::in_memory(9));
    let intruder = Rc::new(Intruder::enrol(&point, &point.invite(Role::Outreach, &["oujda"])));
    // More items than symbols: nothing is found, and every symbol is looked at.
    let body = encode_request(&request(&intruder, SYMBOLS_MAX, SYMBOLS_MAX));
    vec![Hostile::new("server: sketches as long as they may be, of every audience", body, move |body| {
        drop(intruder.send_body(&point, body.to_vec()));
    })]
}

#[test]
fn symbols_are_counted_over_all_audiences_of_a_request() {
    let point = Point::in_memory(9);
    let intruder = Intruder::enrol(&point, &point.invite(Role::Outreach, &["oujda"]));
    let mut reader = FrameReader::default();
    reader.feed(&intruder.send(&point, &request(&intruder, 3, SYMBOLS_MAX / 2 + 1)));
    let mut states = Vec::new();
    while let Some(frame) = reader.next_frame().unwrap() {
        match frame {
            AnswerFrame::Difference(part) if part.state == DifferenceState::Part => {}
            AnswerFrame::Difference(last) => states.push(last.state),
            _ => {}
        }
    }
    // Three items that the server does not know were found in the first; there was no room for a second.
    assert!(states.len() > 1 && states.remove(0) == DifferenceState::Last, "{states:?}");
    assert!(states.iter().all(|state| *state == DifferenceState::StartOver), "{states:?}");
}
