//! What people and files hand in: invitations and lines of JSON.

use std::cell::RefCell;
use std::rc::Rc;

use foras::Error;
use foras_record::role::Role;
use foras_tests::point::Point;
use foras_wire::invitation::Invitation;
use foras_wire::limits::LINE_BYTES_MAX;

use super::meter::Hostile;

fn read_invitation(bytes: &[u8]) {
    let _ = String::from_utf8_lossy(bytes).parse::<Invitation>();
}

pub(crate) fn inputs() -> Vec<Hostile> {
    let line = LINE_BYTES_MAX - 16;
    let keys: String = (0..line / 12).map(|key| format!("\"k{key:06}\":1,")).collect();
    let named = r#"{"ref":"o-1","name":"Awa","point":"oujda","sex":"f","consents":{"assist":"oral"},"#;
    let field = |json: String| format!("{named}{json}}}");
    let lines = [
        ("lists in lists", "[".repeat(line)),
        ("objects in objects", r#"{"a":"#.repeat(line / 5)),
        ("lists in a field", field(format!("\"needs\":{}", "[".repeat(line / 2)))),
        ("many keys", format!("{{{}\"z\":1}}", &keys[..keys.len() - 12])),
        ("one key again and again", format!("{{{}\"a\":1}}", "\"a\":1,".repeat(line / 7))),
        ("a long text", field(format!("\"needs\":\"{}\"", "x".repeat(line - 200)))),
        ("a long text of escapes", field(format!("\"needs\":\"{}\"", "\\u0041".repeat(line / 7)))),
        ("many languages", field(format!("\"languages\":[{}\"fr\"]", "\"ff\",".repeat(line / 6)))),
        ("a long number", field(format!("\"birth_year\":1{}", "0".repeat(line / 2)))),
        ("a small number", field(format!("\"birth_year\":1e-{}", "9".repeat(line / 2)))),
        ("a line of 8 MiB", "x".repeat(8 << 20)),
        ("4 MiB of empty lines", "\n".repeat(4 << 20)),
        ("4096 lines that are none", "{}\n".repeat(4096)),
    ];
    let point = Point::in_memory(8);
    let mut phone = point.phone_in_memory();
    point.enrol(&mut phone, &point.invite(Role::Outreach, &["oujda"])).unwrap();
    let phone = Rc::new(RefCell::new(phone));
    let mut inputs = vec![
        Hostile::new("invitation: 8 MiB", "foras://x".repeat(1 << 20).into_bytes(), read_invitation),
        Hostile::new(
            "invitation: 1 KiB of keys",
            format!("foras://x/enrol?{}", "key=A&".repeat(160)).into(),
            read_invitation,
        ),
    ];
    for (name, text) in lines {
        for edits in [false, true] {
            let phone = Rc::clone(&phone);
            let name = format!("{}: {name}", if edits { "edits" } else { "import" });
            inputs.push(Hostile::new(name, text.clone().into_bytes(), move |bytes| {
                let mut phone = phone.borrow_mut();
                if edits {
                    let _ = phone.apply(bytes, |_| Ok::<(), Error>(()));
                } else {
                    let _ = phone.import(bytes, |_| {});
                }
            }));
        }
    }
    inputs
}
