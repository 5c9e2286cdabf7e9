//! Lines of JSON: a file to import, and a file of edits.

use std::cell::RefCell;

use foras::Error;
use foras::phone::Phone;
use foras_record::role::Role;

use crate::point::Point;

/// Inputs after which a phone has heard enough, and a new one takes its place.
const INPUTS_MAX: usize = 500;

thread_local! {
    static PHONE: RefCell<Option<(usize, Phone)>> = const { RefCell::new(None) };
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let lines = [
        r#"{"ref":"o-1","name":"Mariama Essai","sex":"f","birth_year":1996,"nationality":"GN","country":"GN","point":"oujda","registered_on":"2026-10-01","languages":["ff","fr"],"consents":{"assist":"oral"},"needs":"tools"}"#,
        r#"{"ref":"o-2","name":"Awa Essai","sex":"x","birth_year":"1990","nationality":"ML","country":"ML","point":"oujda","basis":"vital_interest","phones":["+212600000000"]}"#,
        r#"{"id":"c08b8a92d0f68b2bb606bfffb6b726a8","set":{"needs":"a sewing machine","contact_language":"ff"}}"#,
        r#"{"ref":"o-1","set":{"needs":null,"languages":["fr",1,true,{"a":[]}]}}"#,
    ];
    let together = lines.join("\r\n");
    lines.iter().map(|line| line.as_bytes().to_vec()).chain([[b"\xef\xbb\xbf", together.as_bytes()].concat()]).collect()
}

/// Imports the input, then takes it as edits; the phone works afterwards.
pub(super) fn run(bytes: &[u8]) {
    PHONE.with_borrow_mut(|slot| {
        let mut taken = slot.take().filter(|(inputs, _)| *inputs < INPUTS_MAX);
        let (inputs, phone) = taken.get_or_insert_with(|| (0, enrolled()));
        *inputs += 1;
        let lines = bytes.split(|byte| *byte == b'\n').count() as u64;
        match phone.import(bytes, |_| {}) {
            Ok(done) => assert!(done.added + done.unchanged + done.refused.len() as u64 <= lines),
            Err(stopped) => panic!("a file of lines stopped an import: {}", stopped.error),
        }
        let applied = phone.apply(bytes, |_| Ok::<(), Error>(()));
        assert!(applied.is_ok(), "a file of lines stopped edits: {applied:?}");
        *slot = taken;
    });
}

fn enrolled() -> Phone {
    let point = Point::in_memory(5);
    let mut phone = point.phone_in_memory();
    point.enrol(&mut phone, &point.invite(Role::Outreach, &["oujda"])).expect("an enrolled phone");
    phone
}
