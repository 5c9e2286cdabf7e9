//! A server's whole work for a hostile push of a device that it let in.

use std::rc::Rc;

use foras_record::identity;
use foras_record::kind::Kind;
use foras_record::role::Role;
use foras_tests::intruder::Intruder;
use foras_tests::point::Point;
use foras_wire::codec;
use foras_wire::frame::encode_request;
use foras_wire::id::RecordId;
use foras_wire::push::PushItem;

use super::changes::{AUTHOR, hostile};
use super::meter::Hostile;

pub(crate) fn inputs() -> Vec<Hostile> {
    let point = Rc::new(Point::in_memory(8));
    let intruder = Rc::new(Intruder::enrol(&point, &point.invite(Role::Outreach, &["oujda"])));
    let mut inputs = Vec::new();
    for (number, (name, mut chunk)) in hostile().into_iter().enumerate() {
        // Under its own name, so that nothing is refused before it is looked into.
        let stranger = AUTHOR.0;
        if let Some(at) = chunk.windows(16).position(|window| window == stranger) {
            chunk[at..at + 16].copy_from_slice(&intruder.actor().0);
        }
        let mut id = [0; 16];
        id[8..].copy_from_slice(&(number as u64).to_be_bytes());
        let record = identity::record(Kind::Project, RecordId(id), Some(RecordId(id)));
        let chunk = foras_record::change::forge::resealed(&chunk);
        let request = intruder.request(vec![PushItem { record, change_set: 1, chunk }]);
        inputs.push(sent(format!("server: {name}"), encode_request(&request), &point, &intruder));
    }
    let garbage = codec::pack(&vec![0x9f; 4 << 20]);
    inputs.push(sent("server: a body of nested lists".to_owned(), garbage, &point, &intruder));
    inputs
}

fn sent(name: String, body: Vec<u8>, point: &Rc<Point>, intruder: &Rc<Intruder>) -> Hostile {
    let (point, intruder) = (Rc::clone(point), Rc::clone(intruder));
    Hostile::new(name, body, move |body| drop(intruder.send_body(&point, body.to_vec())))
}
