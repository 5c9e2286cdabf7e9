//! Stories of figures: what is counted is what was recorded, and counted once.

use foras_record::document::{Edit, Write};
use foras_record::identity;
use foras_record::indicator::{Query, report};
use foras_record::kind::Kind;
use foras_record::role::Role;
use foras_record::value::Value;
use foras_server::Server;
use foras_wire::id::RecordId;
use jiff::civil::date;

use crate::field::{Office, Person, put, text};

#[test]
fn a_roll_call_a_registration_and_an_answer_are_counted_beside_the_running_server() {
    let dir = tempfile::tempdir().unwrap();
    let mut office = Office::open_in(dir.path());
    let mut worker = office.outreach("oujda", "Agent");
    let mut trainer = office.phone(Role::Trainer, &["oujda"], "Trainer");
    let awa = Person::register(&mut office, &mut worker, "oujda", "Awa");
    Person::register(&mut office, &mut worker, "oujda", "Binta");
    let session = identity::record(Kind::Session, RecordId([5; 16]), None);
    let fields = [
        ("module", "awareness"),
        ("format", "group"),
        ("mode", "on_site"),
        ("point", "oujda"),
        ("start", "2026-10-06T10:00:00+01:00"),
        ("minutes", "90"),
    ];
    let edits = fields.iter().map(|(field, typed)| put(Kind::Session, field, typed)).collect();
    worker.act(office.now_ms, &[(session, edits)]);
    worker.sync(&mut office).durable();
    trainer.sync(&mut office).durable();
    let field = Kind::Path.rule().field("attendance").unwrap();
    let present = Write::Put(Value::Text("present".into()));
    trainer.act(office.now_ms, &[(awa.path, vec![Edit::item(field, session.key.id.to_string(), present)])]);
    trainer.sync(&mut office).durable();
    for (at, satisfied) in ["yes", "yes", "no"].iter().enumerate() {
        let body = format!(
            r#"{{"point":"oujda","programme":"FORAS II","module":"awareness","satisfied":"{satisfied}","day":"2026-10-06"}}"#
        );
        worker.deposit(RecordId([u8::try_from(at).unwrap(); 16]), &body);
    }
    worker.sync(&mut office).durable();

    let beside = Server::attach(dir.path()).unwrap();
    let month = Query::new(date(2026, 10, 1), date(2026, 10, 31));
    let figures = report(&beside.facts().unwrap(), &month).total;
    assert_eq!((figures.registered, figures.oriented, figures.awareness), (Some(2), Some(1), Some(1)));
    assert_eq!(figures.satisfied.n, Some(3));
    let before = Query::new(date(2026, 9, 1), date(2026, 9, 30));
    assert_eq!(report(&beside.facts().unwrap(), &before).total.registered, Some(0));
    let number = text(&worker, &awa.case, "case_number").unwrap();
    assert_eq!(beside.find_case(&number).unwrap(), awa.id());
    assert_eq!(beside.find_case(&awa.id().to_string()).unwrap(), awa.id());
    assert_eq!(beside.find_case("T-99").unwrap_err().code(), "not_found");
}
